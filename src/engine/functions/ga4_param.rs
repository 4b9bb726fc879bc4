//! `ga4_param`: one parameter of a Google Analytics 4 event.

use arrow::array::StringArray;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;
use serde_json::Value;

use super::inputs::Inputs;
use super::json_get::as_text;
use super::{FunctionDoc, TextFunction};

/// Where the value stands, in the order of Google's schema.
const VALUES: [&str; 4] = ["string_value", "int_value", "float_value", "double_value"];

pub(super) static FUNCTION: TextFunction = TextFunction {
    doc: FunctionDoc {
        name: "ga4_param",
        signature: "ga4_param(text, key) → text",
        description: "Finds a key in event_params or user_properties of a GA4 export: a JSON list of {key, value: {string_value | int_value | \
                      float_value | double_value}}. A key that is not there is null; a text that is not such a list is null and listed in `rejects`.",
        example: "ga4_param('[{\"key\":\"page\",\"value\":{\"string_value\":\"/a\"}}]', 'page') = '/a'",
    },
    arguments: 2..=2,
    returns: || DataType::Utf8,
    check: super::any,
    evaluate,
};

fn evaluate(inputs: &Inputs) -> Result<ColumnarValue> {
    inputs.map::<String, StringArray>(|row| {
        let Some(key) = inputs.get(1, row) else { return Ok(None) };
        let parameters: Option<Vec<Value>> = inputs.parse(row, |text| serde_json::from_str(text).ok());
        Ok(parameters.as_deref().and_then(|parameters| find(parameters, key)))
    })
}

fn find(parameters: &[Value], key: &str) -> Option<String> {
    let parameter = parameters
        .iter()
        .find(|parameter| parameter.get("key").and_then(Value::as_str) == Some(key))?;
    let value = parameter.get("value")?;
    VALUES.iter().find_map(|name| value.get(name).and_then(as_text))
}
