//! SQL sessions: what they know, and how much memory and disk their queries may take.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};

use super::{Engine, VOLATILE, functions, sql_error};
use crate::error::{Error, ErrorKind, Result};

/// How many of the largest consumers an out-of-memory error names.
const CONSUMERS_NAMED: NonZeroUsize = NonZeroUsize::new(5).expect("5 is not 0");
/// Memory that a partition of a query should have before another thread gets one, in bytes: spilling in thin slices is slower than one thread.
const PARTITION_BYTES: u64 = 32 << 20;
/// What a sort keeps back for merging what it spilled, as a part of its share, and in bytes at most.
const MERGE_PART: u64 = 8;
const MERGE_BYTES_MAX: u64 = 10 << 20;

/// How a session spends memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thrift {
    /// As fast as possible: joins hold one side in memory.
    Fast,
    /// As little as possible: one partition, joins by sorting, which can spill.
    Frugal,
}

/// The environment that all sessions share: temporary files below `temp`, or none.
pub(super) fn environment(temp: Option<&Path>) -> Result<Arc<RuntimeEnv>> {
    let mode = temp.map_or(DiskManagerMode::Disabled, |folder| {
        DiskManagerMode::Directories(vec![folder.to_owned()])
    });
    RuntimeEnvBuilder::new()
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(mode))
        .build_arc()
        .map_err(|error| sql_error(&error).with("action", "start the SQL runtime"))
}

impl Engine {
    /// A fresh SQL session: nothing but our functions and DataFusion's, no tables, no information schema, no file access. Its queries may hold
    /// what the memory limit leaves when it is made.
    ///
    /// Functions that differ from call to call (`now`, `random`, `uuid` …) are left out.
    #[must_use]
    pub fn session(&self) -> SessionContext {
        self.session_with(Thrift::Fast, None)
    }

    /// As [`Engine::session`], for a query that a fast session had too little memory for.
    #[must_use]
    pub fn session_spending(&self, thrift: Thrift) -> SessionContext {
        self.session_with(thrift, None)
    }

    /// A session whose parsing functions note every text they cannot understand in the handle.
    #[must_use]
    pub fn session_collecting(&self) -> (SessionContext, functions::Unparsed) {
        let unparsed = functions::Unparsed::default();
        (self.session_with(Thrift::Fast, Some(&unparsed)), unparsed)
    }

    fn session_with(&self, thrift: Thrift, unparsed: Option<&functions::Unparsed>) -> SessionContext {
        let pool_bytes = self.memory.for_sql_bytes();
        let partitions = match thrift {
            Thrift::Fast => usize::try_from(pool_bytes / PARTITION_BYTES)
                .unwrap_or(usize::MAX)
                .clamp(1, self.threads),
            Thrift::Frugal => 1,
        };
        let merge_bytes = (pool_bytes / partitions as u64 / MERGE_PART).min(MERGE_BYTES_MAX);
        let mut config = SessionConfig::new()
            .with_target_partitions(partitions)
            .with_information_schema(false)
            .with_sort_spill_reservation_bytes(usize::try_from(merge_bytes).unwrap_or(usize::MAX));
        config.options_mut().optimizer.prefer_hash_join = thrift == Thrift::Fast;
        let parser = &mut config.options_mut().sql_parser;
        parser.collect_spans = true;
        parser.map_string_types_to_utf8view = false;
        let pool = FairSpillPool::new(usize::try_from(pool_bytes).unwrap_or(usize::MAX));
        let environment = RuntimeEnvBuilder::from_runtime_env(&self.environment)
            .with_memory_pool(Arc::new(TrackConsumersPool::new(pool, CONSUMERS_NAMED)))
            .build_arc()
            .expect("only the pool differs from an environment that was built");
        let session = SessionContext::new_with_config_rt(config, environment);
        for name in VOLATILE {
            session.deregister_udf(name);
        }
        functions::register(&session, unparsed, &self.pool);
        session
    }

    /// An error of a query, with the folder of temporary files where that is what a reader needs to know.
    #[must_use]
    pub fn placed(&self, error: Error) -> Error {
        match &self.temp {
            _ if error.kind() != ErrorKind::Environment => error,
            Some(temp) => error.with("temporary files", temp.path().display().to_string()),
            None => error.with("temporary files", "none: the folder for them cannot be written"),
        }
    }
}
