//! The two forms every text starts from: `clean` for people (one line, composed, nothing invisible) and `fold` for comparing
//! (lower case ASCII where possible, umlauts spelled out).

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Most combining marks kept after one character; more is an attack or an accident, never a name.
pub const MARKS_MAX: usize = 4;

/// One line for people: NFC, no control or invisible characters, full-width forms as ASCII, one kind of apostrophe (`'`) and hyphen (`-`),
/// single spaces, at most [`MARKS_MAX`] combining marks in a row. Idempotent, O(n log n) at worst.
#[must_use]
pub fn clean(text: &str) -> String {
    if is_tidy(text.as_bytes()) {
        return text.to_owned();
    }
    if is_composed(text) {
        return collapse(text.chars().filter_map(plain));
    }
    clean_any(text)
}

/// [`clean`] of any text.
fn clean_any(text: &str) -> String {
    let mapped: String = text.nfc().filter_map(plain).collect();
    let mut marks = 0_usize;
    collapse(mapped.nfc().filter(move |&c| {
        marks = if is_combining_mark(c) { marks + 1 } else { 0 };
        marks <= MARKS_MAX
    }))
}

/// Whether a text is its own clean form for sure: visible ASCII without a grave accent, and single spaces inside only.
fn is_tidy(bytes: &[u8]) -> bool {
    let mut space = true;
    for &byte in bytes {
        if byte == b' ' {
            if space {
                return false;
            }
            space = true;
        } else {
            if !byte.is_ascii_graphic() || byte == b'`' {
                return false;
            }
            space = false;
        }
    }
    !space || bytes.is_empty()
}

/// First character that is a combining mark. All before it are their own composed form, alone and side by side.
const FIRST_MARK: char = '\u{300}';

fn is_composed(text: &str) -> bool {
    // The first byte of U+0300 in UTF-8 is 0xCC, and no later byte of a character is as large as a first byte.
    text.bytes().all(|byte| byte < 0xCC)
}

/// Whether nothing can be seen of a text: its clean form is empty.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    !text.bytes().any(|byte| byte.is_ascii_alphanumeric()) && clean(text).is_empty()
}

/// Joins characters, with runs of spaces as one and none at the ends.
fn collapse(chars: impl Iterator<Item = char>) -> String {
    let mut line = String::new();
    let mut space = false;
    for c in chars {
        if c == ' ' {
            space = !line.is_empty();
            continue;
        }
        if space {
            line.push(' ');
            space = false;
        }
        line.push(c);
    }
    line
}

/// The plain spelling of one character; `None` if it cannot be seen.
fn plain(c: char) -> Option<char> {
    match c {
        ' '..='_' | 'a'..='~' => Some(c),
        '`' | '´' | '\u{2018}'..='\u{201B}' | '\u{2032}' | '\u{02B9}' | '\u{02BA}'..='\u{02BD}' | '\u{02C8}' | '\u{FF07}' | '\u{FF40}' => {
            Some('\'')
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}' => Some('-'),
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0),
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' => None,
        '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FFA0}' => None,
        '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}' => None,
        _ if c.is_whitespace() => Some(' '),
        '\0' => None,
        _ if c.is_control() => Some(' '),
        _ => Some(c),
    }
}

/// Lower case, compatibility forms resolved, `ä ö ü ß` as `ae oe ue ss`, every other diacritic of Latin, Greek and Cyrillic dropped.
/// Punctuation stays. Idempotent.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    if !is_composed(text) {
        return fold_any(text);
    }
    let mut folded = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_ascii() {
            folded.push(c.to_ascii_lowercase());
        } else {
            folded.push_str(&LATIN[c as usize - LATIN_START]);
        }
    }
    folded
}

/// First character after ASCII.
const LATIN_START: usize = 0x80;

/// Folded forms of the characters between ASCII and [`FIRST_MARK`]: they do not depend on what stands beside them.
static LATIN: LazyLock<Vec<String>> = LazyLock::new(|| {
    let below = LATIN_START..FIRST_MARK as usize;
    let folded = below.map(|code| {
        let c = u32::try_from(code)
            .ok()
            .and_then(char::from_u32)
            .expect("no surrogate stands there");
        fold_any(c.encode_utf8(&mut [0; 4]))
    });
    folded.collect()
});

/// [`fold`] of any text.
fn fold_any(text: &str) -> String {
    let composed: String = text.nfkc().collect();
    let lower: String = composed.to_lowercase().nfkc().collect();
    let mut spelled = String::with_capacity(lower.len() + 8);
    for c in lower.chars() {
        match c {
            'ä' | 'æ' | 'ǽ' | 'ǣ' => spelled.push_str("ae"),
            'ö' | 'œ' => spelled.push_str("oe"),
            'ü' => spelled.push_str("ue"),
            'ß' => spelled.push_str("ss"),
            'þ' => spelled.push_str("th"),
            'ø' | 'ǿ' => spelled.push('o'),
            'ł' | 'ƚ' => spelled.push('l'),
            'đ' | 'ð' => spelled.push('d'),
            'ı' => spelled.push('i'),
            'ħ' => spelled.push('h'),
            'ŋ' => spelled.push('n'),
            'ŧ' => spelled.push('t'),
            'ĸ' => spelled.push('k'),
            'ə' => spelled.push('e'),
            _ => spelled.push(c),
        }
    }
    spelled.nfkd().filter(|&c| !is_diacritic(c)).nfc().collect()
}

