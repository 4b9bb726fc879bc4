//! Ends a process whose memory limit is passed: the way a signal ends it, before the system does it the hard way.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Engine;
use crate::error::{Error, Result};

/// Time for the farewell when memory is short: the stage goes on growing meanwhile.
const FAREWELL_MAX: Duration = Duration::from_secs(1);
const LOOK_AFTER: Duration = Duration::from_millis(2);

impl Engine {
    /// Watches the memory of the process as long as the engine lives, and calls `act` with an error that names the stage when the limit is
    /// passed: after the farewell and without temporary files. `act` is expected to end the process.
    ///
    /// # Errors
    /// `Environment` if the watching thread cannot be started.
    pub fn on_memory_exceeded(&self, act: impl FnOnce(&Error) + Send + 'static) -> Result<()> {
        let memory = Arc::downgrade(&self.memory);
        let (farewells, temp) = (Arc::clone(&self.farewells), self.temp.as_ref().map(Arc::downgrade));
        let runtime = self.runtime.handle().clone();
        let watch = move || {
            let Some(memory) = memory.upgrade() else { return };
            // The engine and this thread: once only this thread is left, there is nothing to watch.
            let Some(error) = memory.watch(|| Arc::strong_count(&memory) == 1) else {
                return;
            };
            let started = Instant::now();
            let hurry = async {
                let mut look = tokio::time::interval(LOOK_AFTER);
                while started.elapsed() < FAREWELL_MAX && !memory.is_at_ceiling() {
                    look.tick().await;
                }
            };
            runtime.block_on(farewells.say(hurry));
            if let Some(temp) = temp.and_then(|temp| temp.upgrade()) {
                temp.remove();
            }
            act(&error);
            farewells.end();
        };
        std::thread::Builder::new()
            .name("stammkunde-memory".to_owned())
            .spawn(watch)
            .map(drop)
            .map_err(|error| super::no_threads(self.threads).because(error))
    }
}
