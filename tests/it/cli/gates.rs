//! Gates that need no labels: a night unlike any sane night publishes nothing, and says which rows did it.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::support::{AS_OF, CRM_HEADER, Done, Project, breaches, crm_row, mail, schema};

const RUN: [&str; 4] = ["--as-of", AS_OF, "--format", "json"];

/// A CRM of so many people, none of whom the shop knows twice.
fn people(count: usize) -> Project {
    let project = Project::small();
    // The gate on keys has tests of its own.
    project.edit("pipeline.yaml", "keys:\n", "keys:\n  changed_customers_min: 100000\n");
    crm(&project, count);
    project
}

fn crm(project: &Project, count: usize) {
    let rows: Vec<String> = (0..count).map(crm_row).collect();
    project.write_csv("exports/crm.csv", CRM_HEADER, &rows);
}

fn run(project: &Project, arguments: &[&str]) -> Done {
    project.call("run", &[&RUN[..], arguments].concat())
}

/// The failed gates of an error, by name.
#[track_caller]
fn failed(done: &Done) -> Vec<(String, Value)> {
    let error = &done.json()["error"];
    assert_eq!(error["kind"], "gate", "{error:#}");
    let gates = error["gates"].as_array().expect("gates").clone();
    for gate in &gates {
        assert_eq!(breaches(&schema("gate"), gate), Vec::<String>::new());
        assert_eq!((&gate["passed"], &gate["accepted"]), (&json!(false), &json!(false)));
        assert!(
            done.stderr.contains(&format!("gates.{}", gate["gate"].as_str().expect("a name"))),
            "{}",
            done.stderr
        );
    }
    gates
        .into_iter()
        .map(|gate| (gate["gate"].as_str().expect("a name").to_owned(), gate))
        .collect()
}

/// A gate of a report.
#[track_caller]
fn gate<'a>(report: &'a Value, name: &str) -> &'a Value {
    let gates = report["gates"].as_array().expect("gates");
    gates
        .iter()
        .find(|gate| gate["gate"] == name)
        .unwrap_or_else(|| panic!("no {name} in {report:#}"))
}

#[test]
fn a_report_tells_every_gate_with_value_and_limit() {
    let project = people(120);
    let first = project.run(&[]);
    assert_eq!(breaches(&schema("run"), &first), Vec::<String>::new());
    let names: Vec<&str> = first["gates"]
        .as_array()
        .expect("gates")
        .iter()
        .filter_map(|gate| gate["gate"].as_str())
        .collect();
    assert_eq!(
        names,
        [
            "rejected_share_max",
            "rows_drop_max",
            "null_share_rise_max",
            "freshness_days_max",
            "customer_records_max",
            "customer_birth_dates_max",
            "customer_given_names_max",
            "large_customers_share_max"
        ]
    );
    assert!(
        first["gates"].as_array().expect("gates").iter().all(|gate| gate["passed"] == true),
        "{first:#}"
    );
    assert_eq!(
        (
            &gate(&first, "rejected_share_max")["value"],
            &gate(&first, "rejected_share_max")["limit"]
        ),
        (&json!(0.0), &json!(0.05))
    );
    // Nothing to compare with, and switched off.
    assert_eq!(
        (&gate(&first, "rows_drop_max")["value"], &gate(&first, "rows_drop_max")["limit"]),
        (&Value::Null, &json!(0.4))
    );
    assert_eq!(
        (
            &gate(&first, "freshness_days_max")["value"],
            &gate(&first, "freshness_days_max")["limit"]
        ),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        gate(&first, "customer_records_max")["value"],
        first["identity"]["largest_customer"].as_f64().expect("a number")
    );
    crm(&project, 90);
    let second = project.run(&[]);
    assert_eq!(gate(&second, "rows_drop_max")["value"], 0.25);
}

