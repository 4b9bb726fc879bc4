//! The `stammkunde` command: parses, calls the library, exits with a code that a scheduler can act on.

use std::process::ExitCode;

mod cli;

fn main() -> ExitCode {
    cli::main()
}
