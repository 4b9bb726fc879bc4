//! What happens to customer keys from one version to the next.

use arrow::array::{Array, StringArray};

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

/// `old` was merged into `live`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyRedirect {
    /// A key that is no longer in use.
    pub old: CustomerKey,
    /// The key that holds its records now; always a live key.
    pub live: CustomerKey,
}

/// A key for each of some records, sorted by (source, record id) in byte order, each pair once.
#[derive(Debug, Clone)]
pub struct RecordKeys {
    /// Source of each record.
    pub source: StringArray,
    /// Record id of each record.
    pub record_id: StringArray,
    /// Key of each record.
    pub key: Vec<CustomerKey>,
}

impl Default for RecordKeys {
    fn default() -> Self {
        let none = || StringArray::from(Vec::<&str>::new());
        Self {
            source: none(),
            record_id: none(),
            key: Vec::new(),
        }
    }
}

impl RecordKeys {
    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.source.len()
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

    /// (source, record id) of a row.
    #[must_use]
    pub fn record(&self, row: usize) -> (&str, &str) {
        (self.source.value(row), self.record_id.value(row))
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
}
