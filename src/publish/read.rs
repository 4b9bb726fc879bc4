//! Reading published files, and checking that they are what their manifest says.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaDataReader;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::bucket::Bucket;
use super::write::hex;
use super::{FileEntry, TableEntry};
use crate::engine::Engine;
use crate::error::{Error, Result};

/// Rows of a batch that is read.
const BATCH_ROWS: usize = 64 * 1024;

/// First guess at the size of a footer.
const FOOTER_BYTES: u64 = 64 * 1024;

fn damaged(bucket: &Bucket<'_>, file: &FileEntry, why: &str) -> Error {
    Error::environment("a published file is damaged")
        .with("file", bucket.shown(&file.path))
        .with("reason", why)
        .hint("restore it from a backup; or move the newest versions/*.json away to go back to the version before it")
}

/// The bytes of a file whose size and hash are as listed.
pub(super) fn checked(bucket: &Bucket<'_>, file: &FileEntry) -> Result<Bytes> {
    let bytes = bucket.get(&file.path)?.ok_or_else(|| damaged(bucket, file, "it is missing"))?;
    if bytes.len() as u64 != file.bytes {
        return Err(damaged(bucket, file, "its size differs"));
    }
    if hex(&Sha256::digest(&bytes)) != file.sha256 {
        return Err(damaged(bucket, file, "its hash differs"));
    }
    Ok(bytes)
}

/// Rows of a table; see [`super::Warehouse::read`].
pub(super) fn table(engine: &Engine, bucket: &Bucket<'_>, entry: &TableEntry, columns: Option<&[&str]>) -> Result<Vec<RecordBatch>> {
    let mut batches = Vec::new();
    for file in &entry.files {
        let bytes = checked(bucket, file)?;
        let decoded = engine.compute(|| decode(&bytes, columns));
        batches.extend(decoded.map_err(|error| damaged(bucket, file, "it cannot be read").because(error))?);
    }
    if batches.iter().map(RecordBatch::num_rows).sum::<usize>() as u64 != entry.rows {
        return Err(damaged(bucket, &entry.files[0], "its number of rows differs"));
    }
    Ok(batches)
}

/// The first rows of a table, see [`super::Warehouse::head`]: of one row group, at most `rows`.
pub(super) fn head(engine: &Engine, bucket: &Bucket<'_>, entry: &TableEntry, columns: &[&str], rows: usize) -> Result<Vec<RecordBatch>> {
    let Some(file) = entry.files.first() else { return Ok(Vec::new()) };
    let bytes = checked(bucket, file)?;
    let first = || -> Result<Vec<RecordBatch>, ParquetError> {
        let metadata = ArrowReaderMetadata::load(&bytes, parquet::arrow::arrow_reader::ArrowReaderOptions::default())?;
        let indices = |schema: &arrow::datatypes::Schema| columns.iter().map(|name| schema.index_of(name)).collect::<Result<Vec<_>, _>>();
        let mask = ProjectionMask::roots(metadata.parquet_schema(), indices(metadata.schema())?);
        ParquetRecordBatchReaderBuilder::new_with_metadata(bytes.clone(), metadata)
            .with_projection(mask)
            .with_limit(rows)
            .build()?
            .map(|batch| {
                let batch = batch?;
                let order = indices(&batch.schema())?;
                Ok(batch.project(&order)?)
            })
            .collect()
    };
    engine
        .compute(first)
        .map_err(|error| damaged(bucket, file, "it cannot be read").because(error))
}

/// The schema of a table.
pub(super) fn schema(engine: &Engine, bucket: &Bucket<'_>, entry: &TableEntry) -> Result<SchemaRef> {
    let file = entry.files.first().ok_or_else(|| Error::internal("a table has no file"))?;
    let bytes = checked(bucket, file)?;
    let metadata = engine.compute(|| ArrowReaderMetadata::load(&bytes, parquet::arrow::arrow_reader::ArrowReaderOptions::default()));
    let metadata = metadata.map_err(|error| damaged(bucket, file, "it cannot be read").because(error))?;
    Ok(metadata.schema().clone())
}

