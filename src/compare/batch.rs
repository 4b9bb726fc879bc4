//! The levels of many pairs: first what equal codes decide, all comparisons at once, then texts, one comparison after the other, and no step
//! further than a pair can matter.
//!
//! A pair is left as soon as its weight so far, plus the most that the open comparisons can add, is below the least weight of interest. That
//! is exact: what stays gets the levels it would get anyway.

use super::similarity::SimilarityScratch;
use super::test::{BoundComparison, Columns};
use crate::table::bounds::{ComparisonBits, Finished, LevelBits, WeightBounds};
use crate::table::{Candidate, Pair, Pattern};

/// Bits that sums in different order may differ by, with room.
const SLACK: f64 = 1e-6;

/// What one thread keeps between batches.
#[derive(Debug)]
pub struct Scratch {
    pub(super) similarities: Vec<SimilarityScratch>,
    pub(super) states: Vec<State>,
    pub(super) outlines: Outlines,
}

/// A pair that is still of interest.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    position: u32,
    /// Comparisons that the codes left open, one bit each.
    open: u32,
    pub(super) pattern: Pattern,
    /// The most that its weight can be.
    most: f64,
}

/// What masks say about all comparisons.
#[derive(Debug, Clone, Copy)]
struct Outline {
    equal: u64,
    missing: u64,
    pattern: Pattern,
    /// Comparisons that are open, one bit each.
    open: u32,
}

/// Outlines by their masks: many pairs agree on the same columns, so most find theirs here.
#[derive(Debug)]
pub(super) struct Outlines(Vec<Outline>);

/// Entries, so that they stay in the second cache level.
const OUTLINES_BITS: u32 = 12;

impl Outlines {
    pub(super) fn new() -> Self {
        // No pair has a column that is equal and missing at once.
        let none = Outline {
            equal: 1,
            missing: 1,
            pattern: Pattern::default(),
            open: 0,
        };
        Self(vec![none; 1 << OUTLINES_BITS])
    }

    #[inline]
    fn of(&mut self, comparisons: &[BoundComparison], equal: u64, missing: u64) -> Outline {
        let hash = (equal.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ missing.wrapping_mul(0xC2B2_AE3D_27D4_EB4F)) >> (u64::BITS - OUTLINES_BITS);
        let entry = &mut self.0[hash as usize];
        if entry.equal != equal || entry.missing != missing {
            *entry = Outline::new(comparisons, equal, missing);
        }
        *entry
    }
}

impl Outline {
    fn new(comparisons: &[BoundComparison], equal: u64, missing: u64) -> Self {
        let mut outline = Self {
            equal,
            missing,
            pattern: Pattern::default(),
            open: 0,
        };
        for (position, comparison) in comparisons.iter().enumerate() {
            let known = comparison.by_masks(equal, missing);
            outline.pattern = outline.pattern.with(position, known.level);
            outline.open |= u32::from(known.is_open) << position;
        }
        outline
    }
}

/// Runs comparisons over a batch.
pub(super) struct Batch<'a> {
    pub(super) columns: &'a Columns<'a>,
    pub(super) comparisons: &'a [BoundComparison],
    pub(super) candidates: &'a [Candidate],
    /// Columns that the comparisons read, one bit each.
    pub(super) read: u64,
}

/// Weights of one comparison, ready to bound.
struct Bound<'a> {
    bits: &'a ComparisonBits<'a>,
    /// The most it adds by the level that masks give, and from 16 on by that level when a higher one is open.
    most: [f64; 32],
}

