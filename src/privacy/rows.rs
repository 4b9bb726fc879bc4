//! Which rows of each table are about the people of a request, and what a table is without them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};

use super::person::{People, text};
use crate::error::{Error, Result};
use crate::suppress::{Belongs, Listed, OrderIds, Screened, mentions, screen};
use crate::table::{RecordKind, column};

/// Ends the name of every column that holds a customer key: a row with a key of theirs is about them.
const KEY_SUFFIX: &str = "_key";
/// Pairs of columns that name a record, and make a row one about it.
const RECORDS: [(&str, &str); 3] = [
    (column::SOURCE, column::RECORD_ID),
    (column::LEFT_SOURCE, column::LEFT_RECORD_ID),
    (column::RIGHT_SOURCE, column::RIGHT_RECORD_ID),
];

/// What was found in one batch.
pub(super) struct Found {
    /// Rows about the people.
    pub rows: BooleanArray,
    /// The batch without them, if it differs; rows of others that named them are there without the name.
    pub cleaned: Option<RecordBatch>,
    /// Rows that stay and lose a value.
    pub changed: u64,
}

/// Tables in the order in which they must be looked at: lines after their orders.
pub(super) fn in_order<'a>(names: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    let mut names: Vec<&str> = names.map(String::as_str).collect();
    names.sort_by_key(|name| (RecordKind::from_name(name).map_or(usize::MAX, |kind| kind as usize), *name));
    names
}

/// Looks for people in tables. One for all tables of a version, in the order of [`in_order`].
pub(super) struct Finder<'a> {
    people: &'a People,
    listed: Listed,
    /// Orders that were theirs.
    orders: OrderIds,
}

impl<'a> Finder<'a> {
    pub fn new(people: &'a People, listed: Listed) -> Self {
        Self {
            people,
            listed,
            orders: OrderIds::default(),
        }
    }

    /// Looks at one batch of a table.
    ///
    /// # Errors
    /// `Internal` if columns do not fit together.
    pub fn look(&mut self, table: &str, batch: &RecordBatch) -> Result<Found> {
        if table == "rejects" {
            return self.rejects(batch);
        }
        let screened = self.screen(table, batch);
        if table == RecordKind::Orders.name() {
            self.orders.add(batch, |row| !screened.kept().value(row));
        }
        let rows = screened.kept().iter().map(|kept| kept.map(|kept| !kept)).collect();
        let mut found = Found {
            rows,
            cleaned: if screened.is_clean() { None } else { Some(screened.apply(batch)?) },
            changed: screened.changed(),
        };
        if table == "key_events" {
            self.without_other_key(&mut found, batch)?;
        }
        Ok(found)
    }

    fn screen(&self, table: &str, batch: &RecordBatch) -> Screened {
        let kind = RecordKind::from_name(table);
        let names = batch.schema_ref().fields().iter().map(|field| field.name());
        let is_key = |name: &&String| name.ends_with(KEY_SUFFIX) && *name != column::OTHER_KEY;
        let keys: Vec<&StringArray> = names.filter(is_key).filter_map(|name| text(batch, name)).collect();
        let records: Vec<_> = RECORDS
            .iter()
            .filter_map(|(source, id)| text(batch, source).zip(text(batch, id)))
            .collect();
        let has_key = |row: usize| keys.iter().any(|keys| self.people.has(value(keys, row)));
        let has_record = |row: usize| {
            let mut named = records.iter().filter_map(|(source, id)| value(source, row).zip(value(id, row)));
            named.any(|(source, id)| self.people.has_record(source, id))
        };
        let own = |row: usize| has_key(row) || has_record(row);
        let key = text(batch, column::CUSTOMER_KEY);
        let everything = BooleanArray::from(vec![true; batch.num_rows()]);
        let screened = match kind {
            Some(RecordKind::Orders | RecordKind::Events | RecordKind::Interactions | RecordKind::Subscriptions) => {
                screen(&self.listed, batch, &|row| match key.and_then(|keys| value(keys, row)) {
                    Some(_) if has_key(row) => Belongs::Person,
                    Some(_) => Belongs::Other,
                    None => Belongs::Nobody,
                })
            }
            Some(RecordKind::OrderLines) => Screened::keeping(self.orders.others(batch)),
            None if table == "generic_values" => self.generic(batch),
            // A table that knows no customer may hold an address all the same.
            None if keys.is_empty() && records.is_empty() => screen(&self.listed, batch, &|_| Belongs::Nobody),
            _ => Screened::keeping(everything),
        };
        screened.without(&own)
    }

    /// Values that nobody but them holds any more.
    fn generic(&self, batch: &RecordBatch) -> Screened {
        let (names, values) = (text(batch, column::COLUMN), text(batch, column::VALUE));
        let is_theirs = |row: usize| {
            let named = names
                .and_then(|names| value(names, row))
                .zip(values.and_then(|values| value(values, row)));
            named.is_some_and(|(name, text)| match name {
                column::EMAIL => self.listed.email(text),
                column::PHONE => self.listed.phone(text, None),
                _ => self.listed.number(name, text),
            })
        };
        Screened::keeping((0..batch.num_rows()).map(|row| Some(!is_theirs(row))).collect())
    }

