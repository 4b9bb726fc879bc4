//! `strip_apostrophe`: undoes the mark by which spreadsheets keep digits as text.

use arrow::array::StringArray;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;

use super::inputs::Inputs;
use super::{FunctionDoc, TextFunction};

pub(super) static FUNCTION: TextFunction = TextFunction {
    doc: FunctionDoc {
        name: "strip_apostrophe",
        signature: "strip_apostrophe(text) → text",
        description: "Removes one apostrophe at the start: Shopify and Excel write '0123 to keep a leading zero. Null is null.",
        example: "strip_apostrophe('''01067') = '01067'",
    },
    arguments: 1..=1,
    returns: || DataType::Utf8,
    check: super::any,
    evaluate,
};

fn evaluate(inputs: &Inputs) -> Result<ColumnarValue> {
    inputs.map::<String, StringArray>(|row| {
        Ok(inputs
            .get(0, row)
            .map(|text| text.strip_prefix('\'').unwrap_or(text).to_owned()))
    })
}
