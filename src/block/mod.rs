//! Stage `block`: sorts records into blocks by the keys of each rule, and counts their pairs exactly before one is made.

mod key;
mod refine;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::spec::BlockingRule;
use crate::table::pairs::{RuleBlocks, pairs_of};
use crate::table::tiles::{RowScratch, for_each_row, tiles};
use crate::table::{Blocks, CodedRecords, NULL_CODE};

/// What a rule costs, known before a pair is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleCounts {
    /// Name of the rule.
    pub rule: String,
    /// Records with a key.
    pub records: u64,
    /// Blocks of two or more records, after large ones were refined.
    pub blocks: u64,
    /// Pairs inside the blocks.
    pub pairs: u64,
    /// Pairs that no earlier rule gives.
    pub pairs_new: u64,
    /// Sizes of the largest blocks, at most five, descending.
    pub largest_blocks: Vec<u64>,
    /// Blocks that held more pairs than allowed and were split by further columns.
    pub blocks_refined: u64,
    /// Blocks left out because they hold more pairs than allowed even after refining.
    pub blocks_left_out: u64,
    /// Pairs that this rule does not give because of it: those of the blocks left out, and those that refining separated.
    pub pairs_left_out: u64,
}

/// Pairs a record that a coarse rule gives at most.
pub const COARSE_PAIRS_A_RECORD: u64 = 1;
/// Pairs that a coarse rule may give however few records there are.
pub const COARSE_PAIRS_MIN: u64 = 1_000_000;

/// How many sizes [`RuleCounts::largest_blocks`] holds at most.
const LARGEST_BLOCKS: usize = 5;

/// Sorts the records into the blocks of every rule, and counts their pairs without storing one.
///
/// A block with more than `block_pairs_max` pairs is split by further columns; what is still too large is left out. Both are counted.
/// Every column of `rules` must be in `records`. O(n log n) a rule, and one integer comparison a pair and earlier rule for `pairs_new`.
#[must_use]
pub fn block(rules: &[BlockingRule], block_pairs_max: u64, records: &CodedRecords) -> (Blocks, Vec<RuleCounts>) {
    let mut blocks = Blocks::default();
    let mut counts = Vec::with_capacity(rules.len());
    for rule in rules {
        let mut keys = key::keys(rule, records);
        let with_key = keys.iter().filter(|&&key| key != NULL_CODE).count() as u64;
        let refined = if rule.coarse {
            refine::keep_small(coarse_pairs_max(records.len()), &mut keys)
        } else {
            refine::refine(rule, block_pairs_max, records, &mut keys)
        };
        let rule_blocks = sort_into_blocks(keys);
        counts.push(RuleCounts {
            rule: rule.name.clone(),
            records: with_key,
            blocks: rule_blocks.len() as u64,
            pairs: rule_blocks.pairs(),
            pairs_new: pairs_new(&rule_blocks, &blocks.rules),
            largest_blocks: largest(&rule_blocks),
            blocks_refined: refined.blocks_refined,
            blocks_left_out: refined.blocks_left_out,
            pairs_left_out: refined.pairs_before - rule_blocks.pairs(),
        });
        blocks.rules.push(rule_blocks);
    }
    (blocks, counts)
}

/// Most pairs of a coarse rule: in proportion to the records, so that a run stays linear; small data can afford all of them.
fn coarse_pairs_max(records: u32) -> u64 {
    (COARSE_PAIRS_A_RECORD * u64::from(records)).max(COARSE_PAIRS_MIN)
}

/// Counting sort by key; keys of a single record stay in `key_of` but get no block.
fn sort_into_blocks(key_of: Vec<u32>) -> RuleBlocks {
    let sizes = key::sizes(&key_of);
    let mut starts = vec![0];
    let mut next_of = vec![NULL_CODE; sizes.len()];
    let mut total = 0_u32;
    for (next, &size) in next_of.iter_mut().zip(&sizes) {
        if size > 1 {
            *next = total;
            total += size;
            starts.push(total);
        }
    }
    let mut order = vec![0; total as usize];
    for (record, &key) in (0_u32..).zip(&key_of) {
        if key != NULL_CODE {
            let next = &mut next_of[key as usize];
            if *next != NULL_CODE {
                order[*next as usize] = record;
                *next += 1;
            }
        }
    }
    RuleBlocks { order, starts, key_of }
}

fn pairs_new(blocks: &RuleBlocks, earlier: &[RuleBlocks]) -> u64 {
    if earlier.is_empty() {
        return blocks.pairs();
    }
    tiles(blocks)
        .par_iter()
        .map_init(RowScratch::default, |scratch, tile| {
            let mut pairs = 0;
            for_each_row(blocks, earlier, tile, scratch, |_, rights| pairs += rights.len() as u64);
            pairs
        })
        .sum()
}

fn largest(blocks: &RuleBlocks) -> Vec<u64> {
    let mut sizes: Vec<u64> = blocks.starts.windows(2).map(|window| u64::from(window[1] - window[0])).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    sizes.truncate(LARGEST_BLOCKS);
    sizes
}

/// Whether a block of so many records is too large.
fn too_large(records: u32, block_pairs_max: u64) -> bool {
    pairs_of(u64::from(records)) > block_pairs_max
}
