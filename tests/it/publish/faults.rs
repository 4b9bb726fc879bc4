//! Publishing over a store that fails at the n-th operation, before or after it took effect.

use std::sync::Arc;

use object_store::ObjectStore;
use stammkunde::ErrorKind;

use super::support::{assert_whole, bytes_of, engine, listing, on_store, publish, release, run};
use crate::faults::store::{Fault, FaultStore};

#[test]
fn a_fault_at_any_operation_leaves_a_whole_version_and_a_retry_publishes() {
    let engine = engine();
    for fault in [
        Fault::Fails,
        Fault::LosesReply,
        Fault::TimesOut,
        Fault::Tears,
        Fault::DiskFull,
        Fault::Slow,
    ] {
        let (mut failed, mut published, mut at) = (0, 0, 0);
        loop {
            let store = Arc::new(FaultStore::new(super::support::store()));
            let warehouse = on_store(Arc::clone(&store) as Arc<dyn ObjectStore>);
            let first = publish(&engine, &warehouse, release("one", None)).expect("no fault yet");
            store.arm(Some((at, fault)));
            let result = publish(&engine, &warehouse, release("two", Some(1)));
            let is_past_the_end = store.operations() <= at;
            store.arm(None);
            let newest = warehouse.latest(&engine).expect("it reads").expect("a version");
            assert_whole(&engine, &warehouse, &first);
            assert_whole(&engine, &warehouse, &newest);
            match result {
                Ok(manifest) => {
                    published += 1;
                    assert_eq!(newest, manifest, "what was promised is there, {fault:?} at {at}");
                }
                Err(error) => {
                    failed += 1;
                    assert_eq!(error.kind(), ErrorKind::Environment, "{error}");
                    assert_eq!(newest, first, "an error published nothing, {fault:?} at {at}");
                    let again = publish(&engine, &warehouse, release("two", Some(1))).expect("a retry publishes");
                    assert_whole(&engine, &warehouse, &again);
                }
            }
            warehouse.repair(&engine).expect("latest/ can be repaired");
            let newest = warehouse.latest(&engine).expect("it reads").expect("a version");
            for table in ["customers", "links"] {
                let file = &newest.tables[table].files[0].path;
                let copy = format!("latest/{table}.parquet");
                assert_eq!(
                    bytes_of(&engine, &warehouse, &copy),
                    bytes_of(&engine, &warehouse, file),
                    "{fault:?} at {at}"
                );
            }
            if is_past_the_end {
                break;
            }
            at += 1;
        }
        let is_harmless = fault == Fault::Slow;
        assert!(
            (failed >= 8) != is_harmless && published >= 4,
            "{fault:?} before and after the commit was met: {failed} {published}"
        );
    }
}

#[test]
fn a_run_that_dies_at_any_operation_leaves_whole_versions_and_is_cleaned_up() {
    let engine = engine();
    let mut at = 0;
    loop {
        let store = Arc::new(FaultStore::new(super::support::store()));
        let warehouse = on_store(Arc::clone(&store) as Arc<dyn ObjectStore>);
        publish(&engine, &warehouse, release("one", None)).expect("no fault yet");
        store.arm(Some((at, Fault::Dies)));
        let _ = publish(&engine, &warehouse, release("two", Some(1)));
        let is_past_the_end = store.operations() <= at;
        store.arm(None);
        for version in warehouse.versions(&engine).expect("it reads") {
            assert_whole(&engine, &warehouse, &version);
        }
        warehouse.sweep(&engine, &run("three")).expect("it sweeps");
        warehouse.repair(&engine).expect("it repairs");
        let newest = warehouse.latest(&engine).expect("it reads").expect("a version");
        let next = publish(&engine, &warehouse, release("three", Some(newest.version.0))).expect("the next run publishes");
        assert_whole(&engine, &warehouse, &next);
        let is_listed = |file: &String| file.starts_with("runs/two/") == (newest.version.0 == 2);
        let of_two: Vec<String> = listing(&engine, &warehouse)
            .into_iter()
            .filter(|file| file.starts_with("runs/two") && !file.ends_with("_claim.json"))
            .collect();
        assert!(of_two.iter().all(is_listed), "killed at {at}: {of_two:?}");
        if is_past_the_end {
            assert_eq!(newest.version.0, 2);
            break;
        }
        at += 1;
    }
    assert!(at >= 12, "every operation up to the commit and beyond was interrupted: {at}");
}

