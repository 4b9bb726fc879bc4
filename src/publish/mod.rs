//! Stage `publish`: immutable files, verified, then one create-if-absent commit.
//!
//! ```text
//! <warehouse>/runs/<run_id>/<table>/part-00000.parquet   immutable; `<run_id>.2` if an earlier attempt left its folder
//! <warehouse>/runs/<run_id>/state/<name>                 immutable
//! <warehouse>/runs/<run_id>/report.html                  immutable: a page for people
//! <warehouse>/runs/<run_id>/_claim.json                  whose the folder is; who finds another word in it cannot commit
//! <warehouse>/versions/<20 digits>.json                  the commit: a [`Manifest`]; whoever creates it has published
//! <warehouse>/latest/<table>.parquet                     a copy for tools that open one file; `_version.json` says of which version
//! <warehouse>/latest/report.html                         a copy of the page
//! <warehouse>/_lock.json                                 the [`Lease`]
//! ```
//!
//! Readers take the highest version and read what it lists: they see all of a version or nothing. A crash leaves at most a folder that no
//! version lists (removed by [`Warehouse::sweep`]) or a `latest/` that is behind (repaired by [`Warehouse::repair`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::{Engine, Location};
use crate::error::{Error, Result};
use crate::table::{RunId, VersionNumber};

mod bucket;
mod cleanup;
mod commit;
mod draft;
mod encode;
mod latest;
mod lease;
mod purge;
mod read;
mod rollback;
mod seal;
mod sweep;
mod types;
mod upload;
mod write;

use bucket::Bucket;
pub use cleanup::{CleanupOptions, CleanupReport};
pub use draft::{Closing, Draft};
pub use lease::{LEASE_AGE_MAX_MINUTES, Lease};
pub use rollback::RollbackReport;

/// Format of the manifests that this program writes, and the newest it reads.
pub const MANIFEST_FORMAT: u32 = 1;

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
    /// Pages for people by name: `report.html`. Absent in versions of older releases.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pages: BTreeMap<String, FileEntry>,
    /// What was read of the inputs, kept for the next run, by the id of the piece.
    #[serde(default)]
    pub staged: BTreeMap<String, FileEntry>,
    /// The version whose files these are, where it was rolled back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_to: Option<VersionNumber>,
    /// SHA-256 (hex) of this file with 64 zeros in the place of this hash. Absent in files of early builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

impl Manifest {
    /// Every file that the version needs: tables, state, pages, what was read.
    pub fn files(&self) -> impl Iterator<Item = &FileEntry> {
        let tables = self.tables.values().flat_map(|table| &table.files);
        let others = self.state.values().chain(self.pages.values()).chain(self.staged.values());
        tables.chain(others)
    }

