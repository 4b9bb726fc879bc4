//! Which objects were read for one version and not for the other.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::source::{InputObject, Ledger};

/// How an object of the right version stands against the left one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InputChange {
    /// Only the right version read it.
    Added,
    /// Only the left version read it.
    Removed,
    /// Its content differs.
    Changed,
}

/// One object that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InputDifference {
    /// Source.
    pub source: String,
    /// Path, as in the ledger.
    pub path: String,
    /// How it differs.
    pub change: InputChange,
    /// Bytes as stored, in the left version.
    pub bytes_left: Option<u64>,
    /// Bytes as stored, in the right version.
    pub bytes_right: Option<u64>,
}

/// Compares two ledgers by content; sorted by source and path.
pub(super) fn difference(left: &Ledger, right: &Ledger) -> Vec<InputDifference> {
    type Sides<'a> = (Option<&'a InputObject>, Option<&'a InputObject>);
    let mut objects: BTreeMap<(&str, &str), Sides<'_>> = BTreeMap::new();
    for object in &left.inputs {
        objects.entry((&object.source, &object.path)).or_default().0 = Some(object);
    }
    for object in &right.inputs {
        objects.entry((&object.source, &object.path)).or_default().1 = Some(object);
    }
    let changed = |((source, path), (left, right)): ((&str, &str), Sides<'_>)| {
        let change = match (left, right) {
            (Some(left), Some(right)) if left.sha256 == right.sha256 && left.size == right.size => return None,
            (Some(_), Some(_)) => InputChange::Changed,
            (None, _) => InputChange::Added,
            (_, None) => InputChange::Removed,
        };
        Some(InputDifference {
            source: source.to_owned(),
            path: path.to_owned(),
            change,
            bytes_left: left.map(|object| object.size),
            bytes_right: right.map(|object| object.size),
        })
    };
    objects.into_iter().filter_map(changed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_differ_by_content_and_not_by_entity_tag() {
        let object = |path: &str, hash: &str, etag: &str| InputObject {
            source: "crm".to_owned(),
            path: path.to_owned(),
            size: 1,
            etag: Some(etag.to_owned()),
            sha256: Some(hash.to_owned()),
        };
        let ledger = |inputs: Vec<InputObject>| Ledger {
            inputs,
            ..Ledger::default()
        };
        let left = ledger(vec![object("a", "1", "x"), object("b", "1", "x"), object("c", "1", "x")]);
        let right = ledger(vec![object("a", "1", "y"), object("b", "2", "x"), object("d", "1", "x")]);
        let found: Vec<(String, InputChange)> = difference(&left, &right)
            .into_iter()
            .map(|input| (input.path, input.change))
            .collect();
        let expected = [("b", InputChange::Changed), ("c", InputChange::Removed), ("d", InputChange::Added)];
        assert_eq!(found, expected.map(|(path, change)| (path.to_owned(), change)));
    }
}
