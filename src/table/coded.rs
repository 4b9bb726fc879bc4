//! Dictionary-coded columns: every distinct value gets a dense `u32`, so that matching compares integers.

use std::sync::Arc;

use arrow::array::{Array, DictionaryArray, StringArray, UInt32Array};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::UInt32Type;

use super::ids::RecordIx;
use super::lines::Lines;
use super::order::{Interner, rank};
use super::pairs::{Candidate, Pair};

/// The code of a missing value.
pub const NULL_CODE: u32 = u32::MAX;

/// One column as codes: `values[codes[i]]` is the value of record `i`; `counts[c]` is how many records hold value `c`.
///
/// Codes are ranks of the values in byte order, so they do not depend on the order of rows. Cheap to clone but for the counts.
#[derive(Debug, Clone)]
pub struct Coded {
    name: String,
    codes: ScalarBuffer<u32>,
    values: StringArray,
    counts: Vec<u32>,
    non_null: u64,
}

impl Coded {
    /// Codes a text column. Nulls and empty strings become [`NULL_CODE`]. O(n + d log d) for n rows and d distinct values.
    #[must_use]
    pub fn encode(name: &str, column: &StringArray) -> Self {
        let mut interner = Interner::default();
        let codes = interner.codes(column);
        let distinct: StringArray = interner.values().iter().map(|value| Some(*value)).collect();
        Self::of_forms(name, codes, &distinct)
    }

    /// Codes a column that is given by a position in `forms` for each record, or [`NULL_CODE`]. Forms that are null or empty count as
    /// missing, equal ones are one value, and what no record has is left out.
    #[must_use]
    pub fn of_forms(name: &str, mut positions: Vec<u32>, forms: &StringArray) -> Self {
        let mut is_used = vec![false; forms.len()];
        for &position in positions.iter().filter(|position| **position != NULL_CODE) {
            is_used[position as usize] = true;
        }
        let ranked = rank(forms, &is_used);
        let mut counts = vec![0_u32; ranked.values.len()];
        let mut non_null = 0;
        for position in positions.iter_mut().filter(|position| **position != NULL_CODE) {
            *position = ranked.rank_of[*position as usize];
            if *position != NULL_CODE {
                counts[*position as usize] += 1;
                non_null += 1;
            }
        }
        Self {
            name: name.to_owned(),
            codes: positions.into(),
            values: ranked.values,
            counts,
            non_null,
        }
    }

    /// The column as a dictionary array, which shares its codes and values. [`Coded::from_dictionary`] takes it back.
    #[must_use]
    pub fn to_dictionary(&self) -> DictionaryArray<UInt32Type> {
        let nulls = (self.non_null < self.codes.len() as u64).then(|| {
            let is_valid = BooleanBuffer::collect_bool(self.codes.len(), |row| self.codes[row] != NULL_CODE);
            NullBuffer::new(is_valid)
        });
        let keys = UInt32Array::new(self.codes.clone(), nulls);
        DictionaryArray::try_new(keys, Arc::new(self.values.clone())).expect("codes are positions of values, or null")
    }

    /// The column of a dictionary of texts. Shares codes and values if the dictionary is one of [`Coded::to_dictionary`], whole.
    #[must_use]
    pub fn from_dictionary(name: &str, column: &DictionaryArray<UInt32Type>) -> Self {
        let values: &StringArray = column.values().as_any().downcast_ref().expect("a dictionary of texts");
        let mut counts = vec![0_u32; values.len()];
        let codes = column.keys().values();
        let mut nulls_told = 0;
        for &code in codes {
            match counts.get_mut(code as usize) {
                Some(count) => *count += 1,
                None => nulls_told += usize::from(code == NULL_CODE),
            }
        }
        let is_ours = nulls_told == column.keys().null_count() && !counts.contains(&0) && values.null_count() == 0;
        if !is_ours || !values.iter().is_sorted_by(|left, right| left < right) {
            let positions = column.keys().iter().map(|key| key.unwrap_or(NULL_CODE)).collect();
            return Self::of_forms(name, positions, values);
        }
        Self {
            name: name.to_owned(),
            codes: codes.clone(),
            values: values.clone(),
            non_null: (codes.len() - nulls_told) as u64,
            counts,
        }
    }

