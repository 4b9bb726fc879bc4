//! Stage `key`: a stable key for every cluster, carried over from the last version by the records they share.
//!
//! Clusters are made without looking at keys, so keys never change who is one customer. Each old key then goes to the cluster that holds
//! most of its records; what is left over is minted, redirected or retired, and every change is an event.

mod allot;
mod changes;
mod history;
mod mint;
mod overlap;
pub mod state;
mod tables;

use rayon::prelude::*;

use crate::table::keys::{Keys, PreviousKeys};
use crate::table::{CleanContacts, Clusters, CustomerKey};

pub use changes::{KeyChanges, changes};
pub use tables::{events_batch, redirects_batch};

use overlap::Records;

/// Gives every cluster a key. `trust` ranks the sources, most trusted first; `secret` mints.
///
/// An old key goes to the cluster with most of its records (greedy by weight; ties: the most trusted source among the shared records, the
/// smaller key, the smaller record). A cluster without an old key takes a key that had been merged away, if its records came from it, else
/// a new one. The same contacts, clusters and previous keys give the same keys; the same contacts as last time give no event.
/// O(n log n) for n records; previous identities are joined by a merge of two sorted lists.
#[must_use]
pub fn assign(contacts: &CleanContacts, clusters: &Clusters, previous: &PreviousKeys, trust: &[String], secret: &[u8]) -> Keys {
    let records = Records::new(contacts, clusters, trust);
    let overlaps = overlap::find(&records, previous);
    let allotted = allot::allot(records.clusters_count(), &overlaps);
    let used = mint::Used {
        living: &overlaps.living.keys,
        previous,
    };
    let keyed = mint::mint(&records, allotted.key_of, used, secret);
    let history = history::tell(&records, &overlaps, &keyed, previous);
    let (keys, of) = rank(&keyed.key_of, &records);
    Keys {
        keys,
        of,
        events: history.events,
        redirects: history.redirects,
        retired: history.retired,
        origins: history.origins,
    }
}

/// The keys in byte order, and for each record the position of its cluster's key.
fn rank(key_of: &[CustomerKey], records: &Records<'_>) -> (Vec<CustomerKey>, Vec<u32>) {
    let mut order: Vec<(CustomerKey, u32)> = key_of.iter().copied().zip(0..).collect();
    order.par_sort_unstable();
    let mut position_of = vec![0_u32; key_of.len()];
    for (position, &(_, cluster)) in (0_u32..).zip(&order) {
        position_of[cluster as usize] = position;
    }
    let of = records
        .cluster_of
        .par_iter()
        .map(|&cluster| position_of[cluster as usize])
        .collect();
    (order.into_iter().map(|(key, _)| key).collect(), of)
}
