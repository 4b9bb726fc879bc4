//! Plans one mapping query: exactly one SELECT over the table `raw`, whose columns are canonical ones of the right type.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, SchemaError};
use datafusion::datasource::MemTable;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast;

use super::raw::{FILE_COLUMN, LINE_COLUMN};
use super::types;
use crate::config::spec::MappingSpec;
use crate::engine::Engine;
use crate::error::{Diagnostic, Error};
use crate::table::column;
use crate::table::record::ColumnType;

/// Name of the one table that a mapping reads.
pub(super) const RAW_TABLE: &str = "raw";
/// Columns that a query may name before it is given up; only reached where no file tells which ones exist.
const GUESSED_COLUMNS_MAX: usize = 2_000;

/// What is known of the raw table when a query is planned.
pub(super) struct RawColumns<'a> {
    /// Columns of the files.
    pub fields: Vec<Field>,
    /// Whether a column that no file has may be read as null text.
    pub may_add: &'a dyn Fn(&str) -> bool,
    /// Whether the types of the columns are known.
    pub types_known: bool,
}

/// A query that fits its record.
#[derive(Debug)]
pub(super) struct Planned {
    /// Columns of the raw table that it reads.
    pub needed: BTreeSet<String>,
    /// Columns that were added as null text because no file has them.
    pub added: Vec<String>,
    /// Canonical columns that it gives.
    pub outputs: Vec<(String, ColumnType)>,
    /// Columns that stand in the arguments of each function.
    pub function_columns: BTreeMap<String, BTreeSet<String>>,
    /// Whether each row it gives depends on one row of the raw table alone.
    pub is_by_row: bool,
}

/// Fields of the raw table, with the two that every raw table has.
pub(super) fn with_provenance(fields: &[Field]) -> Vec<Field> {
    let mut all = fields.to_vec();
    all.push(Field::new(FILE_COLUMN, DataType::Utf8, true));
    all.push(Field::new(LINE_COLUMN, DataType::Int64, true));
    all
}

/// Plans the query against an empty raw table of the given columns.
pub(super) fn plan(
    engine: &Engine,
    mapping: &MappingSpec,
    identifiers: &[String],
    raw: RawColumns<'_>,
) -> Result<Planned, Vec<Diagnostic>> {
    let mut fields = raw.fields;
    let mut added = Vec::new();
    loop {
        let context = engine.session();
        let table = empty_table(&with_provenance(&fields));
        context
            .register_table(RAW_TABLE, table)
            .expect("a fresh session has no table `raw`");
        match logical_plan(engine, &context, mapping) {
            Ok((plan, optimized)) => {
                let outputs = outputs(mapping, &plan, identifiers, raw.types_known)?;
                let mut planned = read_columns(&optimized);
                planned.outputs = outputs;
                planned.added = added;
                return Ok(planned);
            }
            Err(Failure::Rule(diagnostic)) => return Err(vec![diagnostic]),
            Err(Failure::Query(error)) => match missing_column(&error) {
                Some(name) if !is_known(&fields, &name) && (raw.may_add)(&name) && added.len() < GUESSED_COLUMNS_MAX => {
                    fields.push(Field::new(&name, DataType::Utf8, true));
                    added.push(name);
                }
                _ => return Err(vec![diagnose(mapping, &error, &fields)]),
            },
        }
    }
}

fn empty_table(fields: &[Field]) -> Arc<MemTable> {
    let schema = Arc::new(Schema::new(fields.to_vec()));
    Arc::new(MemTable::try_new(schema, vec![vec![]]).expect("no batch can differ from the schema"))
}

fn is_known(fields: &[Field], name: &str) -> bool {
    name == FILE_COLUMN || name == LINE_COLUMN || fields.iter().any(|field| field.name() == name)
}

enum Failure {
    Rule(Diagnostic),
    Query(DataFusionError),
}

impl From<DataFusionError> for Failure {
    fn from(error: DataFusionError) -> Self {
        Self::Query(error)
    }
}

fn logical_plan(engine: &Engine, context: &SessionContext, mapping: &MappingSpec) -> Result<(LogicalPlan, LogicalPlan), Failure> {
    let state = context.state();
    let statement = state.sql_to_statement(&mapping.sql.text, &state.config().options().sql_parser.dialect)?;
    if !is_select(&statement) {
        return Err(Failure::Rule(finding(
            mapping,
            (0, 0),
            "a mapping is one SELECT".to_owned(),
            Some("write `SELECT … FROM raw`, with CTEs before it if needed; nothing else is run".to_owned()),
        )));
    }
    let plan = engine.wait(state.statement_to_plan(statement))?;
    options().verify_plan(&plan)?;
    let optimized = state.optimize(&plan)?;
    Ok((plan, optimized))
}

