//! Canaries: no e-mail, phone or name of a person reaches stdout or stderr.

use std::collections::BTreeSet;

use super::support::{AS_OF, Done, Project};

/// E-mails, phones and family names of the published contacts, long enough not to be a word by chance.
fn canaries(project: &Project) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for row in project.table("contacts") {
        for column in ["email", "phone", "family_name"] {
            found.extend(row.get(column).map(|value| value.to_lowercase()).filter(|value| value.len() >= 5));
        }
    }
    assert!(found.len() > 50, "the canaries are few: {found:?}");
    found
}

#[track_caller]
fn assert_silent(canaries: &BTreeSet<String>, done: &Done) {
    for text in [&done.stdout, &done.stderr] {
        let text = text.to_lowercase();
        let heard: Vec<&String> = canaries.iter().filter(|canary| has_word(&text, canary)).collect();
        assert!(heard.is_empty(), "{heard:?} in:\n{text}");
    }
}

/// Whether a word stands in a text, not as a part of another.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        let after = text[at + word.len()..].chars().next().is_none_or(|c| !c.is_alphanumeric());
        before && after
    })
}

#[test]
fn nothing_about_a_person_is_printed() {
    let project = Project::demo();
    let canaries = canaries(&project);
    let record = project
        .table("identities")
        .into_iter()
        .find(|row| row["source"] == "shop_orders")
        .expect("a buyer");
    let crm = project
        .table("identities")
        .into_iter()
        .find(|row| row["source"] == "crm")
        .expect("a contact");
    let (key, crm) = (record["customer_key"].clone(), format!("crm:{}", crm["record_id"]));
    let truth = project.file("truth.csv").to_str().expect("UTF-8").to_owned();
    let labels = ["--labels", &truth, "--cluster", "person", "--examples", "50"];
    let loud = ["-v", "--log-format", "json"];
    for (command, arguments) in [
        ("run", vec!["--as-of", "2026-11-01"]),
        ("run", vec!["--as-of", "2026-11-02", "--dry-run"]),
        ("run", vec!["--as-of", "2026-11-02", "--dry-run", "--format", "json"]),
        ("validate", vec![]),
        ("versions", vec![]),
        ("versions", vec!["--format", "json"]),
        ("explain", vec![key.as_str()]),
        ("explain", vec![key.as_str(), "--format", "json"]),
        ("explain", vec![crm.as_str()]),
        ("evaluate", vec![]),
        ("evaluate", labels.to_vec()),
        ("evaluate", [&labels[..], &["--format", "json"]].concat()),
    ] {
        assert_silent(&canaries, &project.call(command, &[&arguments[..], &loud].concat()).ends_with(0));
    }
}

#[test]
fn errors_do_not_quote_the_value_that_caused_them() {
    for (file, from, to) in [
        ("sources/crm.contacts.sql", "\"City\" AS city", "CAST(\"Family\" AS INT) AS city"),
        ("sources/crm.contacts.sql", "\"City\" AS city", "CAST(\"Mail\" AS DATE) AS city"),
        (
            "sources/crm.contacts.sql",
            "\"City\" AS city",
            "arrow_cast(\"Phone\", 'Timestamp(Second, None)') AS city",
        ),
        (
            "models/regulars.sql",
            "SELECT customer_key, orders_count FROM order_counts WHERE orders_count >= 2",
            "SELECT CAST(family_name AS INT) AS n FROM customers",
        ),
    ] {
        let project = Project::small();
        project.run(&[]);
        let canaries = canaries(&project);
        project.edit(file, from, to);
        for format in ["text", "json"] {
            let done = project.call("run", &["--as-of", AS_OF, "--format", format, "-v"]);
            assert_ne!(done.code, Some(0), "{to}: {done:?}");
            assert_ne!(done.code, Some(101), "{to}: {done:?}");
            assert!(done.stderr.contains(file), "{to}: {done:?}");
            assert_silent(&canaries, &done);
        }
    }
}
