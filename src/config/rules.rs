//! The `identity` section: identifiers, blocking rules, comparisons, training and clustering, checked and with every default.

use std::collections::{BTreeMap, BTreeSet};

use super::findings::{Path, suggest};
use super::identity;
use super::pipeline::{CohesionConfig, ComparisonConfig, IdentityConfig, LevelConfig};
use super::resolve::{Report, known_sources};
use super::spec::{
    BlockingRule, ClusterSpec, CohesionSpec, ComparisonSpec, IdentitySpec, KeyPart, LevelSpec, SourceSpec, Test, TrainingSpec,
};
use crate::table::Pattern;
use crate::table::column::{self, IDENTIFIERS, MATCHING};

/// Whether matching knows a column: what it reads of a person, or an identifier.
fn is_known(name: &str) -> bool {
    MATCHING.contains(&name) || IDENTIFIERS.contains(&name)
}

/// Tests of a level, in the order in which they are named in messages.
const TESTS: [&str; 9] = [
    "exact",
    "jaro_winkler",
    "levenshtein",
    "damerau_levenshtein",
    "day_month_swapped",
    "same_year",
    "swapped",
    "crossed",
    "nickname",
];

/// Resolves the section. `names` are all sources as written.
pub fn resolve(config: &IdentityConfig, sources: &[SourceSpec], names: &BTreeSet<String>, report: &mut Report<'_>) -> IdentitySpec {
    let root = Path::of(&["identity"]);
    let mapped = identity::mapped_columns(sources);
    let identifiers = identifiers(config, &mapped, &root.then("identifiers"), report);
    let written = rules(&config.deterministic, &root.then("deterministic"), report);
    let deterministic = identifiers.iter().map(|name| rule(&[name])).chain(written).collect();
    let blocking = match &config.blocking {
        Some(list) => rules(list, &root.then("blocking"), report),
        None => identity::blocking(&mapped),
    };
    let comparisons = match &config.comparisons {
        Some(list) => comparisons(list, &root.then("comparisons"), report),
        None => identity::comparisons(&mapped),
    };
    let (match_probability, possible_probability) = thresholds(config, &root, report);
    IdentitySpec {
        shared_by_records_max: positive(config.shared_by_records_max, 50, &root.then("shared_by_records_max"), report),
        generic_values: generic_values(config, &root.then("generic_values"), report),
        deterministic,
        blocking,
        block_pairs_max: positive(config.block_pairs_max, 20_000_000, &root.then("block_pairs_max"), report),
        match_probability,
        possible_probability,
        training: training(config, &mapped, &comparisons, &root.then("training"), report),
        comparisons,
        cluster: ClusterSpec {
            size_max: positive(config.size_max, 200, &root.then("size_max"), report),
            one_per_customer: known_sources(&config.one_per_customer, &root.then("one_per_customer"), names, report),
            exclusive: exclusive(config, &root.then("exclusive"), report),
            cohesion: cohesion(&config.cohesion, &root.then("cohesion"), report),
        },
        identifiers,
    }
}

/// A rule of whole columns.
#[must_use]
pub fn rule(columns: &[&str]) -> BlockingRule {
    named(columns.iter().map(|&text| key_part(text)).collect())
}

/// `column` or `column:4`.
fn key_part(text: &str) -> KeyPart {
    match text.split_once(':') {
        Some((column, prefix)) => KeyPart {
            column: column.to_owned(),
            prefix: prefix.parse().ok(),
        },
        None => KeyPart {
            column: text.to_owned(),
            prefix: None,
        },
    }
}

fn named(keys: Vec<KeyPart>) -> BlockingRule {
    let names: Vec<String> = keys
        .iter()
        .map(|key| {
            key.prefix
                .map_or_else(|| key.column.clone(), |prefix| format!("{}:{prefix}", key.column))
        })
        .collect();
    BlockingRule {
        name: names.join(" + "),
        keys,
        coarse: false,
    }
}

