//! Signals to a run, and pipes that are closed under it: it ends with the code that a scheduler expects and leaves nothing behind.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use stammkunde::publish::Draft;

use super::retries::on_s3;
use super::s3::{S3, Twist};
use crate::cli::support::{AS_OF, Project, Running, stammkunde};
use crate::publish::support::{on_store, release, run};

/// A run against the server that has come to a table and waits there.
fn waiting_run(s3: &S3, project: &Project) -> Running {
    s3.script(|request, _| {
        let is_table = request.method == "PUT" && request.key.ends_with("part-00000.parquet");
        is_table.then_some(Twist::Wait)
    });
    let running = Running::start(s3.environment(&mut project.command("run", &["--as-of", AS_OF])));
    s3.until_waiting(1);
    running
}

#[test]
fn a_signal_gives_back_lease_and_files_and_the_next_run_succeeds() {
    for (signal, code) in [("HUP", 129), ("INT", 130), ("TERM", 143)] {
        let s3 = S3::start();
        let project = on_s3(&s3);
        let mut running = waiting_run(&s3, &project);
        assert!(s3.objects().contains_key("warehouse/_lock.json"));
        running.send(signal);
        let (status, stderr) = running.end();
        assert_eq!(status.code(), Some(code), "{stderr}");
        assert!(stderr.contains("stopped by a signal"), "{stderr}");
        let left: Vec<String> = s3.objects().into_keys().filter(|key| key.starts_with("warehouse/")).collect();
        assert_eq!(left, [""; 0], "SIG{signal}");
        s3.script(|_, _| None);
        let mut again = Running::start(s3.environment(&mut project.command("run", &["--as-of", AS_OF])));
        assert_eq!(again.end().0.code(), Some(0));
    }
}

#[test]
fn a_second_signal_ends_a_run_at_once_although_the_store_does_not_answer() {
    let s3 = S3::start();
    let project = on_s3(&s3);
    let mut running = waiting_run(&s3, &project);
    s3.script(|_, _| Some(Twist::Wait));
    let started = Instant::now();
    running.send("TERM");
    // The farewell asks for something and gets no answer.
    s3.until_waiting(2);
    running.send("TERM");
    let (status, stderr) = running.end();
    assert_eq!(status.code(), Some(143), "{stderr}");
    assert!(
        started.elapsed().as_secs_f32() < 4.5,
        "it waited for the farewell: {:?}",
        started.elapsed()
    );
}

#[test]
fn a_hang_up_that_the_parent_ignores_ends_nothing() {
    let s3 = S3::start();
    let project = on_s3(&s3);
    s3.script(|request, _| (request.method == "PUT" && request.key.ends_with("part-00000.parquet")).then_some(Twist::Wait));
    let binary = env!("CARGO_BIN_EXE_stammkunde");
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' HUP; exec \"$0\" run \"$1\" --as-of 2026-10-31", binary])
        .arg(project.path());
    let mut running = Running::start(s3.environment(&mut command));
    s3.until_waiting(1);
    running.send("HUP");
    s3.go_on();
    let (status, stderr) = running.end();
    assert_eq!(status.code(), Some(0), "{stderr}");
}

#[test]
fn a_closed_pipe_ends_no_run() {
    let project = Project::small();
    for (number, which) in ["stdout", "stderr", "both"].into_iter().enumerate() {
        let day = format!("2026-10-0{}", number + 1);
        let mut command = stammkunde();
        command
            .arg("run")
            .arg(project.path())
            .args(["--as-of", &day, "--format", "json", "--log-format", "json"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        match which {
            "stdout" => drop(stdout),
            "stderr" => drop(stderr),
            _ => drop((stdout, stderr)),
        }
        assert_eq!(child.wait().expect("our child").code(), Some(0), "{which}");
        assert_eq!(project.manifests().len(), number + 1, "{which}");
    }
}

#[test]
fn an_upload_of_many_parts_is_aborted_and_a_draft_cannot_commit_once_the_end_has_begun() {
    let (engine, s3) = (super::job::engine(), S3::start());
    let warehouse = on_store(s3.store());
    let mut draft = Draft::begin(&engine, &warehouse, &run("big"), None).expect("a claim");
    s3.script(|request, _| (request.method == "PUT" && request.query.contains("partNumber=1&")).then_some(Twist::Wait));
    // Digits that hardly compress: more than the 8 MiB of one part.
    let mut state = 1_u64;
    let numbers = (0..3_000_000).map(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(state >> 1).expect("63 bits")
    });
    let column = Arc::new(Int64Array::from_iter_values(numbers)) as ArrayRef;
    let batch = RecordBatch::try_from_iter([("number", column)]).expect("one column");
    std::thread::scope(|scope| {
        let adding = scope.spawn(|| draft.add("numbers", &batch.schema(), std::slice::from_ref(&batch)).is_err());
        s3.until_waiting(1);
        assert_eq!(s3.uploads(), 1, "the upload has begun");
        engine.say_farewells();
        assert_eq!(s3.uploads(), 0, "the upload was left open");
        assert!(adding.join().expect("no panic"), "a table that did not arrive was added");
    });
    let closing = release("big", None).closing;
    draft.commit(closing).expect_err("nothing is published any more");
    s3.go_on();
    let left: Vec<String> = s3.objects().into_keys().filter(|key| !key.contains("/state/")).collect();
    assert_eq!(left, [""; 0]);
}
