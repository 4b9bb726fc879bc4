//! Errors one by one: which true pairs were missed and why, and which are the worst of both kinds.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::known::{Known, labeled};
use super::scene::Scene;
use crate::score::Weights;
use crate::table::pairs::BATCH_PAIRS;
use crate::table::{Blocks, Candidate, Pair, PairPatterns, RecordIx, RefusalReason};

/// Most missed pairs that are looked at one by one. Metrics count all.
pub const MISSES_LOOKED_AT_MAX: u64 = 5_000_000;

/// Pairs that were missed for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissCount {
    /// `not_compared` (no blocking rule pairs them), `below_threshold`, or the constraint that refused the link.
    pub reason: String,
    /// Pairs.
    pub pairs: u64,
    /// Those of them whose own weight reaches the threshold.
    pub pairs_above_threshold: u64,
}

/// A pair that is wrong.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wrong {
    pub(super) left: u32,
    pub(super) right: u32,
    pub(super) weight: f64,
    pub(super) reason: String,
}

/// True pairs that are apart, in the order of people and records, and how many are given.
pub(super) fn missed(scene: &Scene, known: &Known) -> (Vec<Pair>, u64) {
    let mut pairs = Vec::new();
    let mut push = |left: u32, right: u32| {
        pairs.push(Pair {
            left: RecordIx(left.min(right)),
            right: RecordIx(left.max(right)),
        });
        pairs.len() as u64 >= MISSES_LOOKED_AT_MAX
    };
    match known {
        Known::Pairs(labeled) => {
            for &(left, right, is_match) in labeled {
                if is_match && !scene.together(left, right) && push(left, right) {
                    break;
                }
            }
        }
        Known::Clusters(of) => {
            let mut sorted: Vec<(u32, u32)> = labeled(of).map(|(record, person)| (person, record)).collect();
            sorted.sort_unstable();
            'people: for records in sorted.chunk_by(|a, b| a.0 == b.0) {
                for (position, &(_, left)) in records.iter().enumerate() {
                    for &(_, right) in &records[position + 1..] {
                        if !scene.together(left, right) && push(left, right) {
                            break 'people;
                        }
                    }
                }
            }
        }
    }
    let looked_at = pairs.len() as u64;
    (pairs, looked_at)
}

/// Says why a pair is apart.
pub(super) struct Judge<'a, P> {
    pub(super) scene: &'a Scene,
    pub(super) weights: &'a Weights<'a>,
    pub(super) patterns: &'a P,
    pub(super) blocks: &'a Blocks,
    pub(super) refused: FxHashMap<(u32, u32), &'a str>,
    pub(super) threshold: f64,
}

const NOT_COMPARED: &str = "not_compared";

impl<P: PairPatterns> Judge<'_, P> {
    pub(super) fn weigh(&self, pairs: &[Pair]) -> Vec<(Pair, f64)> {
        let (mut scratch, mut found) = (self.patterns.scratch(), Vec::new());
        let mut weighed = Vec::with_capacity(pairs.len());
        for chunk in pairs.chunks(BATCH_PAIRS) {
            let candidate = |pair: &Pair| self.scene.records.candidate(pair.left, pair.right);
            let candidates: Vec<Candidate> = chunk.iter().map(candidate).collect();
            self.patterns.patterns(&mut scratch, &candidates, &mut found);
            weighed.extend(
                chunk
                    .iter()
                    .zip(&found)
                    .map(|(&pair, &pattern)| (pair, self.weights.weight(pattern, pair.left, pair.right))),
            );
        }
        weighed
    }

    fn reason(&self, pair: Pair, weight: f64) -> &str {
        let (left, right) = (pair.left.0, pair.right.0);
        match self.refused.get(&(left, right)) {
            Some(reason) => reason,
            None if self
                .blocks
                .shared
                .count(&self.scene.records.candidate(pair.left, pair.right), &self.scene.records)
                == 0 =>
            {
                NOT_COMPARED
            }
            None if weight < self.threshold => RefusalReason::BelowThreshold.name(),
            None => "not_taken",
        }
    }

    pub(super) fn count(&self, misses: &[(Pair, f64)]) -> Vec<MissCount> {
        let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for &(pair, weight) in misses {
            let (pairs, above) = counts.entry(self.reason(pair, weight)).or_default();
            *pairs += 1;
            *above += u64::from(weight >= self.threshold);
        }
        let told = |(reason, (pairs, pairs_above_threshold)): (&str, (u64, u64))| MissCount {
            reason: reason.to_owned(),
            pairs,
            pairs_above_threshold,
        };
        let mut counts: Vec<MissCount> = counts.into_iter().map(told).collect();
        counts.sort_by_key(|count| std::cmp::Reverse(count.pairs));
        counts
    }

    fn wrong(&self, pair: Pair, weight: f64) -> Wrong {
        let apart = !self.scene.together(pair.left.0, pair.right.0);
        Wrong {
            left: pair.left.0,
            right: pair.right.0,
            weight,
            reason: if apart {
                self.reason(pair, weight).to_owned()
            } else {
                String::new()
            },
        }
    }
}

