//! `privacy erase`: no trace in the new version, none in the versions that come, and nobody else is touched.

use std::collections::BTreeSet;

use super::export::privacy;
use super::world::{MAIL, TRACES, keys_of_others, project, published, traces, traces_of_newest};
use crate::cli::support::{Project, breaches, listing, schema};

const NONE: BTreeSet<String> = BTreeSet::new();

fn assert_quiet(text: &str) {
    let text = text.to_lowercase();
    let heard: Vec<&&str> = TRACES.iter().filter(|trace| text.contains(**trace)).collect();
    assert!(heard.is_empty(), "{heard:?} in:\n{text}");
}

#[test]
fn without_a_yes_nothing_is_written_and_only_numbers_are_told() {
    let project = published();
    let before = listing(project.path());
    for format in ["text", "json"] {
        let done = privacy(&project, "erase", &[MAIL, "--format", format])
            .ends_with(0)
            .says("nothing was written");
        assert_quiet(&done.stdout);
        assert_quiet(&done.stderr);
    }
    assert_eq!(listing(project.path()), before);
    let report = privacy(&project, "erase", &[MAIL, "--dry-run", "--format", "json"])
        .ends_with(0)
        .json();
    assert_eq!(breaches(&schema("privacy-erase"), &report), Vec::<String>::new());
    assert_eq!(
        (&report["outcome"], &report["customers"], &report["records"]),
        (&"dry_run".into(), &1.into(), &3.into())
    );
    assert_eq!(report["tables"]["orders"]["rows"], 2);
    assert_eq!(report["tables"]["events"], serde_json::json!({"rows": 3, "rows_changed": 1}));
    assert_eq!(report["versions_to_purge"], serde_json::json!([1]));
    privacy(&project, "erase", &[MAIL, "--dry-run", "--yes"]).ends_with(2);
    privacy(&project, "erase", &[]).ends_with(2).says("nobody is named");
}

#[test]
fn no_trace_is_left_and_nobody_else_is_touched() {
    let project = published();
    let seen: BTreeSet<String> = traces_of_newest(&project, &TRACES)
        .iter()
        .filter_map(|found| found.split(" in ").next())
        .map(str::to_owned)
        .collect();
    for trace in TRACES.iter().filter(|trace| **trace != "07.08.1961") {
        assert!(seen.contains(*trace), "the search finds {trace}: {seen:?}");
    }
    let (others, key) = (keys_of_others(&project), project.key_of("crm", "C-900"));
    let customers = project.table("customers").len();
    let report = privacy(&project, "erase", &[MAIL, "--yes", "--run-id", "gone", "--format", "json"])
        .ends_with(0)
        .json();
    assert_eq!((&report["outcome"], &report["version"]), (&"erased".into(), &2.into()));
    assert_eq!(traces_of_newest(&project, &TRACES), NONE);
    assert_eq!(keys_of_others(&project), others);
    assert_eq!(project.table("customers").len(), customers - 1);
    for table in [
        "customers",
        "orders",
        "order_counts",
        "regulars",
        "identities",
        "contacts",
        "links",
        "possible_links",
    ] {
        let rows = project.table(table);
        assert!(rows.iter().all(|row| !row.values().any(|value| *value == key)), "{table}");
    }
    let events = project.table("key_events");
    let last = events.iter().filter(|row| row["customer_key"] == key).collect::<Vec<_>>();
    assert_eq!(last.len(), 1, "one tombstone: {last:?}");
    assert_eq!((last[0]["event"].as_str(), last[0]["run_id"].as_str()), ("retired", "gone"));
    let gift = project
        .table("events")
        .into_iter()
        .find(|row| row["event_id"] == "E-902-1")
        .expect("her event stays");
    assert!(!gift.contains_key("email"), "without his address: {gift:?}");
    assert_eq!(gift["customer_key"], project.key_of("crm", "C-902"));
}

/// The exports still hold the person: the next run reads them all and publishes none of it.
/// How many pieces of the inputs the newest version keeps.
fn staged(project: &Project) -> usize {
    let newest = project.manifests().pop().expect("a version");
    newest["staged"].as_object().map_or(0, serde_json::Map::len)
}

