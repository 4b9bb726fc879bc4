//! Quality without labels, from the match probabilities of the model.
//!
//! Each probability p is the posterior of Fellegi and Sunter's model (1969), so the expected number of true pairs in a set is Σ p over it
//! (Belin and Rubin 1995 and Winkler 2006 estimate false match rates this way). Inside a customer p is the larger one of a pair's own and of
//! that of the strongest path of links between its records, since identity is transitive. With F = Σ p over the pairs inside customers and
//! M = Σ p over the compared pairs that are apart:
//!
//! * precision of links = Σ p over the links ÷ links; of pairs = F ÷ pairs inside customers;
//! * recall = F ÷ (F + M + U), where U, the matches that no blocking rule pairs, is at least f₁² ÷ (2 f₂): f₁ and f₂ are the expected true
//!   pairs that exactly one and exactly two rules find (Chao 1987, a lower bound for capture and recapture with unequal chances).
//!
//! Limits. The model takes comparisons for independent given the class, so probabilities lie nearer to 0 and 1 than they should, and
//! systematic errors (twins, a shared mailbox, records that share nothing) are invisible to it. Rules share columns, so that what one misses
//! others miss too, and U is too low. A link of a deterministic rule counts with its published probability, which is at least the threshold.
//! So these are numbers to compare versions of one project by, not to report: benches/README.md says how far they were off where the truth
//! is known.

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metrics::{Quality, ratio};
use super::paths::{PATH_RECORDS_MAX, strongest};
use super::scene::Scene;
use super::sweep::pairs_of;
use crate::config::Spec;
use crate::score::{Weights, probability, weight_of};
use crate::table::bounds::Finished;
use crate::table::pairs::BATCH_PAIRS;
use crate::table::tiles::{CandidateBatch, Tile, for_each_row, tiles_of_all};
use crate::table::{Blocks, Candidate, Pair, PairPatterns, RecordIx, RuleIx};

/// Pairs lighter than this many bits count nothing: a million of them hold one match.
const WEIGHT_LEAST: f64 = -20.0;

/// Quality as the model expects it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// Links inside customers.
    pub links: u64,
    /// Links that are expected to be true.
    pub links_true: f64,
    /// Expected share of links that are true.
    pub links_precision: f64,
    /// Pairs of records inside customers.
    pub pairs: u64,
    /// Precision, recall and F1 of pairs inside customers, as expected.
    pub quality: Quality,
    /// Expected true pairs inside customers.
    pub found: f64,
    /// Expected true pairs that were compared and are apart: at or above the match threshold (refused by a constraint), …
    pub missed_refused: f64,
    /// … at or above the possible threshold, …
    pub missed_possible: f64,
    /// … and below it.
    pub missed_below: f64,
    /// True pairs that no blocking rule pairs: at least so many.
    pub missed_not_compared_min: f64,
    /// Expected true pairs among all pairs of records by the model's prior λ · n(n − 1)/2, for comparison.
    pub true_pairs_by_prior: f64,
}

/// Σ p over pairs that are apart, by weight, and over all pairs by the number of rules that find them.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    refused: f64,
    possible: f64,
    below: f64,
    by_one_rule: f64,
    by_two_rules: f64,
}

impl Sums {
    fn add(self, other: Self) -> Self {
        Self {
            refused: self.refused + other.refused,
            possible: self.possible + other.possible,
            below: self.below + other.below,
            by_one_rule: self.by_one_rule + other.by_one_rule,
            by_two_rules: self.by_two_rules + other.by_two_rules,
        }
    }
}

