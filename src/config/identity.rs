//! Defaults of identity resolution: rules and comparisons for people, chosen from the columns that the project maps. One default for all
//! data; a project that knows better writes its own.
//!
//! Which columns a mapping gives is read from its text, without a SQL engine: a canonical name counts as mapped where it stands as a word
//! outside comments and string literals. That can find too much (a raw column of the same name), never too little, except for `SELECT *`.
//! A column found without values does no harm: its rules give no pair, and its comparisons say nothing.

use std::collections::BTreeSet;

use super::rules::{labeled, rule};
use super::spec::{BlockingRule, ComparisonSpec, LevelSpec, SourceSpec, Test};
use crate::table::RecordKind;
use crate::table::column::{
    BIRTH_DATE, CITY, COMPANY, EMAIL, EMAIL_LOCAL, FAMILY_NAME, FAMILY_NAME_PHONETIC, FULL_NAME, GIVEN_NAME, GIVEN_NAME_PHONETIC,
    HOUSE_NUMBER, IDENTIFIERS, MATCHING, PHONE, POSTCODE, STREET,
};

/// Blocking rules, most selective first. Each is used where all its columns are mapped.
const BLOCKING: [&[&str]; 8] = [
    &[EMAIL],
    &[PHONE],
    &[FAMILY_NAME, BIRTH_DATE],
    &[GIVEN_NAME, BIRTH_DATE],
    &[POSTCODE, FAMILY_NAME],
    &[EMAIL_LOCAL],
    &[COMPANY, FAMILY_NAME],
    &[COMPANY, GIVEN_NAME],
];

/// Rules whose pairs grow with the square of the records: their small blocks, which are rare values, find what fields with mistakes in them
/// hide from the rules above. What is common stays out, and would not be believed anyway. The first ones hold it all up to about a million
/// records; a postcode has more namesakes the more records there are.
const COARSE: [&[&str]; 11] = [
    &[POSTCODE, GIVEN_NAME],
    &["family_name_phonetic", "given_name:1", "postcode:3"],
    &[GIVEN_NAME, FAMILY_NAME],
    &[FAMILY_NAME_PHONETIC, GIVEN_NAME_PHONETIC],
    &[FAMILY_NAME_PHONETIC, "birth_date:4"],
    &[GIVEN_NAME_PHONETIC, "birth_date:7"],
    &[CITY, GIVEN_NAME],
    &[FAMILY_NAME],
    &[BIRTH_DATE],
    &[POSTCODE],
    &[STREET, HOUSE_NUMBER],
];

/// Rules that are nearly always right, for the prior. An e-mail alone is not among them: families share one.
const TRAINING: [&[&str]; 3] = [&[EMAIL, FAMILY_NAME], &[GIVEN_NAME, FAMILY_NAME, BIRTH_DATE], &[PHONE, GIVEN_NAME]];

/// Training sessions, best first. A session trains the comparisons that read none of its columns.
const SESSIONS: [&[&str]; 9] = [
    &[EMAIL],
    &[GIVEN_NAME, FAMILY_NAME, BIRTH_DATE],
    &[PHONE],
    &[GIVEN_NAME, FAMILY_NAME, POSTCODE],
    &[BIRTH_DATE, POSTCODE],
    &[GIVEN_NAME, FAMILY_NAME],
    &[BIRTH_DATE],
    &[STREET, POSTCODE],
    &[POSTCODE],
];

/// Sessions that every project should have: one alone lets its blocking columns bias all the others.
const SESSIONS_MIN: usize = 2;

/// The columns of `CleanContacts::matching` that the contacts mappings fill, derived ones included.
#[must_use]
pub fn mapped_columns(sources: &[SourceSpec]) -> BTreeSet<String> {
    let mappings = sources.iter().flat_map(|source| &source.mappings);
    let mut words = BTreeSet::new();
    for mapping in mappings.filter(|mapping| mapping.record == RecordKind::Contacts) {
        let code = without_comments_and_literals(&mapping.sql.text);
        let is_word = |character: char| character.is_alphanumeric() || character == '_';
        words.extend(code.split(|character| !is_word(character)).map(str::to_lowercase));
    }
    let direct = MATCHING
        .into_iter()
        .chain(IDENTIFIERS)
        .chain([FULL_NAME])
        .filter(|name| words.contains(*name));
    let mut mapped: BTreeSet<String> = direct.map(str::to_owned).collect();
    let derived: [(&str, &[&str]); 5] = [
        (FULL_NAME, &[GIVEN_NAME, FAMILY_NAME]),
        (EMAIL, &[EMAIL_LOCAL]),
        (STREET, &[HOUSE_NUMBER]),
        (GIVEN_NAME, &[GIVEN_NAME_PHONETIC]),
        (FAMILY_NAME, &[FAMILY_NAME_PHONETIC]),
    ];
    for (from, names) in derived {
        if mapped.contains(from) {
            mapped.extend(names.iter().map(|&name| name.to_owned()));
        }
    }
    mapped.remove(FULL_NAME);
    mapped
}

