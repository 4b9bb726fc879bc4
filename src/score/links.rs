//! Streams candidate pairs through comparison and weight, and keeps what is heavy enough. Pairs are never stored.

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::known::KnownPairs;
use super::weight_of;
use super::weights::{Weighing, Weights};
use crate::config::spec::IdentitySpec;
use crate::table::bounds::Finished;
use crate::table::identity::LinkOrigin;
use crate::table::shared::{Earlier, SharedBlocks};
use crate::table::tiles::{CandidateBatch, for_each_row, tiles_of_all};
use crate::table::{Blocks, Candidate, CodedRecords, Link, Pair, PairPatterns, Pattern, RecordIx, RuleIx};

/// What scoring saw.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ScoreCounts {
    /// Pairs compared.
    pub pairs: u64,
    /// Pairs at or above the lower threshold.
    pub links: u64,
    /// Pairs that were left before all comparisons were done, because they could not reach the lower threshold any more. Their weights are
    /// below it, and not known.
    #[serde(default)]
    pub pairs_left_early: u64,
    /// Links of the last version that were taken over without comparing their records again. `pairs` does not count them.
    #[serde(default)]
    pub links_known: u64,
    /// Number of all other pairs by whole bits of match weight, from −40 to 40; the ends hold what lies beyond.
    pub weight_histogram: Vec<(i32, u64)>,
}

/// Ends of the histogram, in bits.
const WEIGHT_END: i32 = 40;
const BINS: usize = 2 * WEIGHT_END as usize + 1;

/// Records up to which a block of a deterministic rule gives all its pairs, so that a refused link leaves another way to the same customer.
/// A larger block gives a chain: as many links as records, and the same cluster.
pub const DETERMINISTIC_PAIRS_RECORDS_MAX: usize = 16;

/// Blocks of deterministic rules in one piece of work.
const BLOCKS_A_PIECE: usize = 4096;

/// A pair that may be a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LikelyPair {
    /// The records.
    pub pair: Pair,
    /// The first blocking rule that pairs them.
    pub rule: RuleIx,
    /// Levels of all comparisons.
    pub pattern: Pattern,
}

/// What a pass over all candidate pairs leaves.
#[derive(Debug, Clone, Default)]
pub struct Likely {
    /// The pairs that may be links, in the order of rules and blocks; before them those that are known to be.
    pub pairs: Vec<LikelyPair>,
    /// How many of them were known, and not compared.
    pub known: u64,
    /// Pairs compared, by rule: those that no earlier rule gives.
    pub compared: Vec<u64>,
}

/// Streams all candidate pairs of `blocks`, and keeps those whose match probability may be at least `possible_probability` by `weights`.
///
/// The others are left as soon as that is certain. Byte-identical for any number of threads.
#[must_use]
pub fn likely<P: PairPatterns>(
    spec: &IdentitySpec,
    records: &CodedRecords,
    blocks: &Blocks,
    weights: &Weights<'_>,
    patterns: &P,
) -> Likely {
    likely_again(spec, (records, blocks), weights, patterns, None)
}

