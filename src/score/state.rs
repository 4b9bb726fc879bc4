//! The model and its term frequencies as files in the state of a version.

use bytes::Bytes;

use super::{Model, TermFrequencies};
use crate::error::{Error, Result};

/// State file of the model.
pub const MODEL: &str = "model.json";
/// State file of its term frequencies.
pub const TERM_FREQUENCIES: &str = "term_frequencies.json";

/// Writes both files.
///
/// # Errors
/// `Internal` if a value does not fit JSON.
pub fn write(model: &Model, frequencies: &TermFrequencies) -> Result<Vec<(String, Bytes)>> {
    let json = |error: serde_json::Error| Error::internal("the model does not fit JSON").because(error);
    Ok(vec![
        (MODEL.to_owned(), serde_json::to_vec_pretty(model).map_err(json)?.into()),
        (TERM_FREQUENCIES.to_owned(), serde_json::to_vec(frequencies).map_err(json)?.into()),
    ])
}

/// Reads both files with `get`, which gives a state file by name; `None` if the version has no model.
///
/// # Errors
/// Of `get`, and `Environment` if a file is not what [`write`] wrote.
pub fn read(get: impl Fn(&str) -> Result<Option<Bytes>>) -> Result<Option<(Model, TermFrequencies)>> {
    let (Some(model), Some(frequencies)) = (get(MODEL)?, get(TERM_FREQUENCIES)?) else {
        return Ok(None);
    };
    let damaged = |error: serde_json::Error| {
        Error::environment("the state holds a model that cannot be read")
            .hint("train anew with `stammkunde run --retrain`")
            .because(error)
    };
    let model = serde_json::from_slice(&model).map_err(damaged)?;
    let frequencies = serde_json::from_slice(&frequencies).map_err(damaged)?;
    Ok(Some((model, frequencies)))
}

impl Model {
    /// Rounds every parameter to 12 significant digits, so that a file reads back as exactly the numbers that were written, and a run that
    /// trains scores to the last bit as the runs that use its model again.
    ///
    /// A decimal fraction n / 10^k with n below 2^53 and k up to 22 is the quotient of two exact doubles, whichever way a reader takes to it;
    /// readers of longer fractions may miss by the last bit.
    pub fn settle(&mut self) {
        settle(&mut self.probability_two_random_records_match);
        for level in self.comparisons.iter_mut().flat_map(|comparison| &mut comparison.levels) {
            settle(&mut level.m);
            settle(&mut level.u);
        }
        for relation in &mut self.relations {
            settle(&mut relation.probability_two_random_records);
            let levels = relation.comparisons.iter_mut().flat_map(|comparison| &mut comparison.levels);
            levels.for_each(settle);
        }
    }
}

impl TermFrequencies {
    /// Rounds every frequency as [`Model::settle`] does parameters.
    pub fn settle(&mut self) {
        for column in self.columns.values_mut() {
            settle(&mut column.share);
            settle(&mut column.unseen);
            column.values.values_mut().for_each(settle);
        }
    }
}

/// Significant digits of a settled number.
const DIGITS: i32 = 12;
/// The largest power of ten that is an exact double.
const EXACT_POWER: i32 = 22;

fn settle(value: &mut f64) {
    if *value > 0.0 && value.is_finite() {
        #[expect(clippy::cast_possible_truncation, reason = "exponents of doubles lie between -324 and 308")]
        let magnitude = value.log10().floor() as i32;
        let scale = 10_f64.powi((DIGITS - 1 - magnitude).clamp(0, EXACT_POWER));
        let settled = (*value * scale).round() / scale;
        if settled > 0.0 {
            *value = settled;
        }
    }
}
