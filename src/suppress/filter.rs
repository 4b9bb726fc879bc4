//! Leaves out the rows of listed people, before a stage that keeps or publishes anything has seen them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Listed, mentions};
use crate::error::{Error, Result};
use crate::table::decisions::NamedRecord;
use crate::table::{Contacts, Decided, RecordKind, Rejects, column};

/// Rows left out, by canonical record; `rejects` counts contents that were blanked.
pub type Counts = BTreeMap<String, u64>;

/// Rows looked at by one thread at a time.
const ROWS_AT_ONCE: usize = 16 * 1024;

/// Leaves out listed people: contacts whose record, e-mail, phone or any identifier is on the list, and what belongs to them.
///
/// An order, event or interaction goes if it names a listed contact, or holds a listed address or number and names no contact that stays;
/// if it names one that stays, the row stays and the listed values in it become null. Lines go with their order. Contacts must be sorted by
/// (source, record id); every order is kept. O(rows), and nothing at all for an empty list.
///
/// # Errors
/// `Internal` if columns of a record do not fit together.
pub fn suppress(listed: &Listed, contacts: &mut Contacts, facts: &mut [(RecordKind, Vec<RecordBatch>)]) -> Result<Counts> {
    let mut counts = Counts::new();
    if listed.is_empty() {
        return Ok(counts);
    }
    let kept = contacts_kept(listed, contacts.batch());
    let gone = kept.len() - kept.true_count();
    if gone > 0 {
        *contacts = Contacts::new(filter_record_batch(contacts.batch(), &kept).map_err(internal)?);
        counts.insert(RecordKind::Contacts.name().to_owned(), gone as u64);
    }
    let known = Known::new(contacts.batch());
    let mut orders = OrderIds::default();
    for (kind, batches) in facts.iter_mut().filter(|(kind, _)| kind.is_about_people()) {
        let screened: Vec<Screened> = batches
            .par_iter()
            .map(|batch| match kind {
                RecordKind::OrderLines => Screened::keeping(orders.others(batch)),
                _ => screen(listed, batch, &|row| known.belongs(batch, row)),
            })
            .collect();
        let mut gone = 0;
        for (batch, screened) in batches.iter_mut().zip(screened) {
            gone += screened.gone();
            if *kind == RecordKind::Orders {
                orders.add(batch, |row| !screened.kept.value(row));
            }
            *batch = screened.apply(batch)?;
        }
        batches.retain(|batch| batch.num_rows() > 0);
        if gone > 0 {
            counts.insert(kind.name().to_owned(), gone);
        }
    }
    Ok(counts)
}

/// Blanks the content of rejects that name a listed person; place and reason stay, so that counts still add up. Gives how many.
pub fn rejects(listed: &Listed, rejects: &mut Rejects) -> u64 {
    if listed.is_empty() {
        return 0;
    }
    let blank = |reject: &mut crate::table::Reject| {
        let content = reject.content.as_deref();
        let is_named = content.is_some_and(|content| mentions(listed, &reject.source, reject.record.as_deref(), content));
        if is_named {
            reject.content = None;
        }
        u64::from(is_named)
    };
    rejects.rows.par_iter_mut().map(blank).sum()
}

/// Leaves out decisions about listed records. Gives how many.
pub fn decisions(listed: &Listed, decided: &mut Decided) -> u64 {
    let count = |decided: &Decided| decided.pairs.len() + decided.pins.len();
    let before = count(decided);
    let is_listed = |record: &NamedRecord| listed.record(&record.source, &record.record_id);
    decided
        .pairs
        .retain(|decision| !is_listed(&decision.left) && !is_listed(&decision.right));
    decided.pins.retain(|pin| !is_listed(&pin.record));
    (before - count(decided)) as u64
}

fn contacts_kept(listed: &Listed, batch: &RecordBatch) -> BooleanArray {
    let rows = Rows::new(listed, batch);
    let (source, record_id) = (text(batch, column::SOURCE), text(batch, column::RECORD_ID));
    let (source, record_id) = (
        source.expect("contacts have a source"),
        record_id.expect("contacts have a record id"),
    );
    let mut kept = vec![true; batch.num_rows()];
    kept.par_chunks_mut(ROWS_AT_ONCE).enumerate().for_each(|(chunk, kept)| {
        for (offset, kept) in kept.iter_mut().enumerate() {
            let row = chunk * ROWS_AT_ONCE + offset;
            *kept = !listed.record(source.value(row), record_id.value(row)) && !rows.is_listed(row);
        }
    });
    kept.into()
}

