//! Binds comparisons to the columns of coded records: names become positions, tests become integer comparisons and similarity classes.

use rustc_hash::FxHashMap;

use super::date;
use super::jaro_winkler::MatchesMin;
use super::similarity::{Measure, Similarity};
use super::test::{BoundComparison, BoundTest, Columns};
use super::text::Texts;
use crate::config::spec::{ComparisonSpec, Test};
use crate::table::{CodedRecords, NULL_CODE};
use crate::text::nickname;

/// Records a value must have on average before its similarities are cached: below, a pair of values hardly ever comes back.
const REPEATS_MIN: u64 = 2;

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
    Nickname(usize),
    Second { first: usize, second: usize },
}

/// Builds [`Columns`] while it binds comparisons.
pub(super) struct Binder<'a> {
    columns: Columns<'a>,
    maps: FxHashMap<MapOf, usize>,
}

impl<'a> Binder<'a> {
    pub(super) fn new(records: &'a CodedRecords) -> Self {
        Self {
            columns: Columns {
                records,
                texts: records.columns().iter().map(|_| None).collect(),
                similarities: Vec::new(),
                maps: Vec::new(),
            },
            maps: FxHashMap::default(),
        }
    }

    /// What the bound comparisons share.
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
        let columns = |names: &[String]| names.iter().fold(0, |columns, name| columns | 1 << self.position(name));
        BoundComparison {
            not_null: columns(&spec.not_null),
            unless: columns(&spec.unless),
            tests,
        }
    }

    fn position(&self, name: &str) -> usize {
        let position = self.columns.records.position(name);
        position.expect("the columns of all comparisons are coded before comparing")
    }

    fn similarity(&mut self, kind: Kind, column: &str, thresholds: &[f64]) -> usize {
        let position = self.position(column);
        let coded = &self.columns.records.columns()[position];
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
            Test::Crossed(first, second) => {
                let (first, second) = (self.position(first), self.position(second));
                let map = self.map(MapOf::Second { first, second });
                BoundTest::Crossed { first, second, map }
            }
            Test::Nickname(column) => {
                let column = self.position(column);
                let map = self.map(MapOf::Nickname(column));
                BoundTest::SameImage { column, map }
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
        let values = |column: usize| self.columns.records.columns()[column].values();
        let map = match key {
            MapOf::Year(column) => date::years(values(column)),
            MapOf::DayMonthSwapped(column) => date::swapped(values(column)),
            MapOf::Nickname(column) => values(column)
                .iter()
                .flatten()
                .map(|name| nickname::group(name).unwrap_or(NULL_CODE))
                .collect(),
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
