//! Birth dates: stand-ins and impossible days become missing. There is no clock here: a day is judged by when the source knew the person.

use std::sync::Arc;

use arrow::array::{Array, Date32Array, StringBuilder, TimestampMicrosecondArray};
use chrono::{Datelike, NaiveDate};
use rustc_hash::FxHashMap;

use super::findings::{Finding, Findings};
use super::single::PLACEHOLDER;
use super::{Columns, Input, distinct};
use crate::table::{NULL_CODE, column};

/// Oldest age in years that is believed.
pub const AGE_MAX: i32 = 120;

/// Years between which a date is believed where a row has no timestamp.
const YEARS: std::ops::RangeInclusive<i32> = 1880..=2200;

const DAY_MICROSECONDS: i64 = 86_400_000_000;

/// The date for people; its ISO text for matching.
pub fn clean<'a>(input: &Input<'a>) -> Columns<'a> {
    let mut columns = Columns::default();
    let Some(dates) = input
        .batch
        .column_by_name(column::BIRTH_DATE)
        .and_then(|column| column.as_any().downcast_ref::<Date32Array>())
    else {
        return columns;
    };
    let instants = |name| {
        input
            .batch
            .column_by_name(name)
            .and_then(|column| column.as_any().downcast_ref::<TimestampMicrosecondArray>())
    };
    let known = [instants(column::UPDATED_AT), instants(column::CREATED_AT)];
    let seen_on = |row: usize| {
        known
            .iter()
            .flatten()
            .find(|instants| instants.is_valid(row))
            .map(|instants| instants.value(row).div_euclid(DAY_MICROSECONDS))
    };

    let mut findings = Findings::default();
    let mut positions = vec![NULL_CODE; input.rows];
    let mut known_days: FxHashMap<i32, u32> = FxHashMap::default();
    let mut forms = StringBuilder::new();
    let mut days_taken = 0_u32;
    for (row, days) in dates.iter().enumerate() {
        let Some(days) = days else { continue };
        let day = day_of(i64::from(days));
        match judge(day, seen_on(row).and_then(day_of)) {
            Ok(day) => {
                let position = known_days.entry(days).or_insert_with(|| {
                    forms.append_value(day.to_string());
                    days_taken += 1;
                    days_taken - 1
                });
                positions[row] = *position;
            }
            Err(finding) => {
                let content = || day.map(|day| day.to_string()).unwrap_or_default();
                findings.add(column::BIRTH_DATE, finding, input.text(column::SOURCE), row, content);
            }
        }
    }
    if input.shows() {
        let display: Date32Array = positions
            .iter()
            .zip(dates)
            .map(|(&position, days)| days.filter(|_| position != NULL_CODE))
            .collect();
        columns.display.push((column::BIRTH_DATE, Arc::new(display)));
    }
    if input.wants(column::BIRTH_DATE) {
        let matching = distinct::matching(column::BIRTH_DATE, positions, &forms.finish());
        columns.matching.push((column::BIRTH_DATE, matching));
    }
    columns.findings = findings;
    columns
}

fn judge(day: Option<NaiveDate>, seen_on: Option<NaiveDate>) -> Result<NaiveDate, Finding> {
    const INVALID: Finding = Finding::Damaged("invalid_birth_date");
    let day = day.ok_or(INVALID)?;
    if matches!(
        (day.year(), day.month(), day.day()),
        (1900 | 1901 | 1970 | 1, 1, 1) | (9999, 12, 31)
    ) {
        return Err(PLACEHOLDER);
    }
    let possible = match seen_on {
        // A day of grace: the source's day may run ahead of UTC.
        Some(seen_on) => day <= seen_on.succ_opt().unwrap_or(seen_on) && seen_on.year() - day.year() <= AGE_MAX,
        None => YEARS.contains(&day.year()),
    };
    if possible { Ok(day) } else { Err(INVALID) }
}

/// Days since 1970-01-01 as a date; `None` outside of chrono's calendar.
fn day_of(days: i64) -> Option<NaiveDate> {
    const EPOCH_FROM_CE: i64 = 719_163;
    i32::try_from(days + EPOCH_FROM_CE)
        .ok()
        .and_then(NaiveDate::from_num_days_from_ce_opt)
}