/// Contacts that stay, found by (source, record id).
struct Known<'a> {
    source: &'a StringArray,
    record_id: &'a StringArray,
}

impl<'a> Known<'a> {
    fn new(contacts: &'a RecordBatch) -> Self {
        Self {
            source: text(contacts, column::SOURCE).expect("contacts have a source"),
            record_id: text(contacts, column::RECORD_ID).expect("contacts have a record id"),
        }
    }

    fn belongs(&self, batch: &RecordBatch, row: usize) -> Belongs {
        let Some(wanted) = Contact::new(batch).of(row) else {
            return Belongs::Nobody;
        };
        let (mut low, mut high) = (0, self.source.len());
        while low < high {
            let middle = low.midpoint(high);
            match (self.source.value(middle), self.record_id.value(middle)).cmp(&wanted) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Belongs::Other,
            }
        }
        Belongs::Nobody
    }
}

/// Whose a row is known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belongs {
    /// The listed person's.
    Person,
    /// Somebody else's.
    Other,
    /// Not known.
    Nobody,
}

/// What becomes of the rows of a batch.
pub struct Screened {
    kept: BooleanArray,
    /// Cells that become null: column, row.
    blanked: Vec<(usize, usize)>,
}

/// Screens rows that are not contacts. `belongs` is asked of rows that hold something listed, and says `Person` of rows that go in any case.
#[must_use]
pub fn screen(listed: &Listed, batch: &RecordBatch, belongs: &dyn Fn(usize) -> Belongs) -> Screened {
    let (rows, contact) = (Rows::new(listed, batch), Contact::new(batch));
    let mut kept = vec![true; batch.num_rows()];
    let mut blanked = Vec::new();
    for (row, kept) in kept.iter_mut().enumerate() {
        if contact.of(row).is_some_and(|(source, record_id)| listed.record(source, record_id)) {
            *kept = false;
            continue;
        }
        let found: Vec<usize> = rows.listed(row).collect();
        if found.is_empty() {
            continue;
        }
        match belongs(row) {
            Belongs::Other => blanked.extend(found.into_iter().map(|column| (column, row))),
            Belongs::Person | Belongs::Nobody => *kept = false,
        }
    }
    Screened {
        kept: kept.into(),
        blanked,
    }
}

impl Screened {
    /// Keeps these rows of a batch, and every value.
    #[must_use]
    pub fn keeping(kept: BooleanArray) -> Self {
        Self { kept, blanked: Vec::new() }
    }

    /// Which rows stay.
    #[must_use]
    pub fn kept(&self) -> &BooleanArray {
        &self.kept
    }

    /// Takes further rows out.
    #[must_use]
    pub fn without(self, gone: &dyn Fn(usize) -> bool) -> Self {
        let kept = (0..self.kept.len()).map(|row| Some(self.kept.value(row) && !gone(row))).collect();
        Self { kept, ..self }
    }

    /// How many rows go.
    #[must_use]
    pub fn gone(&self) -> u64 {
        (self.kept.len() - self.kept.true_count()) as u64
    }

    /// How many rows stay and lose a value.
    #[must_use]
    pub fn changed(&self) -> u64 {
        let mut rows: Vec<usize> = self
            .blanked
            .iter()
            .map(|&(_, row)| row)
            .filter(|&row| self.kept.value(row))
            .collect();
        rows.sort_unstable();
        rows.dedup();
        rows.len() as u64
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.gone() == 0 && self.blanked.is_empty()
    }

    /// The batch that is left.
    ///
    /// # Errors
    /// `Internal` if its columns do not fit together.
    pub fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let mut columns = batch.columns().to_vec();
        let mut touched: Vec<usize> = self.blanked.iter().map(|&(column, _)| column).collect();
        touched.sort_unstable();
        touched.dedup();
        for at in touched {
            let rows: FxHashSet<usize> = self.blanked.iter().filter(|cell| cell.0 == at).map(|cell| cell.1).collect();
            let texts = columns[at].as_string::<i32>();
            let blanked = texts.iter().enumerate().map(|(row, text)| text.filter(|_| !rows.contains(&row)));
            columns[at] = Arc::new(blanked.collect::<StringArray>()) as ArrayRef;
        }
        let batch = RecordBatch::try_new(batch.schema(), columns).map_err(internal)?;
        if self.gone() == 0 {
            return Ok(batch);
        }
        filter_record_batch(&batch, &self.kept).map_err(internal)
    }
}

