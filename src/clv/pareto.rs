//! Pareto/NBD: customers buy at a gamma-distributed rate and may stop at any time, after a gamma-distributed hazard.
//!
//! Source: Schmittlein, Morrison and Colombo (1987). Instead of its hypergeometric functions the likelihood is taken as the integral over
//! the time of stopping: `L = K { (alpha + T)^-n (beta + T)^-s + s I }` with `n = r + x` and
//! `I` = integral of `(alpha + u)^-n (beta + u)^-(s + 1)` for u from the last purchase to T. On the axis `w = ln(min(alpha, beta) + u)` the
//! exponent is concave and nearly straight, so that a few Gauss-Legendre nodes give all digits.

use super::nbd;
use super::optimize::{Evaluation, Optimum, maximize};
use super::quadrature::{Nodes, integrate, log_integral, nodes};
use super::rows::{Row, Rows};
use super::special::{ln_rising, log_add};

/// An exponent this far below its start adds nothing.
const DROP_MAX: f64 = 40.0;
/// Widest piece of the logarithmic axis that one set of nodes takes.
const PANEL_WIDTH: f64 = 4.0;

/// What a time contributes: `ln(alpha + u)`, `1 / (alpha + u)`, and the same for beta.
#[derive(Debug, Clone, Copy)]
struct Moment {
    log_alpha: f64,
    inverse_alpha: f64,
    log_beta: f64,
    inverse_beta: f64,
}

impl Moment {
    fn at(alpha: f64, beta: f64, time: f64) -> Self {
        Self {
            log_alpha: (alpha + time).ln(),
            inverse_alpha: 1.0 / (alpha + time),
            log_beta: (beta + time).ln(),
            inverse_beta: 1.0 / (beta + time),
        }
    }

    /// Slopes of `-n ln(alpha + u) - s ln(beta + u)` by r, alpha, s and beta.
    fn slopes(&self, n: f64, s: f64) -> [f64; 4] {
        [-self.log_alpha, -n * self.inverse_alpha, -self.log_beta, -s * self.inverse_beta]
    }
}

/// `ln I` with its derivatives by r, alpha, s and beta.
struct Stopped {
    value: f64,
    gradient: [f64; 4],
    hessian: [[f64; 4]; 4],
}

/// Log-likelihood of all customers with its derivatives by the logarithms of r, alpha, s and beta.
pub(super) fn evaluate(rows: &Rows, params: &[f64; 4]) -> Evaluation<4> {
    let &[r, alpha, s, beta] = params;
    let times: Vec<Moment> = rows.times.iter().map(|&time| Moment::at(alpha, beta, time)).collect();
    let mut sum = rows.sum(|row, sum| add_row(rows, params, &times, row, sum));
    let mut shared: Evaluation<4> = Evaluation::ZERO;
    nbd::add_rates(rows, r, alpha, &mut shared);
    let customers = rows.customers;
    shared.value += customers * s * beta.ln();
    shared.gradient[2] += customers * beta.ln();
    shared.gradient[3] += customers * s / beta;
    shared.hessian[2][3] += customers / beta;
    shared.hessian[3][3] -= customers * s / (beta * beta);
    sum.add(&shared);
    sum.by_logarithms(params)
}

fn add_row(rows: &Rows, params: &[f64; 4], times: &[Moment], row: &Row, sum: &mut Evaluation<4>) {
    let &[r, _, s, _] = params;
    let (n, weight) = (r + rows.counts[row.count as usize], row.weight);
    let age = &times[row.age as usize];
    let ln_alive = -n * age.log_alpha - s * age.log_beta;
    let slopes = age.slopes(n, s);
    let stopped = stopped(
        params,
        n,
        &times[row.recency as usize],
        age,
        rows.times[row.age as usize] - rows.times[row.recency as usize],
    );
    let (value, share) = log_add(ln_alive, stopped.value);
    sum.value += weight * value;
    sum.alive += weight * (1.0 - share);
    let (alive_weight, stopped_weight) = (weight * (1.0 - share), weight * share);
    let both = weight * share * (1.0 - share);
    let gap: [f64; 4] = std::array::from_fn(|index| stopped.gradient[index] - slopes[index]);
    for one in 0..4 {
        sum.gradient[one] += alive_weight * slopes[one] + stopped_weight * stopped.gradient[one];
        for other in one..4 {
            sum.hessian[one][other] += stopped_weight * stopped.hessian[one][other] + both * gap[one] * gap[other];
        }
    }
    sum.hessian[0][1] -= alive_weight * age.inverse_alpha;
    sum.hessian[1][1] += alive_weight * n * age.inverse_alpha * age.inverse_alpha;
    sum.hessian[2][3] -= alive_weight * age.inverse_beta;
    sum.hessian[3][3] += alive_weight * s * age.inverse_beta * age.inverse_beta;
}

