//! Decisions of people: files of pairs that are one customer whatever the weight, or never are.

use serde_json::Value;

use super::support::{Project, Row};

const HEADER: &str = "decision,left_source,left_record_id,right_source,right_record_id,decided_by,decided_at,reason";

fn decide(project: &Project, file: &str, rows: &[&str]) {
    let rows: Vec<String> = rows.iter().map(|row| (*row).to_owned()).collect();
    project.write_csv(file, HEADER, &rows);
}

fn together(project: &Project, left: (&str, &str), right: (&str, &str)) -> bool {
    project.key_of(left.0, left.1) == project.key_of(right.0, right.1)
}

fn explain(project: &Project, left: &str, right: &str) -> Value {
    project.call("explain", &[left, right, "--format", "json"]).ends_with(0).json()
}

fn of_pair<'a>(rows: &'a [Row], left: &str, right: &str) -> Option<&'a Row> {
    rows.iter()
        .find(|row| row["left_record_id"] == left && row["right_record_id"] == right)
}

#[test]
fn people_join_strangers_and_part_duplicates() {
    let project = Project::small();
    let mail = super::support::mail(2);
    project.run(&[]);
    assert!(!together(&project, ("crm", "C-001"), ("crm", "C-003")));
    assert!(together(&project, ("crm", "C-002"), ("shop", &mail)));
    decide(
        &project,
        "decisions/desk.csv",
        &[
            // In either order, with the words as people write them.
            "Must-Link,crm,C-003,crm,C-001,E. Berger,2026-10-01,twins are one",
            &format!("cannot_link,crm,C-002,shop,{mail},,,"),
        ],
    );
    let report = project.run(&[]);
    assert_eq!(report["version"], 2);
    assert_eq!(
        report["identity"]["decisions"],
        serde_json::json!({"must_link": 1, "cannot_link": 1, "pin": 0, "unknown_record": 0})
    );
    assert!(together(&project, ("crm", "C-001"), ("crm", "C-003")));
    assert!(!together(&project, ("crm", "C-002"), ("shop", &mail)));
    let links = project.table("links");
    assert_eq!(of_pair(&links, "C-001", "C-003").expect("a link")["rule"], "must_link");
    let possible = project.table("possible_links");
    assert_eq!(
        of_pair(&possible, "C-002", &mail).expect("a possible link")["reason"],
        "cannot_link"
    );
    let published = project.table("decisions");
    assert_eq!(published.len(), 2);
    assert!(
        published.iter().all(|row| row["status"] == "applied" && row["file"] == "desk.csv"),
        "{published:?}"
    );
    let joined = explain(&project, "crm:C-001", "crm:C-003");
    assert_eq!(
        (&joined["verdict"], &joined["decision"]),
        (&"decided".into(), &"must_link, desk.csv:2".into())
    );
    let parted = explain(&project, "crm:C-002", &format!("shop:{mail}"));
    assert_eq!(parted["verdict"], "decided", "{parted:#}");
    assert_eq!(parted["refused_because"], "cannot_link");
    assert!(
        parted["because"].as_str().is_some_and(|because| because.contains("desk.csv:3")),
        "{parted:#}"
    );
}

#[test]
fn a_changed_decision_makes_a_new_version_and_an_unchanged_one_none() {
    let project = Project::small();
    let row = "must_link,crm,C-001,crm,C-003,,,";
    decide(&project, "decisions/a.csv", &[row]);
    assert_eq!(project.run(&[])["version"], 1);
    assert_eq!(project.run(&[])["outcome"], "unchanged");
    let key = project.key_of("crm", "C-001");
    decide(&project, "decisions/a.csv", &["must_link,crm,C-001,crm,C-005,,,"]);
    let plan = project.call("plan", &["--format", "json"]).ends_with(0).json();
    let inputs = plan["inputs"].as_array().expect("inputs");
    let input = inputs
        .iter()
        .find(|input| input["source"] == "identity.decisions")
        .expect("the decisions");
    assert_eq!((&input["path"], &input["status"]), (&"a.csv".into(), &"changed".into()));
    assert_eq!(plan["decisions"]["must_link"], 1);
    assert_eq!(project.run(&[])["version"], 2);
    assert_eq!(project.key_of("crm", "C-001"), key, "the key stays with the records that stay");
    assert!(!together(&project, ("crm", "C-001"), ("crm", "C-003")));
    std::fs::remove_file(project.file("decisions/a.csv")).expect("a file to remove");
    assert_eq!(project.run(&[])["version"], 3);
    assert!(!together(&project, ("crm", "C-001"), ("crm", "C-005")));
}

