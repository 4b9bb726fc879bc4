//! `gates`: limits that stop a run before it publishes. They need no labels: they say that a night is unlike any sane night.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::findings::{Path, suggest};
use super::resolve::Report;

/// Limits that stop a run before it publishes (exit code 1). `off` switches a gate off.
///
/// What is compared with the last version does not fire on a first run. `run --accept-gate NAME` accepts a gate once.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GatesConfig {
    /// Largest share of rejected rows of a source, 0 to 1. Default: 0.05.
    pub rejected_share_max: Option<Limit>,
    /// Largest share of its rows, by record, that a source may lose against the last version, 0 to 1. Sources that had fewer than 100 rows
    /// count only when none is left. Default: 0.4.
    pub rows_drop_max: Option<Limit>,
    /// Largest rise of the share of nulls of a canonical column of a source against the last version, 0 to 1; counted where 100 rows or more
    /// were and are. Default: 0.2.
    pub null_share_rise_max: Option<Limit>,
    /// Most days from the newest time in the data of a source (`updated_at`, `created_at`, `ordered_at`, `occurred_at`, not after the as-of
    /// day) to the as-of day; where a source has no such time, from the day its newest object was written. Default: off.
    pub freshness_days_max: Option<Limit>,
    /// Most records of one customer. Default: 1000.
    pub customer_records_max: Option<Limit>,
    /// Most distinct birth dates of one customer. Default: 20.
    pub customer_birth_dates_max: Option<Limit>,
    /// Most distinct first given names of one customer; pet forms of one name count once, initials do not. Default: 50.
    pub customer_given_names_max: Option<Limit>,
    /// A customer of more records than this is large. Default: 100.
    pub large_customer_records: Option<u32>,
    /// Largest share of customers that are large, 0 to 1. Default: 0.01.
    pub large_customers_share_max: Option<Limit>,
    /// Other limits for single sources, by name.
    pub sources: BTreeMap<String, SourceGatesConfig>,
}

/// Limits of one source; what is left out is that of all sources.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SourceGatesConfig {
    /// As `gates.rejected_share_max`.
    pub rejected_share_max: Option<Limit>,
    /// As `gates.rows_drop_max`; `off` for a source that delivers only what is new.
    pub rows_drop_max: Option<Limit>,
    /// As `gates.null_share_rise_max`.
    pub null_share_rise_max: Option<Limit>,
    /// As `gates.freshness_days_max`.
    pub freshness_days_max: Option<Limit>,
}

/// A limit, or none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Limit {
    /// `false`: as `off`.
    Switch(bool),
    /// The most that is allowed.
    Number(f64),
    /// `off`: no limit.
    Word(String),
}

/// The gates, resolved. `None` = off.
#[derive(Debug, Clone, PartialEq)]
pub struct GatesSpec {
    /// Limits of a source that has none of its own.
    pub every_source: SourceGates,
    /// Limits of single sources.
    pub sources: BTreeMap<String, SourceGates>,
    /// Most records of one customer.
    pub customer_records_max: Option<u32>,
    /// Most distinct birth dates of one customer.
    pub customer_birth_dates_max: Option<u32>,
    /// Most distinct given names of one customer.
    pub customer_given_names_max: Option<u32>,
    /// A customer of more records is large.
    pub large_customer_records: u32,
    /// Largest share of customers that are large.
    pub large_customers_share_max: Option<f64>,
}

/// The gates of one source, resolved. `None` = off.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceGates {
    /// Largest share of rejected rows.
    pub rejected_share_max: Option<f64>,
    /// Largest share of rows lost.
    pub rows_drop_max: Option<f64>,
    /// Largest rise of a share of nulls.
    pub null_share_rise_max: Option<f64>,
    /// Most days since the newest data.
    pub freshness_days_max: Option<u32>,
}

impl Default for SourceGates {
    fn default() -> Self {
        Self {
            rejected_share_max: Some(0.05),
            rows_drop_max: Some(0.4),
            null_share_rise_max: Some(0.2),
            freshness_days_max: None,
        }
    }
}

impl Default for GatesSpec {
    fn default() -> Self {
        Self {
            every_source: SourceGates::default(),
            sources: BTreeMap::new(),
            customer_records_max: Some(1000),
            customer_birth_dates_max: Some(20),
            customer_given_names_max: Some(50),
            large_customer_records: 100,
            large_customers_share_max: Some(0.01),
        }
    }
}

impl GatesSpec {
    /// The limits of a source.
    #[must_use]
    pub fn of(&self, source: &str) -> &SourceGates {
        self.sources.get(source).unwrap_or(&self.every_source)
    }
}

