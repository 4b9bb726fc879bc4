//! How long rows are kept: those that are older on the as-of day are not published, and no model reads them.
//!
//! Age is counted in days of the project's time zone from the as-of day back, so the same inputs and the same day give the same rows.

use std::collections::BTreeMap;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use bytes::Bytes;
use chrono::{Days, NaiveDate, NaiveTime, TimeZone};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::config::spec::RetentionSpec;
use crate::error::{Error, Result};
use crate::suppress::OrderIds;
use crate::table::{RecordKind, Rejects, column};

/// State file that says when each file was first read.
pub const FIRST_READ: &str = "first_read.json";

/// Leaves out rows whose time lies before the first day that is kept; lines go with their order. A row without a time is kept. Gives how many
/// went, by record.
#[must_use]
pub fn expire(
    spec: &RetentionSpec,
    time_zone: chrono_tz::Tz,
    as_of: NaiveDate,
    facts: &mut [(RecordKind, Vec<RecordBatch>)],
) -> BTreeMap<String, u64> {
    let mut gone = BTreeMap::new();
    let mut orders = OrderIds::default();
    for (kind, batches) in facts {
        let (days, time) = match kind {
            RecordKind::Orders => (spec.orders_days, column::ORDERED_AT),
            RecordKind::Events => (spec.events_days, column::OCCURRED_AT),
            RecordKind::Interactions => (spec.interactions_days, column::OCCURRED_AT),
            RecordKind::OrderLines => (None, ""),
            RecordKind::Contacts | RecordKind::Subscriptions | RecordKind::ExchangeRates => continue,
        };
        let first = days.and_then(|days| first_instant(time_zone, as_of, days));
        let masks: Vec<Option<BooleanArray>> = batches
            .par_iter()
            .map(|batch| match first {
                Some(first) => younger(batch, time, first),
                None if *kind == RecordKind::OrderLines && !orders.is_empty() => Some(orders.others(batch)),
                None => None,
            })
            .collect();
        let mut count = 0;
        for (batch, mask) in batches.iter_mut().zip(masks) {
            let Some(mask) = mask.filter(|mask| mask.true_count() < mask.len()) else {
                continue;
            };
            count += (mask.len() - mask.true_count()) as u64;
            if *kind == RecordKind::Orders {
                orders.add(batch, |row| !mask.value(row));
            }
            *batch = arrow::compute::filter_record_batch(batch, &mask).expect("a mask has a value for each row of its batch");
        }
        batches.retain(|batch| batch.num_rows() > 0);
        if count > 0 {
            gone.insert(kind.name().to_owned(), count);
        }
    }
    gone
}

/// First microsecond of the first day that is kept: `days` days before the as-of day.
fn first_instant(time_zone: chrono_tz::Tz, as_of: NaiveDate, days: u32) -> Option<i64> {
    let midnight = as_of.checked_sub_days(Days::new(u64::from(days)))?.and_time(NaiveTime::MIN);
    // Where clocks skip midnight, the day begins when they have.
    let instant = (0..=3).find_map(|hours| {
        time_zone
            .from_local_datetime(&(midnight + chrono::TimeDelta::hours(hours)))
            .earliest()
    });
    instant.map(|instant| instant.timestamp_micros())
}

fn younger(batch: &RecordBatch, time: &str, first: i64) -> Option<BooleanArray> {
    let times = batch.column_by_name(time)?.as_primitive_opt::<TimestampMicrosecondType>()?;
    Some(times.iter().map(|time| Some(time.is_none_or(|time| time >= first))).collect())
}

/// When each file was first read with the content that it has: what rejects age by.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FirstRead {
    /// Source → path → (SHA-256, as-of day of the first run that read it).
    pub files: BTreeMap<String, BTreeMap<String, (String, NaiveDate)>>,
}

impl FirstRead {
    /// Reads the state file; a version without one knows no file.
    ///
    /// # Errors
    /// `Environment` if it is damaged.
    pub fn read(bytes: Option<&Bytes>) -> Result<Self> {
        let Some(bytes) = bytes else { return Ok(Self::default()) };
        serde_json::from_slice(bytes).map_err(|error| {
            Error::environment("a state file of the newest version cannot be read")
                .with("file", FIRST_READ)
                .hint("restore the file, or publish into a new warehouse")
                .because(error)
        })
    }

    /// The state file.
    ///
    /// # Errors
    /// `Internal` if it does not fit JSON.
    pub fn write(&self) -> Result<(String, Bytes)> {
        let json = serde_json::to_vec_pretty(self);
        let bytes = json.map_err(|error| Error::internal("a state file does not fit JSON").because(error))?;
        Ok((FIRST_READ.to_owned(), bytes.into()))
    }

