//! Sorts the rows of a record by their key and keeps each key once; the result does not depend on the order of files or rows.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, new_null_array};
use arrow::compute::{cast, concat, interleave, interleave_record_batch};
use arrow::datatypes::{DataType, Int64Type, SchemaRef};
use arrow::row::{RowConverter, SortField};
use rayon::prelude::*;

use super::conform::{self, Shape};
use super::raw::BATCH_ROWS;
use crate::error::{Error, Result};
use crate::table::{RecordKind, RejectLevel, Rejects, column};

/// Where a row is, with the start of its key: most comparisons end there, without a look at the text.
#[derive(Clone, Copy)]
struct Entry {
    prefix: u64,
    batch: u32,
    row: u32,
}

/// The key columns of all batches.
struct Keys<'a> {
    text: Vec<&'a StringArray>,
    /// The second key column as numbers: a whole number, a day or an instant.
    number: Vec<Option<Int64Array>>,
    common_prefix: usize,
}

impl<'a> Keys<'a> {
    fn new(shape: &Shape<'_>, batches: &'a [RecordBatch]) -> Self {
        let key = &shape.record.schema().key;
        let column = |batch: &'a RecordBatch, name: &str| batch.column_by_name(name).expect("a record has its key columns");
        let text: Vec<&StringArray> = batches.iter().map(|batch| column(batch, &key[0]).as_string::<i32>()).collect();
        let number = batches
            .iter()
            .map(|batch| key.get(1).map(|name| number_of(column(batch, name))))
            .collect();
        let common_prefix = common_prefix(&text);
        Self {
            text,
            number,
            common_prefix,
        }
    }

    fn entries(&self) -> Vec<Entry> {
        let of_batch = |(batch, text): (usize, &&StringArray)| -> Vec<Entry> {
            let batch = u32::try_from(batch).expect("fewer than 2^32 batches");
            (0..text.len())
                .map(|row| Entry {
                    prefix: prefix(&text.value(row).as_bytes()[self.common_prefix..]),
                    batch,
                    row: u32::try_from(row).expect("a batch has fewer than 2^32 rows"),
                })
                .collect()
        };
        self.text.par_iter().enumerate().flat_map_iter(of_batch).collect()
    }

    fn compare(&self, left: &Entry, right: &Entry) -> Ordering {
        left.prefix.cmp(&right.prefix).then_with(|| {
            let text = |entry: &Entry| self.text[entry.batch as usize].value(entry.row as usize);
            let number = |entry: &Entry| {
                self.number[entry.batch as usize]
                    .as_ref()
                    .map(|numbers| numbers.value(entry.row as usize))
            };
            text(left).cmp(text(right)).then_with(|| number(left).cmp(&number(right)))
        })
    }
}

/// Whole numbers, days and instants as 64-bit numbers in the same order.
fn number_of(values: &ArrayRef) -> Int64Array {
    let numbers = cast(values, &DataType::Int64).expect("the second column of a key is a number, a day or an instant");
    numbers.as_primitive::<Int64Type>().clone()
}

/// The first 8 bytes as a big-endian number: orders like the bytes themselves.
fn prefix(bytes: &[u8]) -> u64 {
    let mut first = [0; 8];
    let count = bytes.len().min(8);
    first[..count].copy_from_slice(&bytes[..count]);
    u64::from_be_bytes(first)
}

fn common_prefix(columns: &[&StringArray]) -> usize {
    let Some(sample) = columns
        .iter()
        .find(|column| !column.is_empty())
        .map(|column| column.value(0).as_bytes())
    else {
        return 0;
    };
    let shared = |value: &[u8]| sample.iter().zip(value).take_while(|(left, right)| left == right).count();
    let of_column = |column: &&StringArray| {
        column
            .iter()
            .flatten()
            .map(|value| shared(value.as_bytes()))
            .min()
            .unwrap_or(sample.len())
    };
    columns.par_iter().map(of_column).min().unwrap_or(0)
}

