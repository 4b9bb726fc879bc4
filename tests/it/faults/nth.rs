//! The whole job over a store that fails at the n-th operation, for every n until a run gets through: readers see the old version whole or
//! the new one whole, and the next run publishes what an undisturbed one does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use object_store::ObjectStore;
use object_store::memory::InMemory;
use stammkunde::ErrorKind;

use super::job::{Content, Job, bury, content, fill, hashes, overnight, whole_versions};
use super::store::{Fault, FaultStore};

static OVERNIGHT: LazyLock<Content> = LazyLock::new(overnight);

/// What an undisturbed run publishes.
static UNDISTURBED: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let job = Job::new();
    let store = Arc::new(InMemory::new());
    fill(&job.engine, &*store, &OVERNIGHT);
    job.serve(Arc::clone(&store) as _);
    job.run("today").expect("it publishes");
    let versions = whole_versions(&content(&job.engine, &*store));
    assert_eq!(versions.len(), 2);
    hashes(&versions[1])
});

/// How the runs of one kind of fault ended.
#[derive(Debug, Default)]
struct Ends {
    operations: u64,
    failed: u64,
    published: u64,
}

/// Runs with the fault at every operation, one after the other, until a run meets none.
fn at_every_operation(fault: Fault) -> Ends {
    at_those(0.., fault)
}

/// The same at those operations only; the last ones come after the end of a run.
fn at_those(operations: impl Iterator<Item = u64>, fault: Fault) -> Ends {
    let job = Job::new();
    let old = whole_versions(&OVERNIGHT);
    let mut ends = Ends::default();
    // What a failed run left behind, from which a next run is known to recover.
    let mut recovered: BTreeSet<Vec<String>> = BTreeSet::new();
    for at in operations {
        let inner = Arc::new(InMemory::new());
        fill(&job.engine, &*inner, &OVERNIGHT);
        let store = Arc::new(FaultStore::new(Arc::clone(&inner) as Arc<dyn ObjectStore>));
        job.serve(Arc::clone(&store) as _);
        store.arm(Some((at, fault)));
        let result = job.run("today");
        let is_past_the_end = store.operations() <= at;
        store.arm(None);

        let left = content(&job.engine, &*inner);
        let versions = whole_versions(&left);
        assert_eq!(versions[0], old[0], "{fault:?} at {at}: the old version is another");
        match &result {
            Ok(_) => {
                ends.published += 1;
                assert_eq!(versions.len(), 2, "{fault:?} at {at}: what was promised is not there");
            }
            Err(error) => {
                ends.failed += 1;
                assert_eq!(error.kind(), ErrorKind::Environment, "{fault:?} at {at}: {error}");
                assert!(error.hint_text().is_some(), "{fault:?} at {at}: what to do? {error}");
            }
        }
        if versions.len() == 2 {
            assert_eq!(hashes(&versions[1]), *UNDISTURBED, "{fault:?} at {at}");
        }
        let is_new = recovered.insert(left.into_keys().collect());
        if is_new {
            bury(&job.engine, &*inner);
            assert_recovers(&job, &inner, &format!("{fault:?} at {at}"));
        }
        if is_past_the_end {
            assert!(result.is_ok(), "{fault:?}: a run that met no fault failed");
            ends.operations = at;
            return ends;
        }
    }
    unreachable!("a run ends")
}

/// The next run publishes, or finds published, what an undisturbed one does; it repairs and cleans up.
fn assert_recovers(job: &Job, store: &Arc<InMemory>, after: &str) {
    job.serve(Arc::clone(store) as _);
    let report = job
        .run("today")
        .unwrap_or_else(|error| panic!("the next run after {after}: {error}"));
    let left = content(&job.engine, &**store);
    let versions = whole_versions(&left);
    assert_eq!((versions.len(), report.version.0), (2, 2), "{after}");
    let newest = &versions[1];
    assert_eq!(hashes(newest), *UNDISTURBED, "{after}");
    for (name, table) in &newest.tables {
        let copy = left.get(&format!("warehouse/latest/{name}.parquet"));
        assert_eq!(
            copy,
            left.get(&format!("warehouse/{}", table.files[0].path)),
            "latest/{name} after {after}"
        );
    }
    assert!(!left.contains_key("warehouse/_lock.json"), "the lease was kept after {after}");
    let listed: BTreeSet<String> = versions
        .iter()
        .flat_map(|version| version.files())
        .map(|file| format!("warehouse/{}", file.path))
        .collect();
    let is_waste = |path: &&String| path.starts_with("warehouse/runs/") && !listed.contains(*path) && !path.ends_with("/_claim.json");
    assert_eq!(left.keys().find(is_waste), None, "left behind after {after}");
}

#[test]
fn a_job_that_dies_at_any_operation_leaves_the_old_version_and_the_next_run_publishes_the_same() {
    let ends = at_every_operation(Fault::Dies);
    assert!(ends.operations >= 60 && ends.failed >= 35 && ends.published >= 10, "{ends:?}");
}

#[test]
fn a_single_failure_at_any_operation_publishes_all_or_nothing() {
    let ends = at_every_operation(Fault::Fails);
    assert!(ends.failed >= 35 && ends.published >= 10, "{ends:?}");
}

#[test]
fn a_lost_reply_at_any_operation_publishes_all_or_nothing() {
    let ends = at_every_operation(Fault::LosesReply);
    assert!(ends.failed >= 35 && ends.published >= 10, "{ends:?}");
}

#[test]
fn a_torn_write_publishes_all_or_nothing_whichever_it_is() {
    let job = Job::new();
    let inner = Arc::new(InMemory::new());
    fill(&job.engine, &*inner, &OVERNIGHT);
    let store = Arc::new(FaultStore::new(inner as Arc<dyn ObjectStore>));
    job.serve(Arc::clone(&store) as _);
    store.arm(None);
    job.run("today").expect("it publishes");
    let ends = at_those(store.puts().into_iter().chain([u64::MAX]), Fault::Tears);
    assert!(ends.failed >= 15 && ends.published >= 2, "{ends:?}");
}

#[test]
fn a_timeout_or_a_full_disk_at_any_seventh_operation_publishes_all_or_nothing() {
    // To the job they are failures like any other; publishing meets them at every single operation.
    for fault in [Fault::TimesOut, Fault::DiskFull] {
        let ends = at_those((0..).step_by(7), fault);
        assert!(ends.failed >= 5 && ends.published >= 2, "{ends:?}");
    }
}
