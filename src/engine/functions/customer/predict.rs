//! Scalar functions that predict: typed arguments in, a finite float or null out.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::Float64Array;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use rustc_hash::FxHashMap;

use crate::clv::Predictor;
use crate::engine::functions::FunctionDoc;
use crate::engine::functions::arguments::{Arguments, Kind, Values};

/// A function of numbers that may depend on a model and its parameters.
pub(super) struct Prediction {
    pub doc: FunctionDoc,
    pub arguments: &'static [Kind],
    /// Checks a constant text (position from 0) while a query is planned.
    pub check: fn(usize, &str) -> Result<()>,
    /// One value a row.
    pub evaluate: fn(&Values, &Pool) -> Result<Vec<Option<f64>>>,
}

impl Prediction {
    fn arguments(&self) -> Arguments {
        Arguments {
            required: self.arguments,
            optional: &[],
        }
    }
}

/// For functions whose texts are looked at in the rows.
pub(super) fn any(_: usize, _: &str) -> Result<()> {
    Ok(())
}

/// What was made of one or two texts, kept for all rows of a batch: parameters are the same in nearly every row.
pub(super) struct Made<T> {
    values: Vec<((String, String), T)>,
    places: FxHashMap<(String, String), usize>,
    last: usize,
}

impl<T> Made<T> {
    pub(super) fn new() -> Self {
        Self {
            values: Vec::new(),
            places: FxHashMap::default(),
            last: 0,
        }
    }

    /// The value of these texts; made on first sight.
    pub(super) fn get(&mut self, one: &str, two: &str, make: impl FnOnce() -> Result<T>) -> Result<&mut T> {
        let is_last = self.values.get(self.last).is_some_and(|((a, b), _)| a == one && b == two);
        if !is_last {
            let key = (one.to_owned(), two.to_owned());
            self.last = match self.places.get(&key) {
                Some(&place) => place,
                None => {
                    self.values.push((key.clone(), make()?));
                    self.places.insert(key, self.values.len() - 1);
                    self.values.len() - 1
                }
            };
        }
        Ok(&mut self.values[self.last].1)
    }
}

/// Predictors of a session that no call is using. They remember what many customers share, over the batches of a query and over functions.
#[derive(Clone, Default)]
pub(super) struct Pool(Arc<Mutex<Vec<((String, String), Predictor)>>>);

/// Predictors that a session keeps at most: a few models on a few threads.
const POOLED_MAX: usize = 32;

impl Pool {
    /// The predictor of a model with these parameters, if one is free.
    pub(super) fn take(&self, name: &str, params: &str) -> Option<Predictor> {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = free.iter().position(|((a, b), _)| a == name && b == params)?;
        Some(free.swap_remove(place).1)
    }

    /// Takes predictors back. The oldest go where there are too many.
    pub(super) fn give(&self, made: Made<Predictor>) {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        free.extend(made.values);
        let too_many = free.len().saturating_sub(POOLED_MAX);
        free.drain(..too_many);
    }
}

/// A [`Prediction`] in a session.
pub(super) struct Registered {
    function: &'static Prediction,
    signature: Signature,
    pool: Pool,
}

impl Registered {
    pub(super) fn new(function: &'static Prediction, pool: &Pool) -> Self {
        Self {
            function,
            pool: pool.clone(),
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl std::fmt::Debug for Registered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.function.doc.name)
    }
}

impl PartialEq for Registered {
    fn eq(&self, other: &Self) -> bool {
        self.function.doc.name == other.function.doc.name
    }
}

impl Eq for Registered {}

impl Hash for Registered {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.doc.name.hash(state);
    }
}

impl ScalarUDFImpl for Registered {
    fn name(&self) -> &str {
        self.function.doc.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        for (position, constant) in args.scalar_arguments.iter().enumerate() {
            if let Some(text) = constant.and_then(|constant| constant.try_as_str().flatten()) {
                (self.function.check)(position, text)?;
            }
        }
        Ok(Arc::new(Field::new(self.name(), DataType::Float64, true)))
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.function.arguments().coerce(&self.function.doc, types)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let values = Values::of_call(&args)?;
        let results = (self.function.evaluate)(&values, &self.pool)?;
        let finite = results.into_iter().map(|result| result.filter(|value| value.is_finite()));
        if values.all_constant() {
            return Ok(ColumnarValue::Scalar(ScalarValue::Float64(finite.into_iter().next().flatten())));
        }
        Ok(ColumnarValue::Array(Arc::new(finite.collect::<Float64Array>())))
    }
}
