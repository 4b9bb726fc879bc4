//! What a user wrote (`Config`), and what will be done (`Spec`). `load` is the only way from a project folder to a `Spec`, and it
//! reports every error at once.

use std::path::Path;

use crate::error::{Diagnostic, Result};

pub mod pipeline;
pub mod spec;
pub mod standard;

pub use pipeline::Config;
pub use spec::Spec;

/// What the command line changes in a config.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Publish here instead.
    pub warehouse: Option<String>,
}

/// Reads a project folder: `pipeline.yaml`, `sources/*.sql`, `models/*.sql`, `audits/*.sql`, `tests/`.
/// `environment` answers `${NAME}`.
///
/// # Errors
/// `Config` with every finding at once: file, line, column, what is wrong, what to do.
pub fn load(_folder: &Path, _overrides: &Overrides, _environment: &dyn Fn(&str) -> Option<String>) -> Result<Spec> {
    todo!()
}

/// As [`load`], but gives what could be resolved together with the findings, so that `validate` can go on to check SQL.
#[must_use]
pub fn load_all(_folder: &Path, _overrides: &Overrides, _environment: &dyn Fn(&str) -> Option<String>) -> (Option<Spec>, Vec<Diagnostic>) {
    todo!()
}

/// JSON Schema of `pipeline.yaml`.
#[must_use]
pub fn json_schema() -> serde_json::Value {
    todo!()
}