/// `ln(s I)` between the last purchase and the age, with its derivatives: means and covariances under the weights of the nodes.
fn stopped(params: &[f64; 4], n: f64, last: &Moment, age: &Moment, span: f64) -> Stopped {
    let &[_, alpha, s, beta] = params;
    let is_alpha = alpha <= beta;
    let (low, high) = if is_alpha {
        (last.log_alpha, age.log_alpha)
    } else {
        (last.log_beta, age.log_beta)
    };
    let mut result = Stopped {
        value: f64::NEG_INFINITY,
        gradient: [0.0; 4],
        hessian: [[0.0; 4]; 4],
    };
    // Without rounding away of short spans: the width from the span itself.
    let width = (span * if is_alpha { last.inverse_alpha } else { last.inverse_beta }).ln_1p();
    let has_width = width > 0.0 && high >= low;
    if !has_width {
        return result;
    }
    let (pieces, half, set) = layout(n, s, is_alpha, last, age, width);
    let (smaller, other) = if is_alpha { (alpha, beta - alpha) } else { (beta, alpha - beta) };
    debug_assert!(smaller > 0.0 && other >= 0.0, "the axis starts at the smaller scale");
    let top = -n * last.log_alpha - (s + 1.0) * last.log_beta + low;
    // Sums of the weights, of the four slopes relative to those at the last purchase, and of their products.
    let (mut total, mut first, mut second) = (0.0, [0.0; 4], [[0.0; 4]; 4]);
    let mut inverse_squares = [0.0; 2];
    let base = last.slopes(n, s + 1.0);
    for piece in 0..pieces {
        let center = low + half * (2 * piece + 1) as f64;
        for &(node, node_weight) in set {
            let log_near = center + half * node;
            let near = log_near.exp();
            let far = near + other;
            let (log_far, inverse_near, inverse_far) = (far.ln(), 1.0 / near, 1.0 / far);
            let (log_alpha, inverse_alpha, log_beta, inverse_beta) = if is_alpha {
                (log_near, inverse_near, log_far, inverse_far)
            } else {
                (log_far, inverse_far, log_near, inverse_near)
            };
            let weight = node_weight * (-n * log_alpha - (s + 1.0) * log_beta + log_near - top).exp();
            let shifted = [
                -log_alpha - base[0],
                -n * inverse_alpha - base[1],
                -log_beta - base[2],
                -(s + 1.0) * inverse_beta - base[3],
            ];
            total += weight;
            inverse_squares[0] += weight * inverse_alpha * inverse_alpha;
            inverse_squares[1] += weight * inverse_beta * inverse_beta;
            for one in 0..4 {
                let part = weight * shifted[one];
                first[one] += part;
                for other in one..4 {
                    second[one][other] += part * shifted[other];
                }
            }
        }
    }
    // Underflow of every node: the stop is certain to have been elsewhere.
    let has_mass = total > 0.0;
    if !has_mass {
        return result;
    }
    result.value = s.ln() + top + (half * total).ln();
    let mean = first.map(|value| value / total);
    for one in 0..4 {
        result.gradient[one] = base[one] + mean[one];
        for other in one..4 {
            result.hessian[one][other] = second[one][other] / total - mean[one] * mean[other];
        }
    }
    result.hessian[0][1] += result.gradient[1] / n;
    result.hessian[1][1] += n * inverse_squares[0] / total;
    result.hessian[2][3] += result.gradient[3] / (s + 1.0);
    result.hessian[3][3] += (s + 1.0) * inverse_squares[1] / total;
    result.gradient[2] += 1.0 / s;
    result.hessian[2][2] -= 1.0 / (s * s);
    result
}

