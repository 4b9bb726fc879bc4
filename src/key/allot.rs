//! Which cluster an old key goes to: first where people pinned it, then greedily by overlap, then keys that had been merged away go to the
//! clusters that an un-merge set free.
//!
//! Greedy matching by descending weight reaches at least half of the best total weight, and the best one wherever a cluster overlaps one key only,
//! which is nearly everywhere; and it is easy to explain to the owner of a customer list.

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::overlap::{Overlap, Overlaps, position};
use super::records::NONE;

/// Where the key of a cluster comes from; the number is a position in the list of that kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// No key yet.
    Free,
    /// A key of the last version.
    Living(u32),
    /// A key that had been merged away, found by the origins of the records.
    Origin(u32),
    /// A key that people pinned and that the last version did not have.
    Pinned(u32),
    /// A new key.
    Minted(u32),
}

/// Old keys given to clusters.
pub(super) struct Allotted {
    /// For each cluster the key it carries on, if any.
    pub holder_of: Vec<Holder>,
    /// For each key of the last version the cluster it went to, or [`NONE`].
    pub cluster_of: Vec<u32>,
}

pub(super) fn allot(clusters_count: usize, overlaps: &mut Overlaps<'_>) -> Allotted {
    let mut board = Allotted {
        holder_of: vec![Holder::Free; clusters_count],
        cluster_of: std::mem::take(&mut overlaps.settled),
    };
    for (key, &cluster) in (0_u32..).zip(&board.cluster_of).filter(|&(_, &cluster)| cluster != NONE) {
        board.holder_of[cluster as usize] = Holder::Living(key);
    }
    let fixed = pin(&mut board, overlaps);
    let order = by_strength(&overlaps.living.rows);
    give(&mut board, &overlaps.living.rows, &order);
    if !overlaps.origin.rows.is_empty() {
        if exchange(&mut board, overlaps, &fixed) {
            give(&mut board, &overlaps.living.rows, &order);
        }
        resurrect(&mut board, overlaps);
    }
    board
}

fn by_strength(rows: &[Overlap]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..u32::try_from(rows.len()).expect("there are at most as many overlaps as records")).collect();
    order.par_sort_unstable_by_key(|&row| rows[row as usize].strength());
    order
}

/// Gives pinned keys to the clusters of their records, the strongest first. Gives those clusters.
fn pin(board: &mut Allotted, overlaps: &Overlaps<'_>) -> FxHashSet<u32> {
    let mut fixed = FxHashSet::default();
    let mut taken = FxHashSet::default();
    let rows = &overlaps.pinned.rows;
    for row in by_strength(rows) {
        let Overlap { key, cluster, .. } = rows[row as usize];
        let holder = &mut board.holder_of[cluster as usize];
        if *holder != Holder::Free || !taken.insert(key) {
            continue;
        }
        fixed.insert(cluster);
        *holder = match position(overlaps.living.keys, overlaps.pinned.keys[key as usize]) {
            None => Holder::Pinned(key),
            Some(living) => {
                board.cluster_of[living as usize] = cluster;
                Holder::Living(living)
            }
        };
    }
    fixed
}

/// Takes every overlap whose key and cluster are both still free, the strongest first.
fn give(board: &mut Allotted, rows: &[Overlap], order: &[u32]) {
    for &row in order {
        let Overlap { key, cluster, .. } = rows[row as usize];
        if board.cluster_of[key as usize] == NONE && board.holder_of[cluster as usize] == Holder::Free {
            board.cluster_of[key as usize] = cluster;
            board.holder_of[cluster as usize] = Holder::Living(key);
        }
    }
}

/// After an un-merge the larger part may consist of records that another key brought into the merge. If so, the key goes back to the free
/// part that holds most of the records that were its own, so that both old keys return. Says whether any key moved. A `fixed` cluster keeps
/// the key that people pinned.
fn exchange(board: &mut Allotted, overlaps: &Overlaps<'_>, fixed: &FxHashSet<u32>) -> bool {
    let mut moved = false;
    for parts in overlaps.living.by_key().filter(|parts| parts.len() > 1) {
        let key = parts[0].key;
        let kept = board.cluster_of[key as usize];
        let Some(kept_part) = parts.iter().find(|part| part.cluster == kept && !fixed.contains(&kept)) else {
            continue;
        };
        let own = |part: &Overlap| part.weight - overlaps.adopted.weight(key, part.cluster);
        let own_kept = own(kept_part);
        if kept_part.weight - own_kept <= own_kept {
            continue;
        }
        let better = parts
            .iter()
            .filter(|part| board.holder_of[part.cluster as usize] == Holder::Free && own(part) > own_kept)
            .min_by_key(|part| (std::cmp::Reverse(own(part)), part.trust, part.record));
        if let Some(better) = better {
            board.holder_of[kept as usize] = Holder::Free;
            board.holder_of[better.cluster as usize] = Holder::Living(key);
            board.cluster_of[key as usize] = better.cluster;
            moved = true;
        }
    }
    moved
}

/// Gives keys that had been merged away to free clusters whose records they came from.
fn resurrect(board: &mut Allotted, overlaps: &Overlaps<'_>) {
    let table = &overlaps.origin;
    let mut taken = vec![false; table.keys.len()];
    for holder in &board.holder_of {
        if let Holder::Pinned(pinned) = *holder
            && let Some(key) = position(table.keys, overlaps.pinned.keys[pinned as usize])
        {
            taken[key as usize] = true;
        }
    }
    for row in by_strength(&table.rows) {
        let Overlap { key, cluster, .. } = table.rows[row as usize];
        if !taken[key as usize] && board.holder_of[cluster as usize] == Holder::Free {
            taken[key as usize] = true;
            board.holder_of[cluster as usize] = Holder::Origin(key);
        }
    }
}
