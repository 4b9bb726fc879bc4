//! What the key stage needs from one version to the next, as Arrow batches: the published `identities` and `key_redirects`, and two state tables.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, UInt32Array};
use arrow::compute::{concat, take};
use rayon::prelude::*;

use super::tables::redirects_batch;
use crate::error::{Error, Result};
use crate::table::build::{batch, key_column};
use crate::table::keys::{KeyRedirect, Keys, PreviousKeys, RecordKeys};
use crate::table::{CleanContacts, CustomerKey, column};

/// State of the keys, beside the published `identities`.
#[derive(Debug, Clone)]
pub struct KeyStateBatches {
    /// `source`, `record_id`, `origin_key` of every record whose key was merged away. Sorted by (source, record id).
    pub origins: RecordBatch,
    /// `customer_key` of every key that went out of use because no record was left. Sorted.
    pub retired: RecordBatch,
    /// `old_key`, `new_key`: the published `key_redirects`. Sorted by old key.
    pub redirects: RecordBatch,
}

/// The state to store with a version.
#[must_use]
pub fn to_batches(contacts: &CleanContacts, keys: &Keys) -> KeyStateBatches {
    let rows = UInt32Array::from_iter_values(keys.origins.iter().map(|(record, _)| record.0));
    let of_origins = |name: &str| {
        let values = contacts.text(name).expect("contacts have a source and a record id");
        take(values, &rows, None).expect("origins are records of these contacts")
    };
    KeyStateBatches {
        origins: batch(vec![
            (column::SOURCE, false, of_origins(column::SOURCE)),
            (column::RECORD_ID, false, of_origins(column::RECORD_ID)),
            (
                column::ORIGIN_KEY,
                false,
                key_column(keys.origins.iter().map(|&(_, key)| Some(key))),
            ),
        ]),
        retired: batch(vec![(
            column::CUSTOMER_KEY,
            false,
            key_column(keys.retired.iter().map(|&key| Some(key))),
        )]),
        redirects: redirects_batch(&keys.redirects),
    }
}

/// Reads the last version's keys back. The batches may be in any order and cut anywhere; no batch at all means the first run.
///
/// # Errors
/// `Input` if a column is missing, a value is null, a key is malformed, or a record stands there twice.
pub fn previous(
    identities: &[RecordBatch],
    redirects: &[RecordBatch],
    retired: &[RecordBatch],
    origins: &[RecordBatch],
) -> Result<PreviousKeys> {
    let old = key_values(&text(redirects, column::OLD_KEY, "key_redirects")?)?;
    let live = key_values(&text(redirects, column::NEW_KEY, "key_redirects")?)?;
    let mut redirects: Vec<KeyRedirect> = old.into_iter().zip(live).map(|(old, live)| KeyRedirect { old, live }).collect();
    redirects.sort_unstable();
    let mut retired = key_values(&text(retired, column::CUSTOMER_KEY, "retired keys")?)?;
    retired.sort_unstable();
    retired.dedup();
    Ok(PreviousKeys {
        identities: record_keys(identities, column::CUSTOMER_KEY, "identities")?,
        redirects,
        retired,
        origins: record_keys(origins, column::ORIGIN_KEY, "origins of keys")?,
    })
}

fn record_keys(batches: &[RecordBatch], key: &str, table: &'static str) -> Result<RecordKeys> {
    let unsorted = RecordKeys {
        source: text(batches, column::SOURCE, table)?,
        record_id: text(batches, column::RECORD_ID, table)?,
        key: key_values(&text(batches, key, table)?)?,
    };
    let sorted = if is_sorted(&unsorted) { unsorted } else { sort(&unsorted) };
    if is_sorted(&sorted) {
        Ok(sorted)
    } else {
        Err(damaged("a record stands there twice", table))
    }
}

/// Whether records ascend strictly.
fn is_sorted(list: &RecordKeys) -> bool {
    (1..list.len()).into_par_iter().all(|row| list.record(row - 1) < list.record(row))
}

