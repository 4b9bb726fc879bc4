//! The key of a record under a rule: one dense integer, ranked by value so that it does not depend on the order of rows.

use rayon::prelude::*;

use crate::config::spec::{BlockingRule, KeyPart};
use crate::table::shared::Prefixes;
use crate::table::{Coded, CodedRecords, NULL_CODE};

/// Key of each record; [`NULL_CODE`] if a part is missing. Dense from 0, ranked by the values of the parts in rule order.
pub(super) fn keys(rule: &BlockingRule, records: &CodedRecords) -> Vec<u32> {
    let mut parts = rule.keys.iter().map(|part| part_codes(part, records));
    let Some(first) = parts.next() else {
        return vec![NULL_CODE; records.len() as usize];
    };
    parts.fold(first, |keys, part| combine(&keys, &part))
}

/// Number of records of each key; position = key.
pub(super) fn sizes(keys: &[u32]) -> Vec<u32> {
    let count = keys
        .iter()
        .filter(|&&key| key != NULL_CODE)
        .max()
        .map_or(0, |&key| key as usize + 1);
    let mut sizes = vec![0; count];
    for &key in keys {
        if key != NULL_CODE {
            sizes[key as usize] += 1;
        }
    }
    sizes
}

/// The keys of pairs of codes, ranked by (first, second); null where one is null.
pub(super) fn combine(first: &[u32], second: &[u32]) -> Vec<u32> {
    let mut entries: Vec<(u64, u32)> = (0_u32..)
        .zip(first.iter().zip(second))
        .filter(|(_, (first, second))| **first != NULL_CODE && **second != NULL_CODE)
        .map(|(record, (&first, &second))| ((u64::from(first) << 32) | u64::from(second), record))
        .collect();
    entries.par_sort_unstable();
    let mut keys = vec![NULL_CODE; first.len()];
    let mut rank = 0;
    let mut previous = entries.first().map_or(0, |entry| entry.0);
    for (key, record) in entries {
        if key != previous {
            rank += 1;
            previous = key;
        }
        keys[record as usize] = rank;
    }
    keys
}

/// The codes of one part: those of its column, or of the prefixes of its values.
fn part_codes(part: &KeyPart, records: &CodedRecords) -> Vec<u32> {
    let column = column(records, &part.column);
    let Some(length) = part.prefix else {
        return column.codes().to_vec();
    };
    let of_value = prefix_codes(column, length as usize);
    column
        .codes()
        .iter()
        .map(|&code| if code == NULL_CODE { code } else { of_value[code as usize] })
        .collect()
}

/// Values stand in byte order, so equal prefixes stand together: the code of a prefix is the number of prefixes before it.
fn prefix_codes(column: &Coded, length: usize) -> Vec<u32> {
    let mut codes = Vec::with_capacity(column.counts().len());
    let mut code = 0;
    let mut previous: Option<&str> = None;
    for value in column.values().iter().flatten() {
        let end = value.char_indices().nth(length).map_or(value.len(), |(at, _)| at);
        let prefix = &value[..end];
        if previous.is_some_and(|previous| previous != prefix) {
            code += 1;
        }
        previous = Some(prefix);
        codes.push(code);
    }
    codes
}

/// The codes of a part that is a prefix.
pub(super) fn prefixes(part: &KeyPart, records: &CodedRecords) -> Prefixes {
    let length = part.prefix.map_or(usize::MAX, |length| length as usize);
    Prefixes {
        column: position(records, &part.column),
        of_value: prefix_codes(column(records, &part.column), length),
    }
}

/// Position of a column in masks and rows.
pub(super) fn position(records: &CodedRecords, name: &str) -> usize {
    records
        .position(name)
        .expect("the columns of all blocking rules are coded before blocking")
}

pub(super) fn column<'a>(records: &'a CodedRecords, name: &str) -> &'a Coded {
    records
        .column(name)
        .expect("the columns of all blocking rules are coded before blocking")
}
