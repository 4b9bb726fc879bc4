//! One SQL file as one query: parsed once, with the tables it reads and where each stands, and made to give its rows in one order.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::parser::{DFParser, Statement as DfStatement};
use datafusion::sql::resolve::resolve_table_references;
use datafusion::sql::sqlparser::ast::{
    Expr, OrderBy, OrderByExpr, OrderByKind, OrderByOptions, Spanned, Statement, Value, visit_relations,
};

use crate::config::spec::SqlFile;
use crate::error::Diagnostic;

/// A parsed SELECT.
#[derive(Debug, Clone)]
pub struct Query {
    statement: Statement,
    /// Tables it reads, common table expressions left out, sorted.
    pub tables: BTreeSet<String>,
}

impl Query {
    /// Parses the file.
    ///
    /// # Errors
    /// A finding: it does not parse, is more than one statement, or is no SELECT.
    pub fn parse(file: &SqlFile) -> Result<Self, Diagnostic> {
        let mut statements = DFParser::parse_sql(&file.text).map_err(|error| syntax(file, &error.to_string()))?;
        if statements.len() > 1 {
            return Err(whole(
                file,
                "more than one statement",
                "one SELECT a file: split it into several models",
            ));
        }
        let statement = match statements.pop_front() {
            Some(DfStatement::Statement(statement)) if matches!(*statement, Statement::Query(_)) => *statement,
            Some(_) => {
                return Err(whole(
                    file,
                    "not a SELECT",
                    "a model or audit is one SELECT; it cannot change anything",
                ));
            }
            None => return Err(whole(file, "no query", "write one SELECT below the header")),
        };
        let (references, _) = resolve_table_references(&DfStatement::Statement(Box::new(statement.clone())), true)
            .map_err(|error| whole(file, &error.to_string(), "check the names of the tables"))?;
        let tables = references.iter().map(|reference| reference.to_string()).collect();
        Ok(Self { statement, tables })
    }

    /// Where a table is first named: (line, column), from 1; (0, 0) if it is not.
    #[must_use]
    pub fn place_of(&self, table: &str) -> (usize, usize) {
        let mut place = (0, 0);
        let _ = visit_relations(&self.statement, |relation| {
            if relation.to_string().replace('"', "").eq_ignore_ascii_case(table) {
                let start = relation.span().start;
                place = (start.line as usize, start.column as usize);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        place
    }

    /// The statement as written.
    #[must_use]
    pub fn statement(&self) -> DfStatement {
        DfStatement::Statement(Box::new(self.statement.clone()))
    }

    /// The statement sorted by one output column (its position, from 1) alone, if it says nothing of order or number of rows itself:
    /// then [`super::ties`] can settle the rest.
    #[must_use]
    pub fn sorted_by(&self, position: usize) -> Option<DfStatement> {
        let mut statement = self.statement.clone();
        let Statement::Query(query) = &mut statement else { return None };
        if query.order_by.is_some() || query.limit_clause.is_some() || query.fetch.is_some() {
            return None;
        }
        query.order_by = Some(OrderBy {
            kind: OrderByKind::Expressions(vec![by_position(position)]),
            interpolate: None,
        });
        Some(DfStatement::Statement(Box::new(statement)))
    }

    /// The statement with every output column appended to its top-level ORDER BY (added if there is none): ties, and rows under a
    /// LIMIT, then come out the same on any number of threads. `first` is the position (from 1) of the column to sort by first where
    /// the query has no ORDER BY of its own.
    #[must_use]
    pub fn ordered(&self, columns: usize, first: Option<usize>) -> DfStatement {
        let mut statement = self.statement.clone();
        if let Statement::Query(query) = &mut statement {
            let mut keys = match query.order_by.take() {
                Some(OrderBy {
                    kind: OrderByKind::Expressions(keys),
                    ..
                }) => keys,
                _ => first.map(by_position).into_iter().collect(),
            };
            keys.extend((1..=columns).map(by_position));
            query.order_by = Some(OrderBy {
                kind: OrderByKind::Expressions(keys),
                interpolate: None,
            });
        }
        DfStatement::Statement(Box::new(statement))
    }
}

/// The expression at a position (from 1) of the output.
fn by_position(position: usize) -> OrderByExpr {
    OrderByExpr {
        expr: Expr::value(Value::Number(position.to_string(), false)),
        options: OrderByOptions::default(),
        with_fill: None,
    }
}

fn whole(file: &SqlFile, message: &str, hint: &str) -> Diagnostic {
    Diagnostic {
        file: file.path.clone(),
        line: 0,
        column: 0,
        message: message.to_owned(),
        hint: Some(hint.to_owned()),
    }
}

/// A parser's message ends in `at Line: 3, Column: 9` where it knows the place.
fn syntax(file: &SqlFile, message: &str) -> Diagnostic {
    let place = regex::Regex::new(r"\s*at Line: (\d+), Column: (\d+)").expect("a constant pattern");
    let (line, column) = place.captures(message).map_or((0, 0), |found| {
        let number = |group: usize| found[group].parse().unwrap_or(0);
        (number(1), number(2))
    });
    let text = place.replace(message, "");
    let text = text.split("ParserError(\"").last().unwrap_or(&text);
    Diagnostic {
        file: file.path.clone(),
        line,
        column,
        message: format!("syntax error: {}", text.split("\")").next().unwrap_or(text)),
        hint: None,
    }
}
