//! Newtypes for every id, so that a record index can never be taken for a customer or a version.

use std::fmt;

use crate::error::{Error, Result};

/// Position of a contact record in canonical order: sorted by (source, record id), from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordIx(pub u32);

impl RecordIx {
    /// As an index into a column.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The stable public key of a customer: 26 characters of lower-case Crockford base 32 (128 bits).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerKey(pub String);

impl fmt::Display for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Number of a published version, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct VersionNumber(pub u64);

impl fmt::Display for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Name of one run, safe as a folder name. A scheduler's own id (Airflow's holds `:` and `+`) is made safe by [`RunId::from_scheduler`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct RunId(String);

/// Longest run id in characters.
pub const RUN_ID_LENGTH_MAX: usize = 128;

impl RunId {
    /// Takes a scheduler's id: every character outside `[A-Za-z0-9_.-]` becomes `-`, leading dots are dropped.
    ///
    /// # Errors
    /// `Config` if nothing usable is left or the id is longer than [`RUN_ID_LENGTH_MAX`].
    pub fn from_scheduler(text: &str) -> Result<Self> {
        let safe: String = text
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-') {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        let safe = safe.trim_start_matches('.').to_owned();
        if safe.is_empty() || safe.len() > RUN_ID_LENGTH_MAX {
            return Err(Error::config("the run id is not usable")
                .with("run id", text)
                .hint(format!("give 1 to {RUN_ID_LENGTH_MAX} characters of A-Z a-z 0-9 _ . -")));
        }
        Ok(Self(safe))
    }

    /// The id as a folder name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
