//! What became of every key: events for people and systems that store keys, redirects, retired keys, and the origins that let an un-merge
//! give back the old keys.

use super::mint::Keyed;
use super::overlap::{Overlap, Overlaps, Records, is_redirected};
use crate::table::keys::{KeyEvent, KeyEventKind, KeyRedirect, PreviousKeys};
use crate::table::{CustomerKey, RecordIx};

pub(super) struct History {
    pub events: Vec<KeyEvent>,
    pub redirects: Vec<KeyRedirect>,
    pub retired: Vec<CustomerKey>,
    pub origins: Vec<(RecordIx, CustomerKey)>,
}

/// What became of the keys of the last version.
struct Fates {
    /// Keys without a cluster of their own, and the live key that took most of their records; sorted.
    merged: Vec<KeyRedirect>,
    /// Keys without a record, sorted.
    retired: Vec<CustomerKey>,
    /// Overlaps whose cluster has another key.
    moves: Vec<Overlap>,
}

pub(super) fn tell(records: &Records<'_>, overlaps: &Overlaps, keyed: &Keyed, previous: &PreviousKeys) -> History {
    let fates = fates(overlaps, keyed);
    let resurrected = resurrected(overlaps, keyed);
    let mut events = departures(overlaps, keyed, &fates);
    arrivals(&mut events, records, overlaps, keyed, &fates, &resurrected);
    events.sort_unstable();
    let mut alive_again: Vec<CustomerKey> = resurrected.iter().map(|&cluster| keyed.key_of[cluster as usize]).collect();
    alive_again.sort_unstable();
    let (redirects, orphaned) = redirects(previous, &fates, &alive_again);
    let mut retired = previous.retired.clone();
    retired.extend(&fates.retired);
    retired.extend(orphaned);
    retired.sort_unstable();
    retired.dedup();
    let origins = origins(records, keyed, previous, &fates, &redirects);
    History {
        events,
        redirects,
        retired,
        origins,
    }
}

fn fates(overlaps: &Overlaps, keyed: &Keyed) -> Fates {
    let table = &overlaps.living;
    let mut fates = Fates {
        merged: Vec::new(),
        retired: Vec::new(),
        moves: Vec::new(),
    };
    let mut seen = vec![false; table.keys.len()];
    for parts in table.by_key() {
        let old = table.keys[parts[0].key as usize];
        seen[parts[0].key as usize] = true;
        let mut lives = false;
        for part in parts {
            if keyed.key_of[part.cluster as usize] == old {
                lives = true;
            } else {
                fates.moves.push(*part);
            }
        }
        if !lives {
            let largest = parts.iter().min_by_key(|part| part.strength()).expect("chunks are not empty");
            let live = keyed.key_of[largest.cluster as usize];
            fates.merged.push(KeyRedirect { old, live });
        }
    }
    fates.retired = table
        .keys
        .iter()
        .zip(seen)
        .filter(|&(_, seen)| !seen)
        .map(|(&key, _)| key)
        .collect();
    fates
}

/// Clusters whose key had been merged away and lives again, ascending.
fn resurrected(overlaps: &Overlaps, keyed: &Keyed) -> Vec<u32> {
    let table = &overlaps.origin;
    let mut clusters: Vec<u32> = table
        .rows
        .iter()
        .filter(|row| keyed.key_of[row.cluster as usize] == table.keys[row.key as usize])
        .map(|row| row.cluster)
        .collect();
    clusters.sort_unstable();
    clusters.dedup();
    clusters
}

fn live_of(merged: &[KeyRedirect], key: CustomerKey) -> Option<CustomerKey> {
    merged
        .binary_search_by_key(&key, |redirect| redirect.old)
        .ok()
        .map(|at| merged[at].live)
}

