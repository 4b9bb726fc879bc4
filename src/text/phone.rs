//! Phone numbers in E.164.

/// E.164 with `+`, national numbers read as of `country` (ISO 3166 alpha-2); `None` if it is not a possible number.
#[must_use]
pub fn normalize(_text: &str, _country: &str) -> Option<String> {
    todo!()
}
