//! Where the source stage finds what the last version read of an object, and leaves what this run reads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;

use super::{Previous, RunOptions};
use crate::engine::Engine;
use crate::error::Result;
use crate::publish::{Draft, FileEntry, Warehouse};
use crate::report::PieceCounts;
use crate::source::PieceStore;

/// The pieces of the last version, and those of the version in the making, if one is.
pub struct Pieces<'a> {
    engine: &'a Engine,
    warehouse: &'a Warehouse,
    previous: &'a Previous,
    is_full: bool,
    draft: Option<Mutex<Draft<'a>>>,
    read: AtomicU64,
    known: AtomicU64,
}

impl<'a> Pieces<'a> {
    /// Those of the last version; none for a run that reads everything again. What is read is not kept.
    #[must_use]
    pub fn new(engine: &'a Engine, warehouse: &'a Warehouse, previous: &'a Previous, options: &RunOptions) -> Self {
        Self {
            engine,
            warehouse,
            previous,
            is_full: options.full_refresh,
            draft: None,
            read: AtomicU64::new(0),
            known: AtomicU64::new(0),
        }
    }

    /// Keeps what is read, and takes over what is used, in this draft.
    #[must_use]
    pub fn writing(self, draft: Draft<'a>) -> Self {
        Self {
            draft: Some(Mutex::new(draft)),
            ..self
        }
    }

    /// The draft, and how many pieces were read and taken over.
    #[must_use]
    pub fn into_draft(self) -> (Draft<'a>, PieceCounts) {
        let draft = self.draft.expect("the pieces were written to a draft");
        let counts = PieceCounts {
            read: self.read.into_inner(),
            known: self.known.into_inner(),
        };
        (draft.into_inner().expect("no thread panicked while it held the draft"), counts)
    }

    /// The draft, if there is one.
    fn draft(&self) -> Option<MutexGuard<'_, Draft<'a>>> {
        let draft = self.draft.as_ref()?;
        Some(draft.lock().expect("no thread panicked while it held the draft"))
    }

    /// Where the last version has a piece.
    fn entry(&self, id: &str) -> Option<&FileEntry> {
        self.previous.manifest().filter(|_| !self.is_full)?.staged.get(id)
    }
}

impl PieceStore for Pieces<'_> {
    fn get(&self, id: &str) -> Result<Option<Bytes>> {
        let Some(entry) = self.entry(id) else {
            return Ok(None);
        };
        Ok(match self.warehouse.file(self.engine, entry) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                tracing::warn!(%error, "what the last version read of an object is lost; the object is read again");
                None
            }
        })
    }

    fn take_over(&self, id: &str) {
        self.known.fetch_add(1, Ordering::Relaxed);
        if let (Some(mut draft), Some(entry)) = (self.draft(), self.entry(id)) {
            draft.carry_staged(id, entry.clone());
        }
    }

    fn put(&self, id: &str, bytes: &dyn Fn() -> Result<Bytes>) -> Result<()> {
        self.read.fetch_add(1, Ordering::Relaxed);
        if self.draft.is_none() {
            return Ok(());
        }
        let bytes = bytes()?;
        self.draft().map_or(Ok(()), |mut draft| draft.stage(id, bytes))
    }
}
