//! Reads one source: headers, plan, rows, mapping. Files are decoded in parallel; one source is in memory at a time.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, new_null_array};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::MemTable;
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::conform::{self, Shape};
use super::list::Place;
use super::mapping::{self, Planned, RawColumns};
use super::raw::{self, BATCH_ROWS, Decoded, FILE_COLUMN, Header, LINE_COLUMN};
use super::{Drift, InputObject, SourceCounts, canonical, contract, delimited, fetch, header, jsonl, parquet};
use crate::config::pipeline::{Contract, Format};
use crate::config::spec::{MappingSpec, SourceSpec, Spec};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::table::{RecordKind, Reject, RejectLevel, Rejects};
use crate::text::email;

/// What one source gave.
#[derive(Default)]
pub(super) struct SourceResult {
    /// Records by kind, sorted by key, each key once.
    pub records: Vec<(RecordKind, Vec<RecordBatch>)>,
    /// What was not taken.
    pub rejects: Rejects,
    /// Objects with their hashes.
    pub inputs: Vec<InputObject>,
    /// Columns for the ledger.
    pub columns: Vec<String>,
    /// Differences of columns.
    pub drift: Vec<Drift>,
    /// Counts.
    pub counts: Vec<SourceCounts>,
}

/// The files of a source before their rows are read.
struct Opened<'a> {
    place: Option<Place>,
    objects: Vec<&'a InputObject>,
    headers: Vec<Header>,
}

/// Reads one source to its records.
pub(super) fn ingest(
    engine: &Engine,
    spec: &Spec,
    source: &SourceSpec,
    inputs: &[InputObject],
    before: Option<&[String]>,
) -> Result<SourceResult> {
    let mut opened = open(engine, spec, source, inputs)?;
    let compared = contract::compare(source, &opened.objects, &opened.headers, before)?;
    let mut result = SourceResult {
        drift: compared.drift,
        ..SourceResult::default()
    };
    let discarded = compared.rejects.len() as u64;
    result.rejects.rows.extend(compared.rejects);
    for (position, is_read) in compared.is_read.iter().enumerate().rev().filter(|(_, is_read)| !**is_read) {
        debug_assert!(!is_read, "only files that are left out come here");
        opened.headers.remove(position);
        let (object, place) = (opened.objects.remove(position), opened.place.as_ref());
        // Left out, but its content decides the result all the same.
        let sha256 = fetch::hash(engine, place.expect("an object was listed in it"), object)?;
        result.inputs.push(InputObject {
            sha256: Some(sha256),
            ..object.clone()
        });
    }

    let fields = raw_fields(&opened.headers);
    let is_blank = opened.headers.iter().all(|header| header.is_empty);
    let plans = plan_all(engine, spec, source, &fields, is_blank, before)?;
    let all_needed: BTreeSet<String> = plans.iter().flat_map(|plan| plan.needed.iter().cloned()).collect();
    let named: BTreeSet<String> = all_needed
        .iter()
        .filter(|name| !matches!(name.as_str(), FILE_COLUMN | LINE_COLUMN))
        .cloned()
        .collect();
    contract::add_unmet(&mut result.drift, &opened.objects, &opened.headers, &named);
    result.columns = ledger_columns(&fields, &named, before);

    let mut full = fields;
    for name in plans.iter().flat_map(|plan| &plan.added) {
        if !full.iter().any(|field| field.name() == name) {
            full.push(Field::new(name, DataType::Utf8, true));
        }
    }
    let wanted: Vec<Field> = full.iter().filter(|field| all_needed.contains(field.name())).cloned().collect();
    let mut decoded = decode_all(engine, source, &opened, &wanted)?;
    result.counts.push(raw_counts(source, &decoded, discarded));
    for (file, object) in decoded.iter().zip(&opened.objects) {
        result.rejects.rows.extend(file.rejects.rows.iter().cloned());
        result.inputs.push(InputObject {
            sha256: Some(file.sha256.clone()),
            ..(*object).clone()
        });
    }
    for (position, (mapping, plan)) in source.mappings.iter().zip(&plans).enumerate() {
        let still_read: BTreeSet<&String> = plans[position..].iter().flat_map(|plan| &plan.needed).collect();
        release(&mut decoded, &still_read);
        let raw = Raw {
            full: &full,
            wanted: wanted.iter().filter(|field| still_read.contains(field.name())).cloned().collect(),
            has_file: still_read.iter().any(|name| *name == FILE_COLUMN),
            decoded: &decoded,
        };
        let mapped = map(engine, source, mapping, plan, &raw)?;
        if position + 1 == plans.len() {
            decoded.clear();
        }
        let (batches, rejects, counts) = sort(engine, source, mapping, plan, mapped)?;
        result.records.push((mapping.record, batches));
        result.rejects.append(rejects);
        result.counts.push(counts);
    }
    Ok(result)
}

