//! Integrals of smooth functions by Gauss-Legendre nodes, and of `exp` of a concave function in logarithms, so that nothing overflows.

use std::sync::LazyLock;

/// Nodes on (-1, 1) with their weights.
pub(super) type Nodes = Vec<(f64, f64)>;

static NODES: LazyLock<[Nodes; 4]> = LazyLock::new(|| [8, 12, 16, 24].map(legendre));
/// A concave exponent this far below its maximum adds nothing that a double can hold.
const DROP_MAX: f64 = 42.0;
/// Widest piece of a logarithmic time axis that one set of 24 nodes takes.
const PANEL_WIDTH: f64 = 3.0;
/// Halvings that find an end of the support to one part in 2^40.
const HALVINGS: usize = 40;

/// The smallest set with at least `count` nodes: 8, 12, 16 or 24.
pub(super) fn nodes(count: usize) -> &'static Nodes {
    &NODES[match count {
        0..=8 => 0,
        9..=12 => 1,
        13..=16 => 2,
        _ => 3,
    }]
}

/// Zeros of the Legendre polynomial by Newton's method, with their weights (Abramowitz and Stegun 25.4.29).
fn legendre(count: usize) -> Nodes {
    let order = count as f64;
    (0..count)
        .map(|index| {
            let mut at = -(std::f64::consts::PI * (index as f64 + 0.75) / (order + 0.5)).cos();
            let mut slope = 1.0;
            for _ in 0..100 {
                let (mut value, mut before) = (1.0, 0.0);
                for degree in 0..count {
                    let degree = degree as f64;
                    let next = ((2.0 * degree + 1.0) * at * value - degree * before) / (degree + 1.0);
                    (value, before) = (next, value);
                }
                slope = order * (at * value - before) / (at * at - 1.0);
                let step = value / slope;
                at -= step;
                if step.abs() < 1e-16 {
                    break;
                }
            }
            (at, 2.0 / ((1.0 - at * at) * slope * slope))
        })
        .collect()
}

/// The integral of `function` from `low` to `high` in `panels` pieces of 16 nodes each.
pub(super) fn integrate(low: f64, high: f64, panels: usize, function: impl Fn(f64) -> f64) -> f64 {
    let panels = panels.max(1);
    let half = 0.5 * (high - low) / panels as f64;
    let mut sum = 0.0;
    for panel in 0..panels {
        let center = low + half * (2 * panel + 1) as f64;
        sum += nodes(16)
            .iter()
            .map(|&(node, weight)| weight * function(center + half * node))
            .sum::<f64>();
    }
    half * sum
}

/// `ln` of the integral of `exp(exponent(w))` from `low` to `high`; -inf where there is no width. The exponent is concave and comes with
/// its slope.
pub(super) fn log_integral(low: f64, high: f64, exponent: impl Fn(f64) -> (f64, f64)) -> f64 {
    // Written so that a width that is not a number counts as none.
    let has_width = high > low;
    if !has_width {
        return f64::NEG_INFINITY;
    }
    let (at_low, slope_low) = exponent(low);
    let (at_high, slope_high) = exponent(high);
    let peak = if slope_low <= 0.0 {
        low
    } else if slope_high >= 0.0 {
        high
    } else {
        bisect(low, high, |w| exponent(w).1 > 0.0)
    };
    let top = exponent(peak).0;
    let floor = top - DROP_MAX;
    let left = if at_low < floor {
        bisect(low, peak, |w| exponent(w).0 < floor)
    } else {
        low
    };
    let right = if at_high < floor {
        bisect(peak, high, |w| exponent(w).0 >= floor)
    } else {
        high
    };
    let piece = |from: f64, to: f64| -> f64 {
        let panels = ((to - from) / PANEL_WIDTH).ceil().clamp(1.0, 32.0);
        let half = 0.5 * (to - from) / panels;
        let mut sum = 0.0;
        for panel in 0..panels as usize {
            let center = from + half * (2 * panel + 1) as f64;
            for &(node, weight) in nodes(24) {
                sum += weight * (exponent(center + half * node).0 - top).exp();
            }
        }
        half * sum
    };
    top + (piece(left, peak) + piece(peak, right)).ln()
}

/// Where `holds` turns from true to false between `low` and `high`.
fn bisect(low: f64, high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (low, high);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_are_integrated_exactly() {
        for count in [8, 12, 16, 24] {
            let sum: f64 = nodes(count).iter().map(|&(node, weight)| weight * node.powi(14)).sum();
            assert_eq!(nodes(count).len(), count);
            assert!((sum - 2.0 / 15.0).abs() < 1e-15, "{count} {sum}");
        }
    }

    #[test]
    fn a_narrow_bell_is_found_anywhere() {
        for (center, width) in [(0.0, 1.0), (-7.3, 1e-4), (19.9, 0.01)] {
            let found = log_integral(-20.0, 20.0, |w| {
                let y = (w - center) / width;
                (-0.5 * y * y + 3000.0, -y / width)
            });
            let expected = 3000.0 + (width * (2.0 * std::f64::consts::PI).sqrt()).ln();
            assert!((found - expected).abs() < 1e-11, "{center} {found} {expected}");
        }
        assert_eq!(log_integral(1.0, 1.0, |_| (0.0, 0.0)), f64::NEG_INFINITY);
    }

    #[test]
    fn a_steep_slope_is_cut_where_nothing_is_left() {
        let found = log_integral(0.0, 1e6, |w| (-5.0 * w, -5.0));
        assert!((found + 5.0_f64.ln()).abs() < 1e-13);
    }
}
