//! The spine: calls the stages from top to bottom. `run` publishes; `dry_run` goes the same way up to the keys and writes nothing.

use chrono::NaiveDate;

use crate::config::Spec;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::key;
use crate::model;
use crate::plan::{self, Plan, PlanReport, Selection};
use crate::publish::{self, Lease, Release, Warehouse};
use crate::report::{IdentityReport, Outcome, Resources, RunReport};
use crate::source::{self, Ingested};
use crate::standardize;
use crate::table::{RunId, VersionNumber};

mod identity;
mod previous;
mod stages;
mod tables;

pub use previous::Previous;
pub use stages::{Progress, Silent, Stages};

/// What one run is asked to do.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Name of the run.
    pub run_id: RunId,
    /// As-of day; default: today in the project's time zone.
    pub as_of: Option<NaiveDate>,
    /// Train the model anew instead of using the last version's.
    pub retrain: bool,
    /// Which models to build.
    pub selection: Selection,
}

/// Runs the job and publishes a version, or finds that nothing changed.
///
/// # Errors
/// Of any stage, by its kind; nothing is published then.
pub fn run(engine: &Engine, spec: &Spec, options: &RunOptions, progress: &dyn Progress) -> Result<RunReport> {
    let warehouse = Warehouse::new(engine.location(&spec.warehouse, &spec.folder)?);
    let lease = Lease::take(engine, &warehouse, &options.run_id)?;
    let result = under_lease(engine, spec, options, &warehouse, progress);
    lease.release(engine, &warehouse);
    result
}

fn under_lease(engine: &Engine, spec: &Spec, options: &RunOptions, warehouse: &Warehouse, progress: &dyn Progress) -> Result<RunReport> {
    let mut stages = Stages::new(progress);
    let (previous, plan) = stages.time("plan", || {
        warehouse.sweep(engine, &options.run_id)?;
        warehouse.repair(engine)?;
        plan_from(engine, spec, options, warehouse)
    })?;
    if plan.inputs_unchanged()
        && let Some(report) = unchanged(
            &previous,
            plan::fingerprint(spec, plan.as_of, &plan.objects()),
            options,
            spec,
            &plan,
            &stages,
        )
    {
        return Ok(report);
    }

    let ingested = stages.time("source", || source::read(engine, spec, &plan.objects(), &previous.ledger))?;
    let fingerprint = plan::fingerprint(spec, plan.as_of, &ingested.inputs).expect("every object that was read has a hash");
    if let Some(report) = unchanged(&previous, Some(fingerprint.clone()), options, spec, &plan, &stages) {
        return Ok(report);
    }
    gate_rejects(spec, &ingested)?;

    let standardized = stages.time("standardize", || {
        Ok(engine.compute(|| standardize::standardize(&ingested.contacts, &spec.country)))
    })?;
    let resolved = identity::resolve(engine, spec, &standardized.contacts, previous.model(options.retrain), &mut stages)?;
    let keys = stages.time("key", || {
        let secret = spec.key_secret.expose();
        Ok(engine.compute(|| key::assign(&standardized.contacts, &resolved.clusters, &previous.keys, &spec.trust, secret)))
    })?;
    let changes = key::changes(&keys, previous.customers());

    let mut all = stages.time("profile", || {
        let input = tables::Input {
            engine,
            spec,
            options,
            previous: &previous,
            ingested: &ingested,
            resolved: &resolved,
            keys: &keys,
        };
        Ok(tables::profile(&input, &standardized))
    })?;
    let built = stages.time("model", || model::build(engine, spec, &plan.models, plan.as_of, &all))?;
    all.extend(built);
    let audits = stages.time("audit", || model::audit(engine, spec, plan.as_of, &all))?;
    gate_audits(&audits)?;

    let identity = resolved.report(&keys);
    let manifest = stages.time("publish", || {
        all.insert("runs".to_owned(), tables::runs(&previous, options, &plan, engine.now(), &identity));
        let release = Release {
            run_id: options.run_id.clone(),
            parent: plan.previous,
            as_of: plan.as_of,
            fingerprint,
            state: tables::state(&standardized.contacts, &resolved, &keys, &ingested)?,
            carried: previous.carried(&spec.models, &all),
            tables: all.into_iter().map(|(name, table)| (name, table.schema, table.batches)).collect(),
        };
        publish::publish(engine, warehouse, release)
    })?;

    Ok(RunReport {
        outcome: Outcome::Published,
        version: manifest.version,
        sources: ingested.counts,
        drift: ingested.drift,
        placeholders: standardized.placeholders,
        identity: Some(identity),
        keys: Some(changes),
        audits,
        tables: manifest.tables.iter().map(|(name, entry)| (name.clone(), entry.rows)).collect(),
        ..RunReport::empty(options, spec, &plan, manifest.version, stages.finish())
    })
}

