//! Laws of the filter: what it leaves names nobody on the list, what it takes does, and doing it twice changes nothing.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::concat_batches;
use proptest::prelude::*;
use stammkunde::Spec;
use stammkunde::config::{self, Overrides};
use stammkunde::suppress::{Identifier, Listed, suppress};
use stammkunde::table::{Contacts, RecordKind};

use crate::cli::support::Project;

pub static SPEC: LazyLock<Spec> =
    LazyLock::new(|| config::load(Project::small().path(), &Overrides::default(), &|_| None).expect("a project"));

/// Source, record, e-mail, customer number; few values, so that they meet.
type Person = (u8, u8, Option<u8>, Option<u8>);
/// Order, the contact it names, e-mail.
type Order = (u8, Option<u8>, Option<u8>);

fn mail(who: u8) -> String {
    // One mailbox in two spellings.
    if who.is_multiple_of(2) {
        format!("Person{}@post.example", who / 2)
    } else {
        format!("person{}+shop@post.example", who / 2)
    }
}

fn texts(values: impl Iterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn contacts(people: &[Person]) -> Contacts {
    let mut people = people.to_vec();
    people.sort_by_key(|person| (person.0, person.1));
    people.dedup_by_key(|person| (person.0, person.1));
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("source", texts(people.iter().map(|person| Some(format!("s{}", person.0)))), false),
        (
            "record_id",
            texts(people.iter().map(|person| Some(format!("r{}", person.1)))),
            false,
        ),
        ("email", texts(people.iter().map(|person| person.2.map(mail))), true),
        (
            "customer_no",
            texts(people.iter().map(|person| person.3.map(|number| format!("K-{number:04}x")))),
            true,
        ),
    ]);
    Contacts::new(batch.expect("columns of one length"))
}

fn orders(orders: &[Order]) -> Vec<RecordBatch> {
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("source", texts(orders.iter().map(|_| Some("s1".to_owned()))), false),
        ("order_id", texts((0..orders.len()).map(|at| Some(format!("o{at}")))), false),
        (
            "contact_record_id",
            texts(orders.iter().map(|order| order.1.map(|id| format!("r{id}")))),
            true,
        ),
        ("email", texts(orders.iter().map(|order| order.2.map(mail))), true),
    ]);
    vec![batch.expect("columns of one length")]
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Vec<Option<&'a str>> {
    batch.column_by_name(name).expect("a column").as_string::<i32>().iter().collect()
}

fn named(batch: &RecordBatch, listed: &Listed) -> Vec<bool> {
    let (source, id, email) = (column(batch, "source"), column(batch, "record_id"), column(batch, "email"));
    let number = column(batch, "customer_no");
    (0..batch.num_rows())
        .map(|row| {
            listed.record(source[row].unwrap(), id[row].unwrap())
                || email[row].is_some_and(|text| listed.email(text))
                || number[row].is_some_and(|text| listed.number("customer_no", text))
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn what_is_left_names_nobody_and_only_they_are_gone(
        people in prop::collection::vec((1..3_u8, 0..9_u8, prop::option::of(0..12_u8), prop::option::of(0..6_u8)), 0..20),
        bought in prop::collection::vec((0..1_u8, prop::option::of(0..12_u8), prop::option::of(0..12_u8)), 0..20),
        mails in prop::collection::vec(0..12_u8, 0..3),
        numbers in prop::collection::vec(0..6_u8, 0..2),
        records in prop::collection::vec((1..3_u8, 0..9_u8), 0..2),
    ) {
        let mut identifiers: Vec<Identifier> = mails.iter().filter_map(|&who| Identifier::email(&mail(who))).collect();
        identifiers.extend(numbers.iter().filter_map(|number| Identifier::number("customer_no", &format!(" K-{number:04}x"))));
        identifiers.extend(records.iter().map(|(source, id)| Identifier::record(&format!("s{source}"), &format!("r{id}"))));
        let listed = Listed::of(&identifiers, &SPEC);
        let (before, all) = (contacts(&people), orders(&bought));
        let mut kept = before.clone();
        let mut facts = [(RecordKind::Orders, all.clone())];
        let counts = suppress(&listed, &mut kept, &mut facts).expect("it filters");

        let gone = named(before.batch(), &listed).iter().filter(|named| **named).count();
        prop_assert_eq!(before.len() - kept.len(), gone);
        prop_assert_eq!(counts.get("contacts").copied().unwrap_or(0) as usize, gone);
        prop_assert!(named(kept.batch(), &listed).iter().all(|named| !named));

        let left = concat_batches(&all[0].schema(), &facts[0].1).expect("one schema");
        let ids = column(kept.batch(), "record_id");
        let sources = column(kept.batch(), "source");
        let is_kept_contact = |id: Option<&str>| id.is_some() && (0..kept.len()).any(|row| ids[row] == id && sources[row] == Some("s1"));
        let left_ids = column(&left, "order_id");
        let (names, mails) = (column(&all[0], "contact_record_id"), column(&all[0], "email"));
        for row in 0..all[0].num_rows() {
            let by_record = names[row].is_some_and(|id| listed.record("s1", id));
            let by_mail = mails[row].is_some_and(|text| listed.email(text));
            let stays = !by_record && (!by_mail || is_kept_contact(names[row]));
            let id = format!("o{row}");
            let at = left_ids.iter().position(|left| *left == Some(id.as_str()));
            prop_assert_eq!(at.is_some(), stays, "order {}", row);
            if let Some(at) = at {
                let expected = mails[row].filter(|_| !by_mail);
                prop_assert_eq!(column(&left, "email")[at], expected);
            }
        }

        let mut again = facts.clone();
        let mut kept_again = kept.clone();
        prop_assert!(suppress(&listed, &mut kept_again, &mut again).expect("it filters").is_empty());
        prop_assert_eq!(kept_again.batch(), kept.batch());
        prop_assert_eq!(&again[0].1, &facts[0].1);
    }
}
