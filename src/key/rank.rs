//! The keys in byte order, for each record the position of its key, and since when each key is.

use rayon::prelude::*;

use super::allot::Holder;
use super::mint::Keyed;
use super::records::{NONE, Records};
use crate::table::CustomerKey;
use crate::table::keys::PreviousKeys;

pub(super) struct Ranked {
    pub keys: Vec<CustomerKey>,
    pub of: Vec<u32>,
    pub created: Vec<u32>,
}

/// Merges the keys of the last version, which are in order, with the others.
pub(super) fn rank(records: &Records<'_>, keyed: &Keyed<'_>, previous: &PreviousKeys, version: u32) -> Ranked {
    let mut others: Vec<(CustomerKey, u32)> = (0_u32..)
        .zip(&keyed.holder_of)
        .filter(|(_, holder)| !matches!(holder, Holder::Living(_)))
        .map(|(cluster, _)| (keyed.key(cluster), cluster))
        .collect();
    others.par_sort_unstable();
    let clusters_count = records.clusters_count();
    let mut ranked = Ranked {
        keys: Vec::with_capacity(clusters_count),
        of: Vec::new(),
        created: Vec::with_capacity(clusters_count),
    };
    let mut position_of = vec![0_u32; clusters_count];
    let mut push = |key: CustomerKey, cluster: u32, created: u32| {
        position_of[cluster as usize] = u32::try_from(ranked.keys.len()).expect("there are at most as many keys as records");
        ranked.keys.push(key);
        ranked.created.push(created);
    };
    let mut others = others.into_iter().peekable();
    let living = previous.identities.keys().iter().zip(&keyed.cluster_of).enumerate();
    for (at, (&key, &cluster)) in living.filter(|(_, (_, cluster))| **cluster != NONE) {
        while let Some((other, cluster)) = others.next_if(|other| other.0 < key) {
            push(other, cluster, created_of(other, previous, version));
        }
        push(key, cluster, previous.created(at));
    }
    for (other, cluster) in others {
        push(other, cluster, created_of(other, previous, version));
    }
    ranked.of = records
        .cluster_of
        .par_iter()
        .map(|&cluster| position_of[cluster as usize])
        .collect();
    ranked
}

/// Since when a key is that the last version did not have.
fn created_of(key: CustomerKey, previous: &PreviousKeys, version: u32) -> u32 {
    previous.redirect(key).map_or(version, |redirect| redirect.created)
}
