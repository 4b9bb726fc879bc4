//! Types that every reader of Parquet understands: what a table has is cast to them, what cannot be is refused.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::error::{Error, Result};

/// The schema as published: signed integers, doubles, decimals up to 38 digits, days, microseconds UTC, plain UTF-8; flat.
///
/// # Errors
/// `Config` for a nested type, an interval or a decimal that is too wide.
pub(super) fn published(table: &str, schema: &Schema) -> Result<SchemaRef> {
    let fields = schema.fields().iter().map(|field| {
        let data_type = plain(field.data_type()).ok_or_else(|| {
            Error::config("a column has a type that is not published")
                .with("table", table)
                .with("column", field.name())
                .with("type", field.data_type().to_string())
                .hint("tables are flat: CAST it, take one value out of it, or make it text with array_to_string")
        })?;
        Ok(Field::new(field.name(), data_type, field.is_nullable()))
    });
    Ok(Arc::new(Schema::new(fields.collect::<Result<Vec<Field>>>()?)))
}

fn plain(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Boolean
        | DataType::Int32
        | DataType::Int64
        | DataType::Float64
        | DataType::Date32
        | DataType::Utf8
        | DataType::Binary => data_type.clone(),
        DataType::Int8 | DataType::Int16 | DataType::UInt8 | DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Float16 | DataType::Float32 => DataType::Float64,
        DataType::Date64 => DataType::Date32,
        DataType::Timestamp(..) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        DataType::LargeUtf8 | DataType::Utf8View | DataType::Null | DataType::Time32(_) | DataType::Time64(_) => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) | DataType::Decimal128(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Decimal256(precision, scale) if *precision <= 38 => DataType::Decimal128(*precision, *scale),
        DataType::Dictionary(_, values) => plain(values)?,
        DataType::RunEndEncoded(_, values) => plain(values.data_type())?,
        _ => return None,
    })
}

/// A batch in the published schema. Values that do not fit (an unsigned integer beyond 2^63) are an error, never null.
///
/// # Errors
/// `Input` for such a value, `Internal` if the batch is not of its table's schema.
pub(super) fn cast(table: &str, batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    if batch.num_columns() != schema.fields().len() {
        return Err(Error::internal("a batch has other columns than its table").with("table", table));
    }
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(batch.num_columns());
    for (column, field) in batch.columns().iter().zip(schema.fields()) {
        columns.push(if column.data_type() == field.data_type() {
            Arc::clone(column)
        } else {
            cast_with_options(column, field.data_type(), &options).map_err(|_| {
                Error::input("a value does not fit the published type")
                    .with("table", table)
                    .with("column", field.name())
                    .with("type", field.data_type().to_string())
            })?
        });
    }
    RecordBatch::try_new(Arc::clone(schema), columns)
        .map_err(|error| Error::internal("a table breaks its own schema").with("table", table).because(error))
}
