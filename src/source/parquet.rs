//! Reads Parquet files with their own types. A malformed file is an error that names it, never a panic of the run.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema};
use bytes::Bytes;
use object_store::{GetOptions, GetRange};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use rayon::prelude::*;

use super::InputObject;
use super::delta;
use super::fetch;
use super::list::Place;
use super::poison;
use super::raw::{self, BATCH_ROWS, Decoded, Header};
use super::thrift;
use crate::config::spec::SourceSpec;
use crate::engine::Engine;
use crate::error::{Error, Result};

const MAGIC: &[u8] = b"PAR1";
const TAIL_BYTES: u64 = 8;
/// Largest footer, in bytes. Real ones are a few kilobytes; thousands of columns and row groups reach some megabytes.
const FOOTER_BYTES_MAX: u64 = 256 << 20;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Reads only the footer.
pub(super) fn read_header(engine: &Engine, source: &SourceSpec, place: &Place, object: &InputObject) -> Result<Header> {
    if object.size == 0 {
        return Ok(Header {
            is_empty: true,
            ..Header::default()
        });
    }
    let tail = range(engine, place, object, object.size.saturating_sub(TAIL_BYTES)..object.size)?;
    let footer_bytes = footer_bytes(&tail, object)?;
    let footer_start = object.size - TAIL_BYTES - footer_bytes;
    let footer = range(engine, place, object, footer_start..object.size - TAIL_BYTES)?;
    let _ = source;
    header_of(&footer, object)
}

/// The columns that a footer names.
fn header_of(footer: &[u8], object: &InputObject) -> Result<Header> {
    let schema = guarded(object, || Ok(schema_of(&metadata(footer)?)?))?;
    Ok(Header {
        fields: schema
            .fields()
            .iter()
            .map(|field| (field.name().clone(), plain_type(field.data_type())))
            .collect(),
        partitions: Vec::new(),
        is_empty: false,
    })
}

/// Reads the wanted columns.
pub(super) fn read(
    engine: &Engine,
    source: &SourceSpec,
    place: &Place,
    object: &InputObject,
    header: &Header,
    wanted: &[Field],
) -> Result<Decoded> {
    let (bytes, sha256) = fetch::whole(engine, place, object)?;
    let decoded = rows_from(&bytes, source, object, header, wanted)?;
    Ok(Decoded { sha256, ..decoded })
}

/// As [`read_header`], from the stored bytes.
pub(super) fn header_from(bytes: &Bytes, object: &InputObject) -> Result<Header> {
    if bytes.is_empty() {
        return Ok(Header {
            is_empty: true,
            ..Header::default()
        });
    }
    let tail_start = bytes.len().saturating_sub(8);
    let footer_bytes = footer_bytes(&bytes[tail_start..], object)?;
    let start = tail_start - usize::try_from(footer_bytes).expect("checked: shorter than the file");
    header_of(&bytes[start..tail_start], object)
}

/// As [`read`], from the stored bytes; the hash is left empty.
pub(super) fn rows_from(bytes: &Bytes, source: &SourceSpec, object: &InputObject, header: &Header, wanted: &[Field]) -> Result<Decoded> {
    let batches = if header.is_empty {
        Vec::new()
    } else {
        footer_bytes(&bytes[bytes.len().saturating_sub(8)..], object)?;
        guarded(object, || decode(bytes, source, header, wanted))?
    };
    let rows_read = batches.iter().map(|batch| batch.num_rows() as u64).sum();
    let (batches, rejects) = poison::without(batches, object, source.field_bytes_max);
    Ok(Decoded {
        path: object.path.clone(),
        batches,
        rows_read,
        rejects,
        sha256: String::new(),
    })
}

fn range(engine: &Engine, place: &Place, object: &InputObject, range: std::ops::Range<u64>) -> Result<Bytes> {
    let options = GetOptions {
        if_match: object.etag.clone(),
        range: Some(GetRange::Bounded(range)),
        ..GetOptions::default()
    };
    let path = place.object_path(&object.path)?;
    let read = async { place.location.store.get_opts(&path, options).await?.bytes().await };
    engine.wait(read).map_err(|error| fetch::store_error(error, object))
}

