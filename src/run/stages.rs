//! Times the stages of a run and tells a listener where it is.

use std::time::{Duration, Instant};

use crate::engine::Memory;
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

/// What is called between stages, at most once in that time.
struct Heartbeat<'a> {
    every: Duration,
    last: Instant,
    beat: &'a dyn Fn() -> Result<()>,
}

/// The stages done so far.
pub struct Stages<'a> {
    progress: &'a dyn Progress,
    heartbeat: Option<Heartbeat<'a>>,
    memory: Option<&'a Memory>,
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
            heartbeat: None,
            memory: None,
            started: Instant::now(),
            cpu_ms_before: process_cpu_ms(),
            done: Vec::new(),
        }
    }

    /// Runs a part of a stage that the listener hears of only when [`Stages::time`] ends the stage, or that ended already.
    ///
    /// # Errors
    /// Of the part, or that memory is used up.
    pub fn part<T>(&mut self, stage: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.enter(stage)?;
        let (started, cpu_ms) = (Instant::now(), process_cpu_ms());
        let result = work()?;
        self.add(stage, started, cpu_ms);
        Ok(result)
    }

    fn add(&mut self, stage: &str, started: Instant, cpu_ms: u64) -> StageTime {
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let cpu_ms = process_cpu_ms() - cpu_ms;
        let time = StageTime {
            stage: stage.to_owned(),
            elapsed_ms,
            cpu_ms,
        };
        match self.done.iter_mut().find(|done| done.stage == stage) {
            Some(done) => {
                done.elapsed_ms += time.elapsed_ms;
                done.cpu_ms += time.cpu_ms;
                done.clone()
            }
            None => {
                self.done.push(time.clone());
                time
            }
        }
    }

    /// Calls `beat` before a stage if that much time has passed since the last call; an error of it ends the run.
    #[must_use]
    pub fn beating(mut self, every: Duration, beat: &'a dyn Fn() -> Result<()>) -> Self {
        let last = Instant::now();
        self.heartbeat = Some(Heartbeat { every, last, beat });
        self
    }

    /// Tells the memory which stage takes it, and ends the run before a stage for which none is left.
    #[must_use]
    pub fn within(mut self, memory: &'a Memory) -> Self {
        self.memory = Some(memory);
        self
    }

    fn enter(&self, stage: &str) -> Result<()> {
        self.memory.map_or(Ok(()), |memory| memory.enter(stage))
    }

    /// Runs one stage and keeps its time.
    ///
    /// # Errors
    /// Of the stage, of the heartbeat, or that memory is used up.
    pub fn time<T>(&mut self, stage: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        if let Some(heartbeat) = &mut self.heartbeat
            && heartbeat.last.elapsed() >= heartbeat.every
        {
            (heartbeat.beat)()?;
            heartbeat.last = Instant::now();
        }
        self.progress.started(stage);
        self.enter(stage)?;
        let (started, cpu_ms) = (Instant::now(), process_cpu_ms());
        let result = work()?;
        let time = self.add(stage, started, cpu_ms);
        self.progress.finished(&time);
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::error::Error;

    #[test]
    fn the_heart_beats_between_stages_once_its_time_has_come_and_an_error_ends_the_run() {
        let beats = Cell::new(0);
        let beat = || {
            beats.set(beats.get() + 1);
            if beats.get() < 3 { Ok(()) } else { Err(Error::conflict("lost")) }
        };
        let mut stages = Stages::new(&Silent).beating(Duration::ZERO, &beat);
        assert!(stages.time("one", || Ok(())).is_ok() && stages.time("two", || Ok(())).is_ok());
        assert!(stages.time("three", || Ok(())).is_err());
        assert_eq!((beats.get(), stages.totals().0.len()), (3, 2));
        let mut seldom = Stages::new(&Silent).beating(Duration::from_secs(3600), &beat);
        assert!(seldom.time("one", || Ok(())).is_ok());
        assert_eq!(beats.get(), 3);
    }
}
