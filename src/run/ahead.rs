//! Looks ahead: goes the way of a run and writes nothing. `plan` stops before a pair is compared, `dry_run` before the first table.

use arrow::array::RecordBatch;

use super::identity::{self, Blocked};
use super::pieces::Pieces;
use super::withhold::Withheld;
use super::{Previous, RunOptions, Stages, check_model, gates, is_unchanged, keys, plan_from, revenue};
use crate::block::RuleCounts;
use crate::config::Spec;
use crate::engine::Engine;
use crate::error::{GateResult, Result};
use crate::key::{self, KeyChanges, KeyRefusal};
use crate::plan::{self, KindRevenue, Measured, Plan, PlanReport, PlannedBlock};
use crate::publish::Warehouse;
use crate::report::DecisionCounts;
use crate::run::Progress;
use crate::score::ModelSource;
use crate::source::{self, Ingested};
use crate::standardize::{self, Standardized};
use crate::table::{Decisions, RecordKind, VersionNumber};

/// Reads, standardizes and counts the pairs of every rule, and stops before one is compared: the answer takes seconds where a dry run
/// takes minutes. Writes nothing, and tells nothing about keys.
///
/// # Errors
/// As [`super::run`] up to that point, but for gates: the plan tells which would fail.
pub fn plan(engine: &Engine, spec: &Spec, options: &RunOptions, progress: &dyn Progress) -> Result<PlanReport> {
    check_model(spec, options)?;
    let mut stages = Stages::new(progress).within(engine.memory());
    let ahead = Ahead::read(engine, spec, options, &mut stages)?;
    let identity = &spec.identity;
    let contacts = &ahead.standardized.contacts;
    let mut blocked = stages.time("block", || Ok(engine.compute(|| Blocked::new(identity, contacts))))?;
    stages.part("block", || {
        engine.compute(|| blocked.count_new());
        Ok(())
    })?;
    let largest = engine.compute(|| plan::largest_blocks(identity, &blocked.records, &blocked.blocks, &blocked.counts));
    let found = Found {
        matching_bytes: blocked.memory_bytes(),
        model_source: ahead.previous.model(options).map_or(ModelSource::Trained, |(_, _, source)| source),
        largest,
        blocking: blocked.counts,
        keys: None,
        key_revenue: Vec::new(),
        key_refusals: Vec::new(),
        pairs_compared: None,
        gates: Vec::new(),
    };
    Ok(ahead.report(engine, found, &stages))
}

/// Goes the way of [`super::run`] up to the keys, and tells what would happen. Writes nothing.
///
/// # Errors
/// As [`super::run`], without the errors of publishing and of gates: the plan tells which would fail.
pub fn dry_run(engine: &Engine, spec: &Spec, options: &RunOptions, progress: &dyn Progress) -> Result<PlanReport> {
    check_model(spec, options)?;
    let mut stages = Stages::new(progress).within(engine.memory());
    let ahead = Ahead::read(engine, spec, options, &mut stages)?;
    let (contacts, previous) = (&ahead.standardized.contacts, &ahead.previous);
    let before = previous.before(spec, options, contacts);
    let (mut blocked, resolved) = identity::resolve(engine, spec, contacts, &ahead.decisions, before, &mut stages)?;
    let pairs_compared = Some(resolved.counts.pairs);
    stages.part("block", || {
        engine.compute(|| blocked.count_new());
        Ok(())
    })?;
    let keys = stages.time("key", || {
        Ok(keys::assign(engine, spec, previous, contacts, &ahead.decisions, &resolved))
    })?;
    let changes = key::changes(&keys, previous.customers());
    let orders = ahead.ingested.facts.iter().find(|(kind, _)| *kind == RecordKind::Orders);
    let key_revenue = stages.part("profile", || {
        let scene = revenue::Scene {
            engine,
            spec,
            warehouse: &ahead.warehouse,
            previous,
            contacts,
            orders: orders.map_or(&[], |(_, batches)| batches),
            keys: &keys,
        };
        revenue::revenue(&scene, &changes)
    })?;
    let largest = engine.compute(|| plan::largest_blocks(&spec.identity, &blocked.records, &blocked.blocks, &blocked.counts));
    let found = Found {
        matching_bytes: blocked.memory_bytes(),
        model_source: resolved.model_source,
        largest,
        blocking: blocked.counts,
        gates: gates::of_customers(engine, spec, options, contacts, &keys),
        keys: Some(changes),
        key_revenue,
        key_refusals: key::refusals(&keys, &changes, &spec.key_limits),
        pairs_compared,
    };
    Ok(ahead.report(engine, found, &stages))
}

