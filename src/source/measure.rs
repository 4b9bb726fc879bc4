//! What sources gave, in numbers that the next night is compared with: rows, nulls by column, and the newest time in the data.

use std::collections::BTreeMap;
use std::ops::Range;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::TimestampMicrosecondType;
use serde::{Deserialize, Serialize};

use super::Ingested;
use crate::table::{RecordKind, column};

/// Columns that say when something happened or was last touched.
const TIMES: [&str; 5] = [
    column::UPDATED_AT,
    column::CREATED_AT,
    column::ORDERED_AT,
    column::OCCURRED_AT,
    column::STARTED_AT,
];

/// The canonical rows of one source and record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SourceMeasure {
    /// Source.
    pub source: String,
    /// Canonical record.
    pub record: String,
    /// Rows kept.
    pub rows: u64,
    /// Rows without a value, by column; columns that always have one are there with 0.
    pub nulls: BTreeMap<String, u64>,
}

/// Measures every source and record that has a row; sorted by both. O(rows) for time columns and sources, O(rows / 64) for nulls.
#[must_use]
pub fn measure(ingested: &Ingested) -> Vec<SourceMeasure> {
    let mut found: BTreeMap<(String, &'static str), SourceMeasure> = BTreeMap::new();
    each(ingested, &mut |kind, source, rows| {
        let entry = found.entry((source.to_owned(), kind.name())).or_insert_with(|| SourceMeasure {
            source: source.to_owned(),
            record: kind.name().to_owned(),
            ..SourceMeasure::default()
        });
        entry.rows += rows.num_rows() as u64;
        for (field, values) in rows.schema().fields().iter().zip(rows.columns()) {
            if field.name() != column::SOURCE {
                *entry.nulls.entry(field.name().clone()).or_default() += values.null_count() as u64;
            }
        }
    });
    found.into_values().collect()
}

/// For each source the newest time in its data that is before `before`, both in microseconds UTC. Later ones are mistakes of an export.
#[must_use]
pub fn newest_times(ingested: &Ingested, before: i64) -> BTreeMap<String, i64> {
    let mut newest: BTreeMap<String, i64> = BTreeMap::new();
    each(ingested, &mut |_, source, rows| {
        let columns = TIMES.iter().filter_map(|name| rows.column_by_name(name));
        let times = columns.filter_map(|values| values.as_primitive_opt::<TimestampMicrosecondType>());
        let latest = times.flat_map(|values| values.iter().flatten()).filter(|time| *time < before).max();
        if let Some(latest) = latest {
            let known = newest.entry(source.to_owned()).or_insert(latest);
            *known = (*known).max(latest);
        }
    });
    newest
}

/// Ids of the first rows of a source and record that have no value in a column: of its first key column.
#[must_use]
pub fn rows_without(ingested: &Ingested, source: &str, record: &str, name: &str, rows_max: usize) -> Vec<String> {
    let mut ids = Vec::new();
    each(ingested, &mut |kind, of, rows| {
        if of != source || kind.name() != record || ids.len() >= rows_max {
            return;
        }
        let (Some(values), Some(keys)) = (rows.column_by_name(name), rows.column_by_name(&kind.schema().key[0])) else {
            return;
        };
        let Some(keys) = keys.as_string_opt::<i32>() else { return };
        let missing = (0..rows.num_rows()).filter(|&row| values.is_null(row) && keys.is_valid(row));
        ids.extend(missing.take(rows_max - ids.len()).map(|row| keys.value(row).to_owned()));
    });
    ids
}

/// Calls `see` with the rows of every batch, source by source.
fn each(ingested: &Ingested, see: &mut dyn FnMut(RecordKind, &str, &RecordBatch)) {
    let contacts = std::iter::once((RecordKind::Contacts, ingested.contacts.batch()));
    let facts = ingested
        .facts
        .iter()
        .flat_map(|(kind, batches)| batches.iter().map(move |batch| (*kind, batch)));
    for (kind, batch) in contacts.chain(facts) {
        let sources = batch[column::SOURCE].as_string::<i32>();
        for rows in runs(sources) {
            see(kind, sources.value(rows.start), &batch.slice(rows.start, rows.len()));
        }
    }
}

/// Ranges of rows of one source: rows are sorted by source.
fn runs(sources: &StringArray) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = 0;
    while start < sources.len() {
        let (source, mut end, mut high) = (sources.value(start), start + 1, sources.len());
        while end < high {
            let middle = end.midpoint(high);
            if sources.value(middle) == source {
                end = middle + 1;
            } else {
                high = middle;
            }
        }
        runs.push(start..end);
        start = end;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_fall_into_one_range_a_source() {
        let of = |sources: &[&str]| runs(&StringArray::from(sources.to_vec()));
        assert_eq!(of(&["a", "a", "a", "b", "c", "c"]), [0..3, 3..4, 4..6]);
        assert_eq!(of(&["a"]), [Range { start: 0, end: 1 }]);
        assert!(of(&[]).is_empty());
    }
}
