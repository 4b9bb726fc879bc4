//! Who may be told to a platform: customers who agreed, whom no list keeps out; and identifiers that somebody else refused to give.

use std::collections::BTreeSet;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, StringArray};
use rustc_hash::FxHashSet;

use super::google;
use super::person::Person;
use crate::config::Spec;
use crate::error::{Error, Result};
use crate::suppress::{Belongs, Listed, screen};
use crate::table::column;
use crate::text::{country, phone};

/// What a customer said to being told to ad platforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consent {
    /// Every column says yes.
    Given,
    /// A column says no.
    Refused,
    /// No column says no, and one says nothing.
    Unknown,
}

/// The consent of every row of a batch of customers.
///
/// # Errors
/// `Input` if a column is not there: without a consent nobody is told to anybody.
pub(super) fn consents(batch: &RecordBatch, names: &[String]) -> Result<Vec<Consent>> {
    let columns: Vec<&BooleanArray> = names.iter().map(|name| consent_column(batch, name)).collect::<Result<_>>()?;
    let of_row = |row: usize| {
        let said = |column: &&BooleanArray| column.is_valid(row).then(|| column.value(row));
        if columns.iter().any(|column| said(column) == Some(false)) {
            Consent::Refused
        } else if !columns.is_empty() && columns.iter().all(|column| said(column) == Some(true)) {
            Consent::Given
        } else {
            Consent::Unknown
        }
    };
    Ok((0..batch.num_rows()).map(of_row).collect())
}

fn consent_column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a BooleanArray> {
    let found = batch.column_by_name(name).and_then(|values| values.as_boolean_opt());
    found.filter(|_| column::is_consent(name)).ok_or_else(|| {
        let schema = batch.schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let consents: Vec<&str> = names.into_iter().filter(|name| column::is_consent(name)).collect();
        let hint = if consents.is_empty() {
            "map the consent to being told to ad platforms as a contact's `consent_advertising`; an audience without consent is not written"
                .to_owned()
        } else {
            format!(
                "customers have {}: name one with --consent if it covers telling ad platforms, not only messages of yours",
                consents.join(", ")
            )
        };
        Error::input("customers have no such consent").with("column", name).hint(hint)
    })
}

/// E-mail addresses and phone numbers that must not be told, whoever else has them.
#[derive(Debug, Default)]
pub(super) struct Withheld {
    emails: FxHashSet<String>,
    phones: FxHashSet<String>,
}

impl Withheld {
    /// Those of all contacts of these customers.
    pub fn of(keys: &BTreeSet<String>, contacts: &[RecordBatch], spec: &Spec) -> Self {
        let mut withheld = Self::default();
        if keys.is_empty() {
            return withheld;
        }
        for batch in contacts {
            let Some(owners) = text(batch, column::CUSTOMER_KEY) else {
                continue;
            };
            let (emails, phones) = (text(batch, column::EMAIL), text(batch, column::PHONE));
            let countries = text(batch, column::COUNTRY);
            for row in 0..batch.num_rows() {
                if !value(Some(owners), row).is_some_and(|key| keys.contains(key)) {
                    continue;
                }
                withheld.emails.extend(value(emails, row).map(google::email));
                let home = value(countries, row).and_then(country::normalize);
                let number = value(phones, row).and_then(|number| phone::normalize(number, home.as_deref().unwrap_or(&spec.country)));
                withheld.phones.extend(number);
            }
        }
        withheld
    }

    /// Takes them from a person; gives how many.
    pub fn take(&self, person: &mut Person) -> u64 {
        let mut taken = 0;
        if !person.email.is_empty() && self.emails.contains(&google::email(&person.email)) {
            person.email.clear();
            taken += 1;
        }
        if !person.phone.is_empty() && self.phones.contains(&person.phone) {
            person.phone.clear();
            taken += 1;
        }
        taken
    }
}

/// Customers with a contact on the suppression list: put there after the version was made, which still has them.
pub(super) fn suppressed(listed: &Listed, contacts: &[RecordBatch]) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    if listed.is_empty() {
        return keys;
    }
    for batch in contacts {
        let screened = screen(listed, batch, &|_| Belongs::Person);
        let (sources, ids) = (text(batch, column::SOURCE), text(batch, column::RECORD_ID));
        let owners = text(batch, column::CUSTOMER_KEY);
        for row in 0..batch.num_rows() {
            let record = value(sources, row).zip(value(ids, row));
            let is_listed = !screened.kept().value(row) || record.is_some_and(|(source, id)| listed.record(source, id));
            if is_listed {
                keys.extend(value(owners, row).map(str::to_owned));
            }
        }
    }
    keys
}

fn text<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a StringArray> {
    batch.column_by_name(name)?.as_string_opt::<i32>()
}

fn value(values: Option<&StringArray>, row: usize) -> Option<&str> {
    values.filter(|values| values.is_valid(row)).map(|values| values.value(row))
}
