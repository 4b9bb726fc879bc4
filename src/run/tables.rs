//! Puts the results of the stages into the tables and state files of a version.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::Date32Array;
use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array};
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::framing;
use super::identity::Resolved;
use super::previous::damaged;
use super::{Plan, Previous, RunOptions};
use crate::config::Spec;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::key;
use crate::model::Table;
use crate::profile::{self, ProfileSpec};
use crate::report::IdentityReport;
use crate::score;
use crate::source::Ledger;
use crate::table::keys::Keys;
use crate::table::{CleanContacts, Decisions, RecordKind, Reject, Rejects, VersionNumber, column};

/// State file: objects and columns that were read.
pub const LEDGER: &str = "ledger.json";
/// State file: keys out of use.
pub const RETIRED_KEYS: &str = "retired_keys.arrow";
/// State file: the key a record had before its key was merged away.
pub const KEY_ORIGINS: &str = "key_origins.arrow";
/// State file: what each redirected key was merged into at the time, and the version that created it.
pub const KEY_MERGES: &str = "key_merges.arrow";
/// State file: the version that created each key.
pub const KEYS_CREATED: &str = "keys_created.arrow";
/// State file: a hash of what identity read of each record.
pub const RECORD_CONTENTS: &str = "record_contents.arrow";
/// State file: fingerprint of the rules of identity.
pub const RULES: &str = "identity_rules.txt";

/// State file: what scoring knew of each record.
pub const SCORED_RECORDS: &str = "scored_records.arrow";
/// State file: the links that scoring gave.
pub const SCORED_LINKS: &str = "scored_links.arrow";

/// What the tables are made from.
pub struct Input<'a> {
    pub engine: &'a Engine,
    pub spec: &'a Spec,
    pub options: &'a RunOptions,
    pub previous: &'a Previous,
    pub contacts: &'a CleanContacts,
    pub decisions: &'a Decisions,
    pub resolved: &'a Resolved,
    pub keys: &'a Keys,
}

impl Input<'_> {
    fn profile_spec(&self) -> ProfileSpec<'_> {
        profile_spec(self.spec)
    }
}

/// How profiles are made.
pub fn profile_spec(spec: &Spec) -> ProfileSpec<'_> {
    ProfileSpec {
        trust: &spec.trust,
        survivorship: &spec.survivorship,
        consent: spec.consent,
        identifiers: &spec.identity.identifiers,
        shared_by_records_max: spec.identity.shared_by_records_max,
    }
}

/// The tables about people and keys.
pub const PEOPLE: [&str; 10] = [
    "contacts",
    "customers",
    "decisions",
    "generic_values",
    "identities",
    "key_events",
    "key_redirects",
    "links",
    "possible_links",
    "rejects",
];

/// One of [`PEOPLE`]. They are made one after the other, so that the next is made when the last is written and gone.
pub fn people(name: &str, input: &Input<'_>, rejects: &Rejects) -> Table {
    let Input {
        contacts, resolved, keys, ..
    } = *input;
    let names = |rules: &[crate::config::spec::BlockingRule]| rules.iter().map(|rule| rule.name.clone()).collect::<Vec<_>>();
    let (blocking, deterministic) = (names(&input.spec.identity.blocking), names(&input.spec.identity.deterministic));
    let rules = (blocking.as_slice(), deterministic.as_slice());
    let batch = input.engine.compute(|| match name {
        "contacts" => profile::contacts(contacts, keys),
        "customers" => profile::customers(&input.profile_spec(), contacts, keys),
        "decisions" => profile::decisions(keys, input.decisions),
        "generic_values" => profile::generic_values(contacts, &resolved.generic),
        "identities" => profile::identities(contacts, keys),
        "key_events" => key::events_batch(
            keys,
            &input.options.run_id,
            VersionNumber(input.previous.version().map_or(1, |version| version.0 + 1)),
        ),
        "key_redirects" => key::redirects_batch(&keys.redirects),
        "links" => profile::links(contacts, keys, &resolved.links, rules),
        "possible_links" => profile::possible_links(contacts, keys, &resolved.possible, rules),
        _ => rejects_batch(rejects),
    });
    if name == "key_events" {
        appended(input.previous, name, batch)
    } else {
        one(batch)
    }
}

fn one(batch: RecordBatch) -> Table {
    Table {
        schema: batch.schema(),
        batches: vec![batch],
    }
}

/// The records of one kind with the keys of their customers. Lines take theirs from the keyed `orders`.
pub fn keyed(input: &Input<'_>, kind: RecordKind, batches: &[RecordBatch], orders: &[RecordBatch]) -> Table {
    let attribute = || profile::attribute(&input.profile_spec(), input.contacts, input.keys, kind, batches, orders);
    let batches = input.engine.compute(attribute);
    let empty = || crate::model::base::schemas(input.spec)[kind.name()].clone();
    Table {
        schema: batches.first().map_or_else(empty, RecordBatch::schema),
        batches,
    }
}

