//! Finds the maximum of a log-likelihood by Newton's method with damping (Levenberg, Marquardt): the second derivatives are at hand, so
//! a handful of steps does, they end at machine precision, and the covariance is a by-product.

/// No parameter, nor the ratio of two, is below this.
const PARAM_MIN: f64 = 1e-7;
/// A shape above this is no spread at all: customers differ by a thirtieth, and beyond the likelihood loses digits.
pub(super) const SHAPE_MAX: f64 = 1e3;
/// A scale above this is none.
pub(super) const SCALE_MAX: f64 = 1e8;
/// A slope per customer this small is the maximum.
const GRADIENT_AIM: f64 = 1e-11;
/// A slope per customer this small is close enough where rounding ends the search.
const GRADIENT_ENOUGH: f64 = 1e-7;
const STEPS_MAX: u32 = 300;
/// Longest step in the logarithm of one parameter.
const STEP_LENGTH_MAX: f64 = 2.0;
const DAMPING_START: f64 = 1e-3;
const DAMPING_MAX: f64 = 1e8;

/// The axes that are climbed along: logarithms of parameters, or of their ratio to another. Where customers hardly differ, a shape and its
/// scale run off together and only their ratio means anything; along these axes that is one axis without end, not a diagonal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axes<const N: usize> {
    /// The parameter that another is taken relative to.
    pub relative_to: [Option<usize>; N],
    /// Ends of the ranges of the parameter, or of the ratio.
    pub most: [f64; N],
}

impl<const N: usize> Axes<N> {
    fn bounds(&self, index: usize) -> (f64, f64) {
        (PARAM_MIN.ln(), self.most[index].ln())
    }

    fn at(&self, params: &[f64; N]) -> [f64; N] {
        std::array::from_fn(|index| {
            let (least, most) = self.bounds(index);
            let base = self.relative_to[index].map_or(1.0, |base| params[base]);
            (params[index] / base).ln().clamp(least, most)
        })
    }

    fn params(&self, at: &[f64; N]) -> [f64; N] {
        std::array::from_fn(|index| (at[index] + self.relative_to[index].map_or(0.0, |base| at[base])).exp())
    }

    /// Derivatives by logarithms of parameters as derivatives along the axes.
    fn along(&self, evaluation: &Evaluation<N>) -> Evaluation<N> {
        let mut along = *evaluation;
        // Along the axis of a base its relatives move too.
        for (index, base) in self.relative_to.iter().enumerate() {
            let Some(base) = *base else { continue };
            along.gradient[base] += along.gradient[index];
            for row in 0..N {
                along.hessian[row][base] += along.hessian[row][index];
            }
            for column in 0..N {
                along.hessian[base][column] += along.hessian[index][column];
            }
        }
        along
    }

    /// Axes along which a step may go: not held at an end of the range by a slope that points out of it.
    fn free(&self, here: &Evaluation<N>, at: &[f64; N]) -> [bool; N] {
        std::array::from_fn(|index| {
            let ((least, most), slope) = (self.bounds(index), here.gradient[index]);
            !(at[index] <= least && slope < 0.0 || at[index] >= most && slope > 0.0)
        })
    }

    fn slope(&self, here: &Evaluation<N>, at: &[f64; N], scale: f64) -> f64 {
        let free = self.free(here, at);
        (0..N)
            .filter(|&index| free[index])
            .map(|index| here.gradient[index].abs() * scale)
            .fold(0.0, f64::max)
    }
}

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
        for (slope, param) in self.gradient.iter_mut().zip(params) {
            *slope *= param;
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

/// Where the search ended. Derivatives are along the axes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Optimum<const N: usize> {
    pub params: [f64; N],
    axes: Axes<N>,
    pub evaluation: Evaluation<N>,
    pub steps: u32,
    /// Largest slope per customer along an axis that is not held at an end of its range.
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
        let columns: [[f64; N]; N] = std::array::from_fn(|column| {
            let mut unit = [0.0; N];
            unit[column] = 1.0;
            solve(&factor, &unit)
        });
        // Back from the axes: the logarithm of a parameter is the sum of its axis and that of its base.
        let axes = |index: usize| std::iter::once(index).chain(self.axes.relative_to[index]);
        let mut covariance = vec![0.0; N * N];
        for row in 0..N {
            for column in 0..N {
                let sum: f64 = axes(row)
                    .flat_map(|one| axes(column).map(move |other| (one, other)))
                    .map(|(one, other)| columns[other][one])
                    .sum();
                covariance[row * N + column] = sum * self.params[row] * self.params[column];
            }
        }
        let usable = covariance.iter().all(|value| value.is_finite()) && (0..N).all(|row| covariance[row * N + row] > 0.0);
        if usable { covariance } else { Vec::new() }
    }
}

