//! Postcodes, cities and regions.

use super::fold::{self, clean, non_empty};

/// Postcode for people: upper case, single spaces, country prefix (`D-`) and spreadsheet tail (`.0`) removed; lost leading zeros restored where
/// `country` (ISO 3166 alpha-2) has five digits. Idempotent.
#[must_use]
pub fn postcode_display(text: &str, country: &str) -> Option<String> {
    fold::settle(text, |text| read_postcode(text, country))
}

fn read_postcode(text: &str, country: &str) -> Option<String> {
    let upper = clean(text).to_uppercase();
    let line = upper.trim_matches(|c: char| matches!(c, '\'' | '"' | ' ' | '.' | ','));
    let line = line.strip_suffix(".0").unwrap_or(line);
    let line = match line.split_once('-') {
        Some(("D" | "DE" | "A" | "AT" | "CH" | "F" | "FR" | "I" | "IT" | "L" | "LU" | "NL" | "B" | "BE", rest))
            if rest.trim().starts_with(|c: char| c.is_ascii_digit()) =>
        {
            rest.trim()
        }
        _ => line,
    };
    let digits = line.bytes().all(|b| b.is_ascii_digit() || b == b' ') && !line.is_empty();
    if digits && matches!(country, "DE" | "US" | "FR" | "IT" | "ES") {
        let bare: String = line.chars().filter(char::is_ascii_digit).collect();
        return Some(if bare.len() == 4 || (country == "US" && bare.len() == 3) {
            format!("{bare:0>5}")
        } else {
            bare
        });
    }
    let bare: String = line.chars().filter(|&c| c != ' ').collect();
    if country == "GB" && bare.is_ascii() && (5..=7).contains(&bare.len()) {
        let (outward, inward) = bare.split_at(bare.len() - 3);
        return Some(format!("{outward} {inward}"));
    }
    non_empty(line.to_owned())
}

/// Postcode for comparing: no spaces or hyphens; of a US ZIP+4 the first five digits. Takes the display form; idempotent.
#[must_use]
pub fn postcode_matching(display: &str, country: &str) -> Option<String> {
    let zip = match display.split_once('-') {
        Some((zip, plus)) if country == "US" && zip.len() == 5 && plus.len() == 4 => zip,
        _ => display,
    };
    non_empty(zip.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_uppercase())
}

/// Whether a postcode is one people type to get past a form.
#[must_use]
pub fn is_postcode_placeholder(display: &str, country: &str) -> bool {
    let same = display.bytes().all(|b| b == b'0');
    same || (country == "DE" && matches!(display, "12345" | "99999"))
}

/// City for people: one line, ALL CAPS and all lower case repaired.
#[must_use]
pub fn city_display(text: &str) -> Option<String> {
    non_empty(super::case::repair(&clean(text)))
}

/// City for comparing: folded words without `(…)`, without what follows a slash, and without the river or region that tells towns of one name
/// apart (`Frankfurt am Main`, `Frankfurt a. M.` and `Frankfurt/Main` are `frankfurt`): the postcode does that. Idempotent.
#[must_use]
pub fn city_matching(display: &str) -> Option<String> {
    let head = display.split(['(', '/', ',']).next().unwrap_or_default();
    fold::settle(if head.trim().is_empty() { display } else { head }, |text| {
        let folded = fold::words(text);
        let mut words: Vec<&str> = folded.split(' ').collect();
        if let Some(at) = words.iter().skip(1).position(|word| TAIL_STARTS.contains(word)) {
            words.truncate(at + 1);
        }
        let number = |word: &str| word.bytes().all(|b| b.is_ascii_digit());
        let front = words
            .iter()
            .take(words.len() - 1)
            .take_while(|word| **word == "d" || number(word))
            .count();
        words.drain(..front);
        while words.len() > 1 && words.last().is_some_and(|word| number(word)) {
            words.pop();
        }
        let city: Vec<&str> = words
            .into_iter()
            .map(|word| if matches!(word, "sankt" | "saint") { "st" } else { word })
            .collect();
        let city = city.join(" ");
        non_empty(
            CITY_NAMES
                .iter()
                .find(|(other, _)| *other == city)
                .map_or(city, |(_, german)| (*german).to_owned()),
        )
    })
}

const TAIL_STARTS: &[&str] = &[
    "a", "am", "an", "ad", "adr", "b", "bei", "i", "im", "in", "o", "ob", "od", "v", "vor", "vd", "auf",
];

/// English and misspelled names of German-speaking cities.
const CITY_NAMES: &[(&str, &str)] = &[
    ("munich", "muenchen"),
    ("munchen", "muenchen"),
    ("cologne", "koeln"),
    ("koln", "koeln"),
    ("nuremberg", "nuernberg"),
    ("nurnberg", "nuernberg"),
    ("dusseldorf", "duesseldorf"),
    ("hanover", "hannover"),
    ("brunswick", "braunschweig"),
    ("vienna", "wien"),
    ("zurich", "zuerich"),
    ("geneva", "genf"),
    ("geneve", "genf"),
    ("saarbrucken", "saarbruecken"),
    ("lubeck", "luebeck"),
    ("wurzburg", "wuerzburg"),
    ("gottingen", "goettingen"),
    ("osnabruck", "osnabrueck"),
    ("furth", "fuerth"),
    ("tubingen", "tuebingen"),
    ("monchengladbach", "moenchengladbach"),
    ("mulheim", "muelheim"),
    ("gutersloh", "guetersloh"),
];

/// Region for comparing: folded words; the German states by their usual codes, too (`NRW`, `Bavaria`). Idempotent.
#[must_use]
pub fn region_matching(display: &str) -> Option<String> {
    let words = fold::words(display);
    let state = match words.as_str() {
        "nrw" | "nw" | "north rhine westphalia" => "nordrhein westfalen",
        "by" | "bavaria" => "bayern",
        "bw" | "bawue" => "baden wuerttemberg",
        "he" | "hesse" => "hessen",
        "ni" | "lower saxony" => "niedersachsen",
        "rlp" | "rp" | "rhineland palatinate" => "rheinland pfalz",
        "sn" | "saxony" => "sachsen",
        "st" | "saxony anhalt" => "sachsen anhalt",
        "th" | "thuringia" => "thueringen",
        "sh" => "schleswig holstein",
        "mv" => "mecklenburg vorpommern",
        "bb" => "brandenburg",
        "be" => "berlin",
        "hh" => "hamburg",
        "hb" => "bremen",
        "sl" => "saarland",
        other => other,
    };
    non_empty(state.to_owned())
}
