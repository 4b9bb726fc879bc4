//! The raw table of a source: what its files hold, before any mapping. Only the columns that a mapping reads are decoded.

use std::sync::Arc;

use arrow::array::{Array, ArrayBuilder, ArrayRef, Int64Array, Int64Builder, RecordBatch, StringArray, StringBuilder, new_null_array};
use arrow::datatypes::{DataType, Field, Fields};

use super::InputObject;
use crate::table::{Reject, RejectLevel, Rejects};

/// Column of the raw table: path of the object.
pub(super) const FILE_COLUMN: &str = "_file";
/// Column of the raw table: line (CSV, JSON lines) or row (Parquet) in the object, from 1.
pub(super) const LINE_COLUMN: &str = "_line";
/// Rows of a batch.
pub(super) const BATCH_ROWS: usize = 64 << 10;
/// Bytes of text at which a batch ends early, so that offsets stay far below 2^31.
const BATCH_BYTES_MAX: usize = 256 << 20;

/// Columns of one file, found without decoding its rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Header {
    /// Columns of the file itself.
    pub fields: Vec<(String, DataType)>,
    /// Columns from its folders, without those that the file has itself.
    pub partitions: Vec<(String, Option<String>)>,
    /// Whether the file holds nothing, not even a header.
    pub is_empty: bool,
}

impl Header {
    /// Names of all columns, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let own = self.fields.iter().map(|(name, _)| name.as_str());
        own.chain(self.partitions.iter().map(|(name, _)| name.as_str()))
    }
}

/// The rows of one file.
#[derive(Debug)]
pub(super) struct Decoded {
    /// Path of the object.
    pub path: String,
    /// The wanted columns, then [`LINE_COLUMN`].
    pub batches: Vec<RecordBatch>,
    /// Rows in the file.
    pub rows_read: u64,
    /// Rows and values not taken.
    pub rejects: Rejects,
    /// SHA-256 of the stored bytes.
    pub sha256: String,
}

/// What a text cell holds.
#[derive(Debug)]
pub(super) enum Cell<'a> {
    /// Nothing.
    Null,
    /// A text.
    Text(&'a str),
    /// Bytes that are no text in the file's encoding.
    Invalid(String),
}

/// Text columns while they grow, row by row.
pub(super) struct TextRows<'a> {
    object: &'a InputObject,
    wanted: &'a [Field],
    builders: Vec<Option<StringBuilder>>,
    partitions: Vec<Option<Option<String>>>,
    lines: Int64Builder,
    batch_bytes: usize,
    batches: Vec<RecordBatch>,
    rows_read: u64,
    rejects: Rejects,
    last_rows: std::collections::VecDeque<(u64, bool)>,
    skip_footer: usize,
}

impl<'a> TextRows<'a> {
    /// Empty columns. `has_column[i]` says whether the file holds `wanted[i]`; others come from its folders, or are null.
    pub fn new(object: &'a InputObject, header: &Header, wanted: &'a [Field], skip_footer: u32) -> Self {
        let in_file = |field: &Field| header.fields.iter().any(|(name, _)| name == field.name());
        let partition = |field: &Field| {
            header
                .partitions
                .iter()
                .find(|(name, _)| name == field.name())
                .map(|(_, value)| value.clone())
        };
        Self {
            object,
            wanted,
            builders: wanted.iter().map(|field| in_file(field).then(StringBuilder::new)).collect(),
            partitions: wanted.iter().map(partition).collect(),
            lines: Int64Builder::new(),
            batch_bytes: 0,
            batches: Vec::new(),
            rows_read: 0,
            rejects: Rejects::default(),
            last_rows: std::collections::VecDeque::new(),
            skip_footer: skip_footer as usize,
        }
    }

