//! Versions, races, roll back, names, `latest/`, and what crashed runs leave.

use std::sync::Barrier;

use stammkunde::ErrorKind;
use stammkunde::publish::Warehouse;
use stammkunde::table::VersionNumber;

use super::support::{assert_whole, bytes_of, customers, engine, in_memory, listing, on_disk, publish, put, release, release_of, run};

fn round_trip(warehouse: &Warehouse) {
    let engine = engine();
    assert_eq!(warehouse.latest(&engine).expect("an empty warehouse reads"), None);
    assert_eq!(warehouse.versions(&engine).expect("an empty warehouse reads"), []);
    let first = publish(&engine, warehouse, release("one", None)).expect("it publishes");
    let second = publish(&engine, warehouse, release("two", Some(1))).expect("it publishes");
    assert_eq!((first.version, second.version), (VersionNumber(1), VersionNumber(2)));
    assert_eq!(warehouse.versions(&engine).expect("it lists"), [first.clone(), second.clone()]);
    assert_eq!(warehouse.latest(&engine).expect("it lists"), Some(second.clone()));
    assert_whole(&engine, warehouse, &first);
    assert_whole(&engine, warehouse, &second);
    let orders = warehouse
        .read(&engine, &second, "customers", Some(&["orders"]))
        .expect("it reads")
        .expect("it is there");
    assert_eq!(orders[0].schema().fields().len(), 1);
    let swapped = warehouse
        .read(&engine, &second, "customers", Some(&["orders", "customer_key"]))
        .expect("it reads")
        .expect("it is there");
    assert_eq!(swapped[0].schema().field(0).name(), "orders");
    assert_eq!(warehouse.read(&engine, &second, "absent", None).expect("no error"), None);
    assert_eq!(warehouse.state(&engine, &second, "absent").expect("no error"), None);
    let expected = [
        "latest/_version.json",
        "latest/customers.parquet",
        "latest/links.parquet",
        "runs/one/_claim.json",
        "runs/one/customers/part-00000.parquet",
        "runs/one/links/part-00000.parquet",
        "runs/one/state/model.json",
        "runs/two/_claim.json",
        "runs/two/customers/part-00000.parquet",
        "runs/two/links/part-00000.parquet",
        "runs/two/state/model.json",
        "versions/00000000000000000001.json",
        "versions/00000000000000000002.json",
    ];
    assert_eq!(listing(&engine, warehouse), expected);
}

#[test]
fn versions_survive_a_round_trip_in_memory() {
    round_trip(&in_memory());
}

#[test]
fn versions_survive_a_round_trip_on_a_disk() {
    let (folder, warehouse) = on_disk(&engine());
    round_trip(&warehouse);
    let walk = |folder: &str| {
        std::fs::read_dir(warehouse.root.local.as_ref().expect("a disk").join(folder))
            .expect("a folder")
            .count()
    };
    assert_eq!((walk("versions"), walk("latest")), (2, 3), "no temporary file stays");
    drop(folder);
}

#[test]
fn eight_publishers_at_once_make_one_version() {
    let engine = engine();
    let (_folder, on_disk) = on_disk(&engine);
    for warehouse in [in_memory(), on_disk] {
        for round in 0..3_u64 {
            let parent = (round > 0).then_some(round);
            let start = Barrier::new(8);
            let results: Vec<_> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..8)
                    .map(|index| {
                        let (start, engine, warehouse) = (&start, &engine, &warehouse);
                        scope.spawn(move || {
                            start.wait();
                            publish(engine, warehouse, release(&format!("r{round}-{index}"), parent))
                        })
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
            });
            let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
            assert_eq!(won.len(), 1);
            for error in lost {
                assert_eq!(error.expect_err("it lost").kind(), ErrorKind::Conflict);
            }
            let newest = warehouse.latest(&engine).expect("it reads").expect("a version");
            assert_eq!(Some(&newest), won[0].as_ref().ok());
            assert_whole(&engine, &warehouse, &newest);
        }
    }
}

#[test]
fn two_attempts_of_one_run_never_share_a_folder() {
    let (engine, warehouse) = (engine(), in_memory());
    let first = publish(&engine, &warehouse, release("same", None)).expect("it publishes");
    let second = publish(
        &engine,
        &warehouse,
        release_of("same", Some(1), vec![("customers", customers(&["b"]))]),
    )
    .expect("it publishes");
    assert_whole(&engine, &warehouse, &first);
    assert_eq!(second.tables["customers"].files[0].path, "runs/same.2/customers/part-00000.parquet");
}

#[test]
fn a_run_that_started_from_an_old_version_is_refused() {
    let (engine, warehouse) = (engine(), in_memory());
    publish(&engine, &warehouse, release("one", None)).expect("it publishes");
    publish(&engine, &warehouse, release("two", Some(1))).expect("it publishes");
    for parent in [None, Some(1), Some(3)] {
        let error = publish(&engine, &warehouse, release("late", parent)).expect_err("it is late");
        assert_eq!(error.kind(), ErrorKind::Conflict, "{parent:?}");
    }
    assert!(!listing(&engine, &warehouse).iter().any(|file| file.starts_with("runs/late")));
}

