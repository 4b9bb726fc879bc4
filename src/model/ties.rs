//! Rows in one order at the price of sorting by the key alone: the engine sorts by the key, and rows that share one are put in order here.
//!
//! Most tables have a customer in one row, where nothing is left to do; orders have a few rows each. To let the engine compare all
//! columns of all rows costs several times as much.

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{SortOptions, concat_batches, partition, take_record_batch};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};

/// Takes rows sorted by the column `key`, and gives them with ties sorted by all columns, ascending, nulls last.
///
/// # Errors
/// A column of a type that has no order.
pub fn settled(batches: &[RecordBatch], key: usize) -> Result<Vec<RecordBatch>, ArrowError> {
    let mut settled = Vec::with_capacity(batches.len());
    // The rows of the last key so far: the next batch may have more of it.
    let mut carried: Vec<RecordBatch> = Vec::new();
    for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
        let last = partition(&[batch.column(key).clone()])?
            .ranges()
            .last()
            .map_or(0, |range| range.start);
        let goes_on = last == 0 && carried.last().map_or(Ok(true), |rows| is_same_key(rows, batch, key))?;
        if !goes_on {
            carried.push(batch.slice(0, last));
            settled.push(in_order(&concat_batches(&batch.schema(), &carried)?, key)?);
            carried.clear();
        }
        carried.push(batch.slice(last, batch.num_rows() - last));
    }
    if let Some(rows) = carried.first() {
        settled.push(in_order(&concat_batches(&rows.schema(), &carried)?, key)?);
    }
    Ok(settled)
}

fn is_same_key(rows: &RecordBatch, next: &RecordBatch, key: usize) -> Result<bool, ArrowError> {
    let last: ArrayRef = rows.column(key).slice(rows.num_rows() - 1, 1);
    let first = next.column(key).slice(0, 1);
    let both = arrow::compute::concat(&[last.as_ref(), first.as_ref()])?;
    Ok(partition(&[both])?.len() == 1)
}

/// Whole runs of keys, each sorted.
fn in_order(rows: &RecordBatch, key: usize) -> Result<RecordBatch, ArrowError> {
    let runs = partition(&[rows.column(key).clone()])?.ranges();
    if runs.len() == rows.num_rows() {
        return Ok(rows.clone());
    }
    let options = SortOptions {
        descending: false,
        nulls_first: false,
    };
    let fields = rows
        .schema()
        .fields()
        .iter()
        .map(|field| SortField::new_with_options(field.data_type().clone(), options))
        .collect();
    let comparable = RowConverter::new(fields)?.convert_columns(rows.columns())?;
    let mut positions: Vec<u32> = (0..rows.num_rows())
        .map(|row| u32::try_from(row).expect("a batch has fewer rows"))
        .collect();
    for run in runs.into_iter().filter(|run| run.len() > 1) {
        positions[run].sort_unstable_by(|&left, &right| comparable.row(left as usize).cmp(&comparable.row(right as usize)));
    }
    if positions.is_sorted() {
        return Ok(rows.clone());
    }
    take_record_batch(rows, &UInt32Array::from(positions))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};

    use super::*;

    fn batch(keys: &[Option<&str>], values: &[Option<i64>]) -> RecordBatch {
        let columns: [(&str, ArrayRef, bool); 2] = [
            ("value", Arc::new(Int64Array::from(values.to_vec())), true),
            ("key", Arc::new(StringArray::from(keys.to_vec())), true),
        ];
        RecordBatch::try_from_iter_with_nullable(columns).expect("two columns")
    }

    #[test]
    fn ties_are_sorted_across_batches_and_nulls_are_last() {
        let batches = [
            batch(&[Some("a"), Some("b")], &[Some(1), None]),
            batch(&[Some("b")], &[Some(9)]),
            batch(&[], &[]),
            batch(&[Some("b"), Some("c"), None, None], &[Some(2), Some(7), None, Some(3)]),
        ];
        let settled = settled(&batches, 1).expect("plain types");
        let whole = concat_batches(&batches[0].schema(), &settled).expect("one schema");
        let keys = [Some("a"), Some("b"), Some("b"), Some("b"), Some("c"), None, None];
        assert_eq!(whole, batch(&keys, &[Some(1), Some(2), Some(9), None, Some(7), Some(3), None]));
    }

    #[test]
    fn rows_without_ties_stay_as_they_are() {
        let rows = batch(&[Some("a"), Some("b")], &[Some(2), Some(1)]);
        let settled = settled(std::slice::from_ref(&rows), 1).expect("plain types");
        assert_eq!(concat_batches(&rows.schema(), &settled).expect("one schema"), rows);
        assert!(super::settled(&[], 1).expect("nothing").is_empty());
    }
}
