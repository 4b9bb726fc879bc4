//! Two models side by side: which parameters differ, in bits, the largest first.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::weight_of;
use super::{ColumnFrequencies, Model, TermFrequencies};

/// Where two models differ.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ModelDifference {
    /// Differences of fewer bits are not told.
    pub tolerance_bits: f64,
    /// Comparisons, levels and classes that only the left model has, as `comparison`, `comparison: level` or `class`.
    pub only_left: Vec<String>,
    /// Those that only the right model has.
    pub only_right: Vec<String>,
    /// Parameters that differ, the largest difference first.
    pub parameters: Vec<ParameterDifference>,
    /// Parameters of both models.
    pub parameters_compared: u64,
    /// Term frequencies, one entry a column of either model.
    pub term_frequencies: Vec<FrequencyDifference>,
}

/// One parameter in both models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ParameterDifference {
    /// Comparison, or `prior`, or `class <name>` with the comparison after a slash.
    pub of: String,
    /// Level; empty for a prior.
    pub level: String,
    /// `m`, `u`, or `probability`.
    pub parameter: String,
    /// In the left model.
    pub left: f64,
    /// In the right model.
    pub right: f64,
    /// log2(right / left); of a prior, the difference of log2 odds. What it changes in the weight of a pair: u counts the other way round.
    pub bits: f64,
}

/// Term frequencies of a column in both models, without the values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FrequencyDifference {
    /// Column.
    pub column: String,
    /// Values in the left model.
    pub values_left: u64,
    /// Values in the right model.
    pub values_right: u64,
    /// Values in both.
    pub values_common: u64,
    /// Common values whose frequency differs beyond the tolerance.
    pub values_different: u64,
    /// Mean of |log2(right / left)| over the common values, in bits.
    pub bits_mean: f64,
    /// Largest of them.
    pub bits_max: f64,
    /// log2(right / left) of the frequency of a value that is not listed and that nobody else holds, in bits; 0 if a model lacks the column.
    pub bits_unlisted: f64,
}

/// Compares two models. Parameters that differ by at most `tolerance_bits` count as equal.
#[must_use]
pub fn difference(left: (&Model, &TermFrequencies), right: (&Model, &TermFrequencies), tolerance_bits: f64) -> ModelDifference {
    let (of_left, of_right) = (parameters(left.0), parameters(right.0));
    let mut difference = ModelDifference {
        tolerance_bits,
        only_left: lacking(&of_left, &of_right),
        only_right: lacking(&of_right, &of_left),
        ..ModelDifference::default()
    };
    for (key, left) in &of_left {
        let Some(right) = of_right.get(key) else { continue };
        difference.parameters_compared += 1;
        let bits = if key.level.is_empty() {
            weight_of(*right) - weight_of(*left)
        } else {
            (right / left).log2()
        };
        if bits.abs() > tolerance_bits {
            difference.parameters.push(ParameterDifference {
                of: key.of.clone(),
                level: key.level.clone(),
                parameter: key.parameter.to_owned(),
                left: *left,
                right: *right,
                bits,
            });
        }
    }
    // Stable: equal differences stay in the order of the keys.
    difference.parameters.sort_by(|a, b| b.bits.abs().total_cmp(&a.bits.abs()));
    difference.term_frequencies = frequencies(left.1, right.1, tolerance_bits);
    difference
}

impl ModelDifference {
    /// Whether both models score alike, but for values that only one of them knows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let same = |column: &FrequencyDifference| column.values_different == 0 && column.bits_unlisted.abs() <= self.tolerance_bits;
        self.only_left.is_empty() && self.only_right.is_empty() && self.parameters.is_empty() && self.term_frequencies.iter().all(same)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    of: String,
    level: String,
    parameter: &'static str,
}

/// Every parameter by what it is of.
fn parameters(model: &Model) -> BTreeMap<Key, f64> {
    let key = |of: &str, level: &str, parameter: &'static str| Key {
        of: of.to_owned(),
        level: level.to_owned(),
        parameter,
    };
    let mut parameters = BTreeMap::from([(key("prior", "", "probability"), model.probability_two_random_records_match)]);
    for comparison in &model.comparisons {
        for level in &comparison.levels {
            parameters.insert(key(&comparison.name, &level.label, "m"), level.m);
            parameters.insert(key(&comparison.name, &level.label, "u"), level.u);
        }
    }
    for relation in &model.relations {
        let class = format!("class {}", relation.name);
        parameters.insert(key(&class, "", "probability"), relation.probability_two_random_records);
        for (comparison, related) in model.comparisons.iter().zip(&relation.comparisons) {
            for (level, &probability) in comparison.levels.iter().zip(&related.levels) {
                parameters.insert(
                    key(&format!("{class}/{}", comparison.name), &level.label, "probability"),
                    probability,
                );
            }
        }
    }
    parameters
}

/// What `these` have and `others` lack: whole comparisons and classes by name, else single levels.
fn lacking(these: &BTreeMap<Key, f64>, others: &BTreeMap<Key, f64>) -> Vec<String> {
    let mut names: Vec<String> = these
        .keys()
        .filter(|key| !others.contains_key(*key))
        .map(|key| {
            let is_known = others.keys().any(|other| other.of == key.of);
            if is_known {
                format!("{}: {}", key.of, key.level)
            } else {
                key.of.clone()
            }
        })
        .collect();
    names.dedup();
    names
}

fn frequencies(left: &TermFrequencies, right: &TermFrequencies, tolerance_bits: f64) -> Vec<FrequencyDifference> {
    let mut columns: Vec<&String> = left.columns.keys().chain(right.columns.keys()).collect();
    columns.sort();
    columns.dedup();
    let none = BTreeMap::new();
    columns
        .into_iter()
        .map(|column| {
            let of = |side: &'_ TermFrequencies| side.columns.get(column).map_or(0, |column| column.values.len()) as u64;
            let (ours, theirs) = (
                left.columns.get(column).map_or(&none, |column| &column.values),
                right.columns.get(column).map_or(&none, |column| &column.values),
            );
            let bits: Vec<f64> = ours
                .iter()
                .filter_map(|(value, left)| theirs.get(value).map(|right| (right / left).log2().abs()))
                .collect();
            FrequencyDifference {
                column: column.clone(),
                values_left: of(left),
                values_right: of(right),
                values_common: bits.len() as u64,
                values_different: bits.iter().filter(|bits| **bits > tolerance_bits).count() as u64,
                bits_mean: if bits.is_empty() {
                    0.0
                } else {
                    bits.iter().sum::<f64>() / bits.len() as f64
                },
                bits_max: bits.iter().copied().fold(0.0, f64::max),
                bits_unlisted: unlisted(left.columns.get(column), right.columns.get(column)),
            }
        })
        .collect()
}

/// log2 of the ratio of what both give a value that nobody else holds; 0 where either has no records.
fn unlisted(left: Option<&ColumnFrequencies>, right: Option<&ColumnFrequencies>) -> f64 {
    let rarest =
        |column: &ColumnFrequencies| Some(column.unseen / column.records).filter(|frequency| *frequency > 0.0 && frequency.is_finite());
    match (left.and_then(rarest), right.and_then(rarest)) {
        (Some(left), Some(right)) => (right / left).log2(),
        _ => 0.0,
    }
}
