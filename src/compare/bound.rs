//! Comparisons bound to the columns of coded records: names become positions, tests become integer comparisons and similarity classes.

use rustc_hash::FxHashMap;

use super::date;
use super::jaro_winkler::MatchesMin;
use super::similarity::{Measure, Similarity, SimilarityScratch};
use super::text::Texts;
use crate::config::spec::{ComparisonSpec, Test};
use crate::table::{Coded, CodedRecords, NULL_CODE, Pattern};

/// Records a value must have on average before its similarities are cached: below, a pair of values hardly ever comes back.
const REPEATS_MIN: u64 = 2;

/// What the comparisons share: columns, prepared texts, similarities and maps from code to code.
#[derive(Debug)]
pub(super) struct Columns<'a> {
    codes: Vec<&'a [u32]>,
    texts: Vec<Option<Texts>>,
    similarities: Vec<(usize, Similarity)>,
    maps: Vec<Vec<u32>>,
}

impl Columns<'_> {
    /// Fresh buffers of all similarities for one thread.
    pub(super) fn scratch(&self) -> Vec<SimilarityScratch> {
        self.similarities.iter().map(|(_, similarity)| similarity.scratch()).collect()
    }

    fn class(&self, scratch: &mut [SimilarityScratch], similarity: usize, left: u32, right: u32) -> u8 {
        let (column, measure) = &self.similarities[similarity];
        let texts = self.texts[*column].as_ref().expect("texts were prepared for every similarity");
        measure.class(texts, &mut scratch[similarity], left, right)
    }
}

/// A test on two records.
#[derive(Debug, Clone)]
enum BoundTest {
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
    /// All of these, the cheapest first.
    All(Vec<BoundTest>),
}

/// A comparison ready to run.
#[derive(Debug)]
pub(super) struct BoundComparison {
    not_null: Vec<usize>,
    /// From most to least specific.
    tests: Vec<BoundTest>,
    /// The one column that null test and all tests read, if it is one.
    only_column: Option<usize>,
}

impl BoundComparison {
    /// Sets the level of this comparison, at `position` of the model, in the pattern of each pair of a row.
    pub(super) fn row(
        &self,
        position: usize,
        columns: &Columns<'_>,
        scratch: &mut [SimilarityScratch],
        left: u32,
        rights: &[u32],
        patterns: &mut [Pattern],
    ) {
        if self
            .not_null
            .iter()
            .any(|&column| columns.codes[column][left as usize] == NULL_CODE)
        {
            return;
        }
        let Some(column) = self.only_column else {
            for (pattern, &right) in patterns.iter_mut().zip(rights) {
                if !self
                    .not_null
                    .iter()
                    .any(|&column| columns.codes[column][right as usize] == NULL_CODE)
                {
                    *pattern = pattern.with(position, self.level(columns, scratch, left, right));
                }
            }
            return;
        };
        let codes = columns.codes[column];
        let left_code = codes[left as usize];
        let equal = self.level(columns, scratch, left, left);
        for (pattern, &right) in patterns.iter_mut().zip(rights) {
            let right_code = codes[right as usize];
            if right_code == left_code {
                *pattern = pattern.with(position, equal);
            } else if right_code != NULL_CODE {
                *pattern = pattern.with(position, self.level(columns, scratch, left, right));
            }
        }
    }

    /// The first level that holds; else 1.
    fn level(&self, columns: &Columns<'_>, scratch: &mut [SimilarityScratch], left: u32, right: u32) -> u8 {
        let first = self.tests.iter().position(|test| test.holds(columns, scratch, left, right));
        let above_else = first.map_or(0, |first| self.tests.len() - first);
        u8::try_from(above_else + 1).expect("a comparison has at most 14 levels")
    }
}

