//! Spend per purchase in SQL: `spend_fit` and what it says of a customer (Gamma-Gamma).

use datafusion::common::{Result, ScalarValue};

use super::fit;
use super::parameters::Model;
use super::predict::{Made, Prediction, any};
use crate::clv::gamma_gamma::{self, Spends};
use crate::engine::functions::FunctionDoc;
use crate::engine::functions::arguments::{Arguments, Kind, Values};
use crate::engine::functions::counted::{CountedFunction, Key, ordered, unordered};

pub(super) static FIT: CountedFunction<2> = CountedFunction {
    doc: FunctionDoc {
        name: "spend_fit",
        signature: "spend_fit(repeat_purchases, mean_spend [, weight]) → struct",
        description: "Fits the Gamma-Gamma model of spend per purchase by maximum likelihood. A row is a customer (or as many as the weight says): \
                      days with a repeat purchase, and the mean of their totals. Rows with a null, without a repeat purchase or with a mean \
                      that is not above 0 are not counted. The struct of purchase_fit, with model_name gamma_gamma and the parameters p, q, v \
                      (v in the currency of the spend). It supposes that spend and frequency are independent: look at their correlation.",
        example: "spend_fit(repeat_purchases, mean_spend)['params'] = '{\"p\":6.25,\"q\":3.744,\"v\":15.44}'",
    },
    arguments: Arguments {
        required: &[Kind::Whole, Kind::Number],
        optional: &[Kind::Whole],
    },
    returns: fit::data_type,
    constant: None,
    key,
    finish,
};

fn key(values: &Values, row: usize, _: Option<&ScalarValue>) -> Result<Option<Key<2>>> {
    let row = values.small(0, row).zip(values.number(1, row));
    let fits = row.filter(|&(x, mean)| x > 0 && mean > 0.0);
    Ok(fits.map(|(x, mean)| [u64::from(x), ordered(mean)]))
}

fn finish(_: Option<&ScalarValue>, groups: &[(Key<2>, u64)]) -> Result<ScalarValue> {
    let mut spends = Spends::default();
    for (key, count) in groups {
        spends.add(u32::try_from(key[0]).unwrap_or(u32::MAX), unordered(key[1]), *count);
    }
    Ok(fit::scalar(Model::Spend, &gamma_gamma::fit(&spends)))
}

/// Repeat purchases and mean spend from an argument on. Without a repeat purchase there is no mean to know.
fn spend_at(values: &Values, first: usize, row: usize) -> Option<(u32, f64)> {
    match values.small(first, row)? {
        0 => Some((0, 0.0)),
        x => Some((x, values.number(first + 1, row)?)),
    }
}

pub(super) static EXPECTED_SPEND: Prediction = Prediction {
    doc: FunctionDoc {
        name: "expected_spend",
        signature: "expected_spend(params, repeat_purchases, mean_spend) → double",
        description: "Expected spend per purchase by a Gamma-Gamma fit: the customer's own mean, drawn towards that of all customers the more, \
                      the fewer purchases there are. Without a repeat purchase the mean of all, whatever mean_spend is. Null for nulls, and \
                      where that mean is not defined (q not above 1).",
        example: "expected_spend(params, 2, 22.35) = 24.65",
    },
    arguments: &[Kind::Text, Kind::Whole, Kind::Number],
    check: any,
    evaluate: |values, _| {
        let mut made = Made::new();
        (0..values.rows())
            .map(|row| {
                let Some(params) = values.text(0, row) else { return Ok(None) };
                let parsed = made.get("", params, || Model::Spend.parse("expected_spend", params))?;
                Ok(spend_at(values, 1, row).and_then(|(x, mean)| gamma_gamma::expected_spend(parsed, x, mean)))
            })
            .collect()
    },
};

pub(super) static EXPECTED_SPEND_SE: Prediction = Prediction {
    doc: FunctionDoc {
        name: "expected_spend_se",
        signature: "expected_spend_se(params, covariance, repeat_purchases, mean_spend) → double",
        description: "Standard error of expected_spend that comes from the parameters' (delta method), from the covariance of the fit. Null as there.",
        example: "expected_spend_se(params, covariance, 2, 22.35) = 0.6",
    },
    arguments: &[Kind::Text, Kind::Text, Kind::Whole, Kind::Number],
    check: any,
    evaluate: |values, _| {
        const NAME: &str = "expected_spend_se";
        let mut made = Made::new();
        (0..values.rows())
            .map(|row| {
                let (Some(params), Some(covariance)) = (values.text(0, row), values.text(1, row)) else {
                    return Ok(None);
                };
                let parse = || Ok((Model::Spend.parse(NAME, params)?, Model::Spend.parse_matrix(NAME, covariance)?));
                let (params, covariance) = made.get(params, covariance, parse)?;
                Ok(spend_at(values, 2, row).and_then(|(x, mean)| gamma_gamma::expected_spend_se(params, covariance, x, mean)))
            })
            .collect()
    },
};
