//! What a fitted purchase model says of one customer: alive or not, silent or not, how many purchases, and what they are worth today.
//!
//! Everything but the probability of being alive is a mixture of the customer who has stopped and the customer who is alive, and of the
//! latter nothing depends on the last purchase: those parts are remembered by repeat purchases and age.

use rustc_hash::FxHashMap;

use super::bg::{self, FirstChance};
use super::bg_bb;
use super::geometric::Geometric;
use super::history::AGE_MAX;
use super::pareto;
use super::special::ln_rising;
use super::{DAYS_PER_WEEK, DAYS_PER_YEAR, History, PurchaseModel};

/// What is remembered at most; then it starts anew.
const REMEMBERED_MAX: usize = 1 << 20;
/// Relative step of a parameter for slopes of predictions.
const NUDGE: f64 = 1e-4;

/// Predictions of one model with one set of parameters. Remembers what depends on repeat purchases and age only, therefore `&mut`:
/// keep one per thread and use it again.
///
/// Histories are in whole days, horizons in days from the age on. A horizon that is not above 0 is none, one beyond a million days counts
/// as a million. With BG/BB histories and horizons are in opportunities, and a rate per year is one per opportunity. Rates below 0 count as 0.
#[derive(Debug, Clone)]
pub struct Predictor {
    model: PurchaseModel,
    params: Vec<f64>,
    /// Of a customer who is alive.
    remembered: FxHashMap<Key, f64>,
    /// Slopes of discounted purchases of a customer who is alive, by the parameters.
    remembered_slopes: FxHashMap<Key, [f64; 4]>,
    /// Log-odds of having stopped, where they take an integral.
    odds: FxHashMap<History, f64>,
    /// By repeat purchases.
    geometric: FxHashMap<u32, Geometric>,
    /// With each parameter a bit smaller and a bit larger, made when a standard error is asked for.
    nudged: Vec<Predictor>,
}

/// What is asked about a customer who is alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Question {
    Purchases,
    Silence,
    Discounted,
}

/// A question with repeat purchases, age, and the bits of horizon and rate.
type Key = (Question, u32, u32, u64, u64);

impl Predictor {
    /// `None` unless there is one finite parameter above 0 for each of [`PurchaseModel::param_names`].
    pub fn new(model: PurchaseModel, params: &[f64]) -> Option<Self> {
        let valid = params.len() == model.param_names().len() && params.iter().all(|&value| value.is_finite() && value > 0.0);
        valid.then(|| Self {
            model,
            // Far outside of any fit, and all that follows stays in range.
            params: params.iter().map(|value| value.clamp(1e-12, 1e12)).collect(),
            remembered: FxHashMap::default(),
            remembered_slopes: FxHashMap::default(),
            odds: FxHashMap::default(),
            geometric: FxHashMap::default(),
            nudged: Vec::new(),
        })
    }

    /// The model.
    pub fn model(&self) -> PurchaseModel {
        self.model
    }

    /// The parameters.
    pub fn params(&self) -> &[f64] {
        &self.params
    }

    /// Log-likelihood of one history.
    pub fn log_likelihood(&self, history: History) -> f64 {
        let history = self.possible(history);
        let (x, last, age) = weeks(history);
        match self.model {
            PurchaseModel::Nbd => {
                let [r, alpha] = self.two();
                ln_rising(r, x) + r * alpha.ln() - (r + x) * (alpha + age).ln()
            }
            PurchaseModel::BgNbd => bg::log_likelihood(FirstChance::Repeat, &self.four(), x, last, age),
            PurchaseModel::MbgNbd => bg::log_likelihood(FirstChance::First, &self.four(), x, last, age),
            PurchaseModel::ParetoNbd => pareto::log_likelihood(&self.four(), x, last, age),
            PurchaseModel::BgBb => bg_bb::log_likelihood(&self.four(), history),
        }
    }

    /// Probability that the customer has not stopped, 0 to 1. BG/BB: that the customer will be there for the next opportunity.
    pub fn p_alive(&mut self, history: History) -> f64 {
        let history = self.possible(history);
        let alive = self.alive(history);
        match self.model {
            PurchaseModel::BgBb => alive * bg_bb::stay(&self.four(), f64::from(history.age)),
            _ => alive,
        }
    }

    /// Probability of no purchase in the next `days`, 0 to 1: `exp(LL(T + h) - LL(T))`, the churn probability of a shop.
    pub fn p_no_purchase(&mut self, history: History, days: f64) -> f64 {
        let history = self.possible(history);
        let alive = self.alive(history);
        let silence = self.given_alive(Question::Silence, history, days, 0.0);
        (1.0 - alive + alive * silence).clamp(0.0, 1.0)
    }

    /// Expected purchase days in the next `days`.
    pub fn expected_purchases(&mut self, history: History, days: f64) -> f64 {
        let history = self.possible(history);
        self.alive(history) * self.given_alive(Question::Purchases, history, days, 0.0)
    }

    /// Expected purchase days in the first `days` of a new customer, without the first purchase.
    pub fn expected_purchases_new(&mut self, days: f64) -> f64 {
        let new = History { x: 0, recency: 0, age: 0 };
        self.expected_purchases(new, days)
    }

