//! `normalize_email`: one spelling for each mailbox.

use arrow::array::StringArray;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;

use super::inputs::Inputs;
use super::{FunctionDoc, TextFunction};
use crate::text::email;

pub(super) static FUNCTION: TextFunction = TextFunction {
    doc: FunctionDoc {
        name: "normalize_email",
        signature: "normalize_email(text) → text",
        description: "Trims an e-mail address, removes `mailto:` and angle brackets, and makes it lower case. Null and blank are null; what is not an \
                      address is null and listed in `rejects`.",
        example: "normalize_email(' <Erika@Example.ORG>') = 'erika@example.org'",
    },
    arguments: 1..=1,
    returns: || DataType::Utf8,
    check: super::any,
    evaluate,
};

fn evaluate(inputs: &Inputs) -> Result<ColumnarValue> {
    inputs.map::<String, StringArray>(|row| Ok(inputs.parse(row, email::normalize)))
}
