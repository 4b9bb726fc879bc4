//! Decodes JSON lines into text columns: top-level keys are columns, and numbers keep the digits that stand in the file.

use std::io::{self, Read};

use arrow::datatypes::{DataType, Field};
use rustc_hash::FxHashMap;
use serde::de::IgnoredAny;

use super::fetch::{self, Stored};
use super::list::Place;
use super::raw::{Cell, Header, TextRows};
use super::window::Window;
use super::{InputObject, csv, decompress, encoding};
use crate::config::spec::SourceSpec;
use crate::engine::Engine;
use crate::error::{Error, Result};

/// Bytes of one line at which it is given up: 64 MiB, or the field limit where that is higher.
const LINE_BYTES_MAX: usize = 64 << 20;

/// Reads the whole file for the keys it uses: a key may appear for the first time in the last line.
pub(super) fn read_header(engine: &Engine, source: &SourceSpec, place: &Place, object: &InputObject) -> Result<Header> {
    header_from(Stored::open(engine, place, object)?, source, object)
}

/// As [`read_header`], from any reader of the stored bytes.
pub(super) fn header_from(stored: impl Read, source: &SourceSpec, object: &InputObject) -> Result<Header> {
    let mut names: Vec<String> = Vec::new();
    let mut known: FxHashMap<Vec<u8>, ()> = FxHashMap::default();
    let mut is_empty = true;
    each_line(stored, source, object, |line| {
        is_empty = false;
        if let Line::Bytes(bytes) = line.1
            && let Ok(members) = members(bytes)
        {
            for (key, _) in members {
                if !known.contains_key(key) {
                    known.insert(key.to_vec(), ());
                    if let Some(name) = decode_string(key)
                        && !names.contains(&name)
                    {
                        names.push(name);
                    }
                }
            }
        }
        names.len() <= csv::COLUMNS_MAX
    })?;
    if names.len() > csv::COLUMNS_MAX {
        return Err(Error::input(format!("the file uses more than {} keys", csv::COLUMNS_MAX))
            .with("source", &*source.name)
            .with("file", &*object.path)
            .hint("keys must be names, not values: write such objects as a nested object"));
    }
    names.sort_unstable();
    Ok(Header {
        fields: names.into_iter().map(|name| (name, DataType::Utf8)).collect(),
        partitions: Vec::new(),
        is_empty,
    })
}

/// Decodes the wanted keys of a file, given by its stored bytes.
pub(super) fn rows_from<'a>(
    stored: impl Read,
    source: &SourceSpec,
    object: &'a InputObject,
    header: &Header,
    wanted: &'a [Field],
) -> Result<TextRows<'a>> {
    let mut table = TextRows::new(object, header, wanted, 0);
    let index_of: FxHashMap<&str, usize> = wanted
        .iter()
        .enumerate()
        .map(|(index, field)| (field.name().as_str(), index))
        .collect();
    let mut values: Vec<Value> = Vec::new();
    each_line(stored, source, object, |(number, line)| {
        let bytes = match line {
            Line::Bytes(bytes) => bytes,
            Line::TooLong(start) => {
                table.reject_row(number, "field_too_large", String::from_utf8_lossy(start).into_owned());
                return true;
            }
        };
        values.clear();
        values.resize_with(wanted.len(), || Value::Null);
        match take_values(bytes, &index_of, &mut values, source.field_bytes_max) {
            Err(reason) => table.reject_row(number, reason, String::from_utf8_lossy(bytes).into_owned()),
            Ok(()) => table.push(number, |index| match &values[index] {
                Value::Null => Cell::Null,
                Value::Text(text) => Cell::Text(text),
                Value::Invalid(lossy) => Cell::Invalid(lossy.clone()),
            }),
        }
        true
    })?;
    Ok(table)
}

enum Value {
    Null,
    Text(String),
    Invalid(String),
}

