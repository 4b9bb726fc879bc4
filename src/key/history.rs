//! What became of every key: events for people and systems that store keys, redirects, retired keys, and the origins that let an un-merge
//! give back the old keys.

use super::allot::Holder;
use super::cause::Causes;
use super::mint::Keyed;
use super::overlap::{Overlap, Overlaps, position};
use super::records::{NONE, Records};
use crate::table::keys::{KeyCause, KeyEvent, KeyEventKind, KeyRedirect, PreviousKeys};
use crate::table::{CustomerKey, RecordIx};

/// Everything that tells what happened.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub records: &'a Records<'a>,
    pub overlaps: &'a Overlaps<'a>,
    pub keyed: &'a Keyed<'a>,
    pub previous: &'a PreviousKeys,
    /// Version of this run.
    pub version: u32,
}

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

/// `causes` is asked only if a record went from one customer to another.
pub(super) fn tell<'a>(scene: Scene<'_>, causes: impl FnOnce() -> Causes<'a>) -> History {
    let fates = fates(scene);
    let alive_again = alive_again(scene);
    let events = if fates.moves.is_empty() && alive_again.is_empty() {
        plain_events(scene, &fates)
    } else {
        events(scene, &fates, &causes())
    };
    let (redirects, orphaned) = redirects(scene, &fates, &alive_again);
    let mut retired = scene.previous.retired.clone();
    retired.extend(&fates.retired);
    retired.extend(orphaned);
    retired.retain(|key| alive_again.binary_search(key).is_err());
    retired.sort_unstable();
    retired.dedup();
    let origins = origins(scene, &fates, &redirects);
    History {
        events,
        redirects,
        retired,
        origins,
    }
}

fn fates(scene: Scene<'_>) -> Fates {
    let (table, keyed) = (&scene.overlaps.living, scene.keyed);
    let mut fates = Fates {
        merged: Vec::new(),
        retired: Vec::new(),
        moves: Vec::new(),
    };
    let mut seen = vec![false; table.keys.len()];
    for parts in table.by_key() {
        let key = parts[0].key;
        seen[key as usize] = true;
        fates.moves.extend(
            parts
                .iter()
                .filter(|part| keyed.holder_of[part.cluster as usize] != Holder::Living(key)),
        );
        if keyed.cluster_of(key).is_none() {
            let largest = parts.iter().min_by_key(|part| part.strength()).expect("chunks are not empty");
            let live = keyed.key(largest.cluster);
            fates.merged.push(KeyRedirect {
                old: table.keys[key as usize],
                live,
                via: live,
                created: largest.created,
                merged: scene.version,
            });
        }
    }
    let left = table.keys.iter().zip(&keyed.cluster_of).zip(seen);
    fates.retired = left
        .filter(|&((_, &cluster), seen)| !seen && cluster == NONE)
        .map(|((&key, _), _)| key)
        .collect();
    fates
}

/// Whether the key of a cluster was out of use and is back.
fn is_back(scene: Scene<'_>, cluster: u32) -> bool {
    match scene.keyed.holder_of[cluster as usize] {
        Holder::Origin(_) => true,
        Holder::Pinned(_) => {
            let key = scene.keyed.key(cluster);
            scene.previous.redirect(key).is_some() || scene.previous.is_retired(key)
        }
        Holder::Living(_) | Holder::Minted(_) | Holder::Free => false,
    }
}

/// Clusters whose key the last version did not have.
fn founded(scene: Scene<'_>) -> impl Iterator<Item = u32> {
    let is_living = |holder: &Holder| matches!(holder, Holder::Living(_));
    let clusters = (0_u32..).zip(&scene.keyed.holder_of);
    clusters.filter(move |(_, holder)| !is_living(holder)).map(|(cluster, _)| cluster)
}

/// Keys that were out of use and are back, sorted.
fn alive_again(scene: Scene<'_>) -> Vec<CustomerKey> {
    let back = founded(scene).filter(|&cluster| is_back(scene, cluster));
    let mut keys: Vec<CustomerKey> = back.map(|cluster| scene.keyed.key(cluster)).collect();
    keys.sort_unstable();
    keys
}

fn live_of(merged: &[KeyRedirect], key: CustomerKey) -> Option<CustomerKey> {
    merged
        .binary_search_by_key(&key, |redirect| redirect.old)
        .ok()
        .map(|at| merged[at].live)
}

