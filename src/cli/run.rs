//! `stammkunde run`: the job itself, or with `--dry-run` its plan.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::Args;
use stammkunde::engine::Engine;
use stammkunde::error::GateResult;
use stammkunde::gate::Accepted;
use stammkunde::plan::Selection;
use stammkunde::report::{DecisionCounts, IdentityReport, Outcome, RunReport};
use stammkunde::run::{self, RunOptions};
use stammkunde::score::ModelSource;
use stammkunde::table::RunId;
use stammkunde::{ErrorKind, Result, Spec};

use super::output::{Output, bytes, count, table};
use super::plan::{gated, plan_text};
use super::progress::Shown;
use super::{EXIT_UNCHANGED, Project};

/// Options of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    project: Project,
    /// Print the plan and write nothing.
    #[arg(long, env = "STAMMKUNDE_DRY_RUN")]
    dry_run: bool,
    /// Day as of which metrics are computed. Default: today in the project's time zone.
    #[arg(long, value_name = "YYYY-MM-DD", env = "STAMMKUNDE_AS_OF")]
    as_of: Option<NaiveDate>,
    /// Name of this run, e.g. Airflow's run id. Default: the time and the process.
    #[arg(long, value_name = "ID", env = "STAMMKUNDE_RUN_ID")]
    run_id: Option<String>,
    /// Train the matching model anew instead of using the last version's.
    #[arg(long, env = "STAMMKUNDE_RETRAIN")]
    retrain: bool,
    /// Read every object and compare every pair again, and check that taking over what the last version knew would have given the same.
    #[arg(long, env = "STAMMKUNDE_FULL_REFRESH")]
    full_refresh: bool,
    /// Score with the model of this file, as `model export` writes it, instead of training one or using the last version's.
    #[arg(long, value_name = "FILE", conflicts_with = "retrain", env = "STAMMKUNDE_MODEL")]
    model: Option<PathBuf>,
    /// Build only these models: name, +name, name+; tables left out keep their last version.
    #[arg(long, value_name = "MODEL", value_delimiter = ',', env = "STAMMKUNDE_SELECT")]
    select: Vec<String>,
    /// Do not build these models.
    #[arg(long, value_name = "MODEL", value_delimiter = ',', env = "STAMMKUNDE_EXCLUDE")]
    exclude: Vec<String>,
    /// Publish even if more customers change their key than keys.changed_share_max allows.
    #[arg(long, env = "STAMMKUNDE_ACCEPT_KEY_CHANGES")]
    accept_key_changes: bool,
    /// Publish although this gate fails, this once; repeat it for several, write NAME:SOURCE for one source. NAME is a key of `gates`.
    #[arg(long, value_name = "NAME", value_delimiter = ',', env = "STAMMKUNDE_ACCEPT_GATE")]
    accept_gate: Vec<String>,
    /// Exit with 99 when there is nothing to do (Airflow's skip).
    #[arg(long, env = "STAMMKUNDE_EXIT_99_WHEN_UNCHANGED")]
    exit_99_when_unchanged: bool,
}

/// Runs or plans.
pub fn run(args: &RunArgs, engine: &Engine, output: &Output) -> Result<u8> {
    let run_id = run_id(engine, args.run_id.as_deref())?;
    output.name_run(run_id.as_str());
    let spec = args.project.load()?;
    let options = RunOptions {
        run_id,
        as_of: args.as_of,
        retrain: args.retrain,
        full_refresh: args.full_refresh,
        model: args.model.as_deref().map(super::model::read).transpose()?,
        selection: Selection {
            select: args.select.clone(),
            exclude: args.exclude.clone(),
        },
        accept_key_changes: args.accept_key_changes,
        accepted_gates: Accepted::parse(&args.accept_gate)?,
    };
    if args.dry_run {
        let plan = run::dry_run(engine, &spec, &options, &Shown::new(output))?;
        output.result(&plan, plan_text)?;
        if let Some(code) = gated(&plan, output) {
            return Ok(code);
        }
        if !args.accept_key_changes && !plan.key_refusals.is_empty() {
            return Ok(ErrorKind::Gate.exit_code());
        }
        return Ok(if plan.next.is_none() && args.exit_99_when_unchanged {
            EXIT_UNCHANGED
        } else {
            0
        });
    }
    let report = execute(engine, &spec, &options, output)?;
    output.result(&report, report_text)?;
    Ok(if report.outcome == Outcome::Unchanged && args.exit_99_when_unchanged {
        EXIT_UNCHANGED
    } else {
        0
    })
}

/// Runs and shows progress.
pub fn execute(engine: &Engine, spec: &Spec, options: &RunOptions, output: &Output) -> Result<RunReport> {
    run::run(engine, spec, options, &Shown::new(output))
}

/// The caller's run id, or one of the time and the process.
pub fn run_id(engine: &Engine, given: Option<&str>) -> Result<RunId> {
    match given {
        Some(text) => RunId::from_scheduler(text),
        None => RunId::from_scheduler(&format!("{}-{}", engine.now().format("%Y%m%dT%H%M%S%3fZ"), std::process::id())),
    }
}

/// `suppressed: contacts 2, orders 3`.
fn left_out_text(why: &str, counts: &std::collections::BTreeMap<String, u64>) -> String {
    if counts.is_empty() {
        return String::new();
    }
    let counts: Vec<String> = counts.iter().map(|(name, rows)| format!("{name} {}", count(*rows))).collect();
    format!("{why}: {}\n", counts.join(", "))
}