/// Length of the footer, checked against the size of the file before anything of that length is read.
fn footer_bytes(tail: &[u8], object: &InputObject) -> Result<u64> {
    let broken = || fetch::damaged(object, "Parquet file");
    let Some((length, magic)) = tail.split_at_checked(4).filter(|_| tail.len() == 8) else {
        return Err(broken());
    };
    let length = u64::from(u32::from_le_bytes(length.try_into().expect("four bytes were split off")));
    if magic == b"PARE" {
        return Err(Error::input("the Parquet file is encrypted")
            .with("source", &*object.source)
            .with("file", &*object.path)
            .hint("deliver it without Parquet encryption"));
    }
    if magic != MAGIC || length == 0 || length > FOOTER_BYTES_MAX || length + 2 * TAIL_BYTES - 4 > object.size {
        return Err(broken());
    }
    Ok(length)
}

fn metadata(footer: &[u8]) -> Result<ParquetMetaData, Cause> {
    expect_harmless(thrift::walk(footer).map(drop))?;
    Ok(ParquetMetaDataReader::decode_metadata(footer)?)
}

fn schema_of(metadata: &ParquetMetaData) -> Result<Schema, parquet::errors::ParquetError> {
    let file = metadata.file_metadata();
    parquet::arrow::parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata())
}

fn expect_harmless<T: Default>(walked: Result<T, thrift::Stop>) -> Result<T, Cause> {
    match walked {
        Ok(value) => Ok(value),
        // The reader says best what is wrong with it.
        Err(thrift::Stop::Malformed) => Ok(T::default()),
        Err(thrift::Stop::Hostile) => Err("it claims more than it holds".into()),
    }
}

/// Looks at the headers of every page of the column chunks under these root columns.
fn expect_harmless_pages(bytes: &Bytes, metadata: &ParquetMetaData, roots: &[usize]) -> Result<(), Cause> {
    let schema = metadata.file_metadata().schema_descr();
    for group in metadata.row_groups() {
        for (leaf, chunk) in group.columns().iter().enumerate() {
            if !roots.contains(&schema.get_column_root_idx(leaf)) {
                continue;
            }
            let (start, length) = chunk.byte_range();
            let end = start.saturating_add(length).min(bytes.len() as u64);
            let pages = bytes
                .get(usize::try_from(start)?..usize::try_from(end)?)
                .ok_or("a column lies outside of the file")?;
            let is_delta = expect_harmless(thrift::walk_pages(pages))?;
            if is_delta && delta::claims_more(bytes, chunk, usize::try_from(group.num_rows())?)? {
                return Err("a page claims more values than it holds".into());
            }
        }
    }
    Ok(())
}

/// Runs the reader of a library that was not made for hostile files: a panic in it is a damaged file.
fn guarded<T>(object: &InputObject, work: impl FnOnce() -> Result<T, Cause>) -> Result<T> {
    match unpanicked(work) {
        Ok(value) => Ok(value),
        Err(cause) if cause.is::<Error>() => Err(*cause.downcast::<Error>().expect("checked: it is ours")),
        Err(cause) => Err(fetch::damaged(object, "Parquet file").because(cause)),
    }
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread now would be caught and become an error of the input: then nobody needs to print it.
#[must_use]
pub fn catches_panics() -> bool {
    GUARDED.get()
}

/// A panic as an error.
fn unpanicked<T>(work: impl FnOnce() -> Result<T, Cause>) -> Result<T, Cause> {
    let before = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(before);
    result.unwrap_or_else(|_| Err("the Parquet reader panicked".into()))
}

/// Counts what comes out of a file, whatever its footer says: a dictionary may hold a long text once and name it a million times.
struct Budget<'a> {
    used: AtomicU64,
    source: &'a SourceSpec,
}

impl Budget<'_> {
    fn take(&self, bytes: u64) -> Result<(), Cause> {
        let used = self.used.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let most = self.source.decompressed_bytes_max;
        if used <= most {
            return Ok(());
        }
        Err(Error::input(format!("the file holds more than {most} bytes after decompression"))
            .with("source", &*self.source.name)
            .hint("raise `decompressed_bytes_max` of the source if the file is meant to be that large")
            .into())
    }
}

