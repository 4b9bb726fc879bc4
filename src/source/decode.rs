//! Decodes the bytes of one file without a store and without a mapping: what a run does with a file before SQL sees it.

use arrow::array::RecordBatch;
use arrow::datatypes::Field;
use bytes::Bytes;

use super::{InputObject, delimited, jsonl, parquet};
use crate::config::pipeline::Format;
use crate::config::spec::SourceSpec;
use crate::error::Result;
use crate::table::Rejects;

/// The rows of one file, every column of it.
#[derive(Debug)]
pub struct DecodedFile {
    /// Columns in the order of the file.
    pub columns: Vec<String>,
    /// Rows: the columns, then their line (Parquet: row) in the file, from 1.
    pub batches: Vec<RecordBatch>,
    /// Rows in the file: those in the batches and those rejected.
    pub rows_read: u64,
    /// Rows and values that were not taken.
    pub rejects: Rejects,
}

/// Decodes all columns of the file whose stored bytes these are, compressed or not, as `source` says that its files are written.
///
/// # Errors
/// `Input` if the bytes are not what the format promises, or beyond a limit of the source. Nothing of the file is taken then.
pub fn decode(source: &SourceSpec, stored: &Bytes) -> Result<DecodedFile> {
    let object = InputObject {
        source: source.name.clone(),
        path: "file".to_owned(),
        size: stored.len() as u64,
        etag: None,
        sha256: None,
    };
    let header = match source.format {
        Format::Csv => delimited::header_from(stored.as_ref(), source, &object),
        Format::Jsonl => jsonl::header_from(stored.as_ref(), source, &object),
        Format::Parquet => parquet::header_from(stored, &object),
    }?;
    let fields = header.fields.iter();
    let wanted: Vec<Field> = fields.map(|(name, data_type)| Field::new(name, data_type.clone(), true)).collect();
    let decoded = match source.format {
        Format::Csv => delimited::rows_from(stored.as_ref(), source, &object, &header, &wanted)?.finish(String::new()),
        Format::Jsonl => jsonl::rows_from(stored.as_ref(), source, &object, &header, &wanted)?.finish(String::new()),
        Format::Parquet => parquet::rows_from(stored, source, &object, &header, &wanted)?,
    };
    Ok(DecodedFile {
        columns: header.fields.into_iter().map(|(name, _)| name).collect(),
        batches: decoded.batches,
        rows_read: decoded.rows_read,
        rejects: decoded.rejects,
    })
}
