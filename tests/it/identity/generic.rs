//! Values that too many different people share: how people are counted, and what the limit means.

use std::collections::BTreeMap;

use proptest::prelude::*;
use stammkunde::cluster::{generic, without};
use stammkunde::table::identity::LinkOrigin;
use stammkunde::table::{CodedRecords, GenericValue, Link, Pattern, RecordIx, RuleIx};

use super::{owned, rule};

const LIMIT: u32 = 5;

fn limits() -> BTreeMap<String, u32> {
    [("user_id", LIMIT), ("device_id", LIMIT)]
        .map(|(name, limit)| (name.to_owned(), limit))
        .into()
}

/// A record: user, device, given name, family name.
type Row = [Option<String>; 4];

fn row(user: &str, device: &str, given: &str, family: &str) -> Row {
    [user, device, given, family].map(|text| (!text.is_empty()).then(|| text.to_owned()))
}

fn coded(rows: &[Row]) -> CodedRecords {
    let column = |at: usize| rows.iter().map(|row| row[at].clone()).collect::<Vec<_>>();
    let columns = [column(0), column(1), column(2), column(3)];
    owned(&[
        ("user_id", &columns[0]),
        ("device_id", &columns[1]),
        ("given_name", &columns[2]),
        ("family_name", &columns[3]),
    ])
}

fn linked(left: u32, right: u32) -> Link {
    Link {
        left: RecordIx(left),
        right: RecordIx(right),
        weight: 9.0,
        origin: LinkOrigin::Blocking(RuleIx(0)),
        pattern: Pattern(0),
    }
}

fn found(rows: &[Row], links: &[Link]) -> Vec<GenericValue> {
    let rules = [rule(&["user_id"]), rule(&["device_id"])];
    generic(&limits(), &rules, &coded(rows), links, &|_, _| true)
}

/// So many strangers with one user id.
fn strangers(count: u32) -> Vec<Row> {
    (0..count)
        .map(|at| row("guest", "", &format!("given{at}"), &format!("family{at}")))
        .collect()
}

#[test]
fn a_value_is_generic_from_one_person_above_the_limit() {
    assert!(found(&strangers(LIMIT), &[]).is_empty());
    let generic = found(&strangers(LIMIT + 1), &[]);
    assert_eq!(generic.len(), 1);
    assert_eq!(
        (generic[0].column.as_str(), generic[0].records, generic[0].entities),
        ("user_id", 6, 6)
    );
    assert_eq!(generic[0].record, RecordIx(0));
}

#[test]
fn records_of_one_person_count_once_by_link_by_name_and_by_another_identifier() {
    let mut rows = strangers(LIMIT + 1);
    let chained = [linked(0, 1)];
    assert!(found(&rows, &chained).is_empty(), "a link without the value makes them one");
    rows[1] = row("guest", "", "given0", "family0");
    assert!(found(&rows, &[]).is_empty(), "an equal name makes them one");
    rows[1] = row("guest", "d1", "given1", "family1");
    rows[0] = row("guest", "d1", "given0", "family0");
    assert!(found(&rows, &[]).is_empty(), "a device of their own makes them one");
}

#[test]
fn a_link_that_rests_on_the_value_itself_does_not_count() {
    let rules = [rule(&["user_id"])];
    let rows = strangers(LIMIT + 1);
    let links: Vec<Link> = (0..LIMIT).map(|left| linked(left, left + 1)).collect();
    let holds = |_: &Link, column: &str| column != "user_id";
    assert_eq!(generic(&limits(), &rules, &coded(&rows), &links, &holds).len(), 1);
    assert!(generic(&limits(), &rules, &coded(&rows), &links, &|_, _| true).is_empty());
}

#[test]
fn records_without_a_name_are_nobody_in_particular() {
    let nameless: Vec<Row> = (0..100).map(|at| row("u1", &format!("d{at}"), "", "")).collect();
    assert!(found(&nameless, &[]).is_empty());
    let mixed = [nameless, strangers(LIMIT)].concat();
    assert!(found(&mixed, &[]).is_empty());
}

#[test]
fn two_generic_values_do_not_vouch_for_each_other() {
    let rows: Vec<Row> = strangers(40)
        .into_iter()
        .map(|[user, _, given, family]| [user, Some("kiosk".to_owned()), given, family])
        .collect();
    let columns: Vec<String> = found(&rows, &[]).into_iter().map(|value| value.column).collect();
    assert_eq!(columns, ["device_id", "user_id"]);
}

#[test]
fn deterministic_rules_see_a_generic_value_as_missing() {
    let rules = [rule(&["user_id"]), rule(&["device_id"])];
    let rows = [strangers(LIMIT + 1), vec![row("u1", "", "a", "b"), row("u1", "", "c", "d")]].concat();
    let records = coded(&rows);
    let generic = generic(&limits(), &rules, &records, &[], &|_, _| true);
    let cleaned = without(&generic, &rules, &records);
    let values: Vec<Option<&str>> = (0..8)
        .map(|record| cleaned.column("user_id").unwrap().value(RecordIx(record)))
        .collect();
    assert_eq!(values, [None, None, None, None, None, None, Some("u1"), Some("u1")]);
    assert_eq!(cleaned.column("user_id").unwrap().non_null(), 2);
}

proptest! {
    #[test]
    fn the_count_does_not_depend_on_the_order_of_rows(
        rows in prop::collection::vec((0_u32..3, 0_u32..4, 0_u32..12, 0_u32..3), 0..60),
        edges in prop::collection::vec((0_u32..60, 0_u32..60), 0..20),
        seed in 1_u64..1000,
    ) {
        let rows: Vec<Row> = rows
            .into_iter()
            .map(|(user, device, given, family)| {
                let named = |prefix: &str, at: u32| if at == 0 { String::new() } else { format!("{prefix}{at}") };
                row(&named("u", user), &named("d", device), &named("g", given), &named("f", family))
            })
            .collect();
        let count = u32::try_from(rows.len()).unwrap();
        let edges: Vec<(u32, u32)> = edges.into_iter().filter(|&(a, b)| a < b && b < count).collect();
        let told = |rows: &[Row], links: &[Link]| -> Vec<(String, String, u32, u32)> {
            let records = coded(rows);
            let value = |value: GenericValue| {
                let text = records.column(&value.column).unwrap().value(value.record).unwrap().to_owned();
                (value.column, text, value.records, value.entities)
            };
            found(rows, links).into_iter().map(value).collect()
        };
        let links: Vec<Link> = edges.iter().map(|&(a, b)| linked(a, b)).collect();
        let mut order: Vec<u32> = (0..count).collect();
        let mut random = super::Random(seed);
        for at in (1..order.len()).rev() {
            order.swap(at, usize::try_from(random.below(at as u64 + 1)).unwrap());
        }
        let mut shuffled = rows.clone();
        for (row, &to) in rows.iter().zip(&order) {
            shuffled[to as usize] = row.clone();
        }
        let moved: Vec<Link> = edges
            .iter()
            .map(|&(a, b)| (order[a as usize], order[b as usize]))
            .map(|(a, b)| linked(a.min(b), a.max(b)))
            .collect();
        prop_assert_eq!(told(&rows, &links), told(&shuffled, &moved));
    }
}
