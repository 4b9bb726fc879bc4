//! `stammkunde versions`: what is published, where two versions differ, going back to one, and removing old ones.

use clap::{Args, Subcommand};
use stammkunde::engine::Engine;
use stammkunde::publish::{CleanupOptions, CleanupReport, RollbackReport, Warehouse};
use stammkunde::table::VersionNumber;
use stammkunde::versions::{self, InputChange, KeyDifference, TableChange, TableDifference, VersionDifference, VersionSummary};
use stammkunde::{Result, Spec};

use super::Project;
use super::output::{Output, bytes, count, table};

/// Changed inputs that the text names.
const INPUTS_SHOWN: usize = 20;

/// Options of `versions`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct VersionsArgs {
    #[command(subcommand)]
    command: Option<VersionsCommand>,
    #[command(flatten)]
    project: Project,
}

/// What to do with versions.
#[derive(Debug, Subcommand)]
enum VersionsCommand {
    /// List what is published, oldest first.
    List(ListArgs),
    /// Count the rows, customers, records, model parameters and inputs in which two versions differ.
    Diff(DiffArgs),
    /// Publish a new version of an older one's files; the next run goes on from there.
    Rollback(RollbackArgs),
    /// Remove old versions and every file that no version left refers to.
    Cleanup(CleanupArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    project: Project,
}

#[derive(Debug, Args)]
struct DiffArgs {
    /// Number of the older version.
    #[arg(value_name = "A")]
    left: u64,
    /// Number of the newer version.
    #[arg(value_name = "B")]
    right: u64,
    #[command(flatten)]
    project: Project,
}

#[derive(Debug, Args)]
struct RollbackArgs {
    /// Number of the version to go back to.
    #[arg(value_name = "N")]
    to: u64,
    #[command(flatten)]
    project: Project,
    /// Say what would happen, and publish nothing.
    #[arg(long, env = "STAMMKUNDE_DRY_RUN")]
    dry_run: bool,
    /// Name of this run. Default: the time and the process.
    #[arg(long, value_name = "ID", env = "STAMMKUNDE_RUN_ID")]
    run_id: Option<String>,
}

#[derive(Debug, Args)]
struct CleanupArgs {
    #[command(flatten)]
    project: Project,
    /// How many of the newest versions to keep.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), env = "STAMMKUNDE_KEEP")]
    keep: u32,
    /// Of the others, remove only those written more than so many days ago.
    #[arg(long, value_name = "DAYS", env = "STAMMKUNDE_OLDER_THAN")]
    older_than: Option<u32>,
    /// Say what would be removed, and remove nothing.
    #[arg(long, env = "STAMMKUNDE_DRY_RUN")]
    dry_run: bool,
}

/// Lists, compares, goes back or cleans up.
pub fn versions(args: &VersionsArgs, engine: &Engine, output: &Output) -> Result<u8> {
    match &args.command {
        None => list(&args.project, engine, output),
        Some(VersionsCommand::List(args)) => list(&args.project, engine, output),
        Some(VersionsCommand::Diff(args)) => diff(args, engine, output),
        Some(VersionsCommand::Rollback(args)) => rollback(args, engine, output),
        Some(VersionsCommand::Cleanup(args)) => cleanup(args, engine, output),
    }
}

fn open(project: &Project, engine: &Engine) -> Result<(Spec, Warehouse)> {
    let spec = project.load()?;
    let warehouse = Warehouse::new(engine.location(&spec.warehouse, &spec.folder)?);
    Ok((spec, warehouse))
}

fn list(project: &Project, engine: &Engine, output: &Output) -> Result<u8> {
    let (spec, warehouse) = open(project, engine)?;
    let versions = versions::list(engine, &warehouse)?;
    output.result(&versions, |versions| {
        if versions.is_empty() {
            return format!(
                "nothing is published in {} yet; run: stammkunde run {}\n",
                spec.warehouse,
                project.project.display()
            );
        }
        list_text(versions)
    })?;
    Ok(0)
}

fn list_text(versions: &[VersionSummary]) -> String {
    let rows: Vec<Vec<String>> = versions.iter().map(row).collect();
    let mut text = table(
        &[
            "version",
            "created",
            "as of",
            "parent",
            "run",
            "customers",
            "tables",
            "rows",
            "size",
            "own",
            "",
        ],
        &rows,
    );
    if versions.last().is_some_and(|newest| !newest.is_latest) {
        text += "latest/ is behind the newest version; the next run repairs it\n";
    }
    text
}

fn row(version: &VersionSummary) -> Vec<String> {
    let number = |number: Option<VersionNumber>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let mut notes = Vec::new();
    if version.is_latest {
        notes.push("latest".to_owned());
    }
    if let Some(to) = version.rolled_back_to {
        notes.push(format!("rolled back to {to}"));
    }
    vec![
        version.version.to_string(),
        version.created_at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
        version.as_of.to_string(),
        number(version.parent),
        version.run_id.to_string(),
        count(version.customers),
        version.tables.to_string(),
        count(version.rows),
        bytes(version.bytes),
        bytes(version.bytes_own),
        notes.join(", "),
    ]
}

fn diff(args: &DiffArgs, engine: &Engine, output: &Output) -> Result<u8> {
    let (_, warehouse) = open(&args.project, engine)?;
    let found = versions::difference(engine, &warehouse, VersionNumber(args.left), VersionNumber(args.right))?;
    output.result(&found, diff_text)?;
    Ok(0)
}

fn diff_text(found: &VersionDifference) -> String {
    let mut text = format!("version {} against version {}\n", found.right, found.left);
    if found.as_of_left != found.as_of_right {
        text += &format!("as of {}, was {}\n", found.as_of_right, found.as_of_left);
    }
    if let Some(keys) = &found.keys {
        text += &keys_text(keys);
    }
    let changed: Vec<Vec<String>> = found
        .tables
        .iter()
        .filter(|table| table.change != TableChange::Same)
        .map(table_row)
        .collect();
    let same = found.tables.len() - changed.len();
    if !changed.is_empty() {
        text.push('\n');
        text += &table(
            &["table", "rows", "was", "added", "removed", "changed", "rows compared by", "columns"],
            &changed,
        );
    }
    text += &format!("{same} of {} tables are the same\n", found.tables.len());
    if let Some(model) = &found.model {
        text += &format!(
            "\nmodel: {} of {} parameters differ by more than {} bits, {} exist in one only, {} term frequencies differ\n",
            count(model.parameters_different),
            count(model.parameters_compared),
            model.tolerance_bits,
            count(model.only_one),
            count(model.term_frequencies_different)
        );
        for parameter in &model.largest {
            let level = if parameter.level.is_empty() {
                String::new()
            } else {
                format!(": {}", parameter.level)
            };
            text += &format!("  {}{level} {} {:+.2} bits\n", parameter.of, parameter.parameter, parameter.bits);
        }
    }
    text + &inputs_text(found)
}

fn keys_text(keys: &KeyDifference) -> String {
    format!(
        "customers: {}, were {}: {} kept, {} created, {} split off, {} merged away, {} retired\nrecords: {} added, {} removed, {} moved to another customer\n",
        count(keys.customers_right),
        count(keys.customers_left),
        count(keys.kept),
        count(keys.created),
        count(keys.split),
        count(keys.merged),
        count(keys.retired),
        count(keys.records_added),
        count(keys.records_removed),
        count(keys.records_moved)
    )
}

fn table_row(found: &TableDifference) -> Vec<String> {
    let by = if found.key.is_empty() {
        "whole rows".to_owned()
    } else {
        found.key.join(", ")
    };
    let columns = |sign: &'static str, names: &[String]| names.iter().map(|name| format!("{sign}{name}")).collect::<Vec<_>>();
    let columns = [
        columns("+", &found.columns_added),
        columns("-", &found.columns_removed),
        columns("~", &found.columns_retyped),
    ];
    let name = match found.change {
        TableChange::Added => format!("+{}", found.table),
        TableChange::Removed => format!("-{}", found.table),
        TableChange::Same | TableChange::Changed => found.table.clone(),
    };
    vec![
        name,
        count(found.rows_right),
        count(found.rows_left),
        count(found.rows_added),
        count(found.rows_removed),
        count(found.rows_changed),
        by,
        columns.concat().join(" "),
    ]
}

fn inputs_text(found: &VersionDifference) -> String {
    if found.inputs.is_empty() {
        return "\ninputs: the same\n".to_owned();
    }
    let of = |change| found.inputs.iter().filter(|input| input.change == change).count();
    let mut text = format!(
        "\ninputs: {} added, {} removed, {} changed\n",
        of(InputChange::Added),
        of(InputChange::Removed),
        of(InputChange::Changed)
    );
    for input in found.inputs.iter().take(INPUTS_SHOWN) {
        let sign = match input.change {
            InputChange::Added => '+',
            InputChange::Removed => '-',
            InputChange::Changed => '~',
        };
        text += &format!("  {sign} {}: {}\n", input.source, input.path);
    }
    if found.inputs.len() > INPUTS_SHOWN {
        text += &format!("  and {} more (--format json lists all)\n", found.inputs.len() - INPUTS_SHOWN);
    }
    text
}

fn rollback(args: &RollbackArgs, engine: &Engine, output: &Output) -> Result<u8> {
    let run_id = super::run::run_id(engine, args.run_id.as_deref())?;
    output.name_run(run_id.as_str());
    let (_, warehouse) = open(&args.project, engine)?;
    let report = warehouse.rollback(engine, &run_id, VersionNumber(args.to), args.dry_run)?;
    output.result(&report, rollback_text)?;
    Ok(0)
}

fn rollback_text(report: &RollbackReport) -> String {
    let verb = if report.dry_run { "would publish" } else { "published" };
    let mut text = format!(
        "{verb} version {}: the {} rows of version {}, in place of version {}\n",
        report.version,
        count(report.rows),
        report.to,
        report.from
    );
    if !report.tables_gone.is_empty() {
        text += &format!("tables that version {} lacks: {}\n", report.to, report.tables_gone.join(", "));
    }
    text
}

fn cleanup(args: &CleanupArgs, engine: &Engine, output: &Output) -> Result<u8> {
    let run_id = super::run::run_id(engine, None)?;
    output.name_run(run_id.as_str());
    let (_, warehouse) = open(&args.project, engine)?;
    let options = CleanupOptions {
        keep: args.keep as usize,
        older_than_days: args.older_than,
        dry_run: args.dry_run,
    };
    let report = warehouse.cleanup(engine, &run_id, &options)?;
    output.result(&report, cleanup_text)?;
    Ok(0)
}

fn cleanup_text(report: &CleanupReport) -> String {
    let verb = if report.dry_run { "would remove" } else { "removed" };
    let numbers = |versions: &[VersionNumber]| match versions {
        [] => "none".to_owned(),
        versions => versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    };
    format!(
        "{verb} versions: {}\n{verb} {} files ({}), {} run folders as a whole\nkept versions: {}\n",
        numbers(&report.removed),
        count(report.files),
        bytes(report.bytes),
        report.folders.len(),
        numbers(&report.kept)
    )
}
