//! Explains a published version: why records are one customer, and the match-weight sum of a pair or why it is apart.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use arrow::array::{AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::Spec;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::publish::{Manifest, Warehouse};
use crate::score::{Model, TermFrequencies};
use crate::table::column::{LEFT_CUSTOMER_KEY, OTHER_KEY, RIGHT_CUSTOMER_KEY};
use crate::table::decisions::NamedRecord;
use crate::table::{VersionNumber, column};

mod bridge;
mod pair;
mod rows;
mod verdict;

use crate::text::mask::mask_id;

pub use crate::text::mask::mask;
pub use pair::{ComparedValues, PairExplanation};
pub use verdict::Verdict;

pub(crate) use bridge::bridges;
pub(crate) use rows::text_at;
use rows::{both, either, equal, first};

/// What is to be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A record: source and record id.
    Record(String, String),
    /// A customer.
    Customer(String),
}

/// An explanation, for people or as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum Explanation {
    /// One customer.
    Customer(CustomerExplanation),
    /// Two records.
    Pair(PairExplanation),
}

/// Why these records are one customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CustomerExplanation {
    /// Version it was read from.
    pub version: VersionNumber,
    /// The key.
    pub customer_key: String,
    /// The key it was asked for, if that one was merged into `customer_key`.
    pub redirected_from: Option<String>,
    /// Its records.
    pub records: Vec<ExplainedRecord>,
    /// Links that hold them together, the weakest first.
    pub links: Vec<ExplainedLink>,
    /// Links to records of other customers that were refused or are below the threshold.
    pub possible_links: Vec<ExplainedLink>,
    /// Links as a share of all pairs of records: 1 = every record is linked to every other.
    pub density: Option<f64>,
    /// The lightest link without which the customer would fall in two; absent if every record hangs on two or more.
    pub weakest_bridge: Option<ExplainedBridge>,
    /// Fields of which its records hold several values, the most values first.
    pub conflicts: Vec<Conflict>,
    /// What happened to the key, oldest first.
    pub events: Vec<ExplainedEvent>,
}

/// One record of a customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExplainedRecord {
    /// Source.
    pub source: String,
    /// Record id.
    pub record_id: String,
    /// Standardized values, masked unless asked otherwise.
    pub values: serde_json::Map<String, serde_json::Value>,
}

/// One link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExplainedLink {
    /// `source:record_id`.
    pub left: String,
    /// `source:record_id`.
    pub right: String,
    /// Match weight in bits.
    pub match_weight: f64,
    /// Match probability.
    pub match_probability: f64,
    /// Rule that paired them.
    pub rule: String,
    /// Why it was not taken, for possible links.
    pub reason: Option<String>,
}

/// A link that alone holds two parts together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExplainedBridge {
    /// The link.
    pub link: ExplainedLink,
    /// Records on the side of its left record.
    pub left_records: u64,
    /// Records on the side of its right record.
    pub right_records: u64,
}

/// A field of which the records of one customer hold several values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Conflict {
    /// Column.
    pub field: String,
    /// The values, those of most records first.
    pub values: Vec<HeldValue>,
}

/// A value and how many records hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeldValue {
    /// The value, masked unless asked otherwise: two values may look alike.
    pub value: String,
    /// Records.
    pub records: u64,
}

/// One event of a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExplainedEvent {
    /// Run.
    pub run_id: String,
    /// What happened.
    pub event: String,
    /// The other key.
    pub other_key: Option<String>,
    /// Records concerned.
    pub records_count: i64,
    /// Why, as in `key_events.cause`; absent in versions of older releases.
    pub cause: Option<String>,
}

/// Columns of `contacts` that an explanation shows, masked.
pub(crate) const SHOWN: [&str; 13] = [
    column::GIVEN_NAME,
    column::FAMILY_NAME,
    column::EMAIL,
    column::PHONE,
    column::BIRTH_DATE,
    column::COMPANY,
    column::STREET,
    column::HOUSE_NUMBER,
    column::POSTCODE,
    column::CITY,
    column::CUSTOMER_NO,
    column::USER_ID,
    column::LOYALTY_NO,
];

/// Reads `crm:C-1042` as a record if `crm` is a source, else the text as a customer key.
#[must_use]
pub fn subject(spec: &Spec, text: &str) -> Subject {
    match text.split_once(':') {
        Some((source, record_id)) if spec.sources.iter().any(|known| known.name == source) => {
            Subject::Record(source.to_owned(), record_id.to_owned())
        }
        _ => Subject::Customer(text.to_owned()),
    }
}

/// A link with the names of its records as they are.
struct ReadLink {
    left: NamedRecord,
    right: NamedRecord,
    shown: ExplainedLink,
}

