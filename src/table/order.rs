//! Texts by number: first-seen codes by hashing, and ranks in byte order by sorting. What dictionary coding is made of.

use std::hash::BuildHasher;

use arrow::array::{Array, StringArray, StringBuilder};
use rayon::prelude::*;
use rustc_hash::FxBuildHasher;

use super::coded::NULL_CODE;

/// Gives equal texts equal codes, in order of first appearance.
///
/// Open addressing over one machine word a slot: the upper half of it is a hash, so that texts are compared only when they are equal, but for
/// one pair in 2^32.
#[derive(Debug)]
pub struct Interner<'a> {
    /// `hash << 32 | code`; [`EMPTY`] where free. A power of two of slots, at most half of them taken.
    slots: Vec<u64>,
    values: Vec<&'a str>,
}

const EMPTY: u64 = u64::MAX;
const SLOTS_MIN: usize = 64;
/// Rows that are looked up together.
const BATCH: usize = 32;

impl Default for Interner<'_> {
    fn default() -> Self {
        Self {
            slots: vec![EMPTY; SLOTS_MIN],
            values: Vec::new(),
        }
    }
}

impl<'a> Interner<'a> {
    /// The codes of a column; [`NULL_CODE`] for a null. As [`Interner::code`] for one row after the other, but the memory that a batch of rows
    /// needs is on its way before the first of them is looked up.
    pub fn codes(&mut self, column: &'a StringArray) -> Vec<u32> {
        let mut codes = Vec::with_capacity(column.len());
        let mut hashes = [0_u64; BATCH];
        for start in (0..column.len()).step_by(BATCH) {
            let rows = start..column.len().min(start + BATCH);
            let mask = self.slots.len() - 1;
            let mut touched = 0;
            for row in rows.clone().filter(|&row| column.is_valid(row)) {
                let hash = hash(column.value(row));
                hashes[row - start] = hash;
                touched ^= self.slots[slot_of(hash) & mask];
            }
            std::hint::black_box(touched);
            codes.extend(rows.map(|row| {
                if column.is_valid(row) {
                    self.code_of(column.value(row), hashes[row - start])
                } else {
                    NULL_CODE
                }
            }));
        }
        codes
    }

    /// The code of a text, which may be new. O(1) on average.
    ///
    /// # Panics
    /// At 2^32 - 1 distinct texts: a table has fewer records.
    pub fn code(&mut self, text: &'a str) -> u32 {
        self.code_of(text, hash(text))
    }

    fn code_of(&mut self, text: &'a str, hash: u64) -> u32 {
        let mask = self.slots.len() - 1;
        let mut at = slot_of(hash) & mask;
        loop {
            let slot = self.slots[at];
            if slot == EMPTY {
                break;
            }
            let code = u32::try_from(slot & u64::from(u32::MAX)).expect("the lower half of a slot");
            if slot ^ hash == u64::from(code) && self.values[code as usize] == text {
                return code;
            }
            at = (at + 1) & mask;
        }
        let code = u32::try_from(self.values.len()).expect("a table has fewer than 2^32 records");
        assert!(code < NULL_CODE, "a table has fewer than 2^32 - 1 records");
        self.slots[at] = hash | u64::from(code);
        self.values.push(text);
        if self.values.len() * 2 > self.slots.len() {
            self.grow();
        }
        code
    }

    fn grow(&mut self) {
        let size = self.slots.len() * 4;
        let old = std::mem::replace(&mut self.slots, vec![EMPTY; size]);
        for slot in old.into_iter().filter(|slot| *slot != EMPTY) {
            let mut at = slot_of(slot) & (size - 1);
            while self.slots[at] != EMPTY {
                at = (at + 1) & (size - 1);
            }
            self.slots[at] = slot;
        }
    }

    /// The distinct texts; position = code.
    #[must_use]
    pub fn values(&self) -> &[&'a str] {
        &self.values
    }

    /// The distinct texts, without the table.
    #[must_use]
    pub fn into_values(self) -> Vec<&'a str> {
        self.values
    }
}

/// A hash in the upper half of a slot.
fn hash(text: &str) -> u64 {
    FxBuildHasher.hash_one(text) & (u64::from(u32::MAX) << 32)
}

/// The hash half of a slot as a number of slots: below 2^32 of them, which is more than there are records.
fn slot_of(slot: u64) -> usize {
    (slot >> 32) as usize
}

/// The distinct texts of a list in byte order, and where each text of the list stands among them.
#[derive(Debug)]
pub struct Ranked {
    /// Position in `values`; [`NULL_CODE`] for a null, an empty or an unused text.
    pub rank_of: Vec<u32>,
    /// Ascending, each once.
    pub values: StringArray,
}

