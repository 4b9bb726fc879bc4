//! Walks the pairs of blocks row by row, in pieces of bounded work, so that neither a pair nor a large block is ever held as a whole.

use std::ops::Range;

use super::coded::NULL_CODE;
use super::ids::RecordIx;
use super::pairs::{BATCH_PAIRS, Pair, RuleBlocks};

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

/// Buffers of one thread for [`for_each_row`].
#[derive(Debug, Default)]
pub struct RowScratch {
    keys: Vec<Vec<u32>>,
    found: Vec<u32>,
    rights: Vec<u32>,
}

/// Cuts the pairs of a rule into tiles of about [`TILE_PAIRS`] pairs; together they hold every pair once, in the order of `order`.
#[must_use]
pub fn tiles(blocks: &RuleBlocks) -> Vec<Tile> {
    let mut tiles = Vec::new();
    let mut pairs = 0_u64;
    let (mut first_block, mut first) = (0, blocks.starts.first().map_or(0, |&start| start as usize));
    for block in 0..blocks.len() {
        let end = blocks.starts[block + 1] as usize;
        for position in blocks.starts[block] as usize..end {
            if pairs == 0 {
                first_block = block;
                first = position;
            }
            pairs += (end - position - 1) as u64;
            if pairs >= TILE_PAIRS {
                tiles.push(Tile {
                    block: first_block,
                    positions: first..position + 1,
                });
                pairs = 0;
            }
        }
    }
    if pairs > 0 {
        tiles.push(Tile {
            block: first_block,
            positions: first..blocks.order.len(),
        });
    }
    tiles
}

/// Calls `row` with each left record of a tile and the records right of it in its block that no rule of `earlier` pairs with it.
/// Rows without such a record are left out. Left records are smaller than their right ones.
pub fn for_each_row(
    blocks: &RuleBlocks,
    earlier: &[RuleBlocks],
    tile: &Tile,
    scratch: &mut RowScratch,
    mut row: impl FnMut(RecordIx, &[u32]),
) {
    scratch.keys.resize_with(earlier.len(), Vec::new);
    let mut block = tile.block;
    let mut position = tile.positions.start;
    while position < tile.positions.end {
        while blocks.starts[block + 1] as usize <= position {
            block += 1;
        }
        let end = blocks.starts[block + 1] as usize;
        let records = &blocks.order[position..end];
        let rows = tile.positions.end.min(end) - position;
        if earlier.is_empty() {
            for left in 0..rows {
                call(&mut row, records[left], &records[left + 1..]);
            }
        } else if records.len() <= SMALL_BLOCK {
            rows_of_small_block(earlier, records, rows, scratch, &mut row);
        } else {
            rows_not_found_before(earlier, records, rows, scratch, &mut row);
        }
        position += rows;
    }
}

/// Collects the pairs of rows into lists of [`BATCH_PAIRS`].
#[derive(Debug, Default)]
pub struct PairBatch {
    pairs: Vec<Pair>,
}

impl PairBatch {
    /// Adds the pairs of a row, and gives every full list to `full`.
    pub fn add(&mut self, left: RecordIx, mut rights: &[u32], mut full: impl FnMut(&[Pair])) {
        while !rights.is_empty() {
            let (now, later) = rights.split_at(rights.len().min(BATCH_PAIRS - self.pairs.len()));
            self.pairs.extend(now.iter().map(|&right| Pair {
                left,
                right: RecordIx(right),
            }));
            rights = later;
            if self.pairs.len() == BATCH_PAIRS {
                full(&self.pairs);
                self.pairs.clear();
            }
        }
    }

    /// Gives the pairs that are left to `full`.
    pub fn end(&mut self, mut full: impl FnMut(&[Pair])) {
        if !self.pairs.is_empty() {
            full(&self.pairs);
            self.pairs.clear();
        }
    }
}

fn call(row: &mut impl FnMut(RecordIx, &[u32]), left: u32, rights: &[u32]) {
    if !rights.is_empty() {
        row(RecordIx(left), rights);
    }
}

/// Records up to which a block is not worth gathering keys for: most of its pairs are found by one of the first rules.
const SMALL_BLOCK: usize = 6;

fn rows_of_small_block(
    earlier: &[RuleBlocks],
    records: &[u32],
    rows: usize,
    scratch: &mut RowScratch,
    row: &mut impl FnMut(RecordIx, &[u32]),
) {
    for left in 0..rows {
        scratch.rights.clear();
        for &right in &records[left + 1..] {
            let is_found = earlier.iter().any(|rule| {
                let key = rule.key_of[records[left] as usize];
                key != NULL_CODE && key == rule.key_of[right as usize]
            });
            if !is_found {
                scratch.rights.push(right);
            }
        }
        call(row, records[left], &scratch.rights);
    }
}

/// Compares the keys of earlier rules as integers, gathered once a block so that the inner loop is a straight run over memory.
fn rows_not_found_before(
    earlier: &[RuleBlocks],
    records: &[u32],
    rows: usize,
    scratch: &mut RowScratch,
    row: &mut impl FnMut(RecordIx, &[u32]),
) {
    for (keys, rule) in scratch.keys.iter_mut().zip(earlier) {
        keys.clear();
        keys.extend(records.iter().map(|&record| rule.key_of[record as usize]));
    }
    scratch.rights.resize(records.len(), 0);
    for left in 0..rows {
        let rights = &records[left + 1..];
        scratch.found.clear();
        scratch.found.resize(rights.len(), 0);
        for keys in &scratch.keys {
            let key = keys[left];
            if key != NULL_CODE {
                for (found, &other) in scratch.found.iter_mut().zip(&keys[left + 1..]) {
                    *found |= u32::from(other == key);
                }
            }
        }
        let mut fresh = 0;
        for (&found, &right) in scratch.found.iter().zip(rights) {
            scratch.rights[fresh] = right;
            fresh += usize::from(found == 0);
        }
        call(row, records[left], &scratch.rights[..fresh]);
    }
}
