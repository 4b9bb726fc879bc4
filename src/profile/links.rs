//! `links` and `possible_links`: why two records are one customer, or look like one and are not.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt32Array};
use arrow::compute::take;
use rayon::prelude::*;

use crate::table::build::{batch, key_column};
use crate::table::identity::LinkOrigin;
use crate::table::keys::Keys;
use crate::table::{CleanContacts, DecisionKind, Link, PossibleLink, RecordIx, column};

/// `links`: `customer_key`, `left_source`, `left_record_id`, `right_source`, `right_record_id`, `match_weight`, `match_probability`, `rule`.
/// Sorted by key, then the two records. `rules` names the rules: (blocking, deterministic); the rule of what
/// people decided is `must_link`. Only links inside one customer are
/// published here: a link that clustering refused is a possible link.
#[must_use]
pub fn links(contacts: &CleanContacts, keys: &Keys, links: &[Link], rules: (&[String], &[String])) -> RecordBatch {
    let key_of = |record: RecordIx| keys.of[record.index()];
    let mut inside: Vec<Link> = links
        .iter()
        .copied()
        .filter(|link| key_of(link.left) == key_of(link.right))
        .collect();
    inside.par_sort_by_key(|link| (key_of(link.left), link.left, link.right, link.origin));
    let mut columns = vec![(column::CUSTOMER_KEY, false, keys_at(keys, inside.iter().map(|link| link.left)))];
    columns.extend(link_columns(contacts, &inside, rules));
    batch(columns)
}

/// `possible_links`: as `links`, with `left_customer_key`, `right_customer_key` instead of `customer_key`, and `reason`.
/// Sorted by the left key, then the two records.
#[must_use]
pub fn possible_links(contacts: &CleanContacts, keys: &Keys, links: &[PossibleLink], rules: (&[String], &[String])) -> RecordBatch {
    let mut sorted: Vec<PossibleLink> = links.to_vec();
    sorted.par_sort_by_key(|possible| {
        let link = possible.link;
        (keys.of[link.left.index()], link.left, link.right, possible.reason, link.origin)
    });
    let plain: Vec<Link> = sorted.iter().map(|possible| possible.link).collect();
    let reasons = StringArray::from_iter_values(sorted.iter().map(|possible| possible.reason.name()));
    let mut columns = vec![
        (column::LEFT_CUSTOMER_KEY, false, keys_at(keys, plain.iter().map(|link| link.left))),
        (
            column::RIGHT_CUSTOMER_KEY,
            false,
            keys_at(keys, plain.iter().map(|link| link.right)),
        ),
    ];
    columns.extend(link_columns(contacts, &plain, rules));
    columns.push((column::REASON, false, Arc::new(reasons)));
    batch(columns)
}

fn keys_at(keys: &Keys, records: impl ExactSizeIterator<Item = RecordIx>) -> ArrayRef {
    key_column(records.map(|record| Some(keys.keys[keys.of[record.index()] as usize])))
}

fn link_columns(contacts: &CleanContacts, links: &[Link], rules: (&[String], &[String])) -> Vec<(&'static str, bool, ArrayRef)> {
    let left = UInt32Array::from_iter_values(links.iter().map(|link| link.left.0));
    let right = UInt32Array::from_iter_values(links.iter().map(|link| link.right.0));
    let at = |name: &str, rows: &UInt32Array| {
        let values = contacts.text(name).expect("contacts have a source and a record id");
        take(values, rows, None).expect("links are between these contacts")
    };
    let weights = Float64Array::from_iter_values(links.iter().map(|link| link.weight));
    let probabilities = Float64Array::from_iter_values(links.iter().map(|link| probability(link.weight)));
    let names = StringArray::from_iter_values(links.iter().map(|link| rule_name(link.origin, rules)));
    vec![
        (column::LEFT_SOURCE, false, at(column::SOURCE, &left)),
        (column::LEFT_RECORD_ID, false, at(column::RECORD_ID, &left)),
        (column::RIGHT_SOURCE, false, at(column::SOURCE, &right)),
        (column::RIGHT_RECORD_ID, false, at(column::RECORD_ID, &right)),
        (column::MATCH_WEIGHT, false, Arc::new(weights)),
        (column::MATCH_PROBABILITY, false, Arc::new(probabilities)),
        (column::RULE, false, Arc::new(names)),
    ]
}

/// 2^w / (1 + 2^w): the weight is log2 of the posterior odds. Written so that no large weight overflows.
fn probability(weight: f64) -> f64 {
    1.0 / (1.0 + (-weight).exp2())
}

fn rule_name<'a>(origin: LinkOrigin, (blocking, deterministic): (&'a [String], &'a [String])) -> &'a str {
    let (names, rule) = match origin {
        LinkOrigin::Blocking(rule) => (blocking, rule),
        LinkOrigin::Deterministic(rule) => (deterministic, rule),
        LinkOrigin::Decision => return DecisionKind::MustLink.name(),
    };
    names
        .get(usize::from(rule.0))
        .expect("links come from rules of the specification, and every rule has a name")
}