/// Ranks the used texts of a list. O(n log n) with 8 bytes a comparison.
#[must_use]
pub fn rank(texts: &StringArray, is_used: &[bool]) -> Ranked {
    let common = common_prefix(texts);
    let mut order: Vec<Entry> = (0..texts.len())
        .filter(|&at| is_used[at] && texts.is_valid(at) && !texts.value(at).is_empty())
        .map(|at| Entry {
            head: head(texts.value(at), common),
            at: u32::try_from(at).expect("a list of forms is shorter than 2^32"),
        })
        .collect();
    sort(texts, &mut order, common);
    let mut rank_of = vec![NULL_CODE; texts.len()];
    let bytes = order.iter().map(|entry| texts.value_length(entry.at as usize) as usize).sum();
    let mut values = StringBuilder::with_capacity(order.len(), bytes);
    let (mut last, mut rank): (Option<&str>, u32) = (None, 0);
    for entry in &order {
        let text = texts.value(entry.at as usize);
        match last {
            Some(before) if before == text => {}
            Some(_) => rank += 1,
            None => {}
        }
        if last != Some(text) {
            values.append_value(text);
            last = Some(text);
        }
        rank_of[entry.at as usize] = rank;
    }
    Ranked {
        rank_of,
        values: values.finish(),
    }
}

/// A text by its next 8 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    head: u64,
    at: u32,
}

/// Eight bytes from `start` on as a big-endian number, zeros behind the end: orders like the bytes, but for texts that end in zeros.
fn head(text: &str, start: usize) -> u64 {
    let rest = text.as_bytes().get(start..).unwrap_or_default();
    match rest.first_chunk::<8>() {
        Some(eight) => u64::from_be_bytes(*eight),
        None => {
            let mut eight = [0; 8];
            eight[..rest.len()].copy_from_slice(rest);
            u64::from_be_bytes(eight)
        }
    }
}

/// Longest run of equal heads that is sorted by looking at the texts.
const SHORT: usize = 8;

/// Sorts by the heads, then every run of equal heads by what follows. `start` is where the heads begin.
fn sort(texts: &StringArray, order: &mut [Entry], start: usize) {
    let text = |entry: &Entry| &texts.value(entry.at as usize).as_bytes()[start.min(texts.value_length(entry.at as usize) as usize)..];
    if order.len() <= SHORT {
        order.sort_unstable_by(|left, right| text(left).cmp(text(right)).then(left.at.cmp(&right.at)));
        return;
    }
    order.par_sort_unstable();
    let mut begin = 0;
    while begin < order.len() {
        let head_here = order[begin].head;
        let length = order[begin..].iter().take_while(|entry| entry.head == head_here).count();
        let run = &mut order[begin..begin + length];
        begin += length;
        if length == 1 {
            continue;
        }
        if run.iter().all(|entry| text(entry).len() <= 8) {
            // Equal but for zeros at the end: the shorter one first.
            run.sort_unstable_by_key(|entry| (text(entry).len(), entry.at));
            continue;
        }
        if length > SHORT {
            for entry in run.iter_mut() {
                entry.head = head(texts.value(entry.at as usize), start + 8);
            }
        }
        if is_padded(head_here) {
            run.sort_unstable_by(|left, right| text(left).cmp(text(right)).then(left.at.cmp(&right.at)));
        } else {
            sort(texts, run, start + 8);
        }
    }
}

/// Whether a head ends in a zero byte, which may stand for the end of a text.
fn is_padded(head: u64) -> bool {
    head & 0xFF == 0
}

/// Bytes that all texts start with.
fn common_prefix(texts: &StringArray) -> usize {
    let mut all = texts.iter().flatten().filter(|text| !text.is_empty()).map(str::as_bytes);
    let Some(first) = all.next() else { return 0 };
    let mut common = first.len();
    for text in all {
        common = first[..common].iter().zip(text).take_while(|(left, right)| left == right).count();
        if common == 0 {
            break;
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranks_are_those_of_a_sorted_list(texts in prop::collection::vec("[ab\\x00]{0,20}|x{7,18}[ab]{0,2}|[a-cä]{0,3}", 0..80)) {
            let column: StringArray = texts.iter().map(|text| Some(text.as_str())).collect();
            let ranked = rank(&column, &vec![true; texts.len()]);
            let mut expected: Vec<&str> = texts.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(ranked.values.iter().flatten().collect::<Vec<_>>(), expected);
            for (text, &rank) in texts.iter().zip(&ranked.rank_of) {
                prop_assert_eq!(text.is_empty(), rank == NULL_CODE);
                if rank != NULL_CODE {
                    prop_assert_eq!(ranked.values.value(rank as usize), text);
                }
            }
        }

        #[test]
        fn equal_texts_have_equal_codes(texts in prop::collection::vec("[a-c]{0,4}", 0..300)) {
            let mut interner = Interner::default();
            let codes: Vec<u32> = texts.iter().map(|text| interner.code(text)).collect();
            for (text, &code) in texts.iter().zip(&codes) {
                prop_assert_eq!(interner.values()[code as usize], text);
            }
            let mut distinct = texts.clone();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert_eq!(interner.values().len(), distinct.len());
            let column: StringArray = texts.iter().map(|text| (text != "a").then_some(text.as_str())).collect();
            let mut batched = Interner::default();
            for (text, code) in texts.iter().zip(batched.codes(&column)) {
                prop_assert_eq!(text == "a", code == NULL_CODE);
                prop_assert!(code == NULL_CODE || batched.values()[code as usize] == text);
            }
        }
    }
}
