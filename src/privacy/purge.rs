//! The end of versions: those that hold erased people, once their day has come, and those that the project does not keep any longer.

use chrono::{TimeDelta, Utc};

use crate::config::Spec;
use crate::engine::Engine;
use crate::error::Result;
use crate::publish::{Lease, Manifest, Warehouse};
use crate::suppress::{SUPPRESSIONS, Suppressions};
use crate::table::{RunId, VersionNumber};

/// Deletes versions whose day has come, by the clock of this machine, and the files that no other version lists. Call it while holding the
/// lease. The newest version always stays. Gives what went.
///
/// # Errors
/// `Environment` for the store: a run that cannot delete what it must delete ends.
pub fn purge_due(engine: &Engine, spec: &Spec, warehouse: &Warehouse, list: &Suppressions) -> Result<Vec<VersionNumber>> {
    purge_at(engine, spec, warehouse, list, engine.now())
}

/// Deletes versions that the project does not keep any longer: once more after a run has published, so that not one too many stays.
///
/// # Errors
/// As [`purge_due`].
pub fn purge_expired(engine: &Engine, spec: &Spec, warehouse: &Warehouse) -> Result<Vec<VersionNumber>> {
    purge_due(engine, spec, warehouse, &Suppressions::default())
}

/// As [`purge_due`], at a time.
pub(super) fn purge_at(
    engine: &Engine,
    spec: &Spec,
    warehouse: &Warehouse,
    list: &Suppressions,
    now: chrono::DateTime<Utc>,
) -> Result<Vec<VersionNumber>> {
    let due = list.purges.iter().filter(|purge| purge.due <= now);
    let mut doomed: Vec<VersionNumber> = due.flat_map(|purge| purge.versions.iter().copied()).collect();
    if let Some((keep, days)) = spec.retention.versions {
        let versions = warehouse.versions(engine)?;
        let old = versions.len().saturating_sub(keep as usize);
        let is_old = |manifest: &&Manifest| manifest.created_at <= now - TimeDelta::days(i64::from(days));
        doomed.extend(versions[..old].iter().filter(is_old).map(|manifest| manifest.version));
    }
    if doomed.is_empty() {
        return Ok(Vec::new());
    }
    warehouse.purge(engine, &doomed)
}

/// `privacy purge`: takes the lease and deletes what is due at `now`.
///
/// # Errors
/// As [`purge_due`]; `Conflict` if a run is at work.
pub fn purge_now(engine: &Engine, spec: &Spec, run_id: &RunId, now: chrono::DateTime<Utc>) -> Result<Vec<VersionNumber>> {
    let warehouse = Warehouse::new(engine.location(&spec.warehouse, &spec.folder)?);
    let lease = Lease::take(engine, &warehouse, run_id)?;
    let purge = || {
        // What a crashed run left may hold people, too.
        warehouse.sweep(engine, run_id)?;
        let newest = warehouse.newest(engine)?;
        let list = Suppressions::read(warehouse.state(engine, &newest, SUPPRESSIONS)?.as_ref())?;
        purge_at(engine, spec, &warehouse, &list, now)
    };
    let result = purge();
    lease.release(engine, &warehouse);
    result
}