    /// Name of the column.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One code a record.
    #[must_use]
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The distinct values in byte order; position = code.
    #[must_use]
    pub fn values(&self) -> &StringArray {
        &self.values
    }

    /// How many records hold each value; position = code.
    #[must_use]
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// How many records have a value.
    #[must_use]
    pub fn non_null(&self) -> u64 {
        self.non_null
    }

    /// Bytes that the column takes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        (self.codes.len() + self.counts.len()) * size_of::<u32>() + self.values.get_array_memory_size()
    }

    /// The same column with values that count as missing; `is_dropped` has one entry a code. Codes and values stay what they are.
    #[must_use]
    pub fn without(&self, is_dropped: &[bool]) -> Self {
        let mut column = self.clone();
        let keep = |&code: &u32| {
            if code != NULL_CODE && is_dropped[code as usize] {
                NULL_CODE
            } else {
                code
            }
        };
        column.codes = self.codes.iter().map(keep).collect();
        for (count, _) in column.counts.iter_mut().zip(is_dropped).filter(|(_, dropped)| **dropped) {
            column.non_null -= u64::from(*count);
            *count = 0;
        }
        column
    }

    /// The value of a record, if it has one.
    #[must_use]
    pub fn value(&self, record: RecordIx) -> Option<&str> {
        match self.codes[record.index()] {
            NULL_CODE => None,
            code => Some(self.values.value(code as usize)),
        }
    }
}

/// The contact records as matching sees them: `records` rows, one [`Coded`] a column, and the source of each record.
#[derive(Debug, Clone)]
pub struct CodedRecords {
    records: u32,
    sources: Vec<String>,
    source_of: Vec<u16>,
    columns: Vec<Coded>,
    lines: Lines,
}

impl CodedRecords {
    /// Puts at most [`super::COLUMNS_MAX`] coded columns of equal length together. `sources` are names, `source_of` an index into them for each record.
    #[must_use]
    pub fn new(sources: Vec<String>, source_of: Vec<u16>, columns: Vec<Coded>) -> Self {
        let records = u32::try_from(source_of.len()).expect("a table has fewer than 2^32 records");
        for column in &columns {
            assert_eq!(
                column.codes.len(),
                source_of.len(),
                "every column has one code a record: {}",
                column.name
            );
        }
        Self {
            records,
            sources,
            source_of,
            lines: Lines::new(&columns, records),
            columns,
        }
    }

    /// The codes of a record, in the order of [`CodedRecords::columns`]; what follows them is [`NULL_CODE`].
    #[inline]
    #[must_use]
    pub fn row(&self, record: RecordIx) -> &[u32] {
        self.lines.row(record.0)
    }

    /// Two records with what their codes say of each column.
    #[inline]
    #[must_use]
    pub fn candidate(&self, left: RecordIx, right: RecordIx) -> Candidate {
        let (equal, missing) = self.lines.masks(left.0, right.0);
        Candidate {
            pair: Pair { left, right },
            equal,
            missing,
        }
    }

    /// Brings the codes of records near the processor, for [`CodedRecords::candidate`] to find them there.
    pub fn fetch(&self, records: impl Iterator<Item = RecordIx>) {
        self.lines.fetch(records.map(|record| record.0));
    }

    /// Position of a column in a row and in the masks of a [`Candidate`].
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Number of records.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.records
    }

    /// Whether there is no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Names of the sources, in byte order.
    #[must_use]
    pub fn sources(&self) -> &[String] {
        &self.sources
    }

    /// For each record an index into [`CodedRecords::sources`].
    #[must_use]
    pub fn source_of(&self) -> &[u16] {
        &self.source_of
    }

    /// All columns.
    #[must_use]
    pub fn columns(&self) -> &[Coded] {
        &self.columns
    }

    /// The same records with other columns.
    #[must_use]
    pub fn with_columns(&self, columns: Vec<Coded>) -> Self {
        Self::new(self.sources.clone(), self.source_of.clone(), columns)
    }

    /// The column of that name, if it was coded.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Coded> {
        self.columns.iter().find(|column| column.name == name)
    }
}
