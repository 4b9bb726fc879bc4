//! `json_get`: one value out of a JSON text.

use arrow::array::StringArray;
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::logical_expr::ColumnarValue;
use serde_json::Value;

use super::inputs::{Inputs, Last};
use super::{FunctionDoc, TextFunction};

pub(super) static FUNCTION: TextFunction = TextFunction {
    doc: FunctionDoc {
        name: "json_get",
        signature: "json_get(text, path) → text",
        description: "Takes a value out of a JSON text by a path like a.b[0].c. Texts come without quotes, numbers and booleans as written, lists and \
                      objects as JSON. JSON null and a path that is not there are null; a text that is not JSON is null and listed in \
                      `rejects`. Integers beyond 64 bits lose digits.",
        example: "json_get('{\"customer\":{\"ids\":[\"a\",\"b\"]}}', 'customer.ids[1]') = 'b'",
    },
    arguments: 2..=2,
    returns: || DataType::Utf8,
    check: |position, text| if position == 1 { steps_of(text).map(drop) } else { Ok(()) },
    evaluate,
};

fn evaluate(inputs: &Inputs) -> Result<ColumnarValue> {
    let mut steps = Last::new();
    inputs.map::<String, StringArray>(|row| {
        let Some(path) = inputs.get(1, row) else { return Ok(None) };
        let steps: &Vec<Step> = steps.get(path, steps_of)?;
        let value: Option<Value> = inputs.parse(row, |text| serde_json::from_str(text).ok());
        Ok(value.as_ref().and_then(|value| walk(value, steps)).and_then(as_text))
    })
}

fn steps_of(path: &str) -> Result<Vec<Step>> {
    parse_path(path).ok_or_else(|| exec_datafusion_err!("json_get: a path is like a.b[0].c"))
}

#[derive(Debug, PartialEq)]
enum Step {
    Key(String),
    Index(usize),
}

/// `a.b[0].c` as steps; `None` if it is malformed.
fn parse_path(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    for (position, part) in path.split('.').enumerate() {
        let (key, mut rest) = match part.find('[') {
            Some(open) => part.split_at(open),
            None => (part, ""),
        };
        if !key.is_empty() {
            steps.push(Step::Key(key.to_owned()));
        } else if rest.is_empty() || position > 0 {
            return None;
        }
        while let Some(inner) = rest.strip_prefix('[') {
            let (index, after) = inner.split_once(']')?;
            steps.push(Step::Index(index.parse().ok()?));
            rest = after;
        }
        if !rest.is_empty() {
            return None;
        }
    }
    Some(steps)
}

fn walk<'a>(value: &'a Value, steps: &[Step]) -> Option<&'a Value> {
    steps.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Index(index) => value.get(index),
    })
}

/// A JSON value as the text of a column; JSON null is null.
pub(super) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_keys_and_indexes() {
        assert_eq!(
            parse_path("a.b[0][1]"),
            Some(vec![Step::Key("a".into()), Step::Key("b".into()), Step::Index(0), Step::Index(1)])
        );
        assert_eq!(parse_path("[2]"), Some(vec![Step::Index(2)]));
        for malformed in ["", ".", "a.", "a[", "a[x]", "a[0]b", "a..b", "a.[0]"] {
            assert_eq!(parse_path(malformed), None, "{malformed}");
        }
    }
}
