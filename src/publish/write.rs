//! Writing a run's files: claimed folder, streamed uploads with a hash on the way, and a second look at what arrived.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::bucket::{Bucket, Created};
use super::upload::Sink;
use super::{FileEntry, TableEntry, encode, read, types};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::table::RunId;

/// Where runs have their folders.
pub(super) const FOLDER: &str = "runs";
const STATE: &str = "state";
pub(super) const STAGED: &str = "staged";

/// Attempts of one run id that may have left a folder.
const ATTEMPTS_MAX: u32 = 1000;

/// `^[a-z][a-z0-9_]{0,62}$`: what every engine and file system takes as it is.
fn is_table_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && name.len() <= 63
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// As a table's name, with extensions: `model.json`.
fn is_state_name(name: &str) -> bool {
    name.len() <= 63
        && name.split('.').enumerate().all(|(index, part)| {
            if index == 0 {
                is_table_name(part)
            } else {
                !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            }
        })
}

/// As a table's name, with `.html`.
pub(super) fn is_page_name(name: &str) -> bool {
    name.strip_suffix(".html").is_some_and(is_table_name)
}

/// That a table's name can be a folder's.
pub(super) fn check_table_name(name: &str) -> Result<()> {
    if is_table_name(name) && ![STATE, STAGED].contains(&name) {
        return Ok(());
    }
    Err(unusable("table", name))
}

fn unusable(kind: &str, name: &str) -> Error {
    Error::config(format!("a {kind} has a name that cannot be published"))
        .with("name", name.escape_default().to_string())
        .hint("use a-z, 0-9 and _, starting with a letter, at most 63 characters; not `state` or `staged`")
}

/// A folder that is one attempt's alone, as long as its `_claim.json` says so.
#[derive(Debug)]
pub(super) struct Claim {
    /// `runs/<name>`.
    pub(super) folder: String,
    word: Bytes,
}

impl Claim {
    /// Whether somebody took the folder away: its files are being deleted, or are gone.
    pub(super) fn is_withdrawn(&self, bucket: &Bucket<'_>) -> Result<bool> {
        Ok(bucket.get(&claim_in(&self.folder))?.as_ref() != Some(&self.word))
    }
}

/// Where the claim on a folder stands.
pub(super) fn claim_in(folder: &str) -> String {
    format!("{folder}/_claim.json")
}

/// Makes a folder for this attempt alone: `runs/<run_id>`, or `runs/<run_id>.2` if an earlier attempt left or published that one.
/// So two attempts of one scheduler's run can never write over each other's files.
pub(super) fn claim(bucket: &Bucket<'_>, run_id: &RunId) -> Result<Claim> {
    let word = Bytes::from(format!("{{\"run_id\": \"{run_id}\", \"attempt\": \"{}\"}}\n", bucket.attempt()));
    for attempt in 1..=ATTEMPTS_MAX {
        let folder = if attempt == 1 {
            format!("{FOLDER}/{run_id}")
        } else {
            format!("{FOLDER}/{run_id}.{attempt}")
        };
        let attempt = bucket.create(&claim_in(&folder), &word);
        // A word that stands there although an answer got lost is ours: no other attempt has it.
        if matches!(attempt, Ok(Created::Yes)) || bucket.get(&claim_in(&folder))?.as_ref() == Some(&word) {
            return Ok(Claim { folder, word });
        }
        attempt?;
    }
    Err(Error::conflict("too many attempts of one run")
        .with("run id", run_id.as_str())
        .hint("give a new run id"))
}

/// Writes and verifies a state file.
pub(super) fn state(bucket: &Bucket<'_>, folder: &str, name: &str, bytes: Bytes) -> Result<FileEntry> {
    if !is_state_name(name) {
        return Err(unusable("state file", name));
    }
    small(bucket, format!("{folder}/{STATE}/{name}"), bytes)
}

