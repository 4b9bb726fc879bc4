//! Contractual churn and curves of survival: bridges that hold on any contracts, and figures that are always numbers.

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;
use proptest::prelude::*;
use stammkunde::model;
use stammkunde::model::Tables;
use stammkunde::table::RecordKind;

use super::support::{day, engine_with, records, rows, standard_spec};

const HEADER: &str = "customer_key,source,subscription_id,started_at,ended_at,amount,period,currency";
const MODELS: [&str; 2] = ["subscription_changes", "subscription_revenue_monthly"];

fn tables_as_of(as_of: &str, lines: &[String], threads: usize) -> Tables {
    let csv: Vec<String> = std::iter::once(HEADER.to_owned()).chain(lines.iter().cloned()).collect();
    let base = Tables::from([("subscriptions".to_owned(), records(RecordKind::Subscriptions, &csv.join("\n")))]);
    let (engine, spec) = (engine_with(threads), standard_spec());
    let models = model::order(&engine, &spec, &MODELS.map(str::to_owned), &[]).expect("the models have an order");
    let mut tables = model::build(&engine, &spec, &models, day(as_of), &base).expect("the models build");
    tables.extend(base);
    tables
}

fn failing_audits(as_of: &str, tables: &Tables) -> Vec<String> {
    let (engine, spec) = (engine_with(2), standard_spec());
    let results = model::audit(&engine, &spec, day(as_of), tables).expect("the audits run");
    assert!(results.len() >= 5, "audits of subscriptions were left out");
    results
        .into_iter()
        .filter(|result| result.rows > 0)
        .map(|result| result.audit)
        .collect()
}

/// All rows of a table as text.
fn all(tables: &Tables, name: &str) -> Vec<Vec<String>> {
    let columns: Vec<&str> = tables[name].schema.fields().iter().map(|field| field.name().as_str()).collect();
    rows(&tables[name], &columns)
}

/// Columns in which a value is NaN or infinite.
fn not_numbers(tables: &Tables) -> Vec<String> {
    let mut found = Vec::new();
    for (name, table) in tables {
        for batch in &table.batches {
            for (field, values) in batch.schema().fields().iter().zip(batch.columns()) {
                let Some(values) = values.as_primitive_opt::<Float64Type>() else {
                    continue;
                };
                if values.iter().flatten().any(|value| !value.is_finite()) {
                    found.push(format!("{name}.{}", field.name()));
                }
            }
        }
    }
    found
}

