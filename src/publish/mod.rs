//! Stage `publish`: immutable files, verified, then one create-if-absent commit.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Engine, Location};
use crate::error::Result;
use crate::table::{RunId, VersionNumber};

/// A published version: `versions/<n>.json`. Everything that a reader needs to find and check its files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// Format of this file: 1. A newer one is refused.
    pub format: u32,
    /// Number, from 1.
    pub version: VersionNumber,
    /// Run that made it.
    pub run_id: RunId,
    /// Version it was made from, if any.
    pub parent: Option<VersionNumber>,
    /// Day as of which metrics were computed.
    pub as_of: NaiveDate,
    /// When it was committed, UTC.
    pub created_at: DateTime<Utc>,
    /// Version of this program.
    pub tool: String,
    /// Fingerprint of config, SQL, inputs and as-of: an equal one means that nothing would change.
    pub fingerprint: String,
    /// Tables by name.
    pub tables: BTreeMap<String, TableEntry>,
    /// State files by name: `model.json`, `ledger.json`, …
    pub state: BTreeMap<String, FileEntry>,
}

/// A published table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TableEntry {
    /// Rows in all files.
    pub rows: u64,
    /// Its files.
    pub files: Vec<FileEntry>,
}

/// One immutable file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileEntry {
    /// Path below the warehouse.
    pub path: String,
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 (hex).
    pub sha256: String,
}

/// What a run wants to publish.
#[derive(Debug)]
pub struct Release {
    /// The run.
    pub run_id: RunId,
    /// The version it read its state from.
    pub parent: Option<VersionNumber>,
    /// As-of day.
    pub as_of: NaiveDate,
    /// Fingerprint.
    pub fingerprint: String,
    /// Tables: name, schema, batches.
    pub tables: Vec<(String, SchemaRef, Vec<RecordBatch>)>,
    /// State files.
    pub state: Vec<(String, Bytes)>,
}

/// Where versions live.
#[derive(Debug, Clone)]
pub struct Warehouse {
    /// Root.
    pub root: Location,
}

impl Warehouse {
    /// Opens a warehouse. Nothing is created.
    #[must_use]
    pub fn new(root: Location) -> Self {
        Self { root }
    }

    /// All versions, ascending.
    ///
    /// # Errors
    /// `Environment` for the store or a damaged or newer manifest.
    pub fn versions(&self, _engine: &Engine) -> Result<Vec<Manifest>> {
        todo!()
    }

    /// The newest version, if there is one.
    ///
    /// # Errors
    /// As [`Warehouse::versions`].
    pub fn latest(&self, _engine: &Engine) -> Result<Option<Manifest>> {
        todo!()
    }

    /// Rows of a table of a version; `None` if the version lacks it. `columns`: only these.
    ///
    /// # Errors
    /// `Environment` if a file is missing or damaged.
    pub fn read(
        &self,
        _engine: &Engine,
        _manifest: &Manifest,
        _table: &str,
        _columns: Option<&[&str]>,
    ) -> Result<Option<Vec<RecordBatch>>> {
        todo!()
    }

    /// A state file of a version, its hash checked; `None` if the version lacks it.
    ///
    /// # Errors
    /// `Environment` if it is missing or its hash differs.
    pub fn state(&self, _engine: &Engine, _manifest: &Manifest, _name: &str) -> Result<Option<Bytes>> {
        todo!()
    }

    /// Brings `latest/` in line with the newest version, if a crash left it behind.
    ///
    /// # Errors
    /// `Environment` for the store.
    pub fn repair(&self, _engine: &Engine) -> Result<()> {
        todo!()
    }
}

/// Writes the tables, verifies them, commits, and copies to `latest/`.
///
/// # Errors
/// `Conflict` if another run published since `release.parent`, `Environment` for the store or the disk. Nothing is visible then.
pub fn publish(_engine: &Engine, _warehouse: &Warehouse, _release: Release) -> Result<Manifest> {
    todo!()
}

/// A lease that tells other runs to stay away. Saves work; correctness rests on the commit.
#[derive(Debug)]
pub struct Lease {
    _private: (),
}

impl Lease {
    /// Takes the lease of a warehouse.
    ///
    /// # Errors
    /// `Conflict` if a live run holds it.
    pub fn take(_engine: &Engine, _warehouse: &Warehouse, _run_id: &RunId) -> Result<Self> {
        todo!()
    }

    /// Gives it back.
    pub fn release(self, _engine: &Engine, _warehouse: &Warehouse) {
        todo!()
    }
}
