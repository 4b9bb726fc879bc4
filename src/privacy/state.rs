//! The state files of a version without people: key map, term frequencies, caches. What cannot be rewritten and may hold them is left behind.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray, DictionaryArray, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::UInt32Type;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use bytes::Bytes;

use super::person::{People, Source, text};
use crate::error::{Error, Result};
use crate::score::{self, TermFrequencies};
use crate::standardize::{self, Purpose};
use crate::suppress::SUPPRESSIONS;
use crate::table::build::key_column;
use crate::table::{Contacts, CustomerKey, RecordKind, column};

/// Keys that were used once and are no customer's: never minted again.
const RETIRED_KEYS: &str = "retired_keys.arrow";
/// One row a record, in their order: what the next run compares with.
const RECORD_CONTENTS: &str = "record_contents.arrow";
/// One row a key, in their order.
const KEYS_CREATED: &str = "keys_created.arrow";
/// Intermediate results by positions of records: the next run makes them anew.
const CACHES: &str = "scored_";
/// Bytes of an identifier below which a hit in a file of bytes may be chance.
const NEEDLE_BYTES_MIN: usize = 5;

/// All state files but the suppression list, as they are.
pub(super) fn all(source: &Source<'_>) -> Result<Vec<(String, Bytes)>> {
    let names = source.manifest.state.keys().filter(|name| *name != SUPPRESSIONS);
    let read = |name: &String| {
        let bytes = source.warehouse.state(source.engine, source.manifest, name)?;
        Ok((name.clone(), bytes.expect("the manifest lists it")))
    };
    names.map(read).collect()
}

/// All state files but the suppression list, without the people; and how many term frequencies only they held.
pub(super) fn without(source: &Source<'_>, people: &People) -> Result<(Vec<(String, Bytes)>, u64)> {
    let mut files = Vec::new();
    let mut frequencies_gone = 0;
    let (term_frequencies, gone) = match frequencies(source, people)? {
        Some((bytes, gone)) => (Some(bytes), gone),
        None => (None, 0),
    };
    frequencies_gone += gone;
    let kept = Kept::of(source, people)?;
    for (name, bytes) in all(source)? {
        let kept = match name.as_str() {
            score::state::TERM_FREQUENCIES => Some(term_frequencies.clone().unwrap_or(bytes)),
            _ if name.starts_with(CACHES) => None,
            RETIRED_KEYS => Some(with_retired(&name, &bytes, people)?),
            RECORD_CONTENTS => Some(without_rows(&name, &bytes, &kept.records)?),
            KEYS_CREATED => Some(without_rows(&name, &bytes, &kept.keys)?),
            _ if name.ends_with(".arrow") => Some(rewritten(&name, &bytes, people)?),
            _ => (!mentions(&bytes, people)).then_some(bytes),
        };
        files.extend(kept.map(|bytes| (name, bytes)));
    }
    Ok((files, frequencies_gone))
}

/// Whether a file holds one of their identifiers as text. Short ones stand in any file by chance.
fn mentions(bytes: &Bytes, people: &People) -> bool {
    let needles: BTreeSet<&str> = people.identifiers.iter().map(|identifier| identifier.parts().1).collect();
    let needles = needles
        .into_iter()
        .filter(|needle| needle.len() >= NEEDLE_BYTES_MIN && needle.parse::<u64>().is_err());
    let Ok(text) = std::str::from_utf8(bytes) else { return true };
    needles.into_iter().any(|needle| text.contains(needle))
}

