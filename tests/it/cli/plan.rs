//! `plan`: counts before a pair is compared, the largest blocks without their values, and what a run will take.

use serde_json::Value;

use super::support::{AS_OF, Project, breaches, listing, schema};

fn plan(project: &Project) -> Value {
    let plan = project.call("plan", &["--as-of", AS_OF, "--format", "json"]).ends_with(0).json();
    assert_eq!(breaches(&schema("plan"), &plan), Vec::<String>::new());
    plan
}

#[test]
fn a_plan_counts_what_a_dry_run_compares_and_writes_nothing() {
    let project = Project::small();
    let before = listing(project.path());
    let (ahead, dry) = (
        plan(&project),
        project
            .call("run", &["--dry-run", "--as-of", AS_OF, "--format", "json"])
            .ends_with(0)
            .json(),
    );
    for field in [
        "inputs",
        "sources",
        "records",
        "blocking",
        "pairs",
        "largest_blocks",
        "models",
        "next",
        "decisions",
        "model_reused",
    ] {
        assert_eq!(ahead[field], dry[field], "{field}");
    }
    assert!(ahead["keys"].is_null() && !dry["keys"].is_null());
    assert_eq!(listing(project.path()), before);
    let report = project.run(&[]);
    assert_eq!(
        report["identity"]["pairs"]["pairs"], ahead["pairs"],
        "the run compared other pairs than planned"
    );
    assert_eq!(report["identity"]["blocking"], ahead["blocking"]);
    assert_eq!(plan(&project)["next"], Value::Null);
    let text = project.call("plan", &["--as-of", AS_OF]).ends_with(0).stdout;
    assert!(text.contains("distinct pairs") && text.contains("would publish nothing"), "{text}");
}

#[test]
fn a_plan_shows_the_largest_blocks_of_a_rule_and_masks_what_they_agree_on() {
    let project = Project::small();
    for at in 0..7 {
        project.append(
            "exports/crm.csv",
            &format!("C-70{at};K70{at};;Xaver;Zacharias;;;;;99423;Jena;01.01.2026"),
        );
    }
    let plan = plan(&project);
    let blocks = plan["largest_blocks"].as_array().expect("blocks");
    let first = blocks
        .iter()
        .find(|block| block["rule"] == "postcode + family_name")
        .expect("a block of that rule");
    assert_eq!((&first["records"], &first["pairs"]), (&7.into(), &21.into()), "{first:#}");
    assert_eq!(first["key"], serde_json::json!(["9***3", "z***s"]));
    let text = project.call("plan", &["--as-of", AS_OF]).ends_with(0).stdout.to_lowercase();
    assert!(text.contains("9***3 + z***s"), "{text}");
    assert!(!text.contains("zacharias") && !text.contains("99423"), "{text}");
}

#[test]
fn a_plan_predicts_every_stage_and_says_which_it_measured() {
    let project = Project::small();
    let ahead = plan(&project);
    let stages = ahead["stages"].as_array().expect("stages");
    let measured: Vec<(&str, bool)> = stages
        .iter()
        .map(|stage| (stage["stage"].as_str().expect("a name"), stage["is_measured"] == true))
        .collect();
    for (stage, is_measured) in [
        ("source", true),
        ("standardize", true),
        ("block", true),
        ("train", false),
        ("score", false),
        ("publish", false),
    ] {
        assert!(measured.contains(&(stage, is_measured)), "{stage} {measured:?}");
    }
    let sum: u64 = stages.iter().map(|stage| stage["elapsed_ms"].as_u64().expect("a time")).sum();
    assert_eq!(ahead["elapsed_ms_estimate"], sum);
}

#[test]
fn the_predicted_memory_is_within_a_factor_of_two_of_what_a_run_takes() {
    let project = Project::demo();
    let estimate = |plan: &Value| plan["memory_bytes_estimate"].as_u64().expect("bytes") as f64;
    let taken = |report: &Value| report["resources"]["memory_bytes_max"].as_u64().expect("bytes") as f64;
    let small = (estimate(&plan(&project)), taken(&project.run(&["--retrain"])));
    let large = large_project();
    let large = (estimate(&plan(&large)), taken(&large.run(&[])));
    for (estimate, taken) in [small, large] {
        assert!(
            estimate / taken < 2.0 && taken / estimate < 2.0,
            "estimated {estimate}, taken {taken}"
        );
    }
    assert!(large.0 > small.0, "more data, more memory: {large:?} {small:?}");
}

/// Eight thousand people of the CRM.
fn large_project() -> Project {
    let project = Project::small();
    let rows: Vec<String> = (0..8_000)
        .map(|at| {
            format!(
                "C-{at:06};K{at:06};;Given{};Family{};g{at}@post.example;;{:02}.{:02}.{};Weg {at};{:05};Ort{};01.02.2026",
                at % 311,
                at % 1999,
                at % 28 + 1,
                at % 12 + 1,
                1950 + at % 50,
                at % 9000 + 10_000,
                at % 700
            )
        })
        .collect();
    project.write_csv("exports/crm.csv", super::support::CRM_HEADER, &rows);
    project
}
