//! What happens to customer keys from one version to the next.

use std::ops::Range;

use arrow::array::{Array, StringArray};
use rayon::prelude::*;

use super::coded::NULL_CODE;
use super::ids::{CustomerKey, RecordIx};

/// The keys of a run: for each record the position of its key, keys in byte order.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// All live keys, in byte order.
    pub keys: Vec<CustomerKey>,
    /// For each record an index into `keys`.
    pub of: Vec<u32>,
    /// What changed against the last version; empty when nothing did.
    pub events: Vec<KeyEvent>,
    /// For every key that was merged away the live key that holds its records, one hop; sorted by the old key.
    pub redirects: Vec<KeyRedirect>,
    /// Keys that went out of use because no record was left, ever, sorted: never minted again.
    pub retired: Vec<CustomerKey>,
    /// For a record whose key was merged away: the key it had before its last merge, sorted by record.
    pub origins: Vec<(RecordIx, CustomerKey)>,
    /// For each of `keys` the version that created it; 0 = before versions of keys were kept.
    pub created: Vec<u32>,
    /// For each record a hash of what identity reads of it: tells the next run which records changed.
    pub contents: Vec<u64>,
}

/// What happened to one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyEvent {
    /// The key concerned.
    pub key: CustomerKey,
    /// What happened.
    pub kind: KeyEventKind,
    /// The other key of a merge, a split or a move.
    pub other: Option<CustomerKey>,
    /// How many records the event concerns.
    pub records_count: u32,
    /// Why it happened.
    pub cause: KeyCause,
}

/// Kinds of key event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyEventKind {
    /// A new customer.
    Created,
    /// This key lives on in `other`.
    Merged,
    /// This key is new and holds records that were under `other`, which lives on.
    Split,
    /// No record is left.
    Retired,
    /// Records moved from `other` to this key, which is not the key that `other` lives on in.
    RecordsMoved,
    /// A key that had been merged away lives again, with records that were under `other`.
    Resurrected,
}

impl KeyEventKind {
    /// Snake-case name, as published in `key_events.event`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Merged => "merged",
            Self::Split => "split",
            Self::Retired => "retired",
            Self::RecordsMoved => "records_moved",
            Self::Resurrected => "resurrected",
        }
    }
}

/// Why something happened to a key. Where several causes come together, the first of an order that the key stage documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyCause {
    /// A decision about one of the records came, went or changed.
    Decision,
    /// The rules of identity differ from those of the last version.
    NewRule,
    /// The model or its term frequencies differ from those of the last version.
    NewModel,
    /// A record of the customers is new.
    NewRecords,
    /// What identity reads of one of the records changed.
    ChangedValues,
    /// A record of the customers is gone.
    RemovedRecords,
    /// All records of the customers are as they were: others changed what a value or a block of them is worth.
    OtherRecords,
    /// The last version does not tell what its records held: it is of an older release.
    Unknown,
}

impl KeyCause {
    /// Snake-case name, as published in `key_events.cause`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::NewRule => "new_rule",
            Self::NewModel => "new_model",
            Self::NewRecords => "new_records",
            Self::ChangedValues => "changed_values",
            Self::RemovedRecords => "removed_records",
            Self::OtherRecords => "other_records",
            Self::Unknown => "unknown",
        }
    }
}

/// `old` was merged into `live`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyRedirect {
    /// A key that is no longer in use.
    pub old: CustomerKey,
    /// The key that holds its records now; always a live key.
    pub live: CustomerKey,
    /// The key that it was merged into at the time. If that one is merged too and later lives again, `old` leads to it again.
    pub via: CustomerKey,
    /// The version that created `old`; 0 = before versions of keys were kept.
    pub created: u32,
    /// The version in which it was merged; 0 = before versions of keys were kept.
    pub merged: u32,
}

/// A key for each of some records, sorted by (source, record id) in byte order, each pair once. Sources are ranges of rows and keys are numbers:
/// about 30 bytes a record.
#[derive(Debug, Clone)]
pub struct RecordKeys {
    /// Sources in byte order, each with the row after its last.
    sources: Vec<(String, usize)>,
    record_id: StringArray,
    /// For each row the position of its key.
    key: Vec<u32>,
    /// The keys in byte order, each once.
    keys: Vec<CustomerKey>,
}

impl Default for RecordKeys {
    fn default() -> Self {
        Self {
            sources: Vec::new(),
            record_id: StringArray::from(Vec::<&str>::new()),
            key: Vec::new(),
            keys: Vec::new(),
        }
    }
}

