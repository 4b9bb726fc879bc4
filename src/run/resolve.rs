//! `resolve`: the way of a run from the sources to the keys, and nothing else. The fast loop for whoever tries identity settings.

use std::collections::BTreeSet;
use std::path::Path;

use arrow::array::{ArrayRef, RecordBatch};

use super::identity::{self, Before};
use super::previous::Previous;
use super::withhold::withhold;
use super::{Progress, Stages, keys};
use crate::config::Spec;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::gate::{self, Accepted};
use crate::key;
use crate::publish::{self, Warehouse};
use crate::report::ResolveReport;
use crate::source::{self, InputStatus, NoPieces};
use crate::standardize::{self, Purpose};
use crate::table::build::{batch, key_column};
use crate::table::keys::Keys;
use crate::table::{CleanContacts, Contacts, Decisions, RecordKind, column};

/// What `resolve` is asked to do.
#[derive(Debug, Clone, Default)]
pub struct ResolveOptions {
    /// File to write: a path, or a URL of a store.
    pub out: String,
    /// Only these sources; empty = every source that has contacts.
    pub select: Vec<String>,
    /// Train the model anew instead of using the newest version's.
    pub retrain: bool,
    /// Do not look at the warehouse: train, and mint every key, as a first run does.
    pub fresh: bool,
}

/// Resolves the contacts and writes one Parquet file: `source`, `record_id`, `customer_key`, sorted by source and record id. No other table,
/// no version; the warehouse is only read.
///
/// Keys and model are those that the next run would use: carried over from the newest version, if there is one and `fresh` is not set.
/// Columns that neither matching nor keys read are not held, and sources without contacts are not read.
///
/// # Errors
/// As [`super::run()`], without the errors of publishing; `Config` if no source has contacts or a selected one is not there, `Environment` if
/// the file cannot be written.
pub fn resolve(engine: &Engine, spec: &Spec, options: &ResolveOptions, progress: &dyn Progress) -> Result<ResolveReport> {
    let mut stages = Stages::new(progress).within(engine.memory());
    let spec = &contacts_only(spec, &options.select)?;
    let out = engine.location(&options.out, Path::new("."))?;
    publish::expect_file(&out)?;
    let (previous, objects) = stages.time("plan", || {
        let previous = if options.fresh {
            Previous::default()
        } else {
            Previous::identities(engine, &Warehouse::new(engine.location(&spec.warehouse, &spec.folder)?))?
        };
        let listed = source::list(engine, spec, &previous.ledger)?;
        let there = listed.into_iter().filter(|(_, status)| *status != InputStatus::Missing);
        Ok((previous, there.map(|(object, _)| object).collect::<Vec<_>>()))
    })?;
    let matching = spec.identity.columns();
    let mut ingested = stages.time("source", || {
        let is_wanted = |name: &str| standardize::is_read_for(&matching, name);
        source::read_contacts(engine, spec, &objects, (&previous.ledger, &NoPieces), &is_wanted)
    })?;
    gate::check(&[gate::rejected(&spec.gates, &ingested, &Accepted::default())])?;
    withhold(engine, spec, &previous, &mut ingested)?;
    let standardized = stages.time("standardize", || {
        let purpose = Purpose::Matching(&matching);
        let standardized = engine.compute(|| standardize::standardize_for(&ingested.contacts, &spec.country, purpose));
        // What matching does not read is not held any longer.
        ingested.contacts = Contacts::new(standardized.contacts.display.clone());
        Ok(standardized)
    })?;
    let contacts = &standardized.contacts;
    let decisions = Decisions::locate(std::mem::take(&mut ingested.decisions), contacts);
    let before = Before {
        model: previous.newest_model(options.retrain),
        ..Before::default()
    };
    let (_, resolved) = identity::resolve(engine, spec, contacts, &decisions, before, &mut stages)?;
    let keys = stages.time("key", || Ok(keys::assign(engine, spec, &previous, contacts, &decisions, &resolved)))?;
    let bytes = stages.time("write", || {
        let table = engine.compute(|| keyed_records(contacts, &keys));
        publish::write_file(engine, &out, &table)
    })?;
    let (stages, resources) = stages.finish();
    Ok(ResolveReport {
        out: options.out.clone(),
        bytes,
        previous: previous.version(),
        sources: ingested.counts,
        placeholders: standardized.placeholders,
        identity: resolved.report(&keys, &decisions),
        keys: key::changes(&keys, previous.customers()),
        stages,
        resources,
    })
}

/// The project with nothing but its contacts, of the selected sources.
fn contacts_only(spec: &Spec, select: &[String]) -> Result<Spec> {
    let names: BTreeSet<&str> = spec.sources.iter().map(|source| source.name.as_str()).collect();
    if let Some(unknown) = select.iter().find(|name| !names.contains(name.as_str())) {
        return Err(Error::config(format!("no source is called `{unknown}`"))
            .hint(format!("the sources are {}", names.into_iter().collect::<Vec<_>>().join(", "))));
    }
    let mut spec = spec.clone();
    spec.sources.retain(|source| select.is_empty() || select.contains(&source.name));
    for source in &mut spec.sources {
        source.mappings.retain(|mapping| mapping.record == RecordKind::Contacts);
    }
    spec.sources.retain(|source| !source.mappings.is_empty());
    if spec.sources.is_empty() {
        return Err(
            Error::config("no selected source has contacts").hint("a source has contacts if there is a `sources/<name>.contacts.sql`")
        );
    }
    Ok(spec)
}

/// Every record with the key of its customer, in the order of the records.
fn keyed_records(contacts: &CleanContacts, keys: &Keys) -> RecordBatch {
    let own = |name: &str| {
        ArrayRef::clone(
            contacts
                .display
                .column_by_name(name)
                .expect("contacts have a source and a record id"),
        )
    };
    let key = key_column(keys.of.iter().map(|&key| Some(keys.keys[key as usize])));
    batch(vec![
        (column::SOURCE, false, own(column::SOURCE)),
        (column::RECORD_ID, false, own(column::RECORD_ID)),
        (column::CUSTOMER_KEY, false, key),
    ])
}