/// Random contracts of four customers over three years: running, ended, ended at once, free, and in every period.
fn contracts() -> impl Strategy<Value = Vec<String>> {
    let contract = (
        0..4_u8,
        0..1096_i64,
        prop::option::weighted(0.7, 0..500_i64),
        prop::sample::select(vec!["0", "0.0001", "9.99", "10", "120", "99999999.99"]),
        prop::sample::select(vec!["week", "month", "quarter", "half_year", "year"]),
    );
    prop::collection::vec(contract, 1..16).prop_map(|contracts| {
        let line = |(number, (customer, start, length, amount, period)): (usize, (u8, i64, Option<i64>, &str, &str))| {
            let started = day("2022-01-01") + chrono::Duration::days(start);
            let ended = length.map(|days| format!("{}T00:00:00Z", started + chrono::Duration::days(days)));
            let ended = ended.unwrap_or_default();
            format!("c{customer},billing,{number},{started}T00:00:00Z,{ended},{amount},{period},EUR")
        };
        contracts.into_iter().enumerate().map(line).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bridges_hold_on_any_contracts_and_row_order_changes_nothing(lines in contracts()) {
        let reversed: Vec<String> = lines.iter().rev().cloned().collect();
        let (one, four) = (tables_as_of("2024-12-31", &lines, 1), tables_as_of("2024-12-31", &reversed, 4));
        for name in MODELS {
            prop_assert_eq!(all(&one, name), all(&four, name), "{}", name);
        }
        prop_assert_eq!(failing_audits("2024-12-31", &four), Vec::<String>::new());
        prop_assert_eq!(not_numbers(&four), Vec::<String>::new());
    }

    /// Contracts that start later, and ends that come later, were not known then.
    #[test]
    fn what_happens_to_contracts_later_changes_nothing_as_of_an_earlier_day(lines in contracts()) {
        let known = lines.iter().filter(|line| line.split(',').nth(3).is_some_and(|at| at < "2023-06-16"));
        let known: Vec<String> = known
            .map(|line| {
                let mut cells: Vec<&str> = line.split(',').collect();
                if cells[4] >= "2023-06-16" {
                    cells[4] = "";
                }
                cells.join(",")
            })
            .collect();
        prop_assume!(!known.is_empty());
        let (now, later) = (tables_as_of("2023-06-15", &known, 2), tables_as_of("2023-06-15", &lines, 2));
        for name in MODELS {
            prop_assert_eq!(all(&now, name), all(&later, name), "{}", name);
        }
    }
}

#[test]
fn a_contract_of_another_currency_or_period_fails_its_audit() {
    for line in [
        "c0,billing,1,2024-01-01T00:00:00Z,,10,month,USD",
        "c0,billing,1,2024-01-01T00:00:00Z,,10,decade,EUR",
        "c0,billing,1,2024-01-01T00:00:00Z,,-10,month,EUR",
        "c0,billing,1,2024-01-02T00:00:00Z,2024-01-01T00:00:00Z,10,month,EUR",
    ] {
        let tables = tables_as_of("2024-12-31", &[line.to_owned()], 2);
        assert_eq!(failing_audits("2024-12-31", &tables), ["subscription_changes_inputs"], "{line}");
    }
}

#[test]
fn no_contracts_give_no_months_and_the_audits_hold() {
    let tables = tables_as_of("2024-12-31", &[], 2);
    assert_eq!(all(&tables, "subscription_revenue_monthly"), Vec::<Vec<String>>::new());
    assert_eq!(failing_audits("2024-12-31", &tables), Vec::<String>::new());
}

/// The curves of one more customer a day: nobody comes back, so survival stays 1; everybody does, so it ends at 0.
#[test]
fn curves_of_survival_are_numbers_where_nobody_or_everybody_comes_back() {
    let curve = |lines: &[&str]| {
        let csv = format!("customer_key,source,order_id,ordered_at,currency,gross\n{}", lines.join("\n"));
        let base = Tables::from([("orders".to_owned(), records(RecordKind::Orders, &csv))]);
        let (engine, spec) = (engine_with(2), standard_spec());
        let models = model::order(&engine, &spec, &["+purchase_survival".to_owned()], &[]).expect("the models have an order");
        let tables = model::build(&engine, &spec, &models, day("2024-12-31"), &base).expect("the models build");
        assert_eq!(not_numbers(&tables), Vec::<String>::new());
        rows(
            &tables["purchase_survival"],
            &[
                "curve",
                "days_since",
                "at_risk_count",
                "survival",
                "standard_error",
                "survival_lower",
            ],
        )
    };
    let never = curve(&["a,shop,1,2024-12-31T00:00:00Z,EUR,1", "b,shop,2,2024-12-01T00:00:00Z,EUR,1"]);
    assert_eq!(
        never,
        [
            ["next_order", "0", "2", "1.0", "0.0", ""],
            ["second_order", "0", "2", "1.0", "0.0", ""]
        ]
    );
    let always = curve(&[
        "a,shop,1,2024-01-01T00:00:00Z,EUR,1",
        "a,shop,2,2024-01-11T00:00:00Z,EUR,1",
        "b,shop,3,2024-01-01T00:00:00Z,EUR,1",
        "b,shop,4,2024-01-11T00:00:00Z,EUR,1",
    ]);
    assert!(
        always.contains(&["second_order", "10", "2", "0.0", "", ""].map(str::to_owned).to_vec()),
        "{always:?}"
    );
}
