//! The plan: what would be read, compared, built and published. `run` executes it; `run --dry-run` prints it and writes nothing.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::block::RuleCounts;
use crate::config::Spec;
use crate::engine::Engine;
use crate::error::{GateResult, Result};
use crate::key::{KeyChanges, KeyRefusal};
use crate::model::{self, ModelSpec};
use crate::report::DecisionCounts;
use crate::score::ModelSource;
use crate::source::{self, Drift, InputObject, InputStatus, Ledger, SourceCounts};
use crate::table::VersionNumber;

mod blocks;
mod estimate;
mod keys;

pub use blocks::{PlannedBlock, largest_blocks};
pub use estimate::{Measured, PlannedStage, estimate};
pub use keys::{KindRevenue, Money};

/// What a run will do, decided before a byte of data is read.
#[derive(Debug, Clone)]
pub struct Plan {
    /// As-of day.
    pub as_of: NaiveDate,
    /// The newest version, from which keys and model are carried over.
    pub previous: Option<VersionNumber>,
    /// Every object, with its status against the ledger of the newest version.
    pub inputs: Vec<(InputObject, InputStatus)>,
    /// SQL models in the order in which they are built.
    pub models: Vec<ModelSpec>,
    /// Digest of the suppression list; `None` while nobody is on it.
    pub suppressions: Option<String>,
}

/// Which models to build.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Selectors like `customer_clv`, `+customer_clv`, `customer_orders+`; empty = all.
    pub select: Vec<String>,
    /// Selectors to leave out.
    pub exclude: Vec<String>,
}

/// Lists inputs and orders models.
///
/// # Errors
/// As [`source::list`] and [`model::order`].
pub fn plan(
    engine: &Engine,
    spec: &Spec,
    previous: Option<VersionNumber>,
    ledger: &Ledger,
    as_of: NaiveDate,
    selection: &Selection,
) -> Result<Plan> {
    Ok(Plan {
        as_of,
        previous,
        inputs: source::list(engine, spec, ledger)?,
        models: model::order(engine, spec, &selection.select, &selection.exclude)?,
        suppressions: None,
    })
}

impl Plan {
    /// The objects to read: all that are there.
    #[must_use]
    pub fn objects(&self) -> Vec<InputObject> {
        self.inputs
            .iter()
            .filter(|(_, status)| *status != InputStatus::Missing)
            .map(|(object, _)| object.clone())
            .collect()
    }

    /// Names what decides the result: config and SQL, the models to build, the content of every input, who is suppressed,
    /// the as-of day. Equal
    /// fingerprints, equal tables. `None` while the hash of an object is not known.
    #[must_use]
    pub fn fingerprint(&self, spec: &Spec, inputs: &[InputObject]) -> Option<String> {
        let mut hash = Sha256::new();
        let mut add = |part: &str| {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        };
        add(&spec.fingerprint);
        add(&self.as_of.to_string());
        self.models.iter().for_each(|model| add(&model.name));
        self.suppressions.iter().for_each(|digest| add(digest));
        add("inputs");
        for input in inputs {
            [&input.source, &input.path, input.sha256.as_ref()?]
                .into_iter()
                .for_each(|part| add(part));
        }
        Some(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Whether every object is as in the last version.
    #[must_use]
    pub fn inputs_unchanged(&self) -> bool {
        self.inputs.iter().all(|(_, status)| *status == InputStatus::Unchanged)
    }
}

/// A plan for people and machines. `stammkunde plan --format json` and `run --dry-run --format json` print this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PlanReport {
    /// Where a version would be published.
    pub warehouse: String,
    /// As-of day.
    pub as_of: NaiveDate,
    /// The newest version, if there is one.
    pub previous: Option<VersionNumber>,
    /// The version that would be published; absent when nothing changed.
    pub next: Option<VersionNumber>,
    /// Objects that would be read, and those that are gone.
    pub inputs: Vec<PlannedInput>,
    /// Rows by source and record.
    pub sources: Vec<SourceCounts>,
    /// Differences in columns.
    pub drift: Vec<Drift>,
    /// Contact records that would be compared.
    pub records: u64,
    /// Exact candidate pairs of each blocking rule, counted before a pair is made: `pairs` inside its blocks, `pairs_new` that no earlier
    /// rule gives.
    pub blocking: Vec<RuleCounts>,
    /// Distinct candidate pairs of all rules, exact: the comparisons that a run makes which takes nothing over.
    pub pairs: u64,
    /// Those that a run would compare: pairs of records of which one is new or changed; only `run --dry-run` goes so far.
    #[serde(default)]
    pub pairs_compared: Option<u64>,
    /// The largest blocks of every blocking and deterministic rule, before any is split or left out.
    pub largest_blocks: Vec<PlannedBlock>,
    /// Whether no model would be trained.
    pub model_reused: bool,
    /// Where the model would come from.
    pub model_source: ModelSource,
    /// Decisions of people that would be applied.
    pub decisions: DecisionCounts,
    /// What would happen to keys; only `run --dry-run` goes so far.
    pub keys: Option<KeyChanges>,
    /// What the customers of each kind of change have bought; empty where `keys` is absent.
    #[serde(default)]
    pub key_revenue: Vec<KindRevenue>,
    /// Kinds of change beyond `keys.changed_share_max`: a run would end with exit code 1 unless `--accept-key-changes` is given.
    #[serde(default)]
    pub key_refusals: Vec<KeyRefusal>,
    /// Gates: those on inputs, and in a dry run those on customers. A run stops at one that neither passed nor was accepted.
    #[serde(default)]
    pub gates: Vec<GateResult>,
    /// Models that would be built, in order.
    pub models: Vec<PlannedModel>,
    /// Estimated wall time of a run by stage.
    pub stages: Vec<PlannedStage>,
    /// Estimated wall time of a run in milliseconds: their sum.
    pub elapsed_ms_estimate: u64,
    /// Estimated peak memory in bytes.
    pub memory_bytes_estimate: u64,
    /// Limit on the memory of the process in bytes.
    pub memory_limit_bytes: u64,
    /// Threads.
    pub threads: u64,
}

/// One object of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedInput {
    /// Source.
    pub source: String,
    /// Path.
    pub path: String,
    /// Bytes as stored.
    pub size: u64,
    /// Against the newest version.
    pub status: InputStatus,
}

/// One model of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedModel {
    /// Table.
    pub name: String,
    /// What one row is.
    pub grain: String,
    /// What it reads.
    pub depends: Vec<String>,
}

impl Plan {
    /// The parts of the report that are known before data is read.
    #[must_use]
    pub fn planned_inputs(&self) -> Vec<PlannedInput> {
        let planned = |(object, status): &(InputObject, InputStatus)| PlannedInput {
            source: object.source.clone(),
            path: object.path.clone(),
            size: object.size,
            status: *status,
        };
        self.inputs.iter().map(planned).collect()
    }

    /// Models by name, in order.
    #[must_use]
    pub fn planned_models(&self) -> Vec<PlannedModel> {
        let planned = |model: &ModelSpec| PlannedModel {
            name: model.name.clone(),
            grain: model.grain.clone(),
            depends: model.depends.clone(),
        };
        self.models.iter().map(planned).collect()
    }
}
