//! Term frequencies among strangers: how likely two different people share a value, not how many records hold it.
//!
//! Ten records of one person make a rare name look ten times as common as it is. So pairs that are likely matches are taken out: each value
//! keeps the pairs of different people that share it.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::weights::{Weights, column_u};
use super::{Model, TermFrequencies, probability, weight_of};
use crate::config::spec::IdentitySpec;
use crate::error::Result;
use crate::table::bounds::Finished;
use crate::table::pairs::pairs_of;
use crate::table::tiles::{PairBatch, RowScratch, for_each_row, tiles};
use crate::table::{Blocks, Coded, CodedRecords, NULL_CODE, Pair, PairPatterns, RecordIx};

/// Parts of a pair that probabilities are counted in: sums of whole numbers do not depend on their order.
const PARTS: f64 = 1_048_576.0;

/// Frequencies `(2 · pairs of strangers / records + s) / records of all values` of each value, where a value's pairs of strangers are its pairs
/// less the likely matches among those in `blocks` and less one, the pair that will be judged by it (likely by frequencies in which every
/// value has the same part of strangers); `s`, for what was not seen, is what u
/// makes expect, at most one record.
///
/// # Errors
/// Those of [`Weights::new`].
pub fn strangers<P: PairPatterns>(
    spec: &IdentitySpec,
    records: &CodedRecords,
    blocks: &Blocks,
    patterns: &P,
    model: &Model,
) -> Result<TermFrequencies> {
    let mut frequencies = TermFrequencies::count(&spec.comparisons, records);
    let unseen =
        |column: &Coded| column_u(&spec.comparisons, model, column.name()).map_or(1.0, |u| (u * column.non_null() as f64).min(1.0));
    for column in records.columns() {
        let Some(values) = frequencies.columns.get_mut(column.name()) else {
            continue;
        };
        let share = strangers_share(column, column_u(&spec.comparisons, model, column.name()));
        let (unseen, total) = (unseen(column), column.non_null() as f64);
        for (value, &count) in column.values().iter().flatten().zip(column.counts()) {
            let others = share * f64::from(count.saturating_sub(1));
            values.insert(value.to_owned(), (others + unseen) / total);
        }
    }
    let weights = Weights::new(&spec.comparisons, model, &frequencies, records)?;
    let columns: Vec<(&Coded, Vec<AtomicU64>)> = frequencies
        .columns
        .keys()
        .filter_map(|name| records.column(name))
        .map(|column| (column, column.counts().iter().map(|_| AtomicU64::new(0)).collect()))
        .collect();
    count_matches(blocks, patterns, &weights, &columns);
    for (column, matches) in &columns {
        let total = column.non_null() as f64;
        let unseen = unseen(column);
        let Some(values) = frequencies.columns.get_mut(column.name()) else {
            continue;
        };
        for ((value, &count), matches) in column.values().iter().flatten().zip(column.counts()).zip(matches) {
            let matched = matches.load(Ordering::Relaxed) as f64 / PARTS;
            let strangers = (pairs_of(u64::from(count)) as f64 - matched - 1.0).max(0.0);
            let frequency = (2.0 * strangers / f64::from(count) + unseen) / total;
            values.insert(value.to_owned(), frequency);
        }
    }
    Ok(frequencies)
}

/// Part of the pairs with equal values that are strangers, by u: what is known of all values before one is looked at.
fn strangers_share(column: &Coded, u: Option<f64>) -> f64 {
    let equal: u64 = column.counts().iter().map(|&count| pairs_of(u64::from(count))).sum();
    match u {
        Some(u) if equal > 0 => (u * pairs_of(column.non_null()) as f64 / equal as f64).min(1.0),
        _ => 1.0,
    }
}

/// Adds the match probability of every blocked pair to the values that both of its records hold.
fn count_matches<P: PairPatterns>(blocks: &Blocks, patterns: &P, weights: &Weights<'_>, columns: &[(&Coded, Vec<AtomicU64>)]) {
    // A pair below this adds less than half a part.
    let bounds = weights.bounds(weight_of(0.25 / PARTS));
    for (position, rule) in blocks.rules.iter().enumerate() {
        tiles(rule).par_iter().for_each_init(
            || (patterns.scratch(), RowScratch::default(), PairBatch::default(), Vec::new()),
            |(scratch, rows, batch, finished), tile| {
                let mut take = |pairs: &[Pair]| {
                    patterns.patterns_above(scratch, pairs, &bounds, finished);
                    for &Finished { position, pattern } in finished.iter() {
                        let Pair { left, right } = pairs[position as usize];
                        add(probability(weights.weight(pattern, left, right)), left, right, columns);
                    }
                };
                for_each_row(rule, &blocks.rules[..position], tile, rows, |left, rights| {
                    batch.add(left, rights, &mut take)
                });
                batch.end(take);
            },
        );
    }
}

fn add(probability: f64, left: RecordIx, right: RecordIx, columns: &[(&Coded, Vec<AtomicU64>)]) {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a probability is 0 to 1, so this is 0 to 2^20"
    )]
    let parts = (probability * PARTS).round() as u64;
    if parts == 0 {
        return;
    }
    for (column, matches) in columns {
        let code = column.codes()[left.index()];
        if code != NULL_CODE && code == column.codes()[right.index()] {
            matches[code as usize].fetch_add(parts, Ordering::Relaxed);
        }
    }
}
