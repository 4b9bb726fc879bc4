//! The gate on keys: a run that changes the keys of too many customers at once is more likely a mistake than news.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::KeyChanges;
use crate::config::spec::KeyLimits;
use crate::error::{Error, Result};
use crate::table::CustomerKey;
use crate::table::keys::{KeyEventKind, Keys};

/// Keys that a refusal names at most.
const KEYS_NAMED_MAX: usize = 10;

/// A kind of change that concerns more customers than `keys.changed_share_max` allows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KeyRefusal {
    /// Kind: `created`, `merged`, `split`, `retired`, `resurrected`, `moved`.
    pub kind: String,
    /// Customers concerned.
    pub customers: u64,
    /// Their number divided by the customers of the last version.
    pub share: f64,
    /// The largest share that is allowed.
    pub share_max: f64,
    /// The first keys concerned, at most 10.
    pub keys: Vec<String>,
}

/// The kinds of change that are beyond their limit: more than their share of the last version's customers, and not fewer than
/// `limits.customers_min`. Nothing for a first run.
#[must_use]
pub fn refusals(keys: &Keys, changes: &KeyChanges, limits: &KeyLimits) -> Vec<KeyRefusal> {
    if changes.customers_before == 0 {
        return Vec::new();
    }
    let kinds = [
        ("created", KeyEventKind::Created, changes.created, limits.created),
        ("merged", KeyEventKind::Merged, changes.merged, limits.merged),
        ("split", KeyEventKind::Split, changes.split, limits.split),
        ("retired", KeyEventKind::Retired, changes.retired, limits.retired),
        ("resurrected", KeyEventKind::Resurrected, changes.resurrected, limits.resurrected),
        ("moved", KeyEventKind::RecordsMoved, changes.customers_moved, limits.moved),
    ];
    let refusal = |(name, kind, customers, share_max): (&str, KeyEventKind, u64, Option<f64>)| {
        let share_max = share_max?;
        let share = customers as f64 / changes.customers_before as f64;
        (customers >= limits.customers_min && share > share_max).then(|| KeyRefusal {
            kind: name.to_owned(),
            customers,
            share,
            share_max,
            keys: first_keys(keys, kind),
        })
    };
    kinds.into_iter().filter_map(refusal).collect()
}

fn first_keys(keys: &Keys, kind: KeyEventKind) -> Vec<String> {
    let of_kind = keys.events.iter().filter(|event| event.kind == kind);
    let mut first: Vec<CustomerKey> = Vec::new();
    for event in of_kind {
        if first.last() != Some(&event.key) {
            first.push(event.key);
        }
        if first.len() == KEYS_NAMED_MAX {
            break;
        }
    }
    first.iter().map(ToString::to_string).collect()
}

/// Stops the run if there is a refusal.
///
/// # Errors
/// `Gate`, with the counts and the first keys of every kind.
pub fn refused(refusals: &[KeyRefusal], customers_before: u64) -> Result<()> {
    if refusals.is_empty() {
        return Ok(());
    }
    let kinds: Vec<&str> = refusals.iter().map(|refusal| refusal.kind.as_str()).collect();
    let mut error = Error::gate("too many customers would change their key; nothing was published");
    for refusal in refusals {
        let (share, share_max) = (refusal.share * 100.0, refusal.share_max * 100.0);
        let counts = format!(
            "{} {} of {customers_before} customers ({share:.1} %, at most {share_max:.1} %)",
            refusal.customers, refusal.kind
        );
        error = error.with("gate", counts).with("first keys", refusal.keys.join(" "));
    }
    Err(error.hint(format!(
        "look with `run --dry-run`; publish with --accept-key-changes, or raise keys.changed_share_max ({})",
        kinds.join(", ")
    )))
}