/// Climbs from `start` (parameters) to a maximum. `evaluate` takes parameters and gives derivatives by their logarithms; what is not
/// finite is no way to go. Deterministic.
pub(super) fn maximize<const N: usize>(
    start: [f64; N],
    axes: Axes<N>,
    customers: f64,
    evaluate: impl Fn(&[f64; N]) -> Evaluation<N>,
) -> Optimum<N> {
    let look = |at: &[f64; N]| axes.along(&evaluate(&axes.params(at)));
    let mut at = axes.at(&start);
    let mut here = look(&at);
    let scale = 1.0 / customers.max(1.0);
    let mut damping = DAMPING_START;
    let (mut steps, mut is_at_rest) = (0, false);
    while here.is_finite() && steps < STEPS_MAX && damping < DAMPING_MAX {
        is_at_rest = axes.slope(&here, &at, scale) < GRADIENT_AIM;
        if is_at_rest {
            break;
        }
        steps += 1;
        let Some((next, expected)) = step(&here, &at, &axes, scale, damping) else {
            damping = (damping * 10.0).max(1e-8);
            continue;
        };
        let there = look(&next);
        let noise = 4.0 * f64::EPSILON * (1.0 + here.value.abs() * scale);
        let gain = (there.value - here.value) * scale;
        let is_flatter = axes.slope(&there, &next, scale) < axes.slope(&here, &at, scale);
        if there.is_finite() && (gain >= 0.1 * expected - noise || (expected < noise && is_flatter)) {
            damping *= if gain > 0.7 * expected - noise { 0.1 } else { 2.0 };
            (at, here) = (next, there);
        } else if expected < noise {
            break;
        } else {
            damping = (damping * 10.0).max(1e-8);
        }
    }
    let gradient_max = axes.slope(&here, &at, scale);
    Optimum {
        params: axes.params(&at),
        axes,
        evaluation: here,
        steps,
        gradient_max: if gradient_max.is_finite() { gradient_max } else { f64::MAX },
        converged: here.is_finite() && (is_at_rest || gradient_max < GRADIENT_ENOUGH),
        at_bound: (0..N).any(|index| at[index] <= axes.bounds(index).0 || at[index] >= axes.bounds(index).1),
    }
}

/// The highest of several ends; the first of those as high.
pub(super) fn best<const N: usize, const M: usize>(ends: [Optimum<N>; M]) -> Optimum<N> {
    let mut best = ends[0];
    for end in &ends[1..] {
        // The same summit from another side is higher by rounding only.
        let margin = 1e-10 * best.evaluation.value.abs().max(1.0);
        if end.evaluation.value > best.evaluation.value + margin {
            best = *end;
        }
    }
    best
}

/// The damped Newton step, and the gain per customer that it promises; `None` where the damping is too weak for a way up.
fn step<const N: usize>(here: &Evaluation<N>, at: &[f64; N], axes: &Axes<N>, scale: f64, damping: f64) -> Option<([f64; N], f64)> {
    let free = axes.free(here, at);
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
    let next: [f64; N] = std::array::from_fn(|index| {
        let (least, most) = axes.bounds(index);
        (at[index] + shorten * direction[index]).clamp(least, most)
    });
    let moved: [f64; N] = std::array::from_fn(|index| next[index] - at[index]);
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

    fn plain<const N: usize>() -> Axes<N> {
        Axes {
            relative_to: [None; N],
            most: [SCALE_MAX; N],
        }
    }

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
        let relative = Axes {
            relative_to: [None, Some(0)],
            ..plain()
        };
        for axes in [plain(), relative] {
            let optimum = maximize([30.0, 1e-3], axes, 1.0, valley);
            assert!(optimum.converged && optimum.gradient_max < 1e-10, "{optimum:?}");
            assert!(optimum.params.iter().all(|value| (value - 1.0).abs() < 1e-9), "{optimum:?}");
            let covariance = optimum.covariance();
            assert!(
                (covariance[0] - 0.5).abs() < 1e-6 && (covariance[3] - 0.005).abs() < 1e-6,
                "{covariance:?}"
            );
            assert!(covariance[1].abs() < 1e-6 && covariance[2].abs() < 1e-6, "{covariance:?}");
        }
    }

    #[test]
    fn a_slope_without_end_stops_at_the_end_of_the_range() {
        let optimum = maximize([1.0], plain(), 1.0, |params| Evaluation {
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
        let optimum = maximize([1.0], plain(), 1.0, |params| {
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
            !maximize([1.0], plain(), 1.0, |_| Evaluation {
                value: f64::NAN,
                ..Evaluation::<1>::ZERO
            })
            .converged
        );
    }
}