    /// The files of a run (source, path, SHA-256): those with the content that was read before keep their day, all others have the as-of day.
    #[must_use]
    pub fn after<'a>(&self, inputs: impl Iterator<Item = (&'a str, &'a str, &'a str)>, as_of: NaiveDate) -> Self {
        let mut next = Self::default();
        for (source, path, sha256) in inputs {
            let known = self.files.get(source).and_then(|files| files.get(path));
            let day = known.filter(|(known, _)| known == sha256).map_or(as_of, |&(_, day)| day.min(as_of));
            let files = next.files.entry(source.to_owned()).or_default();
            files.insert(path.to_owned(), (sha256.to_owned(), day));
        }
        next
    }

    /// Blanks the content of rejects that are older: of a file first read more than `rejects_days` before the as-of day; where the file is not
    /// known, the newest file of the source counts. Gives how many.
    pub fn expire(&self, spec: &RetentionSpec, as_of: NaiveDate, rejects: &mut Rejects) -> u64 {
        let Some(first) = spec
            .rejects_days
            .and_then(|days| as_of.checked_sub_days(Days::new(u64::from(days))))
        else {
            return 0;
        };
        let mut blanked = 0;
        for reject in rejects.rows.iter_mut().filter(|reject| reject.content.is_some()) {
            let files = self.files.get(&reject.source);
            let own = reject.file.as_ref().and_then(|file| files?.get(file)).map(|&(_, day)| day);
            let newest = || files?.values().map(|&(_, day)| day).max();
            if own.or_else(newest).is_some_and(|day| day < first) {
                reject.content = None;
                blanked += 1;
            }
        }
        blanked
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray, TimestampMicrosecondArray};

    use super::*;
    use crate::table::{Reject, RejectLevel};

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn spec(orders: Option<u32>, rejects: Option<u32>) -> RetentionSpec {
        RetentionSpec {
            orders_days: orders,
            rejects_days: rejects,
            ..RetentionSpec::default()
        }
    }

    fn orders(times: &[&str]) -> RecordBatch {
        let micros = times
            .iter()
            .map(|time| time.parse::<chrono::DateTime<chrono::Utc>>().expect("a time").timestamp_micros());
        let ids: StringArray = (0..times.len()).map(|id| Some(format!("O-{id}"))).collect();
        let sources: StringArray = times.iter().map(|_| Some("shop")).collect();
        RecordBatch::try_from_iter([
            ("source", Arc::new(sources) as ArrayRef),
            ("order_id", Arc::new(ids) as ArrayRef),
            (
                "ordered_at",
                Arc::new(TimestampMicrosecondArray::from_iter_values(micros).with_timezone("UTC")) as ArrayRef,
            ),
        ])
        .expect("columns of one length")
    }

    fn ids(batch: &RecordBatch) -> Vec<Option<&str>> {
        batch.column_by_name("order_id").expect("ids").as_string::<i32>().iter().collect()
    }

    #[test]
    fn a_row_is_kept_from_midnight_of_the_first_day_in_the_projects_time_zone_and_lines_go_with_their_order() {
        // Berlin is an hour ahead of UTC in winter.
        let first = orders(&["2026-01-30T22:59:59.999999Z", "2026-01-30T23:00:00Z"]);
        let lines =
            RecordBatch::try_from_iter([("source", first.column(0).clone()), ("order_id", first.column(1).clone())]).expect("lines");
        let mut facts = [(RecordKind::Orders, vec![first]), (RecordKind::OrderLines, vec![lines])];
        let gone = expire(&spec(Some(10), None), chrono_tz::Europe::Berlin, day("2026-02-10"), &mut facts);
        assert_eq!(gone, BTreeMap::from([("orders".to_owned(), 1), ("order_lines".to_owned(), 1)]));
        for (kind, batches) in &facts {
            assert_eq!(ids(&batches[0]), [Some("O-1")], "{kind:?}");
        }
    }

    #[test]
    fn without_a_limit_everything_is_kept() {
        let mut facts = [(RecordKind::Orders, vec![orders(&["1999-01-01T00:00:00Z"])])];
        let gone = expire(&spec(None, None), chrono_tz::UTC, day("2026-02-10"), &mut facts);
        assert!(gone.is_empty() && facts[0].1[0].num_rows() == 1);
    }

    #[test]
    fn rejects_age_with_the_content_of_their_file() {
        let read = |first: &FirstRead, hash: &str, as_of: &str| {
            first.after([("crm", "a.csv", hash), ("crm", "b.csv", "same")].into_iter(), day(as_of))
        };
        let reject = |file: Option<&str>| Reject {
            source: "crm".to_owned(),
            record: None,
            file: file.map(str::to_owned),
            line: Some(1),
            level: RejectLevel::Row,
            reason: "ragged_row".to_owned(),
            field: None,
            content: Some("x".to_owned()),
        };
        let all = || Rejects {
            rows: vec![reject(Some("a.csv")), reject(Some("b.csv")), reject(None)],
        };
        let first = read(&FirstRead::default(), "old", "2026-01-01");
        let later = read(&first, "new", "2026-01-31");
        let left = |files: &FirstRead, as_of: &str| {
            let mut rejects = all();
            let blanked = files.expire(&spec(None, Some(30)), day(as_of), &mut rejects);
            let kept: Vec<bool> = rejects.rows.iter().map(|reject| reject.content.is_some()).collect();
            assert_eq!(blanked as usize, kept.iter().filter(|kept| !**kept).count());
            kept
        };
        assert_eq!(left(&later, "2026-01-31"), [true, true, true], "30 days old is kept");
        assert_eq!(
            left(&later, "2026-02-01"),
            [true, false, true],
            "31 days are too many; without a file the newest counts"
        );
        assert_eq!(left(&later, "2026-03-03"), [false, false, false]);
        assert_eq!(read(&later, "new", "2026-05-01"), later, "what was read before keeps its day");
    }
}