fn identifiers(config: &IdentityConfig, mapped: &BTreeSet<String>, path: &Path, report: &mut Report<'_>) -> Vec<String> {
    let Some(list) = &config.identifiers else {
        return IDENTIFIERS
            .into_iter()
            .filter(|name| mapped.contains(*name))
            .map(str::to_owned)
            .collect();
    };
    let mut known: Vec<String> = Vec::with_capacity(list.len());
    for (position, name) in list.iter().enumerate() {
        let path = path.then(position);
        if MATCHING.contains(&name.as_str()) {
            let hint = format!("equal values of several columns: `deterministic: [[{name}, family_name]]`");
            report.at(&path, format!("`{name}` is not an identifier"), Some(hint));
        } else if !IDENTIFIERS.contains(&name.as_str()) {
            report.at(&path, format!("unknown identifier `{name}`"), Some(suggest(name, IDENTIFIERS)));
        } else if !mapped.contains(name) {
            let hint = "map it in a `sources/*.contacts.sql`, or drop it here".to_owned();
            report.at(&path, format!("no source maps the identifier `{name}`"), Some(hint));
        } else if known.contains(name) {
            report.at(&path, format!("`{name}` is listed twice"), None);
        } else {
            known.push(name.clone());
        }
    }
    known
}

fn exclusive(config: &IdentityConfig, path: &Path, report: &mut Report<'_>) -> Vec<String> {
    let mut known = Vec::with_capacity(config.exclusive.len());
    for (position, name) in config.exclusive.iter().enumerate() {
        if IDENTIFIERS.contains(&name.as_str()) {
            known.push(name.clone());
        } else {
            report.at(
                &path.then(position),
                format!("unknown identifier `{name}`"),
                Some(suggest(name, IDENTIFIERS)),
            );
        }
    }
    known
}

/// Columns whose values can be generic, and how many people may share one by default.
const GENERIC_VALUES: [(&str, u32); 6] = [
    (column::EMAIL, 5),
    (column::PHONE, 8),
    (column::CUSTOMER_NO, 5),
    (column::USER_ID, 5),
    (column::LOYALTY_NO, 5),
    (column::DEVICE_ID, 10),
];

fn generic_values(config: &IdentityConfig, path: &Path, report: &mut Report<'_>) -> BTreeMap<String, u32> {
    let mut limits: BTreeMap<String, u32> = GENERIC_VALUES.map(|(name, limit)| (name.to_owned(), limit)).into();
    for (name, &limit) in &config.generic_values {
        let path = path.then(name.as_str());
        if !limits.contains_key(name) {
            let names = GENERIC_VALUES.map(|(name, _)| name);
            report.at_key(
                &path,
                format!("`{name}` is no identifier, e-mail or phone"),
                Some(suggest(name, names)),
            );
        } else if limit == 0 {
            report.at(&path, format!("`{name}` must be 1 or more"), None);
        } else {
            limits.insert(name.clone(), limit);
        }
    }
    limits
}

fn cohesion(config: &CohesionConfig, path: &Path, report: &mut Report<'_>) -> CohesionSpec {
    let share_min = config.share_min.unwrap_or(0.1);
    if !(0.0..=1.0).contains(&share_min) {
        report.at(&path.then("share_min"), "`share_min` must be between 0 and 1", None);
    }
    CohesionSpec {
        records_max: positive(config.records_max, 10, &path.then("records_max"), report),
        share_min,
    }
}

fn check_column(name: &str, path: &Path, report: &mut Report<'_>) -> bool {
    let known = is_known(name);
    if !known {
        report.at(
            path,
            format!("matching has no column `{name}`"),
            Some(suggest(name, MATCHING.into_iter().chain(IDENTIFIERS))),
        );
    }
    known
}

fn rules(list: &[Vec<String>], path: &Path, report: &mut Report<'_>) -> Vec<BlockingRule> {
    let mut rules: Vec<BlockingRule> = Vec::with_capacity(list.len());
    for (position, columns) in list.iter().enumerate() {
        let path = path.then(position);
        if columns.is_empty() {
            report.at(&path, "a rule needs at least one column", None);
            continue;
        }
        let keys: Option<Vec<KeyPart>> = columns
            .iter()
            .enumerate()
            .map(|(position, text)| checked_part(text, &path.then(position), report))
            .collect::<Vec<_>>()
            .into_iter()
            .collect();
        let Some(keys) = keys else { continue };
        let rule = named(keys);
        if rules.iter().any(|other| other.name == rule.name) {
            report.at(&path, format!("the rule `{}` is listed twice", rule.name), None);
        } else {
            rules.push(rule);
        }
    }
    rules
}

