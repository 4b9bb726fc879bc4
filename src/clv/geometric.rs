//! Expected purchases of a customer who buys at a gamma-distributed rate and stops after each purchase with a beta-distributed chance.
//!
//! With n and A of the rate (shape n, scale 1/A), p ~ Beta(a, b) and rho = t / A:
//! `E(rho) = E_p[(1 - (1 + p rho)^-n) / p]`. For the customers of (M)BG/NBD n = r + x, A = alpha + T, b counts the chances survived. The
//! textbook form is a Gauss hypergeometric function; its Euler transform is a series of terms that hardly cancel, and where they would, the
//! expectation is taken over p itself.

use super::quadrature::integrate;
use super::special::{ln_gamma, ln_rising};

/// Where the series keeps 12 digits: bounds of its parameters and of its argument.
const SERIES_A_MAX: f64 = 30.0;
const SERIES_SHIFT_MIN: f64 = -6.0;
const SERIES_SHIFT_MAX: f64 = 30.0;
const SERIES_BASE_MIN: f64 = 0.01;
const SERIES_RATIO_MAX: f64 = 1e3;
const SERIES_ARGUMENT_MAX: f64 = 0.97;
const TERMS_MAX: usize = 2_000;
/// Step on the axis of the log-odds of p: the integrand is analytic half pi to both sides, so the trapezoids are exact to rounding.
const STEP: f64 = 0.25;
/// Below its maximum by this much a density adds nothing.
const DROP_MAX: f64 = 42.0;

/// The expectation for one n, a and b, with what does not depend on time.
#[derive(Debug, Clone)]
pub(super) struct Geometric {
    n: f64,
    a: f64,
    b: f64,
    method: Method,
}

#[derive(Debug, Clone)]
enum Method {
    /// Coefficients of `S = sum of c_k z^k`.
    Series(Vec<f64>),
    /// Values of p with their weights, after the chord is taken off where the beta distribution has a pole.
    Nodes(Vec<(f64, f64)>),
}

impl Geometric {
    /// For any n, a and b above 0.
    pub fn new(n: f64, a: f64, b: f64) -> Self {
        let base = a + b - 1.0;
        let shift = base - n;
        let is_series = a <= SERIES_A_MAX
            && (SERIES_SHIFT_MIN..=SERIES_SHIFT_MAX).contains(&shift)
            && base >= SERIES_BASE_MIN
            && base <= SERIES_RATIO_MAX * n;
        let method = if is_series {
            Method::Series(Vec::new())
        } else {
            Method::Nodes(beta_nodes(a, b))
        };
        Self { n, a, b, method }
    }

    /// By quadrature whatever the parameters are: the other way to the same number.
    #[cfg(test)]
    fn by_nodes(n: f64, a: f64, b: f64) -> Self {
        let method = Method::Nodes(beta_nodes(a, b));
        Self { n, a, b, method }
    }

    /// Expected purchases until `rho >= 0`, time relative to alpha + age. Between 0 and `n rho`.
    pub fn purchases(&mut self, rho: f64) -> f64 {
        let most = self.n * rho;
        let argument = rho / (1.0 + rho);
        if let Method::Series(coefficients) = &mut self.method {
            if argument <= SERIES_ARGUMENT_MAX {
                let value = by_series(coefficients, self.n, self.a, self.b, rho);
                return value.clamp(0.0, most);
            }
            self.method = Method::Nodes(beta_nodes(self.a, self.b));
        }
        let Method::Nodes(nodes) = &self.method else { return most };
        let (at_none, at_certain) = (most, -(-self.n * rho.ln_1p()).exp_m1());
        let (left, right) = (
            if self.a < 1.0 { at_none } else { 0.0 },
            if self.b < 1.0 { at_certain } else { 0.0 },
        );
        let share = self.a / (self.a + self.b);
        let mut sum = left * (1.0 - share) + right * share;
        for &(p, weight) in nodes {
            let until_stop = -(-self.n * (p * rho).ln_1p()).exp_m1() / p;
            sum += weight * (until_stop - left * (1.0 - p) - right * p);
        }
        if sum.is_finite() { sum.clamp(0.0, most) } else { 0.0 }
    }