#[test]
fn nobody_comes_back_with_tomorrows_export() {
    let project = published();
    let others = keys_of_others(&project);
    assert!(staged(&project) > 0, "what was read is kept for the next run");
    privacy(&project, "erase", &[MAIL, "--yes"]).ends_with(0);
    assert_eq!(staged(&project), 0, "and goes with an erasure");
    // The same person under new ids, spelled in another way.
    project.append(
        "exports/crm.csv",
        "C-990;;;Zebedee;Quastenflosser;ZEBEDEE.Q@Kanarie.example;;07.08.1961;Kanarienweg 7;10115;Berlin;01.04.2026",
    );
    project.append("exports/crm.csv", "C-991;;LX900;Zebedee;Q;;;07.08.1961;;;;01.04.2026");
    project.append("exports/crm.csv", "C-992;;;Zebedee;Q;;0049 30 555 99 11;07.08.1961;;;;01.04.2026");
    let report = project.run(&[]);
    assert_eq!(report["outcome"], "published");
    assert_eq!(
        report["suppressed"],
        serde_json::json!({"contacts": 6, "decisions": 2, "events": 3, "orders": 2, "rejects": 1})
    );
    assert_eq!(traces_of_newest(&project, &TRACES), NONE);
    assert_eq!(
        staged(&project),
        0,
        "nothing read is kept while an export still holds an erased person"
    );
    assert_eq!(keys_of_others(&project), others);
    let gift = project
        .table("events")
        .into_iter()
        .find(|row| row["event_id"] == "E-902-1")
        .expect("her event stays");
    assert!(!gift.contains_key("email"), "{gift:?}");
    assert_eq!(project.run(&[])["outcome"], "unchanged");
    let (plan, resolved) = (
        project.call("plan", &["--as-of", "2026-11-01", "--format", "json"]),
        project.file("keys.parquet"),
    );
    assert_eq!(plan.ends_with(0).json()["records"], project.table("contacts").len());
    project.call("resolve", &["--out", resolved.to_str().expect("UTF-8")]).ends_with(0);
    assert_eq!(crate::cli::support::rows(&resolved).len(), project.table("contacts").len());
}

#[test]
fn it_works_when_the_exports_are_gone() {
    let project = published();
    std::fs::remove_dir_all(project.file("exports")).expect("a folder");
    let key = project.key_of("crm", "C-901");
    privacy(&project, "erase", &[&key, "--yes"]).ends_with(0);
    assert_eq!(traces_of_newest(&project, &TRACES), NONE);
}

#[test]
fn what_others_share_stays_off_the_list() {
    let project = published();
    let wilma = project.key_of("crm", "C-902");
    let report = privacy(&project, "erase", &["crm:C-900", "--yes", "--format", "json"])
        .ends_with(0)
        .json();
    assert_eq!(report["shared"], 1, "the phone of the household");
    assert_eq!(
        report["suppressed"],
        serde_json::json!({"email": 1, "phone": 1, "number": 2, "record": 3})
    );
    project.run(&[]);
    assert_eq!(project.key_of("crm", "C-902"), wilma);
    let row = project
        .table("customers")
        .into_iter()
        .find(|row| row["customer_key"] == wilma)
        .expect("she is there");
    assert_eq!((row["given_name"].as_str(), row["phone"].as_str()), ("Wilma", "+49305559900"));
}

#[test]
fn term_frequencies_forget_what_only_the_person_held() {
    let project = published();
    let state = |project: &Project| {
        let newest = project.manifests().pop().expect("a version");
        let path = newest["state"]["term_frequencies.json"]["path"]
            .as_str()
            .expect("a path")
            .to_owned();
        project.read(&format!("warehouse/{path}"))
    };
    assert!(state(&project).contains("zebedee") && state(&project).contains("quastenflosser"));
    let report = privacy(&project, "erase", &[MAIL, "--yes", "--format", "json"]).ends_with(0).json();
    assert!(report["term_frequencies"].as_u64() >= Some(1), "{report}");
    assert!(
        !state(&project).contains("zebedee") && state(&project).contains("quastenflosser"),
        "her name is hers too"
    );
    project.run(&[]);
    assert!(!state(&project).contains("zebedee"));
}