/// Estimates the quality of a version. Streams all candidate pairs once, and the pairs inside customers.
pub(super) fn estimate<P: PairPatterns>(spec: &Spec, scene: &Scene, weights: &Weights<'_>, patterns: &P) -> Estimate {
    let published: FxHashMap<(u32, u32), f64> = scene.links.iter().map(|link| ((link.left, link.right), link.weight)).collect();
    let links_true: f64 = scene.links.iter().map(|link| probability(link.weight)).sum();
    let found = found(scene, weights, patterns, &published);
    let pairs: u128 = scene.customers.counts().iter().map(|&size| pairs_of(size.into())).sum();
    let blocks = scene.blocks(spec);
    let sums = Compared {
        scene,
        weights,
        patterns,
        blocks: &blocks,
        published: &published,
        thresholds: thresholds(spec),
    }
    .sums();
    let not_compared = not_compared(sums.by_one_rule, sums.by_two_rules);
    let actual = found + sums.refused + sums.possible + sums.below + not_compared;
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    Estimate {
        links: scene.links.len() as u64,
        links_true,
        links_precision: share(links_true, scene.links.len() as f64),
        pairs: u64::try_from(pairs).unwrap_or(u64::MAX),
        quality: Quality::new(share(found, pairs as f64), share(found, actual)),
        found,
        missed_refused: sums.refused,
        missed_possible: sums.possible,
        missed_below: sums.below,
        missed_not_compared_min: not_compared,
        true_pairs_by_prior: scene.model.probability_two_random_records_match * pairs_of(scene.records.len().into()) as f64,
    }
}

/// f₁² ÷ (2 f₂), in the form that does not divide by zero: f₁(f₁ − 1) ÷ 2(f₂ + 1), at least 0.
fn not_compared(by_one_rule: f64, by_two_rules: f64) -> f64 {
    (by_one_rule * (by_one_rule - 1.0) / (2.0 * (by_two_rules + 1.0))).max(0.0)
}

/// Σ p over the pairs inside customers: of a link as published, of any other the larger one of its own and of its path.
fn found<P: PairPatterns>(scene: &Scene, weights: &Weights<'_>, patterns: &P, published: &FxHashMap<(u32, u32), f64>) -> f64 {
    let members = scene.members();
    let mut links: Vec<Vec<(u32, u32, f64)>> = vec![Vec::new(); members.len()];
    for link in &scene.links {
        links[scene.customer(link.left) as usize].push((link.left, link.right, link.weight));
    }
    let sums: Vec<f64> = members
        .par_iter()
        .zip(&links)
        .map_init(
            || (patterns.scratch(), Vec::new()),
            |(scratch, found), (records, links)| {
                let paths = if records.len() <= PATH_RECORDS_MAX {
                    strongest(records, links)
                } else {
                    Vec::new()
                };
                let mut sum = 0.0;
                for (row, &left) in records.iter().enumerate() {
                    let rights = &records[row + 1..];
                    let candidate = |&right: &u32| scene.records.candidate(RecordIx(left), RecordIx(right));
                    let candidates: Vec<Candidate> = rights.iter().map(candidate).collect();
                    patterns.patterns(scratch, &candidates, found);
                    for (column, (candidate, pattern)) in (row + 1..).zip(candidates.iter().zip(found.iter())) {
                        let pair = candidate.pair;
                        sum += match published.get(&(left, pair.right.0)) {
                            Some(&weight) => probability(weight),
                            None => {
                                let own = probability(weights.weight(*pattern, pair.left, pair.right));
                                paths.get(row * records.len() + column).map_or(own, |path| path.max(own))
                            }
                        };
                    }
                }
                sum
            },
        )
        .collect();
    sums.iter().sum()
}

struct Compared<'a, P> {
    scene: &'a Scene,
    weights: &'a Weights<'a>,
    patterns: &'a P,
    blocks: &'a Blocks,
    published: &'a FxHashMap<(u32, u32), f64>,
    /// Bits of the possible and of the match threshold.
    thresholds: (f64, f64),
}

