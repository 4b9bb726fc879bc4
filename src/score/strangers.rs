//! Term frequencies among strangers: how likely two different people share a value, not how many records hold it.
//!
//! Ten records of one person make a rare name look ten times as common as it is. So pairs that are likely matches are taken out: each value
//! keeps the pairs of different people that share it.

use rayon::prelude::*;

use super::frequency::ColumnFrequencies;
use super::links::LikelyPair;
use super::weights::{Weights, column_u};
use super::{Model, TermFrequencies, probability};
use crate::config::spec::IdentitySpec;
use crate::error::Result;
use crate::table::pairs::pairs_of;
use crate::table::{Coded, CodedRecords, NULL_CODE, Pair};

/// Most records with one value that are taken for one person: what a value's frequency can fall to is known before a pair is looked at.
const RECORDS_A_PERSON: f64 = 32.0;

/// Weights that are at least those with the frequencies that [`strangers`] will find, for every pair: what is too light by these is too light
/// by any.
///
/// # Errors
/// Those of [`Weights::new`].
pub fn upper_weights<'a>(spec: &IdentitySpec, records: &'a CodedRecords, model: &Model) -> Result<Weights<'a>> {
    let least = |column: &Coded| {
        let assumed = assumed(spec, model, column);
        column
            .counts()
            .iter()
            .map(|&count| frequency(&assumed, count, matches_max(count)))
            .collect()
    };
    Weights::with(&spec.comparisons, model, &least, records)
}

/// Frequencies `(2 · pairs of strangers / records + s) / records of all values` of each value, where a value's pairs of strangers are its pairs
/// less the matches expected among `likely` and less one, the pair that will be judged by it (expected by frequencies in which every value
/// has the same part of strangers); `s`, for what was not seen, is what u makes expect, at most one record. No more than 32 records of a
/// value are taken for one person.
///
/// # Errors
/// Those of [`Weights::new`].
pub fn strangers(spec: &IdentitySpec, records: &CodedRecords, likely: &[LikelyPair], model: &Model) -> Result<TermFrequencies> {
    let start = |column: &Coded| assumed(spec, model, column).of_codes(column);
    let weights = Weights::with(&spec.comparisons, model, &start, records)?;
    let matches: Vec<f64> = likely
        .par_iter()
        .map_init(
            || weights.weighing(),
            |weighing, found| probability(weighing.weight(found.pattern, found.pair.left, found.pair.right)),
        )
        .collect();
    Ok(TermFrequencies::by_column(&spec.comparisons, records, |column| {
        let assumed = assumed(spec, model, column);
        let matched = matches_by_value(column, likely, &matches);
        let frequencies: Vec<f64> = column
            .counts()
            .iter()
            .zip(matched)
            .map(|(&count, matched)| frequency(&assumed, count, matched.min(matches_max(count))))
            .collect();
        assumed.listing(column, &frequencies)
    }))
}

/// Frequencies before a pair is looked at: every value has the same part of strangers.
fn assumed(spec: &IdentitySpec, model: &Model, column: &Coded) -> ColumnFrequencies {
    let u = column_u(&spec.comparisons, model, column.name());
    let unseen = u.map_or(1.0, |u| (u * column.non_null() as f64).min(1.0));
    ColumnFrequencies::unlisted(column, strangers_share(column, u), unseen)
}

/// Part of the pairs with equal values that are strangers, by u: what is known of all values before one is looked at.
fn strangers_share(column: &Coded, u: Option<f64>) -> f64 {
    let equal: u64 = column.counts().iter().map(|&count| pairs_of(u64::from(count))).sum();
    match u {
        Some(u) if equal > 0 => (u * pairs_of(column.non_null()) as f64 / equal as f64).min(1.0),
        _ => 1.0,
    }
}

fn frequency(assumed: &ColumnFrequencies, count: u32, matched: f64) -> f64 {
    let strangers = (pairs_of(u64::from(count)) as f64 - matched - 1.0).max(0.0);
    (2.0 * strangers / f64::from(count) + assumed.unseen) / assumed.records
}

fn matches_max(count: u32) -> f64 {
    f64::from(count) * (RECORDS_A_PERSON - 1.0) / 2.0
}

/// Expected matches among the pairs of each value, by code.
fn matches_by_value(column: &Coded, likely: &[LikelyPair], matches: &[f64]) -> Vec<f64> {
    let codes = column.codes();
    let mut by_value = vec![0.0; column.counts().len()];
    for (found, matches) in likely.iter().zip(matches) {
        let Pair { left, right } = found.pair;
        let code = codes[left.index()];
        if code != NULL_CODE && code == codes[right.index()] {
            by_value[code as usize] += matches;
        }
    }
    by_value
}
