//! `stammkunde privacy`: show a person everything, erase a person, and keep the list of those who must not come back.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use stammkunde::engine::Engine;
use stammkunde::privacy::{
    self, EraseOptions, ErasureOutcome, ErasureReport, PersonExport, Request, SuppressOptions, SuppressionChange, SuppressionReport,
};
use stammkunde::suppress::IdentifierKind;
use stammkunde::table::{RunId, VersionNumber};
use stammkunde::{Error, Result, Spec};

use super::Project;
use super::output::{Output, count, table};

/// What to do for a person.
#[derive(Debug, Subcommand)]
pub enum PrivacyCommand {
    /// Everything held about a person in the newest version: JSON to stdout, or JSON and CSV files with --output. It is personal data.
    Export(ExportArgs),
    /// Remove people from all tables and state, and keep them out. Without --yes it only says what would go.
    Erase(EraseArgs),
    /// Keep people out from the next run on, without removing what is published.
    Suppress(ListArgs),
    /// Take identifiers off the suppression list.
    Unsuppress(UnsuppressArgs),
    /// Count the suppression list: kinds and days, nothing else.
    List(ProjectArgs),
    /// Delete the versions that hold erased people and are due, and those past their retention, now instead of with the next run.
    Purge(ProjectArgs),
}

/// Where the project is.
#[derive(Debug, Args)]
pub struct ProjectArgs {
    #[command(flatten)]
    project: Project,
}

/// A project, where names that follow leave no room for a folder by default.
#[derive(Debug, Args)]
struct Place {
    /// Project folder: where pipeline.yaml is.
    project: PathBuf,
    /// Use this warehouse (folder or URL) instead of the one in pipeline.yaml.
    #[arg(long, value_name = "DIR|URL", env = "STAMMKUNDE_WAREHOUSE")]
    warehouse: Option<String>,
}

impl Place {
    fn load(&self) -> Result<Spec> {
        let project = Project {
            project: self.project.clone(),
            warehouse: self.warehouse.clone(),
        };
        project.load()
    }
}

/// Whom a command is about.
#[derive(Debug, Args)]
struct People {
    /// Customer keys or identifiers: an e-mail address, a phone number, <source>:<record id>, or <column>=<value>.
    #[arg(value_name = "KEY|IDENTIFIER")]
    people: Vec<String>,
    /// Read more of them from this file, one a line; `-` is stdin, which leaves no trace in the history of a shell.
    #[arg(long, value_name = "FILE", env = "STAMMKUNDE_FROM")]
    from: Option<PathBuf>,
}

impl People {
    fn requests(&self, spec: &Spec) -> Result<Vec<Request>> {
        let mut requests = Vec::new();
        for text in &self.people {
            requests.push(privacy::request(spec, text)?);
        }
        if let Some(path) = &self.from {
            requests.extend(privacy::read_requests(spec, &read(path)?)?);
        }
        if requests.is_empty() {
            return Err(Error::config("nobody is named").hint("give a customer key or an identifier, or --from FILE"));
        }
        Ok(requests)
    }
}

/// Options of `privacy export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    #[command(flatten)]
    place: Place,
    /// A customer key or an identifier: an e-mail address, a phone number, <source>:<record id>, or <column>=<value>.
    #[arg(value_name = "KEY|IDENTIFIER")]
    person: String,
    /// Write person.json and a CSV file a table into this folder, readable for this user alone.
    #[arg(long, short, value_name = "FOLDER", env = "STAMMKUNDE_OUTPUT")]
    output: Option<PathBuf>,
}

/// Options of `privacy erase`.
#[derive(Debug, Args)]
pub struct EraseArgs {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    people: People,
    /// Do it. Without this nothing is written.
    #[arg(long, conflicts_with = "dry_run", env = "STAMMKUNDE_YES")]
    yes: bool,
    /// Say what would go and write nothing, as without --yes.
    #[arg(long, env = "STAMMKUNDE_DRY_RUN")]
    dry_run: bool,
    /// Delete the versions that hold the people at once instead of after privacy.purge_after_days.
    #[arg(long, env = "STAMMKUNDE_NOW")]
    now: bool,
    /// Why, for the receipt. Never write a name here.
    #[arg(long, value_name = "TEXT", env = "STAMMKUNDE_REASON")]
    reason: Option<String>,
    /// Name of this call; it names the receipt. Default: `erase-`, the time and the process.
    #[arg(long, value_name = "ID", env = "STAMMKUNDE_RUN_ID")]
    run_id: Option<String>,
}

