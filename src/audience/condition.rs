//! Who belongs to an audience: conditions over columns of tables that know customers.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::publish::{Manifest, Warehouse};
use crate::table::column;

/// How a value compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operator {
    /// Equal, as text or number.
    Equal,
    /// At least.
    AtLeast,
    /// At most.
    AtMost,
}

/// `table.column=value`, `>=` or `<=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// A published table with a `customer_key`.
    pub table: String,
    /// Its column.
    pub column: String,
    /// Comparison.
    pub operator: Operator,
    /// What it is compared with.
    pub value: String,
}

impl Condition {
    /// Reads one. A table is named before the last dot of what stands left of the sign.
    ///
    /// # Errors
    /// `Config` for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || Error::config("a condition is no condition").hint("write `table.column=value`, or `>=` or `<=` instead of `=`");
        let sign = text.find('=').ok_or_else(wrong)?;
        let (left, value) = (&text[..sign], text[sign + 1..].trim());
        let (left, operator) = match left.as_bytes().last() {
            Some(b'>') => (&left[..left.len() - 1], Operator::AtLeast),
            Some(b'<') => (&left[..left.len() - 1], Operator::AtMost),
            _ => (left, Operator::Equal),
        };
        let (table, column) = left.trim().rsplit_once('.').ok_or_else(wrong)?;
        if table.is_empty() || column.is_empty() || value.is_empty() {
            return Err(wrong());
        }
        Ok(Self {
            table: table.to_owned(),
            column: column.to_owned(),
            operator,
            value: value.to_owned(),
        })
    }

    /// Customers in a segment of `customer_segments`.
    #[must_use]
    pub fn segment(name: &str) -> Self {
        Self {
            table: "customer_segments".to_owned(),
            column: "segment".to_owned(),
            operator: Operator::Equal,
            value: name.trim().to_owned(),
        }
    }

    /// As it is written.
    #[must_use]
    pub fn shown(&self) -> String {
        let sign = match self.operator {
            Operator::Equal => "=",
            Operator::AtLeast => ">=",
            Operator::AtMost => "<=",
        };
        format!("{}.{}{sign}{}", self.table, self.column, self.value)
    }

    /// Whether each row of a column meets it. Numbers compare as numbers, everything else as text; null meets nothing.
    fn met(&self, values: &ArrayRef) -> Result<Vec<bool>> {
        let internal = |error: arrow::error::ArrowError| Error::internal("a column cannot be compared").because(error);
        if values.data_type().is_numeric() {
            let number: f64 = self.value.parse().map_err(|_| {
                Error::config("a number is compared with a text")
                    .with("table", &self.table)
                    .with("column", &self.column)
                    .hint("write a number behind the sign")
            })?;
            let numbers = cast(values, &DataType::Float64).map_err(internal)?;
            let numbers = numbers.as_primitive::<Float64Type>();
            let is_met = |found: Option<f64>| {
                found.is_some_and(|found| match self.operator {
                    Operator::Equal => found.total_cmp(&number).is_eq() || found == number,
                    Operator::AtLeast => found >= number,
                    Operator::AtMost => found <= number,
                })
            };
            return Ok(numbers.iter().map(is_met).collect());
        }
        let options = FormatOptions::default();
        let texts = ArrayFormatter::try_new(values.as_ref(), &options).map_err(internal)?;
        let is_met = |row: usize| {
            let text = texts.value(row).to_string();
            values.is_valid(row)
                && match self.operator {
                    Operator::Equal => text == self.value,
                    Operator::AtLeast => text.as_str() >= self.value.as_str(),
                    Operator::AtMost => text.as_str() <= self.value.as_str(),
                }
        };
        Ok((0..values.len()).map(is_met).collect())
    }
}

/// Customers of a version who meet the conditions, and the conditions that nobody meets. Several values for one column are alternatives;
/// different columns, and limits, must all hold.
///
/// # Errors
/// `Input` for a table or column that the version lacks or that knows no customers; `Config` for a number compared with a text.
pub(super) fn select(
    engine: &Engine,
    warehouse: &Warehouse,
    manifest: &Manifest,
    conditions: &[Condition],
) -> Result<(BTreeSet<String>, Vec<String>)> {
    let mut groups: BTreeMap<(&str, &str, usize), Vec<&Condition>> = BTreeMap::new();
    for (number, condition) in conditions.iter().enumerate() {
        let alone = if condition.operator == Operator::Equal { 0 } else { number + 1 };
        groups
            .entry((&condition.table, &condition.column, alone))
            .or_default()
            .push(condition);
    }
    let mut selected: Option<BTreeSet<String>> = None;
    let mut unmet = Vec::new();
    for ((table, name, _), group) in groups {
        let batches = read(engine, warehouse, manifest, table, name)?;
        let mut keys = BTreeSet::new();
        for condition in group {
            let found = meeting(&batches, condition)?;
            if found.is_empty() {
                unmet.push(condition.shown());
            }
            keys.extend(found);
        }
        selected = Some(match selected {
            None => keys,
            Some(others) => others.intersection(&keys).cloned().collect(),
        });
    }
    Ok((selected.unwrap_or_default(), unmet))
}

fn meeting(batches: &[RecordBatch], condition: &Condition) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for batch in batches {
        let keys = batch.column(0).as_string::<i32>();
        for (key, is_met) in keys.iter().zip(condition.met(batch.column(1))?) {
            found.extend(key.filter(|_| is_met).map(str::to_owned));
        }
    }
    Ok(found)
}

/// `customer_key` and a column of a table.
fn read(engine: &Engine, warehouse: &Warehouse, manifest: &Manifest, table: &str, name: &str) -> Result<Vec<RecordBatch>> {
    let lacks = |what: &'static str| {
        Error::input(what)
            .with("table", table)
            .with("column", name)
            .with("version", manifest.version.to_string())
    };
    // The schema first: a column that is not there is a mistake of the call, not a damaged file.
    let Some(all) = warehouse.read(engine, manifest, table, None)? else {
        let tables: Vec<&str> = manifest.tables.keys().map(String::as_str).collect();
        return Err(lacks("the version has no such table").hint(format!("it has: {}", tables.join(", "))));
    };
    let schema = all
        .first()
        .map(RecordBatch::schema)
        .ok_or_else(|| lacks("the table has no schema"))?;
    let key = schema.index_of(column::CUSTOMER_KEY);
    let key = key.map_err(|_| lacks("the table knows no customers").hint("name a table with a `customer_key`"))?;
    let wanted = schema.index_of(name).map_err(|_| {
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        lacks("the table has no such column").hint(format!("it has: {}", names.join(", ")))
    })?;
    all.iter()
        .map(|batch| {
            batch
                .project(&[key, wanted])
                .map_err(|error| Error::internal("a table lacks its own column").because(error))
        })
        .collect()
}
