//! `stammkunde model`: shows a matching model, says where two differ, and saves one as a file.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use stammkunde::engine::Engine;
use stammkunde::publish::{Manifest, Warehouse};
use stammkunde::score::{
    self, Model, ModelDifference, ModelFile, ModelSummary, Origin, RelationModel, SessionReport, TermFrequencies, state,
};
use stammkunde::table::VersionNumber;
use stammkunde::{Error, Result, Spec};

use super::Project;
use super::output::{Output, count, table, write_stdout};

/// What to do with a model.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Show every parameter with its weight and where it comes from, and how training went.
    Show(ShowArgs),
    /// Say which parameters of two models differ, in bits, the largest first.
    Diff(DiffArgs),
    /// Write the model with its term frequencies as one file, for `run --model`. It holds values of people.
    Export(ExportArgs),
}

/// Options of `model show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    project: Project,
    /// Show the model of this file instead of the newest version's.
    #[arg(long, value_name = "FILE", conflicts_with = "at", env = "STAMMKUNDE_MODEL")]
    model: Option<PathBuf>,
    /// Show the model of this version.
    #[arg(long, value_name = "VERSION", env = "STAMMKUNDE_AT")]
    at: Option<u64>,
}

/// Options of `model diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// A model file, or the number of a version.
    left: String,
    /// The other one.
    right: String,
    /// Project folder, for versions.
    #[arg(long, default_value = ".", env = "STAMMKUNDE_PROJECT")]
    project: PathBuf,
    /// Use this warehouse (folder or URL) instead of the one in pipeline.yaml.
    #[arg(long, value_name = "DIR|URL", env = "STAMMKUNDE_WAREHOUSE")]
    warehouse: Option<String>,
    /// Differences of at most so many bits are not told.
    #[arg(long, value_name = "BITS", default_value_t = 0.01, env = "STAMMKUNDE_TOLERANCE")]
    tolerance: f64,
}

/// Options of `model export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    #[command(flatten)]
    project: Project,
    /// Take the model of this version. Default: the newest.
    #[arg(long, value_name = "VERSION", env = "STAMMKUNDE_AT")]
    at: Option<u64>,
    /// Write to this file. Default: stdout.
    #[arg(long, value_name = "FILE", env = "STAMMKUNDE_TO")]
    to: Option<PathBuf>,
}

/// Shows, compares or saves.
pub fn model(command: &ModelCommand, engine: &Engine, output: &Output) -> Result<u8> {
    match command {
        ModelCommand::Show(args) => show(args, engine, output),
        ModelCommand::Diff(args) => diff(args, engine, output),
        ModelCommand::Export(args) => export(args, engine, output),
    }
}

/// Reads a model file.
pub fn read(path: &Path) -> Result<ModelFile> {
    let named = |error: Error| error.with("file", path.display().to_string());
    let bytes = std::fs::read(path).map_err(|error| named(Error::config("the model file cannot be read").because(error)))?;
    ModelFile::parse(&bytes).map_err(named)
}

/// A version whose state is asked for.
struct Version<'a> {
    engine: &'a Engine,
    warehouse: Warehouse,
    manifest: Manifest,
}

impl<'a> Version<'a> {
    fn open(engine: &'a Engine, spec: &Spec, number: Option<u64>) -> Result<Self> {
        let warehouse = Warehouse::new(engine.location(&spec.warehouse, &spec.folder)?);
        let manifest = match number {
            None => warehouse.newest(engine)?,
            Some(number) => {
                let mut versions = warehouse.versions(engine)?.into_iter();
                versions.find(|manifest| manifest.version == VersionNumber(number)).ok_or_else(|| {
                    Error::input("there is no such version")
                        .with("version", number.to_string())
                        .with("warehouse", &spec.warehouse)
                        .hint("`stammkunde versions` lists them; a model file is named by its path")
                })?
            }
        };
        Ok(Self {
            engine,
            warehouse,
            manifest,
        })
    }

    fn state(&self, name: &str) -> Result<Option<bytes::Bytes>> {
        self.warehouse.state(self.engine, &self.manifest, name)
    }