fn decode(bytes: &Bytes, source: &SourceSpec, header: &Header, wanted: &[Field]) -> Result<Vec<RecordBatch>, Cause> {
    let tail_start = bytes.len() - 8;
    let footer_bytes = u32::from_le_bytes(bytes[tail_start..tail_start + 4].try_into()?) as usize;
    expect_harmless(thrift::walk(&bytes[tail_start - footer_bytes..tail_start]).map(drop))?;
    let metadata = ArrowReaderMetadata::load(bytes, ArrowReaderOptions::new().with_skip_arrow_metadata(false))?;
    let groups: Vec<usize> = metadata
        .metadata()
        .row_groups()
        .iter()
        .map(|group| usize::try_from(group.num_rows()))
        .collect::<Result<_, _>>()?;
    // What the footer claims must fit before anything of that size is made. A row takes its line number at least.
    let budget = |used: u64| Budget {
        used: AtomicU64::new(used),
        source,
    };
    let claimed = metadata
        .metadata()
        .row_groups()
        .iter()
        .map(|group| group.total_byte_size().max(0).cast_unsigned());
    budget(0).take(claimed.fold(0, u64::saturating_add))?;
    let rows = groups.iter().fold(0_u64, |sum, &rows| sum.saturating_add(rows as u64));
    let lines = budget(0);
    lines.take(rows.saturating_mul(size_of::<i64>() as u64))?;
    let budget = lines;
    let position = |field: &Field| header.fields.iter().position(|(name, _)| name == field.name());
    let roots: Vec<usize> = wanted.iter().filter_map(position).collect();
    expect_harmless_pages(bytes, metadata.metadata(), &roots)?;
    // Every column of every row group is a task of its own: many files are one row group.
    let columns: Vec<Vec<ArrayRef>> = (0..groups.len() * wanted.len())
        .into_par_iter()
        .map(|task| {
            let (group, field) = (task / wanted.len(), &wanted[task % wanted.len()]);
            match position(field) {
                // On a thread of its own, whose panics are caught there.
                Some(root) => unpanicked(|| pieces(bytes, &metadata, group, root, field, &budget)),
                None => elsewhere(header, groups[group], field),
            }
        })
        .collect::<Result<_, Cause>>()?;
    let mut columns = columns.into_iter();
    let mut batches = Vec::new();
    let mut row = 1_i64;
    for rows in groups {
        let mut of_group: Vec<_> = columns.by_ref().take(wanted.len()).map(Vec::into_iter).collect();
        for start in (0..rows).step_by(BATCH_ROWS) {
            let end = row + i64::try_from(BATCH_ROWS.min(rows - start))?;
            let mut of_batch: Vec<ArrayRef> = Vec::with_capacity(wanted.len() + 1);
            for pieces in &mut of_group {
                of_batch.push(pieces.next().ok_or("a column has fewer rows than its row group")?);
            }
            of_batch.push(Arc::new(Int64Array::from_iter_values(row..end)));
            if of_batch.iter().any(|column| i64::try_from(column.len()) != Ok(end - row)) {
                return Err("a column has another number of rows than its row group".into());
            }
            row = end;
            batches.push(raw::batch(wanted, of_batch));
        }
    }
    Ok(batches)
}

/// One column of one row group, in pieces of [`BATCH_ROWS`].
fn pieces(
    bytes: &Bytes,
    metadata: &ArrowReaderMetadata,
    group: usize,
    root: usize,
    field: &Field,
    budget: &Budget<'_>,
) -> Result<Vec<ArrayRef>, Cause> {
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(bytes.clone(), metadata.clone())
        .with_row_groups(vec![group])
        .with_projection(ProjectionMask::roots(metadata.parquet_schema(), [root]))
        .with_batch_size(BATCH_ROWS)
        .build()?;
    reader
        .map(|batch| {
            let piece = cast_with_options(batch?.column(0), field.data_type(), &options)?;
            budget.take(piece.get_array_memory_size() as u64)?;
            Ok(piece)
        })
        .collect()
}

/// A column that the file lacks, in pieces of [`BATCH_ROWS`]: its folder's value, or null.
fn elsewhere(header: &Header, rows: usize, field: &Field) -> Result<Vec<ArrayRef>, Cause> {
    let partition = header.partitions.iter().find(|(name, _)| name == field.name());
    let piece = |start: usize| -> Result<ArrayRef, Cause> {
        let rows = BATCH_ROWS.min(rows - start);
        Ok(match partition {
            Some((_, Some(value))) => arrow::compute::cast(&raw::constant(value, rows), field.data_type())?,
            _ => new_null_array(field.data_type(), rows),
        })
    };
    (0..rows).step_by(BATCH_ROWS).map(piece).collect()
}

/// The type under which SQL sees a column: text is plain UTF-8, integers are signed.
fn plain_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::Null => {
            DataType::Utf8
        }
        DataType::Dictionary(_, value) => plain_type(value),
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Float16 => DataType::Float32,
        other => other.clone(),
    }
}

/// The type that holds the values of two files' columns of one name.
pub(super) fn common_type(left: &DataType, right: &DataType) -> DataType {
    if left == right {
        left.clone()
    } else if left.is_integer() && right.is_integer() {
        DataType::Int64
    } else if left.is_floating() && right.is_floating() {
        DataType::Float64
    } else {
        DataType::Utf8
    }
}