/// The table `runs` with one row more.
pub fn runs(previous: &Previous, options: &RunOptions, plan: &Plan, now: DateTime<Utc>, identity: &IdentityReport) -> Table {
    let version = plan.previous.map_or(1, |version| version.0 + 1);
    let epoch = chrono::NaiveDate::default();
    let day = i32::try_from((plan.as_of - epoch).num_days()).expect("calendar days fit 32 bits");
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let integer = |number: u64| Arc::new(Int64Array::from(vec![count(number)])) as ArrayRef;
    let created = TimestampMicrosecondArray::from(vec![now.timestamp_micros()]).with_timezone("UTC");
    let row = batch(vec![
        (
            column::RUN_ID,
            Arc::new(StringArray::from(vec![options.run_id.as_str()])) as ArrayRef,
        ),
        (column::VERSION, integer(version)),
        ("as_of", Arc::new(Date32Array::from(vec![day]))),
        (column::CREATED_AT, Arc::new(created)),
        ("tool_version", Arc::new(StringArray::from(vec![env!("CARGO_PKG_VERSION")]))),
        (column::RECORDS_COUNT, integer(identity.records)),
        ("customers_count", integer(identity.customers)),
        ("pairs_count", integer(identity.pairs.pairs)),
        ("links_count", integer(identity.pairs.links)),
    ]);
    appended(previous, "runs", row)
}

/// The previous version's rows of a growing table, then the new ones. Columns that an older release did not have are null in its rows; rows
/// with a column of another type are left behind.
fn appended(previous: &Previous, name: &str, new: RecordBatch) -> Table {
    let schema = new.schema();
    let widened = |batch: &RecordBatch| {
        let column = |field: &Arc<Field>| match batch.column_by_name(field.name()) {
            Some(values) => Arc::clone(values),
            None => new_null_array(field.data_type(), batch.num_rows()),
        };
        RecordBatch::try_new(Arc::clone(&schema), schema.fields().iter().map(column).collect()).ok()
    };
    let mut batches: Vec<RecordBatch> = previous.history.get(name).into_iter().flatten().filter_map(widened).collect();
    batches.push(new);
    Table { schema, batches }
}

/// State files of the next version.
pub fn state(input: &Input<'_>, ledger: &Ledger) -> Result<Vec<(String, Bytes)>> {
    let Input {
        spec,
        contacts,
        resolved,
        keys,
        ..
    } = *input;
    let ledger = serde_json::to_vec_pretty(ledger).map_err(|error| Error::internal("the ledger does not fit JSON").because(error))?;
    let batches = key::state::to_batches(contacts, keys);
    let mut files = score::state::write(&resolved.model, &resolved.frequencies)?;
    files.push((LEDGER.to_owned(), ledger.into()));
    files.push((RETIRED_KEYS.to_owned(), to_ipc(&batches.retired)?));
    files.push((KEY_ORIGINS.to_owned(), to_ipc(&batches.origins)?));
    if let Some(scored) = &resolved.scored {
        let (records, links) = scored.to_batches();
        files.push((SCORED_RECORDS.to_owned(), to_ipc(&records)?));
        files.push((SCORED_LINKS.to_owned(), to_ipc(&links)?));
    }
    files.push((KEY_MERGES.to_owned(), to_ipc(&batches.merges)?));
    files.push((KEYS_CREATED.to_owned(), to_ipc(&batches.created)?));
    files.push((RECORD_CONTENTS.to_owned(), to_ipc(&batches.contents)?));
    files.push((RULES.to_owned(), spec.identity.fingerprint().into()));
    Ok(files)
}

fn to_ipc(batch: &RecordBatch) -> Result<Bytes> {
    let failed = |error| Error::internal("a state table cannot be written").because(error);
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).map_err(failed)?;
    writer.write(batch).map_err(failed)?;
    Ok(writer.into_inner().map_err(failed)?.into())
}

/// Reads a table of the state of a version back, in Arrow's stream format.
///
/// # Errors
/// `Environment` if it is damaged.
pub fn from_ipc(name: &str, bytes: &[u8]) -> Result<Vec<RecordBatch>> {
    if !framing::is_whole(bytes) {
        return Err(damaged(name, std::io::Error::from(std::io::ErrorKind::UnexpectedEof)));
    }
    let read = || StreamReader::try_new(bytes, None)?.collect::<Result<Vec<RecordBatch>, ArrowError>>();
    // The reader was not made for damaged schemas, and panics on some.
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(batches) => batches.map_err(|error| damaged(name, error)),
        Err(_) => Err(damaged(name, std::io::Error::from(std::io::ErrorKind::InvalidData))),
    }
}

fn rejects_batch(rejects: &Rejects) -> RecordBatch {
    let rows = &rejects.rows;
    let text = |value: fn(&Reject) -> Option<&str>| Arc::new(rows.iter().map(value).collect::<StringArray>()) as ArrayRef;
    let lines: Int64Array = rows
        .iter()
        .map(|row| row.line.map(|line| i64::try_from(line).unwrap_or(i64::MAX)))
        .collect();
    batch(vec![
        (column::SOURCE, text(|row| Some(&row.source))),
        ("record", text(|row| row.record.as_deref())),
        (column::FILE, text(|row| row.file.as_deref())),
        (column::LINE, Arc::new(lines)),
        (column::LEVEL, text(|row| Some(row.level.name()))),
        (column::REASON, text(|row| Some(&row.reason))),
        (column::FIELD, text(|row| row.field.as_deref())),
        (column::CONTENT, text(|row| row.content.as_deref())),
    ])
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, values)| Field::new(*name, values.data_type().clone(), true))
        .collect();
    let columns = columns.into_iter().map(|(_, values)| values).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("columns of one table are equally long")
}
