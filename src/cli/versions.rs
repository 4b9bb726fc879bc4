//! `stammkunde versions`: what is published, when, from what.

use clap::Args;
use stammkunde::Result;
use stammkunde::engine::Engine;
use stammkunde::publish::{Manifest, Warehouse};

use super::Project;
use super::output::{Output, count, table};

/// Options of `versions`.
#[derive(Debug, Args)]
pub struct VersionsArgs {
    #[command(flatten)]
    project: Project,
}

/// Lists the versions, oldest first.
pub fn versions(args: &VersionsArgs, engine: &Engine, output: &Output) -> Result<u8> {
    let spec = args.project.load()?;
    let warehouse = Warehouse::new(engine.location(&spec.warehouse, &spec.folder)?);
    let versions = warehouse.versions(engine)?;
    output.result(&versions, |versions| {
        if versions.is_empty() {
            return format!(
                "nothing is published in {} yet; run: stammkunde run {}\n",
                spec.warehouse,
                args.project.project.display()
            );
        }
        let rows: Vec<Vec<String>> = versions.iter().map(row).collect();
        table(
            &["version", "created", "as of", "parent", "run", "customers", "tables", "rows"],
            &rows,
        )
    })?;
    Ok(0)
}

fn row(manifest: &Manifest) -> Vec<String> {
    let rows = |name: &str| manifest.tables.get(name).map_or(0, |entry| entry.rows);
    vec![
        manifest.version.to_string(),
        manifest.created_at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
        manifest.as_of.to_string(),
        manifest.parent.map_or_else(|| "-".to_owned(), |parent| parent.to_string()),
        manifest.run_id.to_string(),
        count(rows("customers")),
        manifest.tables.len().to_string(),
        count(manifest.tables.values().map(|entry| entry.rows).sum()),
    ]
}
