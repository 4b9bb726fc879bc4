//! Reads the last version's keys back from Arrow: identities sorted by record, sources as ranges, keys as positions in a sorted list.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, UInt32Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::take;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::table::CustomerKey;
use crate::table::column;
use crate::table::keys::RecordKeys;

/// A key for each record of some batches, which may be in any order and cut anywhere.
pub(super) fn record_keys(batches: Vec<RecordBatch>, key: &str, table: &'static str) -> Result<RecordKeys> {
    let (positions, keys) = keys_of(&batches, key, table)?;
    let (names, source_of) = sources_of(&batches, table)?;
    let record_id = all_texts(&texts(&batches, column::RECORD_ID, table)?, table)?;
    drop(batches);
    let order = order(&source_of, names.len(), &record_id);
    let mut ends = vec![0_usize; names.len()];
    for &source in &source_of {
        ends[usize::from(source)] += 1;
    }
    let mut end = 0;
    for count in &mut ends {
        end += *count;
        *count = end;
    }
    let sources = names.into_iter().zip(ends).collect();
    let sorted = match order {
        None => RecordKeys::new(sources, record_id, positions, keys),
        Some(order) => {
            let positions = order.par_iter().map(|&row| positions[row as usize]).collect();
            let rows = UInt32Array::from(order);
            let taken: ArrayRef = take(&record_id, &rows, None).expect("rows are positions in the list");
            drop((record_id, rows));
            RecordKeys::new(sources, taken.as_string::<i32>().clone(), positions, keys)
        }
    };
    sorted.ok_or_else(|| damaged("a record stands there twice", table))
}

/// A text column of every batch, without nulls.
pub(super) fn texts<'a>(batches: &'a [RecordBatch], name: &str, table: &'static str) -> Result<Vec<&'a StringArray>> {
    let of_batch = |batch: &'a RecordBatch| {
        let values = batch
            .column_by_name(name)
            .and_then(|values| values.as_string_opt::<i32>())
            .ok_or_else(|| damaged(&format!("text column `{name}` is missing"), table))?;
        if values.null_count() > 0 {
            return Err(damaged(&format!("column `{name}` has nulls"), table));
        }
        Ok(values)
    };
    batches.iter().map(of_batch).collect()
}

/// The keys in a column of texts, in order.
pub(super) fn key_values(parts: &[&StringArray]) -> Result<Vec<CustomerKey>> {
    let values = parts.iter().flat_map(|part| (0..part.len()).map(|row| part.value(row)));
    values.map(str::parse).collect()
}

pub(super) fn damaged(what: &str, table: &'static str) -> Error {
    Error::input(format!("the published state of the keys is damaged: {what}"))
        .with("table", table)
        .hint("roll back to a version that is intact, or publish to another warehouse")
}

/// Batches whose keys are read together.
const BATCHES: usize = 64;

/// Keys as they stand below each other, and how many rows each has.
type Runs = (Vec<CustomerKey>, Vec<u32>);

/// For each row the position of its key, and the keys in byte order. Rows of one key mostly stand together, so a key is read about once.
fn keys_of(batches: &[RecordBatch], name: &str, table: &'static str) -> Result<(Vec<u32>, Vec<CustomerKey>)> {
    let parts = texts(batches, name, table)?;
    let mut keys: Vec<CustomerKey> = Vec::new();
    let mut positions: Vec<u32> = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
    for parts in parts.chunks(BATCHES) {
        let runs: Vec<Runs> = parts.par_iter().map(|part| runs(part)).collect::<Result<_>>()?;
        for (key, rows) in runs.into_iter().flat_map(|(keys, rows)| keys.into_iter().zip(rows)) {
            if keys.last() != Some(&key) {
                keys.push(key);
            }
            let position = u32::try_from(keys.len() - 1).expect("there are fewer keys than 2^32 records");
            positions.extend(std::iter::repeat_n(position, rows as usize));
        }
    }
    if !keys.is_sorted() {
        let unsorted = keys.clone();
        keys.par_sort_unstable();
        keys.dedup();
        let position = |key: &CustomerKey| keys.binary_search(key).expect("the list holds every key");
        let sorted: Vec<usize> = unsorted.par_iter().map(position).collect();
        let position = |at: u32| u32::try_from(sorted[at as usize]).expect("there are fewer keys than 2^32 records");
        positions.par_iter_mut().for_each(|at| *at = position(*at));
    }
    keys.shrink_to_fit();
    Ok((positions, keys))
}

fn runs(part: &StringArray) -> Result<Runs> {
    let (mut keys, mut rows): Runs = (Vec::new(), Vec::new());
    let mut last = None;
    for row in 0..part.len() {
        let text = part.value(row);
        match rows.last_mut() {
            Some(rows) if last == Some(text) => *rows += 1,
            _ => {
                keys.push(text.parse()?);
                rows.push(1);
            }
        }
        last = Some(text);
    }
    Ok((keys, rows))
}

