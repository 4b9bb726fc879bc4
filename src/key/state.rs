//! What the key stage needs from one version to the next, as Arrow batches: the published `identities` and `key_redirects`, and state tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{ArrowPrimitiveType, UInt32Type, UInt64Type};

use super::stored::{key_values, record_keys, texts};
use super::tables::redirects_batch;
use crate::error::Result;
use crate::table::build::{batch, key_column};
use crate::table::keys::{KeyRedirect, Keys, PreviousKeys};
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
    /// `old_key`, `via_key`, `created_version` and `merged_version` (see [`KeyRedirect`]) of every redirect. Sorted by old key.
    pub merges: RecordBatch,
    /// `created_version` of every key, in byte order of the keys.
    pub created: RecordBatch,
    /// `content_hash` of every record, by (source, record id).
    pub contents: RecordBatch,
}

/// The state to store with a version.
#[must_use]
pub fn to_batches(contacts: &CleanContacts, keys: &Keys) -> KeyStateBatches {
    let rows = UInt32Array::from_iter_values(keys.origins.iter().map(|(record, _)| record.0));
    let of_origins = |name: &str| {
        let values = contacts.text(name).expect("contacts have a source and a record id");
        take(values, &rows, None).expect("origins are records of these contacts")
    };
    let created = UInt32Array::from_iter_values(keys.created.iter().copied());
    let merge_versions = |version: fn(&KeyRedirect) -> u32| {
        let versions = UInt32Array::from_iter_values(keys.redirects.iter().map(version));
        Arc::new(versions) as ArrayRef
    };
    let merge_keys = |key: fn(&KeyRedirect) -> CustomerKey| key_column(keys.redirects.iter().map(|redirect| Some(key(redirect))));
    let contents = UInt64Array::from_iter_values(keys.contents.iter().copied());
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
        merges: batch(vec![
            (column::OLD_KEY, false, merge_keys(|redirect| redirect.old)),
            (column::VIA_KEY, false, merge_keys(|redirect| redirect.via)),
            (column::CREATED_VERSION, false, merge_versions(|redirect| redirect.created)),
            (column::MERGED_VERSION, false, merge_versions(|redirect| redirect.merged)),
        ]),
        created: batch(vec![(column::CREATED_VERSION, false, Arc::new(created))]),
        contents: batch(vec![(column::CONTENT_HASH, false, Arc::new(contents))]),
    }
}

/// Batches as they are read back. The rows of the first five may be in any order and cut anywhere; no batch at all means the first run.
/// `created` and `contents` are in the order in which they were written; they and `merges` may be missing: versions of older releases have none.
#[derive(Debug, Clone, Default)]
pub struct StoredKeys {
    /// The published `identities`.
    pub identities: Vec<RecordBatch>,
    /// The published `key_redirects`.
    pub redirects: Vec<RecordBatch>,
    /// See [`KeyStateBatches::retired`].
    pub retired: Vec<RecordBatch>,
    /// See [`KeyStateBatches::origins`].
    pub origins: Vec<RecordBatch>,
    /// See [`KeyStateBatches::merges`].
    pub merges: Vec<RecordBatch>,
    /// See [`KeyStateBatches::created`].
    pub created: Vec<RecordBatch>,
    /// See [`KeyStateBatches::contents`].
    pub contents: Vec<RecordBatch>,
}

/// Reads the last version's keys back. Versions of keys and hashes of records that do not fit the identities, because somebody took records
/// out of them, are left out: then every key is equally old, and causes are `unknown`.
///
/// # Errors
/// `Input` if a column is missing, a value is null, a key is malformed, or a record stands there twice.
pub fn previous(stored: StoredKeys) -> Result<PreviousKeys> {
    let key_texts = |batches: &[RecordBatch], name: &str, table| key_values(&texts(batches, name, table)?);
    let redirects = redirects(&stored)?;
    let mut retired = key_texts(&stored.retired, column::CUSTOMER_KEY, "retired keys")?;
    retired.sort_unstable();
    retired.dedup();
    let identities = record_keys(stored.identities, column::CUSTOMER_KEY, "identities")?;
    let mut created = numbers::<UInt32Type>(&stored.created, column::CREATED_VERSION);
    if created.len() != identities.keys().len() {
        created.clear();
    }
    let mut contents = numbers::<UInt64Type>(&stored.contents, column::CONTENT_HASH);
    if contents.len() != identities.len() {
        contents.clear();
    }
    Ok(PreviousKeys {
        created,
        contents,
        redirects,
        retired,
        origins: record_keys(stored.origins, column::ORIGIN_KEY, "origins of keys")?,
        identities,
    })
}

/// The redirects, sorted, with what the state knows of each.
fn redirects(stored: &StoredKeys) -> Result<Vec<KeyRedirect>> {
    let keys = |batches: &[RecordBatch], name: &str, table| key_values(&texts(batches, name, table)?);
    let old = keys(&stored.redirects, column::OLD_KEY, "key_redirects")?;
    let live = keys(&stored.redirects, column::NEW_KEY, "key_redirects")?;
    let via = keys(&stored.merges, column::VIA_KEY, "merges of keys")?;
    let merged = keys(&stored.merges, column::OLD_KEY, "merges of keys")?;
    let versions = |name: &str| numbers::<UInt32Type>(&stored.merges, name);
    let versions = versions(column::CREATED_VERSION).into_iter().zip(versions(column::MERGED_VERSION));
    let known: BTreeMap<CustomerKey, (CustomerKey, (u32, u32))> = merged.into_iter().zip(via.into_iter().zip(versions)).collect();
    let redirect = |(old, live): (CustomerKey, CustomerKey)| {
        let (via, (created, merged)) = known.get(&old).copied().unwrap_or((live, (0, 0)));
        KeyRedirect {
            old,
            live,
            via,
            created,
            merged,
        }
    };
    let mut redirects: Vec<KeyRedirect> = old.into_iter().zip(live).map(redirect).collect();
    redirects.sort_unstable();
    Ok(redirects)
}

/// The values of a column of numbers; none if there is no such column.
fn numbers<T: ArrowPrimitiveType>(batches: &[RecordBatch], name: &str) -> Vec<T::Native> {
    let parts = batches
        .iter()
        .filter_map(|batch| batch.column_by_name(name)?.as_primitive_opt::<T>());
    let mut numbers = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
    parts
        .filter(|part| part.null_count() == 0)
        .for_each(|part| numbers.extend_from_slice(part.values()));
    numbers
}