    /// Expected purchase days in the next `days`, each worth less the later it is, by a rate per year (0.1 = 10 %).
    pub fn discounted_purchases(&mut self, history: History, days: f64, annual_rate: f64) -> f64 {
        let history = self.possible(history);
        self.alive(history) * self.given_alive(Question::Discounted, history, days, annual_rate)
    }

    /// Standard error of [`Self::discounted_purchases`] that comes from not knowing the parameters: delta method, from their covariance
    /// (row by row). It says nothing of how the customer's own purchases scatter. 0 where the covariance is empty or not one of these
    /// parameters.
    pub fn discounted_purchases_se(&mut self, history: History, days: f64, annual_rate: f64, covariance: &[f64]) -> f64 {
        let count = self.params.len();
        if covariance.len() != count * count {
            return 0.0;
        }
        let history = self.possible(history);
        let alive = self.alive(history);
        let value = self.given_alive(Question::Discounted, history, days, annual_rate);
        // The product rule: alive, and what follows from being alive.
        let chances = self.alive_slopes(history, alive);
        let values = self.value_slopes(history, days, annual_rate);
        let slopes: Vec<f64> = (0..count).map(|index| chances[index] * value + alive * values[index]).collect();
        let variance: f64 = (0..count * count)
            .map(|index| slopes[index / count] * covariance[index] * slopes[index % count])
            .sum();
        let error = variance.max(0.0).sqrt();
        if error.is_finite() { error } else { 0.0 }
    }

    /// Discounted expected purchase days without end (DERT). `None` unless the model is Pareto/NBD and the rate is above 0.
    pub fn discounted_purchases_endless(&mut self, history: History, annual_rate: f64) -> Option<f64> {
        let rate = weekly_rate(annual_rate);
        if self.model != PurchaseModel::ParetoNbd || rate <= 0.0 {
            return None;
        }
        let history = self.possible(history);
        let (x, _, age) = weeks(history);
        let endless = pareto::discounted(&self.four(), x, age, f64::INFINITY, rate);
        Some(finite(self.alive(history) * endless))
    }

    fn possible(&self, history: History) -> History {
        match self.model {
            PurchaseModel::BgBb => bg_bb::possible(history),
            _ => history.bounded(),
        }
    }

    /// Probability of being alive at the age; BG/BB: at the last opportunity.
    fn alive(&mut self, history: History) -> f64 {
        let (x, last, age) = weeks(history);
        let log_odds = match self.model {
            PurchaseModel::Nbd => return 1.0,
            PurchaseModel::BgNbd => bg::log_odds_stopped(FirstChance::Repeat, &self.four(), x, last, age),
            PurchaseModel::MbgNbd => bg::log_odds_stopped(FirstChance::First, &self.four(), x, last, age),
            PurchaseModel::ParetoNbd | PurchaseModel::BgBb => match self.odds.get(&history) {
                Some(&odds) => odds,
                None => {
                    let odds = match self.model {
                        PurchaseModel::BgBb => bg_bb::log_odds_stopped(&self.four(), history),
                        _ => pareto::log_odds_stopped(&self.four(), x, last, age),
                    };
                    if self.odds.len() >= REMEMBERED_MAX {
                        self.odds.clear();
                    }
                    self.odds.insert(history, odds);
                    odds
                }
            },
        };
        1.0 / (1.0 + log_odds.exp())
    }

    /// Slopes of [`Self::alive`] by the parameters.
    fn alive_slopes(&mut self, history: History, alive: f64) -> [f64; 4] {
        let (x, last, age) = weeks(history);
        let log_odds = match self.model {
            PurchaseModel::Nbd => [0.0; 4],
            PurchaseModel::BgNbd => bg::log_odds_slopes(FirstChance::Repeat, &self.four(), x, last, age),
            PurchaseModel::MbgNbd => bg::log_odds_slopes(FirstChance::First, &self.four(), x, last, age),
            PurchaseModel::ParetoNbd => pareto::log_odds_slopes(&self.four(), x, last, age),
            PurchaseModel::BgBb => return self.slopes(|nudged| nudged.alive(history)),
        };
        log_odds.map(|slope| -alive * (1.0 - alive) * slope)
    }

    /// Slopes of the discounted purchases of a customer who is alive, remembered like those.
    fn value_slopes(&mut self, history: History, days: f64, annual_rate: f64) -> [f64; 4] {
        let key = (Question::Discounted, history.x, history.age, days.to_bits(), annual_rate.to_bits());
        if let Some(&slopes) = self.remembered_slopes.get(&key) {
            return slopes;
        }
        let slopes = self.slopes(|nudged| nudged.given_alive(Question::Discounted, history, days, annual_rate));
        if self.remembered_slopes.len() >= REMEMBERED_MAX {
            self.remembered_slopes.clear();
        }
        self.remembered_slopes.insert(key, slopes);
        slopes
    }

