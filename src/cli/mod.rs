//! The command line: one file a command. The only place that prints: data to stdout, everything for people to stderr.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use stammkunde::config::{self, Overrides};
use stammkunde::engine::{Engine, EngineOptions};
use stammkunde::{Error, Result, Spec};

mod audience;
mod bug;
mod completions;
mod demo;
mod docs;
mod evaluate;
mod explain;
mod init;
mod model;
mod output;
mod plan;
mod privacy;
mod progress;
mod report;
mod resolve;
mod review;
mod run;
mod schema;
mod signals;
mod test;
mod validate;
mod versions;

use output::Output;

/// Exports in, one stable customer key out: identity resolution, unified profiles, churn, CLV and segments as one batch job.
#[derive(Debug, Parser)]
#[command(name = "stammkunde", version, max_term_width = 110)]
#[command(
    after_help = "Exit codes: 0 published or nothing to do, 1 a gate or audit said no, 2 usage or configuration, 3 input, \
4 environment (retry), 5 another run (retry), 99 unchanged (with --exit-99-when-unchanged), 101 bug, 129 hung up, 130 interrupted, 143 terminated.\n\
Every option can be given as an environment variable STAMMKUNDE_<OPTION>."
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct Global {
    /// How results are printed to stdout.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text, env = "STAMMKUNDE_FORMAT")]
    format: Format,
    /// Worker threads. Default: the cores this process may use.
    #[arg(long, global = true, value_name = "N", env = "STAMMKUNDE_THREADS")]
    threads: Option<usize>,
    /// Memory that the process may hold, e.g. 4GiB: SQL spills, any other stage ends with 4. Default: 90 % of the container's, or 80 % of the
    /// machine's.
    #[arg(long, global = true, value_name = "SIZE", value_parser = output::parse_size, env = "STAMMKUNDE_MEMORY_LIMIT")]
    memory_limit: Option<u64>,
    /// Folder for temporary files of SQL that spills. Default: the system's (TMPDIR).
    #[arg(long, global = true, value_name = "DIR", env = "STAMMKUNDE_TEMP_DIR")]
    temp_dir: Option<PathBuf>,
    /// How often a request to a store is tried again before the run ends with 4. Default: 8, with growing random pauses.
    #[arg(long, global = true, value_name = "N", env = "STAMMKUNDE_RETRIES")]
    retries: Option<usize>,
    /// How progress and messages are written to stderr.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text, env = "STAMMKUNDE_LOG_FORMAT")]
    log_format: Format,
    /// Say nothing but errors on stderr.
    #[arg(short, long, global = true, conflicts_with = "verbose", env = "STAMMKUNDE_QUIET")]
    quiet: bool,
    /// Say more; twice for the libraries underneath too.
    #[arg(short, long, global = true, action = clap::ArgAction::Count, env = "STAMMKUNDE_VERBOSE")]
    verbose: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs; `stammkunde schema` prints the schema of each.
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Generate exports of made-up people, run the job on them, and compare the result with the truth.
    Demo(demo::DemoArgs),
    /// Write a new project with a sample source that runs.
    Init(init::InitArgs),
    /// Check config and SQL; report every error at once.
    Validate(validate::ValidateArgs),
    /// Count what a run would read and compare, before a pair is compared.
    Plan(plan::PlanArgs),
    /// Read, resolve, build, publish.
    Run(run::RunArgs),
    /// Resolve identities only, into one file: the fast loop for trying identity settings.
    Resolve(resolve::ResolveArgs),
    /// Run the test cases of the project's SQL models.
    Test(test::TestArgs),
    /// Say why records are one customer, or why two are not.
    Explain(explain::ExplainArgs),
    /// Say how good the newest version is: against labels, or without any.
    Evaluate(evaluate::EvaluateArgs),
    /// List the pairs most worth a person's look, as a file of decisions to fill in.
    Review(review::ReviewArgs),
    /// Write the report of a version: one HTML file with charts.
    Report(report::ReportArgs),
    /// Write the data dictionary: one HTML file.
    Docs(docs::DocsArgs),
    /// Write segments as files of hashes for ad platforms: Google Customer Match, Meta Custom Audiences.
    Audience(audience::AudienceArgs),
    /// Show, compare or save the matching model.
    #[command(subcommand)]
    Model(model::ModelCommand),
    /// Show a person everything, erase a person, keep people out.
    #[command(subcommand)]
    Privacy(privacy::PrivacyCommand),
    /// List and compare what is published, go back to a version, remove old ones.
    Versions(versions::VersionsArgs),
    /// Print the JSON Schema of the config or of a JSON output.
    Schema(schema::SchemaArgs),
    /// Print shell completions.
    Completions(completions::CompletionsArgs),
}

