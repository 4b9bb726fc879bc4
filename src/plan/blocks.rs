//! The largest blocks of every rule with masked keys: which value would cost the most, told without telling whose it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::block::{self, RuleCounts};
use crate::config::spec::{BlockingRule, IdentitySpec};
use crate::table::pairs::{RuleBlocks, pairs_of};
use crate::table::{Blocks, CodedRecords, RecordIx};
use crate::text::mask::mask;

/// How many blocks a rule shows.
const BLOCKS: usize = 3;

/// Records that agree on all keys of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedBlock {
    /// Rule.
    pub rule: String,
    /// Whether it is a deterministic rule, whose blocks are linked, not compared.
    pub is_deterministic: bool,
    /// What the records agree on: one value a key part, masked.
    pub key: Vec<String>,
    /// Records.
    pub records: u64,
    /// Pairs among them.
    pub pairs: u64,
}

/// The largest blocks of every rule, at most three, as they are before the skew guard splits any or leaves any out. `blocks` and `counts`
/// are those of the blocking rules: a rule whose blocks the guard did not touch is not sorted again.
#[must_use]
pub fn largest_blocks(spec: &IdentitySpec, records: &CodedRecords, blocks: &Blocks, counts: &[RuleCounts]) -> Vec<PlannedBlock> {
    let mut found = Vec::new();
    for (rule, (blocks, counts)) in spec.blocking.iter().zip(blocks.rules.iter().zip(counts)) {
        if counts.blocks_refined == 0 && counts.blocks_left_out == 0 {
            found.extend(largest(rule, records, blocks));
        } else {
            found.extend(largest(rule, records, &whole(rule, records)));
        }
    }
    for rule in &spec.deterministic {
        let blocks = largest(rule, records, &whole(rule, records));
        found.extend(blocks.into_iter().map(|block| PlannedBlock {
            is_deterministic: true,
            ..block
        }));
    }
    found
}

/// The blocks of a rule as if there were no guard.
fn whole(rule: &BlockingRule, records: &CodedRecords) -> RuleBlocks {
    let rule = BlockingRule {
        coarse: false,
        ..rule.clone()
    };
    let (mut blocks, _) = block::block(&[rule], u64::MAX, records);
    blocks.rules.pop().expect("one rule gives the blocks of one rule")
}

fn largest(rule: &BlockingRule, records: &CodedRecords, blocks: &RuleBlocks) -> Vec<PlannedBlock> {
    let mut sizes: Vec<(u32, usize)> = (0..blocks.len())
        .map(|block| (blocks.starts[block + 1] - blocks.starts[block], block))
        .collect();
    let order = |a: &(u32, usize), b: &(u32, usize)| b.0.cmp(&a.0).then(a.1.cmp(&b.1));
    if sizes.len() > BLOCKS {
        sizes.select_nth_unstable_by(BLOCKS - 1, order);
        sizes.truncate(BLOCKS);
    }
    sizes.sort_unstable_by(order);
    let block_of = |(size, block): (u32, usize)| {
        let first = RecordIx(blocks.block(block)[0]);
        let value = |part: &crate::config::spec::KeyPart| {
            let value = records
                .column(&part.column)
                .and_then(|column| column.value(first))
                .unwrap_or_default();
            let length = part.prefix.map_or(usize::MAX, |prefix| prefix as usize);
            mask(&value.chars().take(length).collect::<String>())
        };
        PlannedBlock {
            rule: rule.name.clone(),
            is_deterministic: false,
            key: rule.keys.iter().map(value).collect(),
            records: u64::from(size),
            pairs: pairs_of(u64::from(size)),
        }
    };
    sizes.into_iter().map(block_of).collect()
}
