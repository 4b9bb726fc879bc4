//! Dictionary-coded columns: every distinct value gets a dense `u32`, so that matching compares integers.

use arrow::array::{Array, StringArray};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::ids::RecordIx;
use super::lines::Lines;
use super::pairs::{Candidate, Pair};

/// The code of a missing value.
pub const NULL_CODE: u32 = u32::MAX;

/// One column as codes: `values[codes[i]]` is the value of record `i`; `counts[c]` is how many records hold value `c`.
///
/// Codes are ranks of the values in byte order, so they do not depend on the order of rows.
#[derive(Debug, Clone)]
pub struct Coded {
    name: String,
    codes: Vec<u32>,
    values: StringArray,
    counts: Vec<u32>,
    non_null: u64,
}

impl Coded {
    /// Codes a text column. Nulls and empty strings become [`NULL_CODE`]. O(n + d log d) for n rows and d distinct values.
    #[must_use]
    pub fn encode(name: &str, column: &StringArray) -> Self {
        let mut first_seen: FxHashMap<&str, u32> = FxHashMap::default();
        let mut distinct: Vec<&str> = Vec::new();
        let mut codes: Vec<u32> = Vec::with_capacity(column.len());
        let mut counts: Vec<u32> = Vec::new();
        for value in column {
            let Some(value) = value.filter(|value| !value.is_empty()) else {
                codes.push(NULL_CODE);
                continue;
            };
            let next = u32::try_from(distinct.len()).expect("a table has fewer than 2^32 records");
            let code = *first_seen.entry(value).or_insert_with(|| {
                distinct.push(value);
                counts.push(0);
                next
            });
            counts[code as usize] += 1;
            codes.push(code);
        }
        let mut order: Vec<u32> = (0..u32::try_from(distinct.len()).expect("checked above")).collect();
        order.par_sort_unstable_by_key(|&code| distinct[code as usize]);
        let mut rank = vec![0_u32; order.len()];
        for (position, &code) in order.iter().enumerate() {
            rank[code as usize] = u32::try_from(position).expect("positions are codes");
        }
        for code in &mut codes {
            if *code != NULL_CODE {
                *code = rank[*code as usize];
            }
        }
        Self {
            name: name.to_owned(),
            codes,
            values: order.iter().map(|&code| Some(distinct[code as usize])).collect(),
            counts: order.iter().map(|&code| counts[code as usize]).collect(),
            non_null: counts.iter().map(|&count| u64::from(count)).sum(),
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
        for code in &mut column.codes {
            if *code != NULL_CODE && is_dropped[*code as usize] {
                *code = NULL_CODE;
            }
        }
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
