//! The binary against an S3 server that misbehaves: what is worth another try, what is not, and what an answer that got lost means.

use serde_json::Value;

use super::s3::{Request, S3, Twist};
use crate::cli::support::{AS_OF, Done, Project, call};

/// A project whose exports and warehouse are in the bucket of the server.
pub fn on_s3(s3: &S3) -> Project {
    let project = Project::small();
    for name in ["crm.csv", "shop.csv"] {
        s3.put(&format!("exports/{name}"), project.read(&format!("exports/{name}")));
    }
    project.edit("pipeline.yaml", "files: exports/", "files: s3://test/exports/");
    let rest = project.read("pipeline.yaml");
    let (_, rest) = rest.split_once('\n').expect("the warehouse stands in the first line");
    project.write("pipeline.yaml", &format!("warehouse: s3://test/warehouse\n{rest}"));
    project
}

fn run(project: &Project, s3: &S3, arguments: &[&str]) -> Done {
    let arguments = [&["--as-of", AS_OF, "--format", "json"], arguments].concat();
    call(s3.environment(&mut project.command("run", &arguments)))
}

fn version(s3: &S3, number: u64) -> Option<Value> {
    let objects = s3.objects();
    let bytes = objects.get(&format!("warehouse/versions/{number:020}.json"))?;
    Some(serde_json::from_slice(bytes).expect("JSON"))
}

const COMMIT: &str = "warehouse/versions/00000000000000000001.json";

#[test]
fn a_store_that_is_busy_or_broken_for_a_while_is_asked_again() {
    let s3 = S3::start();
    let project = on_s3(&s3);
    let mut count = 0;
    s3.script(move |_, _| {
        count += 1;
        match count % 24 {
            5 => Some(Twist::Refuse(500, "InternalError")),
            11 => Some(Twist::Refuse(503, "SlowDown")),
            17 => Some(Twist::Refuse(429, "TooManyRequests")),
            _ => None,
        }
    });
    run(&project, &s3, &[]).ends_with(0);
    assert_eq!(version(&s3, 1).expect("a version")["version"], 1);
    assert!(s3.log().len() > 48, "every kind of refusal was met");
}

#[test]
fn a_store_that_never_answers_well_is_asked_as_often_as_the_budget_says() {
    let s3 = S3::start();
    let project = on_s3(&s3);
    s3.script(|_, _| Some(Twist::Refuse(503, "SlowDown")));
    run(&project, &s3, &["--retries", "2"])
        .ends_with(4)
        .says("hint:")
        .says("s3://test/warehouse");
    let log: Vec<String> = s3.log().iter().map(Request::line).collect();
    let first = log.first().expect("a request");
    assert_eq!(log.iter().filter(|line| *line == first).count(), 3, "{log:?}");
}

#[test]
fn a_connection_that_breaks_in_the_middle_of_a_file_is_taken_up_there() {
    let s3 = S3::start();
    let project = on_s3(&s3);
    let mut cuts = 0;
    s3.script(move |request, _| {
        let is_cut = cuts < 2 && request.method == "GET" && request.key == "exports/crm.csv";
        cuts += u32::from(is_cut);
        is_cut.then_some(Twist::CutBody)
    });
    let report = run(&project, &s3, &[]).ends_with(0).json();
    assert_eq!(report["sources"][0]["rows_read"], 24, "{report:#}");
    let resumed = s3
        .log()
        .into_iter()
        .find(|request| request.key == "exports/crm.csv" && request.headers.contains_key("range"))
        .expect("the rest was asked for");
    assert!(resumed.headers.contains_key("if-match"), "of the same object: {resumed:?}");
}

#[test]
fn an_object_that_is_replaced_between_listing_and_reading_is_read_again_and_noted_as_read() {
    let s3 = S3::start();
    let project = on_s3(&s3);
    let mut was_replaced = false;
    s3.script(move |request, objects| {
        if request.method == "GET" && request.key == "exports/crm.csv" && !was_replaced {
            was_replaced = true;
            let bytes = objects.get_mut("exports/crm.csv").expect("an export");
            bytes.extend_from_slice(b"C-900;K900;;Neu;Dazugekommen;;;;;;;01.03.2026\n");
        }
        None
    });
    let report = run(&project, &s3, &[]).ends_with(0).json();
    assert_eq!(report["sources"][0]["rows_read"], 25, "{report:#}");
    s3.script(|_, _| None);
    let again = run(&project, &s3, &[]).ends_with(0).json();
    assert_eq!(again["outcome"], "unchanged", "the ledger does not hold what was read");
}

