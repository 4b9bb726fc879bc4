//! Limits of the machine: memory, the folder of temporary files, a full disk. Each ends with a code and a sentence, and leaves nothing behind.

use std::collections::BTreeMap;
use std::process::Command;

use super::support::{AS_OF, Done, Project, call};

/// A folder for temporary files below the project.
fn temp(project: &Project) -> String {
    let folder = project.file("temp");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder.to_string_lossy().into_owned()
}

fn entries(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect()
}

/// A model that groups more texts than a small pool holds, and gives one row.
const GROUPED: &str = "-- name: grouped
-- grain: one row
-- description: More groups than fit.
SELECT count(*) AS groups_count FROM (
  SELECT rpad(CAST(a * 1000 + b AS VARCHAR), 100, 'x') AS text, count(*) AS n
  FROM (SELECT unnest(generate_series(1, 960)) AS a) AS high CROSS JOIN (SELECT unnest(generate_series(1, 960)) AS b) AS low
  GROUP BY 1
) AS groups WHERE n = 1
";
/// Memory that the model gets beside that of a run without it: a part of what its groups take.
const GROUPED_BYTES: u64 = 160 << 20;

/// A project with the model, a limit too small for it to be done in memory, and a folder for its temporary files.
fn with_groups() -> (Project, String, String) {
    let project = Project::small();
    let held = project.run(&[])["resources"]["memory_bytes_max"].as_u64().expect("bytes");
    std::fs::remove_dir_all(project.file("warehouse")).expect("a warehouse");
    project.write("models/grouped.sql", GROUPED);
    let temp = temp(&project);
    (project, (held + GROUPED_BYTES).to_string(), temp)
}

#[test]
fn a_run_beyond_its_memory_ends_with_4_and_names_stage_limit_and_remedy() {
    let project = Project::small();
    project.run(&[]);
    let before = project.hashes();
    project.append("exports/crm.csv", &super::support::crm_row(90));
    let temp = temp(&project);
    let arguments = ["--as-of", AS_OF, "--memory-limit", "1MiB", "--temp-dir", &temp, "--format", "json"];
    let done = project.call("run", &arguments).ends_with(4).says("--memory-limit");
    let error = &done.json()["error"];
    let context: Vec<(String, String)> = serde_json::from_value(error["context"].clone()).expect("pairs of texts");
    let context: BTreeMap<String, String> = context.into_iter().collect();
    assert_eq!(error["kind"], "environment");
    assert_eq!(context["limit"], "1 MiB");
    assert!(context.contains_key("stage") && context["held"].ends_with(" MiB"), "{context:?}");
    assert_eq!(project.hashes(), before, "the old version is as it was");
    assert!(entries(&temp).is_empty(), "{:?}", entries(&temp));
    // With enough memory the same run goes through: nothing was left in its way.
    project.run(&[]);
    assert_eq!(project.manifests().len(), 2);
}

#[test]
fn sql_spills_into_the_folder_and_leaves_nothing_there() {
    let (project, limit, temp) = with_groups();
    let free = project.run(&["--temp-dir", &temp])["resources"]["memory_bytes_max"]
        .as_u64()
        .expect("bytes");
    assert!(
        free > limit.parse().expect("a number"),
        "without a limit it takes more: {free} of {limit}"
    );
    std::fs::remove_dir_all(project.file("warehouse")).expect("a warehouse");
    let report = project.run(&["--temp-dir", &temp, "--memory-limit", &limit]);
    assert_eq!(project.table("grouped")[0]["groups_count"], "921600");
    let held = report["resources"]["memory_bytes_max"].as_u64().expect("bytes");
    assert!(held <= limit.parse::<u64>().expect("a number") / 4 * 5, "{held} of {limit}");
    assert!(entries(&temp).is_empty(), "{:?}", entries(&temp));
}

