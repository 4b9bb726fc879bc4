//! What stages run on: tokio runtime, rayon pool, DataFusion sessions, object stores, clock, memory limit. Local now, a cluster later.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use chrono::{DateTime, Utc};
use datafusion::error::DataFusionError;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::{DataFrame, SessionConfig, SessionContext};
use object_store::ObjectStore;

use crate::error::{Error, Result};

mod farewell;
pub mod functions;
mod limits;
mod sql;
mod store;
mod told;

pub use farewell::{Ending, Farewell};
pub use sql::{diagnose, select_only, sql_error};
pub use store::{NotFound, store_error};
pub use told::{Told, told};

/// What an engine may use.
#[derive(Debug, Clone, Default)]
pub struct EngineOptions {
    /// Worker threads; default: the machine's cores (cgroup quota respected).
    pub threads: Option<usize>,
    /// Memory that SQL may hold before it spills, in bytes; default: 70 % of the cgroup's or machine's memory.
    pub memory_limit_bytes: Option<u64>,
    /// How often a request to a store is tried again, within 150 seconds; default: 8, with growing random pauses.
    pub retries_max: Option<usize>,
}

/// The machine of one run. Cheap to pass by reference; made once by the command line.
pub struct Engine {
    threads: usize,
    memory_limit_bytes: u64,
    retries_max: usize,
    runtime: tokio::runtime::Runtime,
    pool: rayon::ThreadPool,
    environment: Arc<RuntimeEnv>,
    stores: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
    farewells: Arc<farewell::Farewells>,
    clock: Clock,
}

/// What tells the time.
type Clock = Box<dyn Fn() -> DateTime<Utc> + Send + Sync>;

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("threads", &self.threads)
            .field("memory_limit_bytes", &self.memory_limit_bytes)
            .finish_non_exhaustive()
    }
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
    /// The local folder (or file) behind it, where there is one: publishing fsyncs there.
    pub local: Option<PathBuf>,
}

/// Functions of SQL that give another value on every call. Without them the same input gives the same bytes.
const VOLATILE: [&str; 6] = ["random", "uuid", "now", "current_timestamp", "current_date", "current_time"];

/// How many of the largest consumers an out-of-memory error names.
const CONSUMERS_NAMED: NonZeroUsize = NonZeroUsize::new(5).expect("5 is not 0");