/// The sources in byte order, and for each row the position of its source.
fn sources_of(batches: &[RecordBatch], table: &'static str) -> Result<(Vec<String>, Vec<u16>)> {
    let parts = texts(batches, column::SOURCE, table)?;
    let mut names: Vec<&str> = Vec::new();
    let mut found: Vec<u16> = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
    let mut last: Option<(&str, u16)> = None;
    for text in parts.iter().flat_map(|part| (0..part.len()).map(|row| part.value(row))) {
        let source = match last {
            Some((name, source)) if name == text => source,
            _ => {
                let known = names.iter().position(|name| *name == text).unwrap_or_else(|| {
                    names.push(text);
                    names.len() - 1
                });
                u16::try_from(known).map_err(|_| damaged("it has more than 65,535 sources", table))?
            }
        };
        last = Some((text, source));
        found.push(source);
    }
    let mut sorted: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    sorted.sort_unstable();
    let position = |name: &&str| {
        let at = sorted
            .iter()
            .position(|sorted| sorted == name)
            .expect("both lists hold the same names");
        u16::try_from(at).expect("there are as many as before")
    };
    let rank: Vec<u16> = names.iter().map(position).collect();
    found.par_iter_mut().for_each(|source| *source = rank[usize::from(*source)]);
    Ok((sorted, found))
}

/// All texts in one array: the bytes of every part at once.
fn all_texts(parts: &[&StringArray], table: &'static str) -> Result<StringArray> {
    let bytes_of = |part: &StringArray| part.value_offsets()[part.len()] - part.value_offsets()[0];
    let total: i64 = parts.iter().map(|part| i64::from(bytes_of(part))).sum();
    let total = i32::try_from(total).map_err(|_| damaged("the table is too large for one batch", table))?;
    let mut bytes: Vec<u8> = Vec::with_capacity(usize::try_from(total).expect("lengths are not negative"));
    let mut offsets: Vec<i32> = Vec::with_capacity(parts.iter().map(|part| part.len()).sum::<usize>() + 1);
    offsets.push(0);
    for part in parts {
        let (first, before) = (part.value_offsets()[0], *offsets.last().expect("it starts with 0"));
        offsets.extend(part.value_offsets()[1..].iter().map(|&end| before + (end - first)));
        let range = |offset: i32| usize::try_from(offset).expect("offsets are not negative");
        bytes.extend_from_slice(&part.value_data()[range(first)..range(part.value_offsets()[part.len()])]);
    }
    let texts = StringArray::try_new(OffsetBuffer::new(offsets.into()), bytes.into(), None);
    texts.map_err(|error| damaged("a text is not UTF-8", table).because(error))
}

/// The rows by (source, record id); `None` if they are in this order. Compares eight bytes after what all record ids of the source share
/// before it compares texts: two integers instead of far memory reads.
fn order(source_of: &[u16], sources: usize, record_id: &StringArray) -> Option<Vec<u32>> {
    let name = |row: usize| (source_of[row], record_id.value(row));
    if (1..source_of.len()).into_par_iter().all(|row| name(row - 1) <= name(row)) {
        return None;
    }
    let shared = shared_prefixes(source_of, sources, record_id);
    let mut order: Vec<(u64, u16, u32)> = (0..u32::try_from(source_of.len()).expect("a table has fewer than 2^32 records"))
        .into_par_iter()
        .map(|row| {
            let source = source_of[row as usize];
            let rest = record_id
                .value(row as usize)
                .as_bytes()
                .get(shared[usize::from(source)]..)
                .unwrap_or_default();
            let mut head = [0_u8; 8];
            let length = rest.len().min(8);
            head[..length].copy_from_slice(&rest[..length]);
            (u64::from_be_bytes(head), source, row)
        })
        .collect();
    order.par_sort_unstable_by(|left, right| {
        (left.1, left.0)
            .cmp(&(right.1, right.0))
            .then_with(|| record_id.value(left.2 as usize).cmp(record_id.value(right.2 as usize)))
    });
    Some(order.into_iter().map(|(_, _, row)| row).collect())
}

/// For each source how many bytes all of its record ids begin with.
fn shared_prefixes(source_of: &[u16], sources: usize, record_id: &StringArray) -> Vec<usize> {
    let mut shared: Vec<Option<(&str, usize)>> = vec![None; sources];
    for (row, &source) in source_of.iter().enumerate() {
        let id = record_id.value(row);
        let entry = &mut shared[usize::from(source)];
        *entry = Some(match *entry {
            None => (id, id.len()),
            Some((first, length)) => {
                let both = first.bytes().zip(id.bytes()).take(length);
                (first, both.take_while(|(left, right)| left == right).count())
            }
        });
    }
    shared.into_iter().map(|entry| entry.map_or(0, |(_, length)| length)).collect()
}
