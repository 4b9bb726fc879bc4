//! E-mail addresses: one spelling for each mailbox.

/// Trimmed, lower case, without `mailto:` or angle brackets; `None` if it is not an address.
#[must_use]
pub fn normalize(_text: &str) -> Option<String> {
    todo!()
}
