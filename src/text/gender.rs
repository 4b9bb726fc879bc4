//! Gender as exports write it, as one letter.

use super::fold;

/// `f`, `m` or `d` (diverse); `None` if the text is none of the usual spellings.
#[must_use]
pub fn normalize(text: &str) -> Option<&'static str> {
    match fold::words(text).as_str() {
        "f" | "w" | "female" | "weiblich" | "frau" | "fr" | "mrs" | "ms" | "miss" | "woman" | "femme" | "feminin" | "2" => Some("f"),
        "m" | "male" | "maennlich" | "mannlich" | "herr" | "herrn" | "hr" | "mr" | "mann" | "man" | "masculin" | "1" => Some("m"),
        "d"
        | "x"
        | "divers"
        | "diverse"
        | "diversgeschlechtlich"
        | "non binary"
        | "nonbinary"
        | "nichtbinaer"
        | "nicht binaer"
        | "mx"
        | "other" => Some("d"),
        _ => None,
    }
}