fn checked_part(text: &str, path: &Path, report: &mut Report<'_>) -> Option<KeyPart> {
    let part = key_part(text);
    if !check_column(&part.column, path, report) {
        return None;
    }
    if text.contains(':') && part.prefix.is_none_or(|prefix| prefix == 0) {
        let hint = format!("write e.g. `{}:4` for its first 4 characters", part.column);
        report.at(path, format!("`{text}` is not a column and a number of characters"), Some(hint));
        return None;
    }
    Some(part)
}

fn comparisons(list: &[ComparisonConfig], path: &Path, report: &mut Report<'_>) -> Vec<ComparisonSpec> {
    if list.len() > Pattern::COMPARISONS_MAX {
        let message = format!("at most {} comparisons are possible, not {}", Pattern::COMPARISONS_MAX, list.len());
        report.at(
            path,
            message,
            Some("join columns that say the same, such as street and city".to_owned()),
        );
    }
    let mut names = BTreeSet::new();
    let mut specs = Vec::with_capacity(list.len());
    for (position, comparison) in list.iter().enumerate() {
        let path = path.then(position);
        if !names.insert(comparison.name.as_str()) {
            report.at(
                &path.then("name"),
                format!("the comparison `{}` is listed twice", comparison.name),
                None,
            );
        }
        specs.extend(comparison_spec(comparison, &path, report));
    }
    specs.truncate(Pattern::COMPARISONS_MAX);
    specs
}

fn comparison_spec(comparison: &ComparisonConfig, path: &Path, report: &mut Report<'_>) -> Option<ComparisonSpec> {
    let levels_max = Pattern::LEVELS_MAX - 1;
    if comparison.name.trim().is_empty() {
        report.at(&path.then("name"), "a comparison needs a name", None);
    }
    if comparison.levels.is_empty() || comparison.levels.len() > levels_max {
        let message = format!("a comparison has 1 to {levels_max} levels, not {}", comparison.levels.len());
        report.at(&path.then("levels"), message, Some("\"everything else\" is added".to_owned()));
    }
    for (position, name) in comparison.not_null.iter().enumerate() {
        check_column(name, &path.then("not_null").then(position), report);
    }
    for (position, name) in comparison.unless.iter().enumerate() {
        check_column(name, &path.then("unless").then(position), report);
    }
    let parsed: Vec<Option<LevelSpec>> = comparison
        .levels
        .iter()
        .enumerate()
        .map(|(position, level)| level_spec(level, &path.then("levels").then(position), report))
        .collect();
    let levels: Vec<LevelSpec> = parsed.into_iter().collect::<Option<_>>()?;
    let mut not_null = comparison.not_null.clone();
    if not_null.is_empty() {
        not_null = levels.first()?.test.columns();
    }
    not_null.retain(|name| is_known(name));
    not_null.sort();
    not_null.dedup();
    Some(labeled(ComparisonSpec {
        name: comparison.name.clone(),
        not_null,
        unless: comparison.unless.clone(),
        levels,
    }))
}

/// Labels the levels: with their columns when the comparison reads more than one.
#[must_use]
pub fn labeled(mut comparison: ComparisonSpec) -> ComparisonSpec {
    let several = comparison.columns().len() > 1;
    for level in &mut comparison.levels {
        level.label = label(&level.test, several);
    }
    comparison
}

fn label(test: &Test, columns: bool) -> String {
    let test_label = match test {
        Test::Exact(_) => "exact".to_owned(),
        Test::JaroWinkler(_, least) => format!("jaro_winkler >= {least}"),
        Test::Levenshtein(_, most) => format!("levenshtein <= {most}"),
        Test::DamerauLevenshtein(_, most) => format!("damerau_levenshtein <= {most}"),
        Test::DayMonthSwapped(_) => "day_month_swapped".to_owned(),
        Test::SameYear(_) => "same_year".to_owned(),
        Test::Swapped(..) => "swapped".to_owned(),
        Test::Crossed(..) => "crossed".to_owned(),
        Test::Nickname(_) => "nickname".to_owned(),
        Test::All(tests) => return tests.iter().map(|test| label(test, columns)).collect::<Vec<_>>().join(" and "),
    };
    if columns {
        format!("{} {test_label}", test.columns().join(" + "))
    } else {
        test_label
    }
}

