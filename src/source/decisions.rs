//! Reads the decisions of people: CSV files that say which two records are one customer, and which never are.
//!
//! A decision that cannot be understood stops the run: to go on without it could merge what somebody took care to keep apart.

use std::collections::{BTreeMap, VecDeque};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field};

use super::list::Place;
use super::raw::{Decoded, Header, lines};
use super::{InputObject, again, delimited};
use crate::config::spec::{SourceSpec, Spec};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::table::column::{LEFT_RECORD_ID, LEFT_SOURCE, REASON, RIGHT_RECORD_ID, RIGHT_SOURCE};
use crate::table::decisions::NamedRecord;
use crate::table::{Decision, DecisionKind, column};

/// Columns that a file must have, then those it may have.
const COLUMNS: [&str; 8] = [
    column::DECISION,
    LEFT_SOURCE,
    LEFT_RECORD_ID,
    RIGHT_SOURCE,
    RIGHT_RECORD_ID,
    column::DECIDED_BY,
    column::DECIDED_AT,
    REASON,
];
const REQUIRED: usize = 5;

/// Reads all files of decisions that were listed: the decisions, sorted, and the files with their hashes.
pub(super) fn read(engine: &Engine, spec: &Spec, inputs: &[InputObject]) -> Result<(Vec<Decision>, Vec<InputObject>)> {
    match &spec.decisions {
        Some(source) => again::twice(engine, spec, source, inputs, |inputs| read_listed(engine, spec, source, inputs)),
        None => Ok((Vec::new(), Vec::new())),
    }
}

fn read_listed(engine: &Engine, spec: &Spec, source: &SourceSpec, inputs: &[InputObject]) -> Result<(Vec<Decision>, Vec<InputObject>)> {
    let (mut decisions, mut read) = (Vec::new(), Vec::new());
    let objects: Vec<&InputObject> = inputs.iter().filter(|input| input.source == source.name).collect();
    let Some(place) = Place::of(engine, source, &spec.folder)?.filter(|_| !objects.is_empty()) else {
        return Ok((decisions, read));
    };
    for object in objects {
        let (of_file, sha256) = read_file(engine, source, &place, object)?;
        decisions.extend(of_file);
        read.push(InputObject {
            sha256: Some(sha256),
            ..object.clone()
        });
    }
    decisions.sort();
    check(&decisions)?;
    Ok((decisions, read))
}

fn read_file(engine: &Engine, source: &SourceSpec, place: &Place, object: &InputObject) -> Result<(Vec<Decision>, String)> {
    let mut source = source.clone();
    let mut header = delimited::read_header(engine, &source, place, object)?;
    if let [(only, _)] = header.fields.as_slice()
        && only.contains(';')
    {
        // Saved by a spreadsheet that writes `;`.
        source.csv.delimiter = Some(b';');
        header = delimited::read_header(engine, &source, place, object)?;
    }
    check_header(&header, object)?;
    let wanted = COLUMNS.map(|name| Field::new(name, DataType::Utf8, true));
    let decoded = delimited::read(engine, &source, place, object, &header, &wanted)?;
    if let Some(reject) = decoded.rejects.rows.first() {
        return Err(at(object, reject.line.unwrap_or(0), "a row is not CSV").with("reason", &*reject.reason));
    }
    let decisions = rows(&decoded, object)?;
    Ok((decisions, decoded.sha256))
}

fn check_header(header: &Header, object: &InputObject) -> Result<()> {
    let lacks = |name: &&&str| !header.fields.iter().any(|(field, _)| field == **name);
    match COLUMNS[..REQUIRED].iter().find(lacks) {
        Some(name) if !header.is_empty => Err(Error::input(format!("a file of decisions lacks the column `{name}`"))
            .with("file", &*object.path)
            .hint(format!("its columns are {}; the last three may be missing", COLUMNS.join(",")))),
        _ => Ok(()),
    }
}

fn at(object: &InputObject, line: u64, message: &str) -> Error {
    Error::input(format!("{message} in a file of decisions")).with("line", format!("{}:{line}", object.path))
}

