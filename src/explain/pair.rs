//! The match-weight sum of one pair, computed anew from the published records with the published model.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Reader, Subject, both, equal, first};
use crate::block;
use crate::compare::Comparer;
use crate::error::{Error, Result};
use crate::score::{self, Model, TermFrequencies, WeightPart, Weights};
use crate::standardize;
use crate::table::{CodedRecords, Contacts, RecordIx, VersionNumber, column};

/// Why two records are together or apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairExplanation {
    /// Version it was read from.
    pub version: VersionNumber,
    /// `source:record_id`.
    pub left: String,
    /// `source:record_id`.
    pub right: String,
    /// Customer of the left record.
    pub left_customer_key: String,
    /// Customer of the right record.
    pub right_customer_key: String,
    /// In one word and one sentence.
    pub verdict: Verdict,
    /// The sentence.
    pub because: String,
    /// Prior weight in bits: log2 of the odds of two records drawn at random.
    pub prior_weight: f64,
    /// Parts of the sum.
    pub comparisons: Vec<ComparedValues>,
    /// Sum: match weight in bits.
    pub match_weight: f64,
    /// Match probability.
    pub match_probability: f64,
    /// Match weight at the threshold.
    pub threshold_weight: f64,
    /// Blocking rules that pair them.
    pub blocking_rules: Vec<String>,
    /// Deterministic rules that link them.
    pub deterministic_rules: Vec<String>,
}

/// One comparison of the pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComparedValues {
    /// Its part of the sum.
    #[serde(flatten)]
    pub part: WeightPart,
    /// Left values, masked unless asked otherwise.
    pub left: Vec<Option<String>>,
    /// Right values.
    pub right: Vec<Option<String>>,
}

/// Marks a rule that leaves its large blocks out, so that it may not have paired these records.
const COARSE: &str = " (small blocks)";

/// Together or apart, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A deterministic rule links them.
    Deterministic,
    /// Their own weight reaches the threshold.
    Matched,
    /// One customer through other records.
    Indirect,
    /// Apart: no blocking rule pairs them, so they were never compared.
    NotBlocked,
    /// Apart: their weight is below the threshold.
    BelowThreshold,
    /// Apart: a constraint refused the link.
    Refused,
}

