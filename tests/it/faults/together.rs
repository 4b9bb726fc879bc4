//! Several at once: runs, rollbacks and cleanups that come in between each other's operations, with the lease and without.

use std::sync::{Arc, Barrier};

use chrono::{NaiveDate, TimeDelta, Utc};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use stammkunde::engine::Engine;
use stammkunde::gate::Accepted;
use stammkunde::publish::{CleanupOptions, Warehouse};
use stammkunde::report::{Outcome, StageTime};
use stammkunde::run::{self, Progress, RunOptions};
use stammkunde::table::{RunId, VersionNumber};
use stammkunde::{ErrorKind, Result};

use super::job::{Content, HEADER, Job, TODAY, bury, content, engine, fill, hashes, overnight, put, whole_versions};
use super::store::{Fault, FaultStore};
use crate::cli::support::{Project, Running};
use crate::publish::support::{assert_whole, in_memory, on_store, publish, release, run as run_id};

const CLEANUP: CleanupOptions = CleanupOptions {
    keep: 1,
    older_than_days: None,
    dry_run: false,
};

fn day(number: usize) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 10, 1).expect("a day") + TimeDelta::days(i64::try_from(number).expect("a small number"))
}

/// Versions 1, 2, 3 …, each made from the one before it, and each with tables and state of its own run alone. What was read of the inputs
/// may be taken over.
#[track_caller]
fn assert_one_line(content: &Content) -> usize {
    let versions = whole_versions(content);
    for (position, version) in versions.iter().enumerate() {
        let number = position as u64 + 1;
        assert_eq!(version.version.0, number);
        assert_eq!(version.parent, (number > 1).then(|| VersionNumber(number - 1)));
        let own = format!("runs/{}/", version.run_id);
        let attempts = format!("runs/{}.", version.run_id);
        let is_foreign = |path: &&String| !path.starts_with(&own) && !path.starts_with(&attempts) && !path.contains("/staged/");
        assert_eq!(
            version.files().map(|file| &file.path).find(is_foreign),
            None,
            "version {number} is mixed"
        );
        assert_eq!(version.tables["runs"].rows, number, "the history of version {number} has a gap");
    }
    versions.len()
}

