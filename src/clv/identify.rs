//! Whether a fit may be believed: real data often show nobody who stops, and then the parameters of stopping run away.

use super::fit::FitStatus;
use super::optimize::Optimum;

/// Customers with a repeat purchase that a fit needs. Four parameters on fewer move by half their size with the next hundred customers:
/// on the CDNOW sample 946 of them leave standard errors of 10 to 50 percent.
pub const CUSTOMERS_WITH_REPEAT_MIN: u64 = 100;
/// Twice the gain in log-likelihood that two parameters more must bring: the 95 percent point of chi-square with two degrees of freedom.
/// Without dropout the truth lies at the edge of the parameters, where this is on the safe side.
pub const LIKELIHOOD_RATIO_MIN: f64 = 5.991_464_547_107_979;
/// A mean probability of being alive above this is nobody who stops.
const P_ALIVE_MEAN_MAX: f64 = 0.999;
/// A scale of stopping this many times that of the data is infinity.
const SCALE_MAX: f64 = 1e4;

/// What is compared to tell whether customers stop.
pub(super) struct Evidence {
    /// Customers with a repeat purchase.
    pub repeaters: u64,
    /// Log-likelihood of the model without dropout.
    pub log_likelihood_without: f64,
    /// The scale of stopping (b, beta) relative to the other parameter's or the data's: large is never.
    pub stopping_scale: f64,
}

/// The status of a fit with dropout.
pub(super) fn status<const N: usize>(optimum: &Optimum<N>, evidence: &Evidence, customers: f64) -> FitStatus {
    let gain = 2.0 * (optimum.evaluation.value - evidence.log_likelihood_without);
    let nobody_stops =
        gain < LIKELIHOOD_RATIO_MIN || optimum.evaluation.alive > P_ALIVE_MEAN_MAX * customers || evidence.stopping_scale > SCALE_MAX;
    if evidence.repeaters < CUSTOMERS_WITH_REPEAT_MIN {
        FitStatus::TooFewCustomers
    } else if nobody_stops {
        FitStatus::NoDropoutIdentified
    } else {
        without_dropout(optimum, evidence.repeaters)
    }
}

/// The status of a fit in which nobody stops anyway.
pub(super) fn without_dropout<const N: usize>(optimum: &Optimum<N>, repeaters: u64) -> FitStatus {
    if repeaters < CUSTOMERS_WITH_REPEAT_MIN {
        FitStatus::TooFewCustomers
    } else if !optimum.converged {
        FitStatus::NotConverged
    } else if optimum.covariance().is_empty() {
        FitStatus::Boundary
    } else {
        FitStatus::Ok
    }
}
