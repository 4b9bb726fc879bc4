//! Values that look like data and say nothing: `n/a`, `unbekannt`, `xxx`, `4,91711E+11`.

use super::fold;

/// Whether a text means "no value" in any column: no letter or digit at all, or one of the usual words. Linear.
#[must_use]
pub fn is_placeholder(text: &str) -> bool {
    // None of the words has a digit, and a text that has one is not empty.
    if text.len() <= fold::WORDS_CHARS_MAX && text.bytes().any(|byte| byte.is_ascii_digit()) {
        return false;
    }
    is_placeholder_words(text, &fold::words(text))
}

/// [`is_placeholder`] of a text whose words are known.
fn is_placeholder_words(text: &str, words: &str) -> bool {
    if words.is_empty() {
        return true;
    }
    if words.len() > 32 {
        return false;
    }
    let letters: String = words.chars().filter(|&c| c != ' ').collect();
    let only_x = letters.len() >= 2 && letters.bytes().all(|b| b == b'x');
    only_x
        || matches!(
            letters.as_str(),
            "na" | "none"
                | "null"
                | "nil"
                | "nan"
                | "undefined"
                | "unknown"
                | "unbekannt"
                | "nichtbekannt"
                | "ka"
                | "keineangabe"
                | "keineangaben"
                | "ohneangabe"
                | "nichtangegeben"
                | "notprovided"
                | "notavailable"
                | "notapplicable"
                | "test"
                | "testtest"
                | "tbd"
                | "tba"
                | "dummy"
                | "asdf"
                | "leer"
                | "empty"
                | "x"
        ) && !is_initial(text, &letters)
}

/// `X.` or `K. A.` may be initials; `x` alone and `k.A.` are placeholders, so only the dotted single letter counts.
fn is_initial(text: &str, letters: &str) -> bool {
    letters == "x" && text.trim().ends_with('.')
}

/// Whether a name column holds a stand-in for a person: a placeholder, or `Kunde`, `Gast`, `Guest`, `Vorname` …
#[must_use]
pub fn is_name_placeholder(text: &str) -> bool {
    let words = fold::words(text);
    is_placeholder_words(text, &words)
        || matches!(
            words.as_str(),
            "kunde"
                | "kundin"
                | "gast"
                | "guest"
                | "customer"
                | "anonym"
                | "anonymous"
                | "anonymus"
                | "vorname"
                | "nachname"
                | "name"
                | "firstname"
                | "first name"
                | "lastname"
                | "last name"
                | "surname"
                | "privat"
                | "testkunde"
                | "test kunde"
                | "test user"
                | "testuser"
                | "mustermann max"
                | "max mustermann"
                | "erika mustermann"
        )
}

/// Whether given and family name together are the German specimen person, Max or Erika Mustermann. Takes matching forms.
#[must_use]
pub fn is_specimen(given: &str, family: &str) -> bool {
    matches!((given, family), ("max" | "erika" | "maxi", "mustermann" | "musterfrau"))
}

/// Whether an identifier is one that software writes when it has none (Segment's blocked values, and the usual words).
#[must_use]
pub fn is_blocked_identifier(text: &str) -> bool {
    let text = text.trim();
    text.bytes().all(|b| b == b'0' || b == b'-')
        || text == "-1"
        || [
            "null",
            "anonymous",
            "undefined",
            "none",
            "nil",
            "nan",
            "unknown",
            "n/a",
            "na",
            "(not set)",
            "(none)",
            "[object object]",
            "true",
            "false",
        ]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word))
        || is_placeholder(text)
}

/// Whether a spreadsheet turned digits into a number in scientific notation, `4,91711E+11`: the digits after it are lost.
#[must_use]
pub fn is_excel_damaged(text: &str) -> bool {
    if !text.bytes().any(|byte| byte | 0x20 == b'e') {
        return false;
    }
    let text = text.trim().trim_start_matches(['\'', '+', '-']);
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else {
        return false;
    };
    let Some(exponent) = exponent.strip_prefix('+') else {
        return false;
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once([',', '.']).unwrap_or((mantissa, "0"));
    exponent.len() <= 3 && digits(exponent) && whole.len() == 1 && digits(whole) && digits(fraction)
}
