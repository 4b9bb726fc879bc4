//! Findings while a project is read: where they stand, how they are collected, and "did you mean".

use std::fmt;

use crate::error::Diagnostic;

/// Name of the file that makes a folder a project.
pub const PIPELINE_FILE: &str = "pipeline.yaml";

/// A place in a file, both from 1; the default means the whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// The way from the root of `pipeline.yaml` to a node: keys, and positions in lists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path(Vec<String>);

impl Path {
    /// The path of the root.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// The path of these keys.
    #[must_use]
    pub fn of(steps: &[&str]) -> Self {
        Self(steps.iter().map(|&step| step.to_owned()).collect())
    }

    /// One step further down: a key, or a position in a list.
    #[must_use]
    pub fn then(&self, step: impl fmt::Display) -> Self {
        let mut steps = self.0.clone();
        steps.push(step.to_string());
        Self(steps)
    }

    /// The steps from the root.
    #[must_use]
    pub fn steps(&self) -> &[String] {
        &self.0
    }

    /// Whether one of the two paths leads through the other.
    #[must_use]
    pub fn touches(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(left, right)| left == right)
    }
}

/// Collects findings, so that all of them are reported at once.
#[derive(Debug, Default)]
pub struct Findings {
    found: Vec<Diagnostic>,
    broken: Vec<Path>,
}

impl Findings {
    /// A finding at a place of `pipeline.yaml`.
    pub fn at(&mut self, place: Place, message: impl Into<String>, hint: impl Into<Option<String>>) {
        self.in_file(PIPELINE_FILE, place, message, hint);
    }

    /// A finding in any file of the project.
    pub fn in_file(&mut self, file: &str, place: Place, message: impl Into<String>, hint: impl Into<Option<String>>) {
        self.found.push(Diagnostic {
            file: file.to_owned(),
            line: place.line,
            column: place.column,
            message: message.into(),
            hint: hint.into(),
        });
    }

    /// Remembers that the node at `path` has a finding, so that no later check reports what only follows from it.
    pub fn mark_broken(&mut self, path: Path) {
        self.broken.push(path);
    }

    /// Whether what stands at `path` is known to be wrong already.
    #[must_use]
    pub fn is_broken(&self, path: &Path) -> bool {
        self.broken.iter().any(|broken| broken.touches(path))
    }

    /// All findings, sorted by place, each once.
    #[must_use]
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.found.sort();
        self.found.dedup();
        self.found
    }
}

/// The known name that is closest to `name`, if one is close (Damerau-Levenshtein, at most a third of its length).
#[must_use]
pub fn closest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    let distance_max = (name.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= distance_max)
        .min()
        .map(|(_, candidate)| candidate)
}

/// "did you mean `x`?", or what is known.
#[must_use]
pub fn suggest<'a>(name: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match closest(name, known.clone()) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None => format!("known: {}", list(known)),
    }
}

/// Names in backticks, joined by commas.
#[must_use]
pub fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
