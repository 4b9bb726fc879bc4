//! `latest/`: one file a table and the pages, for people and tools that cannot read a manifest. A convenience after the commit, repaired when a crash left it behind.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::bucket::Bucket;
use super::{FileEntry, Manifest, write};
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
    let is_there = |name: &str, bytes: u64| files.iter().any(|(file, meta)| *file == name && meta.size == bytes);
    Ok(copies(manifest).all(|(name, file)| is_there(&name, file.bytes)))
}

/// The copies of a version: name below `latest/`, and the file.
fn copies(manifest: &Manifest) -> impl Iterator<Item = (String, &FileEntry)> {
    let tables = manifest
        .tables
        .iter()
        .flat_map(|(name, table)| table.files.iter().map(move |file| (format!("{name}.parquet"), file)));
    tables.chain(manifest.pages.iter().map(|(name, file)| (name.clone(), file)))
}

/// The version that the marker names.
pub(super) fn version(bucket: &Bucket<'_>) -> Result<Option<VersionNumber>> {
    let marker = bucket.get(MARKER)?.and_then(|bytes| serde_json::from_slice::<Marker>(&bytes).ok());
    Ok(marker.map(|marker| marker.version))
}

/// Copies every table and page, removes those that are no longer published, and writes the marker.
///
/// The marker is removed first: while it is missing, the files may be of two versions.
pub(super) fn update(bucket: &Bucket<'_>, manifest: &Manifest) -> Result<()> {
    bucket.delete(MARKER)?;
    for (name, file) in copies(manifest) {
        bucket.copy(&file.path, &format!("{FOLDER}/{name}"), file.bytes)?;
    }
    for (file, _) in bucket.files(FOLDER)? {
        let is_ours = file.ends_with(".parquet") || write::is_page_name(&file);
        if is_ours && !copies(manifest).any(|(name, _)| name == file) {
            bucket.delete(&format!("{FOLDER}/{file}"))?;
        }
    }
    let marker = serde_json::to_vec(&marker_of(manifest)).map_err(|error| Error::internal("a marker cannot be written").because(error))?;
    bucket.put(MARKER, Bytes::from(marker))
}
