//! Arguments of one call as texts: columns and constants look the same to a function.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

/// The arguments of one call, and the texts in them that could not be read.
pub(super) struct Inputs {
    arguments: Vec<Argument>,
    rows: usize,
    all_constant: bool,
    unparsed: RefCell<BTreeSet<String>>,
}

enum Argument {
    Constant(Option<String>),
    Column(StringArray),
}

impl Inputs {
    pub(super) fn new(args: &ScalarFunctionArgs) -> Result<Self> {
        let mut arguments = Vec::with_capacity(args.args.len());
        for value in &args.args {
            arguments.push(match value {
                ColumnarValue::Scalar(scalar) => Argument::Constant(text_of(scalar)?),
                ColumnarValue::Array(array) => Argument::Column(cast(array, &DataType::Utf8)?.as_string::<i32>().clone()),
            });
        }
        let all_constant = arguments.iter().all(|argument| matches!(argument, Argument::Constant(_)));
        Ok(Self {
            arguments,
            rows: if all_constant { 1 } else { args.number_rows },
            all_constant,
            unparsed: RefCell::default(),
        })
    }

    /// An argument in a row; `None` if it is null or was not given.
    pub(super) fn get(&self, argument: usize, row: usize) -> Option<&str> {
        match self.arguments.get(argument)? {
            Argument::Constant(text) => text.as_deref(),
            Argument::Column(column) => column.is_valid(row).then(|| column.value(row)),
        }
    }

    /// How many arguments were given.
    pub(super) fn count(&self) -> usize {
        self.arguments.len()
    }

    /// One result a row; a constant if every argument is one.
    pub(super) fn map<T, A>(&self, mut evaluate: impl FnMut(usize) -> Result<Option<T>>) -> Result<ColumnarValue>
    where
        A: Array + FromIterator<Option<T>> + 'static,
    {
        self.map_with(&mut evaluate, |array: A| Arc::new(array))
    }

    /// As [`Inputs::map`], for arrays that need a step after they were collected (precision, time zone).
    pub(super) fn map_with<T, A>(
        &self,
        mut evaluate: impl FnMut(usize) -> Result<Option<T>>,
        finish: impl FnOnce(A) -> ArrayRef,
    ) -> Result<ColumnarValue>
    where
        A: FromIterator<Option<T>>,
    {
        let array = finish((0..self.rows).map(&mut evaluate).collect::<Result<A>>()?);
        Ok(if self.all_constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?)
        } else {
            ColumnarValue::Array(array)
        })
    }

    /// Parses the first argument of a row: null and blank texts are null, texts that cannot be read are null and noted.
    pub(super) fn parse<T>(&self, row: usize, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.get(0, row)?;
        if text.trim().is_empty() {
            return None;
        }
        let parsed = parse(text);
        if parsed.is_none() {
            self.note(text);
        }
        parsed
    }

    fn note(&self, text: &str) {
        let mut unparsed = self.unparsed.borrow_mut();
        if !unparsed.contains(text) {
            unparsed.insert(text.to_owned());
        }
    }

    pub(super) fn take_unparsed(&self) -> BTreeSet<String> {
        self.unparsed.take()
    }
}

fn text_of(scalar: &ScalarValue) -> Result<Option<String>> {
    match scalar.cast_to(&DataType::Utf8)? {
        ScalarValue::Utf8(text) => Ok(text),
        _ => Ok(None),
    }
}

/// Remembers the last value made from an argument: formats, locales and zones are the same in nearly every row.
pub(super) struct Last<T> {
    key: Option<String>,
    value: Option<T>,
}

impl<T> Last<T> {
    pub(super) fn new() -> Self {
        Self { key: None, value: None }
    }

    pub(super) fn get(&mut self, key: &str, make: impl FnOnce(&str) -> Result<T>) -> Result<&T> {
        if self.key.as_deref() != Some(key) || self.value.is_none() {
            self.value = Some(make(key)?);
            self.key = Some(key.to_owned());
        }
        Ok(self.value.as_ref().expect("set above, if it was not"))
    }
}
