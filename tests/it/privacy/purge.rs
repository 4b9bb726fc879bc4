//! Versions that hold an erased person end by their deadline; what other versions list stays.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use stammkunde::config::{self, Overrides};
use stammkunde::privacy::purge_now;
use stammkunde::publish::Warehouse;
use stammkunde::table::VersionNumber;

use super::export::privacy;
use super::world::{MAIL, TRACES, files, listed_files, project, published, traces};
use crate::cli::support::Project;
use crate::publish::support::{assert_whole, customers, engine, in_memory, listing, publish, release, release_of, run};

fn versions(project: &Project) -> Vec<u64> {
    project
        .manifests()
        .iter()
        .filter_map(|manifest| manifest["version"].as_u64())
        .collect()
}

#[test]
fn the_deadline_holds_by_the_clock_and_kept_versions_stay_whole() {
    let project = published();
    project.run(&["--as-of", "2026-11-01"]);
    privacy(&project, "erase", &[MAIL, "--yes"]).ends_with(0);
    project.run(&["--as-of", "2026-11-02"]);
    privacy(&project, "purge", &[]).ends_with(0);
    assert_eq!(versions(&project), [1, 2, 3, 4], "thirty days have not passed");
    assert!(!traces(&project.file("warehouse"), &TRACES).is_empty());

    let engine = engine();
    let spec = config::load(project.path(), &Overrides::default(), &|_| None).expect("a project");
    let purge = |days: i64| purge_now(&engine, &spec, &run("purge"), engine.now() + TimeDelta::days(days)).expect("it purges");
    assert_eq!(purge(29), []);
    assert_eq!(purge(31), [VersionNumber(1), VersionNumber(2)]);
    assert_eq!(versions(&project), [3, 4]);
    assert!(
        traces(&project.file("warehouse"), &TRACES).is_empty(),
        "in no file of the warehouse"
    );
    assert_eq!(purge(31), [], "again it finds nothing");
    let warehouse = Warehouse::new(engine.location("warehouse", project.path()).expect("a location"));
    for manifest in warehouse.versions(&engine).expect("they read") {
        for table in manifest.tables.keys() {
            assert!(
                warehouse.read(&engine, &manifest, table, None).expect("it reads").is_some(),
                "{table}"
            );
        }
        for state in manifest.state.keys() {
            assert!(warehouse.state(&engine, &manifest, state).expect("it reads").is_some(), "{state}");
        }
    }
    // Nothing is left that no version lists.
    let listed: Vec<_> = project.manifests().iter().flat_map(listed_files).collect();
    for file in files(&project.file("warehouse/runs")) {
        let name = file.strip_prefix(project.file("warehouse")).expect("below").display().to_string();
        assert!(listed.contains(&name) || name.ends_with("_claim.json"), "{name} is an orphan");
    }
}

#[test]
fn a_deadline_of_no_days_is_kept_by_the_next_run_and_now_means_now() {
    let project = project();
    project.edit("pipeline.yaml", "trust:", "privacy:\n  purge_after_days: 0\ntrust:");
    project.run(&[]);
    privacy(&project, "erase", &[MAIL, "--yes"]).ends_with(0);
    assert_eq!(versions(&project), [1, 2]);
    project.run(&[]);
    assert_eq!(versions(&project), [2, 3]);
    assert!(traces(&project.file("warehouse"), &TRACES).is_empty());
    let report = privacy(&project, "erase", &["crm:C-001", "--yes", "--now", "--format", "json"])
        .ends_with(0)
        .json();
    assert_eq!(report["versions_purged"], serde_json::json!([2, 3]));
    assert_eq!(versions(&project), [4]);
    assert!(traces(&project.file("warehouse"), &["c-001"]).is_empty());
    project.run(&[]);
    assert_eq!(versions(&project), [4, 5]);
}

#[test]
fn old_versions_go_by_number_and_age() {
    let project = project();
    project.edit("pipeline.yaml", "trust:", "retention:\n  versions: {keep: 2}\ntrust:");
    for day in 1..=4 {
        project.run(&["--as-of", &format!("2026-11-0{day}")]);
    }
    assert_eq!(versions(&project), [3, 4]);
    project.edit("pipeline.yaml", "{keep: 2}", "{keep: 1, days: 3650}");
    project.run(&["--as-of", "2026-11-05"]);
    assert_eq!(versions(&project), [3, 4, 5], "they are young");
}

/// Version 3 took a table over from version 1.
#[test]
fn a_file_that_a_kept_version_lists_is_never_deleted() {
    let (engine, warehouse) = (engine(), in_memory());
    let first = publish(&engine, &warehouse, release("one", None)).expect("it publishes");
    publish(&engine, &warehouse, release("two", Some(1))).expect("it publishes");
    let mut third = release_of("three", Some(2), vec![("links", customers(&["three"]))]);
    third.closing.carried = BTreeMap::from([("customers".to_owned(), first.tables["customers"].clone())]);
    let third = publish(&engine, &warehouse, third).expect("it publishes");
    let gone = warehouse
        .purge(&engine, &[VersionNumber(1), VersionNumber(2), VersionNumber(9)])
        .expect("it purges");
    assert_eq!(gone, [VersionNumber(1), VersionNumber(2)]);
    let expected = [
        "latest/_version.json",
        "latest/customers.parquet",
        "latest/links.parquet",
        "runs/one/_claim.json",
        "runs/one/customers/part-00000.parquet",
        "runs/three/_claim.json",
        "runs/three/links/part-00000.parquet",
        "runs/three/state/model.json",
        "versions/00000000000000000003.json",
    ];
    assert_eq!(listing(&engine, &warehouse), expected);
    assert!(warehouse.read(&engine, &third, "customers", None).expect("it reads").is_some());
    let newest = warehouse.purge(&engine, &[VersionNumber(3)]).expect_err("the newest stays");
    assert_eq!(newest.kind(), stammkunde::ErrorKind::Internal);
    let fourth = publish(&engine, &warehouse, release("four", Some(3))).expect("it goes on from there");
    assert_whole(&engine, &warehouse, &fourth);
}