/// Merged and retired keys.
fn departures(overlaps: &Overlaps, keyed: &Keyed, fates: &Fates) -> Vec<KeyEvent> {
    let keys = &overlaps.living.keys;
    let merged = fates.moves.iter().filter_map(|part| {
        let old = keys[part.key as usize];
        let live = keyed.key_of[part.cluster as usize];
        (live_of(&fates.merged, old) == Some(live)).then_some(KeyEvent {
            key: old,
            kind: KeyEventKind::Merged,
            other: Some(live),
            records_count: part.weight,
        })
    });
    let retired = fates.retired.iter().map(|&key| KeyEvent {
        key,
        kind: KeyEventKind::Retired,
        other: None,
        records_count: 0,
    });
    merged.chain(retired).collect()
}

/// Created, split off, resurrected keys, and records that moved.
fn arrivals(events: &mut Vec<KeyEvent>, records: &Records<'_>, overlaps: &Overlaps, keyed: &Keyed, fates: &Fates, resurrected: &[u32]) {
    let mut moves = fates.moves.clone();
    moves.sort_unstable_by_key(|part| (part.cluster, part.strength()));
    let mut explained = vec![false; keyed.key_of.len()];
    for incoming in moves.chunk_by(|left, right| left.cluster == right.cluster) {
        let cluster = incoming[0].cluster;
        let key = keyed.key_of[cluster as usize];
        let founded = if resurrected.binary_search(&cluster).is_ok() {
            Some(KeyEventKind::Resurrected)
        } else {
            keyed.is_new[cluster as usize].then_some(KeyEventKind::Split)
        };
        explained[cluster as usize] = founded.is_some();
        for (position, part) in incoming.iter().enumerate() {
            let other = overlaps.living.keys[part.key as usize];
            if live_of(&fates.merged, other) == Some(key) {
                continue;
            }
            let kind = founded.filter(|_| position == 0).unwrap_or(KeyEventKind::RecordsMoved);
            events.push(KeyEvent {
                key,
                kind,
                other: Some(other),
                records_count: part.weight,
            });
        }
    }
    let unexplained = (0_u32..).zip(&keyed.key_of).filter(|&(cluster, _)| !explained[cluster as usize]);
    for (cluster, &key) in unexplained {
        let kind = if keyed.is_new[cluster as usize] {
            KeyEventKind::Created
        } else if resurrected.binary_search(&cluster).is_ok() {
            KeyEventKind::Resurrected
        } else {
            continue;
        };
        events.push(KeyEvent {
            key,
            kind,
            other: None,
            records_count: records.size_of[cluster as usize],
        });
    }
}

/// Redirects in force, sorted, always one hop to a live key; and old keys whose live key is now without a record.
fn redirects(previous: &PreviousKeys, fates: &Fates, resurrected: &[CustomerKey]) -> (Vec<KeyRedirect>, Vec<CustomerKey>) {
    let mut redirects = fates.merged.clone();
    let mut orphaned = Vec::new();
    for redirect in &previous.redirects {
        if resurrected.binary_search(&redirect.old).is_ok() {
            continue;
        }
        if fates.retired.binary_search(&redirect.live).is_ok() {
            orphaned.push(redirect.old);
            continue;
        }
        let live = live_of(&fates.merged, redirect.live).unwrap_or(redirect.live);
        redirects.push(KeyRedirect { old: redirect.old, live });
    }
    redirects.sort_unstable();
    (redirects, orphaned)
}

/// For each record whose key was merged away: the key it had before its last merge, as long as that key is redirected.
fn origins(
    records: &Records<'_>,
    keyed: &Keyed,
    previous: &PreviousKeys,
    fates: &Fates,
    redirects: &[KeyRedirect],
) -> Vec<(RecordIx, CustomerKey)> {
    if fates.merged.is_empty() && previous.origins.is_empty() {
        return Vec::new();
    }
    let mut origins = Vec::new();
    records.with_previous(previous, |record, key, origin| {
        let key_now = keyed.key_of[records.cluster_of[record as usize] as usize];
        let before = key.filter(|&key| live_of(&fates.merged, key).is_some()).or(origin);
        origins.extend(
            before
                .filter(|&before| before != key_now && is_redirected(redirects, before))
                .map(|before| (RecordIx(record), before)),
        );
    });
    origins
}
