//! Deleting what no version lists, in an order that is safe against a run that still works and against a crash in the middle.
//!
//! Whoever deletes a folder of `runs/` first writes over its claim, then looks for new versions, and deletes the folders that are still
//! listed by none. Whoever commits creates the version first and looks for its claim then (see [`super::commit::commit`]).

use std::collections::BTreeSet;

use bytes::Bytes;

use super::bucket::Bucket;
use super::write::{FOLDER, claim_in};
use super::{Manifest, commit};
use crate::error::Result;
use crate::table::RunId;

/// See [`super::Warehouse::sweep`].
pub(super) fn sweep(bucket: &Bucket<'_>, own: &RunId) -> Result<Vec<String>> {
    let listed = folders_of(&commit::manifests(bucket)?);
    let doomed = bucket
        .folders(FOLDER)?
        .into_iter()
        .filter(|folder| !listed.contains(folder))
        .collect();
    let deleted = delete_unlisted(bucket, doomed, Some(own))?;
    for folder in ["versions", "latest", ""] {
        bucket.remove_temporary(folder);
    }
    Ok(deleted)
}

/// Names of the folders of `runs/` in which the files of these versions lie.
pub(super) fn folders_of(versions: &[Manifest]) -> BTreeSet<String> {
    versions
        .iter()
        .flat_map(Manifest::files)
        .filter_map(|file| folder_of(&file.path))
        .collect()
}

fn folder_of(path: &str) -> Option<String> {
    path.strip_prefix(FOLDER)?.strip_prefix('/')?.split('/').next().map(str::to_owned)
}

/// Deletes folders of `runs/`, unless a version came that lists them. Gives those it deleted.
///
/// Those of earlier attempts of the run `own` are emptied, but keep their names: an attempt that still writes must not write into a later one.
pub(super) fn delete_unlisted(bucket: &Bucket<'_>, folders: Vec<String>, own: Option<&RunId>) -> Result<Vec<String>> {
    if folders.is_empty() {
        return Ok(folders);
    }
    let path = |folder: &str| format!("{FOLDER}/{folder}");
    for folder in &folders {
        bucket.put(&claim_in(&path(folder)), Bytes::from_static(b"{\"swept\": true}\n"))?;
    }
    let listed = folders_of(&commit::manifests(bucket)?);
    let doomed: Vec<String> = folders.into_iter().filter(|folder| !listed.contains(folder)).collect();
    let is_own = |folder: &str| own.is_some_and(|own| folder == own.as_str() || folder.starts_with(&format!("{own}.")));
    for folder in &doomed {
        if !is_own(folder) {
            bucket.delete_folder(&path(folder))?;
            continue;
        }
        for (file, _) in bucket.below(&path(folder))? {
            if file != claim_in(&path(folder)) {
                bucket.delete(&file)?;
            }
        }
    }
    Ok(doomed)
}
