//! `privacy suppress`, `unsuppress` and `list`: the list alone. What changes takes effect with the next run.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::person::{People, Source};
use super::request::Request;
use super::state;
use crate::config::Spec;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::overview;
use crate::publish::{Closing, Draft, Lease, Manifest, Warehouse};
use crate::suppress::{Cause, Identifier, IdentifierKind, NewEntries, Purge, SUPPRESSIONS, Suppressions};
use crate::table::{RunId, VersionNumber};

/// What to put on the list, or to take off.
#[derive(Debug, Clone)]
pub struct SuppressOptions {
    /// Name of the call.
    pub run_id: RunId,
    /// Whom.
    pub requests: Vec<Request>,
    /// Taking off: also what the same calls had put there.
    pub related: bool,
}

/// What a change of the list did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SuppressionChange {
    /// Version that has the new list; the one before if nothing changed.
    pub version: VersionNumber,
    /// Identifiers that came, by kind.
    pub added: BTreeMap<IdentifierKind, u64>,
    /// Identifiers that went.
    pub removed: u64,
    /// Identifiers that other customers have too, and that were therefore left alone.
    pub shared: u64,
    /// Identifiers on the list now.
    pub entries: u64,
}

/// The list in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SuppressionReport {
    /// Version.
    pub version: VersionNumber,
    /// Identifiers by day of entry, cause and kind.
    pub entries: Vec<SuppressionCount>,
    /// Versions that wait for their end.
    pub purges: Vec<Purge>,
}

/// Identifiers of one day, cause and kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SuppressionCount {
    /// Day of entry, UTC.
    pub since: NaiveDate,
    /// Why.
    pub cause: Cause,
    /// Kind.
    pub kind: IdentifierKind,
    /// How many.
    pub entries: u64,
}

/// Puts people on the list: all that a customer alone is known by, or an identifier that nobody has yet. From the next run on they are in no
/// table; versions that are published keep them, see [`super::erase`].
///
/// # Errors
/// `Input` if nothing is published yet, a key is unknown or an identifier is several customers'; `Conflict` if a run is at work.
pub fn suppress(engine: &Engine, spec: &Spec, options: &SuppressOptions) -> Result<SuppressionChange> {
    change(engine, spec, options, |source, list| {
        let people = People::find(source, &options.requests)?;
        let identifiers: Vec<Identifier> = people.identifiers.iter().cloned().collect();
        let added = list.add(
            &identifiers,
            &NewEntries {
                secret: spec.key_secret.expose(),
                now: engine.now(),
                cause: Cause::Suppressed,
                run_id: &options.run_id,
            },
        );
        Ok((added, 0, people.shared))
    })
}

/// Takes identifiers off the list. With the next run they may come back, if the exports have them.
///
/// # Errors
/// As [`suppress`]; `Config` for a customer key (a suppressed person has none), `Input` if nothing named is on the list.
pub fn unsuppress(engine: &Engine, spec: &Spec, options: &SuppressOptions) -> Result<SuppressionChange> {
    let identifiers = options.requests.iter().map(|request| match request {
        Request::Identifier(identifier) => Ok(identifier.clone()),
        Request::Key(_) => Err(Error::config("who is on the list has no customer key").hint("name the person by an identifier")),
    });
    let identifiers: Vec<Identifier> = identifiers.collect::<Result<_>>()?;
    change(engine, spec, options, |source, list| {
        let removed = list.remove(&identifiers, spec.key_secret.expose(), options.related);
        if removed == 0 {
            return Err(Error::input("none of these identifiers is on the suppression list")
                .with("version", source.manifest.version.to_string())
                .hint("`stammkunde privacy list` counts what is on it"));
        }
        Ok((BTreeMap::new(), removed, 0))
    })
}

/// Counts the list of the newest version.
///
/// # Errors
/// `Input` if nothing is published yet, `Environment` for the store.
pub fn list(engine: &Engine, spec: &Spec) -> Result<SuppressionReport> {
    let warehouse = Warehouse::new(engine.location(&spec.warehouse, &spec.folder)?);
    let newest = warehouse.newest(engine)?;
    let list = read(engine, &warehouse, &newest)?;
    let mut counts: BTreeMap<(NaiveDate, Cause, IdentifierKind), u64> = BTreeMap::new();
    for entry in list.entries.values() {
        *counts.entry((day(entry.since), entry.cause, entry.kind)).or_default() += 1;
    }
    let entries = counts.into_iter().map(|((since, cause, kind), entries)| SuppressionCount {
        since,
        cause,
        kind,
        entries,
    });
    Ok(SuppressionReport {
        version: newest.version,
        entries: entries.collect(),
        purges: list.purges,
    })
}

fn day(time: DateTime<Utc>) -> NaiveDate {
    time.date_naive()
}

fn read(engine: &Engine, warehouse: &Warehouse, manifest: &Manifest) -> Result<Suppressions> {
    Suppressions::read(warehouse.state(engine, manifest, SUPPRESSIONS)?.as_ref())
}

/// What a change counts: added by kind, removed, shared.
type Changed = (BTreeMap<IdentifierKind, u64>, u64, u64);

/// Publishes a version that differs in its list alone; all tables are taken over. Its fingerprint stays that of the inputs, and a run asks for
/// another one, because the list is part of it.
fn change(
    engine: &Engine,
    spec: &Spec,
    options: &SuppressOptions,
    edit: impl FnOnce(&Source<'_>, &mut Suppressions) -> Result<Changed>,
) -> Result<SuppressionChange> {
    let warehouse = Warehouse::new(engine.location(&spec.warehouse, &spec.folder)?);
    let lease = Lease::take(engine, &warehouse, &options.run_id)?;
    let changed = || -> Result<SuppressionChange> {
        let manifest = warehouse.newest(engine)?;
        let source = Source {
            engine,
            spec,
            warehouse: &warehouse,
            manifest: &manifest,
        };
        let mut list = read(engine, &warehouse, &manifest)?;
        list.check(spec.key_secret.expose())?;
        let (added, removed, shared) = edit(&source, &mut list)?;
        let is_changed = removed > 0 || !added.is_empty();
        let version = if is_changed {
            restate(&source, &options.run_id, &list)?
        } else {
            manifest.version
        };
        Ok(SuppressionChange {
            version,
            added,
            removed,
            shared,
            entries: list.entries.len() as u64,
        })
    };
    let result = changed();
    lease.release(engine, &warehouse);
    result
}

fn restate(source: &Source<'_>, run_id: &RunId, list: &Suppressions) -> Result<VersionNumber> {
    let manifest = source.manifest;
    let mut draft = Draft::begin(source.engine, source.warehouse, run_id, Some(manifest.version))?;
    let mut files = state::all(source)?;
    files.push(list.write()?);
    overview::add_to_draft(source.engine, source.spec, source.warehouse, manifest, &mut draft)?;
    let published = draft.commit(Closing {
        as_of: manifest.as_of,
        fingerprint: manifest.fingerprint.clone(),
        carried: manifest.tables.clone(),
        state: files,
    })?;
    Ok(published.version)
}
