//! `setting`: a value of `settings:` in `pipeline.yaml`, so that a query holds no magic number.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, internal_err, plan_err};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use super::FunctionDoc;
use crate::config::pipeline::Setting;
use crate::engine::sql::nearest;

pub(super) const DOC: FunctionDoc = FunctionDoc {
    name: "setting",
    signature: "setting(name [, default]) → number, text or boolean",
    description: "A value of `settings:` in pipeline.yaml, with the type it is written in (numbers are 64-bit floats). Both arguments are constants. A \
                  name that is not set gives the default, and without one the query does not plan.",
    example: "setting('discount_rate_annual', 0.1) = 0.1",
};

/// The function with the values of a pipeline.
#[derive(Debug)]
pub struct SettingFn {
    values: BTreeMap<String, Setting>,
    signature: Signature,
}

impl SettingFn {
    /// With these values. Register it by `session.register_udf(SettingFn::new(values).into())`.
    #[must_use]
    pub fn new(values: BTreeMap<String, Setting>) -> Self {
        Self {
            values,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    /// The value of a call; constants only.
    fn resolve(&self, name: Option<&ScalarValue>, default: Option<Option<&ScalarValue>>) -> Result<ScalarValue> {
        let Some(name) = name.and_then(|name| name.try_as_str().flatten()) else {
            return plan_err!("setting takes its name as a constant text: setting('name')");
        };
        let default = match default {
            Some(None) => return plan_err!("setting takes its default as a constant: setting('{name}', 0.1)"),
            // Types may not have been coerced yet when the query is planned.
            Some(Some(value)) => Some(value.cast_to(&type_of_default(&value.data_type()))?),
            None => None,
        };
        let value = match self.values.get(name) {
            Some(Setting::Boolean(value)) => ScalarValue::Boolean(Some(*value)),
            Some(Setting::Number(value)) => ScalarValue::Float64(Some(*value)),
            Some(Setting::Text(value)) => ScalarValue::Utf8(Some(value.clone())),
            None => match default {
                Some(ref default) => default.clone(),
                None => {
                    let near = nearest(name, self.values.keys().map(String::as_str))
                        .map_or_else(|| "Did you mean to add it under `settings:`?".to_owned(), |near| format!("Did you mean '{near}'?"));
                    return plan_err!("setting '{name}' is not in pipeline.yaml. {near}");
                }
            },
        };
        if let Some(default) = default
            && !default.is_null()
            && default.data_type() != value.data_type()
        {
            return plan_err!("setting '{name}' is {} and its default {}", value.data_type(), default.data_type());
        }
        Ok(value)
    }
}

/// Numbers are floats, as in the pipeline; everything else but a boolean is text.
fn type_of_default(written: &DataType) -> DataType {
    match written {
        DataType::Boolean => DataType::Boolean,
        number if number.is_numeric() => DataType::Float64,
        _ => DataType::Utf8,
    }
}

impl PartialEq for SettingFn {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

// Settings come from YAML: a NaN in them would only make two sessions differ.
impl Eq for SettingFn {}

impl Hash for SettingFn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for name in self.values.keys() {
            name.hash(state);
        }
    }
}

impl ScalarUDFImpl for SettingFn {
    fn name(&self) -> &str {
        DOC.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("setting gives its type by return_field_from_args")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let value = self.resolve(args.scalar_arguments.first().copied().flatten(), args.scalar_arguments.get(1).copied())?;
        Ok(Arc::new(Field::new(DOC.name, value.data_type(), value.is_null())))
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [_] => Ok(vec![DataType::Utf8]),
            [_, default] => Ok(vec![DataType::Utf8, type_of_default(default)]),
            _ => plan_err!("setting takes other arguments: {}", DOC.signature),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = |index: usize| match args.args.get(index) {
            Some(ColumnarValue::Scalar(value)) => Some(value),
            _ => None,
        };
        let default = (args.args.len() > 1).then(|| constant(1));
        self.resolve(constant(0), default).map(ColumnarValue::Scalar)
    }
}
