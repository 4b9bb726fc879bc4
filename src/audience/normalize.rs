//! Values in the one spelling that a platform hashes: what is spelled otherwise has another hash and matches nobody.

use std::fmt::Write;

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

/// SHA-256 of the UTF-8 bytes, as 64 lower-case hex digits.
#[must_use]
pub fn hashed(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("a string can be written to");
            hex
        })
}

/// Lower case, composed (NFC), without any blank; empty if nothing is left.
#[must_use]
pub fn without_blanks(text: &str) -> String {
    text.nfc().flat_map(char::to_lowercase).filter(|c| !is_blank(*c)).nfc().collect()
}

/// Lower case, composed (NFC), blanks at the ends gone and one blank between words.
#[must_use]
pub fn one_blank(text: &str) -> String {
    let lower: String = text.nfc().flat_map(char::to_lowercase).nfc().collect();
    lower.split(is_blank).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Lower case, composed (NFC), without blanks, punctuation and symbols; letters of any script stay.
#[must_use]
pub fn letters_alone(text: &str) -> String {
    without_blanks(text).chars().filter(|c| !is_punctuation(*c)).collect()
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// ASCII punctuation and symbols, those of Latin-1, and the general punctuation block: quotes, dashes, dots.
fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation()
        || matches!(c, '\u{a1}'..='\u{a9}' | '\u{ab}'..='\u{b4}' | '\u{b6}'..='\u{b9}' | '\u{bb}'..='\u{bf}' | '×' | '÷')
        || matches!(c, '\u{2010}'..='\u{205e}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{301f}' | '\u{30fb}' | '\u{ff01}'..='\u{ff0f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_any_script_stay_and_marks_of_punctuation_go() {
        assert_eq!(letters_alone(" O’Neil-Smith, Jr. "), "oneilsmithjr");
        assert_eq!(letters_alone("Valéry"), "valéry");
        assert_eq!(letters_alone("Vale\u{301}ry"), "valéry");
        assert_eq!(letters_alone("정"), "정");
        assert_eq!(letters_alone("ÄRZTE · 3"), "ärzte3");
        assert_eq!(letters_alone("अनिता"), "अनिता");
    }

    #[test]
    fn blanks_are_one_or_none() {
        assert_eq!(one_blank("  Anna\u{a0} \t Maria "), "anna maria");
        assert_eq!(without_blanks(" a b\u{200b}c "), "abc");
        assert_eq!(one_blank(" \u{feff} "), "");
    }
}
