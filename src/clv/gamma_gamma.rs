//! Gamma-Gamma: what a customer spends per purchase day, shrunk towards all customers by how little is known of the one.
//!
//! Source: Fader and Hardie (2013), "The Gamma-Gamma model of monetary value". Spend of a customer is gamma-distributed with shape p and a
//! scale that differs by customer (gamma-distributed with shape q and rate v):
//! `LL = ln G(px + q) - ln G(px) - ln G(q) + q ln v + (px - 1) ln m + px ln x - (px + q) ln(xm + v)`. The model takes spend and frequency
//! as independent; look at their correlation before you trust it.

use rayon::prelude::*;

use super::fit::{Fit, FitStatus};
use super::identify;
use super::optimize::{Evaluation, Optimum, maximize};
use super::special::{Rising, digamma, ln_gamma, trigamma};

/// Names of the parameters in their order; `v` is in the currency of the spend.
pub const PARAM_NAMES: [&str; 3] = ["p", "q", "v"];
const NAME: &str = "gamma_gamma";
/// Rows that one thread adds up by itself. Part of the result: other pieces round otherwise.
const PIECE: usize = 4096;
/// Above this many rows a fit starts on every so many-th.
const SAMPLE_FROM: usize = 32_768;
const SAMPLE: usize = 8_192;
/// Means outside are taken as these: squares of them still are numbers.
const MEAN_MIN: f64 = 1e-9;
const MEAN_MAX: f64 = 1e15;

/// Repeat purchase days and mean spend on them, counted. Parts that were counted apart can be merged.
#[derive(Debug, Clone, Default)]
pub struct Spends {
    rows: Vec<(u32, f64, u64)>,
}

impl Spends {
    /// Counts `weight` customers with `x` repeat purchase days of this mean spend. What cannot be fitted is left out: no repeat
    /// purchase, a mean that is not above 0 or not finite.
    pub fn add(&mut self, x: u32, mean: f64, weight: u64) {
        if x > 0 && weight > 0 && mean.is_finite() && mean > 0.0 {
            self.rows.push((x, mean.clamp(MEAN_MIN, MEAN_MAX), weight));
        }
    }

    /// Takes over what another has counted.
    pub fn merge(&mut self, other: &Self) {
        self.rows.extend_from_slice(&other.rows);
    }

    /// Distinct rows (repeat purchase days, mean spend, customers) in order.
    pub fn sorted(&self) -> Vec<(u32, f64, u64)> {
        let mut rows = self.rows.clone();
        rows.par_sort_unstable_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
        rows.dedup_by(|next, kept| {
            let equal = next.0 == kept.0 && next.1 == kept.1;
            if equal {
                kept.2 = kept.2.saturating_add(next.2);
            }
            equal
        });
        rows
    }

    /// Customers counted.
    pub fn customers(&self) -> u64 {
        self.rows.iter().fold(0, |sum: u64, row| sum.saturating_add(row.2))
    }
}

/// Sorted rows with what does not depend on parameters.
struct Sample {
    /// Position of x in `counts`, total spend x m, customers.
    rows: Vec<(u32, f64, f64)>,
    /// Distinct x with their customers.
    counts: Vec<(f64, f64)>,
    customers: f64,
    /// Sum of `ln m`, of `x ln m` and of `x ln x`.
    sum_log_mean: f64,
    sum_count_log_mean: f64,
    sum_count_log_count: f64,
    /// Mean over customers of the mean spend.
    mean: f64,
}