/// Headers of all files, in parallel.
fn open<'a>(engine: &Engine, spec: &Spec, source: &SourceSpec, inputs: &'a [InputObject]) -> Result<Opened<'a>> {
    let mut objects: Vec<&InputObject> = inputs.iter().filter(|input| input.source == source.name).collect();
    objects.sort();
    let place = Place::of(engine, source, &spec.folder)?;
    let headers = match &place {
        None if objects.is_empty() => Vec::new(),
        None => {
            return Err(Error::input("the folder of a source is gone")
                .with("source", &*source.name)
                .hint("run again once it is back"));
        }
        Some(place) => engine.compute(|| {
            objects
                .par_iter()
                .map(|object| read_header(engine, source, place, object))
                .collect::<Result<_>>()
        })?,
    };
    Ok(Opened { place, objects, headers })
}

/// Columns of one file: its own, then those of its folders.
pub(super) fn read_header(engine: &Engine, source: &SourceSpec, place: &Place, object: &InputObject) -> Result<Header> {
    let mut found = match source.format {
        Format::Csv => delimited::read_header(engine, source, place, object),
        Format::Jsonl => jsonl::read_header(engine, source, place, object),
        Format::Parquet => parquet::read_header(engine, source, place, object),
    }?;
    if source.format == Format::Csv && source.csv.header_rows > 0 {
        expect_header(source, object, &found)?;
    }
    if !found.is_empty {
        let own = |key: &str| found.fields.iter().any(|(name, _)| name == key);
        found.partitions = header::partitions(&object.path).into_iter().filter(|(key, _)| !own(key)).collect();
    }
    Ok(found)
}

/// A file without a header would lose its first person, whose values would stand as names of columns in reports and in the ledger.
fn expect_header(source: &SourceSpec, object: &InputObject, header: &Header) -> Result<()> {
    if header.fields.iter().all(|(name, _)| email::normalize(name).is_none()) {
        return Ok(());
    }
    Err(
        Error::input("the header of a file looks like a row of data: a column is named by an e-mail address")
            .with("source", &*source.name)
            .with("file", &*object.path)
            .hint("have the export write a header; or, if it never has one, set `csv: header_rows: 0` and map `column_1`, `column_2`, …"),
    )
}

/// Columns of all files, in order of first appearance, with a type that holds the values of each.
pub(super) fn raw_fields(headers: &[Header]) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    for header in headers {
        let own = header.fields.iter().map(|(name, data_type)| (name, data_type.clone()));
        let folders = header.partitions.iter().map(|(name, _)| (name, DataType::Utf8));
        for (name, data_type) in own.chain(folders) {
            if matches!(name.as_str(), FILE_COLUMN | LINE_COLUMN) {
                continue;
            }
            match fields.iter_mut().find(|field| field.name() == name) {
                None => fields.push(Field::new(name, data_type, true)),
                Some(field) => field.set_data_type(parquet::common_type(field.data_type(), &data_type)),
            }
        }
    }
    fields
}

/// Plans every mapping. A column that no file has is null text if the last version had it (`evolve`), or if there is no file to tell.
fn plan_all(
    engine: &Engine,
    spec: &Spec,
    source: &SourceSpec,
    fields: &[Field],
    is_blank: bool,
    before: Option<&[String]>,
) -> Result<Vec<Planned>> {
    let was_there = |name: &str| before.is_some_and(|before| before.iter().any(|column| column == name));
    let may_add = |name: &str| is_blank || (source.contract != Contract::Freeze && was_there(name));
    let mut plans = Vec::new();
    let mut findings = Vec::new();
    for mapping in &source.mappings {
        let raw = RawColumns {
            fields: fields.to_vec(),
            may_add: &may_add,
            types_known: !is_blank || source.format != Format::Parquet,
        };
        match mapping::plan(engine, mapping, &spec.identity.identifiers, raw) {
            Ok(plan) => plans.push(plan),
            Err(diagnostics) => findings.extend(diagnostics),
        }
    }
    if findings.is_empty() {
        Ok(plans)
    } else {
        Err(Error::diagnostics(findings))
    }
}

