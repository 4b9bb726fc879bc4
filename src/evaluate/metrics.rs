//! How good a resolution is against the truth: pairs and B-cubed, the two measures that papers on entity resolution report.

use std::hash::Hash;

use rustc_hash::FxHashMap;

/// Precision, recall and their harmonic mean, each 0 to 1; 0 where the denominator is 0.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Quality {
    /// Share of what was said that is true.
    pub precision: f64,
    /// Share of what is true that was said.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
}

impl Quality {
    /// From counts: how many were said and are true, were said, are true.
    #[must_use]
    pub fn of_counts(both: u128, said: u128, actual: u128) -> Self {
        Self::new(ratio(both, said), ratio(both, actual))
    }

    pub(super) fn new(precision: f64, recall: f64) -> Self {
        let sum = precision + recall;
        Self {
            precision,
            recall,
            f1: if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 },
        }
    }
}

/// A resolution against the truth.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Evaluation {
    /// Records compared.
    pub records: u64,
    /// Over pairs of records: precision is the share of pairs with one key that are one person, recall the share of pairs of one person
    /// with one key.
    pub pairs: Quality,
    /// B-cubed (Bagga and Baldwin, 1998): the mean over records of the precision and the recall of the record's own cluster.
    pub b_cubed: Quality,
    /// Predicted keys.
    pub clusters: u64,
    /// People of the truth.
    pub clusters_true: u64,
    /// Records of the largest predicted key.
    pub cluster_size_max: u64,
}

/// Compares, record by record, the true person with the predicted key. Linear in the records; order and the values themselves do not matter.
#[must_use]
pub fn evaluate<T: Eq + Hash + Copy, P: Eq + Hash + Copy>(records: &[(T, P)]) -> Evaluation {
    let mut cells: FxHashMap<(T, P), u64> = FxHashMap::default();
    let mut people: FxHashMap<T, u64> = FxHashMap::default();
    let mut keys: FxHashMap<P, u64> = FxHashMap::default();
    for &(person, key) in records {
        *cells.entry((person, key)).or_default() += 1;
        *people.entry(person).or_default() += 1;
        *keys.entry(key).or_default() += 1;
    }
    let pairs = |sizes: &mut dyn Iterator<Item = u64>| {
        sizes
            .map(|size| u128::from(size) * u128::from(size.saturating_sub(1)) / 2)
            .sum::<u128>()
    };
    let both = pairs(&mut cells.values().copied());
    let predicted = pairs(&mut keys.values().copied());
    let actual = pairs(&mut people.values().copied());
    // Sums over sorted terms: hash order must not reach the last digits.
    let mean = |size: &dyn Fn(&(T, P)) -> u64| {
        let mut terms: Vec<(u64, u64)> = cells.iter().map(|(cell, &count)| (count, size(cell))).collect();
        terms.sort_unstable();
        let sum: f64 = terms
            .iter()
            .map(|&(count, size)| ratio(u128::from(count) * u128::from(count), u128::from(size)))
            .sum();
        if records.is_empty() {
            0.0
        } else {
            sum / to_float(records.len() as u128)
        }
    };
    Evaluation {
        records: records.len() as u64,
        pairs: Quality::of_counts(both, predicted, actual),
        b_cubed: Quality::new(mean(&|(_, key)| keys[key]), mean(&|(person, _)| people[person])),
        clusters: keys.len() as u64,
        clusters_true: people.len() as u64,
        cluster_size_max: keys.values().copied().max().unwrap_or(0),
    }
}

/// Whole clusters: precision is the share of predicted keys that hold exactly the records of one person, recall the share of people whose
/// records are exactly one key. Linear in the records.
#[must_use]
pub fn whole_clusters<T: Eq + Hash + Copy, P: Eq + Hash + Copy>(records: &[(T, P)]) -> Quality {
    let mut cells: FxHashMap<(T, P), u64> = FxHashMap::default();
    let mut people: FxHashMap<T, u64> = FxHashMap::default();
    let mut keys: FxHashMap<P, u64> = FxHashMap::default();
    for &(person, key) in records {
        *cells.entry((person, key)).or_default() += 1;
        *people.entry(person).or_default() += 1;
        *keys.entry(key).or_default() += 1;
    }
    let is_whole = |((person, key), count): (&(T, P), &u64)| people[person] == *count && keys[key] == *count;
    let both = cells.iter().filter(|&cell| is_whole(cell)).count();
    Quality::of_counts(both as u128, keys.len() as u128, people.len() as u128)
}

/// A share; 0 of nothing.
pub(super) fn ratio(part: u128, whole: u128) -> f64 {
    if whole == 0 { 0.0 } else { to_float(part) / to_float(whole) }
}

#[expect(clippy::cast_precision_loss, reason = "a measure needs four digits, an f64 has fifteen")]
fn to_float(count: u128) -> f64 {
    count as f64
}
