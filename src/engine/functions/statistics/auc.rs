//! `auc`: how well a score ranks, the area under the ROC curve.

use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};

use crate::engine::functions::FunctionDoc;
use crate::engine::functions::arguments::{Arguments, Kind, Values};
use crate::engine::functions::counted::{CountedFunction, Key, ordered};

pub(super) static FUNCTION: CountedFunction<2> = CountedFunction {
    doc: FunctionDoc {
        name: "auc",
        signature: "auc(score, is_positive [, weight]) → double",
        description: "Area under the ROC curve: the chance that a positive row has a higher score than a negative one, ties counted half; 0.5 is \
                      chance. By counting, so exact. Rows with a null, NaN or infinity are not counted; null without a positive and a \
                      negative row. Weights are whole numbers.",
        example: "SELECT auc(score, is_positive) FROM (VALUES (0.9, true), (0.5, true), (0.5, false)) AS t(score, is_positive) = 0.75",
    },
    arguments: Arguments {
        required: &[Kind::Number, Kind::Boolean],
        optional: &[Kind::Whole],
    },
    returns: || DataType::Float64,
    constant: None,
    key,
    finish,
};

fn key(values: &Values, row: usize, _: Option<&ScalarValue>) -> Result<Option<Key<2>>> {
    let row = values.number(0, row).zip(values.boolean(1, row));
    Ok(row.map(|(score, is_positive)| [ordered(score), u64::from(is_positive)]))
}

/// Mann and Whitney (1947): pairs of a positive and a negative row that stand in the right order, as a share of all such pairs.
fn finish(_: Option<&ScalarValue>, groups: &[(Key<2>, u64)]) -> Result<ScalarValue> {
    let (mut negatives, mut positives, mut halves_won) = (0_u128, 0_u128, 0_u128);
    for tied in groups.chunk_by(|one, other| one.0[0] == other.0[0]) {
        let count_of = |flag: u64| {
            tied.iter()
                .filter(|(key, _)| key[1] == flag)
                .map(|(_, count)| u128::from(*count))
                .sum::<u128>()
        };
        let (lost, won) = (count_of(0), count_of(1));
        halves_won = halves_won.saturating_add(won.saturating_mul(2 * negatives + lost));
        negatives += lost;
        positives += won;
    }
    let pairs = negatives as f64 * positives as f64;
    Ok(ScalarValue::Float64(
        (pairs > 0.0).then(|| (halves_won as f64 / 2.0 / pairs).min(1.0)),
    ))
}
