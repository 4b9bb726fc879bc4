//! A version in the making: its files are written one by one and seen by nobody until the commit.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use chrono::NaiveDate;

use super::bucket::Bucket;
use super::write::Claim;
use super::{FileEntry, MANIFEST_FORMAT, Manifest, TableEntry, Warehouse, commit, latest, read, write};
use crate::engine::{Engine, Farewell};
use crate::error::{Error, Result};
use crate::table::{RunId, VersionNumber};

/// A version in the making. Dropped without a commit, it deletes what it wrote.
pub struct Draft<'a> {
    engine: &'a Engine,
    warehouse: &'a Warehouse,
    run_id: RunId,
    parent: Option<VersionNumber>,
    claim: Claim,
    tables: BTreeMap<String, TableEntry>,
    staged: BTreeMap<String, FileEntry>,
    pages: BTreeMap<String, FileEntry>,
    /// `None` once the files must stay.
    farewell: Option<Farewell>,
}

/// What a version needs beside its tables.
#[derive(Debug)]
pub struct Closing {
    /// As-of day.
    pub as_of: NaiveDate,
    /// Fingerprint.
    pub fingerprint: String,
    /// Tables of the parent version that are taken over as they are, by their files.
    pub carried: BTreeMap<String, TableEntry>,
    /// State files: name, content.
    pub state: Vec<(String, Bytes)>,
}

impl<'a> Draft<'a> {
    /// Claims a folder for the run. `parent` is the version that the run read its state from.
    ///
    /// # Errors
    /// `Conflict` if another run published since, `Environment` for the store or the disk.
    pub fn begin(engine: &'a Engine, warehouse: &'a Warehouse, run_id: &RunId, parent: Option<VersionNumber>) -> Result<Self> {
        let bucket = Bucket::new(engine, &warehouse.root);
        commit::expect_newest(&bucket, parent)?;
        let claim = write::claim(&bucket, run_id)?;
        // A signal gives the space back too: the next run may be on another day.
        let farewell = engine.at_farewell(bucket.deleting(&claim.folder)?);
        Ok(Self {
            engine,
            warehouse,
            run_id: run_id.clone(),
            parent,
            claim,
            tables: BTreeMap::new(),
            staged: BTreeMap::new(),
            pages: BTreeMap::new(),
            farewell: Some(farewell),
        })
    }

    /// Writes a table and verifies what arrived.
    ///
    /// # Errors
    /// `Config` for a name or type that cannot be published or a name that stands there already, `Environment` for the store or the disk.
    pub fn add(&mut self, name: &str, schema: &SchemaRef, batches: &[RecordBatch]) -> Result<()> {
        write::check_table_name(name)?;
        if self.tables.contains_key(name) {
            return Err(Error::config("two tables have the same name").with("name", name));
        }
        let entry = write::table(self.engine, &self.bucket(), &self.claim.folder, (name, schema, batches))?;
        self.tables.insert(name.to_owned(), entry);
        Ok(())
    }

    /// Rows of a table that was added, its hash checked; `None` if none of that name was. `head`: at most that many, the first.
    ///
    /// # Errors
    /// `Conflict` if another run took over and began to delete the files, `Environment` if a file is missing or damaged, or lacks a column.
    pub fn read(&self, name: &str, columns: &[&str], head: Option<usize>) -> Result<Option<Vec<RecordBatch>>> {
        let Some(entry) = self.tables.get(name) else { return Ok(None) };
        let bucket = self.bucket();
        let rows = match head {
            Some(rows) => read::head(self.engine, &bucket, entry, columns, rows),
            None => read::table(self.engine, &bucket, entry, Some(columns)),
        };
        rows.map(Some).map_err(|error| match self.claim.is_withdrawn(&bucket) {
            Ok(true) => commit::withdrawn(&bucket),
            _ => error,
        })
    }

    /// Rows of the tables that were added.
    #[must_use]
    pub fn rows(&self) -> BTreeMap<String, u64> {
        self.tables.iter().map(|(name, entry)| (name.clone(), entry.rows)).collect()
    }