impl Reader<'_> {
    /// Explains a pair of records.
    ///
    /// # Errors
    /// `Input` if a record is not in the version.
    pub fn pair(&self, left: &Subject, right: &Subject) -> Result<PairExplanation> {
        let (left_row, right_row) = (self.contact(left)?, self.contact(right)?);
        if [column::SOURCE, column::RECORD_ID]
            .into_iter()
            .all(|name| first(&left_row, name) == first(&right_row, name))
        {
            return Err(Error::config("both are the same record").hint("give two different records"));
        }
        let keys = [
            first(&left_row, column::CUSTOMER_KEY).unwrap_or_default(),
            first(&right_row, column::CUSTOMER_KEY).unwrap_or_default(),
        ];
        let records = self.coded(&left_row, &right_row)?;
        let identity = &self.spec.identity;
        let (model, frequencies) = self.model()?;
        let weights = Weights::new(&identity.comparisons, model, frequencies, &records)?;
        let comparer = Comparer::new(&identity.comparisons, &records);
        let (left, right) = (RecordIx(0), RecordIx(1));
        let pattern = comparer.pattern(left, right);
        let match_weight = weights.weight(pattern, left, right);
        let rules = |rules: &[crate::config::spec::BlockingRule]| -> Vec<String> {
            let (blocks, _) = block::block(rules, u64::MAX, &records);
            rules
                .iter()
                .zip(&blocks.rules)
                .filter(|(_, blocks)| !blocks.is_empty())
                .map(|(rule, _)| format!("{}{}", rule.name, if rule.coarse { COARSE } else { "" }))
                .collect()
        };
        let values = |record: RecordIx, columns: &[String]| {
            let value = |name: &String| {
                records
                    .column(name)
                    .and_then(|column| column.value(record))
                    .map(|value| self.shown(value))
            };
            columns.iter().map(value).collect()
        };
        // After the comparisons comes the part of other people, which reads no column of its own.
        let columns_of = identity.comparisons.iter().map(crate::config::spec::ComparisonSpec::columns);
        let comparisons = weights
            .parts(pattern, left, right)
            .into_iter()
            .zip(columns_of.chain(std::iter::repeat_with(Vec::new)))
            .map(|(part, columns)| ComparedValues {
                part,
                left: values(left, &columns),
                right: values(right, &columns),
            });
        let mut explanation = PairExplanation {
            version: self.manifest.version,
            verdict: Verdict::Matched,
            because: String::new(),
            prior_weight: weights.prior(),
            comparisons: comparisons.collect(),
            match_weight,
            match_probability: score::probability(match_weight),
            threshold_weight: score::weight_of(identity.match_probability),
            blocking_rules: rules(&identity.blocking),
            deterministic_rules: rules(&identity.deterministic),
            left: self.record_name(&left_row),
            right: self.record_name(&right_row),
            left_customer_key: keys[0].clone(),
            right_customer_key: keys[1].clone(),
        };
        (explanation.verdict, explanation.because) = verdict(&explanation);
        Ok(explanation)
    }

    fn contact(&self, subject: &Subject) -> Result<RecordBatch> {
        let Subject::Record(source, record_id) = subject else {
            return Err(Error::config("a pair is two records").hint("give both as <source>:<record id>"));
        };
        let row = self.rows("contacts", |batch| {
            both(&equal(batch, column::SOURCE, source), &equal(batch, column::RECORD_ID, record_id))
        })?;
        row.ok_or_else(|| self.unknown_record(source, record_id))
    }

    /// Both records in comparison form, left first.
    fn coded(&self, left: &RecordBatch, right: &RecordBatch) -> Result<CodedRecords> {
        let both = concat_batches(&left.schema(), [left, right])
            .map_err(|error| Error::internal("two rows of one table do not fit together").because(error))?;
        let columns: Vec<usize> = (0..both.num_columns())
            .filter(|&position| both.schema().field(position).name() != column::CUSTOMER_KEY)
            .collect();
        let both = both
            .project(&columns)
            .map_err(|error| Error::internal("a contact lacks a column").because(error))?;
        let standardized = standardize::standardize(&Contacts::new(both), &self.spec.country);
        Ok(standardized.contacts.code(&self.spec.identity.columns()))
    }

    fn record_name(&self, row: &RecordBatch) -> String {
        let (source, id) = (first(row, column::SOURCE), first(row, column::RECORD_ID));
        format!("{}:{}", source.unwrap_or_default(), self.shown_id(&id.unwrap_or_default()))
    }

    fn model(&self) -> Result<&(Model, TermFrequencies)> {
        if let Some(known) = self.model.get() {
            return Ok(known);
        }
        let read = crate::score::state::read(|name| self.warehouse.state(self.engine, &self.manifest, name))?.ok_or_else(|| {
            Error::environment("the version has no model")
                .with("version", self.manifest.version.to_string())
                .hint("run the job again with --retrain")
        })?;
        Ok(self.model.get_or_init(|| read))
    }
}

fn verdict(pair: &PairExplanation) -> (Verdict, String) {
    let together = pair.left_customer_key == pair.right_customer_key;
    let above = pair.match_weight >= pair.threshold_weight;
    let blocked = !pair.blocking_rules.is_empty();
    match (together, blocked, above) {
        (true, _, _) if !pair.deterministic_rules.is_empty() => (
            Verdict::Deterministic,
            format!("one customer: they agree on {}", pair.deterministic_rules.join("; ")),
        ),
        (true, true, true) => (
            Verdict::Matched,
            "one customer: their match weight reaches the threshold".to_owned(),
        ),
        (true, _, _) => (
            Verdict::Indirect,
            "one customer through other records: `explain` the customer to see its links".to_owned(),
        ),
        (false, false, _) if pair.deterministic_rules.is_empty() => (
            Verdict::NotBlocked,
            "apart: no blocking rule pairs them, so they were never compared".to_owned(),
        ),
        (false, _, true) if pair.deterministic_rules.is_empty() && pair.blocking_rules.iter().all(|rule| rule.ends_with(COARSE)) => (
            Verdict::NotBlocked,
            "apart: only coarse rules pair them, which leave their large blocks out".to_owned(),
        ),
        (false, _, false) if pair.deterministic_rules.is_empty() => (
            Verdict::BelowThreshold,
            "apart: their match weight is below the threshold".to_owned(),
        ),
        (false, _, _) => (
            Verdict::Refused,
            "apart: a constraint refused the link; see possible_links for the reason".to_owned(),
        ),
    }
}
