//! What a gate found: a value, its limit, and the rows that passed it, so that a run which publishes nothing still shows them.

use std::collections::BTreeMap;
use std::fmt::Write;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most offenders that a result lists.
pub const OFFENDERS_MAX: usize = 20;

/// How one gate went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GateResult {
    /// Name of the gate: its key under `gates` in pipeline.yaml.
    pub gate: String,
    /// What it watches, in words.
    pub message: String,
    /// The worst value measured; absent if there was nothing to measure, e.g. no last version to compare with.
    pub value: Option<f64>,
    /// The limit of that value, which may still be reached; absent if the gate is switched off.
    pub limit: Option<f64>,
    /// Whether no value is above its limit.
    pub passed: bool,
    /// Whether it failed and `--accept-gate` let the run go on.
    pub accepted: bool,
    /// How many offenders there are.
    pub offenders_count: u64,
    /// The worst of them, at most 20.
    pub offenders: Vec<Offender>,
}

/// What passed a limit: a customer, a source, or a column of a source. Holds no value of a person; record ids that look personal are masked.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Offender {
    /// What was measured.
    pub value: f64,
    /// The most that is allowed.
    pub limit: f64,
    /// Source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Canonical record, or `raw` for rows of files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Key that the customer would have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_key: Option<String>,
    /// The day it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<chrono::NaiveDate>,
    /// Numbers behind the value, by name.
    pub counts: BTreeMap<String, u64>,
    /// Some of the rows it is about.
    pub rows: Vec<OffendingRow>,
}

/// A row to look at.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct OffendingRow {
    /// Source.
    pub source: String,
    /// Its id, masked if it looks personal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record_id: Option<String>,
    /// File it was read from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Line there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Why it was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl GateResult {
    /// Whether the run must not publish.
    #[must_use]
    pub fn stops(&self) -> bool {
        !self.passed && !self.accepted
    }

    /// For people: the gate, then a line an offender.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("gates.{}: {}", self.gate, self.message);
        for offender in &self.offenders {
            let _ = write!(text, "\n  {}", offender.text());
        }
        let more = self.offenders_count - self.offenders.len() as u64;
        if more > 0 {
            let _ = write!(text, "\n  and {more} more");
        }
        text
    }
}

impl Offender {
    /// One line: what it is, its value and limit, the numbers behind it, and rows to look at.
    fn text(&self) -> String {
        let customer = self.customer_key.as_ref().map(|key| format!("customer {key}"));
        let column = self.column.as_ref().map(|column| format!("column {column}"));
        let parts = [customer, self.source.clone(), self.record.clone(), column];
        let names: Vec<String> = parts.into_iter().flatten().collect();
        let mut text = format!("{}: {}, at most {}", names.join(" "), number(self.value), number(self.limit));
        let mut behind: Vec<String> = self.counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
        behind.extend(self.day.map(|day| format!("newest {day}")));
        if !behind.is_empty() {
            let _ = write!(text, " ({})", behind.join(", "));
        }
        let rows: Vec<String> = self.rows.iter().map(OffendingRow::text).collect();
        if !rows.is_empty() {
            let _ = write!(text, "; see {}", rows.join(", "));
        }
        text
    }
}

impl OffendingRow {
    fn text(&self) -> String {
        if let Some(id) = &self.record_id {
            return format!("{}:{id}", self.source);
        }
        let place = match (&self.file, self.line) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            (Some(file), None) => file.clone(),
            _ => self.source.clone(),
        };
        self.reason
            .as_ref()
            .map_or_else(|| place.clone(), |reason| format!("{place} {reason}"))
    }
}

/// Whole numbers as they are, shares with three digits.
fn number(value: f64) -> String {
    if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.3}")
    }
}
