//! Stage `compare`: the levels of all comparisons for a pair of records.

use crate::config::spec::ComparisonSpec;
use crate::table::{CodedRecords, Pattern, RecordIx};

/// Comparisons bound to coded records. Symmetric: the pattern of (a, b) is the pattern of (b, a).
#[derive(Debug)]
pub struct Comparer<'a> {
    _records: &'a CodedRecords,
}

impl<'a> Comparer<'a> {
    /// Binds comparisons to columns. Every column of `comparisons` must be in `records`.
    #[must_use]
    pub fn new(_comparisons: &'a [ComparisonSpec], _records: &'a CodedRecords) -> Self {
        todo!()
    }

    /// Levels of all comparisons.
    #[must_use]
    pub fn pattern(&self, _left: RecordIx, _right: RecordIx) -> Pattern {
        todo!()
    }
}
