//! Going back: a new version of an older one's files. History is never rewritten, so this can be taken back too.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bucket::Bucket;
use super::{Lease, Manifest, Warehouse, commit, latest, read};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::table::{RunId, VersionNumber};

/// State file of the list of people who were erased or suppressed: it never goes back.
const SUPPRESSIONS: &str = "suppressions.json";

/// What a rollback did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RollbackReport {
    /// Whether nothing was published.
    pub dry_run: bool,
    /// The newest version before.
    pub from: VersionNumber,
    /// The version whose files are used.
    pub to: VersionNumber,
    /// The new version.
    pub version: VersionNumber,
    /// Rows of its tables.
    pub rows: u64,
    /// Tables of the newest version that it lacks.
    pub tables_gone: Vec<String>,
}

/// See [`Warehouse::rollback`].
pub(super) fn rollback(engine: &Engine, warehouse: &Warehouse, run_id: &RunId, to: VersionNumber, dry_run: bool) -> Result<RollbackReport> {
    if dry_run {
        return prepare(engine, warehouse, run_id, to).map(|(report, _)| RollbackReport { dry_run, ..report });
    }
    // Nothing is written where nothing is published.
    warehouse.newest(engine)?;
    let lease = Lease::take(engine, warehouse, run_id)?;
    let result = publish(engine, warehouse, run_id, to);
    lease.release(engine, warehouse);
    result
}

fn publish(engine: &Engine, warehouse: &Warehouse, run_id: &RunId, to: VersionNumber) -> Result<RollbackReport> {
    let bucket = Bucket::new(engine, &warehouse.root);
    let (report, manifest) = prepare(engine, warehouse, run_id, to)?;
    // A cleanup removes a version before its files: while the version is there, they are.
    let is_withdrawn = || Ok(!commit::numbers(&bucket)?.contains(&to.0));
    commit::expect_free(&bucket, manifest.parent, &is_withdrawn)?;
    let manifest = commit::commit(&bucket, manifest, &is_withdrawn)?;
    if let Err(error) = latest::update(&bucket, &manifest) {
        tracing::warn!(%error, "the version is published, but the copies in latest/ are behind; the next run repairs them");
    }
    Ok(report)
}

/// The version to be, after every file of it was read and found whole.
fn prepare(engine: &Engine, warehouse: &Warehouse, run_id: &RunId, to: VersionNumber) -> Result<(RollbackReport, Manifest)> {
    let bucket = Bucket::new(engine, &warehouse.root);
    let newest = warehouse.newest(engine)?;
    let old = warehouse.version(engine, to)?;
    if old.version == newest.version {
        return Err(Error::config("this version is the newest already")
            .with("version", to.to_string())
            .hint("`stammkunde versions` lists the others"));
    }
    if newest.state.get(SUPPRESSIONS).map(|file| &file.sha256) != old.state.get(SUPPRESSIONS).map(|file| &file.sha256) {
        return Err(
            Error::gate("people were erased or suppressed since this version; a rollback would bring them back")
                .with("version", to.to_string())
                .hint("roll back to a version after that; or mend the cause and run again"),
        );
    }
    for file in old.files() {
        read::intact(engine, &bucket, file)?;
    }
    let version = VersionNumber(newest.version.0 + 1);
    let gone = newest.tables.keys().filter(|name| !old.tables.contains_key(*name));
    let report = RollbackReport {
        dry_run: false,
        from: newest.version,
        to,
        version,
        rows: old.rows(),
        tables_gone: gone.cloned().collect(),
    };
    let manifest = Manifest {
        version,
        run_id: run_id.clone(),
        parent: Some(newest.version),
        created_at: engine.now(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        rolled_back_to: Some(to),
        checksum: None,
        ..old
    };
    Ok((report, manifest))
}
