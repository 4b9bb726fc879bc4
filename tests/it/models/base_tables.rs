//! Orders in any currency, excluded, refunded and cancelled at any time: what the base tables are worth, and that a past day stays what it was.

use std::collections::BTreeMap;

use proptest::prelude::*;
use stammkunde::model;
use stammkunde::model::Tables;
use stammkunde::table::RecordKind;

use super::support::{customers, day, engine, engine_with, records, rows, standard_spec};

/// The models of this file's tests, without those that need a fit.
const SELECT: [&str; 2] = ["+churn_rate_by_group", "+churn_rate_monthly"];

fn build(base: &Tables, as_of: &str, threads: usize) -> Tables {
    let (engine, spec) = (engine_with(threads), standard_spec());
    let models = model::order(&engine, &spec, &SELECT.map(str::to_owned), &[]).expect("the models have an order");
    let mut tables = model::build(&engine, &spec, &models, day(as_of), base).expect("the models build");
    for (name, schema) in model::base::schemas(&spec) {
        let empty = model::Table {
            schema,
            batches: Vec::new(),
        };
        tables.insert(name, empty);
    }
    tables.extend(base.clone());
    tables
}

/// Audits that fail, with what they tell.
fn failing(tables: &Tables, as_of: &str) -> BTreeMap<String, model::AuditResult> {
    let results = model::audit(&engine(), &standard_spec(), day(as_of), tables).expect("the audits run");
    let failed = results.into_iter().filter(|result| result.rows > 0);
    failed.map(|result| (result.audit.clone(), result)).collect()
}

fn rates(csv: &str) -> stammkunde::model::Table {
    let table = records(RecordKind::ExchangeRates, csv);
    // No customer has a rate.
    let columns: Vec<usize> = (1..table.schema.fields().len()).collect();
    let batches: Vec<_> = table
        .batches
        .iter()
        .map(|batch| batch.project(&columns).expect("columns"))
        .collect();
    stammkunde::model::Table {
        schema: batches[0].schema(),
        batches,
    }
}

fn orders(csv: &str) -> Tables {
    Tables::from([
        ("orders".to_owned(), records(RecordKind::Orders, csv)),
        ("customers".to_owned(), customers(&["a"])),
    ])
}

#[test]
fn a_missing_rate_fails_by_currency_and_day_and_says_what_to_do() {
    let mut base = orders(
        "customer_key,source,order_id,ordered_at,currency,gross\n\
         a,shop,1,2024-01-09T00:00:00Z,USD,10\n\
         a,shop,2,2024-01-08T00:00:00Z,USD,10\n\
         a,shop,3,2024-02-08T00:00:00Z,anna@web.example,10\n\
         a,shop,4,2024-01-08T00:00:00Z,EUR,10",
    );
    // Eight days old on the 9th, and the rate of a day later is no rate.
    let known = "source,currency,rate_date,rate\nbank,USD,2024-01-01,0.9\nbank,USD,2024-01-10,0.9";
    base.insert("exchange_rates".to_owned(), rates(known));
    let failed = failing(&build(&base, "2024-12-31", 2), "2024-12-31");
    assert_eq!(failed.keys().collect::<Vec<_>>(), ["order_facts_rates"]);
    let audit = &failed["order_facts_rates"];
    assert_eq!(
        audit.examples,
        [
            "currency = (no code of three capital letters), from_date = 2024-02-08, to_date = 2024-02-08, orders_count = 1",
            "currency = USD, from_date = 2024-01-09, to_date = 2024-01-09, orders_count = 1",
        ]
    );
    assert!(
        audit.hint.as_deref().is_some_and(|hint| hint.contains("exchange_rates.sql")),
        "{audit:?}"
    );
}

