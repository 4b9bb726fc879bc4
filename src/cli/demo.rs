//! `stammkunde demo`: made-up exports, the real job, and the truth to compare with.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use stammkunde::demo::{self, DemoOptions, Evaluation};
use stammkunde::engine::Engine;
use stammkunde::gate::Accepted;
use stammkunde::plan::Selection;
use stammkunde::report::RunReport;
use stammkunde::run::RunOptions;
use stammkunde::{Error, Result, config};

use super::output::{Output, count, table};

/// Options of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Folder for exports, project and warehouse.
    #[arg(default_value = "demo", env = "STAMMKUNDE_DEMO_FOLDER")]
    folder: PathBuf,
    /// People to make up.
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u32).range(1..=20_000_000), env = "STAMMKUNDE_PEOPLE")]
    people: u32,
    /// Orders to make up. Default: five a person.
    #[arg(long, env = "STAMMKUNDE_ORDERS")]
    orders: Option<u64>,
    /// Equal seeds give equal exports.
    #[arg(long, default_value_t = 42, env = "STAMMKUNDE_SEED")]
    seed: u64,
    /// Only write the exports and the project.
    #[arg(long, env = "STAMMKUNDE_GENERATE_ONLY")]
    generate_only: bool,
}

/// What `demo --format json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DemoReport {
    /// The run.
    run: RunReport,
    /// Identity resolution against the truth.
    identity: Evaluation,
    /// First rows of the metric tables, as text: table → lines.
    metrics: Vec<(String, Vec<Vec<String>>)>,
}

/// Generates, runs, evaluates.
pub fn demo(args: &DemoArgs, engine: &Engine, output: &Output) -> Result<u8> {
    let run_id = super::run::run_id(engine, None)?;
    output.name_run(run_id.as_str());
    let none = serde_json::Map::new();
    output.message(
        "generate",
        &format!("generating exports of {} people in {}", args.people, args.folder.display()),
        &none,
    );
    let options = DemoOptions {
        people: args.people,
        seed: args.seed,
        orders: args.orders,
    };
    std::fs::create_dir_all(&args.folder).map_err(|error| {
        Error::environment("cannot create the demo folder")
            .with("path", args.folder.display().to_string())
            .because(error)
    })?;
    engine.compute(|| demo::generate(&options, &args.folder))?;
    demo::write_project(&args.folder)?;
    if args.generate_only {
        output.message(
            "generated",
            &format!("next: stammkunde run {} --as-of {}", args.folder.display(), demo::AS_OF),
            &none,
        );
        return Ok(0);
    }
    let spec = config::load(&args.folder, &config::Overrides::default(), &super::environment)?;
    let run_options = RunOptions {
        run_id,
        as_of: Some(demo::AS_OF),
        retrain: false,
        full_refresh: false,
        model: None,
        selection: Selection::default(),
        accept_key_changes: false,
        accepted_gates: Accepted::default(),
    };
    let run = super::run::execute(engine, &spec, &run_options, output)?;
    let identity = demo::against_truth(engine, &spec, &args.folder)?;
    let metrics = demo::headline(engine, &spec)?;
    let report = DemoReport { run, identity, metrics };
    output.result(&report, |report| text(report, args))?;
    Ok(0)
}

fn text(report: &DemoReport, args: &DemoArgs) -> String {
    let mut text = super::run::report_text(&report.run);
    let identity = &report.identity;
    text += &format!(
        "\nagainst the truth: {} people, {} customers found\n  pairs    precision {:.4}  recall {:.4}  F1 {:.4}\n  B-cubed  precision {:.4}  recall {:.4}  F1 {:.4}\n",
        count(identity.clusters_true),
        count(identity.clusters),
        identity.pairs.precision,
        identity.pairs.recall,
        identity.pairs.f1,
        identity.b_cubed.precision,
        identity.b_cubed.recall,
        identity.b_cubed.f1
    );
    for (name, lines) in &report.metrics {
        let Some((headers, rows)) = lines.split_first() else { continue };
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        text += &format!("\n{name}:\n{}", table(&headers, rows));
    }
    let folder = args.folder.display();
    text + &format!(
        "\nopen the tables:   {folder}/warehouse/latest/*.parquet\nask about records: stammkunde explain {folder} crm:<KundenNr>\nrun it again:      stammkunde run {folder} --as-of {}\n",
        demo::AS_OF
    )
}
