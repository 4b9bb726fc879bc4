//! YAML as a tree that knows where each key and value stands, so that every finding can point at its place.

use saphyr::{LoadableYamlNode, MarkedYaml, Marker, Scalar, YamlData};

use super::findings::{Findings, Path, Place};

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where the value starts.
    pub place: Place,
    /// The value.
    pub value: Value,
}

/// A YAML value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// A text as written.
    Text(String),
    /// A text in which variables were replaced: may stand for a number or boolean too.
    Interpolated(String),
    /// A text with a variable that has no value: a finding exists.
    Unresolved,
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order of the file.
    Map(Vec<Entry>),
}

/// A key, its place, and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Key.
    pub key: String,
    /// Where the key starts.
    pub place: Place,
    /// Value.
    pub node: Node,
}

impl Value {
    /// What the value is, with an article: "a text".
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text(_) | Self::Interpolated(_) | Self::Unresolved => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

impl Node {
    /// Place of the node at `path`, or of the last node on the way that exists. Keys are pointed at rather than their values when the
    /// value is a mapping, a list or nothing.
    #[must_use]
    pub fn locate(&self, path: &Path) -> Place {
        let (key, node) = self.follow(path);
        match node.value {
            Value::Map(_) | Value::List(_) | Value::Null => key.unwrap_or(node.place),
            _ => node.place,
        }
    }

    /// Place of the key at `path`, or as [`Node::locate`].
    #[must_use]
    pub fn locate_key(&self, path: &Path) -> Place {
        let (key, node) = self.follow(path);
        key.unwrap_or(node.place)
    }

    /// The node at `path`, or the last one on the way that exists, and the place of its key if it has one.
    fn follow(&self, path: &Path) -> (Option<Place>, &Self) {
        let (mut key, mut node) = (None, self);
        for step in path.steps() {
            let next = match &node.value {
                Value::Map(entries) => entries
                    .iter()
                    .find(|entry| entry.key == *step)
                    .map(|entry| (Some(entry.place), &entry.node)),
                Value::List(items) => step
                    .parse::<usize>()
                    .ok()
                    .and_then(|position| items.get(position))
                    .map(|item| (None, item)),
                _ => None,
            };
            let Some(next) = next else { break };
            (key, node) = next;
        }
        (key, node)
    }
}

/// Reads one YAML document whose root is a mapping. `None` after a finding.
#[must_use]
pub fn parse(text: &str, findings: &mut Findings) -> Option<Node> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let documents = match MarkedYaml::load_from_str(text) {
        Ok(documents) => documents,
        Err(error) => {
            findings.at(
                place(*error.marker()),
                format!("not valid YAML: {}", error.info()),
                hint(error.info()),
            );
            return None;
        }
    };
    let [document] = documents.as_slice() else {
        let message = if documents.is_empty() {
            "the file is empty"
        } else {
            "the file holds more than one YAML document"
        };
        findings.at(Place { line: 1, column: 1 }, message, None);
        return None;
    };
    let node = convert(document, findings);
    if matches!(node.value, Value::Map(_)) {
        return Some(node);
    }
    let message = format!(
        "the file must hold a mapping with `warehouse` and `sources`, not {}",
        node.value.kind()
    );
    findings.at(Place { line: 1, column: 1 }, message, None);
    None
}

fn hint(info: &str) -> Option<String> {
    info.contains("duplicate")
        .then(|| "a key stands once in a mapping: merge the two, or remove one".to_owned())
}

fn place(marker: Marker) -> Place {
    Place {
        line: marker.line(),
        column: marker.col() + 1,
    }
}

fn convert(yaml: &MarkedYaml<'_>, findings: &mut Findings) -> Node {
    let at = place(yaml.span.start);
    let value = match &yaml.data {
        YamlData::Value(Scalar::Null) => Value::Null,
        YamlData::Value(Scalar::Boolean(value)) => Value::Boolean(*value),
        YamlData::Value(Scalar::Integer(value)) => Value::Integer(*value),
        YamlData::Value(Scalar::FloatingPoint(value)) => Value::Float(**value),
        YamlData::Value(Scalar::String(text)) => Value::Text(text.to_string()),
        YamlData::Sequence(items) => Value::List(items.iter().map(|item| convert(item, findings)).collect()),
        YamlData::Mapping(entries) => Value::Map(
            entries
                .iter()
                .filter_map(|(key, node)| {
                    let key_place = place(key.span.start);
                    let Some(key) = key_text(&key.data) else {
                        findings.at(key_place, "a key must be a text", Some("put it in quotes".to_owned()));
                        return None;
                    };
                    Some(Entry {
                        key,
                        place: key_place,
                        node: convert(node, findings),
                    })
                })
                .collect(),
        ),
        YamlData::Tagged(..) | YamlData::BadValue | YamlData::Alias(_) | YamlData::Representation(..) => {
            findings.at(at, "YAML tags are not supported here", Some("write the plain value".to_owned()));
            Value::Unresolved
        }
    };
    Node { place: at, value }
}

/// A key as text: `1:` and `true:` are keys `1` and `true`.
fn key_text<'a>(data: &YamlData<'a, MarkedYaml<'a>>) -> Option<String> {
    match data {
        YamlData::Value(Scalar::String(text)) => Some(text.to_string()),
        YamlData::Value(Scalar::Integer(value)) => Some(value.to_string()),
        YamlData::Value(Scalar::Boolean(value)) => Some(value.to_string()),
        _ => None,
    }
}
