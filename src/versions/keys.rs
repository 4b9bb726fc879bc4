//! What became of customers and their records from one version to another, from the two `identities` alone.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rows::{HashedRow, hashed};
use crate::engine::Engine;
use crate::error::Result;
use crate::publish::{Manifest, Warehouse};
use crate::table::column::{CUSTOMER_KEY, RECORD_ID, SOURCE};

const IDENTITIES: &str = "identities";

/// Customers and records of two versions, counted. `customers_left` = `kept` + `merged` + `retired`; `customers_right` = `kept` + `created` +
/// `split`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct KeyDifference {
    /// Customers of the left version.
    pub customers_left: u64,
    /// Customers of the right version.
    pub customers_right: u64,
    /// Keys of both.
    pub kept: u64,
    /// Keys of the right version alone, none of whose records the left one had.
    pub created: u64,
    /// Keys of the right version alone with records that were under another key.
    pub split: u64,
    /// Keys of the left version alone with records that are under another key now.
    pub merged: u64,
    /// Keys of the left version alone, none of whose records is left.
    pub retired: u64,
    /// Records of the right version alone.
    pub records_added: u64,
    /// Records of the left version alone.
    pub records_removed: u64,
    /// Records of both, under another key.
    pub records_moved: u64,
}

/// Compares who is which customer; `None` if a version has no `identities`.
pub(super) fn difference(engine: &Engine, warehouse: &Warehouse, versions: (&Manifest, &Manifest)) -> Result<Option<KeyDifference>> {
    if ![versions.0, versions.1]
        .iter()
        .all(|version| version.tables.contains_key(IDENTITIES))
    {
        return Ok(None);
    }
    let (record, key) = ([SOURCE, RECORD_ID].map(str::to_owned), [CUSTOMER_KEY.to_owned()]);
    let read = |manifest: &Manifest| -> Result<Vec<HashedRow>> { hashed(engine, warehouse, manifest, IDENTITIES, (&record, &key)) };
    let (left, right) = (read(versions.0)?, read(versions.1)?);
    Ok(Some(engine.compute(|| compare(&left, &right))))
}

/// Rows are (record, customer), sorted by record.
fn compare(left: &[HashedRow], right: &[HashedRow]) -> KeyDifference {
    let customers = |rows: &[HashedRow]| -> BTreeSet<u128> { rows.iter().map(|row| row.1).collect() };
    let (before, after) = (customers(left), customers(right));
    // Keys with a record that both versions have.
    let (mut met_before, mut met_after) = (BTreeSet::new(), BTreeSet::new());
    let mut found = KeyDifference {
        customers_left: before.len() as u64,
        customers_right: after.len() as u64,
        kept: before.intersection(&after).count() as u64,
        ..KeyDifference::default()
    };
    let (mut l, mut r) = (0, 0);
    while l < left.len() || r < right.len() {
        match (left.get(l), right.get(r)) {
            (Some(one), Some(other)) if one.0 == other.0 => {
                found.records_moved += u64::from(one.1 != other.1);
                met_before.insert(one.1);
                met_after.insert(other.1);
                (l, r) = (l + 1, r + 1);
            }
            (one, other) if other.is_none_or(|other| one.is_some_and(|one| one.0 < other.0)) => {
                found.records_removed += 1;
                l += 1;
            }
            _ => {
                found.records_added += 1;
                r += 1;
            }
        }
    }
    for key in before.difference(&after) {
        *(if met_before.contains(key) {
            &mut found.merged
        } else {
            &mut found.retired
        }) += 1;
    }
    for key in after.difference(&before) {
        *(if met_after.contains(key) {
            &mut found.split
        } else {
            &mut found.created
        }) += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_splits_births_and_ends_are_told_apart() {
        // Records 1 to 7 under the keys 10 to 50.
        let left = [(1, 10), (2, 10), (3, 20), (4, 30), (5, 40), (6, 40)];
        // 20 went into 10, 30 is gone, 40 was split, 60 is new.
        let right = [(1, 10), (2, 10), (3, 10), (5, 40), (6, 50), (7, 60)];
        let found = compare(&left, &right);
        let expected = KeyDifference {
            customers_left: 4,
            customers_right: 4,
            kept: 2,
            created: 1,
            split: 1,
            merged: 1,
            retired: 1,
            records_added: 1,
            records_removed: 1,
            records_moved: 2,
        };
        assert_eq!(found, expected);
        assert_eq!(compare(&left, &left).records_moved, 0);
    }
}