enum Line<'a> {
    Bytes(&'a [u8]),
    /// Only its start.
    TooLong(&'a [u8]),
}

/// Calls `work` for each line that is not blank, with its number, until it gives false.
fn each_line(stored: impl Read, source: &SourceSpec, object: &InputObject, mut work: impl FnMut((u64, Line<'_>)) -> bool) -> Result<()> {
    let content = decompress::content(stored, source, object)?;
    let what = content.what;
    let line_bytes_max = LINE_BYTES_MAX.max(source.field_bytes_max);
    let run = || -> io::Result<()> {
        let mut window = Window::new(encoding::text(content.reader, source.csv.encoding)?.reader);
        loop {
            window.skip_line_ends()?;
            let (length, number) = (window.line_length(line_bytes_max)?, window.line);
            let bytes = &window.bytes()[..length.unwrap_or(crate::table::rejects::REJECT_CONTENT_BYTES_MAX)];
            if bytes.is_empty() {
                return Ok(());
            }
            if number == 1 && bytes.trim_ascii_start().starts_with(b"[") {
                return Err(io::Error::other(one_array(object)));
            }
            let line = if length.is_some() {
                Line::Bytes(bytes)
            } else {
                Line::TooLong(bytes)
            };
            let is_blank = bytes.iter().all(u8::is_ascii_whitespace);
            if !is_blank && !work((number, line)) {
                return Ok(());
            }
            window.skip_line()?;
        }
    };
    run().map_err(|error| fetch::read_error(error, object, what))
}

fn one_array(object: &InputObject) -> Error {
    Error::input("the file is one JSON array, not one object a line")
        .with("source", &*object.source)
        .with("file", &*object.path)
        .hint("write it as JSON lines, e.g. with `jq -c '.[]'`")
}

/// Key and value of a member, as they stand in a line.
type Member<'a> = (&'a [u8], &'a [u8]);

/// Key and value of each top-level member, as they stand in the line (keys with their quotes).
fn members(line: &[u8]) -> Result<Vec<Member<'_>>, &'static str> {
    let line = line.trim_ascii();
    if line.first() != Some(&b'{') || serde_json::from_slice::<IgnoredAny>(line).is_err() {
        return Err("invalid_json");
    }
    let mut members = Vec::new();
    let mut at = 1;
    let skip_to = |at: usize| {
        at + line[at..]
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace() || matches!(byte, b',' | b':'))
            .count()
    };
    loop {
        at = skip_to(at);
        if line[at] == b'}' {
            return Ok(members);
        }
        let key_end = value_end(line, at);
        let value = skip_to(key_end);
        let end = value_end(line, value);
        members.push((&line[at..key_end], &line[value..end]));
        at = end;
    }
}

/// End of the value that starts at `start` of a line that is valid JSON.
fn value_end(line: &[u8], start: usize) -> usize {
    let (mut depth, mut at, mut in_string) = (0_usize, start, false);
    while at < line.len() {
        match line[at] {
            b'\\' if in_string => at += 1,
            b'"' => {
                in_string = !in_string;
                if !in_string && depth == 0 {
                    return at + 1;
                }
            }
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return at,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            b',' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return at,
            _ => {}
        }
        at += 1;
    }
    line.len()
}

fn decode_string(quoted: &[u8]) -> Option<String> {
    serde_json::from_slice(quoted).ok()
}

fn take_values(line: &[u8], index_of: &FxHashMap<&str, usize>, values: &mut [Value], field_bytes_max: usize) -> Result<(), &'static str> {
    for (key, raw) in members(line)? {
        let plain = std::str::from_utf8(&key[1..key.len() - 1]).ok().filter(|key| !key.contains('\\'));
        let index = match plain {
            Some(name) => index_of.get(name),
            None => decode_string(key).and_then(|name| index_of.get(name.as_str())),
        };
        if raw.len() > field_bytes_max.saturating_mul(6).saturating_add(2) {
            return Err("field_too_large");
        }
        let Some(&index) = index else {
            continue;
        };
        let value = match raw.first() {
            Some(b'n') => Value::Null,
            Some(b'"') => decode_string(raw).map_or_else(|| Value::Invalid(String::from_utf8_lossy(raw).into_owned()), Value::Text),
            Some(b'{' | b'[') => text(compact(raw)),
            _ => text(raw.to_vec()),
        };
        match &value {
            Value::Text(text) if text.len() > field_bytes_max => return Err("field_too_large"),
            Value::Text(text) if text.contains('\0') => return Err("nul_byte"),
            _ => values[index] = value,
        }
    }
    Ok(())
}

fn text(bytes: Vec<u8>) -> Value {
    String::from_utf8(bytes).map_or_else(
        |error| Value::Invalid(String::from_utf8_lossy(error.as_bytes()).into_owned()),
        Value::Text,
    )
}

/// JSON without the white space between its tokens.
fn compact(raw: &[u8]) -> Vec<u8> {
    let (mut out, mut in_string, mut is_escaped) = (Vec::with_capacity(raw.len()), false, false);
    for &byte in raw {
        if in_string {
            in_string = is_escaped || byte != b'"';
            is_escaped = byte == b'\\' && !is_escaped;
        } else if byte.is_ascii_whitespace() {
            continue;
        } else {
            in_string = byte == b'"';
        }
        out.push(byte);
    }
    out
}