    fn lacking(&self) -> Error {
        Error::environment("the version has no model")
            .with("version", self.manifest.version.to_string())
            .hint("run the job again with --retrain")
    }

    fn model(&self) -> Result<(Model, TermFrequencies)> {
        state::read(|name| self.state(name))?.ok_or_else(|| self.lacking())
    }
}

fn show(args: &ShowArgs, engine: &Engine, output: &Output) -> Result<u8> {
    let (model, frequencies) = match &args.model {
        Some(path) => read(path)?.into_parts(),
        None => Version::open(engine, &args.project.load()?, args.at)?.model()?,
    };
    output.result(&score::summary(&model, &frequencies), summary_text)?;
    Ok(0)
}

fn export(args: &ExportArgs, engine: &Engine, output: &Output) -> Result<u8> {
    let version = Version::open(engine, &args.project.load()?, args.at)?;
    let text = ModelFile::of_state(|name| version.state(name))?.ok_or_else(|| version.lacking())?;
    let Some(path) = &args.to else {
        write_stdout(&text)?;
        return Ok(0);
    };
    std::fs::write(path, text).map_err(|error| {
        Error::environment("the model file cannot be written")
            .with("file", path.display().to_string())
            .because(error)
    })?;
    let text = format!(
        "the model of version {} is in {}; its term frequencies hold values of people",
        version.manifest.version,
        path.display()
    );
    output.message("exported", &text, &serde_json::Map::new());
    Ok(0)
}

fn diff(args: &DiffArgs, engine: &Engine, output: &Output) -> Result<u8> {
    let read = |text: &str| -> Result<(Model, TermFrequencies)> {
        let version = text.parse::<u64>().ok().filter(|_| !Path::new(text).exists());
        let Some(version) = version else {
            return Ok(self::read(Path::new(text))?.into_parts());
        };
        let project = Project {
            project: args.project.clone(),
            warehouse: args.warehouse.clone(),
        };
        Version::open(engine, &project.load()?, Some(version))?.model()
    };
    let (left, right) = (read(&args.left)?, read(&args.right)?);
    let difference = score::difference((&left.0, &left.1), (&right.0, &right.1), args.tolerance);
    output.result(&difference, difference_text)?;
    Ok(0)
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Trained => "trained",
        Origin::Fixed => "fixed",
        Origin::Default => "default (not observed)",
    }
}

/// A probability with four significant digits.
fn small(probability: f64) -> String {
    if probability >= 0.001 {
        format!("{probability:.5}")
    } else {
        format!("{probability:.3e}")
    }
}

fn summary_text(model: &ModelSummary) -> String {
    let mut text = format!(
        "prior: two records drawn at random are one person with probability {} ({:.2} bits)\n",
        small(model.probability_two_random_records_match),
        model.prior_weight
    );
    for warning in &model.warnings {
        text += &format!("warning: {warning}\n");
    }
    text += "\ncomparisons:\n";
    let mut rows = Vec::new();
    for comparison in &model.comparisons {
        for (position, level) in comparison.levels.iter().enumerate() {
            rows.push(vec![
                if position == 0 { comparison.name.clone() } else { String::new() },
                level.label.clone(),
                small(level.m),
                small(level.u),
                format!("{:.2}", level.weight),
                origin(level.m_origin).to_owned(),
                origin(level.u_origin).to_owned(),
            ]);
        }
    }
    text += &table(&["comparison", "level", "m", "u", "weight", "m is", "u is"], &rows);
    text += &sessions_text(model);
    text += &classes_text(model);
    text += "\nterm frequencies:\n";
    let rows: Vec<Vec<String>> = model
        .term_frequencies
        .iter()
        .map(|column| {
            vec![
                column.column.clone(),
                count(column.values),
                small(column.frequency_max),
                small(column.frequency_min),
            ]
        })
        .collect();
    text + &table(&["column", "values", "most frequent", "rarest"], &rows)
}

