//! What a part of a source gives on its own: the rows of one object, or of all where a mapping looks at several rows at once.
//!
//! A piece is a pure function of the content of its objects, their paths and the settings of the source. So the next run takes it over if
//! none of these changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, new_null_array};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::MemTable;
use rayon::prelude::*;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use super::conform::{self, Shape};
use super::list::Place;
use super::mapping::{self, Planned};
use super::raw::{self, BATCH_ROWS, Decoded, FILE_COLUMN, Header, LINE_COLUMN};
use super::{InputObject, SourceCounts, delimited, fetch, jsonl, parquet};
use crate::config::pipeline::Format;
use crate::config::spec::{MappingSpec, SourceSpec};
use crate::engine::Engine;
use crate::error::Result;
use crate::table::{Reject, RejectLevel, Rejects};

/// What some objects of a source gave.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// Everything but the records.
    pub told: Told,
    /// By mapping: records in the shape of their kind, unsorted, maybe with keys that come twice.
    pub records: Vec<Vec<RecordBatch>>,
}

/// What is told of a piece beside its records.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Told {
    /// SHA-256 (hex) of each object, in the order of the objects.
    pub sha256: Vec<String>,
    /// Rows of the files.
    pub raw: Counted,
    /// Rows that each mapping gave.
    pub mapped: Vec<Counted>,
}

/// Rows and what was not taken of them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Counted {
    /// Rows read.
    pub rows_read: u64,
    /// Rows kept.
    pub rows_kept: u64,
    /// What was not taken.
    pub rejects: Rejects,
}

impl Counted {
    /// Adds another count.
    pub fn add(&mut self, other: Self) {
        self.rows_read += other.rows_read;
        self.rows_kept += other.rows_kept;
        self.rejects.append(other.rejects);
    }

    /// The counts as a report tells them.
    pub fn counts(&self, source: &SourceSpec, record: &str) -> SourceCounts {
        SourceCounts {
            source: source.name.clone(),
            record: record.to_owned(),
            rows_read: self.rows_read,
            rows_kept: self.rows_kept,
            rows_rejected: self.rejects.rows_count(),
            values_rejected: self.rejects.values_count(),
        }
    }
}

/// A source whose files are open and whose mappings are planned.
pub(super) struct Ready<'a> {
    pub engine: &'a Engine,
    pub source: &'a SourceSpec,
    pub place: &'a Place,
    /// One plan a mapping.
    pub plans: &'a [Planned],
    /// All columns of the raw table.
    pub full: &'a [Field],
}

/// An object with its columns.
pub(super) type Part<'a> = (&'a InputObject, &'a Header);