impl BoundTest {
    fn holds(&self, columns: &Columns<'_>, scratch: &mut [SimilarityScratch], left: u32, right: u32) -> bool {
        let codes = |column: usize| (columns.codes[column][left as usize], columns.codes[column][right as usize]);
        let image = |map: usize, code: u32| {
            if code == NULL_CODE {
                code
            } else {
                columns.maps[map][code as usize]
            }
        };
        let equal = |a: u32, b: u32| a == b && a != NULL_CODE;
        match self {
            Self::Equal(column) => {
                let (a, b) = codes(*column);
                equal(a, b)
            }
            Self::Similar { column, similarity, above } => {
                let (a, b) = codes(*column);
                a != NULL_CODE && b != NULL_CODE && columns.class(scratch, *similarity, a, b) > *above
            }
            Self::SameImage { column, map } => {
                let (a, b) = codes(*column);
                equal(image(*map, a), image(*map, b))
            }
            Self::Image { column, map } => {
                let (a, b) = codes(*column);
                equal(image(*map, a), b)
            }
            Self::Swapped { first, second, map } => {
                let ((first_a, first_b), (second_a, second_b)) = (codes(*first), codes(*second));
                equal(image(*map, second_a), first_b) && equal(image(*map, second_b), first_a)
            }
            Self::All(tests) => tests.iter().all(|test| test.holds(columns, scratch, left, right)),
        }
    }

    /// Order of evaluation inside [`BoundTest::All`].
    fn cost(&self) -> u8 {
        match self {
            Self::Equal(_) => 0,
            Self::SameImage { .. } | Self::Image { .. } | Self::Swapped { .. } => 1,
            Self::Similar { .. } => 2,
            Self::All(tests) => tests.iter().map(Self::cost).max().unwrap_or(0),
        }
    }
}

/// Which measure a test takes, apart from its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    JaroWinkler,
    Levenshtein,
    DamerauLevenshtein,
}

/// Which map from code to code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum MapOf {
    Year(usize),
    DayMonthSwapped(usize),
    Second { first: usize, second: usize },
}

/// Builds [`Columns`] while it binds comparisons.
pub(super) struct Binder<'a> {
    records: &'a CodedRecords,
    columns: Columns<'a>,
    maps: FxHashMap<MapOf, usize>,
}

impl<'a> Binder<'a> {
    pub(super) fn new(records: &'a CodedRecords) -> Self {
        Self {
            records,
            columns: Columns {
                codes: records.columns().iter().map(Coded::codes).collect(),
                texts: records.columns().iter().map(|_| None).collect(),
                similarities: Vec::new(),
                maps: Vec::new(),
            },
            maps: FxHashMap::default(),
        }
    }

