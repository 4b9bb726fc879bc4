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
    description: "A value of `settings:` in pipeline.yaml, with the type it is written in (numbers are 64-bit floats). The name \
                  is a constant. A name that is not set gives the default, and without one the query does not plan. A text that reads as a \
                  number or boolean serves where the default is one, so that a variable of the environment can give it.",
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

    /// The value of a name, `None` if it is not set; as the type of the default where one is given and the text reads so.
    fn value(&self, name: Option<&ScalarValue>, default: Option<&DataType>) -> Result<(String, Option<ScalarValue>)> {
        let Some(name) = name.and_then(|name| name.try_as_str().flatten()) else {
            return plan_err!("setting takes its name as a constant text: setting('name')");
        };
        let value = self.values.get(name).map(|value| match value {
            Setting::Boolean(value) => ScalarValue::Boolean(Some(*value)),
            Setting::Number(value) => ScalarValue::Float64(Some(*value)),
            Setting::Text(value) => read_as(value, default),
        });
        Ok((name.to_owned(), value))
    }

    fn not_set<T>(&self, name: &str) -> Result<T> {
        match nearest(name, self.values.keys().map(String::as_str)) {
            Some(near) => plan_err!("setting '{name}' is not in pipeline.yaml. Did you mean '{near}'?"),
            None => plan_err!("setting '{name}' is not in pipeline.yaml: add it under `settings:`, or give a default"),
        }
    }
}

/// What variables of the environment give is text: it becomes what the default is, where it can.
fn read_as(text: &str, wanted: Option<&DataType>) -> ScalarValue {
    let number = || text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    match wanted {
        Some(DataType::Float64) => number().map(|number| ScalarValue::Float64(Some(number))),
        Some(DataType::Boolean) => text.trim().parse().ok().map(|truth| ScalarValue::Boolean(Some(truth))),
        _ => None,
    }
    .unwrap_or_else(|| ScalarValue::Utf8(Some(text.to_owned())))
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
        // Types may not have been coerced yet when the query is planned.
        let default = args.arg_fields.get(1).map(|field| type_of_default(field.data_type()));
        let (name, value) = self.value(args.scalar_arguments.first().copied().flatten(), default.as_ref())?;
        let given = value.as_ref().map(ScalarValue::data_type);
        let data_type = match (given, default) {
            (Some(given), Some(default)) if given != default => return plan_err!("setting '{name}' is {given} and its default {default}"),
            (Some(data_type), _) | (None, Some(data_type)) => data_type,
            (None, None) => return self.not_set(&name),
        };
        Ok(Arc::new(Field::new(DOC.name, data_type, value.is_none())))
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [_] => Ok(vec![DataType::Utf8]),
            [_, default] => Ok(vec![DataType::Utf8, type_of_default(default)]),
            _ => plan_err!("setting takes other arguments: {}", DOC.signature),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let name = match args.args.first() {
            Some(ColumnarValue::Scalar(name)) => Some(name),
            _ => None,
        };
        let default = args.args.get(1).map(ColumnarValue::data_type);
        let (name, value) = self.value(name, default.as_ref())?;
        match (value, args.args.get(1)) {
            (Some(value), _) => Ok(ColumnarValue::Scalar(value)),
            (None, Some(default)) => Ok(default.clone()),
            (None, None) => self.not_set(&name),
        }
    }
}
