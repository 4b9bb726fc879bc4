//! Customer Match of Google Ads: the CSV with six columns, in the spelling that Google asks for before a value is hashed.
//!
//! Columns: "Format your customer data file", <https://support.google.com/google-ads/answer/7659867>; what is hashed and what is not:
//! <https://support.google.com/google-ads/answer/7474263>; spelling: "Format user data",
//! <https://developers.google.com/data-manager/api/devguides/concepts/formatting>.

use super::normalize::{hashed, one_blank, without_blanks};
use super::person::Person;

/// Column names, which must be these.
pub const HEADER: [&str; 6] = ["Email", "Phone", "First Name", "Last Name", "Country", "Zip"];

/// Domains of which Google drops the dots and the tag of a mailbox; of no other.
const GOOGLE_MAIL: [&str; 2] = ["gmail.com", "googlemail.com"];

/// An address without blanks, in lower case; at Gmail also without dots and `+tag`. Empty if it is none.
#[must_use]
pub fn email(text: &str) -> String {
    let address = without_blanks(text);
    let Some((mailbox, domain)) = address
        .rsplit_once('@')
        .filter(|(mailbox, domain)| !mailbox.is_empty() && !domain.is_empty())
    else {
        return String::new();
    };
    if !GOOGLE_MAIL.contains(&domain) {
        return address;
    }
    let mailbox = mailbox.split('+').next().unwrap_or_default().replace('.', "");
    if mailbox.is_empty() {
        return String::new();
    }
    format!("{mailbox}@{domain}")
}

/// A postal code as it is sent, not hashed: letters, digits, single blanks and hyphens; of other countries than the US without an extension.
#[must_use]
pub fn zip(postcode: &str, country: &str) -> String {
    let kept: String = one_blank(postcode)
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-'))
        .collect();
    let trimmed = kept.trim_matches(|c: char| !c.is_alphanumeric()).to_uppercase();
    if country == "US" && trimmed.len() > 5 && trimmed.bytes().all(|byte| byte.is_ascii_digit()) {
        // Nine digits without their hyphen.
        return format!("{}-{}", &trimmed[..5], &trimmed[5..]);
    }
    trimmed
}

/// The row of a person, cells as in [`HEADER`]; `None` if nothing in it could match. Country and postal code stand as they are, and only with a
/// name: Google matches an address by all four or not at all, and what cannot match need not be told.
#[must_use]
pub fn row(person: &Person) -> Option<Vec<String>> {
    let email = email(&person.email);
    let (given, family) = (one_blank(&person.given_name), one_blank(&person.family_name));
    let zip = zip(&person.postcode, &person.country);
    let has_address = !given.is_empty() && !family.is_empty() && !zip.is_empty() && person.country.len() == 2;
    if email.is_empty() && person.phone.is_empty() && !has_address {
        return None;
    }
    let address = |value: String| if has_address { value } else { String::new() };
    Some(vec![
        hash_of(&email),
        hash_of(&person.phone),
        address(hash_of(&given)),
        address(hash_of(&family)),
        address(person.country.clone()),
        address(zip),
    ])
}

/// Empty cells stay empty: the hash of nothing is a value like any other.
pub(super) fn hash_of(value: &str) -> String {
    if value.is_empty() { String::new() } else { hashed(value) }
}
