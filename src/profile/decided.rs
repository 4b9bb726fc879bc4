//! `decisions` and `generic_values`: what people decided, with what became of it, and the values that mean nobody in particular.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use crate::table::build::{batch, key_column};
use crate::table::decisions::{PIN, UNKNOWN_RECORD};
use crate::table::keys::Keys;
use crate::table::{CleanContacts, CustomerKey, Decision, Decisions, GenericValue, Pin, RecordIx, column};

/// The decision counted.
const APPLIED: &str = "applied";
/// A stronger pin counted.
const OVERRULED: &str = "overruled";

/// `decisions`: every decision about a pair with the customers of its two records, then every pin with the customer of its record on the left
/// and the pinned `customer_key`; and `status`: `applied`, `unknown_record` if a record is not there (its key is null then), or `overruled` if
/// the customer has another key because a stronger pin meets this one.
#[must_use]
pub fn decisions(keys: &Keys, decisions: &Decisions) -> RecordBatch {
    let (pairs, pins) = (&decisions.rows, &decisions.pins);
    let text = |of_pair: fn(&Decision) -> Option<&str>, of_pin: fn(&Pin) -> Option<&str>| {
        let texts = pairs.iter().map(of_pair).chain(pins.iter().map(of_pin));
        Arc::new(texts.collect::<StringArray>()) as ArrayRef
    };
    let key_of = |record: RecordIx| keys.keys[keys.of[record.index()] as usize];
    let pair_keys =
        |side: fn(&(RecordIx, RecordIx)) -> RecordIx| decisions.records.iter().map(move |records| records.as_ref().map(side).map(key_of));
    let pin_keys: Vec<Option<CustomerKey>> = decisions.pinned.iter().map(|record| record.map(key_of)).collect();
    let left: Vec<_> = pair_keys(|records| records.0).chain(pin_keys.iter().copied()).collect();
    let right: Vec<_> = pair_keys(|records| records.1).chain(pins.iter().map(|_| None)).collect();
    let pinned: Vec<_> = pairs.iter().map(|_| None).chain(pins.iter().map(|pin| Some(pin.key))).collect();
    let lines = pairs.iter().map(|row| row.line).chain(pins.iter().map(|pin| pin.line));
    let lines: Int64Array = lines.map(|line| i64::try_from(line).ok()).collect();
    let of_pair = |records: &Option<_>| if records.is_some() { APPLIED } else { UNKNOWN_RECORD };
    let of_pin = |(pin, key): (&Pin, &Option<CustomerKey>)| match key {
        None => UNKNOWN_RECORD,
        Some(key) if *key == pin.key => APPLIED,
        Some(_) => OVERRULED,
    };
    let statuses = decisions.records.iter().map(of_pair).chain(pins.iter().zip(&pin_keys).map(of_pin));
    let statuses = StringArray::from_iter_values(statuses);
    batch(vec![
        (column::DECISION, false, text(|row| Some(row.kind.name()), |_| Some(PIN))),
        (
            column::LEFT_SOURCE,
            false,
            text(|row| Some(&row.left.source), |pin| Some(&pin.record.source)),
        ),
        (
            column::LEFT_RECORD_ID,
            false,
            text(|row| Some(&row.left.record_id), |pin| Some(&pin.record.record_id)),
        ),
        (column::RIGHT_SOURCE, true, text(|row| Some(&row.right.source), |_| None)),
        (column::RIGHT_RECORD_ID, true, text(|row| Some(&row.right.record_id), |_| None)),
        (column::LEFT_CUSTOMER_KEY, true, key_column(left.into_iter())),
        (column::RIGHT_CUSTOMER_KEY, true, key_column(right.into_iter())),
        (column::STATUS, false, Arc::new(statuses)),
        (
            column::DECIDED_BY,
            true,
            text(|row| row.decided_by.as_deref(), |pin| pin.decided_by.as_deref()),
        ),
        (
            column::DECIDED_AT,
            true,
            text(|row| row.decided_at.as_deref(), |pin| pin.decided_at.as_deref()),
        ),
        (column::REASON, true, text(|row| row.reason.as_deref(), |pin| pin.reason.as_deref())),
        (column::FILE, false, text(|row| Some(&row.file), |pin| Some(&pin.file))),
        (column::LINE, true, Arc::new(lines)),
        (column::CUSTOMER_KEY, true, key_column(pinned.into_iter())),
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
