//! The similarity of two values of a column as a class: how many of the thresholds that levels ask for it reaches. Computed at most once a
//! pair, whatever the number of levels, and not at all where lengths and bags of characters rule it out.

use arrow::array::StringArray;

use super::edit::{DamerauScratch, damerau_levenshtein, levenshtein, levenshtein_within_one};
use super::jaro_winkler::{Masks, MatchesMin, PREFIX_MAX, agreement, similarity};
use super::text::{Text, Texts};
use crate::table::NULL_CODE;

/// What is measured, with the thresholds from the easiest to the hardest.
#[derive(Debug)]
pub(super) enum Measure {
    /// Smallest similarities, ascending, and the bound of the first.
    JaroWinkler(Vec<f64>, MatchesMin),
    /// Largest distances, descending.
    Levenshtein(Vec<u32>),
    /// Largest distances, descending.
    DamerauLevenshtein(Vec<u32>),
}

/// One measure on one column.
#[derive(Debug)]
pub(super) struct Similarity {
    measure: Measure,
    class_of_equal: u8,
    is_cached: bool,
}

/// What one thread keeps for one similarity.
#[derive(Debug)]
pub(super) struct SimilarityScratch {
    masks: MasksOf,
    damerau: DamerauScratch,
    keys: Vec<u64>,
    classes: Vec<u8>,
}

/// Entries of a cache: with 9 bytes each they stay in the first two cache levels beside everything else.
const CACHE_BITS: u32 = 11;

impl Similarity {
    /// A measure with its thresholds, easiest first. With `is_cached`, recent pairs of values are remembered: worth it where values repeat.
    pub(super) fn new(measure: Measure, is_cached: bool) -> Self {
        let class_of_equal = match &measure {
            Measure::JaroWinkler(thresholds, _) => class(thresholds.iter().map(|&threshold| 1.0 >= threshold)),
            Measure::Levenshtein(bounds) | Measure::DamerauLevenshtein(bounds) => class(bounds.iter().map(|_| true)),
        };
        Self {
            measure,
            class_of_equal,
            is_cached,
        }
    }

    /// Fresh buffers for one thread.
    pub(super) fn scratch(&self) -> SimilarityScratch {
        let entries = if self.is_cached { 1 << CACHE_BITS } else { 0 };
        SimilarityScratch {
            masks: MasksOf::default(),
            damerau: DamerauScratch::default(),
            keys: vec![u64::MAX; entries],
            classes: vec![0; entries],
        }
    }

    /// Whether two values may reach a threshold, by their lengths and bags of characters alone. Without a branch that depends on the values, so
    /// that a processor looks at several pairs at once.
    #[inline]
    pub(super) fn may_reach(&self, texts: &Texts, left: u32, right: u32) -> bool {
        let (a, b) = (texts.text(left), texts.text(right));
        let is_known = a.is_fast() & b.is_fast() & (left != right);
        let may = match &self.measure {
            Measure::JaroWinkler(_, fewest) => matches_max(a, b) >= fewest.get(a.common_prefix_max(b, PREFIX_MAX), a.length(), b.length()),
            Measure::Levenshtein(bounds) | Measure::DamerauLevenshtein(bounds) => edits_min(a, b) <= bounds[0],
        };
        may | !is_known
    }

    /// How many thresholds two values of the column reach, none of them null.
    pub(super) fn class(&self, texts: &Texts, scratch: &mut SimilarityScratch, left: u32, right: u32) -> u8 {
        if left == right {
            return self.class_of_equal;
        }
        if !self.is_cached {
            return self.compute(texts, scratch, left, right);
        }
        let key = (u64::from(left) << 32) | u64::from(right);
        let hash = left.wrapping_mul(0x9E37_79B1) ^ right.wrapping_mul(0x85EB_CA77);
        let entry = (hash >> (32 - CACHE_BITS)) as usize;
        if scratch.keys[entry] != key {
            scratch.classes[entry] = self.compute(texts, scratch, left, right);
            scratch.keys[entry] = key;
        }
        scratch.classes[entry]
    }

    fn compute(&self, texts: &Texts, scratch: &mut SimilarityScratch, left: u32, right: u32) -> u8 {
        match &self.measure {
            Measure::JaroWinkler(thresholds, fewest) => {
                let similarity = jaro_winkler(texts, &mut scratch.masks, left, right, Some(fewest));
                similarity.map_or(0, |similarity| class(thresholds.iter().map(|&threshold| similarity >= threshold)))
            }
            Measure::Levenshtein(bounds) => {
                let distance = bounded_levenshtein(texts, &mut scratch.masks, left, right, bounds[0]);
                distance.map_or(0, |distance| class(bounds.iter().map(|&bound| distance <= bound)))
            }
            Measure::DamerauLevenshtein(bounds) => {
                let distance = bounded_damerau(texts, &mut scratch.damerau, left, right, bounds[0]);
                distance.map_or(0, |distance| class(bounds.iter().map(|&bound| distance <= bound)))
            }
        }
    }
}

fn class(reached: impl Iterator<Item = bool>) -> u8 {
    u8::try_from(reached.filter(|&reached| reached).count()).expect("a comparison has at most 14 levels")
}

/// Position masks of the last left value, which a row of pairs shares.
#[derive(Debug)]
struct MasksOf {
    masks: Box<Masks>,
    owner: u32,
}

impl Default for MasksOf {
    fn default() -> Self {
        Self {
            masks: Box::new([0; 256]),
            owner: NULL_CODE,
        }
    }
}