/// Marks that scripts use as accents; the vowel signs of Indic scripts and the voicing marks of Japanese are letters and stay.
fn is_diacritic(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
}

/// Most characters of a value that are compared: what follows cannot tell two people apart, and a 10 kB field costs no more than an address.
pub const WORDS_CHARS_MAX: usize = 512;

/// [`fold`] of [`clean`], apostrophes removed, everything but letters and digits a single space: `Müller-Lüdenscheidt` is
/// `mueller luedenscheidt`, `O'Brien` is `obrien`. Cut at [`WORDS_CHARS_MAX`]. Idempotent.
#[must_use]
pub fn words(text: &str) -> String {
    if text.is_ascii() && text.len() <= WORDS_CHARS_MAX {
        return words_of_ascii(text.as_bytes());
    }
    words_any(text)
}

/// [`words`] of a short ASCII text, in one pass.
fn words_of_ascii(text: &[u8]) -> String {
    let mut words = String::with_capacity(text.len());
    let mut space = false;
    for &byte in text {
        if byte.is_ascii_alphanumeric() {
            if space && !words.is_empty() {
                words.push(' ');
            }
            space = false;
            words.push(char::from(byte.to_ascii_lowercase()));
        } else if !matches!(byte, b'\'' | b'`' | 0) {
            space = true;
        }
    }
    words
}

/// [`words`] of any text.
fn words_any(text: &str) -> String {
    let words = words_once(&clean(text));
    if words.is_ascii() {
        return words;
    }
    settle(&words, |words| Some(words_once(&clean(words)))).unwrap_or(words)
}

fn words_once(line: &str) -> String {
    let cut = line.char_indices().nth(WORDS_CHARS_MAX).map_or(line, |(end, _)| &line[..end]);
    // Compatibility forms may resolve to an apostrophe (`ŉ`), so characters are made plain once more.
    collapse(
        fold(cut)
            .chars()
            .filter_map(plain)
            .filter(|&c| c != '\'')
            .map(|c| if c.is_alphanumeric() || is_combining_mark(c) { c } else { ' ' })
            .take(WORDS_CHARS_MAX),
    )
}

/// Most passes of [`settle`].
const PASSES_MAX: usize = 16;

/// Applies a step until it changes nothing more, so that what one rule uncovers the next one sees: this is what makes a normalizer of several
/// rules idempotent. Ends after 16 passes at most; `None` ends it, too.
#[must_use]
pub fn settle(text: &str, step: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut current = step(text)?;
    for _ in 1..PASSES_MAX {
        let next = step(&current)?;
        if next == current {
            break;
        }
        current = next;
    }
    Some(current)
}

/// `Some` unless empty.
#[must_use]
pub fn non_empty(text: String) -> Option<String> {
    if text.is_empty() { None } else { Some(text) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Texts of the ranges that the short ways claim, and of their borders.
    fn texts() -> impl Strategy<Value = String> {
        let c = prop_oneof![
            6 => proptest::char::range('\0', '\u{7f}'),
            3 => proptest::char::range('\u{80}', '\u{2ff}'),
            1 => proptest::char::range('\u{300}', '\u{345}'),
            2 => Just(' '),
            1 => Just('\''),
        ];
        prop_oneof![
            4 => prop::collection::vec(c, 0..24).prop_map(|chars| chars.into_iter().collect::<String>()),
            1 => "[ a-zA-ZäöüÄÖÜßéèçñ'.-]{0,40}",
            1 => "[-' x]{500,540}",
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn the_short_ways_give_what_the_long_ones_do(text in texts()) {
            prop_assert_eq!(clean(&text), clean_any(&text));
            prop_assert_eq!(is_blank(&text), clean_any(&text).is_empty());
            prop_assert_eq!(words(&text), words_any(&text));
            let folded = if text.is_ascii() { text.to_ascii_lowercase() } else { fold_any(&text) };
            prop_assert_eq!(fold(&text), folded);
        }
    }

    #[test]
    fn every_pair_of_latin_characters_folds_and_cleans_as_its_characters_do() {
        let latin: Vec<char> = (' '..FIRST_MARK).filter(|c| !c.is_control()).collect();
        for &left in &latin {
            // A sample of partners keeps this fast: every character stands on either side of some.
            for &right in latin.iter().step_by(7) {
                for pair in [[left, right], [right, left]] {
                    let text = String::from_iter(pair);
                    assert_eq!(clean(&text), clean_any(&text), "{text:?}");
                    if !text.is_ascii() {
                        assert_eq!(fold(&text), fold_any(&text), "{text:?}");
                    }
                }
            }
        }
    }
}
