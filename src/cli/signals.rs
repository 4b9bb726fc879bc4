//! Ends on SIGINT and SIGTERM with the codes that shells and Kubernetes expect. Nothing half-written can be seen: a version is one commit.

use stammkunde::engine::Engine;

use super::output::Output;

/// Watches for signals as long as the engine lives.
pub fn watch(engine: &Engine, output: &Output) {
    let output = output.clone();
    engine.on_termination(move |code| {
        output.stopped(code);
        std::process::exit(code);
    });
}