#[test]
fn contradictions_end_with_3_and_name_every_line() {
    let project = Project::small();
    decide(
        &project,
        "decisions/a.csv",
        &[
            "must_link,crm,C-001,crm,C-003,,,",
            "must_link,crm,C-003,crm,C-005,,,",
            "must_link,crm,C-005,crm,C-007,,,",
        ],
    );
    decide(&project, "decisions/b.csv", &["cannot_link,crm,C-005,crm,C-001,,,"]);
    let failed = project.call("run", &[]).ends_with(3).says("contradict each other").says("b.csv:2");
    let failed = failed.says("a.csv:2, a.csv:3");
    assert!(
        !failed.stderr.contains("a.csv:4"),
        "a line that is not part of it: {}",
        failed.stderr
    );
    // `plan` reads them too.
    project.call("plan", &[]).ends_with(3);
    assert!(project.manifests().is_empty());
}

#[test]
fn a_decision_about_a_record_that_is_gone_is_listed_and_nothing_fails() {
    let project = Project::small();
    decide(
        &project,
        "decisions/a.csv",
        &["cannot_link,crm,C-001,crm,C-999,,,", "must_link,nowhere,1,crm,C-003,,,"],
    );
    let report = project.run(&[]);
    assert_eq!(report["identity"]["decisions"]["unknown_record"], 2);
    let rejects = project.table("rejects");
    let of_decisions: Vec<&Row> = rejects.iter().filter(|row| row["source"] == "identity.decisions").collect();
    assert_eq!(of_decisions.len(), 2);
    assert_eq!((&*of_decisions[0]["reason"], &*of_decisions[0]["line"]), ("unknown_record", "2"));
    assert_eq!(project.table("decisions")[0]["status"], "unknown_record");
    assert!(
        project
            .call("run", &["--as-of", "2026-11-01"])
            .ends_with(0)
            .stdout
            .contains("2 about records that are not there")
    );
}

#[test]
fn what_is_not_understood_ends_with_3_and_its_line_and_no_value() {
    let project = Project::small();
    for (rows, says) in [
        (
            vec!["must_link,crm,C-001,crm,C-003,,,", "perhaps,crm,Geheim,crm,C-003,,,"],
            "a.csv:3",
        ),
        (vec!["must_link,crm,Geheim,crm,Geheim,,,"], "both records are the same"),
        (vec!["must_link,crm,Geheim,,C-003,,,"], "right_source"),
        (vec!["must_link,crm,Geheim"], "a.csv:2"),
    ] {
        decide(&project, "decisions/a.csv", &rows);
        let failed = project.call("run", &[]).ends_with(3).says(says);
        assert!(!failed.stderr.contains("Geheim"), "a value reached the log: {}", failed.stderr);
    }
    project.write("decisions/a.csv", "decision;left_source;left_record_id;right_source\n");
    project.call("run", &[]).ends_with(3).says("right_record_id");
    // Semicolons, a line of nothing, and no column that may be missing.
    project.write(
        "decisions/a.csv",
        "decision;left_source;left_record_id;right_source;right_record_id\n;;;;\nmust_link;crm;C-001;crm;C-003\n",
    );
    project.run(&[]);
    assert!(together(&project, ("crm", "C-001"), ("crm", "C-003")));
}

#[test]
fn decisions_lie_where_the_project_says_and_must_be_there() {
    let project = Project::small();
    let elsewhere = tempfile::tempdir().expect("a folder");
    let url = format!("file://{}/*.csv", elsewhere.path().display());
    project.edit("pipeline.yaml", "identity:\n", &format!("identity:\n  decisions: \"{url}\"\n"));
    project.call("run", &[]).ends_with(3).says("identity.decisions");
    let text = format!("{HEADER}\nmust_link,crm,C-001,crm,C-003,,,\n");
    std::fs::write(elsewhere.path().join("desk.csv"), text).expect("a file");
    project.run(&[]);
    assert!(together(&project, ("crm", "C-001"), ("crm", "C-003")));
}