#[test]
fn latest_follows_the_newest_version_and_is_repaired() {
    let engine = engine();
    let (_folder, on_disk) = on_disk(&engine);
    for warehouse in [in_memory(), on_disk] {
        publish(&engine, &warehouse, release("one", None)).expect("it publishes");
        let only_customers = release_of("two", Some(1), vec![("customers", customers(&["z"]))]);
        let second = publish(&engine, &warehouse, only_customers).expect("it publishes");
        let file = &second.tables["customers"].files[0].path;
        let published = bytes_of(&engine, &warehouse, file).expect("it is there");
        assert_eq!(bytes_of(&engine, &warehouse, "latest/customers.parquet"), Some(published.clone()));
        assert_eq!(bytes_of(&engine, &warehouse, "latest/links.parquet"), None, "no longer published");

        put(&engine, &warehouse, "latest/customers.parquet", b"of an editor");
        assert_eq!(bytes_of(&engine, &warehouse, file), Some(published.clone()), "a copy is not a link");
        put(&engine, &warehouse, "latest/links.parquet", b"left behind");
        warehouse.repair(&engine).expect("it repairs");
        assert_eq!(bytes_of(&engine, &warehouse, "latest/customers.parquet"), Some(published));
        assert_eq!(bytes_of(&engine, &warehouse, "latest/links.parquet"), None);
    }
}

#[test]
fn names_that_leave_the_folder_are_refused() {
    let (engine, warehouse) = (engine(), in_memory());
    for name in ["../evil", "/etc", "a/b", "A", "1a", "", "state", "tab\0le", &"a".repeat(64)] {
        let error = publish(&engine, &warehouse, release_of("run", None, vec![(name, customers(&["a"]))])).expect_err(name);
        assert_eq!(error.kind(), ErrorKind::Config, "{name}");
    }
    let twice = release_of("run", None, vec![("a", customers(&["a"])), ("a", customers(&["a"]))]);
    assert_eq!(publish(&engine, &warehouse, twice).expect_err("twice").kind(), ErrorKind::Config);
    assert_eq!(listing(&engine, &warehouse), [""; 0]);
}

#[test]
fn what_crashed_runs_left_is_swept_and_nothing_else() {
    let engine = engine();
    let (_folder, on_disk) = on_disk(&engine);
    for warehouse in [in_memory(), on_disk] {
        let first = publish(&engine, &warehouse, release("one", None)).expect("it publishes");
        for left in ["crashed", "mine", "mine.2", "one.2"] {
            put(&engine, &warehouse, &format!("runs/{left}/customers/part-00000.parquet"), b"half");
        }
        let swept = warehouse.sweep(&engine, &run("mine")).expect("it sweeps");
        assert_eq!(swept, ["crashed", "mine", "mine.2", "one.2"]);
        assert_whole(&engine, &warehouse, &first);
        let left: Vec<String> = listing(&engine, &warehouse)
            .into_iter()
            .filter(|file| file.contains("mine"))
            .collect();
        // An earlier attempt that still writes must not write into the folder of the next one.
        assert_eq!(left, ["runs/mine.2/_claim.json", "runs/mine/_claim.json"]);
        assert_eq!(warehouse.sweep(&engine, &run("other")).expect("it sweeps"), ["mine", "mine.2"]);
        assert_eq!(warehouse.sweep(&engine, &run("other")).expect("it sweeps"), [""; 0]);
    }
}

#[test]
fn a_newer_manifest_asks_for_an_upgrade_and_nothing_is_touched() {
    let (engine, warehouse) = (engine(), in_memory());
    let file = "versions/00000000000000000001.json";
    put(&engine, &warehouse, file, br#"{"format": 2, "something": "else"}"#);
    let error = warehouse.latest(&engine).expect_err("it is newer");
    assert_eq!(error.kind(), ErrorKind::Environment);
    assert!(error.hint_text().is_some_and(|hint| hint.contains("upgrade")), "{error}");
    put(&engine, &warehouse, "runs/unknown/file", b"x");
    assert!(warehouse.sweep(&engine, &run("mine")).is_err());
    assert!(bytes_of(&engine, &warehouse, "runs/unknown/file").is_some());
}

#[test]
fn a_damaged_manifest_is_named_with_the_way_back() {
    let (engine, warehouse) = (engine(), in_memory());
    let first = publish(&engine, &warehouse, release("one", None)).expect("it publishes");
    publish(&engine, &warehouse, release("two", Some(1))).expect("it publishes");
    let file = "versions/00000000000000000002.json";
    let one = bytes_of(&engine, &warehouse, "versions/00000000000000000001.json").expect("it is there");
    for damage in [&b""[..], b"{", b"{\"format\": 1}", b"[]", &one] {
        put(&engine, &warehouse, file, damage);
        let error = warehouse.latest(&engine).expect_err("it is damaged");
        assert_eq!(error.kind(), ErrorKind::Environment);
        assert!(error.to_string().contains(file), "{error}");
        assert!(error.hint_text().is_some_and(|hint| hint.contains("move it away")), "{error}");
    }
    // The way back that the hint names works.
    let path = object_store::path::Path::parse(format!("{}/{file}", warehouse.root.path)).expect("a path");
    engine
        .wait(object_store::ObjectStoreExt::delete(&warehouse.root.store, &path))
        .expect("it can be moved away");
    assert_eq!(warehouse.latest(&engine).expect("it reads"), Some(first.clone()));
    warehouse.repair(&engine).expect("latest/ follows");
    let file = &first.tables["links"].files[0].path;
    assert_eq!(
        bytes_of(&engine, &warehouse, "latest/links.parquet"),
        bytes_of(&engine, &warehouse, file)
    );
    publish(&engine, &warehouse, release("three", Some(1))).expect("the next run publishes anew");
}
