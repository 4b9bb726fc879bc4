//! The published tables about keys: `key_events` and `key_redirects`.

use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch, StringArray};

use crate::table::build::{batch, key_column};
use crate::table::keys::{KeyRedirect, Keys};
use crate::table::{RunId, VersionNumber, column};

/// `key_events` of one run: `run_id`, `customer_key`, `event`, `other_key` (null where no other key is concerned), `records_count`, `cause`,
/// `version` (the one that the run publishes). The last two are null in rows of older releases. Sorted by key, event, other key.
#[must_use]
pub fn events_batch(keys: &Keys, run_id: &RunId, version: VersionNumber) -> RecordBatch {
    let events = &keys.events;
    let run_ids = StringArray::from_iter_values(std::iter::repeat_n(run_id.as_str(), events.len()));
    let kinds = StringArray::from_iter_values(events.iter().map(|event| event.kind.name()));
    let counts = Int64Array::from_iter_values(events.iter().map(|event| i64::from(event.records_count)));
    let causes = StringArray::from_iter_values(events.iter().map(|event| event.cause.name()));
    let number = i64::try_from(version.0).unwrap_or(i64::MAX);
    let versions = Int64Array::from_iter_values(std::iter::repeat_n(number, events.len()));
    batch(vec![
        (column::RUN_ID, false, Arc::new(run_ids)),
        (column::CUSTOMER_KEY, false, key_column(events.iter().map(|event| Some(event.key)))),
        (column::EVENT, false, Arc::new(kinds)),
        (column::OTHER_KEY, true, key_column(events.iter().map(|event| event.other))),
        (column::RECORDS_COUNT, false, Arc::new(counts)),
        (column::CAUSE, true, Arc::new(causes)),
        (column::VERSION, true, Arc::new(versions)),
    ])
}

/// `key_redirects`: `old_key`, `new_key` (always a live key). Sorted by old key.
#[must_use]
pub fn redirects_batch(redirects: &[KeyRedirect]) -> RecordBatch {
    batch(vec![
        (
            column::OLD_KEY,
            false,
            key_column(redirects.iter().map(|redirect| Some(redirect.old))),
        ),
        (
            column::NEW_KEY,
            false,
            key_column(redirects.iter().map(|redirect| Some(redirect.live))),
        ),
    ])
}
