//! Ends on SIGINT and SIGTERM with the codes that shells and Kubernetes expect, and with 4 when the memory limit is passed. Nothing half-written
//! can be seen: a version is one commit.

use stammkunde::engine::Engine;
use stammkunde::{ErrorKind, Result};

use super::output::Output;

/// Watches for signals and for the end of memory, as long as the engine lives.
pub fn watch(engine: &Engine, output: &Output) -> Result<()> {
    let told = output.clone();
    engine.on_termination(move |code| {
        told.stopped(code);
        std::process::exit(code);
    });
    let told = output.clone();
    engine.on_memory_exceeded(move |error| {
        told.error(error);
        std::process::exit(i32::from(ErrorKind::Environment.exit_code()));
    })
}
