//! `stammkunde audience`: segments as files of hashes for ad platforms, of customers who agreed to it.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use stammkunde::audience::{self, AudienceOptions, AudienceReport, Condition, Platform};
use stammkunde::engine::Engine;
use stammkunde::table::VersionNumber;
use stammkunde::{Error, Result};

use super::Project;
use super::output::{Output, count, table};

/// Options of `audience`.
#[derive(Debug, Args)]
#[command(
    after_help = "The files hold hashes (SHA-256) of e-mail addresses, phone numbers and names; Google's also country and postal code in the clear, \
as it asks. Hashes of people are personal data: upload them and delete them.\n\
Only customers whose consent says yes are told; null is no. Consents, contact points and the suppression list are those of the newest version, \
whatever --version says. An address that somebody who refused has too is not told."
)]
pub struct AudienceArgs {
    #[command(flatten)]
    project: Project,
    /// A segment of `customer_segments`; several are alternatives.
    #[arg(long, value_name = "SEGMENT", value_delimiter = ',', env = "STAMMKUNDE_SEGMENT")]
    segment: Vec<String>,
    /// A condition over a published table with a customer key: table.column=value, >= or <=. Different columns must all hold.
    #[arg(long = "where", value_name = "CONDITION", env = "STAMMKUNDE_WHERE")]
    conditions: Vec<String>,
    /// Where it goes. Default: every platform.
    #[arg(long, value_enum, value_delimiter = ',', env = "STAMMKUNDE_PLATFORM")]
    platform: Vec<PlatformName>,
    /// Consent to being told to ad platforms: a column of `customers`; of several all must say yes.
    #[arg(
        long,
        value_name = "COLUMN",
        value_delimiter = ',',
        default_value = "consent_advertising",
        env = "STAMMKUNDE_CONSENT"
    )]
    consent: Vec<String>,
    /// Take the segments of this version instead of the newest.
    #[arg(long, value_name = "N", env = "STAMMKUNDE_VERSION")]
    version: Option<u64>,
    /// Folder for the files, readable for this user alone; files of an earlier call are replaced.
    #[arg(long, short, value_name = "FOLDER", required_unless_present = "dry_run", env = "STAMMKUNDE_OUTPUT")]
    output: Option<PathBuf>,
    /// Count, and write nothing.
    #[arg(long, env = "STAMMKUNDE_DRY_RUN")]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum PlatformName {
    /// Customer Match of Google Ads.
    Google,
    /// Custom Audiences of Meta.
    Meta,
}

/// Makes the files.
pub fn audience(args: &AudienceArgs, engine: &Engine, output: &Output) -> Result<u8> {
    let spec = args.project.load()?;
    let mut conditions: Vec<Condition> = args.segment.iter().map(|name| Condition::segment(name)).collect();
    for text in &args.conditions {
        conditions.push(Condition::parse(text)?);
    }
    let options = AudienceOptions {
        version: args.version.map(VersionNumber),
        platforms: platforms(&args.platform),
        conditions,
        consent: args.consent.clone(),
    };
    let mut made = audience::audience(engine, &spec, &options)?;
    if let Some(folder) = args.output.as_deref().filter(|_| !args.dry_run) {
        super::output::make_private_folder(folder).map_err(|error| failed(folder, error))?;
        for (report, text) in made.report.platforms.iter_mut().zip(&made.files) {
            let path = folder.join(report.platform.file_name());
            replace(&path, text).map_err(|error| failed(&path, error))?;
            report.file = Some(path.display().to_string());
        }
    }
    output.message("audience", &told(&made.report, args.dry_run), &serde_json::Map::new());
    output.result(&made.report, text)?;
    Ok(0)
}

fn platforms(names: &[PlatformName]) -> Vec<Platform> {
    let mut names: Vec<PlatformName> = if names.is_empty() {
        PlatformName::value_variants().to_vec()
    } else {
        names.to_vec()
    };
    names.sort_unstable();
    names.dedup();
    let platform = |name| match name {
        PlatformName::Google => Platform::Google,
        PlatformName::Meta => Platform::Meta,
    };
    names.into_iter().map(platform).collect()
}

/// Writes a file beside the old one and puts it in its place: nobody uploads half a file, and nobody else can read it at any moment.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let partial = path.with_extension(format!("{}.partial", std::process::id()));
    let written = super::output::new_private_file(&partial)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&partial, path));
    if written.is_err() {
        // What is left of it holds hashes of people.
        let _ = std::fs::remove_file(&partial);
    }
    written
}

fn failed(path: &Path, error: std::io::Error) -> Error {
    Error::environment("the audience cannot be written")
        .with("path", path.display().to_string())
        .because(error)
}

fn told(report: &AudienceReport, is_dry_run: bool) -> String {
    let out = &report.left_out;
    let mut text = format!(
        "{} of {} customers may be told; left out: {} refused, {} without a word, {} suppressed, {} gone since",
        count(report.customers),
        count(report.customers_selected),
        count(out.refused),
        count(out.unknown),
        count(out.suppressed),
        count(out.gone)
    );
    if report.identifiers_withheld > 0 {
        text += &format!(
            "; {} addresses and numbers are withheld, because somebody who may not be told has them too",
            count(report.identifiers_withheld)
        );
    }
    for condition in &report.unmet {
        text += &format!("\nno customer meets {condition}");
    }
    text += if is_dry_run {
        "\nnothing was written"
    } else {
        "\nhashes of people are personal data: upload the files and delete them"
    };
    text
}

fn text(report: &AudienceReport) -> String {
    let rows: Vec<Vec<String>> = report
        .platforms
        .iter()
        .map(|platform| {
            let name = match platform.platform {
                Platform::Google => "google",
                Platform::Meta => "meta",
            };
            let numbers = [
                platform.rows,
                platform.with_email,
                platform.with_phone,
                platform.with_name,
                platform.nothing_to_match,
            ];
            let mut row = vec![name.to_owned()];
            row.extend(numbers.map(count));
            row.push(platform.file.clone().unwrap_or_default());
            row
        })
        .collect();
    table(&["platform", "rows", "e-mail", "phone", "name", "nothing to match", "file"], &rows)
}
