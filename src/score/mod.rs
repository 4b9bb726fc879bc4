//! Stage `score`: Fellegi-Sunter weights, trained by EM without labels, and the pairs above a weight.

mod count;
mod difference;
mod em;
mod file;
mod frequency;
mod joint;
mod known;
mod links;
mod model;
mod random;
mod relation;
mod sample;
pub mod state;
mod strangers;
mod summary;
mod train;
mod weights;

pub use difference::{FrequencyDifference, ModelDifference, ParameterDifference, difference};
pub use file::{MODEL_FILE_FORMAT, ModelFile};
pub use frequency::{ColumnFrequencies, TermFrequencies};
pub use joint::{JOINT_SESSION, fit};
pub use known::{KnownPairs, ScoredPairs, fingerprints};
pub use links::{DETERMINISTIC_PAIRS_RECORDS_MAX, Likely, LikelyPair, ScoreCounts, likely, likely_again, links, merge, score};
pub use model::{
    ComparisonModel, ELSE_LABEL, LevelModel, MODEL_FORMAT, Model, ModelSource, Origin, RelationComparison, RelationModel, SessionReport,
    TrainingReport,
};
pub use strangers::{strangers, upper_weights};
pub use summary::{ComparisonSummary, FrequencySummary, LevelSummary, ModelSummary, summary};
pub use train::train;
pub use weights::{NULL_LABEL, RELATIONS_PART, WeightPart, Weights};

/// 2^w / (1 + 2^w), without overflow.
#[must_use]
pub fn probability(weight: f64) -> f64 {
    if weight >= 0.0 {
        1.0 / (1.0 + (-weight).exp2())
    } else {
        weight.exp2() / (1.0 + weight.exp2())
    }
}

/// log2(p / (1 − p)). Finite for p = 1 (53 bits: the largest double below 1), so that no link ever weighs infinitely much; −∞ for p ≤ 0.
#[must_use]
pub fn weight_of(probability: f64) -> f64 {
    let largest = 1.0 - f64::EPSILON / 2.0;
    let probability = probability.min(largest);
    (probability / (1.0 - probability)).log2()
}
