//! Reads the decisions of people: CSV files that say which two records are one customer, which never are, and which key a customer has.
//!
//! A decision that cannot be understood stops the run: to go on without it could merge what somebody took care to keep apart. A row with an
//! empty decision decides nothing, whatever else it holds: `review` writes such rows for people to fill in.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field};

use super::list::Place;
use super::raw::{Decoded, Header, lines};
use super::{InputObject, again, delimited, fetch};
use crate::config::spec::{SourceSpec, Spec};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::table::column::{LEFT_RECORD_ID, LEFT_SOURCE, REASON, RIGHT_RECORD_ID, RIGHT_SOURCE};
use crate::table::decisions::{NamedRecord, PIN};
use crate::table::{CustomerKey, Decided, Decision, DecisionKind, Pin, column};
use crate::text::spreadsheet::unguard;

use super::contradictions;

/// Columns that a file must have, those of a pair, and those it may have. Pins need the key and not the pair.
const COLUMNS: [&str; 9] = [
    column::DECISION,
    LEFT_SOURCE,
    LEFT_RECORD_ID,
    RIGHT_SOURCE,
    RIGHT_RECORD_ID,
    column::DECIDED_BY,
    column::DECIDED_AT,
    REASON,
    column::CUSTOMER_KEY,
];
const OF_RECORD: usize = 3;
const OF_PAIR: usize = 5;
const KEY: usize = 8;

/// Reads all files of decisions that were listed: the decisions, sorted, and the files with their hashes.
pub(super) fn read(engine: &Engine, spec: &Spec, inputs: &[InputObject]) -> Result<(Decided, Vec<InputObject>)> {
    match &spec.decisions {
        Some(source) => again::twice(engine, spec, source, inputs, |inputs| read_listed(engine, spec, source, inputs)),
        None => Ok((Decided::default(), Vec::new())),
    }
}

fn read_listed(engine: &Engine, spec: &Spec, source: &SourceSpec, inputs: &[InputObject]) -> Result<(Decided, Vec<InputObject>)> {
    let (mut decisions, mut read) = (Decided::default(), Vec::new());
    let objects: Vec<&InputObject> = inputs.iter().filter(|input| input.source == source.name).collect();
    let Some(place) = Place::of(engine, source, &spec.folder)?.filter(|_| !objects.is_empty()) else {
        return Ok((decisions, read));
    };
    for object in objects {
        let (of_file, sha256) = read_file(engine, source, &place, object)?;
        decisions.pairs.extend(of_file.pairs);
        decisions.pins.extend(of_file.pins);
        read.push(InputObject {
            sha256: Some(sha256),
            ..object.clone()
        });
    }
    decisions.pairs.sort();
    decisions.pins.sort();
    contradictions::check(&decisions)?;
    Ok((decisions, read))
}

fn read_file(engine: &Engine, source: &SourceSpec, place: &Place, object: &InputObject) -> Result<(Decided, String)> {
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
    let (table, sha256) = fetch::through(engine, place, object, |stored| {
        delimited::rows_from(stored, &source, object, &header, &wanted)
    })?;
    let decoded = table.finish(sha256);
    if let Some(reject) = decoded.rejects.rows.first() {
        return Err(at(object, reject.line.unwrap_or(0), "a row is not CSV").with("reason", &*reject.reason));
    }
    let decisions = rows(&decoded, object)?;
    Ok((decisions, decoded.sha256))
}

fn check_header(header: &Header, object: &InputObject) -> Result<()> {
    let lacks = |name: &&&str| !header.fields.iter().any(|(field, _)| field == **name);
    let required = if lacks(&&COLUMNS[KEY]) { OF_PAIR } else { OF_RECORD };
    match COLUMNS[..required].iter().find(lacks) {
        Some(name) if !header.is_empty => Err(Error::input(format!("a file of decisions lacks the column `{name}`"))
            .with("file", &*object.path)
            .hint(format!(
                "its columns are {}; the last four may be missing, and those of the right record in a file of pins",
                COLUMNS.join(",")
            ))),
        _ => Ok(()),
    }
}

