//! How good the newest version is: against labels, or without any by what the model expects and by signs of over-merging.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::compare::Comparer;
use crate::config::Spec;
use crate::engine::Engine;
use crate::error::Result;
use crate::explain::{PairExplanation, Reader, Subject};
use crate::score::Weights;
use crate::table::VersionNumber;

mod conflicts;
mod estimate;
mod known;
mod labeled;
mod labels;
mod metrics;
mod paths;
mod scene;
mod sweep;
mod wrong;

pub use conflicts::{Conflict, SizeCount, Suspect};
pub use estimate::{Estimate, Unlinkable};
pub use known::{LabelCounts, LabelKind};
pub use labeled::{LabeledQuality, RuleQuality, ThresholdQuality};
pub use labels::{CLUSTER, IS_MATCH, LabelFile};
pub use metrics::{Evaluation, Quality, evaluate, whole_clusters};
pub use sweep::{Edge, Measured, Truth, sweep};
pub use wrong::{MISSES_LOOKED_AT_MAX, MissCount};

use labeled::Compared;
use scene::Scene;
use wrong::Wrong;

/// What is asked.
#[derive(Debug, Clone)]
pub struct EvaluateOptions {
    /// Labels; without them quality is estimated.
    pub labels: Option<LabelFile>,
    /// Most examples of each kind.
    pub examples: usize,
    /// Records from which on a customer counts as a sign of over-merging: more than these.
    pub records_max: u64,
    /// Whether examples show values of people as they are.
    pub show_pii: bool,
}

/// How good a version is. `stammkunde evaluate --format json` prints this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EvaluationReport {
    /// Version it is about.
    pub version: VersionNumber,
    /// Its records.
    pub records: u64,
    /// Its customers.
    pub customers: u64,
    /// Match weight at the threshold of the project, in bits.
    pub threshold_weight: f64,
    /// Against labels, if there are any.
    pub labeled: Option<LabeledReport>,
    /// What can be said without labels; absent if there are any.
    pub unlabeled: Option<UnlabeledReport>,
}

/// Quality against labels, and the worst errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LabeledReport {
    /// Metrics.
    pub quality: LabeledQuality,
    /// Customers that hold several people.
    pub customers_wrong: u64,
    /// Their worst: the heaviest wrong pair of each, the heaviest first.
    pub false_positives: Vec<WrongPair>,
    /// Pairs of customers that are one person, among the misses that were looked at.
    pub customer_pairs_missed: u64,
    /// The worst: the heaviest pair between both, the lightest first.
    pub false_negatives: Vec<WrongPair>,
}

/// A pair of records that is wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WrongPair {
    /// Why a missed pair is apart: `not_compared`, `below_threshold`, or the constraint that refused it. Absent for wrong links.
    pub why_not: Option<String>,
    /// Its waterfall of match weights, as `explain` gives it.
    pub explanation: PairExplanation,
}

/// What can be said without labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UnlabeledReport {
    /// Quality as the model expects it.
    pub estimate: Estimate,
    /// Records that say too little to be linked to anything.
    pub unlinkable: Unlinkable,
    /// Customers by number of records.
    pub sizes: Vec<SizeCount>,
    /// Customers that look like several people.
    pub conflicts: Vec<Conflict>,
    /// Those with most signs.
    pub suspects: Vec<Suspect>,
}

/// Evaluates the newest version.
///
/// # Errors
/// `Input` if nothing is published or the labels cannot be used, `Config` if the project compares otherwise than the model of the version,
/// `Environment` for the store or a damaged file.
pub fn report(engine: &Engine, spec: &Spec, options: &EvaluateOptions) -> Result<EvaluationReport> {
    let sources: Vec<&str> = spec.sources.iter().map(|source| source.name.as_str()).collect();
    let labels = options.labels.as_ref().map(|file| labels::read(file, &sources)).transpose()?;
    let counted = conflicts::COUNTED.map(|(name, _)| name);
    let scene = Scene::open(engine, spec, &counted)?;
    let weights = Weights::new(&spec.identity.comparisons, &scene.model, &scene.frequencies, &scene.records)?;
    let comparer = engine.compute(|| Comparer::new(&spec.identity.comparisons, &scene.records));
    let threshold_weight = estimate::thresholds(spec).1;
    let mut report = EvaluationReport {
        version: scene.version,
        records: scene.records.len().into(),
        customers: scene.customers.counts().len() as u64,
        threshold_weight,
        labeled: None,
        unlabeled: None,
    };
    if let Some(labels) = labels {
        let compared = engine.compute(|| labeled::compare(spec, &scene, &labels, &weights, &comparer))?;
        report.labeled = Some(with_examples(engine, spec, options, &scene, compared)?);
    } else {
        report.unlabeled = Some(engine.compute(|| {
            let (conflicts, suspects) = conflicts::conflicts(&scene.records, &scene.customers, options.records_max, options.examples);
            UnlabeledReport {
                estimate: estimate::estimate(spec, &scene, &weights, &comparer),
                unlinkable: estimate::unlinkable(&scene, &weights, &comparer, threshold_weight),
                sizes: conflicts::sizes(&scene.customers),
                conflicts,
                suspects,
            }
        }));
    }
    Ok(report)
}

fn with_examples(engine: &Engine, spec: &Spec, options: &EvaluateOptions, scene: &Scene, compared: Compared) -> Result<LabeledReport> {
    let reader = Reader::open(engine, spec, options.show_pii)?;
    let subject = |record: u32| {
        let text = |values: &arrow::array::StringArray| values.value(record as usize).to_owned();
        Subject::Record(text(&scene.sources), text(&scene.record_ids))
    };
    let examples = |wrong: &[Wrong]| -> Result<Vec<WrongPair>> {
        let example = |wrong: &Wrong| {
            Ok(WrongPair {
                why_not: (!wrong.reason.is_empty()).then(|| wrong.reason.clone()),
                explanation: reader.pair(&subject(wrong.left), &subject(wrong.right))?,
            })
        };
        wrong.iter().take(options.examples).map(example).collect()
    };
    Ok(LabeledReport {
        customers_wrong: compared.false_positives.len() as u64,
        false_positives: examples(&compared.false_positives)?,
        customer_pairs_missed: compared.false_negatives.len() as u64,
        false_negatives: examples(&compared.false_negatives)?,
        quality: compared.quality,
    })
}
