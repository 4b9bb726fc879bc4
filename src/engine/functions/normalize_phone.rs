//! `normalize_phone`: a phone number in E.164.

use arrow::array::StringArray;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;

use super::inputs::Inputs;
use super::{FunctionDoc, TextFunction};
use crate::text::phone;

pub(super) static FUNCTION: TextFunction = TextFunction {
    doc: FunctionDoc {
        name: "normalize_phone",
        signature: "normalize_phone(text, country) → text",
        description: "Writes a phone number as +country number; a national number is read as of the country (ISO 3166, two letters). Null and blank are \
                      null; what is not a possible number is null and listed in `rejects`.",
        example: "normalize_phone('030 901820', 'DE') = '+4930901820'",
    },
    arguments: 2..=2,
    returns: || DataType::Utf8,
    check: super::any,
    evaluate,
};

fn evaluate(inputs: &Inputs) -> Result<ColumnarValue> {
    inputs.map::<String, StringArray>(|row| {
        let Some(country) = inputs.get(1, row) else { return Ok(None) };
        Ok(inputs.parse(row, |text| phone::normalize(text, country)))
    })
}
