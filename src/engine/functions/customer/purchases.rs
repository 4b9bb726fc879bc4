//! Purchase models in SQL: `purchase_fit`, and what a fitted model says of a customer.

use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err, plan_err};

use super::fit;
use super::parameters::Model;
use super::predict::{Made, Pool, Prediction};
use crate::clv::{self, Histories, History, Predictor, PurchaseModel};
use crate::engine::functions::FunctionDoc;
use crate::engine::functions::arguments::{Arguments, Kind, Values};
use crate::engine::functions::counted::{ConstantArgument, CountedFunction, Key};
use crate::engine::sql::nearest;

pub(super) static FIT: CountedFunction<2> = CountedFunction {
    doc: FunctionDoc {
        name: "purchase_fit",
        signature: "purchase_fit(model_name, repeat_purchases, recency_days, age_days [, weight]) → struct",
        description: "Fits a purchase model by maximum likelihood: nbd, bg_nbd, mbg_nbd, pareto_nbd or bg_bb. A row is a customer: days with a \
                      purchase after the first one's day, days from the first to the last purchase, days from the first to the as-of day \
                      (bg_bb: opportunities instead of days); or as many customers as the weight says. Rows with a null, a number that is \
                      negative or not whole, or a recency past the age are not counted. The result does not depend on the order of rows. Gives \
                      model_name, params, standard_errors and covariance (JSON texts), log_likelihood, n, iterations, gradient_max, converged, \
                      model_status (`ok`, or why the parameters cannot be used). alpha and beta are in weeks, so is the likelihood.",
        example: "purchase_fit('mbg_nbd', repeat_purchases, recency_days, age_days)['params'] = \
                  '{\"r\":0.5248,\"alpha\":6.183,\"a\":0.8914,\"b\":1.614}'",
    },
    arguments: Arguments {
        required: &[Kind::Text, Kind::Whole, Kind::Whole, Kind::Whole],
        optional: &[Kind::Whole],
    },
    returns: fit::data_type,
    constant: Some(ConstantArgument {
        position: 0,
        may_be_column: true,
        check: |name| match name.try_as_str().flatten() {
            Some(name) => check_name("purchase_fit", name),
            None => Ok(()),
        },
    }),
    key: |values, row, constant| {
        let name = match constant {
            Some(constant) => constant.try_as_str().flatten(),
            None => values.text(0, row),
        };
        let (Some(name), Some(history)) = (name, history_at(values, 1, row)) else {
            return Ok(None);
        };
        let model = model_of("purchase_fit", name)?;
        let History { x, recency, age } = history;
        // The model last: rows of one model sort by their history.
        Ok(Some([u64::from(x) << 32 | u64::from(recency), u64::from(age) << 32 | model as u64]))
    },
    finish,
};

#[expect(clippy::cast_possible_truncation, reason = "the halves of a key are 32 bits")]
fn finish(constant: Option<&ScalarValue>, groups: &[(Key<2>, u64)]) -> Result<ScalarValue> {
    let named = constant.and_then(|name| name.try_as_str().flatten());
    let model = match (groups.first(), named) {
        (Some((key, _)), _) => PurchaseModel::ALL.into_iter().find(|model| *model as u64 == key[1] & 0xFFFF_FFFF),
        (None, Some(name)) => Some(model_of("purchase_fit", name)?),
        (None, None) => None,
    };
    let Some(model) = model else { return Ok(fit::of_nothing()) };
    let mut histories = Histories::default();
    for (key, count) in groups {
        if key[1] & 0xFFFF_FFFF != model as u64 {
            return exec_err!("purchase_fit: one model a group: GROUP BY the model's name");
        }
        let (x, recency, age) = ((key[0] >> 32) as u32, key[0] as u32, (key[1] >> 32) as u32);
        histories.add(History { x, recency, age }, *count);
    }
    Ok(fit::scalar(Model::Purchases(model), &clv::fit(model, &histories)))
}

