//! `gini`: how unequally a value is spread over rows.

use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};

use crate::engine::functions::FunctionDoc;
use crate::engine::functions::arguments::{Arguments, Kind, Values};
use crate::engine::functions::counted::{CountedFunction, Key, ordered, unordered};

pub(super) static FUNCTION: CountedFunction<1> = CountedFunction {
    doc: FunctionDoc {
        name: "gini",
        signature: "gini(value [, weight]) → double",
        description: "Gini coefficient of a value over the rows: 0 if all have the same, towards 1 if one has everything. A value below 0 counts \
                      as 0, since shares of a total need a sign: mind this with many customers of negative worth. Null, NaN and infinity are \
                      not counted; null if the total is 0. Weights are whole numbers.",
        example: "SELECT gini(value) FROM (VALUES (0), (0), (0), (1)) AS t(value) = 0.75",
    },
    arguments: Arguments {
        required: &[Kind::Number],
        optional: &[Kind::Whole],
    },
    returns: || DataType::Float64,
    constant: None,
    key,
    finish,
};

fn key(values: &Values, row: usize, _: Option<&ScalarValue>) -> Result<Option<Key<1>>> {
    Ok(values.number(0, row).map(|value| [ordered(value.max(0.0))]))
}

/// Sum of (2 i − n − 1) v_i over ranks i of ascending values, divided by n times their sum.
fn finish(_: Option<&ScalarValue>, groups: &[(Key<1>, u64)]) -> Result<ScalarValue> {
    let rows: f64 = groups.iter().map(|(_, count)| *count as f64).sum();
    // Shares of the largest value: no sum overflows.
    let largest = groups.last().map_or(0.0, |(key, _)| unordered(key[0]));
    if largest <= 0.0 {
        return Ok(ScalarValue::Float64(None));
    }
    let (mut before, mut total, mut spread) = (0.0, 0.0, 0.0);
    for (key, count) in groups {
        let (value, count) = (unordered(key[0]) / largest, *count as f64);
        total += count * value;
        // The ranks of a group are before + 1 to before + count.
        spread += count * value * (2.0 * before + count - rows);
        before += count;
    }
    Ok(ScalarValue::Float64(Some((spread / (rows * total)).clamp(0.0, 1.0))))
}