    /// Adds a row; `cell` gives the value of `wanted[i]` for columns that the file has.
    pub fn push<'b>(&mut self, line: u64, mut cell: impl FnMut(usize) -> Cell<'b>) {
        for index in 0..self.builders.len() {
            let Some(builder) = &mut self.builders[index] else {
                continue;
            };
            match cell(index) {
                Cell::Null => builder.append_null(),
                Cell::Text(text) => {
                    self.batch_bytes += text.len();
                    builder.append_value(text);
                }
                Cell::Invalid(lossy) => {
                    builder.append_null();
                    self.reject(
                        line,
                        RejectLevel::Value,
                        "invalid_encoding",
                        Some(self.wanted[index].name().clone()),
                        lossy,
                    );
                }
            }
        }
        self.lines
            .append_value(i64::try_from(line).expect("a file has fewer than 2^63 lines"));
        self.count(line, true);
        if self.lines.len() >= BATCH_ROWS || self.batch_bytes >= BATCH_BYTES_MAX {
            self.flush();
        }
    }

    /// Rejects a row.
    pub fn reject_row(&mut self, line: u64, reason: &str, content: String) {
        self.reject(line, RejectLevel::Row, reason, None, content);
        self.count(line, false);
    }

    fn reject(&mut self, line: u64, level: RejectLevel, reason: &str, field: Option<String>, content: String) {
        self.rejects.push(Reject {
            source: self.object.source.clone(),
            record: None,
            file: Some(self.object.path.clone()),
            line: Some(line),
            level,
            reason: reason.to_owned(),
            field,
            content: Some(content),
        });
    }

    fn count(&mut self, line: u64, is_kept: bool) {
        self.rows_read += 1;
        if self.skip_footer > 0 {
            self.last_rows.push_back((line, is_kept));
            if self.last_rows.len() > self.skip_footer {
                self.last_rows.pop_front();
            }
        }
    }

    fn flush(&mut self) {
        let rows = self.lines.len();
        if rows == 0 {
            return;
        }
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.wanted.len() + 1);
        for (builder, partition) in self.builders.iter_mut().zip(&self.partitions) {
            columns.push(match (builder, partition) {
                (Some(builder), _) => {
                    // A builder grows by doubling; what it did not use goes back.
                    let mut values = builder.finish();
                    values.shrink_to_fit();
                    Arc::new(values)
                }
                (None, Some(Some(value))) => constant(value, rows),
                (None, _) => new_null_array(&DataType::Utf8, rows),
            });
        }
        columns.push(Arc::new(self.lines.finish()));
        self.batches.push(batch(self.wanted, columns));
        self.batch_bytes = 0;
    }

    /// The finished rows, without the footer.
    pub fn finish(mut self, sha256: String) -> Decoded {
        self.flush();
        if let Some((first_footer_line, _)) = self.last_rows.front().copied() {
            self.rejects
                .rows
                .retain(|reject| reject.line.is_none_or(|line| line < first_footer_line));
            let mut kept = self.last_rows.iter().filter(|(_, is_kept)| *is_kept).count();
            self.rows_read -= self.last_rows.len() as u64;
            while kept > 0 {
                let last = self.batches.pop().expect("kept rows are in batches");
                let dropped = kept.min(last.num_rows());
                kept -= dropped;
                if dropped < last.num_rows() {
                    self.batches.push(last.slice(0, last.num_rows() - dropped));
                }
            }
        }
        Decoded {
            path: self.object.path.clone(),
            batches: self.batches,
            rows_read: self.rows_read,
            rejects: self.rejects,
            sha256,
        }
    }
}

/// A text column that holds one value.
pub(super) fn constant(value: &str, rows: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(std::iter::repeat_n(value, rows)))
}

/// A batch of the wanted columns and the line numbers.
pub(super) fn batch(wanted: &[Field], columns: Vec<ArrayRef>) -> RecordBatch {
    let mut fields: Vec<Field> = wanted.to_vec();
    fields.push(Field::new(LINE_COLUMN, DataType::Int64, true));
    let schema = Arc::new(arrow::datatypes::Schema::new(Fields::from(fields)));
    RecordBatch::try_new(schema, columns).expect("columns were made for these fields, all of one length")
}

/// Line numbers of a batch of [`Decoded`].
pub(super) fn lines(batch: &RecordBatch) -> &Int64Array {
    let last = batch.column(batch.num_columns() - 1);
    last.as_any()
        .downcast_ref::<Int64Array>()
        .expect("the last column of a decoded batch is its lines")
}
