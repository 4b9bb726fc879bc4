//! Finds the maximum of a log-likelihood by Newton's method with damping (Levenberg, Marquardt): the second derivatives are at hand, so
//! a handful of steps does, they end at machine precision, and the covariance is a by-product.

/// Logarithms of parameters stay inside: 1e-7 to 1e8.
pub(super) const LOG_MIN: f64 = -16.118_095_650_958_32;
pub(super) const LOG_MAX: f64 = 18.420_680_743_952_367;
/// A slope per customer this small is the maximum.
const GRADIENT_AIM: f64 = 1e-11;
/// A slope per customer this small is close enough where rounding ends the search.
const GRADIENT_ENOUGH: f64 = 1e-7;
const STEPS_MAX: u32 = 300;
/// Longest step in the logarithm of one parameter.
const STEP_LENGTH_MAX: f64 = 2.0;
const DAMPING_START: f64 = 1e-3;
const DAMPING_MAX: f64 = 1e8;

/// A log-likelihood with its derivatives. Of the second only the upper triangle is filled while summing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evaluation<const N: usize> {
    pub value: f64,
    pub gradient: [f64; N],
    pub hessian: [[f64; N]; N],
    /// What else a model sums up by customer: the probability of being alive.
    pub alive: f64,
}

impl<const N: usize> Evaluation<N> {
    pub const ZERO: Self = Self {
        value: 0.0,
        gradient: [0.0; N],
        hessian: [[0.0; N]; N],
        alive: 0.0,
    };

    pub fn add(&mut self, other: &Self) {
        self.value += other.value;
        self.alive += other.alive;
        for row in 0..N {
            self.gradient[row] += other.gradient[row];
            for column in row..N {
                self.hessian[row][column] += other.hessian[row][column];
            }
        }
    }

    /// Turns derivatives by parameters into derivatives by their logarithms, and fills the lower triangle.
    pub fn by_logarithms(mut self, params: &[f64; N]) -> Self {
        for row in 0..N {
            for column in row..N {
                let mut second = self.hessian[row][column] * params[row] * params[column];
                if row == column {
                    second += self.gradient[row] * params[row];
                }
                self.hessian[row][column] = second;
                self.hessian[column][row] = second;
            }
        }
        for row in 0..N {
            self.gradient[row] *= params[row];
        }
        self
    }

    fn is_finite(&self) -> bool {
        self.value.is_finite()
            && self
                .gradient
                .iter()
                .chain(self.hessian.iter().flatten())
                .all(|value| value.is_finite())
    }
}

/// Where the search ended. Derivatives are by the logarithms of the parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Optimum<const N: usize> {
    pub params: [f64; N],
    pub evaluation: Evaluation<N>,
    pub steps: u32,
    /// Largest slope per customer among parameters that are not held at an end of their range.
    pub gradient_max: f64,
    pub converged: bool,
    /// Whether a parameter stands at an end of its range.
    pub at_bound: bool,
}

impl<const N: usize> Optimum<N> {
    /// Covariance of the parameters, row by row; empty where the likelihood is flat or a parameter at its end.
    pub fn covariance(&self) -> Vec<f64> {
        if self.at_bound {
            return Vec::new();
        }
        let information = self.evaluation.hessian.map(|row| row.map(|value| -value));
        let Some(factor) = cholesky(&information, &[true; N]) else {
            return Vec::new();
        };
        let mut covariance = vec![0.0; N * N];
        for column in 0..N {
            let mut unit = [0.0; N];
            unit[column] = 1.0;
            let solved = solve(&factor, &unit);
            for row in 0..N {
                covariance[row * N + column] = solved[row] * self.params[row] * self.params[column];
            }
        }
        let usable = covariance.iter().all(|value| value.is_finite()) && (0..N).all(|row| covariance[row * N + row] > 0.0);
        if usable { covariance } else { Vec::new() }
    }
}

