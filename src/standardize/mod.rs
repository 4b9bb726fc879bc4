//! Stage `standardize`: contacts in, the standard form of every value out; placeholders become null and are counted.
//!
//! Each group of columns is a pure function from the input to its columns; the groups run in parallel, and a value is read once however
//! often it occurs ([`distinct`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringArray, new_null_array};
use arrow::datatypes::{DataType, Field, Schema};
use rayon::prelude::*;

use crate::table::{CleanContacts, Contacts, RecordKind, Rejects, column};

mod address;
mod birth_date;
mod distinct;
mod findings;
mod names;
mod single;

use distinct::Distinct;
use findings::Findings;

/// Standardized contacts and what was removed on the way.
#[derive(Debug)]
pub struct Standardized {
    /// The contacts.
    pub contacts: CleanContacts,
    /// Values that became null because they were damaged (`excel_damaged`, `invalid_email`, `invalid_phone`, `invalid_birth_date`,
    /// `invalid_gender`), sorted.
    pub rejects: Rejects,
    /// Placeholders that became null, by `column/kind`, e.g. `email/role_account`.
    pub placeholders: BTreeMap<String, u64>,
}

/// Brings every value into its standard form. `country` is the default country, ISO 3166 alpha-2.
///
/// Null stays null. Rows keep their number and order. The result does not depend on the number of threads, and standardizing the display form
/// again changes nothing. O(rows) plus the work on distinct values.
#[must_use]
pub fn standardize(contacts: &Contacts, country: &str) -> Standardized {
    let input = Input::new(contacts.batch(), country);
    let groups: [for<'a> fn(&Input<'a>) -> Columns<'a>; 7] = [
        names::clean,
        single::email,
        single::phone,
        birth_date::clean,
        single::short,
        address::clean,
        single::identifiers,
    ];
    let mut columns: Vec<Columns<'_>> = groups.par_iter().map(|clean| clean(&input)).collect();
    columns.push(single::country(&input));

    let mut findings = Findings::default();
    let mut display: BTreeMap<&str, ArrayRef> = BTreeMap::new();
    let mut matching: BTreeMap<&str, ArrayRef> = BTreeMap::new();
    for group in columns {
        findings.append(group.findings);
        display.extend(group.display);
        matching.extend(group.matching);
    }
    let (placeholders, rejects) = findings.finish();
    Standardized {
        contacts: CleanContacts {
            display: input.replace(&display),
            matching: input.matching(&matching),
        },
        rejects,
        placeholders,
    }
}

/// Whether a column of contacts is read for any of these columns of `matching`. Says yes where it cannot rule it out.
#[must_use]
pub fn is_read_for(matching: &[String], name: &str) -> bool {
    const ALONE: [&str; 4] = [column::GENDER, column::COMPANY, column::CITY, column::REGION];
    let is_source_of = |wanted: &String| wanted.starts_with(name);
    if ALONE.contains(&name) || IDENTIFIERS.contains(&name) {
        return matching.iter().any(is_source_of);
    }
    name != column::DELETED && !name.starts_with(column::CONSENT_PREFIX)
}

/// Columns of `matching`, in order; the identifiers follow.
const MATCHING: [&str; 16] = [
    column::GIVEN_NAME,
    column::FAMILY_NAME,
    column::EMAIL,
    column::EMAIL_LOCAL,
    column::PHONE,
    column::BIRTH_DATE,
    column::GENDER,
    column::COMPANY,
    column::STREET,
    column::HOUSE_NUMBER,
    column::POSTCODE,
    column::CITY,
    column::REGION,
    column::COUNTRY,
    column::GIVEN_NAME_PHONETIC,
    column::FAMILY_NAME_PHONETIC,
];

/// Canonical identifier columns; every text column that the record schema does not declare is one, too.
const IDENTIFIERS: [&str; 4] = [column::CUSTOMER_NO, column::USER_ID, column::DEVICE_ID, column::LOYALTY_NO];

/// What every group reads.
struct Input<'a> {
    batch: &'a RecordBatch,
    rows: usize,
    /// Default country, ISO 3166 alpha-2.
    country: &'a str,
    /// Country of each row.
    countries: Distinct<single::Cleaned>,
}

impl<'a> Input<'a> {
    fn new(batch: &'a RecordBatch, country: &'a str) -> Self {
        let rows = batch.num_rows();
        let countries = Distinct::map(distinct::texts(text_column(batch, column::COUNTRY), rows), single::clean_country);
        Self {
            batch,
            rows,
            country,
            countries,
        }
    }

    /// A text column, if the contacts have it.
    fn text(&self, name: &str) -> Option<&'a StringArray> {
        text_column(self.batch, name)
    }

    /// The values of a text column; missing if the column is.
    fn texts(&self, name: &str) -> impl Iterator<Item = Option<&'a str>> {
        distinct::texts(self.text(name), self.rows)
    }

    /// The values of a text column, each with the code of its row's country.
    fn texts_with_country(&self, name: &str) -> impl Iterator<Item = Option<(&'a str, u32)>> {
        self.texts(name)
            .zip(&self.countries.codes)
            .map(|(value, &country)| value.map(|value| (value, country)))
    }

    /// The country of a code from [`Input::texts_with_country`], else the default.
    fn country_of(&self, code: u32) -> &str {
        self.countries
            .results
            .get(code as usize)
            .and_then(|cleaned| cleaned.matching.as_deref())
            .unwrap_or(self.country)
    }

    /// Identifier columns of the contacts, in the order of their schema.
    fn identifiers(&self) -> Vec<&'a str> {
        let declared = RecordKind::Contacts.schema();
        let schema = self.batch.schema_ref();
        schema
            .fields()
            .iter()
            .filter(|field| *field.data_type() == DataType::Utf8)
            .map(|field| field.name().as_str())
            .filter(|name| IDENTIFIERS.contains(name) || (*name != column::SOURCE && declared.type_of(name).is_none()))
            .collect()
    }

    /// The input with cleaned columns in place of its own.
    fn replace(&self, cleaned: &BTreeMap<&str, ArrayRef>) -> RecordBatch {
        let columns = self
            .batch
            .schema_ref()
            .fields()
            .iter()
            .zip(self.batch.columns())
            .map(|(field, own)| match cleaned.get(field.name().as_str()) {
                Some(column) if column.data_type() == own.data_type() => Arc::clone(column),
                _ => Arc::clone(own),
            })
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        RecordBatch::try_new_with_options(self.batch.schema(), columns, &options)
            .expect("every column has the type and length of the one it replaces")
    }

    /// The matching columns in their order.
    fn matching(&self, cleaned: &BTreeMap<&str, ArrayRef>) -> RecordBatch {
        let mut names: Vec<&str> = MATCHING.to_vec();
        names.extend(self.identifiers());
        let fields: Vec<Field> = names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
        let columns = names
            .iter()
            .map(|name| {
                cleaned
                    .get(name)
                    .cloned()
                    .unwrap_or_else(|| new_null_array(&DataType::Utf8, self.rows))
            })
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
            .expect("every column is text of one value a row")
    }
}

fn text_column<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a StringArray> {
    batch
        .column_by_name(name)
        .and_then(|column| column.as_any().downcast_ref::<StringArray>())
}

/// What a group gives.
#[derive(Default)]
struct Columns<'a> {
    display: Vec<(&'a str, ArrayRef)>,
    matching: Vec<(&'a str, ArrayRef)>,
    findings: Findings,
}