impl Sample {
    fn new(rows: &[(u32, f64, u64)]) -> Self {
        let mut sample = Self {
            rows: Vec::with_capacity(rows.len()),
            counts: Vec::new(),
            customers: 0.0,
            sum_log_mean: 0.0,
            sum_count_log_mean: 0.0,
            sum_count_log_count: 0.0,
            mean: 0.0,
        };
        for group in rows.chunk_by(|one, other| one.0 == other.0) {
            let x = f64::from(group[0].0);
            let (mut customers, mut logs, mut means) = (0.0, 0.0, 0.0);
            for &(_, mean, weight) in group {
                let weight = weight as f64;
                sample.rows.push((sample.counts.len() as u32, x * mean, weight));
                customers += weight;
                logs += weight * mean.ln();
                means += weight * mean;
            }
            sample.counts.push((x, customers));
            sample.customers += customers;
            sample.sum_log_mean += logs;
            sample.sum_count_log_mean += x * logs;
            sample.sum_count_log_count += customers * x * x.ln();
            sample.mean += means;
        }
        sample.mean /= sample.customers.max(1.0);
        sample
    }

    /// Log-likelihood of all customers with its derivatives by the logarithms of p, q and v.
    fn evaluate(&self, params: &[f64; 3]) -> Evaluation<3> {
        let &[p, q, v] = params;
        let piece = |rows: &[(u32, f64, f64)]| {
            let mut sum: Evaluation<3> = Evaluation::ZERO;
            for &(count, total, weight) in rows {
                let x = self.counts[count as usize].0;
                let shape = p * x + q;
                let (log, inverse) = ((total + v).ln(), weight / (total + v));
                sum.value -= weight * shape * log;
                sum.gradient[0] -= weight * x * log;
                sum.gradient[1] -= weight * log;
                sum.gradient[2] -= shape * inverse;
                sum.hessian[0][2] -= x * inverse;
                sum.hessian[1][2] -= inverse;
                sum.hessian[2][2] += shape * inverse / (total + v);
            }
            sum
        };
        let pieces: Vec<Evaluation<3>> = self.rows.par_chunks(PIECE).map(piece).collect();
        let mut sum = Evaluation::ZERO;
        for piece in &pieces {
            sum.add(piece);
        }
        sum.add(&self.shared(params));
        sum.by_logarithms(params)
    }

    /// What depends on the number of purchases alone.
    fn shared(&self, params: &[f64; 3]) -> Evaluation<3> {
        let &[p, q, v] = params;
        let mut sum: Evaluation<3> = Evaluation::ZERO;
        for &(x, weight) in &self.counts {
            let rising = Rising::at(p * x, q);
            let curvature_end = trigamma(p * x + q);
            sum.value += weight * rising.value;
            sum.gradient[0] += weight * x * rising.slope;
            sum.gradient[1] += weight * digamma(p * x + q);
            sum.hessian[0][0] += weight * x * x * rising.curvature;
            sum.hessian[0][1] += weight * x * curvature_end;
            sum.hessian[1][1] += weight * curvature_end;
        }
        let customers = self.customers;
        sum.value += customers * (q * v.ln() - ln_gamma(q)) + p * (self.sum_count_log_mean + self.sum_count_log_count) - self.sum_log_mean;
        sum.gradient[0] += self.sum_count_log_mean + self.sum_count_log_count;
        sum.gradient[1] += customers * (v.ln() - digamma(q));
        sum.gradient[2] += customers * q / v;
        sum.hessian[1][1] -= customers * trigamma(q);
        sum.hessian[1][2] += customers / v;
        sum.hessian[2][2] -= customers * q / (v * v);
        sum
    }

    fn climb(&self, start: [f64; 3]) -> Optimum<3> {
        maximize(start, self.customers, |params| self.evaluate(params))
    }

    fn starts(&self) -> [[f64; 3]; 2] {
        [[2.0, 3.0, self.mean.max(1e-6)], [10.0, 4.0, 0.3 * self.mean.max(1e-6)]]
    }
}

