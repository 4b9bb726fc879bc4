//! Stage `compare`: the levels of all comparisons for a pair of records.
//!
//! Everything that depends on one value alone (its bytes, its date, its bag of characters) is prepared once a distinct value. What remains for
//! a pair is integers, and a bit-parallel kernel where they do not decide.

mod batch;
mod bound;
mod date;
mod edit;
mod jaro_winkler;
mod long;
mod similarity;
mod test;
mod text;

use crate::config::spec::ComparisonSpec;
use crate::table::bounds::{Finished, WeightBounds};
use crate::table::{Candidate, CodedRecords, PairPatterns, Pattern, RecordIx};
pub use batch::Scratch;
use batch::{Batch, Outlines};
use bound::Binder;
use test::{BoundComparison, Columns};

/// Comparisons bound to coded records. Symmetric: the pattern of (a, b) is the pattern of (b, a).
#[derive(Debug)]
pub struct Comparer<'a> {
    columns: Columns<'a>,
    comparisons: Vec<BoundComparison>,
    /// Columns that they read, one bit each.
    read: u64,
}

impl<'a> Comparer<'a> {
    /// Binds comparisons to columns. Every column of `comparisons` must be in `records`. O(bytes of the distinct values).
    #[must_use]
    pub fn new(comparisons: &[ComparisonSpec], records: &'a CodedRecords) -> Self {
        let mut binder = Binder::new(records);
        let read = comparisons
            .iter()
            .flat_map(ComparisonSpec::columns)
            .filter_map(|name| records.position(&name));
        Self {
            read: read.fold(0, |read, column| read | 1 << column),
            comparisons: comparisons.iter().map(|comparison| binder.comparison(comparison)).collect(),
            columns: binder.finish(),
        }
    }

    /// Levels of all comparisons of one pair. For many pairs use [`PairPatterns::patterns`].
    #[must_use]
    pub fn pattern(&self, left: RecordIx, right: RecordIx) -> Pattern {
        let mut patterns = Vec::with_capacity(1);
        self.patterns(&mut self.scratch(), &[self.columns.records.candidate(left, right)], &mut patterns);
        patterns[0]
    }

    fn batch<'b>(&'b self, candidates: &'b [Candidate]) -> Batch<'b> {
        Batch {
            columns: &self.columns,
            comparisons: &self.comparisons,
            candidates,
            read: self.read,
        }
    }
}

impl PairPatterns for Comparer<'_> {
    type Scratch = Scratch;

    fn scratch(&self) -> Scratch {
        Scratch {
            similarities: self.columns.scratch(),
            states: Vec::new(),
            outlines: Outlines::new(),
        }
    }

    fn patterns(&self, scratch: &mut Scratch, pairs: &[Candidate], patterns: &mut Vec<Pattern>) {
        self.batch(pairs).all(scratch);
        patterns.clear();
        patterns.extend(scratch.states.iter().map(|state| state.pattern));
    }

    fn patterns_above(&self, scratch: &mut Scratch, pairs: &[Candidate], bounds: &WeightBounds<'_>, finished: &mut Vec<Finished>) {
        self.batch(pairs).above(scratch, bounds);
        batch::finished(&scratch.states, finished);
    }
}

/// Kernels on two texts, for benches and tests: the same code that the stage runs on prepared values.
pub mod kernel {
    pub use super::similarity::Values;
}