/// As [`likely`], but pairs of which the outcome is known are not compared: of those only the links are there.
#[must_use]
pub fn likely_again<P: PairPatterns>(
    spec: &IdentitySpec,
    (records, blocks): (&CodedRecords, &Blocks),
    weights: &Weights<'_>,
    patterns: &P,
    known: Option<&KnownPairs>,
) -> Likely {
    let then = known.map(|known| (known, known.blocks_then(blocks)));
    let then = then.as_ref();
    let bounds = weights.bounds(weight_of(spec.possible_probability));
    let tiles = tiles_of_all(blocks);
    let found: Vec<(Vec<LikelyPair>, u64)> = tiles
        .par_iter()
        .map_init(
            || (patterns.scratch(), Vec::new()),
            |(scratch, finished), &(rule, ref tile)| {
                let (mut pairs, mut compared) = (Vec::new(), 0);
                let mut batch = CandidateBatch::new(records, Some((blocks, rule)));
                let mut unknown = then.map(|(_, then)| Unknown::new(then, records));
                let mut take = |candidates: &[Candidate]| {
                    let candidates = unknown.as_mut().map_or(candidates, |unknown| unknown.of(candidates));
                    compared += candidates.len() as u64;
                    patterns.patterns_above(scratch, candidates, &bounds, finished);
                    pairs.extend(finished.iter().map(|&Finished { position, pattern }| LikelyPair {
                        pair: candidates[position as usize].pair,
                        rule,
                        pattern,
                    }));
                };
                let mut fresh = Vec::new();
                for_each_row(&blocks.rules[usize::from(rule.0)], tile, |left, rights| match then {
                    Some((known, _)) if !known.is_fresh(left.0, rule) => {
                        fresh.clear();
                        fresh.extend(rights.iter().filter(|&&right| known.is_fresh(right, rule)));
                        batch.add(left, &fresh, &mut take);
                    }
                    _ => batch.add(left, rights, &mut take),
                });
                batch.end(take);
                (pairs, compared)
            },
        )
        .collect();
    let known = then.map_or_else(Vec::new, |(known, then)| known.links_today(blocks, then, records));
    let mut likely = Likely {
        pairs: Vec::with_capacity(known.len() + found.iter().map(|(pairs, _)| pairs.len()).sum::<usize>()),
        known: known.len() as u64,
        compared: vec![0; blocks.rules.len()],
    };
    let found_then = |(pair, rule, pattern)| LikelyPair { pair, rule, pattern };
    likely.pairs.extend(known.into_iter().map(found_then));
    for ((rule, _), (pairs, compared)) in tiles.iter().zip(found) {
        likely.pairs.extend(pairs);
        likely.compared[usize::from(rule.0)] += compared;
    }
    likely
}

/// Leaves out pairs whose outcome is known.
struct Unknown<'a> {
    then: Earlier<'a>,
    records: &'a CodedRecords,
    left: Vec<Candidate>,
}

impl<'a> Unknown<'a> {
    fn new(then: &'a SharedBlocks, records: &'a CodedRecords) -> Self {
        Self {
            then: Earlier::all(then),
            records,
            left: Vec::new(),
        }
    }

    fn of(&mut self, candidates: &[Candidate]) -> &[Candidate] {
        let Self { then, records, left } = self;
        left.clear();
        left.extend(candidates.iter().filter(|candidate| !then.pairs(candidate, records)));
        left
    }
}

/// The links among likely pairs and those of deterministic rules, sorted by (left, right), each pair once.
///
/// `likely` holds every pair that reaches `possible_probability` by `weights`. Deterministic rules (`deterministic`, one entry a rule) link
/// the records of their blocks whatever the weight, which is raised to that of `match_probability`; a block of more than
/// `shared_by_records_max` records says nothing about a person and links none. A pair of both kinds is told once, as deterministic.
#[must_use]
pub fn links<P: PairPatterns>(
    spec: &IdentitySpec,
    records: &CodedRecords,
    likely: &Likely,
    deterministic: &Blocks,
    weights: &Weights<'_>,
    patterns: &P,
) -> (Vec<Link>, ScoreCounts) {
    let weight_min = weight_of(spec.possible_probability);
    let weigh = |weighing: &mut Weighing<'_>, found: &LikelyPair| {
        let Pair { left, right } = found.pair;
        Link {
            left,
            right,
            weight: weighing.weight(found.pattern, left, right),
            origin: LinkOrigin::Blocking(found.rule),
            pattern: found.pattern,
        }
    };
    let mut weighed: Vec<Link> = likely.pairs.par_iter().map_init(|| weights.weighing(), weigh).collect();
    let mut histogram = [0; BINS];
    weighed.iter().for_each(|link| histogram[bin(link.weight)] += 1);
    let pairs = likely.compared.iter().sum::<u64>();
    weighed.retain(|link| link.weight >= weight_min);
    weighed.par_sort_unstable_by_key(|link| (link.left, link.right));
    let counts = ScoreCounts {
        pairs,
        links: weighed.len() as u64,
        pairs_left_early: pairs + likely.known - likely.pairs.len() as u64,
        links_known: likely.known,
        weight_histogram: (-WEIGHT_END..=WEIGHT_END).zip(histogram).collect(),
    };
    let scorer = Scorer {
        records,
        weights,
        patterns,
    };
    (merge(scorer.deterministic(deterministic, spec), weighed), counts)
}

