//! A model as one file: parameters and term frequencies together, so that another project or another day can score with it.

use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::ELSE_LABEL;
use super::state::{MODEL, TERM_FREQUENCIES};
use super::{MODEL_FORMAT, Model, TermFrequencies};
use crate::config::spec::ComparisonSpec;
use crate::error::{Error, Result};

/// [`ModelFile::format`] of this version.
pub const MODEL_FILE_FORMAT: u32 = 1;
/// [`ModelFile::kind`] of every model file.
const KIND: &str = "stammkunde_model";

/// A model file. Its term frequencies hold values of people: keep it where the data are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// `stammkunde_model`.
    pub kind: String,
    /// Format of this file: 1. Others are refused.
    pub format: u32,
    /// The program that wrote it.
    pub tool: String,
    /// Parameters.
    pub model: Model,
    /// Column → value → frequency.
    pub term_frequencies: TermFrequencies,
}

/// What is read first, to say what is wrong in words.
#[derive(Deserialize)]
struct Head {
    kind: Option<String>,
    format: Option<u32>,
    model: Option<HeadOfModel>,
}

#[derive(Deserialize)]
struct HeadOfModel {
    format: Option<u32>,
}

impl ModelFile {
    /// A model as a file.
    #[must_use]
    pub fn new(model: Model, frequencies: TermFrequencies) -> Self {
        Self {
            kind: KIND.to_owned(),
            format: MODEL_FILE_FORMAT,
            tool: tool(),
            model,
            term_frequencies: frequencies,
        }
    }

    /// The file of a version's state, given by name, with every number as it stands there: a run with the file and a run that uses the
    /// version's own model read the same digits. `None` if the version has no model.
    ///
    /// # Errors
    /// Of `get`, and `Environment` if a state file is not text.
    pub fn of_state(get: impl Fn(&str) -> Result<Option<Bytes>>) -> Result<Option<String>> {
        let (Some(model), Some(frequencies)) = (get(MODEL)?, get(TERM_FREQUENCIES)?) else {
            return Ok(None);
        };
        let text = |bytes: Bytes| {
            String::from_utf8(bytes.into()).map_err(|_| {
                Error::environment("the state holds a model that is not text").hint("train anew with `stammkunde run --retrain`")
            })
        };
        Ok(Some(format!(
            "{{\n\"kind\": \"{KIND}\",\n\"format\": {MODEL_FILE_FORMAT},\n\"tool\": \"{}\",\n\"model\": {},\n\"term_frequencies\": {}\n}}\n",
            tool(),
            text(model)?,
            text(frequencies)?
        )))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// `Config` if it is no model file, or one of another format. Values of the file appear in no message.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let malformed = |error: &serde_json::Error| {
            // The library's own message quotes values.
            Error::config("the model file is malformed")
                .with("line", error.line().to_string())
                .with("column", error.column().to_string())
                .hint("write it again with `stammkunde model export`")
        };
        let head: Head = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
        if head.kind.as_deref() != Some(KIND) {
            return Err(Error::config("the file is JSON, but no model file").hint("`stammkunde model export` writes one"));
        }
        let formats = [
            ("format", head.format, MODEL_FILE_FORMAT),
            ("model.format", head.model.and_then(|model| model.format), MODEL_FORMAT),
        ];
        for (field, found, known) in formats {
            if found != Some(known) {
                return Err(Error::config("the model file has a format that this program does not know")
                    .with("field", field)
                    .with("found", found.map_or_else(|| "none".to_owned(), |found| found.to_string()))
                    .with("known", known.to_string())
                    .hint("train a new model with this program, or use the program that wrote the file"));
            }
        }
        serde_json::from_slice(bytes).map_err(|error| malformed(&error))
    }

    /// Checks that a project can score with it: the same comparisons and levels in the same order, and parameters that are probabilities.
    ///
    /// # Errors
    /// `Config` with every difference at once.
    pub fn check(&self, comparisons: &[ComparisonSpec]) -> Result<()> {
        let mut wrong = differences(comparisons, &self.model);
        wrong.extend(impossible(&self.model, &self.term_frequencies));
        if wrong.is_empty() {
            return Ok(());
        }
        Err(Error::config("the model file does not fit the project")
            .with("differences", wrong.join("; "))
            .hint("give the project the comparisons that the model was trained with, or train a model with this project (`--retrain`)"))
    }

    /// Parameters and term frequencies, as a run takes them.
    #[must_use]
    pub fn into_parts(self) -> (Model, TermFrequencies) {
        (self.model, self.term_frequencies)
    }
}

