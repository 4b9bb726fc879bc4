//! Custom Audiences of Meta from a customer list: CSV with the keys of its multi-key schema, everything hashed.
//!
//! Spelling and examples with their hashes: "Customer Information Parameters",
//! <https://developers.facebook.com/documentation/ads-commerce/conversions-api/parameters/customer-information-parameters>. Keys:
//! <https://developers.facebook.com/docs/marketing-api/audiences/guides/custom-audiences>. Where it says nothing (blanks in names), what Meta's
//! own library does: <https://github.com/facebook/capi-param-builder>.

use chrono::Datelike;

use super::google::hash_of;
use super::normalize::{letters_alone, without_blanks};
use super::person::Person;

/// Column names.
pub const HEADER: [&str; 12] = [
    "email", "phone", "fn", "ln", "ct", "st", "zip", "country", "doby", "dobm", "dobd", "gen",
];

/// States of the US and the District of Columbia: ANSI codes (INCITS 38) by name without blanks.
const STATES: [(&str, &str); 51] = [
    ("alabama", "al"),
    ("alaska", "ak"),
    ("arizona", "az"),
    ("arkansas", "ar"),
    ("california", "ca"),
    ("colorado", "co"),
    ("connecticut", "ct"),
    ("delaware", "de"),
    ("districtofcolumbia", "dc"),
    ("florida", "fl"),
    ("georgia", "ga"),
    ("hawaii", "hi"),
    ("idaho", "id"),
    ("illinois", "il"),
    ("indiana", "in"),
    ("iowa", "ia"),
    ("kansas", "ks"),
    ("kentucky", "ky"),
    ("louisiana", "la"),
    ("maine", "me"),
    ("maryland", "md"),
    ("massachusetts", "ma"),
    ("michigan", "mi"),
    ("minnesota", "mn"),
    ("mississippi", "ms"),
    ("missouri", "mo"),
    ("montana", "mt"),
    ("nebraska", "ne"),
    ("nevada", "nv"),
    ("newhampshire", "nh"),
    ("newjersey", "nj"),
    ("newmexico", "nm"),
    ("newyork", "ny"),
    ("northcarolina", "nc"),
    ("northdakota", "nd"),
    ("ohio", "oh"),
    ("oklahoma", "ok"),
    ("oregon", "or"),
    ("pennsylvania", "pa"),
    ("rhodeisland", "ri"),
    ("southcarolina", "sc"),
    ("southdakota", "sd"),
    ("tennessee", "tn"),
    ("texas", "tx"),
    ("utah", "ut"),
    ("vermont", "vt"),
    ("virginia", "va"),
    ("washington", "wa"),
    ("westvirginia", "wv"),
    ("wisconsin", "wi"),
    ("wyoming", "wy"),
];

/// An address without blanks at its ends, in lower case; dots and tags stay. Empty if it is none.
#[must_use]
pub fn email(text: &str) -> String {
    let address = without_blanks(text);
    if address.contains('@') { address } else { String::new() }
}

/// Country code and number, digits alone.
#[must_use]
pub fn phone(e164: &str) -> String {
    e164.chars()
        .filter(char::is_ascii_digit)
        .skip_while(|digit| *digit == '0')
        .collect()
}

/// A state of the US as its two letters; elsewhere the name in lower case without blanks and punctuation.
#[must_use]
pub fn state(region: &str, country: &str) -> String {
    let name = letters_alone(region);
    let code = STATES.iter().find(|(state, _)| country == "US" && *state == name);
    code.map_or(name, |(_, code)| (*code).to_owned())
}

/// A postal code in lower case without blanks and hyphens; of the US the first five digits.
#[must_use]
pub fn zip(postcode: &str, country: &str) -> String {
    let code = letters_alone(postcode);
    if country == "US" { code.chars().take(5).collect() } else { code }
}

/// The row of a person, cells as in [`HEADER`]; `None` if it has neither an address, a phone number nor a full name.
#[must_use]
pub fn row(person: &Person) -> Option<Vec<String>> {
    let (email, phone) = (email(&person.email), phone(&person.phone));
    let (given, family) = (letters_alone(&person.given_name), letters_alone(&person.family_name));
    if email.is_empty() && phone.is_empty() && (given.is_empty() || family.is_empty()) {
        return None;
    }
    let birth = |format: &dyn Fn(chrono::NaiveDate) -> String| person.birth_date.map(format).unwrap_or_default();
    let gender = if ["f", "m"].contains(&person.gender.as_str()) {
        &person.gender
    } else {
        ""
    };
    let values = [
        email,
        phone,
        given,
        family,
        letters_alone(&person.city),
        state(&person.region, &person.country),
        zip(&person.postcode, &person.country),
        person.country.to_lowercase(),
        birth(&|day| format!("{:04}", day.year())),
        birth(&|day| format!("{:02}", day.month())),
        birth(&|day| format!("{:02}", day.day())),
        gender.to_owned(),
    ];
    Some(values.iter().map(|value| hash_of(value)).collect())
}
