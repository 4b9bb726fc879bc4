//! A customer as platforms ask about one: contact points, name, address, birth date and gender, as the `customers` table has them.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::Date32Type;
use chrono::{Datelike, NaiveDate};

use crate::table::column;
use crate::text::{country, gender, phone};

/// Columns of `customers` that are read.
pub(super) const COLUMNS: [&str; 9] = [
    column::EMAIL,
    column::PHONE,
    column::GIVEN_NAME,
    column::FAMILY_NAME,
    column::CITY,
    column::REGION,
    column::POSTCODE,
    column::COUNTRY,
    column::GENDER,
];

/// What is known of a customer. Absent values are empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Person {
    /// E-mail address.
    pub email: String,
    /// Phone number, E.164 with `+`.
    pub phone: String,
    /// Given names.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// Town.
    pub city: String,
    /// State or region.
    pub region: String,
    /// Postal code.
    pub postcode: String,
    /// ISO 3166 alpha-2, upper case.
    pub country: String,
    /// Day of birth.
    pub birth_date: Option<NaiveDate>,
    /// `f`, `m` or `d`.
    pub gender: String,
}

/// Rows of `customers`, made ready for reading persons.
pub(super) struct Rows<'a> {
    texts: BTreeMap<&'static str, &'a StringArray>,
    births: Option<&'a arrow::array::Date32Array>,
    /// Country of customers without one.
    home: &'a str,
}

impl<'a> Rows<'a> {
    pub fn new(batch: &'a RecordBatch, home: &'a str) -> Self {
        let text = |name: &'static str| Some((name, batch.column_by_name(name)?.as_string_opt::<i32>()?));
        Self {
            texts: COLUMNS.into_iter().filter_map(text).collect(),
            births: batch
                .column_by_name(column::BIRTH_DATE)
                .and_then(|values| values.as_primitive_opt::<Date32Type>()),
            home,
        }
    }

    pub fn person(&self, row: usize) -> Person {
        let text = |name: &str| {
            let values = self.texts.get(name).filter(|values| values.is_valid(row));
            values.map_or("", |values| values.value(row))
        };
        let country = country::normalize(text(column::COUNTRY)).unwrap_or_else(|| self.home.to_owned());
        Person {
            email: text(column::EMAIL).to_owned(),
            phone: phone::normalize(text(column::PHONE), &country).unwrap_or_default(),
            given_name: text(column::GIVEN_NAME).to_owned(),
            family_name: text(column::FAMILY_NAME).to_owned(),
            city: text(column::CITY).to_owned(),
            region: text(column::REGION).to_owned(),
            postcode: text(column::POSTCODE).to_owned(),
            gender: gender::normalize(text(column::GENDER)).unwrap_or_default().to_owned(),
            birth_date: self
                .births
                .filter(|births| births.is_valid(row))
                .and_then(|births| births.value_as_date(row))
                .filter(|birth| birth.year() >= 1900),
            country,
        }
    }
}
