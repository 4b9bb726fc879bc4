//! `count_before` and `last_before`: how many dates of a list, and which last, lie before each of several days.
//!
//! A customer's past states at many days come from one list of their order dates, without joining orders with days.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Builder, Int64Builder, ListArray, ListBuilder};
use arrow::datatypes::{DataType, Date32Type, Field};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};

use super::FunctionDoc;

pub(super) const COUNT_DOC: FunctionDoc = FunctionDoc {
    name: "count_before",
    signature: "count_before(dates list of dates, days list of dates) → list of bigints",
    description: "For each day, how many of the dates lie before it, in the order of the days. Null for a null list; null dates count nowhere.",
    example: "count_before([DATE '2024-01-05'], [DATE '2024-01-05', DATE '2024-02-01']) = [0, 1]",
};

pub(super) const LAST_DOC: FunctionDoc = FunctionDoc {
    name: "last_before",
    signature: "last_before(dates list of dates, days list of dates) → list of dates",
    description: "For each day, the latest of the dates before it, null if there is none. Null for a null list.",
    example: "last_before([DATE '2024-01-05'], [DATE '2024-01-05', DATE '2024-02-01']) = [NULL, DATE '2024-01-05']",
};

/// What is told of the dates before a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum What {
    Count,
    Last,
}

/// The function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Before {
    what: What,
    signature: Signature,
}

impl Before {
    pub(super) fn new(what: What) -> Self {
        Self {
            what,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    fn doc(&self) -> &'static FunctionDoc {
        match self.what {
            What::Count => &COUNT_DOC,
            What::Last => &LAST_DOC,
        }
    }
}

fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

impl ScalarUDFImpl for Before {
    fn name(&self) -> &str {
        self.doc().name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(list_of(match self.what {
            What::Count => DataType::Int64,
            What::Last => DataType::Date32,
        }))
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let is_list = |data_type: &DataType| matches!(data_type, DataType::List(_) | DataType::Null);
        if types.len() != 2 || !types.iter().all(is_list) {
            return plan_err!("{} takes other arguments: {}", self.name(), self.doc().signature);
        }
        Ok(vec![list_of(DataType::Date32); 2])
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let all_constant = args.args.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
        let rows = if all_constant { 1 } else { args.number_rows };
        let dates = args.args[0].to_array(rows)?;
        // Days are nearly always constant: one list is enough then.
        let days = args.args[1].to_array(if matches!(args.args[1], ColumnarValue::Scalar(_)) {
            1
        } else {
            rows
        })?;
        let result = told(self.what, dates.as_list(), days.as_list());
        Ok(if all_constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?)
        } else {
            ColumnarValue::Array(result)
        })
    }
}

/// One list a row of `dates`; `days` has as many rows, or one for all.
fn told(what: What, dates: &ListArray, days: &ListArray) -> ArrayRef {
    let mut counts = ListBuilder::new(Int64Builder::new());
    let mut lasts = ListBuilder::new(Date32Builder::new());
    for row in 0..dates.len() {
        let day_row = if days.len() == 1 { 0 } else { row };
        let is_known = dates.is_valid(row) && days.is_valid(day_row);
        if is_known {
            let (own, asked) = (dates.value(row), days.value(day_row));
            let own = own.as_primitive::<Date32Type>();
            for day in asked.as_primitive::<Date32Type>() {
                let before = || own.iter().flatten().filter(|date| day.is_some_and(|day| *date < day));
                match what {
                    What::Count => counts.values().append_option(day.map(|_| before().count() as i64)),
                    What::Last => lasts.values().append_option(before().max()),
                }
            }
        }
        match what {
            What::Count => counts.append(is_known),
            What::Last => lasts.append(is_known),
        }
    }
    match what {
        What::Count => Arc::new(counts.finish()),
        What::Last => Arc::new(lasts.finish()),
    }
}
