//! The stretch of a text file that is looked at: everything from the start of the current row to what was read so far.

use std::io::{self, Read};

const BUFFER_BYTES: usize = 256 << 10;

/// A growing window over a reader. Bytes before `start` are forgotten.
pub(super) struct Window<'a> {
    reader: Box<dyn Read + 'a>,
    buffer: Vec<u8>,
    start: usize,
    filled: usize,
    /// Whether the reader has ended.
    pub is_end: bool,
    /// Line, from 1, on which `start` stands.
    pub line: u64,
}

impl<'a> Window<'a> {
    /// A window at the start of the file.
    pub fn new(reader: Box<dyn Read + 'a>) -> Self {
        Self {
            reader,
            buffer: vec![0; BUFFER_BYTES],
            start: 0,
            filled: 0,
            is_end: false,
            line: 1,
        }
    }

    /// What is there from the start of the row.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.filled]
    }

    /// Forgets the first `count` bytes.
    pub fn advance(&mut self, count: usize) {
        self.start += count;
        debug_assert!(self.start <= self.filled);
    }

    /// Reads more; false at the end of the file. Amortized O(1) a byte: the window doubles when one row fills it.
    pub fn fill(&mut self) -> io::Result<bool> {
        if self.is_end {
            return Ok(false);
        }
        if self.filled == self.buffer.len() {
            if self.start > self.buffer.len() / 2 {
                self.buffer.copy_within(self.start..self.filled, 0);
                self.filled -= self.start;
                self.start = 0;
            } else {
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
        }
        let count = loop {
            match self.reader.read(&mut self.buffer[self.filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.filled += count;
        self.is_end = count == 0;
        Ok(count > 0)
    }

    /// Makes sure that at least `count` bytes are there, unless the file ends before.
    pub fn fill_to(&mut self, count: usize) -> io::Result<()> {
        while self.bytes().len() < count && self.fill()? {}
        Ok(())
    }

    /// Skips line ends, counting them.
    pub fn skip_line_ends(&mut self) -> io::Result<()> {
        loop {
            self.fill_to(2)?;
            match self.bytes() {
                [b'\r', b'\n', ..] => self.advance(2),
                [b'\r' | b'\n', ..] => self.advance(1),
                _ => return Ok(()),
            }
            self.line += 1;
        }
    }

    /// Length of the line at the start, without its end; reads until the line is whole, or longer than `bytes_max`.
    pub fn line_length(&mut self, bytes_max: usize) -> io::Result<Option<usize>> {
        let mut searched = 0;
        loop {
            if let Some(found) = self.bytes()[searched..].iter().position(|&byte| byte == b'\n' || byte == b'\r') {
                return Ok((searched + found <= bytes_max).then_some(searched + found));
            }
            searched = self.bytes().len();
            if searched > bytes_max {
                return Ok(None);
            }
            if !self.fill()? {
                return Ok(Some(searched));
            }
        }
    }

    /// Goes to the start of the next line, however far it is, without keeping what is between.
    pub fn skip_line(&mut self) -> io::Result<()> {
        loop {
            if let Some(found) = self.bytes().iter().position(|&byte| byte == b'\n' || byte == b'\r') {
                self.advance(found);
                self.fill_to(2)?;
                let count = if self.bytes().starts_with(b"\r\n") { 2 } else { 1 };
                self.advance(count);
                self.line += 1;
                return Ok(());
            }
            self.advance(self.bytes().len());
            if !self.fill()? {
                return Ok(());
            }
        }
    }
}
