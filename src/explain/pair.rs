//! The match-weight sum of one pair, computed anew from the published records with the published model.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rows::{both, equal, first, of_pair, text_at};
use super::verdict::{Published, Verdict, verdict};
use super::{Reader, Subject};
use crate::block;
use crate::compare::Comparer;
use crate::config::spec::BlockingRule;
use crate::error::{Error, Result};
use crate::score::{self, Model, TermFrequencies, WeightPart, Weights};
use crate::standardize;
use crate::table::column::{LEFT_CUSTOMER_KEY, RIGHT_CUSTOMER_KEY};
use crate::table::decisions::NamedRecord;
use crate::table::{CodedRecords, Contacts, DecisionKind, RecordIx, VersionNumber, column};

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
    /// Deterministic rules under which they agree, on a value that too many people share: ignored.
    pub generic_rules: Vec<String>,
    /// Why the link between them was refused, as in `possible_links.reason`; absent if there is none.
    pub refused_because: Option<String>,
    /// What people decided about them, or about other records of their two customers, with file and line.
    pub decision: Option<String>,
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
pub(super) const COARSE: &str = " (small blocks)";

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
        let rules = |rules: &[BlockingRule]| -> Vec<String> {
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
        let [one, other] = [named(&left_row), named(&right_row)];
        let published = self.published(&one, &other)?;
        let generic = self.generic_columns(&left_row, &right_row)?;
        let reads_generic = |rule: &&BlockingRule| rule.keys.iter().any(|key| generic.contains(&key.column));
        let (ignored, used): (Vec<&BlockingRule>, Vec<&BlockingRule>) = identity.deterministic.iter().partition(reads_generic);
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
            deterministic_rules: rules(&used.into_iter().cloned().collect::<Vec<_>>()),
            generic_rules: rules(&ignored.into_iter().cloned().collect::<Vec<_>>()),
            refused_because: published.refused.clone(),
            decision: self.decision(&one, &other, &keys)?,
            left: self.record_name(&left_row),
            right: self.record_name(&right_row),
            left_customer_key: keys[0].clone(),
            right_customer_key: keys[1].clone(),
        };
        (explanation.verdict, explanation.because) = verdict(&explanation, &published);
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

    /// The link or possible link between two records.
    fn published(&self, one: &NamedRecord, other: &NamedRecord) -> Result<Published> {
        let link = self.rows("links", |batch| of_pair(batch, one, other))?;
        let possible = self.rows("possible_links", |batch| of_pair(batch, one, other))?;
        Ok(Published {
            link_rule: link.and_then(|row| first(&row, column::RULE)),
            refused: possible.and_then(|row| first(&row, column::REASON)),
        })
    }

    /// What people decided about two records, else what they decided to keep apart of their two customers: `cannot_link, decisions.csv:3`.
    fn decision(&self, one: &NamedRecord, other: &NamedRecord, keys: &[String; 2]) -> Result<Option<String>> {
        let own = self.rows("decisions", |batch| of_pair(batch, one, other))?;
        let rows = match own {
            Some(rows) => Some(rows),
            None if keys[0] == keys[1] => None,
            None => self.rows("decisions", |batch| {
                let between =
                    |left: &str, right: &str| both(&equal(batch, LEFT_CUSTOMER_KEY, left), &equal(batch, RIGHT_CUSTOMER_KEY, right));
                let either_way = super::either(&between(&keys[0], &keys[1]), &between(&keys[1], &keys[0]));
                both(&either_way, &equal(batch, column::DECISION, DecisionKind::CannotLink.name()))
            })?,
        };
        Ok(rows.map(|row| {
            let text = |name| first(&row, name).unwrap_or_default();
            format!("{}, {}:{}", text(column::DECISION), text(column::FILE), text(column::LINE))
        }))
    }

    /// Columns in which both records hold the same generic value.
    fn generic_columns(&self, left: &RecordBatch, right: &RecordBatch) -> Result<Vec<String>> {
        let Some(rows) = self.rows("generic_values", |batch| vec![true; batch.num_rows()].into())? else {
            return Ok(Vec::new());
        };
        let held = |row: usize| {
            let name = text_at(&rows, column::COLUMN, row)?;
            let value = text_at(&rows, column::VALUE, row);
            let is_held = value.is_some() && first(left, &name) == value && first(right, &name) == value;
            is_held.then_some(name)
        };
        Ok((0..rows.num_rows()).filter_map(held).collect())
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

fn named(row: &RecordBatch) -> NamedRecord {
    NamedRecord {
        source: first(row, column::SOURCE).unwrap_or_default(),
        record_id: first(row, column::RECORD_ID).unwrap_or_default(),
    }
}
