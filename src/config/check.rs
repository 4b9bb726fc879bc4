//! Checks a YAML tree against the JSON Schema of `Config`, and gives the JSON to deserialize. serde stops at its first error and knows no
//! place; this reports every error with its place, from the same types.
//!
//! Only what `schemars` derives from our types is understood: `$ref`, `anyOf`, `oneOf` of constants, `enum`, `type`, `properties`,
//! `additionalProperties`, `required`, `items`, `minItems`, `maxItems`, `minimum`, and the integer formats.

use serde_json::{Map, Value as Json};

use super::findings::{Findings, Path, Place, closest, list, suggest};
use super::interpolate::as_scalar;
use super::yaml::{Entry, Node, Value};

/// The tree as JSON without its wrong parts, each of which is a finding and marked as broken.
#[must_use]
pub fn check(schema: &Json, root: &Node, findings: &mut Findings) -> Option<Json> {
    Checker { root: schema, findings }.node(schema, root, &Path::root())
}

struct Checker<'a> {
    root: &'a Json,
    findings: &'a mut Findings,
}

impl Checker<'_> {
    fn node(&mut self, schema: &Json, node: &Node, path: &Path) -> Option<Json> {
        let schema = &self.resolve(schema);
        if node.value == Value::Unresolved {
            self.findings.mark_broken(path.clone());
            return None;
        }
        if let Some(names) = constants(schema) {
            return self.constant(&names, node, path);
        }
        if schema.get("anyOf").is_some() {
            return self.any_of(schema, node, path);
        }
        let types = types(schema);
        if types.is_empty() {
            return Some(plain(&node.value));
        }
        if let Value::Interpolated(text) = &node.value
            && !types.contains(&"string")
        {
            return self.typed(schema, &types, &as_scalar(text, node.place), path);
        }
        self.typed(schema, &types, node, path)
    }

    /// Follows `$ref`, and unwraps `anyOf: [T, null]`.
    fn resolve(&self, schema: &Json) -> Json {
        if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
            let pointer = reference.trim_start_matches('#');
            return self.resolve(self.root.pointer(pointer).expect("schemars defines what it refers to"));
        }
        if let Some([first, second]) = schema.get("anyOf").and_then(Json::as_array).map(Vec::as_slice)
            && types(second) == ["null"]
        {
            return self.resolve(first);
        }
        schema.clone()
    }

    fn any_of(&mut self, schema: &Json, node: &Node, path: &Path) -> Option<Json> {
        let branches = schema.get("anyOf").and_then(Json::as_array).map_or(&[][..], Vec::as_slice);
        let allowed: Vec<&str> = branches.iter().flat_map(types).collect();
        if allowed.iter().any(|&allowed| accepts(allowed, &node.value)) {
            return Some(plain(&node.value));
        }
        self.wrong_type(&allowed, node, path)
    }

    fn constant(&mut self, names: &[String], node: &Node, path: &Path) -> Option<Json> {
        let known = names.iter().map(String::as_str);
        match &node.value {
            Value::Text(text) | Value::Interpolated(text) if names.contains(text) => Some(Json::from(text.as_str())),
            Value::Text(text) | Value::Interpolated(text) => {
                let message = format!("{} must be one of {}, not `{text}`", name(path), list(known.clone()));
                self.wrong(
                    node.place,
                    path,
                    message,
                    closest(text, known).map(|name| format!("did you mean `{name}`?")),
                )
            }
            other => {
                let message = format!("{} must be one of {}, not {}", name(path), list(known), other.kind());
                self.wrong(node.place, path, message, None)
            }
        }
    }

    fn typed(&mut self, schema: &Json, types: &[&str], node: &Node, path: &Path) -> Option<Json> {
        if !types.iter().any(|&allowed| accepts(allowed, &node.value)) {
            return self.wrong_type(types, node, path);
        }
        match &node.value {
            Value::Map(entries) => self.map(schema, entries, node.place, path),
            Value::List(items) => self.list(schema, items, node.place, path),
            Value::Integer(_) | Value::Float(_) => self.number(schema, node, path),
            value => Some(plain(value)),
        }
    }

    fn map(&mut self, schema: &Json, entries: &[Entry], place: Place, path: &Path) -> Option<Json> {
        let none = Map::new();
        let properties = schema.get("properties").and_then(Json::as_object).unwrap_or(&none);
        let others = schema.get("additionalProperties").filter(|others| others.is_object());
        let required: Vec<&str> = strings(schema.get("required"));
        let mut result = Map::new();
        for entry in entries {
            let Some(schema) = properties.get(&entry.key).or(others) else {
                self.unknown_key(entry, properties, path);
                continue;
            };
            let path = path.then(&entry.key);
            if entry.node.value == Value::Null && properties.contains_key(&entry.key) && !required.contains(&entry.key.as_str()) {
                continue;
            }
            if let Some(value) = self.node(schema, &entry.node, &path) {
                result.insert(entry.key.clone(), value);
            }
        }
        for name in &required {
            let path = path.then(name);
            if !entries.iter().any(|entry| entry.key == *name) && !self.findings.is_broken(&path) {
                let about = properties
                    .get(*name)
                    .and_then(|schema| schema.get("description"))
                    .and_then(Json::as_str);
                self.findings.at(place, format!("`{name}` is missing"), about.map(one_line));
                self.findings.mark_broken(path);
            }
        }
        // Without a required part a nested mapping cannot be read at all; the root goes on, so that the rest of the file is checked too.
        let complete = required.iter().all(|name| result.contains_key(*name));
        (complete || path.steps().is_empty()).then_some(Json::Object(result))
    }

    fn unknown_key(&mut self, entry: &Entry, properties: &Map<String, Json>, parent: &Path) {
        let known = properties.keys().map(String::as_str);
        // A misspelled key must not be reported as missing too.
        if let Some(meant) = closest(&entry.key, known.clone()) {
            self.findings.mark_broken(parent.then(meant));
        }
        self.findings.at(
            entry.place,
            format!("unknown key `{}`", entry.key),
            Some(suggest(&entry.key, known)),
        );
        self.findings.mark_broken(parent.then(&entry.key));
    }

    fn list(&mut self, schema: &Json, items: &[Node], place: Place, path: &Path) -> Option<Json> {
        let bound = |key| schema.get(key).and_then(Json::as_u64);
        if bound("minItems").is_some_and(|least| (items.len() as u64) < least)
            || bound("maxItems").is_some_and(|most| items.len() as u64 > most)
        {
            let count = bound("minItems").or(bound("maxItems")).unwrap_or_default();
            let message = format!("{} must have {count} entries, not {}", name(path), items.len());
            return self.wrong(place, path, message, None);
        }
        let Some(item_schema) = schema.get("items") else {
            return Some(Json::Array(items.iter().map(|item| plain(&item.value)).collect()));
        };
        let mut values = Vec::with_capacity(items.len());
        for (position, item) in items.iter().enumerate() {
            values.push(self.node(item_schema, item, &path.then(position)));
        }
        // A list without its wrong entries would give the others new positions: later findings would point at the wrong place.
        let complete: Option<Vec<Json>> = values.into_iter().collect();
        if complete.is_none() {
            self.findings.mark_broken(path.clone());
        }
        complete.map(Json::Array)
    }

    fn number(&mut self, schema: &Json, node: &Node, path: &Path) -> Option<Json> {
        let value = match node.value {
            Value::Integer(value) => value as f64,
            Value::Float(value) => value,
            _ => return None,
        };
        if let Some(least) = schema.get("minimum").and_then(Json::as_f64)
            && value < least
        {
            return self.wrong(node.place, path, format!("{} must be {least} or more", name(path)), None);
        }
        let most = match schema.get("format").and_then(Json::as_str) {
            Some("uint32") => f64::from(u32::MAX),
            _ => f64::INFINITY,
        };
        if value > most {
            return self.wrong(node.place, path, format!("{} must be {most} or less", name(path)), None);
        }
        Some(plain(&node.value))
    }

    fn wrong_type(&mut self, types: &[&str], node: &Node, path: &Path) -> Option<Json> {
        let allowed: Vec<&str> = types.iter().filter_map(|name| in_words(name)).collect();
        let message = format!("{} must be {}, not {}", name(path), allowed.join(" or "), node.value.kind());
        let scalar = matches!(node.value, Value::Null | Value::Boolean(_) | Value::Integer(_) | Value::Float(_));
        let hint = if scalar && types.contains(&"string") {
            Some("put it in quotes".to_owned())
        } else if types.contains(&"array") && matches!(node.value, Value::Text(_) | Value::Interpolated(_)) {
            Some("write `[a, b]`".to_owned())
        } else {
            None
        };
        self.wrong(node.place, path, message, hint)
    }

    fn wrong(&mut self, place: Place, path: &Path, message: String, hint: Option<String>) -> Option<Json> {
        self.findings.at(place, message, hint);
        self.findings.mark_broken(path.clone());
        None
    }
}

