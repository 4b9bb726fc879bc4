//! Planning of users' SQL: one query and nothing else, and errors with a place and a hint.

use std::sync::LazyLock;

use arrow::error::ArrowError;
use datafusion::common::diagnostic::Diagnostic as Finding;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::prelude::{DataFrame, SessionContext};
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::Statement as Ast;
use regex::Regex;

use super::VOLATILE;
use crate::error::{Diagnostic, Error};

/// Plans a text that must be exactly one `SELECT`, `WITH` or `VALUES`; no DDL, no DML, no `SET`, no `COPY`.
///
/// # Errors
/// What DataFusion says, or that the text is not one query.
pub async fn select_only(session: &SessionContext, sql: &str) -> Result<DataFrame, DataFusionError> {
    let mut statements = DFParserBuilder::new(sql).build()?.parse_statements()?;
    let (Some(statement), true) = (statements.pop_front(), statements.is_empty()) else {
        return Err(DataFusionError::Plan("exactly one query is expected".to_owned()));
    };
    let is_query = matches!(&statement, Statement::Statement(ast) if matches!(ast.as_ref(), Ast::Query(_)));
    if !is_query {
        return Err(DataFusionError::Plan("only a query (SELECT, WITH or VALUES) is allowed".to_owned()));
    }
    let plan = session
        .state()
        .statement_to_plan(statement)
        .await
        .map_err(|error| near_table(session, error))?;
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
        .verify_plan(&plan)?;
    session.execute_logical_plan(plan).await
}

/// Adds the names of similar tables to "table not found".
fn near_table(session: &SessionContext, error: DataFusionError) -> DataFusionError {
    let text = error.strip_backtrace();
    let Some(missing) = TABLE.captures(&text).and_then(|captures| captures.get(1)) else {
        return error;
    };
    let known: Vec<String> = session
        .catalog("datafusion")
        .and_then(|catalog| catalog.schema("public"))
        .map(|schema| schema.table_names())
        .unwrap_or_default();
    let Some(near) = nearest(missing.as_str(), known.iter().map(String::as_str)) else {
        return error;
    };
    let mut finding = error
        .diagnostic()
        .cloned()
        .unwrap_or_else(|| Finding::new_error(text.clone(), None));
    finding.add_note(format!("did you mean `{near}`?"), None);
    error.with_diagnostic(finding)
}

static TABLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"table '(?:[^'.]+\.)*([^'.]+)' not found").expect("a constant pattern, tested"));
static POSITION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?: at|,)? Line: (\d+), Column: (\d+)\s*$").expect("a constant pattern, tested"));
static MEANT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?s)[.\s]*\b(Did you mean .*)$").expect("a constant pattern, tested"));
/// A function that is not there; `current_date` without parentheses is taken for a column then.
static FUNCTION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)^(?:invalid function|column) '([^']+)'").expect("a constant pattern, tested"));

/// The known name closest to `name`, if it is close enough to be a typing mistake.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let edits_max = name.chars().count() / 3 + 1;
    known
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(edits, _)| *edits <= edits_max)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Every finding in a planning error, with its place in `sql`. `file` is the name to show. Never empty.
#[must_use]
pub fn diagnose(error: &DataFusionError, file: &str, sql: &str) -> Vec<Diagnostic> {
    match error {
        DataFusionError::Collection(errors) if !errors.is_empty() => {
            let mut all: Vec<Diagnostic> = errors.iter().flat_map(|error| diagnose(error, file, sql)).collect();
            all.sort();
            all.dedup();
            all
        }
        DataFusionError::Shared(inner) => diagnose(inner, file, sql),
        DataFusionError::Context(_, inner) => diagnose(inner, file, sql),
        _ => vec![one(error, file, sql)],
    }
}

