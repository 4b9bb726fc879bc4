//! The last step of training: one EM over the pairs of all blocking rules, for λ, m, u and the relations between people at once.
//!
//! Sessions start it, since each of them sees its comparisons free of the others' bias; but none of them sees how many matches there are,
//! and u from random pairs counts the matches among them. Here every blocked pair weighs as much as it is likely, λ is the sum of those
//! probabilities, and u is what the matches leave of the levels of all pairs. Pairs that no rule finds count as strangers.

use super::count::Counter;
use super::model::{ComparisonModel, LevelModel, Model, Origin, RelationModel, SessionReport, bounded};
use super::relation::{Crossing, Relation};
use super::sample::Share;
use super::train::untrained;
use crate::config::spec::{ComparisonSpec, IdentitySpec};
use crate::table::pairs::{RuleBlocks, pairs_of};
use crate::table::tiles::{CandidateBatch, Tile, tiles_of_all};
use crate::table::{Blocks, Coded, CodedRecords, NULL_CODE, PairPatterns, Pattern, RuleIx};

/// Name of this step in the training report.
pub const JOINT_SESSION: &str = "all blocking rules";
/// Most iterations; one costs as many steps as there are patterns.
const ITERATIONS_MAX: u32 = 200;
/// Pairs that the m of the sessions are worth: keeps a level that hardly any pair shows near what it was.
const PRIOR_PAIRS: f64 = 1.0;
/// Fewest pairs of strangers at a level: with none of them, agreement would prove identity.
const STRANGERS_MIN: f64 = 1.0;
/// Pairs for a level that no random pair showed: half a pair of the sample (Jeffreys).
const UNSEEN_PAIRS: f64 = 0.5;
/// Smallest probability of a level in a class.
const LEVEL_MIN: f64 = 1e-6;
/// Smallest share of a class among all pairs.
const SHARE_MIN: f64 = 1e-15;

/// Trains λ, m, u and the relations together, from a model that [`super::train`] gave and the blocks of all blocking rules.
///
/// Fixed parameters stay. Without pairs the model stays as it is.
#[must_use]
pub fn fit<P: PairPatterns>(spec: &IdentitySpec, records: &CodedRecords, blocks: &Blocks, patterns: &P, mut model: Model) -> Model {
    let (counts, scale) = pattern_counts(spec, records, blocks, patterns);
    if counts.is_empty() {
        return model;
    }
    let mut fit = Fit::new(spec, records, &model);
    let mut report = SessionReport {
        rule: JOINT_SESSION.to_owned(),
        pairs: counts.iter().map(|(_, count)| count).sum(),
        ..SessionReport::default()
    };
    let mut likelihoods = Vec::new();
    while report.iterations < ITERATIONS_MAX && !report.converged {
        report.last_change = fit.iterate(&counts, scale);
        likelihoods.push(fit.log_likelihood);
        report.iterations += 1;
        report.converged = report.last_change < spec.training.convergence;
    }
    report.match_share = fit.classes[MATCH].share * fit.pairs / (report.pairs as f64 * scale);
    fit.expect(&counts, scale);
    if let (Some(first), Some(last)) = (likelihoods.first(), likelihoods.last()) {
        report.log_likelihood_gain = Some(fit.log_likelihood - first);
        report.log_likelihood_last_gain = Some(fit.log_likelihood - last);
    }
    report.levels_not_observed = fit.not_observed(&model);
    fit.write(&mut model);
    model.training.sessions.push(report);
    model.training.untrained = untrained(&model);
    model
}

/// Patterns of all blocked pairs with their counts, in pattern order, and how many pairs one of them stands for.
fn pattern_counts<P: PairPatterns>(
    spec: &IdentitySpec,
    records: &CodedRecords,
    blocks: &Blocks,
    patterns: &P,
) -> (Vec<(Pattern, u64)>, f64) {
    let wanted = spec.training.session_pairs_max;
    let total: u64 = blocks.rules.iter().map(RuleBlocks::pairs).sum();
    let share = Share::new(spec.training.seed, wanted, total);
    let count = |counter: &mut Counter<'_, P>, (rule, tile): &(RuleIx, Tile)| {
        let batch = CandidateBatch::new(records, Some((blocks, *rule)));
        counter.count(&blocks.rules[usize::from(rule.0)], tile, batch, share);
    };
    let counts = Counter::total(&tiles_of_all(blocks), patterns, count);
    let scale = if total > wanted { total as f64 / wanted as f64 } else { 1.0 };
    (counts.into_iter().collect(), scale)
}

