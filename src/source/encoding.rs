//! Turns the bytes of a text file into UTF-8 while they stream: a byte order mark wins over the configured encoding.

use std::io::{self, Cursor, Read};

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8};

const INPUT_BYTES: usize = 64 << 10;

/// Text of a file as bytes. UTF-8 passes unchecked (its reader checks each value); other encodings are valid UTF-8 from here on,
/// with U+FFFD where the bytes meant nothing.
pub(super) struct Text<'a> {
    /// The bytes, without byte order mark.
    pub reader: Box<dyn Read + 'a>,
    /// Whether they were transcoded, so that a U+FFFD in them stands for damaged bytes.
    pub is_transcoded: bool,
}

/// Puts the decoder for the file's encoding in front of `content`.
pub(super) fn text<'a>(mut content: Box<dyn Read + 'a>, configured: &'static Encoding) -> io::Result<Text<'a>> {
    let mut head = Vec::new();
    content.by_ref().take(3).read_to_end(&mut head)?;
    let (encoding, mark_bytes) = Encoding::for_bom(&head).unwrap_or((configured, 0));
    head.drain(..mark_bytes);
    let rest = Cursor::new(head).chain(content);
    if encoding == UTF_8 {
        return Ok(Text {
            reader: Box::new(rest),
            is_transcoded: false,
        });
    }
    Ok(Text {
        reader: Box::new(Transcode {
            reader: rest,
            decoder: encoding.new_decoder_without_bom_handling(),
            input: vec![0; INPUT_BYTES],
            input_range: 0..0,
            is_end: false,
            output: vec![0; INPUT_BYTES * 3],
            output_range: 0..0,
            is_done: false,
        }),
        is_transcoded: true,
    })
}

struct Transcode<R> {
    reader: R,
    decoder: Decoder,
    input: Vec<u8>,
    input_range: std::ops::Range<usize>,
    is_end: bool,
    output: Vec<u8>,
    output_range: std::ops::Range<usize>,
    is_done: bool,
}

impl<R: Read> Transcode<R> {
    fn refill(&mut self) -> io::Result<()> {
        while self.output_range.is_empty() && !self.is_done {
            if self.input_range.is_empty() && !self.is_end {
                let count = self.reader.read(&mut self.input)?;
                self.input_range = 0..count;
                self.is_end = count == 0;
            }
            let (result, read, written, _) =
                self.decoder
                    .decode_to_utf8(&self.input[self.input_range.clone()], &mut self.output, self.is_end);
            self.input_range.start += read;
            self.output_range = 0..written;
            self.is_done = self.is_end && result == CoderResult::InputEmpty;
        }
        Ok(())
    }
}

impl<R: Read> Read for Transcode<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.refill()?;
        let count = self.output_range.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.output[self.output_range.start..self.output_range.start + count]);
        self.output_range.start += count;
        Ok(count)
    }
}
