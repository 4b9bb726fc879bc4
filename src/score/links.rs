//! Streams candidate pairs through comparison and weight, and keeps what is heavy enough. Pairs are never stored.

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::weight_of;
use super::weights::Weights;
use crate::config::spec::IdentitySpec;
use crate::table::bounds::{Finished, WeightBounds};
use crate::table::identity::LinkOrigin;
use crate::table::pairs::RuleBlocks;
use crate::table::tiles::{PairBatch, RowScratch, Tile, for_each_row, tiles};
use crate::table::{Blocks, Link, Pair, PairPatterns, Pattern, RecordIx, RuleIx};

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

/// Streams all candidate pairs of `blocks`, and keeps those whose match probability is at least `possible_probability`.
///
/// Deterministic rules (`deterministic`, one entry a rule) link the records of their blocks whatever the weight, which is raised to that of
/// `match_probability`; a block of more than `shared_by_records_max` records says nothing about a person and links none. A pair of both kinds
/// is told once, as deterministic. Sorted by (left, right), each pair once; byte-identical for any number of threads.
#[must_use]
pub fn score<P: PairPatterns>(
    spec: &IdentitySpec,
    blocks: &Blocks,
    deterministic: &Blocks,
    weights: &Weights<'_>,
    patterns: &P,
) -> (Vec<Link>, ScoreCounts) {
    let weight_min = weight_of(spec.possible_probability);
    let scorer = Scorer {
        weights,
        patterns,
        bounds: weights.bounds(weight_min),
        weight_min,
    };
    let (scored, counts) = scorer.score(blocks);
    let certain = scorer.deterministic(deterministic, spec);
    (merge(certain, scored), counts)
}

struct Scorer<'a, P> {
    weights: &'a Weights<'a>,
    patterns: &'a P,
    bounds: WeightBounds<'a>,
    weight_min: f64,
}

/// What a tile gives.
struct Scored {
    links: Vec<Link>,
    pairs: u64,
    histogram: [u64; BINS],
}

/// Buffers of one thread.
struct Buffers<S> {
    scratch: S,
    rows: RowScratch,
    batch: PairBatch,
    finished: Vec<Finished>,
    pairs: Vec<Pair>,
    patterns: Vec<Pattern>,
}

impl<P: PairPatterns> Scorer<'_, P> {
    fn buffers(&self) -> Buffers<P::Scratch> {
        Buffers {
            scratch: self.patterns.scratch(),
            rows: RowScratch::default(),
            batch: PairBatch::default(),
            finished: Vec::new(),
            pairs: Vec::new(),
            patterns: Vec::new(),
        }
    }

    fn score(&self, blocks: &Blocks) -> (Vec<Link>, ScoreCounts) {
        let mut links = Vec::new();
        let mut counts = ScoreCounts::default();
        let mut histogram = [0; BINS];
        for (position, rule) in (0_u16..).zip(&blocks.rules) {
            let earlier = &blocks.rules[..usize::from(position)];
            let scored: Vec<Scored> = tiles(rule)
                .par_iter()
                .map_init(
                    || self.buffers(),
                    |buffers, tile| self.tile(RuleIx(position), rule, earlier, tile, buffers),
                )
                .collect();
            for tile in scored {
                links.extend_from_slice(&tile.links);
                counts.pairs += tile.pairs;
                for (total, pairs) in histogram.iter_mut().zip(tile.histogram) {
                    *total += pairs;
                }
            }
        }
        counts.links = links.len() as u64;
        counts.pairs_left_early = counts.pairs - histogram.iter().sum::<u64>();
        counts.weight_histogram = (-WEIGHT_END..=WEIGHT_END).zip(histogram).collect();
        links.par_sort_unstable_by_key(|link| (link.left, link.right));
        (links, counts)
    }

    fn tile(&self, rule_ix: RuleIx, rule: &RuleBlocks, earlier: &[RuleBlocks], tile: &Tile, buffers: &mut Buffers<P::Scratch>) -> Scored {
        let mut scored = Scored {
            links: Vec::new(),
            pairs: 0,
            histogram: [0; BINS],
        };
        let Buffers {
            scratch,
            rows,
            batch,
            finished,
            ..
        } = buffers;
        let origin = LinkOrigin::Blocking(rule_ix);
        let mut take = |pairs: &[Pair]| {
            self.patterns.patterns_above(scratch, pairs, &self.bounds, finished);
            self.take(pairs, finished, origin, &mut scored);
        };
        for_each_row(rule, earlier, tile, rows, |left, rights| batch.add(left, rights, &mut take));
        batch.end(take);
        scored
    }

    /// Weighs what is left of a batch, and keeps what is heavy enough.
    fn take(&self, pairs: &[Pair], finished: &[Finished], origin: LinkOrigin, scored: &mut Scored) {
        scored.pairs += pairs.len() as u64;
        for &Finished { position, pattern } in finished {
            let Pair { left, right } = pairs[position as usize];
            let weight = self.weights.weight(pattern, left, right);
            scored.histogram[bin(weight)] += 1;
            if weight >= self.weight_min {
                scored.links.push(Link {
                    left,
                    right,
                    weight,
                    origin,
                    pattern,
                });
            }
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
                scratch, pairs, patterns, ..
            } = &mut *buffers;
            pairs.clear();
            pairs.extend(rights.iter().map(|&right| Pair {
                left,
                right: RecordIx(right),
            }));
            self.patterns.patterns(scratch, pairs, patterns);
            for (&Pair { right, .. }, &pattern) in pairs.iter().zip(patterns.iter()) {
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
