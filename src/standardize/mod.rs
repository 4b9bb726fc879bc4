//! Stage `standardize`: contacts in, the standard form of every value out; placeholders become null and are counted.
//!
//! Each group of columns is a pure function from the input to its columns; the groups run in parallel, and a value is read once however
//! often it occurs ([`distinct`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use rayon::prelude::*;

use crate::table::{CleanContacts, Contacts, NULL_CODE, RecordKind, Rejects, column};

mod address;
mod birth_date;
mod distinct;
mod findings;
mod names;
mod single;

use distinct::{Distinct, Forms, Values};
use findings::{Finding, Findings};

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
    standardize_for(contacts, country, Purpose::Everything)
}

/// What the standard forms are for.
#[derive(Debug, Clone, Copy)]
pub enum Purpose<'a> {
    /// For people and for matching.
    Everything,
    /// For matching alone, and of that these columns: `display` is left with source and record id.
    Matching(&'a [String]),
}

/// As [`standardize`], for a purpose.
#[must_use]
pub fn standardize_for(contacts: &Contacts, country: &str, purpose: Purpose<'_>) -> Standardized {
    let mut input = Input::new(contacts.batch(), country, purpose);
    let groups: [for<'a> fn(&Input<'a>) -> Columns<'a>; 7] = [
        single::email,
        address::clean,
        single::phone,
        names::clean,
        birth_date::clean,
        single::short,
        single::identifiers,
    ];
    let mut columns: Vec<Columns<'_>> = groups.par_iter().map(|clean| clean(&input)).collect();
    columns.push(single::country(&mut input));

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
    if ALONE.contains(&name) || column::IDENTIFIERS.contains(&name) {
        return matching.iter().any(is_source_of);
    }
    name != column::DELETED && !name.starts_with(column::CONSENT_PREFIX)
}

/// Characters of a value that matching sees. Comparing costs the product of two lengths, and nobody's name is longer: what comes after
/// tells a text that ran into the wrong field, and is published all the same.
pub const MATCHING_CHARACTERS_MAX: usize = 256;

/// What every group reads.
struct Input<'a> {
    batch: &'a RecordBatch,
    rows: usize,
    /// Default country, ISO 3166 alpha-2.
    country: &'a str,
    purpose: Purpose<'a>,
    /// Country of each row; none if no row has one.
    countries: Option<Values<&'a str>>,
}

impl<'a> Input<'a> {
    fn new(batch: &'a RecordBatch, country: &'a str, purpose: Purpose<'a>) -> Self {
        let mut input = Self {
            batch,
            rows: batch.num_rows(),
            country,
            purpose,
            countries: None,
        };
        input.countries = input.distinct(column::COUNTRY).map(|texts| texts.clean(single::clean_country));
        input
    }

