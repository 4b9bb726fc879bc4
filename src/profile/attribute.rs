//! Orders, lines, events and interactions get the key of their customer, and are sorted by it: what a model joins on is what files are sorted by.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit, TimestampMicrosecondType};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::ProfileSpec;
use super::lookup::{Lookup, NO_CUSTOMER};
use crate::table::build::key_column;
use crate::table::keys::Keys;
use crate::table::{CleanContacts, CustomerKey, RecordKind, column};

/// Rows of a batch of the result: a row group of a published file.
const ROWS_OF_BATCH: usize = 1 << 20;

/// Gives every order, event or interaction its `customer_key` as first column: by (`contact_source` or source, `contact_record_id`), else by
/// the first identifier column that finds a customer, else by e-mail, when exactly one customer has that value and no more than
/// `shared_by_records_max` records; else null. Lines get the key of their order, so `OrderLines` needs the keyed orders.
///
/// `batches` must be sorted by source and key columns. The result is sorted by key (nulls last), then by time (`ordered_at`, `occurred_at`;
/// lines: none), then as before. Every row is kept. No batch gives no batch. Records about
/// nobody stay as they are, without a `customer_key`.
#[must_use]
pub fn attribute(
    spec: &ProfileSpec<'_>,
    contacts: &CleanContacts,
    keys: &Keys,
    kind: RecordKind,
    batches: &[RecordBatch],
    orders: &[RecordBatch],
) -> Vec<RecordBatch> {
    if batches.is_empty() {
        return Vec::new();
    }
    if !kind.is_about_people() {
        return batches.to_vec();
    }
    let customers: Vec<Vec<u32>> = if kind == RecordKind::OrderLines {
        let by_order = OrderLookup::new(keys, orders);
        batches.par_iter().map(|batch| by_order.customers(batch)).collect()
    } else {
        let lookup = Lookup::new(spec, contacts, keys);
        batches.par_iter().map(|batch| lookup.customers(batch)).collect()
    };
    sorted(keys, kind, batches, &customers)
}

/// For each row of each batch the position of its customer's key, found as [`attribute`] does it; not for `OrderLines`.
#[must_use]
pub fn owners(spec: &ProfileSpec<'_>, contacts: &CleanContacts, keys: &Keys, batches: &[RecordBatch]) -> Vec<Vec<Option<u32>>> {
    let lookup = Lookup::new(spec, contacts, keys);
    let owner = |customer| Some(customer).filter(|&customer| customer != NO_CUSTOMER);
    batches
        .par_iter()
        .map(|batch| lookup.customers(batch).into_iter().map(owner).collect())
        .collect()
}

/// The customer of every keyed order.
struct OrderLookup<'a> {
    by_order: FxHashMap<(&'a str, &'a str), u32>,
}

impl<'a> OrderLookup<'a> {
    fn new(keys: &Keys, orders: &'a [RecordBatch]) -> Self {
        let mut by_order = FxHashMap::default();
        by_order.reserve(orders.iter().map(RecordBatch::num_rows).sum());
        let mut last: Option<(&str, u32)> = None;
        for batch in orders {
            let text = |name: &str| {
                let values = batch.column_by_name(name).and_then(|values| values.as_string_opt::<i32>());
                values.expect("keyed orders have a key, a source and an order id")
            };
            let (source, order_id, key) = (text(column::SOURCE), text(column::ORDER_ID), text(column::CUSTOMER_KEY));
            for row in (0..batch.num_rows()).filter(|&row| key.is_valid(row)) {
                let text = key.value(row);
                let customer = match last {
                    Some((known, customer)) if known == text => customer,
                    _ => position(keys, text),
                };
                last = Some((text, customer));
                by_order.insert((source.value(row), order_id.value(row)), customer);
            }
        }
        Self { by_order }
    }

    fn customers(&self, lines: &RecordBatch) -> Vec<u32> {
        let text = |name: &str| {
            let values = lines.column_by_name(name).and_then(|values| values.as_string_opt::<i32>());
            values.expect("order lines have a source and an order id")
        };
        let (source, order_id) = (text(column::SOURCE), text(column::ORDER_ID));
        (0..lines.num_rows())
            .map(|row| {
                let order = (source.value(row), order_id.value(row));
                self.by_order.get(&order).copied().unwrap_or(NO_CUSTOMER)
            })
            .collect()
    }
}

fn position(keys: &Keys, text: &str) -> u32 {
    let position = text.parse::<CustomerKey>().ok().and_then(|key| keys.keys.binary_search(&key).ok());
    position.map_or(NO_CUSTOMER, |position| {
        u32::try_from(position).expect("there are fewer keys than 2^32 records")
    })
}

/// A row and what it is sorted by: customer, time, then its position before.
type Row = (u32, i64, u32, u32);

fn sorted(keys: &Keys, kind: RecordKind, batches: &[RecordBatch], customers: &[Vec<u32>]) -> Vec<RecordBatch> {
    let mut rows: Vec<Row> = Vec::with_capacity(customers.iter().map(Vec::len).sum());
    for (batch_ix, (batch, customers)) in (0_u32..).zip(batches.iter().zip(customers)) {
        let times = time_column(kind)
            .and_then(|name| batch.column_by_name(name))
            .filter(|values| matches!(values.data_type(), DataType::Timestamp(TimeUnit::Microsecond, _)))
            .map(|values| values.as_primitive::<TimestampMicrosecondType>());
        rows.extend((0_u32..).zip(customers).map(|(row, &customer)| {
            let at = row as usize;
            let time = times.filter(|times| times.is_valid(at)).map_or(i64::MAX, |times| times.value(at));
            (customer, time, batch_ix, row)
        }));
    }
    rows.par_sort_unstable();
    if rows.is_empty() {
        return vec![with_key(keys, &batches[0], &[])];
    }
    let sources: Vec<&RecordBatch> = batches.iter().collect();
    rows.par_chunks(ROWS_OF_BATCH)
        .map(|chunk| {
            let indices: Vec<(usize, usize)> = chunk.iter().map(|row| (row.2 as usize, row.3 as usize)).collect();
            let gathered = interleave_record_batch(&sources, &indices).expect("all batches of a record kind have one schema");
            with_key(keys, &gathered, chunk)
        })
        .collect()
}

fn time_column(kind: RecordKind) -> Option<&'static str> {
    match kind {
        RecordKind::Orders => Some(column::ORDERED_AT),
        RecordKind::Events | RecordKind::Interactions => Some(column::OCCURRED_AT),
        RecordKind::Subscriptions => Some(column::STARTED_AT),
        RecordKind::Contacts | RecordKind::OrderLines | RecordKind::ExchangeRates => None,
    }
}

fn with_key(keys: &Keys, batch: &RecordBatch, rows: &[Row]) -> RecordBatch {
    let key_of = |row: &Row| (row.0 != NO_CUSTOMER).then(|| keys.keys[row.0 as usize]);
    let mut fields = vec![Arc::new(Field::new(column::CUSTOMER_KEY, DataType::Utf8, true))];
    fields.extend(batch.schema().fields().iter().map(Arc::clone));
    let mut values = vec![key_column(rows.iter().map(key_of))];
    values.extend(batch.columns().iter().map(Arc::clone));
    RecordBatch::try_new(Arc::new(Schema::new(fields)), values).expect("one key a row, before the columns there were")
}
