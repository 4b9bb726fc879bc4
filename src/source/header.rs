//! Names of columns: trimmed, in one Unicode form, never empty, never twice.

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;

use super::raw::Header;

/// Names for the fields of a header row: trimmed and NFKC; blank ones become `column_N`; a name seen before gets `_2`, `_3`, ….
pub(super) fn names(fields: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut taken: HashSet<String> = HashSet::new();
    let mut names = Vec::new();
    for (index, field) in fields.into_iter().enumerate() {
        let normalized: String = field.nfkc().collect();
        let trimmed =
            normalized.trim_matches(|character: char| character.is_whitespace() || character == '\u{feff}' || character == '\u{200b}');
        let base = if trimmed.is_empty() {
            format!("column_{}", index + 1)
        } else {
            trimmed.to_owned()
        };
        let mut name = base.clone();
        let mut number = 2;
        while taken.contains(&name) {
            name = format!("{base}_{number}");
            number += 1;
        }
        taken.insert(name.clone());
        names.push(name);
    }
    names
}

/// A file's columns, and those of its folders that it has not itself.
pub(super) fn with_folders(mut header: Header, path: &str) -> Header {
    if !header.is_empty {
        let own = |key: &str| header.fields.iter().any(|(name, _)| name == key);
        header.partitions = partitions(path).into_iter().filter(|(key, _)| !own(key)).collect();
    }
    header
}

/// Hive partition columns in the folders of a path: `dt=2024-01-31/x.csv` gives `dt`. Values are URL-decoded.
fn partitions(path: &str) -> Vec<(String, Option<String>)> {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    folders
        .split('/')
        .filter_map(|folder| folder.split_once('='))
        .filter(|(key, _)| !key.is_empty())
        .map(|(key, value)| (decode(key), (value != "__HIVE_DEFAULT_PARTITION__").then(|| decode(value))))
        .collect()
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        if let Some(byte) = hex
            .filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
        {
            decoded.push(byte);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_trimmed_and_made_unique() {
        let fields = [" Full Name", "E-Mail ", "", "E-Mail", "E-Mail_2", "\u{fb01}rma"].map(str::to_owned);
        assert_eq!(
            names(fields),
            ["Full Name", "E-Mail", "column_3", "E-Mail_2", "E-Mail_2_2", "firma"]
        );
    }

    #[test]
    fn partition_folders_become_columns() {
        let found = partitions("dt=2024-01-31/shop=M%C3%BCnchen%20Ost/x=__HIVE_DEFAULT_PARTITION__/part=0.csv");
        let expected = [("dt", Some("2024-01-31")), ("shop", Some("München Ost")), ("x", None)];
        assert_eq!(found, expected.map(|(key, value)| (key.to_owned(), value.map(str::to_owned))));
    }
}
