//! Ends on SIGINT and SIGTERM with the codes that shells and Kubernetes expect. Nothing half-written can be seen: a version is one commit.

use stammkunde::engine::Engine;

/// Watches for signals as long as the engine lives.
pub fn watch(engine: &Engine) {
    engine.on_termination(|code| {
        eprintln!("stopped before publishing; the last version stays as it was");
        std::process::exit(code);
    });
}
