//! Streets and house numbers: German (`Hauptstr. 5a`) and English (`Flat 2, 10 Downing Street`) order.

use super::fold::{self, clean, non_empty};

/// A street line in its parts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Street {
    /// The line for people, without the house number where it could be taken off cleanly.
    pub display: String,
    /// House number taken from the line, in display form.
    pub display_number: Option<String>,
    /// Street name in matching form.
    pub matching: Option<String>,
    /// House number in matching form, if the line holds one.
    pub matching_number: Option<String>,
}

/// Reads a street line. German numbers stand at the end, English ones in front; a flat, suite or `c/o` part is left out of the matching form
/// and, as it must not be lost, keeps the display form whole.
#[must_use]
pub fn street(text: &str) -> Street {
    let line = clean(text);
    let parts: Vec<&str> = line.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let main: Vec<&str> = parts.iter().copied().filter(|part| !is_unit(part)).collect();
    let whole = main.len() == parts.len();
    let core = if main.is_empty() { line.clone() } else { main.join(", ") };
    let (name, number) = split_number(&core);
    let kept_whole = !whole || number.is_none();
    Street {
        display: if kept_whole { line.clone() } else { name.clone() },
        display_number: if kept_whole { None } else { number.clone() },
        matching: street_matching(&name),
        matching_number: number.as_deref().and_then(house_number),
    }
}

/// Street and house number of a line; the line itself and `None` if there is no number, or only zeros.
fn split_number(line: &str) -> (String, Option<String>) {
    let Some((name, number)) = leading_number(line).or_else(|| trailing_number(line)) else {
        return (line.to_owned(), None);
    };
    let name = name.trim_end_matches([' ', ',']);
    let name = LABELS
        .iter()
        .find_map(|label| name.strip_suffix(label).filter(|rest| rest.ends_with([' ', ','])))
        .unwrap_or(name)
        .trim_end_matches([' ', ',']);
    let filler = number.bytes().all(|b| b == b'0');
    if filler || name.chars().filter(|c| c.is_alphabetic()).take(2).count() < 2 {
        return (line.to_owned(), None);
    }
    (name.to_owned(), Some(number.to_owned()))
}

const LABELS: &[&str] = &["Nr.", "nr.", "Nr", "nr", "No.", "no.", "Hausnr.", "Hausnummer"];

/// Longest house number in bytes: `10 - 12 / 3 / 114`.
const NUMBER_BYTES_MAX: usize = 24;

/// Street, then number: the longest ending that reads as a house number.
fn trailing_number(line: &str) -> Option<(&str, &str)> {
    let line = line.strip_suffix('.').map_or(line, str::trim_end);
    let bytes = line.as_bytes();
    let first = bytes.len().saturating_sub(NUMBER_BYTES_MAX).max(1);
    let start = (first..bytes.len()).find(|&at| {
        bytes[at].is_ascii_digit()
            && !bytes[at - 1].is_ascii_digit()
            && is_house_number(&bytes[at..])
            && bytes[..at].iter().any(|b| !b.is_ascii_digit() && *b != b' ' && *b != b',')
    })?;
    Some(line.split_at(start))
}

/// Digits, a letter, and further ones after `-`, `/` or `+`, with single spaces between: `5`, `5 a`, `5-7`, `10/2/12`.
fn is_house_number(text: &[u8]) -> bool {
    let skip = |at: usize, most: usize, class: fn(&u8) -> bool| at + text[at..].iter().take(most).take_while(|b| class(b)).count();
    let space = |at| skip(at, 1, |b| *b == b' ');
    let unit = |at| skip(space(skip(at, 5, u8::is_ascii_digit)), 1, u8::is_ascii_alphabetic);
    let mut at = unit(0);
    loop {
        at = space(at);
        let after = skip(at, 1, |b| matches!(b, b'-' | b'/' | b'+'));
        if after == at {
            return at == text.len();
        }
        at = unit(space(after));
    }
}

