//! How often customers come back, when they stop and what they spend: the numerics of customer lifetime models, free of tables and SQL.
//!
//! A purchase model ([`PurchaseModel`]) is fitted to counted purchase histories by maximum likelihood ([`fit`]) and predicts per history
//! ([`Predictor`]). [`gamma_gamma`] does the same for spend per purchase day, [`sbg`] for subscriptions with renewals. All functions are
//! pure, the same for any order of rows and any number of threads, and never return NaN or infinity. Times go in as whole days;
//! parameters and likelihoods are in weeks.

mod bg;
mod bg_bb;
mod fit;
pub mod gamma_gamma;
mod geometric;
mod history;
mod identify;
mod model;
mod nbd;
mod optimize;
mod pareto;
mod predict;
mod quadrature;
mod rows;
pub mod sbg;
mod special;

pub use fit::{Fit, FitStatus, fit};
pub use history::{Histories, History};
pub use identify::{CUSTOMERS_WITH_REPEAT_MIN, LIKELIHOOD_RATIO_MIN};
pub use model::PurchaseModel;
pub use predict::Predictor;

/// Days per week: histories are in days, parameters and likelihoods in weeks.
pub const DAYS_PER_WEEK: f64 = 7.0;
/// Days per year of the Gregorian calendar, for rates per year.
pub const DAYS_PER_YEAR: f64 = 365.2425;
