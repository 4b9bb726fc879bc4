//! A hash of what identity reads of each record: eight bytes that tell the next run which records changed.

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, StringArray};
use arrow::datatypes::UInt32Type;
use rayon::prelude::*;

use crate::table::CleanContacts;

/// Offset basis and prime of FNV-1a, 64 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>).
const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// For each record a hash of the named columns of `matching`; a null adds nothing, so a column without values may as well be missing. The
/// same on every machine and in every release. A changed record keeps its hash by a chance of 2^-64.
#[must_use]
pub fn contents(contacts: &CleanContacts, columns: &[String]) -> Vec<u64> {
    let mut hashes = vec![0_u64; contacts.len()];
    for name in columns {
        if let Some(values) = contacts.matching.column_by_name(name) {
            add(&mut hashes, fnv(FNV_BASIS, name.as_bytes()), values);
        }
    }
    hashes
}

/// Adds a column: a distinct value is read once where the column is a dictionary.
fn add(hashes: &mut [u64], seed: u64, column: &ArrayRef) {
    let of_value = |values: &StringArray, at: usize| values.is_valid(at).then(|| mixed(fnv(seed, values.value(at).as_bytes())));
    if let Some(dictionary) = column.as_any().downcast_ref::<DictionaryArray<UInt32Type>>() {
        let Some(values) = dictionary.values().as_string_opt::<i32>() else {
            return;
        };
        let values: Vec<Option<u64>> = (0..values.len()).into_par_iter().map(|at| of_value(values, at)).collect();
        let keys = dictionary.keys();
        hashes.par_iter_mut().enumerate().for_each(|(record, hash)| {
            if let Some(value) = keys.is_valid(record).then(|| values[keys.value(record) as usize]).flatten() {
                *hash = hash.wrapping_add(value);
            }
        });
    } else if let Some(values) = column.as_string_opt::<i32>() {
        hashes.par_iter_mut().enumerate().for_each(|(record, hash)| {
            *hash = hash.wrapping_add(of_value(values, record).unwrap_or(0));
        });
    }
}

fn fnv(start: u64, bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(start, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME))
}

/// The finalizer of `SplitMix64` (Steele, Lea and Flood 2014), so that sums of hashes are as good as the hashes.
fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::RecordBatch;

    use super::*;

    fn of(columns: Vec<(&str, ArrayRef)>) -> Vec<u64> {
        let names: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, values)| (name, values, true)));
        let matching = batch.expect("columns of one length");
        let contacts = CleanContacts {
            display: matching.clone(),
            matching,
        };
        contents(&contacts, &names)
    }

    fn text(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    fn dictionary(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(values.iter().copied().collect::<DictionaryArray<UInt32Type>>())
    }

    #[test]
    fn a_value_counts_by_its_column_and_a_null_does_not() {
        let values = [Some("anna"), Some("berta"), None];
        let given = of(vec![("given_name", text(&values))]);
        assert_ne!(given[0], given[1]);
        assert_eq!(given[2], 0);
        assert_ne!(given, of(vec![("family_name", text(&values))]));
        assert_eq!(given, of(vec![("given_name", dictionary(&values))]), "coded or not");
        assert_eq!(given, of(vec![("email", text(&[None; 3])), ("given_name", text(&values))]));
        let swapped = |one, other| of(vec![("given_name", text(&[Some(one)])), ("family_name", text(&[Some(other)]))]);
        assert_ne!(swapped("anna", "berta"), swapped("berta", "anna"));
    }

    #[test]
    fn hashes_never_change_between_releases() {
        assert_eq!(
            fnv(FNV_BASIS, b"foobar"),
            0x8594_4171_f739_67e8,
            "the test vector of the authors of FNV"
        );
        assert_eq!(
            mixed(1),
            0x5692_161d_100b_05e5,
            "the first step of SplitMix64 from a state of 1 without its increment"
        );
    }
}
