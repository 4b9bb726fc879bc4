//! Rows in one order at the price of sorting by the key alone: the engine sorts by the key, and rows that share one are put in order here.
//!
//! Most tables have a customer in one row, where nothing is left to do; orders have a few rows each. To let the engine compare all
//! columns of all rows costs several times as much.

use std::ops::Range;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{SortOptions, concat_batches, partition, take_record_batch};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use rayon::prelude::*;

/// Columns that are compared first: most rows of a key differ in them, and what need not be compared is not made comparable.
const COLUMNS_FIRST: usize = 4;

/// Takes rows sorted by the column `key`, and gives them with ties sorted by all columns, ascending, nulls last; on the threads of the pool
/// that it is called in.
///
/// # Errors
/// A column of a type that has no order.
pub fn settled(batches: Vec<RecordBatch>, key: usize) -> Result<Vec<RecordBatch>, ArrowError> {
    let pieces = pieces(&batches, key)?;
    // A batch goes when its pieces are done.
    drop(batches);
    pieces
        .into_par_iter()
        .map(|parts| in_order(&concat_batches(&parts[0].schema(), &parts)?, key))
        .collect()
}

/// The rows in pieces of about a batch, none of which shares a key with another.
fn pieces(batches: &[RecordBatch], key: usize) -> Result<Vec<Vec<RecordBatch>>, ArrowError> {
    let mut pieces = Vec::with_capacity(batches.len());
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
            pieces.push(std::mem::take(&mut carried));
        }
        carried.push(batch.slice(last, batch.num_rows() - last));
    }
    if !carried.is_empty() {
        pieces.push(carried);
    }
    Ok(pieces)
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
    let mut positions: Vec<u32> = (0..rows.num_rows())
        .map(|row| u32::try_from(row).expect("a piece has fewer rows"))
        .collect();
    let columns: Vec<usize> = (0..rows.num_columns()).filter(|column| *column != key).collect();
    let mut open: Vec<Range<usize>> = runs.into_iter().filter(|run| run.len() > 1).collect();
    for columns in [
        &columns[..columns.len().min(COLUMNS_FIRST)],
        &columns[columns.len().min(COLUMNS_FIRST)..],
    ] {
        if open.is_empty() || columns.is_empty() {
            break;
        }
        let comparable = comparable(rows, columns)?;
        let row = |position: u32| comparable.row(position as usize);
        let mut tied = Vec::new();
        for run in open {
            positions[run.clone()].sort_unstable_by(|&left, &right| row(left).cmp(&row(right)));
            let mut start = run.start;
            for end in run.start + 1..=run.end {
                if end == run.end || row(positions[end]) != row(positions[start]) {
                    if end - start > 1 {
                        tied.push(start..end);
                    }
                    start = end;
                }
            }
        }
        open = tied;
    }
    if positions.is_sorted() {
        return Ok(rows.clone());
    }
    take_record_batch(rows, &UInt32Array::from(positions))
}

fn comparable(rows: &RecordBatch, columns: &[usize]) -> Result<Rows, ArrowError> {
    let options = SortOptions {
        descending: false,
        nulls_first: false,
    };
    let schema = rows.schema();
    let field = |&column: &usize| SortField::new_with_options(schema.field(column).data_type().clone(), options);
    let arrays: Vec<ArrayRef> = columns.iter().map(|&column| rows.column(column).clone()).collect();
    RowConverter::new(columns.iter().map(field).collect())?.convert_columns(&arrays)
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
        let settled = settled(batches.to_vec(), 1).expect("plain types");
        let whole = concat_batches(&batches[0].schema(), &settled).expect("one schema");
        let keys = [Some("a"), Some("b"), Some("b"), Some("b"), Some("c"), None, None];
        assert_eq!(whole, batch(&keys, &[Some(1), Some(2), Some(9), None, Some(7), Some(3), None]));
    }

    #[test]
    fn rows_that_agree_in_the_first_columns_are_sorted_by_the_others() {
        let same: ArrayRef = Arc::new(Int64Array::from(vec![1; 4]));
        let mut columns: Vec<(String, ArrayRef, bool)> = (0..6).map(|number| (format!("same_{number}"), Arc::clone(&same), true)).collect();
        columns.push(("last".to_owned(), Arc::new(Int64Array::from(vec![3, 1, 4, 2])), true));
        let rows = RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length");
        let settled = settled(vec![rows.slice(0, 2), rows.slice(2, 2)], 0).expect("plain types");
        let whole = concat_batches(&rows.schema(), &settled).expect("one schema");
        assert_eq!(whole.column(6).as_ref(), &Int64Array::from(vec![1, 2, 3, 4]));
    }

    #[test]
    fn rows_without_ties_stay_as_they_are() {
        let rows = batch(&[Some("a"), Some("b")], &[Some(2), Some(1)]);
        let settled = settled(vec![rows.clone()], 1).expect("plain types");
        assert_eq!(concat_batches(&rows.schema(), &settled).expect("one schema"), rows);
        assert!(super::settled(Vec::new(), 1).expect("nothing").is_empty());
    }
}