impl<P: PairPatterns> Compared<'_, P> {
    /// Sums over all candidate pairs; the order of the tiles is fixed, so that sums are the same on any number of threads.
    fn sums(&self) -> Sums {
        let pieces: Vec<Sums> = tiles_of_all(self.blocks)
            .par_iter()
            .map_init(
                || (self.patterns.scratch(), Vec::new()),
                |(scratch, finished), (rule, tile)| self.tile(*rule, tile, scratch, finished),
            )
            .collect();
        pieces.into_iter().fold(Sums::default(), Sums::add)
    }

    fn tile(&self, rule: RuleIx, tile: &Tile, scratch: &mut P::Scratch, finished: &mut Vec<Finished>) -> Sums {
        let bounds = self.weights.bounds(WEIGHT_LEAST);
        let mut sums = Sums::default();
        let mut take = |candidates: &[Candidate]| {
            self.patterns.patterns_above(scratch, candidates, &bounds, finished);
            for &Finished { position, pattern } in finished.iter() {
                let candidate = &candidates[position as usize];
                let weight = self.weights.weight(pattern, candidate.pair.left, candidate.pair.right);
                self.take(candidate, weight, &mut sums);
            }
        };
        let mut batch = CandidateBatch::new(&self.scene.records, Some((self.blocks, rule)));
        for_each_row(&self.blocks.rules[usize::from(rule.0)], tile, |left, rights| {
            batch.add(left, rights, &mut take);
        });
        batch.end(take);
        sums
    }

    fn take(&self, candidate: &Candidate, weight: f64, sums: &mut Sums) {
        let Pair { left, right } = candidate.pair;
        let (left, right) = (left.0, right.0);
        let weight = self.published.get(&(left, right)).copied().unwrap_or(weight);
        let expected = probability(weight);
        match self.blocks.shared.count(candidate, &self.scene.records) {
            1 => sums.by_one_rule += expected,
            2 => sums.by_two_rules += expected,
            _ => {}
        }
        if self.scene.together(left, right) {
            return;
        }
        let (possible, threshold) = self.thresholds;
        if weight >= threshold {
            sums.refused += expected;
        } else if weight >= possible {
            sums.possible += expected;
        } else {
            sums.below += expected;
        }
    }
}

/// Records that cannot be linked to anything, however well it matches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Unlinkable {
    /// Records whose match weight with themselves is below the threshold: they say too little.
    pub records: u64,
    /// As a share of all records.
    pub share: f64,
    /// The same at other thresholds: whole bits → share of the records below.
    pub by_weight: Vec<(i32, f64)>,
}

/// Weighs every record against itself, as Splink's chart of unlinkable records does.
pub(super) fn unlinkable<P: PairPatterns>(scene: &Scene, weights: &Weights<'_>, patterns: &P, threshold: f64) -> Unlinkable {
    let records: Vec<u32> = (0..scene.records.len()).collect();
    let mut own: Vec<f64> = records
        .par_chunks(BATCH_PAIRS)
        .map_init(
            || (patterns.scratch(), Vec::new()),
            |(scratch, found), records| {
                let itself = |&record: &u32| scene.records.candidate(RecordIx(record), RecordIx(record));
                let candidates: Vec<Candidate> = records.iter().map(itself).collect();
                patterns.patterns(scratch, &candidates, found);
                let weigh =
                    |(record, pattern): (&u32, &crate::table::Pattern)| weights.weight(*pattern, RecordIx(*record), RecordIx(*record));
                records.iter().zip(found.iter()).map(weigh).collect::<Vec<f64>>()
            },
        )
        .flatten_iter()
        .collect();
    own.sort_unstable_by(f64::total_cmp);
    let below = |bits: f64| own.partition_point(|&weight| weight < bits) as u64;
    let share = |records: u64| ratio(records.into(), own.len() as u128);
    let ends = own
        .first()
        .zip(own.last())
        .map(|(first, last)| (whole_bits(*first), whole_bits(*last) + 1));
    let by_weight = ends.map_or_else(Vec::new, |(first, last)| {
        (first..=last).map(|bits| (bits, share(below(f64::from(bits))))).collect()
    });
    Unlinkable {
        records: below(threshold),
        share: share(below(threshold)),
        by_weight,
    }
}

/// Whole bits of a weight, rounded down, between −100 and 100.
pub(super) fn whole_bits(weight: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "the value is between -100 and 100")]
    let bits = weight.floor().clamp(-100.0, 100.0) as i32;
    bits
}

/// log2 of the odds at the thresholds of a project: (possible, match).
pub(super) fn thresholds(spec: &Spec) -> (f64, f64) {
    (
        weight_of(spec.identity.possible_probability),
        weight_of(spec.identity.match_probability),
    )
}
