//! Tests bound to columns. Most are decided by comparing integers; only a similarity that these leave open looks at texts.

use super::similarity::{Similarity, SimilarityScratch};
use super::text::Texts;
use crate::table::{CodedRecords, NULL_CODE, Pair, RecordIx};

/// What the comparisons share: the codes of all columns, prepared texts, similarities and maps from code to code. Columns are named by their
/// position in a row.
#[derive(Debug)]
pub(super) struct Columns<'a> {
    pub(super) records: &'a CodedRecords,
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

/// What masks alone say about a test; of several tests that must all hold, the largest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ByMasks {
    Holds,
    Open,
    Fails,
}

impl Columns<'_> {
    /// Fresh buffers of all similarities for one thread.
    pub(super) fn scratch(&self) -> Vec<SimilarityScratch> {
        self.similarities.iter().map(|(_, similarity)| similarity.scratch()).collect()
    }

    /// The codes of two records.
    #[inline]
    pub(super) fn rows(&self, pair: Pair) -> Rows<'_> {
        Rows {
            left: self.records.row(pair.left),
            right: self.records.row(pair.right),
        }
    }

    fn image(&self, map: usize, code: u32) -> u32 {
        if code == NULL_CODE { code } else { self.maps[map][code as usize] }
    }

    /// Brings the outlines of values near the processor, where there are too many to stay there.
    pub(super) fn fetch(&self, comparison: &BoundComparison, records: impl Iterator<Item = RecordIx> + Clone) {
        for column in comparison.measured() {
            if let Some(texts) = self.texts[column].as_ref().filter(|texts| texts.are_many()) {
                texts.fetch(records.clone().map(|record| self.records.row(record)[column]));
            }
        }
    }

    fn may_reach(&self, similarity: usize, left: u32, right: u32) -> bool {
        let (column, measure) = &self.similarities[similarity];
        let texts = self.texts[*column].as_ref().expect("texts were prepared for every similarity");
        measure.may_reach(texts, left, right)
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
    /// What the masks of a pair say: which columns are equal, and which are missing on one side. What takes more is open.
    #[inline]
    fn by_masks(&self, equal: u64, missing: u64) -> ByMasks {
        match self {
            Self::Equal(column) if equal >> column & 1 == 1 => ByMasks::Holds,
            Self::Equal(_) => ByMasks::Fails,
            Self::Similar { column, .. } | Self::SameImage { column, .. } | Self::Image { column, .. } if missing >> column & 1 == 1 => {
                ByMasks::Fails
            }
            Self::Swapped { first, second, .. } if (missing >> first | missing >> second) & 1 == 1 => ByMasks::Fails,
            Self::Similar { .. } | Self::SameImage { .. } | Self::Image { .. } | Self::Swapped { .. } | Self::Crossed { .. } => {
                ByMasks::Open
            }
            Self::All(tests) => {
                let all = tests.iter().map(|test| test.by_masks(equal, missing));
                all.max().unwrap_or(ByMasks::Holds)
            }
        }
    }

    /// Whether the test holds.
    pub(super) fn holds(&self, columns: &Columns<'_>, scratch: &mut [SimilarityScratch], rows: Rows<'_>) -> bool {
        let codes = |column: usize| (rows.left[column], rows.right[column]);
        match self {
            Self::Equal(column) => {
                let (a, b) = codes(*column);
                equal(a, b)
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
            Self::Similar { column, similarity, above } => {
                let (a, b) = codes(*column);
                a != NULL_CODE && b != NULL_CODE && columns.class(scratch, *similarity, a, b) > *above
            }
            Self::All(tests) => tests.iter().all(|test| test.holds(columns, scratch, rows)),
        }
    }

    /// Whether the test may hold, as far as that is seen without looking at texts.
    #[inline]
    fn may_hold(&self, columns: &Columns<'_>, rows: Rows<'_>) -> bool {
        match self {
            Self::Similar { column, similarity, .. } => {
                let (a, b) = (rows.left[*column], rows.right[*column]);
                a != NULL_CODE && b != NULL_CODE && columns.may_reach(*similarity, a, b)
            }
            Self::All(tests) => tests.iter().all(|test| test.may_hold(columns, rows)),
            _ => self.holds(columns, &mut [], rows),
        }
    }

    /// The column of a similarity in it.
    fn measured(&self) -> Option<usize> {
        match self {
            Self::Similar { column, .. } => Some(*column),
            Self::All(tests) => tests.iter().find_map(Self::measured),
            _ => None,
        }
    }

    /// Whether masks always decide it.
    pub(super) fn is_by_masks(&self) -> bool {
        match self {
            Self::Equal(_) => true,
            Self::All(tests) => tests.iter().all(Self::is_by_masks),
            _ => false,
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

/// A comparison ready to run.
#[derive(Debug)]
pub(super) struct BoundComparison {
    /// Columns of which a missing value makes the comparison silent, one bit each.
    pub(super) not_null: u64,
    /// Columns that make the comparison silent where all have a value on both sides, one bit each.
    pub(super) unless: u64,
    /// From most to least specific.
    pub(super) tests: Vec<BoundTest>,
}

/// What masks say about a comparison: a level that holds for certain, and whether one above it may.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) level: u8,
    pub(super) is_open: bool,
}

impl BoundComparison {
    /// Pattern value of a test: 2 for the last, and up.
    fn level_of(&self, test: usize) -> u8 {
        u8::try_from(self.tests.len() - test + 1).expect("a comparison has at most 14 levels")
    }

    /// The columns that its similarities read, those that follow each other once.
    fn measured(&self) -> impl Iterator<Item = usize> {
        let mut last = None;
        let columns = self.tests.iter().filter_map(BoundTest::measured);
        columns.filter(move |&column| last.replace(column) != Some(column))
    }

    /// Pattern values of the tests that masks do not decide.
    pub(super) fn levels_of_rest(&self) -> impl Iterator<Item = u8> {
        let open = self.tests.iter().enumerate().filter(|(_, test)| !test.is_by_masks());
        open.map(|(test, _)| self.level_of(test))
    }

    /// What the masks of a pair say.
    pub(super) fn by_masks(&self, equal: u64, missing: u64) -> Known {
        if missing & self.not_null != 0 || (self.unless != 0 && missing & self.unless == 0) {
            return Known { level: 0, is_open: false };
        }
        let mut is_open = false;
        for (position, test) in self.tests.iter().enumerate() {
            match test.by_masks(equal, missing) {
                ByMasks::Holds => {
                    let level = self.level_of(position);
                    return Known { level, is_open };
                }
                ByMasks::Open => is_open = true,
                ByMasks::Fails => {}
            }
        }
        Known { level: 1, is_open }
    }

    /// Whether an open comparison may have a level above `known`, as far as that is seen without looking at texts.
    #[inline]
    pub(super) fn may_rise(&self, columns: &Columns<'_>, rows: Rows<'_>, known: u8) -> bool {
        let tests = self.tests.iter().enumerate().filter(|(_, test)| !test.is_by_masks());
        tests
            .take_while(|&(position, _)| self.level_of(position) > known)
            .any(|(_, test)| test.may_hold(columns, rows))
    }

    /// The level of an open comparison of which the masks say that it is at least `known`.
    pub(super) fn rest(&self, columns: &Columns<'_>, scratch: &mut [SimilarityScratch], rows: Rows<'_>, known: u8) -> u8 {
        for (position, test) in self.tests.iter().enumerate() {
            let level = self.level_of(position);
            if level <= known {
                break;
            }
            if !test.is_by_masks() && test.holds(columns, scratch, rows) {
                return level;
            }
        }
        known
    }
}