impl Ready<'_> {
    /// The shape of the records of a mapping.
    pub fn shape(&self, mapping: usize) -> Shape<'_> {
        Shape::new(
            &self.source.name,
            self.source.mappings[mapping].record,
            &self.plans[mapping].outputs,
        )
    }

    /// The columns that a mapping from this one on reads.
    fn wanted(&self, from: usize) -> Vec<Field> {
        let is_read = |field: &&Field| self.plans[from..].iter().any(|plan| plan.needed.contains(field.name()));
        self.full.iter().filter(is_read).cloned().collect()
    }

    /// Reads and maps objects.
    pub fn read(&self, objects: &[Part<'_>]) -> Result<Piece> {
        let mut decoded = self.decode(objects)?;
        let mut piece = Piece {
            told: Told {
                sha256: decoded.iter().map(|file| file.sha256.clone()).collect(),
                raw: raw_counts(&mut decoded),
                mapped: Vec::new(),
            },
            records: Vec::new(),
        };
        for (position, mapping) in self.source.mappings.iter().enumerate() {
            let wanted = self.wanted(position);
            release(&mut decoded, &wanted);
            let reads_file = |plan: &Planned| plan.needed.contains(FILE_COLUMN);
            let raw = Raw {
                full: self.full,
                wanted,
                has_file: self.plans[position..].iter().any(reads_file),
                decoded: &decoded,
            };
            let (records, counted) = self.map(position, mapping, &raw)?;
            piece.records.push(records);
            piece.told.mapped.push(counted);
        }
        Ok(piece)
    }

    fn decode(&self, objects: &[Part<'_>]) -> Result<Vec<Decoded>> {
        let Self { engine, source, place, .. } = *self;
        let wanted = self.wanted(0);
        let decode = |&(object, header): &Part<'_>| {
            let (rows, sha256) = match source.format {
                Format::Csv => fetch::through(engine, place, object, |stored| {
                    delimited::rows_from(stored, source, object, header, &wanted)
                }),
                Format::Jsonl => fetch::through(engine, place, object, |stored| {
                    jsonl::rows_from(stored, source, object, header, &wanted)
                }),
                Format::Parquet => return parquet::read(engine, source, place, object, header, &wanted),
            }?;
            Ok(rows.finish(sha256))
        };
        engine.compute(|| objects.par_iter().map(decode).collect())
    }

    /// Runs one mapping and brings its rows into the shape of their record.
    fn map(&self, position: usize, mapping: &MappingSpec, raw: &Raw<'_>) -> Result<(Vec<RecordBatch>, Counted)> {
        let Self { engine, plans, .. } = *self;
        let (context, unparsed) = engine.session_collecting();
        let schema = Arc::new(Schema::new(mapping::with_provenance(raw.full)));
        let table = MemTable::try_new(schema, partitions(engine.threads(), raw)).expect("the batches were made with this schema");
        context
            .register_table(mapping::RAW_TABLE, Arc::new(table))
            .expect("a fresh session has no table `raw`");
        let frame = engine
            .try_plan(&context, &mapping.sql.text)
            .map_err(|error| mapping::planning_error(mapping, &error, raw.full))?;
        let batches = engine.collect(frame).map_err(|error| error.with("file", &*mapping.sql.path))?;
        let shape = self.shape(position);
        let failed = unparsed.take();
        engine.compute(|| {
            let rows_read = batches.iter().map(|batch| batch.num_rows() as u64).sum();
            let (batches, mut rejects) = conform::conform(&shape, &batches)?;
            rejects.rows.extend(unparsed_values(&shape, &plans[position], failed, raw));
            let counted = Counted {
                rows_read,
                rows_kept: batches.iter().map(|batch| batch.num_rows() as u64).sum(),
                rejects,
            };
            Ok((batches, counted))
        })
    }
}

/// Counts of the files, whose rejects are taken out of them.
fn raw_counts(decoded: &mut [Decoded]) -> Counted {
    let mut counted = Counted::default();
    for file in decoded {
        counted.rows_read += file.rows_read;
        counted.rows_kept += file.batches.iter().map(|batch| batch.num_rows() as u64).sum::<u64>();
        counted.rejects.append(std::mem::take(&mut file.rejects));
    }
    counted
}

/// The raw table as one mapping sees it.
struct Raw<'a> {
    /// All columns.
    full: &'a [Field],
    /// Columns that this mapping or a later one reads; the others are null.
    wanted: Vec<Field>,
    /// Whether the path of the file is read.
    has_file: bool,
    /// The rows.
    decoded: &'a [Decoded],
}

/// Lets go of the columns that no mapping reads any more.
fn release(decoded: &mut [Decoded], still_read: &[Field]) {
    for batch in decoded.iter_mut().flat_map(|file| &mut file.batches) {
        let schema = batch.schema();
        let last = schema.fields().len() - 1;
        let is_read = |name: &str| still_read.iter().any(|field| field.name() == name);
        let positions: Vec<usize> = (0..=last)
            .filter(|&position| position == last || is_read(schema.field(position).name()))
            .collect();
        *batch = batch.project(&positions).expect("positions are those of the batch");
    }
}

