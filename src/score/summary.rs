//! A model in words that can be checked: every parameter with its weight and where it comes from, and what training could not find out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::joint::JOINT_SESSION;
use super::model::{ComparisonModel, Model, Origin, PARAMETER_MIN, RelationModel, TrainingReport};
use super::{ColumnFrequencies, TermFrequencies, weight_of};

/// A model without the values of people that its term frequencies hold. `stammkunde model show --format json` prints this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelSummary {
    /// Format of the model.
    pub format: u32,
    /// λ: probability that two records drawn at random are one person.
    pub probability_two_random_records_match: f64,
    /// log2(λ / (1 − λ)), in bits.
    pub prior_weight: f64,
    /// One entry a comparison, in model order.
    pub comparisons: Vec<ComparisonSummary>,
    /// Latent classes of pairs of different people beside strangers.
    pub classes: Vec<RelationModel>,
    /// How training went.
    pub training: TrainingReport,
    /// Term frequencies, one entry a column.
    pub term_frequencies: Vec<FrequencySummary>,
    /// What to know before trusting it, in plain sentences.
    pub warnings: Vec<String>,
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ComparisonSummary {
    /// Name.
    pub name: String,
    /// Levels from the most specific, the else level last.
    pub levels: Vec<LevelSummary>,
}

/// One level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LevelSummary {
    /// Label.
    pub label: String,
    /// Probability among matches.
    pub m: f64,
    /// Probability among strangers.
    pub u: f64,
    /// log2(m / u), in bits.
    pub weight: f64,
    /// Where m comes from; `default`: no pair of training showed the level.
    pub m_origin: Origin,
    /// Where u comes from.
    pub u_origin: Origin,
}

/// Term frequencies of a column, without its values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FrequencySummary {
    /// Column.
    pub column: String,
    /// Values.
    pub values: u64,
    /// Frequency of the most frequent.
    pub frequency_max: f64,
    /// Frequency of the rarest.
    pub frequency_min: f64,
}

/// Summarizes a model.
#[must_use]
pub fn summary(model: &Model, frequencies: &TermFrequencies) -> ModelSummary {
    let comparisons: Vec<ComparisonSummary> = model.comparisons.iter().map(of_comparison).collect();
    ModelSummary {
        format: model.format,
        probability_two_random_records_match: model.probability_two_random_records_match,
        prior_weight: weight_of(model.probability_two_random_records_match),
        warnings: warnings(model, &comparisons),
        comparisons,
        classes: model.relations.clone(),
        training: model.training.clone(),
        term_frequencies: frequencies
            .columns
            .iter()
            .map(|(column, ColumnFrequencies { values, .. })| FrequencySummary {
                column: column.clone(),
                values: values.len() as u64,
                frequency_max: values.values().copied().fold(0.0, f64::max),
                frequency_min: values.values().copied().reduce(f64::min).unwrap_or(0.0),
            })
            .collect(),
    }
}

fn of_comparison(comparison: &ComparisonModel) -> ComparisonSummary {
    ComparisonSummary {
        name: comparison.name.clone(),
        levels: comparison
            .levels
            .iter()
            .map(|level| LevelSummary {
                label: level.label.clone(),
                m: level.m,
                u: level.u,
                weight: (level.m / level.u).log2(),
                m_origin: level.m_origin,
                u_origin: level.u_origin,
            })
            .collect(),
    }
}

fn warnings(model: &Model, comparisons: &[ComparisonSummary]) -> Vec<String> {
    let training = &model.training;
    let mut warnings = Vec::new();
    if training.sessions.iter().all(|session| session.pairs == 0) {
        warnings.push("no training session had a pair: every m is a default or fixed, so weights are guesses".to_owned());
    }
    for session in training.sessions.iter().filter(|session| session.pairs > 0 && !session.converged) {
        warnings.push(format!(
            "EM did not converge on `{}`: after {} iterations a parameter still moved by {:.2e}; its estimates are where it stopped",
            session.rule, session.iterations, session.last_change
        ));
    }
    let trained_alone: Vec<&str> = training
        .sessions
        .iter()
        .filter(|session| session.pairs == 0 && session.rule != JOINT_SESSION)
        .map(|session| session.rule.as_str())
        .collect();
    if !trained_alone.is_empty() {
        warnings.push(format!("sessions without a pair: {}", trained_alone.join(", ")));
    }
    for name in &training.untrained {
        warnings.push(format!("no session trained `{name}`: its parameters are defaults or fixed"));
    }
    for comparison in comparisons
        .iter()
        .filter(|comparison| !training.untrained.contains(&comparison.name))
    {
        let unseen: Vec<&str> = comparison
            .levels
            .iter()
            .filter(|level| level.m_origin == Origin::Default)
            .map(|level| level.label.as_str())
            .collect();
        if !unseen.is_empty() {
            warnings.push(format!(
                "`{}`: no match showed [{}]; m is the default by position",
                comparison.name,
                unseen.join(", ")
            ));
        }
    }
    warnings.extend(strangers(comparisons));
    warnings.extend(comparisons.iter().filter_map(out_of_order));
    warnings
}

/// What random pairs did not tell about u: its weight is then no estimate.
fn strangers(comparisons: &[ComparisonSummary]) -> Vec<String> {
    let named = |is: &dyn Fn(&LevelSummary) -> bool| -> Vec<String> {
        let of_comparison = |comparison: &ComparisonSummary| -> Vec<String> {
            let levels = comparison.levels.iter().filter(|level| is(level));
            levels.map(|level| format!("{}: {}", comparison.name, level.label)).collect()
        };
        comparisons.iter().flat_map(of_comparison).collect()
    };
    let at_limit = |level: &LevelSummary| level.u_origin != Origin::Fixed && level.u <= PARAMETER_MIN;
    let unseen = |level: &LevelSummary| level.u_origin == Origin::Default && !at_limit(level);
    let mut warnings = Vec::new();
    let (at_limit, unseen) = (named(&at_limit), named(&unseen));
    if !at_limit.is_empty() {
        warnings.push(format!(
            "u is at its smallest value ({PARAMETER_MIN:e}), since strangers hardly ever agree so; the weight is that limit, not an estimate: {}",
            at_limit.join("; ")
        ));
    }
    if !unseen.is_empty() {
        warnings.push(format!("no random pair showed these levels; u is a guess: {}", unseen.join("; ")));
    }
    warnings
}

/// Agreement that counts against identity, or less than the worse agreement below it.
fn out_of_order(comparison: &ComparisonSummary) -> Option<String> {
    let (last, agreeing) = comparison.levels.split_last()?;
    let wrong = agreeing.iter().find(|level| level.weight < last.weight)?;
    Some(format!(
        "`{}`: [{}] weighs {:.2} bits, less than no agreement at all ({:.2})",
        comparison.name, wrong.label, wrong.weight, last.weight
    ))
}
