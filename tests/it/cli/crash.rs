//! SIGKILL at chosen moments: the version before reads, and the next run succeeds.

use sha2::{Digest, Sha256};

use super::support::{Project, Running};

/// That every file of every version is as it was listed.
#[track_caller]
pub fn assert_intact(project: &Project) {
    for manifest in project.manifests() {
        let tables = manifest["tables"].as_object().expect("tables").values();
        let files = tables.flat_map(|table| table["files"].as_array().expect("files"));
        for file in files.chain(manifest["state"].as_object().expect("state").values()) {
            let path = format!("warehouse/{}", file["path"].as_str().expect("a path"));
            let bytes = std::fs::read(project.file(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
            let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(file["sha256"], *hash, "{path}");
        }
    }
}

/// Publishes once, starts a second run, waits for a moment, kills, and looks; then runs again.
#[track_caller]
fn survives(moment: impl FnOnce(&Project, &mut Running)) {
    let project = Project::small();
    project.run(&[]);
    project.append("exports/crm.csv", "C-900;K900;;Neu;Dazugekommen;;;;;;;01.03.2026");
    let mut running = project.start(&["--run-id", "doomed"]);
    moment(&project, &mut running);
    running.send("KILL");
    let (status, _) = running.end();
    assert_eq!(status.code(), None, "the run ended before it was killed");
    assert_intact(&project);
    let killed = project.manifests().len();
    project.call("versions", &[]).ends_with(0);
    project.call("explain", &["crm:C-001"]).ends_with(0);

    let report = project.run(&["--run-id", "again"]);
    assert_eq!(report["version"], 2);
    assert_eq!(report["outcome"], if killed == 2 { "unchanged" } else { "published" });
    assert_intact(&project);
    let marker: serde_json::Value = serde_json::from_str(&project.read("warehouse/latest/_version.json")).expect("JSON");
    assert_eq!(marker["version"], 2, "latest/ lags behind");
    assert_eq!(project.table("identities").len(), 37);
    assert!(!project.file("warehouse/_lock.json").exists());
    let kept = if killed == 2 { "doomed" } else { "again" };
    assert!(project.file(&format!("warehouse/runs/{kept}")).is_dir());
    assert_eq!(
        std::fs::read_dir(project.file("warehouse/runs")).expect("runs").count(),
        2,
        "the dead run's files were left"
    );
}

/// Looks again and again until a file is there; the run must not end before.
#[track_caller]
fn until_there(project: &Project, running: &mut Running, path: &str) {
    while !project.file(path).exists() {
        assert!(
            !running.is_over() || project.file(path).exists(),
            "the run ended before {path} was there"
        );
        std::thread::yield_now();
    }
}

#[test]
fn a_run_killed_right_after_it_took_the_lease_leaves_the_old_version() {
    survives(|project, running| until_there(project, running, "warehouse/_lock.json"));
}

#[test]
fn a_run_killed_while_it_works_leaves_the_old_version() {
    survives(|_, running| running.after_stage("score"));
}

#[test]
fn a_run_killed_while_it_writes_leaves_the_old_version() {
    survives(|project, running| until_there(project, running, "warehouse/runs/doomed/_claim.json"));
}

#[test]
fn a_run_killed_right_after_its_commit_has_published_and_the_next_one_repairs_the_copies() {
    survives(|project, running| until_there(project, running, "warehouse/versions/00000000000000000002.json"));
}