/// An Arrow file without the rows about their records and keys.
fn rewritten(name: &str, bytes: &[u8], people: &People) -> Result<Bytes> {
    let (schema, batches) = from_ipc(name, bytes)?;
    let clean = |batch: &RecordBatch| {
        let (source, id) = (text(batch, column::SOURCE), text(batch, column::RECORD_ID));
        let keys: Vec<_> = batch
            .schema_ref()
            .fields()
            .iter()
            .filter(|field| field.name().ends_with("_key"))
            .filter_map(|field| text(batch, field.name()))
            .collect();
        let is_theirs = |row: usize| {
            let record = source.zip(id).map(|(source, id)| (source.value(row), id.value(row)));
            record.is_some_and(|(source, id)| people.has_record(source, id))
                || keys.iter().any(|keys| people.has(keys.is_valid(row).then(|| keys.value(row))))
        };
        let kept: BooleanArray = (0..batch.num_rows()).map(|row| Some(!is_theirs(row))).collect();
        filter_record_batch(batch, &kept).map_err(|error| damaged(name).because(error))
    };
    to_ipc(&schema, &batches.iter().map(clean).collect::<Result<Vec<_>>>()?)
}

/// Which rows stay of files whose rows are records or keys by their position.
struct Kept {
    /// By record, sorted by source and record id.
    records: Vec<bool>,
    /// By key, in byte order.
    keys: Vec<bool>,
}

impl Kept {
    fn of(source: &Source<'_>, people: &People) -> Result<Self> {
        let columns = [column::SOURCE, column::RECORD_ID, column::CUSTOMER_KEY];
        let identities = source
            .warehouse
            .read(source.engine, source.manifest, "identities", Some(&columns))?
            .unwrap_or_default();
        let mut records = Vec::new();
        let mut keys = BTreeSet::new();
        for batch in &identities {
            let [Some(sources), Some(ids), Some(keys_of)] = columns.map(|name| text(batch, name)) else {
                return Err(damaged("identities"));
            };
            records.extend((0..batch.num_rows()).map(|row| (sources.value(row), ids.value(row))));
            keys.extend(keys_of.iter().flatten());
        }
        records.sort_unstable();
        Ok(Self {
            records: records.into_iter().map(|(source, id)| !people.has_record(source, id)).collect(),
            keys: keys.into_iter().map(|key| !people.has(Some(key))).collect(),
        })
    }
}

/// An Arrow file without some of its rows; without any if it does not have one for each.
fn without_rows(name: &str, bytes: &[u8], kept: &[bool]) -> Result<Bytes> {
    let (schema, batches) = from_ipc(name, bytes)?;
    let all = concat_batches(&schema, &batches).map_err(|error| damaged(name).because(error))?;
    if all.num_rows() != kept.len() {
        return to_ipc(&schema, &[RecordBatch::new_empty(Arc::clone(&schema))]);
    }
    let kept = filter_record_batch(&all, &BooleanArray::from(kept.to_vec())).map_err(|error| damaged(name).because(error))?;
    to_ipc(&schema, &[kept])
}

/// The retired keys with theirs: tombstones, so that no key of theirs is ever minted again.
fn with_retired(name: &str, bytes: &[u8], people: &People) -> Result<Bytes> {
    let (schema, batches) = from_ipc(name, bytes)?;
    let known = batches
        .iter()
        .filter_map(|batch| text(batch, column::CUSTOMER_KEY))
        .flat_map(|keys| keys.iter().flatten());
    let mut keys: Vec<CustomerKey> = known
        .chain(people.keys.iter().map(String::as_str))
        .map(str::parse)
        .collect::<Result<_>>()
        .map_err(|error| damaged(name).because(error))?;
    keys.sort_unstable();
    keys.dedup();
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![key_column(keys.into_iter().map(Some))]);
    to_ipc(&schema, &[batch.map_err(|error| damaged(name).because(error))?])
}

