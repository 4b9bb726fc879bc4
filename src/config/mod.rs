//! What a user wrote (`Config`), and what will be done (`Spec`). `load` is the only way from a project folder to a `Spec`, and it
//! reports every error at once.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::error::{Diagnostic, Error, Result};

pub mod pipeline;
pub mod scaffold;
pub mod spec;
pub mod standard;

mod check;
mod files;
mod findings;
mod fingerprint;
pub mod gates;
mod identity;
mod interpolate;
mod keys;
mod resolve;
mod retention;
mod rules;
mod yaml;

pub use pipeline::Config;
pub use spec::Spec;

use findings::{Findings, PIPELINE_FILE, Place};

/// What the command line changes in a config.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Publish here instead: a URL, or a path relative to the working directory.
    pub warehouse: Option<String>,
}

/// Reads a project folder: `pipeline.yaml`, `sources/*.sql`, `models/*.sql`, `audits/*.sql`.
/// `environment` answers `${NAME}`.
///
/// # Errors
/// `Config` with every finding at once: file, line, column, what is wrong, what to do.
pub fn load(folder: &Path, overrides: &Overrides, environment: &dyn Fn(&str) -> Option<String>) -> Result<Spec> {
    match load_all(folder, overrides, environment) {
        (Some(spec), findings) if findings.is_empty() => Ok(spec),
        (_, findings) => Err(Error::diagnostics(findings).with("project", folder.display().to_string())),
    }
}

/// As [`load`], but gives what could be resolved together with the findings, so that `validate` can go on to check SQL. Wrong parts of
/// the spec are left out or have their default.
#[must_use]
pub fn load_all(folder: &Path, overrides: &Overrides, environment: &dyn Fn(&str) -> Option<String>) -> (Option<Spec>, Vec<Diagnostic>) {
    let mut findings = Findings::default();
    let folder = absolute(folder);
    let spec = read_spec(&folder, overrides, environment, &mut findings);
    (spec, findings.into_sorted())
}

/// JSON Schema of `pipeline.yaml`.
#[must_use]
pub fn json_schema() -> serde_json::Value {
    let mut schema = serde_json::to_value(schemars::schema_for!(Config)).expect("a schema is JSON");
    schema["title"] = "stammkunde pipeline".into();
    schema
}

static SCHEMA: LazyLock<serde_json::Value> = LazyLock::new(json_schema);

fn read_spec(folder: &Path, overrides: &Overrides, environment: &dyn Fn(&str) -> Option<String>, findings: &mut Findings) -> Option<Spec> {
    let text = read_pipeline(folder, findings)?;
    let mut tree = yaml::parse(&text, findings)?;
    interpolate::interpolate(&mut tree, environment, findings);
    let mut json = check::check(&SCHEMA, &tree, findings)?;
    let object = json.as_object_mut().expect("the root is a mapping");
    object.entry("warehouse").or_insert_with(|| "".into());
    object.entry("sources").or_insert_with(|| serde_json::Map::new().into());
    let mut config: Config = match serde_json::from_value(json) {
        Ok(config) => config,
        Err(error) => {
            findings.at(Place::default(), error.to_string(), None);
            return None;
        }
    };
    if let Some(warehouse) = &overrides.warehouse {
        config.warehouse = if warehouse.contains("://") {
            warehouse.clone()
        } else {
            absolute(Path::new(warehouse)).display().to_string()
        };
    }
    let files = files::read(folder, &tree, findings);
    Some(resolve::resolve(folder, &config, &tree, files, findings))
}

fn read_pipeline(folder: &Path, findings: &mut Findings) -> Option<String> {
    let bytes = match std::fs::read(folder.join(PIPELINE_FILE)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let hint = "give the folder of a project, or make one with `stammkunde init`".to_owned();
            findings.at(Place::default(), "there is no such file", Some(hint));
            return None;
        }
        Err(error) => {
            findings.at(Place::default(), format!("cannot be read: {error}"), None);
            return None;
        }
    };
    let text = String::from_utf8(bytes);
    if text.is_err() {
        findings.at(Place::default(), "is not UTF-8", Some("save it as UTF-8".to_owned()));
    }
    text.ok()
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}
