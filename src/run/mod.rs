//! The spine: calls the stages from top to bottom. `run` publishes; `plan` and `dry_run` go the same way ahead and write nothing.

use std::time::Duration;

use arrow::array::RecordBatch;
use chrono::NaiveDate;

use crate::config::Spec;
use crate::engine::Engine;
use crate::error::{Error, GateResult, Result};
use crate::gate::{self, Accepted};
use crate::key;
use crate::model::{self, Tables};
use crate::plan::{self, Plan, Selection};
use crate::privacy;
use crate::publish::{Closing, Draft, Lease, Warehouse};
use crate::report::{IdentityReport, Outcome, Resources, RunReport};
use crate::score::ModelFile;
use crate::source::{self, Ingested, Ledger, SourceMeasure};
use crate::standardize::{self, Standardized};
use crate::table::keys::Keys;
use crate::table::{Contacts, Decided, Decisions, RecordKind, Rejects, RunId, VersionNumber};

mod ahead;
mod framing;
mod gates;
mod identity;
mod keys;
mod pages;
mod pieces;
mod previous;
mod refresh;
mod resolve;
mod revenue;
mod shelf;
mod stages;
mod tables;
mod withhold;

pub use ahead::{dry_run, plan};
pub use previous::Previous;
pub use resolve::{ResolveOptions, resolve};
pub use stages::{Progress, Silent, Stages};
pub use tables::LEDGER;
pub use tables::from_ipc as state_table;

use identity::Resolved;
use pieces::Pieces;
use shelf::Shelf;
use withhold::Withheld;

/// How often the lease is refreshed at most; far below the age at which others take it over.
const LEASE_REFRESHED_EVERY: Duration = Duration::from_secs(60);

/// What one run is asked to do.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Name of the run.
    pub run_id: RunId,
    /// As-of day; default: today in the project's time zone.
    pub as_of: Option<NaiveDate>,
    /// Train the model anew instead of using the last version's.
    pub retrain: bool,
    /// Read every object and compare every pair again, whatever the last version knows of them.
    pub full_refresh: bool,
    /// Use the model of this file instead; it must fit the project, see [`ModelFile::check`].
    pub model: Option<ModelFile>,
    /// Which models to build.
    pub selection: Selection,
    /// Publish even if more customers change their key than `keys.changed_share_max` allows.
    pub accept_key_changes: bool,
    /// Gates that may fail this once.
    pub accepted_gates: Accepted,
}

/// Runs the job and publishes a version, or finds that nothing changed.
///
/// # Errors
/// Of any stage, by its kind; nothing is published then.
pub fn run(engine: &Engine, spec: &Spec, options: &RunOptions, progress: &dyn Progress) -> Result<RunReport> {
    check_model(spec, options)?;
    let warehouse = Warehouse::new(engine.location(&spec.warehouse, &spec.folder)?);
    let lease = Lease::take(engine, &warehouse, &options.run_id)?;
    let alive = || lease.refresh(engine, &warehouse);
    let stages = Stages::new(progress).within(engine.memory()).beating(LEASE_REFRESHED_EVERY, &alive);
    let result = under_lease(engine, spec, options, &warehouse, stages);
    lease.release(engine, &warehouse);
    result
}

fn under_lease(engine: &Engine, spec: &Spec, options: &RunOptions, warehouse: &Warehouse, mut stages: Stages<'_>) -> Result<RunReport> {
    let (previous, plan, left_out) = stages.time("plan", || {
        warehouse.sweep(engine, &options.run_id)?;
        warehouse.repair(engine)?;
        let planned = plan_from(engine, spec, options, warehouse)?;
        privacy::purge_due(engine, spec, warehouse, &planned.0.suppressions)?;
        Ok(planned)
    })?;
    // Every object as it was: its hash is known without reading it.
    if is_unchanged(&previous, plan.fingerprint(spec, &plan.objects()).as_deref(), options) {
        return Ok(RunReport::unchanged(options, spec, &plan, &stages));
    }
    let draft = Draft::begin(engine, warehouse, &options.run_id, plan.previous)?;
    let pieces = Pieces::new(engine, warehouse, &previous, options).writing(draft);
    let mut ingested = stages.time("source", || source::read(engine, spec, &plan.objects(), &previous.ledger, &pieces))?;
    let (mut draft, pieces) = pieces.into_draft();
    let fingerprint = plan
        .fingerprint(spec, &ingested.inputs)
        .expect("every object that was read has a hash");
    if is_unchanged(&previous, Some(&fingerprint), options) {
        return Ok(RunReport::unchanged(options, spec, &plan, &stages));
    }
    let (gates, measures) = gates::of_inputs(engine, spec, options, &previous, plan.as_of, &ingested)?;
    gate::check(&gates)?;
    let withheld = &stages.part("source", || Withheld::of(engine, spec, &previous, &plan, &mut ingested))?;
    if !withheld.suppressed.is_empty() {
        draft.drop_staged()?;
    }

    let job = Job {
        engine,
        spec,
        options,
        warehouse,
        previous: &previous,
        plan: &plan,
        withheld,
    };
    let begun = Begun {
        draft,
        fingerprint,
        left_out,
        gates,
        measures,
    };
    let mut report = job.publish(ingested, begun, stages)?;
    report.pieces = Some(pieces);
    if let Err(error) = privacy::purge_expired(engine, spec, warehouse) {
        tracing::warn!(%error, "the version is published, but old versions could not be deleted; the next run tries again");
    }
    Ok(report)
}

