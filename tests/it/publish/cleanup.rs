//! Old versions go, with what only they list; every version that is kept stays whole, wherever a cleanup or a rollback is cut off.

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::ObjectStore;
use stammkunde::ErrorKind;
use stammkunde::engine::Engine;
use stammkunde::publish::{CleanupOptions, Warehouse};
use stammkunde::table::VersionNumber;

use super::support::{
    assert_whole, bytes_of, customers, engine, in_memory, listing, on_disk, on_store, publish, put, release, release_of, run, store,
};
use crate::faults::store::{Fault, FaultStore};

fn keep(keep: usize) -> CleanupOptions {
    CleanupOptions {
        keep,
        older_than_days: None,
        dry_run: false,
    }
}

fn numbers(versions: &[VersionNumber]) -> Vec<u64> {
    versions.iter().map(|version| version.0).collect()
}

/// Versions 1 to 4, of which 3 takes over `links` of 2; and what a crashed run left.
fn four_versions(engine: &Engine, warehouse: &Warehouse) {
    publish(engine, warehouse, release("one", None)).expect("it publishes");
    let two = publish(engine, warehouse, release("two", Some(1))).expect("it publishes");
    let mut three = release_of("three", Some(2), vec![("customers", customers(&["a", "two"]))]);
    three.closing.carried = BTreeMap::from([("links".to_owned(), two.tables["links"].clone())]);
    three.closing.state = release("two", None).closing.state;
    publish(engine, warehouse, three).expect("it publishes");
    publish(engine, warehouse, release("four", Some(3))).expect("it publishes");
    put(engine, warehouse, "runs/crashed/customers/part-00000.parquet", b"half");
}

fn assert_versions_whole(engine: &Engine, warehouse: &Warehouse) {
    for mut version in warehouse.versions(engine).expect("they read") {
        if version.run_id.as_str() == "three" {
            version.run_id = run("two");
        }
        if version.rolled_back_to.is_some() {
            version.run_id = run("one");
        }
        assert_whole(engine, warehouse, &version);
    }
}

#[test]
fn a_cleanup_removes_versions_and_what_only_they_list() {
    let engine = engine();
    let (_folder, on_disk) = on_disk(&engine);
    for warehouse in [in_memory(), on_disk] {
        four_versions(&engine, &warehouse);
        let before = listing(&engine, &warehouse);
        let dry = CleanupOptions { dry_run: true, ..keep(2) };
        let planned = warehouse.cleanup(&engine, &run("look"), &dry).expect("it looks");
        assert_eq!(listing(&engine, &warehouse), before, "a dry run deletes nothing");
        let report = warehouse.cleanup(&engine, &run("clean"), &keep(2)).expect("it cleans");
        assert_eq!((numbers(&report.kept), numbers(&report.removed)), (vec![3, 4], vec![1, 2]));
        assert_eq!(report.folders, ["crashed", "one"]);
        assert_eq!(
            (&planned.folders, planned.files, planned.bytes),
            (&report.folders, report.files, report.bytes)
        );
        // Of the run `two` version 3 lists `links` alone; its customers and state go.
        let of_two: Vec<String> = listing(&engine, &warehouse)
            .into_iter()
            .filter(|file| file.contains("/two/"))
            .collect();
        assert_eq!(of_two, ["runs/two/_claim.json", "runs/two/links/part-00000.parquet"]);
        assert_versions_whole(&engine, &warehouse);
        let newest = warehouse.newest(&engine).expect("it reads");
        assert_eq!(newest.version.0, 4);
        let copy = bytes_of(&engine, &warehouse, "latest/customers.parquet");
        assert_eq!(copy, bytes_of(&engine, &warehouse, &newest.tables["customers"].files[0].path));
        let again = warehouse.cleanup(&engine, &run("clean"), &keep(2)).expect("it cleans");
        assert_eq!((again.files, again.removed.len()), (0, 0), "nothing is left to do");
        publish(&engine, &warehouse, release("five", Some(4))).expect("the next run goes on");
    }
}

