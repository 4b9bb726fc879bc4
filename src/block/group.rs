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
    Small {
        pairs_max: u64,
    },
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
    /// Bits that its largest code needs.
    fn bits(&self) -> u32 {
        let largest = self.of_value.map_or_else(
            || u32::try_from(self.column.counts().len().saturating_sub(1)).unwrap_or(u32::MAX),
            |of_value| of_value.last().copied().unwrap_or(0),
        );
        u32::BITS - largest.leading_zeros()
    }

    /// Appends the part to the keys of all records; a record without it has no key.
    fn append(&self, keys: &mut [u64]) {
        let bits = self.bits();
        let codes = self.column.codes();
        let shifted = |key: u64| if bits < u64::BITS { key << bits } else { 0 };
        match self.of_value {
            None => {
                for (key, &code) in keys.iter_mut().zip(codes) {
                    let is_none = *key == NO_KEY || code == NULL_CODE;
                    *key = if is_none { NO_KEY } else { shifted(*key) | u64::from(code) };
                }
            }
            Some(of_value) => {
                for (key, &code) in keys.iter_mut().zip(codes) {
                    let is_none = *key == NO_KEY || code == NULL_CODE;
                    *key = if is_none {
                        NO_KEY
                    } else {
                        shifted(*key) | u64::from(of_value[code as usize])
                    };
                }
            }
        }
    }
}

/// The key of a record that lacks a part. Keys share an integer with a record, so none is so large.
const NO_KEY: u64 = u64::MAX;

/// Bits of a record's number.
fn record_bits(records: usize) -> u32 {
    (usize::BITS - records.leading_zeros()).max(1)
}

/// Whether the key of these parts fits one integer together with a record.
pub(super) fn fits(parts: &[Part<'_>], records: usize) -> bool {
    !parts.is_empty() && parts.iter().map(Part::bits).sum::<u32>() + record_bits(records) <= u64::BITS
}

/// Blocks sorted by key, the first part counting most. The parts must fit.
pub(super) fn group(parts: &[Part<'_>], records: usize, wanted: Wanted, buffers: &mut Buffers) -> Grouped {
    let Buffers {
        keys,
        repeats,
        entries,
        sorted,
    } = buffers;
    keys.clear();
    keys.resize(records, 0);
    parts.iter().for_each(|part| part.append(keys));
    let with_key = repeats.find(keys);
    let bits = record_bits(records);
    entries.clear();
    entries.extend(
        (0_u64..)
            .zip(keys.iter())
            .filter(|&(_, &key)| key != NO_KEY && repeats.may(key))
            .map(|(record, &key)| key << bits | record),
    );
    sort_by_key(entries, sorted, bits, parts.iter().map(Part::bits).sum());
    let mut grouped = keep(entries, bits, wanted);
    grouped.records = with_key;
    grouped
}

/// Bits of a key that one pass of [`sort_by_key`] sorts by.
const DIGIT_BITS: u32 = 11;

/// Radix sort by the bits of the key, from the lowest; records ascend already, and a pass keeps the order of equals.
fn sort_by_key(entries: &mut Vec<u64>, sorted: &mut Vec<u64>, record_bits: u32, key_bits: u32) {
    sorted.clear();
    sorted.resize(entries.len(), 0);
    for shift in (record_bits..record_bits + key_bits).step_by(DIGIT_BITS as usize) {
        let digit = |entry: u64| (entry >> shift) as usize & ((1 << DIGIT_BITS) - 1);
        let mut next = [0_u32; 1 << DIGIT_BITS];
        entries.iter().for_each(|&entry| next[digit(entry)] += 1);
        let mut start = 0;
        for next in &mut next {
            (*next, start) = (start, start + *next);
        }
        for &entry in entries.iter() {
            let next = &mut next[digit(entry)];
            sorted[*next as usize] = entry;
            *next += 1;
        }
        std::mem::swap(entries, sorted);
    }
}

/// Blocks of two or more records from sorted entries.
fn keep(entries: &[u64], record_bits: u32, wanted: Wanted) -> Grouped {
    let runs = || {
        entries
            .chunk_by(|a, b| a >> record_bits == b >> record_bits)
            .filter(|run| run.len() > 1)
    };
    let record = |entry: &u64| u32::try_from(entry & ((1 << record_bits) - 1)).expect("records are numbered by u32");
    let size_of = |run: &[u64]| u32::try_from(run.len()).expect("records are numbered by u32");
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
        grouped.blocks.order.extend(run.iter().map(record));
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

/// What one thread keeps between rules.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    keys: Vec<u64>,
    repeats: Repeats,
    entries: Vec<u64>,
    sorted: Vec<u64>,
}

/// Which keys may come twice, by a hash: the others belong to a single record. Two bits a hash, which stay in a cache.
#[derive(Debug, Default)]
struct Repeats {
    shift: u32,
    once: Vec<u64>,
    twice: Vec<u64>,
}

impl Repeats {
    /// Looks at all keys anew, and gives their number.
    fn find(&mut self, keys: &[u64]) -> u64 {
        let bits = (record_bits(keys.len()) + 2).clamp(8, 30);
        self.shift = u64::BITS - bits;
        for seen in [&mut self.once, &mut self.twice] {
            seen.clear();
            seen.resize(1 << (bits - 6), 0);
        }
        let mut count = 0;
        for &key in keys.iter().filter(|&&key| key != NO_KEY) {
            count += 1;
            let (word, bit) = self.at(key);
            self.twice[word] |= self.once[word] & bit;
            self.once[word] |= bit;
        }
        count
    }

    /// Word and bit of a key.
    fn at(&self, key: u64) -> (usize, u64) {
        let hash = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift;
        (usize::try_from(hash >> 6).expect("at most 30 bits are left"), 1 << (hash & 63))
    }

    fn may(&self, key: u64) -> bool {
        let (word, bit) = self.at(key);
        self.twice[word] & bit != 0
    }
}
