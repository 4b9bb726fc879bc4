//! The vocabulary between stages: typed tables, column names and ids. A stage takes and gives these, nothing else.

pub mod bounds;
pub mod build;
pub mod coded;
pub mod column;
pub mod contacts;
pub mod identity;
pub mod ids;
pub mod keys;
pub mod order;
pub mod pairs;
pub mod record;
pub mod rejects;
pub mod tiles;

pub use coded::{Coded, CodedRecords, NULL_CODE};
pub use contacts::{CleanContacts, Contacts};
pub use identity::{Clusters, Link, PossibleLink, RefusalReason};
pub use ids::{CustomerKey, RecordIx, RunId, VersionNumber};
pub use pairs::{Blocks, Pair, PairPatterns, Pattern, RuleIx};
pub use record::{RecordKind, RecordSchema};
pub use rejects::{Reject, RejectLevel, Rejects};