/// The heaviest wrong pair of each customer, the heaviest first.
pub(super) fn false_positives<P: PairPatterns>(scene: &Scene, known: &Known, judge: &Judge<'_, P>) -> Vec<Wrong> {
    let pair = |left: u32, right: u32| Pair {
        left: RecordIx(left),
        right: RecordIx(right),
    };
    let pairs: Vec<Pair> = match known {
        Known::Clusters(_) => {
            let links = scene
                .links
                .iter()
                .filter(|link| known.is_match(link.left, link.right) == Some(false));
            links.map(|link| pair(link.left, link.right)).collect()
        }
        Known::Pairs(pairs) => {
            let wrong = pairs
                .iter()
                .filter(|(left, right, is_match)| !is_match && scene.together(*left, *right));
            wrong.map(|&(left, right, _)| pair(left, right)).collect()
        }
    };
    let found = heaviest(judge.weigh(&pairs), |pair| (scene.customer(pair.left.0), 0));
    let mut wrong: Vec<Wrong> = found.into_iter().map(|(pair, weight)| judge.wrong(pair, weight)).collect();
    wrong.sort_by(|a, b| {
        b.weight
            .total_cmp(&a.weight)
            .then_with(|| (a.left, a.right).cmp(&(b.left, b.right)))
    });
    wrong
}

/// The heaviest missed pair between each two customers, the lightest first.
pub(super) fn false_negatives<P: PairPatterns>(scene: &Scene, judge: &Judge<'_, P>, misses: Vec<(Pair, f64)>) -> Vec<Wrong> {
    let customers = |pair: Pair| {
        let (left, right) = (scene.customer(pair.left.0), scene.customer(pair.right.0));
        (left.min(right), left.max(right))
    };
    let mut wrong: Vec<Wrong> = heaviest(misses, customers)
        .into_iter()
        .map(|(pair, weight)| judge.wrong(pair, weight))
        .collect();
    wrong.sort_by(|a, b| {
        a.weight
            .total_cmp(&b.weight)
            .then_with(|| (a.left, a.right).cmp(&(b.left, b.right)))
    });
    wrong
}

/// Of each group the heaviest pair; of equally heavy ones the first.
fn heaviest(pairs: Vec<(Pair, f64)>, group: impl Fn(Pair) -> (u32, u32)) -> Vec<(Pair, f64)> {
    let mut best: FxHashMap<(u32, u32), (Pair, f64)> = FxHashMap::default();
    for (pair, weight) in pairs {
        let known = best.entry(group(pair)).or_insert((pair, weight));
        if weight > known.1 || (weight.to_bits() == known.1.to_bits() && pair < known.0) {
            *known = (pair, weight);
        }
    }
    best.into_values().collect()
}
