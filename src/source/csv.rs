//! Splits CSV into rows with a real state machine, and gets back on its feet one line after a row that makes no sense.

use std::io;

use csv_core::ReadRecordResult;

use super::window::Window;
use crate::config::spec::CsvSpec;

/// Bytes of one row at which it is given up, whatever its fields: 64 MiB.
const ROW_BYTES_MAX: usize = 64 << 20;
/// Columns of one file. More is a mistake in the dialect, and a danger for memory.
pub(super) const COLUMNS_MAX: usize = 10_000;
const HEADER_LINE_BYTES: usize = 64;

/// One row as it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row {
    /// Fields are in [`Rows::field`].
    Fields,
    /// A row that cannot be taken, for this reason; its text is in [`Rows::bad_content`].
    Bad(&'static str),
    /// There is none.
    End,
}

/// The rows of one file.
pub(super) struct Rows<'a> {
    window: Window<'a>,
    core: csv_core::Reader,
    delimiter: u8,
    quote: u8,
    field_bytes_max: usize,
    output: Vec<u8>,
    ends: Vec<usize>,
    fields_count: usize,
    line: u64,
    bad_content: Vec<u8>,
    is_unread: bool,
}

impl<'a> Rows<'a> {
    /// Starts behind the `sep=` line and the lines to skip.
    pub fn new(mut window: Window<'a>, spec: &CsvSpec, field_bytes_max: usize) -> io::Result<Self> {
        window.fill_to(HEADER_LINE_BYTES)?;
        let separator = separator_line(window.bytes());
        if separator.is_some() {
            window.skip_line()?;
        }
        for _ in 0..spec.skip_lines {
            window.skip_line()?;
        }
        let delimiter = separator.or(spec.delimiter).unwrap_or(b',');
        Ok(Self {
            window,
            core: csv_core::ReaderBuilder::new().delimiter(delimiter).quote(spec.quote).build(),
            delimiter,
            quote: spec.quote,
            field_bytes_max,
            output: vec![0; 16 << 10],
            ends: vec![0; 256],
            fields_count: 0,
            line: 0,
            bad_content: Vec::new(),
            is_unread: false,
        })
    }

    /// Number of fields of the current row.
    pub fn fields_count(&self) -> usize {
        self.fields_count
    }

    /// Line on which the current row starts, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// A field of the current row, unquoted.
    pub fn field(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.output[start..self.ends[index]]
    }

    /// Whether the current row holds a NUL byte.
    pub fn has_nul(&self) -> bool {
        self.fields_count > 0 && self.output[..self.ends[self.fields_count - 1]].contains(&0)
    }

    /// Text of the last bad row, as it stands in the file.
    pub fn bad_content(&self) -> String {
        String::from_utf8_lossy(&self.bad_content).into_owned()
    }

    /// The current row as delimited text, for a reject that is found later.
    pub fn content(&self) -> String {
        let fields: Vec<_> = (0..self.fields_count)
            .map(|index| String::from_utf8_lossy(self.field(index)))
            .collect();
        fields.join(&char::from(self.delimiter).to_string())
    }

    /// Gives the current row once more at the next call of [`Rows::next_row`].
    pub fn unread(&mut self) {
        self.is_unread = true;
    }

