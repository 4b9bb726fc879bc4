//! The whole job on generated exports: `cargo bench --bench end_to_end [-- --people N --orders M --threads T]`.
//!
//! Generates once (not measured), then runs the release binary as a scheduler would, and prints rows per second, CPU seconds, peak
//! memory and the share of each stage from the run's own report. The default size gives about 1,000,000 contacts and 5,000,000 orders.

use std::path::PathBuf;
use std::process::Command;

use stammkunde::report::RunReport;

/// People whose exports hold about a million contact records.
const PEOPLE: u64 = 440_000;
const ORDERS: u64 = 5_000_000;

fn main() {
    let value = |name: &str| {
        let mut arguments = std::env::args().skip_while(|argument| argument != name);
        arguments.nth(1).map(|text| text.parse::<u64>().expect("sizes are whole numbers"))
    };
    let people = value("--people").unwrap_or(PEOPLE);
    let orders = value("--orders").unwrap_or(ORDERS);
    let threads = value("--threads");
    let folder = std::env::var_os("STAMMKUNDE_BENCH_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("stammkunde-bench-{people}-{orders}"));
    let binary = env!("CARGO_BIN_EXE_stammkunde");
    if !folder.join("pipeline.yaml").exists() {
        let (people, orders) = (people.to_string(), orders.to_string());
        let arguments = ["--generate-only", "--people", &people, "--orders", &orders];
        let status = Command::new(binary)
            .arg("demo")
            .arg(&folder)
            .args(arguments)
            .status()
            .expect("the binary was built with this bench");
        assert!(status.success(), "the exports could not be generated");
    }
    let warehouse = folder.join("bench-warehouse");
    if warehouse.exists() {
        std::fs::remove_dir_all(&warehouse).expect("the last bench's warehouse can be removed");
    }
    let mut command = Command::new(binary);
    command
        .args(["run", "--as-of", "2026-10-31", "--format", "json", "--warehouse"])
        .arg(&warehouse)
        .arg(&folder);
    if let Some(threads) = threads {
        command.args(["--threads", &threads.to_string()]);
    }
    let output = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .expect("the binary was built with this bench");
    assert!(
        output.status.success(),
        "the run failed: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    print(&serde_json::from_slice(&output.stdout).expect("the report has a schema"));
}

fn print(report: &RunReport) {
    let seconds = |ms: u64| ms as f64 / 1000.0;
    let rows = |name: &str| report.tables.get(name).copied().unwrap_or(0);
    let read: u64 = report
        .sources
        .iter()
        .filter(|counts| counts.record == "raw")
        .map(|counts| counts.rows_read)
        .sum();
    let total = report.resources;
    println!(
        "raw rows {read}, contacts {}, orders {}, order lines {}",
        rows("contacts"),
        rows("orders"),
        rows("order_lines")
    );
    println!(
        "wall {:.1} s, CPU {:.1} s, peak {:.2} GiB, {:.0} raw rows/s",
        seconds(total.elapsed_ms),
        seconds(total.cpu_ms),
        total.memory_bytes_max as f64 / f64::from(1 << 30),
        read as f64 / seconds(total.elapsed_ms)
    );
    for stage in &report.stages {
        let share = 100.0 * stage.elapsed_ms as f64 / total.elapsed_ms as f64;
        println!(
            "  {:<12} {:>7.2} s wall {:>7.2} s CPU {share:>5.1} %",
            stage.stage,
            seconds(stage.elapsed_ms),
            seconds(stage.cpu_ms)
        );
    }
}
