//! Gates on what the sources gave: rejected rows, lost rows, lost values, old data. They are judged before anything expensive.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{Accepted, Case, FRESHNESS_DAYS, NULL_SHARE_RISE, REJECTED_SHARE, ROWS_DROP, limit, result};
use crate::config::Spec;
use crate::config::gates::{GatesSpec, SourceGates};
use crate::error::{GateResult, OFFENDERS_MAX, Offender, OffendingRow};
use crate::source::{self, Ingested, Ledger, SourceMeasure};
use crate::table::RejectLevel;
use crate::text::mask::mask_id;

/// Rows below which the numbers of a source jump by chance.
const ROWS_MIN: u64 = 100;
/// Rows named of a column that lost values.
const ROWS_NAMED_MAX: usize = 5;

/// What one night brought, and what the last version had.
pub struct Night<'a> {
    /// The project.
    pub spec: &'a Spec,
    /// What was read.
    pub ingested: &'a Ingested,
    /// What it measures.
    pub measures: &'a [SourceMeasure],
    /// The ledger of the last version; empty on a first run.
    pub before: &'a Ledger,
    /// Newest day of each source, where it is known and its age is limited.
    pub newest: &'a BTreeMap<String, NaiveDate>,
    /// As-of day.
    pub as_of: NaiveDate,
}

/// Judges the inputs. The results are sorted as in [`super::GATES`].
#[must_use]
pub fn inputs(night: &Night<'_>, accepted: &Accepted) -> Vec<GateResult> {
    vec![
        rejected(&night.spec.gates, night.ingested, accepted),
        rows_drop(night, accepted),
        null_share_rise(night, accepted),
        freshness(night, accepted),
    ]
}

/// Judges the share of rejected rows alone.
#[must_use]
pub fn rejected(spec: &GatesSpec, ingested: &Ingested, accepted: &Accepted) -> GateResult {
    let cases = ingested.counts.iter().map(|counts| {
        let limit = spec.of(&counts.source).rejected_share_max;
        let value = share(counts.rows_rejected, counts.rows_read);
        let mut offender = Offender {
            value,
            source: Some(counts.source.clone()),
            record: Some(counts.record.clone()),
            counts: named(&[("rows_read", counts.rows_read), ("rows_rejected", counts.rows_rejected)]),
            ..Offender::default()
        };
        if limit.is_some_and(|limit| value > limit) {
            name_rejects(&mut offender, ingested);
        }
        Case { limit, offender }
    });
    result(REJECTED_SHARE, spec.every_source.rejected_share_max, cases.collect(), accepted)
}

/// Adds the reasons, and the first rows that were rejected.
fn name_rejects(offender: &mut Offender, ingested: &Ingested) {
    let rows = ingested.rejects.rows.iter().filter(|reject| {
        reject.level == RejectLevel::Row
            && Some(&reject.source) == offender.source.as_ref()
            && reject.record.as_deref().unwrap_or(source::RAW_RECORD) == offender.record.as_deref().unwrap_or_default()
    });
    for reject in rows {
        *offender.counts.entry(reject.reason.clone()).or_default() += 1;
        if offender.rows.len() < OFFENDERS_MAX {
            offender.rows.push(OffendingRow {
                source: reject.source.clone(),
                record_id: None,
                file: reject.file.clone(),
                line: reject.line,
                reason: Some(reject.reason.clone()),
            });
        }
    }
}

fn rows_drop(night: &Night<'_>, accepted: &Accepted) -> GateResult {
    let cases = if night.before.measures.is_empty() {
        bytes_lost(night)
    } else {
        rows_lost(night)
    };
    result(ROWS_DROP, night.spec.gates.every_source.rows_drop_max, cases, accepted)
}

/// Rows of every source and record that the last version had and the project still maps.
fn rows_lost(night: &Night<'_>) -> Vec<Case> {
    let is_mapped = |before: &&SourceMeasure| {
        let source = night.spec.sources.iter().find(|source| source.name == before.source);
        source.is_some_and(|source| source.mappings.iter().any(|mapping| mapping.record.name() == before.record))
    };
    let lost = |before: &SourceMeasure| {
        let rows = find(night.measures, before).map_or(0, |now| now.rows);
        (before.rows >= ROWS_MIN || rows == 0).then(|| Case {
            limit: gates(night, &before.source).rows_drop_max,
            offender: Offender {
                value: share(before.rows.saturating_sub(rows), before.rows),
                source: Some(before.source.clone()),
                record: Some(before.record.clone()),
                counts: named(&[("rows", rows), ("rows_before", before.rows)]),
                ..Offender::default()
            },
        })
    };
    night.before.measures.iter().filter(is_mapped).filter_map(lost).collect()
}