/// Pieces, half their width, and nodes for the range: as many as the drop of the exponent and the width of the range need.
fn layout(n: f64, s: f64, is_alpha: bool, last: &Moment, age: &Moment, width: f64) -> (usize, f64, &'static Nodes) {
    // How fast the exponent falls, at both ends of the range.
    let fall = |moment: &Moment| {
        if is_alpha {
            n + (s + 1.0) * moment.inverse_beta / moment.inverse_alpha - 1.0
        } else {
            n * moment.inverse_alpha / moment.inverse_beta + s
        }
    };
    let (first, end) = (fall(last), fall(age));
    let width = if first * width > DROP_MAX { DROP_MAX / first } else { width };
    let pieces = (width / PANEL_WIDTH).ceil().clamp(1.0, 16.0);
    let piece = width / pieces;
    let drop = first.abs().max(end.abs().min(DROP_MAX / piece)) * piece;
    (pieces as usize, 0.5 * piece, nodes(nodes_needed(piece, drop)))
}

/// Nodes for a piece of this width over which the exponent falls by this much: the error of the rule, of `exp(-drop y)` on one side and
/// of the poles at distance pi on the other, is below 1e-13.
fn nodes_needed(width: f64, drop: f64) -> usize {
    if width <= 2.0 && drop <= 4.0 {
        8
    } else if width <= 3.0 && drop <= 9.0 {
        12
    } else if drop <= 18.0 {
        16
    } else {
        24
    }
}

/// Where to start without knowing better: from the mean age, and from the model without dropout.
pub(super) fn starts(rows: &Rows, without_dropout: &[f64; 2]) -> [[f64; 4]; 2] {
    let age = rows.age_mean().max(1e-3);
    let &[rate, rate_alpha] = without_dropout;
    [[1.0, age / std::f64::consts::E, 1.0, age], [rate, rate_alpha, 0.5, age]]
}

/// Climbs from a start.
pub(super) fn climb(rows: &Rows, start: [f64; 4]) -> Optimum<4> {
    maximize(start, rows.customers, |params| evaluate(rows, params))
}

/// `ln` of the integral of `(alpha + u)^-n (beta + u)^-(s + 1)` from `from` to `to`, relative to the integrand without its 1 at `to_base`:
/// the result is `ln(I) + n ln(alpha + base) + s ln(beta + base)`.
fn log_stopped(params: &[f64; 4], n: f64, from: f64, to: f64, base: f64) -> f64 {
    let &[_, alpha, s, beta] = params;
    let (near, far) = (alpha.min(beta), alpha.max(beta));
    let width = ((to - from) / (near + from)).ln_1p();
    // Exponents of the time after the smaller and after the larger scale.
    let (power_near, power_far) = if alpha <= beta { (n, s + 1.0) } else { (s + 1.0, n) };
    let (start_near, start_far) = (near + from, far + from);
    let top = -n * ratio_log(alpha + from, alpha + base) - s * ratio_log(beta + from, beta + base) - (beta + from).ln() + start_near.ln();
    // Relative to `from`, so that nothing is rounded away: u - from = (near + from)(e^w - 1).
    let relative = start_near / start_far;
    let (first, end) = {
        let fall = |near: f64, far: f64| power_near + power_far * near / far - 1.0;
        (fall(start_near, start_far), fall(near + to, far + to))
    };
    let is_plain = width <= PANEL_WIDTH && first.max(end) * width <= 36.0 && first > -1.0;
    let log = if is_plain {
        let half = 0.5 * width;
        let drop = first.abs().max(end.abs()) * width;
        let set = nodes(nodes_needed(width, drop));
        let sum: f64 = set
            .iter()
            .map(|&(node, weight)| {
                let w = half * (1.0 + node);
                weight * ((1.0 - power_near) * w - power_far * (relative * w.exp_m1()).ln_1p()).exp()
            })
            .sum();
        (half * sum).ln()
    } else {
        log_integral(0.0, width, |w| {
            let grown = relative * w.exp_m1();
            let slope = 1.0 - power_near - power_far * relative * w.exp() / (1.0 + grown);
            ((1.0 - power_near) * w - power_far * grown.ln_1p(), slope)
        })
    };
    top + log
}

