//! How much a run changes the keys: what a plan shows before anything is published.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::table::CustomerKey;
use crate::table::keys::{KeyEventKind, Keys};

/// Customers before and after a run, and how many keys each kind of event concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct KeyChanges {
    /// Customers of the last version.
    pub customers_before: u64,
    /// Customers of this run.
    pub customers_after: u64,
    /// Customers of the last version that this run has too.
    #[serde(default)]
    pub kept: u64,
    /// New customers, beside those split off.
    pub created: u64,
    /// Customers that became part of another.
    pub merged: u64,
    /// Customers split off another.
    pub split: u64,
    /// Customers without a record left.
    pub retired: u64,
    /// Records that moved between two customers that both live on.
    pub records_moved: u64,
    /// Customers that such records moved to.
    #[serde(default)]
    pub customers_moved: u64,
    /// Customers whose key had been out of use and that live again.
    pub resurrected: u64,
}

/// Counts the events. `customers_before` = `kept` + merged + retired; `customers_after` = `kept` + created + split + resurrected.
#[must_use]
pub fn changes(keys: &Keys, customers_before: u64) -> KeyChanges {
    let mut changes = KeyChanges {
        customers_before,
        customers_after: keys.keys.len() as u64,
        ..KeyChanges::default()
    };
    // Several records that move, or several parts that a merge scatters, concern one customer.
    let mut last: Option<(CustomerKey, KeyEventKind)> = None;
    for event in &keys.events {
        let is_first = last != Some((event.key, event.kind));
        last = Some((event.key, event.kind));
        match event.kind {
            KeyEventKind::Created => changes.created += 1,
            KeyEventKind::Merged => changes.merged += 1,
            KeyEventKind::Split => changes.split += 1,
            KeyEventKind::Retired => changes.retired += 1,
            KeyEventKind::RecordsMoved => {
                changes.records_moved += u64::from(event.records_count);
                changes.customers_moved += u64::from(is_first);
            }
            KeyEventKind::Resurrected => changes.resurrected += 1,
        }
    }
    changes.kept = changes.customers_after - changes.created - changes.split - changes.resurrected;
    changes
}
