//! What the newest version hands to the next run: keys, model, ledger, and the tables that grow.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;

use super::identity::Before;
use super::{RunOptions, tables};
use crate::config::Spec;
use crate::config::spec::SqlFile;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::key::{self, state::StoredKeys};
use crate::model::{ModelSpec, Table, Tables};
use crate::publish::{Manifest, TableEntry, Warehouse};
use crate::retention::{FIRST_READ, FirstRead};
use crate::score::{self, Model, ModelFile, ModelSource, ScoredPairs, TermFrequencies};
use crate::source::Ledger;
use crate::suppress::{SUPPRESSIONS, Suppressions};
use crate::table::keys::PreviousKeys;
use crate::table::{CleanContacts, VersionNumber, column};

/// Bits that two readings of one model may differ by: the last digit of a decimal fraction.
const SAME_BITS: f64 = 1e-9;

/// Raised with every change of what scoring gives for the same records and rules.
const SCORED_FORMAT: u32 = 1;

/// The newest version as the next run needs it; empty before the first run.
#[derive(Debug, Default)]
pub struct Previous {
    manifest: Option<Manifest>,
    model: Option<(Model, TermFrequencies)>,
    scored: Option<ScoredPairs>,
    /// Inputs of the version.
    pub ledger: Ledger,
    /// Keys of the version.
    pub keys: PreviousKeys,
    /// The published decisions.
    pub decisions: Vec<RecordBatch>,
    /// Fingerprint of the rules of identity, if the version tells.
    pub rules: Option<String>,
    /// People who must not come back.
    pub suppressions: Suppressions,
    /// When each input was first read.
    pub first_read: FirstRead,
    /// `key_events` and `runs` so far, to which the next run appends.
    pub history: BTreeMap<&'static str, Vec<RecordBatch>>,
}

impl Previous {
    /// Reads the newest version.
    ///
    /// # Errors
    /// `Environment` for the store or a damaged file.
    pub fn read(engine: &Engine, warehouse: &Warehouse) -> Result<Self> {
        let mut previous = Self::identities(engine, warehouse)?;
        if let Some(manifest) = &previous.manifest {
            let batches = |name: &str| {
                let bytes = warehouse.state(engine, manifest, name)?;
                bytes.map_or_else(|| Ok(Vec::new()), |bytes| tables::from_ipc(name, &bytes))
            };
            previous.scored = ScoredPairs::from_batches(&batches(tables::SCORED_RECORDS)?, &batches(tables::SCORED_LINKS)?);
            for name in ["key_events", "runs"] {
                previous
                    .history
                    .insert(name, warehouse.read(engine, manifest, name, None)?.unwrap_or_default());
            }
        }
        Ok(previous)
    }

