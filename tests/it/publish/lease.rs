//! The lease: it keeps live runs apart, and dead ones never block.

use std::process::Command;
use std::sync::Arc;

use serde_json::Value;
use stammkunde::ErrorKind;
use stammkunde::publish::{LEASE_AGE_MAX_MINUTES, Lease};

use super::support::{bytes_of, engine, in_memory, listing, on_disk, on_store, put, run, store};
use crate::faults::store::FaultStore;

const FILE: &str = "_lock.json";

#[test]
fn a_lease_is_held_by_one_run_until_it_is_given_back() {
    let engine = engine();
    let (_folder, on_disk) = on_disk(&engine);
    for warehouse in [in_memory(), on_disk] {
        let lease = Lease::take(&engine, &warehouse, &run("one")).expect("nobody holds it");
        let error = Lease::take(&engine, &warehouse, &run("two")).expect_err("one holds it");
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(error.to_string().contains("one"), "{error}");
        lease.refresh(&engine, &warehouse).expect("it is ours");
        lease.release(&engine, &warehouse);
        assert_eq!(listing(&engine, &warehouse), [""; 0]);
        Lease::take(&engine, &warehouse, &run("two"))
            .expect("nobody holds it")
            .release(&engine, &warehouse);
    }
}

/// The lock as another process would have written it.
fn changed(lock: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(lock).expect("a lock is JSON");
    change(&mut value);
    serde_json::to_vec(&value).expect("JSON")
}

#[test]
fn a_killed_run_blocks_nobody_on_its_host() {
    let (engine, warehouse) = (engine(), in_memory());
    let lease = Lease::take(&engine, &warehouse, &run("one")).expect("nobody holds it");
    let lock = bytes_of(&engine, &warehouse, FILE).expect("a lock");
    let mut child = Command::new("true").spawn().expect("a process");
    let dead = child.id();
    child.wait().expect("it ends");
    let dead_pid = changed(&lock, |value| value["pid"] = dead.into());
    let reused_pid = changed(&lock, |value| value["process_started"] = 1.into());
    let before_reboot = changed(&lock, |value| value["boot"] = "another".into());
    for left in [dead_pid, reused_pid, before_reboot] {
        put(&engine, &warehouse, FILE, &left);
        Lease::take(&engine, &warehouse, &run("two"))
            .expect("its holder is dead")
            .release(&engine, &warehouse);
    }
    // The one that was taken over from notices.
    let other = Lease::take(&engine, &warehouse, &run("two")).expect("nobody holds it");
    assert_eq!(
        lease.refresh(&engine, &warehouse).expect_err("it was lost").kind(),
        ErrorKind::Conflict
    );
    lease.release(&engine, &warehouse);
    assert!(bytes_of(&engine, &warehouse, FILE).is_some(), "a lost lease gives back nothing");
    other.release(&engine, &warehouse);
}

#[test]
fn a_lease_of_another_host_is_taken_over_by_the_age_that_the_store_sees() {
    let engine = engine();
    for (age_minutes, is_taken_over) in [(LEASE_AGE_MAX_MINUTES - 1, false), (LEASE_AGE_MAX_MINUTES + 1, true)] {
        // The store's clock is days off ours: only its own differences count.
        let store = FaultStore::new(store());
        store.shift_times(-3 * 24 * 60, FILE, -age_minutes);
        let warehouse = on_store(Arc::new(store));
        drop(Lease::take(&engine, &warehouse, &run("one")).expect("nobody holds it"));
        let lock = bytes_of(&engine, &warehouse, FILE).expect("a lock");
        put(
            &engine,
            &warehouse,
            FILE,
            &changed(&lock, |value| value["host"] = "elsewhere".into()),
        );
        let taken = Lease::take(&engine, &warehouse, &run("two"));
        assert_eq!(taken.is_ok(), is_taken_over, "{age_minutes} minutes");
        assert_eq!(listing(&engine, &warehouse), [FILE], "the probe is gone");
    }
}

#[test]
fn an_unreadable_lock_is_judged_by_its_age() {
    let (engine, warehouse) = (engine(), in_memory());
    put(&engine, &warehouse, FILE, b"\0");
    assert_eq!(
        Lease::take(&engine, &warehouse, &run("one")).expect_err("it is young").kind(),
        ErrorKind::Conflict
    );
}
