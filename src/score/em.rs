//! Expectation maximization on counts of agreement patterns: an iteration costs as many steps as there are patterns, not pairs.
//!
//! Fellegi and Sunter (1969) with the EM estimates of Winkler (1988): u stays as it was estimated from random pairs, m and the share of
//! matches are free. Comparisons that the pairs were blocked on take no part.

use super::model::{PARAMETER_MIN, bounded};
use super::probability;
use crate::table::Pattern;

/// m of a level that none of a session's pairs shows, while the session lasts.
const M_UNOBSERVED: f64 = 1e-6;

/// One comparison in a session; vectors by pattern value, from 1 (else) up.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// Position of the comparison in the model and in patterns.
    pub(super) comparison: usize,
    pub(super) m: Vec<f64>,
    pub(super) u: Vec<f64>,
    /// Whether m is given and stays.
    pub(super) fixed: Vec<bool>,
}

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) iterations_max: u32,
    pub(super) convergence: f64,
}

/// What a session gave.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) parts: Vec<Part>,
    /// By part and level: whether any pair shows the level.
    pub(super) observed: Vec<Vec<bool>>,
    pub(super) match_share: f64,
    pub(super) iterations: u32,
    pub(super) last_change: f64,
    pub(super) converged: bool,
    /// log2 of the likelihood of the patterns, less what does not change: gained in all iterations, and in the last.
    pub(super) likelihood_gain: f64,
    pub(super) likelihood_last_gain: f64,
}

/// Runs a session on `patterns` with their counts, in a fixed order so that sums are the same everywhere.
pub(super) fn run(patterns: &[(Pattern, u64)], mut parts: Vec<Part>, match_share: f64, limits: Limits) -> Outcome {
    let observed = observe(patterns, &parts);
    for (part, seen) in parts.iter_mut().zip(&observed) {
        for ((m, seen), fixed) in part.m.iter_mut().zip(seen).zip(&part.fixed) {
            if !seen && !fixed {
                *m = M_UNOBSERVED;
            }
        }
    }
    let mut outcome = Outcome {
        parts,
        observed,
        match_share: share(match_share),
        iterations: 0,
        last_change: 0.0,
        converged: false,
        likelihood_gain: 0.0,
        likelihood_last_gain: 0.0,
    };
    if patterns.is_empty() {
        return outcome;
    }
    let start = log_likelihood(patterns, &outcome);
    let mut before = start;
    while outcome.iterations < limits.iterations_max && !outcome.converged {
        outcome.last_change = iterate(patterns, &mut outcome);
        let now = log_likelihood(patterns, &outcome);
        (outcome.likelihood_gain, outcome.likelihood_last_gain) = (now - start, now - before);
        before = now;
        outcome.iterations += 1;
        outcome.converged = outcome.last_change < limits.convergence;
    }
    outcome
}

fn observe(patterns: &[(Pattern, u64)], parts: &[Part]) -> Vec<Vec<bool>> {
    let mut observed: Vec<Vec<bool>> = parts.iter().map(|part| vec![false; part.m.len()]).collect();
    for (pattern, _) in patterns {
        for (part, seen) in parts.iter().zip(&mut observed) {
            if let Some(level) = level(*pattern, part) {
                seen[level] = true;
            }
        }
    }
    observed
}

/// Index of a pattern's level in the vectors of a part; `None` for null.
fn level(pattern: Pattern, part: &Part) -> Option<usize> {
    usize::from(pattern.level(part.comparison)).checked_sub(1)
}

/// log2 of Π (λ Π m + (1 − λ) Π u) over the pairs, without Π u, which a session does not change.
fn log_likelihood(patterns: &[(Pattern, u64)], outcome: &Outcome) -> f64 {
    let weights = weights(&outcome.parts);
    let prior = (outcome.match_share / (1.0 - outcome.match_share)).log2();
    let strangers = (1.0 - outcome.match_share).log2();
    let of_pattern = |&(pattern, count): &(Pattern, u64)| {
        let weight = prior + evidence(pattern, &outcome.parts, &weights);
        count as f64 * (strangers + weight.max(0.0) + (1.0 + (-weight.abs()).exp2()).log2())
    };
    patterns.iter().map(of_pattern).sum()
}

/// log2(m / u) by part and level.
fn weights(parts: &[Part]) -> Vec<Vec<f64>> {
    let of_part = |part: &Part| part.m.iter().zip(&part.u).map(|(m, u)| (m / u).log2()).collect();
    parts.iter().map(of_part).collect()
}

/// Sum of the weights of a pattern, in the order of the parts.
fn evidence(pattern: Pattern, parts: &[Part], weights: &[Vec<f64>]) -> f64 {
    let of_part = |(part, weights): (&Part, &Vec<f64>)| level(pattern, part).map_or(0.0, |level| weights[level]);
    parts.iter().zip(weights).map(of_part).sum()
}

/// One E and one M step; gives the largest change of a parameter.
fn iterate(patterns: &[(Pattern, u64)], outcome: &mut Outcome) -> f64 {
    let weights: Vec<Vec<f64>> = outcome
        .parts
        .iter()
        .map(|part| part.m.iter().zip(&part.u).map(|(m, u)| (m / u).log2()).collect())
        .collect();
    let prior = (outcome.match_share / (1.0 - outcome.match_share)).log2();
    let mut matches: Vec<Vec<f64>> = outcome.parts.iter().map(|part| vec![0.0; part.m.len()]).collect();
    let (mut matches_all, mut pairs_all) = (0.0, 0.0);
    for &(pattern, count) in patterns {
        let mut weight = prior;
        for (part, weights) in outcome.parts.iter().zip(&weights) {
            weight += level(pattern, part).map_or(0.0, |level| weights[level]);
        }
        let expected = probability(weight) * count as f64;
        matches_all += expected;
        pairs_all += count as f64;
        for (part, matches) in outcome.parts.iter().zip(&mut matches) {
            if let Some(level) = level(pattern, part) {
                matches[level] += expected;
            }
        }
    }
    let mut change = 0.0_f64;
    for ((part, matches), observed) in outcome.parts.iter_mut().zip(&matches).zip(&outcome.observed) {
        let total: f64 = matches.iter().sum();
        for (level, &expected) in matches.iter().enumerate() {
            if part.fixed[level] || !observed[level] || total <= 0.0 {
                continue;
            }
            let m = bounded(expected / total);
            change = change.max((m - part.m[level]).abs());
            part.m[level] = m;
        }
    }
    let match_share = share(matches_all / pairs_all);
    change = change.max((match_share - outcome.match_share).abs());
    outcome.match_share = match_share;
    change
}

/// A share of matches kept away from 0 and 1, where odds end.
fn share(share: f64) -> f64 {
    share.clamp(PARAMETER_MIN, 1.0 - PARAMETER_MIN)
}
