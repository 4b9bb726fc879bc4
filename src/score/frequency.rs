//! How common a value is: agreeing on a rare name says more than agreeing on a common one.

use std::collections::BTreeMap;

use arrow::array::StringArray;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::spec::ComparisonSpec;
use crate::table::{Coded, CodedRecords};

/// Term frequencies by column, over all records when the model was trained.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct TermFrequencies {
    /// Column → frequencies of its values.
    pub columns: BTreeMap<String, ColumnFrequencies>,
}

/// How likely a record is to hold a value, for every value of a column.
///
/// A value that is not listed, because only one record held it in training or none did, has `(share · (count − 1) + unseen) / records`,
/// where `count` is how many of the records at hand hold it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ColumnFrequencies {
    /// Records with a value, in training.
    pub records: f64,
    /// Part of the records with an equal value that are other people.
    pub share: f64,
    /// Records that a value is worth which nobody else holds.
    pub unseen: f64,
    /// Frequencies of the values that two or more records held.
    pub values: BTreeMap<String, f64>,
}

impl TermFrequencies {
    /// Counts the columns that the comparisons adjust by: `count / records with a value`, as Splink does. A column that `records` does not
    /// hold has no frequencies.
    #[must_use]
    pub fn count(comparisons: &[ComparisonSpec], records: &CodedRecords) -> Self {
        Self::by_column(comparisons, records, |column| {
            let unlisted = ColumnFrequencies::unlisted(column, 1.0, 1.0);
            let frequencies = unlisted.of_codes(column);
            unlisted.listing(column, &frequencies)
        })
    }

    /// The frequencies that `of` gives of each column that the comparisons adjust by.
    pub(super) fn by_column(comparisons: &[ComparisonSpec], records: &CodedRecords, of: impl Fn(&Coded) -> ColumnFrequencies) -> Self {
        let names = comparisons
            .iter()
            .flat_map(|comparison| &comparison.levels)
            .filter_map(|level| level.term_frequency.as_ref());
        let mut columns = BTreeMap::new();
        for name in names {
            if let Some(column) = records.column(name)
                && !columns.contains_key(name)
            {
                columns.insert(name.clone(), of(column));
            }
        }
        Self { columns }
    }

    /// Frequency of each value of a column, by code; of a column without frequencies, or one that had no value in training, as counted among
    /// the records at hand.
    pub(super) fn of_codes(&self, column: &Coded) -> Vec<f64> {
        match self.columns.get(column.name()) {
            Some(frequencies) if frequencies.records > 0.0 => frequencies.of_codes(column),
            _ => ColumnFrequencies::unlisted(column, 1.0, 1.0).of_codes(column),
        }
    }
}

impl ColumnFrequencies {
    /// Frequencies without a list.
    pub(super) fn unlisted(column: &Coded, share: f64, unseen: f64) -> Self {
        Self {
            records: column.non_null() as f64,
            share,
            unseen,
            values: BTreeMap::new(),
        }
    }

    /// With the frequencies of all values that two or more records hold; `frequencies` by code.
    pub(super) fn listing(mut self, column: &Coded, frequencies: &[f64]) -> Self {
        let values = column.values().iter().flatten().zip(column.counts()).zip(frequencies);
        self.values = values
            .filter(|((_, count), _)| **count > 1)
            .map(|((value, _), &frequency)| (value.to_owned(), frequency))
            .collect();
        self
    }

    /// Frequency of each value of a column, by code.
    pub(super) fn of_codes(&self, column: &Coded) -> Vec<f64> {
        let others = |count: u32| self.share * f64::from(count.saturating_sub(1));
        let mut frequencies: Vec<f64> = column
            .counts()
            .iter()
            .map(|&count| (others(count) + self.unseen) / self.records)
            .collect();
        merge(&self.values, column.values(), &mut frequencies);
        frequencies
    }
}

/// Puts listed frequencies in place. Both run in byte order, so one walk suffices.
fn merge(listed: &BTreeMap<String, f64>, values: &StringArray, frequencies: &mut [f64]) {
    let mut listed = listed.iter().peekable();
    for (value, frequency) in values.iter().flatten().zip(frequencies) {
        while listed.next_if(|(known, _)| known.as_str() < value).is_some() {}
        if let Some((_, &known)) = listed.next_if(|(known, _)| known.as_str() == value) {
            *frequency = known;
        }
        if listed.peek().is_none() {
            break;
        }
    }
}
