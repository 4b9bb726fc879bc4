//! Which customer a record of another kind belongs to: by the contact's record id, else by an identifier, else by e-mail.

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use rustc_hash::FxHashMap;

use super::ProfileSpec;
use crate::table::keys::Keys;
use crate::table::{CleanContacts, column};

/// No customer, as a position among the keys: sorts after every customer.
pub(super) const NO_CUSTOMER: u32 = u32::MAX;

/// Indexes over the contacts. Built once, read by every thread.
pub(super) struct Lookup<'a> {
    /// For each (source, record id) its customer.
    by_record: FxHashMap<&'a str, FxHashMap<&'a str, u32>>,
    /// For each identifier column, in order of preference, then e-mail: value to its only customer.
    by_value: Vec<(&'a str, FxHashMap<&'a str, Owner>)>,
}

/// Who has a value.
struct Owner {
    customer: u32,
    records: u32,
}

impl<'a> Lookup<'a> {
    pub fn new(spec: &'a ProfileSpec<'_>, contacts: &'a CleanContacts, keys: &Keys) -> Self {
        let source = contacts.text(column::SOURCE).expect("contacts have a source");
        let record_id = contacts.text(column::RECORD_ID).expect("contacts have a record id");
        let mut by_record: FxHashMap<&str, FxHashMap<&str, u32>> = FxHashMap::default();
        let mut record = 0;
        while record < source.len() {
            let name = source.value(record);
            let end = end_of_source(source, record);
            let ids = by_record.entry(name).or_default();
            ids.reserve(end - record);
            ids.extend((record..end).map(|record| (record_id.value(record), keys.of[record])));
            record = end;
        }
        let identifiers = spec.identifiers.iter().map(String::as_str).filter(|&name| name != column::EMAIL);
        let by_value = identifiers
            .chain([column::EMAIL])
            .filter_map(|name| Some((name, owners(contacts.text(name)?, keys, spec.shared_by_records_max))))
            .collect();
        Self { by_record, by_value }
    }

    /// The customer of each row of a batch, as a position among the keys; [`NO_CUSTOMER`] where none is found.
    pub fn customers(&self, batch: &RecordBatch) -> Vec<u32> {
        let text = |name: &str| batch.column_by_name(name).and_then(|values| values.as_string_opt::<i32>());
        let source = text(column::SOURCE).expect("every record has a source");
        let contact_source = text(column::CONTACT_SOURCE);
        let contact_record_id = text(column::CONTACT_RECORD_ID);
        let values: Vec<_> = self
            .by_value
            .iter()
            .filter_map(|(name, owners)| Some((*name, owners, text(name)?)))
            .collect();
        (0..batch.num_rows())
            .map(|row| {
                let by_record = value(contact_record_id, row).and_then(|record_id| {
                    let source = value(contact_source, row).unwrap_or_else(|| source.value(row));
                    self.by_record.get(source)?.get(record_id).copied()
                });
                let by_value = || {
                    values
                        .iter()
                        .find_map(|(name, owners, column)| find(owners, value(Some(column), row)?, *name == column::EMAIL))
                };
                by_record.or_else(by_value).unwrap_or(NO_CUSTOMER)
            })
            .collect()
    }
}

/// The first row after `start` of another source. O(log n): the rows are sorted by source.
fn end_of_source(source: &StringArray, start: usize) -> usize {
    let name = source.value(start);
    let (mut low, mut high) = (start, source.len());
    while low < high {
        let middle = low.midpoint(high);
        if source.value(middle) <= name {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// Values with one customer only and few enough records.
fn owners<'a>(values: &'a StringArray, keys: &Keys, records_max: u32) -> FxHashMap<&'a str, Owner> {
    let mut owners: FxHashMap<&'a str, Owner> = FxHashMap::default();
    for (value, &customer) in values.iter().zip(&keys.of) {
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            continue;
        };
        let owner = owners.entry(value).or_insert(Owner { customer, records: 0 });
        owner.records += 1;
        if owner.customer != customer {
            owner.customer = NO_CUSTOMER;
        }
    }
    owners.retain(|_, owner| owner.customer != NO_CUSTOMER && owner.records <= records_max);
    owners
}

fn value(column: Option<&StringArray>, row: usize) -> Option<&str> {
    column
        .filter(|column| column.is_valid(row))
        .map(|column| column.value(row).trim())
        .filter(|value| !value.is_empty())
}

/// An e-mail address is looked up as written, then in lower case: contacts hold it in lower case.
fn find(owners: &FxHashMap<&str, Owner>, value: &str, is_email: bool) -> Option<u32> {
    let owner = owners.get(value).or_else(|| {
        let has_upper = is_email && value.chars().any(char::is_uppercase);
        has_upper.then(|| owners.get(value.to_lowercase().as_str())).flatten()
    });
    owner.map(|owner| owner.customer)
}
