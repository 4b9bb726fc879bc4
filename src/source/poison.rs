//! Takes the rows out of typed files whose texts no stage should see: too long, or with a NUL byte. Text files lose theirs while they are read.

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::DataType;

use super::InputObject;
use super::raw;
use crate::table::{Reject, RejectLevel, Rejects};

/// The batches without such rows, and these rows as rejects. O(bytes of text), and nothing is copied where all rows are good.
pub(super) fn without(batches: Vec<RecordBatch>, object: &InputObject, field_bytes_max: usize) -> (Vec<RecordBatch>, Rejects) {
    let mut rejects = Rejects::default();
    let good = batches
        .into_iter()
        .map(|batch| clean(batch, object, field_bytes_max, &mut rejects))
        .collect();
    (good, rejects)
}

fn clean(batch: RecordBatch, object: &InputObject, field_bytes_max: usize, rejects: &mut Rejects) -> RecordBatch {
    let mut is_good = vec![true; batch.num_rows()];
    let schema = batch.schema();
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        if *field.data_type() != DataType::Utf8 {
            continue;
        }
        let texts = column.as_string::<i32>();
        if !may_be_bad(texts, field_bytes_max) {
            continue;
        }
        for row in (0..texts.len()).filter(|&row| texts.is_valid(row)) {
            let Some(reason) = reason(texts.value(row), field_bytes_max).filter(|_| is_good[row]) else {
                continue;
            };
            is_good[row] = false;
            rejects.push(Reject {
                source: object.source.clone(),
                record: None,
                file: Some(object.path.clone()),
                line: u64::try_from(raw::lines(&batch).value(row)).ok(),
                level: RejectLevel::Row,
                reason: reason.to_owned(),
                field: Some(field.name().clone()),
                content: Some(texts.value(row).to_owned()),
            });
        }
    }
    if is_good.iter().all(|&good| good) {
        return batch;
    }
    filter_record_batch(&batch, &BooleanArray::from(is_good)).expect("one flag a row")
}

/// Whether a look at each value is worth it.
fn may_be_bad(texts: &StringArray, field_bytes_max: usize) -> bool {
    let offsets = texts.value_offsets();
    let (first, last) = (offsets[0].cast_unsigned() as usize, offsets[texts.len()].cast_unsigned() as usize);
    let is_long = |pair: &[i32]| (pair[1] - pair[0]).cast_unsigned() as usize > field_bytes_max;
    (last - first > field_bytes_max && offsets.windows(2).any(is_long)) || texts.value_data()[first..last].contains(&0)
}

fn reason(text: &str, field_bytes_max: usize) -> Option<&'static str> {
    if text.len() > field_bytes_max {
        Some("field_too_large")
    } else if text.as_bytes().contains(&0) {
        Some("nul_byte")
    } else {
        None
    }
}
