//! `review`: the pairs most worth a person's look, written as a file of decisions, filled in, and read back.

use serde_json::{Value, json};

use super::support::{CRM_HEADER, Project, Row, breaches, crm_row, mail, schema};

/// Rows of a CSV without quotes, by column.
fn rows(text: &str) -> Vec<Row> {
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let header = lines.next().expect("a header");
    lines.map(|cells| header.iter().cloned().zip(cells).collect()).collect()
}

fn review(project: &Project, arguments: &[&str]) -> Value {
    project
        .call("review", &[arguments, &["--format", "json"]].concat())
        .ends_with(0)
        .json()
}

fn pairs(report: &Value) -> &Vec<Value> {
    report["pairs"].as_array().expect("pairs")
}

#[test]
fn what_a_person_fills_in_takes_effect_and_does_not_come_up_again() {
    let project = Project::demo();
    let file = project.file("decisions/review.csv");
    std::fs::create_dir_all(project.file("decisions")).expect("a folder");
    let asked = ["--kind", "near", "--output", file.to_str().expect("UTF-8")];
    let done = project.call("review", &asked).ends_with(0).says("decisions/review.csv");
    assert_eq!(done.stdout, "");
    let text = project.read("decisions/review.csv");
    let listed = rows(&text);
    assert!(
        listed.len() >= 3 && listed.iter().all(|row| row["decision"].is_empty() && row["kind"] == "near"),
        "{text}"
    );
    let key = |row: &Row, side: &str| project.key_of(&row[&format!("{side}_source")], &row[&format!("{side}_record_id")]);
    for row in &listed {
        assert_eq!(
            (key(row, "left"), key(row, "right")),
            (row["left_customer_key"].clone(), row["right_customer_key"].clone())
        );
        assert_ne!(row["left_customer_key"], row["right_customer_key"]);
    }
    // Empty decisions decide nothing: the file as it was written changes no key.
    let before = project.table("identities");
    project.run(&["--as-of", "2026-11-02"]);
    assert_eq!(project.table("identities"), before);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines[1] = format!("must_link{}", lines[1]);
    lines[2] = format!("cannot_link{}", lines[2]);
    project.write("decisions/review.csv", &(lines.join("\n") + "\n"));
    let report = project.run(&["--as-of", "2026-11-02"]);
    assert_eq!(
        report["identity"]["decisions"],
        json!({"must_link": 1, "cannot_link": 1, "pin": 0, "unknown_record": 0})
    );
    assert_eq!(key(&listed[0], "left"), key(&listed[0], "right"), "people joined them");
    assert_ne!(key(&listed[1], "left"), key(&listed[1], "right"), "people parted them");
    let again = review(&project, &["--kind", "near"]);
    let is_listed = |row: &Row| {
        pairs(&again)
            .iter()
            .any(|pair| pair["left"]["record_id"] == row["left_record_id"] && pair["right"]["record_id"] == row["right_record_id"])
    };
    assert!(!is_listed(&listed[0]) && !is_listed(&listed[1]));
    assert!(is_listed(&listed[2]), "what was left open comes up again");
    // A decision counts as soon as it is written, not when the next run has read it.
    lines[3] = format!("cannot_link{}", lines[3]);
    project.write("decisions/review.csv", &(lines.join("\n") + "\n"));
    let last = review(&project, &["--kind", "near"]);
    let decided = |report: &Value| report["left_out_decided"].as_u64().expect("a count");
    assert_eq!((pairs(&last).len() + 1, decided(&last)), (pairs(&again).len(), decided(&again) + 1));
}

#[test]
fn pairs_are_ranked_by_uncertainty_times_what_hangs_on_them() {
    let project = Project::demo();
    for kind in ["near", "revenue", "bridge", "all"] {
        let report = review(&project, &["--kind", kind, "--show-pii"]);
        assert_eq!(breaches(&schema("review"), &report), Vec::<String>::new());
        assert!(!pairs(&report).is_empty(), "{kind}");
        let mut last = f64::INFINITY;
        for pair in pairs(&report) {
            let number = |value: &Value| value.as_f64().expect("a number");
            // A pair that a constraint refused counts as no surer than the threshold of the demo.
            let is_contradicted = pair["refused_because"].as_str().is_some_and(|reason| reason != "below_threshold");
            let surest = if is_contradicted { 0.95 } else { 1.0 };
            let (p, score) = (number(&pair["match_probability"]).min(surest), number(&pair["score"]));
            let records = number(&pair["left"]["records"]).min(number(&pair["right"]["records"]));
            let stake = match kind {
                "near" | "bridge" => records,
                "revenue" => number(&pair["revenue"]),
                _ => score / (p * (1.0 - p)),
            };
            assert!(
                (score - p * (1.0 - p) * stake).abs() < 1e-9 && stake + 1e-9 >= records.min(1.0),
                "{pair:#}"
            );
            assert!(score <= last, "{kind}: {pair:#}");
            last = score;
            let is_bridge = pair["kind"] == "bridge";
            assert_eq!(is_bridge, pair["left"]["customer_key"] == pair["right"]["customer_key"]);
            assert!(kind != "bridge" || is_bridge);
            assert!(kind != "near" || !is_bridge);
        }
        let first = review(&project, &["--kind", kind, "--limit", "1"]);
        assert_eq!(pairs(&first).len(), 1);
    }
}

