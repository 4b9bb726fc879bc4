//! Stage `source`: lists objects, decodes them, and maps their raw columns to canonical records with one SQL file each.

mod again;
mod canonical;
mod conform;
mod contract;
mod contradictions;
mod csv;
mod decisions;
mod decode;
mod decompress;
mod delimited;
mod delta;
mod encoding;
mod fetch;
mod header;
mod ingest;
mod jsonl;
mod ledger;
mod list;
mod mapping;
mod measure;
mod modified;
mod parquet;
mod piece;
mod poison;
mod raw;
mod staged;
mod thrift;
mod types;
mod window;

pub use decode::{DecodedFile, decode};
pub use parquet::catches_panics;

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::Spec;
use crate::config::pipeline::Format;
use crate::config::spec::SourceSpec;
use crate::engine::Engine;
use crate::error::{Diagnostic, Result};
use crate::table::record::ColumnType;
use crate::table::{Contacts, Decided, RecordKind, Rejects, column};

pub use ledger::{Ledger, ObjectHeader};
pub use staged::{NoPieces, PieceStore};

/// What stands for the record where rows of files are counted, before a mapping.
pub const RAW_RECORD: &str = mapping::RAW_TABLE;

pub use measure::{SourceMeasure, measure, newest_times, rows_without};
pub use modified::newest_object;

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
    /// SHA-256 (hex) of the bytes as stored; `None` until it was read, or is listed with the entity tag of the last version.
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
    /// Columns of each object, for the ledger.
    pub headers: Vec<ObjectHeader>,
    /// Differences found.
    pub drift: Vec<Drift>,
    /// Counts by source and record.
    pub counts: Vec<SourceCounts>,
    /// What people decided, sorted and free of contradictions.
    pub decisions: Decided,
}

/// Lists every object of every source, with its status against the ledger; sorted by (source, path). Objects that are gone are there too,
/// as `Missing`.
///
/// # Errors
/// `Input` if a source with `on_missing: error` matches nothing; `Environment` if a store cannot be listed.
pub fn list(engine: &Engine, spec: &Spec, ledger: &Ledger) -> Result<Vec<(InputObject, InputStatus)>> {
    list::list(engine, spec, ledger)
}

/// What people have decided so far: the files of decisions as they are now, sorted and free of contradictions.
///
/// # Errors
/// `Input` for a file that cannot be understood or decisions that contradict each other, `Environment` for the store.
pub fn decisions(engine: &Engine, spec: &Spec) -> Result<Decided> {
    let Some(source) = &spec.decisions else {
        return Ok(Decided::default());
    };
    let objects = list::list_source(engine, source, &spec.folder)?;
    Ok(decisions::read(engine, spec, &objects)?.0)
}

/// Reads and maps the listed objects (without the missing ones). What is known of an object that is as it was comes from `pieces`, and the
/// object is not read.
///
/// # Errors
/// `Input` for an unreadable object or a broken contract, `Config` for a mapping that fails, `Environment` for the store.
pub fn read(engine: &Engine, spec: &Spec, inputs: &[InputObject], ledger: &Ledger, pieces: &dyn PieceStore) -> Result<Ingested> {
    read_contacts(engine, spec, inputs, (ledger, pieces), &|_| true)
}