    /// Purchases until `rho`, each discounted by `exp(-rate t)` with `rate` per unit of rho: by parts,
    /// `e^(-rate rho) E(rho) + rate * integral of e^(-rate u) E(u)`.
    pub fn discounted(&mut self, rho: f64, rate: f64) -> f64 {
        let end = if rate > 0.0 { rho.min(60.0 / rate) } else { rho };
        let at_end = self.purchases(end);
        if rate <= 0.0 {
            return at_end;
        }
        // On the logarithmic axis E is analytic far around, so 16 nodes a piece do.
        let width = end.ln_1p();
        let panels = (width / 3.0).max(rate * end / 8.0).ceil().clamp(1.0, 16.0) as usize;
        let cell = std::cell::RefCell::new(self);
        let inner = integrate(0.0, width, panels, |w| {
            let at = w.exp_m1();
            (w - rate * at).exp() * cell.borrow_mut().purchases(at)
        });
        (-rate * end).exp() * at_end + rate * inner
    }
}

/// Euler's transform: with `z = rho / (1 + rho)`, `L = ln(1 - z)`, `C = a + b - 1`, `B = C - n`:
/// `E = C { -expm1((a - 1) L) / (a - 1) - exp((a - 1) L) S }`, `S = sum of (a)_(k-1) (B)_k / ((C)_k k!) z^k`.
fn by_series(coefficients: &mut Vec<f64>, n: f64, a: f64, b: f64, rho: f64) -> f64 {
    let base = a + b - 1.0;
    let shift = base - n;
    let argument = rho / (1.0 + rho);
    let log = -rho.ln_1p();
    if coefficients.is_empty() {
        coefficients.push(shift / base);
    }
    let (mut sum, mut power) = (0.0_f64, argument);
    for index in 0..TERMS_MAX {
        if index == coefficients.len() {
            let k = index as f64;
            let last = coefficients[index - 1];
            coefficients.push(last * (a + k - 1.0) * (shift + k) / ((base + k) * (k + 1.0)));
        }
        let term = coefficients[index] * power;
        sum += term;
        // Past the terms whose sign may turn, they only fall.
        if term.abs() <= 1e-17 * sum.abs() && index as f64 > -shift {
            break;
        }
        power *= argument;
    }
    let scaled = (a - 1.0) * log;
    let straight = if scaled.abs() < 1e-12 { -log } else { -scaled.exp_m1() / (a - 1.0) };
    base * (straight - scaled.exp() * sum)
}

