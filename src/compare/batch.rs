//! The levels of many pairs, one comparison after the other: first what codes decide, then texts, and no step further than a pair can matter.
//!
//! A pair is left as soon as its weight so far, plus the most that the open comparisons can add, is below the least weight of interest. That
//! is exact: what stays gets the levels it would get anyway.

use super::similarity::SimilarityScratch;
use super::test::{BoundComparison, Columns, Known, Rows};
use crate::table::bounds::{ComparisonBits, Finished, LevelBits, WeightBounds};
use crate::table::{NULL_CODE, Pair, Pattern};

/// Bits that sums in different order may differ by, with room.
const SLACK: f64 = 1e-6;

/// What one thread keeps between batches.
#[derive(Debug)]
pub struct Scratch {
    pub(super) similarities: Vec<SimilarityScratch>,
    pub(super) states: Vec<State>,
}

/// A pair that is still of interest.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    pub(super) position: u32,
    /// Comparisons that the codes left open, one bit each.
    open: u32,
    pub(super) pattern: Pattern,
    /// The most that its weight can be, comparisons that were not looked at left out.
    most: f64,
}

/// Runs comparisons over a batch.
pub(super) struct Batch<'a> {
    pub(super) columns: &'a Columns,
    pub(super) comparisons: &'a [BoundComparison],
    pub(super) pairs: &'a [Pair],
}

/// Weights of one comparison, ready to bound.
struct Bound<'a> {
    bits: &'a ComparisonBits<'a>,
    /// By the level that codes give: the most when texts may give a higher one.
    open: [f64; 16],
}