/// Both steps with the same weights: [`likely`] pairs, then [`links`].
#[must_use]
pub fn score<P: PairPatterns>(
    spec: &IdentitySpec,
    records: &CodedRecords,
    blocks: &Blocks,
    deterministic: &Blocks,
    weights: &Weights<'_>,
    patterns: &P,
) -> (Vec<Link>, ScoreCounts) {
    let likely = likely(spec, records, blocks, weights, patterns);
    links(spec, records, &likely, deterministic, weights, patterns)
}

struct Scorer<'a, P> {
    records: &'a CodedRecords,
    weights: &'a Weights<'a>,
    patterns: &'a P,
}

/// Buffers of one thread.
struct Buffers<S> {
    scratch: S,
    candidates: Vec<Candidate>,
    patterns: Vec<Pattern>,
}

impl<P: PairPatterns> Scorer<'_, P> {
    fn buffers(&self) -> Buffers<P::Scratch> {
        Buffers {
            scratch: self.patterns.scratch(),
            candidates: Vec::new(),
            patterns: Vec::new(),
        }
    }

    /// Links of deterministic rules, each pair once, by the first rule that gives it.
    fn deterministic(&self, blocks: &Blocks, spec: &IdentitySpec) -> Vec<Link> {
        let weight_raised = weight_of(spec.match_probability);
        let mut links: Vec<Link> = Vec::new();
        for (position, rule) in (0_u16..).zip(&blocks.rules) {
            let origin = LinkOrigin::Deterministic(RuleIx(position));
            let pieces: Vec<Vec<Link>> = (0..rule.len().div_ceil(BLOCKS_A_PIECE))
                .into_par_iter()
                .map_init(
                    || self.buffers(),
                    |buffers, piece| {
                        let mut links = Vec::new();
                        for block in piece * BLOCKS_A_PIECE..rule.len().min((piece + 1) * BLOCKS_A_PIECE) {
                            let records = rule.block(block);
                            if records.len() <= spec.shared_by_records_max as usize {
                                self.link_block(records, origin, weight_raised, buffers, &mut links);
                            }
                        }
                        links
                    },
                )
                .collect();
            links.extend(pieces.into_iter().flatten());
        }
        links.par_sort_unstable_by_key(|link| (link.left, link.right, link.origin));
        links.dedup_by_key(|link| (link.left, link.right));
        links
    }

    fn link_block(
        &self,
        records: &[u32],
        origin: LinkOrigin,
        weight_raised: f64,
        buffers: &mut Buffers<P::Scratch>,
        links: &mut Vec<Link>,
    ) {
        let reach = if records.len() <= DETERMINISTIC_PAIRS_RECORDS_MAX {
            records.len()
        } else {
            1
        };
        for (position, &left) in records.iter().enumerate() {
            let rights = &records[position + 1..records.len().min(position + 1 + reach)];
            let left = RecordIx(left);
            let Buffers {
                scratch,
                candidates,
                patterns,
            } = &mut *buffers;
            candidates.clear();
            candidates.extend(rights.iter().map(|&right| self.records.candidate(left, RecordIx(right))));
            self.patterns.patterns(scratch, candidates, patterns);
            for (candidate, &pattern) in candidates.iter().zip(patterns.iter()) {
                let right = candidate.pair.right;
                links.push(Link {
                    left,
                    right,
                    weight: self.weights.weight(pattern, left, right).max(weight_raised),
                    origin,
                    pattern,
                });
            }
        }
    }
}

/// Bin of a weight: its whole bits, rounded down.
fn bin(weight: f64) -> usize {
    let end = f64::from(WEIGHT_END);
    let weight = weight.clamp(-end, end);
    let truncated = weight as i32;
    let floor = truncated - i32::from(weight < f64::from(truncated));
    usize::try_from(floor + WEIGHT_END).expect("the weight was clamped to the bins")
}

/// Both sorted by (left, right), each pair once; of a pair in both, the first list's link stays. Sorted the same way.
#[must_use]
pub fn merge(certain: Vec<Link>, scored: Vec<Link>) -> Vec<Link> {
    let mut merged = Vec::with_capacity(certain.len() + scored.len());
    let mut certain = certain.into_iter().peekable();
    for link in scored {
        let pair = (link.left, link.right);
        while let Some(first) = certain.next_if(|first| (first.left, first.right) < pair) {
            merged.push(first);
        }
        merged.push(certain.next_if(|first| (first.left, first.right) == pair).unwrap_or(link));
    }
    merged.extend(certain);
    merged
}