#[test]
fn a_receipt_proves_the_erasure_and_tells_nothing_about_the_person() {
    let project = published();
    let erased = privacy(&project, "erase", &[MAIL, "--yes", "--run-id", "ticket 17", "--reason", "Art. 17"]).ends_with(0);
    assert_quiet(&erased.stdout);
    assert_quiet(&erased.stderr);
    let receipt: serde_json::Value = serde_json::from_str(&project.read("warehouse/receipts/ticket-17.json")).expect("JSON");
    assert_eq!(breaches(&schema("privacy-receipt"), &receipt), Vec::<String>::new());
    assert_eq!(
        (&receipt["reason"], &receipt["version"], &receipt["customers"]),
        (&"Art. 17".into(), &2.into(), &1.into())
    );
    assert_eq!(traces(&project.file("warehouse/receipts"), &TRACES), NONE);
    let other = privacy(&project, "erase", &["Zebedee.Q@KANARIE.example", "--format", "json"]);
    other.ends_with(3).says("nothing is held about this person");
    let key = project.key_of("crm", "C-902");
    let text = receipt.to_string();
    assert!(!text.contains(&key) && receipt["request_hash"].as_str().is_some_and(|hash| hash.len() == 64));
}

#[test]
fn many_people_go_in_one_call_and_those_not_found_are_kept_out_all_the_same() {
    let project = published();
    project.write(
        "people.txt",
        &format!("# from the ticket system\n{MAIL}\n\ncrm:C-001\nstranger@nowhere.example\n"),
    );
    let from = project.file("people.txt");
    let arguments = ["--from", from.to_str().expect("UTF-8"), "--yes", "--format", "json"];
    let report = privacy(&project, "erase", &arguments).ends_with(0).json();
    assert_eq!((&report["customers"], &report["not_found"]), (&2.into(), &1.into()));
    project.append(
        "exports/crm.csv",
        "C-995;;;Stra;Nger;stranger@nowhere.example;;01.01.1970;Weg 1;10115;Berlin;01.04.2026",
    );
    project.run(&[]);
    assert_eq!(traces_of_newest(&project, &["stranger", "c-995", "c-001", "zebedee"]), NONE);
    project.write("people.txt", "crm:C-002\nnonsense\n");
    privacy(&project, "erase", &["--from", from.to_str().expect("UTF-8")])
        .ends_with(2)
        .says("line: 2");
}

#[test]
fn another_secret_is_refused_before_anybody_comes_back() {
    let project = published();
    privacy(&project, "erase", &[MAIL, "--yes"]).ends_with(0);
    let mut run = project.command("run", &["--as-of", "2026-11-01"]);
    run.env("STAMMKUNDE_KEY_SECRET", "another secret of sixteen");
    crate::cli::support::call(&mut run)
        .ends_with(2)
        .says("the key secret is not the one that the suppression list was made with");
}

/// The demo has every kind of record, the standard models and their audits.
#[test]
fn standard_models_lose_the_person_and_the_next_run_passes_its_audits() {
    let project = Project::demo();
    let lines = project.table("order_lines");
    let buyer = lines.iter().find(|row| row.contains_key("customer_key")).expect("a buyer");
    let key = buyer["customer_key"].clone();
    let contact = project
        .table("contacts")
        .into_iter()
        .find(|row| row["customer_key"] == key)
        .expect("a record");
    let record = format!("{}:{}", contact["source"], contact["record_id"]);
    let others = |project: &Project| -> BTreeSet<String> {
        let rows = project.table("identities").into_iter().filter(|row| row["customer_key"] != key);
        rows.map(|row| format!("{} {} {}", row["source"], row["record_id"], row["customer_key"]))
            .collect()
    };
    let (before, held) = (others(&project), privacy(&project, "export", &[&record]).ends_with(0).json());
    let tables: Vec<&str> = held["tables"]
        .as_array()
        .expect("tables")
        .iter()
        .filter_map(|table| table["name"].as_str())
        .collect();
    for table in [
        "contacts",
        "customers",
        "orders",
        "order_lines",
        "customer_orders",
        "customer_churn",
        "customer_clv",
        "customer_segments",
    ] {
        assert!(tables.contains(&table), "{table}: {tables:?}");
    }
    privacy(&project, "erase", &[&record, "--yes"]).ends_with(0);
    let newest = project.manifests().pop().expect("a version");
    for table in newest["tables"]
        .as_object()
        .expect("tables")
        .keys()
        .filter(|name| *name != "key_events")
    {
        let rows = project.table(table);
        assert!(rows.iter().all(|row| !row.values().any(|value| *value == key)), "{table}");
    }
    assert_eq!(others(&project), before);
    let report = project.run(&["--as-of", "2026-11-01"]);
    assert!(report["suppressed"]["contacts"].as_u64() >= Some(1), "{}", report["suppressed"]);
    assert_eq!(others(&project), before);
    assert!(project.table("customer_clv").iter().all(|row| row["customer_key"] != key));
}

