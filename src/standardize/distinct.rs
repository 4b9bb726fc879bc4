//! Applies a function to the distinct values of a column, in parallel, and maps the results back: a city or a given name is read once.

use std::hash::Hash;

use arrow::array::{Array, ArrayRef, StringArray, UInt32Array};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::table::NULL_CODE;

/// A column as one code a row and one result a distinct key.
pub struct Distinct<T> {
    /// One code a row, [`NULL_CODE`] where the key is missing.
    pub codes: Vec<u32>,
    /// Result of each distinct key; position = code.
    pub results: Vec<T>,
}

impl<T: Send> Distinct<T> {
    /// Calls `apply` once for each distinct key. O(rows) hashing, and O(distinct) calls over all threads.
    pub fn map<K: Copy + Eq + Hash + Sync>(keys: impl Iterator<Item = Option<K>>, apply: impl Fn(K) -> T + Sync) -> Self {
        let mut first_seen: FxHashMap<K, u32> = FxHashMap::default();
        let mut distinct: Vec<K> = Vec::new();
        let codes = keys
            .map(|key| {
                key.map_or(NULL_CODE, |key| {
                    *first_seen.entry(key).or_insert_with(|| {
                        distinct.push(key);
                        u32::try_from(distinct.len() - 1).expect("a table has fewer than 2^32 records")
                    })
                })
            })
            .collect();
        drop(first_seen);
        Self {
            codes,
            results: distinct.par_iter().with_min_len(256).map(|&key| apply(key)).collect(),
        }
    }
}

impl<T> Distinct<T> {
    /// Result of a row, if it has a key.
    pub fn row(&self, row: usize) -> Option<&T> {
        match self.codes[row] {
            NULL_CODE => None,
            code => Some(&self.results[code as usize]),
        }
    }

    /// A text column of one part of each result.
    pub fn column<'a>(&'a self, part: impl Fn(&'a T) -> Option<&'a str>) -> ArrayRef {
        let values: StringArray = self.results.iter().map(part).collect();
        let rows: UInt32Array = self.codes.iter().map(|&code| (code != NULL_CODE).then_some(code)).collect();
        arrow::compute::take(&values, &rows, None).expect("every code is a position of a result")
    }
}

/// The values of a text column; all missing if the column is.
pub fn texts(column: Option<&StringArray>, rows: usize) -> impl Iterator<Item = Option<&str>> {
    (0..rows).map(move |row| column.filter(|column| column.is_valid(row)).map(|column| column.value(row)))
}
