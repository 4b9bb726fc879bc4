//! `stammkunde report`: the report of a published version as one HTML file.

use std::path::PathBuf;

use clap::Args;
use stammkunde::engine::Engine;
use stammkunde::publish::Warehouse;
use stammkunde::table::VersionNumber;
use stammkunde::{Result, overview};

use super::Project;
use super::output::{Output, write_page};

/// Options of `report`.
#[derive(Debug, Args)]
#[command(
    after_help = "Every run publishes this page with its version (latest/report.html). The command makes it again from the published tables, e.g. of an \
older version. The page needs no network; values of people are masked in it."
)]
pub struct ReportArgs {
    #[command(flatten)]
    project: Project,
    /// Version. Default: the newest.
    #[arg(long, value_name = "N", env = "STAMMKUNDE_VERSION")]
    version: Option<u64>,
    /// File to write; replaced if it is there.
    #[arg(long, value_name = "FILE", default_value = "report.html", env = "STAMMKUNDE_OUT")]
    out: PathBuf,
}

/// Writes the page.
pub fn report(args: &ReportArgs, engine: &Engine, output: &Output) -> Result<u8> {
    let spec = args.project.load()?;
    let warehouse = Warehouse::new(engine.location(&spec.warehouse, &spec.folder)?);
    let manifest = match args.version {
        Some(number) => warehouse.version(engine, VersionNumber(number))?,
        None => warehouse.newest(engine)?,
    };
    write_page(&args.out, &overview::of_version(engine, &spec, &warehouse, &manifest)?)?;
    output.message(
        "report",
        &format!("version {} is told in {}", manifest.version, args.out.display()),
        &serde_json::Map::new(),
    );
    Ok(0)
}
