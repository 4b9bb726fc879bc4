//! Which types a mapping may give for a canonical column: the same one, or one that casts without loss.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Float64Type};

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
        ColumnType::Double if given.is_numeric() => Ok(()),
        ColumnType::Double if is_text(given) => hint("use `TRY_CAST(replace(…, ',', '.') AS DOUBLE)`: `parse_decimal` keeps 4 digits only"),
        ColumnType::Double => hint("use `CAST(… AS DOUBLE)`"),
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

/// Casts to the canonical type. Values out of its range become null, and so do NaN and infinities.
pub(super) fn cast(column: &ArrayRef, wanted: ColumnType) -> Result<ArrayRef> {
    let target = wanted.arrow();
    if *column.data_type() == target {
        return Ok(if wanted == ColumnType::Double {
            finite(column)
        } else {
            column.clone()
        });
    }
    let options = CastOptions {
        safe: true,
        ..CastOptions::default()
    };
    let cast = cast_with_options(column, &target, &options).map_err(|error| Error::internal("a checked cast failed").because(error))?;
    Ok(if wanted == ColumnType::Double { finite(&cast) } else { cast })
}

/// NaN and infinities are no numbers that anybody exported: null.
fn finite(column: &ArrayRef) -> ArrayRef {
    let numbers = column.as_primitive::<Float64Type>();
    if numbers.iter().flatten().all(f64::is_finite) {
        return column.clone();
    }
    let kept: Float64Array = numbers.iter().map(|number| number.filter(|number| number.is_finite())).collect();
    Arc::new(kept)
}

/// A canonical type in words.
pub(super) fn name(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Text => "text",
        ColumnType::Boolean => "a boolean",
        ColumnType::Integer => "an integer",
        ColumnType::Decimal => "a decimal",
        ColumnType::Double => "a number",
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
