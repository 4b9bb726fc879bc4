//! `parse_boolean`: yes and no as exports write them.

use arrow::array::BooleanArray;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;

use super::inputs::Inputs;
use super::{FunctionDoc, TextFunction};

pub(super) static FUNCTION: TextFunction = TextFunction {
    doc: FunctionDoc {
        name: "parse_boolean",
        signature: "parse_boolean(text) → boolean",
        description: "Reads ja/nein, yes/no, oui/non, true/false, wahr/falsch, on/off, y/n, j/n, t/f, 1/0 in any case, and x for true. Null and blank are \
                      null; anything else is null and listed in `rejects`.",
        example: "parse_boolean('Ja') = true",
    },
    arguments: 1..=1,
    returns: || DataType::Boolean,
    check: super::any,
    evaluate,
};

fn evaluate(inputs: &Inputs) -> Result<ColumnarValue> {
    inputs.map::<bool, BooleanArray>(|row| Ok(inputs.parse(row, parse)))
}

fn parse(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "ja" | "j" | "yes" | "y" | "oui" | "true" | "t" | "wahr" | "on" | "1" | "x" => Some(true),
        "nein" | "no" | "n" | "non" | "false" | "f" | "falsch" | "off" | "0" => Some(false),
        _ => None,
    }
}