/// Position of the matches among the classes; the relations follow.
const MATCH: usize = 0;

/// A kind of pairs that are not strangers. Levels stand in pattern order: else first.
struct Class {
    share: f64,
    /// By comparison and level.
    levels: Vec<Vec<f64>>,
    /// Levels that are trained; of a relation, the others are as among strangers.
    free: Vec<Vec<bool>>,
    /// By comparison: levels of names in the wrong fields, of a relation that shares the family name.
    crossings: Vec<Option<Crossing>>,
}

struct Fit {
    /// Pairs of all records.
    pairs: f64,
    classes: Vec<Class>,
    relations: Vec<RelationModel>,
    /// u by comparison and level.
    strangers: Vec<Vec<f64>>,
    /// Levels whose u is trained.
    strangers_free: Vec<Vec<bool>>,
    /// Pairs at each level among all pairs of records.
    all: Vec<Vec<f64>>,
    /// m at the start.
    start: Vec<Vec<f64>>,
    /// Levels that a match showed.
    observed: Vec<Vec<bool>>,
    /// log2 of the likelihood of the blocked pairs before the last step.
    log_likelihood: f64,
}

impl Fit {
    fn new(spec: &IdentitySpec, records: &CodedRecords, model: &Model) -> Self {
        let by_level = |value: &dyn Fn(&LevelModel) -> f64| -> Vec<Vec<f64>> {
            let levels = |comparison: &ComparisonModel| normalized(comparison.levels.iter().rev().map(value).collect());
            model.comparisons.iter().map(levels).collect()
        };
        let trainable = |origin: &dyn Fn(&LevelModel) -> Origin| -> Vec<Vec<bool>> {
            let levels =
                |comparison: &ComparisonModel| comparison.levels.iter().rev().map(|level| origin(level) != Origin::Fixed).collect();
            model.comparisons.iter().map(levels).collect()
        };
        let lambda = model.probability_two_random_records_match;
        let start = by_level(&|level| level.m);
        let relations: Vec<RelationModel> = Relation::ALL
            .into_iter()
            .filter_map(|relation| relation.untrained(&spec.comparisons, &model.comparisons, lambda))
            .collect();
        let kinds = Relation::ALL
            .into_iter()
            .filter(|relation| relation.untrained(&spec.comparisons, &model.comparisons, lambda).is_some());
        let mut classes = vec![Class {
            share: lambda,
            levels: start.clone(),
            free: trainable(&|level| level.m_origin),
            crossings: vec![None; spec.comparisons.len()],
        }];
        classes.extend(relations.iter().zip(kinds).map(|(relation, kind)| {
            Class {
                share: relation.probability_two_random_records,
                levels: relation
                    .comparisons
                    .iter()
                    .map(|comparison| normalized(comparison.levels.iter().rev().copied().collect()))
                    .collect(),
                free: spec
                    .comparisons
                    .iter()
                    .map(|comparison| kind.explains(comparison).into_iter().rev().collect())
                    .collect(),
                crossings: spec.comparisons.iter().map(|comparison| kind.crossing(comparison)).collect(),
            }
        }));
        Self {
            pairs: pairs_of(u64::from(records.len())) as f64,
            classes,
            relations,
            all: all_pairs(spec, records, model),
            strangers: by_level(&|level| level.u),
            strangers_free: trainable(&|level| level.u_origin),
            observed: start.iter().map(|levels| vec![false; levels.len()]).collect(),
            log_likelihood: 0.0,
            start,
        }
    }

    /// One E and one M step; gives the largest change of a parameter of the matches.
    fn iterate(&mut self, counts: &[(Pattern, u64)], scale: f64) -> f64 {
        let expected = self.expect(counts, scale);
        let mut change = 0.0_f64;
        for comparison in 0..self.start.len() {
            self.update_strangers(comparison, &expected);
            change = change.max(self.update_matches(comparison, &expected[MATCH].1[comparison]));
            let (matches, relations) = self.classes.split_at_mut(MATCH + 1);
            for (class, (_, levels)) in relations.iter_mut().zip(&expected[MATCH + 1..]) {
                let (strangers, matches) = (&self.strangers[comparison], &matches[MATCH].levels[comparison]);
                class.update(comparison, &levels[comparison], strangers, matches);
            }
        }
        for (class, (pairs, _)) in self.classes.iter_mut().zip(&expected) {
            class.share = (pairs / self.pairs).clamp(SHARE_MIN, 0.5);
        }
        change
    }