/// Counts by source and record.
pub fn sources_text(sources: &[stammkunde::source::SourceCounts]) -> String {
    let rows: Vec<Vec<String>> = sources
        .iter()
        .map(|counts| {
            vec![
                counts.source.clone(),
                counts.record.clone(),
                count(counts.rows_read),
                count(counts.rows_kept),
                count(counts.rows_rejected),
                count(counts.values_rejected),
            ]
        })
        .collect();
    table(&["source", "record", "read", "kept", "rejected", "values rejected"], &rows)
}

/// What kept records apart or put them together beside weights: decisions, generic values, skew, refusals. Nothing where there is nothing.
fn guard_text(identity: &IdentityReport) -> String {
    let mut text = String::new();
    let decisions = &identity.decisions;
    if *decisions != DecisionCounts::default() {
        text += &format!(
            "decisions: {} must_link, {} cannot_link, {} pin, {} about records that are not there (see rejects)\n",
            count(decisions.must_link),
            count(decisions.cannot_link),
            count(decisions.pin),
            count(decisions.unknown_record)
        );
    }
    for generic in &identity.generic_values {
        text += &format!(
            "generic: {} values of {} in {} records are shared by too many people to identify one (see generic_values)\n",
            count(generic.values),
            generic.column,
            count(generic.records)
        );
    }
    for rule in identity.blocking.iter().filter(|rule| rule.blocks_refined > 0) {
        text += &format!(
            "skew: {} blocks of the rule {} were too large and were split; {} pairs were left out\n",
            count(rule.blocks_refined),
            rule.rule,
            count(rule.pairs_left_out)
        );
    }
    let refused: Vec<String> = identity
        .refused_links
        .iter()
        .filter(|(reason, _)| *reason != "below_threshold")
        .map(|(reason, links)| format!("{} {reason}", count(*links)))
        .collect();
    if !refused.is_empty() {
        text += &format!("links refused by constraints: {}\n", refused.join(", "));
    }
    text
}

/// What identity resolution found, in a sentence.
pub fn identity_text(identity: &IdentityReport) -> String {
    format!(
        "\n{} records are {} customers (largest {}); {} pairs compared, {} possible links; model {}\n",
        count(identity.records),
        count(identity.customers),
        count(identity.largest_customer),
        count(identity.pairs.pairs),
        count(identity.possible_links),
        match identity.model_source {
            ModelSource::LastVersion => "of the last version",
            ModelSource::File => "of a file",
            ModelSource::Trained => "trained",
        }
    )
}

/// Gates that failed, with what passed their limits. Nothing where none did.
pub fn gates_text(gates: &[GateResult]) -> String {
    let failed = gates.iter().filter(|gate| !gate.passed);
    failed
        .map(|gate| {
            let accepted = if gate.accepted { " (accepted)" } else { "" };
            format!("gate failed{accepted}: {}\n", gate.text())
        })
        .collect()
}

/// What the run took over from the last version, and what a full refresh found.
fn taken_over_text(report: &RunReport) -> String {
    let mut text = String::new();
    if let Some(pieces) = report.pieces.filter(|pieces| pieces.known > 0) {
        let links = report.identity.as_ref().map_or(0, |identity| identity.pairs.links_known);
        text += &format!(
            "taken over from the last version: {} of {} parts of the sources, {} links\n",
            count(pieces.known),
            count(pieces.known + pieces.read),
            count(links)
        );
    }
    match report.refresh_differences.as_deref() {
        None => {}
        Some([]) => text += "full refresh: taking over what the last version knew would have given the same\n",
        Some(tables) => {
            text += &format!(
                "full refresh: taking over what the last version knew would have given other {}; what is published was read and compared again\n",
                tables.join(", ")
            );
        }
    }
    text
}

/// A run for people.
pub fn report_text(report: &RunReport) -> String {
    if report.outcome == Outcome::Unchanged {
        return format!("nothing changed: version {} in {} stays\n", report.version, report.warehouse);
    }
    let mut text = sources_text(&report.sources);
    text += &taken_over_text(report);
    text += &left_out_text("suppressed", &report.suppressed);
    text += &left_out_text("past their retention", &report.expired);
    if let Some(identity) = &report.identity {
        text += &identity_text(identity);
        text += &guard_text(identity);
    }
    if let Some(keys) = &report.keys {
        text += &format!(
            "keys: {} kept, {} created, {} merged, {} split, {} retired, {} resurrected; {} records moved between customers\n",
            count(keys.kept),
            count(keys.created),
            count(keys.merged),
            count(keys.split),
            count(keys.retired),
            count(keys.resurrected),
            count(keys.records_moved)
        );
    }
    text += &gates_text(&report.gates);
    text += "\n";
    let tables: Vec<Vec<String>> = report.tables.iter().map(|(name, rows)| vec![name.clone(), count(*rows)]).collect();
    text += &table(&["table", "rows"], &tables);
    text + &format!(
        "\npublished version {} in {} ({:.1} s, {:.1} CPU s, {} at most)\n",
        report.version,
        report.warehouse,
        report.resources.elapsed_ms as f64 / 1000.0,
        report.resources.cpu_ms as f64 / 1000.0,
        bytes(report.resources.memory_bytes_max)
    )
}
