//! Identifiers: customer, user, device and loyalty numbers. Text, never a number: leading zeros count.

use super::fold::clean;

/// One line without invisible characters, a leading text marker (`'0123`) or an outer pair of quotes; `None` if nothing is left.
/// Case stays: some systems tell `aB` from `Ab`. Idempotent.
#[must_use]
pub fn normalize(text: &str) -> Option<String> {
    let line = clean(text);
    let bare = line.trim_matches(|c: char| c == '\'' || c == '"' || c == ' ');
    if bare.is_empty() { None } else { Some(bare.to_owned()) }
}
