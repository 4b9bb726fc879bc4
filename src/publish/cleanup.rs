//! Removing old versions: first the versions, then the files that none of those left lists.
//!
//! A crash in between leaves files that nobody lists, and the next cleanup finds them; it never leaves a version without its files.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bucket::Bucket;
use super::write::FOLDER;
use super::{Lease, Manifest, Warehouse, commit, sweep};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::table::{RunId, VersionNumber};

/// What is kept.
#[derive(Debug, Clone, Copy)]
pub struct CleanupOptions {
    /// The newest so many versions are kept; at least 1.
    pub keep: usize,
    /// Versions written in the last so many days are kept too, by the store's clock.
    pub older_than_days: Option<u32>,
    /// Delete nothing.
    pub dry_run: bool,
}

/// What a cleanup removed, or would remove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CleanupReport {
    /// Whether nothing was deleted.
    pub dry_run: bool,
    /// Versions left, ascending.
    pub kept: Vec<VersionNumber>,
    /// Versions removed, ascending.
    pub removed: Vec<VersionNumber>,
    /// Folders of runs that are gone as a whole.
    pub folders: Vec<String>,
    /// Files removed below `runs/`.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// See [`Warehouse::cleanup`].
pub(super) fn cleanup(engine: &Engine, warehouse: &Warehouse, run_id: &RunId, options: &CleanupOptions) -> Result<CleanupReport> {
    if options.keep == 0 {
        return Err(Error::config("a cleanup that keeps no version would leave nothing to read").hint("give --keep 1 or more"));
    }
    if options.dry_run {
        return under_lease(engine, warehouse, options);
    }
    let lease = Lease::take(engine, warehouse, run_id)?;
    let result = under_lease(engine, warehouse, options);
    lease.release(engine, warehouse);
    result
}

fn under_lease(engine: &Engine, warehouse: &Warehouse, options: &CleanupOptions) -> Result<CleanupReport> {
    let bucket = Bucket::new(engine, &warehouse.root);
    let versions = commit::manifests(&bucket)?;
    let old = old_versions(&bucket, &versions, options)?;
    remove(&bucket, versions, &old, options.dry_run)
}

/// Removes those of the versions whose numbers are `old`, and then every file that none of those left lists.
pub(super) fn remove(bucket: &Bucket<'_>, versions: Vec<Manifest>, old: &BTreeSet<u64>, dry_run: bool) -> Result<CleanupReport> {
    let (removed, kept): (Vec<Manifest>, Vec<Manifest>) = versions.into_iter().partition(|version| old.contains(&version.version.0));
    let numbers = |versions: &[Manifest]| versions.iter().map(|version| version.version).collect();
    let mut report = CleanupReport {
        dry_run,
        kept: numbers(&kept),
        removed: numbers(&removed),
        folders: Vec::new(),
        files: 0,
        bytes: 0,
    };
    if !dry_run {
        for version in &removed {
            commit::remove(bucket, version.version.0)?;
        }
    }
    // A version may have come since: what it lists stays.
    let left = if dry_run { kept } else { commit::manifests(bucket)? };
    let unlisted = unlisted(bucket, &left)?;
    for (files, bytes) in unlisted.values() {
        report.files += files.len() as u64;
        report.bytes += bytes;
    }
    let listed = sweep::folders_of(&left);
    let (partly, wholly): (BTreeMap<_, _>, BTreeMap<_, _>) = unlisted.into_iter().partition(|(folder, _)| listed.contains(folder));
    let wholly: Vec<String> = wholly.into_keys().collect();
    if dry_run {
        report.folders = wholly;
        return Ok(report);
    }
    report.folders = sweep::delete_unlisted(bucket, wholly, None)?;
    for file in partly.values().flat_map(|(files, _)| files) {
        bucket.delete(file)?;
        bucket.remove_empty_folders(file);
    }
    Ok(report)
}

/// Numbers of the versions to remove.
fn old_versions(bucket: &Bucket<'_>, versions: &[Manifest], options: &CleanupOptions) -> Result<BTreeSet<u64>> {
    let beyond = &versions[..versions.len().saturating_sub(options.keep)];
    let numbers = beyond.iter().map(|version| version.version.0);
    let Some(days) = options.older_than_days else {
        return Ok(numbers.collect());
    };
    let times = commit::times(bucket)?;
    // A dry run writes nothing, not even to learn the time.
    let now = if options.dry_run { bucket.engine.now() } else { bucket.now()? };
    let is_old = |number: &u64| {
        let written = times.get(number);
        written.is_some_and(|written| now - *written > TimeDelta::days(i64::from(days)))
    };
    Ok(numbers.filter(is_old).collect())
}

/// Files below `runs/` that no version lists, with their bytes, by folder. What an attempt wrote about itself goes with its folder only.
fn unlisted(bucket: &Bucket<'_>, versions: &[Manifest]) -> Result<BTreeMap<String, (Vec<String>, u64)>> {
    let listed: BTreeSet<&str> = versions.iter().flat_map(Manifest::files).map(|file| file.path.as_str()).collect();
    let folders = sweep::folders_of(versions);
    let mut unlisted: BTreeMap<String, (Vec<String>, u64)> = BTreeMap::new();
    for (path, bytes) in bucket.below(FOLDER)? {
        let mut parts = path.split('/').skip(1);
        let (Some(folder), Some(first)) = (parts.next(), parts.next()) else {
            continue;
        };
        let is_about_itself = first.starts_with('_') && folders.contains(folder);
        if !is_about_itself && !listed.contains(path.as_str()) {
            let (files, sum) = unlisted.entry(folder.to_owned()).or_default();
            *sum += bytes;
            files.push(path);
        }
    }
    Ok(unlisted)
}
