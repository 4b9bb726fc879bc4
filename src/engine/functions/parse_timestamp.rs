//! `parse_timestamp`: an instant in a given format and time zone.

use std::sync::Arc;

use arrow::array::TimestampMicrosecondArray;
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Result, exec_datafusion_err};
use datafusion::logical_expr::ColumnarValue;

use super::inputs::{Inputs, Last};
use super::parse_date::format_of;
use super::{FunctionDoc, TextFunction};
use crate::text::date;

const NAME: &str = "parse_timestamp";

pub(super) static FUNCTION: TextFunction = TextFunction {
    doc: FunctionDoc {
        name: NAME,
        signature: "parse_timestamp(text, format [, zone]) → timestamp(µs, UTC)",
        description: "Reads an instant. The format is as in parse_date, or `rfc3339`, `unix`, `unix_ms`, `unix_us`, `excel`. An offset in \
                      the text (Z, +02:00) wins; without one the text is local time of the IANA zone (default UTC). A local time that a \
                      clock change skipped is moved forward by the gap; one that happened twice means the earlier. Null and blank are \
                      null; what does not fit is null and listed in `rejects`.",
        example: "parse_timestamp('31.12.2025 23:30', 'dd.mm.yyyy hh:mi', 'Europe/Berlin') = 2025-12-31T22:30:00Z",
    },
    arguments: 2..=3,
    returns: || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
    check: |position, text| match position {
        1 => format_of(NAME, text).map(drop),
        2 => zone_of(NAME, text).map(drop),
        _ => Ok(()),
    },
    evaluate,
};

fn evaluate(inputs: &Inputs) -> Result<ColumnarValue> {
    let (mut format, mut zone) = (Last::new(), Last::new());
    inputs.map_with(
        |row| {
            let Some(written) = inputs.get(1, row) else { return Ok(None) };
            let format = format.get(written, |written| format_of(NAME, written))?;
            let zone_name = if inputs.count() > 2 { inputs.get(2, row) } else { Some("UTC") };
            let Some(zone_name) = zone_name else { return Ok(None) };
            let zone = *zone.get(zone_name, |name| zone_of(NAME, name))?;
            if inputs.get(0, row).is_some_and(date::is_zero) && !format.is_number() {
                return Ok(None);
            }
            Ok(inputs.parse(row, |text| format.timestamp(text, zone)).map(|instant| instant.timestamp_micros()))
        },
        |array: TimestampMicrosecondArray| Arc::new(array.with_timezone("UTC")),
    )
}

fn zone_of(function: &str, name: &str) -> Result<chrono_tz::Tz> {
    name.parse()
        .map_err(|_| exec_datafusion_err!("{function}: the zone is not an IANA name like Europe/Berlin"))
}
