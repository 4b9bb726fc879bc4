//! `stammkunde completions`: shell completions on stdout.

use clap::{Args, CommandFactory};
use stammkunde::Result;

use super::{Cli, output};

/// Options of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// Prints the script.
pub fn completions(args: &CompletionsArgs) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "stammkunde", &mut script);
    output::write_stdout(&String::from_utf8_lossy(&script))?;
    Ok(0)
}
