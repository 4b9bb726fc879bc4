//! The models and audits that every project gets unless it says `standard_models: false`.

use super::spec::SqlFile;

/// The standard models.
#[must_use]
pub fn models() -> Vec<SqlFile> {
    Vec::new()
}

/// The audits of the standard models.
#[must_use]
pub fn audits() -> Vec<SqlFile> {
    Vec::new()
}
