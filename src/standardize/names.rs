//! Names: given and family name, taken from the whole name where a source has only that.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};

use super::distinct::Distinct;
use super::findings::{Finding, Findings};
use super::single::{Cleaned, PLACEHOLDER};
use super::{Columns, Input};
use crate::table::column;
use crate::text::{fold, name, phonetic, placeholder};

/// Given, family and whole name in display form; given and family name and their sound for matching.
///
/// A missing part is filled from the whole name; if only one is missing, then only where the other agrees with the whole name. A source's
/// own parts are never rearranged: comparisons know swapped names.
pub fn clean<'a>(input: &Input<'a>) -> Columns<'a> {
    let given = Distinct::map(input.texts(column::GIVEN_NAME), clean_given);
    let family = Distinct::map(input.texts(column::FAMILY_NAME), clean_family);
    let full = Distinct::map(input.texts(column::FULL_NAME), clean_full);

    let mut columns = Columns::default();
    columns.find(input, column::GIVEN_NAME, &given, |cleaned| cleaned.finding);
    columns.find(input, column::FAMILY_NAME, &family, |cleaned| cleaned.finding);
    columns.find(input, column::FULL_NAME, &full, |cleaned| cleaned.whole.finding);

    let mut rows: Vec<Parts<'_>> = (0..input.rows)
        .map(|row| Parts::of(given.row(row), family.row(row), full.row(row)))
        .collect();
    columns.findings.append(drop_specimens(input, &mut rows));

    columns.display = vec![
        (column::GIVEN_NAME, texts(&rows, |parts| parts.given?.display.as_deref())),
        (column::FAMILY_NAME, texts(&rows, |parts| parts.family?.display.as_deref())),
        (column::FULL_NAME, full.column(|cleaned| cleaned.whole.display.as_deref())),
    ];
    columns.matching = vec![
        (column::GIVEN_NAME, texts(&rows, |parts| parts.given?.matching.as_deref())),
        (column::FAMILY_NAME, texts(&rows, |parts| parts.family?.matching.as_deref())),
        (column::GIVEN_NAME_PHONETIC, texts(&rows, |parts| parts.given?.derived.as_deref())),
        (column::FAMILY_NAME_PHONETIC, texts(&rows, |parts| parts.family?.derived.as_deref())),
    ];
    columns
}

fn texts<'r>(rows: &'r [Parts<'r>], part: impl Fn(&'r Parts<'r>) -> Option<&'r str>) -> ArrayRef {
    Arc::new(rows.iter().map(part).collect::<StringArray>())
}

/// Max Mustermann is nobody: both names become missing.
fn drop_specimens(input: &Input<'_>, rows: &mut [Parts<'_>]) -> Findings {
    let mut findings = Findings::default();
    for (row, parts) in rows.iter_mut().enumerate() {
        let names = parts
            .given
            .zip(parts.family)
            .and_then(|(given, family)| given.matching.as_deref().zip(family.matching.as_deref()));
        if names.is_some_and(|(given, family)| placeholder::is_specimen(given, family)) {
            *parts = Parts::default();
            for name in [column::GIVEN_NAME, column::FAMILY_NAME] {
                findings.add(name, PLACEHOLDER, input.text(column::SOURCE), row, String::new);
            }
        }
    }
    findings
}

/// The names of one row.
#[derive(Debug, Clone, Copy, Default)]
struct Parts<'r> {
    given: Option<&'r Cleaned>,
    family: Option<&'r Cleaned>,
}

impl<'r> Parts<'r> {
    fn of(given: Option<&'r Cleaned>, family: Option<&'r Cleaned>, full: Option<&'r Whole>) -> Self {
        let given = given.filter(|cleaned| cleaned.display.is_some());
        let family = family.filter(|cleaned| cleaned.display.is_some());
        let own = Self { given, family };
        let Some(full) = full else {
            return own;
        };
        let split = Self {
            given: full.given.as_ref(),
            family: full.family.as_ref(),
        };
        let agrees = |own: Option<&Cleaned>, split: Option<&Cleaned>| match (own, split) {
            (Some(own), Some(split)) => own.matching == split.matching,
            _ => false,
        };
        match (given, family) {
            (None, None) => split,
            (None, Some(_)) if agrees(family, split.family) => Self {
                given: split.given,
                family,
            },
            (Some(_), None) if agrees(given, split.given) => Self {
                given,
                family: split.family,
            },
            _ => own,
        }
    }
}

fn clean_given(text: &str) -> Cleaned {
    unless_bare(clean_part(text, name::given_matching), name::is_bare_title)
}

fn clean_family(text: &str) -> Cleaned {
    unless_bare(clean_part(text, name::family_matching), name::is_bare_suffix)
}

/// A name, unless it is nothing but a title.
fn unless_bare(cleaned: Cleaned, is_bare: fn(&str) -> bool) -> Cleaned {
    match &cleaned.display {
        Some(display) if is_bare(display) => Cleaned::without(TITLE),
        _ => cleaned,
    }
}

/// A title without a name.
const TITLE: Finding = Finding::Placeholder("title");

fn clean_part(text: &str, matching: impl Fn(&str) -> Option<String>) -> Cleaned {
    if fold::clean(text).is_empty() {
        return Cleaned::default();
    }
    if placeholder::is_name_placeholder(text) {
        return Cleaned::without(PLACEHOLDER);
    }
    let Some(display) = name::display(text).filter(|display| !placeholder::is_name_placeholder(display)) else {
        return Cleaned::without(PLACEHOLDER);
    };
    let matching = matching(&display);
    Cleaned {
        derived: matching.as_deref().map(phonetic::cologne).and_then(fold::non_empty),
        display: Some(display),
        matching,
        finding: None,
    }
}

/// A whole name and its parts.
#[derive(Debug, Default)]
struct Whole {
    whole: Cleaned,
    given: Option<Cleaned>,
    family: Option<Cleaned>,
}

fn clean_full(text: &str) -> Whole {
    let whole = clean_part(text, |_| None);
    if whole.display.is_none() {
        return Whole { whole, ..Whole::default() };
    }
    let split = name::split_full(text);
    let part = |text: Option<String>, clean: fn(&str) -> Cleaned| text.map(|text| clean(&text)).filter(|cleaned| cleaned.display.is_some());
    Whole {
        whole,
        given: part(split.given, clean_given),
        family: part(split.family, clean_family),
    }
}
