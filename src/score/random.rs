//! u, the share of each level among non-matches: exact from value counts where a level is plain equality, else from random pairs.
//!
//! Two records drawn at random are hardly ever one person, so all drawn pairs count as non-matches. There is no correction for the few
//! matches among them, as in Splink.

use std::collections::BTreeMap;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::model::{Model, Origin, bounded};
use super::sample::{below, hash};
use crate::config::spec::{ComparisonSpec, IdentitySpec, Test};
use crate::table::pairs::pairs_of;
use crate::table::tiles::CandidateBatch;
use crate::table::{Candidate, CodedRecords, PairPatterns, Pattern, RecordIx};

/// Partners drawn for one record: they share the preparation of its values.
const PARTNERS: u64 = 16;
/// Drawn records of one piece of work.
const LEFTS_A_PIECE: u64 = 1024;

/// Sets every u of the model that is not fixed and was observed; gives the number of pairs looked at.
pub(super) fn estimate_u<P: PairPatterns>(spec: &IdentitySpec, records: &CodedRecords, patterns: &P, model: &mut Model) -> u64 {
    let counts = random_patterns(spec, records, patterns);
    for (position, (comparison, trained)) in spec.comparisons.iter().zip(&mut model.comparisons).enumerate() {
        let shares = level_shares(position, comparison, records, &counts);
        for (level, share) in trained.levels.iter_mut().zip(shares) {
            if level.u_origin != Origin::Fixed && share > 0.0 {
                level.u = bounded(share);
                level.u_origin = Origin::Trained;
            }
        }
    }
    counts.values().sum()
}

/// Share of each level among pairs where the comparison is not null, from the most specific; 0 = not observed.
fn level_shares(position: usize, comparison: &ComparisonSpec, records: &CodedRecords, counts: &BTreeMap<Pattern, u64>) -> Vec<f64> {
    let levels = comparison.levels.len() + 1;
    let mut pairs = vec![0_u64; levels];
    for (pattern, count) in counts {
        let value = usize::from(pattern.level(position));
        if value > 0 {
            pairs[levels - value] += count;
        }
    }
    let share = |pairs: u64, total: u64| if total == 0 { 0.0 } else { pairs as f64 / total as f64 };
    match exact_share(comparison, records) {
        None => {
            let total = pairs.iter().sum();
            pairs.iter().map(|&pairs| share(pairs, total)).collect()
        }
        Some(exact) => {
            let total = pairs[1..].iter().sum();
            let below_top = pairs[1..].iter().map(|&pairs| (1.0 - exact) * share(pairs, total));
            std::iter::once(exact).chain(below_top).collect()
        }
    }
}

/// u of a first level that is equality of the one column whose nulls make the comparison null: Σ c(c − 1) / (n(n − 1)) over its values.
fn exact_share(comparison: &ComparisonSpec, records: &CodedRecords) -> Option<f64> {
    let Test::Exact(columns) = &comparison.levels.first()?.test else {
        return None;
    };
    let [column] = columns.as_slice() else {
        return None;
    };
    if comparison.not_null != [column.clone()] || !comparison.unless.is_empty() {
        return None;
    }
    let column = records.column(column)?;
    let equal: u64 = column.counts().iter().map(|&count| pairs_of(u64::from(count))).sum();
    let total = pairs_of(column.non_null());
    (total > 0).then(|| equal as f64 / total as f64)
}

/// Patterns of random pairs with their counts: of all pairs if there are no more than wanted.
fn random_patterns<P: PairPatterns>(spec: &IdentitySpec, records: &CodedRecords, patterns: &P) -> BTreeMap<Pattern, u64> {
    let count = records.len();
    if count < 2 {
        return BTreeMap::new();
    }
    let wanted = spec.training.u_pairs_max;
    if pairs_of(u64::from(count)) <= wanted {
        let rights: Vec<u32> = (0..count).collect();
        return count_patterns(u64::from(count), 64, (records, patterns), |left, buffer| {
            let left = u32::try_from(left).expect("records are numbered by u32");
            buffer.extend_from_slice(&rights[left as usize + 1..]);
            left
        });
    }
    let seed = spec.training.seed;
    count_patterns(wanted.div_ceil(PARTNERS), LEFTS_A_PIECE, (records, patterns), |draw, buffer| {
        let left = below(hash(seed, draw * (PARTNERS + 1)), count);
        for partner in 1..=PARTNERS.min(wanted - draw * PARTNERS) {
            let other = below(hash(seed, draw * (PARTNERS + 1) + partner), count - 1);
            buffer.push(if other >= left { other + 1 } else { other });
        }
        left
    })
}

/// Counts the patterns of `rows` rows; `row` gives the left record of a row and fills in its partners.
fn count_patterns<P: PairPatterns>(
    rows: u64,
    rows_a_piece: u64,
    (records, patterns): (&CodedRecords, &P),
    row: impl Fn(u64, &mut Vec<u32>) -> u32 + Sync,
) -> BTreeMap<Pattern, u64> {
    let piece = |scratch: &mut P::Scratch, piece: u64| {
        let mut counts: FxHashMap<Pattern, u64> = FxHashMap::default();
        let (mut rights, mut buffer, mut batch) = (Vec::new(), Vec::new(), CandidateBatch::new(records, None));
        let mut count = |pairs: &[Candidate]| {
            patterns.patterns(scratch, pairs, &mut buffer);
            for &pattern in &buffer {
                *counts.entry(pattern).or_default() += 1;
            }
        };
        for at in piece * rows_a_piece..((piece + 1) * rows_a_piece).min(rows) {
            rights.clear();
            let left = row(at, &mut rights);
            batch.add(RecordIx(left), &rights, &mut count);
        }
        batch.end(count);
        counts
    };
    let pieces: Vec<FxHashMap<Pattern, u64>> = (0..rows.div_ceil(rows_a_piece))
        .into_par_iter()
        .map_init(|| patterns.scratch(), piece)
        .collect();
    let mut total = BTreeMap::new();
    for (pattern, count) in pieces.into_iter().flatten() {
        *total.entry(pattern).or_default() += count;
    }
    total
}
