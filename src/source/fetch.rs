//! Opens one object as a plain reader: hashes every byte on the way and notices when the object is not the one that was listed.

use std::fs::File;
use std::io::{self, Read};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::{GetOptions, GetResultPayload, ObjectStoreExt};
use sha2::{Digest, Sha256};

use super::InputObject;
use super::list::Place;
use crate::engine::{Engine, told};
use crate::error::{Error, Result};

/// The bytes of an object as stored.
pub(super) struct Stored<'a> {
    payload: Payload<'a>,
    hasher: Sha256,
    read: u64,
    object: &'a InputObject,
    /// What is asked at the end whether the file is still the one that was opened; `None` where the store sees to that.
    again: Option<(&'a Engine, &'a Place)>,
}

enum Payload<'a> {
    File(File),
    Stream {
        engine: &'a Engine,
        stream: BoxStream<'static, object_store::Result<Bytes>>,
        chunk: Bytes,
    },
}

impl<'a> Stored<'a> {
    /// Opens the object, provided it still has the entity tag under which it was listed.
    pub fn open(engine: &'a Engine, place: &'a Place, object: &'a InputObject) -> Result<Self> {
        let path = place.object_path(&object.path)?;
        let options = GetOptions {
            if_match: object.etag.clone(),
            ..GetOptions::default()
        };
        let result = engine
            .wait(place.location.store.get_opts(&path, options))
            .map_err(|error| store_error(error, object))?;
        // A file on a disk can be written over while it is read; an object of a store is one version to the end.
        let is_file = matches!(result.payload, GetResultPayload::File(..));
        let payload = match result.payload {
            GetResultPayload::File(file, _) => Payload::File(file),
            GetResultPayload::Stream(stream) => Payload::Stream {
                engine,
                stream,
                chunk: Bytes::new(),
            },
        };
        Ok(Self {
            payload,
            hasher: Sha256::new(),
            read: 0,
            object,
            again: is_file.then_some((engine, place)),
        })
    }

    /// Reads what is left, and gives the hash of all bytes.
    pub fn finish(mut self) -> Result<String> {
        io::copy(&mut self, &mut io::sink()).map_err(|error| read_error(error, self.object, "file"))?;
        if self.read != self.object.size {
            return Err(changed(self.object));
        }
        if let Some((engine, place)) = self.again {
            let path = place.object_path(&self.object.path)?;
            let meta = engine.wait(place.location.store.head(&path));
            let etag = meta.map_err(|error| store_error(error, self.object))?.e_tag;
            if self.object.etag.is_some() && etag != self.object.etag {
                return Err(changed(self.object));
            }
        }
        Ok(self.hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl Read for Stored<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.payload {
            Payload::File(file) => file.read(buffer)?,
            Payload::Stream { engine, stream, chunk } => {
                while chunk.is_empty() {
                    match engine.wait(stream.next()) {
                        None => return Ok(0),
                        Some(Ok(next)) => *chunk = next,
                        Some(Err(error)) => return Err(io::Error::other(store_error(error, self.object))),
                    }
                }
                let count = chunk.len().min(buffer.len());
                buffer[..count].copy_from_slice(&chunk.split_to(count));
                count
            }
        };
        self.hasher.update(&buffer[..count]);
        self.read += count as u64;
        Ok(count)
    }
}

/// What `take` makes of an object's bytes, and the hash of all of them.
pub(super) fn through<T>(
    engine: &Engine,
    place: &Place,
    object: &InputObject,
    take: impl FnOnce(&mut Stored<'_>) -> Result<T>,
) -> Result<(T, String)> {
    let mut stored = Stored::open(engine, place, object)?;
    let taken = take(&mut stored)?;
    Ok((taken, stored.finish()?))
}

/// Reads a whole object into memory, with its hash.
pub(super) fn whole(engine: &Engine, place: &Place, object: &InputObject) -> Result<(Bytes, String)> {
    engine
        .memory()
        .reserve(object.size)
        .map_err(|error| error.with("source", &*object.source).with("file", &*object.path))?;
    let mut stored = Stored::open(engine, place, object)?;
    // Of the listed size, so that no growing doubles it; a file that turns out longer is refused at its end.
    let mut bytes = Vec::with_capacity(usize::try_from(object.size).unwrap_or(0));
    stored.read_to_end(&mut bytes).map_err(|error| read_error(error, object, "file"))?;
    let hash = stored.finish()?;
    Ok((bytes.into(), hash))
}

/// The hash of a whole object, nothing of which is kept.
pub(super) fn hash(engine: &Engine, place: &Place, object: &InputObject) -> Result<String> {
    Stored::open(engine, place, object)?.finish()
}

/// What an `io::Error` of a reader over [`Stored`] means: an error of ours travels inside, anything else is damaged data.
pub(super) fn read_error(error: io::Error, object: &InputObject, what: &str) -> Error {
    if error.get_ref().is_some_and(|inner| inner.is::<Error>()) {
        let inner = error.into_inner().expect("checked: an error is inside");
        return *inner.downcast::<Error>().expect("checked: it is ours");
    }
    damaged(object, what).because(error)
}

/// A file whose bytes are not what its format promises. Nothing of it is taken.
pub(super) fn damaged(object: &InputObject, what: &str) -> Error {
    Error::input(format!("the {what} is damaged or cut off; nothing of it was taken"))
        .with("source", &*object.source)
        .with("file", &*object.path)
        .hint("deliver the file again, or move it away so that the other files can be read")
}

fn changed(object: &InputObject) -> Error {
    Error::input("the file changed while it was read")
        .with("source", &*object.source)
        .with("file", &*object.path)
        .hint("start the run after the upload has ended, or upload under a name that ends in `.part` and rename")
}

/// What an error of the store means for a file.
pub(super) fn store_error(error: object_store::Error, object: &InputObject) -> Error {
    match error {
        object_store::Error::NotFound { .. } => Error::input("the file was listed and is gone")
            .with("source", &*object.source)
            .with("file", &*object.path)
            .hint("run again; if another job moves the files, schedule it before or after this one"),
        object_store::Error::Precondition { .. } => changed(object),
        error => Error::environment("the file cannot be read from its store")
            .with("source", &*object.source)
            .with("file", &*object.path)
            .hint("check network, credentials and the permission to read")
            .because(told(&error)),
    }
}