/// Values of p with weights that make `sum of w g(p)` the mean of g over Beta(a, b), for g that vanish towards 0 (where a < 1) and
/// towards 1 (where b < 1) like p and 1 - p.
fn beta_nodes(a: f64, b: f64) -> Vec<(f64, f64)> {
    // The density of the log-odds y: p^a (1 - p)^b / B(a, b).
    let log_density = |y: f64| -> f64 {
        let (log_p, log_rest) = if y < 0.0 {
            (y - y.exp().ln_1p(), -y.exp().ln_1p())
        } else {
            (-(-y).exp().ln_1p(), -y - (-y).exp().ln_1p())
        };
        a * log_p + b * log_rest
    };
    // How fast the product with g falls on both sides.
    let (left, right) = (if a < 1.0 { a + 1.0 } else { a }, if b < 1.0 { b + 1.0 } else { b });
    let tail = |y: f64| -> f64 {
        let extra_left = if a < 1.0 { y.min(0.0) } else { 0.0 };
        let extra_right = if b < 1.0 { (-y).min(0.0) } else { 0.0 };
        log_density(y) + extra_left + extra_right
    };
    let mode = (left / right).ln();
    let floor = tail(mode) - DROP_MAX;
    let spread = ((left + right) / (left * right)).sqrt();
    let step = STEP.min(0.5 * spread);
    let reach = |direction: f64| -> f64 {
        let mut steps = 1.0;
        while tail(mode + direction * steps * step) > floor && steps < 4_000.0 {
            steps += 1.0;
        }
        steps
    };
    let (below, above) = (reach(-1.0) as i64, reach(1.0) as i64);
    let points = (-below..=above).map(|index| mode + index as f64 * step);
    let mut nodes: Vec<(f64, f64)> = points.map(|y| (1.0 / (1.0 + (-y).exp()), log_density(y))).collect();
    let norm = if a >= 1.0 && b >= 1.0 {
        // Their own sum is the more exact, the larger a and b are.
        let top = log_density(mode);
        top + nodes.iter().map(|&(_, density)| (density - top).exp()).sum::<f64>().ln()
    } else {
        // ln B(a, b) from the smaller of both.
        let (small, large) = (a.min(b), a.max(b));
        ln_gamma(small) - ln_rising(large, small) - step.ln()
    };
    for node in &mut nodes {
        node.1 = (node.1 - norm).exp();
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole numbers that look random, the same everywhere.
    fn random(seed: &mut u64) -> f64 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 11) as f64 / (1_u64 << 53) as f64
    }

    #[test]
    fn series_and_quadrature_give_the_same() {
        let mut seed = 7;
        let (mut worst, mut compared) = (0.0_f64, 0);
        for _ in 0..3_000 {
            let span = |seed: &mut u64, low: f64, high: f64| (low * (high / low).ln().mul_add(random(seed), 0.0).exp()).clamp(low, high);
            let (r, a, b) = (
                span(&mut seed, 0.02, 20.0),
                span(&mut seed, 0.02, 25.0),
                span(&mut seed, 0.02, 60.0),
            );
            let x = (span(&mut seed, 0.5, 600.0) - 0.5).floor();
            let rho = span(&mut seed, 1e-3, 30.0);
            let mut chosen = Geometric::new(r + x, a, b + x);
            if !matches!(chosen.method, Method::Series(_)) {
                continue;
            }
            let (series, nodes) = (chosen.purchases(rho), Geometric::by_nodes(r + x, a, b + x).purchases(rho));
            let error = (series / nodes - 1.0).abs();
            assert!(error < 1e-9, "r {r} a {a} b {b} x {x} rho {rho}: {series} {nodes}");
            worst = worst.max(error);
            compared += 1;
        }
        assert!(compared > 1_000, "{compared}");
        eprintln!("worst {worst:e} of {compared}");
    }

    #[test]
    fn a_removable_singularity_is_removed() {
        let values = [1.0, 1.0 + 1e-13, 1.0 - 1e-9, 1.0 + 1e-6].map(|a| Geometric::new(2.3, a, 3.0).purchases(0.7));
        assert!(values.iter().all(|value| (value / values[0] - 1.0).abs() < 1e-6), "{values:?}");
    }

    #[test]
    fn nobody_stops_where_b_is_huge() {
        for b in [1e6, 1e8] {
            let value = Geometric::new(2.5, 1.0, b).purchases(3.0);
            assert!((value / 7.5 - 1.0).abs() < 30.0 / b, "{value}");
        }
    }

    #[test]
    fn everybody_stops_where_a_is_huge() {
        // At most the one purchase after which everybody stops: 1 - (1 + rho)^-n.
        let value = Geometric::new(2.5, 1e8, 1e-3).purchases(3.0);
        assert!((value - (1.0 - 4.0_f64.powf(-2.5))).abs() < 1e-6, "{value}");
    }

    #[test]
    fn discounting_by_nothing_and_by_much() {
        let mut given = Geometric::new(3.2, 0.8, 4.0);
        let plain = given.purchases(2.0);
        assert_eq!(given.discounted(2.0, 0.0), plain);
        assert!((given.discounted(2.0, 1e-12) / plain - 1.0).abs() < 1e-10);
        // Where only the first moments count, purchases come at the rate n: the integral of n e^(-rate u).
        let fast = given.discounted(2.0, 1e5);
        assert!((fast / (3.2 / 1e5) - 1.0).abs() < 1e-3, "{fast}");
    }
}