/// Orders by source and order id: what lines go with.
#[derive(Debug, Clone, Default)]
pub struct OrderIds(FxHashMap<String, FxHashSet<String>>);

impl OrderIds {
    /// Adds the orders of those rows that `is_wanted` names.
    pub fn add(&mut self, orders: &RecordBatch, is_wanted: impl Fn(usize) -> bool) {
        let (Some(source), Some(order_id)) = (text(orders, column::SOURCE), text(orders, column::ORDER_ID)) else {
            return;
        };
        for row in (0..orders.num_rows()).filter(|&row| is_wanted(row)) {
            let ids = self.0.entry(source.value(row).to_owned()).or_default();
            ids.insert(order_id.value(row).to_owned());
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Which lines are of other orders.
    #[must_use]
    pub fn others(&self, lines: &RecordBatch) -> BooleanArray {
        let columns = text(lines, column::SOURCE).zip(text(lines, column::ORDER_ID));
        let Some((source, order_id)) = columns.filter(|_| !self.is_empty()) else {
            return vec![true; lines.num_rows()].into();
        };
        let is_other = |row: usize| !self.0.get(source.value(row)).is_some_and(|ids| ids.contains(order_id.value(row)));
        (0..lines.num_rows()).map(|row| Some(is_other(row))).collect()
    }
}

/// The columns by which rows name their contact: (`contact_source` or source, `contact_record_id`).
struct Contact<'a> {
    contact_source: Option<&'a StringArray>,
    source: Option<&'a StringArray>,
    record_id: Option<&'a StringArray>,
}

impl<'a> Contact<'a> {
    fn new(batch: &'a RecordBatch) -> Self {
        Self {
            contact_source: text(batch, column::CONTACT_SOURCE),
            source: text(batch, column::SOURCE),
            record_id: text(batch, column::CONTACT_RECORD_ID),
        }
    }

    fn of(&self, row: usize) -> Option<(&'a str, &'a str)> {
        let value = |texts: Option<&'a StringArray>| {
            let texts = texts.filter(|texts| texts.is_valid(row))?;
            Some(texts.value(row).trim()).filter(|value| !value.is_empty())
        };
        let record_id = value(self.record_id)?;
        let source = value(self.contact_source).or_else(|| value(self.source))?;
        Some((source, record_id))
    }
}

/// The columns of a batch that hold what a person is known by.
struct Rows<'a> {
    listed: &'a Listed,
    email: Option<(usize, &'a StringArray)>,
    phone: Option<(usize, &'a StringArray)>,
    country: Option<&'a StringArray>,
    numbers: Vec<(&'a str, usize, &'a StringArray)>,
}

impl<'a> Rows<'a> {
    fn new(listed: &'a Listed, batch: &'a RecordBatch) -> Self {
        let at = |name: &str| Some((batch.schema_ref().index_of(name).ok()?, text(batch, name)?));
        let numbers = listed.columns().iter();
        Self {
            listed,
            email: at(column::EMAIL),
            phone: at(column::PHONE),
            country: text(batch, column::COUNTRY),
            numbers: numbers
                .filter_map(|name| at(name).map(|(position, texts)| (name.as_str(), position, texts)))
                .collect(),
        }
    }

    fn is_listed(&self, row: usize) -> bool {
        self.listed(row).next().is_some()
    }

    /// Positions of the columns whose value in a row is listed.
    fn listed(&self, row: usize) -> impl Iterator<Item = usize> + '_ {
        let value = move |texts: &'a StringArray| texts.is_valid(row).then(|| texts.value(row));
        let email = self
            .email
            .filter(|(_, texts)| value(texts).is_some_and(|text| self.listed.email(text)));
        let country = self.country.and_then(value);
        let phone = self
            .phone
            .filter(|(_, texts)| value(texts).is_some_and(|text| self.listed.phone(text, country)));
        let numbers = self
            .numbers
            .iter()
            .filter(move |(name, _, texts)| value(texts).is_some_and(|text| self.listed.number(name, text)));
        email
            .into_iter()
            .chain(phone)
            .map(|(at, _)| at)
            .chain(numbers.map(|&(_, at, _)| at))
    }
}

fn text<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a StringArray> {
    batch.column_by_name(name).and_then(|values| values.as_string_opt::<i32>())
}

fn internal(error: arrow::error::ArrowError) -> Error {
    Error::internal("columns of a record do not fit together").because(error)
}
