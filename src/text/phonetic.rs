//! Phonetic codes: names that sound alike get the same code. Total on any input: letters outside ASCII are folded first, the rest is left out.

use rphonetic::{Cologne, DoubleMetaphone, Encoder, Soundex};

use super::fold;

/// Longest input in letters; a longer one is cut, so that a 10 kB field costs no more than a name.
const LETTERS_MAX: usize = 64;

/// Kölner Phonetik (Postel 1969), the code for German names: `Müller`, `Mueller` and `Muller` are `657`. Empty if there is no Latin letter.
#[must_use]
pub fn cologne(text: &str) -> String {
    Cologne.encode(&letters(text))
}

/// Double Metaphone (Philips 2000), primary code, for English names. Empty if there is no Latin letter.
#[must_use]
pub fn double_metaphone(text: &str) -> String {
    match letters(text) {
        letters if letters.is_empty() => letters,
        letters => DoubleMetaphone::default().encode(&letters),
    }
}

/// American Soundex: a letter and three digits. Empty if there is no Latin letter.
#[must_use]
pub fn soundex(text: &str) -> String {
    match letters(text) {
        letters if letters.is_empty() => letters,
        letters => Soundex::default().encode(&letters),
    }
}

fn letters(text: &str) -> String {
    fold::fold(text)
        .chars()
        .filter(char::is_ascii_alphabetic)
        .take(LETTERS_MAX)
        .collect()
}