/// Two people behind one customer number, and a third who has it alone.
fn strangers_with_one_number() -> Project {
    let project = Project::small();
    let mut rows: Vec<String> = (0..12).map(crm_row).collect();
    rows.push("=1+1;K001;;Zacharias;Unverwechselbar;;;;;;;01.02.2026".to_owned());
    rows.push("C-801;K003;;;;;;;;;;01.02.2026".to_owned());
    project.write_csv("exports/crm.csv", CRM_HEADER, &rows);
    project
}

#[test]
fn a_bridge_of_an_identifier_is_listed_where_the_records_contradict_it_and_comes_apart_when_people_say_so() {
    let project = strangers_with_one_number();
    project.run(&[]);
    assert_eq!(project.key_of("crm", "=1+1"), project.key_of("crm", "C-001"));
    let done = project.call("review", &["--kind", "bridge"]).ends_with(0);
    let listed = rows(&done.stdout);
    let ids: Vec<(&str, &str)> = listed
        .iter()
        .map(|row| (&*row["left_record_id"], &*row["right_record_id"]))
        .collect();
    // An id that a spreadsheet would run is written with an apostrophe, and read without it.
    assert!(
        ids.contains(&("'=1+1", "C-001")) || ids.contains(&("C-001", "'=1+1")),
        "{}",
        done.stdout
    );
    assert!(!done.stdout.contains("C-801"), "nothing contradicts that C-801 is C-003");
    let masked = done.stdout.to_lowercase();
    assert!(!masked.contains("unverwechselbar") && !masked.contains(&mail(2)), "{masked}");
    let shown = project.call("review", &["--kind", "bridge", "--show-pii"]).ends_with(0).stdout;
    assert!(shown.contains("Unverwechselbar") && shown.contains(&mail(2)), "{shown}");
    let row = done.stdout.lines().find(|line| line.contains("'=1+1")).expect("the pair");
    let header = done.stdout.lines().next().expect("a header");
    project.write("decisions/a.csv", &format!("{header}\ncannot_link{row}\n"));
    project.run(&[]);
    assert_ne!(project.key_of("crm", "=1+1"), project.key_of("crm", "C-001"));
}

#[test]
fn a_file_that_is_there_is_not_overwritten_and_nothing_published_is_an_error() {
    let project = Project::small();
    project.call("review", &[]).ends_with(3).says("nothing is published");
    project.run(&[]);
    project.write("mine.csv", "decided by hand");
    let path = project.file("mine.csv");
    let asked = ["--output", path.to_str().expect("UTF-8")];
    project.call("review", &asked).ends_with(2).says("is there already");
    assert_eq!(project.read("mine.csv"), "decided by hand");
    let none = review(&project, &["--limit", "0"]);
    assert!(pairs(&none).is_empty());
    project.write("decisions/a.csv", "decision,left_source\n");
    project.call("review", &[]).ends_with(3).says("left_record_id");
}

#[test]
fn a_pair_that_a_constraint_refused_against_the_model_is_worth_a_look() {
    let project = Project::small();
    // Who has a number of his own is nobody else, says the project; the model sees one person twice.
    project.edit("pipeline.yaml", "identity:\n", "identity:\n  exclusive: [loyalty_no]\n");
    let twice = |id: &str, card: &str| crm_row(2).replace("C-002;K002;;", &format!("{id};;{card};"));
    let mut rows: Vec<String> = (0..24).filter(|person| *person != 2).map(crm_row).collect();
    rows.extend([twice("C-800", "L1"), twice("C-801", "L2")]);
    project.write_csv("exports/crm.csv", CRM_HEADER, &rows);
    project.run(&[]);
    assert_ne!(project.key_of("crm", "C-800"), project.key_of("crm", "C-801"));
    let report = review(&project, &["--kind", "near"]);
    let refused: Vec<&Value> = pairs(&report)
        .iter()
        .filter(|pair| pair["refused_because"] == "exclusive_identifier")
        .collect();
    assert_eq!(refused.len(), 1, "{report:#}");
    assert!(refused[0]["match_probability"].as_f64() > Some(0.95), "{report:#}");
    assert!(refused[0]["score"].as_f64() >= Some(0.0475 - 1e-9), "{report:#}");
}