/// `ln(one / other)`, with all digits where they are close.
fn ratio_log(one: f64, other: f64) -> f64 {
    ((one - other) / other).ln_1p()
}

/// `ln` of the odds of having stopped against alive; -inf where there was no time to.
pub(super) fn log_odds_stopped(params: &[f64; 4], x: f64, last: f64, age: f64) -> f64 {
    params[2].ln() + log_stopped(params, params[0] + x, last, age, age)
}

/// Slopes of [`log_odds_stopped`] by r, alpha, s and beta; 0 where there was no time to.
pub(super) fn log_odds_slopes(params: &[f64; 4], x: f64, last: f64, age: f64) -> [f64; 4] {
    let &[r, alpha, s, beta] = params;
    let n = r + x;
    let (at_last, at_age) = (Moment::at(alpha, beta, last), Moment::at(alpha, beta, age));
    let stopped = stopped(params, n, &at_last, &at_age, age - last);
    if stopped.value == f64::NEG_INFINITY {
        return [0.0; 4];
    }
    let alive = at_age.slopes(n, s);
    std::array::from_fn(|index| stopped.gradient[index] - alive[index])
}

/// Log-likelihood of one history, times in weeks.
pub(super) fn log_likelihood(params: &[f64; 4], x: f64, last: f64, age: f64) -> f64 {
    let &[r, alpha, s, beta] = params;
    let n = r + x;
    let alive = ln_rising(r, x) + r * alpha.ln() + s * beta.ln() - n * (alpha + age).ln() - s * (beta + age).ln();
    log_add(alive, alive + log_odds_stopped(params, x, last, age)).0
}

/// Probability of no purchase in the next `horizon` weeks of a customer who is alive at `age`.
pub(super) fn silence(params: &[f64; 4], x: f64, age: f64, horizon: f64) -> f64 {
    let &[r, alpha, s, beta] = params;
    let n = r + x;
    let alive = -n * (horizon / (alpha + age)).ln_1p() - s * (horizon / (beta + age)).ln_1p();
    log_add(alive, s.ln() + log_stopped(params, n, age, age + horizon, age)).0.exp()
}

/// Expected purchases in the next `horizon` weeks of a customer who is alive at `age`.
pub(super) fn purchases(params: &[f64; 4], x: f64, age: f64, horizon: f64) -> f64 {
    let &[r, alpha, s, beta] = params;
    let grown = (horizon / (beta + age)).ln_1p();
    let weeks = if (s - 1.0).abs() * grown < 1e-12 {
        grown
    } else {
        -(-(s - 1.0) * grown).exp_m1() / (s - 1.0)
    };
    (r + x) / (alpha + age) * (beta + age) * weeks
}

/// Discounted expected purchases in the next `horizon` weeks (which may be infinite) of a customer who is alive at `age`, at a
/// continuous rate per week above 0.
pub(super) fn discounted(params: &[f64; 4], x: f64, age: f64, horizon: f64, rate: f64) -> f64 {
    let &[r, alpha, s, beta] = params;
    let scale = beta + age;
    // Beyond this nothing is left of a purchase.
    let end = horizon.min(60.0 / rate);
    let width = (end / scale).ln_1p();
    let weeks = if width <= 3.0 && s * width <= 8.0 && rate * end <= 8.0 {
        integrate(0.0, width, 1, |w| (w - s * w - rate * scale * w.exp_m1()).exp())
    } else {
        log_integral(0.0, width, |w| {
            (w - s * w - rate * scale * w.exp_m1(), 1.0 - s - rate * scale * w.exp())
        })
        .exp()
    };
    (r + x) / (alpha + age) * scale * weeks
}
