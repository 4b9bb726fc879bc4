//! `as_of`: the day for which metrics are computed; the only "today" that a query has.

use arrow::datatypes::{DataType, Date32Type};
use chrono::NaiveDate;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use super::FunctionDoc;

pub(super) const DOC: FunctionDoc = FunctionDoc {
    name: "as_of",
    signature: "as_of() → date",
    description: "The day for which the run computes metrics (`--as-of`; default: today in the pipeline's time zone). Never null.",
    example: "as_of() - INTERVAL '365' DAY",
};

/// The function with its day.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct AsOf {
    day: NaiveDate,
    signature: Signature,
}

impl AsOf {
    /// For one day. Register it by `session.register_udf(AsOf::new(day).into())`.
    #[must_use]
    pub fn new(day: NaiveDate) -> Self {
        Self {
            day,
            signature: Signature::nullary(Volatility::Immutable),
        }
    }
}

impl ScalarUDFImpl for AsOf {
    fn name(&self) -> &str {
        DOC.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Date32)
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        Ok(ColumnarValue::Scalar(ScalarValue::Date32(Some(Date32Type::from_naive_date(self.day)))))
    }
}
