//! `quantiles`: exact cut points of a value, all in one pass, for scores that rest on cuts instead of tiles.

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Field, Float64Type};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, plan_err};
use std::sync::Arc;

use crate::engine::functions::FunctionDoc;
use crate::engine::functions::arguments::{Arguments, Kind, Values};
use crate::engine::functions::counted::{ConstantArgument, CountedFunction, Key, ordered, unordered};

pub(super) static FUNCTION: CountedFunction<1> = CountedFunction {
    doc: FunctionDoc {
        name: "quantiles",
        signature: "quantiles(value, shares [, weight]) → list of double",
        description: "Exact quantiles at a constant list of shares (0 to 1), interpolated between neighbors as R's type 7, numpy and most \
                      spreadsheets do; a share that falls on a row gives its very value. Rows with null, NaN or infinity are not counted; null \
                      without rows. Weights are whole numbers. Elements are counted from 1: quantiles(…)[1].",
        example: "SELECT quantiles(value, [0.25, 0.5]) FROM (VALUES (1), (2), (3), (4), (5)) AS t(value) = [2.0, 3.0]",
    },
    arguments: Arguments {
        required: &[Kind::Number, Kind::Numbers],
        optional: &[Kind::Whole],
    },
    returns: || DataType::List(Arc::new(Field::new_list_field(DataType::Float64, true))),
    constant: Some(ConstantArgument {
        position: 1,
        may_be_column: false,
        check: |value| shares_of(value).map(drop),
    }),
    key,
    finish,
};

fn key(values: &Values, row: usize, _: Option<&ScalarValue>) -> Result<Option<Key<1>>> {
    Ok(values.number(0, row).map(|value| [ordered(value)]))
}

/// The shares of a constant list.
fn shares_of(value: &ScalarValue) -> Result<Vec<f64>> {
    let items: Option<ArrayRef> = match value {
        ScalarValue::List(list) if list.is_valid(0) => Some(list.value(0)),
        ScalarValue::LargeList(list) if list.is_valid(0) => Some(list.value(0)),
        ScalarValue::FixedSizeList(list) if list.is_valid(0) => Some(list.value(0)),
        _ => None,
    };
    let shares = match items {
        Some(items) => arrow::compute::cast(&items, &DataType::Float64)?,
        None => return plan_err!("quantiles: the shares are a constant list like [0.2, 0.4, 0.6, 0.8]"),
    };
    let shares = shares.as_primitive::<Float64Type>();
    let valid = shares.iter().all(|share| share.is_some_and(|share| (0.0..=1.0).contains(&share)));
    if shares.is_empty() || !valid {
        return plan_err!("quantiles: a share is a number from 0 to 1");
    }
    Ok(shares.values().to_vec())
}

fn finish(constant: Option<&ScalarValue>, groups: &[(Key<1>, u64)]) -> Result<ScalarValue> {
    let shares = constant.map_or_else(|| Ok(Vec::new()), shares_of)?;
    let rows: u64 = groups.iter().fold(0, |sum, (_, count)| sum.saturating_add(*count));
    if rows == 0 {
        return ScalarValue::try_from(&(FUNCTION.returns)());
    }
    let mut last_ranks = Vec::with_capacity(groups.len());
    let mut seen = 0_u64;
    for (_, count) in groups {
        seen = seen.saturating_add(*count);
        last_ranks.push(seen);
    }
    let value_at = |rank: u64| {
        let group = last_ranks.partition_point(|&last| last <= rank).min(groups.len() - 1);
        unordered(groups[group].0[0])
    };
    let cuts: Float64Array = shares.iter().map(|&share| Some(cut(rows, share, value_at))).collect();
    Ok(SingleRowListArrayBuilder::new(Arc::new(cuts)).build_list_scalar())
}

/// Type 7 of Hyndman and Fan (1996): the value at rank (n − 1) · share, counted from 0, between its neighbors.
fn cut(rows: u64, share: f64, value_at: impl Fn(u64) -> f64) -> f64 {
    let rank = (rows - 1) as f64 * share;
    // 0.7 · 10 is 7.000000000000001: a rank that is whole but for the last bits is that row, not a blend with its neighbor.
    let nearest = rank.round();
    let rank = if (rank - nearest).abs() <= 4.0 * f64::EPSILON * nearest {
        nearest
    } else {
        rank
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to rows - 1, which is 64 bits"
    )]
    let (below, part) = (rank.floor() as u64, rank.fract());
    let low = value_at(below);
    if part == 0.0 {
        return low;
    }
    let high = value_at(below.saturating_add(1).min(rows - 1));
    // Two products instead of a difference: neighbors at both ends of the range of floats do not overflow.
    if low == high { low } else { low * (1.0 - part) + high * part }
}
