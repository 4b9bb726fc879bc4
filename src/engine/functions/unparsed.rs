//! Texts that parsing functions met and could not read: a mapping reports them instead of losing them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Most distinct texts kept; later ones are still null, but not listed.
pub const UNPARSED_MAX: usize = 100_000;

/// A shared set of (function, text). Clones are the same set.
#[derive(Debug, Clone, Default)]
pub struct Unparsed(Arc<Mutex<BTreeSet<(String, String)>>>);

impl Unparsed {
    /// Drains the set: (function, text) in byte order. The texts are a customer's data: they belong to `rejects`, never to a log.
    #[must_use]
    pub fn take(&self) -> BTreeSet<(String, String)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn add(&self, function: &str, texts: BTreeSet<String>) {
        if texts.is_empty() {
            return;
        }
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for text in texts {
            if all.len() >= UNPARSED_MAX {
                break;
            }
            all.insert((function.to_owned(), text));
        }
    }
}

impl PartialEq for Unparsed {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Unparsed {}
