//! Deletes versions and the files that no other version lists, and keeps receipts.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures::TryStreamExt;

use super::bucket::Bucket;
use super::{Manifest, Warehouse, commit};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::table::{RunId, VersionNumber};

const RUNS: &str = "runs";
const RECEIPTS: &str = "receipts";

impl Warehouse {
    /// Deletes those of these versions that are there, then every file in the folders of runs that no version lists any more. Call it while
    /// holding the [`super::Lease`]. Manifests go first: a crash in between leaves files that nobody sees, and a second call removes them.
    ///
    /// # Errors
    /// `Internal` for the newest version, `Environment` for the store or a damaged manifest.
    pub fn purge(&self, engine: &Engine, doomed: &[VersionNumber]) -> Result<Vec<VersionNumber>> {
        let bucket = Bucket::new(engine, &self.root);
        let versions = self.versions(engine)?;
        if versions.last().is_some_and(|newest| doomed.contains(&newest.version)) {
            return Err(Error::internal("the newest version cannot be deleted"));
        }
        let (gone, kept): (Vec<&Manifest>, Vec<&Manifest>) = versions.iter().partition(|manifest| doomed.contains(&manifest.version));
        for manifest in &gone {
            bucket.delete(&commit::file_of(manifest.version.0))?;
        }
        let listed: BTreeSet<&str> = kept.iter().flat_map(|manifest| files(manifest)).collect();
        for folder in bucket.folders(RUNS)? {
            let folder = format!("{RUNS}/{folder}");
            let prefix = format!("{folder}/");
            let is_listed = listed.range(prefix.as_str()..).next().is_some_and(|file| file.starts_with(&prefix));
            if !is_listed {
                // A folder that no version lists at all belongs to a version that is gone, or to a run that crashed.
                if gone.iter().any(|manifest| files(manifest).any(|file| file.starts_with(&prefix))) {
                    bucket.delete_folder(&folder)?;
                }
                continue;
            }
            for file in all_files(&bucket, &folder)? {
                if !listed.contains(file.as_str()) && !file.ends_with("/_claim.json") {
                    bucket.delete(&file)?;
                }
            }
        }
        Ok(gone.iter().map(|manifest| manifest.version).collect())
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

/// Paths of all files of a version.
fn files(manifest: &Manifest) -> impl Iterator<Item = &str> {
    let tables = manifest.tables.values().flat_map(|table| &table.files);
    tables.chain(manifest.state.values()).map(|file| file.path.as_str())
}

/// Every file below a folder, by its path below the warehouse.
fn all_files(bucket: &Bucket<'_>, folder: &str) -> Result<Vec<String>> {
    let (root, path) = (bucket.root.path.as_ref(), bucket.path(folder)?);
    let listed = bucket.root.store.list(Some(&path)).map_ok(|meta| meta.location.to_string());
    let found: Vec<String> = bucket
        .engine
        .wait(listed.try_collect())
        .map_err(|error| bucket.failed(error, "list a folder of the warehouse", folder))?;
    let below = |path: String| {
        path.strip_prefix(root)
            .map_or(path.clone(), |below| below.trim_start_matches('/').to_owned())
    };
    Ok(found.into_iter().map(below).collect())
}