/// What a mapping may do: read.
fn options() -> SQLOptions {
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
}

fn is_select(statement: &Statement) -> bool {
    fn is_read(body: &ast::SetExpr) -> bool {
        match body {
            ast::SetExpr::Select(select) => select.into.is_none(),
            ast::SetExpr::Query(query) => is_query_read(query),
            ast::SetExpr::SetOperation { left, right, .. } => is_read(left) && is_read(right),
            _ => false,
        }
    }
    fn is_query_read(query: &ast::Query) -> bool {
        let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
        is_read(&query.body) && ctes.into_iter().all(|cte| is_query_read(&cte.query))
    }
    match statement {
        Statement::Statement(statement) => match statement.as_ref() {
            ast::Statement::Query(query) => is_query_read(query),
            _ => false,
        },
        _ => false,
    }
}

/// Which raw columns the optimized query scans, and which stand in calls of functions.
fn read_columns(plan: &LogicalPlan) -> Planned {
    let mut needed = BTreeSet::new();
    let mut function_columns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            needed.extend(scan.projected_schema.fields().iter().map(|field| field.name().clone()));
            for filter in &scan.filters {
                needed.extend(filter.column_refs().into_iter().map(|column| column.name.clone()));
            }
        }
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                if let Expr::ScalarFunction(call) = part {
                    let columns = function_columns.entry(call.name().to_owned()).or_default();
                    for argument in &call.args {
                        columns.extend(argument.column_refs().into_iter().map(|column| column.name.clone()));
                    }
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })
    .expect("the visitor gives no error");
    Planned {
        needed,
        added: Vec::new(),
        outputs: Vec::new(),
        function_columns,
        is_by_row: is_by_row(plan),
    }
}

/// Whether an optimized query takes rows one by one. No function that a query may call depends on time or chance.
fn is_by_row(plan: &LogicalPlan) -> bool {
    let takes_rows = |node: &LogicalPlan| match node {
        LogicalPlan::TableScan(scan) => scan.fetch.is_none(),
        LogicalPlan::Projection(_) | LogicalPlan::Filter(_) | LogicalPlan::SubqueryAlias(_) => true,
        _ => false,
    };
    // A subquery is a plan of its own, in which the same table is read as a whole.
    let mut nodes = 0;
    let counted = plan.apply_with_subqueries(|_| {
        nodes += 1;
        Ok(TreeNodeRecursion::Continue)
    });
    counted.expect("the visitor gives no error");
    let mut by_row = 0;
    let visited = plan.apply(|node| {
        by_row += usize::from(takes_rows(node));
        Ok(TreeNodeRecursion::Continue)
    });
    visited.expect("the visitor gives no error");
    by_row == nodes
}

/// The canonical columns that the query gives, or every reason why they do not fit.
fn outputs(
    mapping: &MappingSpec,
    plan: &LogicalPlan,
    identifiers: &[String],
    types_known: bool,
) -> Result<Vec<(String, ColumnType)>, Vec<Diagnostic>> {
    let schema = mapping.record.schema();
    let mut found = Vec::new();
    let mut wrong = Vec::new();
    for field in plan.schema().fields() {
        let name = field.name();
        let at = locate(&mapping.sql.text, name);
        let declared = schema
            .type_of(name)
            .or_else(|| (mapping.record.is_about_people() && identifiers.contains(name)).then_some(ColumnType::Text));
        let Some(column_type) = declared else {
            wrong.push(unknown_output(mapping, name, identifiers, at));
            continue;
        };
        if types_known && let Err(hint) = types::fits(column_type, field.data_type()) {
            let message = format!(
                "column `{name}` is {}, not {}",
                types::describe(field.data_type()),
                types::name(column_type)
            );
            wrong.push(finding(mapping, at, message, Some(hint)));
        }
        found.push((name.clone(), column_type));
    }
    for required in schema.columns.iter().filter(|column| column.required) {
        if !found.iter().any(|(name, _)| *name == required.name) {
            let message = format!(
                "the mapping gives no `{}`, which each row of `{}` needs",
                required.name, schema.record
            );
            wrong.push(finding(
                mapping,
                (0, 0),
                message,
                Some(format!("add `… AS {}`: {}", required.name, required.description)),
            ));
        }
    }
    if wrong.is_empty() { Ok(found) } else { Err(wrong) }
}