    /// Slopes of what `ask` asks by the parameters, from both sides.
    fn slopes(&mut self, mut ask: impl FnMut(&mut Self) -> f64) -> [f64; 4] {
        if self.nudged.is_empty() {
            self.nudged = self.nudge();
        }
        let mut slopes = [0.0; 4];
        for ((slope, pair), param) in slopes.iter_mut().zip(self.nudged.chunks_exact_mut(2)).zip(&self.params) {
            *slope = (ask(&mut pair[1]) - ask(&mut pair[0])) / (2.0 * NUDGE * param);
        }
        slopes
    }

    fn given_alive(&mut self, question: Question, history: History, days: f64, annual_rate: f64) -> f64 {
        let days = if days > 0.0 { days.min(f64::from(AGE_MAX)) } else { 0.0 };
        let rate = if annual_rate > 0.0 { annual_rate.min(1e6) } else { 0.0 };
        let question = if question == Question::Discounted && rate == 0.0 {
            Question::Purchases
        } else {
            question
        };
        let key = (question, history.x, history.age, days.to_bits(), rate.to_bits());
        if let Some(&value) = self.remembered.get(&key) {
            return value;
        }
        let value = finite(match self.model {
            PurchaseModel::BgBb => self.of_opportunities(question, history, days, rate),
            _ => self.of_weeks(question, history, days / DAYS_PER_WEEK, weekly_rate(rate)),
        });
        if self.remembered.len() >= REMEMBERED_MAX {
            self.remembered.clear();
        }
        self.remembered.insert(key, value);
        value
    }

    fn of_weeks(&mut self, question: Question, history: History, horizon: f64, rate: f64) -> f64 {
        let (x, _, age) = weeks(history);
        let (r, since) = (self.params[0], self.params[1] + age);
        match (self.model, question) {
            (PurchaseModel::ParetoNbd, Question::Purchases) => pareto::purchases(&self.four(), x, age, horizon),
            (PurchaseModel::ParetoNbd, Question::Silence) => pareto::silence(&self.four(), x, age, horizon),
            (PurchaseModel::ParetoNbd, Question::Discounted) => pareto::discounted(&self.four(), x, age, horizon, rate),
            // While nothing is bought nobody stops in the other models.
            (_, Question::Silence) => (-(r + x) * (horizon / since).ln_1p()).exp(),
            (PurchaseModel::Nbd, Question::Purchases) => (r + x) * horizon / since,
            (PurchaseModel::Nbd, Question::Discounted) => (r + x) / since * -(-rate * horizon).exp_m1() / rate,
            (_, Question::Purchases) => self.stopping(history.x).purchases(horizon / since),
            (_, Question::Discounted) => self.stopping(history.x).discounted(horizon / since, rate * since),
        }
    }

    fn of_opportunities(&self, question: Question, history: History, count: f64, rate: f64) -> f64 {
        let (x, seen) = (f64::from(history.x), f64::from(history.age));
        let horizon = count as u32;
        match question {
            Question::Purchases => bg_bb::purchases(&self.four(), x, seen, horizon, 1.0),
            Question::Silence => bg_bb::silence(&self.four(), x, seen, horizon),
            Question::Discounted => bg_bb::purchases(&self.four(), x, seen, horizon, 1.0 / (1.0 + rate)),
        }
    }

    /// The expectation of (M)BG/NBD for a number of repeat purchases.
    fn stopping(&mut self, x: u32) -> &mut Geometric {
        let [r, _, a, b] = self.four();
        let chances = match self.model {
            PurchaseModel::MbgNbd => FirstChance::First,
            _ => FirstChance::Repeat,
        }
        .chances();
        if self.geometric.len() >= REMEMBERED_MAX >> 6 {
            self.geometric.clear();
        }
        let x_real = f64::from(x);
        self.geometric
            .entry(x)
            .or_insert_with(|| Geometric::new(r + x_real, a, b + x_real + chances))
    }

    /// This predictor with each parameter nudged down and up, in turn.
    fn nudge(&self) -> Vec<Self> {
        let nudged = |index: usize, factor: f64| {
            let mut params = self.params.clone();
            params[index] *= factor;
            Self::new(self.model, &params)
        };
        (0..self.params.len())
            .flat_map(|index| [nudged(index, 1.0 - NUDGE), nudged(index, 1.0 + NUDGE)])
            .flatten()
            .collect()
    }

    fn two(&self) -> [f64; 2] {
        [self.params[0], self.params[1]]
    }

    /// The four parameters of all models but the NBD, which is not asked for them.
    fn four(&self) -> [f64; 4] {
        [self.params[0], self.params[1], self.params[2], self.params[3]]
    }
}

/// Repeat purchases, recency and age in weeks.
fn weeks(history: History) -> (f64, f64, f64) {
    let week = |days: u32| f64::from(days) / DAYS_PER_WEEK;
    (f64::from(history.x), week(history.recency), week(history.age))
}

/// A rate per year as a continuous rate per week.
fn weekly_rate(annual: f64) -> f64 {
    if annual > 0.0 {
        annual.min(1e6).ln_1p() * DAYS_PER_WEEK / DAYS_PER_YEAR
    } else {
        0.0
    }
}

fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::MAX.sqrt() }
}