#[test]
fn a_folder_for_temporary_files_that_is_not_there_ends_with_4_and_is_named() {
    let project = Project::small();
    let missing = project.file("missing").display().to_string();
    let done = project.call("run", &["--as-of", AS_OF, "--temp-dir", &missing]).ends_with(4);
    done.says(&missing).says("--temp-dir");
    assert!(project.manifests().is_empty());
}

#[test]
fn temporary_files_go_when_a_run_fails_or_is_terminated_and_orphans_at_the_next_start() {
    let project = Project::demo();
    let temp = temp(&project);
    let arguments = ["--temp-dir", temp.as_str()];
    project.call("run", &["--as-of", "not-a-day", "--temp-dir", &temp]).ends_with(2);
    assert!(entries(&temp).is_empty());

    let mut killed = project.start(&[&arguments[..], &["--retrain"]].concat());
    killed.after_stage("source");
    assert_eq!(entries(&temp).len(), 1, "one folder a process");
    killed.send("KILL");
    killed.end();
    assert_eq!(entries(&temp).len(), 1, "nobody is left to remove it");
    project.call("versions", &arguments).ends_with(0);
    assert!(entries(&temp).is_empty(), "the next start sweeps it: {:?}", entries(&temp));

    let mut terminated = project.start(&[&arguments[..], &["--retrain"]].concat());
    terminated.after_stage("source");
    terminated.send("TERM");
    assert_eq!(terminated.end().0.code(), Some(143));
    assert!(entries(&temp).is_empty(), "{:?}", entries(&temp));
}

/// A call of the binary with a file system of so many bytes over its folder for temporary files; `None` where no name space can be made.
fn on_small_disk(command: &Command, folder: &str, size: &str) -> Option<Done> {
    let can = Command::new("unshare")
        .args(["-rm", "mount", "-t", "tmpfs", "tmpfs", folder])
        .output();
    if !can.is_ok_and(|done| done.status.success()) {
        return None;
    }
    let mut inside = Command::new("unshare");
    inside.args(["-rm", "sh", "-c"]);
    inside
        .arg(format!("mount -t tmpfs -o size={size} tmpfs '{folder}' && exec \"$@\""))
        .arg("sh");
    inside.arg(command.get_program()).args(command.get_args()).env_clear();
    inside.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Some(call(&mut inside))
}

#[test]
fn a_full_folder_for_temporary_files_ends_with_4_and_is_named() {
    let (project, limit, temp) = with_groups();
    let command = project.command("run", &["--as-of", AS_OF, "--temp-dir", &temp, "--memory-limit", &limit]);
    let Some(done) = on_small_disk(&command, &temp, "64k") else {
        // Many containers let nobody mount; CI says that it can.
        assert!(
            std::env::var_os("STAMMKUNDE_TEST_SMALL_DISK").is_none(),
            "no small disk could be mounted"
        );
        return;
    };
    done.ends_with(4).says("is full").says(&temp).says("--temp-dir").says("grouped");
    assert!(project.manifests().is_empty(), "nothing was published");
}

#[test]
fn a_bomb_ends_with_3_and_takes_no_memory() {
    use std::io::Write;
    let project = Project::small();
    let held = project.run(&[])["resources"]["memory_bytes_max"].as_u64().expect("bytes");
    let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    member.write_all(&vec![b'x'; 1 << 20]).expect("writing to memory");
    let member = member.finish().expect("writing to memory");
    let file = project.file("exports/crm_bomb.csv");
    std::fs::write(file, member.repeat(24)).expect("a file");
    project.edit(
        "pipeline.yaml",
        "    format: csv\n    csv:",
        "    format: csv\n    decompressed_ratio_max: 20\n    csv:",
    );
    let limit = (held + (48 << 20)).to_string();
    let done = project.call("run", &["--as-of", AS_OF, "--memory-limit", &limit]).ends_with(3);
    done.says("crm_bomb.csv").says("20 times its size");
    assert_eq!(project.manifests().len(), 1);
}
