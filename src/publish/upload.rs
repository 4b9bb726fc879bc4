//! A file that streams into the store while it is written, hashed on the way.

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload, Result, UploadPart};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::write::hex;
use crate::engine::{Ending, Engine};

/// Bytes handed over at once.
const PIECE_BYTES: usize = 1 << 20;

/// Pieces of one part of a multipart upload: all parts but the last have one size, as some stores demand. Smaller files go in one request.
const PART_PIECES: usize = 8;

/// Pieces that wait for the store before the writer pauses.
const PIECES_WAITING_MAX: usize = 2 * PART_PIECES;

/// Parts on their way at once.
const PARTS_AT_ONCE: usize = 4;

/// The writing end. Writing blocks when the store is slower; never write from inside the engine's futures.
pub(super) struct Sink {
    pieces: Sender<Option<Bytes>>,
    buffer: Vec<u8>,
    hash: Sha256,
    bytes: u64,
}

impl Sink {
    /// Starts an upload on the engine's runtime. Its result is known when the handle is awaited after [`Sink::finish`]; a sink that is
    /// dropped without it leaves nothing in the store.
    pub(super) fn open(engine: &Engine, store: Arc<dyn ObjectStore>, path: Path) -> (Self, JoinHandle<Result<()>>) {
        let (sender, receiver) = channel(PIECES_WAITING_MAX);
        let (done, is_done) = oneshot::channel::<()>();
        // A signal waits until the upload has seen it and aborted itself.
        let farewell = engine.at_farewell(async move { drop(is_done.await) }.boxed());
        let ending = engine.ending();
        let upload = engine.spawn(async move {
            let result = upload(store, path, receiver, ending).await;
            drop(farewell);
            drop(done);
            result
        });
        let sink = Self {
            pieces: sender,
            buffer: Vec::with_capacity(PIECE_BYTES),
            hash: Sha256::new(),
            bytes: 0,
        };
        (sink, upload)
    }

    /// Says that the file is whole; gives its size and SHA-256 (hex).
    pub(super) fn finish(mut self) -> (u64, String) {
        let last = std::mem::take(&mut self.buffer);
        if self.pass(last).is_ok() {
            let _ = self.pieces.blocking_send(None);
        }
        (self.bytes, hex(&self.hash.finalize()))
    }

    fn pass(&self, piece: Vec<u8>) -> std::io::Result<()> {
        // What went wrong is the upload's to tell.
        self.pieces
            .blocking_send(Some(piece.into()))
            .map_err(|_| std::io::Error::other("the upload ended early"))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let taken = bytes.len().min(PIECE_BYTES - self.buffer.len());
        self.hash.update(&bytes[..taken]);
        self.bytes += taken as u64;
        self.buffer.extend_from_slice(&bytes[..taken]);
        if self.buffer.len() == PIECE_BYTES {
            let piece = std::mem::replace(&mut self.buffer, Vec::with_capacity(PIECE_BYTES));
            self.pass(piece)?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Takes pieces until the last word (`None`). Without it the writer failed, and nothing may appear in the store.
async fn upload(store: Arc<dyn ObjectStore>, path: Path, mut pieces: Receiver<Option<Bytes>>, mut ending: Ending) -> Result<()> {
    let mut waiting: Vec<Bytes> = Vec::new();
    loop {
        let piece = tokio::select! {
            piece = pieces.recv() => piece,
            () = ending.begun() => None,
        };
        match piece {
            Some(Some(piece)) => waiting.push(piece),
            Some(None) => {
                return tokio::select! {
                    put = store.put(&path, PutPayload::from_iter(waiting)) => put.map(drop),
                    () = ending.begun() => Ok(()),
                };
            }
            None => return Ok(()),
        }
        if waiting.len() == PART_PIECES {
            break;
        }
    }
    let mut upload = store.put_multipart(&path).await?;
    let whole = tokio::select! {
        whole = send_parts(upload.as_mut(), waiting, pieces) => whole,
        () = ending.begun() => Ok(false),
    };
    let completed = match whole {
        Ok(true) => upload.complete().await.map(|_| true),
        other => other,
    };
    if !matches!(completed, Ok(true)) {
        // Parts of an upload that is not aborted cost money until the bucket's lifecycle rule removes them.
        let _ = upload.abort().await;
    }
    // A writer that stopped tells why itself.
    completed.map(drop)
}

/// Sends parts as they fill up; whether the last word came.
async fn send_parts(upload: &mut dyn MultipartUpload, first: Vec<Bytes>, mut pieces: Receiver<Option<Bytes>>) -> Result<bool> {
    let mut sending: FuturesUnordered<UploadPart> = FuturesUnordered::new();
    sending.push(upload.put_part(PutPayload::from_iter(first)));
    let mut waiting: Vec<Bytes> = Vec::new();
    let is_whole = loop {
        let more = tokio::select! {
            Some(sent) = sending.next(), if !sending.is_empty() => {
                sent?;
                continue;
            }
            piece = pieces.recv(), if sending.len() < PARTS_AT_ONCE => piece,
        };
        match more {
            Some(Some(piece)) => waiting.push(piece),
            Some(None) => break true,
            None => break false,
        }
        if waiting.len() == PART_PIECES {
            sending.push(upload.put_part(PutPayload::from_iter(std::mem::take(&mut waiting))));
        }
    };
    if is_whole && waiting.iter().any(|piece| !piece.is_empty()) {
        sending.push(upload.put_part(PutPayload::from_iter(waiting)));
    }
    while let Some(sent) = sending.next().await {
        sent?;
    }
    Ok(is_whole)
}