/// Rows sorted by key, each key once. Of several rows with one key the latest (`updated_at`) stays, then the greatest by all columns.
/// Contacts come as one batch. O(n log n) for n rows; memory for a second copy of the widest columns, one a thread.
pub(super) fn canonical(shape: &Shape<'_>, batches: Vec<RecordBatch>) -> Result<(Vec<RecordBatch>, Rejects)> {
    if batches.is_empty() {
        // One empty batch keeps the columns that only this mapping gives.
        return Ok((vec![RecordBatch::new_empty(shape.schema.clone())], Rejects::default()));
    }
    let keys = Keys::new(shape, &batches);
    let mut entries = keys.entries();
    let compare = |left: &Entry, right: &Entry| keys.compare(left, right);
    if !entries.is_sorted_by(|left, right| compare(left, right) != Ordering::Greater) {
        entries.par_sort_unstable_by(compare);
    }
    let rejects = keep_one(shape, &batches, &keys, &mut entries)?;
    let sorted = if shape.record == RecordKind::Contacts {
        vec![gather(shape, batches, entries)?]
    } else {
        let references: Vec<&RecordBatch> = batches.iter().collect();
        entries
            .par_chunks(BATCH_ROWS)
            .map(|chunk| interleave_record_batch(&references, &indices(chunk)).map_err(conform::internal))
            .collect::<Result<Vec<_>>>()?
    };
    Ok((sorted, rejects))
}

fn indices(entries: &[Entry]) -> Vec<(usize, usize)> {
    entries.iter().map(|entry| (entry.batch as usize, entry.row as usize)).collect()
}

/// The rows of the entries as one batch. Columns are gathered side by side, and each is let go of once it was.
fn gather(shape: &Shape<'_>, batches: Vec<RecordBatch>, entries: Vec<Entry>) -> Result<RecordBatch> {
    let indices = indices(&entries);
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let in_order = rows == indices.len() && indices.is_sorted();
    drop(entries);
    let mut columns: Vec<Vec<ArrayRef>> = vec![Vec::with_capacity(batches.len()); shape.schema.fields().len()];
    for batch in batches {
        for (column, piece) in columns.iter_mut().zip(batch.columns()) {
            column.push(Arc::clone(piece));
        }
    }
    let columns = columns
        .into_par_iter()
        .map(|pieces| {
            if pieces.iter().all(|piece| piece.null_count() == piece.len()) {
                return Ok(None);
            }
            let pieces: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
            let gathered = if in_order { concat(&pieces) } else { interleave(&pieces, &indices) };
            gathered.map(Some).map_err(too_large)
        })
        .collect::<Result<Vec<Option<ArrayRef>>>>()?;
    RecordBatch::try_new(shape.schema.clone(), with_nulls(&shape.schema, columns, indices.len())).map_err(conform::internal)
}

/// Columns with nulls in place of those that are missing; columns of one type share them.
fn with_nulls(schema: &SchemaRef, columns: Vec<Option<ArrayRef>>, rows: usize) -> Vec<ArrayRef> {
    let mut nulls: Vec<ArrayRef> = Vec::new();
    let mut missing = |data_type: &DataType| match nulls.iter().find(|nulls| nulls.data_type() == data_type) {
        Some(known) => Arc::clone(known),
        None => {
            nulls.push(new_null_array(data_type, rows));
            Arc::clone(&nulls[nulls.len() - 1])
        }
    };
    let fields = schema.fields().iter();
    columns
        .into_iter()
        .zip(fields)
        .map(|(column, field)| column.unwrap_or_else(|| missing(field.data_type())))
        .collect()
}

