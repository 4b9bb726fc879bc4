//! Names: given and family name, taken from the whole name where a source has only that.

use super::distinct::{Forms, Values};
use super::findings::{Finding, Findings};
use super::single::{Cleaned, PLACEHOLDER};
use super::{Columns, Input, distinct};
use crate::table::{NULL_CODE, column};
use crate::text::{fold, name, phonetic, placeholder};

/// Given, family and whole name in display form; given and family name and their sound for matching.
///
/// A missing part is filled from the whole name; if only one is missing, then only where the other agrees with the whole name. A source's
/// own parts are never rearranged: comparisons know swapped names.
pub fn clean<'a>(input: &Input<'a>) -> Columns<'a> {
    let given = input.distinct(column::GIVEN_NAME).map(|texts| texts.clean(clean_given));
    let family = input.distinct(column::FAMILY_NAME).map(|texts| texts.clean(clean_family));
    let mut columns = Columns::default();
    for (name, values) in [(column::GIVEN_NAME, &given), (column::FAMILY_NAME, &family)] {
        if let Some(values) = values {
            columns.find(input, name, &values.codes, &values.forms.findings);
        }
    }
    let full = input.distinct(column::FULL_NAME).map(|texts| {
        let [whole, given, family] = Forms::of(&texts.keys, clean_full);
        columns.find(input, column::FULL_NAME, &texts.codes, &whole.findings);
        if input.shows() {
            columns
                .display
                .push((column::FULL_NAME, distinct::display(&texts.codes, &whole.display)));
        }
        Full {
            codes: texts.codes,
            given,
            family,
        }
    });
    let mut rows = Rows::of(input.rows, given, family, full);
    columns.findings.append(rows.drop_specimens(input));
    for (name, sound, positions) in [
        (column::GIVEN_NAME, column::GIVEN_NAME_PHONETIC, rows.given),
        (column::FAMILY_NAME, column::FAMILY_NAME_PHONETIC, rows.family),
    ] {
        if input.wants(sound) {
            let positions = positions.clone();
            columns
                .matching
                .push((sound, distinct::matching(sound, positions, &rows.forms.derived)));
        }
        columns.push_positions(input, name, positions, &rows.forms);
    }
    columns
}

/// Whole names: one code a row, and the parts of each.
struct Full {
    codes: Vec<u32>,
    given: Forms,
    family: Forms,
}

/// The names of each row, as positions in one list of forms.
struct Rows {
    given: Vec<u32>,
    family: Vec<u32>,
    forms: Forms,
}

impl Rows {
    fn of(rows: usize, given: Option<Values<&str>>, family: Option<Values<&str>>, full: Option<Full>) -> Self {
        let none = || (vec![NULL_CODE; rows], Forms::chain(&[]));
        let (mut given, given_forms) = given.map_or_else(none, |values| (values.codes, values.forms));
        let (mut family, family_forms) = family.map_or_else(none, |values| (values.codes, values.forms));
        let mut lists = vec![&given_forms, &family_forms];
        if let Some(full) = &full {
            lists.extend([&full.given, &full.family]);
        }
        let start = |list: usize| u32::try_from(lists[..list].iter().map(|forms| forms.len()).sum::<usize>()).expect("as many as rows");
        let starts = [0, start(1), start(2), lists.get(3).map_or(0, |_| start(3))];
        let forms = Forms::chain(&lists);
        for position in family.iter_mut().filter(|position| **position != NULL_CODE) {
            *position += starts[1];
        }
        for position in given.iter_mut().chain(&mut family) {
            *position = forms.shown(*position);
        }
        if let Some(full) = &full {
            for ((given, family), &code) in given.iter_mut().zip(&mut family).zip(&full.codes) {
                if code != NULL_CODE {
                    let split = (forms.shown(starts[2] + code), forms.shown(starts[3] + code));
                    (*given, *family) = fill(&forms, (*given, *family), split);
                }
            }
        }
        Self { given, family, forms }
    }

    /// Max Mustermann is nobody: both names become missing.
    fn drop_specimens(&mut self, input: &Input<'_>) -> Findings {
        let mut findings = Findings::default();
        // Who is a specimen with `max` may be one with another name; nobody else can.
        let may_be = |position: u32| {
            self.forms
                .matching_at(position)
                .is_some_and(|family| placeholder::is_specimen("max", family))
        };
        let suspects: Vec<bool> = (0..u32::try_from(self.forms.len()).expect("as many as rows")).map(may_be).collect();
        if !suspects.contains(&true) {
            return findings;
        }
        for row in 0..input.rows {
            let (given, family) = (self.given[row], self.family[row]);
            if given == NULL_CODE || family == NULL_CODE || !suspects[family as usize] {
                continue;
            }
            let names = self.forms.matching_at(given).zip(self.forms.matching_at(family));
            if names.is_some_and(|(given, family)| placeholder::is_specimen(given, family)) {
                (self.given[row], self.family[row]) = (NULL_CODE, NULL_CODE);
                for name in [column::GIVEN_NAME, column::FAMILY_NAME] {
                    findings.add(name, PLACEHOLDER, input.text(column::SOURCE), row, String::new);
                }
            }
        }
        findings
    }
}

/// Own names of a row, filled from the parts of its whole name where that says no other thing.
fn fill(forms: &Forms, own: (u32, u32), split: (u32, u32)) -> (u32, u32) {
    let agrees = |own: u32, split: u32| own != NULL_CODE && split != NULL_CODE && forms.matching_at(own) == forms.matching_at(split);
    match own {
        (NULL_CODE, NULL_CODE) => split,
        (NULL_CODE, family) if agrees(family, split.1) => (split.0, family),
        (given, NULL_CODE) if agrees(given, split.0) => (given, split.1),
        own => own,
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
    if fold::is_blank(text) {
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
fn clean_full(text: &str) -> [Cleaned; 3] {
    let whole = clean_part(text, |_| None);
    if whole.display.is_none() {
        return [whole, Cleaned::default(), Cleaned::default()];
    }
    let split = name::split_full(text);
    let part = |text: Option<String>, clean: fn(&str) -> Cleaned| {
        let cleaned = text.map(|text| clean(&text)).filter(|cleaned| cleaned.display.is_some());
        cleaned.unwrap_or_default()
    };
    [whole, part(split.given, clean_given), part(split.family, clean_family)]
}
