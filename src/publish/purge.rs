//! Deletes certain versions and the files that no other version lists, and keeps receipts.

use bytes::Bytes;

use super::bucket::Bucket;
use super::{Warehouse, cleanup};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::table::{RunId, VersionNumber};

const RECEIPTS: &str = "receipts";

impl Warehouse {
    /// Deletes those of these versions that are there, then every file below `runs/` that no version lists any more, as
    /// [`Warehouse::cleanup`] does. Call it while holding the [`super::Lease`].
    ///
    /// # Errors
    /// `Internal` for the newest version, `Environment` for the store or a damaged manifest.
    pub fn purge(&self, engine: &Engine, doomed: &[VersionNumber]) -> Result<Vec<VersionNumber>> {
        let bucket = Bucket::new(engine, &self.root);
        let versions = self.versions(engine)?;
        if versions.last().is_some_and(|newest| doomed.contains(&newest.version)) {
            return Err(Error::internal("the newest version cannot be deleted"));
        }
        let doomed = doomed.iter().map(|version| version.0).collect();
        Ok(cleanup::remove(&bucket, versions, &doomed, false)?.removed)
    }

    /// Keeps the receipt of a call as `receipts/<run id>.json`; gives its path below the warehouse.
    ///
    /// # Errors
    /// `Environment` for the store.
    pub fn put_receipt(&self, engine: &Engine, run_id: &RunId, receipt: Bytes) -> Result<String> {
        let path = format!("{RECEIPTS}/{run_id}.json");
        Bucket::new(engine, &self.root).put(&path, receipt)?;
        Ok(path)
    }
}
