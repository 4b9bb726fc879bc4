//! The suppression list as it is kept in the state of a version: hashes, dates, and versions that wait for their end. No personal data.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::identifier::{Identifier, IdentifierKind};
use super::listed::{hex, keyed, seal};
use crate::error::{Error, Result};
use crate::table::{RunId, VersionNumber};

/// State file of the list.
pub const SUPPRESSIONS: &str = "suppressions.json";

/// Format that this program writes, and the newest it reads.
pub const FORMAT: u32 = 1;

/// Why an identifier is on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The person was erased.
    Erased,
    /// It was put there by hand.
    Suppressed,
}

/// One identifier, hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Kind.
    pub kind: IdentifierKind,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Why.
    pub cause: Cause,
    /// Call that put it there: what one call added belongs together.
    pub added_by: RunId,
}

/// Versions that hold erased people, and when they end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Purge {
    /// The erasure.
    pub run_id: RunId,
    /// Versions to delete.
    pub versions: Vec<VersionNumber>,
    /// From then on any run deletes them.
    pub due: DateTime<Utc>,
}

/// The list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suppressions {
    /// Format of this file: 1. A newer one is refused.
    pub format: u32,
    /// Keyed hash of a fixed text: tells a wrong secret from an empty list.
    pub secret_check: Option<String>,
    /// Entries by hash (hex).
    pub entries: BTreeMap<String, Entry>,
    /// Versions that wait for their end.
    pub purges: Vec<Purge>,
}

impl Default for Suppressions {
    fn default() -> Self {
        Self {
            format: FORMAT,
            secret_check: None,
            entries: BTreeMap::new(),
            purges: Vec::new(),
        }
    }
}

impl Suppressions {
    /// Reads the state file; a version without one has an empty list.
    ///
    /// # Errors
    /// `Environment` if it is damaged or was written by a newer program: without the list, erased people would come back.
    pub fn read(bytes: Option<&Bytes>) -> Result<Self> {
        let Some(bytes) = bytes else { return Ok(Self::default()) };
        let damaged = |error: serde_json::Error| {
            Error::environment("the suppression list cannot be read")
                .with("file", SUPPRESSIONS)
                .hint("restore the file from a backup; a run without it would bring back people who were erased")
                .because(error)
        };
        let list: serde_json::Value = serde_json::from_slice(bytes).map_err(damaged)?;
        if list["format"].as_u64().is_some_and(|format| format > u64::from(FORMAT)) {
            return Err(Error::environment("the suppression list was written by a newer program").hint("upgrade stammkunde"));
        }
        serde_json::from_value(list).map_err(damaged)
    }

    /// The state file.
    ///
    /// # Errors
    /// `Internal` if it does not fit JSON.
    pub fn write(&self) -> Result<(String, Bytes)> {
        let json = serde_json::to_vec_pretty(self);
        let bytes = json.map_err(|error| Error::internal("the suppression list does not fit JSON").because(error))?;
        Ok((SUPPRESSIONS.to_owned(), bytes.into()))
    }

    /// Whether there is nothing to keep.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.purges.is_empty()
    }

    /// That the secret is the one that the hashes were made with.
    ///
    /// # Errors
    /// `Config` if it is another: nobody on the list would be known again.
    pub fn check(&self, secret: &[u8]) -> Result<()> {
        match &self.secret_check {
            Some(check) if !self.entries.is_empty() && *check != seal(secret) => Err(Error::config(
                "the key secret is not the one that the suppression list was made with",
            )
            .hint("set the secret that the warehouse was made with: with another one, erased people would come back")),
            _ => Ok(()),
        }
    }

    /// Adds identifiers; those that are there keep their date. Gives how many are new, by kind.
    pub fn add(&mut self, identifiers: &[Identifier], entry: &NewEntries<'_>) -> BTreeMap<IdentifierKind, u64> {
        let mut added = BTreeMap::new();
        for identifier in identifiers {
            let hash = keyed(entry.secret, identifier);
            self.entries.entry(hash).or_insert_with(|| {
                *added.entry(identifier.kind()).or_default() += 1;
                Entry {
                    kind: identifier.kind(),
                    since: entry.now,
                    cause: entry.cause,
                    added_by: entry.run_id.clone(),
                }
            });
        }
        if !self.entries.is_empty() {
            self.secret_check = Some(seal(entry.secret));
        }
        added
    }

    /// Takes identifiers off; with `related` also all that was put there by the same calls. Gives how many went.
    pub fn remove(&mut self, identifiers: &[Identifier], secret: &[u8], related: bool) -> u64 {
        let before = self.entries.len();
        let mut calls: Vec<RunId> = Vec::new();
        for identifier in identifiers {
            calls.extend(self.entries.remove(&keyed(secret, identifier)).map(|entry| entry.added_by));
        }
        if related {
            self.entries.retain(|_, entry| !calls.contains(&entry.added_by));
        }
        (before - self.entries.len()) as u64
    }

    /// Names what is on the list; `None` for an empty one. Equal digests withhold the same people.
    #[must_use]
    pub fn digest(&self) -> Option<String> {
        if self.entries.is_empty() {
            return None;
        }
        let mut hash = Sha256::new();
        for entry in self.entries.keys() {
            hash.update(entry.as_bytes());
        }
        Some(hex(&hash.finalize()))
    }
}

/// What all entries of one call share.
pub struct NewEntries<'a> {
    /// Secret of the hashes.
    pub secret: &'a [u8],
    /// Date.
    pub now: DateTime<Utc>,
    /// Why.
    pub cause: Cause,
    /// The call.
    pub run_id: &'a RunId,
}
