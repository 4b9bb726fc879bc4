//! BG/BB: customers who are alive take an opportunity with a beta-distributed chance, and stop before each with another one.
//!
//! Source: Fader, Hardie and Shang (2010). A history is x of n opportunities taken, the last of them the t-th. All terms of the likelihood
//! are ratios of rising factorials; with `A = alpha`, `B = beta` of buying and `G = gamma`, `D = delta` of stopping:
//! `L = B(A + x, B + n - x) / B(A, B) * B(G, D + n) / B(G, D)` (alive) plus, for `i = 0 .. n - t - 1`,
//! `B(A + x, B + t - x + i) / B(A, B) * B(G + 1, D + t + i) / B(G, D)` (stopped after opportunity t + i).

use super::History;
use super::optimize::{Evaluation, Optimum, maximize};
use super::special::{Rising, ln_rising, log_add};

/// Opportunities that are looked at: more count as this many.
pub(super) const OPPORTUNITIES_MAX: u32 = 100_000;

/// Distinct histories, and opportunities of the longest.
pub(super) struct Donors {
    groups: Vec<(History, f64)>,
    longest: usize,
    customers: f64,
}

/// A history that can be: no more taken than there were up to the last one taken.
pub(super) fn possible(history: History) -> History {
    let age = history.age.min(OPPORTUNITIES_MAX);
    let recency = history.recency.min(age);
    let x = history.x.min(recency);
    let recency = if x == 0 { 0 } else { recency };
    History { x, recency, age }
}

impl Donors {
    pub fn new(groups: &[(History, u64)]) -> Self {
        let groups: Vec<(History, f64)> = groups.iter().map(|&(history, weight)| (possible(history), weight as f64)).collect();
        Self {
            longest: groups.iter().map(|(history, _)| history.age as usize).max().unwrap_or(0),
            customers: groups.iter().map(|&(_, weight)| weight).sum(),
            groups,
        }
    }
}

/// Rising factorials with their derivatives, for every number of opportunities.
struct Tables {
    alpha: Vec<Rising>,
    beta: Vec<Rising>,
    buying: Vec<Rising>,
    delta: Vec<Rising>,
    stopping: Vec<Rising>,
}

impl Tables {
    fn new(params: &[f64; 4], longest: usize) -> Self {
        let &[alpha, beta, gamma, delta] = params;
        let table = |z: f64| -> Vec<Rising> {
            let mut rising = Rising {
                value: 0.0,
                slope: 0.0,
                curvature: 0.0,
            };
            let mut table = vec![rising];
            for step in 0..=longest {
                let at = z + step as f64;
                rising = Rising {
                    value: rising.value + at.ln(),
                    slope: rising.slope + 1.0 / at,
                    curvature: rising.curvature - 1.0 / (at * at),
                };
                table.push(rising);
            }
            table
        };
        Self {
            alpha: table(alpha),
            beta: table(beta),
            buying: table(alpha + beta),
            delta: table(delta),
            stopping: table(gamma + delta),
        }
    }

    /// A term of the likelihood with its derivatives: bought `x` times in `seen` opportunities, and stopped after `seen` or not.
    fn term(&self, x: usize, seen: usize, stopped_gamma: Option<f64>) -> Evaluation<4> {
        let (bought, missed, all) = (self.alpha[x], self.beta[seen - x], self.buying[seen]);
        let (stayed, chances) = (self.delta[seen], self.stopping[seen + usize::from(stopped_gamma.is_some())]);
        let mut term: Evaluation<4> = Evaluation::ZERO;
        term.value = bought.value + missed.value - all.value + stayed.value - chances.value;
        term.gradient = [
            bought.slope - all.slope,
            missed.slope - all.slope,
            -chances.slope,
            stayed.slope - chances.slope,
        ];
        term.hessian[0][0] = bought.curvature - all.curvature;
        term.hessian[0][1] = -all.curvature;
        term.hessian[1][1] = missed.curvature - all.curvature;
        term.hessian[2][2] = -chances.curvature;
        term.hessian[2][3] = -chances.curvature;
        term.hessian[3][3] = stayed.curvature - chances.curvature;
        if let Some(gamma) = stopped_gamma {
            term.value += gamma.ln();
            term.gradient[2] += 1.0 / gamma;
            term.hessian[2][2] -= 1.0 / (gamma * gamma);
        }
        term
    }
}

