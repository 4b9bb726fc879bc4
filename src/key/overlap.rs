//! Which old key shares how many records with which new cluster: found by walking two sorted lists side by side, without a hash map.

use std::cmp::Ordering;

use arrow::array::{Array, StringArray};
use rayon::prelude::*;

use crate::table::keys::{KeyRedirect, PreviousKeys, RecordKeys};
use crate::table::{CleanContacts, Clusters, CustomerKey, column};

/// The records of this run with their clusters numbered densely, in order of the smallest record.
pub(super) struct Records<'a> {
    pub source: &'a StringArray,
    pub record_id: &'a StringArray,
    /// Rank of each record's source, 0 = most trusted; a source without a rank comes after all others.
    pub trust_of: Vec<u16>,
    /// Dense cluster of each record.
    pub cluster_of: Vec<u32>,
    /// For each cluster its most trusted record, then the smallest: what a new key is minted from.
    pub anchor_of: Vec<u32>,
    /// For each cluster its number of records.
    pub size_of: Vec<u32>,
}

impl<'a> Records<'a> {
    pub fn new(contacts: &'a CleanContacts, clusters: &Clusters, trust: &[String]) -> Self {
        let source = contacts.text(column::SOURCE).expect("contacts have a source");
        let record_id = contacts.text(column::RECORD_ID).expect("contacts have a record id");
        assert_eq!(source.len(), clusters.of.len(), "every record has a cluster");
        let trust_of = trust_ranks(source, trust);
        let mut cluster_of: Vec<u32> = Vec::with_capacity(clusters.of.len());
        let mut anchor_of: Vec<u32> = Vec::new();
        let mut size_of: Vec<u32> = Vec::new();
        for (record, &root) in (0_u32..).zip(&clusters.of) {
            let cluster = if root == record {
                anchor_of.push(record);
                size_of.push(0);
                u32::try_from(anchor_of.len() - 1).expect("there are at most as many clusters as records")
            } else {
                cluster_of[root as usize]
            };
            cluster_of.push(cluster);
            size_of[cluster as usize] += 1;
            let anchor = &mut anchor_of[cluster as usize];
            if trust_of[record as usize] < trust_of[*anchor as usize] {
                *anchor = record;
            }
        }
        Self {
            source,
            record_id,
            trust_of,
            cluster_of,
            anchor_of,
            size_of,
        }
    }

    pub fn clusters_count(&self) -> usize {
        self.anchor_of.len()
    }

    /// (source, record id) of a record.
    pub fn record(&self, record: usize) -> (&'a str, &'a str) {
        (self.source.value(record), self.record_id.value(record))
    }

    /// Calls `visit(record, previous key, origin)` for every record that had a key or an origin, in order of the records.
    pub fn with_previous(&self, previous: &PreviousKeys, mut visit: impl FnMut(u32, Option<CustomerKey>, Option<CustomerKey>)) {
        let mut identities = Cursor::new(&previous.identities);
        let mut origins = Cursor::new(&previous.origins);
        for (record, at) in (0_u32..).zip(0..self.source.len()) {
            let name = self.record(at);
            let key = identities.seek(name);
            let origin = origins.seek(name);
            if key.is_some() || origin.is_some() {
                visit(record, key, origin);
            }
        }
    }
}

fn trust_ranks(source: &StringArray, trust: &[String]) -> Vec<u16> {
    let rank = |name: &str| {
        let position = trust.iter().position(|trusted| trusted == name).unwrap_or(trust.len());
        u16::try_from(position).unwrap_or(u16::MAX)
    };
    let mut last: Option<(&str, u16)> = None;
    (0..source.len())
        .map(|record| {
            let name = source.value(record);
            match last {
                Some((known, rank)) if known == name => rank,
                _ => {
                    last = Some((name, rank(name)));
                    rank(name)
                }
            }
        })
        .collect()
}

/// Walks a sorted list in step with sorted look-ups.
struct Cursor<'a> {
    list: &'a RecordKeys,
    row: usize,
}

impl<'a> Cursor<'a> {
    fn new(list: &'a RecordKeys) -> Self {
        Self { list, row: 0 }
    }

    fn seek(&mut self, record: (&str, &str)) -> Option<CustomerKey> {
        while self.row < self.list.len() {
            match self.list.record(self.row).cmp(&record) {
                Ordering::Less => self.row += 1,
                Ordering::Equal => {
                    self.row += 1;
                    return Some(self.list.key[self.row - 1]);
                }
                Ordering::Greater => return None,
            }
        }
        None
    }
}

