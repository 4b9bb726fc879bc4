//! The table `columns`: the data dictionary for those who look for it where the data are.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use super::TableDoc;
use crate::table::build::batch;

/// Name of the table.
pub const COLUMNS: &str = "columns";

/// One row a column of every table: `table_name`, `position` (from 1), `column_name`, `data_type`, `unit`, `description`. In the order of
/// `tables` and of their columns.
#[must_use]
pub fn columns_table(tables: &[TableDoc]) -> RecordBatch {
    let rows: Vec<(&TableDoc, usize)> = tables
        .iter()
        .flat_map(|table| (0..table.columns.len()).map(move |position| (table, position)))
        .collect();
    let column = |(table, position): &(&'_ TableDoc, usize)| table.columns[*position].clone();
    let required =
        |text: &dyn Fn(&(&TableDoc, usize)) -> String| Arc::new(StringArray::from_iter_values(rows.iter().map(text))) as ArrayRef;
    let optional =
        |text: &dyn Fn(&(&TableDoc, usize)) -> Option<String>| Arc::new(rows.iter().map(text).collect::<StringArray>()) as ArrayRef;
    let positions = Int64Array::from_iter_values(
        rows.iter()
            .map(|(_, position)| i64::try_from(position + 1).expect("a table has few columns")),
    );
    batch(vec![
        ("table_name", false, required(&|(table, _)| table.name.clone())),
        ("position", false, Arc::new(positions)),
        ("column_name", false, required(&|row| column(row).name)),
        ("data_type", false, required(&|row| column(row).data_type)),
        ("unit", true, optional(&|row| column(row).unit)),
        ("description", true, optional(&|row| column(row).description)),
    ])
}
