//! Typed arguments of functions over numbers: what a call may give, what it is cast to, and one row of it at a time.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::FunctionDoc;

/// What an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text.
    Text,
    /// A number from 0 without a fraction. Any numeric type; other numbers are as null.
    Whole,
    /// A finite number. Any numeric type; NaN and infinity are as null.
    Number,
    /// True or false.
    Boolean,
    /// A list of numbers.
    Numbers,
}

/// The arguments that a function takes: all of `required`, then as many of `optional` as the call gives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arguments {
    pub required: &'static [Kind],
    pub optional: &'static [Kind],
}

impl Arguments {
    /// The types that a call's arguments are cast to.
    pub(super) fn coerce(self, doc: &FunctionDoc, types: &[DataType]) -> Result<Vec<DataType>> {
        let kinds = self.required.iter().chain(self.optional);
        let most = self.required.len() + self.optional.len();
        if !(self.required.len()..=most).contains(&types.len()) {
            return plan_err!("{} takes other arguments: {}", doc.name, doc.signature);
        }
        let mut coerced = Vec::with_capacity(types.len());
        for (position, (kind, data_type)) in kinds.zip(types).enumerate() {
            match kind.coerce(data_type) {
                Some(data_type) => coerced.push(data_type),
                None => {
                    let (place, expected) = (position + 1, kind.words());
                    return plan_err!("{}: argument {place} is {expected}, not {data_type}: {}", doc.name, doc.signature);
                }
            }
        }
        Ok(coerced)
    }
}

impl Kind {
    fn coerce(self, given: &DataType) -> Option<DataType> {
        let plain = match given {
            DataType::Dictionary(_, values) => values.as_ref(),
            other => other,
        };
        let is_null = plain.is_null();
        match self {
            Self::Text if is_null || plain.is_string() => Some(DataType::Utf8),
            Self::Whole if is_null || plain.is_integer() => Some(DataType::Int64),
            Self::Whole | Self::Number if is_null || plain.is_numeric() => Some(DataType::Float64),
            Self::Boolean if is_null || *plain == DataType::Boolean => Some(DataType::Boolean),
            Self::Numbers => match plain {
                DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _)
                    if item.data_type().is_numeric() || item.data_type().is_null() =>
                {
                    Some(DataType::List(Field::new_list_field(DataType::Float64, true).into()))
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Whole => "a whole number",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::Numbers => "a list of numbers",
        }
    }
}

/// The arguments of one call or batch; columns and constants look the same to a function.
pub(super) struct Values {
    columns: Vec<Column>,
    rows: usize,
    all_constant: bool,
}

struct Column {
    is_constant: bool,
    values: Typed,
}

enum Typed {
    Texts(StringArray),
    Wholes(Int64Array),
    Numbers(Float64Array),
    Booleans(BooleanArray),
    /// Lists are constants, which functions get while they are planned.
    Other,
}

impl Typed {
    fn of(array: &ArrayRef) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Utf8 => Self::Texts(array.as_string::<i32>().clone()),
            DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => {
                Self::Texts(cast(array, &DataType::Utf8)?.as_string::<i32>().clone())
            }
            DataType::Int64 => Self::Wholes(array.as_primitive::<Int64Type>().clone()),
            DataType::Boolean => Self::Booleans(array.as_boolean().clone()),
            data_type if data_type.is_numeric() || data_type.is_null() => {
                Self::Numbers(cast(array, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
            }
            _ => Self::Other,
        })
    }
}

impl Values {
    /// Of a scalar function's call.
    pub(super) fn of_call(args: &ScalarFunctionArgs) -> Result<Self> {
        let mut columns = Vec::with_capacity(args.args.len());
        for value in &args.args {
            let (is_constant, array) = match value {
                ColumnarValue::Scalar(scalar) => (true, scalar.to_array()?),
                ColumnarValue::Array(array) => (false, array.clone()),
            };
            let values = Typed::of(&array)?;
            columns.push(Column { is_constant, values });
        }
        let all_constant = columns.iter().all(|column| column.is_constant);
        Ok(Self {
            columns,
            rows: if all_constant { 1 } else { args.number_rows },
            all_constant,
        })
    }

    /// Of a batch for an aggregate.
    pub(super) fn of_batch(arrays: &[ArrayRef]) -> Result<Self> {
        let mut columns = Vec::with_capacity(arrays.len());
        for array in arrays {
            columns.push(Column {
                is_constant: false,
                values: Typed::of(array)?,
            });
        }
        Ok(Self {
            columns,
            rows: arrays.first().map_or(0, |array| array.len()),
            all_constant: false,
        })
    }

    /// Rows to look at; 1 if every argument is a constant.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Whether every argument is a constant, so that the result is one too.
    pub(super) fn all_constant(&self) -> bool {
        self.all_constant
    }

    /// Whether the call has this argument.
    pub(super) fn has(&self, argument: usize) -> bool {
        argument < self.columns.len()
    }

    fn at(&self, argument: usize, row: usize) -> Option<(&Typed, usize)> {
        let column = self.columns.get(argument)?;
        Some((&column.values, if column.is_constant { 0 } else { row }))
    }

    /// A text, `None` for null.
    pub(super) fn text(&self, argument: usize, row: usize) -> Option<&str> {
        match self.at(argument, row)? {
            (Typed::Texts(texts), row) if texts.is_valid(row) => Some(texts.value(row)),
            _ => None,
        }
    }

    /// A finite number, `None` for null, NaN and infinity. Minus zero is zero.
    pub(super) fn number(&self, argument: usize, row: usize) -> Option<f64> {
        let value = match self.at(argument, row)? {
            (Typed::Numbers(numbers), row) if numbers.is_valid(row) => numbers.value(row),
            (Typed::Wholes(numbers), row) if numbers.is_valid(row) => numbers.value(row) as f64,
            _ => return None,
        };
        value.is_finite().then_some(value + 0.0)
    }

    /// A number from 0 without a fraction, `None` for everything else.
    pub(super) fn count(&self, argument: usize, row: usize) -> Option<u64> {
        match self.at(argument, row)? {
            (Typed::Wholes(numbers), row) if numbers.is_valid(row) => u64::try_from(numbers.value(row)).ok(),
            (Typed::Numbers(numbers), row) if numbers.is_valid(row) => whole(numbers.value(row)),
            _ => None,
        }
    }

    /// As [`Values::count`], for counts and days, which fit 32 bits.
    pub(super) fn small(&self, argument: usize, row: usize) -> Option<u32> {
        self.count(argument, row).and_then(|value| u32::try_from(value).ok())
    }

    /// True or false, `None` for null.
    pub(super) fn boolean(&self, argument: usize, row: usize) -> Option<bool> {
        match self.at(argument, row)? {
            (Typed::Booleans(flags), row) if flags.is_valid(row) => Some(flags.value(row)),
            _ => None,
        }
    }
}

/// A float without a fraction as an integer; beyond 2^53 floats are no counts.
fn whole(value: f64) -> Option<u64> {
    const MOST: f64 = 9_007_199_254_740_992.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a whole number from 0 to 2^53 fits 64 bits"
    )]
    ((0.0..=MOST).contains(&value) && value.fract() == 0.0).then_some(value as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_from_0_are_counts() {
        assert_eq!(
            [0.0, -0.0, 3.0, 9_007_199_254_740_992.0].map(whole),
            [Some(0), Some(0), Some(3), Some(1 << 53)]
        );
        for other in [-1.0, 0.5, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(whole(other), None, "{other}");
        }
    }
}