    /// Events of other customers stay, without the key of a person who is gone.
    fn without_other_key(&self, found: &mut Found, batch: &RecordBatch) -> Result<()> {
        let left = found.cleaned.as_ref().unwrap_or(batch);
        let Some(others) = text(left, column::OTHER_KEY) else {
            return Ok(());
        };
        let changed = others.iter().filter(|other| self.people.has(*other)).count() as u64;
        if changed > 0 {
            let kept: StringArray = others
                .iter()
                .map(|other| other.filter(|other| !self.people.has(Some(other))))
                .collect();
            found.cleaned = Some(replace(left, column::OTHER_KEY, Arc::new(kept))?);
            found.changed += changed;
        }
        Ok(())
    }

    /// A rejected row or value that names them loses its content, and so does each single value of a source of theirs that stands without
    /// file and line: nobody can tell whose it was. Place and reason stay.
    fn rejects(&self, batch: &RecordBatch) -> Result<Found> {
        let column = |name: &str| text(batch, name);
        let (source, record, content) = (column(column::SOURCE), column("record"), column(column::CONTENT));
        let (level, file) = (column(column::LEVEL), column(column::FILE));
        let mut rows = vec![false; batch.num_rows()];
        let mut blank = vec![false; batch.num_rows()];
        for row in 0..batch.num_rows() {
            let (Some(source), Some(content)) = (
                source.and_then(|texts| value(texts, row)),
                content.and_then(|texts| value(texts, row)),
            ) else {
                continue;
            };
            let record = record.and_then(|texts| value(texts, row));
            rows[row] = mentions(&self.listed, source, record, content);
            let has_no_place = level.and_then(|texts| value(texts, row)) == Some("value") && file.is_none_or(|file| file.is_null(row));
            blank[row] = rows[row] || (has_no_place && self.people.records.contains_key(source));
        }
        let cleaned = match content {
            Some(content) if blank.contains(&true) => {
                let left = content.iter().zip(&blank).map(|(content, blank)| content.filter(|_| !blank));
                Some(replace(batch, column::CONTENT, Arc::new(left.collect::<StringArray>()))?)
            }
            _ => None,
        };
        let changed = blank.iter().zip(&rows).filter(|(blank, named)| **blank && !**named).count() as u64;
        Ok(Found {
            rows: rows.into(),
            cleaned,
            changed,
        })
    }
}

fn replace(batch: &RecordBatch, name: &str, values: ArrayRef) -> Result<RecordBatch> {
    let mut columns = batch.columns().to_vec();
    if let Ok(at) = batch.schema_ref().index_of(name) {
        columns[at] = values;
    }
    RecordBatch::try_new(batch.schema(), columns).map_err(|error| Error::internal("a published table breaks its own schema").because(error))
}

fn value(texts: &StringArray, row: usize) -> Option<&str> {
    texts.is_valid(row).then(|| texts.value(row))
}

/// The side of a pair that is somebody else becomes null, so that nobody is shown another person's records.
pub(super) fn without_others(people: &People, batch: &RecordBatch) -> Result<RecordBatch> {
    let sides = [
        [column::LEFT_CUSTOMER_KEY, column::LEFT_SOURCE, column::LEFT_RECORD_ID],
        [column::RIGHT_CUSTOMER_KEY, column::RIGHT_SOURCE, column::RIGHT_RECORD_ID],
    ];
    let mut cleaned = batch.clone();
    for [key, source, id] in sides {
        let (Some(sources), Some(ids)) = (text(batch, source), text(batch, id)) else {
            continue;
        };
        let is_theirs = |row: usize| {
            let record = value(sources, row).zip(value(ids, row));
            record.is_some_and(|(source, id)| people.has_record(source, id))
        };
        let own: Vec<bool> = (0..batch.num_rows()).map(is_theirs).collect();
        for name in [key, source, id] {
            if let Some(texts) = batch.column_by_name(name).and_then(|values| values.as_string_opt::<i32>()) {
                let left: StringArray = texts.iter().zip(&own).map(|(text, own)| text.filter(|_| *own)).collect();
                cleaned = replace_nullable(&cleaned, name, Arc::new(left))?;
            }
        }
    }
    Ok(cleaned)
}

fn replace_nullable(batch: &RecordBatch, name: &str, values: ArrayRef) -> Result<RecordBatch> {
    use arrow::datatypes::{Field, Schema};
    let nullable = |field: &Arc<Field>| {
        if field.name() == name {
            Arc::new(field.as_ref().clone().with_nullable(true))
        } else {
            Arc::clone(field)
        }
    };
    let schema = Arc::new(Schema::new(batch.schema_ref().fields().iter().map(nullable).collect::<Vec<_>>()));
    let columns = batch.columns().iter().zip(batch.schema_ref().fields());
    let columns = columns.map(|(own, field)| {
        if field.name() == name {
            Arc::clone(&values)
        } else {
            Arc::clone(own)
        }
    });
    RecordBatch::try_new(schema, columns.collect())
        .map_err(|error| Error::internal("a published table breaks its own schema").because(error))
}
