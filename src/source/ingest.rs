//! Reads one source: headers, plan, pieces, order. Objects are read side by side, and those that are as they were are not read again.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field};
use rayon::prelude::*;

use super::conform::Shape;
use super::ledger::{Ledger, ObjectHeader};
use super::list::Place;
use super::mapping::{self, Planned, RawColumns};
use super::piece::{Counted, Part, Piece, Ready};
use super::raw::{FILE_COLUMN, Header, LINE_COLUMN};
use super::staged::PieceStore;
use super::{Drift, InputObject, SourceCounts, canonical, contract, delimited, fetch, header, jsonl, parquet};
use crate::config::pipeline::{Contract, Format};
use crate::config::spec::{SourceSpec, Spec};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::table::{RecordKind, Rejects};
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
    /// Columns of each object, for the ledger.
    pub headers: Vec<ObjectHeader>,
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
    (ledger, pieces): (&Ledger, &dyn PieceStore),
) -> Result<SourceResult> {
    let before = ledger.columns.iter().find(|(name, _)| *name == source.name);
    let before = before.map(|(_, columns)| columns.as_slice());
    let mut opened = open(engine, spec, source, inputs, ledger)?;
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
        result.inputs.push(with_hash(object, sha256));
    }

    let fields = raw_fields(&opened.headers);
    let is_blank = opened.headers.iter().all(|header| header.is_empty);
    let plans = plan_all(engine, spec, source, &fields, is_blank, before)?;
    let named: BTreeSet<String> = plans
        .iter()
        .flat_map(|plan| plan.needed.iter().cloned())
        .filter(|name| !matches!(name.as_str(), FILE_COLUMN | LINE_COLUMN))
        .collect();
    contract::add_unmet(&mut result.drift, &opened.objects, &opened.headers, &named);
    result.columns = ledger_columns(&fields, &named, before);

    let mut full = fields;
    for name in plans.iter().flat_map(|plan| &plan.added) {
        if !full.iter().any(|field| field.name() == name) {
            full.push(Field::new(name, DataType::Utf8, true));
        }
    }
    let Opened { place, objects, headers } = opened;
    let read = match &place {
        None => Vec::new(),
        Some(place) => {
            let ready = Ready {
                engine,
                source,
                place,
                plans: &plans,
                full: &full,
            };
            let parts: Vec<Part<'_>> = objects.iter().copied().zip(&headers).collect();
            read_all(&ready, &parts, pieces)?
        }
    };
    let hashes: Vec<String> = read.iter().flat_map(|piece| piece.told.sha256.iter().cloned()).collect();
    for ((object, header), sha256) in objects.iter().zip(&headers).zip(hashes) {
        result.headers.push(ObjectHeader::new(source, object, header, &sha256));
        result.inputs.push(with_hash(object, sha256));
    }
    unite(engine, source, &plans, read, discarded, &mut result)?;
    Ok(result)
}

fn with_hash(object: &InputObject, sha256: String) -> InputObject {
    InputObject {
        sha256: Some(sha256),
        ..object.clone()
    }
}

/// The pieces of a source, in the order of its objects: one an object, or one of all objects if a mapping looks at several rows at once.
fn read_all(ready: &Ready<'_>, parts: &[Part<'_>], pieces: &dyn PieceStore) -> Result<Vec<Piece>> {
    let read = |objects: &[Part<'_>]| {
        let known: Option<Vec<_>> = objects
            .iter()
            .map(|(object, _)| Some((*object, object.sha256.as_deref()?)))
            .collect();
        let known = known.map(|known| ready.id(known.into_iter()));
        if let Some(id) = known
            && let Some(bytes) = pieces.get(&id)?
            && let Some(piece) = ready.decode_piece(&bytes)
        {
            pieces.take_over(&id);
            return Ok(piece);
        }
        let piece = ready.read(objects)?;
        let hashes = piece.told.sha256.iter().map(String::as_str);
        let id = ready.id(objects.iter().map(|(object, _)| *object).zip(hashes));
        pieces.put(&id, &|| ready.encode(&piece))?;
        Ok(piece)
    };
    if ready.plans.iter().all(|plan| plan.is_by_row) {
        ready.engine.compute(|| parts.par_iter().map(|part| read(&[*part])).collect())
    } else {
        Ok(vec![read(parts)?])
    }
}

/// Puts the pieces together: counts, rejects, and the records of each mapping in canonical order.
fn unite(
    engine: &Engine,
    source: &SourceSpec,
    plans: &[Planned],
    mut pieces: Vec<Piece>,
    discarded: u64,
    result: &mut SourceResult,
) -> Result<()> {
    let mut raw = Counted::default();
    for piece in &mut pieces {
        raw.add(std::mem::take(&mut piece.told.raw));
    }
    raw.rows_read += discarded;
    let mut counts = raw.counts(source, mapping::RAW_TABLE);
    counts.rows_rejected += discarded;
    result.counts.push(counts);
    result.rejects.append(raw.rejects);
    for (position, (mapping, plan)) in source.mappings.iter().zip(plans).enumerate() {
        let mut mapped = Counted::default();
        let mut batches = Vec::new();
        for piece in &mut pieces {
            mapped.add(std::mem::take(&mut piece.told.mapped[position]));
            batches.append(&mut piece.records[position]);
        }
        let shape = Shape::new(&source.name, mapping.record, &plan.outputs);
        let (sorted, duplicates) = engine.compute(|| canonical::canonical(&shape, batches))?;
        mapped.rejects.append(duplicates);
        mapped.rows_kept = sorted.iter().map(|batch| batch.num_rows() as u64).sum();
        result.counts.push(mapped.counts(source, mapping.record.name()));
        result.rejects.append(mapped.rejects);
        result.records.push((mapping.record, sorted));
    }
    Ok(())
}

/// Columns of all files, in parallel. Those of an object that is as it was are known.
fn open<'a>(engine: &Engine, spec: &Spec, source: &SourceSpec, inputs: &'a [InputObject], ledger: &Ledger) -> Result<Opened<'a>> {
    let mut objects: Vec<&InputObject> = inputs.iter().filter(|input| input.source == source.name).collect();
    objects.sort();
    let place = Place::of(engine, source, &spec.folder)?;
    let header = |object: &InputObject, place: &Place| match ledger.header(source, object) {
        Some(known) => Ok(known),
        None => read_header(engine, source, place, object),
    };
    let headers = match &place {
        None if objects.is_empty() => Vec::new(),
        None => {
            return Err(Error::input("the folder of a source is gone")
                .with("source", &*source.name)
                .hint("run again once it is back"));
        }
        Some(place) => engine.compute(|| objects.par_iter().map(|object| header(object, place)).collect::<Result<_>>())?,
    };
    Ok(Opened { place, objects, headers })
}

/// Columns of one file: its own, then those of its folders.
pub(super) fn read_header(engine: &Engine, source: &SourceSpec, place: &Place, object: &InputObject) -> Result<Header> {
    let found = match source.format {
        Format::Csv => delimited::read_header(engine, source, place, object),
        Format::Jsonl => jsonl::read_header(engine, source, place, object),
        Format::Parquet => parquet::read_header(engine, source, place, object),
    }?;
    if source.format == Format::Csv && source.csv.header_rows > 0 {
        expect_header(source, object, &found)?;
    }
    Ok(header::with_folders(found, &object.path))
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
