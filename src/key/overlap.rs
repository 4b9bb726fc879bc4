//! Which old key shares how many records with which new cluster. Nearly every key and cluster belong to each other alone and are settled
//! at once; only the others are counted.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::records::{NONE, Records};
use crate::table::keys::PreviousKeys;
use crate::table::{CustomerKey, Decisions};

/// More than one.
const MANY: u32 = NONE - 1;

/// An old key and a new cluster that share records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overlap {
    /// Position of the key in its [`OverlapTable::keys`].
    pub key: u32,
    /// The cluster.
    pub cluster: u32,
    /// Sum of the weights of the records they share.
    pub weight: u64,
    /// How many records they share.
    pub records: u32,
    /// Smallest record they share.
    pub record: u32,
    /// Rank of the most trusted source among the shared records.
    pub trust: u16,
    /// Version that created the key.
    pub created: u32,
    /// Version in which the first of the records came to the key by a merge; 0 if one of them was its own.
    pub since: u32,
}

impl Overlap {
    /// Stronger overlaps first: weight, oldest key, longest with the key, trust, smaller key, smallest record.
    pub fn strength(&self) -> (std::cmp::Reverse<u64>, u32, u32, u16, u32, u32, u32) {
        (
            std::cmp::Reverse(self.weight),
            self.created,
            self.since,
            self.trust,
            self.key,
            self.record,
            self.cluster,
        )
    }
}

/// Overlaps sorted by (key, cluster).
#[derive(Debug, Default)]
pub(super) struct OverlapTable<'a> {
    /// Keys in byte order; also those without an overlap here.
    pub keys: &'a [CustomerKey],
    /// The overlaps.
    pub rows: Vec<Overlap>,
}

impl OverlapTable<'_> {
    /// Overlaps of each key that has one, together.
    pub fn by_key(&self) -> impl Iterator<Item = &[Overlap]> {
        self.rows.chunk_by(|left, right| left.key == right.key)
    }

    /// What the records that a key and a cluster share weigh.
    pub fn weight(&self, key: u32, cluster: u32) -> u64 {
        self.rows
            .binary_search_by_key(&(key, cluster), |row| (row.key, row.cluster))
            .map_or(0, |row| self.rows[row].weight)
    }
}

/// Everything that ties this run's clusters to older keys.
#[derive(Debug)]
pub(super) struct Overlaps<'a> {
    /// For each record its row in the last version's identities, or [`NONE`].
    pub rows: Vec<u32>,
    /// (record, row) of every origin whose record is there, by record.
    pub origins: Vec<(u32, u32)>,
    /// For each key of the last version the cluster with which it is settled, or [`NONE`].
    pub settled: Vec<u32>,
    /// Keys of the last version that are not settled.
    pub living: OverlapTable<'a>,
    /// Keys that had been merged away, over the records that carry them as origin.
    pub origin: OverlapTable<'a>,
    /// As `living`, over the records that carry such an origin only.
    pub adopted: OverlapTable<'a>,
    /// Keys that people pinned, over the pinned records.
    pub pinned: OverlapTable<'a>,
}

/// One shared record of a key and a cluster.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Hit {
    key: u32,
    cluster: u32,
    trust: u16,
    record: u32,
    weight: u32,
    since: u32,
}

