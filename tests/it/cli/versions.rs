//! `versions`: what is published, where two versions differ, going back, and removing old ones.

use serde_json::Value;

use super::crash::assert_intact;
use super::support::{AS_OF, Done, Project, breaches, call, crm_row, listing, schema, stammkunde};

fn versions(project: &Project, arguments: &[&str]) -> Done {
    call(stammkunde().arg("versions").args(arguments).arg(project.path()))
}

#[track_caller]
fn json(project: &Project, schema_name: &str, arguments: &[&str]) -> Value {
    let value = call(
        stammkunde()
            .args(["--format", "json", "versions"])
            .args(arguments)
            .arg(project.path()),
    )
    .ends_with(0)
    .json();
    for item in value.as_array().unwrap_or(&vec![value.clone()]) {
        assert_eq!(breaches(&schema(schema_name), item), Vec::<String>::new());
    }
    value
}

/// Two versions: in the second a person more, one less, and a number that joins two.
fn two_versions() -> Project {
    let project = Project::small();
    project.run(&["--run-id", "first"]);
    let rows: Vec<String> = (1..25).map(crm_row).collect();
    let joined = rows[3].replace("K004", "K003");
    let rows = [&rows[..3], &[joined], &rows[4..]].concat();
    project.write_csv("exports/crm.csv", super::support::CRM_HEADER, &rows);
    project.run(&["--run-id", "second"]);
    project
}

#[test]
fn the_list_tells_sizes_parents_and_which_one_is_the_latest() {
    let project = two_versions();
    let list = json(&project, "versions", &["list"]);
    assert_eq!(list, json(&project, "versions", &[]), "`versions` alone lists too");
    let (first, second) = (&list[0], &list[1]);
    assert_eq!((&first["parent"], &second["parent"]), (&Value::Null, &1.into()));
    assert_eq!((&first["is_latest"], &second["is_latest"]), (&false.into(), &true.into()));
    assert_eq!((&first["is_newest"], &second["is_newest"]), (&false.into(), &true.into()));
    assert_eq!((&second["run_id"], &second["as_of"]), (&"second".into(), &AS_OF.into()));
    assert_eq!(second["customers"].as_u64(), Some(project.table("customers").len() as u64));
    assert!(second["bytes"].as_u64() >= second["bytes_own"].as_u64() && second["bytes_own"].as_u64() > Some(0));
    let text = versions(&project, &["list"]).ends_with(0).stdout;
    assert!(text.contains("second") && text.contains("latest"), "{text}");
    project.remove("warehouse/latest/_version.json");
    let text = versions(&project, &["list"]).ends_with(0).stdout;
    assert!(text.contains("latest/ is behind"), "{text}");
}

#[test]
fn a_diff_counts_rows_keys_and_inputs_and_names_nobody() {
    let project = two_versions();
    let diff = json(&project, "versions-diff", &["diff", "1", "2"]);
    let keys = &diff["keys"];
    let number = |name: &str| keys[name].as_i64().unwrap_or_else(|| panic!("{name}: {keys:#}"));
    assert_eq!(
        number("customers_left"),
        number("kept") + number("merged") + number("retired"),
        "{keys:#}"
    );
    assert_eq!(
        number("customers_right"),
        number("kept") + number("created") + number("split"),
        "{keys:#}"
    );
    assert_eq!((number("records_added"), number("records_removed")), (1, 1), "{keys:#}");
    assert_eq!((number("created"), number("merged")), (1, 1), "{keys:#}");
    assert!(number("records_moved") >= 1, "{keys:#}");
    let table = |name: &str| {
        let tables = diff["tables"].as_array().expect("tables");
        tables
            .iter()
            .find(|table| table["table"] == name)
            .unwrap_or_else(|| panic!("{name}"))
            .clone()
    };
    let contacts = table("contacts");
    assert_eq!(contacts["key"], serde_json::json!(["source", "record_id"]));
    assert_eq!((&contacts["rows_added"], &contacts["rows_removed"]), (&1.into(), &1.into()));
    assert!(contacts["rows_changed"].as_u64() >= Some(1), "{contacts:#}");
    assert_eq!(table("decisions")["change"], "same");
    assert_eq!(table("runs")["rows_added"], 1);
    let inputs = diff["inputs"].as_array().expect("inputs");
    assert_eq!((inputs.len(), &inputs[0]["change"]), (1, &"changed".into()), "{inputs:#?}");
    assert_eq!(diff["model"]["parameters_different"], 0, "the model was taken over");

    let text = versions(&project, &["diff", "1", "2"]).ends_with(0).stdout;
    assert!(
        text.contains("1 created") && text.contains("crm.csv") && text.contains("contacts"),
        "{text}"
    );
    for name in ["Anneliese", "Achterberg", "post.example", "5550"] {
        assert!(!text.contains(name) && !diff.to_string().contains(name), "{name} is told");
    }
    let back = json(&project, "versions-diff", &["diff", "2", "1"]);
    assert_eq!(
        (&back["keys"]["retired"], &back["keys"]["split"]),
        (&1.into(), &1.into()),
        "{}",
        back["keys"]
    );
    let same = json(&project, "versions-diff", &["diff", "2", "2"]);
    assert!(
        same["tables"]
            .as_array()
            .expect("tables")
            .iter()
            .all(|table| table["change"] == "same")
    );
    versions(&project, &["diff", "1", "7"]).ends_with(3).says("no such version");
}

