//! What people decided: about two records, whatever the weight says, and about the key of a customer.

use super::contacts::CleanContacts;
use super::ids::{CustomerKey, RecordIx};
use super::rejects::{Reject, RejectLevel, Rejects};

/// Name under which files of decisions stand in plans, ledgers and rejects. No source can have it: names of sources hold no dot.
pub const DECISIONS: &str = "identity.decisions";

/// Reason code of a decision about a record that is not there.
pub const UNKNOWN_RECORD: &str = "unknown_record";

/// Together or apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DecisionKind {
    /// Both records are one customer.
    MustLink,
    /// The two records are never one customer.
    CannotLink,
}

impl DecisionKind {
    /// The word in the file, as published in `decisions.decision` and `links.rule`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MustLink => "must_link",
            Self::CannotLink => "cannot_link",
        }
    }

    /// Reads the word; case and `-` for `_` do not matter.
    #[must_use]
    pub fn from_name(text: &str) -> Option<Self> {
        let word = text.trim().to_ascii_lowercase().replace('-', "_");
        [Self::MustLink, Self::CannotLink].into_iter().find(|kind| kind.name() == word)
    }
}

/// A record as people name it: source and record id, as in `identities`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamedRecord {
    /// Source.
    pub source: String,
    /// Record id.
    pub record_id: String,
}

impl NamedRecord {
    /// `source:record_id`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}:{}", self.source, self.record_id)
    }
}

/// One row of a file of decisions about two records.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decision {
    /// Together or apart.
    pub kind: DecisionKind,
    /// The smaller record.
    pub left: NamedRecord,
    /// The larger record.
    pub right: NamedRecord,
    /// Who decided, as written.
    pub decided_by: Option<String>,
    /// When, as written.
    pub decided_at: Option<String>,
    /// Why, as written.
    pub reason: Option<String>,
    /// File it stands in.
    pub file: String,
    /// Its line there, from 1.
    pub line: u64,
}

impl Decision {
    /// `decisions.csv:7`, for messages.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// The word of a [`Pin`] in its file, as published in `decisions.decision`.
pub const PIN: &str = "pin";

/// One row of a file of decisions that gives the customer of a record a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pin {
    /// The record.
    pub record: NamedRecord,
    /// The key that its customer gets.
    pub key: CustomerKey,
    /// Who decided, as written.
    pub decided_by: Option<String>,
    /// When, as written.
    pub decided_at: Option<String>,
    /// Why, as written.
    pub reason: Option<String>,
    /// File it stands in.
    pub file: String,
    /// Its line there, from 1.
    pub line: u64,
}

impl Pin {
    /// `decisions.csv:7`, for messages.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

/// Everything that files of decisions say.
#[derive(Debug, Clone, Default)]
pub struct Decided {
    /// About pairs of records, sorted.
    pub pairs: Vec<Decision>,
    /// About keys, sorted.
    pub pins: Vec<Pin>,
}

/// Decisions, each with its records among the contacts; `None` where one is not there.
#[derive(Debug, Clone, Default)]
pub struct Decisions {
    /// The decisions about pairs, sorted.
    pub rows: Vec<Decision>,
    /// For each its records, the smaller first.
    pub records: Vec<Option<(RecordIx, RecordIx)>>,
    /// The pins, sorted.
    pub pins: Vec<Pin>,
    /// For each its record.
    pub pinned: Vec<Option<RecordIx>>,
}

impl Decisions {
    /// Finds the records. O(d log n).
    #[must_use]
    pub fn locate(decided: Decided, contacts: &CleanContacts) -> Self {
        let Decided { pairs: rows, pins } = decided;
        let find = |record: &NamedRecord| contacts.find(&record.source, &record.record_id);
        let pinned = pins.iter().map(|pin| find(&pin.record)).collect();
        let records = rows
            .iter()
            .map(|row| {
                let (left, right) = (find(&row.left)?, find(&row.right)?);
                Some((left.min(right), left.max(right)))
            })
            .collect();
        Self {
            rows,
            records,
            pins,
            pinned,
        }
    }

    /// The pairs of one kind, sorted, each once.
    #[must_use]
    pub fn pairs(&self, kind: DecisionKind) -> Vec<(RecordIx, RecordIx)> {
        let of_kind = self.rows.iter().zip(&self.records).filter(|(row, _)| row.kind == kind);
        let mut pairs: Vec<_> = of_kind.filter_map(|(_, records)| *records).collect();
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }

    /// How many decisions name a record that is not there.
    #[must_use]
    pub fn unknown(&self) -> u64 {
        let pairs = self.records.iter().filter(|records| records.is_none()).count();
        (pairs + self.pinned.iter().filter(|record| record.is_none()).count()) as u64
    }

    /// Pins whose record is there.
    pub fn pinned(&self) -> impl Iterator<Item = (RecordIx, &Pin)> {
        let located = self.pins.iter().zip(&self.pinned);
        located.filter_map(|(pin, record)| Some(((*record)?, pin)))
    }

    /// A reject for each decision that names a record that is not there.
    #[must_use]
    pub fn rejects(&self) -> Rejects {
        let mut rejects = Rejects::default();
        for (row, _) in self.rows.iter().zip(&self.records).filter(|(_, records)| records.is_none()) {
            let names = [&row.left, &row.right].map(NamedRecord::name);
            rejects.push(unknown_record(
                &row.file,
                row.line,
                format!("{} {}", row.kind.name(), names.join(" ")),
            ));
        }
        for (pin, _) in self.pins.iter().zip(&self.pinned).filter(|(_, record)| record.is_none()) {
            rejects.push(unknown_record(&pin.file, pin.line, format!("{PIN} {}", pin.record.name())));
        }
        rejects
    }
}

fn unknown_record(file: &str, line: u64, content: String) -> Reject {
    Reject {
        source: DECISIONS.to_owned(),
        record: None,
        file: Some(file.to_owned()),
        line: Some(line),
        level: RejectLevel::Row,
        reason: UNKNOWN_RECORD.to_owned(),
        field: None,
        content: Some(content),
    }
}
