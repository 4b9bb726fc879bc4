//! How keys change is shown before it is published: dry runs with revenue, the gate, pins, and the cause of every event.

use serde_json::Value;

use super::support::{AS_OF, Project, breaches, schema};

/// A project whose gate looks at two customers and more.
fn guarded() -> Project {
    let project = Project::small();
    project.edit(
        "pipeline.yaml",
        "keys:\n",
        "keys:\n  changed_customers_min: 2\n  changed_share_max: {created: 0.1}\n",
    );
    project
}

fn without_rows(project: &Project, ids: &[&str]) {
    let text = project.read("exports/crm.csv");
    let is_kept = |line: &&str| !ids.iter().any(|id| line.starts_with(&format!("{id};")));
    let kept: Vec<&str> = text.lines().filter(is_kept).collect();
    project.write("exports/crm.csv", &(kept.join("\n") + "\n"));
}

fn dry_run(project: &Project, code: i32, more: &[&str]) -> Value {
    let arguments = [&["--dry-run", "--as-of", AS_OF, "--format", "json"], more].concat();
    project.call("run", &arguments).ends_with(code).json()
}

fn of_kind(plan: &Value, kind: &str) -> Value {
    let kinds = plan["key_revenue"].as_array().expect("kinds");
    kinds
        .iter()
        .find(|entry| entry["kind"] == kind)
        .expect("every kind is told")
        .clone()
}

#[test]
fn too_many_retired_customers_stop_a_run_until_somebody_accepts_it() {
    let project = guarded();
    // A first run creates every customer and is not stopped.
    project.run(&[]);
    let gone = ["C-001", "C-003", "C-005"];
    let keys: Vec<String> = gone.iter().map(|id| project.key_of("crm", id)).collect();
    without_rows(&project, &gone);
    let plan = dry_run(&project, 1, &[]);
    assert_eq!(breaches(&schema("plan"), &plan), Vec::<String>::new());
    assert_eq!(
        (&plan["key_refusals"][0]["kind"], &plan["key_refusals"][0]["customers"]),
        (&"retired".into(), &3.into())
    );
    let stopped = project
        .call("run", &["--as-of", AS_OF])
        .ends_with(1)
        .says("3 retired of 24 customers (12.5 %, at most 5.0 %)");
    let stopped = stopped.says("--accept-key-changes");
    assert!(keys.iter().all(|key| stopped.stderr.contains(key)), "{}", stopped.stderr);
    assert_eq!(project.manifests().len(), 1, "nothing was published");
    let text = project.call("run", &["--dry-run", "--as-of", AS_OF]).ends_with(1).stdout;
    assert!(text.contains("gate: 3 retired are 12.5 %") && text.contains(&keys[0]), "{text}");
    assert_eq!(dry_run(&project, 0, &["--accept-key-changes"])["keys"]["retired"], 3);
    assert_eq!(project.run(&["--accept-key-changes"])["version"], 2);
    // One customer fewer than the gate looks at.
    without_rows(&project, &["C-007"]);
    assert_eq!(project.run(&[])["version"], 3);
    // New ones are limited because the project says so: three of twenty are more than a tenth.
    for at in 0..3 {
        project.append(
            "exports/crm.csv",
            &format!("C-90{at};K90{at};;Neu{at};Dazugekommen{at};;;;;;;01.03.2026"),
        );
    }
    project
        .call("run", &["--as-of", AS_OF])
        .ends_with(1)
        .says("3 created of 20 customers");
}