/// The model with this name. A name in a row may be anybody's: it is not repeated.
fn model_of(function: &str, name: &str) -> Result<PurchaseModel> {
    PurchaseModel::from_name(name).ok_or_else(|| {
        let names = PurchaseModel::ALL.map(PurchaseModel::name).join(", ");
        exec_datafusion_err!("{function}: a row names no purchase model: they are {names}")
    })
}

/// Checks a name that stands in the query.
fn check_name(function: &str, name: &str) -> Result<()> {
    if PurchaseModel::from_name(name).is_some() {
        return Ok(());
    }
    let names = PurchaseModel::ALL.map(PurchaseModel::name);
    match nearest(name, names.into_iter()) {
        Some(near) => plan_err!("{function}: '{name}' is no purchase model. Did you mean '{near}'?"),
        None => plan_err!("{function}: '{name}' is no purchase model: they are {}", names.join(", ")),
    }
}

/// Repeat purchases, recency and age from an argument on; `None` if one is null or they are no history.
fn history_at(values: &Values, first: usize, row: usize) -> Option<History> {
    let history = History {
        x: values.small(first, row)?,
        recency: values.small(first + 1, row)?,
        age: values.small(first + 2, row)?,
    };
    (history.recency <= history.age).then_some(history)
}

/// A horizon in days from 0.
fn days_at(values: &Values, argument: usize, row: usize) -> Option<f64> {
    values.number(argument, row).filter(|days| *days >= 0.0)
}

/// A rate per year above -1.
fn rate_at(values: &Values, argument: usize, row: usize) -> Option<f64> {
    values.number(argument, row).filter(|rate| *rate > -1.0)
}

fn predictor(function: &str, model: PurchaseModel, params: &str) -> Result<Predictor> {
    let params = Model::Purchases(model).parse(function, params)?;
    Predictor::new(model, &params).ok_or_else(|| exec_datafusion_err!("{function}: `params` holds a number that is not above 0"))
}

/// One value a row from the predictor of its model (argument 0) and parameters (argument 1).
fn predict(
    function: &str,
    values: &Values,
    pool: &Pool,
    mut value: impl FnMut(&mut Predictor, usize) -> Result<Option<f64>>,
) -> Result<Vec<Option<f64>>> {
    let mut predictors = Made::new();
    let results: Result<Vec<_>> = (0..values.rows())
        .map(|row| {
            let (Some(name), Some(params)) = (values.text(0, row), values.text(1, row)) else {
                return Ok(None);
            };
            let made = predictors.get(name, params, || match pool.take(name, params) {
                Some(predictor) => Ok(predictor),
                None => predictor(function, model_of(function, name)?, params),
            })?;
            value(made, row)
        })
        .collect();
    pool.give(predictors);
    results
}

const HISTORY: [Kind; 5] = [Kind::Text, Kind::Text, Kind::Whole, Kind::Whole, Kind::Whole];
const HISTORY_DAYS: [Kind; 6] = [Kind::Text, Kind::Text, Kind::Whole, Kind::Whole, Kind::Whole, Kind::Number];

macro_rules! check_model {
    ($name:literal) => {
        |position, text| if position == 0 { check_name($name, text) } else { Ok(()) }
    };
}

pub(super) static P_ALIVE: Prediction = Prediction {
    doc: FunctionDoc {
        name: "p_alive",
        signature: "p_alive(model_name, params, repeat_purchases, recency_days, age_days) → double",
        description: "Probability (0 to 1) that the customer has not stopped buying for good, by a fitted purchase model. Not the opposite of \
                      churn: who is alive may be silent for long, and bg_nbd gives 1 to everyone who bought once; see p_no_purchase. Null for \
                      nulls and for numbers that are no history.",
        example: "p_alive('mbg_nbd', params, 0, 0, 272) = 0.39",
    },
    arguments: &HISTORY,
    check: check_model!("p_alive"),
    evaluate: |values, pool| {
        predict("p_alive", values, pool, |model, row| {
            Ok(history_at(values, 2, row).map(|history| model.p_alive(history)))
        })
    },
};

