//! Stage `block`: sorts records into blocks by the keys of each rule, and counts their pairs exactly before one is made.

mod group;
mod key;
mod refine;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::spec::{BlockingRule, KeyPart};
use crate::table::pairs::{RuleBlocks, pairs_of};
use crate::table::shared::{Prefixes, SharedBlocks, SharedKey};
use crate::table::tiles::{CandidateBatch, for_each_row, tiles_of_all};
use crate::table::{Blocks, Candidate, CodedRecords, NULL_CODE, RuleIx};
use group::{Buffers, Grouped, Part, Wanted};
use refine::Refined;

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
    /// Pairs that no earlier rule gives; 0 until they are counted.
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
pub const COARSE_PAIRS_A_RECORD: f64 = 0.25;
/// Pairs that a coarse rule may give however few records there are.
pub const COARSE_PAIRS_MIN: u64 = 250_000;

/// How many sizes [`RuleCounts::largest_blocks`] holds at most.
const LARGEST_BLOCKS: usize = 5;

/// Sorts the records into the blocks of every rule. Not a pair is made: [`RuleCounts::pairs_new`] stays 0 until [`count_new`], or the
/// stage that streams the pairs, has counted them.
///
/// A block with more than `block_pairs_max` pairs is split by further columns; what is still too large is left out. Both are counted.
/// Every column of `rules` must be in `records`; at most [`crate::table::shared::RULES_MAX`] rules. O(n log n) a rule.
#[must_use]
pub fn block(rules: &[BlockingRule], block_pairs_max: u64, records: &CodedRecords) -> (Blocks, Vec<RuleCounts>) {
    let prefixes = Prefixed::of(rules, records);
    let sorted: Vec<(RuleBlocks, SharedKey, RuleCounts)> = rules
        .par_iter()
        .map_init(Buffers::default, |buffers, rule| {
            sort(rule, block_pairs_max, (records, &prefixes), buffers)
        })
        .collect();
    let mut blocks = Vec::with_capacity(rules.len());
    let mut keys = Vec::with_capacity(rules.len());
    let mut counts = Vec::with_capacity(rules.len());
    for (rule_blocks, key, rule_counts) in sorted {
        blocks.push(rule_blocks);
        keys.push(key);
        counts.push(rule_counts);
    }
    let shared = SharedBlocks::new(keys, prefixes.codes, &blocks, records.len());
    (Blocks { rules: blocks, shared }, counts)
}

/// Counts the pairs of each rule that no earlier rule gives. One comparison of integers a pair and earlier rule.
pub fn count_new(blocks: &Blocks, records: &CodedRecords, counts: &mut [RuleCounts]) {
    let pairs: Vec<(RuleIx, u64)> = tiles_of_all(blocks)
        .par_iter()
        .map(|(rule, tile)| {
            let mut pairs = 0;
            let mut batch = CandidateBatch::new(records, Some((blocks, *rule)));
            let mut count = |candidates: &[Candidate]| pairs += candidates.len() as u64;
            for_each_row(&blocks.rules[usize::from(rule.0)], tile, |left, rights| {
                batch.add(left, rights, &mut count);
            });
            batch.end(count);
            (*rule, pairs)
        })
        .collect();
    counts.iter_mut().for_each(|counts| counts.pairs_new = 0);
    for (rule, pairs) in pairs {
        counts[usize::from(rule.0)].pairs_new += pairs;
    }
}

/// The blocks of one rule, its key in terms of codes, and its counts.
fn sort(
    rule: &BlockingRule,
    block_pairs_max: u64,
    (records, prefixes): (&CodedRecords, &Prefixed),
    buffers: &mut Buffers,
) -> (RuleBlocks, SharedKey, RuleCounts) {
    let parts: Vec<Part<'_>> = rule.keys.iter().map(|key| prefixes.part(key, records)).collect();
    let wanted = if rule.coarse {
        Wanted::Small {
            pairs_max: coarse_pairs_max(records.len()),
        }
    } else {
        Wanted::All
    };
    let mut key = prefixes.key(rule, records);
    let fits = group::fits(&parts, records.len() as usize);
    let grouped = if fits {
        group::group(&parts, records.len() as usize, wanted, buffers)
    } else {
        Grouped::default()
    };
    let is_done = fits && (rule.coarse || !too_large(grouped.largest, block_pairs_max));
    let mut with_key = grouped.records;
    let (blocks, refined) = if is_done {
        let refined = Refined {
            blocks_refined: 0,
            blocks_left_out: grouped.blocks_left_out,
            pairs_before: grouped.pairs_before,
        };
        (grouped.blocks, refined)
    } else {
        let mut keys = key::keys(rule, records);
        with_key = keys.iter().filter(|&&key| key != NULL_CODE).count() as u64;
        let refined = match wanted {
            Wanted::Small { pairs_max } => refine::keep_small(pairs_max, &mut keys),
            Wanted::All => refine::refine(rule, block_pairs_max, records, &mut keys),
        };
        let blocks = sort_into_blocks(&keys);
        key.key_of = Some(keys);
        (blocks, refined)
    };
    let counts = RuleCounts {
        rule: rule.name.clone(),
        records: with_key,
        blocks: blocks.len() as u64,
        pairs: blocks.pairs(),
        pairs_new: 0,
        largest_blocks: largest(&blocks),
        blocks_refined: refined.blocks_refined,
        blocks_left_out: refined.blocks_left_out,
        pairs_left_out: refined.pairs_before - blocks.pairs(),
    };
    (blocks, key, counts)
}

/// The prefixes that rules read, each once.
struct Prefixed {
    parts: Vec<KeyPart>,
    codes: Vec<Prefixes>,
}

impl Prefixed {
    fn of(rules: &[BlockingRule], records: &CodedRecords) -> Self {
        let mut parts: Vec<KeyPart> = rules
            .iter()
            .flat_map(|rule| &rule.keys)
            .filter(|key| key.prefix.is_some())
            .cloned()
            .collect();
        parts.sort();
        parts.dedup();
        let codes = parts.par_iter().map(|part| key::prefixes(part, records)).collect();
        Self { parts, codes }
    }

    fn part<'a>(&'a self, key: &KeyPart, records: &'a CodedRecords) -> Part<'a> {
        let at = self.parts.iter().position(|part| part == key);
        Part {
            column: key::column(records, &key.column),
            of_value: at.map(|at| self.codes[at].of_value.as_slice()),
        }
    }

    fn key(&self, rule: &BlockingRule, records: &CodedRecords) -> SharedKey {
        let mut shared = SharedKey::default();
        for key in &rule.keys {
            match self.parts.iter().position(|part| part == key) {
                Some(at) => shared.prefixes.push(at),
                None => shared.whole |= 1 << key::position(records, &key.column),
            }
        }
        shared
    }
}

/// Most pairs of a coarse rule: in proportion to the records, so that a run stays linear; small data can afford all of them.
fn coarse_pairs_max(records: u32) -> u64 {
    ((COARSE_PAIRS_A_RECORD * f64::from(records)) as u64).max(COARSE_PAIRS_MIN)
}

/// Counting sort by key; keys of a single record get no block.
fn sort_into_blocks(key_of: &[u32]) -> RuleBlocks {
    let sizes = key::sizes(key_of);
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
    for (record, &key) in (0_u32..).zip(key_of) {
        if key != NULL_CODE {
            let next = &mut next_of[key as usize];
            if *next != NULL_CODE {
                order[*next as usize] = record;
                *next += 1;
            }
        }
    }
    RuleBlocks { order, starts }
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