impl RecordKeys {
    /// Puts the columns together: `sources` in byte order, each with the row after its last; for each row its record id and the position of
    /// its key among `keys`, which are in byte order. `None` if rows do not ascend strictly: a record stands there twice.
    #[must_use]
    pub fn new(sources: Vec<(String, usize)>, record_id: StringArray, key: Vec<u32>, keys: Vec<CustomerKey>) -> Option<Self> {
        assert_eq!(record_id.len(), key.len(), "a row has a record id and a key");
        assert_eq!(sources.last().map_or(0, |source| source.1), key.len(), "every row has a source");
        let list = Self {
            sources,
            record_id,
            key,
            keys,
        };
        let ascends = |range: Range<usize>| {
            (range.start + 1..range.end)
                .into_par_iter()
                .all(|row| list.record_id.value(row - 1) < list.record_id.value(row))
        };
        let is_sorted = list.ranges().all(|(_, range)| ascends(range));
        is_sorted.then_some(list)
    }

    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.key.len()
    }

    /// Whether there is no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// For each of some records, sorted the same way, its row in this list, or [`NULL_CODE`]. One walk over both.
    #[must_use]
    pub fn rows_of(&self, source: &StringArray, record_id: &StringArray) -> Vec<u32> {
        let mut row = 0;
        (0..source.len())
            .map(|at| {
                let record = (source.value(at), record_id.value(at));
                while row < self.len() && self.record(row) < record {
                    row += 1;
                }
                if row < self.len() && self.record(row) == record {
                    u32::try_from(row).expect("a table has fewer than 2^32 records")
                } else {
                    NULL_CODE
                }
            })
            .collect()
    }

    /// The sources with their rows, in byte order.
    pub fn ranges(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        let starts = std::iter::once(0).chain(self.sources.iter().map(|source| source.1));
        self.sources
            .iter()
            .zip(starts)
            .map(|((name, end), start)| (name.as_str(), start..*end))
    }

    /// Record ids of all rows.
    #[must_use]
    pub fn record_ids(&self) -> &StringArray {
        &self.record_id
    }

    /// (source, record id) of a row.
    #[must_use]
    pub fn record(&self, row: usize) -> (&str, &str) {
        let source = self.sources.partition_point(|source| source.1 <= row);
        (&self.sources[source].0, self.record_id.value(row))
    }

    /// For each row the position of its key among [`RecordKeys::keys`].
    #[must_use]
    pub fn positions(&self) -> &[u32] {
        &self.key
    }

    /// The keys in byte order, each once.
    #[must_use]
    pub fn keys(&self) -> &[CustomerKey] {
        &self.keys
    }

    /// Key of a row.
    #[must_use]
    pub fn key(&self, row: usize) -> CustomerKey {
        self.keys[self.key[row] as usize]
    }
}

/// The last version's keys, as read back from its `identities`, `key_redirects` and the state of the key stage.
#[derive(Debug, Clone, Default)]
pub struct PreviousKeys {
    /// Key of every record.
    pub identities: RecordKeys,
    /// Redirects in force, sorted by the old key.
    pub redirects: Vec<KeyRedirect>,
    /// Keys that went out of use because no record was left, sorted: never minted again.
    pub retired: Vec<CustomerKey>,
    /// For a record whose key was merged away: the key it had before its last merge.
    pub origins: RecordKeys,
    /// For each key of `identities` the version that created it; empty if the version does not tell.
    pub created: Vec<u32>,
    /// For each record of `identities` a hash of what identity read of it; empty if the version does not tell.
    pub contents: Vec<u64>,
}

impl PreviousKeys {
    /// The version that created a key of `identities`, by its position; 0 if that is not known.
    #[must_use]
    pub fn created(&self, position: usize) -> u32 {
        self.created.get(position).copied().unwrap_or(0)
    }

    /// The redirect of a key that was merged away.
    #[must_use]
    pub fn redirect(&self, old: CustomerKey) -> Option<&KeyRedirect> {
        let at = self.redirects.binary_search_by_key(&old, |redirect| redirect.old).ok()?;
        Some(&self.redirects[at])
    }

    /// Whether a key went out of use because no record was left.
    #[must_use]
    pub fn is_retired(&self, key: CustomerKey) -> bool {
        self.retired.binary_search(&key).is_ok()
    }
}
