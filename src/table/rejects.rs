//! What was not taken, where it stood and why: nothing an export held is lost silently.

use serde::{Deserialize, Serialize};

/// Whether a whole row or one value of it was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RejectLevel {
    /// The row is in no table.
    Row,
    /// The row was kept; this one value became null.
    Value,
}

impl RejectLevel {
    /// Lower-case name, as published in `rejects.level`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Row => "row",
            Self::Value => "value",
        }
    }
}

/// One row or value that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reject {
    /// Source as named in the config.
    pub source: String,
    /// Canonical record it was meant for; `None` while it was still a raw row.
    pub record: Option<String>,
    /// Object it was read from, if known.
    pub file: Option<String>,
    /// Line (CSV, JSON lines: from 1) or row (Parquet: from 1) in the object, if known.
    pub line: Option<u64>,
    /// Row or value.
    pub level: RejectLevel,
    /// Reason code in snake case: `ragged_row`, `field_too_large`, `invalid_encoding`, `invalid_json`, `unparsed_value`,
    /// `missing_required`, `duplicate`, `superseded`, `deleted`, `excel_damaged`, …
    pub reason: String,
    /// Column concerned, if one is.
    pub field: Option<String>,
    /// The raw row or value as text, cut at 4,096 bytes.
    pub content: Option<String>,
}

/// Rejects of a stage, in a deterministic order once [`Rejects::sort`] was called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejects {
    /// The single rejects.
    pub rows: Vec<Reject>,
}

/// Longest content kept of a reject, in bytes.
pub const REJECT_CONTENT_BYTES_MAX: usize = 4096;

impl Rejects {
    /// Adds one, with its content cut at [`REJECT_CONTENT_BYTES_MAX`].
    pub fn push(&mut self, mut reject: Reject) {
        if let Some(content) = &mut reject.content
            && content.len() > REJECT_CONTENT_BYTES_MAX
        {
            let mut end = REJECT_CONTENT_BYTES_MAX;
            while !content.is_char_boundary(end) {
                end -= 1;
            }
            content.truncate(end);
        }
        self.rows.push(reject);
    }

    /// Takes over all of another stage's.
    pub fn append(&mut self, mut other: Self) {
        self.rows.append(&mut other.rows);
    }

    /// Number of whole rows not taken.
    #[must_use]
    pub fn rows_count(&self) -> u64 {
        self.rows.iter().filter(|reject| reject.level == RejectLevel::Row).count() as u64
    }

    /// Number of values that became null.
    #[must_use]
    pub fn values_count(&self) -> u64 {
        self.rows.len() as u64 - self.rows_count()
    }

    /// Brings them into an order that does not depend on threads or on the order of files.
    pub fn sort(&mut self) {
        self.rows.sort_unstable();
    }
}
