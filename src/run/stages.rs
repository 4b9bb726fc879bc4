//! Times the stages of a run and tells a listener where it is.

use std::time::Instant;

use crate::error::Result;
use crate::report::{Resources, StageTime, process_cpu_ms, process_memory_bytes_max};

/// Listens to a run. The command line draws a bar or prints lines; tests listen silently.
pub trait Progress: Sync {
    /// A stage begins.
    fn started(&self, stage: &str);
    /// A stage ended well.
    fn finished(&self, time: &StageTime);
}

/// Listens and says nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn started(&self, _stage: &str) {}
    fn finished(&self, _time: &StageTime) {}
}

/// The stages done so far.
pub struct Stages<'a> {
    progress: &'a dyn Progress,
    started: Instant,
    cpu_ms_before: u64,
    done: Vec<StageTime>,
}

impl<'a> Stages<'a> {
    /// Starts the clock.
    #[must_use]
    pub fn new(progress: &'a dyn Progress) -> Self {
        Self {
            progress,
            started: Instant::now(),
            cpu_ms_before: process_cpu_ms(),
            done: Vec::new(),
        }
    }

    /// Runs one stage and keeps its time.
    ///
    /// # Errors
    /// Of the stage.
    pub fn time<T>(&mut self, stage: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.progress.started(stage);
        let (started, cpu_ms) = (Instant::now(), process_cpu_ms());
        let result = work()?;
        let time = StageTime {
            stage: stage.to_owned(),
            elapsed_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            cpu_ms: process_cpu_ms() - cpu_ms,
        };
        self.progress.finished(&time);
        self.done.push(time);
        Ok(result)
    }

    /// Times so far, and the totals.
    #[must_use]
    pub fn totals(&self) -> (Vec<StageTime>, Resources) {
        let resources = Resources {
            elapsed_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            cpu_ms: process_cpu_ms() - self.cpu_ms_before,
            memory_bytes_max: process_memory_bytes_max(),
        };
        (self.done.clone(), resources)
    }

    /// Times and totals at the end.
    #[must_use]
    pub fn finish(self) -> (Vec<StageTime>, Resources) {
        self.totals()
    }
}
