//! Parquet, encoded on all cores, with the same bytes for any number of them and for any cut of the rows into batches.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::concat;
use arrow::datatypes::{DataType, SchemaRef};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::Result;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use rayon::prelude::*;

use crate::table::column;

/// Rows of a row group: within the 256k to 1M that engines and desktop tools read best.
const ROW_GROUP_ROWS: usize = 512 * 1024;

/// Rows handed to an encoder at once: bounds the copy, and keeps 32-bit offsets of texts up to 32 KiB a row.
const CHUNK_ROWS: usize = 64 * 1024;

const ZSTD_LEVEL: i32 = 1;

/// Writes flat batches of `schema` as one Parquet file. Gives the number of rows. Runs on the current rayon pool.
pub(super) fn encode<W: Write + Send>(schema: &SchemaRef, batches: &[RecordBatch], sink: W) -> Result<u64> {
    let properties = Arc::new(properties(schema, batches)?);
    let parquet = ArrowSchemaConverter::new().convert(schema)?;
    let mut writer = SerializedFileWriter::new(sink, parquet.root_schema_ptr(), properties)?;
    let factory = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(schema));
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let groups: Vec<(usize, usize)> = (0..rows)
        .step_by(ROW_GROUP_ROWS)
        .map(|start| (start, ROW_GROUP_ROWS.min(rows - start)))
        .collect();
    // Enough row groups at once to keep every core busy on a narrow table.
    let columns = schema.fields().len().max(1);
    let at_once = rayon::current_num_threads().div_ceil(columns).max(1);
    for (wave, groups) in groups.chunks(at_once).enumerate() {
        let mut tasks: Vec<(usize, (usize, usize), ArrowColumnWriter)> = Vec::new();
        for (index, &group) in groups.iter().enumerate() {
            let writers = factory.create_column_writers(wave * at_once + index)?;
            tasks.extend(writers.into_iter().enumerate().map(|(column, writer)| (column, group, writer)));
        }
        let chunks: Vec<ArrowColumnChunk> = tasks
            .into_par_iter()
            .map(|(column, group, writer)| encode_column(schema, batches, column, group, writer))
            .collect::<Result<_>>()?;
        let mut chunks = chunks.into_iter();
        for _ in groups {
            let mut row_group = writer.next_row_group()?;
            for chunk in chunks.by_ref().take(schema.fields().len()) {
                chunk.append_to_row_group(&mut row_group)?;
            }
            row_group.close()?;
        }
    }
    writer.close()?;
    Ok(rows as u64)
}

fn encode_column(
    schema: &SchemaRef,
    batches: &[RecordBatch],
    column: usize,
    (start, rows): (usize, usize),
    mut writer: ArrowColumnWriter,
) -> Result<ArrowColumnChunk> {
    for offset in (0..rows).step_by(CHUNK_ROWS) {
        let array = slice(batches, column, start + offset, CHUNK_ROWS.min(rows - offset))?;
        for leaf in compute_leaves(schema.field(column), &array)? {
            writer.write(&leaf)?;
        }
    }
    writer.close()
}

/// `rows` values of a column from row `start` of all batches on, as one array.
fn slice(batches: &[RecordBatch], column: usize, start: usize, rows: usize) -> Result<ArrayRef> {
    let mut pieces: Vec<ArrayRef> = Vec::new();
    let (mut skip, mut left) = (start, rows);
    for batch in batches {
        if left == 0 {
            break;
        }
        if skip >= batch.num_rows() {
            skip -= batch.num_rows();
            continue;
        }
        let taken = left.min(batch.num_rows() - skip);
        pieces.push(batch.column(column).slice(skip, taken));
        left -= taken;
        skip = 0;
    }
    let pieces: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
    Ok(concat(&pieces)?)
}

fn properties(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<WriterProperties> {
    let builder = WriterProperties::builder()
        .set_created_by(format!("stammkunde {}", env!("CARGO_PKG_VERSION")))
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS));
    let sorted = is_sorted_by_customer(schema, batches).then(|| {
        vec![SortingColumn {
            column_idx: 0,
            descending: false,
            nulls_first: true,
        }]
    });
    Ok(builder.set_sorting_columns(sorted).build())
}

/// Whether the first column is the customer's key and ascends, nulls first. A file must not claim an order that it lacks.
fn is_sorted_by_customer(schema: &SchemaRef, batches: &[RecordBatch]) -> bool {
    let Some(first) = schema.fields().first() else { return false };
    if first.name() != column::CUSTOMER_KEY || first.data_type() != &DataType::Utf8 {
        return false;
    }
    batches
        .iter()
        .flat_map(|batch| batch.column(0).as_string::<i32>().iter())
        .is_sorted()
}
