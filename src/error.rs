//! One error type for the whole job. Its kind decides the exit code, so a scheduler knows whether a retry can help.

use std::fmt;

mod gates;
mod scrub;

pub use gates::{GateResult, OFFENDERS_MAX, Offender, OffendingRow};
pub use scrub::scrub;

/// What went wrong, in the terms of the person or scheduler that has to react.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A gate or an audit said no; nothing was published. Retrying gives the same answer.
    Gate,
    /// Usage or configuration is wrong. Retrying gives the same answer.
    Config,
    /// An input is missing, unreadable, or drifted against its contract. Retry after the data is fixed.
    Input,
    /// Store, network, permission, memory or disk. A retry may help.
    Environment,
    /// Another run holds the lock or published first. A retry may help.
    Conflict,
    /// An invariant of this program does not hold: our bug.
    Internal,
}

impl ErrorKind {
    /// The process exit code of this kind, as documented in `ARCHITECTURE.md`.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Gate => 1,
            Self::Config => 2,
            Self::Input => 3,
            Self::Environment => 4,
            Self::Conflict => 5,
            Self::Internal => 101,
        }
    }

    /// Snake-case name, as it stands in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Config => "config",
            Self::Input => "input",
            Self::Environment => "environment",
            Self::Conflict => "conflict",
            Self::Internal => "internal",
        }
    }
}

/// One finding at a place in a file of the project. Lines and columns count from 1; 0 means the whole file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema)]
pub struct Diagnostic {
    /// Path of the file, relative to the project folder.
    pub file: String,
    /// Line, from 1; 0 = the whole file.
    pub line: usize,
    /// Column in characters, from 1; 0 = the whole line.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

type Source = Box<dyn std::error::Error + Send + Sync>;

/// An error with its kind, what it concerns and what to do next. Never holds a value of a person.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    context: Vec<(&'static str, String)>,
    hint: Option<String>,
    diagnostics: Vec<Diagnostic>,
    gates: Vec<GateResult>,
    source: Option<Source>,
}

/// `std::result::Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of the given kind. `message` says what is wrong, in a lower-case half sentence.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            context: Vec::new(),
            hint: None,
            diagnostics: Vec::new(),
            gates: Vec::new(),
            source: None,
        }))
    }

    /// A gate or audit said no (exit code 1).
    #[must_use]
    pub fn gate(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Gate, message)
    }

    /// Usage or configuration is wrong (exit code 2).
    #[must_use]
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// An input is missing, unreadable or drifted (exit code 3).
    #[must_use]
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Input, message)
    }

    /// Store, network, permission, memory or disk (exit code 4).
    #[must_use]
    pub fn environment(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Environment, message)
    }

    /// Another run holds the lock or published first (exit code 5).
    #[must_use]
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, message)
    }

    /// Our bug (exit code 101).
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// All findings of a validation at once (exit code 2).
    #[must_use]
    pub fn diagnostics(mut diagnostics: Vec<Diagnostic>) -> Self {
        diagnostics.sort();
        diagnostics.dedup();
        let count = diagnostics.len();
        let mut error = Self::config(format!("{count} {} in the project", if count == 1 { "error" } else { "errors" }));
        error.0.diagnostics = diagnostics;
        error
    }

    /// Adds the gates that failed, with what passed their limits.
    #[must_use]
    pub fn failed_gates(mut self, gates: Vec<GateResult>) -> Self {
        self.0.gates = gates;
        self
    }

    /// Adds what the error concerns: `.with("source", name)`.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.0.context.push((key, value.into()));
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the error underneath.
    #[must_use]
    pub fn because(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The kind, which decides the exit code.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message without context, hint and source.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What the error concerns, in the order it was added.
    #[must_use]
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.0.context
    }

    /// What to do next, if known.
    #[must_use]
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The single findings of a validation; empty for every other error.
    #[must_use]
    pub fn findings(&self) -> &[Diagnostic] {
        &self.0.diagnostics
    }

    /// The gates that failed; empty for every other error.
    #[must_use]
    pub fn gates(&self) -> &[GateResult] {
        &self.0.gates
    }
}

impl fmt::Display for Error {
    /// One line: message, context in parentheses, then the chain of causes, each said once: some libraries repeat theirs. Without secrets,
    /// see [`scrub`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&scrub(&self.unscrubbed()))
    }
}

impl Error {
    fn unscrubbed(&self) -> String {
        let mut text = self.0.message.clone();
        let mut said = self.0.message.clone();
        if !self.0.context.is_empty() {
            let context: Vec<String> = self.0.context.iter().map(|(key, value)| format!("{key}: {value}")).collect();
            text += &format!(" ({})", context.join(", "));
        }
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let own = error.to_string();
            if !said.contains(&own) {
                text += &format!(": {own}");
                said = own;
            }
            cause = error.source();
        }
        text
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| {
            let source: &(dyn std::error::Error + 'static) = source.as_ref();
            source
        })
    }
}