/// What both ways have read.
struct Ahead {
    warehouse: Warehouse,
    previous: Previous,
    plan: Plan,
    ingested: Ingested,
    /// The gates on inputs.
    gates: Vec<GateResult>,
    standardized: Standardized,
    decisions: Decisions,
    is_unchanged: bool,
}

/// What they found out.
struct Found {
    blocking: Vec<RuleCounts>,
    largest: Vec<PlannedBlock>,
    matching_bytes: u64,
    model_source: ModelSource,
    keys: Option<KeyChanges>,
    key_revenue: Vec<KindRevenue>,
    key_refusals: Vec<KeyRefusal>,
    pairs_compared: Option<u64>,
    /// The gates on customers.
    gates: Vec<GateResult>,
}

impl Ahead {
    fn read(engine: &Engine, spec: &Spec, options: &RunOptions, stages: &mut Stages<'_>) -> Result<Self> {
        let warehouse = Warehouse::new(engine.location(&spec.warehouse, &spec.folder)?);
        let (previous, plan, _) = stages.time("plan", || plan_from(engine, spec, options, &warehouse))?;
        let mut ingested = stages.time("source", || {
            let pieces = Pieces::new(engine, &warehouse, &previous, options);
            source::read(engine, spec, &plan.objects(), &previous.ledger, &pieces)
        })?;
        let fingerprint = plan.fingerprint(spec, &ingested.inputs);
        let (gates, _) = gates::of_inputs(engine, spec, options, &previous, plan.as_of, &ingested)?;
        Withheld::of(engine, spec, &previous, &plan, &mut ingested)?;
        let standardized = stages.time("standardize", || {
            Ok(engine.compute(|| standardize::standardize(&ingested.contacts, &spec.country)))
        })?;
        Ok(Self {
            decisions: Decisions::locate(std::mem::take(&mut ingested.decisions), &standardized.contacts),
            is_unchanged: is_unchanged(&previous, fingerprint.as_deref(), options),
            warehouse,
            previous,
            plan,
            ingested,
            gates,
            standardized,
        })
    }

    fn report(self, engine: &Engine, found: Found, stages: &Stages<'_>) -> PlanReport {
        let pairs = found.blocking.iter().map(|rule| rule.pairs_new).sum();
        let bytes = |batch: &RecordBatch| batch.get_array_memory_size() as u64;
        let facts = || self.ingested.facts.iter().flat_map(|(_, batches)| batches);
        let contacts = &self.standardized.contacts;
        let (planned, memory_bytes_estimate) = plan::estimate(&Measured {
            stages: stages.totals().0,
            threads: engine.threads() as u64,
            pairs,
            records: contacts.len() as u64,
            facts: facts().map(|batch| batch.num_rows() as u64).sum(),
            models: self.plan.models.len() as u64,
            model_reused: found.model_source != ModelSource::Trained,
            contacts_bytes: bytes(self.ingested.contacts.batch()),
            clean_bytes: bytes(&contacts.display) + bytes(&contacts.matching),
            facts_bytes: facts().map(bytes).sum(),
            matching_bytes: found.matching_bytes,
        });
        let next = VersionNumber(self.plan.previous.map_or(1, |version| version.0 + 1));
        PlanReport {
            warehouse: self.warehouse.root.display.clone(),
            as_of: self.plan.as_of,
            previous: self.plan.previous,
            next: (!self.is_unchanged).then_some(next),
            inputs: self.plan.planned_inputs(),
            records: contacts.len() as u64,
            pairs,
            pairs_compared: found.pairs_compared,
            blocking: found.blocking,
            largest_blocks: found.largest,
            model_reused: found.model_source != ModelSource::Trained,
            model_source: found.model_source,
            decisions: DecisionCounts::of(&self.decisions),
            keys: found.keys,
            key_revenue: found.key_revenue,
            key_refusals: found.key_refusals,
            gates: self.gates.into_iter().chain(found.gates).collect(),
            models: self.plan.planned_models(),
            elapsed_ms_estimate: planned.iter().map(|stage| stage.elapsed_ms).sum(),
            stages: planned,
            memory_bytes_estimate,
            memory_limit_bytes: engine.memory_limit_bytes(),
            threads: engine.threads() as u64,
            sources: self.ingested.counts,
            drift: self.ingested.drift,
        }
    }
}