impl MasksOf {
    fn of(&mut self, texts: &Texts, code: u32) -> &Masks {
        if self.owner != code {
            if self.owner != NULL_CODE {
                for &byte in texts.bytes(texts.text(self.owner)) {
                    self.masks[usize::from(byte)] = 0;
                }
            }
            for (position, &byte) in texts.bytes(texts.text(code)).iter().enumerate() {
                self.masks[usize::from(byte)] |= 1 << position;
            }
            self.owner = code;
        }
        &self.masks
    }
}

/// Both values if the kernels take them.
fn fast(texts: &Texts, left: u32, right: u32) -> Option<(Text, Text)> {
    let (left, right) = (texts.text(left), texts.text(right));
    (left.is_fast() && right.is_fast() && left.length() > 0 && right.length() > 0).then_some((left, right))
}

/// Jaro-Winkler similarity; `None` if it cannot reach the threshold of `fewest`.
fn jaro_winkler(texts: &Texts, masks: &mut MasksOf, left: u32, right: u32, fewest: Option<&MatchesMin>) -> Option<f64> {
    let Some((a, b)) = fast(texts, left, right) else {
        return Some(strsim::jaro_winkler(texts.value(left), texts.value(right)));
    };
    let prefix = texts
        .bytes(a)
        .iter()
        .zip(texts.bytes(b))
        .take(PREFIX_MAX)
        .take_while(|(a, b)| a == b)
        .count();
    let matches_min = fewest.map_or(0, |fewest| fewest.get(prefix, a.length(), b.length()));
    if matches_min > 0 && matches_max(a, b) < matches_min {
        return None;
    }
    let found = agreement(masks.of(texts, left), a.length(), texts.bytes(b), matches_min)?;
    Some(similarity(found, a.length(), b.length(), prefix))
}

fn bounded_levenshtein(texts: &Texts, masks: &mut MasksOf, left: u32, right: u32, bound: u32) -> Option<u32> {
    let distance = match fast(texts, left, right) {
        None => strsim_distance(strsim::levenshtein(texts.value(left), texts.value(right))),
        Some((a, b)) if edits_min(a, b) > bound => return None,
        Some((a, b)) if bound == 1 => return levenshtein_within_one(texts.bytes(a), texts.bytes(b)),
        Some((a, b)) => levenshtein(masks.of(texts, left), a.length(), texts.bytes(b)),
    };
    (distance <= bound).then_some(distance)
}

fn bounded_damerau(texts: &Texts, scratch: &mut DamerauScratch, left: u32, right: u32, bound: u32) -> Option<u32> {
    match fast(texts, left, right) {
        None => {
            let distance = strsim_distance(strsim::damerau_levenshtein(texts.value(left), texts.value(right)));
            (distance <= bound).then_some(distance)
        }
        Some((a, b)) if edits_min(a, b) > bound => None,
        Some((a, b)) => damerau_levenshtein(scratch, texts.bytes(a), texts.bytes(b), bound),
    }
}

fn strsim_distance(distance: usize) -> u32 {
    u32::try_from(distance).expect("a value is shorter than 4 GiB")
}

/// Characters of each value, by class and at most two a class, that the other lacks: they match nothing, and each costs an edit.
fn unmatched(a: Text, b: Text) -> (u32, u32) {
    ((a.bag & !b.bag).count_ones(), (b.bag & !a.bag).count_ones())
}

/// Most characters that can match.
fn matches_max(a: Text, b: Text) -> u32 {
    let (only_a, only_b) = unmatched(a, b);
    (length(a) - only_a).min(length(b) - only_b)
}

/// Fewest edits that can do. A transposition changes no bag.
fn edits_min(a: Text, b: Text) -> u32 {
    let (only_a, only_b) = unmatched(a, b);
    length(a).abs_diff(length(b)).max(only_a).max(only_b)
}

fn length(text: Text) -> u32 {
    u32::try_from(text.length()).expect("a fast value has at most 64 characters")
}

/// A list of values with the kernels on them: the code that the stage runs, for benches and differential tests.
#[derive(Debug)]
pub struct Values {
    texts: Texts,
    masks: MasksOf,
    damerau: DamerauScratch,
}

impl Values {
    /// Prepares the values; they are named by position.
    #[must_use]
    pub fn new(values: &[&str]) -> Self {
        Self {
            texts: Texts::new(&values.iter().map(|value| Some(*value)).collect::<StringArray>()),
            masks: MasksOf::default(),
            damerau: DamerauScratch::default(),
        }
    }

    /// Jaro-Winkler similarity of two values, equal to that of `strsim`.
    #[must_use]
    pub fn jaro_winkler(&mut self, left: u32, right: u32) -> f64 {
        jaro_winkler(&self.texts, &mut self.masks, left, right, None).expect("without a threshold every pair is computed")
    }

    /// Levenshtein distance of two values, if it is at most `bound`.
    #[must_use]
    pub fn levenshtein(&mut self, left: u32, right: u32, bound: u32) -> Option<u32> {
        bounded_levenshtein(&self.texts, &mut self.masks, left, right, bound)
    }

    /// Unrestricted Damerau-Levenshtein distance of two values, if it is at most `bound`.
    #[must_use]
    pub fn damerau_levenshtein(&mut self, left: u32, right: u32, bound: u32) -> Option<u32> {
        bounded_damerau(&self.texts, &mut self.damerau, left, right, bound)
    }
}