#[test]
fn a_lost_reply_of_the_commit_is_a_success() {
    let engine = engine();
    let store = Arc::new(FaultStore::new(super::support::store()));
    let warehouse = on_store(Arc::clone(&store) as Arc<dyn ObjectStore>);
    let commit = "versions/00000000000000000001.json";
    // Finds the commit: the first operation after which the version is there although its reply got lost.
    let found = (0..200).find(|&at| {
        let store = Arc::new(FaultStore::new(super::support::store()));
        let warehouse = on_store(Arc::clone(&store) as Arc<dyn ObjectStore>);
        store.arm(Some((at, Fault::Fails)));
        let failed = publish(&engine, &warehouse, release("one", None)).is_err();
        !failed && bytes_of(&engine, &warehouse, commit).is_some()
    });
    // The first operation whose failure does not stop the run comes after the commit and the reading that follows a lost reply.
    let after = found.expect("publishing has an end");
    store.arm(Some((after - 1, Fault::LosesReply)));
    let manifest = publish(&engine, &warehouse, release("one", None)).expect("the file holds our bytes");
    assert_eq!(warehouse.versions(&engine).expect("it reads"), [manifest]);
}

#[test]
fn a_failed_run_gives_its_space_back() {
    let engine = engine();
    let store = Arc::new(FaultStore::new(super::support::store()));
    let warehouse = on_store(Arc::clone(&store) as Arc<dyn ObjectStore>);
    // Operations: list versions, claim the folder, then the first table's upload.
    store.arm(Some((3, Fault::Fails)));
    publish(&engine, &warehouse, release("one", None)).expect_err("a fault");
    store.arm(None);
    assert_eq!(listing(&engine, &warehouse), [""; 0]);
}

#[test]
fn what_a_store_or_a_disk_spoils_is_never_committed() {
    let engine = engine();
    /// List, claim, three operations a table, two for the state, list, a look whether it was swept, and then the commit.
    const COMMIT: u64 = 12;
    const CLAIM: u64 = 1;
    let (mut spoiled, mut filled) = (0, 0);
    for at in 0..=COMMIT {
        for fault in [Fault::Corrupts, Fault::DiskFull] {
            let store = Arc::new(FaultStore::new(super::support::store()));
            let warehouse = on_store(Arc::clone(&store) as Arc<dyn ObjectStore>);
            let first = publish(&engine, &warehouse, release("one", None)).expect("no fault yet");
            store.arm(Some((at, fault)));
            let result = publish(&engine, &warehouse, release("two", Some(1)));
            store.arm(None);
            let Err(error) = result else { continue };
            if (at, fault) == (CLAIM, Fault::Corrupts) {
                assert_eq!(error.kind(), ErrorKind::Conflict, "a claim with another word is another's: {error}");
                continue;
            }
            assert_eq!(error.kind(), ErrorKind::Environment, "{error}");
            match fault {
                Fault::Corrupts => {
                    assert!(error.hint_text().is_some(), "{error}");
                    spoiled += 1;
                }
                _ => {
                    assert!(error.message().contains("disk is full"), "{error}");
                    filled += 1;
                }
            }
            assert_eq!(warehouse.latest(&engine).expect("it reads"), Some(first), "{fault:?} at {at}");
            let left = listing(&engine, &warehouse)
                .into_iter()
                .filter(|file| file.starts_with("runs/two/"))
                .count();
            assert!(left == 0 || at == COMMIT, "a failed run gives its space back: {fault:?} at {at}");
        }
    }
    assert_eq!(spoiled, 4, "two tables, a state file and the commit are verified");
    assert_eq!(filled, COMMIT + 1, "every operation up to the commit can meet a full disk");
}