/// Sorts by (source, record id). Compares eight bytes after what all record ids of the list share before it compares texts: three
/// integers instead of two far memory reads a comparison.
fn sort(list: &RecordKeys) -> RecordKeys {
    let sources = distinct_sources(&list.source);
    let shared = shared_prefixes(list, &sources);
    let mut order: Vec<(u32, u64, u32)> = (0..u32::try_from(list.len()).expect("a table has fewer than 2^32 records"))
        .into_par_iter()
        .map(|row| {
            let (source, record_id) = list.record(row as usize);
            let source = sources.binary_search(&source).expect("sources are those of the list");
            let rest = record_id.as_bytes().get(shared[source]..).unwrap_or_default();
            let mut head = [0_u8; 8];
            let length = rest.len().min(8);
            head[..length].copy_from_slice(&rest[..length]);
            let source = u32::try_from(source).expect("there are fewer sources than records");
            (source, u64::from_be_bytes(head), row)
        })
        .collect();
    order.par_sort_unstable_by(|left, right| {
        (left.0, left.1)
            .cmp(&(right.0, right.1))
            .then_with(|| list.record_id.value(left.2 as usize).cmp(list.record_id.value(right.2 as usize)))
    });
    let rows = UInt32Array::from_iter_values(order.iter().map(|&(_, _, row)| row));
    let by_rows = |values: &StringArray| {
        let taken: ArrayRef = take(values, &rows, None).expect("rows are positions in the list");
        taken.as_string::<i32>().clone()
    };
    RecordKeys {
        source: by_rows(&list.source),
        record_id: by_rows(&list.record_id),
        key: order.iter().map(|&(_, _, row)| list.key[row as usize]).collect(),
    }
}

fn distinct_sources(source: &StringArray) -> Vec<&str> {
    let mut sources: Vec<&str> = source.iter().flatten().collect();
    sources.sort_unstable();
    sources.dedup();
    sources
}

/// For each source how many bytes all of its record ids begin with.
fn shared_prefixes(list: &RecordKeys, sources: &[&str]) -> Vec<usize> {
    let mut shared: Vec<Option<(&str, usize)>> = vec![None; sources.len()];
    for row in 0..list.len() {
        let (source, record_id) = list.record(row);
        let at = sources.binary_search(&source).expect("sources are those of the list");
        shared[at] = Some(match shared[at] {
            None => (record_id, record_id.len()),
            Some((first, length)) => {
                let both = first.bytes().zip(record_id.bytes()).take(length);
                (first, both.take_while(|(left, right)| left == right).count())
            }
        });
    }
    shared.into_iter().map(|entry| entry.map_or(0, |(_, length)| length)).collect()
}

/// A text column over all batches, without nulls.
fn text(batches: &[RecordBatch], name: &str, table: &'static str) -> Result<StringArray> {
    let mut parts: Vec<&dyn Array> = Vec::with_capacity(batches.len());
    for batch in batches {
        let values = batch
            .column_by_name(name)
            .and_then(|values| values.as_string_opt::<i32>())
            .ok_or_else(|| damaged(&format!("text column `{name}` is missing"), table))?;
        if values.null_count() > 0 {
            return Err(damaged(&format!("column `{name}` has nulls"), table));
        }
        parts.push(values);
    }
    match parts.as_slice() {
        [] => return Ok(StringArray::from(Vec::<&str>::new())),
        // Buffers are shared, so one batch costs nothing.
        [only] => return Ok(only.as_string::<i32>().clone()),
        _ => {}
    }
    let all = concat(&parts).map_err(|error| damaged("the table is too large for one batch", table).because(error))?;
    Ok(all.as_string::<i32>().clone())
}

fn key_values(texts: &StringArray) -> Result<Vec<CustomerKey>> {
    (0..texts.len()).into_par_iter().map(|row| texts.value(row).parse()).collect()
}

fn damaged(what: &str, table: &'static str) -> Error {
    Error::input(format!("the published state of the keys is damaged: {what}"))
        .with("table", table)
        .hint("roll back to a version that is intact, or publish to another warehouse")
}
