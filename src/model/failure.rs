//! What DataFusion says, in this program's terms: which kind of error, where in the file, and never a value of a row.

use datafusion::common::{DataFusionError, SchemaError};

use super::suggest;
use crate::config::spec::SqlFile;
use crate::error::{Diagnostic, Error};

/// A mistake in a query that planning found.
#[must_use]
pub fn diagnostic(file: &SqlFile, error: &DataFusionError) -> Diagnostic {
    let span = error.diagnostic().and_then(|diagnostic| diagnostic.span);
    let (line, column) = span.map_or((0, 0), |span| (span.start.line as usize, span.start.column as usize));
    let (message, hint) = wording(error);
    Diagnostic {
        file: file.path.clone(),
        line,
        column,
        message,
        hint,
    }
}

fn wording(error: &DataFusionError) -> (String, Option<String>) {
    if let DataFusionError::SchemaError(schema_error, _) = error.find_root() {
        if let SchemaError::FieldNotFound { field, valid_fields } = schema_error.as_ref() {
            let hint = suggest::nearest(&field.name, valid_fields.iter().map(|valid| valid.name.as_str()));
            return (format!("unknown column `{}`", field.name), hint);
        }
    }
    let text = error.find_root().message().into_owned();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let message = lines.next().unwrap_or("the query cannot be planned").to_owned();
    let hint = lines
        .find(|line| line.starts_with("Did you mean"))
        .map(|line| line.replace('\'', "`"));
    (message, hint)
}

/// An error while a query ran. `what` is `model` or `audit`. The text of a failed computation may hold a value of a person, so it is
/// replaced by its class.
#[must_use]
pub fn run(what: &'static str, file: &SqlFile, error: &DataFusionError) -> Error {
    let root = error.find_root();
    match root {
        DataFusionError::ResourcesExhausted(_) => Error::environment("not enough memory for a query")
            .with(what, file.name.clone())
            .hint("give it more with `--memory-limit`, or use fewer `--threads`"),
        DataFusionError::IoError(_) | DataFusionError::ObjectStore(_) => Error::environment("a query could not read or spill")
            .with(what, file.name.clone())
            .hint("check free space in the temporary folder"),
        DataFusionError::Plan(_) | DataFusionError::SchemaError(..) | DataFusionError::SQL(..) | DataFusionError::NotImplemented(_) => {
            Error::diagnostics(vec![diagnostic(file, error)])
        }
        _ => Error::input(format!("a value cannot be computed: {}", class(root)))
            .with(what, file.name.clone())
            .with("file", file.path.clone())
            .hint("guard the expression, e.g. with nullif, try_cast or a WHERE"),
    }
}

fn class(error: &DataFusionError) -> &'static str {
    let DataFusionError::ArrowError(error, _) = error else {
        return "an expression failed";
    };
    match error.as_ref() {
        arrow::error::ArrowError::CastError(_) | arrow::error::ArrowError::ParseError(_) => "a value does not fit the type it is cast to",
        arrow::error::ArrowError::DivideByZero => "division by zero",
        arrow::error::ArrowError::ArithmeticOverflow(_) => "a number overflows",
        _ => "an expression failed",
    }
}