    /// Reads the newest version without the tables that grow.
    ///
    /// # Errors
    /// As [`Previous::read`].
    pub fn identities(engine: &Engine, warehouse: &Warehouse) -> Result<Self> {
        let Some(manifest) = warehouse.latest(engine)? else {
            return Ok(Self::default());
        };
        let table = |name: &str| Ok::<_, Error>(warehouse.read(engine, &manifest, name, None)?.unwrap_or_default());
        let state = |name: &str| warehouse.state(engine, &manifest, name);
        let ledger = match state(tables::LEDGER)? {
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|error| damaged(tables::LEDGER, error))?,
            None => Ledger::default(),
        };
        let batches = |name: &str| state(name)?.map_or_else(|| Ok(Vec::new()), |bytes| tables::from_ipc(name, &bytes));
        let keys = key::state::previous(StoredKeys {
            identities: table("identities")?,
            redirects: table("key_redirects")?,
            retired: batches(tables::RETIRED_KEYS)?,
            origins: batches(tables::KEY_ORIGINS)?,
            merges: batches(tables::KEY_MERGES)?,
            created: batches(tables::KEYS_CREATED)?,
            contents: batches(tables::RECORD_CONTENTS)?,
        })?;
        let rules = state(tables::RULES)?.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
        Ok(Self {
            ledger,
            keys,
            rules,
            decisions: table("decisions")?,
            model: score::state::read(state)?,
            scored: None,
            suppressions: Suppressions::read(state(SUPPRESSIONS)?.as_ref())?,
            first_read: FirstRead::read(state(FIRST_READ)?.as_ref())?,
            history: BTreeMap::new(),
            manifest: Some(manifest),
        })
    }

    /// A table of it; none if there is no version or no such table.
    ///
    /// # Errors
    /// As [`Previous::read`].
    pub fn table(&self, engine: &Engine, warehouse: &Warehouse, name: &str) -> Result<Vec<RecordBatch>> {
        let Some(manifest) = &self.manifest else {
            return Ok(Vec::new());
        };
        Ok(warehouse.read(engine, manifest, name, None)?.unwrap_or_default())
    }

    /// Its number.
    #[must_use]
    pub fn version(&self) -> Option<VersionNumber> {
        self.manifest.as_ref().map(|manifest| manifest.version)
    }

    /// It, if there is one.
    #[must_use]
    pub fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    /// Its fingerprint.
    #[must_use]
    pub fn fingerprint(&self) -> Option<&str> {
        self.manifest.as_ref().map(|manifest| manifest.fingerprint.as_str())
    }

    /// How many customers it has.
    #[must_use]
    pub fn customers(&self) -> u64 {
        self.manifest
            .as_ref()
            .and_then(|manifest| manifest.tables.get("customers"))
            .map_or(0, |entry| entry.rows)
    }

    /// The model to use: of a file if there is one, else of the version; none if a new one is wanted.
    #[must_use]
    pub fn model(&self, options: &RunOptions) -> Option<(Model, TermFrequencies, ModelSource)> {
        let Some(file) = &options.model else {
            return self.newest_model(options.retrain);
        };
        let (model, frequencies) = file.clone().into_parts();
        Some((model, frequencies, ModelSource::File))
    }

    /// The model of the version, unless a new one is wanted.
    #[must_use]
    pub fn newest_model(&self, retrain: bool) -> Option<(Model, TermFrequencies, ModelSource)> {
        let (model, frequencies) = self.model.clone().filter(|_| !retrain)?;
        Some((model, frequencies, ModelSource::LastVersion))
    }

    /// What identity resolution starts from.
    #[must_use]
    pub fn before(&self, spec: &Spec, options: &RunOptions, contacts: &CleanContacts) -> Before<'_> {
        let model = self.model(options);
        let is_same_model = model.as_ref().is_some_and(|(_, _, source)| *source == ModelSource::LastVersion);
        let fits = |scored: &&ScoredPairs| {
            let is_whole = scored.fingerprints.len() == self.keys.identities.len();
            is_same_model && !options.full_refresh && is_whole && scored.basis == basis(spec)
        };
        let text = |name| contacts.text(name).expect("contacts have a source and a record id");
        let then_of = || self.keys.identities.rows_of(text(column::SOURCE), text(column::RECORD_ID));
        Before {
            model,
            scored: self.scored.as_ref().filter(fits).map(|scored| (scored, then_of())),
            basis: None,
        }
    }

    /// Whether the version scored with the model of this file: then using it again changes nothing. Values that only the version knows were
    /// new on its day.
    #[must_use]
    pub fn has_model_of(&self, file: &ModelFile) -> bool {
        let (model, frequencies) = file.clone().into_parts();
        self.has_model(&model, &frequencies)
    }

    /// As [`Previous::has_model_of`].
    #[must_use]
    pub fn has_model(&self, model: &Model, frequencies: &TermFrequencies) -> bool {
        self.model.as_ref().is_some_and(|(own, own_frequencies)| {
            let difference = score::difference((model, frequencies), (own, own_frequencies), SAME_BITS);
            difference.is_empty()
                && difference
                    .term_frequencies
                    .iter()
                    .all(|column| column.values_common == column.values_left)
        })
    }

    /// The tables of models that are left out and that the models to build read: as the version has them.
    ///
    /// # Errors
    /// `Config` if the version lacks one, `Environment` as [`Previous::read`].
    pub fn left_out(&self, engine: &Engine, warehouse: &Warehouse, every_model: &[SqlFile], models: &[ModelSpec]) -> Result<Tables> {
        let mut tables = Tables::new();
        for model in models {
            let is_left_out =
                |table: &&String| every_model.iter().any(|file| file.name == **table) && models.iter().all(|built| built.name != **table);
            for name in model.depends.iter().filter(is_left_out) {
                let batches = match &self.manifest {
                    Some(manifest) if !tables.contains_key(name) => warehouse.read(engine, manifest, name, None)?,
                    Some(_) => continue,
                    None => None,
                };
                let batches = batches.ok_or_else(|| {
                    Error::config(format!(
                        "model `{}` reads `{name}`, which is left out and not published yet",
                        model.name
                    ))
                    .with("file", model.sql.path.clone())
                    .hint(format!("select `+{}` to build what it reads", model.name))
                })?;
                let schema = batches.first().expect("a table that is read gives a batch").schema();
                tables.insert(name.clone(), Table { schema, batches });
            }
        }
        Ok(tables)
    }

    /// Tables of the version that this run does not make: the new version points at the files of the old one.
    #[must_use]
    pub fn carried(&self, every_model: &[SqlFile], made: &Tables) -> BTreeMap<String, TableEntry> {
        let left_out = |name: &String| every_model.iter().any(|model| model.name == *name) && !made.contains_key(name);
        let entries = self.manifest.iter().flat_map(|manifest| &manifest.tables);
        entries
            .filter(|(name, _)| left_out(name))
            .map(|(name, entry)| (name.clone(), entry.clone()))
            .collect()
    }
}

/// Names what decides the score of a pair beside its records and the model: the rules, and this program.
pub(super) fn basis(spec: &Spec) -> String {
    format!("{} {SCORED_FORMAT} {}", env!("CARGO_PKG_VERSION"), spec.fingerprint)
}

pub(super) fn damaged(name: &str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::environment("a state file of the newest version cannot be read")
        .with("file", name)
        .hint("restore the file, or publish into a new warehouse")
        .because(error)
}
