//! `privacy export`: every row of the person, none of anybody else, however the person is named.

use std::collections::BTreeMap;

use serde_json::Value;

use super::world::{MAIL, project, published};
use crate::cli::support::{Project, breaches, schema};

/// `privacy <command> <project> …`.
pub fn privacy(project: &Project, command: &str, arguments: &[&str]) -> crate::cli::support::Done {
    let folder = project.path().to_str().expect("UTF-8").to_owned();
    let mut call = crate::cli::support::stammkunde();
    call.args(["privacy", command, &folder]).args(arguments);
    crate::cli::support::call(&mut call)
}

fn row_counts(export: &Value) -> BTreeMap<String, usize> {
    let tables = export["tables"].as_array().expect("tables");
    tables
        .iter()
        .map(|table| {
            (
                table["name"].as_str().expect("a name").to_owned(),
                table["rows"].as_array().expect("rows").len(),
            )
        })
        .collect()
}

#[test]
fn an_export_has_every_row_of_the_person_and_nothing_of_others() {
    let project = published();
    let done = privacy(&project, "export", &[MAIL]).ends_with(0);
    let export = done.json();
    assert_eq!(breaches(&schema("privacy-export"), &export), Vec::<String>::new());
    let counts = row_counts(&export);
    let expected = [
        ("contacts", 3),
        ("customers", 1),
        ("decisions", 2),
        ("events", 3),
        ("identities", 3),
        ("key_events", 1),
        ("order_counts", 1),
        ("orders", 2),
        ("regulars", 1),
        ("rejects", 1),
    ];
    for (name, rows) in expected {
        assert_eq!(counts.get(name), Some(&rows), "{name}: {counts:?}");
    }
    assert!(counts["links"] >= 2, "{counts:?}");
    let text = done.stdout.to_lowercase();
    for other in ["wilma", "c-902", "kx902", "e-902", "e-001", "anneliese"] {
        assert!(!text.contains(other), "{other} is somebody else");
    }
    let key = project.key_of("crm", "C-900");
    assert_eq!(export["customer_keys"], serde_json::json!([key]));
    let sources: Vec<&str> = export["sources"]
        .as_array()
        .expect("sources")
        .iter()
        .filter_map(|source| source["source"].as_str())
        .collect();
    assert_eq!(sources, ["crm", "shop", "web"]);
    assert_eq!(export["sources"][0]["files"][0]["path"], "crm.csv");
    let counts_table = export["tables"]
        .as_array()
        .expect("tables")
        .iter()
        .find(|table| table["name"] == "order_counts");
    assert_eq!(
        counts_table.expect("it is there")["description"],
        "Orders by customer.",
        "a metric says what it means"
    );
}

#[test]
fn a_person_is_found_by_every_name() {
    let project = published();
    let key = project.key_of("crm", "C-900");
    let wanted = row_counts(&privacy(&project, "export", &[&key]).ends_with(0).json());
    for name in [
        "ZEBEDEE.q@kanarie.example",
        "Zebedee <zebedee.q+news@kanarie.example>",
        "030/555 99-11",
        "+49 30 5559911",
        "crm:C-901",
        "customer_no=KX900",
        "loyalty_no= LX900",
        "email=zebedee.q@kanarie.example",
    ] {
        let export = privacy(&project, "export", &[name]).ends_with(0).json();
        assert_eq!(row_counts(&export), wanted, "{name}");
    }
}

#[test]
fn a_key_that_was_merged_away_means_the_customer_it_lives_on_in() {
    let project = published();
    let old = [project.key_of("crm", "C-003"), project.key_of("crm", "C-005")];
    project.append("decisions/couples.csv", "must_link,crm,C-003,crm,C-005,,,one person");
    project.run(&[]);
    let live = project.key_of("crm", "C-003");
    assert_eq!(project.key_of("crm", "C-005"), live);
    let gone = old.iter().find(|key| **key != live).expect("one of two keys is gone");
    let export = privacy(&project, "export", &[gone]).ends_with(0).json();
    assert_eq!(export["customer_keys"], serde_json::json!([live]));
    assert_eq!(export["former_keys"], serde_json::json!([gone]));
}

#[test]
fn who_cannot_be_found_or_told_apart_is_an_error_that_repeats_nothing() {
    let project = published();
    for (name, code, says) in [
        ("nobody@nowhere.example", 3, "nothing is held about this person"),
        ("030 5559900", 3, "several customers have this identifier"),
        ("00000000000000000000000000", 3, "no customer has this key"),
        ("Zebedee", 2, "not named in a way that is understood"),
        ("info@kanarie.example", 2, "not named in a way that is understood"),
        ("given_name=Zebedee", 2, "not named in a way that is understood"),
    ] {
        let done = privacy(&project, "export", &[name]).ends_with(code).says(says).says("hint:");
        assert!(!done.stderr.contains(name) && !done.stderr.contains("Zebedee"), "{}", done.stderr);
    }
    let both = privacy(&project, "export", &["030 5559900"]);
    let keys = [project.key_of("crm", "C-900"), project.key_of("crm", "C-902")];
    assert!(keys.iter().all(|key| both.stderr.contains(key.as_str())), "{}", both.stderr);
}

#[test]
fn files_are_private_and_spreadsheets_run_nothing_in_them() {
    let project = project();
    project.edit("exports/web.csv", "/account", "=HYPERLINK(1)");
    project.run(&[]);
    let out = project.file("handed over");
    let done = privacy(&project, "export", &[MAIL, "--output", out.to_str().expect("UTF-8")]).ends_with(0);
    assert!(
        done.stdout.contains("contacts") && !done.stdout.to_lowercase().contains("zebedee"),
        "{}",
        done.stdout
    );
    let document: Value = serde_json::from_str(&project.read("handed over/person.json")).expect("JSON");
    assert_eq!(row_counts(&document)["contacts"], 3);
    let contacts = project.read("handed over/contacts.csv");
    assert!(
        contacts.starts_with("customer_key,source,record_id,") && contacts.contains("'+49305559911"),
        "{contacts}"
    );
    assert!(project.read("handed over/events.csv").contains("'=HYPERLINK(1)"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &str| std::fs::metadata(project.file(path)).expect("it is there").permissions().mode() & 0o777;
        assert_eq!((mode("handed over"), mode("handed over/contacts.csv")), (0o700, 0o600));
    }
}
