//! `resolve`: one file of keys, those of the next run, and nothing in the warehouse.

use std::collections::BTreeMap;

use serde_json::Value;

use super::support::{Project, breaches, rows, schema};

/// Resolves, and gives the report and the key of each record.
#[track_caller]
fn resolve(project: &Project, arguments: &[&str]) -> (Value, BTreeMap<(String, String), String>) {
    let out = project.file("keys.parquet");
    let fixed = ["--out", out.to_str().expect("UTF-8"), "--format", "json"];
    let report = project.call("resolve", &[&fixed, arguments].concat()).ends_with(0).json();
    let rows = rows(&out);
    assert!(rows.iter().all(|row| row.len() == 3), "{rows:?}");
    let order: Vec<(&String, &String)> = rows.iter().map(|row| (&row["source"], &row["record_id"])).collect();
    assert!(order.is_sorted(), "{order:?}");
    (report, keys(&rows))
}

fn keys(rows: &[super::support::Row]) -> BTreeMap<(String, String), String> {
    rows.iter()
        .map(|row| ((row["source"].clone(), row["record_id"].clone()), row["customer_key"].clone()))
        .collect()
}

#[test]
fn it_gives_the_keys_that_a_first_run_mints_and_publishes_nothing() {
    let project = Project::small();
    let (report, resolved) = resolve(&project, &[]);
    assert!(!project.file("warehouse").exists());
    assert_eq!(breaches(&schema("resolve"), &report), Vec::<String>::new());
    assert!(report["previous"].is_null());
    let run = project.run(&[]);
    assert_eq!(resolved, keys(&project.table("identities")));
    for field in ["records", "customers", "pairs", "blocking"] {
        assert_eq!(report["identity"][field], run["identity"][field], "{field}");
    }
}

#[test]
fn after_a_version_it_gives_the_keys_of_the_next_run() {
    let project = Project::small();
    project.run(&[]);
    project.append(
        "exports/shop.csv",
        &format!("S-999,{},,,2026-09-01,99.50", super::support::mail(900)),
    );
    let before = project.manifests();
    let (report, resolved) = resolve(&project, &[]);
    assert_eq!(project.manifests(), before);
    assert_eq!(
        (&report["previous"], &report["identity"]["model_reused"]),
        (&1.into(), &true.into())
    );
    assert_eq!(report["keys"]["created"], 1);
    let (fresh, _) = resolve(&project, &["--fresh"]);
    assert!(fresh["previous"].is_null() && fresh["identity"]["model_reused"] == false, "{fresh}");
    project.run(&[]);
    assert_eq!(resolved, keys(&project.table("identities")));
}

#[test]
fn it_reads_the_selected_sources_only() {
    let project = Project::small();
    let (report, resolved) = resolve(&project, &["--select", "crm"]);
    assert!(!resolved.is_empty() && resolved.keys().all(|(source, _)| source == "crm"));
    let sources = report["sources"].as_array().expect("a list");
    assert!(sources.iter().all(|counts| counts["source"] == "crm"), "{sources:?}");
    let arguments = ["--out", "keys.parquet", "--select", "cmr"];
    project
        .call("resolve", &arguments)
        .ends_with(2)
        .says("no source is called `cmr`")
        .says("crm, shop");
}

#[test]
fn an_output_that_is_a_folder_ends_with_2() {
    let project = Project::small();
    let folder = project.path().to_str().expect("UTF-8").to_owned();
    project.call("resolve", &["--out", &folder]).ends_with(2).says("is not a file");
}