/// Options of `privacy suppress`.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    people: People,
}

/// Options of `privacy unsuppress`.
#[derive(Debug, Args)]
pub struct UnsuppressArgs {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    people: People,
    /// Also take off what was put on the list by the same call: the other identifiers and records of the person.
    #[arg(long, env = "STAMMKUNDE_RELATED")]
    related: bool,
}

/// Does what is asked.
pub fn privacy(command: &PrivacyCommand, engine: &Engine, output: &Output) -> Result<u8> {
    match command {
        PrivacyCommand::Export(args) => export(args, engine, output),
        PrivacyCommand::Erase(args) => erase(args, engine, output),
        PrivacyCommand::Suppress(args) => {
            let spec = args.place.load()?;
            let options = options("suppress", engine, args.people.requests(&spec)?, false)?;
            output.result(&privacy::suppress(engine, &spec, &options)?, change_text)?;
            Ok(0)
        }
        PrivacyCommand::Unsuppress(args) => {
            let spec = args.place.load()?;
            let options = options("unsuppress", engine, args.people.requests(&spec)?, args.related)?;
            output.result(&privacy::unsuppress(engine, &spec, &options)?, change_text)?;
            Ok(0)
        }
        PrivacyCommand::List(args) => {
            output.result(&privacy::list(engine, &args.project.load()?)?, list_text)?;
            Ok(0)
        }
        PrivacyCommand::Purge(args) => {
            let spec = args.project.load()?;
            let purged = privacy::purge_now(engine, &spec, &named("purge", engine)?, engine.now())?;
            output.result(&purged, |purged| format!("deleted: {}\n", versions_text(purged)))?;
            Ok(0)
        }
    }
}

fn options(action: &str, engine: &Engine, requests: Vec<Request>, related: bool) -> Result<SuppressOptions> {
    Ok(SuppressOptions {
        run_id: named(action, engine)?,
        requests,
        related,
    })
}

fn named(action: &str, engine: &Engine) -> Result<RunId> {
    RunId::from_scheduler(&format!("{action}-{}", super::run::run_id(engine, None)?))
}

fn read(path: &Path) -> Result<String> {
    let failed = |error: std::io::Error| {
        Error::config("the list of people cannot be read")
            .with("file", path.display().to_string())
            .because(error)
    };
    if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(failed)?;
        return Ok(text);
    }
    std::fs::read_to_string(path).map_err(failed)
}

fn export(args: &ExportArgs, engine: &Engine, output: &Output) -> Result<u8> {
    let spec = args.place.load()?;
    let person = privacy::export(engine, &spec, &privacy::request(&spec, &args.person)?)?;
    let json = serde_json::to_string_pretty(&person).map_err(|error| Error::internal("an export does not fit JSON").because(error))?;
    let Some(folder) = &args.output else {
        super::output::write_stdout(&(json + "\n"))?;
        return Ok(0);
    };
    write_files(folder, &person, &json)?;
    let text = format!(
        "person.json and {} CSV files are in {}; they are personal data: hand them over and delete them",
        person.tables.len(),
        folder.display()
    );
    output.message("exported", &text, &serde_json::Map::new());
    let rows: Vec<Vec<String>> = person
        .tables
        .iter()
        .map(|exported| vec![exported.name.clone(), count(exported.rows.len() as u64)])
        .collect();
    let counts: serde_json::Map<String, serde_json::Value> = person
        .tables
        .iter()
        .map(|exported| (exported.name.clone(), exported.rows.len().into()))
        .collect();
    output.result(&counts, |_| table(&["table", "rows"], &rows))?;
    Ok(0)
}

fn write_files(folder: &Path, person: &PersonExport, json: &str) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::environment("the export cannot be written")
            .with("folder", folder.display().to_string())
            .because(error)
    };
    super::output::make_private_folder(folder).map_err(failed)?;
    super::output::write_private(&folder.join("person.json"), json).map_err(failed)?;
    for exported in &person.tables {
        super::output::write_private(&folder.join(format!("{}.csv", exported.name)), &privacy::csv(exported)).map_err(failed)?;
    }
    Ok(())
}