/// Fills in the defaults. `names` are the sources of the project.
pub fn resolve(config: &GatesConfig, names: &BTreeSet<String>, report: &mut Report<'_>) -> GatesSpec {
    let path = Path::of(&["gates"]);
    let default = GatesSpec::default();
    let general = SourceGatesConfig {
        rejected_share_max: config.rejected_share_max.clone(),
        rows_drop_max: config.rows_drop_max.clone(),
        null_share_rise_max: config.null_share_rise_max.clone(),
        freshness_days_max: config.freshness_days_max.clone(),
    };
    let every_source = source_gates(&general, &default.every_source, &path, report);
    let mut sources = BTreeMap::new();
    for (name, own) in &config.sources {
        let path = path.then("sources").then(name);
        if !names.contains(name) {
            let hint = suggest(name, names.iter().map(String::as_str));
            report.at_key(&path, format!("there is no source `{name}`"), Some(hint));
        }
        sources.insert(name.clone(), source_gates(own, &every_source, &path, report));
    }
    let mut number = |name: &str, limit: &Option<Limit>, default: Option<u32>| count(limit.as_ref(), default, &path.then(name), report);
    let customer_records_max = number("customer_records_max", &config.customer_records_max, default.customer_records_max);
    let customer_birth_dates_max = number(
        "customer_birth_dates_max",
        &config.customer_birth_dates_max,
        default.customer_birth_dates_max,
    );
    let customer_given_names_max = number(
        "customer_given_names_max",
        &config.customer_given_names_max,
        default.customer_given_names_max,
    );
    GatesSpec {
        every_source,
        sources,
        customer_records_max,
        customer_birth_dates_max,
        customer_given_names_max,
        large_customer_records: config.large_customer_records.unwrap_or(default.large_customer_records),
        large_customers_share_max: share(
            config.large_customers_share_max.as_ref(),
            default.large_customers_share_max,
            &path.then("large_customers_share_max"),
            report,
        ),
    }
}

fn source_gates(config: &SourceGatesConfig, default: &SourceGates, path: &Path, report: &mut Report<'_>) -> SourceGates {
    let mut of = |name: &str, limit: &Option<Limit>, default| share(limit.as_ref(), default, &path.then(name), report);
    let rejected_share_max = of("rejected_share_max", &config.rejected_share_max, default.rejected_share_max);
    let rows_drop_max = of("rows_drop_max", &config.rows_drop_max, default.rows_drop_max);
    let null_share_rise_max = of("null_share_rise_max", &config.null_share_rise_max, default.null_share_rise_max);
    SourceGates {
        rejected_share_max,
        rows_drop_max,
        null_share_rise_max,
        freshness_days_max: count(
            config.freshness_days_max.as_ref(),
            default.freshness_days_max,
            &path.then("freshness_days_max"),
            report,
        ),
    }
}

/// The number of a limit; `Err` if it is no limit at all.
fn written(limit: &Limit) -> Result<Option<f64>, ()> {
    match limit {
        Limit::Switch(false) => Ok(None),
        Limit::Word(word) if word.trim().eq_ignore_ascii_case("off") => Ok(None),
        Limit::Number(number) => Ok(Some(*number)),
        Limit::Switch(true) | Limit::Word(_) => Err(()),
    }
}

const OFF: &str = "write `off` to switch the gate off";

fn share(limit: Option<&Limit>, default: Option<f64>, path: &Path, report: &mut Report<'_>) -> Option<f64> {
    match limit.map(written) {
        None => default,
        Some(Ok(None)) => None,
        Some(Ok(Some(share))) if (0.0..=1.0).contains(&share) => Some(share),
        Some(_) => {
            report.at(path, format!("`{}` must be between 0 and 1", name(path)), Some(OFF.to_owned()));
            default
        }
    }
}

fn count(limit: Option<&Limit>, default: Option<u32>, path: &Path, report: &mut Report<'_>) -> Option<u32> {
    let whole = |number: f64| (number >= 0.0 && number <= f64::from(u32::MAX) && number.fract() == 0.0).then_some(number as u32);
    match limit.map(written) {
        None => default,
        Some(Ok(None)) => None,
        Some(Ok(Some(number))) if whole(number).is_some() => whole(number),
        Some(_) => {
            report.at(
                path,
                format!("`{}` must be a whole number, 0 or more", name(path)),
                Some(OFF.to_owned()),
            );
            default
        }
    }
}

fn name(path: &Path) -> &str {
    path.steps().last().map_or("", String::as_str)
}