/// SQL with `--` and `/* */` comments and `'…'` literals replaced by spaces.
fn without_comments_and_literals(sql: &str) -> String {
    let (mut code, mut rest) = (String::with_capacity(sql.len()), sql);
    loop {
        let start = ["--", "/*", "'"]
            .iter()
            .filter_map(|mark| rest.find(mark).map(|at| (at, *mark)))
            .min();
        let Some((at, mark)) = start else { break };
        code.push_str(&rest[..at]);
        code.push(' ');
        let body = &rest[at + mark.len()..];
        let (end, length) = match mark {
            "--" => (body.find('\n'), 0),
            "/*" => (body.find("*/"), 2),
            _ => (body.find('\''), 1),
        };
        rest = end.map_or("", |end| &body[end + length..]);
    }
    code.push_str(rest);
    code
}

fn available(columns: &[&str], mapped: &BTreeSet<String>) -> bool {
    columns
        .iter()
        .all(|text| mapped.contains(text.split_once(':').map_or(*text, |(column, _)| column)))
}

fn rules_of(candidates: &[&[&str]], mapped: &BTreeSet<String>) -> Vec<BlockingRule> {
    candidates
        .iter()
        .filter(|columns| available(columns, mapped))
        .map(|columns| rule(columns))
        .collect()
}

/// Default blocking rules.
#[must_use]
pub fn blocking(mapped: &BTreeSet<String>) -> Vec<BlockingRule> {
    let mut rules = rules_of(&BLOCKING, mapped);
    rules.extend(
        rules_of(&COARSE, mapped)
            .into_iter()
            .map(|rule| BlockingRule { coarse: true, ..rule }),
    );
    rules
}

/// Default rules for the prior.
#[must_use]
pub fn training_rules(mapped: &BTreeSet<String>) -> Vec<BlockingRule> {
    let rules = rules_of(&TRAINING, mapped);
    if !rules.is_empty() {
        return rules;
    }
    let fallbacks: [&[&str]; 5] = [
        &[GIVEN_NAME, FAMILY_NAME, POSTCODE],
        &[GIVEN_NAME, FAMILY_NAME, CITY],
        &[EMAIL],
        &[PHONE],
        &[GIVEN_NAME, FAMILY_NAME],
    ];
    rules_of(&fallbacks, mapped).into_iter().take(1).collect()
}

/// Default training sessions: the fewest of [`SESSIONS`], in order, that train every comparison that can be trained, and at least
/// [`SESSIONS_MIN`] where there are so many.
#[must_use]
pub fn sessions(mapped: &BTreeSet<String>, comparisons: &[ComparisonSpec]) -> Vec<BlockingRule> {
    let mut trained: BTreeSet<&str> = BTreeSet::new();
    let mut sessions = Vec::new();
    for session in rules_of(&SESSIONS, mapped) {
        let reads = |comparison: &&ComparisonSpec| {
            let columns = comparison.columns();
            !session.keys.iter().any(|key| columns.contains(&key.column))
        };
        let trains: Vec<&str> = comparisons
            .iter()
            .filter(reads)
            .map(|comparison| comparison.name.as_str())
            .collect();
        let adds = trains.iter().any(|name| !trained.contains(name));
        if adds || (sessions.len() < SESSIONS_MIN && !trains.is_empty()) {
            trained.extend(trains);
            sessions.push(session);
        }
    }
    sessions
}

/// Default comparisons.
#[must_use]
pub fn comparisons(mapped: &BTreeSet<String>) -> Vec<ComparisonSpec> {
    let candidates = [
        (GIVEN_NAME, given_name(mapped)),
        (FAMILY_NAME, name_levels(FAMILY_NAME)),
        (BIRTH_DATE, birth_date()),
        (EMAIL, email()),
        (PHONE, phone()),
        (COMPANY, vec![exact(&[COMPANY], Some(COMPANY)), level(jaro_winkler(COMPANY, 0.92))]),
    ];
    let mut comparisons: Vec<ComparisonSpec> = candidates
        .into_iter()
        .filter(|(name, _)| mapped.contains(*name))
        .map(|(name, levels)| comparison(name, name, levels))
        .collect();
    comparisons.extend(address(mapped));
    comparisons.extend(city(mapped));
    comparisons
}

/// The town where a postcode is missing: with both, it is part of the address.
fn city(mapped: &BTreeSet<String>) -> Option<ComparisonSpec> {
    (mapped.contains(POSTCODE) && mapped.contains(CITY)).then(|| ComparisonSpec {
        unless: vec![POSTCODE.to_owned()],
        ..comparison(CITY, CITY, vec![exact(&[CITY], Some(CITY)), level(jaro_winkler(CITY, 0.88))])
    })
}

