//! Stage `model`: SQL models over the tables to be published, in dependency order, with audits and test cases.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::Spec;
use crate::config::spec::SqlFile;
use crate::engine::Engine;
use crate::error::{Diagnostic, Error, Result};

mod ask;
pub mod base;
mod build;
mod case;
mod check;
mod compare;
mod consents;
pub mod csv;
mod failure;
mod header;
mod local_date;
mod order;
mod plain;
mod query;
mod session;
mod suggest;

pub use ask::Asker;
pub use check::Checked;
pub use header::DescribedColumn;

/// A table in memory: all batches have `schema`.
#[derive(Debug, Clone)]
pub struct Table {
    /// Schema, also when there is no row.
    pub schema: SchemaRef,
    /// Rows.
    pub batches: Vec<RecordBatch>,
}

/// Tables by name.
pub type Tables = BTreeMap<String, Table>;

/// A model with its header read.
#[derive(Debug, Clone)]
pub struct ModelSpec {
    /// Table it makes; the file's name.
    pub name: String,
    /// What one row is.
    pub grain: String,
    /// Unit of the measures, if it has one.
    pub unit: Option<String>,
    /// What it is for.
    pub description: String,
    /// What the header says of its columns; empty for a model that says nothing.
    pub columns: Vec<DescribedColumn>,
    /// Models and base tables it reads, found by parsing, sorted.
    pub depends: Vec<String>,
    /// The query.
    pub sql: SqlFile,
}

/// What building a model took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelTime {
    /// Name of the model.
    pub model: String,
    /// Rows of its table.
    pub rows: u64,
    /// Milliseconds it took.
    pub elapsed_ms: u64,
}

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditResult {
    /// Name of the audit.
    pub audit: String,
    /// Rows it returned; 0 = passed.
    pub rows: u64,
    /// Milliseconds it took.
    pub elapsed_ms: u64,
    /// What to do if it failed: `-- hint:` of its header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The first rows it returned, at most five, as `column = value`; only columns that its header names in `-- show:`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
}

/// Result of one test case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseResult {
    /// `tests/<case>`.
    pub case: String,
    /// Table compared.
    pub table: String,
    /// Differences, at most ten, as text; empty = passed.
    pub differences: Vec<String>,
}

/// Reads headers, finds dependencies and puts the models in order: each after what it reads, by name where that leaves a choice.
/// `select` and `exclude` are dbt-like: `name`, `name+` (and what reads it), `+name` (and what it reads), several joined by commas.
///
/// # Errors
/// `Config` with every finding: no header, unknown table, cycle, unknown selector.
pub fn order(_engine: &Engine, spec: &Spec, select: &[String], exclude: &[String]) -> Result<Vec<ModelSpec>> {
    let (models, findings) = order::all(spec);
    if !findings.is_empty() {
        return Err(Error::diagnostics(findings));
    }
    order::selected(models, select, exclude)
}

/// Base tables that these models, or audits of the project, read.
#[must_use]
pub fn reads(spec: &Spec, models: &[ModelSpec]) -> BTreeSet<String> {
    let of_audits = spec
        .audits
        .iter()
        .filter_map(|file| query::Query::parse(file).ok())
        .flat_map(|query| query.tables);
    let mut tables: BTreeSet<String> = models
        .iter()
        .flat_map(|model| model.depends.iter().cloned())
        .chain(of_audits)
        .collect();
    if tables.contains(consents::NAME) {
        tables.insert(consents::OF.to_owned());
    }
    tables
}

/// Every mistake in models and audits that can be found without data, with line and column and "did you mean", sorted.
#[must_use]
pub fn check(engine: &Engine, spec: &Spec) -> Vec<Diagnostic> {
    check::check(engine, spec).findings
}

/// Plans every model against empty tables: the models in order, the schemas of all tables that planned, base tables included, and the
/// findings of [`check()`].
#[must_use]
pub fn plan(engine: &Engine, spec: &Spec) -> Checked {
    check::check(engine, spec)
}

/// Tables that a file reads; none if it does not parse.
#[must_use]
pub fn tables_of(file: &SqlFile) -> BTreeSet<String> {
    query::Query::parse(file).map(|query| query.tables).unwrap_or_default()
}

/// Builds the models over `base`, in order; gives the new tables only. Base tables that are missing count as empty.
///
/// Rows are in the order of the model's top-level ORDER BY, ties by all columns; without one, by `customer_key` if there is such a
/// column, then by all columns: the same rows give the same table on any number of threads. Types are the published ones: text,
/// boolean, 64-bit integer and float, decimal, date, timestamp in microseconds UTC.
///
/// # Errors
/// `Config` if a query fails to plan, `Environment` if memory does not suffice, `Input` if a value cannot be computed.
pub fn build(engine: &Engine, spec: &Spec, models: &[ModelSpec], as_of: NaiveDate, base: &Tables) -> Result<Tables> {
    Ok(build_timed(engine, spec, models, as_of, base)?.0)
}

/// As [`build`], with the rows and the time of each model in the order built. Times are for reports, never for tables.
///
/// # Errors
/// As for [`build`].
pub fn build_timed(
    engine: &Engine,
    spec: &Spec,
    models: &[ModelSpec],
    as_of: NaiveDate,
    base: &Tables,
) -> Result<(Tables, Vec<ModelTime>)> {
    build::build(engine, spec, models, &session::Context::new(spec, as_of), base)
}

/// Runs the audits that read only tables in `tables`, in the order of the specification. An audit that returns a row has failed.
///
/// # Errors
/// `Config` if a query fails to plan, `Environment` or `Input` as for [`build`].
pub fn audit(engine: &Engine, spec: &Spec, as_of: NaiveDate, tables: &Tables) -> Result<Vec<AuditResult>> {
    build::audit(engine, &spec.audits, &session::Context::new(spec, as_of), tables)
}

/// Runs `tests/<case>/{given,expect}/*.csv` of the project and of the standard models it uses as shipped (`standard/<case>`).
///
/// `given/_case.csv` has one row with `as_of` and any setting; other files are named after tables. A given column that the file
/// lacks is null; an expected column that it lacks is not compared. Rows compare as sets, decimals exactly, floats to a relative 1e-9.
///
/// # Errors
/// `Config` if a case is malformed or a model cannot be planned.
pub fn test(engine: &Engine, spec: &Spec) -> Result<Vec<CaseResult>> {
    case::run(engine, spec)
}
