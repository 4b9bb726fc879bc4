//! The contacts as they flow: as mapped from the sources, and as standardized.

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use rayon::prelude::*;

use super::coded::{Coded, CodedRecords};
use super::column;
use super::ids::RecordIx;

/// Contacts as mapped: one batch in the schema of `schemas/records/contacts.json`, sorted by (source, `record_id`), each pair once.
///
/// The position of a row is its [`super::RecordIx`] in every later stage.
#[derive(Debug, Clone)]
pub struct Contacts(RecordBatch);

impl Contacts {
    /// Wraps a batch whose rows are sorted by (source, record id) without duplicates.
    #[must_use]
    pub fn new(batch: RecordBatch) -> Self {
        for name in [column::SOURCE, column::RECORD_ID] {
            assert!(batch.column_by_name(name).is_some(), "contacts have a column `{name}`");
        }
        Self(batch)
    }

    /// The rows.
    #[must_use]
    pub fn batch(&self) -> &RecordBatch {
        &self.0
    }

    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.num_rows()
    }

    /// Whether there is no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Standardized contacts: the same rows in the same order, twice.
///
/// `display` has the schema of [`Contacts`] with cleaned values for people to read: it feeds profiles and the published `contacts`.
/// `matching` has text columns only, in comparison form (folded, lower case), under the same names plus the derived ones:
/// `given_name`, `family_name`, `email`, `email_local`, `phone`, `birth_date` (ISO), `gender`, `company`, `street`, `house_number`,
/// `postcode`, `city`, `region`, `country`, `given_name_phonetic`, `family_name_phonetic`, and every identifier.
#[derive(Debug, Clone)]
pub struct CleanContacts {
    /// Values for people.
    pub display: RecordBatch,
    /// Values for matching.
    pub matching: RecordBatch,
}

impl CleanContacts {
    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.display.num_rows()
    }

    /// Whether there is no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A text column of `display`.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&StringArray> {
        self.display.column_by_name(name).and_then(as_text)
    }

    /// The position of a record, if it is there. O(log n): records are sorted by source and record id.
    #[must_use]
    pub fn find(&self, source: &str, record_id: &str) -> Option<RecordIx> {
        let sources = self.text(column::SOURCE).expect("contacts have a source");
        let ids = self.text(column::RECORD_ID).expect("contacts have a record id");
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match (sources.value(middle), ids.value(middle)).cmp(&(source, record_id)) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(RecordIx(u32::try_from(middle).expect("a table has fewer than 2^32 records"))),
            }
        }
        None
    }

    /// Codes the named columns of `matching` that exist, in parallel.
    #[must_use]
    pub fn code(&self, columns: &[String]) -> CodedRecords {
        let coded = columns
            .par_iter()
            .filter_map(|name| {
                self.matching
                    .column_by_name(name)
                    .and_then(as_text)
                    .map(|values| Coded::encode(name, values))
            })
            .collect();
        let source = Coded::encode(column::SOURCE, self.text(column::SOURCE).expect("contacts have a source"));
        let sources = source.values().iter().flatten().map(str::to_owned).collect();
        let source_of = source
            .codes()
            .iter()
            .map(|&code| u16::try_from(code).expect("fewer than 65,536 sources"))
            .collect();
        CodedRecords::new(sources, source_of, coded)
    }
}

fn as_text(column: &ArrayRef) -> Option<&StringArray> {
    column.as_any().downcast_ref::<StringArray>()
}
