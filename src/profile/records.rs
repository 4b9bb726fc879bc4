//! `identities` and `contacts`: every record with the key of its customer.

use arrow::array::RecordBatch;
use arrow::compute::take;

use super::members::Members;
use crate::table::build::batch;
use crate::table::keys::Keys;
use crate::table::{CleanContacts, column};

/// `identities`: `customer_key`, `source`, `record_id`. Sorted by key, source, record id.
#[must_use]
pub fn identities(contacts: &CleanContacts, keys: &Keys) -> RecordBatch {
    with_key(contacts, keys, |name| name == column::SOURCE || name == column::RECORD_ID)
}

/// `contacts`: the standardized records with their `customer_key` first. Sorted by key, source, record id.
#[must_use]
pub fn contacts(contacts: &CleanContacts, keys: &Keys) -> RecordBatch {
    with_key(contacts, keys, |_| true)
}

fn with_key(contacts: &CleanContacts, keys: &Keys, wanted: impl Fn(&str) -> bool) -> RecordBatch {
    let members = Members::new(keys);
    let rows = members.rows();
    let schema = contacts.display.schema();
    let mut columns = vec![(column::CUSTOMER_KEY, false, members.keys(keys))];
    for (field, values) in schema.fields().iter().zip(contacts.display.columns()) {
        if wanted(field.name()) {
            let taken = take(values, &rows, None).expect("keys are those of these contacts");
            columns.push((field.name(), field.is_nullable(), taken));
        }
    }
    batch(columns)
}