pub(super) static P_NO_PURCHASE: Prediction = Prediction {
    doc: FunctionDoc {
        name: "p_no_purchase",
        signature: "p_no_purchase(model_name, params, repeat_purchases, recency_days, age_days, days) → double",
        description: "Probability (0 to 1) of no purchase in the next `days`: the chance to churn. exp(LL(x, t_x, T + h) - LL(x, t_x, T)). Null for \
                      nulls, for numbers that are no history, and for negative days.",
        example: "p_no_purchase('mbg_nbd', params, 2, 213, 272, 273) = 0.44",
    },
    arguments: &HISTORY_DAYS,
    check: check_model!("p_no_purchase"),
    evaluate: |values, pool| {
        predict("p_no_purchase", values, pool, |model, row| {
            let arguments = history_at(values, 2, row).zip(days_at(values, 5, row));
            Ok(arguments.map(|(history, days)| model.p_no_purchase(history, days)))
        })
    },
};

pub(super) static EXPECTED_PURCHASES: Prediction = Prediction {
    doc: FunctionDoc {
        name: "expected_purchases",
        signature: "expected_purchases(model_name, params, repeat_purchases, recency_days, age_days, days) → double",
        description: "Expected days with a purchase in the next `days` (bg_bb: opportunities). Null for nulls, for numbers that are no history, \
                      and for negative days.",
        example: "expected_purchases('mbg_nbd', params, 2, 213, 272, 273) = 1.26",
    },
    arguments: &HISTORY_DAYS,
    check: check_model!("expected_purchases"),
    evaluate: |values, pool| {
        predict("expected_purchases", values, pool, |model, row| {
            let arguments = history_at(values, 2, row).zip(days_at(values, 5, row));
            Ok(arguments.map(|(history, days)| model.expected_purchases(history, days)))
        })
    },
};

pub(super) static EXPECTED_PURCHASES_NEW: Prediction = Prediction {
    doc: FunctionDoc {
        name: "expected_purchases_new",
        signature: "expected_purchases_new(model_name, params, days) → double",
        description: "Expected days with a repeat purchase in the first `days` of a new customer, of whom nothing else is known. Null for nulls and \
                      negative days.",
        example: "expected_purchases_new('mbg_nbd', params, 364) = 1.42",
    },
    arguments: &[Kind::Text, Kind::Text, Kind::Number],
    check: check_model!("expected_purchases_new"),
    evaluate: |values, pool| {
        predict("expected_purchases_new", values, pool, |model, row| {
            Ok(days_at(values, 2, row).map(|days| model.expected_purchases_new(days)))
        })
    },
};

pub(super) static DISCOUNTED_PURCHASES: Prediction = Prediction {
    doc: FunctionDoc {
        name: "discounted_purchases",
        signature: "discounted_purchases(model_name, params, repeat_purchases, recency_days, age_days, days, annual_rate) → double",
        description: "Expected days with a purchase in the next `days`, each worth less the later it comes, by a rate a year (0.1 = 10 %, \
                      converted inside). Times expected_spend it is the residual value. Null for nulls, for numbers that are no history, for \
                      negative days and a rate of -1 or less.",
        example: "discounted_purchases('mbg_nbd', params, 2, 213, 272, 365, 0.1) = 1.53",
    },
    arguments: &[
        Kind::Text,
        Kind::Text,
        Kind::Whole,
        Kind::Whole,
        Kind::Whole,
        Kind::Number,
        Kind::Number,
    ],
    check: check_model!("discounted_purchases"),
    evaluate: |values, pool| {
        predict("discounted_purchases", values, pool, |model, row| {
            let arguments = history_at(values, 2, row).zip(days_at(values, 5, row)).zip(rate_at(values, 6, row));
            Ok(arguments.map(|((history, days), rate)| model.discounted_purchases(history, days, rate)))
        })
    },
};