fn unknown_output(mapping: &MappingSpec, name: &str, identifiers: &[String], at: (usize, usize)) -> Diagnostic {
    let record = mapping.record.name();
    if name == column::SOURCE {
        let hint = "leave it out; the name of the source is added".to_owned();
        return finding(mapping, at, "a mapping does not give `source`".to_owned(), Some(hint));
    }
    let schema = mapping.record.schema();
    let names = schema
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .chain(identifiers.iter().map(String::as_str));
    let hint = closest(name, names).map_or_else(
        || format!("name it with `AS` after a column of `schemas/records/{record}.json`, or leave it out"),
        |close| format!("did you mean `{close}`?"),
    );
    finding(mapping, at, format!("`{name}` is no column of `{record}`"), Some(hint))
}

fn missing_column(error: &DataFusionError) -> Option<String> {
    let DataFusionError::SchemaError(schema_error, _) = error.find_root() else {
        return None;
    };
    match schema_error.as_ref() {
        SchemaError::FieldNotFound { field, .. } => Some(field.name.clone()),
        _ => None,
    }
}

/// Turns an error of the planner into a finding at its place in the file.
fn diagnose(mapping: &MappingSpec, error: &DataFusionError, fields: &[Field]) -> Diagnostic {
    let detail = error.diagnostic();
    let text = error.find_root().strip_backtrace();
    let span = detail.and_then(|detail| detail.span);
    let number = |value: u64| usize::try_from(value).unwrap_or(0);
    let mut at = span.map_or_else(
        || position_in_text(&text),
        |span| (number(span.start.line), number(span.start.column)),
    );
    let (mut message, mut hint) = (detail.map_or_else(|| first_line(&text), |detail| detail.message.clone()), None);
    if let Some(name) = missing_column(error) {
        message = format!("no file of the source has the column `{name}`");
        if at == (0, 0) {
            at = locate(&mapping.sql.text, &name);
        }
        let close = closest(&name, fields.iter().map(|field| field.name().as_str()));
        hint = Some(close.map_or_else(
            || "names are compared as they stand in the file; write them in double quotes".to_owned(),
            |close| format!("did you mean `\"{close}\"`?"),
        ));
    } else if text.contains("table") && text.contains("not found") {
        hint = Some("the only table of a mapping is `raw`".to_owned());
    } else if text.contains("single SQL statement") || text.contains("DDL") || text.contains("DML") {
        message = "a mapping is one SELECT".to_owned();
        hint = Some("write `SELECT … FROM raw`, with CTEs before it if needed; nothing else is run".to_owned());
    }
    finding(mapping, at, message, hint)
}

fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.trim_start_matches("Error during planning: ")
        .trim_start_matches("SQL error: ")
        .to_owned()
}

/// `… at Line: 3, Column: 9`, as the parser writes it.
fn position_in_text(text: &str) -> (usize, usize) {
    let number_after = |label: &str| -> Option<usize> {
        let rest = &text[text.rfind(label)? + label.len()..];
        let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse().ok()
    };
    match (number_after("Line: "), number_after("Column: ")) {
        (Some(line), Some(column)) => (line, column),
        _ => (0, 0),
    }
}

/// Where a name stands last in a query, as a whole word; (0, 0) if it does not.
fn locate(sql: &str, name: &str) -> (usize, usize) {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let found = sql
        .rmatch_indices(name)
        .map(|(at, _)| at)
        .find(|&at| !sql[..at].chars().next_back().is_some_and(is_word) && !sql[at + name.len()..].chars().next().is_some_and(is_word));
    found.map_or((0, 0), |at| {
        let line_start = sql[..at].rfind('\n').map_or(0, |newline| newline + 1);
        (sql[..at].matches('\n').count() + 1, sql[line_start..at].chars().count() + 1)
    })
}

/// The candidate that is most like `name`, if any is like it: letters and digits equal, or few edits apart.
fn closest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| {
        text.chars()
            .filter(|character| character.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect::<String>()
    };
    let wanted = plain(name);
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &plain(candidate)), candidate))
        .filter(|(distance, _)| *distance <= (wanted.chars().count() / 3).max(1))
        .min()
        .map(|(_, candidate)| candidate)
}

fn finding(mapping: &MappingSpec, at: (usize, usize), message: String, hint: Option<String>) -> Diagnostic {
    Diagnostic {
        file: mapping.sql.path.clone(),
        line: at.0,
        column: at.1,
        message,
        hint,
    }
}

/// The error of a query that was planned before against the same columns, and now is not.
pub(super) fn planning_error(mapping: &MappingSpec, error: &DataFusionError, fields: &[Field]) -> Error {
    Error::diagnostics(vec![diagnose(mapping, error, fields)])
}
