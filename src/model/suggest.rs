//! "Did you mean": the known name nearest to one that is not known.

/// A hint for `name`, if one of `known` is near: Jaro-Winkler similarity of at least 0.8.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    const SIMILARITY_MIN: f64 = 0.8;
    known
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(similarity, _)| *similarity >= SIMILARITY_MIN)
        .max_by(|left, right| left.0.total_cmp(&right.0).then(right.1.cmp(left.1)))
        .map(|(_, candidate)| format!("did you mean `{candidate}`?"))
}