fn tool() -> String {
    concat!("stammkunde ", env!("CARGO_PKG_VERSION")).to_owned()
}

fn differences(comparisons: &[ComparisonSpec], model: &Model) -> Vec<String> {
    let mut wrong = Vec::new();
    for spec in comparisons {
        let Some(trained) = model.comparisons.iter().find(|trained| trained.name == spec.name) else {
            wrong.push(format!("the model has no comparison `{}`", spec.name));
            continue;
        };
        let wanted: Vec<&str> = spec.levels.iter().map(|level| level.label.as_str()).chain([ELSE_LABEL]).collect();
        let found: Vec<&str> = trained.levels.iter().map(|level| level.label.as_str()).collect();
        if wanted != found {
            wrong.push(format!(
                "`{}` has the levels [{}] in the project and [{}] in the model",
                spec.name,
                wanted.join(", "),
                found.join(", ")
            ));
        }
    }
    for trained in &model.comparisons {
        if comparisons.iter().all(|spec| spec.name != trained.name) {
            wrong.push(format!("the project has no comparison `{}`", trained.name));
        }
    }
    let names = comparisons.iter().map(|spec| &spec.name);
    if wrong.is_empty() && !names.eq(model.comparisons.iter().map(|trained| &trained.name)) {
        wrong.push("the comparisons stand in another order".to_owned());
    }
    wrong
}

/// Parameters that no training gives.
fn impossible(model: &Model, frequencies: &TermFrequencies) -> Vec<String> {
    let mut wrong = Vec::new();
    let is_probability = |value: f64| value > 0.0 && value <= 1.0;
    let lambda = model.probability_two_random_records_match;
    if !is_probability(lambda) || lambda >= 1.0 {
        wrong.push("probability_two_random_records_match is not between 0 and 1".to_owned());
    }
    for comparison in &model.comparisons {
        for level in &comparison.levels {
            if !is_probability(level.m) || !is_probability(level.u) {
                wrong.push(format!("m or u of `{}: {}` is not between 0 and 1", comparison.name, level.label));
            }
        }
    }
    for relation in &model.relations {
        let levels: Vec<usize> = relation.comparisons.iter().map(|comparison| comparison.levels.len()).collect();
        if !levels
            .iter()
            .copied()
            .eq(model.comparisons.iter().map(|comparison| comparison.levels.len()))
        {
            wrong.push(format!("the class `{}` has other levels than the comparisons", relation.name));
        }
        let values = relation.comparisons.iter().flat_map(|comparison| &comparison.levels);
        if !values.copied().all(is_probability) || !is_probability(relation.probability_two_random_records) {
            wrong.push(format!("a parameter of the class `{}` is not between 0 and 1", relation.name));
        }
    }
    for (column, frequencies) in &frequencies.columns {
        // A column without values had no records.
        let unlisted = [frequencies.records, frequencies.share, frequencies.unseen];
        let is_possible = frequencies.values.values().all(|&number| number > 0.0 && number.is_finite());
        if !is_possible || !unlisted.iter().all(|&number| number >= 0.0 && number.is_finite()) {
            wrong.push(format!("a term frequency of `{column}` is no frequency"));
        }
    }
    wrong
}
