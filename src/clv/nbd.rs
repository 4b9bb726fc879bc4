//! NBD: purchases come at a constant rate that is gamma-distributed over customers, and nobody ever stops. The yardstick for the models
//! in which customers do.
//!
//! `LL = ln G(r + x) - ln G(r) + r ln alpha - (r + x) ln(alpha + T)`, as the other models without their dropout.

use super::optimize::{Evaluation, Optimum, maximize};
use super::rows::Rows;
use super::special::Rising;

/// Log-likelihood of all customers with its derivatives by the logarithms of r and alpha.
pub(super) fn evaluate(rows: &Rows, params: &[f64; 2]) -> Evaluation<2> {
    let &[r, alpha] = params;
    let times: Vec<(f64, f64)> = rows.times.iter().map(|time| ((alpha + time).ln(), 1.0 / (alpha + time))).collect();
    let mut sum = rows.sum(|row, sum| {
        let rate = r + rows.counts[row.count as usize];
        let (log, inverse) = times[row.age as usize];
        sum.value -= row.weight * rate * log;
        sum.gradient[0] -= row.weight * log;
        sum.gradient[1] -= row.weight * rate * inverse;
        sum.hessian[0][1] -= row.weight * inverse;
        sum.hessian[1][1] += row.weight * rate * inverse * inverse;
    });
    sum.alive = rows.customers;
    let mut rate: Evaluation<2> = Evaluation::ZERO;
    add_rates(rows, r, alpha, &mut rate);
    sum.add(&rate);
    sum.by_logarithms(params)
}

/// What the gamma distribution of rates adds by repeat purchases alone: `ln G(r + x) - ln G(r) + r ln alpha`, r and alpha being the
/// first two parameters of all these models.
pub(super) fn add_rates<const N: usize>(rows: &Rows, r: f64, alpha: f64, sum: &mut Evaluation<N>) {
    for &(count, weight) in &rows.totals {
        let rising = Rising::at(r, count);
        sum.value += weight * rising.value;
        sum.gradient[0] += weight * rising.slope;
        sum.hessian[0][0] += weight * rising.curvature;
    }
    let customers = rows.customers;
    sum.value += customers * r * alpha.ln();
    sum.gradient[0] += customers * alpha.ln();
    sum.gradient[1] += customers * r / alpha;
    sum.hessian[0][1] += customers / alpha;
    sum.hessian[1][1] -= customers * r / (alpha * alpha);
}

/// The maximum, from the mean rate.
pub(super) fn fit(rows: &Rows) -> Optimum<2> {
    let rate = rows.purchases() / (rows.age_mean() * rows.customers).max(1e-6);
    maximize([0.5, 0.5 / rate.max(1e-6)], rows.customers, |params| evaluate(rows, params))
}
