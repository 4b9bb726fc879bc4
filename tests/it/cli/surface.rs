//! The rest of the surface: versions, schemas, completions, logs, quiet, colors, twins in the environment, run ids.

use serde_json::Value;

use super::support::{AS_OF, Project, breaches, call, schema, stammkunde};

#[test]
fn versions_lists_what_is_published() {
    let project = Project::small();
    let nothing = project.call("versions", &[]).ends_with(0);
    assert!(nothing.stdout.contains("nothing is published"), "{}", nothing.stdout);
    project.run(&["--run-id", "first"]);
    project.run(&["--run-id", "second", "--as-of", "2026-11-30"]);
    let versions = project.call("versions", &["--format", "json"]).ends_with(0).json();
    let versions = versions.as_array().expect("a list");
    assert_eq!(versions.len(), 2);
    assert_eq!((&versions[1]["run_id"], &versions[1]["parent"]), (&"second".into(), &1.into()));
    for version in versions {
        assert_eq!(breaches(&schema("versions"), version), Vec::<String>::new());
    }
    for manifest in project.manifests() {
        assert_eq!(breaches(&schema("version"), &manifest), Vec::<String>::new());
    }
    let text = project.call("versions", &[]).ends_with(0).stdout;
    assert!(text.contains("first") && text.contains("second"), "{text}");
}

#[test]
fn every_schema_is_json_with_a_title_and_properties() {
    for name in [
        "pipeline",
        "plan",
        "run",
        "resolve",
        "validate",
        "diagnostic",
        "gate",
        "review",
        "audience",
        "test",
        "explain",
        "evaluate",
        "version",
        "versions",
        "versions-diff",
        "versions-rollback",
        "versions-cleanup",
        "model",
        "model-file",
        "model-show",
        "model-diff",
        "privacy-export",
        "privacy-erase",
        "privacy-receipt",
        "privacy-suppress",
        "privacy-list",
        "demo",
    ] {
        let schema = schema(name);
        assert!(schema["title"].is_string(), "{name} has no title");
        let described = ["properties", "items", "oneOf", "anyOf"].iter().any(|key| !schema[key].is_null());
        assert!(described, "{name} describes nothing: {schema:#}");
    }
    call(stammkunde().args(["schema", "nothing"])).ends_with(2);
}

#[test]
fn the_reference_of_sql_functions_is_printed() {
    let printed = call(stammkunde().args(["schema", "functions"])).ends_with(0).stdout;
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/functions.md");
    assert_eq!(
        printed,
        std::fs::read_to_string(committed).expect("the reference is part of the project")
    );
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = call(stammkunde().args(["completions", shell])).ends_with(0).stdout;
        assert!(script.contains("validate") && script.contains("exit-99-when-unchanged"), "{shell}");
    }
}

#[test]
fn json_logs_are_json_lines_that_name_the_run() {
    let project = Project::small();
    let lines = |stderr: &str| -> Vec<Value> {
        let lines = stderr
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")));
        lines.collect()
    };
    let arguments = ["--as-of", AS_OF, "--log-format", "json", "--run-id", "nightly"];
    let log = lines(&project.call("run", &arguments).ends_with(0).stderr);
    assert!(
        log.iter()
            .any(|line| line["event"] == "stage_finished" && line["stage"] == "publish")
    );
    assert!(log.iter().all(|line| line["run_id"] == "nightly"), "{log:?}");
    std::fs::remove_file(project.file("exports/shop.csv")).expect("a file to remove");
    let log = lines(&project.call("run", &arguments).ends_with(3).stderr);
    let error = log.last().expect("a line");
    assert_eq!(
        (&error["event"], &error["kind"], &error["run_id"]),
        (&"error".into(), &"input".into(), &"nightly".into())
    );
    assert!(error["hint"].is_string() && error["exit_code"] == 3, "{error}");
}

