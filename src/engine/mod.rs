//! What stages run on: tokio runtime, rayon pool, DataFusion sessions, object stores, clock, memory limit. Local now, a cluster later.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::prelude::SessionContext;
use object_store::ObjectStore;

use crate::error::Result;

pub mod functions;

/// What an engine may use.
#[derive(Debug, Clone, Default)]
pub struct EngineOptions {
    /// Worker threads; default: the machine's cores (cgroup quota respected).
    pub threads: Option<usize>,
    /// Memory that SQL may hold before it spills, in bytes; default: 70 % of the cgroup's or machine's memory.
    pub memory_limit_bytes: Option<u64>,
}

/// The machine of one run. Cheap to pass by reference; made once by the command line.
pub struct Engine {
    _private: (),
}

/// A place in an object store: the store and a path or prefix in it.
#[derive(Debug, Clone)]
pub struct Location {
    /// The store.
    pub store: Arc<dyn ObjectStore>,
    /// Path inside the store.
    pub path: object_store::path::Path,
    /// For messages: the URL or path as the user wrote it, without credentials.
    pub display: String,
    /// The local folder behind it, where there is one: publishing fsyncs there.
    pub local: Option<std::path::PathBuf>,
}

impl Engine {
    /// Starts the runtime and the pools.
    ///
    /// # Errors
    /// `Environment` if threads cannot be started.
    pub fn new(_options: &EngineOptions) -> Result<Self> {
        todo!()
    }

    /// Worker threads.
    #[must_use]
    pub fn threads(&self) -> usize {
        todo!()
    }

    /// Memory limit in bytes.
    #[must_use]
    pub fn memory_limit_bytes(&self) -> u64 {
        todo!()
    }

    /// Runs a future to its end on the engine's runtime.
    pub fn wait<F: Future>(&self, _future: F) -> F::Output {
        todo!()
    }

    /// Runs CPU work on the engine's rayon pool (so that `--threads` holds for kernels too).
    pub fn compute<T: Send>(&self, _work: impl FnOnce() -> T + Send) -> T {
        todo!()
    }

    /// A fresh SQL session: nothing but our functions and DataFusion's, no tables, no information schema, no file access.
    #[must_use]
    pub fn session(&self) -> SessionContext {
        todo!()
    }

    /// The store and path behind a URL or a local path (relative ones against `base`).
    ///
    /// # Errors
    /// `Config` for a URL that is not understood, `Environment` if the store's client cannot be made.
    pub fn location(&self, _url_or_path: &str, _base: &Path) -> Result<Location> {
        todo!()
    }

    /// The time now. The only clock of the program.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        todo!()
    }
}