/// So many jobs at once, each as of a day of its own; each tries again until it published.
fn at_once(jobs: usize) {
    let store = Arc::new(InMemory::new());
    let first = Job::new();
    put(&first.engine, &*store, "exports/crm.csv", format!("{HEADER}{TODAY}"));
    let start = Barrier::new(jobs);
    let conflicts: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs)
            .map(|number| {
                let (start, store) = (&start, Arc::clone(&store));
                scope.spawn(move || {
                    let job = Job::new();
                    job.serve(store);
                    start.wait();
                    let mut conflicts = 0;
                    loop {
                        match job.run_as_of(&format!("job-{number}"), day(number)) {
                            Ok(report) => {
                                assert_eq!(report.outcome, Outcome::Published);
                                return conflicts;
                            }
                            Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
                        }
                        conflicts += 1;
                        std::thread::yield_now();
                    }
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    assert!(conflicts > 0, "nobody met anybody");
    let left = content(&first.engine, &*store);
    assert_eq!(assert_one_line(&left), jobs);
    assert!(!left.contains_key("warehouse/_lock.json"));
    let identities: Vec<String> = whole_versions(&left)
        .iter()
        .map(|version| hashes(version)["identities"].clone())
        .collect();
    assert!(
        identities.iter().all(|hash| *hash == identities[0]),
        "keys differ from version to version"
    );
}

#[test]
fn two_jobs_at_once_publish_one_after_the_other() {
    at_once(2);
}

#[test]
fn eight_jobs_at_once_publish_one_after_the_other() {
    at_once(8);
}

#[test]
fn jobs_that_cannot_see_the_lease_publish_whole_versions_in_one_line() {
    let inner = Arc::new(InMemory::new());
    let store = Arc::new(FaultStore::new(Arc::clone(&inner) as Arc<dyn ObjectStore>));
    store.hide("_lock.json");
    let first = Job::new();
    put(&first.engine, &*inner, "exports/crm.csv", format!("{HEADER}{TODAY}"));
    store.arm(Some((0, Fault::Slow)));
    let start = Barrier::new(4);
    let published: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|number| {
                let (start, store) = (&start, Arc::clone(&store));
                scope.spawn(move || {
                    let job = Job::new();
                    job.serve(store);
                    start.wait();
                    let attempt = |attempt| match job.run_as_of(&format!("job-{number}-{attempt}"), day(number)) {
                        Ok(report) => report.outcome == Outcome::Published,
                        Err(error) => {
                            // Files that another run swept away in the middle are the store's fault to this one.
                            assert!([ErrorKind::Conflict, ErrorKind::Environment].contains(&error.kind()), "{error}");
                            false
                        }
                    };
                    (0..3).filter(|&number| attempt(number)).count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    let left = content(&first.engine, &*inner);
    let versions = if left.keys().any(|path| path.starts_with("warehouse/versions/")) {
        assert_one_line(&left)
    } else {
        0
    };
    assert_eq!(versions, published, "exactly one run made each version");
    first.serve(inner);
    first.run("alone").expect("whatever happened, the next run goes on");
}

/// Somebody else who comes in between, on a machine of its own.
type Rival = fn(&Engine, &Warehouse) -> Result<()>;

fn rival_run(engine: &Engine, warehouse: &Warehouse) -> Result<()> {
    warehouse.sweep(engine, &run_id("rival"))?;
    warehouse.repair(engine)?;
    let parent = warehouse.latest(engine)?.map(|newest| newest.version.0);
    publish(engine, warehouse, release("rival", parent)).map(drop)
}

fn rival_that_only_sweeps(engine: &Engine, warehouse: &Warehouse) -> Result<()> {
    warehouse.sweep(engine, &run_id("rival")).map(drop)
}

fn rival_cleanup(engine: &Engine, warehouse: &Warehouse) -> Result<()> {
    warehouse.cleanup(engine, &run_id("rival"), &CLEANUP).map(drop)
}

fn rival_rollback(engine: &Engine, warehouse: &Warehouse) -> Result<()> {
    let versions = warehouse.versions(engine)?;
    let Some(oldest) = versions.first().filter(|_| versions.len() > 1) else {
        return Ok(());
    };
    warehouse.rollback(engine, &run_id("rival"), oldest.version, false).map(drop)
}

/// Lets a rival in before every operation of an act, one after the other, over a warehouse of two versions where nobody sees the lease. All
/// versions must be whole in the end, and the next run must go on. Gives how often the act went through and how often it did not.
fn interrupted(act: Rival, rival: Rival) -> (u32, u32) {
    let engine = engine();
    let (mut done, mut refused) = (0, 0);
    for at in 0.. {
        let inner: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let store = Arc::new(FaultStore::new(Arc::clone(&inner)));
        store.hide("_lock.json");
        let warehouse = on_store(Arc::clone(&store) as Arc<dyn ObjectStore>);
        publish(&engine, &warehouse, release("one", None)).expect("nobody is there yet");
        publish(&engine, &warehouse, release("two", Some(1))).expect("nobody is there yet");
        let theirs = {
            let store = Arc::new(FaultStore::new(Arc::clone(&inner)));
            store.hide("_lock.json");
            on_store(store as Arc<dyn ObjectStore>)
        };
        store.between(at, move || {
            let engine = self::engine();
            rival(&engine, &theirs).expect("it is alone while it works");
        });
        match act(&engine, &warehouse) {
            Ok(()) => done += 1,
            Err(error) => {
                let kinds = [ErrorKind::Conflict, ErrorKind::Environment, ErrorKind::Input];
                assert!(kinds.contains(&error.kind()), "{error}");
                refused += 1;
            }
        }
        let is_past_the_end = store.operations() <= at;
        for version in warehouse.versions(&engine).expect("they read") {
            let name = version
                .rolled_back_to
                .map_or(version.run_id.as_str(), |to| if to.0 == 1 { "one" } else { "two" });
            let named = stammkunde::publish::Manifest {
                run_id: run_id(name),
                ..version.clone()
            };
            assert_whole(&engine, &warehouse, &named);
        }
        rival_run(&engine, &on_store(Arc::clone(&inner))).unwrap_or_else(|error| panic!("after {at}: {error}"));
        if is_past_the_end {
            break;
        }
    }
    (done, refused)
}

fn this_run(engine: &Engine, warehouse: &Warehouse) -> Result<()> {
    let parent = warehouse.latest(engine)?.map(|newest| newest.version.0);
    publish(engine, warehouse, release("three", parent)).map(drop)
}

#[test]
fn a_run_between_any_two_operations_of_a_run_lets_one_of_them_publish() {
    let (done, refused) = interrupted(this_run, rival_run);
    assert!(done >= 5 && refused >= 10, "{done} {refused}");
}

#[test]
fn a_run_whose_files_are_swept_at_any_operation_does_not_commit() {
    let (done, refused) = interrupted(this_run, rival_that_only_sweeps);
    assert!(done >= 5 && refused >= 10, "{done} {refused}");
}

#[test]
fn a_cleanup_between_any_two_operations_of_a_run_leaves_every_version_whole() {
    let (done, refused) = interrupted(this_run, rival_cleanup);
    assert!(done >= 5 && refused >= 10, "{done} {refused}");
}

#[test]
fn a_run_between_any_two_operations_of_a_cleanup_leaves_every_version_whole() {
    let (done, _) = interrupted(rival_cleanup, this_run);
    assert!(done >= 10, "{done}");
}

#[test]
fn a_cleanup_between_any_two_operations_of_a_rollback_leaves_every_version_whole() {
    let (done, refused) = interrupted(rival_rollback, rival_cleanup);
    assert!(done >= 3 && refused >= 3, "{done} {refused}");
}

#[test]
fn a_rollback_between_any_two_operations_of_a_cleanup_leaves_every_version_whole() {
    let (done, _) = interrupted(rival_cleanup, rival_rollback);
    assert!(done >= 10, "{done}");
}

/// Does something when a stage of a run begins.
struct Meanwhile<F>(&'static str, F);

impl<F: Fn() + Sync> Progress for Meanwhile<F> {
    fn started(&self, stage: &str) {
        if stage == self.0 {
            (self.1)();
        }
    }

    fn finished(&self, _time: &StageTime) {}
}

#[test]
fn a_run_that_lost_its_lease_while_it_worked_publishes_nothing() {
    let night = overnight();
    for does_publish in [true, false] {
        let store = Arc::new(InMemory::new());
        let (job, rival) = (Job::new(), Job::new());
        fill(&job.engine, &*store, &night);
        job.serve(Arc::clone(&store) as _);
        rival.serve(Arc::clone(&store) as _);
        // As if this run had been silent for too long on another host.
        let takes_over = Meanwhile("audit", || {
            bury(&rival.engine, &*store);
            if does_publish {
                rival.run("rival").expect("it takes over");
            } else {
                let run_id = RunId::from_scheduler("rival").expect("a run id");
                rival.warehouse().sweep(&rival.engine, &run_id).expect("it takes over");
            }
        });
        let options = RunOptions {
            run_id: RunId::from_scheduler("today").expect("a run id"),
            as_of: Some(day(30)),
            retrain: false,
            full_refresh: false,
            model: None,
            selection: stammkunde::plan::Selection::default(),
            accept_key_changes: false,
            accepted_gates: Accepted::default(),
        };
        let error = run::run(&job.engine, &job.spec, &options, &takes_over).expect_err("it lost");
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
        let left = content(&job.engine, &*store);
        assert_eq!(assert_one_line(&left), if does_publish { 2 } else { 1 });
    }
}

#[test]
fn a_clock_that_is_a_day_off_changes_no_table_and_takes_no_lease() {
    let night = overnight();
    let mut seen = Vec::new();
    for hours in [0, -24, 24] {
        let store = Arc::new(InMemory::new());
        let moved = Job::on(engine().with_clock(move || Utc::now() + TimeDelta::hours(hours)));
        fill(&moved.engine, &*store, &night);
        moved.serve(Arc::clone(&store) as _);
        let holder = Job::new();
        holder.serve(Arc::clone(&store) as _);
        let lease = stammkunde::publish::Lease::take(&holder.engine, &holder.warehouse(), &run_id("holder")).expect("nobody holds it");
        // Of another host, so that only its age can tell.
        let mut lock: serde_json::Value =
            serde_json::from_slice(&content(&holder.engine, &*store)["warehouse/_lock.json"]).expect("a lock");
        lock["host"] = "elsewhere".into();
        put(&holder.engine, &*store, "warehouse/_lock.json", lock.to_string());
        let error = moved.run("today").expect_err("it is held");
        assert_eq!(error.kind(), ErrorKind::Conflict, "{hours} hours off: {error}");
        drop(lease);
        holder
            .engine
            .wait(object_store::ObjectStoreExt::delete(&*store, &"warehouse/_lock.json".into()))
            .expect("a lock");
        moved.run("today").expect("it publishes");
        seen.push(hashes(&whole_versions(&content(&moved.engine, &*store))[1]));
    }
    assert!(seen.iter().all(|tables| *tables == seen[0]));
}

#[test]
fn eight_processes_at_once_publish_one_after_the_other() {
    let project = Project::small();
    let start = |number: usize| {
        let day = format!("2026-10-{:02}", number + 1);
        Running::start(&mut project.command("run", &["--as-of", &day, "--run-id", &format!("process-{number}")]))
    };
    let mut running: Vec<(usize, Running)> = (0..8).map(|number| (number, start(number))).collect();
    let mut conflicts = 0;
    while let Some((number, mut process)) = running.pop() {
        let (status, stderr) = process.end();
        match status.code() {
            Some(0) => {}
            Some(5) => {
                conflicts += 1;
                running.push((number, start(number)));
            }
            other => panic!("{other:?}: {stderr}"),
        }
    }
    assert!(conflicts > 0, "nobody met anybody");
    let manifests = project.manifests();
    assert_eq!(manifests.len(), 8);
    for (position, manifest) in manifests.iter().enumerate() {
        assert_eq!(manifest["version"], position + 1);
        assert_eq!(manifest["tables"]["runs"]["rows"], position + 1);
    }
    crate::cli::crash::assert_intact(&project);
    assert!(!project.file("warehouse/_lock.json").exists());
    let marker: serde_json::Value = serde_json::from_str(&project.read("warehouse/latest/_version.json")).expect("JSON");
    assert_eq!(marker["version"], 8);
}

#[test]
fn a_rollback_and_a_cleanup_respect_the_lease_of_a_run() {
    let (engine, warehouse) = (engine(), in_memory());
    publish(&engine, &warehouse, release("one", None)).expect("it publishes");
    publish(&engine, &warehouse, release("two", Some(1))).expect("it publishes");
    let lease = stammkunde::publish::Lease::take(&engine, &warehouse, &run_id("run")).expect("nobody holds it");
    for act in [rival_cleanup, rival_rollback] {
        assert_eq!(act(&engine, &warehouse).expect_err("a run is at work").kind(), ErrorKind::Conflict);
    }
    let dry = CleanupOptions { dry_run: true, ..CLEANUP };
    let report = warehouse.cleanup(&engine, &run_id("look"), &dry).expect("a look needs no lease");
    assert_eq!(report.removed, [VersionNumber(1)]);
    lease.release(&engine, &warehouse);
    assert_eq!(warehouse.versions(&engine).expect("they read").len(), 2);
}
