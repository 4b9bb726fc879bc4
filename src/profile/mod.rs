//! Stage `profile`: one row a customer from its records, with provenance, and every other record given its customer's key.

use std::collections::BTreeMap;

use crate::config::pipeline::{ConsentRule, Survivorship};

mod attribute;
mod consent;
mod customers;
mod decided;
mod links;
mod lookup;
mod members;
mod records;
mod survive;

pub use attribute::{attribute, owners};
pub use customers::customers;
pub use decided::{decisions, generic_values};
pub use links::{links, possible_links};
pub use records::{contacts, identities};

/// How profiles are made.
#[derive(Debug, Clone)]
pub struct ProfileSpec<'a> {
    /// Sources from most to least trusted.
    pub trust: &'a [String],
    /// Rule a column, where it differs from the default (`most_recent`; consent: what `consent` says).
    pub survivorship: &'a BTreeMap<String, Survivorship>,
    /// Which of several statements about consent counts.
    pub consent: ConsentRule,
    /// Identifier columns.
    pub identifiers: &'a [String],
    /// An identifier value or e-mail that more records than this share finds no customer.
    pub shared_by_records_max: u32,
}

impl ProfileSpec<'_> {
    /// The rule of a column.
    fn rule(&self, column: &str) -> Survivorship {
        self.survivorship.get(column).copied().unwrap_or(Survivorship::MostRecent)
    }
}