fn level_spec(level: &LevelConfig, path: &Path, report: &mut Report<'_>) -> Option<LevelSpec> {
    let test = level_test(level, path, report)?;
    let mut good = true;
    let mut columns: Vec<(String, Path)> = Vec::new();
    let name = TESTS.into_iter().zip(given(level)).find(|(_, given)| *given)?.0;
    match test.columns().as_slice() {
        [single] if !["exact", "swapped", "crossed"].contains(&name) => columns.push((single.clone(), path.then(name))),
        several => columns.extend(
            several
                .iter()
                .enumerate()
                .map(|(i, column)| (column.clone(), path.then(name).then(i))),
        ),
    }
    columns.extend(
        level
            .and_exact
            .iter()
            .enumerate()
            .map(|(i, column)| (column.clone(), path.then("and_exact").then(i))),
    );
    columns.extend(
        level
            .term_frequency
            .iter()
            .map(|column| (column.clone(), path.then("term_frequency"))),
    );
    for (column, path) in &columns {
        good &= check_column(column, path, report);
    }
    for (key, value) in [("m", level.m), ("u", level.u)] {
        if value.is_some_and(|value| !(value > 0.0 && value < 1.0)) {
            report.at(&path.then(key), format!("`{key}` must be between 0 and 1, both excluded"), None);
            good = false;
        }
    }
    let test = if level.and_exact.is_empty() {
        test
    } else {
        Test::All(vec![test, Test::Exact(level.and_exact.clone())])
    };
    good.then(|| LevelSpec {
        label: String::new(),
        test,
        term_frequency: level.term_frequency.clone(),
        m: level.m,
        u: level.u,
    })
}

/// Which of [`TESTS`] a level has.
fn given(level: &LevelConfig) -> [bool; 9] {
    [
        level.exact.is_some(),
        level.jaro_winkler.is_some(),
        level.levenshtein.is_some(),
        level.damerau_levenshtein.is_some(),
        level.day_month_swapped.is_some(),
        level.same_year.is_some(),
        level.swapped.is_some(),
        level.crossed.is_some(),
        level.nickname.is_some(),
    ]
}

fn level_test(level: &LevelConfig, path: &Path, report: &mut Report<'_>) -> Option<Test> {
    let tests: Vec<&str> = TESTS
        .into_iter()
        .zip(given(level))
        .filter_map(|(name, given)| given.then_some(name))
        .collect();
    let [name] = tests.as_slice() else {
        let message = if tests.is_empty() {
            "a level needs a test".to_owned()
        } else {
            format!("a level has one test, not {}", super::findings::list(tests))
        };
        report.at(path, message, Some(format!("tests: {}", super::findings::list(TESTS))));
        return None;
    };
    parameters(level, name, path, report)?;
    let at_most = level.at_most.unwrap_or_default();
    let first = |column: &Option<String>| column.clone().unwrap_or_default();
    Some(match *name {
        "exact" => Test::Exact(level.exact.clone().unwrap_or_default()),
        "jaro_winkler" => Test::JaroWinkler(first(&level.jaro_winkler), level.at_least.unwrap_or_default()),
        "levenshtein" => Test::Levenshtein(first(&level.levenshtein), at_most),
        "damerau_levenshtein" => Test::DamerauLevenshtein(first(&level.damerau_levenshtein), at_most),
        "day_month_swapped" => Test::DayMonthSwapped(first(&level.day_month_swapped)),
        "same_year" => Test::SameYear(first(&level.same_year)),
        "nickname" => Test::Nickname(first(&level.nickname)),
        "crossed" => {
            let [left, right] = level.crossed.clone().unwrap_or_default();
            Test::Crossed(left, right)
        }
        _ => {
            let [left, right] = level.swapped.clone().unwrap_or_default();
            Test::Swapped(left, right)
        }
    })
}

