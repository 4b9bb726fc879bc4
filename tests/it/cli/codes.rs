//! Every exit code that `--help` promises, from the cause that a scheduler would meet.

use std::time::Instant;

use super::support::{AS_OF, CRM_HEADER, Project, call, crm_row, stammkunde};

const RUN: [&str; 2] = ["--as-of", AS_OF];

#[test]
fn rows_rejected_above_the_gate_end_with_1_and_publish_nothing() {
    let project = Project::small();
    for _ in 0..4 {
        project.append("exports/crm.csv", "C-900;too;few");
    }
    project
        .call("run", &RUN)
        .ends_with(1)
        .says("too many rows were rejected")
        .says("crm.csv:26 ragged_row")
        .says("gates.rejected_share_max");
    assert!(project.manifests().is_empty());
    project.append("pipeline.yaml", "gates:\n  rejected_share_max: 0.5");
    project.call("run", &RUN).ends_with(0);
    assert_eq!(
        project.table("rejects").iter().filter(|row| row["reason"] == "ragged_row").count(),
        4
    );
}

#[test]
fn an_audit_that_returns_rows_ends_with_1_and_publishes_nothing() {
    let project = Project::small();
    project.edit("audits/order_counts_positive.sql", "orders_count < 1", "orders_count >= 1");
    project.call("run", &RUN).ends_with(1).says("order_counts_positive (12 rows)");
    assert!(project.manifests().is_empty());
    assert!(!project.file("warehouse/_lock.json").exists(), "the lease was kept");
}

#[test]
fn usage_and_configuration_end_with_2() {
    call(stammkunde().arg("rnu")).ends_with(2);
    let project = Project::small();
    project.call("run", &["--as-of", "31.10.2026"]).ends_with(2);
    project.call("run", &["--threads", "0"]).ends_with(2).says("hint");
    project.call("run", &["--memory-limit", "lots"]).ends_with(2);
    project.call("run", &["--run-id", ""]).ends_with(2);
    project.edit("pipeline.yaml", "trust: [crm, shop]", "trust: [crm, shpo]");
    project
        .call("run", &RUN)
        .ends_with(2)
        .says("pipeline.yaml:13:14: ")
        .says("did you mean `shop`");
    Project::empty().call("run", &RUN).ends_with(2).says("stammkunde init");
}

#[test]
fn an_unset_variable_ends_with_2_and_is_named() {
    let project = Project::small();
    project.edit("pipeline.yaml", ":-a secret for tests alone}", "}");
    project
        .call("run", &RUN)
        .ends_with(2)
        .says("pipeline.yaml:17:")
        .says("STAMMKUNDE_KEY_SECRET");
    call(project.command("run", &RUN).env("STAMMKUNDE_KEY_SECRET", "0123456789abcdef")).ends_with(0);
}

#[test]
fn a_missing_export_ends_with_3() {
    let project = Project::small();
    std::fs::remove_file(project.file("exports/shop.csv")).expect("a file to remove");
    project.call("run", &RUN).ends_with(3).says("`shop`").says("on_missing");
    assert!(project.manifests().is_empty());
}

#[test]
fn a_cut_off_gzip_file_ends_with_3_and_nothing_of_it_is_taken() {
    use std::io::Write;
    let project = Project::small();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let rows: Vec<String> = (100..400).map(crm_row).collect();
    packed
        .write_all(format!("{CRM_HEADER}\n{}\n", rows.join("\n")).as_bytes())
        .expect("gzip");
    let packed = packed.finish().expect("gzip");
    std::fs::write(project.file("exports/crm_more.csv"), &packed[..packed.len() / 2]).expect("a file");
    project
        .call("run", &RUN)
        .ends_with(3)
        .says("crm_more.csv")
        .says("damaged or cut off");
    assert!(project.manifests().is_empty());
}

#[test]
fn a_column_that_vanished_under_a_frozen_contract_ends_with_3() {
    let project = Project::small();
    project.edit(
        "pipeline.yaml",
        "    files: exports/shop*.csv\n",
        "    files: exports/shop*.csv\n    contract: freeze\n",
    );
    project.run(&[]);
    project.edit(
        "exports/shop.csv",
        "Order,Email,Name,Zip,At,Total",
        "Order,Email,Name,Postcode,At,Total",
    );
    project
        .call("run", &RUN)
        .ends_with(3)
        .says("freeze")
        .says("new `Postcode`; missing `Zip`");
    assert_eq!(project.manifests().len(), 1);
}

#[test]
fn a_file_left_out_by_its_contract_is_reported_and_the_others_are_published() {
    let project = Project::small();
    project.edit(
        "pipeline.yaml",
        "    files: exports/shop*.csv\n",
        "    files: exports/shop*.csv\n    contract: discard\n",
    );
    project.append("pipeline.yaml", "gates:\n  rejected_share_max: 0.5");
    project.run(&[]);
    project.write("exports/shop_extra.csv", "Order,Email\nS-999,x@post.example\n");
    let report = project.run(&[]);
    assert_eq!(report["outcome"], "published");
    assert_eq!(report["drift"][0]["path"], "shop_extra.csv", "{report:#}");
    assert!(project.table("rejects").iter().any(|row| row["reason"] == "discarded_file"));
    assert_eq!(project.run(&[])["outcome"], "unchanged");
}