    /// The next row. Empty lines are no rows.
    pub fn next_row(&mut self) -> io::Result<Row> {
        if std::mem::take(&mut self.is_unread) {
            return Ok(Row::Fields);
        }
        self.window.skip_line_ends()?;
        self.line = self.window.line;
        self.core.reset();
        let (mut position, mut written) = (0, 0);
        self.fields_count = 0;
        loop {
            if position == self.window.bytes().len() && !self.window.fill()? {
                if position == 0 {
                    return Ok(Row::End);
                }
                if quoting(self.window.bytes(), self.delimiter, self.quote) == Quoting::Open {
                    return self.give_up("unbalanced_quote");
                }
            }
            let input = &self.window.bytes()[position..];
            let (result, read, wrote, ended) =
                self.core
                    .read_record(input, &mut self.output[written..], &mut self.ends[self.fields_count..]);
            position += read;
            written += wrote;
            self.fields_count += ended;
            match result {
                ReadRecordResult::InputEmpty => {
                    let field_start = self.fields_count.checked_sub(1).map_or(0, |last| self.ends[last]);
                    if written - field_start > self.field_bytes_max || position > ROW_BYTES_MAX || self.fields_count > COLUMNS_MAX {
                        return self.give_up("field_too_large");
                    }
                }
                ReadRecordResult::OutputFull => self.output.resize(self.output.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record | ReadRecordResult::End => return self.end_row(position, written),
            }
        }
    }

    /// Checks the row that the state machine found, and moves behind it.
    fn end_row(&mut self, length: usize, written: usize) -> io::Result<Row> {
        if written > self.field_bytes_max && (0..self.fields_count).any(|index| self.field(index).len() > self.field_bytes_max) {
            return self.give_up("field_too_large");
        }
        let raw = &self.window.bytes()[..length];
        let (lines, ended_by_return) = ((self.core.line() - 1), raw.last() == Some(&b'\r'));
        let inner_lines = lines - u64::from(raw.last() == Some(&b'\n'));
        if inner_lines > 0 && quoting(raw, self.delimiter, self.quote) != Quoting::Well {
            return self.give_up("unbalanced_quote");
        }
        self.window.advance(length);
        self.window.line += lines;
        if ended_by_return {
            self.window.fill_to(1)?;
            if self.window.bytes().first() == Some(&b'\n') {
                self.window.advance(1);
            }
            self.window.line += 1;
        }
        Ok(Row::Fields)
    }

    /// Rejects the first line of the current row and goes on at the next line, so that one open quote does not swallow the file.
    fn give_up(&mut self, reason: &'static str) -> io::Result<Row> {
        let bytes = self.window.bytes();
        let shown = &bytes[..bytes.len().min(crate::table::rejects::REJECT_CONTENT_BYTES_MAX)];
        let end = shown.iter().position(|&byte| byte == b'\n' || byte == b'\r').unwrap_or(shown.len());
        self.bad_content = shown[..end].to_vec();
        self.window.skip_line()?;
        Ok(Row::Bad(reason))
    }
}

/// Delimiter of a line `sep=;`, as Excel writes and reads it.
fn separator_line(bytes: &[u8]) -> Option<u8> {
    let line = bytes.split(|&byte| byte == b'\n' || byte == b'\r').next()?;
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    match line.get(..4).filter(|word| word.eq_ignore_ascii_case(b"sep=")).map(|_| &line[4..]) {
        Some([delimiter]) => Some(*delimiter),
        Some(b"\\t") => Some(b'\t'),
        _ => None,
    }
}

/// How the quotes of a row fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quoting {
    /// Each quoted field ends right after its closing quote.
    Well,
    /// Text follows a closing quote. In a row of several lines this means that a quote was lost.
    Loose,
    /// The row ends inside a quoted field.
    Open,
}

/// Looks at the quotes of a row. O(n) for n bytes; only rows of several lines and a last row without line end come here.
fn quoting(raw: &[u8], delimiter: u8, quote: u8) -> Quoting {
    let (mut at, mut found) = (0, Quoting::Well);
    while at < raw.len() {
        if raw[at] == quote {
            at += 1;
            loop {
                match raw[at..].iter().position(|&byte| byte == quote) {
                    None => return Quoting::Open,
                    Some(closing) => at += closing + 1,
                }
                if raw.get(at) != Some(&quote) {
                    break;
                }
                at += 1;
            }
            if raw.get(at).is_some_and(|&byte| byte != delimiter && byte != b'\n' && byte != b'\r') {
                found = Quoting::Loose;
            }
        }
        match raw[at..].iter().position(|&byte| byte == delimiter) {
            None => return found,
            Some(next) => at += next + 1,
        }
    }
    found
}
