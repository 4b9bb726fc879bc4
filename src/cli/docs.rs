//! `stammkunde docs`: the data dictionary of a project as one HTML file.

use std::path::PathBuf;

use clap::Args;
use stammkunde::engine::{Engine, functions};
use stammkunde::{Result, dictionary};

use super::Project;
use super::output::{Output, write_page};

/// Options of `docs`.
#[derive(Debug, Args)]
#[command(
    after_help = "The page needs no network and no published version: it is made from the models' headers (`-- columns:`) and the schemas of the \
records. The same texts are published as the table `columns`."
)]
pub struct DocsArgs {
    #[command(flatten)]
    project: Project,
    /// File to write; replaced if it is there.
    #[arg(long, value_name = "FILE", default_value = "docs.html", env = "STAMMKUNDE_OUT")]
    out: PathBuf,
}

/// Writes the page.
pub fn docs(args: &DocsArgs, engine: &Engine, output: &Output) -> Result<u8> {
    let spec = args.project.load()?;
    let tables = dictionary::tables(engine, &spec)?;
    let name = spec
        .folder
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    write_page(&args.out, &dictionary::html(&name, &tables, &functions::all()))?;
    let columns: usize = tables.iter().map(|table| table.columns.len()).sum();
    output.message(
        "docs",
        &format!("{} tables with {columns} columns are in {}", tables.len(), args.out.display()),
        &serde_json::Map::new(),
    );
    Ok(0)
}
