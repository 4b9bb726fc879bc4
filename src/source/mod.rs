//! Stage `source`: lists objects, decodes them, and maps their raw columns to canonical records with one SQL file each.

use arrow::array::RecordBatch;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::Spec;
use crate::engine::Engine;
use crate::error::{Diagnostic, Result};
use crate::table::{Contacts, RecordKind, Rejects};

/// One object that a source matched, as the ledger of inputs keeps it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct InputObject {
    /// Source.
    pub source: String,
    /// Path relative to the part of the source's URL before the first glob character, so that a moved project keeps its ledger.
    pub path: String,
    /// Bytes as stored.
    pub size: u64,
    /// Entity tag of the store, if it has one.
    pub etag: Option<String>,
    /// SHA-256 (hex) of the bytes as stored; `None` until it was read.
    pub sha256: Option<String>,
}

/// How an object stands against the last version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InputStatus {
    /// Not in the last version.
    New,
    /// In the last version with another size or entity tag.
    Changed,
    /// As in the last version.
    Unchanged,
    /// In the last version, no longer there.
    Missing,
}

/// A difference between the columns of a file and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    /// Source.
    pub source: String,
    /// Object.
    pub path: String,
    /// Columns that were not there in the last version.
    pub added: Vec<String>,
    /// Columns that the mapping reads or the last version had, and that the object lacks.
    pub missing: Vec<String>,
}

/// Counts of one source and record. `rows_read = rows_kept + rows_rejected` holds for raw rows and for mapped rows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SourceCounts {
    /// Source.
    pub source: String,
    /// Canonical record, or `raw` for the rows of the files.
    pub record: String,
    /// Rows read: from files (`raw`), or given by the mapping.
    pub rows_read: u64,
    /// Rows kept.
    pub rows_kept: u64,
    /// Rows that went to `rejects`.
    pub rows_rejected: u64,
    /// Values that became null and are listed in `rejects`.
    pub values_rejected: u64,
}

/// Everything the sources gave.
#[derive(Debug)]
pub struct Ingested {
    /// Contacts, sorted by (source, `record_id`), each once.
    pub contacts: Contacts,
    /// The other records: batches in canonical schema, sorted by (source, key), each once; all four kinds are there, maybe empty.
    pub facts: Vec<(RecordKind, Vec<RecordBatch>)>,
    /// What was not taken.
    pub rejects: Rejects,
    /// The objects read, with their hashes.
    pub inputs: Vec<InputObject>,
    /// Columns of each source's files (union), for the drift contract of the next run: (source, columns).
    pub columns: Vec<(String, Vec<String>)>,
    /// Differences found.
    pub drift: Vec<Drift>,
    /// Counts by source and record.
    pub counts: Vec<SourceCounts>,
}

/// What the last version knew of the inputs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// Objects read.
    pub inputs: Vec<InputObject>,
    /// Columns of each source.
    pub columns: Vec<(String, Vec<String>)>,
}

/// Lists every object of every source, with its status against the ledger; sorted by (source, path).
///
/// # Errors
/// `Input` if a source with `on_missing: error` matches nothing; `Environment` if a store cannot be listed.
pub fn list(_engine: &Engine, _spec: &Spec, _ledger: &Ledger) -> Result<Vec<(InputObject, InputStatus)>> {
    todo!()
}

/// Reads and maps the listed objects.
///
/// # Errors
/// `Input` for an unreadable object or a broken contract, `Config` for a mapping that fails, `Environment` for the store.
pub fn read(_engine: &Engine, _spec: &Spec, _inputs: &[InputObject], _ledger: &Ledger) -> Result<Ingested> {
    todo!()
}

/// Every mistake in the mapping queries that can be found without reading data: syntax, anything but one SELECT, unknown canonical columns
/// (with "did you mean"), missing required ones, wrong types.
#[must_use]
pub fn check(_engine: &Engine, _spec: &Spec) -> Vec<Diagnostic> {
    todo!()
}