/// Climbs from `start` (parameters) to a maximum. `evaluate` takes parameters and gives derivatives by their logarithms; what is not
/// finite is no way to go. Deterministic.
pub(super) fn maximize<const N: usize>(start: [f64; N], customers: f64, evaluate: impl Fn(&[f64; N]) -> Evaluation<N>) -> Optimum<N> {
    let mut logs = start.map(|value| value.ln().clamp(LOG_MIN, LOG_MAX));
    let mut params = logs.map(f64::exp);
    let mut here = evaluate(&params);
    let scale = 1.0 / customers.max(1.0);
    let mut damping = DAMPING_START;
    let mut steps = 0;
    let finish = |params, here: Evaluation<N>, logs: &[f64; N], steps, rest: bool| {
        let gradient_max = slope(&here, logs, scale);
        Optimum {
            params,
            evaluation: here,
            steps,
            gradient_max: if gradient_max.is_finite() { gradient_max } else { f64::MAX },
            converged: here.is_finite() && (rest || gradient_max < GRADIENT_ENOUGH),
            at_bound: logs.iter().any(|&log| log <= LOG_MIN || log >= LOG_MAX),
        }
    };
    if !here.is_finite() {
        return finish(params, here, &logs, 0, false);
    }
    while steps < STEPS_MAX && damping < DAMPING_MAX {
        if slope(&here, &logs, scale) < GRADIENT_AIM {
            return finish(params, here, &logs, steps, true);
        }
        steps += 1;
        let Some((next, expected)) = step(&here, &logs, scale, damping) else {
            damping = (damping * 10.0).max(1e-8);
            continue;
        };
        let next_params = next.map(f64::exp);
        let there = evaluate(&next_params);
        let noise = 4.0 * f64::EPSILON * here.value.abs() * scale;
        let gain = (there.value - here.value) * scale;
        let is_better = gain >= 0.1 * expected - noise || (expected < noise && slope(&there, &next, scale) < slope(&here, &logs, scale));
        if there.is_finite() && is_better {
            damping = if gain > 0.7 * expected - noise {
                damping * 0.1
            } else {
                damping * 2.0
            };
            (logs, params, here) = (next, next_params, there);
        } else if expected < noise {
            break;
        } else {
            damping = (damping * 10.0).max(1e-8);
        }
    }
    finish(params, here, &logs, steps, false)
}

/// Parameters that may move: not held at an end of their range by a slope that points out of it.
fn free<const N: usize>(here: &Evaluation<N>, logs: &[f64; N]) -> [bool; N] {
    std::array::from_fn(|index| {
        let slope = here.gradient[index];
        !(logs[index] <= LOG_MIN && slope < 0.0 || logs[index] >= LOG_MAX && slope > 0.0)
    })
}

fn slope<const N: usize>(here: &Evaluation<N>, logs: &[f64; N], scale: f64) -> f64 {
    let free = free(here, logs);
    (0..N)
        .filter(|&index| free[index])
        .map(|index| here.gradient[index].abs() * scale)
        .fold(0.0, f64::max)
}

/// The damped Newton step, and the gain per customer that it promises; `None` where the damping is too weak for a way up.
fn step<const N: usize>(here: &Evaluation<N>, logs: &[f64; N], scale: f64, damping: f64) -> Option<([f64; N], f64)> {
    let free = free(here, logs);
    let mut matrix = here.hessian.map(|row| row.map(|value| -value * scale));
    for (index, row) in matrix.iter_mut().enumerate() {
        row[index] += damping;
    }
    let factor = cholesky(&matrix, &free)?;
    let gradient: [f64; N] = std::array::from_fn(|index| if free[index] { here.gradient[index] * scale } else { 0.0 });
    let direction = solve(&factor, &gradient);
    let longest = direction.iter().fold(0.0, |longest: f64, value| longest.max(value.abs()));
    let shorten = if longest > STEP_LENGTH_MAX {
        STEP_LENGTH_MAX / longest
    } else {
        1.0
    };
    let next: [f64; N] = std::array::from_fn(|index| (logs[index] + shorten * direction[index]).clamp(LOG_MIN, LOG_MAX));
    let moved: [f64; N] = std::array::from_fn(|index| next[index] - logs[index]);
    let mut expected = 0.0;
    for row in 0..N {
        expected += moved[row] * here.gradient[row] * scale;
        for column in 0..N {
            expected += 0.5 * moved[row] * here.hessian[row][column] * scale * moved[column];
        }
    }
    (expected.is_finite() && expected > 0.0).then_some((next, expected))
}

