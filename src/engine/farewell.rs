//! What is done last when a signal ends the process: uploads aborted, files of a draft deleted, the lease given back.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::watch;

use super::Engine;

/// Time for all farewells: within the grace that Kubernetes and systemd give.
const FAREWELLS_MAX: Duration = Duration::from_secs(5);

/// What is to be done, and whether it has begun.
#[derive(Default)]
struct State {
    next: u64,
    farewells: BTreeMap<u64, BoxFuture<'static, ()>>,
    has_begun: bool,
    is_over: bool,
}

/// The farewells of an engine.
pub(super) struct Farewells {
    state: Mutex<State>,
    over: Condvar,
    ending: watch::Sender<bool>,
}

impl Default for Farewells {
    fn default() -> Self {
        Self {
            state: Mutex::default(),
            over: Condvar::new(),
            ending: watch::Sender::new(false),
        }
    }
}

/// A promise to do something before a signal ends the process; taken back when it is dropped.
pub struct Farewell {
    id: u64,
    registry: Arc<Farewells>,
}

impl std::fmt::Debug for Farewell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Farewell").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Farewell {
    /// Takes it back. False: too late, the process is ending and the farewell is being done.
    #[must_use]
    pub fn cancel(self) -> bool {
        self.registry.lock().farewells.remove(&self.id).is_some()
    }
}

impl Drop for Farewell {
    fn drop(&mut self) {
        self.registry.lock().farewells.remove(&self.id);
    }
}

/// Knows when the process is ending.
#[derive(Debug, Clone)]
pub struct Ending(watch::Receiver<bool>);

impl Ending {
    /// Returns when the process is ending; else never.
    pub async fn begun(&mut self) {
        if self.0.wait_for(|has_begun| *has_begun).await.is_err() {
            // The engine is gone, and nobody is left to say it.
            std::future::pending::<()>().await;
        }
    }
}

impl Farewells {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does them one after the other, the youngest first, as long as `hurry` and the clock let it.
    pub(super) async fn say(&self, hurry: impl Future<Output = ()>) {
        let mut farewells = {
            let mut state = self.lock();
            state.has_begun = true;
            std::mem::take(&mut state.farewells)
        };
        self.ending.send_replace(true);
        let all = async {
            while let Some((_, farewell)) = farewells.pop_last() {
                farewell.await;
            }
        };
        tokio::select! {
            // A store that does not answer must not keep the process.
            _ = tokio::time::timeout(FAREWELLS_MAX, all) => {}
            () = hurry => {}
        }
    }

    /// Lets those go who wait for the end.
    pub(super) fn end(&self) {
        self.lock().is_over = true;
        self.over.notify_all();
    }

    /// Blocks while the process is ending: the one who ends it is the one who waits for the farewells.
    pub(super) fn wait(&self) {
        let mut state = self.lock();
        while state.has_begun && !state.is_over {
            state = self.over.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// See [`Engine::at_farewell`].
pub(super) fn promise(registry: &Arc<Farewells>, farewell: BoxFuture<'static, ()>) -> Farewell {
    let mut state = registry.lock();
    let id = state.next;
    state.next += 1;
    // After the last call nobody would keep it, and `cancel` says so.
    if !state.has_begun {
        state.farewells.insert(id, farewell);
    }
    drop(state);
    Farewell {
        id,
        registry: Arc::clone(registry),
    }
}

impl Engine {
    /// Promises to do something before a signal ends the process. Promises are kept in the reverse order, within 5 seconds in all.
    pub fn at_farewell(&self, farewell: BoxFuture<'static, ()>) -> Farewell {
        promise(&self.farewells, farewell)
    }

    /// Says the farewells now, for a program that ends in its own way: what works on this engine stops, and commits nothing any more.
    pub fn say_farewells(&self) {
        self.wait(self.farewells.say(std::future::pending()));
        self.farewells.end();
    }

    /// Whether a signal is ending the process.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        *self.farewells.ending.borrow()
    }

    /// For tasks that stop when the process is ending.
    #[must_use]
    pub fn ending(&self) -> Ending {
        Ending(self.farewells.ending.subscribe())
    }

    /// Calls `act` with the exit code 129, 130 or 143 when the terminal is gone or the process is interrupted or terminated, after the
    /// farewells; a second signal does not wait for them. Signals that the parent had ignored (`nohup`) stay ignored.
    ///
    /// A thread of its own listens, so that busy workers cannot keep the process from ending.
    pub fn on_termination(&self, act: impl Fn(i32) + Send + 'static) {
        let registry = Arc::clone(&self.farewells);
        let listen = move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
                return;
            };
            runtime.block_on(async {
                let (Some(mut first), Some(mut second)) = (Signals::listen(), Signals::listen()) else {
                    return;
                };
                let code = first.next().await;
                // The second listener has heard the first signal too.
                second.next().await;
                let hurry = async {
                    second.next().await;
                };
                registry.say(hurry).await;
                act(code);
            });
            registry.end();
        };
        // Without the thread a signal ends the process all the same, only less politely.
        let _ = std::thread::Builder::new().name("stammkunde-signals".to_owned()).spawn(listen);
    }
}

