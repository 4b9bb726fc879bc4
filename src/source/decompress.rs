//! Undoes compression, found by the first bytes and never by the name, with caps on what comes out: in bytes, and by the byte that went in.

use std::cell::Cell;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

use super::InputObject;
use crate::config::spec::SourceSpec;
use crate::error::{Error, Result};

/// Memory that the xz decoder may use, in bytes: the largest preset needs 65 MiB.
const XZ_MEMORY_BYTES_MAX: u64 = 256 << 20;
/// Largest window of a zstd frame, as power of two: 128 MiB, what `zstd --ultra` uses.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;
const BUFFER_BYTES: usize = 128 << 10;
/// Bytes that come out before their ratio to what went in is looked at: a short file of blanks is no attack.
const RATIO_FREE_BYTES: u64 = 16 << 20;

/// The content of a file, decompressed if it was compressed, and what it is for messages.
pub(super) struct Content<'a> {
    /// The bytes.
    pub reader: Box<dyn Read + 'a>,
    /// `gzip file`, `file`, …
    pub what: &'static str,
}

/// Puts the decoder for `stored` in front of it. At most `decompressed_bytes_max` bytes come out, and `decompressed_ratio_max` for each that
/// went in; one more is an error.
pub(super) fn content<'a>(stored: impl Read + 'a, source: &SourceSpec, object: &InputObject) -> Result<Content<'a>> {
    let taken = Rc::new(Cell::new(0));
    let mut stored = Counted {
        reader: stored,
        count: Rc::clone(&taken),
    };
    let failed = |error| super::fetch::read_error(error, object, "file");
    let magic = head(&mut stored, 6).map_err(failed)?;
    let buffered = BufReader::with_capacity(BUFFER_BYTES, io::Cursor::new(magic.clone()).chain(stored));
    let (reader, what): (Box<dyn Read + 'a>, _) = match magic.as_slice() {
        [0x1f, 0x8b, ..] => (Box::new(flate2::bufread::MultiGzDecoder::new(buffered)), "gzip file"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(buffered).map_err(failed)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(failed)?;
            (Box::new(decoder), "zstd file")
        }
        [b'B', b'Z', b'h', ..] => (Box::new(bzip2::bufread::MultiBzDecoder::new(buffered)), "bzip2 file"),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => {
            let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY_BYTES_MAX, liblzma::stream::CONCATENATED)
                .map_err(|error| Error::environment("the xz decoder cannot start").because(error))?;
            (Box::new(liblzma::bufread::XzDecoder::new_stream(buffered, stream)), "xz file")
        }
        [b'P', b'K', 3, 4, ..] => {
            return Err(Error::input("the file is a zip archive")
                .with("source", &*object.source)
                .with("file", &*object.path)
                .hint("unpack it first: an archive may hold several files (an .xlsx workbook is one too: save it as CSV)"));
        }
        _ => (Box::new(buffered), "file"),
    };
    let reader = Box::new(Capped {
        reader,
        taken,
        given: 0,
        bytes_max: source.decompressed_bytes_max,
        ratio_max: source.decompressed_ratio_max,
        source: object.source.clone(),
        path: object.path.clone(),
    });
    Ok(Content { reader, what })
}

/// Reads the first `count` bytes, fewer at the end of the file.
fn head(reader: &mut impl Read, count: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(count).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Counts what is read.
struct Counted<R> {
    reader: R,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.count.set(self.count.get() + count as u64);
        Ok(count)
    }
}

/// Stops with an error of ours once more came out than may, at all or for what went in.
struct Capped<R> {
    reader: R,
    taken: Rc<Cell<u64>>,
    given: u64,
    bytes_max: u64,
    ratio_max: u64,
    source: String,
    path: String,
}

impl<R> Capped<R> {
    fn refused(&self, message: String, hint: &str) -> io::Error {
        io::Error::other(
            Error::input(message)
                .with("source", &*self.source)
                .with("file", &*self.path)
                .hint(hint),
        )
    }
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.given += count as u64;
        if self.given > self.bytes_max {
            return Err(self.refused(
                format!("the file holds more than {} bytes after decompression", self.bytes_max),
                "raise `decompressed_bytes_max` of the source if the file is meant to be that large",
            ));
        }
        if self.given > RATIO_FREE_BYTES && self.given > self.taken.get().saturating_mul(self.ratio_max) {
            return Err(self.refused(
                format!("the file grows to more than {} times its size after decompression", self.ratio_max),
                "it looks like a decompression bomb; raise `decompressed_ratio_max` of the source if it is meant to be that empty",
            ));
        }
        Ok(count)
    }
}
