//! Why a key changed: from what changed among the records of the customers concerned.
//!
//! The first that holds is the cause. A customer all of whose records are new was created by `new_records`, one without a record left retired
//! by `removed_records`. Else: `decision` (one that concerns a record of the customers came, went or changed), `new_rule`, `new_model` (both
//! reach every pair); then for customers that came together `new_records`, `changed_values`, `removed_records`, and for customers that
//! parted or exchanged records `changed_values`, `removed_records`, `new_records`; then `other_records`. Where the last version does not tell
//! what its records held, `unknown` stands for what cannot be told.

use super::Changed;
use super::history::Scene;
use super::records::NONE;
use crate::table::keys::{KeyCause, KeyEventKind};

const NEW: u8 = 1;
const CHANGED: u8 = 2;
const DECIDED: u8 = 4;
const REMOVED: u8 = 8;

/// What changed in every cluster.
pub(super) struct Causes<'a> {
    changed: Changed<'a>,
    /// For each cluster what happened to its records, and to those that its key had.
    of_cluster: Vec<u8>,
    /// For each key of the last version whether a record of it is gone.
    lost: Vec<bool>,
    contents_known: bool,
}

impl<'a> Causes<'a> {
    /// Two passes over the records.
    pub fn new(scene: Scene<'_>, changed: Changed<'a>, contents: &[u64]) -> Self {
        let Scene {
            records,
            overlaps,
            keyed,
            previous,
            ..
        } = scene;
        let identities = &previous.identities;
        let contents_known = previous.contents.len() == identities.len();
        let mut of_cluster = vec![0_u8; records.clusters_count()];
        let mut is_there = vec![false; identities.len()];
        for (record, (&row, &cluster)) in overlaps.rows.iter().zip(&records.cluster_of).enumerate() {
            let flags = &mut of_cluster[cluster as usize];
            if row == NONE {
                *flags |= NEW;
                continue;
            }
            is_there[row as usize] = true;
            if contents_known && previous.contents[row as usize] != contents[record] {
                *flags |= CHANGED;
            }
        }
        for record in changed.decided {
            of_cluster[records.cluster(record.0) as usize] |= DECIDED;
        }
        let mut lost = vec![false; identities.keys().len()];
        for (&key, _) in identities.positions().iter().zip(is_there).filter(|(_, is_there)| !is_there) {
            lost[key as usize] = true;
        }
        for (&cluster, _) in keyed
            .cluster_of
            .iter()
            .zip(&lost)
            .filter(|&(&cluster, &lost)| lost && cluster != NONE)
        {
            of_cluster[cluster as usize] |= REMOVED;
        }
        Self {
            changed,
            of_cluster,
            lost,
            contents_known,
        }
    }

    /// The cause of an event that concerns these clusters and these keys of the last version.
    pub fn of(&self, kind: KeyEventKind, clusters: &[u32], keys: &[u32]) -> KeyCause {
        let mut flags = clusters.iter().fold(0, |flags, &cluster| flags | self.of_cluster[cluster as usize]);
        if keys.iter().any(|&key| self.lost[key as usize]) {
            flags |= REMOVED;
        }
        if flags & DECIDED != 0 {
            return KeyCause::Decision;
        }
        if self.changed.rules {
            return KeyCause::NewRule;
        }
        if self.changed.model {
            return KeyCause::NewModel;
        }
        let new = (NEW, KeyCause::NewRecords);
        let (changed, removed) = ((CHANGED, KeyCause::ChangedValues), (REMOVED, KeyCause::RemovedRecords));
        let order = match kind {
            KeyEventKind::Created | KeyEventKind::Merged => [new, changed, removed],
            KeyEventKind::Split | KeyEventKind::RecordsMoved | KeyEventKind::Resurrected | KeyEventKind::Retired => [changed, removed, new],
        };
        let rest = if self.contents_known {
            KeyCause::OtherRecords
        } else {
            KeyCause::Unknown
        };
        order.iter().find(|(flag, _)| flags & flag != 0).map_or(rest, |&(_, cause)| cause)
    }
}