fn at(object: &InputObject, line: u64, message: &str) -> Error {
    Error::input(format!("{message} in a file of decisions")).with("line", format!("{}:{line}", object.path))
}

fn rows(decoded: &Decoded, object: &InputObject) -> Result<Decided> {
    let mut decided = Decided::default();
    for batch in &decoded.batches {
        let lines = lines(batch);
        for row in 0..batch.num_rows() {
            let cells = std::array::from_fn(|at| {
                let values = batch.column(at).as_string_opt::<i32>()?;
                let text = values.is_valid(row).then(|| values.value(row).trim())?;
                (!text.is_empty()).then_some(text)
            });
            let line = Line {
                cells,
                object,
                number: u64::try_from(lines.value(row)).unwrap_or(0),
            };
            // No word, no decision: a pair that a review lists and nobody has decided yet, or separators alone, as spreadsheets leave them.
            if line.cells[0].is_none() {
                continue;
            }
            if line.is_pin() {
                decided.pins.push(line.pin()?);
            } else {
                decided.pairs.push(line.decision()?);
            }
        }
    }
    Ok(decided)
}

/// One line that is not empty.
struct Line<'a> {
    /// In the order of [`COLUMNS`].
    cells: [Option<&'a str>; 9],
    object: &'a InputObject,
    number: u64,
}

impl Line<'_> {
    fn error(&self, message: &str) -> Error {
        at(self.object, self.number, message)
    }

    /// The text of a cell, or an error that names its column.
    fn required(&self, at: usize) -> Result<&str> {
        self.cells[at].ok_or_else(|| self.error("a value is missing").with("column", COLUMNS[at]))
    }

    fn optional(&self, at: usize) -> Option<String> {
        self.cells[at].map(str::to_owned)
    }

    fn record(&self, at: usize) -> Result<NamedRecord> {
        Ok(NamedRecord {
            source: unguard(self.required(at)?).to_owned(),
            record_id: unguard(self.required(at + 1)?).to_owned(),
        })
    }

    fn is_pin(&self) -> bool {
        self.cells[0].is_some_and(|word| word.eq_ignore_ascii_case(PIN))
    }

    fn decision(&self) -> Result<Decision> {
        let kind = DecisionKind::from_name(self.required(0)?).ok_or_else(|| {
            self.error("a decision is not understood")
                .hint("write `must_link`, `cannot_link` or `pin`")
        })?;
        let (left, right) = (self.record(1)?, self.record(3)?);
        if self.cells[KEY].is_some() {
            return Err(self
                .error("a decision about a pair has a key")
                .with("column", COLUMNS[KEY])
                .hint("only a `pin` has one: write it on a line of its own"));
        }
        if left == right {
            return Err(self
                .error("both records are the same")
                .hint("name two records, as they stand in identities"));
        }
        let (left, right) = if left < right { (left, right) } else { (right, left) };
        Ok(Decision {
            kind,
            left,
            right,
            decided_by: self.optional(5),
            decided_at: self.optional(6),
            reason: self.optional(7),
            file: self.object.path.clone(),
            line: self.number,
        })
    }

    fn pin(&self) -> Result<Pin> {
        if let Some(right) = [3, 4].into_iter().find(|&at| self.cells[at].is_some()) {
            return Err(self
                .error("a pin has a second record")
                .with("column", COLUMNS[right])
                .hint("a `pin` names one record, on the left, and a customer_key"));
        }
        let key: CustomerKey = self.required(KEY)?.parse().map_err(|_| {
            self.error("the text is not a customer key")
                .with("column", COLUMNS[KEY])
                .hint("a customer key has 26 characters of 0-9 a-z without i, l, o and u")
        })?;
        Ok(Pin {
            record: self.record(1)?,
            key,
            decided_by: self.optional(5),
            decided_at: self.optional(6),
            reason: self.optional(7),
            file: self.object.path.clone(),
            line: self.number,
        })
    }
}