fn decode(bytes: &Bytes, columns: Option<&[&str]>) -> Result<Vec<RecordBatch>, ParquetError> {
    let metadata = ArrowReaderMetadata::load(bytes, parquet::arrow::arrow_reader::ArrowReaderOptions::default())?;
    let schema = metadata.schema();
    let mask = match columns {
        None => ProjectionMask::all(),
        Some(columns) => {
            let roots: Vec<usize> = columns.iter().map(|name| schema.index_of(name)).collect::<Result<_, _>>()?;
            ProjectionMask::roots(metadata.parquet_schema(), roots)
        }
    };
    let in_order = |batch: RecordBatch| -> Result<RecordBatch, ParquetError> {
        let Some(columns) = columns else { return Ok(batch) };
        let order: Vec<usize> = columns.iter().map(|name| batch.schema().index_of(name)).collect::<Result<_, _>>()?;
        Ok(batch.project(&order)?)
    };
    let groups: Vec<Vec<RecordBatch>> = (0..metadata.metadata().num_row_groups())
        .into_par_iter()
        .map(|group| {
            ParquetRecordBatchReaderBuilder::new_with_metadata(bytes.clone(), metadata.clone())
                .with_row_groups(vec![group])
                .with_projection(mask.clone())
                .with_batch_size(BATCH_ROWS)
                .build()?
                .map(|batch| in_order(batch?))
                .collect::<Result<Vec<RecordBatch>, ParquetError>>()
        })
        .collect::<Result<_, _>>()?;
    let mut batches: Vec<RecordBatch> = groups.into_iter().flatten().collect();
    if batches.is_empty() {
        batches.push(in_order(RecordBatch::new_empty(schema.clone()))?);
    }
    Ok(batches)
}

/// Size and SHA-256 of a file as it is stored, a piece of it in memory at a time.
fn hashed(engine: &Engine, bucket: &Bucket<'_>, path: &Path) -> object_store::Result<(u64, String)> {
    engine.wait(async {
        let mut hash = Sha256::new();
        let mut bytes = 0_u64;
        let mut stream = bucket.root.store.get(path).await?.into_stream();
        while let Some(piece) = stream.try_next().await? {
            bytes += piece.len() as u64;
            hash.update(&piece);
        }
        Ok((bytes, hex(&hash.finalize())))
    })
}

/// That a published file is there and as listed.
pub(super) fn intact(engine: &Engine, bucket: &Bucket<'_>, file: &FileEntry) -> Result<()> {
    match hashed(engine, bucket, &bucket.path(&file.path)?) {
        Ok((bytes, _)) if bytes != file.bytes => Err(damaged(bucket, file, "its size differs")),
        Ok((_, sha256)) if sha256 != file.sha256 => Err(damaged(bucket, file, "its hash differs")),
        Ok(_) => Ok(()),
        Err(object_store::Error::NotFound { .. }) => Err(damaged(bucket, file, "it is missing")),
        Err(error) => Err(bucket.failed(error, "read a published file", &file.path)),
    }
}

/// Opens a file just written: size, hash of all bytes, footer, and rows.
pub(super) fn verify(engine: &Engine, bucket: &Bucket<'_>, file: &FileEntry, rows: u64) -> Result<()> {
    let wrong = |why: &str| {
        Error::environment("a file is not as it was written; nothing was published")
            .with("file", bucket.shown(&file.path))
            .with("reason", why)
            .hint("run again; if it happens again, check the disk, the memory and the network")
    };
    let path = bucket.path(&file.path)?;
    let store = &bucket.root.store;
    let (bytes, sha256) = hashed(engine, bucket, &path).map_err(|error| bucket.failed(error, "read a file again", &file.path))?;
    if bytes != file.bytes {
        return Err(wrong("its size differs"));
    }
    if sha256 != file.sha256 {
        return Err(wrong("its hash differs"));
    }
    let mut wanted = FOOTER_BYTES.min(bytes);
    loop {
        let tail = engine
            .wait(store.get_range(&path, bytes - wanted..bytes))
            .map_err(|error| bucket.failed(error, "read a footer", &file.path))?;
        let mut reader = ParquetMetaDataReader::new();
        match reader.try_parse_sized(&tail, bytes) {
            Ok(()) => {
                let metadata = reader.finish().map_err(|error| wrong("its footer is malformed").because(error))?;
                let found = metadata.file_metadata().num_rows();
                return if u64::try_from(found) == Ok(rows) {
                    Ok(())
                } else {
                    Err(wrong("its number of rows differs"))
                };
            }
            Err(ParquetError::NeedMoreData(more)) if more as u64 > wanted && more as u64 <= bytes => wanted = more as u64,
            Err(error) => return Err(wrong("its footer is malformed").because(error)),
        }
    }
}
