//! The memory limit of a whole run: what the process holds is measured, not added up from guesses, and a stage that would pass the limit ends
//! the run with a sentence instead of the kernel ending it without one.
//!
//! Three things hold it. A stage that knows what it will take asks first ([`Memory::reserve`]). SQL gets what is left, and spills
//! ([`Memory::for_sql_bytes`]). And whoever owns the process may have it watched ([`super::Engine::on_memory_exceeded`]): every few
//! milliseconds, the more often the closer the limit is, because loops and libraries in between do not ask.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::error::{Error, Result};

/// Of what is left, a third is given to the pool of SQL: it does not count batches on their way, nor the tables that come out.
const POOL_PART: u64 = 3;
/// The least that SQL gets, as a part of the limit: what is held already may be more than the limit where nobody watches it.
const POOL_PART_MIN: u64 = 8;
/// How fast memory can grow, in bytes a second: what one thread can fill.
const GROWTH_BYTES_A_SECOND: u64 = 4 << 30;
const LOOK_AFTER_MIN: Duration = Duration::from_millis(2);
const LOOK_AFTER_MAX: Duration = Duration::from_millis(100);
/// How long a stage waits for the watch to end the process, in case nobody does.
const TOLD_WAIT: Duration = Duration::from_secs(3);

/// What a run may hold, and what it is doing.
#[derive(Debug)]
pub struct Memory {
    limit_bytes: u64,
    /// Where there is no time left for anything: the limit and a fifth, or just below what the system allows.
    ceiling_bytes: u64,
    stage: Mutex<String>,
    /// Whether somebody has the error already: a stage that asked, or the watch.
    is_told: AtomicBool,
}

impl Memory {
    pub(super) fn new(limit_bytes: u64, system_bytes: Option<u64>) -> Self {
        let above = limit_bytes.saturating_add(limit_bytes / 5);
        let below_system = system_bytes.map_or(u64::MAX, |bytes| bytes / 100 * 97);
        Self {
            limit_bytes,
            ceiling_bytes: above.min(below_system).max(limit_bytes),
            stage: Mutex::new("start".to_owned()),
            is_told: AtomicBool::new(false),
        }
    }

    /// Most bytes that the process may hold.
    #[must_use]
    pub fn limit_bytes(&self) -> u64 {
        self.limit_bytes
    }

    /// Names what is done from now on, for whoever has to say where memory ended.
    ///
    /// # Errors
    /// `Environment` if the limit is passed already.
    pub fn enter(&self, stage: &str) -> Result<()> {
        stage.clone_into(&mut self.stage.lock().unwrap_or_else(PoisonError::into_inner));
        self.reserve(0)
    }

    /// Asks for bytes beside what is held: the least that the next step will take, so that a run that cannot end well ends before it.
    ///
    /// # Errors
    /// `Environment`, naming the stage, what it needs, what is held, the limit, and what to change.
    pub fn reserve(&self, bytes: u64) -> Result<()> {
        let held = resident_bytes();
        if held == 0 || held.saturating_add(bytes) <= self.limit_bytes {
            return Ok(());
        }
        if self.is_told.swap(true, Ordering::Relaxed) {
            // The watch is ending the process: one error is enough.
            std::thread::park_timeout(TOLD_WAIT);
        }
        Err(self.exceeded(held, bytes))
    }

    /// What the pool of SQL may hold: most of what is left now.
    #[must_use]
    pub(super) fn for_sql_bytes(&self) -> u64 {
        let left = self.limit_bytes.saturating_sub(resident_bytes());
        (left / POOL_PART).max(self.limit_bytes / POOL_PART_MIN)
    }

    /// The error of a process that holds `held` bytes, and would need `more`.
    fn exceeded(&self, held: u64, more: u64) -> Error {
        let stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut error = Error::environment("the run needs more memory than it may hold")
            .with("stage", &*stage)
            .with("held", mebibytes(held));
        if more > 0 {
            error = error.with("needs at least", format!("{} more", mebibytes(more)));
        }
        let limit = mebibytes(self.limit_bytes);
        error.with("limit", limit).hint(format!(
            "raise --memory-limit (or the container's limit), or {}; `stammkunde plan` predicts what a run takes",
            remedy(&stage)
        ))
    }

