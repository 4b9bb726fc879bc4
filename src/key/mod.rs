//! Stage `key`: a stable key for every cluster, carried over from the last version by the records they share.
//!
//! Clusters are made without looking at keys, so keys never change who is one customer. Each old key then goes to the cluster that holds
//! most of its records; what is left over is minted, redirected or retired, and every change is an event.

mod allot;
mod cause;
mod changes;
mod content;
mod gate;
mod history;
mod mint;
mod overlap;
mod rank;
mod records;
pub mod state;
mod stored;
mod tables;

use crate::table::keys::{Keys, PreviousKeys};
use crate::table::{CleanContacts, Clusters, CustomerKey, Decisions, RecordIx};

pub use changes::{KeyChanges, changes};
pub use gate::{KeyRefusal, refusals, refused};
pub use tables::{events_batch, redirects_batch};

use cause::Causes;
use history::Scene;
use records::Records;

/// How far the records of a source are trusted.
#[derive(Debug, Clone, Copy)]
pub struct Trust<'a> {
    /// Sources, the most trusted first.
    pub sources: &'a [String],
    /// What a record of each counts in an overlap; a source without a weight counts 1.
    pub weights: &'a [u32],
}

/// What differs from the last version beside the records.
#[derive(Debug, Clone, Copy, Default)]
pub struct Changed<'a> {
    /// The rules of identity.
    pub rules: bool,
    /// The model or its term frequencies.
    pub model: bool,
    /// Records about which a decision came, went or changed.
    pub decided: &'a [RecordIx],
}

/// What keys are given by.
#[derive(Debug, Clone, Copy)]
pub struct KeyInput<'a> {
    /// The records.
    pub contacts: &'a CleanContacts,
    /// Which of them are one customer.
    pub clusters: &'a Clusters,
    /// Columns of `matching` that identity reads.
    pub columns: &'a [String],
    /// Keys of the last version.
    pub previous: &'a PreviousKeys,
    /// Trust in sources.
    pub trust: Trust<'a>,
    /// What people decided; pins count here.
    pub decisions: &'a Decisions,
    /// What differs from the last version.
    pub changed: Changed<'a>,
    /// Number of the version that this run would publish.
    pub version: u32,
    /// Mints keys.
    pub secret: &'a [u8],
}

/// Gives every cluster a key.
///
/// A key that people pinned goes to the cluster of its record. Every other old key goes to the cluster with most of its records: greedy by the
/// sum of their weights, which are those of their sources; ties: the oldest key, the part that has been with it longest, the
/// most trusted source among the shared records, the smaller key, the smallest record. A cluster without an old key takes a key that had been merged away, if its records came from it, else a
/// new one. Where several pins meet in one cluster, or one key is pinned in several, the strongest counts by the same order; the other keys
/// are treated as if they were not pinned.
///
/// The same input gives the same keys; the same contacts as last time give no event, and a key without an event was kept. O(n log n) for n
/// records in the worst case, O(n) where nearly all keys stay; about 90 bytes a record beside the input.
#[must_use]
pub fn assign(input: &KeyInput<'_>) -> Keys {
    let previous = input.previous;
    let records = Records::new(input.contacts, input.clusters, input.trust);
    let mut pins: Vec<CustomerKey> = input.decisions.pins.iter().map(|pin| pin.key).collect();
    pins.sort_unstable();
    pins.dedup();
    let contents = content::contents(input.contacts, input.columns);
    let mut overlaps = overlap::find(&records, previous, input.decisions, &pins, input.version);
    let allotted = allot::allot(records.clusters_count(), &mut overlaps);
    let keyed = mint::mint(&records, allotted, &overlaps, previous, input.secret);
    let scene = Scene {
        records: &records,
        overlaps: &overlaps,
        keyed: &keyed,
        previous,
        version: input.version,
    };
    let history = history::tell(scene, || Causes::new(scene, input.changed, &contents));
    drop(overlaps);
    let ranked = rank::rank(&records, &keyed, previous, input.version);
    Keys {
        keys: ranked.keys,
        of: ranked.of,
        created: ranked.created,
        events: history.events,
        redirects: history.redirects,
        retired: history.retired,
        origins: history.origins,
        contents,
    }
}