impl Batch<'_> {
    /// All levels of all pairs.
    pub(super) fn all(&self, scratch: &mut Scratch) {
        scratch.states.clear();
        for (position, candidate) in (0..).zip(self.candidates) {
            let outline = self.outline_of(&mut scratch.outlines, candidate);
            scratch.states.push(State {
                position,
                open: outline.open,
                pattern: outline.pattern,
                most: 0.0,
            });
        }
        for position in 0..self.comparisons.len() {
            self.rest(position, scratch, |_, _| 0.0, f64::NEG_INFINITY);
        }
    }

    /// All levels of the pairs that may reach the least weight; the others leave `states`.
    pub(super) fn above(&self, scratch: &mut Scratch, bounds: &WeightBounds<'_>) {
        let comparisons = self.comparisons.iter().zip(&bounds.comparisons);
        let by_comparison: Vec<Bound<'_>> = comparisons.map(|(comparison, bits)| Bound::new(comparison, bits)).collect();
        let least = bounds.least - SLACK;
        self.outline(scratch, &by_comparison, bounds.start, least);
        for (position, bound) in by_comparison.iter().enumerate() {
            self.values(position, bound, &mut scratch.states, least);
        }
        let mut order: Vec<(usize, &Bound<'_>)> = by_comparison.iter().enumerate().collect();
        order.sort_by(|a, b| b.1.gain().total_cmp(&a.1.gain()));
        for (position, bound) in order {
            self.rest(
                position,
                scratch,
                |pair, (known, found)| bound.of(pair, found) - bound.open(known),
                least,
            );
        }
    }

    #[inline]
    fn outline_of(&self, outlines: &mut Outlines, candidate: &Candidate) -> Outline {
        outlines.of(self.comparisons, candidate.equal & self.read, candidate.missing & self.read)
    }

    /// What masks say about all comparisons.
    fn outline(&self, scratch: &mut Scratch, bounds: &[Bound<'_>], start: f64, least: f64) {
        let Scratch { states, outlines, .. } = scratch;
        states.clear();
        for (position, candidate) in (0..).zip(self.candidates) {
            let Outline { pattern, open, .. } = self.outline_of(outlines, candidate);
            let (mut levels, mut is_open) = (pattern.0, open);
            let mut most = start;
            for bound in bounds {
                most += bound.most[(levels & 15) as usize + (is_open & 1) as usize * 16];
                levels >>= 4;
                is_open >>= 1;
            }
            if most >= least {
                states.push(State {
                    position,
                    open,
                    pattern,
                    most,
                });
            }
        }
    }

    /// What the values of a level that is decided say; pairs below `least` leave.
    fn values(&self, position: usize, bound: &Bound<'_>, states: &mut Vec<State>, least: f64) {
        if bound.bits.iter().all(|level| level.by_value.is_none()) {
            return;
        }
        states.retain_mut(|state| {
            let level = state.pattern.level(position);
            if state.open >> position & 1 == 0 && bound.bits[usize::from(level)].by_value.is_some() {
                let pair = self.candidates[state.position as usize].pair;
                state.most += bound.of(pair, level) - bound.most[usize::from(level)];
            }
            state.most >= least
        });
    }

    /// Decides a comparison where masks left it open; pairs below `least` leave. `bits` is what a level that was `known` and is now `found`
    /// adds to the most.
    fn rest(&self, position: usize, scratch: &mut Scratch, bits: impl Fn(Pair, (u8, u8)) -> f64, least: f64) {
        let comparison = &self.comparisons[position];
        if comparison.levels_of_rest().next().is_none() {
            return;
        }
        let Scratch { similarities, states, .. } = scratch;
        let bit = 1 << position;
        let pair = |state: &State| self.candidates[state.position as usize].pair;
        let open = states.iter().filter(|state| state.open & bit != 0);
        let records = open.flat_map(|state| [pair(state).left, pair(state).right]);
        self.columns.fetch(comparison, records);
        states.retain_mut(|state| {
            let known = state.pattern.level(position);
            if state.open & bit != 0 && !comparison.may_rise(self.columns, self.columns.rows(pair(state)), known) {
                state.most += bits(pair(state), (known, known));
                state.open ^= bit;
            }
            state.most >= least
        });
        states.retain_mut(|state| {
            if state.open & bit != 0 {
                let known = state.pattern.level(position);
                let found = comparison.rest(self.columns, similarities, self.columns.rows(pair(state)), known);
                state.most += bits(pair(state), (known, found));
                state.pattern = state.pattern.raised(position, found);
            }
            state.most >= least
        });
    }
}

impl<'a> Bound<'a> {
    fn new(comparison: &BoundComparison, bits: &'a ComparisonBits<'a>) -> Self {
        let most = std::array::from_fn(|at| {
            let known = at % 16;
            let above = comparison.levels_of_rest().filter(|&level| at >= 16 && usize::from(level) > known);
            above.map(|level| bits[usize::from(level)].most).fold(bits[known].most, f64::max)
        });
        Self { bits, most }
    }

    /// What a level that is decided adds.
    fn of(&self, pair: Pair, level: u8) -> f64 {
        let LevelBits { bits, by_value, .. } = self.bits[usize::from(level)];
        by_value.map_or(bits, |by_value| bits + by_value.of_pair(pair))
    }

    /// The most that a comparison adds of which at least `known` holds.
    fn open(&self, known: u8) -> f64 {
        self.most[16 + usize::from(known)]
    }

    /// What deciding is expected to take from a pair: the bits between the most and the else level.
    fn gain(&self) -> f64 {
        self.open(1) - self.bits[1].bits
    }
}

/// What stays of a batch.
pub(super) fn finished(states: &[State], finished: &mut Vec<Finished>) {
    finished.clear();
    finished.extend(states.iter().map(|state| Finished {
        position: state.position,
        pattern: state.pattern,
    }));
}
