//! Reads how a user names a person: a customer key, an address, a number, or a record. What was written is never repeated in a message.

use crate::config::Spec;
use crate::error::{Error, Result};
use crate::suppress::Identifier;
use crate::table::{CustomerKey, column};

/// One way to name a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Request {
    /// A customer key; one that was merged away means the customer it lives on in.
    Key(String),
    /// An identifier, in the form that matching uses.
    Identifier(Identifier),
}

/// Understands a text: a customer key, `<source>:<record id>`, `<column>=<value>`, an e-mail address, or a phone number.
///
/// # Errors
/// `Config` for any other text, an unknown column, or an address that no single person has.
pub fn request(spec: &Spec, text: &str) -> Result<Request> {
    let text = text.trim();
    if let Some((name, value)) = text.split_once('=')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    {
        return by_column(spec, name, value);
    }
    if let Some((source, record_id)) = text.split_once(':')
        && spec.sources.iter().any(|known| known.name == source)
        && !record_id.is_empty()
    {
        return Ok(Request::Identifier(Identifier::record(source, record_id)));
    }
    if let Ok(key) = text.parse::<CustomerKey>() {
        return Ok(Request::Key(key.to_string()));
    }
    let identifier = if text.contains('@') {
        Identifier::email(text)
    } else {
        Identifier::phone(text, &spec.country)
    };
    identifier.map(Request::Identifier).ok_or_else(|| not_understood(spec))
}

fn by_column(spec: &Spec, name: &str, value: &str) -> Result<Request> {
    let identifier = match name {
        column::EMAIL => Identifier::email(value),
        column::PHONE => Identifier::phone(value, &spec.country),
        column::CUSTOMER_KEY => return Ok(Request::Key(value.parse::<CustomerKey>()?.to_string())),
        _ if spec.identity.identifiers.iter().any(|known| known == name) || column::IDENTIFIERS.contains(&name) => {
            Identifier::number(name, value)
        }
        _ => None,
    };
    identifier.map(Request::Identifier).ok_or_else(|| not_understood(spec))
}

fn not_understood(spec: &Spec) -> Error {
    let sources: Vec<&str> = spec.sources.iter().map(|source| source.name.as_str()).collect();
    Error::config("a person is not named in a way that is understood").hint(format!(
        "give a customer key, an e-mail address or phone number of one person, <source>:<record id> with one of the sources {}, or <column>=<value> \
         with an identifier such as {}",
        sources.join(", "),
        spec.identity.identifiers.first().map_or(column::CUSTOMER_NO, String::as_str)
    ))
}

/// Reads one request a line; blank lines and lines that begin with `#` are skipped.
///
/// # Errors
/// As [`request`], with the line.
pub fn read_requests(spec: &Spec, text: &str) -> Result<Vec<Request>> {
    let lines = text.lines().zip(1_u64..).map(|(line, number)| (line.trim(), number));
    let lines = lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|(line, number)| request(spec, line).map_err(|error| error.with("line", number.to_string())))
        .collect()
}
