//! `latest/`: one file a table, for tools that cannot read a manifest. A convenience after the commit, repaired when a crash left it behind.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::Manifest;
use super::bucket::Bucket;
use crate::error::{Error, Result};
use crate::table::VersionNumber;

const FOLDER: &str = "latest";
const MARKER: &str = "latest/_version.json";

/// `latest/_version.json`, written last.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Marker {
    version: VersionNumber,
    fingerprint: String,
}

fn marker_of(manifest: &Manifest) -> Marker {
    Marker {
        version: manifest.version,
        fingerprint: manifest.fingerprint.clone(),
    }
}

/// Whether every copy is there, of the size listed, and the marker says so.
pub(super) fn is_current(bucket: &Bucket<'_>, manifest: &Manifest) -> Result<bool> {
    let marker = bucket.get(MARKER)?.and_then(|bytes| serde_json::from_slice::<Marker>(&bytes).ok());
    if marker != Some(marker_of(manifest)) {
        return Ok(false);
    }
    let files = bucket.files(FOLDER)?;
    let is_there = |name: &str, bytes: u64| {
        files
            .iter()
            .any(|(file, meta)| *file == format!("{name}.parquet") && meta.size == bytes)
    };
    Ok(manifest
        .tables
        .iter()
        .all(|(name, table)| table.files.iter().all(|file| is_there(name, file.bytes))))
}

/// The version that the marker names.
pub(super) fn version(bucket: &Bucket<'_>) -> Result<Option<VersionNumber>> {
    let marker = bucket.get(MARKER)?.and_then(|bytes| serde_json::from_slice::<Marker>(&bytes).ok());
    Ok(marker.map(|marker| marker.version))
}

/// Copies every table, removes those that are no longer published, and writes the marker.
///
/// The marker is removed first: while it is missing, the files may be of two versions.
pub(super) fn update(bucket: &Bucket<'_>, manifest: &Manifest) -> Result<()> {
    bucket.delete(MARKER)?;
    for (name, table) in &manifest.tables {
        for file in &table.files {
            bucket.copy(&file.path, &format!("{FOLDER}/{name}.parquet"), file.bytes)?;
        }
    }
    for (file, _) in bucket.files(FOLDER)? {
        if file
            .strip_suffix(".parquet")
            .is_some_and(|name| !manifest.tables.contains_key(name))
        {
            bucket.delete(&format!("{FOLDER}/{file}"))?;
        }
    }
    let marker = serde_json::to_vec(&marker_of(manifest)).map_err(|error| Error::internal("a marker cannot be written").because(error))?;
    bucket.put(MARKER, Bytes::from(marker))
}