/// Columns that the next run compares with: those of the files, and those that a mapping reads although they are gone.
fn ledger_columns(fields: &[Field], named: &BTreeSet<String>, before: Option<&[String]>) -> Vec<String> {
    let mut columns: BTreeSet<String> = fields.iter().map(|field| field.name().clone()).collect();
    for column in before.unwrap_or_default() {
        if columns.is_empty() || fields.is_empty() || named.contains(column) {
            columns.insert(column.clone());
        }
    }
    columns.into_iter().collect()
}

fn decode_all(engine: &Engine, source: &SourceSpec, opened: &Opened<'_>, wanted: &[Field]) -> Result<Vec<Decoded>> {
    let Some(place) = &opened.place else {
        return Ok(Vec::new());
    };
    let decode = |(object, header): (&&InputObject, &Header)| match source.format {
        Format::Csv => delimited::read(engine, source, place, object, header, wanted),
        Format::Jsonl => jsonl::read(engine, source, place, object, header, wanted),
        Format::Parquet => parquet::read(engine, source, place, object, header, wanted),
    };
    engine.compute(|| opened.objects.par_iter().zip(&opened.headers).map(decode).collect())
}

fn raw_counts(source: &SourceSpec, decoded: &[Decoded], discarded: u64) -> SourceCounts {
    let rejected: u64 = decoded.iter().map(|file| file.rejects.rows_count()).sum();
    let read: u64 = decoded.iter().map(|file| file.rows_read).sum();
    let kept: u64 = decoded
        .iter()
        .flat_map(|file| &file.batches)
        .map(|batch| batch.num_rows() as u64)
        .sum();
    SourceCounts {
        source: source.name.clone(),
        record: mapping::RAW_TABLE.to_owned(),
        rows_read: read + discarded,
        rows_kept: kept,
        rows_rejected: rejected + discarded,
        values_rejected: decoded.iter().map(|file| file.rejects.values_count()).sum(),
    }
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
fn release(decoded: &mut [Decoded], still_read: &BTreeSet<&String>) {
    for batch in decoded.iter_mut().flat_map(|file| &mut file.batches) {
        let schema = batch.schema();
        let last = schema.fields().len() - 1;
        let is_kept = |position: &usize| *position == last || still_read.contains(schema.field(*position).name());
        let positions: Vec<usize> = (0..=last).filter(is_kept).collect();
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

/// The rows of one mapping, in the shape of their record, unsorted.
struct Mapped {
    batches: Vec<RecordBatch>,
    rejects: Rejects,
    rows_read: u64,
}

/// Runs one mapping and brings its rows into the shape of their record.
fn map(engine: &Engine, source: &SourceSpec, mapping: &MappingSpec, plan: &Planned, raw: &Raw<'_>) -> Result<Mapped> {
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
    let shape = Shape::new(&source.name, mapping.record, &plan.outputs);
    let failed = unparsed.take();
    engine.compute(|| {
        let rows_read = batches.iter().map(|batch| batch.num_rows() as u64).sum();
        let (batches, mut rejects) = conform::conform(&shape, &batches)?;
        rejects.rows.extend(unparsed_values(&shape, plan, failed, raw));
        Ok(Mapped {
            batches,
            rejects,
            rows_read,
        })
    })
}

/// Brings the rows of one mapping into canonical order.
fn sort(
    engine: &Engine,
    source: &SourceSpec,
    mapping: &MappingSpec,
    plan: &Planned,
    mapped: Mapped,
) -> Result<(Vec<RecordBatch>, Rejects, SourceCounts)> {
    let shape = Shape::new(&source.name, mapping.record, &plan.outputs);
    let (sorted, duplicates) = engine.compute(|| canonical::canonical(&shape, mapped.batches))?;
    let mut rejects = mapped.rejects;
    rejects.append(duplicates);
    let counts = SourceCounts {
        source: source.name.clone(),
        record: mapping.record.name().to_owned(),
        rows_read: mapped.rows_read,
        rows_kept: sorted.iter().map(|batch| batch.num_rows() as u64).sum(),
        rows_rejected: rejects.rows_count(),
        values_rejected: rejects.values_count(),
    };
    Ok((sorted, rejects, counts))
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