pub(super) static DISCOUNTED_PURCHASES_SE: Prediction = Prediction {
    doc: FunctionDoc {
        name: "discounted_purchases_se",
        signature: "discounted_purchases_se(model_name, params, covariance, repeat_purchases, recency_days, age_days, days, annual_rate) → double",
        description: "Standard error of discounted_purchases that comes from the parameters' (delta method), from the covariance of the fit. It \
                      tells how sure the model is of its mean, not how far a single customer strays from it. Null as there.",
        example: "discounted_purchases_se('mbg_nbd', params, covariance, 2, 213, 272, 365, 0.1) = 0.05",
    },
    arguments: &[
        Kind::Text,
        Kind::Text,
        Kind::Text,
        Kind::Whole,
        Kind::Whole,
        Kind::Whole,
        Kind::Number,
        Kind::Number,
    ],
    check: check_model!("discounted_purchases_se"),
    evaluate: |values, pool| {
        const NAME: &str = "discounted_purchases_se";
        let mut matrices = Made::new();
        predict(NAME, values, pool, |model, row| {
            let Some(text) = values.text(2, row) else { return Ok(None) };
            let kind = Model::Purchases(model.model());
            let covariance = matrices.get(model.model().name(), text, || kind.parse_matrix(NAME, text))?;
            let arguments = history_at(values, 3, row).zip(days_at(values, 6, row)).zip(rate_at(values, 7, row));
            Ok(arguments.map(|((history, days), rate)| model.discounted_purchases_se(history, days, rate, covariance)))
        })
    },
};

pub(super) static DISCOUNTED_PURCHASES_RESIDUAL: Prediction = Prediction {
    doc: FunctionDoc {
        name: "discounted_purchases_residual",
        signature: "discounted_purchases_residual(params, repeat_purchases, recency_days, age_days, annual_rate) → double",
        description: "Expected days with a purchase from now on without end, discounted by a rate a year above 0 (DERT), by a pareto_nbd fit: the \
                      one model for which it is finite in closed form. Null for nulls, for numbers that are no history, and without a rate.",
        example: "discounted_purchases_residual(params, 2, 213, 272, 0.15) = 6.4",
    },
    arguments: &[Kind::Text, Kind::Whole, Kind::Whole, Kind::Whole, Kind::Number],
    check: super::predict::any,
    evaluate: |values, pool| {
        const NAME: &str = "discounted_purchases_residual";
        let model = PurchaseModel::ParetoNbd;
        let mut predictors = Made::new();
        let results: Result<Vec<_>> = (0..values.rows())
            .map(|row| {
                let Some(params) = values.text(0, row) else { return Ok(None) };
                let make = || pool.take(model.name(), params).map_or_else(|| predictor(NAME, model, params), Ok);
                let made = predictors.get(model.name(), params, make)?;
                let arguments = history_at(values, 1, row).zip(rate_at(values, 4, row));
                Ok(arguments.and_then(|(history, rate)| made.discounted_purchases_endless(history, rate)))
            })
            .collect();
        pool.give(predictors);
        results
    },
};

pub(super) static LOG_LIKELIHOOD: Prediction = Prediction {
    doc: FunctionDoc {
        name: "purchase_log_likelihood",
        signature: "purchase_log_likelihood(model_name, params, repeat_purchases, recency_days, age_days) → double",
        description: "Log-likelihood of one customer's history under a purchase model, time in weeks: their sum compares models on customers they \
                      were not fitted to. Null for nulls and for numbers that are no history.",
        example: "SELECT sum(purchase_log_likelihood('mbg_nbd', params, x, recency_days, age_days)) FROM holdout",
    },
    arguments: &HISTORY,
    check: check_model!("purchase_log_likelihood"),
    evaluate: |values, pool| {
        predict("purchase_log_likelihood", values, pool, |model, row| {
            Ok(history_at(values, 2, row).map(|history| model.log_likelihood(history)))
        })
    },
};