/// Leaves one entry of each run of equal keys.
fn keep_one(shape: &Shape<'_>, batches: &[RecordBatch], keys: &Keys<'_>, entries: &mut Vec<Entry>) -> Result<Rejects> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for (position, pair) in entries.windows(2).enumerate() {
        if keys.compare(&pair[0], &pair[1]) == Ordering::Equal {
            match runs.last_mut() {
                Some(run) if run.end == position + 1 => run.end += 1,
                _ => runs.push(position..position + 2),
            }
        }
    }
    let mut rejects = Rejects::default();
    if runs.is_empty() {
        return Ok(rejects);
    }
    let rivals: Vec<Entry> = runs.iter().flat_map(|run| &entries[run.clone()]).copied().collect();
    let references: Vec<&RecordBatch> = batches.iter().collect();
    let rivals = interleave_record_batch(&references, &indices(&rivals)).map_err(conform::internal)?;
    let rows = comparable(&rivals)?;
    let mut is_kept = vec![true; entries.len()];
    let mut first = 0;
    for run in &runs {
        let members = first..first + run.len();
        first = members.end;
        let best = members
            .clone()
            .max_by(|&left, &right| rows.row(left).cmp(&rows.row(right)))
            .expect("a run has two rows or more");
        for rival in members.clone().filter(|&rival| rival != best) {
            is_kept[run.start + (rival - members.start)] = false;
            let reason = if rows.row(rival) == rows.row(best) {
                "duplicate"
            } else {
                "superseded"
            };
            let content = conform::content(shape, &rivals, rival);
            rejects.push(shape.reject(RejectLevel::Row, reason, None, Some(content)));
        }
    }
    let mut position = 0;
    entries.retain(|_| {
        position += 1;
        is_kept[position - 1]
    });
    Ok(rejects)
}

/// Rows as comparable bytes: `updated_at` first where there is one, then all columns; null is least.
fn comparable(batch: &RecordBatch) -> Result<arrow::row::Rows> {
    let mut columns: Vec<ArrayRef> = batch.column_by_name(column::UPDATED_AT).into_iter().cloned().collect();
    columns.extend(batch.columns().iter().cloned());
    let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
    let converter = RowConverter::new(fields).map_err(conform::internal)?;
    converter.convert_columns(&columns).map_err(conform::internal)
}

/// Batches of several mappings in one schema; columns that a mapping does not give are null.
pub(super) fn widen(batches: &[RecordBatch], schema: &SchemaRef) -> Result<Vec<RecordBatch>> {
    let widen_one = |batch: &RecordBatch| {
        let column = |field: &Arc<arrow::datatypes::Field>| match batch.column_by_name(field.name()) {
            Some(column) => column.clone(),
            None => new_null_array(field.data_type(), batch.num_rows()),
        };
        RecordBatch::try_new(schema.clone(), schema.fields().iter().map(column).collect()).map_err(conform::internal)
    };
    batches.iter().map(widen_one).collect()
}

/// All batches as one, column by column.
///
/// # Errors
/// `Environment` if a column would hold more than 2 GiB of text.
pub(super) fn one_batch(batches: Vec<RecordBatch>, schema: &SchemaRef) -> Result<RecordBatch> {
    if let [only] = batches.as_slice() {
        return Ok(only.clone());
    }
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let mut columns: Vec<Vec<ArrayRef>> = vec![Vec::with_capacity(batches.len()); schema.fields().len()];
    for batch in batches {
        for (column, piece) in columns.iter_mut().zip(batch.columns()) {
            column.push(Arc::clone(piece));
        }
    }
    let columns = columns
        .into_iter()
        .map(|pieces| {
            if pieces.iter().all(|piece| piece.null_count() == piece.len()) {
                return Ok(None);
            }
            let pieces: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
            concat(&pieces).map(Some).map_err(too_large)
        })
        .collect::<Result<Vec<Option<ArrayRef>>>>()?;
    RecordBatch::try_new(schema.clone(), with_nulls(schema, columns, rows)).map_err(conform::internal)
}

fn too_large(error: arrow::error::ArrowError) -> Error {
    Error::environment("the contacts do not fit into one table")
        .hint("map fewer columns, or split the project by region")
        .because(error)
}
