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
