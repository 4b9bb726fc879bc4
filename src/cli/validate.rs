//! `stammkunde validate`: every error of config and SQL at once.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use stammkunde::engine::Engine;
use stammkunde::error::Diagnostic;
use stammkunde::{Error, Result, config, model, source};

use super::Project;
use super::output::Output;

/// Options of `validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    #[command(flatten)]
    project: Project,
}

/// What `validate --format json` prints when the project is sound.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ValidateReport {
    /// Always true: findings end in an error with exit code 2.
    valid: bool,
    /// Sources.
    sources: Vec<String>,
    /// Models.
    models: Vec<String>,
    /// Audits.
    audits: Vec<String>,
}

/// Checks the project.
pub fn validate(args: &ValidateArgs, engine: &Engine, output: &Output) -> Result<u8> {
    let (spec, mut findings) = config::load_all(&args.project.project, &args.project.overrides(), &super::environment);
    if let Some(spec) = &spec {
        findings.extend(source::check(engine, spec));
        findings.extend(model::check(engine, spec));
    }
    let sound = |findings: Vec<Diagnostic>| {
        if findings.is_empty() {
            Ok(())
        } else {
            Err(Error::diagnostics(findings))
        }
    };
    sound(findings)?;
    let spec = spec.ok_or_else(|| Error::internal("a project without findings has a specification"))?;
    let names = |files: &[stammkunde::config::spec::SqlFile]| files.iter().map(|file| file.name.clone()).collect();
    let report = ValidateReport {
        valid: true,
        sources: spec.sources.iter().map(|source| source.name.clone()).collect(),
        models: names(&spec.models),
        audits: names(&spec.audits),
    };
    output.result(&report, |report| {
        format!(
            "sound: {} sources, {} models, {} audits\n",
            report.sources.len(),
            report.models.len(),
            report.audits.len()
        )
    })?;
    Ok(0)
}