#[test]
fn a_source_that_shrinks_and_a_column_that_empties_are_told_together_and_can_be_accepted_once() {
    let project = people(200);
    project.run(&[]);
    let rows: Vec<String> = (0..110)
        .map(|person| {
            let row = crm_row(person);
            if person % 2 == 0 { row.replace(&mail(person), "") } else { row }
        })
        .collect();
    project.write_csv("exports/crm.csv", CRM_HEADER, &rows);
    let done = run(&project, &[]).ends_with(1);
    let failures = failed(&done);
    let names: Vec<&str> = failures.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["rows_drop_max", "null_share_rise_max"], "{}", done.stderr);
    let rows = &failures[0].1["offenders"][0];
    assert_eq!(
        (&rows["source"], &rows["record"], &rows["value"], &rows["limit"]),
        (&json!("crm"), &json!("contacts"), &json!(0.45), &json!(0.4))
    );
    assert_eq!(rows["counts"], json!({"rows": 110, "rows_before": 200}));
    let nulls = &failures[1].1["offenders"][0];
    assert_eq!((&nulls["column"], &nulls["value"]), (&json!("email"), &json!(0.5)), "{nulls:#}");
    assert_eq!(nulls["rows"][0], json!({"source": "crm", "record_id": "C-000"}));
    assert_eq!(project.manifests().len(), 1, "something was published");
    // Accepting one of two, or the other source, is not enough.
    run(&project, &["--accept-gate", "rows_drop_max"]).ends_with(1);
    run(&project, &["--accept-gate", "rows_drop_max,null_share_rise_max:shop"]).ends_with(1);
    let accepted = run(
        &project,
        &["--accept-gate", "rows_drop_max:crm", "--accept-gate", "null_share_rise_max"],
    )
    .ends_with(0)
    .json();
    for name in ["rows_drop_max", "null_share_rise_max"] {
        let gate = gate(&accepted, name);
        assert_eq!(
            (&gate["passed"], &gate["accepted"], &gate["offenders_count"]),
            (&json!(false), &json!(true), &json!(1))
        );
    }
    // From now on the smaller night is what the next is compared with.
    let next = project.run(&["--as-of", "2026-11-01"]);
    assert_eq!(
        (&gate(&next, "rows_drop_max")["value"], &gate(&next, "rows_drop_max")["passed"]),
        (&json!(0.0), &json!(true))
    );
    run(&project, &["--accept-gate", "rows_drop"])
        .ends_with(2)
        .says("no gate is called `rows_drop`")
        .says("rows_drop_max");
}

#[test]
fn a_source_that_may_be_missing_may_not_vanish_unnoticed() {
    let project = Project::small();
    project.edit(
        "pipeline.yaml",
        "    files: exports/shop*.csv\n",
        "    files: exports/shop*.csv\n    on_missing: skip\n",
    );
    project.run(&[]);
    std::fs::remove_file(project.file("exports/shop.csv")).expect("a file to remove");
    let failures = failed(&run(&project, &[]).ends_with(1));
    let offenders = failures[0].1["offenders"].as_array().expect("offenders");
    let records: Vec<&str> = offenders.iter().filter_map(|offender| offender["record"].as_str()).collect();
    assert_eq!((failures[0].0.as_str(), records), ("rows_drop_max", vec!["contacts", "orders"]));
    // A source that the project gives up is no loss, and neither is one whose gate is off.
    project.append("pipeline.yaml", "gates:\n  sources:\n    shop:\n      rows_drop_max: off");
    project.run(&[]);
}

#[test]
fn a_version_of_an_older_build_is_compared_by_bytes() {
    let project = people(200);
    project.run(&[]);
    forget_measures(&project);
    crm(&project, 100);
    let failures = failed(&run(&project, &[]).ends_with(1));
    assert_eq!(failures.len(), 1);
    let (name, gate) = &failures[0];
    assert_eq!((name.as_str(), &gate["offenders"][0]["source"]), ("rows_drop_max", &json!("crm")));
    assert!(gate["offenders"][0]["counts"]["bytes_before"].as_u64() > Some(10_000), "{gate:#}");
}

/// Makes the newest version one of a build whose ledger had no measures.
fn forget_measures(project: &Project) {
    let manifest_path = "warehouse/versions/00000000000000000001.json";
    let mut manifest: Value = serde_json::from_str(&project.read(manifest_path)).expect("JSON");
    let entry = &mut manifest["state"]["ledger.json"];
    let path = format!("warehouse/{}", entry["path"].as_str().expect("a path"));
    let mut ledger: Value = serde_json::from_str(&project.read(&path)).expect("JSON");
    assert!(
        ledger["measures"].as_array().is_some_and(|measures| measures.len() == 3),
        "{ledger:#}"
    );
    ledger.as_object_mut().expect("an object").remove("measures");
    let text = ledger.to_string();
    entry["bytes"] = text.len().into();
    entry["sha256"] = Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>()
        .into();
    project.write(&path, &text);
    manifest.as_object_mut().expect("an object").remove("checksum");
    project.write(manifest_path, &manifest.to_string());
}

