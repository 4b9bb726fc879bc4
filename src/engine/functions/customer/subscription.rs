//! Subscriptions in SQL: `subscription_fit` and what it says of renewals (shifted-beta-geometric).

use datafusion::common::{Result, ScalarValue};

use super::fit;
use super::parameters::Model;
use super::predict::{Made, Prediction, any};
use crate::clv::sbg::{self, Tenures};
use crate::engine::functions::FunctionDoc;
use crate::engine::functions::arguments::{Arguments, Kind, Values};
use crate::engine::functions::counted::{CountedFunction, Key};

pub(super) static FIT: CountedFunction<1> = CountedFunction {
    doc: FunctionDoc {
        name: "subscription_fit",
        signature: "subscription_fit(periods, is_ended [, weight]) → struct",
        description: "Fits the shifted-beta-geometric model of renewals by maximum likelihood. A row is a subscription (or as many as the weight \
                      says): the renewals that came up, and whether it failed the last of them (1 and true: it never renewed). Rows with a null \
                      or without a renewal are not counted. The struct of purchase_fit, with model_name sbg and the parameters alpha, beta.",
        example: "subscription_fit(periods, is_ended)['params'] = '{\"alpha\":0.704,\"beta\":1.182}'",
    },
    arguments: Arguments {
        required: &[Kind::Whole, Kind::Boolean],
        optional: &[Kind::Whole],
    },
    returns: fit::data_type,
    constant: None,
    key,
    finish,
};

fn key(values: &Values, row: usize, _: Option<&ScalarValue>) -> Result<Option<Key<1>>> {
    let row = values.small(0, row).zip(values.boolean(1, row));
    let counts = row.filter(|&(periods, _)| periods > 0);
    Ok(counts.map(|(periods, is_ended)| [u64::from(periods) << 1 | u64::from(is_ended)]))
}

fn finish(_: Option<&ScalarValue>, groups: &[(Key<1>, u64)]) -> Result<ScalarValue> {
    let mut tenures = Tenures::default();
    for (key, count) in groups {
        tenures.add(u32::try_from(key[0] >> 1).unwrap_or(u32::MAX), key[0] & 1 == 1, *count);
    }
    Ok(fit::scalar(Model::Subscription, &sbg::fit(&tenures)))
}

/// One value a row from the parameters and a number of periods.
fn of_periods(function: &str, values: &Values, value: fn(&[f64], u32) -> Option<f64>) -> Result<Vec<Option<f64>>> {
    let mut made = Made::new();
    (0..values.rows())
        .map(|row| {
            let Some(params) = values.text(0, row) else { return Ok(None) };
            let parsed = made.get("", params, || Model::Subscription.parse(function, params))?;
            Ok(values.small(1, row).and_then(|periods| value(parsed, periods)))
        })
        .collect()
}

pub(super) static SURVIVAL: Prediction = Prediction {
    doc: FunctionDoc {
        name: "subscription_survival",
        signature: "subscription_survival(params, periods) → double",
        description: "Share (0 to 1) of subscriptions that is left after so many renewals, by a fit of subscription_fit; 1 before the first. Null \
                      for nulls and for a number that is negative or not whole.",
        example: "subscription_survival('{\"alpha\":0.70408,\"beta\":1.18204}', 12) = 0.17",
    },
    arguments: &[Kind::Text, Kind::Whole],
    check: any,
    evaluate: |values, _| of_periods("subscription_survival", values, sbg::survival),
};

pub(super) static RETENTION: Prediction = Prediction {
    doc: FunctionDoc {
        name: "subscription_retention",
        signature: "subscription_retention(params, period) → double",
        description: "Share (0 to 1) of the subscriptions that came to this renewal that takes it (1 is the first renewal). It grows: who leaves \
                      easily has left. Null for nulls and for a number below 1 or not whole.",
        example: "subscription_retention('{\"alpha\":0.70408,\"beta\":1.18204}', 1) = 0.63",
    },
    arguments: &[Kind::Text, Kind::Whole],
    check: any,
    evaluate: |values, _| {
        of_periods("subscription_retention", values, |params, period| {
            (period > 0).then(|| sbg::retention(params, period)).flatten()
        })
    },
};
