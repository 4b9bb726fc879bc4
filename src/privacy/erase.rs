//! `privacy erase`: a version without the person, an entry on the suppression list, and a day for the end of the versions before.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, SchemaRef};
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::person::{People, Source};
use super::request::Request;
use super::rows::{Finder, in_order};
use super::state;
use crate::config::Spec;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::overview;
use crate::publish::{Closing, Draft, Lease, Manifest, Warehouse};
use crate::suppress::{Cause, IdentifierKind, Listed, NewEntries, Purge, SUPPRESSIONS, Suppressions, keyed};
use crate::table::{RunId, VersionNumber, column};

/// What `privacy erase` is asked to do.
#[derive(Debug, Clone)]
pub struct EraseOptions {
    /// Name of the call.
    pub run_id: RunId,
    /// Whom to erase.
    pub requests: Vec<Request>,
    /// Why, as the receipt says it.
    pub reason: Option<String>,
    /// Whether to do it; else nothing is written.
    pub confirmed: bool,
    /// Whether versions that hold the person end at once.
    pub purge_now: bool,
}

/// Whether anything was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErasureOutcome {
    /// Nothing was written.
    DryRun,
    /// A version without the people is published.
    Erased,
}

/// What becomes of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct TableCounts {
    /// Rows about the people.
    pub rows: u64,
    /// Rows of others that lose a value of theirs, and rejects that lose their content.
    pub rows_changed: u64,
}

/// What an erasure did or would do. Holds no personal data but pseudonymous keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErasureReport {
    /// Whether anything was done.
    pub outcome: ErasureOutcome,
    /// Customers, by their live keys.
    pub customer_keys: Vec<String>,
    /// What the receipt says; `receipt` names the file once it is written.
    #[serde(flatten)]
    pub receipt: Receipt,
    /// The receipt below the warehouse.
    pub receipt_file: Option<String>,
}

/// The proof of an erasure, without personal data: `receipts/<run id>.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Receipt {
    /// Name of the call.
    pub run_id: RunId,
    /// When, UTC.
    pub at: DateTime<Utc>,
    /// Version of this program.
    pub tool: String,
    /// Why, as it was given.
    pub reason: Option<String>,
    /// Keyed hash of the request: who has the key secret and the request can prove that this receipt answers it.
    pub request_hash: String,
    /// Version that held the people last.
    pub version_before: VersionNumber,
    /// Version without them; absent in a dry run.
    pub version: Option<VersionNumber>,
    /// Customers.
    pub customers: u64,
    /// Their records.
    pub records: u64,
    /// Requested identifiers that no contact has; they are on the list all the same.
    pub not_found: u64,
    /// By table; tables without them are left out.
    pub tables: BTreeMap<String, TableCounts>,
    /// Values of term frequencies that only they held.
    pub term_frequencies: u64,
    /// Identifiers put on the suppression list, by kind.
    pub suppressed: BTreeMap<IdentifierKind, u64>,
    /// Identifiers that other customers have too: not on the list.
    pub shared: u64,
    /// Versions that hold the people and end on `purge_due`.
    pub versions_to_purge: Vec<VersionNumber>,
    /// From then on any run deletes them, UTC.
    pub purge_due: DateTime<Utc>,
    /// Versions that were deleted at once.
    pub versions_purged: Vec<VersionNumber>,
}

/// Erases people, or says what would go.
///
/// Without confirmation nothing is written. With it, one version is published in which no table and no state file holds them; tables without
/// a row of theirs are taken over as they are. Identifiers that only they have, and all their records, are on the suppression list from then
/// on. The version's fingerprint is new, so that the next run builds everything anew.
///
/// # Errors
/// `Input` if nobody is found, a key is unknown or an identifier is several customers'; `Conflict` if a run is at work; `Environment` for the
/// store. Nothing is changed then.
pub fn erase(engine: &Engine, spec: &Spec, options: &EraseOptions) -> Result<ErasureReport> {
    let warehouse = Warehouse::new(engine.location(&spec.warehouse, &spec.folder)?);
    if !options.confirmed {
        let manifest = warehouse.newest(engine)?;
        return Erasure::new(engine, spec, options, &warehouse, &manifest)?.look();
    }
    let lease = Lease::take(engine, &warehouse, &options.run_id)?;
    let erased = under_lease(engine, spec, options, &warehouse);
    lease.release(engine, &warehouse);
    erased
}

fn under_lease(engine: &Engine, spec: &Spec, options: &EraseOptions, warehouse: &Warehouse) -> Result<ErasureReport> {
    // What a crashed run left may hold the person, too.
    warehouse.sweep(engine, &options.run_id)?;
    let manifest = warehouse.newest(engine)?;
    Erasure::new(engine, spec, options, warehouse, &manifest)?.publish()
}

