//! Gates that need no labels: what makes a night unlike any sane night stops the run before it publishes, with the rows that did it.
//!
//! Gates on inputs are judged as soon as the sources are read, gates on customers once they have keys. All that fail at one point are told
//! together. A gate fails if a value is above its limit.

use std::cmp::Ordering;

use crate::config::gates::GatesSpec;
use crate::error::{Error, GateResult, OFFENDERS_MAX, Offender, Result};

mod customers;
mod inputs;

pub use customers::customers;
pub use inputs::{Night, inputs, rejected};

/// Gate on rejected rows.
pub const REJECTED_SHARE: &str = "rejected_share_max";
/// Gate on lost rows.
pub const ROWS_DROP: &str = "rows_drop_max";
/// Gate on lost values.
pub const NULL_SHARE_RISE: &str = "null_share_rise_max";
/// Gate on the age of data.
pub const FRESHNESS_DAYS: &str = "freshness_days_max";
/// Gate on the records of a customer.
pub const CUSTOMER_RECORDS: &str = "customer_records_max";
/// Gate on the birth dates of a customer.
pub const CUSTOMER_BIRTH_DATES: &str = "customer_birth_dates_max";
/// Gate on the given names of a customer.
pub const CUSTOMER_GIVEN_NAMES: &str = "customer_given_names_max";
/// Gate on the share of large customers.
pub const LARGE_CUSTOMERS_SHARE: &str = "large_customers_share_max";

/// Every gate, as it stands under `gates`, with what it says when it fails.
pub const GATES: [(&str, &str); 8] = [
    (REJECTED_SHARE, "too many rows were rejected"),
    (ROWS_DROP, "a source lost rows against the last version"),
    (NULL_SHARE_RISE, "a column lost values against the last version"),
    (FRESHNESS_DAYS, "the newest data of a source are old, in days"),
    (CUSTOMER_RECORDS, "a customer has too many records"),
    (CUSTOMER_BIRTH_DATES, "a customer has too many birth dates"),
    (CUSTOMER_GIVEN_NAMES, "a customer has too many given names"),
    (LARGE_CUSTOMERS_SHARE, "too many customers are large"),
];

/// Gates that may fail this once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accepted(Vec<(String, Option<String>)>);

impl Accepted {
    /// Reads `rows_drop_max`, or `rows_drop_max:crm` for one source.
    ///
    /// # Errors
    /// `Config` if no gate is called so.
    pub fn parse(names: &[String]) -> Result<Self> {
        let mut accepted = Vec::new();
        for text in names {
            let (name, source) = text
                .split_once(':')
                .map_or((text.as_str(), None), |(name, source)| (name, Some(source)));
            if GATES.iter().all(|(gate, _)| *gate != name) {
                let known: Vec<&str> = GATES.iter().map(|(gate, _)| *gate).collect();
                return Err(Error::config(format!("no gate is called `{name}`")).hint(format!("the gates are {}", known.join(", "))));
            }
            accepted.push((name.to_owned(), source.map(str::to_owned)));
        }
        Ok(Self(accepted))
    }

    fn has(&self, gate: &str, source: Option<&str>) -> bool {
        self.0
            .iter()
            .any(|(name, only)| name == gate && only.as_deref().is_none_or(|only| source == Some(only)))
    }
}

/// Stops the run if a gate failed that nobody accepted, with all that failed.
///
/// # Errors
/// `Gate`, with every failed gate.
pub fn check(results: &[GateResult]) -> Result<()> {
    let failed: Vec<GateResult> = results.iter().filter(|result| result.stops()).cloned().collect();
    if failed.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = failed.iter().map(|result| result.gate.as_str()).collect();
    let accept: Vec<String> = names.iter().map(|name| format!("--accept-gate {name}")).collect();
    let what = if failed.len() == 1 { "a gate" } else { "several gates" };
    Err(Error::gate(format!("{what} said no; nothing was published"))
        .with(
            "gates",
            names.iter().map(|name| format!("gates.{name}")).collect::<Vec<_>>().join(", "),
        )
        .hint(format!(
            "mend the data or the matching; or raise the limit in pipeline.yaml; or, if it is right this once: {}",
            accept.join(" ")
        ))
        .failed_gates(failed))
}

/// One value that a gate looked at.
struct Case {
    limit: Option<f64>,
    /// Its `limit` is filled in from above.
    offender: Offender,
}

impl Case {
    fn fails(&self) -> bool {
        self.limit.is_some_and(|limit| self.offender.value > limit)
    }
}

/// The result of a gate from everything it looked at. `limit` is the one told when there was nothing.
fn result(gate: &str, limit: Option<f64>, mut cases: Vec<Case>, accepted: &Accepted) -> GateResult {
    cases.retain(|case| case.limit.is_some());
    // Stable: equal values stay in the order of their names.
    cases.sort_by(|a, b| {
        let by_value = b.offender.value.total_cmp(&a.offender.value);
        if a.fails() == b.fails() {
            by_value
        } else if a.fails() {
            Ordering::Less
        } else {
            Ordering::Greater
        }
    });
    let worst = cases.first().map(|case| (case.offender.value, case.limit));
    let failed: Vec<Offender> = cases
        .into_iter()
        .filter(Case::fails)
        .map(|case| Offender {
            limit: case.limit.unwrap_or_default(),
            ..case.offender
        })
        .collect();
    let is_accepted = |offender: &Offender| accepted.has(gate, offender.source.as_deref());
    GateResult {
        gate: gate.to_owned(),
        message: message(gate).to_owned(),
        value: worst.map(|(value, _)| value),
        limit: worst.map_or(limit, |(_, limit)| limit),
        passed: failed.is_empty(),
        accepted: !failed.is_empty() && failed.iter().all(is_accepted),
        offenders_count: failed.len() as u64,
        offenders: failed.into_iter().take(OFFENDERS_MAX).collect(),
    }
}

fn message(gate: &str) -> &'static str {
    let found = GATES.iter().find(|(name, _)| *name == gate);
    found.map(|(_, message)| *message).expect("every gate stands in the list")
}

/// The limits as numbers of one kind.
fn limit(count: Option<u32>) -> Option<f64> {
    count.map(f64::from)
}

/// Whether any gate on customers is on.
fn watches_customers(spec: &GatesSpec) -> bool {
    let counts = [
        spec.customer_records_max,
        spec.customer_birth_dates_max,
        spec.customer_given_names_max,
    ];
    counts.iter().any(Option::is_some) || spec.large_customers_share_max.is_some()
}
