//! Company names: the display form as written, the matching form without the legal form.

use super::fold::{self, clean, non_empty};

/// One line as written. Idempotent.
#[must_use]
pub fn display(text: &str) -> Option<String> {
    non_empty(clean(text))
}

/// Folded words without the legal form at the end: `Müller & Söhne GmbH & Co. KG` is `mueller und soehne`. A name that is nothing but a legal
/// form stays. Idempotent.
#[must_use]
pub fn matching(text: &str) -> Option<String> {
    let spelled = join_abbreviations(&fold::fold(&clean(text)).replace(['&', '+'], " und "));
    let mut words: Vec<&str> = spelled
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(|word| if word == "and" { "und" } else { word })
        .collect();
    let mut end = words.len();
    while end > 1 {
        let phrase = SPACED_FORMS.iter().find(|form| end > form.len() && words[..end].ends_with(form));
        if let Some(form) = phrase {
            end -= form.len();
        } else if LEGAL_FORMS.contains(&words[end - 1]) {
            end -= 1;
        } else {
            break;
        }
    }
    words.truncate(end);
    non_empty(words.join(" "))
}

/// Whether the column says that there is no company: `privat`.
#[must_use]
pub fn is_private(text: &str) -> bool {
    matches!(
        fold::words(text).as_str(),
        "privat" | "private" | "privatperson" | "privatkunde" | "keine" | "keine firma" | "no company" | "individual"
    )
}

/// Words of a folded text: a dot after a single letter joins (`e.k.` → `ek`), every other punctuation separates, apostrophes vanish.
fn join_abbreviations(folded: &str) -> String {
    let mut words = String::with_capacity(folded.len());
    let mut run = 0_usize;
    for c in folded.chars() {
        match c {
            '\'' => {}
            '.' if run == 1 => run = 0,
            _ if c.is_alphanumeric() => {
                words.push(c);
                run += 1;
            }
            _ => {
                words.push(' ');
                run = 0;
            }
        }
    }
    fold::words(&words)
}

const LEGAL_FORMS: &[&str] = &[
    "gmbh",
    "mbh",
    "ggmbh",
    "gesmbh",
    "ag",
    "kg",
    "kgaa",
    "ohg",
    "og",
    "gbr",
    "ug",
    "haftungsbeschraenkt",
    "ek",
    "ekfm",
    "ekfr",
    "ev",
    "eg",
    "eu",
    "se",
    "co",
    "cie",
    "und",
    "partg",
    "partgmbb",
    "mbb",
    "stiftung",
    "ltd",
    "limited",
    "llc",
    "llp",
    "lp",
    "inc",
    "incorporated",
    "corp",
    "corporation",
    "company",
    "plc",
    "pty",
    "sa",
    "sas",
    "sasu",
    "sarl",
    "sagl",
    "srl",
    "spa",
    "snc",
    "sl",
    "slu",
    "bv",
    "nv",
    "vof",
    "ab",
    "aps",
    "oy",
    "oyj",
    "asa",
    "sro",
    "doo",
    "dba",
    "kft",
    "zrt",
];

const SPACED_FORMS: &[&[&str]] = &[
    &["e", "k"],
    &["e", "v"],
    &["e", "g"],
    &["s", "a"],
    &["b", "v"],
    &["n", "v"],
    &["s", "r", "l"],
    &["d", "o", "o"],
    &["s", "r", "o"],
    &["sp", "z", "o", "o"],
    &["sp", "z", "oo"],
    &["sp", "zoo"],
    &["p", "l", "c"],
    &["ges", "m", "b", "h"],
    &["g", "m", "b", "h"],
];
