//! Test cases of models: tables given as CSV, tables expected as CSV, and the differences in words.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::NaiveDate;

use super::check::Checked;
use super::session::Context;
use super::{CaseResult, ModelSpec, Tables, build, check, compare, csv, order};
use crate::config::Spec;
use crate::config::pipeline::Setting;
use crate::config::standard;
use crate::engine::Engine;
use crate::error::{Error, Result};

/// File of a case that holds the as-of day (`as_of`), `time_zone`, `currency` and settings, one row.
const SETTINGS_FILE: &str = "given/_case.csv";

/// Files of a case by path inside it.
type Files = BTreeMap<String, String>;

/// Runs the project's cases, then the shipped ones whose models the project uses as shipped.
///
/// # Errors
/// `Config` for a case that cannot be read, and for models that cannot be planned.
pub fn run(engine: &Engine, spec: &Spec) -> Result<Vec<CaseResult>> {
    let checked = check::check(engine, spec);
    if !checked.findings.is_empty() {
        return Err(Error::diagnostics(checked.findings));
    }
    let mut results = Vec::new();
    for (name, files) in project_cases(&spec.folder)? {
        let case = Case::read(&name, &files, &checked, Context::new(spec, NaiveDate::default()))?;
        results.extend(case.run(engine, spec, &checked)?);
    }
    for (name, files) in standard_cases() {
        if expected_tables(&files).all(|table| is_shipped(&checked.models, table)) {
            let case = Case::read(&name, &files, &checked, neutral())?;
            results.extend(case.run(engine, spec, &checked)?);
        }
    }
    Ok(results)
}

struct Case {
    name: String,
    context: Context,
    given: Tables,
    expected: BTreeMap<String, csv::Rows>,
}

impl Case {
    fn read(name: &str, files: &Files, checked: &Checked, mut context: Context) -> Result<Self> {
        let (mut given, mut expected) = (Tables::new(), BTreeMap::new());
        let settings = files.get(SETTINGS_FILE).ok_or_else(|| {
            malformed(name, SETTINGS_FILE, "the case has no as-of day".to_owned())
                .hint("add `given/_case.csv` with a column `as_of` and one row")
        })?;
        let settings = csv::read(settings).map_err(|message| malformed(name, SETTINGS_FILE, message))?;
        context = with_settings(context, &settings).map_err(|message| malformed(name, SETTINGS_FILE, message))?;
        for (path, text) in files.iter().filter(|(path, _)| *path != SETTINGS_FILE) {
            let Some((side, table)) = path.strip_suffix(".csv").and_then(|path| path.split_once('/')) else {
                continue;
            };
            let rows = csv::read(text).map_err(|message| malformed(name, path, message))?;
            let Some(schema) = checked.schemas.get(table) else {
                let hint = super::suggest::nearest(table, checked.schemas.keys().map(String::as_str));
                let error = malformed(name, path, format!("no table is called `{table}`"));
                return Err(hint.map_or(error, |hint| {
                    Error::config("a test case names an unknown table")
                        .with("case", name)
                        .with("file", path.clone())
                        .hint(hint)
                }));
            };
            let typed = csv::table(&rows, schema).map_err(|message| malformed(name, path, message))?;
            match side {
                "given" => drop(given.insert(table.to_owned(), typed)),
                "expect" => drop(expected.insert(table.to_owned(), rows)),
                _ => return Err(malformed(name, path, "a case has the folders `given` and `expect`".to_owned())),
            }
        }
        if expected.is_empty() {
            return Err(malformed(name, "expect", "the case expects nothing".to_owned()));
        }
        Ok(Self {
            name: name.to_owned(),
            context,
            given,
            expected,
        })
    }

