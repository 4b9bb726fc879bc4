//! Shifted-beta-geometric: subscribers who renew or not, with a chance that differs by subscriber.
//!
//! Source: Fader and Hardie (2007), "How to project customer retention". With alpha and beta of the chance to end at a renewal,
//! `S(t) = B(alpha, beta + t) / B(alpha, beta)` is left after t renewals and `r(t) = (beta + t - 1) / (alpha + beta + t - 1)` take the
//! t-th. Retention rises with tenure because those who are likely to end leave first.

use std::collections::BTreeMap;

use super::fit::{Fit, FitStatus};
use super::optimize::{Evaluation, Optimum, maximize};
use super::special::{Rising, ln_rising};

/// Names of the parameters in their order.
pub const PARAM_NAMES: [&str; 2] = ["alpha", "beta"];
const NAME: &str = "sbg";
/// Fewer ended subscriptions than this tell no rate of ending.
const ENDED_MIN: u64 = 30;

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

/// Log-likelihood of all subscriptions with its derivatives by the logarithms of alpha and beta.
fn evaluate(tenures: &[(u32, bool, u64)], params: &[f64; 2]) -> Evaluation<2> {
    let &[alpha, beta] = params;
    let mut sum: Evaluation<2> = Evaluation::ZERO;
    for &(periods, is_ended, weight) in tenures {
        let (weight, renewed) = (weight as f64, f64::from(periods - u32::from(is_ended)));
        let (kept, all) = (Rising::at(beta, renewed), Rising::at(alpha + beta, f64::from(periods)));
        sum.value += weight * (kept.value - all.value);
        sum.gradient[0] -= weight * all.slope;
        sum.gradient[1] += weight * (kept.slope - all.slope);
        sum.hessian[0][0] -= weight * all.curvature;
        sum.hessian[0][1] -= weight * all.curvature;
        sum.hessian[1][1] += weight * (kept.curvature - all.curvature);
        if is_ended {
            sum.value += weight * alpha.ln();
            sum.gradient[0] += weight / alpha;
            sum.hessian[0][0] -= weight / (alpha * alpha);
        }
    }
    sum.by_logarithms(params)
}

/// Fits alpha and beta. Without a subscription that ended, nobody's end is identified.
pub fn fit(tenures: &Tenures) -> Fit {
    let (rows, customers) = (tenures.sorted(), tenures.customers());
    if rows.is_empty() {
        return Fit::nothing(NAME, customers);
    }
    let ended: u64 = rows.iter().filter(|row| row.1).map(|row| row.2).sum();
    let climb = |start| -> Optimum<2> { maximize(start, customers as f64, |params| evaluate(&rows, params)) };
    let (first, second) = (climb([1.0, 2.0]), climb([0.5, 10.0]));
    let optimum = if second.evaluation.value > first.evaluation.value + 1e-9 {
        second
    } else {
        first
    };
    let mut fit = Fit::from_optimum(NAME, customers, &optimum);
    fit.status = if ended == 0 {
        FitStatus::NoDropoutIdentified
    } else if ended < ENDED_MIN {
        FitStatus::TooFewCustomers
    } else if !fit.converged {
        FitStatus::NotConverged
    } else if fit.covariance.is_empty() {
        FitStatus::Boundary
    } else {
        FitStatus::Ok
    };
    fit
}

/// The parameters, if they are two finite numbers above 0.
fn valid(params: &[f64]) -> Option<[f64; 2]> {
    let params: [f64; 2] = params.try_into().ok()?;
    params.iter().all(|value| value.is_finite() && *value > 0.0).then_some(params)
}

/// Share of subscribers that is left after `periods` renewals, 0 to 1; 1 before the first. `None` where the parameters are not two
/// finite numbers above 0.
pub fn survival(params: &[f64], periods: u32) -> Option<f64> {
    let [alpha, beta] = valid(params)?;
    let periods = f64::from(periods);
    Some((ln_rising(beta, periods) - ln_rising(alpha + beta, periods)).exp().clamp(0.0, 1.0))
}

/// Share of those who came to renewal number `period` (1 is the first, as is 0) that takes it, 0 to 1. `None` as in [`survival`].
pub fn retention(params: &[f64], period: u32) -> Option<f64> {
    let [alpha, beta] = valid(params)?;
    let before = f64::from(period.max(1) - 1);
    Some((beta + before) / (alpha + beta + before))
}

/// Expected renewals among the next `horizon` of a subscriber who took `periods`, each discounted by a further `1 / (1 + rate)`, a rate
/// per period (below 0 counts as 0). `None` as in [`survival`].
pub fn residual_renewals(params: &[f64], periods: u32, horizon: u32, rate: f64) -> Option<f64> {
    let [alpha, beta] = valid(params)?;
    let discount = 1.0 / (1.0 + if rate > 0.0 { rate } else { 0.0 });
    let (mut left, mut sum) = (1.0, 0.0);
    for ahead in 0..horizon {
        let before = f64::from(periods) + f64::from(ahead);
        left *= discount * (beta + before) / (alpha + beta + before);
        sum += left;
        if left < 1e-18 * sum {
            break;
        }
    }
    Some(sum)
}