#[test]
fn old_data_stop_a_run_by_the_times_in_them_and_by_files_only_where_there_are_none() {
    let project = Project::small();
    // The newest contact of the CRM is of 1 February, the newest order of 12 March; a day in the far future is a mistake of an export.
    project.append("exports/crm.csv", "C-900;K900;;Neu;Dazugekommen;;;;;;;01.02.2999");
    project.append(
        "pipeline.yaml",
        "gates:\n  freshness_days_max: 232\n  sources:\n    crm: {freshness_days_max: 272}",
    );
    let failures = failed(&run(&project, &[]).ends_with(1));
    let offenders = failures[0].1["offenders"].as_array().expect("offenders");
    assert_eq!(
        (failures.len(), failures[0].0.as_str(), offenders.len()),
        (1, "freshness_days_max", 1)
    );
    let old = &offenders[0];
    assert_eq!(
        (&old["source"], &old["value"], &old["day"]),
        (&json!("shop"), &json!(233.0), &json!("2026-03-12"))
    );
    project.edit("pipeline.yaml", "freshness_days_max: 232", "freshness_days_max: 233");
    project.edit("pipeline.yaml", "freshness_days_max: 272", "freshness_days_max: 271");
    assert_eq!(failed(&run(&project, &[]).ends_with(1))[0].1["offenders"][0]["value"], 272.0);
    let mapping = project.read("sources/crm.contacts.sql");
    let without_time = mapping.split(", parse_timestamp").next().expect("a front").to_owned() + "\nFROM raw\n";
    project.write("sources/crm.contacts.sql", &without_time);
    // 2026-10-01 12:00 UTC, 30 days before.
    let written = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_856_000);
    let file = std::fs::File::options()
        .write(true)
        .open(project.file("exports/crm.csv"))
        .expect("a file");
    file.set_modified(written).expect("a time can be set");
    project.edit("pipeline.yaml", "freshness_days_max: 271", "freshness_days_max: 29");
    assert_eq!(failed(&run(&project, &[]).ends_with(1))[0].1["offenders"][0]["value"], 30.0);
    project.edit("pipeline.yaml", "freshness_days_max: 29", "freshness_days_max: 30");
    project.run(&[]);
}

const DECISIONS: &str = "decision,left_source,left_record_id,right_source,right_record_id";

#[test]
fn customers_that_hold_too_much_are_told_together_with_their_records() {
    let project = Project::small();
    project.write(
        "decisions/a.csv",
        &format!("{DECISIONS}\nmust_link,crm,C-001,crm,C-003\nmust_link,crm,C-003,crm,C-005\nmust_link,crm,C-002,crm,C-006\n"),
    );
    let limits = "gates:\n  customer_records_max: 3\n  customer_birth_dates_max: 2\n  customer_given_names_max: 2\n  \
                  large_customer_records: 2\n  large_customers_share_max: 0.05";
    project.append("pipeline.yaml", limits);
    let done = run(&project, &[]).ends_with(1);
    let failures = failed(&done);
    let told: Vec<(&str, f64, u64)> = failures
        .iter()
        .map(|(name, gate)| {
            let (value, count) = (gate["value"].as_f64(), gate["offenders_count"].as_u64());
            (
                name.as_str(),
                (value.expect("a value") * 1000.0).round() / 1000.0,
                count.expect("a count"),
            )
        })
        .collect();
    // C-002 and C-006 ordered in the shop, too: two records each.
    assert_eq!(
        told,
        [
            ("customer_records_max", 4.0, 1),
            ("customer_birth_dates_max", 3.0, 1),
            ("customer_given_names_max", 3.0, 1),
            ("large_customers_share_max", 0.095, 2)
        ]
    );
    let rows = &failures[1].1["offenders"][0]["rows"];
    assert_eq!(
        *rows,
        json!([{"source": "crm", "record_id": "C-001"}, {"source": "crm", "record_id": "C-003"}, {"source": "crm", "record_id": "C-005"}])
    );
    let buyer = failures[0].1["offenders"][0].to_string();
    assert!(buyer.contains("@") && !buyer.contains(&mail(2)), "an address is masked: {buyer}");
    assert!(done.stderr.contains("crm:C-001, crm:C-003, crm:C-005"), "{}", done.stderr);
    assert!(project.manifests().is_empty());
    // At the limit is not above it.
    for (from, to) in [
        ("records_max: 3", "records_max: 4"),
        ("dates_max: 2", "dates_max: 3"),
        ("names_max: 2", "names_max: 3"),
        ("share_max: 0.05", "share_max: 0.1"),
    ] {
        project.edit("pipeline.yaml", from, to);
    }
    let report = project.run(&[]);
    assert_eq!(gate(&report, "customer_given_names_max")["value"], 3.0);
}