/// The ledger of an older build knows no rows, but the bytes of every object.
fn bytes_lost(night: &Night<'_>) -> Vec<Case> {
    let bytes =
        |inputs: &[source::InputObject], name: &str| inputs.iter().filter(|input| input.source == name).map(|input| input.size).sum();
    let lost = |source: &crate::config::spec::SourceSpec| {
        let (now, before): (u64, u64) = (
            bytes(&night.ingested.inputs, &source.name),
            bytes(&night.before.inputs, &source.name),
        );
        (before > 0).then(|| Case {
            limit: gates(night, &source.name).rows_drop_max,
            offender: Offender {
                value: share(before.saturating_sub(now), before),
                source: Some(source.name.clone()),
                counts: named(&[("bytes", now), ("bytes_before", before)]),
                ..Offender::default()
            },
        })
    };
    night.spec.sources.iter().filter_map(lost).collect()
}

fn null_share_rise(night: &Night<'_>, accepted: &Accepted) -> GateResult {
    let mut cases = Vec::new();
    for before in night.before.measures.iter().filter(|before| before.rows >= ROWS_MIN) {
        let Some(now) = find(night.measures, before).filter(|now| now.rows >= ROWS_MIN) else {
            continue;
        };
        let limit = gates(night, &before.source).null_share_rise_max;
        for (column, &nulls_before) in &before.nulls {
            // A column that no source gives any more is not there at all.
            let nulls = now.nulls.get(column).copied().unwrap_or(now.rows);
            let value = share(nulls, now.rows) - share(nulls_before, before.rows);
            let mut offender = Offender {
                value: value.max(0.0),
                source: Some(before.source.clone()),
                record: Some(before.record.clone()),
                column: Some(column.clone()),
                counts: named(&[
                    ("nulls", nulls),
                    ("nulls_before", nulls_before),
                    ("rows", now.rows),
                    ("rows_before", before.rows),
                ]),
                ..Offender::default()
            };
            if limit.is_some_and(|limit| value > limit) {
                let ids = source::rows_without(night.ingested, &before.source, &before.record, column, ROWS_NAMED_MAX);
                offender.rows = ids.iter().map(|id| named_row(&before.source, id)).collect();
            }
            cases.push(Case { limit, offender });
        }
    }
    result(NULL_SHARE_RISE, night.spec.gates.every_source.null_share_rise_max, cases, accepted)
}

fn freshness(night: &Night<'_>, accepted: &Accepted) -> GateResult {
    let case = |(source, newest): (&String, &NaiveDate)| Case {
        limit: limit(gates(night, source).freshness_days_max),
        offender: Offender {
            value: (night.as_of - *newest).num_days().max(0) as f64,
            source: Some(source.clone()),
            day: Some(*newest),
            ..Offender::default()
        },
    };
    let cases = night.newest.iter().map(case).collect();
    result(
        FRESHNESS_DAYS,
        limit(night.spec.gates.every_source.freshness_days_max),
        cases,
        accepted,
    )
}

fn gates<'a>(night: &Night<'a>, source: &str) -> &'a SourceGates {
    night.spec.gates.of(source)
}

/// The same source and record among other measures.
fn find<'a>(measures: &'a [SourceMeasure], wanted: &SourceMeasure) -> Option<&'a SourceMeasure> {
    measures
        .iter()
        .find(|measure| measure.source == wanted.source && measure.record == wanted.record)
}

/// 0 of nothing.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn named(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
    counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

/// A row by its id, masked if it looks personal.
pub(super) fn named_row(source: &str, record_id: &str) -> OffendingRow {
    OffendingRow {
        source: source.to_owned(),
        record_id: Some(mask_id(record_id)),
        ..OffendingRow::default()
    }
}