impl Engine {
    /// Starts the runtime and the pools.
    ///
    /// # Errors
    /// `Environment` if threads cannot be started.
    pub fn new(options: &EngineOptions) -> Result<Self> {
        let threads = options.threads.unwrap_or_else(limits::cores).max(1);
        let memory_limit_bytes = options.memory_limit_bytes.unwrap_or_else(limits::memory_default_bytes);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("stammkunde-io")
            .enable_all()
            .build()
            .map_err(|error| no_threads(threads).because(error))?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("stammkunde-cpu-{index}"))
            .build()
            .map_err(|error| no_threads(threads).because(error))?;
        let limit = usize::try_from(memory_limit_bytes).unwrap_or(usize::MAX);
        let environment = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(TrackConsumersPool::new(FairSpillPool::new(limit), CONSUMERS_NAMED)))
            .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::OsTmpDirectory))
            .build_arc()
            .map_err(|error| sql_error(&error).with("action", "start the SQL runtime"))?;
        Ok(Self {
            threads,
            memory_limit_bytes,
            retries_max: options.retries_max.unwrap_or(store::RETRIES_MAX),
            runtime,
            pool,
            environment,
            stores: Mutex::default(),
            farewells: Arc::default(),
            clock: Box::new(Utc::now),
        })
    }

    /// Worker threads.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Memory limit in bytes.
    #[must_use]
    pub fn memory_limit_bytes(&self) -> u64 {
        self.memory_limit_bytes
    }

    /// Runs a future to its end on the engine's runtime. Never call it from inside such a future.
    pub fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Starts a future in the background; [`Engine::wait`] for the handle gives its output.
    pub fn spawn<F>(&self, future: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.runtime.spawn(future)
    }

    /// Runs CPU work on the engine's rayon pool (so that `--threads` holds for kernels too).
    pub fn compute<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.pool.install(work)
    }

    /// A fresh SQL session: nothing but our functions and DataFusion's, no tables, no information schema, no file access.
    ///
    /// Functions that differ from call to call (`now`, `random`, `uuid` …) are left out.
    #[must_use]
    pub fn session(&self) -> SessionContext {
        self.session_with(None)
    }

    /// A session whose parsing functions note every text they cannot understand in the handle.
    #[must_use]
    pub fn session_collecting(&self) -> (SessionContext, functions::Unparsed) {
        let unparsed = functions::Unparsed::default();
        (self.session_with(Some(&unparsed)), unparsed)
    }

    fn session_with(&self, unparsed: Option<&functions::Unparsed>) -> SessionContext {
        let mut config = SessionConfig::new()
            .with_target_partitions(self.threads)
            .with_information_schema(false);
        let parser = &mut config.options_mut().sql_parser;
        parser.collect_spans = true;
        parser.map_string_types_to_utf8view = false;
        let session = SessionContext::new_with_config_rt(config, Arc::clone(&self.environment));
        for name in VOLATILE {
            session.deregister_udf(name);
        }
        functions::register(&session, unparsed);
        session
    }

    /// Plans a text that must be exactly one query (`SELECT`, `WITH`, `VALUES`).
    ///
    /// # Errors
    /// `Config` with line, column and hint of each finding; the findings name no file, see [`Engine::plan_file`].
    pub fn plan(&self, session: &SessionContext, sql: &str) -> Result<DataFrame> {
        self.plan_file(session, "query", sql)
    }

    /// As [`Engine::plan`], for the text of a file of the project.
    ///
    /// # Errors
    /// `Config` with file, line, column and hint of each finding.
    pub fn plan_file(&self, session: &SessionContext, file: &str, sql: &str) -> Result<DataFrame> {
        self.try_plan(session, sql)
            .map_err(|error| Error::diagnostics(diagnose(&error, file, sql)))
    }

    /// As [`Engine::plan`], with DataFusion's own error, for [`diagnose`].
    ///
    /// # Errors
    /// What DataFusion says, or that the text is not exactly one query.
    pub fn try_plan(&self, session: &SessionContext, sql: &str) -> Result<DataFrame, DataFusionError> {
        self.wait(select_only(session, sql))
    }

    /// Runs a planned query to its end. The order of rows is the query's: undefined without `ORDER BY`.
    ///
    /// # Errors
    /// `Environment` if memory or disk does not suffice, `Input` if a value cannot be computed.
    pub fn collect(&self, frame: DataFrame) -> Result<Vec<RecordBatch>> {
        // Spawned, so that the work runs on the workers and not on the calling thread.
        self.wait(self.spawn(frame.collect()))
            .map_err(|error| Error::internal("a query stopped in the middle").because(error))?
            .map_err(|error| sql_error(&error))
    }

    /// The store and path behind a URL or a local path (relative ones against `base`).
    ///
    /// `s3://bucket/p`, `gs://bucket/p`, `az://container/p`, `abfss://container@account.dfs.core.windows.net/p`, `file:///p`, `p`.
    /// Credentials and endpoints come from the environment (`AWS_*`, `GOOGLE_*`, `AZURE_*`), never from the URL. Nothing is requested.
    /// Locations of one bucket share a client. A local path need not exist.
    ///
    /// # Errors
    /// `Config` for a URL that is not understood, `Environment` if the store's client cannot be made.
    pub fn location(&self, url_or_path: &str, base: &Path) -> Result<Location> {
        let target = store::Target::parse(url_or_path, base)?;
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        let store = match stores.get(&target.bucket) {
            Some(store) => Arc::clone(store),
            None => {
                let store = target.open(self.retries_max)?;
                stores.insert(target.bucket.clone(), Arc::clone(&store));
                store
            }
        };
        Ok(Location {
            store,
            path: target.path,
            display: target.display,
            local: target.local,
        })
    }

    /// Serves a bucket (`s3://name`) or every local path (`/`) with a store of the caller's instead of one of its own.
    ///
    /// # Errors
    /// `Config` for a URL that is not understood.
    pub fn serve(&self, url: &str, store: Arc<dyn ObjectStore>) -> Result<()> {
        let target = store::Target::parse(url, Path::new("/"))?;
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        stores.insert(target.bucket, store);
        Ok(())
    }

    /// Takes the time from another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// The time now. The only clock of the program.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }
}

impl Drop for Engine {
    /// While a signal ends the process its farewells need the runtime, and no other exit code may come first.
    fn drop(&mut self) {
        self.farewells.wait();
    }
}

fn no_threads(threads: usize) -> Error {
    Error::environment("worker threads cannot be started")
        .with("threads", threads.to_string())
        .hint("give fewer with --threads, or raise the process limit")
}

#[cfg(test)]
mod tests;