#[test]
fn the_newest_version_is_never_removed() {
    let (engine, warehouse) = (engine(), in_memory());
    let nothing = warehouse
        .cleanup(&engine, &run("clean"), &keep(1))
        .expect("an empty warehouse is clean");
    assert_eq!((nothing.kept.len(), nothing.removed.len()), (0, 0));
    four_versions(&engine, &warehouse);
    assert_eq!(
        warehouse.cleanup(&engine, &run("clean"), &keep(0)).expect_err("none").kind(),
        ErrorKind::Config
    );
    let report = warehouse.cleanup(&engine, &run("clean"), &keep(1)).expect("it cleans");
    assert_eq!((numbers(&report.kept), report.removed.len()), (vec![4], 3));
    assert_versions_whole(&engine, &warehouse);
    let report = warehouse.cleanup(&engine, &run("clean"), &keep(9)).expect("it cleans");
    assert_eq!(numbers(&report.kept), [4]);
}

#[test]
fn age_is_judged_by_the_clock_of_the_store() {
    let engine = engine();
    for (days_old, removed) in [(6, vec![]), (8, vec![1, 2])] {
        let store = Arc::new(FaultStore::new(store()));
        let warehouse = on_store(Arc::clone(&store) as Arc<dyn ObjectStore>);
        four_versions(&engine, &warehouse);
        // The whole store is years off; what counts is how much older the versions are than what is written now.
        store.shift_times(-3 * 365 * 24 * 60, ".json", 0);
        store.shift_listed(-days_old * 24 * 60);
        let options = CleanupOptions {
            older_than_days: Some(7),
            ..keep(2)
        };
        let report = warehouse.cleanup(&engine, &run("clean"), &options).expect("it cleans");
        assert_eq!(numbers(&report.removed), removed, "{days_old} days");
    }
}

#[test]
fn a_rollback_is_a_new_version_of_old_files_and_can_be_taken_back() {
    let engine = engine();
    let (_folder, on_disk) = on_disk(&engine);
    for warehouse in [in_memory(), on_disk] {
        let first = publish(&engine, &warehouse, release("one", None)).expect("it publishes");
        let second = publish(&engine, &warehouse, release("two", Some(1))).expect("it publishes");
        let before = listing(&engine, &warehouse);
        let look = warehouse.rollback(&engine, &run("back"), VersionNumber(1), true).expect("it looks");
        assert_eq!((look.version.0, look.dry_run), (3, true));
        assert_eq!(listing(&engine, &warehouse), before);
        warehouse
            .rollback(&engine, &run("back"), VersionNumber(1), false)
            .expect("it goes back");
        let third = warehouse.newest(&engine).expect("it reads");
        assert_eq!(
            (third.version.0, third.parent, third.rolled_back_to),
            (3, Some(VersionNumber(2)), Some(VersionNumber(1)))
        );
        assert_eq!(
            (&third.tables, &third.state, &third.fingerprint),
            (&first.tables, &first.state, &first.fingerprint)
        );
        let file = &first.tables["customers"].files[0].path;
        assert_eq!(
            bytes_of(&engine, &warehouse, "latest/customers.parquet"),
            bytes_of(&engine, &warehouse, file)
        );
        let error = warehouse
            .rollback(&engine, &run("back"), VersionNumber(3), false)
            .expect_err("the newest");
        assert_eq!(error.kind(), ErrorKind::Config);
        let error = warehouse
            .rollback(&engine, &run("back"), VersionNumber(9), false)
            .expect_err("none such");
        assert_eq!(error.kind(), ErrorKind::Input);
        warehouse
            .rollback(&engine, &run("forth"), VersionNumber(2), false)
            .expect("it goes forth");
        assert_eq!(warehouse.newest(&engine).expect("it reads").tables, second.tables);
        // The versions 1 and 2 may go: their files are those of 3 and 4.
        let report = warehouse.cleanup(&engine, &run("clean"), &keep(2)).expect("it cleans");
        assert_eq!((report.files, report.removed.len()), (0, 2));
        assert_versions_of(&engine, &warehouse, &[("one", 3), ("two", 4)]);
    }
}