/// One erasure.
struct Erasure<'a> {
    source: Source<'a>,
    options: &'a EraseOptions,
    people: People,
    list: Suppressions,
    versions: Vec<VersionNumber>,
    now: DateTime<Utc>,
}

impl<'a> Erasure<'a> {
    fn new(
        engine: &'a Engine,
        spec: &'a Spec,
        options: &'a EraseOptions,
        warehouse: &'a Warehouse,
        manifest: &'a Manifest,
    ) -> Result<Self> {
        let list = Suppressions::read(warehouse.state(engine, manifest, SUPPRESSIONS)?.as_ref())?;
        list.check(spec.key_secret.expose())?;
        let source = Source {
            engine,
            spec,
            warehouse,
            manifest,
        };
        let people = People::find(&source, &options.requests)?;
        let versions = warehouse.versions(engine)?.iter().map(|manifest| manifest.version).collect();
        Ok(Self {
            source,
            options,
            people,
            list,
            versions,
            now: engine.now(),
        })
    }

    /// Says what would go.
    fn look(mut self) -> Result<ErasureReport> {
        let tables = self.tables(None)?;
        self.expect_somebody(&tables)?;
        let (_, frequencies) = state::without(&self.source, &self.people)?;
        let suppressed = self.add_to_list();
        Ok(self.report(tables, frequencies, suppressed))
    }

    fn publish(mut self) -> Result<ErasureReport> {
        let Source {
            engine,
            warehouse,
            manifest,
            ..
        } = self.source;
        let mut draft = Draft::begin(engine, warehouse, &self.options.run_id, Some(manifest.version))?;
        let tables = self.tables(Some(&mut draft))?;
        self.expect_somebody(&tables)?;
        let (mut files, frequencies) = state::without(&self.source, &self.people)?;
        let suppressed = self.add_to_list();
        let mut report = self.report(tables, frequencies, suppressed);
        self.list.purges.push(Purge {
            run_id: self.options.run_id.clone(),
            versions: report.receipt.versions_to_purge.clone(),
            due: report.receipt.purge_due,
        });
        files.push(self.list.write()?);
        // What is erased must not wait for a page: without one the version is whole, and `stammkunde report` makes it.
        if let Err(error) = overview::add_to_draft(engine, self.source.spec, warehouse, manifest, &mut draft) {
            tracing::warn!(%error, "the version is published without its report");
        }
        let changed = |name: &String| report.receipt.tables.contains_key(name) || name == KEY_EVENTS;
        let carried = manifest.tables.iter().filter(|(name, _)| !changed(name));
        let published = draft.commit(Closing {
            as_of: manifest.as_of,
            fingerprint: self.fingerprint(),
            carried: carried.map(|(name, entry)| (name.clone(), entry.clone())).collect(),
            state: files,
        })?;
        report.outcome = ErasureOutcome::Erased;
        report.receipt.version = Some(published.version);
        report.receipt_file = Some(self.keep(&report.receipt)?);
        // An erasure is done when the copies are without them, too.
        warehouse.repair(engine)?;
        if self.options.purge_now {
            report.receipt.versions_purged = warehouse.purge(engine, &report.receipt.versions_to_purge)?;
            self.keep(&report.receipt)?;
        }
        Ok(report)
    }

    /// Writes the receipt; gives its path below the warehouse.
    fn keep(&self, receipt: &Receipt) -> Result<String> {
        let json = serde_json::to_vec_pretty(receipt).map_err(|error| Error::internal("a receipt does not fit JSON").because(error))?;
        self.source
            .warehouse
            .put_receipt(self.source.engine, &self.options.run_id, json.into())
    }

    /// Looks at every table; with a draft, writes those that change. Gives the counts of those with something of theirs.
    fn tables(&self, mut draft: Option<&mut Draft<'_>>) -> Result<BTreeMap<String, TableCounts>> {
        let listed = Listed::of(&self.people.identifiers, self.source.spec);
        let mut finder = Finder::new(&self.people, listed);
        let mut tables = BTreeMap::new();
        for name in in_order(self.source.manifest.tables.keys()) {
            let batches = self.source.table(name)?;
            let mut counts = TableCounts::default();
            let mut cleaned = Vec::with_capacity(batches.len());
            for batch in &batches {
                let found = finder.look(name, batch)?;
                counts.rows += found.rows.true_count() as u64;
                counts.rows_changed += found.changed;
                cleaned.push(found.cleaned.unwrap_or_else(|| batch.clone()));
            }
            let is_touched = counts != TableCounts::default();
            if is_touched {
                tables.insert(name.to_owned(), counts);
            }
            if let Some(draft) = draft.as_deref_mut()
                && (is_touched || name == KEY_EVENTS)
            {
                let schema = batches.first().expect("a table that is read gives a batch").schema();
                if name == KEY_EVENTS {
                    cleaned.extend(self.tombstones(&schema));
                }
                draft.add(name, &schema, &cleaned)?;
            }
        }
        Ok(tables)
    }

