//! How much a level can add to the weight of a pair: what `compare` needs of `score`, without knowing it, to stop at a pair that is lost.

use super::coded::{CodedRecords, NULL_CODE};
use super::pairs::{Pair, Pattern};

/// Bits by value of a column, for levels that say more about rare values.
#[derive(Debug)]
pub struct ValueBits<'a> {
    /// The records.
    pub records: &'a CodedRecords,
    /// Position of the column.
    pub column: usize,
    /// Bits of each code.
    pub bits: Vec<f64>,
}

impl ValueBits<'_> {
    /// By the commoner of the two values; by the one there is if the other is missing; 0 if both are.
    #[inline]
    #[must_use]
    pub fn of_pair(&self, pair: Pair) -> f64 {
        let of = |code: u32| self.bits[code as usize];
        let code = |record| self.records.row(record)[self.column];
        match (code(pair.left), code(pair.right)) {
            (NULL_CODE, NULL_CODE) => 0.0,
            (NULL_CODE, code) | (code, NULL_CODE) => of(code),
            (left, right) if left == right => of(left),
            (left, right) => of(left).min(of(right)),
        }
    }
}

/// What one level adds to a pair's weight.
#[derive(Debug, Clone, Copy, Default)]
pub struct LevelBits<'a> {
    /// Bits of the level.
    pub bits: f64,
    /// Bits by value on top.
    pub by_value: Option<&'a ValueBits<'a>>,
    /// The most that both are together, whatever the values.
    pub most: f64,
}

/// The bits of one comparison by pattern value: null, else, and the levels above it.
pub type ComparisonBits<'a> = [LevelBits<'a>; 16];

/// The weight of a pair as the sum of what its levels add, and the weight below which a pair is of no interest.
#[derive(Debug)]
pub struct WeightBounds<'a> {
    /// The weight before any comparison.
    pub start: f64,
    /// The least weight of interest.
    pub least: f64,
    /// One entry a comparison.
    pub comparisons: Vec<ComparisonBits<'a>>,
}

/// A pair of a list that may reach the least weight, by its position in the list, with all its levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// Position of the pair.
    pub position: u32,
    /// Its levels.
    pub pattern: Pattern,
}
