//! The `stammkunde` command: parses, calls the library, exits with a code that a scheduler can act on.

use std::process::ExitCode;

mod cli;

/// Tables of gigabytes come and go from stage to stage; the system's allocator keeps what they leave, this one gives it back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
