//! Names of people: salutations, titles and generational suffixes removed; a display form in proper case and a folded matching form.

use super::fold::{self, clean, non_empty};
use super::{case, given_names};

/// Display form of a given or family name: without salutations and titles, diacritics kept, ALL CAPS and all lower case repaired. `None` if
/// nothing but a title is left. Idempotent.
#[must_use]
pub fn display(text: &str) -> Option<String> {
    fold::settle(&clean(text), |line| {
        let bare = line.trim_matches(|c: char| matches!(c, ',' | ';' | '"' | ' ' | '\'' | '*' | '_' | '|'));
        non_empty(case::repair(&without_titles(bare)))
    })
}

/// Matching form of a given name: the first one when several are separated by spaces; a hyphenated one is one word (`Hans-Peter` is
/// `hanspeter`, like `Hanspeter`). Idempotent.
#[must_use]
pub fn given_matching(display: &str) -> Option<String> {
    let bare = outside_parentheses(display);
    let joined: String = bare.chars().filter(|&c| c != '-').collect();
    fold::words(if joined.trim().is_empty() { display } else { &joined })
        .split(' ')
        .next()
        .and_then(|first| non_empty(first.to_owned()))
}

/// Matching form of a family name: folded words, `Müller-Lüdenscheidt` is `mueller luedenscheidt`, `O'Brien` is `obrien`. Idempotent.
#[must_use]
pub fn family_matching(display: &str) -> Option<String> {
    let bare = fold::words(&outside_parentheses(display));
    non_empty(if bare.is_empty() { fold::words(display) } else { bare })
}

/// A whole name in its parts, in display form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Split {
    /// Given name or names.
    pub given: Option<String>,
    /// Family name with its particles.
    pub family: Option<String>,
}

/// Splits a whole name: `Family, Given`, `Given Family`, `Given von Family`; `Family Given` where only the last word is a known given name.
/// One word alone is the given name if it is a known one, else the family name.
#[must_use]
pub fn split_full(text: &str) -> Split {
    let line = clean(text);
    let parts: Vec<String> = line
        .split([',', ';'])
        .filter_map(display)
        .filter(|part| !is_bare_suffix(part))
        .collect();
    match parts.as_slice() {
        [] => Split::default(),
        [whole] => split_words(whole),
        [family, given, ..] => Split {
            given: Some(given.clone()),
            family: Some(family.clone()),
        },
    }
}

fn split_words(whole: &str) -> Split {
    let words: Vec<&str> = whole.split(' ').collect();
    let parts = |given: &[&str], family: &[&str]| Split {
        given: display(&given.join(" ")),
        family: display(&family.join(" ")),
    };
    let Some((last, front)) = words.split_last() else {
        return Split::default();
    };
    if front.is_empty() {
        return if given_names::is_known(last) {
            parts(&words, &[])
        } else {
            parts(&[], &words)
        };
    }
    if case::opens_family_name(words[0]) {
        return if given_names::is_known(last) && front.len() > 1 {
            parts(&[last], front)
        } else {
            parts(&[], &words)
        };
    }
    if let Some(at) = words
        .iter()
        .skip(1)
        .position(|word| case::is_nobiliary(word))
        .map(|at| at + 1)
        .filter(|&at| at + 1 < words.len())
    {
        return parts(&words[..at], &words[at..]);
    }
    if !given_names::is_known(words[0]) {
        let known = words.iter().rev().take_while(|word| given_names::is_known(word)).count();
        if known > 0 {
            let (family, given) = words.split_at(words.len() - known);
            return parts(given, family);
        }
    }
    parts(front, &[last])
}

/// The text without `(…)`, in one pass; an open parenthesis that never closes runs to the end.
fn outside_parentheses(text: &str) -> String {
    let mut depth = 0_usize;
    text.chars()
        .filter(|&c| match c {
            '(' => {
                depth += 1;
                false
            }
            ')' => {
                depth = depth.saturating_sub(1);
                false
            }
            _ => depth == 0,
        })
        .collect()
}

/// Drops titles in front and behind. A single bare word stays whatever it is (`Herr` and `Prinz` are family names, too); with a dot it goes.
fn without_titles(line: &str) -> String {
    let spaced = space_after_title_dots(line);
    let words: Vec<&str> = spaced.split(' ').filter(|word| !word.is_empty()).collect();
    let (mut start, mut end) = (0, words.len());
    let mut academic = false;
    while start < end {
        let key = title_key(words[start]);
        let last = start + 1 == end;
        let dotted = words[start].ends_with('.');
        let leads = LEADING.contains(&key.as_str())
            || (dotted && LEADING_DOTTED.contains(&key.as_str()))
            || (academic && FACULTIES.contains(&key.as_str()));
        if !leads || (last && !dotted && end == words.len() && start == 0) {
            break;
        }
        academic |= ACADEMIC.contains(&key.as_str());
        start += 1;
    }
    while end > start {
        let word = words[end - 1];
        let key = title_key(word);
        let first = start + 1 == end;
        // `Jr.` is a suffix, `J.R.` are initials; degrees have inner dots (`M.Sc.`), but alone they may be initials, too.
        let inner_dot = word.trim_end_matches('.').contains('.');
        let trails = (TRAILING.contains(&key.as_str()) && !(inner_dot && key.len() == 2))
            || (word.contains('.') && TRAILING_DOTTED.contains(&key.as_str()));
        let stays_alone = first && (inner_dot || !word.ends_with('.'));
        if !trails || stays_alone {
            break;
        }
        end -= 1;
    }
    let kept = words[start..end].join(" ");
    kept.trim_matches([',', ' ']).to_owned()
}