#[test]
fn a_rate_of_nothing_and_two_rates_for_one_day_are_refused() {
    let mut base = orders("customer_key,source,order_id,ordered_at,currency,gross\na,shop,1,2024-01-09T00:00:00Z,EUR,10");
    base.insert(
        "exchange_rates".to_owned(),
        rates("source,currency,rate_date,rate\nbank,USD,2024-01-01,0.9\nother,USD,2024-01-01,0.91\nbank,GBP,2024-01-01,0"),
    );
    let failed = failing(&build(&base, "2024-12-31", 2), "2024-12-31");
    assert_eq!(failed["exchange_rates_valid"].rows, 2);
}

#[test]
fn the_age_of_a_rate_is_counted_to_the_day() {
    let of = |days: i64| {
        let ordered = day("2024-01-01") + chrono::Duration::days(days);
        let mut base = orders(&format!(
            "customer_key,source,order_id,ordered_at,currency,gross\na,shop,1,{ordered}T00:00:00Z,USD,10"
        ));
        base.insert(
            "exchange_rates".to_owned(),
            rates("source,currency,rate_date,rate\nbank,USD,2024-01-01,0.5"),
        );
        let tables = build(&base, "2024-12-31", 2);
        rows(&tables["order_facts"], &["gross", "exchange_rate", "excluded_because"]).remove(0)
    };
    assert_eq!(of(-1), ["0.0000", "", "no_exchange_rate"]);
    assert_eq!(of(6), ["5.0000", "0.5", ""]);
    assert_eq!(of(7), ["5.0000", "0.5", ""]);
    assert_eq!(of(8), ["0.0000", "", "no_exchange_rate"]);
}

/// An order, and what was known of it when: day of order, amounts in cents, days until refund and cancellation, what else it is.
#[derive(Debug, Clone)]
struct Order {
    customer: u8,
    age: i64,
    cents: i64,
    refund: Option<(i64, i64)>,
    cancelled_after: Option<i64>,
    currency: u8,
    flag: u8,
}

fn an_order() -> impl Strategy<Value = Order> {
    (
        0..4_u8,
        0..1200_i64,
        -2_000..20_000_i64,
        prop::option::weighted(0.4, (1..9_000_i64, 0..500_i64)),
        prop::option::weighted(0.1, 0..500_i64),
        0..3_u8,
        0..12_u8,
    )
        .prop_map(|(customer, age, cents, refund, cancelled_after, currency, flag)| Order {
            customer,
            age,
            cents,
            refund,
            cancelled_after,
            currency,
            flag,
        })
}

const LAST: &str = "2024-12-31";
const EARLIER: &str = "2023-06-30";

fn money(cents: i64) -> String {
    format!("{}{}.{:02}", if cents < 0 { "-" } else { "" }, cents.abs() / 100, cents.abs() % 100)
}