fn rows(decoded: &Decoded, object: &InputObject) -> Result<Vec<Decision>> {
    let mut decisions = Vec::new();
    for batch in &decoded.batches {
        let lines = lines(batch);
        for row in 0..batch.num_rows() {
            let line = u64::try_from(lines.value(row)).unwrap_or(0);
            let cells: [Option<&str>; 8] = std::array::from_fn(|at| {
                let values = batch.column(at).as_string_opt::<i32>()?;
                let text = values.is_valid(row).then(|| values.value(row).trim())?;
                (!text.is_empty()).then_some(text)
            });
            // A line of separators alone, as spreadsheets leave them.
            if cells.iter().any(Option::is_some) {
                decisions.push(decision(cells, object, line)?);
            }
        }
    }
    Ok(decisions)
}

fn decision(cells: [Option<&str>; 8], object: &InputObject, line: u64) -> Result<Decision> {
    if let Some(empty) = cells[..REQUIRED].iter().position(Option::is_none) {
        return Err(at(object, line, "a value is missing").with("column", COLUMNS[empty]));
    }
    let text = |at: usize| cells[at].unwrap_or_default().to_owned();
    let kind = DecisionKind::from_name(&text(0))
        .ok_or_else(|| at(object, line, "a decision is not understood").hint("write `must_link` or `cannot_link`"))?;
    let record = |at: usize| NamedRecord {
        source: text(at),
        record_id: text(at + 1),
    };
    let (left, right) = (record(1), record(3));
    if left == right {
        return Err(at(object, line, "both records are the same").hint("name two records, as they stand in identities"));
    }
    let (left, right) = if left < right { (left, right) } else { (right, left) };
    Ok(Decision {
        kind,
        left,
        right,
        decided_by: cells[5].map(str::to_owned),
        decided_at: cells[6].map(str::to_owned),
        reason: cells[7].map(str::to_owned),
        file: object.path.clone(),
        line,
    })
}

/// Refuses decisions that contradict each other: records that a chain of `must_link` joins and a `cannot_link` parts.
fn check(decisions: &[Decision]) -> Result<()> {
    let mut joined: BTreeMap<&NamedRecord, Vec<&Decision>> = BTreeMap::new();
    for decision in decisions.iter().filter(|decision| decision.kind == DecisionKind::MustLink) {
        joined.entry(&decision.left).or_default().push(decision);
        joined.entry(&decision.right).or_default().push(decision);
    }
    // A closure is walked once: each record is given the number of its closure.
    let mut closure: BTreeMap<&NamedRecord, usize> = BTreeMap::new();
    for (number, start) in joined.keys().enumerate() {
        let mut open = vec![*start];
        while let Some(record) = open.pop() {
            if closure.contains_key(record) {
                continue;
            }
            closure.insert(record, number);
            open.extend(joined[record].iter().flat_map(|decision| [&decision.left, &decision.right]));
        }
    }
    for apart in decisions.iter().filter(|decision| decision.kind == DecisionKind::CannotLink) {
        let of = |record: &NamedRecord| closure.get(record);
        if of(&apart.left).is_some() && of(&apart.left) == of(&apart.right) {
            let places: Vec<String> = chain(&joined, &apart.left, &apart.right).iter().map(|by| by.place()).collect();
            return Err(
                Error::input("decisions contradict each other: the same records must and must not be one customer")
                    .with("cannot_link", apart.place())
                    .with("must_link", places.join(", "))
                    .hint("delete one of these lines"),
            );
        }
    }
    Ok(())
}

/// The fewest decisions that lead from one record to another of the same closure.
fn chain<'a>(joined: &BTreeMap<&'a NamedRecord, Vec<&'a Decision>>, from: &'a NamedRecord, to: &'a NamedRecord) -> Vec<&'a Decision> {
    let mut came_by: BTreeMap<&NamedRecord, (&NamedRecord, &Decision)> = BTreeMap::new();
    let mut open = VecDeque::from([from]);
    while let Some(record) = open.pop_front() {
        if record == to {
            break;
        }
        for by in &joined[record] {
            let other = if by.left == *record { &by.right } else { &by.left };
            if other != from && !came_by.contains_key(other) {
                came_by.insert(other, (record, by));
                open.push_back(other);
            }
        }
    }
    let (mut at, mut chain) = (to, Vec::new());
    while let Some(&(before, by)) = came_by.get(at) {
        chain.push(by);
        at = before;
    }
    chain.reverse();
    chain
}