fn comparison(name: &str, not_null: &str, levels: Vec<LevelSpec>) -> ComparisonSpec {
    labeled(ComparisonSpec {
        name: name.to_owned(),
        not_null: vec![not_null.to_owned()],
        unless: Vec::new(),
        levels,
    })
}

fn level(test: Test) -> LevelSpec {
    LevelSpec {
        label: String::new(),
        test,
        term_frequency: None,
        m: None,
        u: None,
    }
}

fn exact(columns: &[&str], term_frequency: Option<&str>) -> LevelSpec {
    LevelSpec {
        term_frequency: term_frequency.map(str::to_owned),
        ..level(Test::Exact(columns.iter().map(|&column| column.to_owned()).collect()))
    }
}

fn jaro_winkler(column: &str, least: f64) -> Test {
    Test::JaroWinkler(column.to_owned(), least)
}

fn name_levels(column: &str) -> Vec<LevelSpec> {
    vec![
        exact(&[column], Some(column)),
        level(jaro_winkler(column, 0.92)),
        level(jaro_winkler(column, 0.88)),
        level(jaro_winkler(column, 0.7)),
    ]
}

/// Names in the wrong fields are levels of the given name, and of it alone: as evidence of both comparisons they would count twice.
fn given_name(mapped: &BTreeSet<String>) -> Vec<LevelSpec> {
    let mut levels = name_levels(GIVEN_NAME);
    levels.insert(1, level(Test::Nickname(GIVEN_NAME.to_owned())));
    if mapped.contains(FAMILY_NAME) {
        levels.insert(1, level(Test::Swapped(GIVEN_NAME.to_owned(), FAMILY_NAME.to_owned())));
        levels.insert(5, level(Test::Crossed(GIVEN_NAME.to_owned(), FAMILY_NAME.to_owned())));
    }
    levels
}

fn birth_date() -> Vec<LevelSpec> {
    vec![
        exact(&[BIRTH_DATE], None),
        level(Test::DayMonthSwapped(BIRTH_DATE.to_owned())),
        level(Test::DamerauLevenshtein(BIRTH_DATE.to_owned(), 1)),
        level(Test::SameYear(BIRTH_DATE.to_owned())),
    ]
}

fn email() -> Vec<LevelSpec> {
    vec![
        exact(&[EMAIL], Some(EMAIL)),
        exact(&[EMAIL_LOCAL], Some(EMAIL_LOCAL)),
        level(jaro_winkler(EMAIL, 0.88)),
    ]
}

fn phone() -> Vec<LevelSpec> {
    vec![exact(&[PHONE], Some(PHONE)), level(Test::Levenshtein(PHONE.to_owned(), 1))]
}

/// One comparison for the whole address: its parts depend on each other, and apart they would count the same evidence twice.
fn address(mapped: &BTreeSet<String>) -> Option<ComparisonSpec> {
    let has = |name: &str| mapped.contains(name);
    let mut levels = Vec::new();
    let anchor = if has(POSTCODE) { POSTCODE } else { CITY };
    if !has(anchor) {
        return has(STREET).then(|| {
            comparison(
                "address",
                STREET,
                vec![exact(&[STREET], Some(STREET)), level(jaro_winkler(STREET, 0.92))],
            )
        });
    }
    let similar_street = || jaro_winkler(STREET, 0.9);
    let postcode_typo = || Test::DamerauLevenshtein(POSTCODE.to_owned(), 1);
    let similar_city = || jaro_winkler(CITY, 0.88);
    let both = |first: Test, second: Test| level(Test::All(vec![first, second]));
    let (has_street, has_both) = (has(STREET), anchor == POSTCODE && has(CITY));
    if has_street {
        // Standardization parts the street from its number: neighbors share a street, a household shares the number too.
        levels.push(exact(&[anchor, STREET, HOUSE_NUMBER], None));
        levels.push(exact(&[anchor, STREET], None));
        levels.push(both(similar_street(), Test::Exact(vec![anchor.to_owned()])));
        // A mistake in the postcode or the town leaves the rest of the address as it is.
        levels.push(exact(&[STREET, HOUSE_NUMBER], None));
        if has_both {
            levels.push(both(similar_street(), similar_city()));
        }
    }
    levels.push(exact(&[anchor], Some(anchor)));
    if has_both {
        levels.push(both(postcode_typo(), similar_city()));
    }
    if anchor == POSTCODE {
        levels.push(level(postcode_typo()));
    }
    if has_both {
        levels.push(exact(&[CITY], Some(CITY)));
    }
    Some(comparison("address", anchor, levels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_comments_and_literals_are_not_columns() {
        let sql = "-- email\nSELECT id AS record_id, /* phone */ 'city' AS region, it''s FROM crm -- gender";
        let code = without_comments_and_literals(sql);
        for name in ["email", "phone", "city", "gender"] {
            assert!(!code.contains(name), "{name} in {code}");
        }
        assert!(code.contains("region"));
    }
}
