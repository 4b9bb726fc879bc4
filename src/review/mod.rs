//! The pairs most worth a person's look: where the matching is unsure, and much hangs on the answer.
//!
//! Two kinds of pair are worth a look. *Near* pairs are apart and look alike (`possible_links`; of the links between two customers the
//! heaviest). *Bridges* are links without which one customer would fall into two. Each is ranked by what a decision is expected to change:
//!
//! ```text
//! score = p · (1 - p) · stake
//! ```
//!
//! p is the match probability as published, so p · (1 - p), the variance of the answer, is largest where it is open; of a pair that a
//! constraint refused, p is at most the threshold, because something speaks against the model. The stake is, by
//! `--kind`, `near` and `bridge`: the records of the smaller side, which a decision moves; `revenue`: the revenue of the customers concerned;
//! `all`: both, the revenue in units of the average customer with revenue. Revenue is gross less refunds of orders that are not cancelled, in
//! the reporting currency; orders in another currency do not count. A bridge of a deterministic rule counts with the probability published,
//! which is the threshold where its fields say less, and only if its two records differ in a name or the birth date: that is where a shared
//! identifier may join strangers.

use arrow::array::RecordBatch;
use rustc_hash::FxHashSet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::Spec;
use crate::engine::Engine;
use crate::error::Result;
use crate::publish::Warehouse;
use crate::source;
use crate::table::VersionNumber;
use crate::table::decisions::NamedRecord;
use crate::text::mask::is_personal;

mod candidates;
mod csv;
mod stakes;
mod values;

pub use csv::csv;

use candidates::Candidate;
use stakes::Stakes;

/// Reads columns of a table of the version; nothing if it lacks the table.
type Read<'a> = dyn Fn(&str, &[&str]) -> Result<Vec<RecordBatch>> + 'a;

/// What is asked.
#[derive(Debug, Clone)]
pub struct ReviewOptions {
    /// Which pairs, and what ranks them.
    pub kind: ReviewKind,
    /// Most pairs.
    pub limit: usize,
    /// Whether values of people are shown as they are.
    pub show_pii: bool,
}

/// Which pairs, and what ranks them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewKind {
    /// Pairs that are apart and look alike.
    Near,
    /// Near pairs and bridges, by the revenue of their customers.
    Revenue,
    /// Links without which a customer would fall into two.
    Bridge,
    /// Near pairs and bridges, by records and revenue.
    All,
}

/// Pairs to decide. `stammkunde review --format json` prints this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewReport {
    /// Version they are from.
    pub version: VersionNumber,
    /// What they are ranked by.
    pub kind: ReviewKind,
    /// The pairs, the most valuable first.
    pub pairs: Vec<ReviewPair>,
    /// Pairs that would stand among them but for a record id that is an address or a number of a person: only `--show-pii` shows them.
    pub left_out_personal: u64,
    /// Pairs that people have decided already.
    pub left_out_decided: u64,
}

/// Two records that a person should look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewPair {
    /// `near` or `bridge`.
    pub kind: ReviewKind,
    /// What a decision is expected to change; comparable within one report.
    pub score: f64,
    /// Match probability.
    pub match_probability: f64,
    /// Match weight in bits.
    pub match_weight: f64,
    /// Rule that paired them.
    pub rule: String,
    /// Why they are apart; absent for bridges.
    pub refused_because: Option<String>,
    /// Revenue of the customers concerned, in the reporting currency.
    pub revenue: f64,
    /// The smaller record and what hangs on it.
    pub left: ReviewSide,
    /// The larger record and what hangs on it.
    pub right: ReviewSide,
}

/// A record, and what hangs on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewSide {
    /// Source.
    pub source: String,
    /// Record id, as it is: a decision must name it.
    pub record_id: String,
    /// Its customer.
    pub customer_key: String,
    /// Records of its customer; for a bridge those on this side of it.
    pub records: u64,
    /// Standardized values, masked unless asked otherwise.
    pub values: serde_json::Map<String, serde_json::Value>,
}

/// Finds the pairs in the newest version.
///
/// # Errors
/// `Input` if nothing is published yet or the files of decisions cannot be read, `Environment` for the store or a damaged file.
pub fn review(engine: &Engine, spec: &Spec, options: &ReviewOptions) -> Result<ReviewReport> {
    let warehouse = Warehouse::new(engine.location(&spec.warehouse, &spec.folder)?);
    let manifest = warehouse.newest(engine)?;
    let decisions = source::decisions(engine, spec)?;
    let decided: FxHashSet<(NamedRecord, NamedRecord)> = decisions
        .pairs
        .into_iter()
        .map(|decision| (decision.left, decision.right))
        .collect();
    let table = |name: &str, columns: &[&str]| Ok(warehouse.read(engine, &manifest, name, Some(columns))?.unwrap_or_default());
    let stakes = Stakes::read(spec, &table)?;
    let mut found = candidates::find(&spec.identity, options.kind, &stakes, &table)?;
    // Ties: by the records, so that the list does not depend on the order of tables.
    found.sort_by(|a, b| {
        let by_score = b.score.total_cmp(&a.score);
        by_score.then_with(|| (&a.left, &a.right).cmp(&(&b.left, &b.right)))
    });
    let mut report = ReviewReport {
        version: manifest.version,
        kind: options.kind,
        pairs: Vec::new(),
        left_out_personal: 0,
        left_out_decided: 0,
    };
    let mut chosen: Vec<Candidate> = Vec::new();
    for candidate in found {
        if chosen.len() == options.limit {
            break;
        }
        if decided.contains(&candidate.names()) {
            report.left_out_decided += 1;
        } else if !options.show_pii && candidate.ids().iter().any(|id| is_personal(id)) {
            report.left_out_personal += 1;
        } else {
            chosen.push(candidate);
        }
    }
    let values = values::read(&chosen, options.show_pii, &table)?;
    report.pairs = chosen.into_iter().map(|candidate| candidate.into_pair(&values)).collect();
    Ok(report)
}