/// Goes the way of [`run`] up to the keys, and tells what would happen. Writes nothing.
///
/// # Errors
/// As [`run`], without the errors of publishing.
pub fn dry_run(engine: &Engine, spec: &Spec, options: &RunOptions, progress: &dyn Progress) -> Result<PlanReport> {
    let mut stages = Stages::new(progress);
    let warehouse = Warehouse::new(engine.location(&spec.warehouse, &spec.folder)?);
    let (previous, plan) = stages.time("plan", || plan_from(engine, spec, options, &warehouse))?;
    let ingested = stages.time("source", || source::read(engine, spec, &plan.objects(), &previous.ledger))?;
    let fingerprint = plan::fingerprint(spec, plan.as_of, &ingested.inputs);
    gate_rejects(spec, &ingested)?;
    let standardized = stages.time("standardize", || {
        Ok(engine.compute(|| standardize::standardize(&ingested.contacts, &spec.country)))
    })?;
    let resolved = identity::resolve(engine, spec, &standardized.contacts, previous.model(options.retrain), &mut stages)?;
    let secret = spec.key_secret.expose();
    let keys = engine.compute(|| key::assign(&standardized.contacts, &resolved.clusters, &previous.keys, &spec.trust, secret));
    let nothing_changes = !options.retrain && previous.fingerprint().is_some() && previous.fingerprint() == fingerprint.as_deref();
    let next = VersionNumber(plan.previous.map_or(1, |version| version.0 + 1));
    Ok(PlanReport {
        warehouse: warehouse.root.display.clone(),
        as_of: plan.as_of,
        previous: plan.previous,
        next: (!nothing_changes).then_some(next),
        inputs: plan.planned_inputs(),
        records: standardized.contacts.len() as u64,
        pairs: resolved.counts.pairs,
        blocking: resolved.blocking,
        model_reused: resolved.model_reused,
        keys: key::changes(&keys, previous.customers()),
        models: plan.planned_models(),
        memory_bytes_estimate: estimate_memory(&ingested),
        memory_limit_bytes: engine.memory_limit_bytes(),
        threads: engine.threads() as u64,
        sources: ingested.counts,
        drift: ingested.drift,
    })
}

fn plan_from(engine: &Engine, spec: &Spec, options: &RunOptions, warehouse: &Warehouse) -> Result<(Previous, Plan)> {
    let previous = Previous::read(engine, warehouse)?;
    let as_of = options
        .as_of
        .unwrap_or_else(|| engine.now().with_timezone(&spec.time_zone).date_naive());
    let plan = plan::plan(engine, spec, previous.version(), &previous.ledger, as_of, &options.selection)?;
    Ok((previous, plan))
}

/// The report of a run that has nothing to do, if that is so.
fn unchanged(
    previous: &Previous,
    fingerprint: Option<String>,
    options: &RunOptions,
    spec: &Spec,
    plan: &Plan,
    stages: &Stages<'_>,
) -> Option<RunReport> {
    let version = previous.version()?;
    let same = previous.fingerprint() == fingerprint.as_deref();
    let whole = options.selection.select.is_empty() && options.selection.exclude.is_empty();
    (same && whole && !options.retrain).then(|| RunReport::empty(options, spec, plan, version, stages.totals()))
}

fn gate_rejects(spec: &Spec, ingested: &Ingested) -> Result<()> {
    for counts in &ingested.counts {
        let share = if counts.rows_read == 0 {
            0.0
        } else {
            counts.rows_rejected as f64 / counts.rows_read as f64
        };
        if share > spec.rejected_share_max {
            return Err(
                Error::gate(format!("{} of {} rows were rejected", counts.rows_rejected, counts.rows_read))
                    .with("source", &counts.source)
                    .with("record", &counts.record)
                    .with("reasons", reasons(ingested, &counts.source))
                    .hint(format!(
                        "mend the export or its settings, or raise gates.rejected_share_max (now {})",
                        spec.rejected_share_max
                    )),
            );
        }
    }
    Ok(())
}

/// The three most frequent reasons of a source's rejects, as `ragged_row 12, duplicate 3`.
fn reasons(ingested: &Ingested, source: &str) -> String {
    let mut counts: std::collections::BTreeMap<&str, u64> = std::collections::BTreeMap::new();
    for reject in ingested.rejects.rows.iter().filter(|reject| reject.source == source) {
        *counts.entry(&reject.reason).or_default() += 1;
    }
    let mut counts: Vec<(&str, u64)> = counts.into_iter().collect();
    counts.sort_by_key(|&(reason, count)| (std::cmp::Reverse(count), reason));
    counts
        .iter()
        .take(3)
        .map(|(reason, count)| format!("{reason} {count}"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn gate_audits(audits: &[model::AuditResult]) -> Result<()> {
    let failed: Vec<String> = audits
        .iter()
        .filter(|audit| audit.rows > 0)
        .map(|audit| format!("{} ({} rows)", audit.audit, audit.rows))
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Error::gate("audits returned rows; nothing was published")
        .with("audits", failed.join(", "))
        .hint("run the audit's query against latest/ to see the rows, then mend the model or the data"))
}

/// What the run will hold at its peak: the records twice (as read and as published) and the matching structures.
fn estimate_memory(ingested: &Ingested) -> u64 {
    let facts: usize = ingested
        .facts
        .iter()
        .flat_map(|(_, batches)| batches)
        .map(arrow::array::RecordBatch::get_array_memory_size)
        .sum();
    let contacts = ingested.contacts.batch().get_array_memory_size();
    (2 * facts + 4 * contacts) as u64
}

impl RunReport {
    /// A report that says nothing but which run it was and how long it took.
    fn empty(
        options: &RunOptions,
        spec: &Spec,
        plan: &Plan,
        version: VersionNumber,
        (stages, resources): (Vec<crate::report::StageTime>, Resources),
    ) -> Self {
        Self {
            outcome: Outcome::Unchanged,
            run_id: options.run_id.clone(),
            version,
            warehouse: spec.warehouse.clone(),
            as_of: plan.as_of,
            sources: Vec::new(),
            drift: Vec::new(),
            placeholders: std::collections::BTreeMap::new(),
            identity: None::<IdentityReport>,
            keys: None,
            audits: Vec::new(),
            tables: std::collections::BTreeMap::new(),
            stages,
            resources,
        }
    }
}
