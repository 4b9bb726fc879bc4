//! Which models run, and in which order: headers, dependencies, selectors.

use std::collections::{BTreeMap, BTreeSet};

use super::query::Query;
use super::{ModelSpec, base, header, suggest};
use crate::config::Spec;
use crate::config::spec::SqlFile;
use crate::error::{Diagnostic, Error, Result};

/// Every model that could be read, in order, and every finding about headers, syntax, unknown tables and cycles.
#[must_use]
pub fn all(spec: &Spec) -> (Vec<ModelSpec>, Vec<Diagnostic>) {
    let mut findings = Vec::new();
    let mut models: BTreeMap<String, ModelSpec> = BTreeMap::new();
    let base = base::schemas(spec);
    for file in &spec.models {
        match read(file) {
            Ok((model, mut remarks)) => {
                findings.append(&mut remarks);
                if base.contains_key(&model.name) {
                    findings.push(finding(file, (0, 0), format!("`{}` is the name of a base table", model.name), None));
                    continue;
                }
                models.insert(model.name.clone(), model);
            }
            Err(problem) => findings.push(problem),
        }
    }
    let names: BTreeSet<String> = spec.models.iter().map(|file| file.name.clone()).chain(base.into_keys()).collect();
    for model in models.values() {
        findings.extend(unknown_tables(&model.sql, &names));
    }
    let ordered = sort(models, &mut findings);
    (ordered, findings)
}

/// Findings about tables that a file reads and nobody makes.
#[must_use]
pub fn unknown_tables(file: &SqlFile, names: &BTreeSet<String>) -> Vec<Diagnostic> {
    let Ok(query) = Query::parse(file) else { return Vec::new() };
    let unknown = query.tables.iter().filter(|table| !names.contains(*table));
    unknown
        .map(|table| {
            let hint = suggest::nearest(table, names.iter().map(String::as_str));
            finding(file, query.place_of(table), format!("unknown table `{table}`"), hint)
        })
        .collect()
}

/// The models that selectors leave, in order.
///
/// # Errors
/// `Config` for a selector that names no model.
pub fn selected(models: Vec<ModelSpec>, select: &[String], exclude: &[String]) -> Result<Vec<ModelSpec>> {
    let mut chosen = if select.is_empty() {
        models.iter().map(|model| model.name.clone()).collect()
    } else {
        matching(&models, select)?
    };
    for name in matching(&models, exclude)? {
        chosen.remove(&name);
    }
    Ok(models.into_iter().filter(|model| chosen.contains(&model.name)).collect())
}

fn read(file: &SqlFile) -> Result<(ModelSpec, Vec<Diagnostic>), Diagnostic> {
    let header = header::read(&file.text);
    let mut remarks = Vec::new();
    for (key, value) in [
        ("name", &header.name),
        ("grain", &header.grain),
        ("description", &header.description),
    ] {
        if value.is_empty() {
            let hint = format!("start the file with `-- {key}: …`");
            remarks.push(finding(file, (1, 1), format!("the header has no `{key}`"), Some(hint)));
        }
    }
    if !header.name.is_empty() && header.name != file.name {
        let hint = format!("rename the file to `{}.sql`, or the header to `{}`", header.name, file.name);
        remarks.push(finding(
            file,
            (1, 1),
            format!("the header says `{}`, the file `{}`", header.name, file.name),
            Some(hint),
        ));
    }
    let query = Query::parse(file)?;
    let model = ModelSpec {
        name: file.name.clone(),
        grain: header.grain,
        unit: header.unit,
        description: header.description,
        columns: header.columns,
        depends: query.tables.iter().cloned().collect(),
        sql: file.clone(),
    };
    Ok((model, remarks))
}

/// Topological order; among those that are ready, the first by name. Models of a cycle, and those behind it, are left out and reported.
fn sort(mut waiting: BTreeMap<String, ModelSpec>, findings: &mut Vec<Diagnostic>) -> Vec<ModelSpec> {
    let mut ordered = Vec::new();
    loop {
        let ready = waiting
            .values()
            .find(|model| !model.depends.iter().any(|table| waiting.contains_key(table)));
        let Some(name) = ready.map(|model| model.name.clone()) else { break };
        ordered.extend(waiting.remove(&name));
    }
    let behind: BTreeSet<String> = waiting.keys().cloned().collect();
    for model in waiting.values() {
        if let Some(cycle) = cycle_from(&model.name, &waiting) {
            findings.push(finding(
                &model.sql,
                (0, 0),
                format!("models read each other in a circle: {cycle}"),
                None,
            ));
        }
    }
    debug_assert!(behind.is_empty() || !findings.is_empty(), "what waits forever waits for a cycle");
    ordered
}

/// The shortest way from a model back to itself, as `a -> b -> a`.
fn cycle_from(start: &str, models: &BTreeMap<String, ModelSpec>) -> Option<String> {
    let mut ways: Vec<Vec<&str>> = vec![vec![start]];
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    while let Some(way) = (!ways.is_empty()).then(|| ways.remove(0)) {
        let last = way.last().expect("a way has its start");
        let depends = models.get(*last).map(|model| model.depends.as_slice()).unwrap_or_default();
        for table in depends {
            if table == start {
                return Some(format!("{} -> {start}", way.join(" -> ")));
            }
            if seen.insert(table) {
                let mut further = way.clone();
                further.push(table);
                ways.push(further);
            }
        }
    }
    None
}

fn matching(models: &[ModelSpec], selectors: &[String]) -> Result<BTreeSet<String>> {
    let mut chosen = BTreeSet::new();
    for selector in selectors
        .iter()
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .filter(|text| !text.is_empty())
    {
        let name = selector.trim_start_matches('+').trim_end_matches('+');
        if !models.iter().any(|model| model.name == name) {
            let hint = suggest::nearest(name, models.iter().map(|model| model.name.as_str()));
            let all = || {
                format!(
                    "models are {}",
                    models.iter().map(|model| model.name.as_str()).collect::<Vec<_>>().join(", ")
                )
            };
            return Err(Error::config(format!("no model is called `{name}`"))
                .with("selector", selector)
                .hint(hint.unwrap_or_else(all)));
        }
        chosen.insert(name.to_owned());
        if selector.starts_with('+') {
            chosen.extend(upstream(models, name));
        }
        if selector.ends_with('+') {
            chosen.extend(downstream(models, name));
        }
    }
    Ok(chosen)
}

/// Names of the models that `name` reads, directly or not. `models` are in order.
#[must_use]
pub fn upstream(models: &[ModelSpec], name: &str) -> BTreeSet<String> {
    let mut wanted = BTreeSet::from([name.to_owned()]);
    for model in models.iter().rev() {
        if wanted.contains(&model.name) {
            wanted.extend(model.depends.iter().cloned());
        }
    }
    wanted.remove(name);
    wanted.retain(|table| models.iter().any(|model| model.name == *table));
    wanted
}

fn downstream(models: &[ModelSpec], name: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::from([name.to_owned()]);
    for model in models {
        if model.depends.iter().any(|table| reached.contains(table)) {
            reached.insert(model.name.clone());
        }
    }
    reached
}

fn finding(file: &SqlFile, (line, column): (usize, usize), message: String, hint: Option<String>) -> Diagnostic {
    Diagnostic {
        file: file.path.clone(),
        line,
        column,
        message,
        hint,
    }
}