/// A project folder, and where it publishes.
#[derive(Debug, Args)]
struct Project {
    /// Project folder: where pipeline.yaml is.
    #[arg(default_value = ".", env = "STAMMKUNDE_PROJECT")]
    project: PathBuf,
    /// Use this warehouse (folder or URL) instead of the one in pipeline.yaml.
    #[arg(long, value_name = "DIR|URL", env = "STAMMKUNDE_WAREHOUSE")]
    warehouse: Option<String>,
}

impl Project {
    fn load(&self) -> Result<Spec> {
        config::load(&self.project, &self.overrides(), &environment)
    }

    fn overrides(&self) -> Overrides {
        Overrides {
            warehouse: self.warehouse.clone(),
        }
    }
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Exit code of a run that found nothing to do, where the caller asked for it.
const EXIT_UNCHANGED: u8 = 99;

/// Parses the command line and runs the command.
pub fn main() -> ExitCode {
    bug::be_discreet();
    silence_caught_panics();
    let matches = silent(Cli::command()).get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let output = Output::new(&cli.global);
    match dispatch(&cli, &output) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output.error(&error);
            ExitCode::from(error.kind().exit_code())
        }
    }
}

/// Help names the variables of the environment and not what they hold: a warehouse or a path may tell what nobody asked for.
fn silent(command: clap::Command) -> clap::Command {
    command.mut_args(|argument| argument.hide_env_values(true)).mut_subcommands(silent)
}

/// A damaged file may make a reader of a library panic; that is caught and told as an error of the file, not as a bug of ours.
fn silence_caught_panics() {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !stammkunde::source::catches_panics() {
            told(info);
        }
    }));
}

fn dispatch(cli: &Cli, output: &Output) -> Result<u8> {
    match &cli.command {
        Command::Demo(args) => demo::demo(args, &start(&cli.global, output)?, output),
        Command::Init(args) => init::init(args, output),
        Command::Validate(args) => validate::validate(args, &start(&cli.global, output)?, output),
        Command::Plan(args) => plan::plan(args, &start(&cli.global, output)?, output),
        Command::Run(args) => run::run(args, &start(&cli.global, output)?, output),
        Command::Resolve(args) => resolve::resolve(args, &start(&cli.global, output)?, output),
        Command::Test(args) => test::test(args, &start(&cli.global, output)?, output),
        Command::Explain(args) => explain::explain(args, &start(&cli.global, output)?, output),
        Command::Evaluate(args) => evaluate::evaluate(args, &start(&cli.global, output)?, output),
        Command::Review(args) => review::review(args, &start(&cli.global, output)?, output),
        Command::Report(args) => report::report(args, &start(&cli.global, output)?, output),
        Command::Docs(args) => docs::docs(args, &start(&cli.global, output)?, output),
        Command::Audience(args) => audience::audience(args, &start(&cli.global, output)?, output),
        Command::Model(command) => model::model(command, &start(&cli.global, output)?, output),
        Command::Privacy(command) => privacy::privacy(command, &start(&cli.global, output)?, output),
        Command::Versions(args) => versions::versions(args, &start(&cli.global, output)?, output),
        Command::Schema(args) => schema::schema(args, output),
        Command::Completions(args) => completions::completions(args),
    }
}

fn start(global: &Global, output: &Output) -> Result<Engine> {
    if global.threads == Some(0) {
        return Err(Error::config("--threads 0 leaves nobody to work").hint("give 1 or more, or leave it out"));
    }
    let engine = Engine::new(&EngineOptions {
        threads: global.threads,
        memory_limit_bytes: global.memory_limit,
        temp_dir: global.temp_dir.clone(),
        retries_max: global.retries,
    })?;
    signals::watch(&engine, output)?;
    Ok(engine)
}