#[test]
fn an_object_that_changes_at_every_reading_ends_with_3() {
    let s3 = S3::start();
    let project = on_s3(&s3);
    s3.script(move |request, objects| {
        if request.method == "GET" && request.key == "exports/crm.csv" {
            objects.get_mut("exports/crm.csv").expect("an export").push(b'\n');
        }
        None
    });
    run(&project, &s3, &[])
        .ends_with(3)
        .says("changed while it was read")
        .says("crm.csv")
        .says("hint:");
    assert!(version(&s3, 1).is_none());
}

#[test]
fn a_file_that_vanishes_between_listing_and_reading_ends_with_3() {
    let s3 = S3::start();
    let project = on_s3(&s3);
    s3.script(move |request, objects| {
        if request.method == "GET" && request.key == "exports/crm.csv" {
            objects.remove("exports/crm.csv");
        }
        None
    });
    run(&project, &s3, &[]).ends_with(3).says("was listed and is gone");
    assert!(version(&s3, 1).is_none());
}

#[test]
fn what_is_forbidden_is_not_tried_again_and_the_message_names_action_and_path_and_no_secret() {
    for (status, code, says) in [
        (403, "AccessDenied", "permission denied"),
        (400, "ExpiredToken", "credentials have expired"),
        (401, "Unauthorized", "not signed in"),
    ] {
        let s3 = S3::start();
        let project = on_s3(&s3);
        s3.script(move |request, _| {
            let is_table = request.method == "PUT" && request.key.ends_with("part-00000.parquet");
            is_table.then_some(Twist::Refuse(status, code))
        });
        let done = run(&project, &s3, &["-vvv"])
            .ends_with(4)
            .says("cannot write a table")
            .says(says)
            .says("s3://test/warehouse/runs/")
            .says("hint:");
        for secret in ["geheim", "GEHEIM"] {
            assert!(!done.stderr.contains(secret) && !done.stdout.contains(secret), "{code}: {done:?}");
        }
        let attempts = s3
            .log()
            .iter()
            .filter(|request| request.method == "PUT" && request.key.ends_with(".parquet"))
            .count();
        assert_eq!(attempts, 1, "{code}");
        assert!(version(&s3, 1).is_none());
        assert!(!s3.objects().contains_key("warehouse/_lock.json"), "the lease was kept");
    }
}

#[test]
fn a_commit_that_somebody_else_made_first_ends_with_5() {
    for (status, code) in [(412, "PreconditionFailed"), (409, "ConditionalRequestConflict")] {
        let s3 = S3::start();
        let project = on_s3(&s3);
        s3.script(move |request, objects| {
            let is_commit = request.is_create() && request.key == COMMIT;
            if is_commit && status == 412 {
                objects.insert(COMMIT.to_owned(), b"another run's".to_vec());
            }
            is_commit.then_some(Twist::Refuse(status, code))
        });
        run(&project, &s3, &[]).ends_with(5).says("another run published").says("hint:");
        let commits = s3
            .log()
            .iter()
            .filter(|request| request.is_create() && request.key == COMMIT)
            .count();
        assert_eq!(commits, 1, "{code}");
        let left = s3.objects().get(COMMIT).cloned();
        assert_eq!(left.is_some(), status == 412, "a rival's version is left alone");
    }
}

#[test]
fn a_create_whose_answer_gets_lost_is_settled_by_reading() {
    for nth in 0..3 {
        // The lease, the claim on a folder, the commit.
        let s3 = S3::start();
        let project = on_s3(&s3);
        let mut creates = 0;
        s3.script(move |request, _| {
            let is_it = request.is_create() && creates == nth;
            creates += i32::from(request.is_create());
            is_it.then_some(Twist::LoseReply)
        });
        let report = run(&project, &s3, &["--run-id", "night"]).ends_with(0).json();
        assert_eq!((&report["outcome"], &report["version"]), (&"published".into(), &1.into()), "{nth}");
        assert_eq!(version(&s3, 1).expect("a version")["run_id"], "night");
        assert!(version(&s3, 2).is_none(), "published twice");
        s3.script(|_, _| None);
        assert_eq!(run(&project, &s3, &[]).ends_with(0).json()["outcome"], "unchanged");
    }
}
