//! What happens to customer keys from one version to the next.

use super::ids::CustomerKey;

/// The keys of a run: for each record the position of its key, keys in byte order.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// All live keys, in byte order.
    pub keys: Vec<CustomerKey>,
    /// For each record an index into `keys`.
    pub of: Vec<u32>,
    /// What changed against the last version; empty when nothing did.
    pub events: Vec<KeyEvent>,
    /// For every key that ever left the stage the key that lives on, one hop.
    pub redirects: Vec<KeyRedirect>,
}

/// What happened to one key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
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
    /// This key is new and holds records that were under `other`.
    Split,
    /// No record is left.
    Retired,
    /// Records moved from `other` to this key; both live on.
    RecordsMoved,
    /// A key that had been merged away lives again.
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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyRedirect {
    /// A key that is no longer in use.
    pub old: CustomerKey,
    /// The key that holds its records now; always a live key.
    pub live: CustomerKey,
}

/// The last version's keys, as read back from its `identities`, `key_redirects` and `key_events`.
#[derive(Debug, Clone, Default)]
pub struct PreviousKeys {
    /// (source, record id, key) of every record, sorted by (source, record id).
    pub identities: Vec<(String, String, CustomerKey)>,
    /// Redirects in force.
    pub redirects: Vec<KeyRedirect>,
    /// Every key that is out of use (merged or retired), sorted: never minted again.
    pub retired: Vec<CustomerKey>,
    /// For a record whose key was merged away: the key it had before (source, record id, key), sorted.
    pub origins: Vec<(String, String, CustomerKey)>,
}