/// As [`read`], with only those columns of contacts that `is_wanted` names, beside source and record id.
///
/// # Errors
/// As [`read`].
pub fn read_contacts(
    engine: &Engine,
    spec: &Spec,
    inputs: &[InputObject],
    known: (&Ledger, &dyn PieceStore),
    is_wanted: &dyn Fn(&str) -> bool,
) -> Result<Ingested> {
    let mut by_kind: Vec<(RecordKind, Vec<Vec<RecordBatch>>)> = RecordKind::ALL.map(|kind| (kind, Vec::new())).into();
    let mut ingested = Ingested {
        contacts: Contacts::new(RecordBatch::new_empty(RecordKind::Contacts.schema().arrow(&[]))),
        facts: Vec::new(),
        rejects: Rejects::default(),
        inputs: Vec::new(),
        columns: Vec::new(),
        headers: Vec::new(),
        drift: Vec::new(),
        counts: Vec::new(),
        decisions: Decided::default(),
    };
    // First of all, because it is short and a mistake in it ends the run.
    (ingested.decisions, ingested.inputs) = decisions::read(engine, spec, inputs)?;
    for source in &spec.sources {
        let result = again::twice(engine, spec, source, inputs, |inputs| {
            ingest::ingest(engine, spec, source, inputs, known)
        })?;
        for (kind, batches) in result.records {
            by_kind[kind as usize].1.push(batches);
        }
        ingested.rejects.append(result.rejects);
        ingested.inputs.extend(result.inputs);
        ingested.columns.push((source.name.clone(), result.columns));
        ingested.headers.extend(result.headers);
        ingested.drift.extend(result.drift);
        ingested.counts.extend(result.counts);
    }
    ingested.rejects.sort();
    ingested.inputs.sort();
    ingested.headers.sort();
    ingested.drift.sort();
    for (kind, of_sources) in by_kind {
        let is_kept = |name: &str| kind != RecordKind::Contacts || [column::SOURCE, column::RECORD_ID].contains(&name) || is_wanted(name);
        let (schema, batches) = unite(kind, of_sources, &is_kept)?;
        if kind == RecordKind::Contacts {
            ingested.contacts = Contacts::new(canonical::one_batch(batches, &schema)?);
        } else {
            ingested.facts.push((kind, batches));
        }
    }
    Ok(ingested)
}

/// Batches of all sources in one schema: the declared columns, then every column that any source adds, by name; of these the kept ones.
fn unite(kind: RecordKind, of_sources: Vec<Vec<RecordBatch>>, is_kept: &dyn Fn(&str) -> bool) -> Result<(SchemaRef, Vec<RecordBatch>)> {
    let declared = kind.schema();
    let mut extra = BTreeMap::new();
    for field in of_sources
        .iter()
        .flatten()
        .flat_map(|batch| batch.schema().fields().iter().skip(1).cloned().collect::<Vec<_>>())
    {
        if declared.column(field.name()).is_none() {
            extra.insert(field.name().clone(), declared.type_of(field.name()).unwrap_or(ColumnType::Text));
        }
    }
    let schema = declared.arrow(&extra.into_iter().collect::<Vec<_>>());
    let kept: Vec<_> = schema.fields().iter().filter(|field| is_kept(field.name())).cloned().collect();
    let schema: SchemaRef = Schema::new(kept).into();
    let mut batches = Vec::new();
    for of_source in of_sources {
        batches.extend(
            canonical::widen(&of_source, &schema)?
                .into_iter()
                .filter(|batch| batch.num_rows() > 0),
        );
    }
    Ok((schema, batches))
}

/// Every mistake in the mapping queries that can be found without reading rows: syntax, anything but one SELECT, unknown canonical columns
/// (with "did you mean"), missing required ones, wrong types.
///
/// Where files are there, their headers are read and raw columns are checked too; else each name that a query uses counts as a text column.
#[must_use]
pub fn check(engine: &Engine, spec: &Spec) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = spec.sources.iter().flat_map(|source| check_source(engine, spec, source)).collect();
    found.sort();
    found.dedup();
    found
}

fn check_source(engine: &Engine, spec: &Spec, source: &SourceSpec) -> Vec<Diagnostic> {
    let headers = reachable_headers(engine, spec, source);
    let is_known = headers.iter().any(|header| !header.is_empty);
    let fields = ingest::raw_fields(&headers);
    let may_add = |_: &str| !is_known;
    let mut found = Vec::new();
    for mapping in &source.mappings {
        let raw = mapping::RawColumns {
            fields: fields.clone(),
            may_add: &may_add,
            types_known: is_known || source.format != Format::Parquet,
        };
        if let Err(diagnostics) = mapping::plan(engine, mapping, &spec.identity.identifiers, raw) {
            found.extend(diagnostics);
        }
    }
    found
}

/// Headers of the files that can be read now. A file that cannot is a matter of the run, not of the project's text.
fn reachable_headers(engine: &Engine, spec: &Spec, source: &SourceSpec) -> Vec<raw::Header> {
    let Ok(Some(place)) = list::Place::of(engine, source, &spec.folder) else {
        return Vec::new();
    };
    let objects = list::list_source(engine, source, &spec.folder).unwrap_or_default();
    objects
        .iter()
        .filter_map(|object| ingest::read_header(engine, source, &place, object).ok())
        .collect()
}
