//! Output columns as BI tools read them: snake-case names and flat types, whatever a query gives.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

/// The published type of a column; `None` if there is none (lists, structs, times, intervals, binary, untyped null).
#[must_use]
pub fn type_of(data_type: &DataType) -> Option<DataType> {
    match data_type {
        DataType::Boolean | DataType::Date32 => Some(data_type.clone()),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(DataType::Utf8),
        DataType::Dictionary(_, values) => type_of(values),
        integer if integer.is_integer() => Some(DataType::Int64),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => Some(DataType::Float64),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => Some(DataType::Decimal128((*precision).min(38), *scale)),
        DataType::Date64 => Some(DataType::Date32),
        DataType::Timestamp(_, _) => Some(DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))),
        _ => None,
    }
}

/// The published schema of a query's result, all columns nullable.
///
/// # Errors
/// Every problem, in words: a type without a published form, a name that is not snake case, a name given twice.
pub fn schema_of(schema: &Schema) -> Result<SchemaRef, Vec<String>> {
    let mut problems = Vec::new();
    let mut fields: Vec<Field> = Vec::new();
    for field in schema.fields() {
        let name = field.name();
        if !is_snake_case(name) {
            problems.push(format!("output column `{name}` needs a name in snake_case: add `AS …`"));
        }
        if fields.iter().any(|known| known.name() == name) {
            problems.push(format!("output column `{name}` is given twice"));
        }
        match type_of(field.data_type()) {
            Some(data_type) => fields.push(Field::new(name, data_type, true)),
            None => problems.push(format!(
                "output column `{name}` is {}, which cannot be published: cast it to text, number, boolean, date or timestamp",
                field.data_type()
            )),
        }
    }
    if problems.is_empty() {
        Ok(Schema::new(fields).into())
    } else {
        Err(problems)
    }
}

/// Casts a batch to the published schema.
///
/// # Errors
/// A number that does not fit.
pub fn batch(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let strict = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let columns: Result<Vec<ArrayRef>, ArrowError> = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| cast_with_options(column, field.data_type(), &strict))
        .collect();
    RecordBatch::try_new(Arc::clone(schema), columns?)
}

fn is_snake_case(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsigned_and_view_types_become_plain_ones() {
        assert_eq!(type_of(&DataType::UInt64), Some(DataType::Int64));
        assert_eq!(type_of(&DataType::Utf8View), Some(DataType::Utf8));
        assert_eq!(type_of(&DataType::Decimal256(60, 4)), Some(DataType::Decimal128(38, 4)));
        assert_eq!(type_of(&DataType::Null), None);
    }

    #[test]
    fn a_column_needs_a_name_of_its_own_in_snake_case() {
        let schema = Schema::new(vec![
            Field::new("count(*)", DataType::Int64, false),
            Field::new("a", DataType::Int64, false),
            Field::new("a", DataType::Int64, false),
        ]);
        let problems = schema_of(&schema).expect_err("two problems");
        assert_eq!(problems.len(), 2);
        assert!(problems[0].contains("snake_case") && problems[1].contains("twice"));
    }
}
