//! Which cluster an old key goes to: greedily by overlap, then keys that had been merged away go to the clusters that an un-merge set free.
//!
//! Greedy matching by descending weight reaches at least half of the best total weight, and the best one wherever a cluster overlaps one key only,
//! which is nearly everywhere; and it is easy to explain to the owner of a customer list.

use rayon::prelude::*;

use super::overlap::{Overlap, OverlapTable, Overlaps};
use crate::table::CustomerKey;

/// Old keys given to clusters.
pub(super) struct Allotted {
    /// For each cluster the old key it carries on, if any.
    pub key_of: Vec<Option<CustomerKey>>,
}

/// Work in progress: who has what.
struct Board {
    key_of: Vec<Option<CustomerKey>>,
    /// For each living key the cluster it went to.
    cluster_of: Vec<Option<u32>>,
}

pub(super) fn allot(clusters_count: usize, overlaps: &Overlaps) -> Allotted {
    let mut board = Board {
        key_of: vec![None; clusters_count],
        cluster_of: vec![None; overlaps.living.keys.len()],
    };
    let order = by_strength(&overlaps.living.rows);
    give(&mut board.key_of, &mut board.cluster_of, &overlaps.living, &order);
    if !overlaps.origin.rows.is_empty() {
        if exchange(&mut board, overlaps) {
            give(&mut board.key_of, &mut board.cluster_of, &overlaps.living, &order);
        }
        let mut taken = vec![None; overlaps.origin.keys.len()];
        give(&mut board.key_of, &mut taken, &overlaps.origin, &by_strength(&overlaps.origin.rows));
    }
    Allotted { key_of: board.key_of }
}

fn by_strength(rows: &[Overlap]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..u32::try_from(rows.len()).expect("there are at most as many overlaps as records")).collect();
    order.par_sort_unstable_by_key(|&row| rows[row as usize].strength());
    order
}

/// Takes every overlap whose key and cluster are both still free, the strongest first.
fn give(key_of: &mut [Option<CustomerKey>], cluster_of: &mut [Option<u32>], table: &OverlapTable, order: &[u32]) {
    for &row in order {
        let overlap = table.rows[row as usize];
        let (key, cluster) = (overlap.key as usize, overlap.cluster as usize);
        if cluster_of[key].is_none() && key_of[cluster].is_none() {
            cluster_of[key] = Some(overlap.cluster);
            key_of[cluster] = Some(table.keys[key]);
        }
    }
}

/// After an un-merge the larger part may consist of records that another key brought into the merge. If so, the key goes back to the free
/// part that holds most of the records that were its own, so that both old keys return. Says whether any key moved.
fn exchange(board: &mut Board, overlaps: &Overlaps) -> bool {
    let mut moved = false;
    for parts in overlaps.living.by_key().filter(|parts| parts.len() > 1) {
        let key_ix = parts[0].key as usize;
        let key = overlaps.living.keys[key_ix];
        let Some(kept) = board.cluster_of[key_ix] else { continue };
        let own = |part: &Overlap| part.weight - overlaps.adopted.weight(key, part.cluster);
        let kept_part = parts
            .iter()
            .find(|part| part.cluster == kept)
            .expect("a key goes to a cluster it overlaps");
        let own_kept = own(kept_part);
        if kept_part.weight - own_kept <= own_kept {
            continue;
        }
        let better = parts
            .iter()
            .filter(|part| board.key_of[part.cluster as usize].is_none() && own(part) > own_kept)
            .min_by_key(|part| (std::cmp::Reverse(own(part)), part.trust, part.record));
        if let Some(better) = better {
            board.key_of[kept as usize] = None;
            board.key_of[better.cluster as usize] = Some(key);
            board.cluster_of[key_ix] = Some(better.cluster);
            moved = true;
        }
    }
    moved
}