/// Lower triangular root of a positive definite matrix; rows that are not free become those of the unit matrix.
fn cholesky<const N: usize>(matrix: &[[f64; N]; N], free: &[bool; N]) -> Option<[[f64; N]; N]> {
    let mut factor = [[0.0; N]; N];
    for row in 0..N {
        if !free[row] {
            factor[row][row] = 1.0;
            continue;
        }
        for column in 0..=row {
            if !free[column] {
                continue;
            }
            let sum = matrix[row][column] - (0..column).map(|index| factor[row][index] * factor[column][index]).sum::<f64>();
            if row == column {
                // A pivot lost in rounding is none; written so that what is not a number is none either.
                let is_positive = sum > 1e-13 * matrix[row][row].abs();
                if !is_positive {
                    return None;
                }
                factor[row][row] = sum.sqrt();
            } else {
                factor[row][column] = sum / factor[column][column];
            }
        }
    }
    Some(factor)
}

fn solve<const N: usize>(factor: &[[f64; N]; N], right: &[f64; N]) -> [f64; N] {
    let mut solved = *right;
    for row in 0..N {
        for column in 0..row {
            solved[row] -= factor[row][column] * solved[column];
        }
        solved[row] /= factor[row][row];
    }
    for row in (0..N).rev() {
        for below in row + 1..N {
            solved[row] -= factor[below][row] * solved[below];
        }
        solved[row] /= factor[row][row];
    }
    solved
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A curved valley by logarithms, turned upside down: the maximum 0 is at (1, 1).
    fn valley(params: &[f64; 2]) -> Evaluation<2> {
        let (x, y) = (params[0].ln(), params[1].ln());
        let bend = y - x * x;
        Evaluation {
            value: -(x * x + 100.0 * bend * bend),
            gradient: [-(2.0 * x - 400.0 * x * bend), -200.0 * bend],
            hessian: [[-(2.0 - 400.0 * bend + 800.0 * x * x), 400.0 * x], [400.0 * x, -200.0]],
            alive: 0.0,
        }
    }

    #[test]
    fn a_curved_valley_is_walked_to_its_end() {
        let optimum = maximize([30.0, 1e-3], 1.0, valley);
        assert!(optimum.converged && optimum.gradient_max < 1e-10, "{optimum:?}");
        assert!(optimum.params.iter().all(|value| (value - 1.0).abs() < 1e-9), "{optimum:?}");
        let covariance = optimum.covariance();
        assert!(
            (covariance[0] - 0.5).abs() < 1e-6 && (covariance[3] - 0.005).abs() < 1e-6,
            "{covariance:?}"
        );
    }

    #[test]
    fn a_slope_without_end_stops_at_the_end_of_the_range() {
        let optimum = maximize([1.0], 1.0, |params| Evaluation {
            value: params[0].ln(),
            gradient: [1.0],
            hessian: [[0.0]],
            alive: 0.0,
        });
        assert!(optimum.at_bound && optimum.converged, "{optimum:?}");
        assert!(optimum.covariance().is_empty());
    }

    #[test]
    fn what_is_not_finite_is_no_way_to_go() {
        let optimum = maximize([1.0], 1.0, |params| {
            let log = params[0].ln();
            let value = if log > 1.0 { f64::NAN } else { -(log - 2.0) * (log - 2.0) };
            Evaluation {
                value,
                gradient: [-2.0 * (log - 2.0)],
                hessian: [[-2.0]],
                alive: 0.0,
            }
        });
        assert!(!optimum.converged && optimum.params[0].ln() <= 1.0, "{optimum:?}");
        assert!(
            !maximize([1.0], 1.0, |_| Evaluation {
                value: f64::NAN,
                ..Evaluation::<1>::ZERO
            })
            .converged
        );
    }
}
