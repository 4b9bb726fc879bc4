//! Stage `block`: sorts records into blocks by the keys of each rule, and counts their pairs exactly before one is made.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::spec::BlockingRule;
use crate::table::{Blocks, CodedRecords};

/// What a rule costs, known before a pair is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleCounts {
    /// Name of the rule.
    pub rule: String,
    /// Records with a key.
    pub records: u64,
    /// Blocks of two or more records.
    pub blocks: u64,
    /// Pairs inside the blocks.
    pub pairs: u64,
    /// Pairs that no earlier rule gives.
    pub pairs_new: u64,
    /// Sizes of the largest blocks, at most five, descending.
    pub largest_blocks: Vec<u64>,
    /// Blocks left out because they hold more pairs than allowed, and their pairs.
    pub blocks_left_out: u64,
    /// Pairs of the blocks left out.
    pub pairs_left_out: u64,
}

/// Sorts the records into the blocks of every rule.
#[must_use]
pub fn block(_rules: &[BlockingRule], _block_pairs_max: u64, _records: &CodedRecords) -> (Blocks, Vec<RuleCounts>) {
    todo!()
}
