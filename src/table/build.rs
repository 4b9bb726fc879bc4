//! Published batches from columns in memory, so that every stage writes keys and schemas alike.

use std::sync::Arc;

use arrow::array::{ArrayRef, NullBufferBuilder, RecordBatch, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Schema};

use super::ids::{CUSTOMER_KEY_LENGTH, CustomerKey};

/// A batch of (name, nullable, values), in this order. The columns must be of equal length, and those that are not nullable without nulls.
#[must_use]
pub fn batch(columns: Vec<(&str, bool, ArrayRef)>) -> RecordBatch {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, nullable, values)| Field::new(*name, DataType::clone(values.data_type()), *nullable))
        .collect();
    let values = columns.into_iter().map(|(_, _, values)| values).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), values).expect("columns are of equal length, and null only where they may be")
}

/// Customer keys as text.
#[must_use]
pub fn key_column(keys: impl ExactSizeIterator<Item = Option<CustomerKey>>) -> ArrayRef {
    let mut ascii: Vec<u8> = Vec::with_capacity(keys.len() * CUSTOMER_KEY_LENGTH);
    let mut ends: Vec<i32> = Vec::with_capacity(keys.len() + 1);
    ends.push(0);
    let mut valid = NullBufferBuilder::new(keys.len());
    for key in keys {
        if let Some(key) = key {
            ascii.extend_from_slice(&key.to_ascii());
        }
        ends.push(i32::try_from(ascii.len()).expect("82 million keys and more are several tables"));
        valid.append(key.is_some());
    }
    let texts = StringArray::try_new(OffsetBuffer::new(ends.into()), ascii.into(), valid.finish());
    Arc::new(texts.expect("the alphabet of keys is ASCII"))
}
