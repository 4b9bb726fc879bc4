//! BG/NBD and MBG/NBD: customers buy at a gamma-distributed rate and may stop right after a purchase, with a beta-distributed chance.
//! In the first model the first purchase is safe, in the second it is not; all else is shared.
//!
//! Sources: Fader, Hardie and Lee (2005), "Counting your customers the easy way"; Batislam, Denizel and Filiztekin (2007).
//! `L = K (alpha + T)^-(r + x) + K a / (b + x - 1 + o) (alpha + t)^-(r + x)` with `o` = 0 (BG) or 1 (MBG) and K of x alone; the two terms
//! are the customer alive and the customer who stopped at the last purchase.

use super::nbd;
use super::optimize::{Evaluation, Optimum, maximize};
use super::rows::Rows;
use super::special::{Rising, log_add};

/// When a customer can stop for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstChance {
    /// After the first repeat purchase: BG/NBD.
    Repeat,
    /// After the first purchase: MBG/NBD.
    First,
}

impl FirstChance {
    /// How many more chances to stop there were than repeat purchases.
    pub fn chances(self) -> f64 {
        match self {
            Self::Repeat => 0.0,
            Self::First => 1.0,
        }
    }
}

/// Log-likelihood of all customers with its derivatives by the logarithms of r, alpha, a and b.
pub(super) fn evaluate(rows: &Rows, first: FirstChance, params: &[f64; 4]) -> Evaluation<4> {
    let &[r, alpha, a, b] = params;
    let times: Vec<(f64, f64)> = rows.times.iter().map(|time| ((alpha + time).ln(), 1.0 / (alpha + time))).collect();
    // What depends on repeat purchases: r + x, ln a - ln(b + x - 1 + o) (-inf: nobody can have stopped) and 1 / (b + x - 1 + o).
    let counts: Vec<(f64, f64, f64)> = rows
        .counts
        .iter()
        .map(|&x| {
            if x + first.chances() == 0.0 {
                return (r + x, f64::NEG_INFINITY, 0.0);
            }
            let left = b + x - 1.0 + first.chances();
            (r + x, a.ln() - left.ln(), 1.0 / left)
        })
        .collect();
    let mut sum = rows.sum(|row, sum| {
        let (rate, ln_stop, inverse_left) = counts[row.count as usize];
        let ((log_age, inverse_age), (log_last, inverse_last)) = (times[row.age as usize], times[row.recency as usize]);
        let weight = row.weight;
        let (value, stopped) = log_add(-rate * log_age, ln_stop - rate * log_last);
        let alive = 1.0 - stopped;
        sum.value += weight * value;
        sum.alive += weight * alive;
        let (alive, stopped) = (weight * alive, weight * stopped);
        sum.gradient[0] -= alive * log_age + stopped * log_last;
        sum.gradient[1] -= rate * (alive * inverse_age + stopped * inverse_last);
        sum.gradient[2] += stopped / a;
        sum.gradient[3] -= stopped * inverse_left;
        sum.hessian[0][1] -= alive * inverse_age + stopped * inverse_last;
        sum.hessian[1][1] += rate * (alive * inverse_age * inverse_age + stopped * inverse_last * inverse_last);
        sum.hessian[2][2] -= stopped / (a * a);
        sum.hessian[3][3] += stopped * inverse_left * inverse_left;
        // The mixture: p (1 - p) times the outer product of the difference of the two slopes.
        let both = alive * stopped / weight;
        let gap = [log_last - log_age, rate * (inverse_last - inverse_age), -1.0 / a, inverse_left];
        for one in 0..4 {
            for other in one..4 {
                sum.hessian[one][other] += both * gap[one] * gap[other];
            }
        }
    });
    let mut shared: Evaluation<4> = Evaluation::ZERO;
    nbd::add_rates(rows, r, alpha, &mut shared);
    add_chances(rows, first, a, b, &mut shared);
    sum.add(&shared);
    sum.by_logarithms(params)
}

/// What surviving every chance to stop adds: `ln B(a, b + x + o) - ln B(a, b)`.
fn add_chances(rows: &Rows, first: FirstChance, a: f64, b: f64, sum: &mut Evaluation<4>) {
    for &(count, weight) in &rows.totals {
        let chances = count + first.chances();
        let (kept, all) = (Rising::at(b, chances), Rising::at(a + b, chances));
        sum.value += weight * (kept.value - all.value);
        sum.gradient[2] -= weight * all.slope;
        sum.gradient[3] += weight * (kept.slope - all.slope);
        sum.hessian[2][2] -= weight * all.curvature;
        sum.hessian[2][3] -= weight * all.curvature;
        sum.hessian[3][3] += weight * (kept.curvature - all.curvature);
    }
}

/// Where to start without knowing better: from the mean age, and from the model without dropout.
pub(super) fn starts(rows: &Rows, without_dropout: &[f64; 2]) -> [[f64; 4]; 2] {
    let alpha = (rows.age_mean() / std::f64::consts::E).max(1e-3);
    let &[rate, rate_alpha] = without_dropout;
    [[1.0, alpha, 1.0, 2.0], [rate, rate_alpha, 0.5, 5.0]]
}

/// Climbs from a start.
pub(super) fn climb(rows: &Rows, first: FirstChance, start: [f64; 4]) -> Optimum<4> {
    maximize(start, rows.customers, |params| evaluate(rows, first, params))
}

/// `ln` of the odds of having stopped: at the last purchase, against alive. -inf where there was no chance to.
pub(super) fn log_odds_stopped(first: FirstChance, params: &[f64; 4], x: f64, last: f64, age: f64) -> f64 {
    let &[r, alpha, a, b] = params;
    let chances = x + first.chances();
    if chances == 0.0 {
        return f64::NEG_INFINITY;
    }
    a.ln() - (b + chances - 1.0).ln() + (r + x) * ((age - last) / (alpha + last)).ln_1p()
}

/// Slopes of [`log_odds_stopped`] by r, alpha, a and b; 0 where there was no chance to stop.
pub(super) fn log_odds_slopes(first: FirstChance, params: &[f64; 4], x: f64, last: f64, age: f64) -> [f64; 4] {
    let &[r, alpha, a, b] = params;
    let chances = x + first.chances();
    if chances == 0.0 {
        return [0.0; 4];
    }
    let (since_last, since_age) = (1.0 / (alpha + last), 1.0 / (alpha + age));
    let longer = ((age - last) * since_last).ln_1p();
    [longer, (r + x) * (since_age - since_last), 1.0 / a, -1.0 / (b + chances - 1.0)]
}

/// Log-likelihood of one history, times in weeks.
pub(super) fn log_likelihood(first: FirstChance, params: &[f64; 4], x: f64, last: f64, age: f64) -> f64 {
    let &[r, alpha, a, b] = params;
    let chances = x + first.chances();
    let shared = super::special::ln_rising(r, x) + super::special::ln_rising(b, chances) - super::special::ln_rising(a + b, chances);
    let alive = r * alpha.ln() - (r + x) * (alpha + age).ln();
    shared + log_add(alive, alive + log_odds_stopped(first, params, x, last, age)).0
}