/// Number, then street: `221B Baker Street`, `12 bis rue`, `350 5th Avenue`.
fn leading_number(line: &str) -> Option<(&str, &str)> {
    let bytes = line.as_bytes();
    let digits = |at: usize| at + bytes[at..].iter().take(6).take_while(|b| b.is_ascii_digit()).count();
    let mut end = digits(0);
    if end == 0 {
        return None;
    }
    let separator = line[end..].trim_start_matches(' ');
    if let Some(second) = separator.strip_prefix(['-', '/']) {
        let start = line.len() - second.trim_start_matches(' ').len();
        end = if digits(start) > start { digits(start) } else { end };
    }
    let tail = &line[end..];
    if tail.starts_with(" bis ") || tail.starts_with(" ter ") {
        end += 4;
    } else if tail.starts_with(|c: char| c.is_ascii_alphabetic()) {
        end += 1;
    }
    let name = line[end..].trim_start_matches([' ', ',']);
    let apart = name.len() < line.len() - end;
    let ordinal = name.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_ordinal = ordinal.len() < name.len() && ["st ", "nd ", "rd ", "th "].iter().any(|suffix| ordinal.starts_with(suffix));
    let is_word = name.chars().take(2).filter(|c| c.is_alphabetic()).count() == 2;
    (apart && (is_word || is_ordinal)).then(|| (name, &line[..end]))
}

/// Whether a part of an address line names a flat, a floor or a person to pass it to.
fn is_unit(part: &str) -> bool {
    let words = fold::words(part);
    let first = words.split(' ').next().unwrap_or_default();
    matches!(
        first,
        "flat"
            | "apt"
            | "apartment"
            | "unit"
            | "suite"
            | "ste"
            | "room"
            | "floor"
            | "whg"
            | "wohnung"
            | "app"
            | "appartement"
            | "etage"
            | "hinterhaus"
            | "vorderhaus"
            | "hh"
            | "vh"
            | "zimmer"
    ) || words.starts_with("c o ")
        || words.starts_with("z hd ")
        || words.ends_with(" og")
        || words.ends_with(" etage")
        || words.ends_with(" stock")
        || words.ends_with(" floor")
        || words == "eg"
        || words == "dg"
}

/// Street name for comparing: folded words, `Straße`, `Str.`, `-straße` as `str`, `Platz` as `pl`, `Road` as `rd` …; the German type word joins the
/// word before it, so that `Haupt-Straße`, `Haupt Str.` and `Hauptstraße` are all `hauptstr`. Idempotent.
#[must_use]
pub fn street_matching(name: &str) -> Option<String> {
    fold::settle(name, read_name)
}

fn read_name(name: &str) -> Option<String> {
    let folded = fold::words(name);
    let mut words: Vec<String> = folded.split(' ').filter(|word| !word.is_empty()).map(abbreviate).collect();
    if words.len() > 1
        && words
            .last()
            .is_some_and(|last| matches!(last.as_str(), "str" | "pl" | "weg" | "allee" | "gasse" | "ring" | "damm" | "ufer"))
    {
        let kind = words.pop().expect("there are two words");
        words.last_mut().expect("there are two words").push_str(&kind);
    }
    non_empty(words.join(" "))
}

fn abbreviate(word: &str) -> String {
    for (long, short) in [("strasse", "str"), ("strase", "str"), ("strsse", "str"), ("platz", "pl")] {
        if let Some(stem) = word.strip_suffix(long) {
            return format!("{stem}{short}");
        }
    }
    match word {
        "street" => "st",
        "road" => "rd",
        "avenue" | "av" => "ave",
        "boulevard" | "boul" => "blvd",
        "drive" => "dr",
        "lane" => "ln",
        "court" => "ct",
        "square" => "sq",
        "place" => "pl",
        "terrace" => "ter",
        "close" => "cl",
        "crescent" => "cres",
        "gardens" => "gdns",
        "grove" => "gr",
        "highway" => "hwy",
        "parkway" => "pkwy",
        "saint" | "sankt" => "st",
        "doktor" => "dr",
        "professor" => "prof",
        "buergermeister" => "bgm",
        other => other,
    }
    .to_owned()
}

/// House number for comparing: lower case without spaces, `5 A` is `5a`, `5 - 7` is `5-7`. Idempotent.
#[must_use]
pub fn house_number(text: &str) -> Option<String> {
    fold::settle(text, read_number)
}

fn read_number(text: &str) -> Option<String> {
    let folded = fold::fold(&clean(text));
    let bare = folded
        .trim_start_matches("hausnummer")
        .trim_start_matches("hausnr")
        .trim_start_matches("nr")
        .trim_start_matches("no")
        .trim_start_matches(['.', ' ', ':']);
    let kept: String = (if bare.is_empty() { folded.as_str() } else { bare })
        .chars()
        .filter(|&c| c.is_alphanumeric() || matches!(c, '-' | '/'))
        .collect();
    non_empty(kept.trim_matches(['-', '/']).to_owned())
}