/// Writes and verifies a page. Its name ends in `.html`.
pub(super) fn page(bucket: &Bucket<'_>, folder: &str, name: &str, bytes: Bytes) -> Result<FileEntry> {
    if !is_page_name(name) {
        return Err(unusable("page", name));
    }
    small(bucket, format!("{folder}/{name}"), bytes)
}

/// Writes and verifies a piece of the inputs. `id` is hexadecimal.
pub(super) fn staged(bucket: &Bucket<'_>, folder: &str, id: &str, bytes: Bytes) -> Result<FileEntry> {
    debug_assert!(id.bytes().all(|byte| byte.is_ascii_hexdigit()), "ids of pieces are hashes");
    small(bucket, format!("{folder}/{STAGED}/{id}"), bytes)
}

/// Writes and verifies a file that is in memory.
fn small(bucket: &Bucket<'_>, path: String, bytes: Bytes) -> Result<FileEntry> {
    let entry = FileEntry {
        path,
        bytes: bytes.len() as u64,
        sha256: hex(&Sha256::digest(&bytes)),
    };
    bucket.put(&entry.path, bytes)?;
    read::checked(bucket, &entry)?;
    Ok(entry)
}

/// Writes and verifies a table.
pub(super) fn table(engine: &Engine, bucket: &Bucket<'_>, folder: &str, table: (&str, &SchemaRef, &[RecordBatch])) -> Result<TableEntry> {
    let (name, ..) = table;
    let relative = format!("{folder}/{name}/part-00000.parquet");
    let (rows, file) = file(engine, bucket, relative, table)?;
    Ok(TableEntry { rows, files: vec![file] })
}

/// Writes and verifies one file of a table; gives its rows, too.
pub(super) fn file(
    engine: &Engine,
    bucket: &Bucket<'_>,
    relative: String,
    (name, schema, batches): (&str, &SchemaRef, &[RecordBatch]),
) -> Result<(u64, FileEntry)> {
    let schema = types::published(name, schema)?;
    let (sink, upload) = Sink::open(engine, bucket.root.store.clone(), bucket.path(&relative)?);
    let encoded = engine.compute(|| -> Result<(u64, Sink)> {
        let batches: Vec<RecordBatch> = batches
            .par_iter()
            .map(|batch| types::cast(name, batch, &schema))
            .collect::<Result<_>>()?;
        let mut sink = sink;
        let rows = encode::encode(&schema, &batches, &mut sink)
            .map_err(|error| Error::internal("a table cannot be encoded").with("table", name).because(error))?;
        Ok((rows, sink))
    });
    // On an error the sink is gone without its last word, and nothing appears in the store.
    let finished = encoded.map(|(rows, sink)| (rows, sink.finish()));
    let uploaded = engine
        .wait(upload)
        .map_err(|error| Error::internal("an upload stopped in the middle").because(error))?;
    let (rows, (bytes, sha256)) = match (finished, uploaded) {
        (_, Err(error)) => return Err(bucket.failed(error, "write a table", &relative)),
        (Err(error), _) => return Err(error),
        (Ok(finished), Ok(())) => finished,
    };
    bucket.sync(&relative)?;
    let file = FileEntry {
        path: relative,
        bytes,
        sha256,
    };
    read::verify(engine, bucket, &file, rows)?;
    Ok((rows, file))
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string can be written to");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_everywhere() {
        for name in ["a", "customers", "a_1", &"a".repeat(63)] {
            assert!(is_table_name(name), "{name}");
        }
        for name in ["", "1a", "_a", "A", "a-b", "a/b", "../a", "ä", "a.b", "a\0", &"a".repeat(64)] {
            assert!(!is_table_name(name), "{name}");
        }
        for name in ["model.json", "ledger", "a.b.json"] {
            assert!(is_state_name(name), "{name}");
        }
        assert!(is_page_name("report.html"));
        for name in ["report", ".html", "a.b.html", "../a.html"] {
            assert!(!is_page_name(name), "{name}");
        }
        for name in ["a..json", ".json", "a/b.json", "a.", "a.J"] {
            assert!(!is_state_name(name), "{name}");
        }
    }
}