#[test]
fn a_diff_tells_tables_and_columns_that_came_and_went() {
    let project = Project::small();
    project.run(&[]);
    project.edit("models/order_counts.sql", "sum(gross) AS gross_sum", "min(gross) AS gross_min");
    std::fs::remove_file(project.file("models/regulars.sql")).expect("a model");
    project.run(&[]);
    let diff = json(&project, "versions-diff", &["diff", "1", "2"]);
    let tables = diff["tables"].as_array().expect("tables");
    let of = |name: &str| tables.iter().find(|table| table["table"] == name).expect("a table");
    let counts = of("order_counts");
    assert_eq!(
        (&counts["columns_added"][0], &counts["columns_removed"][0]),
        (&"gross_min".into(), &"gross_sum".into())
    );
    assert_eq!((&counts["change"], &counts["rows_changed"]), (&"changed".into(), &0.into()));
    assert_eq!(of("regulars")["change"], "removed");
}

#[test]
fn a_rollback_brings_back_tables_keys_and_ledger_and_the_next_run_goes_on() {
    let project = two_versions();
    let before = listing(&project.file("warehouse"));
    let look = json(&project, "versions-rollback", &["rollback", "1", "--dry-run"]);
    assert_eq!((&look["version"], &look["dry_run"]), (&3.into(), &true.into()));
    assert_eq!(listing(&project.file("warehouse")), before);
    let manifests = project.manifests();
    let done = versions(&project, &["rollback", "1", "--run-id", "back"]).ends_with(0);
    assert!(done.stdout.contains("published version 3"), "{}", done.stdout);
    let after = project.manifests();
    assert_eq!(after[..2], manifests[..], "history was rewritten");
    assert_eq!(
        (&after[2]["tables"], &after[2]["state"]),
        (&manifests[0]["tables"], &manifests[0]["state"])
    );
    assert_eq!((&after[2]["run_id"], &after[2]["rolled_back_to"]), (&"back".into(), &1.into()));
    assert_eq!(project.table("identities").len() as u64, after[0]["tables"]["identities"]["rows"]);
    let text = versions(&project, &["list"]).ends_with(0).stdout;
    assert!(text.contains("latest, rolled back to 1"), "{text}");
    // The exports of the second version are new to the third, and give what they gave.
    let report = project.run(&["--run-id", "third"]);
    assert_eq!((&report["outcome"], &report["version"]), (&"published".into(), &4.into()));
    let (second, fourth) = (&after[1], &project.manifests()[3]);
    for table in ["identities", "customers", "contacts", "orders", "links"] {
        let hash = |manifest: &Value| manifest["tables"][table]["files"][0]["sha256"].clone();
        assert_eq!(hash(second), hash(fourth), "{table}");
    }
    assert_intact(&project);
    versions(&project, &["rollback", "4"]).ends_with(2).says("the newest already");
    versions(&project, &["rollback", "9"]).ends_with(3).says("hint:");
}

#[test]
fn a_cleanup_keeps_what_kept_versions_refer_to() {
    let project = Project::small();
    project.run(&["--run-id", "r1"]);
    for number in 2..5 {
        project.append(
            "exports/shop.csv",
            &format!("S-99{number},{},,,2026-09-01,9.50", super::support::mail(0)),
        );
        // `regulars` stays the table of the first run.
        project.run(&["--run-id", &format!("r{number}"), "--exclude", "regulars"]);
    }
    let before = listing(&project.file("warehouse"));
    let look = json(&project, "versions-cleanup", &["cleanup", "--keep", "2", "--dry-run"]);
    assert_eq!(listing(&project.file("warehouse")), before);
    assert_eq!(
        (&look["removed"], &look["kept"]),
        (&serde_json::json!([1, 2]), &serde_json::json!([3, 4]))
    );
    let young = json(&project, "versions-cleanup", &["cleanup", "--keep", "2", "--older-than", "1"]);
    assert_eq!(young["removed"], serde_json::json!([]));
    let done = versions(&project, &["cleanup", "--keep", "2"]).ends_with(0);
    assert!(done.stdout.contains("removed versions: 1, 2"), "{}", done.stdout);
    assert_eq!(project.manifests().len(), 2);
    assert_intact(&project);
    assert!(
        project.file("warehouse/runs/r1/regulars/part-00000.parquet").is_file(),
        "version 4 refers to it"
    );
    assert!(!project.file("warehouse/runs/r1/customers").exists() && !project.file("warehouse/runs/r2").exists());
    assert_eq!(project.run(&["--exclude", "regulars"])["outcome"], "unchanged");
    project.append("exports/shop.csv", &format!("S-999,{},,,2026-09-01,9.50", super::support::mail(0)));
    assert_eq!(project.run(&[])["version"], 5);
    project.call("explain", &["crm:C-001"]).ends_with(0);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let project = Project::small();
    versions(&project, &["cleanup"]).ends_with(2).says("--keep");
    versions(&project, &["cleanup", "--keep", "0"]).ends_with(2);
    versions(&project, &["rollback", "one"]).ends_with(2);
    versions(&project, &["rollback", "1"]).ends_with(3).says("nothing is published yet");
    versions(&project, &["diff", "1", "2"]).ends_with(3).says("no such version");
    let both = call(
        stammkunde()
            .args(["versions", "--warehouse", "elsewhere", "cleanup", "--keep", "1"])
            .arg(project.path()),
    );
    both.ends_with(2);
    assert!(!project.file("warehouse").exists());
}
