//! Keys outlive what happens to records: additions, merges, removals.

use super::support::Project;

#[test]
fn keys_survive_new_records() {
    let project = Project::small();
    project.run(&[]);
    let before = project.table("identities");
    project.append("exports/crm.csv", "C-900;K900;;Neu;Dazugekommen;;;;;;;01.03.2026");
    let report = project.run(&[]);
    assert_eq!(report["keys"]["created"], 1);
    let after = project.table("identities");
    assert_eq!(after.len(), before.len() + 1);
    assert!(before.iter().all(|row| after.contains(row)), "a key changed");
}

#[test]
fn a_linking_record_merges_two_customers_and_the_old_key_leads_to_the_new_one() {
    let project = Project::small();
    project.append("exports/crm.csv", "C-700;K700;;Ottilie;Zwiebelfisch;;;;;;;01.01.2026");
    project.append("exports/crm.csv", "C-701;;L700;Otti;Anders;;;;;;;01.01.2026");
    project.run(&[]);
    let (left, right) = (project.key_of("crm", "C-700"), project.key_of("crm", "C-701"));
    assert_ne!(left, right);
    project.append("exports/crm.csv", "C-702;K700;L700;Ottilie;Zwiebelfisch;;;;;;;01.02.2026");
    let report = project.run(&[]);
    assert_eq!(report["keys"]["merged"], 1, "{report:#}");
    let live = project.key_of("crm", "C-702");
    assert_eq!(
        (project.key_of("crm", "C-700"), project.key_of("crm", "C-701")),
        (live.clone(), live.clone())
    );
    let old = if live == left { &right } else { &left };
    assert!([&left, &right].contains(&&live), "a merge made a third key");
    let redirects = project.table("key_redirects");
    assert_eq!((&redirects[0]["old_key"], &redirects[0]["new_key"]), (old, &live));
    let explained = project.call("explain", &[old, "--format", "json"]).ends_with(0).json();
    assert_eq!(explained["customer_key"], *live);
    assert_eq!(explained["redirected_from"], **old);
    assert_eq!(explained["records"].as_array().map(Vec::len), Some(3));
    let text = project.call("explain", &[old]).ends_with(0).stdout;
    assert!(text.contains(&format!("{old} was merged into it")), "{text}");
}

#[test]
fn a_customer_without_records_retires_and_its_key_comes_back_with_them() {
    let project = Project::small();
    let row = "C-900;K900;;Neu;Dazugekommen;;;;;;;01.03.2026\n";
    let without = project.read("exports/crm.csv");
    project.write("exports/crm.csv", &(without.clone() + row));
    project.run(&[]);
    let key = project.key_of("crm", "C-900");
    project.write("exports/crm.csv", &without);
    assert_eq!(project.run(&[])["keys"]["retired"], 1);
    let events = project.table("key_events");
    assert!(
        events
            .iter()
            .any(|event| event["customer_key"] == key && event["event"] == "retired")
    );
    assert!(project.table("customers").iter().all(|customer| customer["customer_key"] != key));
}

#[test]
fn every_run_adds_one_row_to_runs_and_events_stay() {
    let project = Project::small();
    project.run(&["--run-id", "first"]);
    let events = project.table("key_events");
    project.append("exports/crm.csv", "C-900;K900;;Neu;Dazugekommen;;;;;;;01.03.2026");
    project.run(&["--run-id", "second"]);
    let runs: Vec<String> = project.table("runs").iter().map(|run| run["run_id"].clone()).collect();
    assert_eq!(runs, ["first", "second"]);
    let after = project.table("key_events");
    assert_eq!(after.len(), events.len() + 1);
    assert!(events.iter().all(|event| after.contains(event)));
}

#[test]
fn counts_balance_and_every_reject_is_in_the_table() {
    let project = Project::demo();
    std::fs::remove_dir_all(project.file("warehouse")).expect("a warehouse to remove");
    let report = project.run(&[]);
    let (mut rows_rejected, mut values_rejected) = (0, 0);
    for counts in report["sources"].as_array().expect("counts") {
        let count = |name: &str| counts[name].as_u64().expect("a count");
        assert_eq!(count("rows_read"), count("rows_kept") + count("rows_rejected"), "{counts}");
        let listed = |level: &str| {
            let record = counts["record"].as_str().filter(|record| *record != "raw");
            let of_it = |row: &&super::support::Row| {
                row["source"] == counts["source"].as_str().expect("a name")
                    && row.get("record").map(String::as_str) == record
                    && row["level"] == level
            };
            project.table("rejects").iter().filter(of_it).count() as u64
        };
        assert_eq!(listed("row"), count("rows_rejected"), "{counts}");
        assert_eq!(listed("value"), count("values_rejected"), "{counts}");
        rows_rejected += count("rows_rejected");
        values_rejected += count("values_rejected");
    }
    assert!(rows_rejected > 0 && values_rejected > 0, "the demo has both kinds of rejects");
    for (name, rows) in report["tables"].as_object().expect("tables") {
        assert_eq!(project.table(name).len() as u64, rows.as_u64().expect("a count"), "{name}");
    }
    assert_eq!(
        report["identity"]["records"].as_u64(),
        Some(project.table("identities").len() as u64)
    );
    assert_eq!(
        report["identity"]["customers"].as_u64(),
        Some(project.table("customers").len() as u64)
    );
}
