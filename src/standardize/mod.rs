//! Stage `standardize`: contacts in, the standard form of every value out; placeholders become null and are counted.

use std::collections::BTreeMap;

use crate::table::{CleanContacts, Contacts, Rejects};

/// Standardized contacts and what was removed on the way.
#[derive(Debug)]
pub struct Standardized {
    /// The contacts.
    pub contacts: CleanContacts,
    /// Values that became null because they were damaged (`excel_damaged`, `invalid_email`, `invalid_phone`, `invalid_birth_date`).
    pub rejects: Rejects,
    /// Placeholders that became null, by `column/kind`, e.g. `email/role_account`.
    pub placeholders: BTreeMap<String, u64>,
}

/// Brings every value into its standard form. `country` is the default country, ISO 3166 alpha-2.
#[must_use]
pub fn standardize(_contacts: &Contacts, _country: &str) -> Standardized {
    todo!()
}
