//! What the report asks the tables: embedded queries, each with the columns that it reads, and their answers as rows.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Int64Type};
use arrow::temporal_conversions::date32_to_datetime;
use chrono::NaiveDate;
use include_dir::{Dir, include_dir};
use serde_json::{Value, json};

use super::Tables;
use crate::config::Spec;
use crate::config::spec::SqlFile;
use crate::engine::Engine;
use crate::error::Result;
use crate::model::{self, Asker, Table};
use crate::page::table::Row;

static QUESTIONS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/src/overview/questions");

/// What became of a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Rows, perhaps none.
    Rows(Vec<Row>),
    /// Why it cannot be answered, in words.
    Absent(String),
}

/// Answers by the name of the question.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answers(BTreeMap<String, Answer>);

impl Answers {
    /// The rows, or why there are none to show.
    pub fn rows(&self, question: &str) -> Result<&[Row], String> {
        match self.0.get(question) {
            Some(Answer::Rows(rows)) if rows.is_empty() => Err("There is nothing to show yet.".to_owned()),
            Some(Answer::Rows(rows)) => Ok(rows),
            Some(Answer::Absent(why)) => Err(why.clone()),
            None => Err("The question was not asked.".to_owned()),
        }
    }
}

/// Asks everything.
///
/// # Errors
/// `Environment` for the store, a damaged file, or memory.
pub fn ask(engine: &Engine, spec: &Spec, as_of: NaiveDate, tables: &Tables<'_>) -> Result<Answers> {
    let asker = Asker::new(engine, spec, as_of);
    let mut answers = BTreeMap::new();
    for question in questions() {
        let answer = match missing(&question, tables)? {
            Some(why) => Answer::Absent(why),
            None => {
                let read = read(&question, tables)?;
                match asker.ask(&question.sql, &read)? {
                    Some(table) => Answer::Rows(rows(&table)),
                    None => Answer::Absent("A table that it is made from has another form in this project.".to_owned()),
                }
            }
        };
        answers.insert(question.sql.name, answer);
    }
    Ok(Answers(answers))
}

/// A query and the columns that it reads, by table.
struct Question {
    sql: SqlFile,
    reads: BTreeMap<String, Vec<String>>,
}

/// Every question, by name.
fn questions() -> Vec<Question> {
    let mut files: Vec<&include_dir::File<'static>> = QUESTIONS.files().collect();
    files.sort_by_key(|file| file.path());
    files
        .into_iter()
        .map(|file| {
            let path = file.path().to_string_lossy().into_owned();
            let text = file
                .contents_utf8()
                .expect("shipped files are UTF-8, which a test reads")
                .to_owned();
            let name = path.trim_end_matches(".sql").to_owned();
            let reads = reads_of(&text);
            Question {
                sql: SqlFile { name, path, text },
                reads,
            }
        })
        .collect()
}

/// `-- reads: table.column, …`.
fn reads_of(text: &str) -> BTreeMap<String, Vec<String>> {
    let line = text.lines().find_map(|line| line.strip_prefix("-- reads:")).unwrap_or_default();
    let mut reads: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, column) in line.split(',').filter_map(|name| name.trim().split_once('.')) {
        reads.entry(table.to_owned()).or_default().push(column.to_owned());
    }
    reads
}

fn missing(question: &Question, tables: &Tables<'_>) -> Result<Option<String>> {
    for (table, columns) in &question.reads {
        let Some(schema) = (tables.schema)(table)? else {
            return Ok(Some(format!("This version has no table {table}.")));
        };
        let lacking: Vec<&str> = columns
            .iter()
            .map(String::as_str)
            .filter(|column| schema.index_of(column).is_err())
            .collect();
        if !lacking.is_empty() {
            return Ok(Some(format!("The table {table} has no column {}.", lacking.join(", "))));
        }
    }
    Ok(None)
}

fn read(question: &Question, tables: &Tables<'_>) -> Result<model::Tables> {
    let mut read = model::Tables::new();
    for (table, columns) in &question.reads {
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        let batches = (tables.rows)(table, &names, None)?;
        if let Some(schema) = batches.first().map(RecordBatch::schema) {
            read.insert(table.clone(), Table { schema, batches });
        }
    }
    Ok(read)
}

/// Rows as JSON: days as text, decimals as numbers, doubles with twelve significant digits, so that the order of a sum does not show.
fn rows(table: &Table) -> Vec<Row> {
    let mut rows = Vec::new();
    for batch in &table.batches {
        for row in 0..batch.num_rows() {
            let fields = table.schema.fields().iter().zip(batch.columns());
            rows.push(fields.map(|(field, values)| (field.name().clone(), value(values, row))).collect());
        }
    }
    rows
}

fn value(values: &ArrayRef, row: usize) -> Value {
    if values.is_null(row) {
        return Value::Null;
    }
    match values.data_type() {
        DataType::Boolean => json!(values.as_boolean().value(row)),
        DataType::Int64 => json!(values.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => number(values.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(_, scale) => {
            let unscaled = values.as_primitive::<Decimal128Type>().value(row);
            // An amount in a chart: a double has digits enough.
            number(unscaled as f64 / 10_f64.powi(i32::from(*scale)))
        }
        DataType::Date32 => {
            let day = date32_to_datetime(values.as_primitive::<Date32Type>().value(row));
            json!(day.map(|day| day.date().to_string()))
        }
        DataType::Utf8 => json!(values.as_string::<i32>().value(row)),
        _ => Value::Null,
    }
}

/// Twelve significant digits: more than any sum is uncertain by. Null for what is no number.
fn number(value: f64) -> Value {
    let rounded: f64 = format!("{value:.11e}").parse().unwrap_or(f64::NAN);
    json!(rounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_names_its_tables_and_columns() {
        let questions = questions();
        assert!(questions.len() >= 20);
        for question in questions {
            assert!(
                question.sql.text.starts_with(&format!("-- name: {}\n", question.sql.name)),
                "{}",
                question.sql.name
            );
            let named: Vec<&String> = question.reads.keys().collect();
            assert_eq!(
                named,
                model::tables_of(&question.sql).iter().collect::<Vec<_>>(),
                "{}",
                question.sql.name
            );
        }
    }

    #[test]
    fn a_number_that_is_none_is_null_and_a_long_one_is_rounded() {
        assert_eq!(number(f64::NAN), Value::Null);
        assert_eq!(number(0.1 + 0.2), json!(0.3));
    }
}