    /// Rows of all tables.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.values().map(|table| table.rows).sum()
    }

    /// Bytes of all files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files().map(|file| file.bytes).sum()
    }
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
    pub fn versions(&self, engine: &Engine) -> Result<Vec<Manifest>> {
        commit::manifests(&Bucket::new(engine, &self.root))
    }

    /// The newest version, for commands that ask about one.
    ///
    /// # Errors
    /// As [`Warehouse::versions`]; `Input` if nothing is published yet.
    pub fn newest(&self, engine: &Engine) -> Result<Manifest> {
        self.latest(engine)?.ok_or_else(|| {
            Error::input("nothing is published yet")
                .with("warehouse", &self.root.display)
                .hint("run `stammkunde run` first")
        })
    }

    /// A version by its number.
    ///
    /// # Errors
    /// As [`Warehouse::versions`]; `Input` if there is none of that number.
    pub fn version(&self, engine: &Engine, number: VersionNumber) -> Result<Manifest> {
        let bucket = Bucket::new(engine, &self.root);
        if commit::numbers(&bucket)?.contains(&number.0) {
            return commit::manifest(&bucket, number.0);
        }
        Err(Error::input("there is no such version")
            .with("version", number.to_string())
            .with("warehouse", &self.root.display)
            .hint("`stammkunde versions` lists them"))
    }

    /// The version whose copies stand in `latest/`; `None` if there are none, or of more than one.
    ///
    /// # Errors
    /// `Environment` for the store.
    pub fn in_latest(&self, engine: &Engine) -> Result<Option<VersionNumber>> {
        latest::version(&Bucket::new(engine, &self.root))
    }

    /// The newest version, if there is one.
    ///
    /// # Errors
    /// As [`Warehouse::versions`].
    pub fn latest(&self, engine: &Engine) -> Result<Option<Manifest>> {
        let bucket = Bucket::new(engine, &self.root);
        let newest = commit::numbers(&bucket)?.pop();
        newest.map(|number| commit::manifest(&bucket, number)).transpose()
    }

    /// Rows of a table of a version; `None` if the version lacks it. `columns`: only these, in this order. The hash of every file is
    /// checked. A table without rows gives one empty batch, so that its schema is there.
    ///
    /// # Errors
    /// `Environment` if a file is missing or damaged, or lacks a column.
    pub fn read(&self, engine: &Engine, manifest: &Manifest, table: &str, columns: Option<&[&str]>) -> Result<Option<Vec<RecordBatch>>> {
        let bucket = Bucket::new(engine, &self.root);
        let entry = manifest.tables.get(table);
        entry.map(|entry| read::table(engine, &bucket, entry, columns)).transpose()
    }

    /// The first rows of a table of a version, at least one row group's or `rows` of them; as [`Warehouse::read`] else.
    ///
    /// # Errors
    /// As [`Warehouse::read`].
    pub fn head(
        &self,
        engine: &Engine,
        manifest: &Manifest,
        table: &str,
        columns: &[&str],
        rows: usize,
    ) -> Result<Option<Vec<RecordBatch>>> {
        let bucket = Bucket::new(engine, &self.root);
        let entry = manifest.tables.get(table);
        entry.map(|entry| read::head(engine, &bucket, entry, columns, rows)).transpose()
    }

    /// The schema of a table of a version; `None` if the version lacks it.
    ///
    /// # Errors
    /// `Environment` if a file is missing or damaged.
    pub fn schema(&self, engine: &Engine, manifest: &Manifest, table: &str) -> Result<Option<SchemaRef>> {
        let bucket = Bucket::new(engine, &self.root);
        let entry = manifest.tables.get(table);
        entry.map(|entry| read::schema(engine, &bucket, entry)).transpose()
    }

    /// A state file of a version, its hash checked; `None` if the version lacks it.
    ///
    /// # Errors
    /// `Environment` if it is missing or its hash differs.
    pub fn state(&self, engine: &Engine, manifest: &Manifest, name: &str) -> Result<Option<Bytes>> {
        let bucket = Bucket::new(engine, &self.root);
        let entry = manifest.state.get(name);
        entry.map(|entry| read::checked(&bucket, entry)).transpose()
    }

    /// The bytes of a file of a version, its hash checked.
    ///
    /// # Errors
    /// `Environment` if it is missing or its hash differs.
    pub fn file(&self, engine: &Engine, entry: &FileEntry) -> Result<Bytes> {
        read::checked(&Bucket::new(engine, &self.root), entry)
    }

    /// Brings `latest/` in line with the newest version, if a crash left it behind. Cheap when it is in line.
    ///
    /// # Errors
    /// `Environment` for the store.
    pub fn repair(&self, engine: &Engine) -> Result<()> {
        let bucket = Bucket::new(engine, &self.root);
        match self.latest(engine)? {
            Some(newest) if !latest::is_current(&bucket, &newest)? => latest::update(&bucket, &newest),
            _ => Ok(()),
        }
    }

    /// Deletes what crashed runs left: folders below `runs/` that no version lists. Call it while holding the [`Lease`], before the run `own`
    /// begins; a run that lost its lease and still works loses its files, and then cannot commit. Gives the names of the folders.
    ///
    /// # Errors
    /// `Environment` for the store or a damaged manifest: then nothing is deleted.
    pub fn sweep(&self, engine: &Engine, own: &RunId) -> Result<Vec<String>> {
        let bucket = Bucket::new(engine, &self.root);
        sweep::sweep(&bucket, own)
    }

    /// Publishes a version that consists of an older one's files: tables, keys, model and ledger; the next run goes on from there. Nothing
    /// is rewritten or deleted, so it can be taken back the same way. `dry_run`: only says what would happen. Needs no [`Lease`]: takes one.
    ///
    /// # Errors
    /// `Input` if there is no such version, `Config` if it is the newest, `Gate` if people were erased since, `Environment` if a file of it is missing or damaged or for the
    /// store, `Conflict` if a run is at work.
    pub fn rollback(&self, engine: &Engine, run_id: &RunId, to: VersionNumber, dry_run: bool) -> Result<RollbackReport> {
        rollback::rollback(engine, self, run_id, to, dry_run)
    }

    /// Removes old versions, and every file below `runs/` that no version left lists. Takes a [`Lease`], unless it is a dry run.
    ///
    /// # Errors
    /// `Config` if no version would be kept, `Conflict` if a run is at work, `Environment` for the store or a damaged manifest: then nothing
    /// is deleted.
    pub fn cleanup(&self, engine: &Engine, run_id: &RunId, options: &CleanupOptions) -> Result<CleanupReport> {
        cleanup::cleanup(engine, self, run_id, options)
    }
}

/// That a place can be a file's: it has a name and is no folder.
///
/// # Errors
/// `Config` otherwise.
pub fn expect_file(place: &Location) -> Result<()> {
    if place.path.filename().is_some() && !place.local.as_ref().is_some_and(|local| local.is_dir()) {
        return Ok(());
    }
    Err(Error::config("the output is not a file")
        .with("path", &*place.display)
        .hint("give the name of a file, e.g. `keys.parquet`"))
}

/// Writes one table as one Parquet file at a place of its own, which appears whole or not at all, and verifies it. Replaces a file that
/// was there. Gives its bytes.
///
/// # Errors
/// As [`expect_file`]; `Config` for a type that cannot be published, `Environment` for the store or the disk.
pub fn write_file(engine: &Engine, place: &Location, table: &RecordBatch) -> Result<u64> {
    expect_file(place)?;
    let path = place.path.as_ref();
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let root = Location {
        store: Arc::clone(&place.store),
        path: object_store::path::Path::parse(folder).expect("the front of a path is a path"),
        display: match place.display.strip_suffix(name) {
            Some("") | None => ".".to_owned(),
            Some(folder) => folder.to_owned(),
        },
        local: place.local.as_ref().and_then(|local| local.parent()).map(Into::into),
    };
    let bucket = Bucket::new(engine, &root);
    let batches = std::slice::from_ref(table);
    let (_, file) = write::file(engine, &bucket, name.to_owned(), (name, &table.schema(), batches))?;
    Ok(file.bytes)
}