/// Spreads the raw table over the threads. Columns that are not wanted are nulls that all batches share.
fn partitions(threads: usize, raw: &Raw<'_>) -> Vec<Vec<RecordBatch>> {
    let Raw {
        full,
        wanted,
        has_file,
        decoded,
    } = raw;
    let schema = Arc::new(Schema::new(mapping::with_provenance(full)));
    let rows_max = decoded
        .iter()
        .flat_map(|file| &file.batches)
        .map(RecordBatch::num_rows)
        .max()
        .unwrap_or(0)
        .max(BATCH_ROWS);
    let nulls: Vec<Option<ArrayRef>> = schema
        .fields()
        .iter()
        .map(|field| (!wanted.iter().any(|column| column.name() == field.name())).then(|| new_null_array(field.data_type(), rows_max)))
        .collect();
    let mut partitions: Vec<Vec<RecordBatch>> = vec![Vec::new(); threads.max(1)];
    let paths: Vec<ArrayRef> = decoded
        .iter()
        .map(|file| raw::constant(&file.path, if *has_file { rows_max } else { 0 }))
        .collect();
    let files = decoded
        .iter()
        .zip(&paths)
        .flat_map(|(file, path)| file.batches.iter().map(move |batch| (path, batch)));
    for (position, (path, batch)) in files.enumerate() {
        let rows = batch.num_rows();
        let column = |(field, nulls): (&Arc<Field>, &Option<ArrayRef>)| match (field.name().as_str(), nulls) {
            (FILE_COLUMN, _) if *has_file => path.slice(0, rows),
            (LINE_COLUMN, _) => batch.column(batch.num_columns() - 1).clone(),
            (_, Some(nulls)) => nulls.slice(0, rows),
            (name, None) => batch.column_by_name(name).expect("wanted columns were decoded").clone(),
        };
        let columns = schema.fields().iter().zip(&nulls).map(column).collect();
        let whole = RecordBatch::try_new(schema.clone(), columns).expect("columns follow the schema");
        let target = position % partitions.len();
        partitions[target].push(whole);
    }
    partitions
}

/// Finds the cells whose text a function could not read. A text that stands in no cell (it was put together in SQL) is listed without place.
fn unparsed_values(shape: &Shape<'_>, plan: &Planned, failed: BTreeSet<(String, String)>, raw: &Raw<'_>) -> Vec<Reject> {
    let mut by_function: std::collections::BTreeMap<String, BTreeSet<String>> = std::collections::BTreeMap::new();
    for (function, text) in failed {
        by_function.entry(function).or_default().insert(text);
    }
    let mut found: BTreeSet<Reject> = BTreeSet::new();
    for (function, texts) in &by_function {
        let arguments = plan.function_columns.get(function);
        let is_read = |field: &&Field| plan.needed.contains(field.name()) && arguments.is_none_or(|columns| columns.contains(field.name()));
        let set: FxHashSet<&str> = texts.iter().map(String::as_str).collect();
        let mut placed: BTreeSet<&str> = BTreeSet::new();
        for field in raw
            .wanted
            .iter()
            .filter(|field| *field.data_type() == DataType::Utf8)
            .filter(is_read)
        {
            for (file, batch) in raw
                .decoded
                .iter()
                .flat_map(|file| file.batches.iter().map(move |batch| (file, batch)))
            {
                let lines = raw::lines(batch);
                let cells = batch
                    .column_by_name(field.name())
                    .expect("wanted columns were decoded")
                    .as_string::<i32>();
                for (row, cell) in cells.iter().enumerate() {
                    let Some(text) = cell.and_then(|cell| set.get(cell).or_else(|| set.get(cell.trim())).copied()) else {
                        continue;
                    };
                    placed.insert(text);
                    let mut reject = shape.reject(RejectLevel::Value, "unparsed_value", Some(field.name()), Some(text.to_owned()));
                    reject.file = Some(file.path.clone());
                    reject.line = u64::try_from(lines.value(row)).ok();
                    found.insert(reject);
                }
            }
        }
        for text in texts.iter().filter(|text| !placed.contains(text.as_str())) {
            found.insert(shape.reject(RejectLevel::Value, "unparsed_value", None, Some(text.clone())));
        }
    }
    found.into_iter().collect()
}