    /// Looks until the limit is passed, and gives the error then; `None` once `is_over` says that nobody needs to look any more.
    pub(super) fn watch(&self, is_over: impl Fn() -> bool) -> Option<Error> {
        loop {
            let held = resident_bytes();
            if held == 0 || is_over() {
                return None;
            }
            if held > self.limit_bytes {
                let is_told = self.is_told.swap(true, Ordering::Relaxed);
                return (!is_told).then(|| self.exceeded(held, 0));
            }
            std::thread::park_timeout(look_after(self.limit_bytes - held));
        }
    }

    /// Whether memory is so near its end that nothing can be waited for.
    pub(super) fn is_at_ceiling(&self) -> bool {
        resident_bytes() > self.ceiling_bytes
    }
}

/// How long nobody needs to look while that many bytes are left.
fn look_after(left_bytes: u64) -> Duration {
    let micros = left_bytes.saturating_mul(1_000_000 / 4) / GROWTH_BYTES_A_SECOND;
    Duration::from_micros(micros).clamp(LOOK_AFTER_MIN, LOOK_AFTER_MAX)
}

/// What makes a stage take less.
fn remedy(stage: &str) -> &'static str {
    match stage {
        "source" | "standardize" => "map fewer columns, or split the project by region, or deliver smaller files",
        "block" | "train" | "score" | "cluster" => {
            "make fewer pairs: drop a blocking rule, make it narrower or `coarse`, or lower `identity.block_pairs_max`"
        }
        "model" | "audit" => "split a model in two, or let it read fewer columns",
        _ => "map fewer columns, or split the project by region",
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

/// Resident memory of this process in bytes; 0 where `/proc` does not tell.
pub(super) fn resident_bytes() -> u64 {
    fs::read_to_string("/proc/self/status").map_or(0, |status| resident_of(&status))
}

fn resident_of(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok())
        .unwrap_or(0)
        * 1024
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn what_fits_is_given_and_what_does_not_names_stage_need_limit_and_remedy() {
        let held = resident_bytes();
        let memory = Memory::new(held + (256 << 20), None);
        assert!(memory.enter("score").is_ok() && memory.reserve(1 << 20).is_ok());
        let error = memory.reserve(1 << 40).expect_err("a tebibyte does not fit");
        assert_eq!(error.kind(), ErrorKind::Environment);
        let text = error.to_string();
        for part in ["stage: score", "held: ", "needs at least: 1048576 MiB more", "limit: "] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(
            error
                .hint_text()
                .is_some_and(|hint| hint.contains("--memory-limit") && hint.contains("coarse"))
        );
    }

    #[test]
    fn the_watch_ends_with_the_error_or_when_nobody_needs_it() {
        let passed = Memory::new(1, None);
        assert!(passed.enter("key").is_err(), "the limit is passed on entering");
        assert!(passed.watch(|| false).is_none(), "the stage has the error already");
        let passed = Memory::new(1, None);
        "key".clone_into(&mut passed.stage.lock().expect("nobody panicked"));
        assert!(passed.watch(|| false).is_some_and(|error| error.to_string().contains("stage: key")));
        assert!(passed.is_at_ceiling());
        assert!(Memory::new(u64::MAX, None).watch(|| true).is_none());
    }

    #[test]
    fn the_ceiling_lies_above_the_limit_and_below_what_the_system_allows() {
        assert_eq!(Memory::new(1000, None).ceiling_bytes, 1200);
        assert_eq!(Memory::new(1000, Some(1100)).ceiling_bytes, 1067);
        assert_eq!(Memory::new(1000, Some(500)).ceiling_bytes, 1000);
    }

    #[test]
    fn sql_gets_what_is_left_and_never_nothing() {
        let held = resident_bytes();
        assert_eq!(Memory::new(800, None).for_sql_bytes(), 100);
        let left = Memory::new(held + (4 << 30), None).for_sql_bytes();
        assert!(left > 1 << 30 && left <= 2 << 30, "{left}");
    }

    #[test]
    fn the_closer_the_limit_the_sooner_the_next_look() {
        assert_eq!(look_after(0), LOOK_AFTER_MIN);
        assert_eq!(look_after(1 << 40), LOOK_AFTER_MAX);
        assert!(look_after(256 << 20) < LOOK_AFTER_MAX);
        assert_eq!(resident_of("VmHWM:\t 9 kB\nVmRSS:\t      12 kB\n"), 12 * 1024);
        assert_eq!(resident_of(""), 0);
    }
}
