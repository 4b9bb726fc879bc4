//! Deleting what no version lists, in an order that is safe against a run that still works and against a crash in the middle.
//!
//! Whoever deletes a folder of `runs/` first leaves a word in it (`_swept.json`), then looks for new versions, and deletes the folders that
//! are still listed by none. Whoever commits creates the version first and looks for that word then (see [`super::commit::commit`]).

use std::collections::BTreeSet;

use bytes::Bytes;

use super::bucket::Bucket;
use super::write::FOLDER;
use super::{Manifest, commit};
use crate::error::Result;
use crate::table::RunId;

const WORD: &str = "_swept.json";

/// Whether somebody began to delete a folder of `runs/`, given as `runs/<name>`.
pub(super) fn is_withdrawn(bucket: &Bucket<'_>, folder: &str) -> Result<bool> {
    Ok(bucket.head(&format!("{folder}/{WORD}"))?.is_some())
}

/// See [`super::Warehouse::sweep`].
pub(super) fn sweep(bucket: &Bucket<'_>, keep: &RunId) -> Result<Vec<String>> {
    let listed = folders_of(&commit::manifests(bucket)?);
    let attempts = format!("{keep}.");
    let is_kept = |folder: &String| listed.contains(folder) || folder == keep.as_str() || folder.starts_with(&attempts);
    let doomed = bucket.folders(FOLDER)?.into_iter().filter(|folder| !is_kept(folder)).collect();
    let deleted = delete_unlisted(bucket, doomed)?;
    for folder in ["versions", "latest", ""] {
        bucket.remove_temporary(folder);
    }
    Ok(deleted)
}

/// Names of the folders of `runs/` in which the files of these versions lie.
pub(super) fn folders_of(versions: &[Manifest]) -> BTreeSet<String> {
    versions.iter().flat_map(Manifest::files).filter_map(|file| folder_of(&file.path)).collect()
}

fn folder_of(path: &str) -> Option<String> {
    path.strip_prefix(FOLDER)?.strip_prefix('/')?.split('/').next().map(str::to_owned)
}

/// Deletes folders of `runs/`, unless a version came that lists them. Gives those it deleted.
pub(super) fn delete_unlisted(bucket: &Bucket<'_>, folders: Vec<String>) -> Result<Vec<String>> {
    if folders.is_empty() {
        return Ok(folders);
    }
    for folder in &folders {
        bucket.put(&word_in(folder), Bytes::from_static(b"{}\n"))?;
    }
    let listed = folders_of(&commit::manifests(bucket)?);
    let (spared, doomed): (Vec<String>, Vec<String>) = folders.into_iter().partition(|folder| listed.contains(folder));
    for folder in &spared {
        bucket.delete(&word_in(folder))?;
    }
    for folder in &doomed {
        bucket.delete_folder(&format!("{FOLDER}/{folder}"))?;
    }
    Ok(doomed)
}

fn word_in(folder: &str) -> String {
    format!("{FOLDER}/{folder}/{WORD}")
}