#[test]
fn quiet_is_silent_but_for_errors() {
    let project = Project::small();
    assert_eq!(project.call("run", &["-q", "--as-of", AS_OF]).ends_with(0).stderr, "");
    std::fs::remove_file(project.file("exports/shop.csv")).expect("a file to remove");
    project.call("run", &["-q", "--as-of", AS_OF]).ends_with(3).says("error:");
    project.call("run", &["-q", "-v"]).ends_with(2);
}

#[test]
fn pipes_get_no_colors() {
    let project = Project::empty();
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "xterm-256color")] {
        let done = call(project.command("validate", &[]).env(name, value)).ends_with(2);
        assert!(!done.stderr.contains('\x1b') && !done.stdout.contains('\x1b'), "{done:?}");
    }
}

#[test]
fn every_option_of_a_run_has_a_twin_in_the_environment() {
    let project = Project::small();
    let mut command = stammkunde();
    for (name, value) in [
        ("STAMMKUNDE_PROJECT", project.path().to_str().expect("UTF-8")),
        ("STAMMKUNDE_FORMAT", "json"),
        ("STAMMKUNDE_LOG_FORMAT", "json"),
        ("STAMMKUNDE_AS_OF", "2026-09-30"),
        ("STAMMKUNDE_RUN_ID", "from-the-environment"),
        ("STAMMKUNDE_DRY_RUN", "false"),
        ("STAMMKUNDE_MEMORY_LIMIT", "1GiB"),
        ("STAMMKUNDE_SELECT", "+regulars"),
        ("STAMMKUNDE_RETRIES", "3"),
        ("STAMMKUNDE_WAREHOUSE", project.file("elsewhere").to_str().expect("UTF-8")),
    ] {
        command.env(name, value);
    }
    let report = call(command.arg("run")).ends_with(0).json();
    assert_eq!(
        (&report["as_of"], &report["run_id"]),
        (&"2026-09-30".into(), &"from-the-environment".into())
    );
    assert!(project.file("elsewhere/versions").is_dir() && !project.file("warehouse").exists());
    let help = call(stammkunde().args(["run", "--help"])).ends_with(0).stdout;
    for option in [
        "DRY_RUN",
        "AS_OF",
        "RUN_ID",
        "RETRAIN",
        "MODEL",
        "SELECT",
        "EXCLUDE",
        "WAREHOUSE",
        "THREADS",
        "RETRIES",
        "QUIET",
        "VERBOSE",
    ] {
        assert!(help.contains(&format!("STAMMKUNDE_{option}")), "{option} has no twin");
    }
}

#[test]
fn the_run_id_of_a_scheduler_becomes_a_folder() {
    let project = Project::small();
    let report = project.run(&["--run-id", "scheduled__2026-11-01T00:00:00+00:00"]);
    assert_eq!(report["run_id"], "scheduled__2026-11-01T00-00-00-00-00");
    assert!(project.file("warehouse/runs/scheduled__2026-11-01T00-00-00-00-00").is_dir());
    // A second attempt of the same scheduled run must not write over the first.
    let again = project.run(&["--run-id", "scheduled__2026-11-01T00:00:00+00:00", "--as-of", "2026-11-01"]);
    assert_eq!(again["version"], 2);
    assert!(project.file("warehouse/runs/scheduled__2026-11-01T00-00-00-00-00.2").is_dir());
}

#[test]
fn a_demo_reports_its_run_and_its_truth_as_json() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut command = stammkunde();
    command
        .arg("demo")
        .arg(folder.path().join("made"))
        .args(["--people", "40", "--orders", "60", "--format", "json"]);
    let report = call(&mut command).ends_with(0).json();
    assert_eq!(breaches(&schema("demo"), &report), Vec::<String>::new());
    assert_eq!(report["run"]["outcome"], "published");
    assert!(report["identity"]["pairs"]["f1"].as_f64() > Some(0.5), "{}", report["identity"]);
}
