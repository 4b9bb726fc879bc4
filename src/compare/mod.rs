//! Stage `compare`: the levels of all comparisons for a pair of records.
//!
//! Everything that depends on one value alone (its bytes, its date, its bag of characters) is prepared once a distinct value, everything that
//! depends on one record alone once a row of pairs. What remains for a pair is integers, and a bit-parallel kernel where they do not decide.

mod bound;
mod date;
mod edit;
mod jaro_winkler;
mod similarity;
mod text;

use std::cell::RefCell;

use crate::config::spec::ComparisonSpec;
use crate::table::{CodedRecords, PairPatterns, Pattern, RecordIx};
use bound::{Binder, BoundComparison, Columns};
use similarity::SimilarityScratch;

/// Comparisons bound to coded records. Symmetric: the pattern of (a, b) is the pattern of (b, a).
#[derive(Debug)]
pub struct Comparer<'a> {
    columns: Columns<'a>,
    comparisons: Vec<BoundComparison>,
}

/// What one thread keeps between rows: position masks of the left values and caches of similarities.
#[derive(Debug)]
pub struct Scratch(Vec<SimilarityScratch>);

impl<'a> Comparer<'a> {
    /// Binds comparisons to columns. Every column of `comparisons` must be in `records`. O(bytes of the distinct values).
    #[must_use]
    pub fn new(comparisons: &[ComparisonSpec], records: &'a CodedRecords) -> Self {
        let mut binder = Binder::new(records);
        let comparisons = comparisons.iter().map(|comparison| binder.comparison(comparison)).collect();
        Self {
            columns: binder.finish(),
            comparisons,
        }
    }

    /// Levels of all comparisons of one pair. For many pairs of one record use [`PairPatterns::patterns`].
    #[must_use]
    pub fn pattern(&self, left: RecordIx, right: RecordIx) -> Pattern {
        thread_local! {
            static PATTERNS: RefCell<Vec<Pattern>> = const { RefCell::new(Vec::new()) };
        }
        PATTERNS.with_borrow_mut(|patterns| {
            self.patterns(&mut self.scratch(), left, &[right.0], patterns);
            patterns[0]
        })
    }
}

impl PairPatterns for Comparer<'_> {
    type Scratch = Scratch;

    fn scratch(&self) -> Scratch {
        Scratch(self.columns.scratch())
    }

    fn patterns(&self, scratch: &mut Scratch, left: RecordIx, rights: &[u32], patterns: &mut Vec<Pattern>) {
        patterns.clear();
        patterns.resize(rights.len(), Pattern::default());
        for (position, comparison) in self.comparisons.iter().enumerate() {
            comparison.row(position, &self.columns, &mut scratch.0, left.0, rights, patterns);
        }
    }
}

/// Kernels on two texts, for benches and tests: the same code that the stage runs on prepared values.
pub mod kernel {
    pub use super::similarity::Values;
}
