//! The struct that a fit gives: one row of a table of models.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, StructArray};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::ScalarValue;

use super::parameters::Model;
use crate::clv::{Fit, FitStatus};

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("model_name", DataType::Utf8, true),
        Field::new("params", DataType::Utf8, true),
        Field::new("standard_errors", DataType::Utf8, true),
        Field::new("covariance", DataType::Utf8, true),
        Field::new("log_likelihood", DataType::Float64, true),
        Field::new("n", DataType::Int64, true),
        Field::new("iterations", DataType::Int64, true),
        Field::new("gradient_max", DataType::Float64, true),
        Field::new("converged", DataType::Boolean, true),
        Field::new("model_status", DataType::Utf8, true),
    ])
}

/// The type of [`scalar`].
pub(super) fn data_type() -> DataType {
    DataType::Struct(fields())
}

/// A fit as a value of SQL. What is unknown or not finite is null; without parameters so are the likelihood and the slope.
pub(super) fn scalar(model: Model, fit: &Fit) -> ScalarValue {
    let params = model.to_json(&fit.params);
    let known = |value: f64| (params.is_some() && value.is_finite()).then_some(value);
    let columns: Vec<ArrayRef> = vec![
        text(Some(fit.model.to_owned())),
        text(params.clone()),
        text(model.to_json(&fit.standard_errors)),
        text(model.matrix_to_json(&fit.covariance)),
        Arc::new(Float64Array::from(vec![known(fit.log_likelihood)])),
        Arc::new(Int64Array::from(vec![i64::try_from(fit.n).unwrap_or(i64::MAX)])),
        Arc::new(Int64Array::from(vec![i64::from(fit.iterations)])),
        Arc::new(Float64Array::from(vec![known(fit.gradient_max)])),
        Arc::new(BooleanArray::from(vec![fit.converged])),
        text(Some(fit.status.as_str().to_owned())),
    ];
    ScalarValue::Struct(Arc::new(StructArray::new(fields(), columns, None)))
}

/// The value without a row that names its model.
pub(super) fn of_nothing() -> ScalarValue {
    let mut columns: Vec<ArrayRef> = fields()
        .iter()
        .map(|field| arrow::array::new_null_array(field.data_type(), 1))
        .collect();
    columns[5] = Arc::new(Int64Array::from(vec![0]));
    columns[6] = Arc::new(Int64Array::from(vec![0]));
    columns[8] = Arc::new(BooleanArray::from(vec![false]));
    columns[9] = text(Some(FitStatus::TooFewCustomers.as_str().to_owned()));
    ScalarValue::Struct(Arc::new(StructArray::new(fields(), columns, None)))
}

fn text(value: Option<String>) -> ArrayRef {
    Arc::new(StringArray::from(vec![value]))
}