/// Checks that a test has its parameter and no other.
fn parameters(level: &LevelConfig, name: &str, path: &Path, report: &mut Report<'_>) -> Option<()> {
    let wanted = match name {
        "jaro_winkler" => Some("at_least"),
        "levenshtein" | "damerau_levenshtein" => Some("at_most"),
        _ => None,
    };
    let mut good = true;
    for (parameter, given) in [("at_least", level.at_least.is_some()), ("at_most", level.at_most.is_some())] {
        if given && wanted != Some(parameter) {
            report.at_key(&path.then(parameter), format!("`{name}` takes no `{parameter}`"), None);
            good = false;
        }
        if !given && wanted == Some(parameter) {
            let hint = format!("e.g. `{parameter}: {}`", if parameter == "at_least" { "0.92" } else { "1" });
            report.at(&path.then(name), format!("`{name}` needs `{parameter}`"), Some(hint));
            good = false;
        }
    }
    if name == "jaro_winkler" && level.at_least.is_some_and(|least| !(least > 0.0 && least <= 1.0)) {
        report.at(&path.then("at_least"), "`at_least` must be above 0 and at most 1", None);
        good = false;
    }
    if name == "exact" && level.exact.as_ref().is_some_and(Vec::is_empty) {
        report.at(&path.then("exact"), "`exact` needs at least one column", None);
        good = false;
    }
    good.then_some(())
}

fn thresholds(config: &IdentityConfig, root: &Path, report: &mut Report<'_>) -> (f64, f64) {
    let matching = probability(config.match_probability, 0.95, &root.then("match_probability"), report);
    let default = if matching < 0.5 { matching } else { 0.5 };
    let possible = probability(config.possible_probability, default, &root.then("possible_probability"), report);
    if possible > matching {
        let message = format!("`possible_probability` must not be above `match_probability` ({matching})");
        report.at(&root.then("possible_probability"), message, None);
        return (matching, matching);
    }
    (matching, possible)
}

/// A number above 0 and below 1.
fn probability(value: Option<f64>, default: f64, path: &Path, report: &mut Report<'_>) -> f64 {
    match value {
        Some(value) if value > 0.0 && value < 1.0 => value,
        Some(_) => {
            let key = path.steps().last().map_or("", String::as_str);
            report.at(path, format!("`{key}` must be between 0 and 1, both excluded"), None);
            default
        }
        None => default,
    }
}

/// A number of at least 1.
fn positive<T: Copy + PartialOrd + From<u8>>(value: Option<T>, default: T, path: &Path, report: &mut Report<'_>) -> T {
    match value {
        Some(value) if value >= T::from(1) => value,
        Some(_) => {
            let key = path.steps().last().map_or("", String::as_str);
            report.at(path, format!("`{key}` must be 1 or more"), None);
            default
        }
        None => default,
    }
}

fn training(
    config: &IdentityConfig,
    mapped: &BTreeSet<String>,
    comparisons: &[ComparisonSpec],
    root: &Path,
    report: &mut Report<'_>,
) -> TrainingSpec {
    let training = &config.training;
    let deterministic = match &training.deterministic {
        Some(list) => rules(list, &root.then("deterministic"), report),
        None => identity::training_rules(mapped),
    };
    let sessions = match &training.sessions {
        Some(list) => rules(list, &root.then("sessions"), report),
        None => identity::sessions(mapped, comparisons),
    };
    TrainingSpec {
        deterministic,
        recall: probability(training.recall, 0.7, &root.then("recall"), report),
        sessions,
        u_pairs_max: positive(training.u_pairs_max, 500_000, &root.then("u_pairs_max"), report),
        session_pairs_max: positive(training.session_pairs_max, 500_000, &root.then("session_pairs_max"), report),
        iterations_max: positive(training.iterations_max, 25, &root.then("iterations_max"), report),
        convergence: probability(training.convergence, 0.0001, &root.then("convergence"), report),
        seed: training.seed.unwrap_or(1),
        relations: training.relations.unwrap_or(true),
    }
}