fn assert_versions_of(engine: &Engine, warehouse: &Warehouse, expected: &[(&str, u64)]) {
    let versions = warehouse.versions(engine).expect("they read");
    assert_eq!(versions.len(), expected.len());
    for (mut version, (name, number)) in versions.into_iter().zip(expected) {
        assert_eq!(version.version.0, *number);
        version.run_id = run(name);
        assert_whole(engine, warehouse, &version);
    }
}

#[test]
fn a_rollback_to_a_damaged_version_or_past_an_erasure_is_refused() {
    let (engine, warehouse) = (engine(), in_memory());
    let first = publish(&engine, &warehouse, release("one", None)).expect("it publishes");
    let mut second = release("two", Some(1));
    second.closing.state.push(("suppressions.json".to_owned(), b"{}".to_vec().into()));
    publish(&engine, &warehouse, second).expect("it publishes");
    let error = warehouse
        .rollback(&engine, &run("back"), VersionNumber(1), false)
        .expect_err("somebody was erased");
    assert_eq!(error.kind(), ErrorKind::Gate, "{error}");

    let (engine, warehouse) = (engine, in_memory());
    publish(&engine, &warehouse, release("one", None)).expect("it publishes");
    publish(&engine, &warehouse, release("two", Some(1))).expect("it publishes");
    put(&engine, &warehouse, &first.tables["links"].files[0].path, b"spoiled");
    let before = listing(&engine, &warehouse);
    let error = warehouse
        .rollback(&engine, &run("back"), VersionNumber(1), false)
        .expect_err("a file is spoiled");
    assert_eq!(error.kind(), ErrorKind::Environment, "{error}");
    assert!(error.to_string().contains("links"), "{error}");
    assert_eq!(listing(&engine, &warehouse), before);
}

#[test]
fn a_cleanup_or_a_rollback_that_dies_at_any_operation_leaves_whole_versions() {
    let engine = engine();
    type Act = fn(&Engine, &Warehouse) -> stammkunde::Result<()>;
    let acts: [(&str, Act); 2] = [
        ("cleanup", |engine, warehouse| {
            warehouse.cleanup(engine, &run("clean"), &keep(2)).map(drop)
        }),
        ("rollback", |engine, warehouse| {
            warehouse.rollback(engine, &run("back"), VersionNumber(1), false).map(drop)
        }),
    ];
    for (name, act) in acts {
        for fault in [Fault::Dies, Fault::Fails, Fault::LosesReply, Fault::Tears] {
            let mut died = 0;
            for at in 0.. {
                let inner = store();
                let store = Arc::new(FaultStore::new(Arc::clone(&inner)));
                let warehouse = on_store(Arc::clone(&store) as Arc<dyn ObjectStore>);
                four_versions(&engine, &warehouse);
                store.arm(Some((at, fault)));
                died += u32::from(act(&engine, &warehouse).is_err());
                let is_past_the_end = store.operations() <= at;
                store.arm(None);
                let warehouse = on_store(inner);
                assert_versions_whole(&engine, &warehouse);
                let newest = warehouse.newest(&engine).expect("it reads");
                assert!(newest.version.0 >= 4, "{name} {fault:?} at {at}");
                // The holder of the lease is this process, which lives: as after a death, it goes.
                let lock = object_store::path::Path::from("base/warehouse/_lock.json");
                let _ = engine.wait(object_store::ObjectStoreExt::delete(&warehouse.root.store, &lock));
                // What was cut off is made up for by the next one.
                let report = warehouse.cleanup(&engine, &run("clean"), &keep(2)).expect("it cleans");
                assert_eq!(report.kept.len(), 2, "{name} {fault:?} at {at}");
                assert_versions_whole(&engine, &warehouse);
                let again = warehouse.cleanup(&engine, &run("clean"), &keep(2)).expect("it cleans");
                assert_eq!(again.files, 0, "{name} {fault:?} at {at}: something stayed");
                if is_past_the_end {
                    break;
                }
            }
            assert!(died >= 5, "{name} {fault:?}: {died}");
        }
    }
}
