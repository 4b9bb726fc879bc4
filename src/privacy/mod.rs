//! What the law asks of whoever keeps records of people: show one person everything, forget one person, and keep it so.
//!
//! A request names a person by a customer key or an identifier. [`export`] reads the newest version; [`erase`] publishes a version without
//! the person, puts their identifiers on the suppression list, and sets a day for the end of the versions that still hold them;
//! [`suppress`] and [`unsuppress`] change the list alone. Nothing here needs the exports: they may be gone.

mod erase;
mod export;
mod person;
mod purge;
mod request;
mod rows;
mod state;
mod suppression;

pub use erase::{EraseOptions, ErasureOutcome, ErasureReport, Receipt, TableCounts, erase};
pub use export::{ExportedFile, ExportedSource, ExportedTable, PersonExport, csv, export};
pub use purge::{purge_due, purge_expired, purge_now};
pub use request::{Request, read_requests, request};
pub use suppression::{SuppressOptions, SuppressionChange, SuppressionReport, list, suppress, unsuppress};
