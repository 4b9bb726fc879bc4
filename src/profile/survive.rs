//! Survivorship: which record of a customer gives a value, or a group of values that belong together.

use std::cmp::Reverse;

use arrow::array::{Array, ArrayRef, AsArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use arrow::row::{RowConverter, Rows, SortField};
use rayon::prelude::*;

use super::members::Members;
use crate::config::pipeline::Survivorship;
use crate::table::{CleanContacts, column};

/// A customer has no record with a value.
pub(super) const NOBODY: u32 = u32::MAX;

/// What ranks records: trust and recency.
pub(super) struct Ranks {
    /// Rank of each record's source, 0 = most trusted; sources without a rank come last.
    pub trust: Vec<u16>,
    /// `updated_at` of each record in microseconds; a record without one is the oldest.
    pub updated: Vec<i64>,
}

impl Ranks {
    pub fn new(contacts: &CleanContacts, trust: &[String]) -> Self {
        let source = contacts.text(column::SOURCE).expect("contacts have a source");
        let trust = (0..source.len())
            .into_par_iter()
            .map(|record| {
                let position = trust.iter().position(|name| name == source.value(record)).unwrap_or(trust.len());
                u16::try_from(position).unwrap_or(u16::MAX)
            })
            .collect();
        let updated = match times(contacts, column::UPDATED_AT) {
            Some(times) => times.iter().map(|time| time.unwrap_or(i64::MIN)).collect(),
            None => vec![i64::MIN; contacts.len()],
        };
        Self { trust, updated }
    }
}

/// A timestamp column of the contacts, in microseconds.
pub(super) fn times(contacts: &CleanContacts, name: &str) -> Option<TimestampMicrosecondArray> {
    let values = contacts.display.column_by_name(name)?;
    matches!(values.data_type(), DataType::Timestamp(TimeUnit::Microsecond, _))
        .then(|| values.as_primitive::<TimestampMicrosecondType>().clone())
}

/// Columns that are chosen from one record, and the records that may give them.
pub(super) struct Group<'a> {
    /// The columns.
    pub columns: Vec<&'a ArrayRef>,
    /// A record that has all of `needs_all` and any of `needs_any` comes before every other.
    pub needs_all: Vec<&'a ArrayRef>,
    /// See `needs_all`; empty means no condition.
    pub needs_any: Vec<&'a ArrayRef>,
}

impl Group<'_> {
    /// Whether a record can give this group at all.
    fn has_any(&self, record: usize) -> bool {
        self.columns.iter().any(|values| values.is_valid(record))
    }

    /// Whether a record gives what the group is about.
    fn is_whole(&self, record: usize) -> bool {
        self.needs_all.iter().all(|values| values.is_valid(record))
            && (self.needs_any.is_empty() || self.needs_any.iter().any(|values| values.is_valid(record)))
    }
}

/// For each customer the record that gives the group; [`NOBODY`] if no record has a value of it.
pub(super) fn winners(members: &Members, ranks: &Ranks, group: &Group<'_>, rule: Survivorship) -> Vec<u32> {
    if group.columns.iter().all(|values| values.null_count() == values.len()) {
        return vec![NOBODY; members.len()];
    }
    let values = (rule == Survivorship::MostFrequent).then(|| comparable(&group.columns));
    let winner = |customer: usize| match *members.of(customer) {
        [only] => group.has_any(only as usize).then_some(only),
        ref records => best(records, ranks, group, rule, values.as_ref()),
    };
    (0..members.len())
        .into_par_iter()
        .map(|customer| winner(customer).unwrap_or(NOBODY))
        .collect()
}

/// Of the records that have a value, those that are whole come first, then the rule decides.
fn best(records: &[u32], ranks: &Ranks, group: &Group<'_>, rule: Survivorship, values: Option<&Rows>) -> Option<u32> {
    let trust = |record: u32| ranks.trust[record as usize];
    let updated = |record: u32| Reverse(ranks.updated[record as usize]);
    let is_partial = |record: u32| !group.is_whole(record as usize);
    let records = records.iter().copied().filter(|&record| group.has_any(record as usize));
    match rule {
        Survivorship::MostTrusted => records.min_by_key(|&record| (is_partial(record), trust(record), updated(record), record)),
        Survivorship::MostComplete => {
            records.min_by_key(|&record| (is_partial(record), Reverse(length(group, record as usize)), trust(record), record))
        }
        Survivorship::MostFrequent => {
            let values = values.expect("values are made comparable for this rule");
            let mut by_value: Vec<u32> = records.collect();
            if by_value.iter().any(|&record| !is_partial(record)) {
                by_value.retain(|&record| !is_partial(record));
            }
            by_value.sort_unstable_by_key(|&record| (values.row(record as usize), trust(record), record));
            by_value
                .chunk_by(|&left, &right| values.row(left as usize) == values.row(right as usize))
                .min_by_key(|equal| (Reverse(equal.len()), trust(equal[0]), equal[0]))
                .map(|equal| equal[0])
        }
        // "Any" and "all" are said of consent, which `consent` decides; of another value they say nothing, and the most recent counts.
        Survivorship::MostRecent | Survivorship::AnyTrue | Survivorship::AllTrue => {
            records.min_by_key(|&record| (is_partial(record), updated(record), trust(record), record))
        }
    }
}

/// Characters of the texts of a group; any other value counts 1.
fn length(group: &Group<'_>, record: usize) -> usize {
    group
        .columns
        .iter()
        .filter(|values| values.is_valid(record))
        .map(|values| values.as_string_opt::<i32>().map_or(1, |texts| texts.value(record).chars().count()))
        .sum()
}

fn comparable(columns: &[&ArrayRef]) -> Rows {
    let fields = columns.iter().map(|values| SortField::new(values.data_type().clone())).collect();
    let values: Vec<ArrayRef> = columns.iter().map(|&values| ArrayRef::clone(values)).collect();
    RowConverter::new(fields)
        .and_then(|converter| converter.convert_columns(&values))
        .expect("every type of a canonical column has a row format")
}
