//! What a night costs when one record in a hundred changed: `cargo bench --bench incremental [-- --people N --orders M]`.
//!
//! Generates exports once and publishes a first version (neither is measured). Then every hundredth contact of the CRM and of the shop is
//! delivered again with another street, and every hundredth order comes in new, in files of their own. The release binary runs on that twice,
//! from copies of the same first version: as every night, and with `--full-refresh`, less what its own check costs. Prints CPU and wall
//! of both, and fails if their tables differ by a byte.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use stammkunde::report::RunReport;

/// People whose exports hold about a million contact records.
const PEOPLE: u64 = 395_000;
const ORDERS: u64 = 500_000;
/// One row of so many changes.
const ONE_OF: usize = 100;

fn main() {
    let value = |name: &str| {
        let mut arguments = std::env::args().skip_while(|argument| argument != name);
        arguments.nth(1).map(|text| text.parse::<u64>().expect("sizes are whole numbers"))
    };
    let people = value("--people").unwrap_or(PEOPLE);
    let orders = value("--orders").unwrap_or(ORDERS);
    let folder = std::env::var_os("STAMMKUNDE_BENCH_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from);
    let project = folder.join(format!("stammkunde-incremental-{people}-{orders}"));
    if !project.join("pipeline.yaml").exists() {
        let arguments = ["--generate-only", "--people", &people.to_string(), "--orders", &orders.to_string()];
        let mut generate = Command::new(binary());
        let status = generate.arg("demo").arg(&project).args(arguments).status();
        assert!(status.expect("the binary was built with this bench").success(), "no exports");
    }
    for new in ["crm/kontakte_new.csv", "shop/customers_new.csv", "shop/orders_new.csv"] {
        drop(fs::remove_file(project.join("exports").join(new)));
    }
    let [first, incremental, full] = ["first", "incremental", "full"].map(|name| project.join(format!("warehouse-{name}")));
    for warehouse in [&first, &incremental, &full] {
        drop(fs::remove_dir_all(warehouse));
    }
    run(&project, &first, &["--run-id", "first"]);
    copy(&first, &incremental);
    copy(&first, &full);
    change(&project.join("exports"));

    let night = run(&project, &incremental, &["--run-id", "night"]);
    let again = run(&project, &full, &["--run-id", "night", "--full-refresh"]);
    let (ours, theirs) = (tables(&incremental), tables(&full));
    let differing: Vec<&String> = ours.keys().filter(|name| ours.get(*name) != theirs.get(*name)).collect();
    assert!(differing.is_empty(), "tables differ: {differing:?}");
    assert_eq!(
        again.refresh_differences,
        Some(Vec::new()),
        "the check of the full refresh found a difference"
    );
    print(&night, &again);
}

/// The binary that was built with this bench, or another one (`STAMMKUNDE_BENCH_BINARY`).
fn binary() -> PathBuf {
    std::env::var_os("STAMMKUNDE_BENCH_BINARY").map_or_else(|| env!("CARGO_BIN_EXE_stammkunde").into(), PathBuf::from)
}

fn run(project: &Path, warehouse: &Path, arguments: &[&str]) -> RunReport {
    let output = Command::new(binary())
        .args(["run", "--as-of", "2026-10-31", "--format", "json", "-q", "--warehouse"])
        .arg(warehouse)
        .arg(project)
        .args(arguments)
        .stderr(std::process::Stdio::inherit())
        .output()
        .expect("the binary was built with this bench");
    assert!(
        output.status.success(),
        "the run failed: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    serde_json::from_slice(&output.stdout).expect("the report has a schema")
}

/// Delivers every hundredth contact again with another street, and every hundredth order under a new number.
fn change(exports: &Path) {
    let every = |lines: &[Vec<u8>], from: usize| -> Vec<Vec<u8>> { lines[from..].iter().step_by(ONE_OF).cloned().collect() };
    let moved = |line: Vec<u8>| -> Vec<u8> {
        let at = line
            .windows(5)
            .position(|window| window.eq_ignore_ascii_case(b"stra\xdf") || window.eq_ignore_ascii_case(b"stras"));
        let mut line = line;
        if let Some(at) = at {
            line[at..at + 5].copy_from_slice(b"gasse");
        }
        line
    };
    for (pattern, new, head, foot) in [
        ("crm/kontakte_", "crm/kontakte_new.csv", 2, 1),
        ("shop/customers_", "shop/customers_new.csv", 1, 0),
    ] {
        let mut out = Vec::new();
        for path in files(exports, pattern) {
            let mut lines = lines(&path);
            let footer = lines.split_off(lines.len() - foot);
            if out.is_empty() {
                out.extend(lines[..head].iter().cloned());
            }
            out.extend(every(&lines, head).into_iter().map(moved));
            if foot == 1 && path == *files(exports, pattern).last().expect("there is a file") {
                out.extend(footer);
            }
        }
        fs::write(exports.join(new), out.concat()).expect("the exports can be written to");
    }
    let path = files(exports, "shop/orders_").pop().expect("there are orders");
    let lines = lines(&path);
    let mut out = vec![lines[0].clone()];
    let name = |line: &[u8]| line.iter().take_while(|&&byte| byte != b',').copied().collect::<Vec<u8>>();
    let orders: Vec<&[Vec<u8>]> = lines[1..].chunk_by(|a, b| name(a) == name(b)).collect();
    let share = files(exports, "shop/orders_").len();
    for order in orders.iter().step_by((ONE_OF / share).max(1)) {
        out.extend(order.iter().map(|line| [b"N".as_slice(), line].concat()));
    }
    fs::write(exports.join("shop/orders_new.csv"), out.concat()).expect("the exports can be written to");
}

fn files(exports: &Path, pattern: &str) -> Vec<PathBuf> {
    let (folder, start) = pattern.split_once('/').expect("a folder and the start of a name");
    let entries = fs::read_dir(exports.join(folder)).expect("a folder of the demo");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with(start) && !name.contains("new")
    });
    paths.sort();
    paths
}

