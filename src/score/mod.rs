//! Stage `score`: Fellegi-Sunter weights, trained by EM without labels, and the pairs above a weight.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::spec::{ComparisonSpec, IdentitySpec};
use crate::error::Result;
use crate::table::{Blocks, CodedRecords, Link, Pattern, RecordIx};

/// A trained Fellegi-Sunter model. Written as `model.json` in the state of a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Model {
    /// Format of this file.
    pub format: u32,
    /// λ: probability that two records drawn at random are one person.
    pub probability_two_random_records_match: f64,
    /// One entry a comparison, in specification order.
    pub comparisons: Vec<ComparisonModel>,
    /// How training went.
    pub training: TrainingReport,
}

/// Parameters of one comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComparisonModel {
    /// Name of the comparison.
    pub name: String,
    /// Levels from most to least specific, the else level last. The null level has weight 0 and is not listed.
    pub levels: Vec<LevelModel>,
}

/// Parameters of one level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LevelModel {
    /// Label.
    pub label: String,
    /// Probability of the level among matches.
    pub m: f64,
    /// Probability of the level among non-matches.
    pub u: f64,
    /// Where m comes from: `trained`, `fixed`, `default` (level not observed in training).
    pub m_origin: Origin,
    /// Where u comes from: `trained`, `fixed`, `default`.
    pub u_origin: Origin,
}

/// Where a parameter comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Estimated from the data.
    Trained,
    /// Given in the config.
    Fixed,
    /// Not observed: the default by position.
    Default,
}

/// How training went, told as it was.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct TrainingReport {
    /// Pairs from which u was estimated.
    pub u_pairs: u64,
    /// One entry a session.
    pub sessions: Vec<SessionReport>,
    /// Comparisons that no session trained.
    pub untrained: Vec<String>,
}

/// One EM session.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SessionReport {
    /// Name of its blocking rule.
    pub rule: String,
    /// Pairs used.
    pub pairs: u64,
    /// Iterations made.
    pub iterations: u32,
    /// Whether the largest change fell below the limit.
    pub converged: bool,
    /// Largest change of a parameter in the last iteration.
    pub last_change: f64,
    /// λ among the pairs of the session.
    pub match_share: f64,
}

/// Term frequencies by column and value: `count / non-null values`, over all records when the model was trained.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TermFrequencies {
    /// Column → value → frequency.
    pub columns: BTreeMap<String, BTreeMap<String, f64>>,
}

impl TermFrequencies {
    /// Counts the columns that the comparisons adjust by.
    #[must_use]
    pub fn count(_comparisons: &[ComparisonSpec], _records: &CodedRecords) -> Self {
        todo!()
    }
}

/// Trains a model: λ from deterministic rules, u from value counts and random pairs, m by EM sessions.
/// `session_blocks` holds one entry a session of the specification, `deterministic_pairs` the number of distinct pairs that the
/// deterministic training rules find. `pattern` gives the levels of a pair.
pub fn train(
    _spec: &IdentitySpec,
    _records: &CodedRecords,
    _session_blocks: &Blocks,
    _deterministic_pairs: u64,
    _pattern: &(impl Fn(RecordIx, RecordIx) -> Pattern + Sync),
) -> Model {
    todo!()
}

/// Weights of a model bound to coded records, term frequencies included.
#[derive(Debug)]
pub struct Weights {}

/// The part of one comparison in a pair's weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WeightPart {
    /// Comparison.
    pub comparison: String,
    /// Label of the level that held, `null` or `else` included.
    pub level: String,
    /// log2(m / u); 0 for null.
    pub weight: f64,
    /// Term-frequency adjustment in bits.
    pub term_frequency_adjustment: f64,
}

impl Weights {
    /// Binds a model.
    ///
    /// # Errors
    /// `Config` if the model was trained with other comparisons or levels (hint: `--retrain`).
    pub fn new(_comparisons: &[ComparisonSpec], _model: &Model, _frequencies: &TermFrequencies, _records: &CodedRecords) -> Result<Self> {
        todo!()
    }

    /// Prior weight log2(λ / (1 − λ)).
    #[must_use]
    pub fn prior(&self) -> f64 {
        todo!()
    }

    /// Match weight of a pair with this pattern.
    #[must_use]
    pub fn weight(&self, _pattern: Pattern, _left: RecordIx, _right: RecordIx) -> f64 {
        todo!()
    }

    /// The same weight as the sum of its parts, in model order; prior not included.
    #[must_use]
    pub fn parts(&self, _pattern: Pattern, _left: RecordIx, _right: RecordIx) -> Vec<WeightPart> {
        todo!()
    }
}

/// What scoring saw.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ScoreCounts {
    /// Pairs compared.
    pub pairs: u64,
    /// Pairs at or above the lower threshold.
    pub links: u64,
    /// Number of pairs by whole bits of match weight, from −40 to 40; the ends hold what lies beyond.
    pub weight_histogram: Vec<(i32, u64)>,
}

/// Streams all candidate pairs of `blocks`, and keeps those whose match probability is at least `probability_min`. Deterministic pairs
/// (`deterministic`, one entry a rule) are kept whatever their weight; their weight is raised to that of `match_probability`.
/// Sorted by (left, right), each pair once; byte-identical for any number of threads.
#[must_use]
pub fn score(
    _spec: &IdentitySpec,
    _blocks: &Blocks,
    _deterministic: &Blocks,
    _weights: &Weights,
    _pattern: &(impl Fn(RecordIx, RecordIx) -> Pattern + Sync),
) -> (Vec<Link>, ScoreCounts) {
    todo!()
}

/// 2^w / (1 + 2^w), without overflow.
#[must_use]
pub fn probability(weight: f64) -> f64 {
    if weight >= 0.0 {
        1.0 / (1.0 + (-weight).exp2())
    } else {
        weight.exp2() / (1.0 + weight.exp2())
    }
}

/// log2(p / (1 − p)).
#[must_use]
pub fn weight_of(probability: f64) -> f64 {
    (probability / (1.0 - probability)).log2()
}