#[test]
fn a_warehouse_that_cannot_be_written_ends_with_4_and_a_hint() {
    let project = Project::small();
    project.write("occupied", "a file where a folder is wanted");
    let warehouse = project.file("occupied/warehouse");
    let warehouse = warehouse.to_str().expect("UTF-8");
    project.call("run", &[&RUN[..], &["--warehouse", warehouse]].concat()).ends_with(4);
}

#[test]
fn a_warehouse_without_permission_ends_with_4() {
    let project = Project::small();
    // Not even root may make a folder there.
    let done = project.call("run", &[&RUN[..], &["--warehouse", "/sys/stammkunde"]].concat());
    done.ends_with(4).says("permission denied").says("/sys/stammkunde").says("hint:");
}

#[test]
fn a_refused_connection_ends_with_4_and_a_hint_before_a_scheduler_gives_up() {
    let project = Project::small();
    let mut command = project.command("run", &[&RUN[..], &["--warehouse", "s3://nobody/warehouse"]].concat());
    for (name, value) in [
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "eu-central-1"),
        ("STAMMKUNDE_RETRIES", "1"),
    ] {
        command.env(name, value);
    }
    let started = Instant::now();
    call(&mut command)
        .ends_with(4)
        .says("s3://nobody/warehouse")
        .says("hint: check network, endpoint");
    assert!(started.elapsed().as_secs() < 30, "one retry took {:?}", started.elapsed());
}

/// `_lock.json` of a process.
fn lock_of(pid: u32) -> String {
    let read = |path: &str| std::fs::read_to_string(path).expect("Linux").trim().to_owned();
    let stat = read(&format!("/proc/{pid}/stat"));
    let started = stat
        .rsplit_once(')')
        .expect("a name")
        .1
        .split_whitespace()
        .nth(19)
        .expect("field 22");
    format!(
        r#"{{"run_id":"other","host":"{}","boot":"{}","pid":{pid},"process_started":{started},"started":"2026-10-31T00:00:00Z"}}"#,
        read("/proc/sys/kernel/hostname"),
        read("/proc/sys/kernel/random/boot_id"),
    )
}

#[test]
fn a_lease_of_a_live_run_ends_with_5_and_is_left_alone() {
    let project = Project::small();
    let lock = lock_of(std::process::id());
    project.write("warehouse/_lock.json", &lock);
    project
        .call("run", &RUN)
        .ends_with(5)
        .says("another run holds the warehouse")
        .says("run id: other");
    assert_eq!(project.read("warehouse/_lock.json"), lock);
    project.call("run", &["--dry-run", "--as-of", AS_OF]).ends_with(0);
}

#[test]
fn a_lease_of_a_process_that_is_gone_is_taken_over() {
    let project = Project::small();
    let pid = std::process::id();
    project.write(
        "warehouse/_lock.json",
        &lock_of(pid).replace(&format!("\"pid\":{pid}"), "\"pid\":4194305"),
    );
    project.call("run", &RUN).ends_with(0);
    assert!(!project.file("warehouse/_lock.json").exists());
}

#[test]
fn a_version_that_came_in_between_ends_with_5_and_leaves_the_other_as_it_is() {
    let project = Project::small();
    let mut running = project.start(&[]);
    // The newest version was read before any input; whoever publishes from now on comes in between.
    running.after_stage("source");
    project.write("warehouse/versions/00000000000000000001.json", "another run's");
    let (status, stderr) = running.end();
    assert_eq!(status.code(), Some(5), "{stderr}");
    assert!(
        stderr.contains("another run published in the meantime") && stderr.contains("hint:"),
        "{stderr}"
    );
    assert_eq!(project.read("warehouse/versions/00000000000000000001.json"), "another run's");
}

#[test]
fn nothing_to_do_ends_with_99_where_the_caller_asks_for_it() {
    let project = Project::small();
    let asked = [&RUN[..], &["--exit-99-when-unchanged"]].concat();
    project.call("run", &asked).ends_with(0);
    project.call("run", &RUN).ends_with(0);
    let done = project.call("run", &asked).ends_with(99);
    assert!(done.stdout.contains("nothing changed"), "{}", done.stdout);
    call(project.command("run", &RUN).env("STAMMKUNDE_EXIT_99_WHEN_UNCHANGED", "true")).ends_with(99);
    assert_eq!(project.manifests().len(), 1);
}

#[test]
fn an_interrupt_ends_with_130_and_a_termination_with_143() {
    let project = Project::small();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let mut running = project.start(&[]);
        running.after_stage("plan");
        running.send(signal);
        let (status, stderr) = running.end();
        assert_eq!(status.code(), Some(code), "{stderr}");
        assert!(project.manifests().is_empty(), "a version was published after SIG{signal}");
        assert!(
            !project.file("warehouse/_lock.json").exists(),
            "the next attempt may be on another host"
        );
    }
    project.call("run", &RUN).ends_with(0);
}