/// Events where no record went from one customer to another: new customers all of whose records are new, and customers without a record left.
fn plain_events(scene: Scene<'_>, fates: &Fates) -> Vec<KeyEvent> {
    let sizes = scene.records.sizes();
    let created = founded(scene).map(|cluster| created(scene, cluster, &sizes));
    let mut events: Vec<KeyEvent> = created.chain(fates.retired.iter().map(|&key| retired(key))).collect();
    events.sort_unstable();
    events
}

fn created(scene: Scene<'_>, cluster: u32, sizes: &[u32]) -> KeyEvent {
    KeyEvent {
        key: scene.keyed.key(cluster),
        kind: KeyEventKind::Created,
        other: None,
        records_count: sizes[cluster as usize],
        cause: KeyCause::NewRecords,
    }
}

fn retired(key: CustomerKey) -> KeyEvent {
    KeyEvent {
        key,
        kind: KeyEventKind::Retired,
        other: None,
        records_count: 0,
        cause: KeyCause::RemovedRecords,
    }
}

fn events(scene: Scene<'_>, fates: &Fates, causes: &Causes<'_>) -> Vec<KeyEvent> {
    let mut events: Vec<KeyEvent> = fates.retired.iter().map(|&key| retired(key)).collect();
    merges(&mut events, scene, fates, causes);
    let explained = moves(&mut events, scene, fates, causes);
    let sizes = scene.records.sizes();
    for cluster in founded(scene).filter(|&cluster| !explained[cluster as usize]) {
        let kind = if is_back(scene, cluster) {
            KeyEventKind::Resurrected
        } else {
            KeyEventKind::Created
        };
        let mut event = created(scene, cluster, &sizes);
        event.kind = kind;
        let is_all_new = kind == KeyEventKind::Created && matches!(scene.keyed.holder_of[cluster as usize], Holder::Minted(_));
        if !is_all_new {
            event.cause = causes.of(kind, &[cluster], &[]);
        }
        events.push(event);
    }
    events.sort_unstable();
    events
}

/// Keys that live on in another.
fn merges(events: &mut Vec<KeyEvent>, scene: Scene<'_>, fates: &Fates, causes: &Causes<'_>) {
    for part in &fates.moves {
        let old = scene.overlaps.living.keys[part.key as usize];
        let live = scene.keyed.key(part.cluster);
        if live_of(&fates.merged, old) == Some(live) {
            events.push(KeyEvent {
                key: old,
                kind: KeyEventKind::Merged,
                other: Some(live),
                records_count: part.records,
                cause: causes.of(KeyEventKind::Merged, &[part.cluster], &[part.key]),
            });
        }
    }
}

/// Split off and resurrected keys, and records that moved. Says which clusters need no further event.
fn moves(events: &mut Vec<KeyEvent>, scene: Scene<'_>, fates: &Fates, causes: &Causes<'_>) -> Vec<bool> {
    let keyed = scene.keyed;
    let mut moves = fates.moves.clone();
    moves.sort_unstable_by_key(|part| (part.cluster, part.strength()));
    let mut explained = vec![false; keyed.holder_of.len()];
    for incoming in moves.chunk_by(|left, right| left.cluster == right.cluster) {
        let cluster = incoming[0].cluster;
        let key = keyed.key(cluster);
        let mut founding = match keyed.holder_of[cluster as usize] {
            Holder::Living(_) => None,
            _ if is_back(scene, cluster) => Some(KeyEventKind::Resurrected),
            _ => Some(KeyEventKind::Split),
        };
        for part in incoming {
            let other = scene.overlaps.living.keys[part.key as usize];
            if live_of(&fates.merged, other) == Some(key) {
                continue;
            }
            explained[cluster as usize] = true;
            let kind = founding.take().unwrap_or(KeyEventKind::RecordsMoved);
            let mut clusters = vec![cluster];
            clusters.extend(keyed.cluster_of(part.key));
            events.push(KeyEvent {
                key,
                kind,
                other: Some(other),
                records_count: part.records,
                cause: causes.of(kind, &clusters, &[part.key]),
            });
        }
    }
    explained
}

