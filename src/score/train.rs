//! Training without labels: λ from rules that are nearly always right, u from random pairs, m from EM sessions, each on its own blocks.

use super::count::Counter;
use super::em::{self, Limits, Outcome, Part};
use super::model::{ComparisonModel, Model, Origin, SessionReport, TrainingReport};
use super::random::estimate_u;
use super::sample::Share;
use crate::config::spec::{BlockingRule, ComparisonSpec, IdentitySpec, Test, TrainingSpec};
use crate::table::pairs::{RuleBlocks, pairs_of};
use crate::table::tiles::{CandidateBatch, Tile, tiles};
use crate::table::{Blocks, CodedRecords, PairPatterns, Pattern, column};

/// λ when no deterministic rule finds a pair.
const MATCH_SHARE_DEFAULT: f64 = 1e-4;
/// Largest λ: above, more than half of all pairs of records would be one person.
const MATCH_SHARE_MAX: f64 = 0.5;

/// Trains a model: λ from deterministic rules, u from value counts and random pairs, m by EM sessions.
///
/// `session_blocks` holds one entry a session of the specification, `deterministic_pairs` the number of distinct pairs that the
/// deterministic training rules find. `patterns` gives the levels of pairs. What was never observed keeps its default, and is reported.
#[must_use]
pub fn train<P: PairPatterns>(
    spec: &IdentitySpec,
    records: &CodedRecords,
    session_blocks: &Blocks,
    deterministic_pairs: u64,
    patterns: &P,
) -> Model {
    let lambda = match_share(deterministic_pairs, spec.training.recall, records.len());
    let mut model = Model::untrained(&spec.comparisons, lambda);
    let u_pairs = estimate_u(spec, records, patterns, &mut model);
    let mut trained: Vec<Vec<Vec<f64>>> = model.comparisons.iter().map(|c| vec![Vec::new(); c.levels.len()]).collect();
    let mut sessions = Vec::new();
    for (rule, blocks) in spec.training.sessions.iter().zip(&session_blocks.rules) {
        let counts = session_patterns(&spec.training, records, blocks, patterns);
        let outcome = session(spec, rule, &model, &counts);
        sessions.push(report(rule, &counts, &outcome, &model));
        if !counts.is_empty() {
            take(&mut model, &mut trained, &outcome);
        }
    }
    model.training = TrainingReport {
        u_pairs,
        sessions,
        untrained: untrained(&model),
    };
    model
}

/// λ = (pairs of deterministic rules / their recall) / all pairs.
fn match_share(deterministic_pairs: u64, recall: f64, records: u32) -> f64 {
    let pairs = pairs_of(u64::from(records)) as f64;
    let share = deterministic_pairs as f64 / recall / pairs;
    if share.is_finite() && share > 0.0 {
        share.min(MATCH_SHARE_MAX)
    } else {
        MATCH_SHARE_DEFAULT
    }
}

/// Patterns of a session's pairs with their counts, in pattern order; a sample if there are too many.
fn session_patterns<P: PairPatterns>(
    spec: &TrainingSpec,
    records: &CodedRecords,
    blocks: &RuleBlocks,
    patterns: &P,
) -> Vec<(Pattern, u64)> {
    let share = Share::new(spec.seed, spec.session_pairs_max, blocks.pairs());
    let count = |counter: &mut Counter<'_, P>, tile: &Tile| {
        counter.count(blocks, tile, CandidateBatch::new(records, None), share);
    };
    Counter::total(&tiles(blocks), patterns, count).into_iter().collect()
}

/// One EM session with every comparison that reads no blocked column.
fn session(spec: &IdentitySpec, rule: &BlockingRule, model: &Model, counts: &[(Pattern, u64)]) -> Outcome {
    let blocked: Vec<&str> = rule.keys.iter().flat_map(|key| origins(&key.column)).collect();
    let parts = spec
        .comparisons
        .iter()
        .enumerate()
        .filter(|(_, comparison)| {
            !comparison
                .columns()
                .iter()
                .any(|name| origins(name).iter().any(|origin| blocked.contains(origin)))
        })
        .map(|(position, _)| part(position, &model.comparisons[position]))
        .collect();
    let limits = Limits {
        iterations_max: spec.training.iterations_max,
        convergence: spec.training.convergence,
    };
    em::run(counts, parts, start_share(&spec.comparisons, rule, model), limits)
}

