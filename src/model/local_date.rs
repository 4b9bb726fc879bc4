//! SQL function `local_date(timestamp)`: the day in the reporting time zone, the one place where models cut days.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use crate::engine::functions::LOCAL_DATE;

const MICROSECONDS_A_DAY: i64 = 86_400_000_000;

/// `local_date(timestamp) -> date`: null for null and for instants outside the calendar. A timestamp without a zone is UTC.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct LocalDate {
    zone: Tz,
    signature: Signature,
}

impl LocalDate {
    /// Cuts days in this zone.
    #[must_use]
    pub fn new(zone: Tz) -> Self {
        Self {
            zone,
            signature: Signature::any(1, Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for LocalDate {
    fn name(&self) -> &'static str {
        LOCAL_DATE.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [DataType::Timestamp(_, _) | DataType::Date32 | DataType::Null] => Ok(DataType::Date32),
            [other] => datafusion::common::plan_err!("local_date takes a timestamp, not {other}"),
            _ => datafusion::common::plan_err!("local_date takes one timestamp"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_scalar = matches!(args.args[0], ColumnarValue::Scalar(_));
        let values = args.args[0].to_array(if is_scalar { 1 } else { args.number_rows })?;
        let days = days(&values, self.zone)?;
        if is_scalar {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&days, 0)?));
        }
        Ok(ColumnarValue::Array(days))
    }
}

fn days(values: &ArrayRef, zone: Tz) -> Result<ArrayRef> {
    if matches!(values.data_type(), DataType::Date32 | DataType::Null) {
        return Ok(cast(values, &DataType::Date32)?);
    }
    let instants = cast(values, &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))?;
    let instants = instants.as_primitive::<TimestampMicrosecondType>();
    let days: Date32Array = instants
        .iter()
        .map(|instant| instant.and_then(|instant| day(instant, zone)))
        .collect();
    Ok(Arc::new(days))
}

/// Days since 1970-01-01 of the local day of an instant in microseconds.
fn day(instant: i64, zone: Tz) -> Option<i32> {
    if zone == Tz::UTC {
        return i32::try_from(instant.div_euclid(MICROSECONDS_A_DAY)).ok();
    }
    let utc = DateTime::from_timestamp_micros(instant)?.naive_utc();
    let offset_seconds = i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc());
    i32::try_from((instant + offset_seconds * 1_000_000).div_euclid(MICROSECONDS_A_DAY)).ok()
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    fn days_since_epoch(date: NaiveDate) -> i32 {
        i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).expect("a test's date")
    }

    #[test]
    fn a_day_is_cut_in_its_zone_in_summer_and_winter() {
        let at = |text: &str| DateTime::parse_from_rfc3339(text).expect("a date").timestamp_micros();
        let on = |y, m, d| Some(days_since_epoch(NaiveDate::from_ymd_opt(y, m, d).expect("a date")));
        let berlin = Tz::Europe__Berlin;
        assert_eq!(day(at("2024-06-30T22:00:00Z"), berlin), on(2024, 7, 1));
        assert_eq!(day(at("2024-12-31T22:59:59Z"), berlin), on(2024, 12, 31));
        assert_eq!(day(at("2024-12-31T23:00:00Z"), berlin), on(2025, 1, 1));
        assert_eq!(day(at("1969-12-31T23:59:59Z"), Tz::UTC), on(1969, 12, 31));
    }
}
