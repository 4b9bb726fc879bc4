//! Street, house number and postcode: a number inside the street line moves to its own column, a postcode is read as of its country.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};

use super::distinct::Distinct;
use super::findings::Finding;
use super::single::{Cleaned, EXCEL_DAMAGED, PLACEHOLDER};
use super::{Columns, Input};
use crate::table::column;
use crate::text::{address, fold, place, placeholder};

/// Street, house number and postcode.
pub fn clean<'a>(input: &Input<'a>) -> Columns<'a> {
    let mut columns = Columns::default();
    streets(input, &mut columns);
    let postcodes = Distinct::map(input.texts_with_country(column::POSTCODE), |(text, country)| {
        clean_postcode(text, input.country_of(country))
    });
    columns.push(input, column::POSTCODE, &postcodes);
    columns
}

fn streets<'a>(input: &Input<'a>, columns: &mut Columns<'a>) {
    let lines = Distinct::map(input.texts(column::STREET), clean_line);
    let numbers = Distinct::map(input.texts(column::HOUSE_NUMBER), clean_number);
    columns.find(input, column::STREET, &lines, |line| line.finding);
    columns.find(input, column::HOUSE_NUMBER, &numbers, |number| number.finding);

    let rows: Vec<Row<'_>> = (0..input.rows).map(|row| Row::of(lines.row(row), numbers.row(row))).collect();

    columns.display.push((column::STREET, texts(&rows, |row| row.street)));
    columns.display.push((column::HOUSE_NUMBER, texts(&rows, |row| row.number)));
    columns.matching.push((column::STREET, texts(&rows, |row| row.street_matching)));
    columns
        .matching
        .push((column::HOUSE_NUMBER, texts(&rows, |row| row.number_matching)));
}

fn texts<'r>(rows: &'r [Row<'r>], part: impl Fn(&'r Row<'r>) -> Option<&'r str>) -> ArrayRef {
    Arc::new(rows.iter().map(part).collect::<StringArray>())
}

/// The forms of one row.
#[derive(Default)]
struct Row<'r> {
    street: Option<&'r str>,
    number: Option<&'r str>,
    street_matching: Option<&'r str>,
    number_matching: Option<&'r str>,
}

impl<'r> Row<'r> {
    /// The number of its own column wins; the one in the line is taken off only if it is the same.
    fn of(line: Option<&'r Line>, number: Option<&'r Cleaned>) -> Self {
        let own = number.filter(|number| number.display.is_some());
        let mut row = Self {
            number: own.and_then(|own| own.display.as_deref()),
            number_matching: own.and_then(|own| own.matching.as_deref()),
            ..Self::default()
        };
        let Some(line) = line.filter(|line| line.finding.is_none()) else {
            return row;
        };
        let split = &line.split;
        if own.is_none() {
            row.number = split.display_number.as_deref();
            row.number_matching = split.matching_number.as_deref();
        }
        let (street, matching) = if row.number_matching == split.matching_number.as_deref() {
            (&split.display, &split.matching)
        } else {
            (&line.whole, &line.whole_matching)
        };
        row.street = Some(street);
        row.street_matching = matching.as_deref();
        row
    }
}

/// A street line, with and without its number.
#[derive(Debug, Default)]
struct Line {
    whole: String,
    whole_matching: Option<String>,
    split: address::Street,
    finding: Option<Finding>,
}

fn clean_line(text: &str) -> Line {
    if placeholder::is_placeholder(text) {
        return Line {
            finding: Some(PLACEHOLDER),
            ..Line::default()
        };
    }
    let whole = fold::clean(text);
    Line {
        whole_matching: address::street_matching(&whole),
        split: address::street(text),
        whole,
        finding: None,
    }
}

fn clean_number(text: &str) -> Cleaned {
    match fold::non_empty(fold::clean(text)) {
        None => Cleaned::default(),
        Some(number) if placeholder::is_placeholder(&number) || number.bytes().all(|b| b == b'0') => Cleaned::without(PLACEHOLDER),
        Some(number) => {
            let matching = address::house_number(&number);
            Cleaned::both(Some(number), matching)
        }
    }
}

fn clean_postcode(text: &str, country: &str) -> Cleaned {
    if fold::clean(text).is_empty() {
        return Cleaned::default();
    }
    if placeholder::is_excel_damaged(text) {
        return Cleaned::without(EXCEL_DAMAGED);
    }
    match place::postcode_display(text, country) {
        Some(postcode) if !placeholder::is_placeholder(&postcode) && !place::is_postcode_placeholder(&postcode, country) => {
            let matching = place::postcode_matching(&postcode, country);
            Cleaned::both(Some(postcode), matching)
        }
        _ => Cleaned::without(PLACEHOLDER),
    }
}
