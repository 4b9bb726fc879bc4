//! Candidate pairs without the pairs: records sorted into blocks, from which pairs are streamed.

use super::bounds::{Finished, WeightBounds};
use super::coded::CodedRecords;
use super::ids::RecordIx;
use super::shared::{Earlier, SharedBlocks};

/// Position of a blocking rule in the specification, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleIx(pub u16);

/// The levels of all comparisons of one pair, 4 bits a comparison: 0 = null, 1 = else, 2 … = the levels above it.
///
/// In Splink's terms a nibble is `gamma + 1`. The first comparison stands in the lowest bits. At most 16 comparisons of at most 14
/// non-null levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Pattern(pub u64);

impl Pattern {
    /// The most comparisons a pattern can hold.
    pub const COMPARISONS_MAX: usize = 16;
    /// The most non-null levels of a comparison, the else level included.
    pub const LEVELS_MAX: usize = 14;

    /// Level of a comparison: 0 = null, 1 = else, 2 … = the levels above it, the most specific highest.
    #[must_use]
    pub fn level(self, comparison: usize) -> u8 {
        u8::try_from((self.0 >> (4 * comparison)) & 0xF).expect("four bits fit a byte")
    }

    /// This pattern with the level of one comparison set; that comparison must still be 0.
    #[must_use]
    pub fn with(self, comparison: usize, level: u8) -> Self {
        debug_assert_eq!(self.level(comparison), 0, "a level is set once");
        Self(self.0 | (u64::from(level) << (4 * comparison)))
    }

    /// This pattern with the level of one comparison replaced.
    #[must_use]
    pub fn raised(self, comparison: usize, level: u8) -> Self {
        Self((self.0 & !(0xF << (4 * comparison))) | (u64::from(level) << (4 * comparison)))
    }
}

/// Two records to compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    /// The smaller record, where the pair comes from a block.
    pub left: RecordIx,
    /// The other one.
    pub right: RecordIx,
}

/// Two records to compare, and what their codes say: one bit a column of [`super::CodedRecords`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The records.
    pub pair: Pair,
    /// Columns of which both hold the same value.
    pub equal: u64,
    /// Columns of which one of them holds no value.
    pub missing: u64,
}

/// Pairs that are compared at a time: enough to look at one column after the other, few enough for what is looked at to stay in the cache.
pub const BATCH_PAIRS: usize = 1024;

/// Gives the levels of pairs, many at a time: what `score` needs of `compare` without knowing it.
///
/// Symmetric: the pattern of (a, b) is the pattern of (b, a). Pairs of the same left record should follow each other: they share the
/// preparation of its values.
pub trait PairPatterns: Sync {
    /// What one thread keeps between calls: buffers and caches that never change a result.
    type Scratch: Send;

    /// A fresh scratch for one thread.
    fn scratch(&self) -> Self::Scratch;

    /// Replaces `patterns` by the levels of `pairs`, in their order. Best with about [`BATCH_PAIRS`] pairs.
    fn patterns(&self, scratch: &mut Self::Scratch, pairs: &[Candidate], patterns: &mut Vec<Pattern>);

    /// Replaces `finished` by the pairs whose weight may reach the least weight of `bounds`, in their order. A pair that is missing has a
    /// smaller weight for certain; one that is there may have.
    fn patterns_above(&self, scratch: &mut Self::Scratch, pairs: &[Candidate], bounds: &WeightBounds<'_>, finished: &mut Vec<Finished>) {
        let _ = bounds;
        let mut patterns = Vec::new();
        self.patterns(scratch, pairs, &mut patterns);
        finished.clear();
        finished.extend((0..).zip(patterns).map(|(position, pattern)| Finished { position, pattern }));
    }
}

/// The blocks of one rule: block `b` is `order[starts[b]..starts[b + 1]]`. Blocks of one record are left out.
#[derive(Debug, Clone, Default)]
pub struct RuleBlocks {
    /// Record positions, sorted by key, then by record.
    pub order: Vec<u32>,
    /// Start of each block in `order`, and its length at the end: one more entry than blocks.
    pub starts: Vec<u32>,
}

impl RuleBlocks {
    /// Number of blocks of two or more records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Whether no block has two records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The records of a block, ascending.
    #[must_use]
    pub fn block(&self, block: usize) -> &[u32] {
        &self.order[self.starts[block] as usize..self.starts[block + 1] as usize]
    }

    /// Pairs inside all blocks, before pairs that an earlier rule found are left out: Σ n(n − 1)/2.
    #[must_use]
    pub fn pairs(&self) -> u64 {
        self.starts
            .windows(2)
            .map(|window| pairs_of(u64::from(window[1] - window[0])))
            .sum()
    }
}

/// n(n − 1)/2.
#[must_use]
pub fn pairs_of(records: u64) -> u64 {
    records * records.saturating_sub(1) / 2
}

/// The blocks of every rule, in the order of the rules. A pair belongs to the first rule under which both records share a block.
#[derive(Debug, Clone, Default)]
pub struct Blocks {
    /// One entry a blocking rule.
    pub rules: Vec<RuleBlocks>,
    /// What decides whether a rule pairs two records, without looking for them in its blocks.
    pub shared: SharedBlocks,
}

impl Blocks {
    /// Whether an earlier rule than `rule` already pairs these records.
    #[must_use]
    pub fn found_before(&self, rule: RuleIx, candidate: &Candidate, records: &CodedRecords) -> bool {
        Earlier::new(&self.shared, rule).pairs(candidate, records)
    }
}
