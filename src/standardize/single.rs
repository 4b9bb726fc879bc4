//! Columns that are read one value at a time: e-mail, phone, gender, company, country, city, region, identifiers.

use super::findings::Finding;
use super::{Columns, Input, distinct};
use crate::table::column;
use crate::text::{company, country, email, fold, gender, identifier, phone, place, placeholder};

/// The standard forms of one value.
#[derive(Debug, Default)]
pub struct Cleaned {
    /// For people.
    pub display: Option<String>,
    /// For matching.
    pub matching: Option<String>,
    /// For matching, derived: the local part of an e-mail address, the sound of a name.
    pub derived: Option<String>,
    /// Why a form is missing.
    pub finding: Option<Finding>,
}

impl Cleaned {
    /// Both forms.
    pub fn both(display: Option<String>, matching: Option<String>) -> Self {
        Self {
            display,
            matching,
            ..Self::default()
        }
    }

    /// Neither form.
    pub fn without(finding: Finding) -> Self {
        Self {
            finding: Some(finding),
            ..Self::default()
        }
    }
}

/// A value that says nothing.
pub const PLACEHOLDER: Finding = Finding::Placeholder("placeholder");
/// Digits that a spreadsheet lost.
pub const EXCEL_DAMAGED: Finding = Finding::Damaged("excel_damaged");

/// E-mail, and the local part for comparing.
pub fn email<'a>(input: &Input<'a>) -> Columns<'a> {
    let mut columns = Columns::default();
    let Some(texts) = input.distinct(column::EMAIL) else {
        return columns;
    };
    let values = texts.clean(clean_email);
    if input.wants(column::EMAIL_LOCAL) {
        let local = distinct::matching(column::EMAIL_LOCAL, values.codes.clone(), &values.forms.derived);
        columns.matching.push((column::EMAIL_LOCAL, local));
    }
    columns.push(input, column::EMAIL, values);
    columns
}

fn clean_email(text: &str) -> Cleaned {
    let Some(address) = email::normalize(text) else {
        return match text {
            text if fold::is_blank(text) => Cleaned::default(),
            text if placeholder::is_placeholder(text) => Cleaned::without(PLACEHOLDER),
            _ => Cleaned::without(Finding::Damaged("invalid_email")),
        };
    };
    let finding = match email::classify(&address) {
        email::Mailbox::Person => {
            let mailbox = email::mailbox(&address);
            return Cleaned {
                derived: mailbox.split_once('@').map(|(local, _)| local.to_owned()),
                matching: Some(mailbox),
                display: Some(address),
                finding: None,
            };
        }
        email::Mailbox::Placeholder => return Cleaned::without(PLACEHOLDER),
        email::Mailbox::RoleAccount => Finding::Placeholder("role_account"),
        email::Mailbox::Relay => Finding::Placeholder("relay"),
    };
    Cleaned {
        display: Some(address),
        finding: Some(finding),
        ..Cleaned::default()
    }
}

/// Phone, read as of the row's country.
pub fn phone<'a>(input: &Input<'a>) -> Columns<'a> {
    let mut columns = Columns::default();
    if let Some(texts) = input.distinct_with_country(column::PHONE) {
        let values = texts.clean(|(text, country)| clean_phone(text, input.country_of(country)));
        columns.push(input, column::PHONE, values.without_country());
    }
    columns
}

fn clean_phone(text: &str, country: &str) -> Cleaned {
    if fold::is_blank(text) {
        Cleaned::default()
    } else if placeholder::is_excel_damaged(text) {
        Cleaned::without(EXCEL_DAMAGED)
    } else if placeholder::is_placeholder(text) || phone::is_placeholder(text) {
        Cleaned::without(PLACEHOLDER)
    } else {
        match phone::normalize(text, country) {
            Some(number) => Cleaned::both(Some(number.clone()), Some(number)),
            None => Cleaned::without(Finding::Damaged("invalid_phone")),
        }
    }
}

/// Gender, company, city and region.
pub fn short<'a>(input: &Input<'a>) -> Columns<'a> {
    let mut columns = Columns::default();
    let mut read = |name: &'a str, clean: fn(&str) -> Cleaned| {
        if let Some(texts) = input.distinct(name) {
            columns.push(input, name, texts.clean(clean));
        }
    };
    read(column::GENDER, clean_gender);
    read(column::COMPANY, clean_company);
    read(column::CITY, clean_city);
    read(column::REGION, clean_region);
    columns
}

fn clean_gender(text: &str) -> Cleaned {
    match gender::normalize(text) {
        Some(letter) => Cleaned::both(Some(letter.to_owned()), Some(letter.to_owned())),
        None if fold::is_blank(text) => Cleaned::default(),
        None if placeholder::is_placeholder(text) => Cleaned::without(PLACEHOLDER),
        None => Cleaned::without(Finding::Damaged("invalid_gender")),
    }
}

fn clean_company(text: &str) -> Cleaned {
    match text {
        text if fold::is_blank(text) => Cleaned::default(),
        text if placeholder::is_placeholder(text) || company::is_private(text) => Cleaned::without(PLACEHOLDER),
        text => Cleaned::both(company::display(text), company::matching(text)),
    }
}

fn clean_city(text: &str) -> Cleaned {
    match place::city_display(text) {
        None => Cleaned::default(),
        Some(city) if placeholder::is_placeholder(&city) => Cleaned::without(PLACEHOLDER),
        Some(city) => {
            let matching = place::city_matching(&city);
            Cleaned::both(Some(city), matching)
        }
    }
}

fn clean_region(text: &str) -> Cleaned {
    match fold::non_empty(fold::clean(text)) {
        None => Cleaned::default(),
        Some(region) if placeholder::is_placeholder(&region) => Cleaned::without(PLACEHOLDER),
        Some(region) => {
            let matching = place::region_matching(&region);
            Cleaned::both(Some(region), matching)
        }
    }
}

/// Country, which was read first because phone and postcode depend on it.
pub fn country<'a>(input: &mut Input<'a>) -> Columns<'a> {
    let mut columns = Columns::default();
    if let Some(countries) = input.countries.take() {
        columns.push(input, column::COUNTRY, countries);
    }
    columns
}

/// ISO code in both forms; a name that is not known stays for people and is missing for matching. `NA` is Namibia.
pub fn clean_country(text: &str) -> Cleaned {
    let line = fold::clean(text);
    if line.is_empty() {
        return Cleaned::default();
    }
    match country::normalize(&line) {
        Some(code) => Cleaned::both(Some(code.clone()), Some(code)),
        None if placeholder::is_placeholder(&line) => Cleaned::without(PLACEHOLDER),
        None => Cleaned::both(Some(line), None),
    }
}

/// Identifiers: trimmed text.
pub fn identifiers<'a>(input: &Input<'a>) -> Columns<'a> {
    let mut columns = Columns::default();
    for name in input.identifiers() {
        if let Some(texts) = input.distinct(name) {
            columns.push(input, name, texts.clean(clean_identifier));
        }
    }
    columns
}

fn clean_identifier(text: &str) -> Cleaned {
    match identifier::normalize(text) {
        None if fold::is_blank(text) => Cleaned::default(),
        None => Cleaned::without(PLACEHOLDER),
        Some(id) if placeholder::is_excel_damaged(&id) => Cleaned::without(EXCEL_DAMAGED),
        Some(id) if placeholder::is_blocked_identifier(&id) => Cleaned::without(PLACEHOLDER),
        Some(id) => Cleaned::both(Some(id.clone()), Some(id)),
    }
}