    /// Expected pairs of each class: all, and by comparison and level.
    fn expect(&mut self, counts: &[(Pattern, u64)], scale: f64) -> Vec<(f64, Vec<Vec<f64>>)> {
        self.log_likelihood = 0.0;
        let by_chance: Vec<Vec<f64>> = self
            .strangers
            .iter()
            .map(|levels| levels.iter().map(|u| u.log2()).collect())
            .collect();
        let bits: Vec<Vec<Vec<f64>>> = self.classes.iter().map(|class| bits(&class.levels, &self.strangers)).collect();
        let strangers = (1.0 - self.classes.iter().map(|class| class.share).sum::<f64>())
            .max(SHARE_MIN)
            .log2();
        let mut expected: Vec<(f64, Vec<Vec<f64>>)> = self
            .classes
            .iter()
            .map(|_| (0.0, self.start.iter().map(|levels| vec![0.0; levels.len()]).collect()))
            .collect();
        let mut weights = vec![0.0; self.classes.len()];
        for &(pattern, count) in counts {
            let level = |comparison: usize| usize::from(pattern.level(comparison)).checked_sub(1);
            for ((weight, class), bits) in weights.iter_mut().zip(&self.classes).zip(&bits) {
                let evidence = bits.iter().enumerate().map(|(at, bits)| level(at).map_or(0.0, |level| bits[level]));
                *weight = class.share.log2() - strangers + evidence.sum::<f64>();
            }
            let largest = weights.iter().fold(0.0_f64, |largest, &weight| largest.max(weight));
            let total = (-largest).exp2() + weights.iter().map(|weight| (weight - largest).exp2()).sum::<f64>();
            let chance = by_chance
                .iter()
                .enumerate()
                .map(|(at, bits)| level(at).map_or(0.0, |level| bits[level]));
            self.log_likelihood += count as f64 * scale * (strangers + chance.sum::<f64>() + largest + total.log2());
            for (weight, (pairs, levels)) in weights.iter().zip(&mut expected) {
                let share = (weight - largest).exp2() / total * count as f64 * scale;
                *pairs += share;
                for (at, levels) in levels.iter_mut().enumerate() {
                    if let Some(level) = level(at) {
                        levels[level] += share;
                    }
                }
            }
        }
        expected
    }

    /// Levels that no match showed, as `comparison: level`.
    fn not_observed(&self, model: &Model) -> Vec<String> {
        let mut names = Vec::new();
        for (comparison, observed) in model.comparisons.iter().zip(&self.observed) {
            let levels = comparison.levels.iter().zip(observed.iter().rev());
            names.extend(
                levels
                    .filter(|(_, observed)| !**observed)
                    .map(|(level, _)| format!("{}: {}", comparison.name, level.label)),
            );
        }
        names
    }

    /// u: what matches and relations leave of all pairs.
    fn update_strangers(&mut self, comparison: usize, expected: &[(f64, Vec<Vec<f64>>)]) {
        let all = &self.all[comparison];
        if all.iter().sum::<f64>() <= 0.0 {
            return;
        }
        let rest: Vec<f64> = all
            .iter()
            .enumerate()
            .map(|(level, all)| {
                let related: f64 = expected.iter().map(|(_, levels)| levels[comparison][level]).sum();
                (all - related).max(STRANGERS_MIN)
            })
            .collect();
        let levels = normalized(rest);
        for ((u, &free), level) in self.strangers[comparison]
            .iter_mut()
            .zip(&self.strangers_free[comparison])
            .zip(levels)
        {
            if free {
                *u = level;
            }
        }
    }

    fn update_matches(&mut self, comparison: usize, expected: &[f64]) -> f64 {
        let total: f64 = expected.iter().sum();
        let mut change = 0.0_f64;
        let class = &mut self.classes[MATCH];
        for (level, &pairs) in expected.iter().enumerate() {
            if class.free[comparison][level] {
                let m = (pairs + PRIOR_PAIRS * self.start[comparison][level]) / (total + PRIOR_PAIRS);
                change = change.max((m - class.levels[comparison][level]).abs());
                class.levels[comparison][level] = m.max(LEVEL_MIN);
                self.observed[comparison][level] = pairs > f64::EPSILON;
            }
        }
        change
    }

