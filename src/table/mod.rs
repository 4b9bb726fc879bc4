//! The vocabulary between stages: typed tables, column names and ids. A stage takes and gives these, nothing else.

pub mod bounds;
pub mod build;
pub mod coded;
pub mod column;
pub mod contacts;
pub mod decisions;
pub mod identity;
pub mod ids;
pub mod keys;
mod lines;
pub mod order;
pub mod pairs;
pub mod record;
pub mod rejects;
pub mod shared;
pub mod tiles;

pub use coded::{Coded, CodedRecords, NULL_CODE};
pub use contacts::{CleanContacts, Contacts};
pub use decisions::{Decided, Decision, DecisionKind, Decisions, Pin};
pub use identity::{Clusters, GenericValue, Link, PossibleLink, RefusalReason};
pub use ids::{CustomerKey, RecordIx, RunId, VersionNumber};
pub use lines::COLUMNS_MAX;
pub use pairs::{Blocks, Candidate, Pair, PairPatterns, Pattern, RuleIx};
pub use record::{RecordKind, RecordSchema};
pub use rejects::{Reject, RejectLevel, Rejects};
