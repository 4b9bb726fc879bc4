//! Whether a rejected text names somebody on the list: a row as JSON by its columns, any other text by the words in it.

use super::Listed;
use crate::table::{RecordKind, column};

/// Fewest digits of a word that may be a phone number.
const PHONE_DIGITS_MIN: usize = 6;

/// Whether the content of a reject names a listed person. `record` is the canonical record that the row was meant for, if it came so far.
#[must_use]
pub fn mentions(listed: &Listed, source: &str, record: Option<&str>, content: &str) -> bool {
    let row = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(content);
    match (row, record.and_then(RecordKind::from_name)) {
        (Ok(row), Some(kind)) => {
            row_mentions(listed, source, kind, &row) || row.values().any(|value| value_mentions(listed, source, value))
        }
        (Ok(row), None) => row.values().any(|value| value_mentions(listed, source, value)),
        (Err(_), _) => text_mentions(listed, source, content),
    }
}

/// A canonical row.
fn row_mentions(listed: &Listed, source: &str, kind: RecordKind, row: &serde_json::Map<String, serde_json::Value>) -> bool {
    let text = |name: &str| row.get(name).and_then(serde_json::Value::as_str);
    let id = if kind == RecordKind::Contacts {
        text(column::RECORD_ID).map(|id| (source, id))
    } else {
        text(column::CONTACT_RECORD_ID).map(|id| (text(column::CONTACT_SOURCE).unwrap_or(source), id))
    };
    id.is_some_and(|(source, id)| listed.record(source, id.trim()))
        || text(column::PHONE).is_some_and(|phone| listed.phone(phone, text(column::COUNTRY)))
        || listed
            .columns()
            .iter()
            .any(|name| text(name).is_some_and(|value| listed.number(name, value)))
}

fn value_mentions(listed: &Listed, source: &str, value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match value {
        Value::String(text) => text_mentions(listed, source, text),
        Value::Number(number) => word_mentions(listed, source, &number.to_string()),
        Value::Array(values) => values.iter().any(|value| value_mentions(listed, source, value)),
        Value::Object(fields) => fields.values().any(|value| value_mentions(listed, source, value)),
        Value::Null | Value::Bool(_) => false,
    }
}

/// A raw line or value: what stands between delimiters, and the single words.
fn text_mentions(listed: &Listed, source: &str, text: &str) -> bool {
    let fields = text.split([';', ',', '|', '\t', '\n', '\r', '"', '\u{1f}']);
    let is_break = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | '\'' | '=' | '&' | '?');
    let mut fields = fields.map(str::trim).filter(|field| !field.is_empty());
    fields.any(|field| {
        word_mentions(listed, source, field)
            || (field.contains(is_break) && field.split(is_break).any(|word| word_mentions(listed, source, word)))
    })
}

fn word_mentions(listed: &Listed, source: &str, word: &str) -> bool {
    if word.is_empty() {
        return false;
    }
    // `crm:C-17`, as decisions name records.
    let of_place = word
        .split_once(':')
        .is_some_and(|(place, id)| listed.record(place, id) || (id.contains('@') && listed.email(id)));
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    of_place
        || listed.record(source, word)
        || (word.contains('@') && listed.email(word))
        || (digits >= PHONE_DIGITS_MIN && listed.phone(word, None))
        || listed.columns().iter().any(|name| listed.number(name, word))
}
