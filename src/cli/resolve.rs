//! `stammkunde resolve`: sources to customer keys in one file, for trying identity settings and for timing them.

use clap::Args;
use stammkunde::Result;
use stammkunde::engine::Engine;
use stammkunde::report::ResolveReport;
use stammkunde::run::{self, ResolveOptions};

use super::Project;
use super::output::{Output, bytes, count, table};
use super::progress::Shown;
use super::run::{identity_text, sources_text};

/// Options of `resolve`.
#[derive(Debug, Args)]
pub struct ResolveArgs {
    #[command(flatten)]
    project: Project,
    /// Parquet file to write: source, record_id, customer_key. A file that is there is replaced.
    #[arg(long, short, value_name = "FILE|URL", env = "STAMMKUNDE_OUT")]
    out: String,
    /// Read only these sources. Default: every source that has contacts.
    #[arg(long, value_name = "SOURCE", value_delimiter = ',', env = "STAMMKUNDE_SELECT")]
    select: Vec<String>,
    /// Train the matching model anew instead of using the last version's.
    #[arg(long, env = "STAMMKUNDE_RETRAIN")]
    retrain: bool,
    /// Do not look at the warehouse: train the model and mint the keys as a first run does. People on its suppression list are not left out.
    #[arg(long, env = "STAMMKUNDE_FRESH")]
    fresh: bool,
}

/// Resolves.
pub fn resolve(args: &ResolveArgs, engine: &Engine, output: &Output) -> Result<u8> {
    let spec = args.project.load()?;
    let options = ResolveOptions {
        out: args.out.clone(),
        select: args.select.clone(),
        retrain: args.retrain,
        fresh: args.fresh,
    };
    let report = run::resolve(engine, &spec, &options, &Shown::new(output))?;
    output.result(&report, text)?;
    Ok(0)
}

fn text(report: &ResolveReport) -> String {
    let identity = &report.identity;
    let mut text = sources_text(&report.sources);
    text += &identity_text(identity);
    text += &match report.previous {
        Some(version) => format!(
            "keys: {} of version {version}, {} after: {} created, {} merged, {} split, {} retired, {} resurrected\n\n",
            count(report.keys.customers_before),
            count(report.keys.customers_after),
            count(report.keys.created),
            count(report.keys.merged),
            count(report.keys.split),
            count(report.keys.retired),
            count(report.keys.resurrected)
        ),
        None => "keys: all minted, as in a first run\n\n".to_owned(),
    };
    let seconds = |ms: u64| format!("{:.2}", ms as f64 / 1000.0);
    let mut stages: Vec<Vec<String>> = report
        .stages
        .iter()
        .map(|stage| vec![stage.stage.clone(), seconds(stage.elapsed_ms), seconds(stage.cpu_ms)])
        .collect();
    let all = &report.resources;
    stages.push(vec!["all".to_owned(), seconds(all.elapsed_ms), seconds(all.cpu_ms)]);
    text += &table(&["stage", "seconds", "CPU s"], &stages);
    text + &format!(
        "\nwrote {} ({}); {} of memory at most\n",
        report.out,
        bytes(report.bytes),
        bytes(all.memory_bytes_max)
    )
}
