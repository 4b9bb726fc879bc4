//! Tests bound to columns. Most are decided by comparing integers; only a similarity that these leave open looks at texts.

use super::similarity::{Similarity, SimilarityScratch};
use super::text::Texts;
use crate::table::NULL_CODE;

/// What the comparisons share: the codes of all columns they read, prepared texts, similarities and maps from code to code.
#[derive(Debug)]
pub(super) struct Columns {
    /// Codes by record: all that a record's comparisons read stands together, so that a record costs one access to memory.
    pub(super) codes: Vec<u32>,
    /// Columns that comparisons read, and so codes a record.
    pub(super) width: usize,
    /// By column; `None` where no similarity is asked for.
    pub(super) texts: Vec<Option<Texts>>,
    pub(super) similarities: Vec<(usize, Similarity)>,
    pub(super) maps: Vec<Vec<u32>>,
}

/// The codes of two records.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) left: &'a [u32],
    pub(super) right: &'a [u32],
}

/// What codes alone say about a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByCodes {
    Holds,
    Fails,
    Open,
}

impl Columns {
    /// Fresh buffers of all similarities for one thread.
    pub(super) fn scratch(&self) -> Vec<SimilarityScratch> {
        self.similarities.iter().map(|(_, similarity)| similarity.scratch()).collect()
    }

    /// The codes of a record.
    pub(super) fn row(&self, record: u32) -> &[u32] {
        &self.codes[record as usize * self.width..][..self.width]
    }

    fn image(&self, map: usize, code: u32) -> u32 {
        if code == NULL_CODE { code } else { self.maps[map][code as usize] }
    }

    fn class(&self, scratch: &mut [SimilarityScratch], similarity: usize, left: u32, right: u32) -> u8 {
        let (column, measure) = &self.similarities[similarity];
        let texts = self.texts[*column].as_ref().expect("texts were prepared for every similarity");
        measure.class(texts, &mut scratch[similarity], left, right)
    }
}

/// A test on two records.
#[derive(Debug, Clone)]
pub(super) enum BoundTest {
    /// Codes of a column are equal.
    Equal(usize),
    /// A similarity reaches more than so many of its thresholds.
    Similar { column: usize, similarity: usize, above: u8 },
    /// Values that a map sends to the same code (a year).
    SameImage { column: usize, map: usize },
    /// A map sends the left value to the right one (day and month swapped).
    Image { column: usize, map: usize },
    /// Each side's first column equals the other's second; the map brings codes of the second into those of the first.
    Swapped { first: usize, second: usize, map: usize },
    /// As swapped, but one direction is enough.
    Crossed { first: usize, second: usize, map: usize },
    /// All of these, the cheapest first.
    All(Vec<BoundTest>),
}

fn equal(a: u32, b: u32) -> bool {
    a == b && a != NULL_CODE
}

impl BoundTest {
    /// What the codes say. Similarities of two different values are open.
    #[inline]
    pub(super) fn by_codes(&self, columns: &Columns, rows: Rows<'_>) -> ByCodes {
        let codes = |column: usize| (rows.left[column], rows.right[column]);
        let holds = match self {
            Self::Equal(column) => {
                let (a, b) = codes(*column);
                equal(a, b)
            }
            Self::Similar { column, .. } => {
                let (a, b) = codes(*column);
                if a != NULL_CODE && b != NULL_CODE {
                    return ByCodes::Open;
                }
                false
            }
            Self::SameImage { column, map } => {
                let (a, b) = codes(*column);
                equal(columns.image(*map, a), columns.image(*map, b))
            }
            Self::Image { column, map } => {
                let (a, b) = codes(*column);
                equal(columns.image(*map, a), b)
            }
            Self::Swapped { first, second, map } => {
                let ((first_a, first_b), (second_a, second_b)) = (codes(*first), codes(*second));
                equal(columns.image(*map, second_a), first_b) && equal(columns.image(*map, second_b), first_a)
            }
            Self::Crossed { first, second, map } => {
                let ((first_a, first_b), (second_a, second_b)) = (codes(*first), codes(*second));
                equal(columns.image(*map, second_a), first_b) || equal(columns.image(*map, second_b), first_a)
            }
            Self::All(tests) => return all_by_codes(tests, columns, rows),
        };
        if holds { ByCodes::Holds } else { ByCodes::Fails }
    }

