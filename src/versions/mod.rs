//! Tells what is published: a list of the versions, and where two of them differ, in counts and never in values of people.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::publish::{Manifest, Warehouse};
use crate::run::LEDGER;
use crate::score::{self, ParameterDifference};
use crate::source::Ledger;
use crate::table::{RunId, VersionNumber};

mod inputs;
mod keys;
mod rows;

pub use inputs::{InputChange, InputDifference};
pub use keys::KeyDifference;
pub use rows::{TableChange, TableDifference};

/// Parameters of the model that a difference names.
const PARAMETERS_NAMED: usize = 5;

/// One published version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VersionSummary {
    /// Number.
    pub version: VersionNumber,
    /// Run that made it.
    pub run_id: RunId,
    /// Version it was made from, if any.
    pub parent: Option<VersionNumber>,
    /// The version whose files these are, where it was rolled back to.
    pub rolled_back_to: Option<VersionNumber>,
    /// Day as of which metrics were computed.
    pub as_of: NaiveDate,
    /// When it was committed, UTC.
    pub created_at: DateTime<Utc>,
    /// Version of the program that made it.
    pub tool: String,
    /// Whether it is the version that the next run goes on from.
    pub is_newest: bool,
    /// Whether the copies in `latest/` are of this version.
    pub is_latest: bool,
    /// Rows of `customers`.
    pub customers: u64,
    /// Tables.
    pub tables: u64,
    /// Rows of all tables.
    pub rows: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Bytes of the files that no older version lists.
    pub bytes_own: u64,
}

/// Where two versions differ. Counts and names of columns, no value of a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VersionDifference {
    /// The left version.
    pub left: VersionNumber,
    /// The right version.
    pub right: VersionNumber,
    /// As-of day of the left version.
    pub as_of_left: NaiveDate,
    /// As-of day of the right version.
    pub as_of_right: NaiveDate,
    /// What happened to keys and records; absent if a version has no `identities`.
    pub keys: Option<KeyDifference>,
    /// Every table of either version, by name.
    pub tables: Vec<TableDifference>,
    /// The matching models; absent if a version has none.
    pub model: Option<ModelChange>,
    /// Objects that were read for one version and not for the other, or that changed.
    pub inputs: Vec<InputDifference>,
}

/// Where the matching models of two versions differ; `model diff` tells all of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelChange {
    /// Parameters of both models.
    pub parameters_compared: u64,
    /// Those that differ by more than the tolerance.
    pub parameters_different: u64,
    /// Differences of fewer bits are not told.
    pub tolerance_bits: f64,
    /// The largest differences.
    pub largest: Vec<ParameterDifference>,
    /// Comparisons, levels and classes that only one of them has.
    pub only_one: u64,
    /// Values whose term frequency differs or that only one of them knows.
    pub term_frequencies_different: u64,
}

/// Lists the versions, oldest first.
///
/// # Errors
/// `Environment` for the store or a damaged manifest.
pub fn list(engine: &Engine, warehouse: &Warehouse) -> Result<Vec<VersionSummary>> {
    let versions = warehouse.versions(engine)?;
    let latest = warehouse.in_latest(engine)?;
    let newest = versions.last().map(|manifest| manifest.version);
    let mut known: BTreeSet<String> = BTreeSet::new();
    let summaries = versions.into_iter().map(|manifest| {
        let own = manifest.files().filter(|file| !known.contains(&file.path));
        let bytes_own = own.map(|file| file.bytes).sum();
        known.extend(manifest.files().map(|file| file.path.clone()));
        VersionSummary {
            version: manifest.version,
            parent: manifest.parent,
            rolled_back_to: manifest.rolled_back_to,
            as_of: manifest.as_of,
            created_at: manifest.created_at,
            is_newest: newest == Some(manifest.version),
            is_latest: latest == Some(manifest.version),
            customers: manifest.tables.get("customers").map_or(0, |table| table.rows),
            tables: manifest.tables.len() as u64,
            rows: manifest.rows(),
            bytes: manifest.bytes(),
            bytes_own,
            run_id: manifest.run_id,
            tool: manifest.tool,
        }
    });
    Ok(summaries.collect())
}

/// Compares two versions. Tables are read one after the other; what two versions share is not read. Memory: both versions of the largest
/// table that differs, one after the other, and 32 bytes a row.
///
/// # Errors
/// `Input` if there is no such version, `Environment` for the store or a damaged file.
pub fn difference(engine: &Engine, warehouse: &Warehouse, left: VersionNumber, right: VersionNumber) -> Result<VersionDifference> {
    let (left, right) = (warehouse.version(engine, left)?, warehouse.version(engine, right)?);
    let names: BTreeSet<&String> = left.tables.keys().chain(right.tables.keys()).collect();
    let tables = names
        .into_iter()
        .map(|name| rows::difference(engine, warehouse, (&left, &right), name));
    Ok(VersionDifference {
        left: left.version,
        right: right.version,
        as_of_left: left.as_of,
        as_of_right: right.as_of,
        tables: tables.collect::<Result<_>>()?,
        keys: keys::difference(engine, warehouse, (&left, &right))?,
        model: model(engine, warehouse, (&left, &right))?,
        inputs: inputs::difference(&ledger(engine, warehouse, &left)?, &ledger(engine, warehouse, &right)?),
    })
}

fn ledger(engine: &Engine, warehouse: &Warehouse, manifest: &Manifest) -> Result<Ledger> {
    let Some(bytes) = warehouse.state(engine, manifest, LEDGER)? else {
        return Ok(Ledger::default());
    };
    serde_json::from_slice(&bytes).map_err(|error| {
        Error::environment("the ledger of a version cannot be read")
            .with("version", manifest.version.to_string())
            .hint("upgrade stammkunde if a newer program wrote it; else restore the file from a backup")
            .because(error)
    })
}

fn model(engine: &Engine, warehouse: &Warehouse, (left, right): (&Manifest, &Manifest)) -> Result<Option<ModelChange>> {
    /// Differences of fewer bits are those of rounding.
    const TOLERANCE_BITS: f64 = 0.01;
    let read = |manifest| score::state::read(|name| warehouse.state(engine, manifest, name));
    let (Some((left, left_values)), Some((right, right_values))) = (read(left)?, read(right)?) else {
        return Ok(None);
    };
    let found = score::difference((&left, &left_values), (&right, &right_values), TOLERANCE_BITS);
    let different =
        |column: &score::FrequencyDifference| column.values_different + column.values_left + column.values_right - 2 * column.values_common;
    Ok(Some(ModelChange {
        parameters_compared: found.parameters_compared,
        parameters_different: found.parameters.len() as u64,
        tolerance_bits: TOLERANCE_BITS,
        only_one: (found.only_left.len() + found.only_right.len()) as u64,
        term_frequencies_different: found.term_frequencies.iter().map(different).sum(),
        largest: found.parameters.into_iter().take(PARAMETERS_NAMED).collect(),
    }))
}