/// `Dr.med.Thomas` is `Dr. med. Thomas` where the parts before the dots are titles; names such as `J.R.` stay.
fn space_after_title_dots(line: &str) -> String {
    let mut spaced = String::with_capacity(line.len() + 4);
    for word in line.split(' ') {
        if !spaced.is_empty() {
            spaced.push(' ');
        }
        let mut rest = word;
        while let Some((head, tail)) = rest.split_once('.') {
            let key = title_key(head);
            let splits = !tail.is_empty() && key.len() > 1 && (LEADING.contains(&key.as_str()) || FACULTIES.contains(&key.as_str()));
            if !splits {
                break;
            }
            spaced.push_str(head);
            spaced.push_str(". ");
            rest = tail.trim_start_matches('-');
        }
        spaced.push_str(rest);
    }
    spaced
}

/// Longest title in bytes, as a key.
const TITLE_BYTES_MAX: usize = 20;

/// Lower-case letters of a word: `Dipl.-Ing.` is `dipling`. Empty for words that are too long to be a title.
fn title_key(word: &str) -> String {
    if word.len() > 2 * TITLE_BYTES_MAX {
        return String::new();
    }
    fold::fold(word).chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Whether a given name is nothing but titles (`Sir`, `Dr.`, `2nd`): nobody is called so.
#[must_use]
pub fn is_bare_title(given: &str) -> bool {
    let mut words = given.split(' ').filter(|word| !word.is_empty()).peekable();
    words.peek().is_some() && words.all(|word| is_one_of(word, &[LEADING, TRAILING, PEERAGE]))
}

/// Whether a family name is nothing but what stands behind one (`Bt.`, `2nd Baronet`, `Jr.`).
#[must_use]
pub fn is_bare_suffix(family: &str) -> bool {
    let mut words = family.split(' ').filter(|word| !word.is_empty()).peekable();
    words.peek().is_some() && words.all(|word| is_one_of(word, &[TRAILING, PEERAGE]))
}

fn is_one_of(word: &str, lists: &[&[&str]]) -> bool {
    let key = title_key(word);
    lists.iter().any(|list| list.contains(&key.as_str()))
}

/// Ranks behind a name, and their ordinals.
const PEERAGE: &[&str] = &[
    "baronet", "bart", "bt", "kt", "kcb", "kbe", "vc", "qc", "kc", "mp", "frs", "1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th",
    "9th", "10th",
];

const ACADEMIC: &[&str] = &["dr", "drs", "prof", "professor", "dipl", "mag", "pd", "priv", "doz", "lic"];

const LEADING: &[&str] = &[
    "dr",
    "drs",
    "drmed",
    "drmeddent",
    "drjur",
    "dring",
    "drphil",
    "drrernat",
    "drhc",
    "drdr",
    "prof",
    "professor",
    "professorin",
    "profdr",
    "proff",
    "herr",
    "herrn",
    "frau",
    "fraeulein",
    "mr",
    "mrs",
    "ms",
    "miss",
    "mister",
    "mx",
    "messrs",
    "sir",
    "dame",
    "madam",
    "lady",
    "lord",
    "rev",
    "reverend",
    "hon",
    "mme",
    "mlle",
    "monsieur",
    "dipl",
    "dipling",
    "diplkfm",
    "diplkffr",
    "diplkauffrau",
    "diplinf",
    "diplinform",
    "diplbw",
    "diplbetrw",
    "diplvw",
    "diplpsych",
    "diplpaed",
    "diplphys",
    "diplchem",
    "diplbiol",
    "diplmath",
    "diplwirting",
    "diploek",
    "pd",
    "privdoz",
    "familie",
    "eheleute",
    "firma",
];

const LEADING_DOTTED: &[&str] = &[
    "hr", "hrn", "fr", "frl", "mag", "lic", "ra", "fam", "ing", "capt", "col", "gen", "sgt", "lt", "hc", "med", "rer", "nat", "jur",
    "phil", "habil", "univ",
];

const FACULTIES: &[&str] = &[
    "med", "dent", "vet", "jur", "iur", "phil", "rer", "nat", "pol", "oec", "soc", "sc", "techn", "agr", "theol", "hc", "h", "c", "habil",
    "ing", "univ", "fh", "kfm", "inf", "psych", "math", "doz", "mult",
];

const TRAILING: &[&str] = &[
    "jr", "sr", "jnr", "snr", "ii", "iii", "iv", "msc", "bsc", "mba", "phd", "llm", "llb", "mphil", "esq", "meng", "beng", "mbbs", "dds",
    "cpa", "obe", "mbe", "cbe", "dphil", "bba",
];

const TRAILING_DOTTED: &[&str] = &["ba", "ma", "md", "jun", "sen", "mag", "dr", "prof", "dipling", "jd", "rn", "se"];
