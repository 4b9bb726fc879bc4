//! The commit: creating `versions/<n>.json`. Whoever creates it has published; everybody else has not.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::bucket::{Bucket, Created};
use super::{MANIFEST_FORMAT, Manifest, seal};
use crate::error::{Error, Result};
use crate::table::VersionNumber;

const FOLDER: &str = "versions";

pub(super) fn file_of(number: u64) -> String {
    format!("{FOLDER}/{number:020}.json")
}

/// Numbers of all versions, ascending.
pub(super) fn numbers(bucket: &Bucket<'_>) -> Result<Vec<u64>> {
    let mut numbers: Vec<u64> = bucket.files(FOLDER)?.iter().filter_map(|(name, _)| number_of(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

fn number_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".json")?;
    let is_ours = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_ours.then(|| digits.parse().ok()).flatten()
}

/// Reads and checks a manifest.
pub(super) fn manifest(bucket: &Bucket<'_>, number: u64) -> Result<Manifest> {
    #[derive(serde::Deserialize)]
    struct Format {
        format: u32,
    }
    let file = file_of(number);
    let damaged = |why: &str| {
        Error::environment("a version is damaged")
            .with("file", bucket.shown(&file))
            .with("reason", why)
            .hint("restore the file from a backup; or move it away: the version before it is the newest then, and the next run publishes anew")
    };
    let bytes = bucket.get(&file)?.ok_or_else(|| damaged("it vanished"))?;
    let format: Format = serde_json::from_slice(&bytes).map_err(|error| damaged("it is not JSON with a format").because(error))?;
    if format.format > MANIFEST_FORMAT {
        return Err(Error::environment("a version was written by a newer program")
            .with("file", bucket.shown(&file))
            .with("format", format.format.to_string())
            .with("understood", MANIFEST_FORMAT.to_string())
            .hint("upgrade stammkunde; an older program never writes over a newer one's versions"));
    }
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|error| damaged("it is not a manifest").because(error))?;
    if !seal::is_whole(&bytes, &manifest) {
        return Err(damaged("its checksum differs"));
    }
    if manifest.version.0 != number {
        return Err(damaged("it holds another number than its name"));
    }
    Ok(manifest)
}

/// All versions, ascending.
pub(super) fn manifests(bucket: &Bucket<'_>) -> Result<Vec<Manifest>> {
    numbers(bucket)?.into_iter().map(|number| manifest(bucket, number)).collect()
}

/// Removes a version. Its files are nobody's then, unless another version lists them.
pub(super) fn remove(bucket: &Bucket<'_>, number: u64) -> Result<()> {
    bucket.delete(&file_of(number))?;
    bucket.sync(&file_of(number))
}

/// When each version was written, by the store's clock.
pub(super) fn times(bucket: &Bucket<'_>) -> Result<BTreeMap<u64, DateTime<Utc>>> {
    let files = bucket.files(FOLDER)?;
    Ok(files
        .into_iter()
        .filter_map(|(name, meta)| Some((number_of(&name)?, meta.last_modified)))
        .collect())
}

/// That nobody published since `parent`.
pub(super) fn expect_newest(bucket: &Bucket<'_>, parent: Option<VersionNumber>) -> Result<()> {
    let newest = numbers(bucket)?.pop();
    if newest == parent.map(|parent| parent.0) {
        return Ok(());
    }
    Err(conflict(bucket)
        .with(
            "started from",
            parent.map_or_else(|| "nothing".to_owned(), |parent| parent.to_string()),
        )
        .with("newest", newest.map_or_else(|| "none".to_owned(), |newest| newest.to_string())))
}

fn conflict(bucket: &Bucket<'_>) -> Error {
    Error::conflict("another run published in the meantime")
        .with("warehouse", &bucket.root.display)
        .hint("run again: it starts from the newest version")
}

/// That a version may be committed: nobody published since its parent, and nobody began to delete its files.
pub(super) fn expect_free(bucket: &Bucket<'_>, parent: Option<VersionNumber>, is_withdrawn: &dyn Fn() -> Result<bool>) -> Result<()> {
    expect_newest(bucket, parent)?;
    if is_withdrawn()? { Err(withdrawn(bucket)) } else { Ok(()) }
}

/// Creates the version, sealed. After it returned `Ok`, the version is there and durable.
///
/// An error whose outcome is unknown (the reply got lost) is settled by reading: if the file holds our bytes, we published.
///
/// `is_withdrawn` says whether somebody began to delete its files. It is asked before ([`expect_free`]) and after: who deletes says so first
/// and looks for the version then, who publishes creates the version first and looks for that word then, so one of the two sees the other.
pub(super) fn commit(bucket: &Bucket<'_>, mut manifest: Manifest, is_withdrawn: &dyn Fn() -> Result<bool>) -> Result<Manifest> {
    let bytes = seal::seal(&mut manifest)?;
    let file = file_of(manifest.version.0);
    let attempt = bucket.create(&file, &bytes);
    if matches!(attempt, Ok(Created::Yes)) {
        confirm(bucket, &file, &bytes)?;
    } else {
        match (bucket.get(&file)?, attempt) {
            // The link may have been made before its folder could be synced.
            (Some(there), _) if there == bytes => bucket.sync(&file)?,
            // Half of it arrived: no version, and in the way of the next one.
            (Some(there), Err(error)) if bytes.starts_with(&there) => {
                remove(bucket, manifest.version.0)?;
                return Err(error);
            }
            (_, Err(error)) => return Err(error),
            (_, Ok(_)) => return Err(conflict(bucket).with("version", manifest.version.to_string())),
        }
    }
    // A store that does not answer now is believed: the version is there, and it was not withdrawn a moment ago.
    if matches!(is_withdrawn(), Ok(true)) {
        remove(bucket, manifest.version.0)?;
        return Err(withdrawn(bucket));
    }
    Ok(manifest)
}

pub(super) fn withdrawn(bucket: &Bucket<'_>) -> Error {
    Error::conflict("another run took over and removed the files of this one")
        .with("warehouse", &bucket.root.display)
        .hint("run again; a run that was stopped for long (a sleeping machine, a store that did not answer) counts as dead")
}

/// Reads our own commit once. A store that spoiled it would stop every reader, so it is taken back; one that does not answer is believed.
fn confirm(bucket: &Bucket<'_>, file: &str, written: &Bytes) -> Result<()> {
    match bucket.get(file) {
        Ok(Some(there)) if there != written => {
            bucket.delete(file)?;
            Err(Error::environment("the commit is not as it was written; it was taken back")
                .with("file", bucket.shown(file))
                .hint("run again; if it happens again, check the disk, the memory and the network"))
        }
        _ => Ok(()),
    }
}
