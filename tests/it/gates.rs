//! Gates on customers against a count by hand, over random customers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{Field, Schema};
use proptest::prelude::*;
use stammkunde::config::gates::GatesSpec;
use stammkunde::gate::{self, Accepted};
use stammkunde::table::keys::Keys;
use stammkunde::table::{CleanContacts, Coded, CustomerKey};

/// A record: its customer, birth date and given name.
type Person = (u32, Option<&'static str>, Option<&'static str>);

/// `liz` and `betty` are one name, `e` is none.
const GIVEN: [&str; 5] = ["liz", "betty", "otto", "burkhard", "e"];
const BORN: [&str; 4] = ["1980-01-01", "1980-01-02", "1980-01-03", "1980-01-04"];

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, values)| Field::new(*name, values.data_type().clone(), true))
        .collect();
    let columns = columns.into_iter().map(|(_, values)| values).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("equally long columns")
}

fn contacts(people: &[Person]) -> (CleanContacts, Keys) {
    let ids: StringArray = (0..people.len()).map(|record| Some(format!("{record:04}"))).collect();
    let sources: StringArray = people.iter().map(|_| Some("crm")).collect();
    let coded = |name: &str, value: fn(&Person) -> Option<&'static str>| -> ArrayRef {
        let values: StringArray = people.iter().map(value).collect();
        Arc::new(Coded::encode(name, &values).to_dictionary())
    };
    let contacts = CleanContacts {
        display: batch(vec![("source", Arc::new(sources)), ("record_id", Arc::new(ids))]),
        matching: batch(vec![
            ("birth_date", coded("birth_date", |person| person.1)),
            ("given_name", coded("given_name", |person| person.2)),
        ]),
    };
    let customers: BTreeSet<u32> = people.iter().map(|person| person.0).collect();
    let position: BTreeMap<u32, u32> = customers.iter().copied().zip(0..).collect();
    let keys = Keys {
        keys: customers
            .iter()
            .map(|&customer| CustomerKey::from_bits(u128::from(customer) << 64))
            .collect(),
        of: people.iter().map(|person| position[&person.0]).collect(),
        ..Keys::default()
    };
    (contacts, keys)
}

/// Records, birth dates and given names of each customer.
fn by_hand(people: &[Person]) -> BTreeMap<u32, [usize; 3]> {
    let mut held: BTreeMap<u32, (usize, BTreeSet<&str>, BTreeSet<&str>)> = BTreeMap::new();
    for (customer, born, given) in people {
        let own = held.entry(*customer).or_default();
        own.0 += 1;
        own.1.extend(*born);
        own.2.extend(
            given
                .filter(|given| *given != "e")
                .map(|given| if given == "betty" { "liz" } else { given }),
        );
    }
    // A customer of one record holds one of everything, which is no sign of anything.
    held.into_iter()
        .map(|(customer, (records, born, given))| {
            let several = |values: usize| if records > 1 { values } else { 0 };
            (customer, [records, several(born.len()), several(given.len())])
        })
        .collect()
}

proptest! {
    #[test]
    fn values_and_offenders_are_those_counted_by_hand_at_every_limit(
        people in prop::collection::vec((0_u32..12, prop::option::of(prop::sample::select(&BORN[..])), prop::option::of(prop::sample::select(&GIVEN[..]))), 1..60),
        limit in 1_u32..8,
    ) {
        let (contacts, keys) = contacts(&people);
        let spec = GatesSpec {
            customer_records_max: Some(limit),
            customer_birth_dates_max: Some(limit),
            customer_given_names_max: Some(limit),
            large_customer_records: limit,
            large_customers_share_max: Some(0.25),
            ..GatesSpec::default()
        };
        let results = gate::customers(&spec, &contacts, &keys, &Accepted::default());
        let counted = by_hand(&people);
        for (at, result) in results[..3].iter().enumerate() {
            let values = counted.values().map(|values| values[at]);
            prop_assert_eq!(result.value, values.clone().max().map(|value| value as f64), "{}", result.gate);
            let above = values.filter(|value| *value > limit as usize).count() as u64;
            prop_assert_eq!((result.offenders_count, result.passed), (above, above == 0), "{}", result.gate);
            prop_assert_eq!(result.offenders.len() as u64, above);
            prop_assert!(result.offenders.is_sorted_by(|a, b| a.value >= b.value));
            prop_assert!(result.offenders.iter().all(|offender| offender.rows.len() == 5.min(offender.counts["records"] as usize)));
        }
        let large = counted.values().filter(|values| values[0] > limit as usize).count();
        let share = large as f64 / counted.len() as f64;
        prop_assert_eq!((results[3].value, results[3].passed), (Some(share), share <= 0.25));
        prop_assert_eq!(results[3].offenders_count, if share > 0.25 { large as u64 } else { 0 });
        prop_assert_eq!(gate::check(&results).is_err(), results.iter().any(|result| !result.passed));
        let all: Vec<String> = gate::GATES.iter().map(|(name, _)| (*name).to_owned()).collect();
        let accepted = gate::customers(&spec, &contacts, &keys, &Accepted::parse(&all).expect("every gate has its name"));
        prop_assert!(gate::check(&accepted).is_ok());
    }
}

#[test]
fn no_more_than_twenty_offenders_are_listed_and_all_are_counted() {
    let people: Vec<Person> = (0..60).map(|record| (record / 2, None, None)).collect();
    let (contacts, keys) = contacts(&people);
    let spec = GatesSpec {
        customer_records_max: Some(1),
        ..GatesSpec::default()
    };
    let results = gate::customers(&spec, &contacts, &keys, &Accepted::default());
    assert_eq!((results[0].offenders.len(), results[0].offenders_count), (20, 30));
    assert!(results[0].text().ends_with("and 10 more"), "{}", results[0].text());
    // Nobody has a birth date: nothing was measured, and nothing fails.
    assert_eq!((results[1].value, results[1].passed), (Some(0.0), true));
}
