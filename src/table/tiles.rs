//! Walks the pairs of blocks row by row, in pieces of bounded work, so that neither a pair nor a large block is ever held as a whole.

use std::ops::Range;

use rayon::prelude::*;

use super::coded::CodedRecords;
use super::ids::RecordIx;
use super::pairs::{BATCH_PAIRS, Blocks, Candidate, Pair, RuleBlocks, RuleIx, pairs_of};
use super::shared::Earlier;

/// A piece of a rule's pairs: every pair whose first record stands at one of `positions` in [`RuleBlocks::order`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// The block that holds the first position.
    block: usize,
    /// Positions of the first records.
    positions: Range<usize>,
}

/// Pairs after which a tile ends. Small enough to balance two threads over a single block, large enough to forget the overhead.
pub const TILE_PAIRS: u64 = 1 << 16;

/// Cuts the pairs of a rule into tiles of about [`TILE_PAIRS`] pairs; together they hold every pair once, in the order of `order`.
#[must_use]
pub fn tiles(blocks: &RuleBlocks) -> Vec<Tile> {
    let mut tiles = Vec::new();
    let mut pairs = 0_u64;
    let (mut first_block, mut first) = (0, blocks.starts.first().map_or(0, |&start| start as usize));
    let mut end_tile = |pairs: &mut u64, next_block: usize, next: usize| {
        if *pairs > 0 {
            tiles.push(Tile {
                block: first_block,
                positions: first..next,
            });
        }
        (first_block, first, *pairs) = (next_block, next, 0);
    };
    for (block, bounds) in blocks.starts.windows(2).enumerate() {
        let (start, end) = (bounds[0] as usize, bounds[1] as usize);
        let of_block = pairs_of((end - start) as u64);
        if of_block <= TILE_PAIRS {
            pairs += of_block;
            if pairs >= TILE_PAIRS {
                end_tile(&mut pairs, block + 1, end);
            }
            continue;
        }
        for position in start..end {
            pairs += (end - position - 1) as u64;
            if pairs >= TILE_PAIRS {
                end_tile(&mut pairs, block, position + 1);
            }
        }
    }
    end_tile(&mut pairs, 0, blocks.order.len());
    tiles
}

/// The tiles of all rules, in the order of the rules.
#[must_use]
pub fn tiles_of_all(blocks: &Blocks) -> Vec<(RuleIx, Tile)> {
    let rules: Vec<Vec<(RuleIx, Tile)>> = blocks
        .rules
        .par_iter()
        .enumerate()
        .map(|(rule, blocks)| {
            let rule = RuleIx(u16::try_from(rule).expect("there are at most 64 rules"));
            tiles(blocks).into_iter().map(|tile| (rule, tile)).collect()
        })
        .collect();
    rules.into_iter().flatten().collect()
}

/// Calls `row` with each left record of a tile and the records right of it in its block, which are larger.
pub fn for_each_row(blocks: &RuleBlocks, tile: &Tile, mut row: impl FnMut(RecordIx, &[u32])) {
    let mut block = tile.block;
    let mut position = tile.positions.start;
    while position < tile.positions.end {
        while blocks.starts[block + 1] as usize <= position {
            block += 1;
        }
        let end = blocks.starts[block + 1] as usize;
        let records = &blocks.order[position..end];
        for left in 0..(tile.positions.end.min(end) - position).min(records.len() - 1) {
            row(RecordIx(records[left]), &records[left + 1..]);
        }
        position = end.min(tile.positions.end);
    }
}

/// Collects the pairs of rows into lists of [`BATCH_PAIRS`], looks at their codes, and leaves out what an earlier rule pairs.
#[derive(Debug)]
pub struct CandidateBatch<'a> {
    records: &'a CodedRecords,
    earlier: Option<Earlier<'a>>,
    pairs: Vec<Pair>,
    candidates: Vec<Candidate>,
}

impl<'a> CandidateBatch<'a> {
    /// An empty list. With `rule`, pairs that a rule before it gives are left out.
    #[must_use]
    pub fn new(records: &'a CodedRecords, rule: Option<(&'a Blocks, RuleIx)>) -> Self {
        Self {
            records,
            earlier: rule.map(|(blocks, rule)| Earlier::new(&blocks.shared, rule)),
            pairs: Vec::with_capacity(BATCH_PAIRS),
            candidates: Vec::with_capacity(BATCH_PAIRS),
        }
    }

    /// Adds the pairs of a row, and gives every full list to `full`.
    pub fn add(&mut self, left: RecordIx, mut rights: &[u32], mut full: impl FnMut(&[Candidate])) {
        while !rights.is_empty() {
            let (now, later) = rights.split_at(rights.len().min(BATCH_PAIRS - self.pairs.len()));
            self.pairs.extend(now.iter().map(|&right| Pair {
                left,
                right: RecordIx(right),
            }));
            rights = later;
            if self.pairs.len() == BATCH_PAIRS {
                self.end(&mut full);
            }
        }
    }

    /// Gives the pairs that are left to `full`.
    pub fn end(&mut self, full: impl FnOnce(&[Candidate])) {
        let Self {
            records,
            earlier,
            pairs,
            candidates,
        } = self;
        let both = pairs.iter().flat_map(|pair| [pair.left, pair.right]);
        records.fetch(both.clone());
        if let Some(earlier) = earlier {
            earlier.fetch(both);
        }
        candidates.clear();
        candidates.extend(pairs.iter().map(|pair| records.candidate(pair.left, pair.right)));
        pairs.clear();
        if let Some(earlier) = earlier {
            candidates.retain(|candidate| !earlier.pairs(candidate, records));
        }
        if !candidates.is_empty() {
            full(candidates);
        }
    }
}
