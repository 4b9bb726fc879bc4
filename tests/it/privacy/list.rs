//! `privacy suppress`, `unsuppress` and `list`: the list alone, with effect from the next run on.

use super::export::privacy;
use super::world::{MAIL, TRACES, keys_of_others, project, published, traces, traces_of_newest};
use crate::cli::support::{breaches, schema};

#[test]
fn who_is_suppressed_leaves_with_the_next_run_and_may_come_back() {
    let project = published();
    let (others, key) = (keys_of_others(&project), project.key_of("crm", "C-900"));
    let change = privacy(&project, "suppress", &[MAIL, "--format", "json"]).ends_with(0).json();
    assert_eq!(breaches(&schema("privacy-suppress"), &change), Vec::<String>::new());
    assert_eq!(
        change["added"],
        serde_json::json!({"email": 1, "phone": 1, "number": 2, "record": 3})
    );
    assert_eq!(project.key_of("crm", "C-900"), key, "until then everything is as it was");
    let report = project.run(&[]);
    assert_eq!(
        (&report["outcome"], &report["suppressed"]["contacts"]),
        (&"published".into(), &3.into())
    );
    assert_eq!(keys_of_others(&project), others);
    assert!(project.table("contacts").iter().all(|row| !row["record_id"].contains("C-900")));
    assert_eq!(project.run(&[])["outcome"], "unchanged");

    let list = privacy(&project, "list", &["--format", "json"]).ends_with(0);
    assert_eq!(breaches(&schema("privacy-list"), &list.json()), Vec::<String>::new());
    let state = project.manifests().pop().expect("a version")["state"]["suppressions.json"]["path"]
        .as_str()
        .expect("a path")
        .to_owned();
    let list_file = project.read(&format!("warehouse/{state}"));
    for text in [&list.stdout, &list_file] {
        assert!(TRACES.iter().all(|trace| !text.to_lowercase().contains(trace)), "{text}");
    }
    let kinds: Vec<(&str, u64)> = list.json()["entries"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| {
            (
                entry["kind"].as_str().expect("a kind").to_owned().leak() as &str,
                entry["entries"].as_u64().expect("a number"),
            )
        })
        .collect();
    assert_eq!(kinds, [("email", 1), ("phone", 1), ("number", 2), ("record", 3)]);

    privacy(&project, "unsuppress", &["nobody@nowhere.example"]).ends_with(3);
    let one = privacy(&project, "unsuppress", &[MAIL, "--format", "json"]).ends_with(0).json();
    assert_eq!((&one["removed"], &one["entries"]), (&1.into(), &6.into()));
    let rest = privacy(&project, "unsuppress", &["crm:C-900", "--related", "--format", "json"])
        .ends_with(0)
        .json();
    assert_eq!((&rest["removed"], &rest["entries"]), (&6.into(), &0.into()));
    project.run(&[]);
    assert_ne!(project.key_of("crm", "C-900"), key, "a retired key is never used again");
    assert_eq!(project.key_of("crm", "C-901"), project.key_of("crm", "C-900"));
}

#[test]
fn a_person_can_be_kept_out_who_never_came() {
    let project = project();
    privacy(&project, "suppress", &["c@nowhere.example"])
        .ends_with(3)
        .says("nothing is published yet");
    project.run(&[]);
    privacy(&project, "suppress", &["c@nowhere.example", "customer_no=K777"]).ends_with(0);
    for row in [
        "C-777;K777;;Carla;Canarini;;;01.01.1970;Weg 1;10115;Berlin;01.04.2026",
        "C-778;;;Carla;Canarini;C@nowhere.example;;01.01.1970;Weg 1;10115;Berlin;01.04.2026",
    ] {
        project.append("exports/crm.csv", row);
    }
    assert_eq!(project.run(&[])["suppressed"], serde_json::json!({"contacts": 2}));
    assert!(traces_of_newest(&project, &["canarini", "c-777", "c-778"]).is_empty());
    assert!(
        traces(&project.file("warehouse"), &["canarini"]).is_empty(),
        "not even for a moment"
    );
}
