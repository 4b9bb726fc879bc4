//! Contractual churn and curves of survival: bridges that hold on any contracts, and figures that are always numbers.

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;
use proptest::prelude::*;
use stammkunde::model;
use stammkunde::model::Tables;
use stammkunde::table::RecordKind;

use super::support::{day, engine_with, records, rows, standard_spec};

const HEADER: &str = "customer_key,source,subscription_id,started_at,ended_at,amount,period,currency";
const MODELS: [&str; 3] = ["subscription_changes", "subscription_revenue_monthly", "subscription_survival"];

fn tables_as_of(as_of: &str, lines: &[String], threads: usize) -> Tables {
    let csv: Vec<String> = std::iter::once(HEADER.to_owned()).chain(lines.iter().cloned()).collect();
    let base = Tables::from([("subscriptions".to_owned(), records(RecordKind::Subscriptions, &csv.join("\n")))]);
    let (engine, spec) = (engine_with(threads), standard_spec());
    let models = model::order(&engine, &spec, &MODELS.map(str::to_owned), &[]).expect("the models have an order");
    let mut tables = model::build(&engine, &spec, &models, day(as_of), &base).expect("the models build");
    // A run has every base table, if only an empty one.
    for (name, schema) in model::base::schemas(&spec) {
        let batches = Vec::new();
        tables.insert(name, model::Table { schema, batches });
    }
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

/// 1,000 contracts of one month each, of which so many are left after each renewal.
fn contracts_left(left: &[u32]) -> Vec<String> {
    let month = |number: usize| format!("2023-{:02}-01T00:00:00Z", number + 1);
    let mut lines = Vec::new();
    let mut add = |count: u32, ended_at: &str| {
        for _ in 0..count {
            lines.push(format!(
                "c{number},billing,{number},{},{ended_at},10,month,EUR",
                month(0),
                number = lines.len()
            ));
        }
    };
    for (renewal, pair) in left.windows(2).enumerate() {
        add(pair[0] - pair[1], &month(renewal + 1));
    }
    add(left[left.len() - 1], "");
    lines
}

/// Fader and Hardie (2007), "How to project customer retention": both data sets, with the parameters of the paper, to more digits of
/// a fit by other programs; survival after 12 renewals is projected from 7.
#[test]
fn the_projection_of_survival_is_that_of_fader_and_hardie() {
    let regular = [1000, 631, 468, 382, 326, 289, 262, 241];
    let high_end = [1000, 869, 743, 653, 593, 551, 517, 491];
    for (left, params, log_likelihood, survival_12) in [
        (regular, [0.70408, 1.18204], -1_680.265_2, 0.170_037),
        (high_end, [0.66809, 3.80609], -1_611.158_1, 0.377_999),
    ] {
        let tables = tables_as_of("2023-08-31", &contracts_left(&left), 2);
        let columns = [
            "months_since_start",
            "params",
            "log_likelihood",
            "survival",
            "survival_fitted",
            "model_status",
        ];
        let rows = rows(&tables["subscription_survival"], &columns);
        assert_eq!(rows.len(), 8 + 24);
        let row = |month: &str| rows.iter().find(|row| row[0] == month).expect("a row for every month");
        let number = |text: &str| text.parse::<f64>().expect("a number");
        let fitted: serde_json::Value = serde_json::from_str(&row("0")[1]).expect("JSON");
        for (name, expected) in ["alpha", "beta"].into_iter().zip(params) {
            let found = fitted[name].as_f64().expect("a parameter");
            assert!((found / expected - 1.0).abs() < 1e-3, "{name}: {found} is not {expected}");
        }
        assert!((number(&row("0")[2]) - log_likelihood).abs() < 1e-4, "{}", row("0")[2]);
        assert!((number(&row("12")[4]) - survival_12).abs() < 1e-5, "{}", row("12")[4]);
        assert_eq!(row("12")[3], "", "what was not seen is null");
        assert!(
            (number(&row("7")[3]) - f64::from(left[7]) / 1000.0).abs() < 1e-12,
            "{}",
            row("7")[3]
        );
        assert_eq!(row("12")[5], "ok");
        assert_eq!(failing_audits("2023-08-31", &tables), Vec::<String>::new());
    }
}