impl Batch<'_> {
    /// All levels of all pairs.
    pub(super) fn all(&self, scratch: &mut Scratch) {
        self.start(scratch, 0.0);
        for position in 0..self.comparisons.len() {
            self.codes(position, &mut scratch.states, |_, _, _| 0.0, f64::NEG_INFINITY);
        }
        for position in 0..self.comparisons.len() {
            self.texts(position, scratch, |_, _, _| 0.0, f64::NEG_INFINITY);
        }
    }

    /// All levels of the pairs that may reach the least weight; the others leave `states`.
    pub(super) fn above(&self, scratch: &mut Scratch, bounds: &WeightBounds<'_>) {
        self.start(scratch, bounds.start);
        let mut order: Vec<(usize, Bound<'_>, f64)> = self
            .comparisons
            .iter()
            .zip(&bounds.comparisons)
            .enumerate()
            .map(|(position, (comparison, bits))| (position, Bound::new(comparison, bits), most_of_all(comparison, bits)))
            .collect();
        order.sort_by(|a, b| b.2.total_cmp(&a.2));
        let mut rest: f64 = order.iter().map(|(_, _, most)| most).sum();
        for (position, bound, most) in &order {
            rest -= most;
            let bits = |pair: Pair, known: Known, _| bound.of(pair, known);
            self.codes(*position, &mut scratch.states, bits, bounds.least - rest - SLACK);
        }
        order.sort_by(|a, b| b.1.gain().total_cmp(&a.1.gain()));
        for (position, bound, _) in &order {
            let bits = |pair: Pair, known: Known, level: u8| {
                let closed = Known { level, is_open: false };
                bound.of(pair, closed) - bound.of(pair, known)
            };
            self.texts(*position, scratch, bits, bounds.least - SLACK);
        }
    }

    fn start(&self, scratch: &mut Scratch, most: f64) {
        scratch.states.clear();
        scratch.states.extend((0..).zip(self.pairs).map(|(position, _)| State {
            position,
            open: 0,
            pattern: Pattern::default(),
            most,
        }));
    }

    fn rows(&self, pair: Pair) -> Rows<'_> {
        Rows {
            left: self.columns.row(pair.left.0),
            right: self.columns.row(pair.right.0),
        }
    }

    /// What codes say about one comparison; pairs below `least` leave.
    fn codes(&self, position: usize, states: &mut Vec<State>, bits: impl Fn(Pair, Known, u8) -> f64, least: f64) {
        let comparison = &self.comparisons[position];
        if let Some(column) = comparison.equal_or_similar {
            let top = u8::try_from(comparison.tests.len() + 1).expect("a comparison has at most 14 levels");
            let has_texts = top > 2;
            let known = |rows: Rows<'_>| {
                let (a, b) = (rows.left[column], rows.right[column]);
                let is_null = a == NULL_CODE || b == NULL_CODE;
                Known {
                    level: if is_null {
                        0
                    } else if a == b {
                        top
                    } else {
                        1
                    },
                    is_open: has_texts && !is_null && a != b,
                }
            };
            self.codes_by(position, states, known, bits, least);
        } else {
            self.codes_by(position, states, |rows| comparison.by_codes(self.columns, rows), bits, least);
        }
    }

    fn codes_by(
        &self,
        position: usize,
        states: &mut Vec<State>,
        known: impl Fn(Rows<'_>) -> Known,
        bits: impl Fn(Pair, Known, u8) -> f64,
        least: f64,
    ) {
        let mut stay = 0;
        for at in 0..states.len() {
            let mut state = states[at];
            let pair = self.pairs[state.position as usize];
            let known = known(self.rows(pair));
            state.pattern = state.pattern.with(position, known.level);
            state.open |= u32::from(known.is_open) << position;
            state.most += bits(pair, known, known.level);
            states[stay] = state;
            stay += usize::from(state.most >= least);
        }
        states.truncate(stay);
    }

    /// What texts say about one comparison where codes left it open; pairs below `least` leave.
    fn texts(&self, position: usize, scratch: &mut Scratch, bits: impl Fn(Pair, Known, u8) -> f64, least: f64) {
        let comparison = &self.comparisons[position];
        if comparison.levels_of_texts().next().is_none() {
            return;
        }
        let Scratch { similarities, states } = scratch;
        let mut stay = 0;
        for at in 0..states.len() {
            let mut state = states[at];
            if state.open >> position & 1 == 1 {
                let pair = self.pairs[state.position as usize];
                let level = state.pattern.level(position);
                let found = comparison.by_texts(self.columns, similarities, self.rows(pair), level);
                state.most += bits(pair, Known { level, is_open: true }, found);
                state.pattern = state.pattern.raised(position, found);
            }
            states[stay] = state;
            stay += usize::from(state.most >= least);
        }
        states.truncate(stay);
    }
}

impl<'a> Bound<'a> {
    fn new(comparison: &BoundComparison, bits: &'a ComparisonBits<'a>) -> Self {
        let open = std::array::from_fn(|known| {
            let above = comparison.levels_of_texts().filter(|&level| usize::from(level) > known);
            above.map(|level| bits[usize::from(level)].most).fold(bits[known].most, f64::max)
        });
        Self { bits, open }
    }

    /// The most that a comparison adds, from what is known of it.
    #[inline]
    fn of(&self, pair: Pair, known: Known) -> f64 {
        let level = usize::from(known.level);
        if known.is_open {
            self.open[level]
        } else {
            let LevelBits { bits, by_value, .. } = self.bits[level];
            by_value.map_or(bits, |by_value| bits + by_value.of_pair(pair))
        }
    }

    /// What texts are expected to take from a pair: the bits between the most and the else level.
    fn gain(&self) -> f64 {
        self.open[1] - self.bits[1].bits
    }
}

fn most_of_all(comparison: &BoundComparison, bits: &ComparisonBits<'_>) -> f64 {
    bits[..comparison.tests.len() + 2]
        .iter()
        .map(|level| level.most)
        .fold(0.0, f64::max)
}

/// What stays of a batch.
pub(super) fn finished(states: &[State], finished: &mut Vec<Finished>) {
    finished.clear();
    finished.extend(states.iter().map(|state| Finished {
        position: state.position,
        pattern: state.pattern,
    }));
}
