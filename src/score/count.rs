//! Counts agreement patterns: what training sees of pairs, however many there are.

use std::collections::BTreeMap;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::sample::Share;
use crate::table::pairs::RuleBlocks;
use crate::table::tiles::{CandidateBatch, Tile, for_each_row};
use crate::table::{Candidate, PairPatterns, Pattern};

/// Counts of one thread.
pub(super) struct Counter<'a, P: PairPatterns> {
    patterns: &'a P,
    scratch: P::Scratch,
    buffer: Vec<Pattern>,
    sampled: Vec<u32>,
    counts: FxHashMap<Pattern, u64>,
}

impl<'a, P: PairPatterns> Counter<'a, P> {
    fn new(patterns: &'a P) -> Self {
        Self {
            patterns,
            scratch: patterns.scratch(),
            buffer: Vec::new(),
            sampled: Vec::new(),
            counts: FxHashMap::default(),
        }
    }

    /// Counts the pairs of a tile that are in the sample, and that `batch` does not leave out.
    pub(super) fn count(&mut self, blocks: &RuleBlocks, tile: &Tile, mut batch: CandidateBatch<'_>, share: Share) {
        let Self {
            patterns,
            scratch,
            buffer,
            sampled,
            counts,
        } = self;
        let mut count = |candidates: &[Candidate]| {
            patterns.patterns(scratch, candidates, buffer);
            for &pattern in buffer.iter() {
                *counts.entry(pattern).or_default() += 1;
            }
        };
        for_each_row(blocks, tile, |left, rights| {
            batch.add(left, share.of_row(left.0, rights, sampled), &mut count);
        });
        batch.end(count);
    }

    /// Counts all `pieces`, in pattern order.
    pub(super) fn total<T: Sync>(pieces: &[T], patterns: &'a P, count: impl Fn(&mut Self, &T) + Sync) -> BTreeMap<Pattern, u64> {
        let counts: Vec<FxHashMap<Pattern, u64>> = pieces
            .par_iter()
            .fold(
                || None,
                |counter: Option<Self>, piece| {
                    let mut counter = counter.unwrap_or_else(|| Self::new(patterns));
                    count(&mut counter, piece);
                    Some(counter)
                },
            )
            .flatten()
            .map(|counter| counter.counts)
            .collect();
        let mut total = BTreeMap::new();
        for (pattern, count) in counts.into_iter().flatten() {
            *total.entry(pattern).or_default() += count;
        }
        total
    }
}