    /// Whether the test holds.
    pub(super) fn holds(&self, columns: &Columns, scratch: &mut [SimilarityScratch], rows: Rows<'_>) -> bool {
        match self {
            Self::Similar { column, similarity, above } => {
                let (a, b) = (rows.left[*column], rows.right[*column]);
                a != NULL_CODE && b != NULL_CODE && columns.class(scratch, *similarity, a, b) > *above
            }
            Self::All(tests) => tests.iter().all(|test| test.holds(columns, scratch, rows)),
            _ => self.by_codes(columns, rows) == ByCodes::Holds,
        }
    }

    /// Whether codes always decide it.
    pub(super) fn is_by_codes(&self) -> bool {
        match self {
            Self::Similar { .. } => false,
            Self::All(tests) => tests.iter().all(Self::is_by_codes),
            _ => true,
        }
    }

    /// Order of evaluation inside [`BoundTest::All`].
    pub(super) fn cost(&self) -> u8 {
        match self {
            Self::Equal(_) => 0,
            Self::SameImage { .. } | Self::Image { .. } | Self::Swapped { .. } | Self::Crossed { .. } => 1,
            Self::Similar { .. } => 2,
            Self::All(tests) => tests.iter().map(Self::cost).max().unwrap_or(0),
        }
    }
}

fn all_by_codes(tests: &[BoundTest], columns: &Columns, rows: Rows<'_>) -> ByCodes {
    let mut all = ByCodes::Holds;
    for test in tests {
        match test.by_codes(columns, rows) {
            ByCodes::Holds => {}
            ByCodes::Fails => return ByCodes::Fails,
            ByCodes::Open => all = ByCodes::Open,
        }
    }
    all
}

/// A comparison ready to run.
#[derive(Debug)]
pub(super) struct BoundComparison {
    /// Columns of which a missing value makes the comparison silent.
    pub(super) not_null: Vec<usize>,
    /// Columns that make the comparison silent where all have a value on both sides.
    pub(super) unless: Vec<usize>,
    /// From most to least specific.
    pub(super) tests: Vec<BoundTest>,
    /// The one column that is read, if the first test is its equality and all others are similarities on it.
    pub(super) equal_or_similar: Option<usize>,
}

/// What codes say about a comparison: a level that holds for certain, and whether one above it may.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) level: u8,
    pub(super) is_open: bool,
}

impl BoundComparison {
    pub(super) fn new(not_null: Vec<usize>, unless: Vec<usize>, tests: Vec<BoundTest>) -> Self {
        let equal_or_similar = match (not_null.as_slice(), tests.split_first()) {
            (&[column], Some((BoundTest::Equal(first), others))) if *first == column && unless.is_empty() => others
                .iter()
                .all(|test| matches!(test, BoundTest::Similar { column: other, .. } if *other == column))
                .then_some(column),
            _ => None,
        };
        Self {
            not_null,
            unless,
            tests,
            equal_or_similar,
        }
    }

    /// Pattern value of a test: 2 for the last, and up.
    fn level_of(&self, test: usize) -> u8 {
        u8::try_from(self.tests.len() - test + 1).expect("a comparison has at most 14 levels")
    }

    /// Pattern values of the tests that codes do not decide.
    pub(super) fn levels_of_texts(&self) -> impl Iterator<Item = u8> {
        let open = self.tests.iter().enumerate().filter(|(_, test)| !test.is_by_codes());
        open.map(|(test, _)| self.level_of(test))
    }

    #[inline]
    pub(super) fn by_codes(&self, columns: &Columns, rows: Rows<'_>) -> Known {
        let is_missing = |&column: &usize| rows.left[column] == NULL_CODE || rows.right[column] == NULL_CODE;
        if self.not_null.iter().any(is_missing) || (!self.unless.is_empty() && !self.unless.iter().any(is_missing)) {
            return Known { level: 0, is_open: false };
        }
        let mut is_open = false;
        for (position, test) in self.tests.iter().enumerate() {
            match test.by_codes(columns, rows) {
                ByCodes::Holds => {
                    return Known {
                        level: self.level_of(position),
                        is_open,
                    };
                }
                ByCodes::Open => is_open = true,
                ByCodes::Fails => {}
            }
        }
        Known { level: 1, is_open }
    }

    /// The level of an open comparison of which the codes say that it is at least `known`.
    pub(super) fn by_texts(&self, columns: &Columns, scratch: &mut [SimilarityScratch], rows: Rows<'_>, known: u8) -> u8 {
        for (position, test) in self.tests.iter().enumerate() {
            let level = self.level_of(position);
            if level <= known {
                break;
            }
            if !test.is_by_codes() && test.holds(columns, scratch, rows) {
                return level;
            }
        }
        known
    }
}