/// An old key and a new cluster that share records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overlap {
    /// Position of the key in its [`OverlapTable::keys`].
    pub key: u32,
    /// The cluster.
    pub cluster: u32,
    /// How many records they share.
    pub weight: u32,
    /// Smallest record they share.
    pub record: u32,
    /// Rank of the most trusted source among the shared records.
    pub trust: u16,
}

impl Overlap {
    /// Stronger overlaps first: weight, trust, key, record.
    pub fn strength(&self) -> (std::cmp::Reverse<u32>, u16, u32, u32, u32) {
        (std::cmp::Reverse(self.weight), self.trust, self.key, self.record, self.cluster)
    }
}

/// Overlaps sorted by (key, cluster).
#[derive(Debug, Default)]
pub(super) struct OverlapTable {
    /// Keys in byte order; also those without an overlap.
    pub keys: Vec<CustomerKey>,
    /// The overlaps.
    pub rows: Vec<Overlap>,
}

impl OverlapTable {
    /// Overlaps of each key that has one, together.
    pub fn by_key(&self) -> impl Iterator<Item = &[Overlap]> {
        self.rows.chunk_by(|left, right| left.key == right.key)
    }

    /// How many records a key and a cluster share.
    pub fn weight(&self, key: CustomerKey, cluster: u32) -> u32 {
        let Ok(key) = self.keys.binary_search(&key) else { return 0 };
        self.rows
            .binary_search_by_key(&(key, cluster), |row| (row.key as usize, row.cluster))
            .map_or(0, |row| self.rows[row].weight)
    }
}

/// Everything that ties this run's clusters to older keys.
#[derive(Debug, Default)]
pub(super) struct Overlaps {
    /// Keys of the last version.
    pub living: OverlapTable,
    /// Keys that had been merged away, over the records that carry them as origin.
    pub origin: OverlapTable,
    /// As `living`, over the records that carry such an origin only.
    pub adopted: OverlapTable,
}

/// One shared record of a key and a cluster.
type Hit = (CustomerKey, u32, u16, u32);

pub(super) fn find(records: &Records<'_>, previous: &PreviousKeys) -> Overlaps {
    let mut living: Vec<Hit> = Vec::with_capacity(previous.identities.len().min(records.cluster_of.len()));
    let mut origins: Vec<Hit> = Vec::new();
    let mut adopted: Vec<Hit> = Vec::new();
    records.with_previous(previous, |record, key, origin| {
        let hit = |key| (key, records.cluster_of[record as usize], records.trust_of[record as usize], record);
        living.extend(key.map(hit));
        if let Some(origin) = origin.filter(|&origin| is_redirected(&previous.redirects, origin)) {
            origins.push(hit(origin));
            adopted.extend(key.map(hit));
        }
    });
    let mut keys = previous.identities.key.clone();
    keys.par_sort_unstable();
    keys.dedup();
    keys.shrink_to_fit();
    let origin_keys = distinct(&origins);
    let adopted_keys = distinct(&adopted);
    Overlaps {
        living: OverlapTable {
            rows: count(living, &keys),
            keys,
        },
        origin: OverlapTable {
            rows: count(origins, &origin_keys),
            keys: origin_keys,
        },
        adopted: OverlapTable {
            rows: count(adopted, &adopted_keys),
            keys: adopted_keys,
        },
    }
}

/// Whether a key was merged away. `redirects` are sorted by the old key.
pub(super) fn is_redirected(redirects: &[KeyRedirect], key: CustomerKey) -> bool {
    redirects.binary_search_by_key(&key, |redirect| redirect.old).is_ok()
}

fn distinct(hits: &[Hit]) -> Vec<CustomerKey> {
    let mut keys: Vec<CustomerKey> = hits.iter().map(|hit| hit.0).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Counts hits a (key, cluster). `keys` holds every key of a hit, in byte order.
fn count(mut hits: Vec<Hit>, keys: &[CustomerKey]) -> Vec<Overlap> {
    hits.par_sort_unstable();
    let mut rows: Vec<Overlap> = Vec::new();
    let mut position = 0_usize;
    for (key, cluster, trust, record) in hits {
        while keys[position] < key {
            position += 1;
        }
        let key = u32::try_from(position).expect("there are fewer keys than 2^32 records");
        match rows.last_mut() {
            Some(row) if (row.key, row.cluster) == (key, cluster) => {
                row.weight += 1;
                row.record = row.record.min(record);
            }
            _ => rows.push(Overlap {
                key,
                cluster,
                weight: 1,
                record,
                trust,
            }),
        }
    }
    rows
}