/// The signals that end a process; `None` for one that its parent had ignored.
struct Signals {
    listeners: [Option<tokio::signal::unix::Signal>; 3],
}

impl Signals {
    fn listen() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let ignored = ignored();
        let listener = |kind: SignalKind| {
            if ignored >> (kind.as_raw_value() - 1) & 1 == 1 {
                return Some(None);
            }
            signal(kind).ok().map(Some)
        };
        Some(Self {
            listeners: [
                listener(SignalKind::hangup())?,
                listener(SignalKind::interrupt())?,
                listener(SignalKind::terminate())?,
            ],
        })
    }

    /// The exit code of the next signal.
    async fn next(&mut self) -> i32 {
        async fn received(listener: &mut Option<tokio::signal::unix::Signal>) {
            let heard = match listener {
                Some(signal) => signal.recv().await,
                None => None,
            };
            if heard.is_none() {
                std::future::pending().await
            }
        }
        let [hangup, interrupt, terminate] = &mut self.listeners;
        tokio::select! {
            () = received(hangup) => 129,
            () = received(interrupt) => 130,
            () = received(terminate) => 143,
        }
    }
}

/// Signals that this process ignores, one bit each; those it catches itself are not among them.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::FutureExt;

    use super::*;
    use crate::engine::EngineOptions;

    fn engine() -> Engine {
        Engine::new(&EngineOptions {
            threads: Some(1),
            ..EngineOptions::default()
        })
        .expect("an engine starts")
    }

    #[test]
    fn farewells_are_said_youngest_first_and_those_taken_back_are_not() {
        let engine = engine();
        let said = Arc::new(Mutex::new(Vec::new()));
        let note = |name: &'static str| {
            let said = Arc::clone(&said);
            engine.at_farewell(async move { said.lock().expect("no panic").push(name) }.boxed())
        };
        let (lease, draft, upload, dropped) = (note("lease"), note("draft"), note("upload"), note("dropped"));
        drop(dropped);
        assert!(draft.cancel());
        assert!(!engine.is_ending());
        engine.say_farewells();
        assert_eq!(*said.lock().expect("no panic"), ["upload", "lease"]);
        assert!(engine.is_ending() && !lease.cancel() && !upload.cancel());
        assert!(!note("late").cancel(), "nobody keeps a promise that comes too late");
        engine.wait(engine.ending().begun());
    }

    #[test]
    fn a_second_signal_does_not_wait_for_a_farewell_that_never_ends() {
        let engine = engine();
        let begun = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&begun);
        let _kept = engine.at_farewell(
            async move {
                seen.fetch_add(1, Ordering::SeqCst);
                std::future::pending().await
            }
            .boxed(),
        );
        engine.wait(engine.farewells.say(async {
            tokio::task::yield_now().await;
        }));
        assert_eq!(begun.load(Ordering::SeqCst), 1);
        engine.farewells.lock().is_over = true;
    }

    #[test]
    fn a_thread_that_is_done_waits_for_the_one_that_ends_the_process() {
        let engine = engine();
        engine.farewells.lock().has_begun = true;
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| engine.farewells.wait());
            engine.farewells.lock().is_over = true;
            engine.farewells.over.notify_all();
            waiting.join().expect("no panic");
        });
    }
}
