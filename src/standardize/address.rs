//! Street, house number and postcode: a number inside the street line moves to its own column, a postcode is read as of its country.

use super::distinct::Forms;
use super::single::{Cleaned, EXCEL_DAMAGED, PLACEHOLDER};
use super::{Columns, Input};
use crate::table::{NULL_CODE, column};
use crate::text::{address, fold, place, placeholder};

/// Street, house number and postcode.
pub fn clean<'a>(input: &Input<'a>) -> Columns<'a> {
    let mut columns = Columns::default();
    streets(input, &mut columns);
    if let Some(texts) = input.distinct_with_country(column::POSTCODE) {
        let values = texts.clean(|(text, country)| clean_postcode(text, input.country_of(country)));
        columns.push(input, column::POSTCODE, values.without_country());
    }
    columns
}

/// The number of its own column wins; the one in the line is taken off only if it is the same.
fn streets<'a>(input: &Input<'a>, columns: &mut Columns<'a>) {
    let lines = input.distinct(column::STREET);
    let numbers = input.distinct(column::HOUSE_NUMBER).map(|texts| texts.clean(clean_number));
    if let Some(numbers) = &numbers {
        columns.find(input, column::HOUSE_NUMBER, &numbers.codes, &numbers.forms.findings);
    }
    let Some(lines) = lines else {
        if let Some(numbers) = numbers {
            columns.push_positions(input, column::HOUSE_NUMBER, numbers.codes, &numbers.forms);
        }
        return;
    };
    let Some(numbers) = numbers else {
        let [split, in_line] = Forms::of(&lines.keys, |text| clean_line(text, false).parts());
        columns.find(input, column::STREET, &lines.codes, &split.findings);
        columns.push_positions(input, column::HOUSE_NUMBER, lines.codes.clone(), &in_line);
        columns.push_positions(input, column::STREET, lines.codes, &split);
        return;
    };
    let [split, in_line, whole] = Forms::of(&lines.keys, |text| clean_line(text, true).all());
    columns.find(input, column::STREET, &lines.codes, &split.findings);
    let count = |forms: &Forms| u32::try_from(forms.len()).expect("a table has fewer than 2^32 records");
    let (split_count, own_count) = (count(&split), count(&numbers.forms));
    let (streets, house_numbers) = (Forms::chain(&[&split, &whole]), Forms::chain(&[&numbers.forms, &in_line]));
    let matching = |at: u32| if at == NULL_CODE { None } else { house_numbers.matching_at(at) };
    let place = |(&line, &own): (&u32, &u32)| {
        let own = numbers.forms.shown(own);
        if line == NULL_CODE {
            return (NULL_CODE, own);
        }
        let in_line = own_count + line;
        let number = if own == NULL_CODE { in_line } else { own };
        let is_taken_off = matching(number) == matching(in_line);
        (if is_taken_off { line } else { split_count + line }, number)
    };
    let (street, number): (Vec<u32>, Vec<u32>) = lines.codes.iter().zip(&numbers.codes).map(place).unzip();
    columns.push_positions(input, column::STREET, street, &streets);
    columns.push_positions(input, column::HOUSE_NUMBER, number, &house_numbers);
}

/// A street line, with and without its number.
#[derive(Debug, Default)]
struct Line {
    split: Cleaned,
    number: Cleaned,
    whole: Cleaned,
}

impl Line {
    fn parts(self) -> [Cleaned; 2] {
        [self.split, self.number]
    }

    fn all(self) -> [Cleaned; 3] {
        [self.split, self.number, self.whole]
    }
}

fn clean_line(text: &str, with_whole: bool) -> Line {
    if placeholder::is_placeholder(text) {
        return Line {
            split: Cleaned::without(PLACEHOLDER),
            ..Line::default()
        };
    }
    let split = address::street(text);
    let whole = if with_whole {
        let whole = fold::clean(text);
        let matching = address::street_matching(&whole);
        Cleaned::both(Some(whole), matching)
    } else {
        Cleaned::default()
    };
    Line {
        split: Cleaned::both(Some(split.display), split.matching),
        number: Cleaned::both(split.display_number, split.matching_number),
        whole,
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
    if fold::is_blank(text) {
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
