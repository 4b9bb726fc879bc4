//! Compares a table with the rows a test case expects: as sets, decimals exactly, floats to 1e-9, only the columns the case names.

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::{Table, csv};

/// Most differences that are reported.
pub const DIFFERENCES_MAX: usize = 10;

const RELATIVE_ERROR_MAX: f64 = 1e-9;

/// A cell in a form that compares: decimals without trailing zeros, times in one notation.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Null,
    Text(String),
    Float(f64),
}

impl Cell {
    fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float(left), Self::Float(right)) => {
                left.total_cmp(right).is_eq() || (left - right).abs() <= RELATIVE_ERROR_MAX * left.abs().max(right.abs())
            }
            _ => self == other,
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Text(text) => format!("`{text}`"),
            Self::Float(value) => value.to_string(),
        }
    }
}

/// Differences between what is expected and what is there, as text, at most [`DIFFERENCES_MAX`]; empty if there is none.
#[must_use]
pub fn differences(expected: &csv::Rows, actual: &Table) -> Vec<String> {
    let typed = match csv::table(expected, &actual.schema) {
        Ok(typed) => typed,
        Err(message) => return vec![message],
    };
    let mut missing = cells(&typed, &expected.header);
    let mut unexpected = cells(actual, &expected.header);
    missing.retain(
        |row| match unexpected.iter().position(|found| count_equal(row, found) == row.len()) {
            Some(position) => {
                unexpected.remove(position);
                false
            }
            None => true,
        },
    );
    let mut lines = Vec::new();
    for row in &missing {
        // The row that agrees most is the one meant, if more than half agrees.
        let nearest = (0..unexpected.len()).max_by_key(|&position| (count_equal(row, &unexpected[position]), usize::MAX - position));
        match nearest.filter(|&position| 2 * count_equal(row, &unexpected[position]) > row.len()) {
            Some(position) => lines.push(changed(&expected.header, row, &unexpected.remove(position))),
            None => lines.push(format!("missing row: {}", shown(&expected.header, row))),
        }
    }
    lines.extend(
        unexpected
            .iter()
            .map(|row| format!("unexpected row: {}", shown(&expected.header, row))),
    );
    lines.truncate(DIFFERENCES_MAX);
    lines
}

fn changed(header: &[String], expected: &[Cell], found: &[Cell]) -> String {
    let columns = header.iter().zip(expected.iter().zip(found));
    let cells = columns
        .filter(|(_, (expected, found))| !expected.equals(found))
        .map(|(name, (expected, found))| format!("{name} is {}, expected {}", found.shown(), expected.shown()));
    let cells: Vec<String> = cells.collect();
    format!("row {}: {}", shown(&header[..1], &expected[..1]), cells.join("; "))
}

fn shown(header: &[String], row: &[Cell]) -> String {
    let cells: Vec<String> = header
        .iter()
        .zip(row)
        .map(|(name, cell)| format!("{name} = {}", cell.shown()))
        .collect();
    cells.join(", ")
}

fn count_equal(left: &[Cell], right: &[Cell]) -> usize {
    left.iter().zip(right).filter(|(left, right)| left.equals(right)).count()
}

fn cells(table: &Table, columns: &[String]) -> Vec<Vec<Cell>> {
    table.batches.iter().flat_map(|batch| batch_cells(batch, columns)).collect()
}

fn batch_cells(batch: &RecordBatch, columns: &[String]) -> Vec<Vec<Cell>> {
    let mut rows: Vec<Vec<Cell>> = vec![Vec::with_capacity(columns.len()); batch.num_rows()];
    for name in columns {
        let column = batch
            .column_by_name(name)
            .expect("the case's columns were checked against the schema");
        let options = FormatOptions::default();
        let formatter = ArrayFormatter::try_new(column.as_ref(), &options).expect("published types have a text form");
        for (index, row) in rows.iter_mut().enumerate() {
            row.push(if column.is_null(index) {
                Cell::Null
            } else {
                cell(column.data_type(), formatter.value(index).to_string())
            });
        }
    }
    rows
}

fn cell(data_type: &DataType, text: String) -> Cell {
    match data_type {
        DataType::Float64 => text.parse().map_or(Cell::Text(text), Cell::Float),
        DataType::Decimal128(_, _) if text.contains('.') => Cell::Text(text.trim_end_matches('0').trim_end_matches('.').to_owned()),
        _ => Cell::Text(text),
    }
}
