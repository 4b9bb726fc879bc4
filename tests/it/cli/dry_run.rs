//! `run --dry-run`: the plan that `run` would execute. It writes nothing.

use serde_json::Value;

use super::support::{AS_OF, Project, breaches, listing, schema};

fn plan(project: &Project) -> Value {
    project
        .call("run", &["--dry-run", "--as-of", AS_OF, "--format", "json"])
        .ends_with(0)
        .json()
}

#[test]
fn a_dry_run_writes_nothing_before_and_after_the_first_version() {
    let project = Project::small();
    let before = listing(project.path());
    let text = project.call("run", &["--dry-run", "--as-of", AS_OF]).ends_with(0).stdout;
    assert!(text.contains("would publish version 1") && text.contains("blocking rule"), "{text}");
    assert_eq!(listing(project.path()), before);
    project.run(&[]);
    project.append("exports/crm.csv", "C-900;K900;;Neu;Dazugekommen;;;;;;;01.03.2026");
    let before = listing(project.path());
    assert_eq!(plan(&project)["next"], 2);
    assert_eq!(listing(project.path()), before);
}

#[test]
fn a_plan_follows_its_schema_and_counts_the_pairs_of_every_rule() {
    let project = Project::small();
    let first = plan(&project);
    assert_eq!(breaches(&schema("plan"), &first), Vec::<String>::new());
    let rules = first["blocking"].as_array().expect("rules");
    let by_email = rules.iter().find(|rule| rule["rule"] == "email").expect("a rule for e-mails");
    // Twelve buyers have an address that the CRM knows.
    assert_eq!(by_email["pairs"], 12, "{by_email}");
    let new: u64 = rules.iter().map(|rule| rule["pairs_new"].as_u64().expect("a count")).sum();
    assert!(first["pairs"].as_u64() >= Some(new), "{first:#}");
    assert_eq!(first["records"], 36);
    let report = project.run(&[]);
    assert_eq!(
        report["identity"]["pairs"]["pairs"], first["pairs"],
        "the run compared other pairs than planned"
    );
    assert_eq!(report["keys"], first["keys"], "the run changed other keys than planned");
    // The next day most pairs are known; a plan counts them all, and those that will be compared.
    project.append("exports/crm.csv", "C-900;K900;;Neu;Dazugekommen;;;;;10115;Berlin;01.03.2026");
    let second = plan(&project);
    let compared = project.run(&[])["identity"]["pairs"]["pairs"].clone();
    assert_eq!(second["pairs_compared"], compared);
    assert!(
        second["pairs"].as_u64() >= first["pairs"].as_u64() && compared.as_u64() < first["pairs"].as_u64(),
        "{compared}"
    );
}

#[test]
fn a_plan_tells_new_changed_unchanged_and_missing_inputs_and_what_becomes_of_keys() {
    let project = Project::small();
    let status = |plan: &Value, path: &str| {
        let inputs = plan["inputs"].as_array().expect("inputs").clone();
        let input = inputs
            .into_iter()
            .find(|input| input["path"] == path)
            .unwrap_or_else(|| panic!("{path}: {plan:#}"));
        input["status"].as_str().expect("a status").to_owned()
    };
    project.write_csv(
        "exports/crm_old.csv",
        super::support::CRM_HEADER,
        &["C-800;K800;;Alt;Verschwinder;;;;;;;01.01.2026".to_owned()],
    );
    assert_eq!(status(&plan(&project), "crm.csv"), "new");
    project.run(&[]);
    let second = plan(&project);
    assert_eq!(
        (status(&second, "crm.csv"), second["next"].is_null()),
        ("unchanged".to_owned(), true)
    );
    assert_eq!(second["keys"]["created"], 0);
    std::fs::remove_file(project.file("exports/crm_old.csv")).expect("a file to remove");
    project.append("exports/crm.csv", "C-900;K900;;Neu;Dazugekommen;;;;;;;01.03.2026");
    project.write_csv(
        "exports/crm_new.csv",
        super::support::CRM_HEADER,
        &["C-901;K901;;Noch;Neuer;;;;;;;01.03.2026".to_owned()],
    );
    let third = plan(&project);
    for (path, expected) in [
        ("crm.csv", "changed"),
        ("crm_old.csv", "missing"),
        ("crm_new.csv", "new"),
        ("shop.csv", "unchanged"),
    ] {
        assert_eq!(status(&third, path), expected, "{path}");
    }
    assert_eq!(
        (&third["keys"]["created"], &third["keys"]["retired"]),
        (&2.into(), &1.into()),
        "{third:#}"
    );
    assert_eq!(third["model_reused"], true);
    assert_eq!(project.run(&[])["keys"], third["keys"]);
}

#[test]
fn a_dry_run_with_99_asked_for_tells_a_scheduler_to_skip() {
    let project = Project::small();
    let asked = ["--dry-run", "--as-of", AS_OF, "--exit-99-when-unchanged"];
    project.call("run", &asked).ends_with(0);
    project.run(&[]);
    project.call("run", &asked).ends_with(99);
}
