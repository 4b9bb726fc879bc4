//! `parse_date`: a day in a given format.

use arrow::array::{Date32Array, types::Date32Type};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::logical_expr::ColumnarValue;

use super::inputs::{Inputs, Last};
use super::{FunctionDoc, TextFunction};
use crate::text::date::{self, Format};

const NAME: &str = "parse_date";

pub(super) static FUNCTION: TextFunction = TextFunction {
    doc: FunctionDoc {
        name: NAME,
        signature: "parse_date(text, format) → date",
        description: "Reads a day. The format is made of yyyy, yy (30 to 99 mean 19yy), mm, mon, dd and, where the text has a time, \
                      hh, mi, ss, am; or it is `excel` (a serial number). Zero dates like 0000-00-00 are null. Null and blank are \
                      null; what does not fit is null and listed in `rejects`.",
        example: "parse_date('31.12.2025', 'dd.mm.yyyy') = 2025-12-31",
    },
    arguments: 2..=2,
    returns: || DataType::Date32,
    check: |position, text| if position == 1 { format_of(NAME, text).map(drop) } else { Ok(()) },
    evaluate,
};

fn evaluate(inputs: &Inputs) -> Result<ColumnarValue> {
    let mut format = Last::new();
    inputs.map::<i32, Date32Array>(|row| {
        let Some(written) = inputs.get(1, row) else { return Ok(None) };
        let format = format.get(written, |written| format_of(NAME, written))?;
        if inputs.get(0, row).is_some_and(date::is_zero) {
            return Ok(None);
        }
        Ok(inputs.parse(row, |text| format.date(text)).map(Date32Type::from_naive_date))
    })
}

pub(super) fn format_of(function: &str, written: &str) -> Result<Format> {
    Format::parse(written)
        .ok_or_else(|| exec_datafusion_err!("{function}: a format has year, month and day, like dd.mm.yyyy, or is a named one"))
}