    /// One event `retired` for each key that goes: whoever stored the key learns of its end. The layout is that of the version.
    fn tombstones(&self, schema: &SchemaRef) -> Option<RecordBatch> {
        let keys = &self.people.keys;
        let texts = |text: &str| Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, keys.len()))) as ArrayRef;
        let columns = schema
            .fields()
            .iter()
            .map(|field| match (field.name().as_str(), field.data_type()) {
                (column::RUN_ID, DataType::Utf8) => texts(self.options.run_id.as_str()),
                (column::CUSTOMER_KEY, DataType::Utf8) => Arc::new(StringArray::from_iter_values(keys)),
                (column::EVENT, DataType::Utf8) => texts("retired"),
                (column::CAUSE, DataType::Utf8) => texts("erased"),
                (_, DataType::Utf8) if !field.is_nullable() => texts(""),
                (_, DataType::Int64) if !field.is_nullable() => Arc::new(Int64Array::from(vec![0; keys.len()])),
                (_, data_type) => arrow::array::new_null_array(data_type, keys.len()),
            });
        // A layout that this program does not know may not take the events; the erasure does not depend on them.
        RecordBatch::try_new(Arc::clone(schema), columns.collect())
            .ok()
            .filter(|batch| batch.num_rows() > 0)
    }

    fn expect_somebody(&self, tables: &BTreeMap<String, TableCounts>) -> Result<()> {
        if !self.people.live.is_empty() || tables.values().any(|counts| counts.rows + counts.rows_changed > 0) {
            return Ok(());
        }
        Err(nobody(self.source.manifest.version))
    }

    fn add_to_list(&mut self) -> BTreeMap<IdentifierKind, u64> {
        let identifiers: Vec<_> = self.people.identifiers.iter().cloned().collect();
        self.list.add(
            &identifiers,
            &NewEntries {
                secret: self.source.spec.key_secret.expose(),
                now: self.now,
                cause: Cause::Erased,
                run_id: &self.options.run_id,
            },
        )
    }

    fn report(
        &self,
        tables: BTreeMap<String, TableCounts>,
        term_frequencies: u64,
        suppressed: BTreeMap<IdentifierKind, u64>,
    ) -> ErasureReport {
        let days = if self.options.purge_now {
            0
        } else {
            self.source.spec.purge_after_days
        };
        ErasureReport {
            outcome: ErasureOutcome::DryRun,
            customer_keys: self.people.live.iter().cloned().collect(),
            receipt: Receipt {
                run_id: self.options.run_id.clone(),
                at: self.now,
                tool: env!("CARGO_PKG_VERSION").to_owned(),
                reason: self.options.reason.clone(),
                request_hash: request_hash(self.source.spec.key_secret.expose(), &self.options.requests),
                version_before: self.source.manifest.version,
                version: None,
                customers: self.people.live.len() as u64,
                records: self.people.records_count(),
                not_found: self.people.unknown.len() as u64,
                tables,
                term_frequencies,
                suppressed,
                shared: self.people.shared,
                versions_to_purge: self.versions.clone(),
                purge_due: self.now + TimeDelta::days(i64::from(days)),
                versions_purged: Vec::new(),
            },
            receipt_file: None,
        }
    }

    /// One that no run gives: models were filtered, not built, so the next run has something to do.
    fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for part in ["erased", &self.source.manifest.fingerprint, self.options.run_id.as_str()] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

const KEY_EVENTS: &str = "key_events";

pub(super) fn nobody(version: VersionNumber) -> Error {
    Error::input("nothing is held about this person")
        .with("version", version.to_string())
        .hint("`stammkunde privacy suppress` keeps a person out who is not in yet")
}

/// HMAC-SHA-256 (hex) over the requests in order, each as its own keyed hash or its key.
fn request_hash(secret: &[u8], requests: &[Request]) -> String {
    let mut sorted: Vec<&Request> = requests.iter().collect();
    sorted.sort();
    sorted.dedup();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length (RFC 2104, section 2)");
    mac.update(b"stammkunde/erase/v1");
    for request in sorted {
        let text = match request {
            Request::Key(key) => format!("key {key}"),
            Request::Identifier(identifier) => format!("identifier {}", keyed(secret, identifier)),
        };
        mac.update(&(text.len() as u64).to_le_bytes());
        mac.update(text.as_bytes());
    }
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}