/// The columns of a source that a derived column is made of: agreeing on one is agreeing on a part of the other.
fn origins(name: &str) -> Vec<&str> {
    match name {
        column::EMAIL_LOCAL | column::EMAIL_DOMAIN => vec![column::EMAIL],
        column::GIVEN_NAME_PHONETIC => vec![column::GIVEN_NAME],
        column::FAMILY_NAME_PHONETIC => vec![column::FAMILY_NAME],
        column::NAME_TOKENS | column::FULL_NAME => vec![column::GIVEN_NAME, column::FAMILY_NAME],
        _ => vec![name],
    }
}

/// A comparison in pattern order: the else level first.
fn part(comparison: usize, model: &ComparisonModel) -> Part {
    let levels = || model.levels.iter().rev();
    Part {
        comparison,
        m: levels().map(|level| level.m).collect(),
        u: levels().map(|level| level.u).collect(),
        fixed: levels().map(|level| level.m_origin == Origin::Fixed).collect(),
    }
}

/// λ among the pairs of a session: the prior odds times the Bayes factors of the exact levels that the rule implies, levels of more columns
/// first, each column once.
fn start_share(comparisons: &[ComparisonSpec], rule: &BlockingRule, model: &Model) -> f64 {
    let mut open: Vec<&str> = rule
        .keys
        .iter()
        .filter(|key| key.prefix.is_none())
        .map(|key| key.column.as_str())
        .collect();
    let mut implied: Vec<(&Vec<String>, f64)> = Vec::new();
    for (comparison, trained) in comparisons.iter().zip(&model.comparisons) {
        for (level, parameters) in comparison.levels.iter().zip(&trained.levels) {
            if let Test::Exact(columns) = &level.test {
                implied.push((columns, parameters.m / parameters.u));
            }
        }
    }
    implied.sort_by_key(|(columns, _)| std::cmp::Reverse(columns.len()));
    let lambda = model.probability_two_random_records_match;
    let mut odds = lambda / (1.0 - lambda);
    for (columns, bayes_factor) in implied {
        if columns.iter().all(|name| open.contains(&name.as_str())) {
            odds *= bayes_factor;
            open.retain(|name| !columns.iter().any(|covered| covered == name));
        }
    }
    odds / (1.0 + odds)
}

/// Adds a session's m to those of the sessions before it; the model holds the median.
fn take(model: &mut Model, trained: &mut [Vec<Vec<f64>>], outcome: &Outcome) {
    for (part, observed) in outcome.parts.iter().zip(&outcome.observed) {
        let count = part.m.len();
        for (value, (&m, &observed)) in part.m.iter().zip(observed).enumerate() {
            let position = count - 1 - value;
            let level = &mut model.comparisons[part.comparison].levels[position];
            if observed && level.m_origin != Origin::Fixed {
                let values = &mut trained[part.comparison][position];
                values.push(m);
                level.m = median(values);
                level.m_origin = Origin::Trained;
            }
        }
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    }
}

fn report(rule: &BlockingRule, counts: &[(Pattern, u64)], outcome: &Outcome, model: &Model) -> SessionReport {
    SessionReport {
        rule: rule.name.clone(),
        pairs: counts.iter().map(|(_, count)| count).sum(),
        iterations: outcome.iterations,
        converged: outcome.converged,
        last_change: outcome.last_change,
        match_share: outcome.match_share,
        log_likelihood_gain: Some(outcome.likelihood_gain),
        log_likelihood_last_gain: Some(outcome.likelihood_last_gain),
        levels_not_observed: not_observed(outcome, model),
    }
}

/// Levels that no pair of a session shows, as `comparison: level`.
fn not_observed(outcome: &Outcome, model: &Model) -> Vec<String> {
    let mut names = Vec::new();
    for (part, observed) in outcome.parts.iter().zip(&outcome.observed) {
        let comparison = &model.comparisons[part.comparison];
        for (level, observed) in comparison.levels.iter().zip(observed.iter().rev()) {
            if !observed {
                names.push(format!("{}: {}", comparison.name, level.label));
            }
        }
    }
    names
}

/// Comparisons that no step trained.
pub(super) fn untrained(model: &Model) -> Vec<String> {
    let is_untrained = |comparison: &&ComparisonModel| comparison.levels.iter().all(|level| level.m_origin == Origin::Default);
    model
        .comparisons
        .iter()
        .filter(is_untrained)
        .map(|comparison| comparison.name.clone())
        .collect()
}
