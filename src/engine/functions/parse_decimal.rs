//! `parse_decimal`: an amount as a country writes it.

use std::sync::Arc;

use arrow::array::Decimal128Array;
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ColumnarValue;

use super::inputs::{Inputs, Last};
use super::{FunctionDoc, TextFunction};
use crate::text::number::{self, Locale};

const PRECISION: u8 = 18;
const SCALE: i8 = 4;

const NAME: &str = "parse_decimal";

pub(super) static FUNCTION: TextFunction = TextFunction {
    doc: FunctionDoc {
        name: NAME,
        signature: "parse_decimal(text, locale) → decimal(18,4)",
        description: "Reads a number as `de` (1.234,56), `en` (1,234.56), `ch` (1'234.56) or `fr` (1 234,56) writes it. Currency signs, \
                      a sign at the end and parentheses for negative numbers are understood. Digits after the fourth decimal are rounded \
                      half away from zero. Null and blank are null; what is not one number is null and listed in `rejects`.",
        example: "parse_decimal('1.234,56 €', 'de') = 1234.5600",
    },
    arguments: 2..=2,
    returns: || DataType::Decimal128(PRECISION, SCALE),
    check: |position, text| if position == 1 { locale_of(NAME, text).map(drop) } else { Ok(()) },
    evaluate,
};

fn evaluate(inputs: &Inputs) -> Result<ColumnarValue> {
    let mut locale = Last::new();
    inputs.map_with(
        |row| {
            let Some(name) = inputs.get(1, row) else { return Ok(None) };
            let locale = *locale.get(name, |name| locale_of(NAME, name))?;
            Ok(inputs.parse(row, |text| number::parse_decimal(text, locale)))
        },
        |array: Decimal128Array| {
            Arc::new(
                array
                    .with_precision_and_scale(PRECISION, SCALE)
                    .expect("18 and 4 are in the range of a 128-bit decimal"),
            )
        },
    )
}

fn locale_of(function: &str, name: &str) -> Result<Locale> {
    match name {
        "de" => Ok(Locale::De),
        "en" => Ok(Locale::En),
        "ch" => Ok(Locale::Ch),
        "fr" => Ok(Locale::Fr),
        _ => exec_err!("{function}: the locale is none of de, en, ch, fr"),
    }
}