/// The lightest bridge of links that stand sorted by weight.
fn weakest_bridge(links: &[ReadLink]) -> Option<ExplainedBridge> {
    let mut nodes: BTreeMap<&NamedRecord, usize> = BTreeMap::new();
    let mut edges = Vec::with_capacity(links.len());
    for link in links {
        let [left, right] = [&link.left, &link.right].map(|record| {
            let next = nodes.len();
            *nodes.entry(record).or_insert(next)
        });
        edges.push((left, right));
    }
    let bridge = bridge::bridges(nodes.len(), &edges).into_iter().next()?;
    let [left_records, right_records] = bridge.sides.map(|records| records as u64);
    Some(ExplainedBridge {
        link: links[bridge.edge].shown.clone(),
        left_records,
        right_records,
    })
}

/// A version opened for questions.
pub struct Reader<'a> {
    engine: &'a Engine,
    spec: &'a Spec,
    warehouse: Warehouse,
    manifest: Manifest,
    show_pii: bool,
    /// Tables that were read already: several questions read the same ones.
    tables: RefCell<BTreeMap<String, Option<Rc<[RecordBatch]>>>>,
    /// The model, once it was read.
    model: OnceCell<(Model, TermFrequencies)>,
}

impl<'a> Reader<'a> {
    /// Opens the newest version.
    ///
    /// # Errors
    /// `Input` if nothing is published yet.
    pub fn open(engine: &'a Engine, spec: &'a Spec, show_pii: bool) -> Result<Self> {
        let warehouse = Warehouse::new(engine.location(&spec.warehouse, &spec.folder)?);
        let manifest = warehouse.newest(engine)?;
        Ok(Self {
            engine,
            spec,
            warehouse,
            manifest,
            show_pii,
            tables: RefCell::default(),
            model: OnceCell::new(),
        })
    }

    /// Explains a customer, by its key or by one of its records.
    ///
    /// # Errors
    /// `Input` if the version knows neither.
    pub fn customer(&self, subject: &Subject) -> Result<CustomerExplanation> {
        let (customer_key, redirected_from) = self.key_of(subject)?;
        let records = self.rows("contacts", |batch| equal(batch, column::CUSTOMER_KEY, &customer_key))?;
        let links = self.links("links", |batch| equal(batch, column::CUSTOMER_KEY, &customer_key))?;
        let possible_links = self.links("possible_links", |batch| {
            either(
                &equal(batch, LEFT_CUSTOMER_KEY, &customer_key),
                &equal(batch, RIGHT_CUSTOMER_KEY, &customer_key),
            )
        })?;
        let conflicts = records.as_ref().map_or_else(Vec::new, |batch| self.conflicts(batch));
        let records = records.map_or_else(Vec::new, |batch| self.records(&batch));
        let pairs = records.len() * records.len().saturating_sub(1) / 2;
        Ok(CustomerExplanation {
            version: self.manifest.version,
            density: (pairs > 0).then(|| links.len() as f64 / pairs as f64),
            weakest_bridge: weakest_bridge(&links),
            conflicts,
            events: self.events(&customer_key)?,
            customer_key,
            redirected_from,
            records,
            links: links.into_iter().map(|link| link.shown).collect(),
            possible_links: possible_links.into_iter().map(|link| link.shown).collect(),
        })
    }

    fn key_of(&self, subject: &Subject) -> Result<(String, Option<String>)> {
        match subject {
            Subject::Record(source, record_id) => {
                let row = self.rows("identities", |batch| {
                    both(&equal(batch, column::SOURCE, source), &equal(batch, column::RECORD_ID, record_id))
                })?;
                let key = row.as_ref().and_then(|row| first(row, column::CUSTOMER_KEY));
                key.map(|key| (key, None)).ok_or_else(|| self.unknown_record(source, record_id))
            }
            Subject::Customer(key) => {
                if self.rows("identities", |batch| equal(batch, column::CUSTOMER_KEY, key))?.is_some() {
                    return Ok((key.clone(), None));
                }
                let redirect = self.rows("key_redirects", |batch| equal(batch, column::OLD_KEY, key))?;
                let live = redirect.as_ref().and_then(|row| first(row, column::NEW_KEY));
                live.map(|live| (live, Some(key.clone()))).ok_or_else(|| {
                    let sources: Vec<&str> = self.spec.sources.iter().map(|source| source.name.as_str()).collect();
                    Error::input("no customer has this key and no key was merged from it")
                        .with("version", self.manifest.version.to_string())
                        .hint(format!(
                            "give a customer key, or <source>:<record id> with one of the sources {}",
                            sources.join(", ")
                        ))
                })
            }
        }
    }

    fn unknown_record(&self, source: &str, record_id: &str) -> Error {
        Error::input("the version has no such record")
            .with("record", format!("{source}:{}", self.shown_id(record_id)))
            .with("version", self.manifest.version.to_string())
            .hint("look for it in latest/identities.parquet, and in latest/rejects.parquet if it was not taken")
    }

    fn records(&self, batch: &RecordBatch) -> Vec<ExplainedRecord> {
        (0..batch.num_rows())
            .map(|row| ExplainedRecord {
                source: text_at(batch, column::SOURCE, row).unwrap_or_default(),
                record_id: self.shown_id(&text_at(batch, column::RECORD_ID, row).unwrap_or_default()),
                values: SHOWN
                    .iter()
                    .filter_map(|name| text_at(batch, name, row).map(|value| ((*name).to_owned(), self.shown(&value).into())))
                    .collect(),
            })
            .collect()
    }

