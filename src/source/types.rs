//! Which types a mapping may give for a canonical column: the same one, or one that casts without loss.

use arrow::array::{Array, ArrayRef};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::DataType;

use crate::error::{Error, Result};
use crate::table::record::ColumnType;

/// Whether values of `given` become `wanted` exactly; the error is what to do instead.
///
/// Decimals with more than 4 digits after the point are rounded half away from zero: products of prices and quantities have 8.
pub(super) fn fits(wanted: ColumnType, given: &DataType) -> Result<(), String> {
    let hint = |text: &str| Err(text.to_owned());
    if *given == DataType::Null {
        return Ok(());
    }
    let given = match given {
        DataType::Dictionary(_, value) => value,
        other => other,
    };
    match wanted {
        ColumnType::Text if is_text(given) || given.is_integer() => Ok(()),
        ColumnType::Text => hint("make it text in the form you want, e.g. `CAST(… AS VARCHAR)`"),
        ColumnType::Boolean if *given == DataType::Boolean => Ok(()),
        ColumnType::Boolean => hint("compare it, e.g. `\"column\" = 'yes'`"),
        ColumnType::Integer if given.is_integer() => Ok(()),
        ColumnType::Integer if is_text(given) => hint("use `TRY_CAST(… AS BIGINT)`"),
        ColumnType::Integer => hint("use `CAST(… AS BIGINT)`"),
        ColumnType::Decimal
            if given.is_integer() || matches!(given, DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..)) =>
        {
            Ok(())
        }
        ColumnType::Decimal if is_text(given) => hint("use `parse_decimal`"),
        ColumnType::Decimal => hint("use `CAST(… AS DECIMAL(18, 4))`"),
        ColumnType::Date if matches!(given, DataType::Date32 | DataType::Date64) => Ok(()),
        ColumnType::Date if is_text(given) => hint("use `parse_date`"),
        ColumnType::Date => hint("use `CAST(… AS DATE)`; mind the time zone"),
        ColumnType::Timestamp if matches!(given, DataType::Timestamp(..)) => Ok(()),
        ColumnType::Timestamp if is_text(given) => hint("use `parse_timestamp`"),
        ColumnType::Timestamp => hint("use `parse_timestamp`, or cast it: `CAST(… AS TIMESTAMP)` is midnight UTC"),
    }
}

fn is_text(given: &DataType) -> bool {
    matches!(given, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// Casts to the canonical type. Values out of its range become null.
pub(super) fn cast(column: &ArrayRef, wanted: ColumnType) -> Result<ArrayRef> {
    let target = wanted.arrow();
    if *column.data_type() == target {
        return Ok(column.clone());
    }
    let options = CastOptions {
        safe: true,
        ..CastOptions::default()
    };
    cast_with_options(column, &target, &options).map_err(|error| Error::internal("a checked cast failed").because(error))
}

/// A canonical type in words.
pub(super) fn name(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Text => "text",
        ColumnType::Boolean => "a boolean",
        ColumnType::Integer => "an integer",
        ColumnType::Decimal => "a decimal",
        ColumnType::Date => "a date",
        ColumnType::Timestamp => "a timestamp",
    }
}

/// An Arrow type in words.
pub(super) fn describe(data_type: &DataType) -> String {
    match data_type {
        other if is_text(other) => "text".to_owned(),
        DataType::Boolean => "a boolean".to_owned(),
        other if other.is_integer() => "an integer".to_owned(),
        other if other.is_floating() => "a floating-point number".to_owned(),
        DataType::Date32 | DataType::Date64 => "a date".to_owned(),
        DataType::Timestamp(..) => "a timestamp".to_owned(),
        other => format!("{other}"),
    }
}
