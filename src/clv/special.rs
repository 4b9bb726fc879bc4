//! Ratios of gamma functions and their slopes, for real arguments above 0: differences of large logarithms would lose the digits that
//! a likelihood lives on, so each function takes the difference inside the asymptotic series (Abramowitz and Stegun 6.1.40, 6.3.18, 6.4.12).

/// Below this argument the recurrence is used, above it the asymptotic series, which there is exact to a few 1e-16.
const SERIES_FROM: f64 = 12.0;
/// Up to this many whole steps a rising factorial is multiplied out.
const PRODUCT_MAX: f64 = 8.0;

/// `ln(G(z + q) / G(z))` with its first and second derivative by `z`. For a whole `q` this is the logarithm of the rising factorial.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rising {
    pub value: f64,
    pub slope: f64,
    pub curvature: f64,
}

impl Rising {
    /// At `z > 0`, `q >= 0`.
    pub fn at(z: f64, q: f64) -> Self {
        Self {
            value: ln_rising(z, q),
            slope: digamma_difference(z, q),
            curvature: trigamma(z + q) - trigamma(z),
        }
    }
}

/// `ln(G(z + q) / G(z))` for `z > 0`, `q >= 0`.
pub(super) fn ln_rising(z: f64, q: f64) -> f64 {
    if q <= PRODUCT_MAX && q.fract() == 0.0 {
        let (mut product, mut step) = (1.0, 0.0);
        while step < q {
            product *= z + step;
            step += 1.0;
        }
        return product.ln();
    }
    let (mut z, mut product) = (z, 1.0);
    while z < SERIES_FROM {
        product *= z / (z + q);
        z += 1.0;
    }
    product.ln() + (z - 0.5) * (q / z).ln_1p() + q * (z + q).ln() - q + stirling(z + q) - stirling(z)
}

/// What Stirling's formula leaves out of `ln G(z)`.
fn stirling(z: f64) -> f64 {
    let inverse = 1.0 / z;
    let square = inverse * inverse;
    inverse
        * (1.0 / 12.0
            + square
                * (-1.0 / 360.0
                    + square * (1.0 / 1260.0 + square * (-1.0 / 1680.0 + square * (1.0 / 1188.0 - square * 691.0 / 360_360.0)))))
}

/// `psi(z + q) - psi(z)` for `z > 0`, `q >= 0`.
pub(super) fn digamma_difference(z: f64, q: f64) -> f64 {
    let (mut z, mut sum) = (z, 0.0);
    while z < SERIES_FROM {
        sum += q / (z * (z + q));
        z += 1.0;
    }
    sum + (q / z).ln_1p() + 0.5 * q / (z * (z + q)) + digamma_tail(z + q) - digamma_tail(z)
}

/// `psi(z)` without `ln z - 1/(2z)`, for large `z`.
fn digamma_tail(z: f64) -> f64 {
    let square = 1.0 / (z * z);
    square
        * (-1.0 / 12.0
            + square
                * (1.0 / 120.0 + square * (-1.0 / 252.0 + square * (1.0 / 240.0 + square * (-1.0 / 132.0 + square * 691.0 / 32_760.0)))))
}

/// The first derivative of the digamma function, for `z > 0`.
pub(super) fn trigamma(z: f64) -> f64 {
    let (mut z, mut sum) = (z, 0.0);
    while z < SERIES_FROM {
        sum += 1.0 / (z * z);
        z += 1.0;
    }
    let inverse = 1.0 / z;
    let square = inverse * inverse;
    let tail = square * (1.0 / 6.0 + square * (-1.0 / 30.0 + square * (1.0 / 42.0 + square * (-1.0 / 30.0 + square * 5.0 / 66.0))));
    sum + inverse * (1.0 + 0.5 * inverse + tail)
}

/// `psi(z)` for `z > 0`.
pub(super) fn digamma(z: f64) -> f64 {
    let (mut z, mut sum) = (z, 0.0);
    while z < SERIES_FROM {
        sum -= 1.0 / z;
        z += 1.0;
    }
    sum + z.ln() - 0.5 / z + digamma_tail(z)
}

/// `ln G(z)` for `z > 0`.
pub(super) fn ln_gamma(z: f64) -> f64 {
    libm::lgamma(z)
}

/// `ln(exp(one) + exp(other))` and the share of the second, 0 to 1.
pub(super) fn log_add(one: f64, other: f64) -> (f64, f64) {
    let gap = other - one;
    let smaller = (-gap.abs()).exp();
    let share = if gap > 0.0 { 1.0 } else { smaller } / (1.0 + smaller);
    (one.max(other) + smaller.ln_1p(), share)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(one: f64, other: f64, tolerance: f64) -> bool {
        (one - other).abs() <= tolerance * other.abs().max(1.0)
    }

    #[test]
    fn ratios_agree_with_the_gamma_function() {
        for z in [1e-8, 0.25, 1.0, 4.4, 11.9, 12.1, 80.0, 1e4] {
            for q in [0.0, 0.3, 1.0, 7.0, 9.0, 30.5, 664.0, 5000.0] {
                let direct = libm::lgamma(z + q) - libm::lgamma(z);
                // The difference itself loses digits by the size of its logarithms.
                let lost = libm::lgamma(z + q).abs() * 1e-15;
                assert!(
                    (ln_rising(z, q) - direct).abs() < 1e-13 + lost,
                    "{z} {q} {} {direct}",
                    ln_rising(z, q)
                );
            }
        }
    }

    #[test]
    fn ratios_keep_their_digits_where_the_arguments_are_huge() {
        // ln((z + q - 1) ... z) is q ln z to first order, q (q - 1) / (2 z) to second.
        let (z, q) = (1e12_f64, 40.0);
        assert!(close(ln_rising(z, q), q * z.ln() + q * (q - 1.0) / (2.0 * z), 1e-15));
        assert!(close(digamma_difference(z, q) * z, q - q * (q - 1.0) / (2.0 * z), 1e-14));
    }

    #[test]
    fn slopes_are_the_slopes_of_the_values() {
        for z in [0.2, 3.0, 15.0, 300.0] {
            for q in [1.0, 12.0, 0.7, 450.0] {
                let step = 1e-5 * z;
                let rising = Rising::at(z, q);
                let slope = (ln_rising(z + step, q) - ln_rising(z - step, q)) / (2.0 * step);
                let curvature = (digamma_difference(z + step, q) - digamma_difference(z - step, q)) / (2.0 * step);
                assert!(close(rising.slope, slope, 1e-7), "{z} {q}");
                assert!(close(rising.curvature, curvature, 1e-7), "{z} {q}");
            }
        }
    }

    #[test]
    fn known_values() {
        assert!(close(digamma(1.0), -0.577_215_664_901_532_9, 1e-15));
        assert!(close(trigamma(1.0), std::f64::consts::PI.powi(2) / 6.0, 1e-14));
        assert!(close(digamma_difference(1.0, 1.0), 1.0, 1e-15));
    }
}
