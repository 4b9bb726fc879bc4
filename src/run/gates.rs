//! The gates as a run meets them: on its inputs as soon as they are read, on its customers once they have keys.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime, TimeZone};

use super::{Previous, RunOptions};
use crate::config::Spec;
use crate::engine::Engine;
use crate::error::{GateResult, Result};
use crate::gate::{self, Night};
use crate::source::{self, Ingested, SourceMeasure};
use crate::table::CleanContacts;
use crate::table::keys::Keys;

/// Judges what was read. Gives what it measures too, for the ledger.
pub fn of_inputs(
    engine: &Engine,
    spec: &Spec,
    options: &RunOptions,
    previous: &Previous,
    as_of: NaiveDate,
    ingested: &Ingested,
) -> Result<(Vec<GateResult>, Vec<SourceMeasure>)> {
    let measures = engine.compute(|| source::measure(ingested));
    let newest = newest_days(engine, spec, as_of, ingested)?;
    let night = Night {
        spec,
        ingested,
        measures: &measures,
        before: &previous.ledger,
        newest: &newest,
        as_of,
    };
    Ok((gate::inputs(&night, &options.accepted_gates), measures))
}

/// Judges the customers.
pub fn of_customers(engine: &Engine, spec: &Spec, options: &RunOptions, contacts: &CleanContacts, keys: &Keys) -> Vec<GateResult> {
    engine.compute(|| gate::customers(&spec.gates, contacts, keys, &options.accepted_gates))
}

/// The day of the newest data of each source whose age is limited, in the time zone of the project.
fn newest_days(engine: &Engine, spec: &Spec, as_of: NaiveDate, ingested: &Ingested) -> Result<BTreeMap<String, NaiveDate>> {
    let mut days = BTreeMap::new();
    let is_watched = |name: &str| spec.gates.of(name).freshness_days_max.is_some();
    let watched: Vec<_> = spec.sources.iter().filter(|source| is_watched(&source.name)).collect();
    if watched.is_empty() {
        return Ok(days);
    }
    let day_of = |microseconds: i64| {
        let instant = chrono::DateTime::from_timestamp_micros(microseconds)?;
        Some(instant.with_timezone(&spec.time_zone).date_naive())
    };
    let times = engine.compute(|| source::newest_times(ingested, end_of(spec, as_of)));
    for source in watched {
        let day = match times.get(&source.name).copied().and_then(day_of) {
            Some(day) => Some(day),
            None => source::newest_object(engine, source, &spec.folder)?.map(|time| time.with_timezone(&spec.time_zone).date_naive()),
        };
        days.extend(day.map(|day| (source.name.clone(), day)));
    }
    Ok(days)
}

/// The first instant after a day, in microseconds UTC.
fn end_of(spec: &Spec, day: NaiveDate) -> i64 {
    let next = day.succ_opt().unwrap_or(day).and_time(NaiveTime::MIN);
    let local = spec.time_zone.from_local_datetime(&next).earliest();
    // A midnight that the clocks skip: an hour more or less decides nothing here.
    local.map_or_else(|| next.and_utc().timestamp_micros(), |local| local.timestamp_micros())
}