/// The exports as they were at the end of a day.
fn known_by(orders: &[Order], contacts: &[(u8, i64)], until: chrono::NaiveDate) -> Tables {
    let mut lines = vec![
        "customer_key,source,order_id,ordered_at,channel,is_cancelled,cancelled_at,is_test,is_staff,is_business,currency,gross,tax,shipping,refunded,refunded_at,cost,return_cost"
            .to_owned(),
    ];
    for (number, order) in orders.iter().enumerate() {
        let at = day(LAST) - chrono::Duration::days(order.age);
        if at > until {
            continue;
        }
        let after = |days: i64| Some(at + chrono::Duration::days(days)).filter(|date| *date <= until);
        let cancelled = order.cancelled_after.and_then(after);
        let refund = order.refund.and_then(|(cents, days)| after(days).map(|date| (cents, date)));
        let instant = |date: chrono::NaiveDate| format!("{date}T12:00:00Z");
        let flag = |number: u8| if order.flag == number { "true" } else { "" };
        lines.push(format!(
            "c{},shop,{number},{},{},{},{},{},{},{},{},{},{},4.90,{},{},{},{}",
            order.customer,
            instant(at),
            ["web", "store", ""][usize::from(order.customer % 3)],
            if cancelled.is_some() { "true" } else { "" },
            cancelled.map(instant).unwrap_or_default(),
            flag(1),
            flag(2),
            flag(3),
            ["EUR", "USD", "JPY"][usize::from(order.currency)],
            money(order.cents),
            money(order.cents * 19 / 119),
            refund.map(|(cents, _)| money(cents)).unwrap_or_default(),
            refund.map(|(_, date)| instant(date)).unwrap_or_default(),
            if order.flag > 6 { "1.23" } else { "" },
            if refund.is_some() && order.flag > 9 { "2.50" } else { "" },
        ));
    }
    let mut contact_lines = vec!["customer_key,source,interaction_id,occurred_at,kind,cost".to_owned()];
    for (number, (customer, age)) in contacts.iter().enumerate() {
        let at = day(LAST) - chrono::Duration::days(*age);
        if at <= until {
            contact_lines.push(format!("c{customer},desk,{number},{at}T12:00:00Z,ticket,{}", number % 7));
        }
    }
    let mut rate_lines = vec!["source,currency,rate_date,rate".to_owned()];
    let mut date = day("2021-09-01");
    while date <= until {
        for (currency, base) in [("USD", 0.9), ("JPY", 0.0061)] {
            let drift = f64::from(chrono::Datelike::ordinal(&date)) / 5_000.0;
            rate_lines.push(format!("bank,{currency},{date},{}", base * (1.0 + drift)));
        }
        date += chrono::Duration::days(6);
    }
    Tables::from([
        ("orders".to_owned(), records(RecordKind::Orders, &lines.join("\n"))),
        (
            "interactions".to_owned(),
            records(RecordKind::Interactions, &contact_lines.join("\n")),
        ),
        ("exchange_rates".to_owned(), rates(&rate_lines.join("\n"))),
        ("customers".to_owned(), customers(&["c0", "c1", "c2", "c3", "c4"])),
    ])
}

fn all_rows(tables: &Tables, name: &str) -> Vec<Vec<String>> {
    let columns: Vec<&str> = tables[name].schema.fields().iter().map(|field| field.name().as_str()).collect();
    rows(&tables[name], &columns)
}

/// Tables that models made.
fn made<'a>(tables: &'a Tables, base: &'a Tables) -> impl Iterator<Item = &'a String> {
    tables.keys().filter(move |name| !base.contains_key(*name))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, max_shrink_iters: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_exported_later_changes_no_table_of_a_past_day(
        orders in prop::collection::vec(an_order(), 1..40),
        contacts in prop::collection::vec((0..4_u8, 0..1200_i64), 0..10),
    ) {
        let (then, later) = (known_by(&orders, &contacts, day(EARLIER)), known_by(&orders, &contacts, day(LAST)));
        let (first, again) = (build(&then, EARLIER, 2), build(&later, EARLIER, 2));
        for name in made(&first, &then) {
            prop_assert_eq!(all_rows(&first, name), all_rows(&again, name), "{}", name);
        }
    }

    #[test]
    fn audits_of_the_base_tables_hold_on_any_orders_in_any_order(
        orders in prop::collection::vec(an_order(), 1..40),
        contacts in prop::collection::vec((0..4_u8, 0..1200_i64), 0..10),
    ) {
        let base = known_by(&orders, &contacts, day(LAST));
        let mut turned = base.clone();
        for table in turned.values_mut() {
            for batch in &mut table.batches {
                let reversed: arrow::array::UInt64Array = (0..batch.num_rows() as u64).rev().collect();
                *batch = arrow::compute::take_record_batch(batch, &reversed).expect("rows of the batch");
            }
        }
        let (one, four) = (build(&base, LAST, 1), build(&turned, LAST, 4));
        for name in made(&one, &base) {
            prop_assert_eq!(all_rows(&one, name), all_rows(&four, name), "{}", name);
        }
        prop_assert_eq!(failing(&one, LAST).into_keys().collect::<Vec<_>>(), Vec::<String>::new());
    }
}
