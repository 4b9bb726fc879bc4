//! What a run says about itself: counts, times and findings as values. The command line prints them; JSON is a contract with a schema.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::block::RuleCounts;
use crate::error::GateResult;
use crate::key::KeyChanges;
use crate::model::{AuditResult, ModelTime};
use crate::score::{ModelSource, ScoreCounts, TrainingReport};
use crate::source::{Drift, SourceCounts};
use crate::table::{DecisionKind, Decisions, RunId, VersionNumber};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A new version was committed.
    Published,
    /// Config, inputs and as-of day are those of the newest version: nothing was written.
    Unchanged,
}

/// Wall and CPU time of one stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StageTime {
    /// Stage.
    pub stage: String,
    /// Wall time in milliseconds.
    pub elapsed_ms: u64,
    /// CPU time of all threads in milliseconds; 0 where the system does not tell.
    pub cpu_ms: u64,
}

/// What a run did. `stammkunde run --format json` prints this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunReport {
    /// How it ended.
    pub outcome: Outcome,
    /// The run.
    pub run_id: RunId,
    /// The version published, or the one that stays.
    pub version: VersionNumber,
    /// Where it is.
    pub warehouse: String,
    /// As-of day.
    pub as_of: NaiveDate,
    /// Counts by source and record.
    pub sources: Vec<SourceCounts>,
    /// Rows of people on the suppression list that were left out, by record; `rejects` counts contents that were blanked.
    #[serde(default)]
    pub suppressed: std::collections::BTreeMap<String, u64>,
    /// Rows past their retention that were left out, by record; `rejects` counts contents that were blanked.
    #[serde(default)]
    pub expired: std::collections::BTreeMap<String, u64>,
    /// Differences in columns.
    pub drift: Vec<Drift>,
    /// Placeholders that became null, by `column/kind`.
    pub placeholders: std::collections::BTreeMap<String, u64>,
    /// Identity resolution; absent when nothing changed.
    pub identity: Option<IdentityReport>,
    /// What happened to keys; absent when nothing changed.
    pub keys: Option<KeyChanges>,
    /// Gates, all passed or accepted when a version was published; empty when nothing changed.
    #[serde(default)]
    pub gates: Vec<GateResult>,
    /// Models in the order built, with the time each took; empty when nothing changed.
    #[serde(default)]
    pub models: Vec<ModelTime>,
    /// Audits, all passed when a version was published.
    pub audits: Vec<AuditResult>,
    /// What was taken over from the last version instead of being read again; absent when nothing changed.
    pub pieces: Option<PieceCounts>,
    /// What `--full-refresh` found: tables that would have come out otherwise if what the last version knew had been taken over. Empty: none.
    pub refresh_differences: Option<Vec<String>>,
    /// Rows of every published table.
    pub tables: std::collections::BTreeMap<String, u64>,
    /// Time by stage.
    pub stages: Vec<StageTime>,
    /// Totals.
    pub resources: Resources,
}

/// Parts of the sources: one object each, or all objects of a source whose mapping looks at several rows at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct PieceCounts {
    /// Read and mapped in this run.
    pub read: u64,
    /// As they were: taken over from the last version.
    pub known: u64,
}

/// What `stammkunde resolve` did; `--format json` prints this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResolveReport {
    /// The file written, as it was given.
    pub out: String,
    /// Its bytes.
    pub bytes: u64,
    /// The version whose keys were carried over, if there is one.
    pub previous: Option<VersionNumber>,
    /// Counts by source and record.
    pub sources: Vec<SourceCounts>,
    /// Placeholders that became null, by `column/kind`.
    pub placeholders: std::collections::BTreeMap<String, u64>,
    /// Identity resolution.
    pub identity: IdentityReport,
    /// What would happen to keys.
    pub keys: KeyChanges,
    /// Time by stage.
    pub stages: Vec<StageTime>,
    /// Totals.
    pub resources: Resources,
}

/// What identity resolution saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IdentityReport {
    /// Contact records.
    pub records: u64,
    /// Customers found.
    pub customers: u64,
    /// Records of the largest customer.
    pub largest_customer: u64,
    /// Exact counts by blocking rule.
    pub blocking: Vec<RuleCounts>,
    /// Pairs compared and kept.
    pub pairs: ScoreCounts,
    /// Links that were refused or lie below the threshold.
    pub possible_links: u64,
    /// The same by reason, as in `possible_links.reason`.
    #[serde(default)]
    pub refused_links: std::collections::BTreeMap<String, u64>,
    /// Values that too many people share, by column; the values are in the table `generic_values`.
    #[serde(default)]
    pub generic_values: Vec<GenericCounts>,
    /// What people decided.
    #[serde(default)]
    pub decisions: DecisionCounts,
    /// Whether the model of the last version was used again.
    pub model_reused: bool,
    /// Where the model comes from.
    pub model_source: ModelSource,
    /// How training went.
    pub training: TrainingReport,
}

/// Values of one column that mean nobody in particular, and that deterministic rules ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GenericCounts {
    /// Column.
    pub column: String,
    /// Values.
    pub values: u64,
    /// Records that hold one of them.
    pub records: u64,
}

/// Decisions of people about pairs of records and about keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct DecisionCounts {
    /// Pairs that are one customer.
    pub must_link: u64,
    /// Pairs that are kept apart.
    pub cannot_link: u64,
    /// Records whose customer has a given key.
    #[serde(default)]
    pub pin: u64,
    /// Decisions about a record that is not there; they are listed in `rejects`.
    pub unknown_record: u64,
}

impl DecisionCounts {
    /// Counts pairs of records; several decisions about one pair count once.
    #[must_use]
    pub fn of(decisions: &Decisions) -> Self {
        Self {
            must_link: decisions.pairs(DecisionKind::MustLink).len() as u64,
            cannot_link: decisions.pairs(DecisionKind::CannotLink).len() as u64,
            pin: decisions.pinned().count() as u64,
            unknown_record: decisions.unknown(),
        }
    }
}

/// What a run took from the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Resources {
    /// Wall time in milliseconds.
    pub elapsed_ms: u64,
    /// CPU time of all threads in milliseconds; 0 where the system does not tell.
    pub cpu_ms: u64,
    /// Largest resident memory in bytes; 0 where the system does not tell.
    pub memory_bytes_max: u64,
}

/// CPU time of this process so far, in milliseconds; 0 where `/proc` does not tell.
#[must_use]
pub fn process_cpu_ms() -> u64 {
    // Fields 14 and 15 of /proc/self/stat, counted after the command name in parentheses, in ticks of 10 ms.
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else {
        return 0;
    };
    let Some((_, fields)) = stat.rsplit_once(") ") else { return 0 };
    let ticks = |position: usize| {
        fields
            .split(' ')
            .nth(position)
            .and_then(|field| field.parse::<u64>().ok())
            .unwrap_or(0)
    };
    (ticks(11) + ticks(12)) * 10
}

/// Largest resident memory of this process so far, in bytes; 0 where `/proc` does not tell.
#[must_use]
pub fn process_memory_bytes_max() -> u64 {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return 0;
    };
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok())
        .unwrap_or(0)
        * 1024
}
