//! `decisions` and `generic_values`: what people decided, with what became of it, and the values that mean nobody in particular.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use crate::table::build::{batch, key_column};
use crate::table::decisions::UNKNOWN_RECORD;
use crate::table::keys::Keys;
use crate::table::{CleanContacts, Decision, Decisions, GenericValue, RecordIx, column};

/// `decisions`: every decision with the customers of its two records, and `status`: `applied`, or `unknown_record` if one is not there
/// (both keys are null then).
#[must_use]
pub fn decisions(keys: &Keys, decisions: &Decisions) -> RecordBatch {
    let rows = &decisions.rows;
    let text = |value: fn(&Decision) -> Option<&str>| Arc::new(rows.iter().map(value).collect::<StringArray>()) as ArrayRef;
    let key = |side: fn(&(RecordIx, RecordIx)) -> RecordIx| {
        let record = decisions.records.iter().map(move |records| records.as_ref().map(side));
        key_column(record.map(|record| record.map(|record| keys.keys[keys.of[record.index()] as usize])))
    };
    let lines: Int64Array = rows.iter().map(|row| i64::try_from(row.line).ok()).collect();
    let status = |records: &Option<_>| if records.is_some() { "applied" } else { UNKNOWN_RECORD };
    let statuses = StringArray::from_iter_values(decisions.records.iter().map(status));
    batch(vec![
        (column::DECISION, false, text(|row| Some(row.kind.name()))),
        (column::LEFT_SOURCE, false, text(|row| Some(&row.left.source))),
        (column::LEFT_RECORD_ID, false, text(|row| Some(&row.left.record_id))),
        (column::RIGHT_SOURCE, false, text(|row| Some(&row.right.source))),
        (column::RIGHT_RECORD_ID, false, text(|row| Some(&row.right.record_id))),
        (column::LEFT_CUSTOMER_KEY, true, key(|records| records.0)),
        (column::RIGHT_CUSTOMER_KEY, true, key(|records| records.1)),
        (column::STATUS, false, Arc::new(statuses)),
        (column::DECIDED_BY, true, text(|row| row.decided_by.as_deref())),
        (column::DECIDED_AT, true, text(|row| row.decided_at.as_deref())),
        (column::REASON, true, text(|row| row.reason.as_deref())),
        (column::FILE, false, text(|row| Some(&row.file))),
        (column::LINE, true, Arc::new(lines)),
    ])
}

/// `generic_values`: `column`, `value` as `contacts` has it, how many records and people share it, and how many may.
#[must_use]
pub fn generic_values(contacts: &CleanContacts, values: &[GenericValue]) -> RecordBatch {
    let names = StringArray::from_iter_values(values.iter().map(|value| value.column.as_str()));
    let shown: StringArray = values
        .iter()
        .map(|value| contacts.text(&value.column).map(|texts| texts.value(value.record.index())))
        .collect();
    let counts = |count: fn(&GenericValue) -> u32| {
        let counts = values.iter().map(|value| i64::from(count(value)));
        Arc::new(Int64Array::from_iter_values(counts)) as ArrayRef
    };
    batch(vec![
        (column::COLUMN, false, Arc::new(names)),
        (column::VALUE, true, Arc::new(shown)),
        (column::RECORDS_COUNT, false, counts(|value| value.records)),
        (column::ENTITIES_COUNT, false, counts(|value| value.entities)),
        (column::ENTITIES_MAX, false, counts(|value| value.entities_max)),
    ])
}
