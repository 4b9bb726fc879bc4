//! The records of a run as keys see them: sources as ranges with their trust, clusters numbered densely, and the row that each record had in
//! the last version.

use std::ops::Range;

use arrow::array::{Array, StringArray};
use rayon::prelude::*;

use super::Trust;
use crate::table::keys::RecordKeys;
use crate::table::{CleanContacts, Clusters, RecordIx, column};

/// No row, key or cluster.
pub(super) const NONE: u32 = u32::MAX;

/// Records that are looked up together.
const CHUNK: usize = 1 << 16;

/// The records of one source.
pub(super) struct SourceRange<'a> {
    pub name: &'a str,
    pub rows: Range<usize>,
    /// 0 = most trusted; a source without a rank comes after all others.
    pub rank: u16,
    /// What a record counts in an overlap.
    pub weight: u32,
}

/// The records of this run with their clusters numbered densely, in order of the smallest record.
pub(super) struct Records<'a> {
    pub contacts: &'a CleanContacts,
    record_id: &'a StringArray,
    sources: Vec<SourceRange<'a>>,
    /// Dense cluster of each record.
    pub cluster_of: Vec<u32>,
    /// For each cluster its most trusted record, then the smallest: what a new key is minted from.
    pub anchor_of: Vec<u32>,
}

impl<'a> Records<'a> {
    pub fn new(contacts: &'a CleanContacts, clusters: &Clusters, trust: Trust<'_>) -> Self {
        let source = contacts.text(column::SOURCE).expect("contacts have a source");
        let record_id = contacts.text(column::RECORD_ID).expect("contacts have a record id");
        assert_eq!(source.len(), clusters.of.len(), "every record has a cluster");
        let mut records = Self {
            contacts,
            record_id,
            sources: ranges(source, trust),
            cluster_of: Vec::with_capacity(clusters.of.len()),
            anchor_of: Vec::new(),
        };
        let mut rank_of: Vec<u16> = Vec::new();
        for range in &records.sources {
            for record in range.rows.clone() {
                let at = u32::try_from(record).expect("a table has fewer than 2^32 records");
                let root = clusters.of[record];
                let cluster = if root == at {
                    records.anchor_of.push(at);
                    rank_of.push(range.rank);
                    records.anchor_of.len() - 1
                } else {
                    records.cluster_of[root as usize] as usize
                };
                if range.rank < rank_of[cluster] {
                    rank_of[cluster] = range.rank;
                    records.anchor_of[cluster] = at;
                }
                let cluster = u32::try_from(cluster).expect("there are at most as many clusters as records");
                records.cluster_of.push(cluster);
            }
        }
        records
    }

    pub fn len(&self) -> usize {
        self.record_id.len()
    }

    pub fn clusters_count(&self) -> usize {
        self.anchor_of.len()
    }

    /// (source, record id) of a record.
    pub fn name(&self, record: u32) -> (&'a str, &'a str) {
        (self.source_of(record).name, self.record_id.value(record as usize))
    }

    pub fn source_of(&self, record: u32) -> &SourceRange<'a> {
        let at = self.sources.partition_point(|range| range.rows.end <= record as usize);
        &self.sources[at]
    }

    pub fn cluster(&self, record: u32) -> u32 {
        self.cluster_of[record as usize]
    }

    /// How many records each cluster has.
    pub fn sizes(&self) -> Vec<u32> {
        let mut sizes = vec![0_u32; self.clusters_count()];
        for &cluster in &self.cluster_of {
            sizes[cluster as usize] += 1;
        }
        sizes
    }

    /// For each record its row in a list, or [`NONE`]: two sorted lists side by side, in chunks on all threads.
    pub fn rows_in(&self, list: &RecordKeys) -> Vec<u32> {
        let mut rows = vec![NONE; self.len()];
        for source in &self.sources {
            let Some((_, listed)) = list.ranges().find(|(name, _)| *name == source.name) else {
                continue;
            };
            let chunks = rows[source.rows.clone()].par_chunks_mut(CHUNK).enumerate();
            chunks.for_each(|(chunk, rows)| self.walk(source.rows.start + chunk * CHUNK, rows, list, listed.clone()));
        }
        rows
    }

    /// Looks up the records from `first` on among the listed rows of their source.
    fn walk(&self, first: usize, rows: &mut [u32], list: &RecordKeys, mut listed: Range<usize>) {
        let ids = list.record_ids();
        listed.start = lower_bound(ids, listed.clone(), self.record_id.value(first));
        for (row, record) in rows.iter_mut().zip(first..) {
            let id = self.record_id.value(record);
            while listed.start < listed.end && ids.value(listed.start) < id {
                listed.start += 1;
            }
            if listed.start < listed.end && ids.value(listed.start) == id {
                *row = u32::try_from(listed.start).expect("a table has fewer than 2^32 records");
                listed.start += 1;
            }
        }
    }

    /// (record, row) of every row of a short list whose record is there, by record. O(m log n).
    pub fn found_in(&self, list: &RecordKeys) -> Vec<(u32, u32)> {
        let find = |row: u32| {
            let (source, id) = list.record(row as usize);
            let RecordIx(record) = self.contacts.find(source, id)?;
            Some((record, row))
        };
        let rows = 0..u32::try_from(list.len()).expect("a table has fewer than 2^32 records");
        rows.into_par_iter().filter_map(find).collect()
    }
}

/// The first of some ascending rows whose id is not smaller.
fn lower_bound(ids: &StringArray, mut rows: Range<usize>, id: &str) -> usize {
    while rows.start < rows.end {
        let middle = rows.start.midpoint(rows.end);
        if ids.value(middle) < id {
            rows.start = middle + 1;
        } else {
            rows.end = middle;
        }
    }
    rows.start
}

/// Sources are sorted, so each is a range; its end is found by bisection.
fn ranges<'a>(source: &'a StringArray, trust: Trust<'_>) -> Vec<SourceRange<'a>> {
    let mut ranges = Vec::new();
    let mut start = 0;
    while start < source.len() {
        let name = source.value(start);
        let (mut low, mut high) = (start + 1, source.len());
        while low < high {
            let middle = low.midpoint(high);
            if source.value(middle) == name {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let position = trust.sources.iter().position(|trusted| trusted == name);
        ranges.push(SourceRange {
            name,
            rows: start..low,
            rank: u16::try_from(position.unwrap_or(trust.sources.len())).unwrap_or(u16::MAX),
            weight: position.and_then(|at| trust.weights.get(at)).copied().unwrap_or(1),
        });
        start = low;
    }
    ranges
}
