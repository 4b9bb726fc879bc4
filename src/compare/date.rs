//! What is asked of a date is decided once a distinct value: its year, and the code of the same date with day and month swapped.

use arrow::array::StringArray;
use rustc_hash::FxHashMap;

use crate::table::NULL_CODE;

/// Year of each value; [`NULL_CODE`] if it is not an ISO date (`YYYY-MM-DD`).
pub(super) fn years(values: &StringArray) -> Vec<u32> {
    let year = |value| parts(value).and_then(|(year, _, _)| year.parse().ok());
    values.iter().flatten().map(|value| year(value).unwrap_or(NULL_CODE)).collect()
}

/// Code of each date with day and month swapped; [`NULL_CODE`] if that is no date or no record holds it. An involution.
pub(super) fn swapped(values: &StringArray) -> Vec<u32> {
    let code_of: FxHashMap<&str, u32> = values.iter().flatten().zip(0_u32..).collect();
    let swap = |value| {
        let (year, month, day) = parts(value)?;
        let is_month = |text: &str| text.parse().is_ok_and(|number: u8| (1..=12).contains(&number));
        (is_month(month) && is_month(day)).then(|| format!("{year}-{day}-{month}"))
    };
    let code = |value| code_of.get(swap(value)?.as_str()).copied();
    values.iter().flatten().map(|value| code(value).unwrap_or(NULL_CODE)).collect()
}

/// Year, month and day of an ISO date as texts of digits.
fn parts(value: &str) -> Option<(&str, &str, &str)> {
    let bytes = value.as_bytes();
    let shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    shaped.then(|| (&value[..4], &value[5..7], &value[8..]))
}