/// A run that has something to do, and what it starts from.
struct Job<'a> {
    engine: &'a Engine,
    spec: &'a Spec,
    options: &'a RunOptions,
    warehouse: &'a Warehouse,
    previous: &'a Previous,
    plan: &'a Plan,
    withheld: &'a Withheld,
}

/// What is known once the inputs are read.
struct Begun<'a> {
    draft: Draft<'a>,
    fingerprint: String,
    /// Tables of the last version that models read and this run does not build.
    left_out: Tables,
    /// The gates on inputs.
    gates: Vec<GateResult>,
    /// What the sources gave, for the ledger.
    measures: Vec<SourceMeasure>,
}

/// Who the records are.
struct People {
    standardized: Standardized,
    decisions: Decisions,
    resolved: Resolved,
    keys: Keys,
}

impl Job<'_> {
    /// From the records to the version.
    fn publish(&self, ingested: Ingested, mut begun: Begun<'_>, mut stages: Stages<'_>) -> Result<RunReport> {
        let Job {
            engine,
            spec,
            options,
            previous,
            plan,
            ..
        } = *self;
        let mut differing = Vec::new();
        if options.full_refresh {
            differing = stages.time("refresh", || self.compare_inputs(plan, &ingested))?;
        }
        let Ingested {
            contacts,
            facts,
            mut rejects,
            inputs,
            columns,
            headers,
            drift,
            counts,
            decisions,
        } = ingested;
        let mut people = self.people(contacts, decisions, &mut begun.gates, &mut stages)?;
        rejects.append(std::mem::take(&mut people.standardized.rejects));
        let People {
            standardized,
            decisions,
            resolved,
            keys,
        } = &people;
        if options.full_refresh {
            differing.extend(stages.part("refresh", || self.compare_links(&standardized.contacts, decisions, resolved))?);
        }
        rejects.append(decisions.rejects());
        let expired = self.withheld.expire_rejects(spec, plan, &mut rejects);
        rejects.sort();
        let input = tables::Input {
            engine,
            spec,
            options,
            previous,
            contacts: &standardized.contacts,
            decisions,
            resolved,
            keys,
        };
        let mut shelf = self.shelve(begun.draft, &input, &rejects, facts, &mut stages)?;
        let (models, audits) = self.build(&mut shelf, begun.left_out, &mut stages)?;
        let identity = resolved.report(keys, decisions);
        let ledger = Ledger {
            inputs,
            columns,
            headers,
            measures: begun.measures,
        };
        shelf.put("runs", tables::runs(previous, options, plan, engine.now(), &identity))?;
        stages.time("report", || self.tell(&mut shelf))?;
        let manifest = stages.time("publish", || {
            let (as_of, fingerprint) = (plan.as_of, begun.fingerprint);
            let carried = previous.carried(&spec.models, shelf.kept());
            let state = self.withheld.add_state(tables::state(&input, &ledger)?)?;
            shelf.into_draft()?.commit(Closing {
                as_of,
                fingerprint,
                carried,
                state,
            })
        })?;
        Ok(RunReport {
            outcome: Outcome::Published,
            version: manifest.version,
            sources: counts,
            suppressed: self.withheld.suppressed.clone(),
            expired,
            drift,
            placeholders: standardized.placeholders.clone(),
            identity: Some(identity),
            keys: Some(key::changes(keys, previous.customers())),
            gates: begun.gates,
            models,
            audits,
            refresh_differences: options.full_refresh.then_some(differing),
            tables: manifest.tables.iter().map(|(name, entry)| (name.clone(), entry.rows)).collect(),
            ..RunReport::empty(options, spec, plan, manifest.version, stages.finish())
        })
    }

    /// From the contacts to keys that the gates let pass.
    fn people(&self, contacts: Contacts, decided: Decided, gates: &mut Vec<GateResult>, stages: &mut Stages<'_>) -> Result<People> {
        let Job {
            engine,
            spec,
            options,
            previous,
            ..
        } = *self;
        let standardized = stages.time("standardize", || {
            Ok(engine.compute(|| standardize::standardize(&contacts, &spec.country)))
        })?;
        drop(contacts);
        let contacts = &standardized.contacts;
        let decisions = Decisions::locate(decided, contacts);
        let before = identity::Before {
            basis: Some(previous::basis(spec)),
            ..previous.before(spec, options, contacts)
        };
        let (_, resolved) = identity::resolve(engine, spec, contacts, &decisions, before, stages)?;
        let keys = stages.time("key", || Ok(keys::assign(engine, spec, previous, contacts, &decisions, &resolved)))?;
        gates.extend(gates::of_customers(engine, spec, options, contacts, &keys));
        gate::check(gates)?;
        keys::gate(spec, options, previous, &keys)?;
        Ok(People {
            standardized,
            decisions,
            resolved,
            keys,
        })
    }

    /// Makes the tables that SQL makes, and asks the audits.
    fn build(
        &self,
        shelf: &mut Shelf<'_>,
        left_out: Tables,
        stages: &mut Stages<'_>,
    ) -> Result<(Vec<model::ModelTime>, Vec<model::AuditResult>)> {
        let Job { engine, spec, plan, .. } = *self;
        shelf.lend(left_out);
        let (built, times) = stages.time("model", || {
            model::build_timed(engine, spec, &plan.models, plan.as_of, &shelf.readable())
        })?;
        shelf.keep(built);
        let audits = stages.time("audit", || model::audit(engine, spec, plan.as_of, &shelf.readable()))?;
        gate_audits(&audits)?;
        Ok((times, audits))
    }

    /// Makes the tables that need no SQL; those that SQL does not read are written and gone when this returns.
    fn shelve<'b>(
        &self,
        draft: Draft<'b>,
        input: &tables::Input<'_>,
        rejects: &Rejects,
        facts: Vec<(RecordKind, Vec<RecordBatch>)>,
        stages: &mut Stages<'_>,
    ) -> Result<Shelf<'b>> {
        let mut shelf = Shelf::new(draft, model::reads(self.spec, &self.plan.models));
        for (position, name) in tables::PEOPLE.into_iter().enumerate() {
            let make = || Ok(tables::people(name, input, rejects));
            let table = if position + 1 < tables::PEOPLE.len() {
                stages.part("profile", make)?
            } else {
                stages.time("profile", make)?
            };
            stages.part("publish", || shelf.put(name, table))?;
        }
        let mut orders = Vec::new();
        for (kind, batches) in facts {
            let table = stages.part("profile", || Ok(tables::keyed(input, kind, &batches, &orders)))?;
            drop(batches);
            if kind == RecordKind::Orders {
                orders.clone_from(&table.batches);
            }
            stages.part("publish", || shelf.put(kind.name(), table))?;
        }
        Ok(shelf)
    }
}

