//! `model`: what it shows, that a model file scores as the version it comes from, and which files are refused.

use std::process::Command;

use serde_json::Value;

use super::support::{AS_OF, Done, Project, breaches, call, schema, stammkunde};

fn model(arguments: &[&str]) -> Command {
    let mut command = stammkunde();
    command.arg("model").args(arguments);
    command
}

fn path(project: &Project, name: &str) -> String {
    project.file(name).to_str().expect("UTF-8").to_owned()
}

fn folder(project: &Project) -> String {
    project.path().to_str().expect("UTF-8").to_owned()
}

fn show(project: &Project) -> Value {
    let shown = call(&mut model(&["show", &folder(project), "--format", "json"]))
        .ends_with(0)
        .json();
    assert_eq!(breaches(&schema("model-show"), &shown), Vec::<String>::new());
    shown
}

fn export(project: &Project) -> String {
    let file = path(project, "model.json");
    call(&mut model(&["export", &folder(project), "--to", &file]))
        .ends_with(0)
        .says("hold values of people");
    file
}

#[test]
fn a_model_is_shown_with_its_origins_and_its_training() {
    let project = Project::demo();
    let shown = show(&project);
    let levels: Vec<&Value> = shown["comparisons"]
        .as_array()
        .expect("comparisons")
        .iter()
        .flat_map(|comparison| comparison["levels"].as_array().expect("levels"))
        .collect();
    for level in &levels {
        let number = |name: &str| level[name].as_f64().expect("a number");
        assert!((number("weight") - (number("m") / number("u")).log2()).abs() < 1e-9, "{level:#}");
    }
    assert!(levels.iter().any(|level| level["m_origin"] == "trained"));
    let sessions = shown["training"]["sessions"].as_array().expect("sessions");
    let trained: Vec<&Value> = sessions.iter().filter(|session| session["pairs"].as_u64() > Some(0)).collect();
    assert!(trained.len() > 1, "{sessions:#?}");
    for session in &trained {
        assert!(
            session["log_likelihood_gain"].is_number() && session["log_likelihood_last_gain"].is_number(),
            "{session:#}"
        );
        if session["rule"] != "all blocking rules" {
            // An EM step never lowers the likelihood.
            assert!(session["log_likelihood_gain"].as_f64() >= Some(-1e-6), "{session:#}");
            assert!(session["log_likelihood_last_gain"].as_f64() >= Some(-1e-6), "{session:#}");
        }
    }
    let text = call(&mut model(&["show", &folder(&project)])).ends_with(0).stdout;
    for part in [
        "prior:",
        "comparison",
        "trained",
        "EM sessions",
        "household",
        "namesake",
        "term frequencies",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn a_session_that_did_not_converge_is_a_warning() {
    let project = Project::demo();
    let quiet = call(&mut model(&["show", &folder(&project)])).ends_with(0).stdout;
    project.edit("pipeline.yaml", "identity:\n", "identity:\n  training: {iterations_max: 1}\n");
    project.run(&["--retrain"]);
    let loud = call(&mut model(&["show", &folder(&project)])).ends_with(0).stdout;
    assert!(loud.contains("warning: EM did not converge on"), "{loud}\nbefore:\n{quiet}");
}

#[test]
fn a_model_file_gives_the_identities_of_its_version() {
    let project = Project::demo();
    let file = export(&project);
    let exported: Value = serde_json::from_str(&project.read("model.json")).expect("JSON");
    assert_eq!(breaches(&schema("model-file"), &exported), Vec::<String>::new());
    let before = project.hashes();
    let elsewhere = path(&project, "elsewhere");
    let report = project.run(&["--warehouse", &elsewhere, "--model", &file]);
    assert_eq!(
        (&report["identity"]["model_source"], &report["identity"]["model_reused"]),
        (&"file".into(), &true.into())
    );
    std::fs::rename(project.file("warehouse"), project.file("first")).expect("a folder to move");
    std::fs::rename(project.file("elsewhere"), project.file("warehouse")).expect("a folder to move");
    for table in ["identities", "links", "possible_links", "customers"] {
        assert_eq!(project.hashes()[table], before[table], "{table}");
    }
    let again = project.run(&["--model", &file]);
    assert_eq!(again["outcome"], "unchanged", "the version has the model of the file: {again:#}");
}

#[test]
fn a_column_that_was_empty_in_training_is_scored_once_it_has_values() {
    let project = Project::small();
    // The small CRM has everything but companies: a mapped column without a value.
    project.edit(
        "sources/crm.contacts.sql",
        "\"City\" AS city",
        "\"City\" AS city, nullif(\"Card\", '') AS company",
    );
    project.run(&[]);
    let file = export(&project);
    for person in [2, 4] {
        let row = super::support::crm_row(person)
            .replacen("C-0", "C-7", 1)
            .replacen(";;", ";Meyer AG;", 1);
        project.append("exports/crm.csv", &row);
    }
    project.run(&["--model", &file]);
    for link in project.table("links").iter().chain(&project.table("possible_links")) {
        let weight: f64 = link["match_weight"].parse().expect("a number");
        assert!(weight.is_finite(), "{link:?}");
    }
    assert_eq!(project.key_of("crm", "C-702"), project.key_of("crm", "C-002"));
}

#[test]
fn another_model_is_a_change_and_the_version_keeps_it() {
    let project = Project::demo();
    let file = export(&project);
    let text = project.read("model.json");
    let mut changed: Value = serde_json::from_str(&text).expect("JSON");
    changed["model"]["comparisons"][0]["levels"][0]["m"] = 0.123.into();
    project.write("other.json", &changed.to_string());
    let other = path(&project, "other.json");
    assert_eq!(project.run(&["--model", &other])["version"], 2);
    assert_eq!(show(&project)["comparisons"][0]["levels"][0]["m"], 0.123);
    let next = project.run(&["--as-of", "2026-11-30"]);
    assert_eq!(next["identity"]["model_source"], "last_version");
    let planned = project.call("run", &["--dry-run", "--as-of", AS_OF, "--model", &file]).ends_with(0);
    assert!(
        planned.stdout.contains("model: of the file that --model names"),
        "{}",
        planned.stdout
    );
    project.call("run", &["--model", &file, "--retrain"]).ends_with(2);
}

#[test]
fn versions_and_files_are_compared() {
    let project = Project::demo();
    let file = export(&project);
    let diff = |left: &str, right: &str| {
        let report = call(&mut model(&[
            "diff",
            left,
            right,
            "--project",
            &folder(&project),
            "--format",
            "json",
        ]))
        .ends_with(0)
        .json();
        assert_eq!(breaches(&schema("model-diff"), &report), Vec::<String>::new());
        report
    };
    let same = diff("1", &file);
    assert_eq!(
        (&same["parameters"], &same["only_left"]),
        (&Value::Array(vec![]), &Value::Array(vec![]))
    );
    let mut changed: Value = serde_json::from_str(&project.read("model.json")).expect("JSON");
    let m = changed["model"]["comparisons"][0]["levels"][0]["m"].as_f64().expect("a number");
    changed["model"]["comparisons"][0]["levels"][0]["m"] = (m / 4.0).into();
    project.write("other.json", &changed.to_string());
    project.run(&["--model", &path(&project, "other.json")]);
    let told = diff("1", "2");
    assert_eq!(told["parameters"].as_array().map(Vec::len), Some(1), "{told:#}");
    assert!((told["parameters"][0]["bits"].as_f64().expect("a number") + 2.0).abs() < 1e-9);
    let text = call(&mut model(&["diff", "1", "2", "--project", &folder(&project)]))
        .ends_with(0)
        .stdout;
    assert!(text.contains("1 of ") && text.contains("-2.00"), "{text}");
    call(&mut model(&["diff", "1", "7", "--project", &folder(&project)]))
        .ends_with(3)
        .says("no such version");
    call(&mut model(&["diff", "1", "nothing.json", "--project", &folder(&project)]))
        .ends_with(2)
        .says("cannot be read");
}

#[test]
fn a_file_that_does_not_fit_is_refused_before_anything_is_read() {
    let project = Project::small();
    let run = |name: &str| -> Done { project.call("run", &["--as-of", AS_OF, "--model", &path(&project, name)]) };
    run("missing.json").ends_with(2).says("cannot be read");
    project.write("model.json", "no JSON");
    run("model.json").ends_with(2).says("malformed");
    project.write("model.json", "{\"models\": []}");
    run("model.json").ends_with(2).says("no model file").says("model export");
    project.run(&[]);
    export(&project);
    let text = project.read("model.json");
    project.write("newer.json", &text.replacen("\"format\": 1", "\"format\": 99", 1));
    run("newer.json").ends_with(2).says("found: 99");
    project.write("other.json", &text.replacen("\"name\": \"", "\"name\": \"other_", 1));
    run("other.json")
        .ends_with(2)
        .says("does not fit the project")
        .says("the model has no comparison")
        .says("hint:");
    assert_eq!(project.manifests().len(), 1, "nothing was published");
    call(&mut model(&["show", &folder(&Project::small())]))
        .ends_with(3)
        .says("nothing is published yet");
}

#[test]
fn what_is_shown_of_a_model_holds_no_value_of_a_person() {
    let project = Project::small();
    project.run(&[]);
    let file = export(&project);
    assert!(project.read("model.json").contains("cordesius"), "the file itself has the values");
    for arguments in [
        vec!["show", &folder(&project)],
        vec!["show", &folder(&project), "--format", "json"],
        vec!["show", ".", "--model", &file],
        vec!["diff", &file, &file],
        vec!["diff", &file, &file, "--format", "json"],
    ] {
        let done = call(&mut model(&arguments)).ends_with(0);
        for value in ["cordesius", "cornelia", "post.example", "lindenweg"] {
            assert!(
                !format!("{}{}", done.stdout, done.stderr).to_lowercase().contains(value),
                "{value} in {arguments:?}"
            );
        }
    }
}
