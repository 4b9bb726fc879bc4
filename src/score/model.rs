//! The parameters of a trained model, and the defaults of levels that training never saw.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::spec::ComparisonSpec;

/// [`Model::format`] of this version.
pub const MODEL_FORMAT: u32 = 1;
/// Label of the level that holds when no other does.
pub const ELSE_LABEL: &str = "else";

/// A trained Fellegi-Sunter model. Written as `model.json` in the state of a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Model {
    /// Format of this file.
    pub format: u32,
    /// λ: probability that two records drawn at random are one person.
    pub probability_two_random_records_match: f64,
    /// One entry a comparison, in specification order.
    pub comparisons: Vec<ComparisonModel>,
    /// People who are not one and yet agree: what else than identity explains agreement.
    #[serde(default)]
    pub relations: Vec<RelationModel>,
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

/// Pairs of different people who agree for a reason, such as a household.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RelationModel {
    /// Name.
    pub name: String,
    /// Probability that two records drawn at random are of people so related.
    pub probability_two_random_records: f64,
    /// One entry a comparison, in specification order.
    pub comparisons: Vec<RelationComparison>,
}

/// A comparison among related people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RelationComparison {
    /// Probability of each level, from the most specific, the else level last.
    pub levels: Vec<f64>,
    /// Whether term frequencies count: the people share the value because they are related, not by chance.
    pub adjusted: bool,
}

/// Where the model of a run comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelSource {
    /// Trained by this run.
    Trained,
    /// The last version's.
    LastVersion,
    /// A model file.
    File,
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
    /// Bits of log-likelihood of the session's pairs that all iterations gained. Of the step over all blocking rules it may be negative: u is
    /// fitted to all pairs of records there, not to the blocked ones alone. Absent in models of older releases.
    #[serde(default)]
    pub log_likelihood_gain: Option<f64>,
    /// The same of the last iteration.
    #[serde(default)]
    pub log_likelihood_last_gain: Option<f64>,
    /// Levels of the comparisons it trains that none of its pairs shows, as `comparison: level`.
    #[serde(default)]
    pub levels_not_observed: Vec<String>,
}

/// Default m of the most specific level.
const M_TOP: f64 = 0.95;
/// Default weight in bits of the most specific level.
const WEIGHT_TOP: f64 = 10.0;
/// Default weights in bits of the other levels run from the first for the else level to the second below the top.
const WEIGHTS_BELOW: (f64, f64) = (-5.0, 3.0);

impl Model {
    /// The model before training: fixed values where given, else the defaults by position (those of Splink).
    #[must_use]
    pub(super) fn untrained(comparisons: &[ComparisonSpec], probability_two_random_records_match: f64) -> Self {
        Self {
            format: MODEL_FORMAT,
            probability_two_random_records_match,
            comparisons: comparisons.iter().map(ComparisonModel::untrained).collect(),
            relations: Vec::new(),
            training: TrainingReport::default(),
        }
    }
}

impl ComparisonModel {
    fn untrained(spec: &ComparisonSpec) -> Self {
        let count = spec.levels.len() + 1;
        let mut levels: Vec<LevelModel> = (0..count)
            .map(|position| {
                let level = spec.levels.get(position);
                let (default_m, default_u) = default_parameters(position, count);
                let origin = |fixed: Option<f64>| if fixed.is_some() { Origin::Fixed } else { Origin::Default };
                let (m, u) = (level.and_then(|level| level.m), level.and_then(|level| level.u));
                LevelModel {
                    label: level.map_or_else(|| ELSE_LABEL.to_owned(), |level| level.label.clone()),
                    m: m.unwrap_or(default_m),
                    u: u.unwrap_or(default_u),
                    m_origin: origin(m),
                    u_origin: origin(u),
                }
            })
            .collect();
        for level in &mut levels {
            level.m = bounded(level.m);
            level.u = bounded(level.u);
        }
        Self {
            name: spec.name.clone(),
            levels,
        }
    }
}

/// Smallest and, from above, largest value of a parameter: an observed share of 0 would be a weight without end.
pub(super) const PARAMETER_MIN: f64 = 1e-9;

/// A parameter kept away from 0.
pub(super) fn bounded(parameter: f64) -> f64 {
    parameter.clamp(PARAMETER_MIN, 1.0)
}

/// m and u of the level at `position` (from the most specific) of `count` non-null levels.
fn default_parameters(position: usize, count: usize) -> (f64, f64) {
    let number = |n: usize| f64::from(u32::try_from(n).expect("a comparison has at most 14 levels"));
    if count == 1 {
        return (1.0, 1.0);
    }
    if position == 0 {
        return (M_TOP, M_TOP / WEIGHT_TOP.exp2());
    }
    let m = (1.0 - M_TOP) / number(count - 1);
    let from_bottom = count - 1 - position;
    let weight = if count == 2 {
        WEIGHTS_BELOW.0
    } else {
        WEIGHTS_BELOW.0 + (WEIGHTS_BELOW.1 - WEIGHTS_BELOW.0) * number(from_bottom) / number(count - 2)
    };
    (m, m / weight.exp2())
}