    fn write(mut self, model: &mut Model) {
        model.probability_two_random_records_match = self.classes[MATCH].share;
        for (position, comparison) in model.comparisons.iter_mut().enumerate() {
            for (level, parameters) in comparison.levels.iter_mut().rev().enumerate() {
                if parameters.m_origin != Origin::Fixed {
                    parameters.m = bounded(self.classes[MATCH].levels[position][level]);
                    if self.observed[position][level] {
                        parameters.m_origin = Origin::Trained;
                    }
                }
                if parameters.u_origin != Origin::Fixed {
                    parameters.u = bounded(self.strangers[position][level]);
                }
            }
        }
        for (relation, class) in self.relations.iter_mut().zip(&self.classes[MATCH + 1..]) {
            relation.probability_two_random_records = class.share;
            for (comparison, levels) in relation.comparisons.iter_mut().zip(&class.levels) {
                comparison.levels = levels.iter().rev().map(|&level| bounded(level)).collect();
            }
        }
        model.relations = self.relations;
    }
}

impl Class {
    /// Levels of a relation: trained where it explains them, those of strangers elsewhere. `matches` are the levels of one person's records.
    fn update(&mut self, comparison: usize, expected: &[f64], strangers: &[f64], matches: &[f64]) {
        let free = &self.free[comparison];
        let levels = &mut self.levels[comparison];
        let fixed: f64 = strangers.iter().zip(free).filter(|(_, free)| !**free).map(|(u, _)| u).sum();
        let total: f64 = expected.iter().zip(free).filter(|(_, free)| **free).map(|(pairs, _)| pairs).sum();
        for (position, level) in levels.iter_mut().enumerate() {
            if !free[position] {
                *level = strangers[position];
            } else if total > 0.0 {
                *level = (expected[position] / total * (1.0 - fixed)).max(LEVEL_MIN);
            }
        }
        if let Some(Crossing { crossed, swapped }) = self.crossings[comparison] {
            levels[crossed] = levels[crossed].max(matches[swapped]);
        }
    }
}

/// Pairs at each level among all pairs of records, matches included: the shares that [`super::random`] found.
fn all_pairs(spec: &IdentitySpec, records: &CodedRecords, model: &Model) -> Vec<Vec<f64>> {
    let unseen = UNSEEN_PAIRS / (model.training.u_pairs.max(1) as f64);
    let with = |names: &mut dyn Iterator<Item = &String>| -> f64 {
        let columns: Vec<&[u32]> = names.filter_map(|name| records.column(name)).map(Coded::codes).collect();
        let holds = |record: &u32| columns.iter().all(|codes| codes[*record as usize] != NULL_CODE);
        pairs_of((0..records.len()).filter(holds).count() as u64) as f64
    };
    let known = |comparison: &ComparisonSpec| {
        let spoken = with(&mut comparison.not_null.iter());
        if comparison.unless.is_empty() {
            spoken
        } else {
            spoken - with(&mut comparison.not_null.iter().chain(&comparison.unless))
        }
    };
    spec.comparisons
        .iter()
        .zip(&model.comparisons)
        .map(|(spec, trained)| {
            let share = |level: &LevelModel| {
                if level.u_origin == Origin::Default {
                    level.u.min(unseen)
                } else {
                    level.u
                }
            };
            let shares = normalized(trained.levels.iter().rev().map(share).collect());
            let pairs = known(spec);
            shares.into_iter().map(|share| share * pairs).collect()
        })
        .collect()
}

/// log2(level / strangers) by comparison and level.
fn bits(levels: &[Vec<f64>], strangers: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let ratio = |(level, u): (&f64, &f64)| (level / u).log2();
    levels
        .iter()
        .zip(strangers)
        .map(|(levels, u)| levels.iter().zip(u).map(ratio).collect())
        .collect()
}

/// Values that sum to 1, if they have a sum.
fn normalized(mut values: Vec<f64>) -> Vec<f64> {
    let total: f64 = values.iter().sum();
    if total > 0.0 {
        for value in &mut values {
            *value = bounded(*value / total);
        }
    }
    values
}