/// Lines with their ends.
fn lines(path: &Path) -> Vec<Vec<u8>> {
    let bytes = fs::read(path).expect("an export");
    bytes.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a file can be copied");
        }
    }
}

/// Hashes of the tables of the newest version, without `runs`, which tells when a run was.
fn tables(warehouse: &Path) -> BTreeMap<String, Value> {
    let versions = fs::read_dir(warehouse.join("versions")).expect("versions");
    let newest = versions.map(|entry| entry.expect("an entry").path()).max().expect("a version");
    let manifest: Value = serde_json::from_slice(&fs::read(newest).expect("a manifest")).expect("JSON");
    let tables = manifest["tables"].as_object().expect("tables");
    let hashes = |table: &Value| {
        table["files"]
            .as_array()
            .expect("files")
            .iter()
            .map(|file| file["sha256"].clone())
            .collect()
    };
    let data = tables.iter().filter(|(name, _)| *name != "runs");
    data.map(|(name, table)| (name.clone(), hashes(table))).collect()
}

fn print(night: &RunReport, full: &RunReport) {
    let stage = |report: &RunReport, name: &str| {
        report
            .stages
            .iter()
            .find(|stage| stage.stage == name)
            .map_or((0, 0), |s| (s.cpu_ms, s.elapsed_ms))
    };
    let seconds = |ms: u64| ms as f64 / 1000.0;
    let check = stage(full, "refresh");
    let (cpu, wall) = (full.resources.cpu_ms - check.0, full.resources.elapsed_ms - check.1);
    println!("contacts {}, orders {}", night.tables["contacts"], night.tables["orders"]);
    println!("pieces {:?}, pairs compared {} of {}", night.pieces, pairs(night), pairs(full));
    println!("{:<12} {:>10} {:>10}", "CPU s", "one in 100", "everything");
    for done in &full.stages {
        if done.stage != "refresh" {
            println!(
                "{:<12} {:>10.2} {:>10.2}",
                done.stage,
                seconds(stage(night, &done.stage).0),
                seconds(done.cpu_ms)
            );
        }
    }
    println!(
        "all          {:>10.2} {:>10.2}: {:.0} % (wall {:.1} and {:.1} s)",
        seconds(night.resources.cpu_ms),
        seconds(cpu),
        100.0 * night.resources.cpu_ms as f64 / cpu as f64,
        seconds(night.resources.elapsed_ms),
        seconds(wall)
    );
}

fn pairs(report: &RunReport) -> u64 {
    report.identity.as_ref().map_or(0, |identity| identity.pairs.pairs)
}
