//! State as it is stored: what is read back is what was written, and damage is noticed.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Int64Type};
use proptest::prelude::*;
use stammkunde::ErrorKind;
use stammkunde::key::events_batch;
use stammkunde::key::state::{self, StoredKeys};
use stammkunde::profile;
use stammkunde::table::keys::{KeyCause, KeyEventKind, PreviousKeys};
use stammkunde::table::{CustomerKey, RunId, VersionNumber};

use super::world::first;

fn read(identities: &[RecordBatch]) -> stammkunde::Result<PreviousKeys> {
    state::previous(StoredKeys {
        identities: identities.to_vec(),
        ..StoredKeys::default()
    })
}

#[test]
fn state_of_an_older_release_and_state_that_does_not_fit_are_read_without_ages_and_hashes() {
    let run = first("crm:1 shop:1 | crm:2");
    let identities = profile::identities(&run.contacts, &run.keys);
    let state = state::to_batches(&run.contacts, &run.keys);
    let stored = StoredKeys {
        identities: vec![identities.clone()],
        created: vec![state.created],
        contents: vec![state.contents],
        ..StoredKeys::default()
    };
    let whole = state::previous(stored.clone()).unwrap();
    assert_eq!((&*whole.created, whole.contents.len()), (&[1, 1][..], 3));
    // Somebody took a record out of the identities, and nothing else.
    let fewer = state::previous(StoredKeys {
        identities: vec![identities.slice(0, 1)],
        ..stored
    })
    .unwrap();
    assert_eq!((fewer.created.len(), fewer.contents.len(), fewer.created(0)), (0, 0, 0));
    let old = read(&[identities]).unwrap();
    let merged = super::world::run(&super::world::parse("crm:1 shop:1 crm:2"), &old);
    assert_eq!(merged.causes(), [(KeyEventKind::Merged, KeyCause::Unknown)]);
    assert_eq!(merged.keys.created, [0], "since when the key is nobody knows");
}

#[test]
fn a_key_has_26_characters_of_crockford_base_32() {
    let run = first("crm:1");
    let text = run.key("crm:1").to_string();
    assert_eq!(text.len(), 26);
    assert!(text.bytes().all(|byte| b"0123456789abcdefghjkmnpqrstvwxyz".contains(&byte)));
    assert_eq!(text.parse::<CustomerKey>().unwrap(), run.key("crm:1"));
}

#[test]
fn a_minted_key_never_changes_between_releases() {
    // Computed by other means: hmac.new(secret, b"stammkunde/key/v1crm\x1f1\x1f0", sha256).digest()[:16] in Python, then base 32.
    assert_eq!(first("crm:1").key("crm:1").to_string(), "1ct5996bjzw3k4yba7066dse6t");
}

proptest! {
    #[test]
    fn keys_sort_as_their_texts_and_read_back(left: u128, right: u128) {
        let (left, right) = (CustomerKey::from_bits(left), CustomerKey::from_bits(right));
        prop_assert_eq!(left.cmp(&right), left.to_string().cmp(&right.to_string()));
        prop_assert_eq!(left.to_string().parse::<CustomerKey>().unwrap(), left);
    }
}

#[test]
fn a_text_that_is_no_key_is_refused() {
    for text in [
        "",
        "0",
        "zzzzzzzzzzzzzzzzzzzzzzzzzz",
        "0000000000000000000000000u",
        "0000000000000000000000000A",
        "00000000000000000000000000ö",
    ] {
        assert!(text.parse::<CustomerKey>().is_err(), "{text}");
    }
    assert!("7zzzzzzzzzzzzzzzzzzzzzzzzz".parse::<CustomerKey>().is_ok(), "the largest key");
    assert!("80000000000000000000000000".parse::<CustomerKey>().is_err(), "one more");
}