/// The texts of an `enum`, or of a `oneOf` whose branches are constants or enums.
fn constants(schema: &Json) -> Option<Vec<String>> {
    if schema.get("enum").is_some() {
        return Some(strings(schema.get("enum")).into_iter().map(str::to_owned).collect());
    }
    let branches = schema.get("oneOf")?.as_array()?;
    let names = branches.iter().flat_map(|branch| match branch.get("const").and_then(Json::as_str) {
        Some(name) => vec![name.to_owned()],
        None => strings(branch.get("enum")).into_iter().map(str::to_owned).collect(),
    });
    Some(names.collect())
}

fn types(schema: &Json) -> Vec<&str> {
    match schema.get("type") {
        Some(Json::String(name)) => vec![name],
        list => strings(list),
    }
}

fn strings(list: Option<&Json>) -> Vec<&str> {
    list.and_then(Json::as_array)
        .map(|names| names.iter().filter_map(Json::as_str).collect())
        .unwrap_or_default()
}

fn accepts(type_name: &str, value: &Value) -> bool {
    match value {
        Value::Null => type_name == "null",
        Value::Boolean(_) => type_name == "boolean",
        Value::Integer(_) => type_name == "integer" || type_name == "number",
        Value::Float(_) => type_name == "number",
        Value::Text(_) | Value::Interpolated(_) | Value::Unresolved => type_name == "string",
        Value::List(_) => type_name == "array",
        Value::Map(_) => type_name == "object",
    }
}

fn in_words(type_name: &str) -> Option<&'static str> {
    Some(match type_name {
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a mapping",
        _ => return None,
    })
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Null | Value::Unresolved => Json::Null,
        Value::Boolean(value) => Json::from(*value),
        Value::Integer(value) => Json::from(*value),
        Value::Float(value) => Json::from(*value),
        Value::Text(text) | Value::Interpolated(text) => Json::from(text.as_str()),
        Value::List(items) => Json::Array(items.iter().map(|item| plain(&item.value)).collect()),
        Value::Map(entries) => Json::Object(entries.iter().map(|entry| (entry.key.clone(), plain(&entry.node.value))).collect()),
    }
}

/// The last key of a path; entries of a list are named after the list.
fn name(path: &Path) -> String {
    let mut steps = path.steps().iter().rev();
    match steps.find(|step| step.parse::<usize>().is_err()) {
        Some(key) if path.steps().last() == Some(key) => format!("`{key}`"),
        Some(key) => format!("an entry of `{key}`"),
        None => "the file".to_owned(),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
