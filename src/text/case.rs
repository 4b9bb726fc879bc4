//! Case of names: `MÜLLER-LÜDENSCHEIDT` and `von goethe` as people write them. A name in mixed case is taken as meant.

/// Repairs a name that is all upper or all lower case; a mixed one stays. Particles become lower case, the letters after a hyphen, `O'` and
/// `Mc` upper case. Idempotent.
#[must_use]
pub fn repair(name: &str) -> String {
    let upper = name.chars().any(char::is_uppercase);
    let lower = name.chars().any(|c| c.is_lowercase() && c != 'ß');
    if upper == lower {
        return name.to_owned();
    }
    let words: Vec<&str> = name.split(' ').collect();
    let only_particles = words.iter().all(|word| is_particle(word));
    let repaired: Vec<String> = words
        .iter()
        .enumerate()
        .map(|(position, word)| {
            let last = position + 1 == words.len();
            let particle = if position == 0 {
                opens_family_name(word)
            } else {
                is_particle(word)
            };
            if particle && !only_particles && !last {
                word.to_lowercase()
            } else {
                word.split('-').map(title_case).collect::<Vec<_>>().join("-")
            }
        })
        .collect();
    repaired.join(" ")
}

fn title_case(part: &str) -> String {
    let mut cased = String::with_capacity(part.len());
    let mut letters = 0_usize;
    let mut boundary = true;
    let plain = part.to_lowercase();
    let mc = plain.starts_with("mc") && plain.chars().count() > 4;
    for c in part.chars() {
        if !c.is_alphabetic() {
            // `O'`, `D'`: one letter and an apostrophe start a name; `Ma'amun` goes on. A dot or a parenthesis starts one anyway.
            boundary = c != '\'' || letters <= 1;
            letters = 0;
            cased.push(c);
            continue;
        }
        if boundary || (mc && cased == "Mc") {
            push_upper(&mut cased, c);
        } else {
            cased.extend(c.to_lowercase());
        }
        boundary = false;
        letters += 1;
    }
    cased
}

/// Upper case of one character where that is one character again (`ß` stays).
fn push_upper(cased: &mut String, c: char) {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None) => cased.push(single),
        _ => cased.push(c),
    }
}

/// Whether a word inside a name is written in lower case: a nobiliary particle or a linking word (`und`), in any case.
#[must_use]
pub fn is_particle(word: &str) -> bool {
    is_nobiliary(word) || ["und", "y"].iter().any(|link| link.eq_ignore_ascii_case(word))
}

/// Whether a word is a nobiliary particle (`von`, `van`, `de`, `zu`), in any case: inside a whole name the family name starts with it.
#[must_use]
pub fn is_nobiliary(word: &str) -> bool {
    opens_family_name(word) || INNER.iter().any(|particle| particle.eq_ignore_ascii_case(word))
}

/// Whether a word at the start of a name is a particle of a family name. `Al`, `La` and `Ten` may be given names there.
#[must_use]
pub fn opens_family_name(word: &str) -> bool {
    OPENING.iter().any(|particle| particle.eq_ignore_ascii_case(word))
}

const OPENING: &[&str] = &[
    "von", "vom", "van", "v.", "v.d.", "zu", "zum", "zur", "de", "der", "den", "del", "della", "dello", "di", "da", "du", "ter",
];

const INNER: &[&str] = &[
    "vd", "dem", "dos", "des", "la", "le", "ten", "te", "bin", "ibn", "al", "el", "af", "av",
];
