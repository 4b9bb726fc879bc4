//! `stammkunde plan`: what a run would read and compare, counted exactly before a pair is made.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::Args;
use stammkunde::Result;
use stammkunde::engine::Engine;
use stammkunde::plan::{PlanReport, Selection};
use stammkunde::run::{self, RunOptions};
use stammkunde::score::ModelSource;
use stammkunde::source::InputStatus;

use super::Project;
use super::output::{Output, bytes, count, table};
use super::progress::Shown;
use super::run::{run_id, sources_text};

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
        model: args.model.as_deref().map(super::model::read).transpose()?,
        selection: Selection::default(),
    };
    let plan = run::plan(engine, &spec, &options, &Shown::new(output))?;
    output.result(&plan, plan_text)?;
    Ok(0)
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
    text += "\nwould build:\n";
    let models: Vec<Vec<String>> = plan
        .models
        .iter()
        .map(|model| vec![model.name.clone(), model.grain.clone(), model.depends.join(", ")])
        .collect();
    text += &table(&["model", "grain", "reads"], &models);
    text += &cost_text(plan);
    text + &match plan.next {
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
    let mut text = format!(
        "\nwould compare {} records in {} distinct pairs (exact; new pairs are those that no earlier rule gives):\n",
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
            "decisions: {} must_link, {} cannot_link, {} about records that are not there\n",
            count(decisions.must_link),
            count(decisions.cannot_link),
            count(decisions.unknown_record)
        );
    }
    text
}

fn keys_text(plan: &PlanReport) -> String {
    let Some(keys) = &plan.keys else {
        return "\nkeys: `run --dry-run` compares the pairs and tells what becomes of keys\n".to_owned();
    };
    format!(
        "\nkeys: {} customers before, {} after: {} created, {} merged, {} split, {} retired, {} resurrected, {} with records moved\n",
        count(keys.customers_before),
        count(keys.customers_after),
        count(keys.created),
        count(keys.merged),
        count(keys.split),
        count(keys.retired),
        count(keys.resurrected),
        count(keys.records_moved)
    )
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
