//! Dates and times: the spellings of real exports, clock changes, and texts that are nothing of the kind.

use chrono::{Datelike, Timelike};
use chrono_tz::Europe::Berlin;
use proptest::prelude::*;

use super::*;

const FORMATS: [&str; 10] = [
    "dd.mm.yyyy",
    "yyyy-mm-dd",
    "mm/dd/yy",
    "yyyymmdd",
    "dd mon yyyy",
    "mm/dd/yyyy hh:mi am",
    "yyyy-mm-ddThh:mi:ss",
    "rfc3339",
    "excel",
    "unix_ms",
];

fn day(text: &str, format: &str) -> Option<String> {
    parse_date(text, format).map(|day| day.to_string())
}

fn instant(text: &str, format: &str, zone: chrono_tz::Tz) -> Option<String> {
    parse_timestamp(text, format, zone).map(|instant| instant.to_rfc3339())
}

#[test]
fn days_are_read_as_exports_write_them() {
    for (text, format, expected) in [
        ("31.12.2025", "dd.mm.yyyy", "2025-12-31"),
        (" 1.2.2025 ", "dd.mm.yyyy", "2025-02-01"),
        ("12/31/99", "mm/dd/yy", "1999-12-31"),
        ("01/02/29", "mm/dd/yy", "2029-01-02"),
        ("01/02/30", "mm/dd/yy", "1930-01-02"),
        ("20240229", "YYYYMMDD", "2024-02-29"),
        ("5 Mär. 2024", "dd mon yyyy", "2024-03-05"),
        ("05-DEC-2024", "dd-mon-yyyy", "2024-12-05"),
        ("2024-05-01 10:00", "yyyy-mm-dd hh:mi", "2024-05-01"),
        ("45658", "excel", "2025-01-01"),
        ("1", "excel", "1900-01-01"),
        ("61", "excel", "1900-03-01"),
    ] {
        assert_eq!(day(text, format).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn what_is_no_day_is_none() {
    for (text, format) in [
        ("00.00.0000", "dd.mm.yyyy"),
        ("0000-00-00", "yyyy-mm-dd"),
        ("31.02.2024", "dd.mm.yyyy"),
        ("2024-13-01", "yyyy-mm-dd"),
        ("1.2.24", "dd.mm.yyyy"),
        ("2024-05-01x", "yyyy-mm-dd"),
        ("2024511", "yyyymmdd"),
        ("60", "excel"),
        ("0", "excel"),
        ("2958466", "excel"),
        ("", "dd.mm.yyyy"),
    ] {
        assert_eq!(day(text, format), None, "{text}");
    }
}

#[test]
fn a_format_needs_year_month_and_day_once() {
    for format in ["", "yyyy-mm", "dd.mm", "yyyy-mm-dd-dd", "quatsch", "yyyy-mm-dd hh:mi x"] {
        assert_eq!(Format::parse(format), None, "{format}");
    }
}

#[test]
fn instants_know_offsets_fractions_and_zones() {
    for (text, format, expected) in [
        ("2025-07-01 12:00:00", "yyyy-mm-dd hh:mi:ss", "2025-07-01T10:00:00+00:00"),
        ("2025-07-01T12:00:00.5Z", "yyyy-mm-dd hh:mi:ss", "2025-07-01T12:00:00.500+00:00"),
        ("2025-07-01T12:00:00+05:30", "rfc3339", "2025-07-01T06:30:00+00:00"),
        ("2025-07-01 12:00:00 -0400", "yyyy-mm-ddThh:mi:ss", "2025-07-01T16:00:00+00:00"),
        (
            "2025-07-01 12:00:00,123456 UTC",
            "yyyy-mm-dd hh:mi:ss",
            "2025-07-01T12:00:00.123456+00:00",
        ),
        ("01/02/2025 12:05 AM", "mm/dd/yyyy hh:mi am", "2025-01-01T23:05:00+00:00"),
        ("01/02/2025 1:05 pm", "mm/dd/yyyy hh:mi am", "2025-01-02T12:05:00+00:00"),
        ("31.12.2025", "dd.mm.yyyy", "2025-12-30T23:00:00+00:00"),
        ("2016-12-31T23:59:60Z", "rfc3339", "2017-01-01T00:00:00+00:00"),
        ("0", "unix", "1970-01-01T00:00:00+00:00"),
        ("-1.5", "unix", "1969-12-31T23:59:58.500+00:00"),
        ("1751364000123", "unix_ms", "2025-07-01T10:00:00.123+00:00"),
        ("1751364000123456", "unix_us", "2025-07-01T10:00:00.123456+00:00"),
        ("45658.5", "excel", "2025-01-01T11:00:00+00:00"),
    ] {
        assert_eq!(instant(text, format, Berlin).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn a_malformed_time_is_none() {
    for text in [
        "2025-07-01 24:00:00",
        "2025-07-01 12:60:00",
        "2025-07-01 12:00:00.",
        "2025-07-01 12:00:00 +1",
        "2025-07-01 12:00:00 +02:00x",
        "2025-07-01 12:00:00 +0260",
        "2025-07-01 12:00:00 CEST",
        "0000-00-00 00:00:00",
    ] {
        assert_eq!(instant(text, "yyyy-mm-dd hh:mi:ss", Berlin), None, "{text}");
    }
}

#[test]
fn a_skipped_hour_moves_forward_and_a_double_hour_is_the_first() {
    let format = "yyyy-mm-dd hh:mi";
    assert_eq!(
        instant("2025-03-30 02:30", format, Berlin).as_deref(),
        Some("2025-03-30T01:30:00+00:00")
    );
    assert_eq!(
        instant("2025-10-26 02:30", format, Berlin).as_deref(),
        Some("2025-10-26T00:30:00+00:00")
    );
    let apia = chrono_tz::Pacific::Apia;
    assert_eq!(
        instant("2011-12-30 12:00", format, apia).as_deref(),
        Some("2011-12-30T22:00:00+00:00")
    );
}

#[test]
fn a_date_of_zeros_is_recognized() {
    assert!(is_zero("0000-00-00 00:00:00"));
    assert!(is_zero("00.00.0000"));
    assert!(!is_zero("0"));
    assert!(!is_zero("2000-00-00"));
}

proptest! {
    #[test]
    fn no_text_and_no_format_makes_it_panic(text in any::<String>(), format in any::<String>()) {
        let _ = parse_timestamp(&text, &format, Berlin);
        let _ = is_zero(&text);
        for known in FORMATS {
            let _ = (parse_date(&text, known), parse_timestamp(&text, known, Berlin));
        }
    }

    #[test]
    fn texts_near_a_time_never_panic(text in "[0-9]{0,5}[-./ ][0-9]{0,3}[-./ ][0-9]{0,5}[ T]?[0-9:.,]{0,12}[ZzäP+-]?[0-9:]{0,6}", format in "(yyyy|yy|mm|mon|dd|hh|mi|ss|am|[-./: t]){0,9}") {
        let _ = parse_timestamp(&text, &format, Berlin);
        for known in FORMATS {
            let _ = (parse_date(&text, known), parse_timestamp(&text, known, Berlin));
        }
    }

    #[test]
    fn every_day_survives_being_written(days in 0_i32..3_652_059) {
        let day = NaiveDate::from_num_days_from_ce_opt(days + 1).expect("years 1 to 9999");
        let (year, month, number) = (day.year(), day.month(), day.day());
        prop_assert_eq!(parse_date(&format!("{number:02}.{month:02}.{year:04}"), "dd.mm.yyyy"), Some(day));
        prop_assert_eq!(parse_date(&format!("{year:04}{month:02}{number:02}"), "yyyymmdd"), Some(day));
    }

    #[test]
    fn every_instant_survives_being_written(seconds in 0_i64..4_000_000_000, micros in 0_u32..1_000_000) {
        let instant = DateTime::from_timestamp(seconds, micros * 1000).expect("in range");
        prop_assert_eq!(parse_timestamp(&instant.to_rfc3339(), "rfc3339", Berlin), Some(instant));
        prop_assert_eq!(parse_timestamp(&instant.timestamp_micros().to_string(), "unix_us", Berlin), Some(instant));
        // Local times keep their minute, also across a change of clocks.
        let local = instant.with_timezone(&Berlin).naive_local();
        let back = parse_timestamp(&local.to_string(), "yyyy-mm-dd hh:mi:ss", Berlin).expect("a local time of an instant exists");
        prop_assert_eq!(back.with_timezone(&Berlin).naive_local().minute(), local.minute());
    }
}
