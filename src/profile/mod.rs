//! Stage `profile`: one row a customer from its records, with provenance, and every other record given its customer's key.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;

use crate::config::pipeline::Survivorship;
use crate::table::keys::Keys;
use crate::table::{CleanContacts, Link, PossibleLink, RecordKind};

/// How profiles are made.
#[derive(Debug, Clone)]
pub struct ProfileSpec<'a> {
    /// Sources from most to least trusted.
    pub trust: &'a [String],
    /// Rule a column, where it differs from the default (`most_recent`; consent: `all_true`).
    pub survivorship: &'a BTreeMap<String, Survivorship>,
    /// Identifier columns.
    pub identifiers: &'a [String],
    /// An identifier value or e-mail that more records than this share finds no customer.
    pub shared_by_records_max: u32,
}

/// `customers`: `customer_key`, every contact column by survivorship, `<column>_source` for given_name, family_name, email, phone and
/// address (which record's source won), `records_count`, `sources_count`, `first_seen_at`, `last_seen_at`. Sorted by key.
#[must_use]
pub fn customers(_spec: &ProfileSpec<'_>, _contacts: &CleanContacts, _keys: &Keys) -> RecordBatch {
    todo!()
}

/// `identities`: `customer_key`, `source`, `record_id`. Sorted by key, source, record id.
#[must_use]
pub fn identities(_contacts: &CleanContacts, _keys: &Keys) -> RecordBatch {
    todo!()
}

/// `contacts`: the standardized records with their `customer_key` first. Sorted by key, source, record id.
#[must_use]
pub fn contacts(_contacts: &CleanContacts, _keys: &Keys) -> RecordBatch {
    todo!()
}

/// `links`: `customer_key`, `left_source`, `left_record_id`, `right_source`, `right_record_id`, `match_weight`, `match_probability`, `rule`.
/// Sorted by key, then the two records. `rules` names the rules: (blocking, deterministic).
#[must_use]
pub fn links(_contacts: &CleanContacts, _keys: &Keys, _links: &[Link], _rules: (&[String], &[String])) -> RecordBatch {
    todo!()
}

/// `possible_links`: as `links`, with `left_customer_key`, `right_customer_key` instead of `customer_key`, and `reason`.
#[must_use]
pub fn possible_links(_contacts: &CleanContacts, _keys: &Keys, _links: &[PossibleLink], _rules: (&[String], &[String])) -> RecordBatch {
    todo!()
}

/// Gives every order, event or interaction its `customer_key` as first column: by (contact_source or source, contact_record_id), else by
/// the first identifier column, else by e-mail, when exactly one customer has that value; else null. Lines get the key of their
/// order, so `OrderLines` needs the keyed orders. Sorted by key (nulls last), then by source and key columns of the record.
#[must_use]
pub fn attribute(
    _spec: &ProfileSpec<'_>,
    _contacts: &CleanContacts,
    _keys: &Keys,
    _kind: RecordKind,
    _batches: &[RecordBatch],
    _orders: &[RecordBatch],
) -> Vec<RecordBatch> {
    todo!()
}
