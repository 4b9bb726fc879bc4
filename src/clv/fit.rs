//! Fits a purchase model: from the model without dropout and two starts up to the maximum, on cells of histories first where there are
//! many, and tells whether the parameters may be used.

use super::bg::{self, FirstChance};
use super::bg_bb;
use super::identify::{self, Evidence};
use super::nbd;
use super::optimize::Optimum;
use super::pareto;
use super::rows::{CELLS_FROM, Rows};
use super::{Histories, History, PurchaseModel};

/// The outcome of a fit by maximum likelihood.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// Name of the model, see [`PurchaseModel::name`]; `gamma_gamma` and `sbg` for the others.
    pub model: &'static str,
    /// Parameters in the order of the model, all finite and above 0; empty where there was nothing to fit: nobody bought again.
    pub params: Vec<f64>,
    /// Standard errors of the parameters; empty where they are unknown.
    pub standard_errors: Vec<f64>,
    /// Covariance of the parameters, row by row; empty where it is unknown.
    pub covariance: Vec<f64>,
    /// Log-likelihood of all customers, time in weeks; 0 where there was nothing to fit.
    pub log_likelihood: f64,
    /// Customers that the fit looked at.
    pub n: u64,
    /// Steps of the optimizer on the full data.
    pub iterations: u32,
    /// Largest slope of the log-likelihood per customer by the logarithm of a parameter.
    pub gradient_max: f64,
    /// Whether the optimizer came to rest.
    pub converged: bool,
    /// Whether and how the parameters can be used.
    pub status: FitStatus,
}

/// Whether and how the parameters of a fit can be used. In the order in which it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FitStatus {
    /// The likelihood has its maximum here.
    Ok,
    /// Fewer than 100 customers bought again (subscriptions: fewer than 30 ended): the parameters are the best there are, and mean little.
    TooFewCustomers,
    /// The data show nobody who stops: the model without dropout fits as well. Use that one; these parameters run to infinity.
    NoDropoutIdentified,
    /// The optimizer found no rest.
    NotConverged,
    /// A parameter ran to the end of its range or the likelihood is flat: what is predicted is a limit of the model, and how sure it is, is
    /// not known. Gamma-Gamma also where a mean spend does not exist (q <= 1).
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

    /// The outcome of a climb; the status is still to be told.
    pub(super) fn from_optimum<const N: usize>(model: &'static str, n: u64, optimum: &Optimum<N>) -> Self {
        let covariance = optimum.covariance();
        let standard_errors = (0..N)
            .filter_map(|index| covariance.get(index * N + index))
            .map(|value| value.sqrt())
            .collect();
        Self {
            model,
            params: optimum.params.to_vec(),
            standard_errors,
            covariance,
            log_likelihood: if optimum.evaluation.value.is_finite() {
                optimum.evaluation.value
            } else {
                0.0
            },
            n,
            iterations: optimum.steps,
            gradient_max: optimum.gradient_max,
            converged: optimum.converged,
            status: FitStatus::Ok,
        }
    }

    fn with_status(mut self, status: FitStatus) -> Self {
        self.status = status;
        if status == FitStatus::NoDropoutIdentified {
            self.covariance.clear();
            self.standard_errors.clear();
        }
        self
    }
}

/// Fits a purchase model to counted histories. Parameters and likelihood are in weeks (BG/BB: opportunities). The same for any order of
/// rows and any number of threads.
pub fn fit(model: PurchaseModel, histories: &Histories) -> Fit {
    let groups = histories.sorted();
    let customers = histories.customers();
    let repeaters: u64 = groups
        .iter()
        .filter(|(history, _)| history.x > 0 && history.age > 0)
        .map(|group| group.1)
        .sum();
    if repeaters == 0 {
        return Fit::nothing(model.name(), customers);
    }
    if model == PurchaseModel::BgBb {
        return fit_opportunities(&groups, customers, repeaters);
    }
    let rows = Rows::new(&groups);
    if model == PurchaseModel::Nbd {
        let optimum = nbd::fit(&rows);
        return Fit::from_optimum(model.name(), customers, &optimum).with_status(identify::without_dropout(&optimum, repeaters));
    }
    let cells = (groups.len() > CELLS_FROM).then(|| Rows::cells(&groups));
    let without = nbd::fit(&rows);
    let optimum = climb(model, &rows, cells.as_ref(), &without.params);
    let [_, _, _, scale] = optimum.params;
    let evidence = Evidence {
        repeaters,
        log_likelihood_without: without.evaluation.value,
        stopping_scale: match model {
            PurchaseModel::ParetoNbd => scale / (optimum.params[2] * rows.age_mean().max(1e-3)),
            _ => scale / optimum.params[2],
        },
    };
    let status = identify::status(&optimum, &evidence, rows.customers);
    Fit::from_optimum(model.name(), customers, &optimum).with_status(status)
}

/// Up from the best end of two starts, on cells first if there are any.
fn climb(model: PurchaseModel, rows: &Rows, cells: Option<&Rows>, without_dropout: &[f64; 2]) -> Optimum<4> {
    let from = |rows: &Rows, start: [f64; 4]| match model {
        PurchaseModel::ParetoNbd => pareto::climb(rows, start),
        PurchaseModel::BgNbd => bg::climb(rows, FirstChance::Repeat, start),
        _ => bg::climb(rows, FirstChance::First, start),
    };
    let best = |rows: &Rows| {
        let starts = match model {
            PurchaseModel::ParetoNbd => pareto::starts(rows, without_dropout),
            _ => bg::starts(rows, without_dropout),
        };
        let [first, second] = starts.map(|start| from(rows, start));
        if second.evaluation.value > first.evaluation.value + 1e-9 {
            second
        } else {
            first
        }
    };
    let Some(cells) = cells else { return best(rows) };
    let optimum = from(rows, best(cells).params);
    if optimum.converged { optimum } else { best(rows) }
}

fn fit_opportunities(groups: &[(History, u64)], customers: u64, repeaters: u64) -> Fit {
    let optimum = bg_bb::fit(&bg_bb::Donors::new(groups));
    let status = identify::without_dropout(&optimum, repeaters);
    Fit::from_optimum(PurchaseModel::BgBb.name(), customers, &optimum).with_status(status)
}
