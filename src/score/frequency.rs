//! How common a value is: agreeing on a rare name says more than agreeing on a common one.

use std::collections::BTreeMap;

use arrow::array::StringArray;

use crate::config::spec::ComparisonSpec;
use crate::table::{Coded, CodedRecords};

/// Term frequencies by column and value: `count / non-null values`, over all records when the model was trained.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TermFrequencies {
    /// Column → value → frequency.
    pub columns: BTreeMap<String, BTreeMap<String, f64>>,
}

impl TermFrequencies {
    /// Counts the columns that the comparisons adjust by. A column that `records` does not hold has no frequencies.
    #[must_use]
    pub fn count(comparisons: &[ComparisonSpec], records: &CodedRecords) -> Self {
        let names = comparisons
            .iter()
            .flat_map(|comparison| &comparison.levels)
            .filter_map(|level| level.term_frequency.as_ref());
        let mut columns = BTreeMap::new();
        for name in names {
            if let Some(column) = records.column(name)
                && !columns.contains_key(name)
            {
                let values = column.values().iter().flatten().map(str::to_owned);
                columns.insert(name.clone(), values.zip(of_records(column)).collect());
            }
        }
        Self { columns }
    }

    /// Frequency of each value of a column, by code: as stored, else as it is among the current records.
    pub(super) fn of_codes(&self, column: &Coded) -> Vec<f64> {
        let current = of_records(column);
        match self.columns.get(column.name()) {
            Some(stored) => merge(stored, column.values(), current),
            None => current,
        }
    }
}

/// Count over non-null values, by code.
fn of_records(column: &Coded) -> Vec<f64> {
    let total = column.non_null() as f64;
    column.counts().iter().map(|&count| f64::from(count) / total).collect()
}

/// Replaces current frequencies by stored ones. Both run in byte order, so one walk suffices.
fn merge(stored: &BTreeMap<String, f64>, values: &StringArray, mut current: Vec<f64>) -> Vec<f64> {
    let mut stored = stored.iter().peekable();
    for (value, frequency) in values.iter().flatten().zip(&mut current) {
        while stored.next_if(|(known, _)| known.as_str() < value).is_some() {}
        if let Some((_, &known)) = stored.next_if(|(known, _)| known.as_str() == value) {
            *frequency = known;
        }
    }
    current
}