#[test]
fn a_dry_run_tells_whose_revenue_hangs_on_the_changes() {
    let project = Project::small();
    project.run(&[]);
    // Person 2 has three orders of 12.50, person 4 two of 14.50; together they become one by a card.
    project.append("exports/crm.csv", "C-800;K002;L800;Verbindung;Eins;;;;;;;01.02.2026");
    project.append("exports/crm.csv", "C-801;K004;L800;Verbindung;Zwei;;;;;;;01.02.2026");
    // Somebody new, without an order.
    project.append("exports/crm.csv", "C-900;K900;;Neu;Dazugekommen;;;;;;;01.03.2026");
    let plan = dry_run(&project, 0, &[]);
    assert_eq!(
        (&plan["keys"]["kept"], &plan["keys"]["merged"], &plan["keys"]["created"]),
        (&23.into(), &1.into(), &1.into())
    );
    let merged = of_kind(&plan, "merged");
    let amount = merged["revenue"][0]["amount"].as_str().expect("an amount");
    assert!(["37.50", "29.00"].contains(&amount), "what one of both had: {merged}");
    assert_eq!(merged["revenue"][0]["currency"], "EUR");
    // All orders: twelve people p = 0, 2, .. 22 with p % 3 + 1 orders of p + 10.50.
    let total: f64 = (0..24).step_by(2).map(|p| f64::from(p % 3 + 1) * (10.5 + f64::from(p))).sum();
    assert_eq!(of_kind(&plan, "kept")["revenue"][0]["amount"], format!("{total:.2}"));
    assert_eq!(
        of_kind(&plan, "created"),
        serde_json::json!({"kind": "created", "customers": 1, "revenue": []})
    );
    let text = project.call("run", &["--dry-run", "--as-of", AS_OF]).ends_with(0).stdout;
    assert!(text.contains(&format!("{total:.2} EUR")), "{text}");
}

#[test]
fn keys_come_back_after_a_merge_is_undone_and_every_event_says_why() {
    let project = Project::small();
    project.append("exports/crm.csv", "C-700;K700;;Ottilie;Zwiebelfisch;;;;;;;01.01.2026");
    project.append("exports/crm.csv", "C-701;;L700;Otti;Anders;;;;;;;01.01.2026");
    project.run(&["--run-id", "first"]);
    let before = project.table("identities");
    let link = "C-702;K700;L700;Ottilie;Zwiebelfisch;;;;;;;01.02.2026";
    let text = project.read("exports/crm.csv");
    project.append("exports/crm.csv", link);
    project.run(&["--run-id", "second"]);
    project.write("exports/crm.csv", &text);
    project.run(&["--run-id", "third"]);
    assert_eq!(project.table("identities"), before, "both keys are back");
    assert!(project.table("key_redirects").is_empty());
    project.edit(
        "pipeline.yaml",
        "identifiers: [customer_no, loyalty_no]",
        "identifiers: [customer_no]",
    );
    project.append("exports/crm.csv", "C-703;K700;;Ottilie;Zwiebelfisch;;;;;;;01.02.2026");
    project.run(&["--run-id", "fourth"]);
    let told: Vec<[String; 4]> = project
        .table("key_events")
        .iter()
        .filter(|event| event["run_id"] != "first")
        .map(|event| ["run_id", "version", "event", "cause"].map(|name| event[name].clone()))
        .collect();
    let expected = [
        ["second", "2", "merged", "new_records"],
        ["third", "3", "resurrected", "removed_records"],
    ];
    assert_eq!(told, expected.map(|event| event.map(str::to_owned)));
    // A record that joins nobody else changes no key, whatever the rules.
    assert_eq!(project.key_of("crm", "C-703"), project.key_of("crm", "C-700"));
    let key = before.iter().find(|row| row["record_id"] == "C-700").expect("a record")["customer_key"].clone();
    let other = before.iter().find(|row| row["record_id"] == "C-701").expect("a record")["customer_key"].clone();
    let histories = [key, other].map(|key| project.call("explain", &[&key]).ends_with(0).stdout);
    assert!(histories.iter().any(|text| text.contains("removed_records")), "{histories:?}");
}

