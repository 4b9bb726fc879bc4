//! Stage `model`: SQL models over the tables to be published, in dependency order, with audits and test cases.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::Spec;
use crate::config::spec::SqlFile;
use crate::engine::Engine;
use crate::error::{Diagnostic, Result};

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
    /// Models and base tables it reads, found by parsing, sorted.
    pub depends: Vec<String>,
    /// The query.
    pub sql: SqlFile,
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

/// Reads headers, finds dependencies and puts the models in order. `select` and `exclude` are dbt-like: `name`, `name+`, `+name`.
///
/// # Errors
/// `Config` with every finding: no header, unknown table, cycle, unknown selector.
pub fn order(_engine: &Engine, _spec: &Spec, _select: &[String], _exclude: &[String]) -> Result<Vec<ModelSpec>> {
    todo!()
}

/// Every mistake in models and audits that can be found without data, with line and column and "did you mean".
#[must_use]
pub fn check(_engine: &Engine, _spec: &Spec) -> Vec<Diagnostic> {
    todo!()
}

/// Builds the models over `base`, in order; gives the new tables only. Rows are in the order of the model's last ORDER BY, or sorted by all columns.
///
/// # Errors
/// `Config` if a query fails to plan, `Environment` if memory does not suffice, `Input` if a value cannot be computed.
pub fn build(_engine: &Engine, _spec: &Spec, _models: &[ModelSpec], _as_of: NaiveDate, _base: &Tables) -> Result<Tables> {
    todo!()
}

/// Runs the audits that read only tables in `tables`.
///
/// # Errors
/// `Config` if a query fails.
pub fn audit(_engine: &Engine, _spec: &Spec, _as_of: NaiveDate, _tables: &Tables) -> Result<Vec<AuditResult>> {
    todo!()
}

/// Runs `tests/<case>/{given,expect}/*.csv` of the project and of the standard models it uses.
///
/// # Errors
/// `Config` if a case is malformed.
pub fn test(_engine: &Engine, _spec: &Spec) -> Result<Vec<CaseResult>> {
    todo!()
}