/// Fits p, q and v. `converged` with `q <= 1` means that spend has no mean: the status says `boundary`.
pub fn fit(spends: &Spends) -> Fit {
    let rows = spends.sorted();
    let customers = spends.customers();
    if rows.is_empty() {
        return Fit::nothing(NAME, customers);
    }
    // Spend in units of its mean, so that any currency is in range.
    let unit = Sample::new(&rows).mean;
    let scaled: Vec<(u32, f64, u64)> = rows.iter().map(|&(x, mean, weight)| (x, mean / unit, weight)).collect();
    let sample = Sample::new(&scaled);
    let best = |sample: &Sample| {
        let [first, second] = sample.starts().map(|start| sample.climb(start));
        if second.evaluation.value > first.evaluation.value + 1e-9 {
            second
        } else {
            first
        }
    };
    let mut optimum = if scaled.len() > SAMPLE_FROM {
        let every = scaled.len().div_ceil(SAMPLE);
        let part: Vec<_> = scaled.iter().step_by(every).copied().collect();
        sample.climb(best(&Sample::new(&part)).params)
    } else {
        best(&sample)
    };
    if !optimum.converged {
        let again = best(&sample);
        if again.evaluation.value > optimum.evaluation.value {
            optimum = again;
        }
    }
    let mut fit = Fit::from_optimum(NAME, customers, &optimum);
    fit.log_likelihood -= unit.ln() * sample.customers;
    scale(&mut fit, unit);
    fit.status = if customers < identify::CUSTOMERS_WITH_REPEAT_MIN {
        FitStatus::TooFewCustomers
    } else if !fit.converged {
        FitStatus::NotConverged
    } else if fit.covariance.is_empty() || fit.params[1] <= 1.0 {
        FitStatus::Boundary
    } else {
        FitStatus::Ok
    };
    fit
}

/// Back from units of the mean to the currency: v alone has one.
fn scale(fit: &mut Fit, unit: f64) {
    fit.params[2] *= unit;
    if let Some(error) = fit.standard_errors.get_mut(2) {
        *error *= unit;
    }
    for (index, value) in fit.covariance.iter_mut().enumerate() {
        let (row, column) = (index / 3, index % 3);
        *value *= [1.0, 1.0, unit][row] * [1.0, 1.0, unit][column];
    }
}

/// The parameters, if they are three finite numbers above 0.
fn valid(params: &[f64]) -> Option<[f64; 3]> {
    let params: [f64; 3] = params.try_into().ok()?;
    params.iter().all(|value| value.is_finite() && *value > 0.0).then_some(params)
}

/// Expected spend per purchase day of a customer with `x` repeat purchase days of this mean, `p (v + x m) / (p x + q - 1)`; `x = 0` gives
/// the mean of all customers. A mean below 0 counts as 0. `None` where the parameters are not three finite numbers above 0, or the
/// expectation does not exist (`p x + q <= 1`).
pub fn expected_spend(params: &[f64], x: u32, mean: f64) -> Option<f64> {
    let [p, q, v] = valid(params)?;
    let (x, mean) = (f64::from(x), if mean > 0.0 { mean.min(MEAN_MAX) } else { 0.0 });
    let spend = p * (v + x * mean) / (p * x + q - 1.0);
    (spend.is_finite() && p * x + q > 1.0).then_some(spend)
}

/// Standard error of [`expected_spend`] by the delta method, from the covariance of the parameters (row by row); 0 where that is empty.
/// `None` as there, and where the covariance is not 9 finite numbers.
pub fn expected_spend_se(params: &[f64], covariance: &[f64], x: u32, mean: f64) -> Option<f64> {
    let spend = expected_spend(params, x, mean)?;
    if covariance.is_empty() {
        return Some(0.0);
    }
    if covariance.len() != 9 {
        return None;
    }
    let [p, q, v] = valid(params)?;
    let x = f64::from(x);
    let rest = p * x + q - 1.0;
    let slopes = [spend * (1.0 / p - x / rest), -spend / rest, p / rest];
    debug_assert!(v > 0.0, "checked above");
    let mut variance = 0.0;
    for (index, value) in covariance.iter().enumerate() {
        variance += slopes[index / 3] * value * slopes[index % 3];
    }
    let error = variance.max(0.0).sqrt();
    error.is_finite().then_some(error)
}
