//! What stages run on: tokio runtime, rayon pool, DataFusion sessions, object stores, clock, memory limit. Local now, a cluster later.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use chrono::{DateTime, Utc};
use datafusion::error::DataFusionError;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::prelude::{DataFrame, SessionContext};
use futures::FutureExt;
use object_store::ObjectStore;

use crate::error::{Error, Result};

mod ending;
mod farewell;
pub mod functions;
mod limits;
mod memory;
mod session;
mod sql;
mod store;
mod temp;
mod told;

pub use farewell::{Ending, Farewell};
pub use memory::Memory;
pub use session::Thrift;
pub use sql::{diagnose, is_exhausted, select_only, sql_error};
pub use store::{NotFound, store_error};
pub use told::{Told, told};

/// What an engine may use.
#[derive(Debug, Clone, Default)]
pub struct EngineOptions {
    /// Worker threads; default: the machine's cores (cgroup quota respected).
    pub threads: Option<usize>,
    /// Memory that the process may hold, in bytes; default: 90 % of the cgroup's limit, or 80 % of the machine's memory.
    pub memory_limit_bytes: Option<u64>,
    /// Folder below which temporary files are written; default: the system's.
    pub temp_dir: Option<PathBuf>,
    /// How often a request to a store is tried again, within 150 seconds; default: 8, with growing random pauses.
    pub retries_max: Option<usize>,
}

/// The machine of one run. Cheap to pass by reference; made once by the command line.
pub struct Engine {
    threads: usize,
    memory: Arc<Memory>,
    retries_max: usize,
    runtime: tokio::runtime::Runtime,
    pool: Arc<rayon::ThreadPool>,
    environment: Arc<RuntimeEnv>,
    stores: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
    farewells: Arc<farewell::Farewells>,
    clock: Clock,
    /// Removes temporary files when a signal ends the process.
    _farewell_of_temp: Option<Farewell>,
    /// After the environment, which holds files in it: fields are dropped in their order.
    temp: Option<Arc<temp::TempFolder>>,
}

/// What tells the time.
type Clock = Box<dyn Fn() -> DateTime<Utc> + Send + Sync>;

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("threads", &self.threads)
            .field("memory", &self.memory)
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

impl Engine {
    /// Starts the runtime and the pools.
    ///
    /// # Errors
    /// `Environment` if threads cannot be started, or the given folder for temporary files cannot be used.
    pub fn new(options: &EngineOptions) -> Result<Self> {
        let threads = options.threads.unwrap_or_else(limits::cores).max(1);
        let memory = limits::memory(options.memory_limit_bytes);
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
        let temp = match &options.temp_dir {
            Some(root) => Some(temp::TempFolder::new(root)?),
            // Without a folder nothing spills; most commands need none.
            None => temp::TempFolder::new(&std::env::temp_dir()).ok(),
        };
        let temp = temp.map(Arc::new);
        let farewells = Arc::default();
        let environment = session::environment(temp.as_ref().map(|temp| temp.path()))?;
        Ok(Self {
            threads,
            memory: Arc::new(memory),
            retries_max: options.retries_max.unwrap_or(store::RETRIES_MAX),
            runtime,
            pool: Arc::new(pool),
            environment,
            stores: Mutex::default(),
            _farewell_of_temp: temp
                .clone()
                .map(|temp| farewell::promise(&farewells, async move { temp.remove() }.boxed())),
            farewells,
            clock: Box::new(Utc::now),
            temp,
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
        self.memory.limit_bytes()
    }

    /// What the run may hold, for stages that know what they will take.
    #[must_use]
    pub fn memory(&self) -> &Memory {
        &self.memory
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
            .map_err(|error| self.placed(sql_error(&error)))
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