    /// A text column, if the contacts have it.
    fn text(&self, name: &str) -> Option<&'a StringArray> {
        self.batch
            .column_by_name(name)
            .and_then(|column| column.as_any().downcast_ref::<StringArray>())
    }

    /// The distinct values of a text column; `None` if no row has one.
    fn distinct(&self, name: &str) -> Option<Distinct<&'a str>> {
        let column = self.text(name).filter(|column| column.null_count() < column.len())?;
        // Names and house numbers are put together by what is shown of them.
        let shows = self.shows() || [column::GIVEN_NAME, column::FAMILY_NAME, column::HOUSE_NUMBER].contains(&name);
        Some(Distinct::texts(column, shows))
    }

    /// The distinct values of a text column, each with the code of its row's country.
    fn distinct_with_country(&self, name: &str) -> Option<Distinct<(&'a str, u32)>> {
        let none = || vec![NULL_CODE; self.rows];
        self.distinct(name).map(|texts| match &self.countries {
            Some(countries) => texts.with(&countries.codes),
            None => texts.with(&none()),
        })
    }

    /// The country of a code from [`Input::distinct_with_country`], else the default.
    fn country_of(&self, code: u32) -> &str {
        let known = self.countries.as_ref().filter(|_| code != NULL_CODE);
        known
            .and_then(|countries| countries.forms.matching_at(code))
            .unwrap_or(self.country)
    }

    /// Whether display forms are wanted.
    fn shows(&self) -> bool {
        matches!(self.purpose, Purpose::Everything)
    }

    /// Whether a column for matching is wanted.
    fn wants(&self, name: &str) -> bool {
        match self.purpose {
            Purpose::Everything => true,
            Purpose::Matching(columns) => columns.iter().any(|column| column == name),
        }
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
            .filter(|name| column::IDENTIFIERS.contains(name) || (*name != column::SOURCE && declared.type_of(name).is_none()))
            .collect()
    }

    /// The input with cleaned columns in place of its own; without those that are not shown.
    fn replace(&self, cleaned: &BTreeMap<&str, ArrayRef>) -> RecordBatch {
        let is_kept = |name: &str| self.shows() || [column::SOURCE, column::RECORD_ID].contains(&name);
        let (fields, columns): (Vec<FieldRef>, Vec<ArrayRef>) = self
            .batch
            .schema_ref()
            .fields()
            .iter()
            .zip(self.batch.columns())
            .filter(|(field, _)| is_kept(field.name()))
            .map(|(field, own)| match cleaned.get(field.name().as_str()) {
                Some(column) if column.data_type() == own.data_type() => (Arc::clone(field), Arc::clone(column)),
                _ => (Arc::clone(field), Arc::clone(own)),
            })
            .unzip();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
            .expect("every column has the type and length of the one it replaces")
    }

    /// The wanted matching columns in their order.
    fn matching(&self, cleaned: &BTreeMap<&str, ArrayRef>) -> RecordBatch {
        let mut names: Vec<&str> = column::MATCHING.to_vec();
        names.extend(self.identifiers());
        names.retain(|name| self.wants(name));
        let none = distinct::matching("", vec![NULL_CODE; self.rows], &StringArray::new_null(0));
        let fields: Vec<Field> = names
            .iter()
            .map(|name| Field::new(*name, DataType::clone(none.data_type()), true))
            .collect();
        let columns = names.iter().map(|name| Arc::clone(cleaned.get(name).unwrap_or(&none))).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
            .expect("every column is a dictionary of one value a row")
    }
}

/// What a group gives.
#[derive(Default)]
struct Columns<'a> {
    display: Vec<(&'a str, ArrayRef)>,
    matching: Vec<(&'a str, ArrayRef)>,
    findings: Findings,
}

impl<'a> Columns<'a> {
    /// Adds the display and matching form of a column and its findings.
    fn push(&mut self, input: &Input<'a>, name: &'a str, values: Values<&str>) {
        self.find(input, name, &values.codes, &values.forms.findings);
        if input.shows() && !values.is_clean() {
            self.display.push((name, distinct::display(&values.codes, &values.forms.display)));
        }
        if input.wants(name) {
            self.matching
                .push((name, distinct::matching(name, values.codes, &values.forms.matching)));
        }
    }

    /// Adds the display and matching form of a column, given by a position in `forms` for each row.
    fn push_positions(&mut self, input: &Input<'a>, name: &'a str, positions: Vec<u32>, forms: &Forms) {
        if input.shows() {
            self.display.push((name, distinct::display(&positions, &forms.display)));
        }
        if input.wants(name) {
            self.matching.push((name, distinct::matching(name, positions, &forms.matching)));
        }
    }

    /// Adds the findings of a column.
    fn find(&mut self, input: &Input<'a>, name: &str, codes: &[u32], found: &[(u32, Finding)]) {
        if let Some(raw) = input.text(name) {
            self.findings
                .append(Findings::of_column(name, input.text(column::SOURCE), raw, codes, found));
        }
    }
}
