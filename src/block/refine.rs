//! The skew guard: a block that is too large is split by further columns instead of stalling the run, and what stays too large is left out.

use super::{key, too_large};
use crate::config::spec::BlockingRule;
use crate::table::pairs::pairs_of;
use crate::table::{Coded, CodedRecords, NULL_CODE, column};

/// Columns that split a large block, first come first; every other coded column follows in byte order of the names.
const PREFERRED: [&str; 6] = [
    column::FAMILY_NAME,
    column::BIRTH_DATE,
    column::POSTCODE,
    column::GIVEN_NAME,
    column::EMAIL,
    column::PHONE,
];

/// What the guard did.
pub(super) struct Refined {
    pub(super) blocks_refined: u64,
    pub(super) blocks_left_out: u64,
    /// Pairs of all blocks before anything was split.
    pub(super) pairs_before: u64,
}

/// Splits blocks of more than `block_pairs_max` pairs, in place: their records get the keys of smaller blocks, or none.
///
/// Records without the splitting column stay together, and go on to the next column if they are still too many.
pub(super) fn refine(rule: &BlockingRule, block_pairs_max: u64, records: &CodedRecords, keys: &mut Vec<u32>) -> Refined {
    let mut sizes = key::sizes(keys);
    let large = sizes.iter().filter(|&&size| too_large(size, block_pairs_max)).count() as u64;
    let mut refined = Refined {
        blocks_refined: large,
        blocks_left_out: 0,
        pairs_before: sizes.iter().map(|&size| pairs_of(u64::from(size))).sum(),
    };
    if large == 0 {
        return refined;
    }
    for splitter in splitters(rule, records) {
        if !sizes.iter().any(|&size| too_large(size, block_pairs_max)) {
            break;
        }
        let missing = u32::try_from(splitter.counts().len()).expect("codes are u32");
        let split: Vec<u32> = keys
            .iter()
            .zip(splitter.codes())
            .map(|(&key, &code)| match key {
                NULL_CODE => NULL_CODE,
                key if too_large(sizes[key as usize], block_pairs_max) => code.min(missing),
                _ => 0,
            })
            .collect();
        *keys = key::combine(keys, &split);
        sizes = key::sizes(keys);
    }
    for key in keys.iter_mut() {
        if *key != NULL_CODE && too_large(sizes[*key as usize], block_pairs_max) {
            *key = NULL_CODE;
        }
    }
    refined.blocks_left_out = sizes.iter().filter(|&&size| too_large(size, block_pairs_max)).count() as u64;
    refined
}

/// Keeps the smallest blocks whose pairs together are at most `pairs_max`, in place; blocks of one size are kept or left out together.
pub(super) fn keep_small(pairs_max: u64, keys: &mut [u32]) -> Refined {
    let sizes = key::sizes(keys);
    let mut ascending = sizes.clone();
    ascending.sort_unstable();
    let mut pairs = 0;
    let mut size_max = 0;
    for blocks in ascending.chunk_by(|a, b| a == b) {
        pairs += pairs_of(u64::from(blocks[0])) * blocks.len() as u64;
        if pairs > pairs_max {
            break;
        }
        size_max = blocks[0];
    }
    for key in keys.iter_mut() {
        if *key != NULL_CODE && sizes[*key as usize] > size_max {
            *key = NULL_CODE;
        }
    }
    Refined {
        blocks_refined: 0,
        blocks_left_out: sizes.iter().filter(|&&size| size > size_max).count() as u64,
        pairs_before: sizes.iter().map(|&size| pairs_of(u64::from(size))).sum(),
    }
}

/// Coded columns that the rule does not hold whole, in a fixed order.
fn splitters<'a>(rule: &BlockingRule, records: &'a CodedRecords) -> Vec<&'a Coded> {
    let mut splitters: Vec<&Coded> = records
        .columns()
        .iter()
        .filter(|column| !rule.keys.iter().any(|part| part.prefix.is_none() && part.column == column.name()))
        .collect();
    splitters.sort_by_key(|column| {
        let preferred = PREFERRED.iter().position(|&name| name == column.name());
        (preferred.unwrap_or(PREFERRED.len()), column.name().to_owned())
    });
    splitters
}