    /// Builds what is expected and everything it reads that is not given, then compares.
    fn run(&self, engine: &Engine, spec: &Spec, checked: &Checked) -> Result<Vec<CaseResult>> {
        let mut wanted: BTreeSet<String> = self.expected.keys().cloned().collect();
        for table in self.expected.keys() {
            wanted.extend(order::upstream(&checked.models, table));
        }
        let models: Vec<ModelSpec> = checked
            .models
            .iter()
            .filter(|model| wanted.contains(&model.name) && !self.given.contains_key(&model.name))
            .cloned()
            .collect();
        let (built, _) = build::build(engine, spec, &models, &self.context, &self.given)?;
        let compared = self.expected.iter().map(|(table, rows)| {
            let differences = match built.get(table) {
                Some(actual) => compare::differences(rows, actual),
                None => vec![format!("`{table}` is not made by a model")],
            };
            CaseResult {
                case: self.name.clone(),
                table: table.clone(),
                differences,
            }
        });
        Ok(compared.collect())
    }
}

fn with_settings(mut context: Context, rows: &csv::Rows) -> Result<Context, String> {
    let [row] = rows.rows.as_slice() else {
        return Err(format!("one row is needed, there are {}", rows.rows.len()));
    };
    let mut as_of = None;
    for (name, value) in rows.header.iter().zip(row) {
        let Some(value) = value else { continue };
        match name.as_str() {
            "as_of" => as_of = Some(value.parse::<NaiveDate>().map_err(|_| "`as_of` is no date YYYY-MM-DD".to_owned())?),
            "time_zone" => context.time_zone = value.parse().map_err(|_| "`time_zone` is no IANA name".to_owned())?,
            _ => {}
        }
        if name != "as_of" {
            context.settings.insert(name.clone(), setting(value));
        }
    }
    context.as_of = as_of.ok_or("a column `as_of` is needed")?;
    Ok(context)
}

fn setting(text: &str) -> Setting {
    match (text.parse::<bool>(), text.parse::<f64>()) {
        (Ok(value), _) => Setting::Boolean(value),
        (_, Ok(value)) => Setting::Number(value),
        _ => Setting::Text(text.to_owned()),
    }
}

/// Shipped cases say the same in every project: UTC, EUR, and no setting but their own.
fn neutral() -> Context {
    let settings = [("time_zone", "UTC"), ("currency", "EUR")];
    Context {
        as_of: NaiveDate::default(),
        time_zone: chrono_tz::Tz::UTC,
        settings: settings
            .map(|(name, value)| (name.to_owned(), Setting::Text(value.to_owned())))
            .into(),
    }
}

fn is_shipped(models: &[ModelSpec], table: &str) -> bool {
    let shipped = |name: &str| {
        models
            .iter()
            .any(|model| model.name == name && model.sql.path.starts_with(standard::FOLDER))
    };
    shipped(table) && order::upstream(models, table).iter().all(|name| shipped(name))
}

fn expected_tables(files: &Files) -> impl Iterator<Item = &str> {
    files.keys().filter_map(|path| path.strip_prefix("expect/")?.strip_suffix(".csv"))
}

fn standard_cases() -> BTreeMap<String, Files> {
    let mut cases: BTreeMap<String, Files> = BTreeMap::new();
    for file in standard::cases() {
        cases
            .entry(format!("{}/{}", standard::FOLDER, file.case))
            .or_default()
            .insert(file.path, file.text);
    }
    cases
}

fn project_cases(folder: &Path) -> Result<BTreeMap<String, Files>> {
    let mut cases: BTreeMap<String, Files> = BTreeMap::new();
    let pattern = folder.join("tests").join("*").join("*").join("*.csv");
    let unreadable = |path: &Path| Error::config("a test case cannot be read").with("file", path.display().to_string());
    let paths = glob::glob(&pattern.to_string_lossy()).map_err(|error| unreadable(&pattern).because(error))?;
    for path in paths {
        let path = path.map_err(|error| unreadable(error.path()).because(error))?;
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path).because(error))?;
        let parts: Vec<String> = path.iter().rev().take(3).map(|part| part.to_string_lossy().into_owned()).collect();
        let [file, side, case] = parts.as_slice() else { continue };
        cases.entry(case.clone()).or_default().insert(format!("{side}/{file}"), text);
    }
    Ok(cases)
}

fn malformed(case: &str, file: &str, message: String) -> Error {
    Error::config(message).with("case", case).with("file", file)
}
