//! A fitted model: parameters, how sure they are, and whether they may be used.

use super::{Histories, PurchaseModel};

/// The outcome of a fit by maximum likelihood.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Name of the model, see [`PurchaseModel::name`]; `gamma_gamma` and `sbg` for the others.
    pub model: &'static str,
    /// Parameters in the order of the model, all finite and above 0; empty where there was nothing to fit.
    pub params: Vec<f64>,
    /// Standard errors of the parameters; empty where they are unknown.
    pub standard_errors: Vec<f64>,
    /// Covariance of the parameters, row by row; empty where it is unknown.
    pub covariance: Vec<f64>,
    /// Log-likelihood of all customers, time in weeks; 0 where there was nothing to fit.
    pub log_likelihood: f64,
    /// Customers that the fit looked at.
    pub n: u64,
    /// Steps of the optimizer.
    pub iterations: u32,
    /// Largest slope of the log-likelihood per customer by the logarithm of a parameter.
    pub gradient_max: f64,
    /// Whether the optimizer came to rest.
    pub converged: bool,
    /// Whether and how the parameters can be used.
    pub status: FitStatus,
}

/// Whether and how the parameters of a fit can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FitStatus {
    /// The likelihood has its maximum here.
    Ok,
    /// Too few customers bought again for four parameters to mean anything.
    TooFewCustomers,
    /// The data show nobody who stops: the model without dropout fits as well. Use that one.
    NoDropoutIdentified,
    /// The optimizer found no rest.
    NotConverged,
    /// A parameter ran to the end of its range; what is predicted is a limit of the model.
    Boundary,
}

impl FitStatus {
    /// The name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::TooFewCustomers => "too_few_customers",
            Self::NoDropoutIdentified => "no_dropout_identified",
            Self::NotConverged => "not_converged",
            Self::Boundary => "boundary",
        }
    }
}

impl Fit {
    /// The outcome where there was nothing to fit.
    pub(super) fn nothing(model: &'static str, n: u64) -> Self {
        Self {
            model,
            params: Vec::new(),
            standard_errors: Vec::new(),
            covariance: Vec::new(),
            log_likelihood: 0.0,
            n,
            iterations: 0,
            gradient_max: 0.0,
            converged: false,
            status: FitStatus::TooFewCustomers,
        }
    }
}

/// Fits a purchase model to counted histories. Parameters are in weeks (BG/BB: opportunities). The same for any order of rows.
pub fn fit(model: PurchaseModel, histories: &Histories) -> Fit {
    Fit::nothing(model.name(), histories.customers())
}
