//! What DataFusion says about a file: a finding with its place while planning, an error that names the file while running.

use datafusion::common::{DataFusionError, SchemaError};

use super::suggest;
use crate::config::spec::SqlFile;
use crate::engine::{diagnose, sql_error};
use crate::error::{Diagnostic, Error};

/// The mistakes in a query that planning found.
#[must_use]
pub fn diagnostics(file: &SqlFile, error: &DataFusionError) -> Vec<Diagnostic> {
    let mut findings = diagnose(error, &file.path, &file.text);
    if let (DataFusionError::SchemaError(schema_error, _), [finding]) = (error.find_root(), findings.as_mut_slice())
        && let SchemaError::FieldNotFound { field, valid_fields } = schema_error.as_ref()
    {
        finding.message = format!("unknown column `{}`", field.name);
        finding.hint = suggest::nearest(&field.name, valid_fields.iter().map(|valid| valid.name.as_str())).or(finding.hint.take());
    }
    findings
}

/// An error while a query ran. `what` is `model` or `audit`. Holds no value of a row.
#[must_use]
pub fn run(what: &'static str, file: &SqlFile, error: &DataFusionError) -> Error {
    let is_plan = matches!(
        error.find_root(),
        DataFusionError::Plan(_) | DataFusionError::SchemaError(..) | DataFusionError::SQL(..) | DataFusionError::NotImplemented(_)
    );
    if is_plan {
        return Error::diagnostics(diagnostics(file, error));
    }
    sql_error(error).with(what, file.name.clone()).with("file", file.path.clone())
}