    /// Writes a page for people, as `<name>` in the run's folder and in `latest/`.
    ///
    /// # Errors
    /// `Config` for a name that cannot be published or stands there already, `Environment` for the store or the disk.
    pub fn add_page(&mut self, name: &str, page: Bytes) -> Result<()> {
        let entry = write::page(&self.bucket(), &self.claim.folder, name, page)?;
        match self.pages.insert(name.to_owned(), entry) {
            None => Ok(()),
            Some(_) => Err(Error::config("two pages have the same name").with("name", name)),
        }
    }

    /// Writes what was read of some inputs. Kept once, however often it is given.
    ///
    /// # Errors
    /// `Environment` for the store or the disk.
    pub fn stage(&mut self, id: &str, bytes: Bytes) -> Result<()> {
        if !self.staged.contains_key(id) {
            let entry = write::staged(&self.bucket(), &self.claim.folder, id, bytes)?;
            self.staged.insert(id.to_owned(), entry);
        }
        Ok(())
    }

    /// Keeps nothing of what was read of the inputs, and deletes what this draft wrote of it.
    ///
    /// # Errors
    /// `Environment` for the store.
    pub fn drop_staged(&mut self) -> Result<()> {
        self.staged.clear();
        self.bucket().delete_folder(&format!("{}/{}", self.claim.folder, write::STAGED))
    }

    /// Takes over what the last version read of some inputs.
    pub fn carry_staged(&mut self, id: &str, entry: FileEntry) {
        self.staged.insert(id.to_owned(), entry);
    }

    /// Writes the state, commits the version, and copies its tables to `latest/`.
    ///
    /// Once the version is committed the answer is `Ok`, even if the copies in `latest/` failed: [`Warehouse::repair`] makes them.
    ///
    /// # Errors
    /// `Conflict` if another run published since [`Draft::begin`], `Environment` for the store or the disk. Nothing is visible then.
    pub fn commit(mut self, closing: Closing) -> Result<Manifest> {
        let bucket = self.bucket();
        let mut state: BTreeMap<String, FileEntry> = BTreeMap::new();
        for (name, bytes) in closing.state {
            let entry = write::state(&bucket, &self.claim.folder, &name, bytes)?;
            if state.insert(name.clone(), entry).is_some() {
                return Err(Error::config("two state files have the same name").with("name", name));
            }
        }
        let mut tables = closing.carried;
        tables.append(&mut self.tables);
        let manifest = Manifest {
            format: MANIFEST_FORMAT,
            version: VersionNumber(self.parent.map_or(0, |parent| parent.0) + 1),
            run_id: self.run_id.clone(),
            parent: self.parent,
            as_of: closing.as_of,
            created_at: self.engine.now(),
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            fingerprint: closing.fingerprint,
            tables,
            state,
            pages: std::mem::take(&mut self.pages),
            staged: std::mem::take(&mut self.staged),
            rolled_back_to: None,
            checksum: None,
        };
        let is_withdrawn = || self.claim.is_withdrawn(&bucket);
        commit::expect_free(&bucket, manifest.parent, &is_withdrawn)?;
        // From here on the version may be there although an error comes back: its files must stay.
        let farewell = self.farewell.take();
        if !farewell.is_some_and(Farewell::cancel) {
            return Err(Error::environment("the run was stopped by a signal before it could publish"));
        }
        let manifest = commit::commit(&bucket, manifest, &is_withdrawn)?;
        if let Err(error) = latest::update(&bucket, &manifest) {
            tracing::warn!(%error, "the version is published, but the copies in latest/ are behind; the next run repairs them");
        }
        Ok(manifest)
    }

    fn bucket(&self) -> Bucket<'a> {
        Bucket::new(self.engine, &self.warehouse.root)
    }
}

impl Drop for Draft<'_> {
    /// The folder is this draft's alone: gives the space back, above all on a full disk.
    fn drop(&mut self) {
        if self.farewell.take().is_some_and(Farewell::cancel) {
            let _ = self.bucket().delete_folder(&self.claim.folder);
        }
    }
}
