//! What hangs on a customer: its records and its revenue.

use arrow::array::{Array, AsArray, Decimal128Array, RecordBatch};
use arrow::datatypes::{Decimal128Type, Int64Type};
use rustc_hash::FxHashMap;

use super::Read;
use crate::config::Spec;
use crate::error::{Error, Result};
use crate::table::column;
use crate::table::record::ColumnType;

/// Published amounts have four digits after the point.
const UNIT: f64 = 10_000.0;

/// Records and revenue by customer.
pub(super) struct Stakes {
    records: FxHashMap<String, u64>,
    /// In ten-thousandths: exact, so that the order of orders does not matter.
    revenue: FxHashMap<String, i128>,
    /// Revenue of the average customer that has any; 1 if none has.
    pub(super) revenue_average: f64,
}

impl Stakes {
    /// Reads `customers` and `orders`.
    pub(super) fn read(spec: &Spec, table: &Read<'_>) -> Result<Self> {
        let mut records = FxHashMap::default();
        for batch in table("customers", &[column::CUSTOMER_KEY, column::RECORDS_COUNT])? {
            let keys = batch[column::CUSTOMER_KEY].as_string::<i32>();
            let Some(counts) = batch[column::RECORDS_COUNT].as_primitive_opt::<Int64Type>() else {
                return Err(damaged("customers"));
            };
            let counted = keys.iter().zip(counts.values());
            records.extend(counted.filter_map(|(key, &count)| Some((key?.to_owned(), u64::try_from(count).unwrap_or(0)))));
        }
        let mut revenue: FxHashMap<String, i128> = FxHashMap::default();
        let columns = [
            column::CUSTOMER_KEY,
            column::IS_CANCELLED,
            column::CURRENCY,
            column::GROSS,
            column::REFUNDED,
        ];
        for batch in table("orders", &columns)? {
            add_orders(&batch, &spec.currency, &mut revenue)?;
        }
        let positive: Vec<i128> = revenue.values().copied().filter(|revenue| *revenue > 0).collect();
        let sum: i128 = positive.iter().sum();
        let revenue_average = if positive.is_empty() {
            1.0
        } else {
            sum as f64 / UNIT / positive.len() as f64
        };
        Ok(Self {
            records,
            revenue,
            revenue_average,
        })
    }

    /// Records of a customer.
    pub(super) fn records(&self, key: &str) -> u64 {
        self.records.get(key).copied().unwrap_or(0)
    }

    /// Its revenue; 0 if refunds are more.
    pub(super) fn revenue(&self, key: &str) -> f64 {
        self.revenue.get(key).map_or(0.0, |revenue| (*revenue).max(0) as f64 / UNIT)
    }
}

/// Adds gross less refunds of the orders that count.
fn add_orders(batch: &RecordBatch, currency: &str, revenue: &mut FxHashMap<String, i128>) -> Result<()> {
    let keys = batch[column::CUSTOMER_KEY].as_string::<i32>();
    let currencies = batch[column::CURRENCY].as_string::<i32>();
    let (Some(cancelled), Some(gross), Some(refunded)) = (
        batch[column::IS_CANCELLED].as_boolean_opt(),
        batch[column::GROSS].as_primitive_opt::<Decimal128Type>(),
        batch[column::REFUNDED].as_primitive_opt::<Decimal128Type>(),
    ) else {
        return Err(damaged("orders"));
    };
    if [gross, refunded]
        .iter()
        .any(|amounts| *amounts.data_type() != ColumnType::Decimal.arrow())
    {
        return Err(damaged("orders"));
    }
    let amount = |values: &Decimal128Array, row: usize| if values.is_valid(row) { values.value(row) } else { 0 };
    for row in 0..batch.num_rows() {
        let is_cancelled = cancelled.is_valid(row) && cancelled.value(row);
        let is_counted = keys.is_valid(row) && !is_cancelled && currencies.is_valid(row) && currencies.value(row) == currency;
        if is_counted {
            *revenue.entry(keys.value(row).to_owned()).or_default() += amount(gross, row) - amount(refunded, row);
        }
    }
    Ok(())
}

pub(super) fn damaged(table: &str) -> Error {
    Error::environment("a published table has a column of another type than this program writes").with("table", table)
}