/// A decision about a record of the person and one that is not there stands in `rejects`.
#[test]
fn rejected_decisions_do_not_name_the_person() {
    let project = project();
    project.append("decisions/couples.csv", "must_link,crm,C-900,crm,C-nowhere,,,");
    project.run(&[]);
    privacy(&project, "erase", &[MAIL, "--yes"]).ends_with(0);
    assert_eq!(traces_of_newest(&project, &TRACES), NONE);
    project.run(&[]);
    assert_eq!(traces_of_newest(&project, &TRACES), NONE);
}

/// A loyalty card that no contact has: its event belongs to no customer, and is about a person all the same.
#[test]
fn who_is_in_no_contact_is_found_and_erased_too() {
    let project = project();
    project.append("exports/web.csv", "E-777,2026-05-08,page_view,,,LX777,/card");
    project.run(&[]);
    let export = privacy(&project, "export", &["loyalty_no=LX777"]).ends_with(0).json();
    assert_eq!(export["customer_keys"], serde_json::json!([]));
    assert_eq!(export["tables"][0]["rows"][0]["event_id"], "E-777");
    let report = privacy(&project, "erase", &["loyalty_no=LX777", "--yes", "--format", "json"])
        .ends_with(0)
        .json();
    assert_eq!((&report["customers"], &report["tables"]["events"]["rows"]), (&0.into(), &1.into()));
    assert_eq!(project.run(&[])["suppressed"], serde_json::json!({"events": 1}));
    assert_eq!(traces_of_newest(&project, &["lx777", "e-777"]), NONE);
}

/// Contracts name people as orders do: by record, by address, or by a card that no contact has.
#[test]
fn subscriptions_go_with_their_person() {
    let project = project();
    project.edit(
        "pipeline.yaml",
        "trust:",
        "  billing:\n    files: exports/billing.csv\n    format: csv\ntrust:",
    );
    project.edit("pipeline.yaml", "trust: [crm, shop, web]", "trust: [crm, shop, web, billing]");
    project.write(
        "sources/billing.subscriptions.sql",
        r#"-- name: billing.subscriptions
-- grain: one row per contract
-- description: Contracts.
SELECT "Id" AS subscription_id, parse_timestamp("From", 'yyyy-mm-dd', 'Europe/Berlin') AS started_at, "Mail" AS email, "Contact" AS contact_record_id,
  CASE WHEN "Contact" IS NOT NULL THEN 'crm' END AS contact_source, parse_decimal("Price", 'en') AS amount, 'month' AS period, 'EUR' AS currency
FROM raw
"#,
    );
    let contracts = [
        "B-900-1,2026-01-01,zebedee.q@kanarie.example,,10",
        "B-900-2,2026-01-01,,C-900,10",
        "B-902,2026-01-01,zebedee.q@kanarie.example,C-902,10",
    ];
    project.write_csv("exports/billing.csv", "Id,From,Mail,Contact,Price", &contracts.map(str::to_owned));
    project.run(&[]);
    let key = project.key_of("crm", "C-900");
    let own = |rows: &[std::collections::BTreeMap<String, String>]| rows.iter().filter(|row| row.get("customer_key") == Some(&key)).count();
    assert_eq!(own(&project.table("subscriptions")), 2);
    let report = privacy(&project, "erase", &[MAIL, "--yes", "--format", "json"]).ends_with(0).json();
    assert_eq!(report["tables"]["subscriptions"], serde_json::json!({"rows": 2, "rows_changed": 1}));
    assert_eq!(traces_of_newest(&project, &TRACES), NONE);
    assert_eq!(project.table("subscriptions").len(), 1, "hers stays");
    assert_eq!(project.run(&[])["suppressed"]["subscriptions"], 2);
    assert_eq!(traces_of_newest(&project, &TRACES), NONE);
}