fn one(error: &DataFusionError, file: &str, sql: &str) -> Diagnostic {
    let text = plain(error);
    let (text, place) = match POSITION.captures(&text) {
        Some(captures) => {
            let number = |index| {
                captures
                    .get(index)
                    .and_then(|group| str::parse::<usize>(group.as_str()).ok())
                    .unwrap_or(0)
            };
            let start = captures.get(0).expect("group 0 is the match").start();
            (text[..start].to_owned(), (number(1), number(2)))
        }
        None => (text, (0, 0)),
    };
    let (mut message, mut hint) = match MEANT.captures(&text) {
        Some(captures) => {
            let start = captures.get(0).expect("group 0 is the match").start();
            (
                text[..start].to_owned(),
                Some(captures[1].replace('\n', " ").replacen("Did", "did", 1)),
            )
        }
        None => (text, None),
    };
    let mut place = place;
    if let Some(finding) = error.diagnostic() {
        message.clone_from(&finding.message);
        let notes = finding.notes.iter().map(|note| &note.message);
        let helps = finding.helps.iter().map(|help| &help.message);
        let advice: Vec<&str> = helps.chain(notes).map(String::as_str).collect();
        if hint.is_none() && !advice.is_empty() {
            hint = Some(advice.join("; "));
        }
        if let Some(span) = finding.span {
            place = (as_position(span.start.line), as_position(span.start.column));
        }
    }
    if let Some(called) = FUNCTION.captures(&message)
        && VOLATILE.contains(&called[1].to_ascii_lowercase().as_str())
    {
        hint = Some("a run gives the same result for the same input: use as_of() for the day, and no chance".to_owned());
    }
    if place == (0, 0) {
        place = guess(&message, sql);
    }
    Diagnostic {
        file: file.to_owned(),
        line: place.0,
        column: place.1,
        message: lower_first(message.trim_end_matches(['.', ' ', '\n'])),
        hint,
    }
}

