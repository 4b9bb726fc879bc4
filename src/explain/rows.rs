//! Rows of published tables as texts, and the tests that pick them.

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, StringArray};

use crate::table::column::{LEFT_RECORD_ID, LEFT_SOURCE, RIGHT_RECORD_ID, RIGHT_SOURCE};
use crate::table::decisions::NamedRecord;

/// Which rows hold a text in a column; none where the column is missing.
pub(super) fn equal(batch: &RecordBatch, name: &str, value: &str) -> BooleanArray {
    match batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>()) {
        Some(texts) => texts.iter().map(|text| Some(text == Some(value))).collect(),
        None => vec![false; batch.num_rows()].into(),
    }
}

/// Where both hold.
pub(super) fn both(left: &BooleanArray, right: &BooleanArray) -> BooleanArray {
    left.iter()
        .zip(right)
        .map(|(left, right)| Some(left == Some(true) && right == Some(true)))
        .collect()
}

/// Where either holds.
pub(super) fn either(left: &BooleanArray, right: &BooleanArray) -> BooleanArray {
    left.iter()
        .zip(right)
        .map(|(left, right)| Some(left == Some(true) || right == Some(true)))
        .collect()
}

/// Which rows of a table of pairs are about these two records, in either order.
pub(super) fn of_pair(batch: &RecordBatch, one: &NamedRecord, other: &NamedRecord) -> BooleanArray {
    let is = |record: &NamedRecord, source, id| both(&equal(batch, source, &record.source), &equal(batch, id, &record.record_id));
    let in_order = |left, right| both(&is(left, LEFT_SOURCE, LEFT_RECORD_ID), &is(right, RIGHT_SOURCE, RIGHT_RECORD_ID));
    either(&in_order(one, other), &in_order(other, one))
}

/// The text of a column in the first row.
pub(super) fn first(batch: &RecordBatch, name: &str) -> Option<String> {
    text_at(batch, name, 0)
}

/// A value as text, whatever its type; `None` for null or a missing column.
pub(crate) fn text_at(batch: &RecordBatch, name: &str, row: usize) -> Option<String> {
    let column = batch.column_by_name(name)?;
    if column.is_null(row) {
        return None;
    }
    if let Some(texts) = column.as_any().downcast_ref::<StringArray>() {
        return Some(texts.value(row).to_owned());
    }
    arrow::util::display::array_value_to_string(column, row).ok()
}