/// Log-likelihood of all customers with its derivatives by the logarithms of alpha, beta, gamma and delta.
pub(super) fn evaluate(donors: &Donors, params: &[f64; 4]) -> Evaluation<4> {
    let tables = Tables::new(params, donors.longest);
    let mut sum = Evaluation::ZERO;
    for &(history, weight) in &donors.groups {
        let (x, last, seen) = (history.x as usize, history.recency as usize, history.age as usize);
        let mut mixture = tables.term(x, seen, None);
        let mut alive = 1.0;
        for stop in (last..seen).rev() {
            let share = mix(&mut mixture, &tables.term(x, stop, Some(params[2])));
            alive *= 1.0 - share;
        }
        sum.value += weight * mixture.value;
        sum.alive += weight * alive;
        for one in 0..4 {
            sum.gradient[one] += weight * mixture.gradient[one];
            for other in one..4 {
                sum.hessian[one][other] += weight * mixture.hessian[one][other];
            }
        }
    }
    sum.by_logarithms(params)
}

/// Adds a term to a mixture of terms, all as logarithms with derivatives; gives the share of the new one.
fn mix(mixture: &mut Evaluation<4>, term: &Evaluation<4>) -> f64 {
    let (value, share) = log_add(mixture.value, term.value);
    mixture.value = value;
    let gap: [f64; 4] = std::array::from_fn(|index| term.gradient[index] - mixture.gradient[index]);
    for one in 0..4 {
        for other in one..4 {
            let straight = (1.0 - share) * mixture.hessian[one][other] + share * term.hessian[one][other];
            mixture.hessian[one][other] = straight + share * (1.0 - share) * gap[one] * gap[other];
        }
    }
    for one in 0..4 {
        mixture.gradient[one] += share * gap[one];
    }
    share
}

/// The better end of two climbs.
pub(super) fn fit(donors: &Donors) -> Optimum<4> {
    let climb = |start| maximize(start, donors.customers, |params| evaluate(donors, params));
    let (first, second) = (climb([1.0, 1.0, 0.5, 2.0]), climb([0.5, 1.5, 1.0, 20.0]));
    if second.evaluation.value > first.evaluation.value + 1e-9 {
        second
    } else {
        first
    }
}

/// Log-likelihood of one history.
pub(super) fn log_likelihood(params: &[f64; 4], history: History) -> f64 {
    let &[alpha, beta, gamma, delta] = params;
    let (x, seen) = (f64::from(history.x), f64::from(history.age));
    let alive = ln_rising(alpha, x) + ln_rising(beta, seen - x) - ln_rising(alpha + beta, seen) + ln_rising(delta, seen)
        - ln_rising(gamma + delta, seen);
    log_add(alive, alive + log_odds_stopped(params, history)).0
}

/// `ln` of the odds of having stopped before the last opportunity was over, against alive then; -inf where it was taken.
pub(super) fn log_odds_stopped(params: &[f64; 4], history: History) -> f64 {
    let &[alpha, beta, gamma, delta] = params;
    let (x, seen) = (f64::from(history.x), f64::from(history.age));
    // Backwards from the last opportunity: the term of stopping after `at`, relative to being alive at the end.
    let mut ratio = gamma / (delta + seen);
    let (mut log_scale, mut sum) = (0.0, 0.0);
    for at in (history.recency..history.age).rev() {
        let at = f64::from(at);
        // From the terms of at + 1 to those of at: one miss less, one stay less.
        ratio *=
            (alpha + beta + at) / (beta + at - x) * (if at + 1.0 == seen { delta + seen } else { gamma + delta + at + 1.0 }) / (delta + at);
        sum += ratio;
        if sum > 1e200 {
            log_scale += 1e200_f64.ln();
            sum *= 1e-200;
            ratio *= 1e-200;
        }
    }
    sum.ln() + log_scale
}

/// Chance to be alive for the next opportunity of a customer who was alive at the last one.
pub(super) fn stay(params: &[f64; 4], seen: f64) -> f64 {
    let &[_, _, gamma, delta] = params;
    (delta + seen) / (gamma + delta + seen)
}

/// Expected opportunities taken among the next `horizon`, each discounted by a further factor `discount`, of a customer alive at the last.
pub(super) fn purchases(params: &[f64; 4], x: f64, seen: f64, horizon: u32, discount: f64) -> f64 {
    let &[alpha, beta, _, _] = params;
    let (mut alive, mut sum) = (1.0, 0.0);
    for ahead in 0..horizon {
        alive *= stay(params, seen + f64::from(ahead)) * discount;
        sum += alive;
        if alive < 1e-18 * sum {
            break;
        }
    }
    sum * (alpha + x) / (alpha + beta + seen)
}

/// Probability that none of the next `horizon` opportunities is taken by a customer alive at the last one.
pub(super) fn silence(params: &[f64; 4], x: f64, seen: f64, horizon: u32) -> f64 {
    let &[alpha, beta, _, _] = params;
    let (mut silent, mut sum) = (1.0, 0.0);
    for ahead in 0..horizon {
        let at = seen + f64::from(ahead);
        let stay = stay(params, at);
        sum += silent * (1.0 - stay);
        silent *= stay * (beta + at - x) / (alpha + beta + at);
        if silent < 1e-18 {
            break;
        }
    }
    (sum + silent).clamp(0.0, 1.0)
}