#[test]
fn people_pin_a_key_of_an_older_system() {
    let project = Project::small();
    let imported = "00000000000000000000000042";
    project.run(&[]);
    let minted = project.key_of("crm", "C-002");
    project.write(
        "decisions/pins.csv",
        &format!(
            "decision,left_source,left_record_id,customer_key,reason\npin,crm,C-002,{imported},our old number\nPIN,crm,C-999,{imported},\n"
        ),
    );
    let report = project.run(&[]);
    assert_eq!(report["identity"]["decisions"]["pin"], 1);
    assert_eq!(report["identity"]["decisions"]["unknown_record"], 1);
    assert_eq!(project.key_of("crm", "C-002"), imported);
    assert_eq!(
        project.key_of("shop", &super::support::mail(2)),
        imported,
        "the whole customer has it"
    );
    let redirects = project.table("key_redirects");
    assert_eq!((&*redirects[0]["old_key"], &*redirects[0]["new_key"]), (&*minted, imported));
    let decisions = project.table("decisions");
    assert_eq!(
        (&*decisions[0]["decision"], &*decisions[0]["status"], &*decisions[0]["customer_key"]),
        ("pin", "applied", imported)
    );
    assert_eq!(decisions[1]["status"], "unknown_record");
    let events = project.table("key_events");
    let causes: Vec<&str> = events
        .iter()
        .filter(|event| event["version"] == "2")
        .map(|event| &*event["cause"])
        .collect();
    assert_eq!(causes, ["decision", "decision"]);
    assert_eq!(project.run(&[])["outcome"], "unchanged");
    // The pin goes and the key stays.
    std::fs::remove_file(project.file("decisions/pins.csv")).expect("a file to remove");
    assert_eq!(project.run(&[])["version"], 3);
    assert_eq!(project.key_of("crm", "C-002"), imported);
}

#[test]
fn pins_that_contradict_other_decisions_end_with_3_and_both_lines() {
    let project = Project::small();
    let header = "decision,left_source,left_record_id,right_source,right_record_id,decided_by,decided_at,reason,customer_key";
    let (one, other) = ("0000000000000000000000000a", "0000000000000000000000000b");
    let pin = |id: &str, key: &str| format!("pin,crm,{id},,,,,,{key}");
    let joined = "must_link,crm,C-001,crm,C-003,,,,".to_owned();
    let apart = "cannot_link,crm,C-003,crm,C-005,,,,".to_owned();
    for (rows, says) in [
        (vec![pin("C-001", one), pin("C-001", other)], vec!["a.csv:2", "a.csv:3", "two keys"]),
        (
            vec![pin("C-001", one), joined.clone(), pin("C-003", other)],
            vec!["a.csv:2, a.csv:4", "must_link: a.csv:3"],
        ),
        (
            vec![pin("C-003", one), apart.clone(), pin("C-005", one)],
            vec!["a.csv:2, a.csv:4", "cannot_link: a.csv:3"],
        ),
        // Through a chain: the pin of C-001 is one of C-003.
        (
            vec![pin("C-001", one), joined.clone(), apart.clone(), pin("C-005", one)],
            vec!["a.csv:2, a.csv:5", "cannot_link: a.csv:4"],
        ),
        (vec![pin("C-001", "geheim")], vec!["a.csv:2", "not a customer key", "customer_key"]),
        (vec![format!("pin,crm,C-001,crm,C-003,,,,{one}")], vec!["a.csv:2", "second record"]),
        (
            vec![format!("must_link,crm,C-001,crm,C-003,,,,{one}")],
            vec!["a.csv:2", "has a key"],
        ),
        (vec!["pin,crm,C-001,,,,,,".to_owned()], vec!["a.csv:2", "customer_key"]),
    ] {
        project.write_csv("decisions/a.csv", header, &rows);
        let mut failed = project.call("plan", &[]).ends_with(3);
        for text in says {
            failed = failed.says(text);
        }
        assert!(!failed.stderr.contains("geheim"), "{}", failed.stderr);
    }
    // One key for two records that nobody keeps apart, and the same line twice, are no contradiction.
    project.write_csv(
        "decisions/a.csv",
        header,
        &[pin("C-001", one), pin("C-001", one), pin("C-003", one)],
    );
    project.run(&[]);
    let statuses: Vec<String> = project.table("decisions").iter().map(|row| row["status"].clone()).collect();
    assert_eq!(statuses, ["applied", "applied", "overruled"]);
}