#[test]
fn pet_forms_second_names_and_initials_are_no_other_given_names() {
    let project = Project::small();
    let row = |id: &str, given: &str| format!("{id};K777;;{given};Muster;;;01.01.1980;;;;01.02.2026");
    let rows: Vec<String> = [("D-1", "Elisabeth"), ("D-2", "Lisa"), ("D-3", "Elisabeth Maria"), ("D-4", "E.")]
        .map(|(id, given)| row(id, given))
        .into();
    project.write_csv("exports/crm.csv", CRM_HEADER, &rows);
    let report = project.run(&[]);
    assert_eq!(gate(&report, "customer_records_max")["value"], 4.0, "{report:#}");
    assert_eq!(gate(&report, "customer_given_names_max")["value"], 1.0);
    project.append("exports/crm.csv", &row("D-6", "Burkhard"));
    assert_eq!(gate(&project.run(&[]), "customer_given_names_max")["value"], 2.0);
}

#[test]
fn a_dry_run_and_a_plan_show_the_failing_gates_beside_everything_else_and_end_with_1() {
    let project = people(200);
    project.run(&[]);
    crm(&project, 100);
    project.append("pipeline.yaml", "gates:\n  customer_records_max: 1");
    let plan = run(&project, &["--dry-run"])
        .ends_with(1)
        .says("gates.rows_drop_max")
        .says("gates.customer_records_max")
        .json();
    assert_eq!(breaches(&schema("plan"), &plan), Vec::<String>::new());
    assert_eq!(
        (
            &gate(&plan, "rows_drop_max")["passed"],
            &gate(&plan, "customer_records_max")["passed"]
        ),
        (&json!(false), &json!(false))
    );
    assert!(plan["keys"].is_object());
    let text = project.call("run", &["--dry-run", "--as-of", AS_OF]).ends_with(1).stdout;
    assert!(
        text.contains("would publish nothing: a gate says no") && text.contains("crm contacts: 0.500, at most 0.4"),
        "{text}"
    );
    // A plan compares no pair, so it knows nothing of customers.
    let plan = project.call("plan", &RUN).ends_with(1).says("gates.rows_drop_max").json();
    assert_eq!(plan["gates"].as_array().map(Vec::len), Some(4));
    let asked = ["--dry-run", "--accept-gate", "rows_drop_max,customer_records_max"];
    assert_eq!(run(&project, &asked).ends_with(0).json()["next"], 2);
    // Inputs are judged before pairs are compared.
    assert_eq!(failed(&run(&project, &[]).ends_with(1)).len(), 1);
}

#[test]
fn a_gate_can_be_switched_off_and_changing_one_makes_no_version() {
    let project = Project::small();
    for _ in 0..4 {
        project.append("exports/crm.csv", "C-900;too;few");
    }
    let done = run(&project, &[]).ends_with(1);
    let failures = failed(&done);
    let offender = &failures[0].1["offenders"][0];
    assert_eq!(offender["counts"], json!({"ragged_row": 4, "rows_read": 28, "rows_rejected": 4}));
    assert_eq!(
        offender["rows"][0],
        json!({"source": "crm", "file": "crm.csv", "line": 26, "reason": "ragged_row"})
    );
    for off in ["off", "false", "\"off\""] {
        let yaml = project.read("pipeline.yaml");
        project.append("pipeline.yaml", &format!("gates:\n  rejected_share_max: {off}"));
        let plan = project.call("plan", &RUN).ends_with(0).json();
        assert_eq!(gate(&plan, "rejected_share_max")["limit"], Value::Null);
        project.write("pipeline.yaml", &yaml);
    }
    project.append("pipeline.yaml", "gates:\n  rejected_share_max: 0.5");
    project.run(&[]);
    project.edit("pipeline.yaml", "rejected_share_max: 0.5", "rejected_share_max: off");
    assert_eq!(project.run(&[])["outcome"], "unchanged");
    project.edit("pipeline.yaml", "rejected_share_max: off", "rejected_share_max: never");
    project
        .call("run", &[])
        .ends_with(2)
        .says("pipeline.yaml:19:23: `rejected_share_max` must be between 0 and 1")
        .says("off");
    project.edit(
        "pipeline.yaml",
        "rejected_share_max: never",
        "customer_records_max: 1.5\n  sources: {shpo: {}}",
    );
    project
        .call("run", &[])
        .ends_with(2)
        .says("must be a whole number")
        .says("did you mean `shop`?");
}
