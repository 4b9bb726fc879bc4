//! A lease that tells other runs to stay away. It saves work; that versions are right rests on the commit alone.
//!
//! Nothing beats in the background: a run calls [`Lease::refresh`] between its stages. On the host of the holder the process table decides,
//! so a killed run never blocks the next one there; from another host, a lease that was not refreshed for [`LEASE_AGE_MAX_MINUTES`] is
//! taken over. Age is the store's own: the time of the lock against that of an object just written, never this machine's clock.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use object_store::ObjectStoreExt;
use serde::{Deserialize, Serialize};

use super::Warehouse;
use super::bucket::{Bucket, Created};
use crate::engine::{Engine, Farewell};
use crate::error::{Error, Result};
use crate::table::RunId;

const FILE: &str = "_lock.json";

/// From this age on, a lease of another host may be taken over.
pub const LEASE_AGE_MAX_MINUTES: i64 = 15;

/// How often a lease is tried for while others come and go.
const ATTEMPTS_MAX: u32 = 5;

/// Who holds it: `_lock.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Holder {
    run_id: RunId,
    host: String,
    boot: String,
    pid: u32,
    /// Start of the process in clock ticks since boot: a reused pid is another process.
    process_started: u64,
    started: DateTime<Utc>,
}

/// A lease held by this run.
#[derive(Debug)]
pub struct Lease {
    content: Bytes,
    farewell: Farewell,
}

impl Lease {
    /// Takes the lease of a warehouse.
    ///
    /// # Errors
    /// `Conflict` if a live run holds it, `Environment` for the store.
    pub fn take(engine: &Engine, warehouse: &Warehouse, run_id: &RunId) -> Result<Self> {
        let bucket = Bucket::new(engine, &warehouse.root);
        let holder = Holder {
            run_id: run_id.clone(),
            host: host(),
            boot: boot(),
            pid: std::process::id(),
            process_started: process_started(std::process::id()).unwrap_or(0),
            started: engine.now(),
        };
        let text = serde_json::to_vec_pretty(&holder).map_err(|error| Error::internal("a lease cannot be written").because(error))?;
        let content = Bytes::from(text);
        for _ in 0..ATTEMPTS_MAX {
            match bucket.create(FILE, &content) {
                Ok(Created::Yes) => return Self::held_by_us(&bucket, content),
                Ok(Created::Exists) => {}
                Err(error) => return Self::settle(&bucket, content, error),
            }
            let Some(found) = bucket.get(FILE)? else { continue };
            if found == content {
                // The reply to our own create got lost.
                return Self::held_by_us(&bucket, content);
            }
            if !is_stale(&bucket, &found)? {
                return Err(held(&bucket, &found));
            }
            tracing::warn!("a lease of a run that is gone is taken over");
            if bucket.get(FILE)?.as_ref() == Some(&found) {
                bucket.delete(FILE)?;
            }
        }
        Err(Error::conflict("other runs keep taking the lease").with("warehouse", &warehouse.root.display))
    }

    /// An error whose outcome is unknown: the lease is ours if it stands there, and half of it is removed, for it would lock everybody out.
    fn settle(bucket: &Bucket<'_>, content: Bytes, error: Error) -> Result<Self> {
        match bucket.get(FILE) {
            Ok(Some(found)) if found == content => return Self::held_by_us(bucket, content),
            Ok(Some(found)) if content.starts_with(&found) => drop(bucket.delete(FILE)),
            _ => {}
        }
        Err(error)
    }

    /// The lease, which a signal gives back too: the next attempt may be on another host, where nobody can see that this run is gone.
    fn held_by_us(bucket: &Bucket<'_>, content: Bytes) -> Result<Self> {
        let (store, path, ours) = (Arc::clone(&bucket.root.store), bucket.path(FILE)?, content.clone());
        let farewell = async move {
            let Ok(found) = store.get(&path).await else { return };
            if found.bytes().await.is_ok_and(|found| found == ours) {
                // What fails here is left to the next run, which takes the lease over.
                let _ = store.delete(&path).await;
            }
        };
        let farewell = bucket.engine.at_farewell(farewell.boxed());
        Ok(Self { content, farewell })
    }

    /// Says that the run is alive: call it between stages, at least every [`LEASE_AGE_MAX_MINUTES`].
    ///
    /// # Errors
    /// `Conflict` if another run took it over, `Environment` for the store.
    pub fn refresh(&self, engine: &Engine, warehouse: &Warehouse) -> Result<()> {
        if engine.is_ending() {
            return Err(Error::environment("the run is being stopped by a signal"));
        }
        let bucket = Bucket::new(engine, &warehouse.root);
        match bucket.get(FILE)? {
            Some(found) if found != self.content => Err(held(&bucket, &found)),
            _ => bucket.put(FILE, self.content.clone()),
        }
    }

    /// Gives it back. A failure is left to the next run, which takes it over.
    pub fn release(self, engine: &Engine, warehouse: &Warehouse) {
        if !self.farewell.cancel() {
            return;
        }
        let bucket = Bucket::new(engine, &warehouse.root);
        if matches!(bucket.get(FILE), Ok(Some(found)) if found == self.content)
            && let Err(error) = bucket.delete(FILE)
        {
            tracing::warn!(%error, "the lease could not be given back");
        }
    }
}

fn held(bucket: &Bucket<'_>, found: &Bytes) -> Error {
    let error = Error::conflict("another run holds the warehouse").with("file", bucket.shown(FILE));
    let error = match serde_json::from_slice::<Holder>(found) {
        Ok(holder) => error
            .with("run id", holder.run_id.as_str())
            .with("host", holder.host)
            .with("pid", holder.pid.to_string())
            .with("since", holder.started.to_rfc3339()),
        Err(_) => error,
    };
    error.hint(format!(
        "wait for it; a run that was killed is taken over at once on its host, and after {LEASE_AGE_MAX_MINUTES} minutes from others"
    ))
}

/// Whether the holder is surely gone (same host), or has been silent for too long (another host, or unreadable).
fn is_stale(bucket: &Bucket<'_>, found: &Bytes) -> Result<bool> {
    if let Ok(holder) = serde_json::from_slice::<Holder>(found)
        && holder.host == host()
        && let Some(is_alive) = is_alive(&holder)
    {
        return Ok(!is_alive);
    }
    let Some(lock) = bucket.head(FILE)? else { return Ok(false) };
    Ok(bucket.now()? - lock.last_modified > TimeDelta::minutes(LEASE_AGE_MAX_MINUTES))
}

/// Whether the process of a holder on this host lives; `None` where there is no `/proc`.
fn is_alive(holder: &Holder) -> Option<bool> {
    process_started(std::process::id())?;
    Some(holder.boot == boot() && process_started(holder.pid) == Some(holder.process_started))
}

/// Field 22 of `/proc/<pid>/stat`, `None` for a process that is gone or a zombie; the name in parentheses may hold anything.
fn process_started(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .map_or_else(|| "unknown".to_owned(), |name| name.trim().to_owned())
}

fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map_or_else(|_| String::new(), |id| id.trim().to_owned())
}
