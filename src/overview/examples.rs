//! Some customers with their records and links, every value masked: what a match looks like.
//!
//! They are taken from the first rows of `contacts` and `links`, which are sorted by key. Keys are random, so the first customers are a
//! sample like any other, and only a little of the tables has to be read.

use std::collections::BTreeMap;

use arrow::array::{AsArray, Float64Array, RecordBatch};

use super::Tables;
use crate::error::Result;
use crate::explain::{SHOWN, text_at};
use crate::table::column;
use crate::text::mask::{mask, mask_id};

/// Rows that are looked at.
const HEAD_ROWS: usize = 4_000;

/// Records of a customer that is shown, at most; at least two.
const RECORDS_MAX: usize = 4;

/// A customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// Why it is shown.
    pub title: &'static str,
    /// The customer.
    pub customer_key: String,
    /// `source:record id`, masked where it is an address or a number, and the masked values by column.
    pub records: Vec<(String, Vec<(&'static str, String)>)>,
    /// Left and right record, match weight, rule.
    pub links: Vec<(String, String, f64, String)>,
}

/// Finds up to three: held together by the lightest link, by the heaviest, and one in between.
///
/// # Errors
/// Of reading a table.
pub fn find(tables: &Tables<'_>) -> Result<Vec<Example>> {
    let mut records = BTreeMap::new();
    for batch in head(
        tables,
        "contacts",
        &[column::CUSTOMER_KEY, column::SOURCE, column::RECORD_ID],
        &SHOWN,
    )? {
        for row in 0..batch.num_rows() {
            let values: Vec<(&'static str, String)> = SHOWN
                .iter()
                .filter_map(|name| Some((*name, mask(&text_at(&batch, name, row)?))))
                .collect();
            let text = |name| text_at(&batch, name, row).unwrap_or_default();
            let name = shown(&text(column::SOURCE), &text(column::RECORD_ID));
            records
                .entry(text(column::CUSTOMER_KEY))
                .or_insert_with(Vec::new)
                .push((name, values));
        }
    }
    let mut links = links(tables)?;
    // The last customer of each may go on behind the rows that were read.
    records.pop_last();
    links.pop_last();
    let mut held: Vec<(f64, String)> = links
        .iter()
        .filter(|(key, _)| records.get(*key).is_some_and(|records| (2..=RECORDS_MAX).contains(&records.len())))
        .map(|(key, links)| {
            let weights = links.iter().map(|(_, _, weight, _)| *weight);
            (weights.fold(f64::INFINITY, f64::min), key.clone())
        })
        .collect();
    held.sort_by(|left, right| left.0.total_cmp(&right.0).then_with(|| left.1.cmp(&right.1)));
    let places = [
        ("Held by the weakest evidence", 0),
        ("In between", held.len() / 2),
        ("Held by the strongest evidence", held.len().saturating_sub(1)),
    ];
    let mut examples: Vec<Example> = Vec::new();
    for (title, place) in places {
        let Some((_, key)) = held
            .get(place)
            .filter(|(_, key)| examples.iter().all(|known| known.customer_key != *key))
        else {
            continue;
        };
        examples.push(Example {
            title,
            customer_key: key.clone(),
            records: records.remove(key).unwrap_or_default(),
            links: links.remove(key).unwrap_or_default(),
        });
    }
    Ok(examples)
}

/// Links by customer.
type Links = BTreeMap<String, Vec<(String, String, f64, String)>>;

fn links(tables: &Tables<'_>) -> Result<Links> {
    let needed = [
        column::CUSTOMER_KEY,
        column::LEFT_SOURCE,
        column::LEFT_RECORD_ID,
        column::RIGHT_SOURCE,
        column::RIGHT_RECORD_ID,
        column::MATCH_WEIGHT,
        column::RULE,
    ];
    let mut links = Links::new();
    for batch in head(tables, "links", &needed, &[])? {
        let weights: Option<&Float64Array> = batch.column_by_name(column::MATCH_WEIGHT).map(|values| values.as_primitive());
        for row in 0..batch.num_rows() {
            let text = |name| text_at(&batch, name, row).unwrap_or_default();
            links.entry(text(column::CUSTOMER_KEY)).or_default().push((
                shown(&text(column::LEFT_SOURCE), &text(column::LEFT_RECORD_ID)),
                shown(&text(column::RIGHT_SOURCE), &text(column::RIGHT_RECORD_ID)),
                weights.map_or(0.0, |weights| weights.value(row)),
                text(column::RULE),
            ));
        }
    }
    Ok(links)
}

/// The first rows of a table with those of the wanted columns that it has; nothing if it lacks a needed one.
fn head(tables: &Tables<'_>, table: &str, needed: &[&'static str], wanted: &[&'static str]) -> Result<Vec<RecordBatch>> {
    let Some(schema) = (tables.schema)(table)? else {
        return Ok(Vec::new());
    };
    if needed.iter().any(|name| schema.index_of(name).is_err()) {
        return Ok(Vec::new());
    }
    let there = wanted.iter().copied().filter(|name| schema.index_of(name).is_ok());
    let columns: Vec<&str> = needed.iter().copied().chain(there).collect();
    (tables.rows)(table, &columns, Some(HEAD_ROWS))
}

fn shown(source: &str, record_id: &str) -> String {
    format!("{source}:{}", mask_id(record_id))
}
