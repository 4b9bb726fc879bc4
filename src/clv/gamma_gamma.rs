//! Gamma-Gamma: what a customer spends per purchase day, shrunk towards all customers by how little is known of the one.
//!
//! Source: Fader and Hardie, "The Gamma-Gamma model of monetary value" (2013). Parameters p, q, v.

use super::Fit;

/// Names of the parameters in their order; `v` is in the currency of the spend.
pub const PARAM_NAMES: [&str; 3] = ["p", "q", "v"];

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
            self.rows.push((x, mean, weight));
        }
    }

    /// Takes over what another has counted.
    pub fn merge(&mut self, other: &Self) {
        self.rows.extend_from_slice(&other.rows);
    }

    /// Distinct rows (repeat purchase days, mean spend, customers) in order.
    pub fn sorted(&self) -> Vec<(u32, f64, u64)> {
        let mut rows = self.rows.clone();
        rows.sort_unstable_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
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

/// Fits p, q and v.
pub fn fit(spends: &Spends) -> Fit {
    Fit::nothing("gamma_gamma", spends.customers())
}

/// Expected spend per purchase day of a customer with `x` repeat purchase days of this mean; `x = 0` gives the mean of all customers.
/// `None` where the parameters are not three finite numbers above 0, or their mean does not exist (q <= 1 without a purchase).
pub fn expected_spend(params: &[f64], _x: u32, _mean: f64) -> Option<f64> {
    let &[p, q, v] = params else { return None };
    (q > 1.0).then(|| p * v / (q - 1.0))
}

/// Standard error of [`expected_spend`] from the covariance of the parameters (row by row); 0 where that is empty.
pub fn expected_spend_se(params: &[f64], _covariance: &[f64], x: u32, mean: f64) -> Option<f64> {
    expected_spend(params, x, mean).map(|_| 0.0)
}
