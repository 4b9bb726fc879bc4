//! Decodes CSV files straight into Arrow text columns: no row object, no second copy of a field.

use std::io::{self, Read};

use super::csv::{COLUMNS_MAX, Row, Rows};
use super::decompress;
use super::fetch::{self, Stored};
use super::list::Place;
use super::raw::{Cell, Header, TextRows};
use super::window::Window;
use super::{InputObject, encoding, header};
use crate::config::pipeline::RaggedRows;
use crate::config::spec::{CsvSpec, SourceSpec};
use crate::engine::Engine;
use crate::error::{Error, Result};

use arrow::datatypes::{DataType, Field};

/// Reads only as far as the header.
pub(super) fn read_header(engine: &Engine, source: &SourceSpec, place: &Place, object: &InputObject) -> Result<Header> {
    header_from(Stored::open(engine, place, object)?, source, object)
}

/// As [`read_header`], from any reader of the stored bytes.
pub(super) fn header_from(stored: impl Read, source: &SourceSpec, object: &InputObject) -> Result<Header> {
    let (found, ()) = with_rows(stored, source, object, |rows, _| {
        let names = header_of(rows, &source.csv)?;
        Ok((names, ()))
    })?;
    let Some(names) = found else {
        return Ok(Header {
            is_empty: true,
            ..Header::default()
        });
    };
    if names.len() > COLUMNS_MAX {
        return Err(
            Error::input(format!("the file has {} columns, more than {COLUMNS_MAX}", names.len()))
                .with("source", &*source.name)
                .with("file", &*object.path)
                .hint("check `csv.delimiter` and `csv.header_rows`"),
        );
    }
    Ok(Header {
        fields: names.into_iter().map(|name| (name, DataType::Utf8)).collect(),
        partitions: Vec::new(),
        is_empty: false,
    })
}

/// Decodes the wanted columns of a file, given by its stored bytes.
pub(super) fn rows_from<'a>(
    stored: impl Read,
    source: &SourceSpec,
    object: &'a InputObject,
    header: &Header,
    wanted: &'a [Field],
) -> Result<TextRows<'a>> {
    let mut table = TextRows::new(object, header, wanted, source.csv.skip_footer);
    with_rows(stored, source, object, |rows, is_transcoded| {
        if header_of(rows, &source.csv)?.is_some() {
            fill(rows, &mut table, source, header, wanted, is_transcoded)?;
        }
        Ok(((), ()))
    })?;
    Ok(table)
}

/// Opens the layers between stored bytes and rows, runs `work`, and turns what goes wrong in any layer into an error with its file.
fn with_rows<A, B>(
    stored: impl Read,
    source: &SourceSpec,
    object: &InputObject,
    work: impl FnOnce(&mut Rows<'_>, bool) -> io::Result<(A, B)>,
) -> Result<(A, B)> {
    let content = decompress::content(stored, source, object)?;
    let what = content.what;
    let run = || {
        let text = encoding::text(content.reader, source.csv.encoding)?;
        let mut rows = Rows::new(Window::new(text.reader), &source.csv, source.field_bytes_max)?;
        work(&mut rows, text.is_transcoded)
    };
    run().map_err(|error| fetch::read_error(error, object, what))
}

/// Names of the columns, `None` for an empty file. The next row is the first row of data.
fn header_of(rows: &mut Rows<'_>, spec: &CsvSpec) -> io::Result<Option<Vec<String>>> {
    let first = loop {
        match rows.next_row()? {
            Row::End => return Ok(None),
            Row::Fields => break (0..rows.fields_count()).map(|index| String::from_utf8_lossy(rows.field(index)).into_owned()),
            Row::Bad(_) if spec.header_rows == 0 => {}
            Row::Bad(reason) => return Err(io::Error::other(format!("the header row is not CSV: {reason}"))),
        }
    };
    if spec.header_rows == 0 {
        let count = first.count();
        rows.unread();
        return Ok(Some(header::names(std::iter::repeat_n(String::new(), count))));
    }
    let names = header::names(first);
    for _ in 1..spec.header_rows {
        if rows.next_row()? == Row::End {
            break;
        }
    }
    Ok(Some(names))
}

fn fill(
    rows: &mut Rows<'_>,
    table: &mut TextRows<'_>,
    source: &SourceSpec,
    header: &Header,
    wanted: &[Field],
    is_transcoded: bool,
) -> io::Result<()> {
    let columns_count = header.fields.len();
    let position = |field: &Field| header.fields.iter().position(|(name, _)| name == field.name());
    let positions: Vec<Option<usize>> = wanted.iter().map(position).collect();
    let can_pad = source.csv.ragged_rows == RaggedRows::Pad;
    loop {
        match rows.next_row()? {
            Row::End => return Ok(()),
            Row::Bad(reason) => table.reject_row(rows.line(), reason, rows.bad_content()),
            Row::Fields => {
                let count = rows.fields_count();
                if rows.has_nul() {
                    table.reject_row(rows.line(), "nul_byte", rows.content());
                } else if count > columns_count || (count < columns_count && !can_pad) {
                    table.reject_row(rows.line(), "ragged_row", rows.content());
                } else {
                    table.push(rows.line(), |index| match positions[index] {
                        Some(position) if position < count => cell(rows.field(position), &source.csv.null_values, is_transcoded),
                        _ => Cell::Null,
                    });
                }
            }
        }
    }
}

/// What a field holds: nothing, a text without the apostrophe that protected it from Excel, or damaged bytes.
fn cell<'a>(field: &'a [u8], null_values: &[String], is_transcoded: bool) -> Cell<'a> {
    let field = match field {
        [] => return Cell::Null,
        [b'\'', next, ..] if next.is_ascii_digit() || b"+=@-".contains(next) => &field[1..],
        field => field,
    };
    match std::str::from_utf8(field) {
        Err(_) => Cell::Invalid(String::from_utf8_lossy(field).into_owned()),
        Ok(text) if is_transcoded && text.contains('\u{fffd}') => Cell::Invalid(text.to_owned()),
        Ok(text) if null_values.iter().any(|null| null == text) => Cell::Null,
        Ok(text) => Cell::Text(text),
    }
}