/// The place of an error that came without one: the end for "found: EOF", the call for a function's complaint.
fn guess(message: &str, sql: &str) -> (usize, usize) {
    let at = if message.ends_with("found: EOF") {
        Some(sql.trim_end().len())
    } else {
        let name = message.split([':', ' ']).next().unwrap_or_default();
        let is_ours = super::functions::all().iter().any(|function| function.name == name);
        is_ours.then(|| call_of(name, message, sql)).flatten()
    };
    at.map_or((0, 0), |at| {
        let before = &sql[..at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    })
}

/// Where a function is called with the text that a message quotes first, or called at all, if that is once. Comments are no calls.
fn call_of(name: &str, message: &str, sql: &str) -> Option<usize> {
    let call = Regex::new(&format!(r"(?i)\b{}\s*\(\s*", regex::escape(name))).expect("an escaped name between constants");
    let is_code = |at: usize| !sql[..at].rsplit('\n').next().is_some_and(|line| line.contains("--"));
    let calls: Vec<_> = call.find_iter(sql).filter(|found| is_code(found.start())).collect();
    let quoted = message.split('\'').nth(1).map(|text| format!("'{text}'"));
    let said = quoted.and_then(|text| calls.iter().find(|found| sql[found.end()..].starts_with(&text)));
    match (said, calls.as_slice()) {
        (Some(found), _) => Some(found.start()),
        (None, [found]) => Some(found.start()),
        _ => None,
    }
}

fn as_position(number: u64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

/// The message without DataFusion's prefixes and back traces, on one line.
fn plain(error: &DataFusionError) -> String {
    let text = match error {
        DataFusionError::Diagnostic(_, inner) => return plain(inner),
        DataFusionError::Plan(text) | DataFusionError::Execution(text) | DataFusionError::NotImplemented(text) => text.clone(),
        DataFusionError::SQL(parser, _) => parser.to_string(),
        DataFusionError::SchemaError(schema, _) => schema.to_string(),
        other => other.strip_backtrace(),
    };
    let text = text.split("\n\nbacktrace:").next().unwrap_or_default();
    // A function's own complaint comes wrapped in what DataFusion makes of it.
    let text = text.rsplit("Error during planning: ").next().unwrap_or_default();
    let text = text.split(". No function matches").next().unwrap_or_default();
    let text = text.strip_prefix("sql parser error: ").unwrap_or(text);
    text.trim().to_owned()
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        // An abbreviation like `SQL` stays as it is.
        Some(first) if !chars.clone().next().is_some_and(char::is_uppercase) => first.to_lowercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}

/// An error while a query runs, in our terms: memory and disk are the environment's, values the input's, the rest ours or the query's.
///
/// DataFusion puts values of rows into some messages ("cannot cast string …"); those are cut.
#[must_use]
pub fn sql_error(error: &DataFusionError) -> Error {
    let root = error.find_root();
    let may_be_disk = matches!(
        root,
        DataFusionError::IoError(_) | DataFusionError::ArrowError(..) | DataFusionError::External(_) | DataFusionError::Execution(_)
    );
    if let Some(full) = may_be_disk.then(|| disk_error(root)).flatten() {
        return full;
    }
    match root {
        DataFusionError::ResourcesExhausted(text) => Error::environment("SQL needs more memory than it may hold")
            .with("details", first_line(text))
            .hint(
                "raise --memory-limit, use fewer --threads, or split the query: sorts, aggregates and sorted joins spill to disk, windows and cross joins cannot",
            ),
        DataFusionError::ObjectStore(inner) => Error::environment("a store failed during a query").with("details", inner.to_string()),
        DataFusionError::ArrowError(arrow, _) => Error::input("a query cannot compute a value")
            .with("details", without_values(&arrow.to_string()))
            .hint("use TRY_CAST, or a parsing function like parse_decimal, where a value may be malformed"),
        DataFusionError::Execution(text) => Error::input("a query cannot compute a value").with("details", without_values(text)),
        DataFusionError::Plan(_) | DataFusionError::SQL(..) | DataFusionError::SchemaError(..) | DataFusionError::NotImplemented(_) => {
            Error::diagnostics(diagnose(error, "query", ""))
        }
        DataFusionError::ExecutionJoin(_) | DataFusionError::Internal(_) => {
            Error::internal("the SQL engine failed").with("details", first_line(&error.strip_backtrace()))
        }
        _ => Error::input("a query failed").with("details", without_values(&error.strip_backtrace())),
    }
}

/// Whether a query ended because memory did: another try with a [`super::Thrift::Frugal`] session may succeed.
#[must_use]
pub fn is_exhausted(error: &DataFusionError) -> bool {
    matches!(error.find_root(), DataFusionError::ResourcesExhausted(_))
}

/// Spilling that failed: the disk is full, the quota is used up, or the folder is gone. It comes wrapped in whatever was being written.
fn disk_error(root: &DataFusionError) -> Option<Error> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(root);
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>().or(match error.downcast_ref::<ArrowError>() {
            Some(ArrowError::IoError(_, io)) => Some(io),
            _ => None,
        });
        if let Some(io) = io {
            let what = match io.kind() {
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => "no space is left".to_owned(),
                std::io::ErrorKind::Other => first_line(&io.to_string()),
                kind => kind.to_string(),
            };
            return Some(
                Error::environment("the folder for temporary files is full or cannot be written")
                    .with("details", what)
                    .hint("free space there, name a larger folder with --temp-dir, or raise --memory-limit so that less is spilled"),
            );
        }
        cause = error.source();
    }
    let text = root.to_string();
    (text.contains("exceeded the allowable limit") || text.contains("No space left on device")).then(|| {
        Error::environment("the folder for temporary files is full or cannot be written")
            .with("details", first_line(&text))
            .hint("free space there, name a larger folder with --temp-dir, or raise --memory-limit so that less is spilled")
    })
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// The first line with everything in quotes replaced: it may be a person's.
fn without_values(text: &str) -> String {
    static QUOTED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"'[^']*'|"[^"]*""#).expect("a constant pattern, tested"));
    QUOTED.replace_all(&first_line(text), "'…'").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_quotes_are_cut() {
        assert_eq!(
            without_values("Cannot cast string 'erika@example.org' to value of Int64 type\nmore"),
            "Cannot cast string '…' to value of Int64 type"
        );
    }

    #[test]
    fn the_nearest_name_is_a_typing_mistake_away() {
        assert_eq!(nearest("custmers", ["orders", "customers"].into_iter()), Some("customers"));
        assert_eq!(nearest("xyz", ["orders", "customers"].into_iter()), None);
    }
}
