//! Purchase histories as whole numbers: how many customers share each, so that a fit looks at distinct histories only.

use rayon::slice::ParallelSliceMut;
use rustc_hash::FxHashMap;

/// Ages and horizons beyond a million days count as these.
pub(super) const AGE_MAX: u32 = 1_000_000;

/// What a purchase model needs to know of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct History {
    /// Days with a purchase after the day of the first purchase. BG/BB: opportunities that were taken.
    pub x: u32,
    /// Days from the first to the last purchase, 0 without a repeat purchase. BG/BB: number of the last opportunity that was taken.
    pub recency: u32,
    /// Days from the first purchase to the day of the reckoning. BG/BB: opportunities so far.
    pub age: u32,
}

impl History {
    /// The history with its recency inside its age, 0 without a repeat purchase, and an age within bounds.
    pub(super) fn bounded(self) -> Self {
        let age = self.age.min(AGE_MAX);
        let recency = if self.x == 0 { 0 } else { self.recency.min(age) };
        Self { x: self.x, recency, age }
    }
}

/// Distinct histories with the number of customers of each. Parts that were counted apart can be merged.
#[derive(Debug, Clone, Default)]
pub struct Histories {
    counts: FxHashMap<History, u64>,
}

impl Histories {
    /// Counts `weight` customers with this history. A recency past the age counts as the age.
    pub fn add(&mut self, history: History, weight: u64) {
        if weight > 0 {
            let count = self.counts.entry(history.bounded()).or_default();
            *count = count.saturating_add(weight);
        }
    }

    /// Takes over what another has counted.
    pub fn merge(&mut self, other: &Self) {
        for (&history, &weight) in &other.counts {
            self.add(history, weight);
        }
    }

    /// Distinct histories with their numbers of customers, ordered by repeat purchases, recency and age.
    pub fn sorted(&self) -> Vec<(History, u64)> {
        let mut groups: Vec<_> = self.counts.iter().map(|(&history, &weight)| (history, weight)).collect();
        groups.par_sort_unstable();
        groups
    }

    /// Number of distinct histories.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether no customer was counted.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Customers counted.
    pub fn customers(&self) -> u64 {
        self.counts.values().fold(0, |sum: u64, &weight| sum.saturating_add(weight))
    }
}