#[test]
fn batches_may_be_cut_anywhere_and_come_in_any_order() {
    let run = first("crm:customer-0009 shop:2 | crm:customer-00010 | crm:customer- shop:10 | web:1");
    let whole = profile::identities(&run.contacts, &run.keys);
    let cut = [whole.slice(3, 3), whole.slice(0, 3)];
    let previous = read(&cut).unwrap();
    assert_eq!(previous.identities.len(), run.records.len());
    for (row, record) in run.records.iter().enumerate() {
        assert_eq!(previous.identities.record(row), (record.0.as_str(), record.1.as_str()));
        assert_eq!(previous.identities.key(row), run.key(&format!("{}:{}", record.0, record.1)));
    }
}

#[test]
fn a_record_that_stands_twice_is_damage() {
    let run = first("crm:1 | crm:2");
    let identities = profile::identities(&run.contacts, &run.keys);
    let error = read(&[identities.clone(), identities]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
}

#[test]
fn a_missing_column_and_a_malformed_key_are_damage() {
    let run = first("crm:1");
    let identities = profile::identities(&run.contacts, &run.keys);
    assert!(read(&[identities.project(&[1, 2]).unwrap()]).is_err());
    let malformed: ArrayRef = Arc::new(StringArray::from(vec!["not a key"]));
    let columns = vec![malformed, identities.column(1).clone(), identities.column(2).clone()];
    let malformed = RecordBatch::try_new(identities.schema(), columns).unwrap();
    assert!(read(&[malformed]).is_err());
}

#[test]
fn state_of_a_merge_holds_what_an_unmerge_needs() {
    let run = first("crm:1 shop:1 | crm:2");
    let merged = run.then("crm:1 shop:1 crm:2");
    let batches = state::to_batches(&merged.contacts, &merged.keys);
    assert_eq!(batches.origins.num_rows(), 1);
    let text = |batch: &RecordBatch, name: &str| batch.column_by_name(name).unwrap().as_string::<i32>().value(0).to_owned();
    assert_eq!(text(&batches.origins, "record_id"), "2");
    assert_eq!(text(&batches.origins, "origin_key"), run.key("crm:2").to_string());
    assert_eq!(text(&batches.redirects, "old_key"), run.key("crm:2").to_string());
    assert_eq!(text(&batches.redirects, "new_key"), run.key("crm:1").to_string());
    assert_eq!(batches.retired.num_rows(), 0);
    assert_eq!(batches.retired.schema().field(0).data_type(), &DataType::Utf8);
}

#[test]
fn events_name_the_run_and_both_keys() {
    let run = first("crm:1 shop:1 | crm:2");
    let merged = run.then("crm:1 shop:1 crm:2 | web:1");
    let batch = events_batch(&merged.keys, &RunId::from_scheduler("monday").unwrap(), VersionNumber(2));
    let names: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(
        names,
        ["run_id", "customer_key", "event", "other_key", "records_count", "cause", "version"]
    );
    let causes: Vec<&str> = batch.column(5).as_string::<i32>().iter().flatten().collect();
    let versions = batch.column(6).as_primitive::<Int64Type>().values();
    assert_eq!((causes.len(), &versions[..]), (batch.num_rows(), &vec![2; batch.num_rows()][..]));
    let events: Vec<&str> = batch.column(2).as_string::<i32>().iter().flatten().collect();
    let merge = events.iter().position(|&event| event == "merged").unwrap();
    assert_eq!(batch.column(0).as_string::<i32>().value(merge), "monday");
    assert_eq!(batch.column(1).as_string::<i32>().value(merge), run.key("crm:2").to_string());
    assert_eq!(batch.column(3).as_string::<i32>().value(merge), run.key("crm:1").to_string());
    assert_eq!(batch.column(3).null_count(), 1, "a created key has no other key");
    let both = concat_batches(&batch.schema(), [&batch, &batch]).unwrap();
    assert_eq!(both.num_rows(), 4, "events of several runs are one table");
}
