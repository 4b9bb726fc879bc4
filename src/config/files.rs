//! The SQL files of a project: `sources/<name>.<record>.sql`, `models/*.sql`, `audits/*.sql`.

use std::collections::BTreeMap;
use std::path::Path as FilePath;

use super::findings::{Findings, Path, Place, suggest};
use super::spec::{MappingSpec, SqlFile};
use super::yaml::{Node, Value};
use crate::table::RecordKind;

/// Tables that every run publishes; a model cannot take their names.
const PUBLISHED: [&str; 17] = [
    "customers",
    "identities",
    "links",
    "possible_links",
    "decisions",
    "generic_values",
    "key_events",
    "key_redirects",
    "contacts",
    "orders",
    "order_lines",
    "events",
    "interactions",
    "subscriptions",
    "exchange_rates",
    "rejects",
    "runs",
];

/// Every SQL file of a project.
#[derive(Debug, Default)]
pub struct ProjectFiles {
    /// Mappings by source, in the order of [`RecordKind::ALL`].
    pub mappings: BTreeMap<String, Vec<MappingSpec>>,
    /// Models, by name.
    pub models: Vec<SqlFile>,
    /// Audits, by name.
    pub audits: Vec<SqlFile>,
}

/// Reads the SQL files; wrong names are findings, and so is a source without a mapping.
pub fn read(folder: &FilePath, tree: &Node, findings: &mut Findings) -> ProjectFiles {
    let sources = source_places(tree);
    let mut mappings: BTreeMap<String, Vec<MappingSpec>> = BTreeMap::new();
    for sql in sql_files(folder, "sources", findings) {
        if let Some((source, record)) = mapping_of(&sql, &sources, findings) {
            mappings.entry(source).or_default().push(MappingSpec { record, sql });
        }
    }
    for (source, place) in &sources {
        match mappings.get_mut(source) {
            Some(mappings) => mappings.sort_by_key(|mapping| mapping.record),
            None => {
                let hint = format!("write `sources/{source}.contacts.sql`, a SELECT from `raw` that gives canonical columns");
                findings.at(*place, format!("the source `{source}` has no mapping"), Some(hint));
            }
        }
    }
    let models = named(sql_files(folder, "models", findings), findings);
    for model in &models {
        if PUBLISHED.contains(&model.name.as_str()) {
            let message = format!("`{}` is a table that every run publishes", model.name);
            findings.in_file(
                &model.path,
                Place::default(),
                message,
                Some("give the model another name".to_owned()),
            );
        }
    }
    ProjectFiles {
        mappings,
        models,
        audits: named(sql_files(folder, "audits", findings), findings),
    }
}

/// Names of the sources as written, right or wrong, with the places of their keys.
pub fn source_places(tree: &Node) -> BTreeMap<String, Place> {
    let Value::Map(entries) = &tree.value else { return BTreeMap::new() };
    let sources = entries.iter().find(|entry| entry.key == "sources");
    let Some(Value::Map(sources)) = sources.map(|entry| &entry.node.value) else {
        return BTreeMap::new();
    };
    sources
        .iter()
        .map(|entry| (entry.key.clone(), tree.locate_key(&Path::of(&["sources", &entry.key]))))
        .collect()
}

/// Whether a text is a name: `[a-z][a-z0-9_]*`, at most 63 characters.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn mapping_of(sql: &SqlFile, sources: &BTreeMap<String, Place>, findings: &mut Findings) -> Option<(String, RecordKind)> {
    let records = RecordKind::ALL.map(RecordKind::name);
    let Some((source, record)) = sql.name.rsplit_once('.') else {
        let hint = format!("name it `<source>.<record>.sql`; records: {}", super::findings::list(records));
        findings.in_file(
            &sql.path,
            Place::default(),
            "the name does not say which record the mapping gives",
            Some(hint),
        );
        return None;
    };
    let kind = RecordKind::from_name(record);
    if kind.is_none() {
        findings.in_file(
            &sql.path,
            Place::default(),
            format!("there is no record `{record}`"),
            Some(suggest(record, records)),
        );
    }
    if !sources.contains_key(source) {
        let hint = suggest(source, sources.keys().map(String::as_str));
        let message = format!("there is no source `{source}` in pipeline.yaml");
        findings.in_file(&sql.path, Place::default(), message, Some(hint));
        return None;
    }
    Some((source.to_owned(), kind?))
}

fn named(files: Vec<SqlFile>, findings: &mut Findings) -> Vec<SqlFile> {
    let (good, bad): (Vec<SqlFile>, Vec<SqlFile>) = files.into_iter().partition(|file| is_name(&file.name));
    for file in bad {
        let hint = "names are `[a-z][a-z0-9_]*`, because they become tables".to_owned();
        findings.in_file(&file.path, Place::default(), format!("`{}` is not a name", file.name), Some(hint));
    }
    good
}

/// The `*.sql` files of a folder by name; hidden files are left out, a missing folder is empty.
fn sql_files(project: &FilePath, folder: &str, findings: &mut Findings) -> Vec<SqlFile> {
    let Ok(entries) = std::fs::read_dir(project.join(folder)) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".sql") && !name.starts_with('.'))
        .collect();
    names.sort();
    let mut files = Vec::with_capacity(names.len());
    for name in names {
        let path = format!("{folder}/{name}");
        match std::fs::read_to_string(project.join(folder).join(&name)) {
            Ok(text) => files.push(SqlFile {
                name: name.trim_end_matches(".sql").to_owned(),
                path,
                text,
            }),
            Err(error) => findings.in_file(&path, Place::default(), format!("cannot be read as UTF-8 text: {error}"), None),
        }
    }
    files
}
