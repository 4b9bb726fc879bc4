//! Whose revenue is at stake: what the customers of each kind of key change have bought. Read before it is published, so it must not wait for
//! the models; it is `gross` less refunds of every order that is not canceled, of all time and whatever the as-of day.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::datatypes::Decimal128Type;

use super::Previous;
use crate::config::Spec;
use crate::engine::Engine;
use crate::error::Result;
use crate::key::KeyChanges;
use crate::plan::{KindRevenue, Money};
use crate::profile;
use crate::publish::Warehouse;
use crate::table::keys::{KeyEventKind, Keys};
use crate::table::{CleanContacts, CustomerKey, column};

/// Digits after the point of amounts in orders.
const SCALE: u32 = 4;

/// What the parts of a look ahead know.
pub struct Scene<'a> {
    pub engine: &'a Engine,
    pub spec: &'a Spec,
    pub warehouse: &'a Warehouse,
    pub previous: &'a Previous,
    pub contacts: &'a CleanContacts,
    pub orders: &'a [RecordBatch],
    pub keys: &'a Keys,
}

/// Kinds in the order in which they are told.
const KINDS: [&str; 7] = ["kept", "created", "merged", "split", "retired", "resurrected", "moved"];

/// A set of kinds, by their positions.
type Kinds = u8;

const KEPT: Kinds = 1;

fn of_event(kind: KeyEventKind) -> Kinds {
    match kind {
        KeyEventKind::Created => 1 << 1,
        KeyEventKind::Merged => 1 << 2,
        KeyEventKind::Split => 1 << 3,
        KeyEventKind::Retired => 1 << 4,
        KeyEventKind::Resurrected => 1 << 5,
        KeyEventKind::RecordsMoved => 1 << 6,
    }
}

/// Sums by currency, one for each kind.
type Sums = [BTreeMap<String, i128>; 7];

/// Revenue of each kind of change. Customers that live on or are new: of this run's orders; those that would be merged away or retire: of
/// the orders that the last version gave them. Customers that records moved to are among the kept ones too. Amounts are in the currencies of
/// the orders; without orders there are none.
///
/// # Errors
/// `Environment` if the orders of the last version cannot be read.
pub fn revenue(scene: &Scene<'_>, changes: &KeyChanges) -> Result<Vec<KindRevenue>> {
    let mut sums = Sums::default();
    of_this_run(scene, &mut sums);
    of_last_version(scene, &mut sums)?;
    let customers = [
        changes.kept,
        changes.created,
        changes.merged,
        changes.split,
        changes.retired,
        changes.resurrected,
        changes.customers_moved,
    ];
    let told = KINDS.into_iter().zip(customers).zip(sums);
    Ok(told
        .map(|((kind, customers), sums)| KindRevenue {
            kind: kind.to_owned(),
            customers,
            revenue: sums.into_iter().map(|(currency, amount)| money(currency, amount)).collect(),
        })
        .collect())
}

fn money(currency: String, amount: i128) -> Money {
    let unit = 10_u128.pow(SCALE);
    let (whole, rest) = (amount.unsigned_abs() / unit, amount.unsigned_abs() % unit);
    let sign = if amount < 0 { "-" } else { "" };
    // Two digits are what people read; what is below is kept where there is any.
    let digits = format!("{rest:04}");
    let digits = digits.strip_suffix("00").unwrap_or(&digits);
    Money {
        currency,
        amount: format!("{sign}{whole}.{digits}"),
    }
}

/// Adds the orders of customers that live.
fn of_this_run(scene: &Scene<'_>, sums: &mut Sums) {
    let keys = scene.keys;
    let mut kinds_of: Vec<Kinds> = vec![KEPT; keys.keys.len()];
    for event in &keys.events {
        if let Ok(at) = keys.keys.binary_search(&event.key) {
            let is_kept = event.kind == KeyEventKind::RecordsMoved;
            kinds_of[at] = of_event(event.kind) | if is_kept { kinds_of[at] } else { kinds_of[at] & !KEPT };
        }
    }
    let spec = super::tables::profile_spec(scene.spec);
    let owners = || profile::owners(&spec, scene.contacts, keys, scene.orders);
    for (batch, owners) in scene.orders.iter().zip(scene.engine.compute(owners)) {
        add(sums, batch, |row| owners[row].map_or(0, |key| kinds_of[key as usize]));
    }
}

/// Adds the orders of customers that would be no more.
fn of_last_version(scene: &Scene<'_>, sums: &mut Sums) -> Result<()> {
    let is_end = |kind| matches!(kind, KeyEventKind::Merged | KeyEventKind::Retired);
    let ended = scene.keys.events.iter().filter(|event| is_end(event.kind));
    let ended: BTreeMap<CustomerKey, Kinds> = ended.map(|event| (event.key, of_event(event.kind))).collect();
    if ended.is_empty() {
        return Ok(());
    }
    for batch in scene.previous.table(scene.engine, scene.warehouse, "orders")? {
        let keys = batch
            .column_by_name(column::CUSTOMER_KEY)
            .and_then(|keys| keys.as_string_opt::<i32>());
        let key = |row: usize| -> Option<CustomerKey> { keys.filter(|keys| keys.is_valid(row))?.value(row).parse().ok() };
        add(sums, &batch, |row| key(row).and_then(|key| ended.get(&key).copied()).unwrap_or(0));
    }
    Ok(())
}

/// Adds the orders of a batch to the sums of the kinds of their customers.
fn add(sums: &mut Sums, batch: &RecordBatch, kinds_of: impl Fn(usize) -> Kinds) {
    let amounts = |name: &str| {
        let values = batch.column_by_name(name)?.as_primitive_opt::<Decimal128Type>()?;
        Some(values).filter(|values| u32::try_from(values.scale()) == Ok(SCALE))
    };
    let (gross, refunded) = (amounts(column::GROSS), amounts(column::REFUNDED));
    let currency: Option<&StringArray> = batch.column_by_name(column::CURRENCY).and_then(|values| values.as_string_opt());
    let canceled: Option<&BooleanArray> = batch
        .column_by_name(column::IS_CANCELLED)
        .and_then(|values| values.as_boolean_opt());
    let (Some(gross), Some(currency)) = (gross, currency) else { return };
    for row in (0..batch.num_rows()).filter(|&row| gross.is_valid(row) && currency.is_valid(row)) {
        let kinds = kinds_of(row);
        if kinds == 0 || canceled.is_some_and(|canceled| canceled.is_valid(row) && canceled.value(row)) {
            continue;
        }
        let refund = refunded
            .filter(|refunded| refunded.is_valid(row))
            .map_or(0, |refunded| refunded.value(row));
        let amount = gross.value(row) - refund;
        for (_, sums) in sums.iter_mut().enumerate().filter(|(kind, _)| kinds & (1 << kind) != 0) {
            match sums.get_mut(currency.value(row)) {
                Some(sum) => *sum += amount,
                None => drop(sums.insert(currency.value(row).to_owned(), amount)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::money;

    #[test]
    fn amounts_have_two_digits_and_more_where_there_are_more() {
        let text = |amount| money("EUR".to_owned(), amount).amount;
        assert_eq!(
            [text(123_400), text(123_456), text(-50), text(0), text(-1_000_100)],
            ["12.34", "12.3456", "-0.0050", "0.00", "-100.01"]
        );
    }
}