/// The term frequencies without the values that only they held, if there are such.
fn frequencies(source: &Source<'_>, people: &People) -> Result<Option<(Bytes, u64)>> {
    let read = |name: &str| source.warehouse.state(source.engine, source.manifest, name);
    let Some((model, mut frequencies)) = score::state::read(read)? else {
        return Ok(None);
    };
    let columns: Vec<String> = frequencies.columns.keys().cloned().collect();
    let contacts = source.table(RecordKind::Contacts.name())?;
    let (own, others) = split(&contacts, people)?;
    let mut only_theirs = values(source, own, &columns);
    only_theirs.retain(|(name, value)| listed(&frequencies, name, value));
    if only_theirs.is_empty() {
        return Ok(None);
    }
    for held in values(source, others, &columns) {
        only_theirs.remove(&held);
    }
    for (name, value) in &only_theirs {
        if let Some(column) = frequencies.columns.get_mut(name) {
            column.values.remove(value);
        }
    }
    let gone = only_theirs.len() as u64;
    let files = score::state::write(&model, &frequencies)?;
    let file = files.into_iter().find(|(name, _)| name == score::state::TERM_FREQUENCIES);
    Ok(file.map(|(_, bytes)| (bytes, gone)))
}

fn listed(frequencies: &TermFrequencies, name: &str, value: &str) -> bool {
    frequencies
        .columns
        .get(name)
        .is_some_and(|column| column.values.contains_key(value))
}

/// Their contacts, and all others.
fn split(contacts: &[RecordBatch], people: &People) -> Result<(Option<RecordBatch>, Option<RecordBatch>)> {
    let Some(first) = contacts.first() else { return Ok((None, None)) };
    let failed = |error| Error::environment("the contacts do not fit into one table").because(error);
    let all = concat_batches(&first.schema(), contacts).map_err(failed)?;
    let keys = text(&all, column::CUSTOMER_KEY);
    let is_theirs: BooleanArray = (0..all.num_rows())
        .map(|row| Some(keys.is_some_and(|keys| people.has(keys.is_valid(row).then(|| keys.value(row))))))
        .collect();
    let others: BooleanArray = is_theirs.iter().map(|theirs| theirs.map(|theirs| !theirs)).collect();
    let part = |mask: &BooleanArray| filter_record_batch(&all, mask).map_err(failed);
    Ok((Some(part(&is_theirs)?), Some(part(&others)?)))
}

/// The matching values of contacts, by column.
fn values(source: &Source<'_>, contacts: Option<RecordBatch>, columns: &[String]) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let Some(contacts) = contacts else { return found };
    let own: Vec<usize> = (0..contacts.num_columns())
        .filter(|&at| contacts.schema_ref().field(at).name() != column::CUSTOMER_KEY)
        .collect();
    let contacts = Contacts::new(contacts.project(&own).expect("positions are those of the batch"));
    let standardized = source
        .engine
        .compute(|| standardize::standardize_for(&contacts, &source.spec.country, Purpose::Matching(columns)));
    let matching = standardized.contacts.matching;
    for name in columns {
        let Some(dictionary) = matching
            .column_by_name(name)
            .and_then(|values| values.as_any().downcast_ref::<DictionaryArray<UInt32Type>>())
        else {
            continue;
        };
        let texts = dictionary.values().as_string::<i32>();
        let used: BTreeSet<u32> = dictionary.keys().iter().flatten().collect();
        found.extend(
            used.into_iter()
                .filter(|&code| texts.is_valid(code as usize))
                .map(|code| (name.clone(), texts.value(code as usize).to_owned())),
        );
    }
    found
}

fn from_ipc(name: &str, bytes: &[u8]) -> Result<(arrow::datatypes::SchemaRef, Vec<RecordBatch>)> {
    let reader = StreamReader::try_new(bytes, None).map_err(|error| damaged(name).because(error))?;
    let schema = reader.schema();
    let batches = reader
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| damaged(name).because(error))?;
    Ok((schema, batches))
}

fn to_ipc(schema: &arrow::datatypes::SchemaRef, batches: &[RecordBatch]) -> Result<Bytes> {
    let failed = |error| Error::internal("a state table cannot be written").because(error);
    let mut writer = StreamWriter::try_new(Vec::new(), schema).map_err(failed)?;
    for batch in batches {
        writer.write(batch).map_err(failed)?;
    }
    Ok(writer.into_inner().map_err(failed)?.into())
}

fn damaged(name: &str) -> Error {
    Error::environment("a state file of the newest version cannot be read")
        .with("file", name.to_owned())
        .hint("restore the file, or run the job once more")
}
