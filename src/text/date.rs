//! Dates and times as exports write them.

use chrono::{DateTime, NaiveDate, Utc};

/// A day. `format` is like `dd.mm.yyyy`, `yyyy-mm-dd`, `mm/dd/yy`, `yyyymmdd`, or `excel` (serial number). Zero dates give `None`.
#[must_use]
pub fn parse_date(_text: &str, _format: &str) -> Option<NaiveDate> {
    todo!()
}

/// An instant. `format` as above with `hh:mi:ss`, fractions and an offset (`+hh:mm`, `Z`); a text without offset is local time of `zone`.
/// `rfc3339`, `unix`, `unix_ms`, `unix_us` and `excel` are formats too.
#[must_use]
pub fn parse_timestamp(_text: &str, _format: &str, _zone: chrono_tz::Tz) -> Option<DateTime<Utc>> {
    todo!()
}