fn erase(args: &EraseArgs, engine: &Engine, output: &Output) -> Result<u8> {
    let run_id = match &args.run_id {
        Some(text) => RunId::from_scheduler(text)?,
        None => named("erase", engine)?,
    };
    output.name_run(run_id.as_str());
    let spec = args.place.load()?;
    let options = EraseOptions {
        requests: args.people.requests(&spec)?,
        run_id,
        reason: args.reason.clone(),
        confirmed: args.yes,
        purge_now: args.now,
    };
    let report = privacy::erase(engine, &spec, &options)?;
    output.result(&report, |report| erasure_text(report, &spec.warehouse))?;
    if report.outcome == ErasureOutcome::DryRun {
        output.message("dry_run", "nothing was written; do it with --yes", &serde_json::Map::new());
    } else {
        let text = "delete the person in the sources and in copies that others made, too; receipts of it are yours to keep";
        output.message("erased", text, &serde_json::Map::new());
    }
    Ok(0)
}

fn erasure_text(report: &ErasureReport, warehouse: &str) -> String {
    let receipt = &report.receipt;
    let is_done = report.outcome == ErasureOutcome::Erased;
    let mut text = format!(
        "{} customers, {} records; {} identifiers were not found\n",
        count(receipt.customers),
        count(receipt.records),
        count(receipt.not_found)
    );
    for key in &report.customer_keys {
        text += &format!("  {key}\n");
    }
    let rows: Vec<Vec<String>> = receipt
        .tables
        .iter()
        .map(|(name, counts)| vec![name.clone(), count(counts.rows), count(counts.rows_changed)])
        .collect();
    text += "\n";
    text += &table(&["table", "rows about them", "rows of others changed"], &rows);
    text += &format!(
        "\nterm frequencies that only they held: {}\n{} the suppression list: {}; {} are other customers' too and stay off it\n",
        count(receipt.term_frequencies),
        if is_done { "put on" } else { "would go on" },
        kinds_text(&receipt.suppressed),
        count(receipt.shared)
    );
    if receipt.versions_purged.is_empty() {
        text += &format!(
            "versions that hold them: {}; deleted by the first run from {} on\n",
            versions_text(&receipt.versions_to_purge),
            receipt.purge_due.format("%Y-%m-%d %H:%M UTC")
        );
    } else {
        text += &format!("versions deleted: {}\n", versions_text(&receipt.versions_purged));
    }
    if let (Some(version), Some(file)) = (receipt.version, &report.receipt_file) {
        text += &format!("published version {version} in {warehouse} without them; receipt: {file}\n");
    }
    text
}

fn kinds_text(kinds: &std::collections::BTreeMap<IdentifierKind, u64>) -> String {
    if kinds.is_empty() {
        return "nothing new".to_owned();
    }
    let kinds: Vec<String> = kinds
        .iter()
        .map(|(kind, number)| format!("{} {}", kind.name(), count(*number)))
        .collect();
    kinds.join(", ")
}

fn versions_text(versions: &[VersionNumber]) -> String {
    if versions.is_empty() {
        return "none".to_owned();
    }
    versions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn change_text(change: &SuppressionChange) -> String {
    format!(
        "added: {}; removed: {}; {} identifiers are on the list of version {}; the next run goes by it\n",
        kinds_text(&change.added),
        count(change.removed),
        count(change.entries),
        change.version
    )
}

fn list_text(report: &SuppressionReport) -> String {
    if report.entries.is_empty() {
        return "nobody is on the suppression list\n".to_owned();
    }
    let rows: Vec<Vec<String>> = report
        .entries
        .iter()
        .map(|counted| {
            let cause = match counted.cause {
                stammkunde::suppress::Cause::Erased => "erased",
                stammkunde::suppress::Cause::Suppressed => "suppressed",
            };
            vec![
                counted.since.to_string(),
                cause.to_owned(),
                counted.kind.name().to_owned(),
                count(counted.entries),
            ]
        })
        .collect();
    let mut text = table(&["since", "because", "kind", "identifiers"], &rows);
    for purge in &report.purges {
        text += &format!(
            "versions {} are deleted by the first run from {} on\n",
            versions_text(&purge.versions),
            purge.due.format("%Y-%m-%d %H:%M UTC")
        );
    }
    text
}