/// `pins` are the keys that people pinned, in byte order; `version` is that of this run.
pub(super) fn find<'a>(
    records: &Records<'_>,
    previous: &'a PreviousKeys,
    decisions: &Decisions,
    pins: &'a [CustomerKey],
    version: u32,
) -> Overlaps<'a> {
    let identities = &previous.identities;
    let rows = records.rows_in(identities);
    let origins = records.found_in(&previous.origins);
    let merged: FxHashMap<u32, u32> = origins
        .iter()
        .filter_map(|&(record, row)| Some((record, previous.redirect(previous.origins.key(row as usize))?.merged)))
        .collect();
    let hit = |record: u32, key: u32| {
        let source = records.source_of(record);
        Hit {
            key,
            cluster: records.cluster(record),
            trust: source.rank,
            record,
            weight: source.weight,
            since: merged.get(&record).copied().unwrap_or(0),
        }
    };
    let position = |key: CustomerKey| position(pins, key).expect("every pinned key is one of the list");
    let pinned: Vec<Hit> = decisions.pinned().map(|(record, pin)| hit(record.0, position(pin.key))).collect();
    let (settled, key_of) = settle(records, &rows, previous, &pinned, pins);
    let living: Vec<Hit> = rows
        .par_iter()
        .enumerate()
        .filter(|&(record, &row)| row != NONE && key_of[records.cluster_of[record] as usize] >= MANY)
        .map(|(record, &row)| {
            hit(
                u32::try_from(record).expect("fewer than 2^32 records"),
                identities.positions()[row as usize],
            )
        })
        .collect();
    drop(key_of);
    let mut origin: Vec<Hit> = Vec::new();
    let mut adopted: Vec<Hit> = Vec::new();
    for &(record, row) in &origins {
        if merged.contains_key(&record) {
            origin.push(hit(record, previous.origins.positions()[row as usize]));
            let old = rows[record as usize];
            adopted.extend((old != NONE).then(|| hit(record, identities.positions()[old as usize])));
        }
    }
    let created_of_old = |key: CustomerKey| previous.redirect(key).map(|redirect| redirect.created);
    let created_of_living = |key: u32| previous.created(key as usize);
    let origin_keys = previous.origins.keys();
    let created_of_pinned = |at: u32| {
        let key = pins[at as usize];
        let living = self::position(identities.keys(), key).map(created_of_living);
        living.or_else(|| created_of_old(key)).unwrap_or(version)
    };
    let table = |keys, hits, created: &dyn Fn(u32) -> u32| OverlapTable {
        keys,
        rows: count(hits, created),
    };
    Overlaps {
        living: table(identities.keys(), living, &created_of_living),
        origin: table(origin_keys, origin, &|key| created_of_old(origin_keys[key as usize]).unwrap_or(0)),
        adopted: table(identities.keys(), adopted, &created_of_living),
        pinned: table(pins, pinned, &created_of_pinned),
        rows,
        origins,
        settled,
    }
}

/// Position of a key in a sorted list.
pub(super) fn position(keys: &[CustomerKey], key: CustomerKey) -> Option<u32> {
    let at = keys.binary_search(&key).ok()?;
    Some(u32::try_from(at).expect("there are fewer keys than 2^32 records"))
}

/// For each key the cluster that has all of its records and no other key's, and for each cluster that key: no order of strength could part
/// them. What a pin touches is not settled.
fn settle(records: &Records<'_>, rows: &[u32], previous: &PreviousKeys, pinned: &[Hit], pins: &[CustomerKey]) -> (Vec<u32>, Vec<u32>) {
    let identities = &previous.identities;
    let mut cluster_of = vec![NONE; identities.keys().len()];
    let mut key_of = vec![NONE; records.clusters_count()];
    for (&row, &cluster) in rows.iter().zip(&records.cluster_of).filter(|&(&row, _)| row != NONE) {
        let key = identities.positions()[row as usize];
        note(&mut cluster_of[key as usize], cluster);
        note(&mut key_of[cluster as usize], key);
    }
    for hit in pinned {
        key_of[hit.cluster as usize] = MANY;
    }
    for key in pins.iter().filter_map(|&key| position(identities.keys(), key)) {
        cluster_of[key as usize] = MANY;
    }
    for (cluster, key) in (0_u32..).zip(&mut key_of) {
        if *key < MANY && cluster_of[*key as usize] != cluster {
            *key = MANY;
        }
    }
    for (key, cluster) in (0_u32..).zip(&mut cluster_of) {
        if *cluster >= MANY || key_of[*cluster as usize] != key {
            *cluster = NONE;
        }
    }
    (cluster_of, key_of)
}

fn note(slot: &mut u32, value: u32) {
    if *slot == NONE {
        *slot = value;
    } else if *slot != value {
        *slot = MANY;
    }
}

/// Sums hits up a (key, cluster).
fn count(mut hits: Vec<Hit>, created: &dyn Fn(u32) -> u32) -> Vec<Overlap> {
    hits.par_sort_unstable();
    let mut rows: Vec<Overlap> = Vec::new();
    for hit in hits {
        match rows.last_mut() {
            Some(row) if (row.key, row.cluster) == (hit.key, hit.cluster) => {
                row.weight += u64::from(hit.weight);
                row.records += 1;
                row.record = row.record.min(hit.record);
                row.since = row.since.min(hit.since);
            }
            _ => rows.push(Overlap {
                key: hit.key,
                cluster: hit.cluster,
                weight: u64::from(hit.weight),
                records: 1,
                record: hit.record,
                trust: hit.trust,
                created: created(hit.key),
                since: hit.since,
            }),
        }
    }
    rows
}
