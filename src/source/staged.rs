//! Pieces as bytes: what one run read of an object, kept for the next.
//!
//! ```text
//! zstd( length of the JSON, u64 little endian | JSON of what is told | one Arrow IPC stream a mapping )
//! ```

use std::io::{Read, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::InputObject;
use super::mapping::Planned;
use super::piece::{Piece, Ready};
use crate::config::spec::SourceSpec;
use crate::error::{Error, Result};

/// Raised with every change of what reading or mapping gives for the same files and settings, and of the bytes themselves.
const FORMAT: u32 = 1;
/// Fast, and enough for texts that repeat.
const ZSTD_LEVEL: i32 = 1;

/// Keeps pieces from one run to the next.
pub trait PieceStore: Sync {
    /// A piece of the last version by its id, if it has it.
    ///
    /// # Errors
    /// `Environment` for the store or a damaged file.
    fn get(&self, id: &str) -> Result<Option<Bytes>>;

    /// Takes a piece of the last version over into the next, if it keeps any.
    fn take_over(&self, id: &str);

    /// Keeps a piece that was read for the next version, if it keeps any: `bytes` gives it.
    ///
    /// # Errors
    /// `Environment` for the store.
    fn put(&self, id: &str, bytes: &dyn Fn() -> Result<Bytes>) -> Result<()>;
}

/// Keeps nothing: every object is read.
#[derive(Debug, Clone, Copy)]
pub struct NoPieces;

impl PieceStore for NoPieces {
    fn get(&self, _id: &str) -> Result<Option<Bytes>> {
        Ok(None)
    }

    fn take_over(&self, _id: &str) {}

    fn put(&self, _id: &str, _bytes: &dyn Fn() -> Result<Bytes>) -> Result<()> {
        Ok(())
    }
}

impl Ready<'_> {
    /// Names what a piece of these objects, given with their hashes, is made from.
    pub(super) fn id<'a>(&self, objects: impl Iterator<Item = (&'a InputObject, &'a str)>) -> String {
        let mut hash = Sha256::new();
        let mut add = |part: &str| {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        };
        add(env!("CARGO_PKG_VERSION"));
        add(&FORMAT.to_string());
        // Where the files lie does not matter: a project may move.
        let source = SourceSpec {
            files: String::new(),
            ..self.source.clone()
        };
        add(&format!("{source:?}"));
        add(&format!("{:?}", self.full));
        for Planned { outputs, added, .. } in self.plans {
            add(&format!("{outputs:?} {added:?}"));
        }
        for (object, sha256) in objects {
            add(&object.path);
            add(sha256);
        }
        hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// A piece as bytes.
    ///
    /// # Errors
    /// `Internal` if its batches do not fit their shape.
    pub(super) fn encode(&self, piece: &Piece) -> Result<Bytes> {
        let attempt = || -> std::io::Result<Vec<u8>> {
            let mut out = zstd::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
            let told = serde_json::to_vec(&piece.told)?;
            out.write_all(&(told.len() as u64).to_le_bytes())?;
            out.write_all(&told)?;
            for (mapping, batches) in piece.records.iter().enumerate() {
                let schema = self.shape(mapping).schema;
                let mut writer = StreamWriter::try_new(&mut out, &schema).map_err(std::io::Error::other)?;
                for batch in batches {
                    writer.write(batch).map_err(std::io::Error::other)?;
                }
                writer.finish().map_err(std::io::Error::other)?;
            }
            out.finish()
        };
        attempt()
            .map(Bytes::from)
            .map_err(|error| Error::internal("what was read of an object cannot be kept").because(error))
    }

    /// The piece of these bytes; `None` if they are not what [`Ready::encode`] gives for these settings: then the objects are read again.
    pub(super) fn decode_piece(&self, bytes: &[u8]) -> Option<Piece> {
        let mut read = zstd::Decoder::new(bytes).ok()?;
        let mut length = [0; 8];
        read.read_exact(&mut length).ok()?;
        let mut told = Vec::new();
        read.by_ref().take(u64::from_le_bytes(length)).read_to_end(&mut told).ok()?;
        let mut piece = Piece {
            told: serde_json::from_slice(&told).ok()?,
            records: Vec::new(),
        };
        for mapping in 0..self.source.mappings.len() {
            piece.records.push(batches(&mut read, &self.shape(mapping).schema)?);
        }
        Some(piece)
    }
}

fn batches(stream: &mut impl Read, schema: &SchemaRef) -> Option<Vec<RecordBatch>> {
    let reader = StreamReader::try_new(stream, None).ok()?;
    let read: Vec<RecordBatch> = reader.collect::<Result<_, _>>().ok()?;
    read.into_iter().map(|batch| batch.with_schema(schema.clone()).ok()).collect()
}
