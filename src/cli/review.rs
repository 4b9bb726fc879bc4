//! `stammkunde review`: the pairs most worth a person's look, as a file of decisions to fill in.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use stammkunde::engine::Engine;
use stammkunde::review::{self, ReviewKind, ReviewOptions, ReviewReport};
use stammkunde::{Error, Result};

use super::Project;
use super::output::{Output, count};

/// Options of `review`.
#[derive(Debug, Args)]
#[command(
    after_help = "The CSV is a file of decisions: write must_link or cannot_link into the first column of the rows you are sure of, leave the \
others empty, and put the file into decisions/ (or where identity.decisions says). Pairs that are decided do not come up again.\n\
Ranked by p(1-p) x what hangs on it; `bridge` pairs hold a customer together, `near` pairs are apart and look alike."
)]
pub struct ReviewArgs {
    #[command(flatten)]
    project: Project,
    /// Most pairs.
    #[arg(long, value_name = "N", default_value_t = 50, env = "STAMMKUNDE_LIMIT")]
    limit: usize,
    /// Which pairs, and what hangs on them: near (records), revenue, bridge (records held together), all (records and revenue).
    #[arg(long, value_enum, default_value_t = Kind::All, env = "STAMMKUNDE_KIND")]
    kind: Kind,
    /// Write a file instead of stdout; one that is there already is not overwritten.
    #[arg(long, value_name = "FILE", env = "STAMMKUNDE_OUTPUT")]
    output: Option<PathBuf>,
    /// Show values of people as they are, not masked, and pairs whose record ids are addresses or phone numbers.
    #[arg(long, env = "STAMMKUNDE_SHOW_PII")]
    show_pii: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Near,
    Revenue,
    Bridge,
    All,
}

/// Reviews.
pub fn review(args: &ReviewArgs, engine: &Engine, output: &Output) -> Result<u8> {
    let spec = args.project.load()?;
    if let Some(path) = &args.output {
        expect_new(path)?;
    }
    let options = ReviewOptions {
        kind: match args.kind {
            Kind::Near => ReviewKind::Near,
            Kind::Revenue => ReviewKind::Revenue,
            Kind::Bridge => ReviewKind::Bridge,
            Kind::All => ReviewKind::All,
        },
        limit: args.limit,
        show_pii: args.show_pii,
    };
    let report = review::review(engine, &spec, &options)?;
    match &args.output {
        Some(path) => write(path, &output.rendered(&report, review::csv)?)?,
        None => output.result(&report, review::csv)?,
    }
    output.message("reviewed", &told(&report, args.output.as_deref()), &serde_json::Map::new());
    Ok(0)
}

fn told(report: &ReviewReport, path: Option<&Path>) -> String {
    let place = path.map_or_else(String::new, |path| format!(" are in {}", path.display()));
    let mut text = format!("{} pairs of version {}{place}", count(report.pairs.len() as u64), report.version);
    if report.left_out_decided > 0 {
        text += &format!("; {} decided already", count(report.left_out_decided));
    }
    if report.left_out_personal > 0 {
        text += &format!(
            "; {} left out, because their record ids are addresses or phone numbers (--show-pii shows them)",
            count(report.left_out_personal)
        );
    }
    text
}

/// What somebody has filled in is not overwritten.
fn expect_new(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        return Err(Error::config("the output is there already; nothing was written")
            .with("file", path.display().to_string())
            .hint("give another name: decisions in it would be lost"));
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| {
        Error::environment("the review cannot be written")
            .with("file", path.display().to_string())
            .because(error)
    })
}