fn sessions_text(model: &ModelSummary) -> String {
    let bits = |bits: Option<f64>| bits.map_or_else(|| "-".to_owned(), |bits| format!("{bits:.1}"));
    let row = |session: &SessionReport| {
        vec![
            session.rule.clone(),
            count(session.pairs),
            session.iterations.to_string(),
            if session.converged { "yes" } else { "NO" }.to_owned(),
            format!("{:.1e}", session.last_change),
            bits(session.log_likelihood_gain),
            session
                .log_likelihood_last_gain
                .map_or_else(|| "-".to_owned(), |bits| format!("{bits:.1e}")),
            small(session.match_share),
        ]
    };
    let rows: Vec<Vec<String>> = model.training.sessions.iter().map(row).collect();
    let mut text = format!("\ntraining: u from {} random pairs; EM sessions:\n", count(model.training.u_pairs));
    text += &table(
        &[
            "session",
            "pairs",
            "iterations",
            "converged",
            "last change",
            "log-likelihood gained (bits)",
            "in the last iteration",
            "share of matches",
        ],
        &rows,
    );
    for session in model
        .training
        .sessions
        .iter()
        .filter(|session| !session.levels_not_observed.is_empty())
    {
        text += &format!("  not observed by `{}`: {}\n", session.rule, session.levels_not_observed.join("; "));
    }
    text
}

fn classes_text(model: &ModelSummary) -> String {
    if model.classes.is_empty() {
        return String::new();
    }
    let mut text = "\nclasses of pairs of different people (probability of each level; weight against strangers in bits):\n".to_owned();
    let headers: Vec<String> = model
        .classes
        .iter()
        .map(|class| format!("{} ({})", class.name, small(class.probability_two_random_records)))
        .collect();
    let mut rows = Vec::new();
    for (at, comparison) in model.comparisons.iter().enumerate() {
        for (position, level) in comparison.levels.iter().enumerate() {
            let mut row = vec![
                if position == 0 { comparison.name.clone() } else { String::new() },
                level.label.clone(),
            ];
            let cell = |class: &RelationModel| {
                let probability = class.comparisons.get(at).and_then(|comparison| comparison.levels.get(position));
                probability.map_or_else(
                    || "-".to_owned(),
                    |&share| format!("{} ({:+.1})", small(share), (share / level.u).log2()),
                )
            };
            row.extend(model.classes.iter().map(cell));
            rows.push(row);
        }
    }
    let headers: Vec<&str> = ["comparison", "level"]
        .into_iter()
        .chain(headers.iter().map(String::as_str))
        .collect();
    text += &table(&headers, &rows);
    text
}

fn difference_text(difference: &ModelDifference) -> String {
    let mut text = format!(
        "{} of {} parameters differ by more than {} bits\n",
        difference.parameters.len(),
        difference.parameters_compared,
        difference.tolerance_bits
    );
    for (side, names) in [("left", &difference.only_left), ("right", &difference.only_right)] {
        if !names.is_empty() {
            text += &format!("only in the {side} model: {}\n", names.join("; "));
        }
    }
    let rows: Vec<Vec<String>> = difference
        .parameters
        .iter()
        .map(|parameter| {
            vec![
                format!("{:+.2}", parameter.bits),
                parameter.of.clone(),
                parameter.level.clone(),
                parameter.parameter.clone(),
                small(parameter.left),
                small(parameter.right),
            ]
        })
        .collect();
    if !rows.is_empty() {
        text += &table(&["bits", "of", "level", "parameter", "left", "right"], &rows);
    }
    let rows: Vec<Vec<String>> = difference
        .term_frequencies
        .iter()
        .map(|column| {
            vec![
                column.column.clone(),
                count(column.values_left),
                count(column.values_right),
                count(column.values_common),
                count(column.values_different),
                format!("{:.2}", column.bits_mean),
                format!("{:.2}", column.bits_max),
                format!("{:+.2}", column.bits_unlisted),
            ]
        })
        .collect();
    if !rows.is_empty() {
        text += "\nterm frequencies (listed values; bits over the common ones, and of values that are not listed):\n";
        text += &table(
            &["column", "left", "right", "common", "different", "mean", "largest", "others"],
            &rows,
        );
    }
    text
}
