//! `stammkunde plan`: what a run would read and compare, counted exactly before a pair is made.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::Args;
use stammkunde::Result;
use stammkunde::engine::Engine;
use stammkunde::error::GateResult;
use stammkunde::gate::{self, Accepted};
use stammkunde::plan::{KindRevenue, PlanReport, Selection};
use stammkunde::run::{self, RunOptions};
use stammkunde::score::ModelSource;
use stammkunde::source::InputStatus;

use super::Project;
use super::output::{Output, bytes, count, table};
use super::progress::Shown;
use super::run::{gates_text, run_id, sources_text};

/// Options of `plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    project: Project,
    /// Day as of which metrics are computed. Default: today in the project's time zone.
    #[arg(long, value_name = "YYYY-MM-DD", env = "STAMMKUNDE_AS_OF")]
    as_of: Option<NaiveDate>,
    /// Plan a run that trains the matching model anew.
    #[arg(long, env = "STAMMKUNDE_RETRAIN")]
    retrain: bool,
    /// Plan a run that scores with the model of this file.
    #[arg(long, value_name = "FILE", conflicts_with = "retrain", env = "STAMMKUNDE_MODEL")]
    model: Option<PathBuf>,
}

/// Plans.
pub fn plan(args: &PlanArgs, engine: &Engine, output: &Output) -> Result<u8> {
    let spec = args.project.load()?;
    let options = RunOptions {
        run_id: run_id(engine, None)?,
        as_of: args.as_of,
        retrain: args.retrain,
        full_refresh: false,
        model: args.model.as_deref().map(super::model::read).transpose()?,
        selection: Selection::default(),
        accept_key_changes: false,
        accepted_gates: Accepted::default(),
    };
    let plan = run::plan(engine, &spec, &options, &Shown::new(output))?;
    output.result(&plan, plan_text)?;
    Ok(gated(&plan, output).unwrap_or(0))
}

/// Says on stderr which gates would stop the run, and gives the exit code that it would have. None of them counts where nothing changed: such
/// a run ends before it meets a gate.
pub fn gated(plan: &PlanReport, output: &Output) -> Option<u8> {
    plan.next?;
    let error = gate::check(&plan.gates).err()?;
    output.complain(&error);
    Some(error.kind().exit_code())
}

/// A plan for people.
pub fn plan_text(plan: &PlanReport) -> String {
    let mut text = format!("plan for {} as of {}\n\nwould read:\n", plan.warehouse, plan.as_of);
    text += &inputs_text(plan);
    text += "\nrows:\n";
    text += &sources_text(&plan.sources);
    for drift in &plan.drift {
        text += &format!(
            "drift in {} {}: added [{}], missing [{}]\n",
            drift.source,
            drift.path,
            drift.added.join(", "),
            drift.missing.join(", ")
        );
    }
    text += &pairs_text(plan);
    text += match plan.model_source {
        ModelSource::LastVersion => "model: of the last version (--retrain trains anew)\n",
        ModelSource::File => "model: of the file that --model names\n",
        ModelSource::Trained => "model: would be trained\n",
    };
    text += &keys_text(plan);
    text += &gates_text(&plan.gates);
    text += "\nwould build:\n";
    let models: Vec<Vec<String>> = plan
        .models
        .iter()
        .map(|model| vec![model.name.clone(), model.grain.clone(), model.depends.join(", ")])
        .collect();
    text += &table(&["model", "grain", "reads"], &models);
    text += &cost_text(plan);
    text + &match plan.next {
        Some(_) if plan.gates.iter().any(GateResult::stops) => "would publish nothing: a gate says no\n".to_owned(),
        Some(next) => format!("would publish version {next}\n"),
        None => "nothing changed: would publish nothing\n".to_owned(),
    }
}

fn inputs_text(plan: &PlanReport) -> String {
    let status = |status: InputStatus| match status {
        InputStatus::New => "new",
        InputStatus::Changed => "changed",
        InputStatus::Unchanged => "unchanged",
        InputStatus::Missing => "missing",
    };
    let inputs: Vec<Vec<String>> = plan
        .inputs
        .iter()
        .map(|input| {
            vec![
                input.source.clone(),
                status(input.status).to_owned(),
                bytes(input.size),
                input.path.clone(),
            ]
        })
        .collect();
    table(&["source", "status", "size", "path"], &inputs)
}

