//! A project folder becomes a spec, or every finding at once with its place.

mod defaults;
mod findings;
mod interpolation;
mod project;
mod scaffold;

use std::path::Path;

use stammkunde::config::{self, Overrides, Spec};
use stammkunde::error::Diagnostic;
use tempfile::TempDir;

/// A mapping that gives every column of a person.
pub const PERSON_SQL: &str = "SELECT id AS record_id, given_name, family_name, email, phone, birth_date, street, postcode, city FROM raw\n";

/// The smallest project: one source `crm`, with the given lines after it.
pub fn minimal(more: &str) -> String {
    format!("warehouse: out\nsources:\n  crm: {{files: crm.csv, format: csv}}\nkeys: {{secret: 0123456789abcdef}}\n{more}")
}

/// A folder with the given files.
pub fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    for (path, text) in files {
        write(folder.path(), path, text);
    }
    folder
}

pub fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().expect("files are inside the folder")).expect("folder");
    std::fs::write(path, text).expect("file");
}

/// A project of `pipeline.yaml` and the mapping of its source `crm`.
pub fn project(yaml: &str) -> TempDir {
    folder(&[("pipeline.yaml", yaml), ("sources/crm.contacts.sql", PERSON_SQL)])
}

pub fn load_all(folder: &TempDir) -> (Option<Spec>, Vec<Diagnostic>) {
    load_with(folder, &[])
}

pub fn load_with(folder: &TempDir, variables: &[(&str, &str)]) -> (Option<Spec>, Vec<Diagnostic>) {
    let environment = |name: &str| {
        variables
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    };
    config::load_all(folder.path(), &Overrides::default(), &environment)
}

/// The spec of a project without findings.
pub fn good(yaml: &str) -> Spec {
    good_with(yaml, &[])
}

pub fn good_with(yaml: &str, variables: &[(&str, &str)]) -> Spec {
    let (spec, findings) = load_with(&project(yaml), variables);
    assert_eq!(shown(&findings), Vec::<String>::new());
    spec.expect("a project without findings has a spec")
}

/// Findings as `file:line:column: message | hint`.
pub fn shown(findings: &[Diagnostic]) -> Vec<String> {
    findings
        .iter()
        .map(|finding| {
            let hint = finding.hint.as_deref().map(|hint| format!(" | {hint}")).unwrap_or_default();
            format!("{}:{}:{}: {}{hint}", finding.file, finding.line, finding.column, finding.message)
        })
        .collect()
}

/// Findings of a `pipeline.yaml` as `line:column: message | hint`.
pub fn findings(yaml: &str) -> Vec<String> {
    let (_, findings) = load_all(&project(yaml));
    shown(&findings)
        .into_iter()
        .map(|text| text.strip_prefix("pipeline.yaml:").map(str::to_owned).unwrap_or(text))
        .collect()
}