    pub(super) fn finish(self) -> Columns<'a> {
        self.columns
    }

    /// Binds one comparison. Its tests on the same column and measure share one similarity.
    pub(super) fn comparison(&mut self, spec: &ComparisonSpec) -> BoundComparison {
        let mut thresholds = Thresholds::default();
        for level in &spec.levels {
            thresholds.collect(&level.test);
        }
        let similarities: FxHashMap<(Kind, String), usize> = thresholds
            .0
            .iter()
            .map(|(kind, column, values)| ((*kind, column.clone()), self.similarity(*kind, column, values)))
            .collect();
        let tests = spec
            .levels
            .iter()
            .map(|level| self.test(&level.test, &thresholds, &similarities))
            .collect();
        let mut read = spec.not_null.clone();
        read.extend(spec.levels.iter().flat_map(|level| level.test.columns()));
        read.sort();
        read.dedup();
        let only_column = (read.len() == 1 && spec.not_null == read).then(|| self.position(&read[0]));
        BoundComparison {
            not_null: spec.not_null.iter().map(|name| self.position(name)).collect(),
            tests,
            only_column,
        }
    }

    fn position(&self, name: &str) -> usize {
        self.records
            .columns()
            .iter()
            .position(|column| column.name() == name)
            .expect("the columns of all comparisons are coded before comparing")
    }

    fn similarity(&mut self, kind: Kind, column: &str, thresholds: &[f64]) -> usize {
        let position = self.position(column);
        let coded = &self.records.columns()[position];
        self.columns.texts[position].get_or_insert_with(|| Texts::new(coded.values()));
        let bounds = || thresholds.iter().map(|&bound| bound as u32).collect();
        let measure = match kind {
            Kind::JaroWinkler => Measure::JaroWinkler(thresholds.to_vec(), MatchesMin::new(thresholds[0])),
            Kind::Levenshtein => Measure::Levenshtein(bounds()),
            Kind::DamerauLevenshtein => Measure::DamerauLevenshtein(bounds()),
        };
        let repeats = coded.non_null() >= REPEATS_MIN * coded.counts().len() as u64;
        self.columns.similarities.push((position, Similarity::new(measure, repeats)));
        self.columns.similarities.len() - 1
    }

    fn test(&mut self, test: &Test, thresholds: &Thresholds, similarities: &FxHashMap<(Kind, String), usize>) -> BoundTest {
        if let Some((kind, column, threshold)) = measured(test) {
            return BoundTest::Similar {
                column: self.position(column),
                similarity: similarities[&(kind, column.to_owned())],
                above: thresholds.rank(kind, column, threshold),
            };
        }
        match test {
            Test::Exact(columns) => all(columns.iter().map(|column| BoundTest::Equal(self.position(column))).collect()),
            Test::SameYear(column) => {
                let column = self.position(column);
                let map = self.map(MapOf::Year(column));
                BoundTest::SameImage { column, map }
            }
            Test::DayMonthSwapped(column) => {
                let column = self.position(column);
                let map = self.map(MapOf::DayMonthSwapped(column));
                BoundTest::Image { column, map }
            }
            Test::Swapped(first, second) => {
                let (first, second) = (self.position(first), self.position(second));
                let map = self.map(MapOf::Second { first, second });
                BoundTest::Swapped { first, second, map }
            }
            Test::All(tests) => all(tests.iter().map(|test| self.test(test, thresholds, similarities)).collect()),
            Test::JaroWinkler(..) | Test::Levenshtein(..) | Test::DamerauLevenshtein(..) => {
                unreachable!("measured tests were bound above")
            }
        }
    }

    fn map(&mut self, key: MapOf) -> usize {
        if let Some(&map) = self.maps.get(&key) {
            return map;
        }
        let values = |column: usize| self.records.columns()[column].values();
        let map = match key {
            MapOf::Year(column) => date::years(values(column)),
            MapOf::DayMonthSwapped(column) => date::swapped(values(column)),
            MapOf::Second { first, second } => {
                let code_of: FxHashMap<&str, u32> = values(first).iter().flatten().zip(0_u32..).collect();
                let code = |value| code_of.get(value).copied().unwrap_or(NULL_CODE);
                values(second).iter().flatten().map(code).collect()
            }
        };
        self.columns.maps.push(map);
        self.maps.insert(key, self.columns.maps.len() - 1);
        self.columns.maps.len() - 1
    }
}

fn all(mut tests: Vec<BoundTest>) -> BoundTest {
    if tests.len() == 1 {
        return tests.remove(0);
    }
    tests.sort_by_key(BoundTest::cost);
    BoundTest::All(tests)
}

/// Measure, column and threshold of a test that measures similarity.
fn measured(test: &Test) -> Option<(Kind, &str, f64)> {
    match test {
        Test::JaroWinkler(column, at_least) => Some((Kind::JaroWinkler, column, *at_least)),
        Test::Levenshtein(column, at_most) => Some((Kind::Levenshtein, column, f64::from(*at_most))),
        Test::DamerauLevenshtein(column, at_most) => Some((Kind::DamerauLevenshtein, column, f64::from(*at_most))),
        _ => None,
    }
}

/// The thresholds of one comparison by measure and column, easiest first, each once.
#[derive(Default)]
struct Thresholds(Vec<(Kind, String, Vec<f64>)>);

impl Thresholds {
    fn collect(&mut self, test: &Test) {
        if let Test::All(tests) = test {
            tests.iter().for_each(|test| self.collect(test));
        }
        let Some((kind, column, threshold)) = measured(test) else {
            return;
        };
        let known = self.0.iter().position(|(other, name, _)| *other == kind && name == column);
        let at = known.unwrap_or_else(|| {
            self.0.push((kind, column.to_owned(), Vec::new()));
            self.0.len() - 1
        });
        let values = &mut self.0[at].2;
        if !values.contains(&threshold) {
            values.push(threshold);
            values.sort_by(f64::total_cmp);
            if kind != Kind::JaroWinkler {
                values.reverse();
            }
        }
    }

    fn rank(&self, kind: Kind, column: &str, threshold: f64) -> u8 {
        let entry = self.0.iter().find(|(other, name, _)| *other == kind && name == column);
        let rank = entry.and_then(|(_, _, values)| values.iter().position(|&value| value.total_cmp(&threshold).is_eq()));
        u8::try_from(rank.expect("every threshold was collected")).expect("a comparison has at most 14 levels")
    }
}
