//! Phone numbers in E.164.

use std::str::FromStr;

use unicode_normalization::UnicodeNormalization;

/// How a phone number of a country is written. `trunk` is dialed before a national number and is no part of E.164.
struct Plan {
    country: &'static str,
    code: &'static str,
    trunk: &'static str,
    /// Shortest and longest national significant number, in digits.
    digits: (usize, usize),
}

/// Numbering plans that cover nearly all numbers of the field; every other country goes through `phonenumber`, which knows them all and
/// is slower: it tries regular expressions. Lengths: ITU-T E.164 national plans.
const PLANS: &[Plan] = &[
    plan("DE", "49", "0", (6, 13)),
    plan("AT", "43", "0", (5, 13)),
    plan("CH", "41", "0", (9, 9)),
    plan("GB", "44", "0", (9, 10)),
    plan("US", "1", "1", (10, 10)),
    plan("FR", "33", "0", (9, 9)),
    plan("NL", "31", "0", (9, 9)),
    plan("IT", "39", "", (6, 11)),
    plan("ES", "34", "", (9, 9)),
    plan("PL", "48", "", (9, 9)),
    plan("BE", "32", "0", (8, 9)),
    plan("DK", "45", "", (8, 8)),
    plan("SE", "46", "0", (7, 10)),
];

const fn plan(country: &'static str, code: &'static str, trunk: &'static str, digits: (usize, usize)) -> Plan {
    Plan {
        country,
        code,
        trunk,
        digits,
    }
}

/// E.164 with `+`, national numbers read as of `country` (ISO 3166 alpha-2); `None` if it is not a possible number. Extensions are left out.
/// Idempotent.
#[must_use]
pub fn normalize(text: &str, country: &str) -> Option<String> {
    let dialed = Dialed::read(text)?;
    let home = PLANS.iter().find(|plan| plan.country.eq_ignore_ascii_case(country));
    if dialed.international {
        return international(&dialed.digits);
    }
    if let Some(digits) = dialed.digits.strip_prefix(if home.is_some_and(|plan| plan.country == "US") {
        "011"
    } else {
        "00"
    }) {
        return international(digits);
    }
    let Some(home) = home else {
        return foreign(&dialed.digits, country);
    };
    let digits = dialed.digits.as_str();
    // `49171…` without the plus: national numbers with a trunk prefix start with it, so this can only be the country code.
    if !home.trunk.is_empty() && !digits.starts_with(home.trunk) && digits.starts_with(home.code) && digits.len() >= home.code.len() + 9 {
        return international(digits);
    }
    home.number(digits)
}

/// Whether the digits of a text are a filler: one digit repeated, or counted up or down. Expects any text.
#[must_use]
pub fn is_placeholder(text: &str) -> bool {
    let Some(dialed) = Dialed::read(text) else {
        return false;
    };
    let digits = dialed.digits.as_str();
    let national = digits.trim_start_matches('0');
    let national = if dialed.international || digits.starts_with("00") {
        PLANS
            .iter()
            .find_map(|plan| national.strip_prefix(plan.code))
            .unwrap_or(national)
            .trim_start_matches('0')
    } else {
        national
    };
    let counted = |text: &str| text.len() >= 5 && ("1234567890123".starts_with(text) || "9876543210".starts_with(text));
    let same = |text: &str| text.bytes().all(|b| Some(&b) == text.as_bytes().first());
    national.is_empty()
        || same(digits)
        || same(national)
        || counted(national)
        || (national.len() >= 9 && same(&national[national.len() - 7..]))
}

fn international(digits: &str) -> Option<String> {
    let digits = digits.trim_start_matches('0');
    match PLANS
        .iter()
        .find(|plan| digits.starts_with(plan.code) && (plan.country != "US" || digits.len() == 11))
    {
        Some(plan) => plan.number(&digits[plan.code.len()..]),
        None => foreign(&format!("+{digits}"), ""),
    }
}

impl Plan {
    fn number(&self, digits: &str) -> Option<String> {
        let significant = match self.trunk {
            "" => digits,
            // In North America the trunk prefix is a digit that no area code starts with.
            trunk => digits.strip_prefix(trunk).unwrap_or(digits),
        };
        let starts_well = self.trunk.is_empty() || !(significant.starts_with('0') || significant.starts_with(self.trunk));
        let (shortest, longest) = self.digits;
        ((shortest..=longest).contains(&significant.len()) && starts_well).then(|| format!("+{}{significant}", self.code))
    }
}

/// Every other country, by Google's metadata.
fn foreign(digits: &str, country: &str) -> Option<String> {
    let country = phonenumber::country::Id::from_str(&country.to_ascii_uppercase()).ok();
    let number = phonenumber::parse(country, digits).ok()?;
    phonenumber::is_valid(&number).then(|| number.format().mode(phonenumber::Mode::E164).to_string())
}

/// The digits of a text as one would dial them.
struct Dialed {
    international: bool,
    digits: String,
}

/// Most digits worth reading: 15 of E.164, and prefixes.
const DIGITS_MAX: usize = 20;

impl Dialed {
    /// Reads the first number in a text: skips a label before it, stops at an extension, a remark or a second number. `None` if there are
    /// fewer than 2 or more than [`DIGITS_MAX`] digits.
    fn read(text: &str) -> Option<Self> {
        let plain: String = if text.is_ascii() { text.to_owned() } else { text.nfkc().collect() };
        let plain = plain.trim_start_matches(|c: char| !c.is_ascii_digit() && c != '+' && c != '(');
        let international = plain.trim_start_matches(['(', ' ']).starts_with('+');
        let mut digits = String::with_capacity(16);
        let mut rest = plain.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '0'..='9' => digits.push(c),
                '(' if international || digits.starts_with("00") => {
                    let ahead: String = rest.clone().take(2).collect();
                    if ahead == "0)" {
                        rest.nth(1);
                    }
                }
                '+' | ';' | ',' | '#' if digits.len() >= 6 => break,
                _ if c.is_alphabetic() => break,
                _ => {}
            }
            if digits.len() > DIGITS_MAX {
                return None;
            }
        }
        (digits.len() >= 2).then_some(Self { international, digits })
    }
}
