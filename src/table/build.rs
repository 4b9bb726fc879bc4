//! Published batches from columns in memory, so that every stage writes keys and schemas alike.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringBuilder};
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
    let mut builder = StringBuilder::with_capacity(keys.len(), keys.len() * CUSTOMER_KEY_LENGTH);
    for key in keys {
        match key {
            Some(key) => builder.append_value(std::str::from_utf8(&key.to_ascii()).expect("the alphabet of keys is ASCII")),
            None => builder.append_null(),
        }
    }
    Arc::new(builder.finish())
}