fn pairs_text(plan: &PlanReport) -> String {
    let compared = plan.pairs_compared.filter(|&compared| compared < plan.pairs);
    let compared = compared.map_or_else(String::new, |pairs| {
        format!("; {} of them are of records that are new or changed, and compared", count(pairs))
    });
    let mut text = format!(
        "\nwould compare {} records in {} distinct pairs (exact; new pairs are those that no earlier rule gives){compared}:\n",
        count(plan.records),
        count(plan.pairs)
    );
    let largest = |rule: &str| {
        plan.largest_blocks
            .iter()
            .find(|block| !block.is_deterministic && block.rule == rule)
    };
    let rules: Vec<Vec<String>> = plan
        .blocking
        .iter()
        .map(|rule| {
            let (records, key) = largest(&rule.rule).map_or_else(Default::default, |block| (count(block.records), block.key.join(" + ")));
            vec![
                rule.rule.clone(),
                count(rule.pairs),
                count(rule.pairs_new),
                count(rule.blocks),
                count(rule.pairs_left_out),
                records,
                format!("={key}"),
            ]
        })
        .collect();
    text += &table(
        &[
            "blocking rule",
            "pairs",
            "new pairs",
            "blocks",
            "pairs left out",
            "largest block",
            "agrees on",
        ],
        &rules,
    );
    text += "(the largest block is told as it is before any is split or left out; what it agrees on is masked)\n";
    let linking: Vec<Vec<String>> = plan
        .largest_blocks
        .iter()
        .filter(|block| block.is_deterministic)
        .map(|block| vec![block.rule.clone(), count(block.records), format!("={}", block.key.join(" + "))])
        .collect();
    if !linking.is_empty() {
        text += "\nlargest blocks of rules that link without comparing:\n";
        text += &table(&["rule", "records", "agrees on"], &linking);
    }
    let decisions = &plan.decisions;
    if *decisions != stammkunde::report::DecisionCounts::default() {
        text += &format!(
            "decisions: {} must_link, {} cannot_link, {} pin, {} about records that are not there\n",
            count(decisions.must_link),
            count(decisions.cannot_link),
            count(decisions.pin),
            count(decisions.unknown_record)
        );
    }
    text
}

fn keys_text(plan: &PlanReport) -> String {
    let Some(keys) = &plan.keys else {
        return "\nkeys: `run --dry-run` compares the pairs and tells what becomes of keys\n".to_owned();
    };
    let mut text = format!(
        "\nkeys: {} customers before, {} after; their orders less refunds, as they would be, and of those that end as they were:\n",
        count(keys.customers_before),
        count(keys.customers_after)
    );
    let share = |customers: u64| match keys.customers_before {
        0 => String::new(),
        before => format!("{:.1} %", customers as f64 * 100.0 / before as f64),
    };
    let row = |of_kind: &KindRevenue| {
        let revenue: Vec<String> = of_kind
            .revenue
            .iter()
            .map(|money| format!("{} {}", money.amount, money.currency))
            .collect();
        vec![
            of_kind.kind.clone(),
            count(of_kind.customers),
            share(of_kind.customers),
            revenue.join(", "),
        ]
    };
    let rows: Vec<Vec<String>> = plan.key_revenue.iter().map(row).collect();
    text += &table(&["keys", "customers", "of before", "revenue"], &rows);
    if keys.records_moved > 0 {
        text += &format!(
            "({} records would move between customers that live on)\n",
            count(keys.records_moved)
        );
    }
    for refusal in &plan.key_refusals {
        text += &format!(
            "gate: {} {} are {:.1} % of the customers, at most {:.1} % may be: a run ends with exit code 1 unless --accept-key-changes is given\n  first keys: {}\n",
            count(refusal.customers),
            refusal.kind,
            refusal.share * 100.0,
            refusal.share_max * 100.0,
            refusal.keys.join(" ")
        );
    }
    text
}

fn cost_text(plan: &PlanReport) -> String {
    let stages: Vec<String> = plan
        .stages
        .iter()
        .map(|stage| {
            let about = if stage.is_measured { "" } else { "about " };
            format!("{} {about}{:.1} s", stage.stage, stage.elapsed_ms as f64 / 1000.0)
        })
        .collect();
    format!(
        "\ntime: about {:.1} s on {} threads ({})\nmemory: about {}; the limit is {}\n",
        plan.elapsed_ms_estimate as f64 / 1000.0,
        plan.threads,
        stages.join(", "),
        bytes(plan.memory_bytes_estimate),
        bytes(plan.memory_limit_bytes)
    )
}