/// Redirects in force, sorted, always one hop to a live key; and old keys whose live key is now without a record.
fn redirects(scene: Scene<'_>, fates: &Fates, alive_again: &[CustomerKey]) -> (Vec<KeyRedirect>, Vec<CustomerKey>) {
    let overruled = overruled(scene);
    let mut redirects = fates.merged.clone();
    let mut orphaned = Vec::new();
    for redirect in &scene.previous.redirects {
        let is_overruled = overruled.binary_search_by_key(&redirect.old, |pin| pin.old).is_ok();
        if alive_again.binary_search(&redirect.old).is_ok() || is_overruled {
            continue;
        }
        match end_of(scene, fates, alive_again, redirect.via) {
            Some(live) => redirects.push(KeyRedirect { live, ..*redirect }),
            None => orphaned.push(redirect.old),
        }
    }
    redirects.extend(overruled);
    redirects.sort_unstable();
    (redirects, orphaned)
}

/// The live key that a key leads to by the merges one after the other; `None` if the last of them has no record left. A key is merged into one
/// that lives at that time and merges later or not at all, so there is no circle; the bound is for state that somebody edited.
fn end_of(scene: Scene<'_>, fates: &Fates, alive_again: &[CustomerKey], key: CustomerKey) -> Option<CustomerKey> {
    let is_live = |key: CustomerKey| {
        let living = position(scene.overlaps.living.keys, key).is_some_and(|key| scene.keyed.cluster_of(key).is_some());
        living || alive_again.binary_search(&key).is_ok()
    };
    let mut key = key;
    for _ in 0..=scene.previous.redirects.len() {
        if is_live(key) {
            return Some(key);
        }
        if let Some(live) = live_of(&fates.merged, key) {
            return Some(live);
        }
        key = scene.previous.redirect(key)?.via;
    }
    None
}

/// Pinned keys that no cluster has, because another pin was stronger everywhere, and that were not living before: whoever looks for one finds
/// the customer of its record. Sorted.
fn overruled(scene: Scene<'_>) -> Vec<KeyRedirect> {
    let Scene {
        overlaps, keyed, previous, ..
    } = scene;
    let table = &overlaps.pinned;
    let is_given = |part: &Overlap| keyed.key(part.cluster) == table.keys[part.key as usize];
    let lost = table.by_key().filter(|parts| !parts.iter().any(is_given));
    lost.filter_map(|parts| {
        let old = table.keys[parts[0].key as usize];
        let strongest = parts.iter().min_by_key(|part| part.strength()).expect("chunks are not empty");
        let is_out = overlaps.living.keys.binary_search(&old).is_err() && !previous.is_retired(old);
        let live = keyed.key(strongest.cluster);
        is_out.then(|| KeyRedirect {
            old,
            live,
            via: live,
            created: previous.redirect(old).map_or(scene.version, |redirect| redirect.created),
            merged: previous.redirect(old).map_or(scene.version, |redirect| redirect.merged),
        })
    })
    .collect()
}

/// For each record whose key was merged away: the key it had before its last merge, as long as that key is redirected.
fn origins(scene: Scene<'_>, fates: &Fates, redirects: &[KeyRedirect]) -> Vec<(RecordIx, CustomerKey)> {
    let Scene {
        records,
        overlaps,
        keyed,
        previous,
        ..
    } = scene;
    let identities = &previous.identities;
    // The key of the last version, if it was merged away now, goes before an older origin.
    let mut found: Vec<(u32, u8, CustomerKey)> = Vec::new();
    if !fates.merged.is_empty() {
        let mut is_merged = vec![false; identities.keys().len()];
        for redirect in &fates.merged {
            let at = identities
                .keys()
                .binary_search(&redirect.old)
                .expect("what merged was a key of the last version");
            is_merged[at] = true;
        }
        let merged = (0_u32..).zip(&overlaps.rows).filter(|&(_, &row)| row != NONE);
        let merged = merged.map(|(record, &row)| (record, identities.positions()[row as usize]));
        let merged = merged.filter(|&(_, key)| is_merged[key as usize]);
        found.extend(merged.map(|(record, key)| (record, 0, identities.keys()[key as usize])));
    }
    let older = overlaps.origins.iter();
    found.extend(older.map(|&(record, row)| (record, 1, previous.origins.key(row as usize))));
    found.sort_unstable();
    found.dedup_by_key(|origin| origin.0);
    let is_redirected = |key: CustomerKey| redirects.binary_search_by_key(&key, |redirect| redirect.old).is_ok();
    found.retain(|&(record, _, key)| key != keyed.key(records.cluster(record)) && is_redirected(key));
    found.into_iter().map(|(record, _, key)| (RecordIx(record), key)).collect()
}
