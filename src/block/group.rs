//! Sorts records into blocks. Keys are packed into one integer, records that are alone with theirs leave before anything is sorted.

use crate::table::pairs::{RuleBlocks, pairs_of};
use crate::table::{Coded, NULL_CODE};

/// One part of a key: a column's codes, or those of its prefixes.
pub(super) struct Part<'a> {
    pub(super) column: &'a Coded,
    /// Prefix of each value, if the part is one.
    pub(super) of_value: Option<&'a [u32]>,
}

/// Which blocks of a rule are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted {
    All,
    /// The smallest whose pairs together are at most so many; blocks of one size are kept or left out together.
    Small { pairs_max: u64 },
}

/// The blocks of a rule, and what was left out.
#[derive(Debug, Default)]
pub(super) struct Grouped {
    pub(super) blocks: RuleBlocks,
    /// Records with a key.
    pub(super) records: u64,
    pub(super) blocks_left_out: u64,
    /// Pairs of all blocks, those left out included.
    pub(super) pairs_before: u64,
    /// Records of the largest block of all.
    pub(super) largest: u32,
}

impl Part<'_> {
    fn code(&self, record: usize) -> Option<u64> {
        let code = self.column.codes()[record];
        (code != NULL_CODE).then(|| u64::from(self.of_value.map_or(code, |of_value| of_value[code as usize])))
    }

    /// Bits that its largest code needs.
    fn bits(&self) -> u32 {
        let largest = self.of_value.map_or_else(
            || u32::try_from(self.column.counts().len().saturating_sub(1)).unwrap_or(u32::MAX),
            |of_value| of_value.last().copied().unwrap_or(0),
        );
        u32::BITS - largest.leading_zeros()
    }
}

/// Whether the key of these parts fits one integer.
pub(super) fn fits(parts: &[Part<'_>]) -> bool {
    !parts.is_empty() && parts.iter().map(Part::bits).sum::<u32>() <= u64::BITS
}

/// Blocks sorted by key, the first part counting most. The parts must fit.
pub(super) fn group(parts: &[Part<'_>], records: usize, wanted: Wanted) -> Grouped {
    let bits: Vec<u32> = parts.iter().map(Part::bits).collect();
    let key = |record: usize| {
        parts.iter().zip(&bits).try_fold(0_u64, |key, (part, &bits)| {
            let shifted = if bits < u64::BITS { key << bits } else { 0 };
            Some(shifted | part.code(record)?)
        })
    };
    let counters = Counters::new(records);
    let (counters, with_key) = counters.fill((0..records).filter_map(key));
    let mut entries: Vec<(u64, u32)> = (0_u32..)
        .take(records)
        .filter_map(|record| Some((key(record as usize)?, record)))
        .filter(|(key, _)| counters.may_repeat(*key))
        .collect();
    drop(counters);
    entries.sort_unstable();
    let mut grouped = keep(&entries, wanted);
    grouped.records = with_key;
    grouped
}

/// Blocks of two or more records from sorted entries.
fn keep(entries: &[(u64, u32)], wanted: Wanted) -> Grouped {
    let runs = || entries.chunk_by(|a, b| a.0 == b.0).filter(|run| run.len() > 1);
    let size_of = |run: &[(u64, u32)]| u32::try_from(run.len()).expect("records are numbered by u32");
    let mut grouped = Grouped::default();
    let size_max = match wanted {
        Wanted::All => u32::MAX,
        Wanted::Small { pairs_max } => size_max(runs().map(size_of), pairs_max),
    };
    grouped.blocks.starts.push(0);
    for run in runs() {
        let size = size_of(run);
        grouped.pairs_before += pairs_of(u64::from(size));
        grouped.largest = grouped.largest.max(size);
        if size > size_max {
            grouped.blocks_left_out += 1;
            continue;
        }
        grouped.blocks.order.extend(run.iter().map(|(_, record)| record));
        let end = u32::try_from(grouped.blocks.order.len()).expect("records are numbered by u32");
        grouped.blocks.starts.push(end);
    }
    grouped.blocks.order.shrink_to_fit();
    grouped.blocks.starts.shrink_to_fit();
    grouped
}

/// The size up to which blocks together have at most `pairs_max` pairs.
fn size_max(sizes: impl Iterator<Item = u32>, pairs_max: u64) -> u32 {
    let mut blocks_of_size: std::collections::BTreeMap<u32, u64> = std::collections::BTreeMap::new();
    for size in sizes {
        *blocks_of_size.entry(size).or_default() += 1;
    }
    let (mut pairs, mut size_max) = (0, 0);
    for (size, blocks) in blocks_of_size {
        pairs += pairs_of(u64::from(size)) * blocks;
        if pairs > pairs_max {
            break;
        }
        size_max = size;
    }
    size_max
}

/// Counts keys by a hash, up to two: a key whose counter stands at one belongs to a single record.
struct Counters {
    shift: u32,
    seen: Vec<u8>,
}

impl Counters {
    fn new(records: usize) -> Self {
        let bits = (usize::BITS - records.leading_zeros() + 2).clamp(8, 26);
        Self {
            shift: u64::BITS - bits,
            seen: vec![0; 1 << bits],
        }
    }

    fn at(&self, key: u64) -> usize {
        usize::try_from(key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift).expect("at most 26 bits are left")
    }

    /// With all keys counted, and their number.
    fn fill(mut self, keys: impl Iterator<Item = u64>) -> (Self, u64) {
        let mut count = 0;
        for key in keys {
            count += 1;
            let at = self.at(key);
            self.seen[at] = (self.seen[at] + 1).min(2);
        }
        (self, count)
    }

    fn may_repeat(&self, key: u64) -> bool {
        self.seen[self.at(key)] > 1
    }
}