    fn shown(&self, value: &str) -> String {
        if self.show_pii { value.to_owned() } else { mask(value) }
    }

    fn shown_id(&self, id: &str) -> String {
        if self.show_pii { id.to_owned() } else { mask_id(id) }
    }

    /// Fields of which the rows hold several values.
    fn conflicts(&self, batch: &RecordBatch) -> Vec<Conflict> {
        let held = |name: &&str| {
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            for value in (0..batch.num_rows()).filter_map(|row| text_at(batch, name, row)) {
                *counts.entry(value).or_default() += 1;
            }
            let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
            counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            let value = |(value, records): (String, u64)| HeldValue {
                value: self.shown(&value),
                records,
            };
            Conflict {
                field: (*name).to_owned(),
                values: counts.into_iter().map(value).collect(),
            }
        };
        let mut conflicts: Vec<Conflict> = SHOWN.iter().map(held).filter(|field| field.values.len() > 1).collect();
        conflicts.sort_by_key(|field| std::cmp::Reverse(field.values.len()));
        conflicts
    }

    fn links(&self, table: &str, keep: impl Fn(&RecordBatch) -> BooleanArray) -> Result<Vec<ReadLink>> {
        let Some(batch) = self.rows(table, keep)? else {
            return Ok(Vec::new());
        };
        let weights: Option<&Float64Array> = batch.column_by_name(column::MATCH_WEIGHT).map(|values| values.as_primitive());
        let probabilities: Option<&Float64Array> = batch.column_by_name(column::MATCH_PROBABILITY).map(|values| values.as_primitive());
        let record = |source: &str, id: &str, row: usize| NamedRecord {
            source: text_at(&batch, source, row).unwrap_or_default(),
            record_id: text_at(&batch, id, row).unwrap_or_default(),
        };
        let shown = |record: &NamedRecord| format!("{}:{}", record.source, self.shown_id(&record.record_id));
        let link = |row: usize| {
            let left = record(column::LEFT_SOURCE, column::LEFT_RECORD_ID, row);
            let right = record(column::RIGHT_SOURCE, column::RIGHT_RECORD_ID, row);
            let shown = ExplainedLink {
                left: shown(&left),
                right: shown(&right),
                match_weight: weights.map_or(f64::NAN, |values| values.value(row)),
                match_probability: probabilities.map_or(f64::NAN, |values| values.value(row)),
                rule: text_at(&batch, column::RULE, row).unwrap_or_default(),
                reason: text_at(&batch, column::REASON, row),
            };
            ReadLink { left, right, shown }
        };
        let mut links: Vec<ReadLink> = (0..batch.num_rows()).map(link).collect();
        links.sort_by(|a, b| {
            a.shown
                .match_weight
                .total_cmp(&b.shown.match_weight)
                .then_with(|| (&a.left, &a.right).cmp(&(&b.left, &b.right)))
        });
        Ok(links)
    }

    fn events(&self, key: &str) -> Result<Vec<ExplainedEvent>> {
        let Some(batch) = self.rows("key_events", |batch| equal(batch, column::CUSTOMER_KEY, key))? else {
            return Ok(Vec::new());
        };
        let counts: Option<&Int64Array> = batch.column_by_name(column::RECORDS_COUNT).map(|values| values.as_primitive());
        Ok((0..batch.num_rows())
            .map(|row| ExplainedEvent {
                run_id: text_at(&batch, column::RUN_ID, row).unwrap_or_default(),
                event: text_at(&batch, column::EVENT, row).unwrap_or_default(),
                other_key: text_at(&batch, OTHER_KEY, row),
                records_count: counts.map_or(0, |counts| counts.value(row)),
                cause: text_at(&batch, column::CAUSE, row),
            })
            .collect())
    }

    /// The rows of a table that `keep` takes, as one batch; `None` if there is none.
    fn rows(&self, table: &str, keep: impl Fn(&RecordBatch) -> BooleanArray) -> Result<Option<RecordBatch>> {
        let Some(batches) = self.table(table)? else {
            return Ok(None);
        };
        let arrow = |error: arrow::error::ArrowError| Error::internal("rows cannot be filtered").with("table", table).because(error);
        let kept = batches
            .iter()
            .map(|batch| filter_record_batch(batch, &keep(batch)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(arrow)?;
        let Some(schema) = kept.first().map(RecordBatch::schema) else {
            return Ok(None);
        };
        let all = concat_batches(&schema, &kept).map_err(arrow)?;
        Ok((all.num_rows() > 0).then_some(all))
    }

    fn table(&self, name: &str) -> Result<Option<Rc<[RecordBatch]>>> {
        if let Some(known) = self.tables.borrow().get(name) {
            return Ok(known.clone());
        }
        let batches = self.warehouse.read(self.engine, &self.manifest, name, None)?.map(Rc::from);
        self.tables.borrow_mut().insert(name.to_owned(), batches.clone());
        Ok(batches)
    }
}