/// The newest version, the plan, and the tables of the version that models read although they are not built anew.
fn plan_from(engine: &Engine, spec: &Spec, options: &RunOptions, warehouse: &Warehouse) -> Result<(Previous, Plan, Tables)> {
    let previous = Previous::read(engine, warehouse)?;
    let as_of = options
        .as_of
        .unwrap_or_else(|| engine.now().with_timezone(&spec.time_zone).date_naive());
    let mut plan = plan::plan(engine, spec, previous.version(), &previous.ledger, as_of, &options.selection)?;
    plan.suppressions = previous.suppressions.digest();
    let left_out = previous.left_out(engine, warehouse, &spec.models, &plan.models)?;
    Ok((previous, plan, left_out))
}

fn check_model(spec: &Spec, options: &RunOptions) -> Result<()> {
    options.model.as_ref().map_or(Ok(()), |file| file.check(&spec.identity.comparisons))
}

/// Whether the newest version is what this run would publish.
fn is_unchanged(previous: &Previous, fingerprint: Option<&str>, options: &RunOptions) -> bool {
    let same_model = !options.retrain && options.model.as_ref().is_none_or(|file| previous.has_model_of(file));
    !options.full_refresh && fingerprint.is_some() && previous.fingerprint() == fingerprint && same_model
}

fn gate_audits(audits: &[model::AuditResult]) -> Result<()> {
    const HINT: &str = "run the audit's query against latest/ to see the rows, then mend the model or the data";
    let failed: Vec<&model::AuditResult> = audits.iter().filter(|audit| audit.rows > 0).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let told = |audit: &&model::AuditResult| {
        let examples = audit.examples.iter().map(|example| format!("; {example}")).collect::<String>();
        format!("{} ({} rows){examples}", audit.audit, audit.rows)
    };
    let mut hints: Vec<&str> = failed.iter().map(|audit| audit.hint.as_deref().unwrap_or(HINT)).collect();
    hints.dedup();
    let error = Error::gate("audits returned rows; nothing was published");
    Err(error
        .with("audits", failed.iter().map(told).collect::<Vec<_>>().join(", "))
        .hint(hints.join("; ")))
}

impl RunReport {
    /// A run that found the newest version to be what it would publish.
    fn unchanged(options: &RunOptions, spec: &Spec, plan: &Plan, stages: &Stages<'_>) -> Self {
        let version = plan.previous.expect("only a version can be unchanged");
        Self::empty(options, spec, plan, version, stages.totals())
    }

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
            suppressed: std::collections::BTreeMap::new(),
            expired: std::collections::BTreeMap::new(),
            drift: Vec::new(),
            placeholders: std::collections::BTreeMap::new(),
            identity: None::<IdentityReport>,
            keys: None,
            gates: Vec::new(),
            models: Vec::new(),
            audits: Vec::new(),
            pieces: None,
            refresh_differences: None,
            tables: std::collections::BTreeMap::new(),
            stages,
            resources,
        }
    }
}
