//! The shipped models pass their own test cases, plan without a finding, and hold their audits on random orders.

use proptest::prelude::*;
use stammkunde::config::standard;
use stammkunde::model;
use stammkunde::model::Tables;
use stammkunde::table::RecordKind;

use super::support::{customers, day, engine, engine_with, records, rows, standard_spec};

#[test]
fn shipped_models_and_audits_plan_without_a_finding() {
    let findings = model::check(&engine(), &standard_spec());
    let texts: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(texts.is_empty(), "{}", texts.join("\n"));
}

#[test]
fn shipped_models_pass_their_test_cases() {
    let results = model::test(&engine(), &standard_spec()).expect("the cases run");
    let failed: Vec<String> = results
        .iter()
        .filter(|result| !result.differences.is_empty())
        .map(|result| format!("{} {}:\n  {}", result.case, result.table, result.differences.join("\n  ")))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn every_shipped_model_has_a_test_case_and_an_audit() {
    let spec = standard_spec();
    let results = model::test(&engine(), &spec).expect("the cases run");
    for file in &spec.models {
        assert!(
            results.iter().any(|result| result.table == file.name),
            "no case expects `{}`",
            file.name
        );
        let is_read = |audit: &stammkunde::config::spec::SqlFile| {
            audit.text.contains(&format!("FROM {}", file.name)) || audit.text.contains(&format!("JOIN {}", file.name))
        };
        assert!(spec.audits.iter().any(is_read), "no audit reads `{}`", file.name);
    }
}

#[test]
fn shipped_files_are_named_after_what_they_make() {
    let models = standard::models();
    assert!(models.len() >= 8);
    for file in models.iter().chain(&standard::audits()) {
        assert!(file.text.starts_with(&format!("-- name: {}\n", file.name)), "{}", file.path);
        assert!(file.path.starts_with("standard/"), "{}", file.path);
    }
}

#[test]
fn an_order_in_another_currency_fails_its_audit() {
    let orders = records(
        RecordKind::Orders,
        "customer_key,source,order_id,ordered_at,currency,gross\na,shop,1,2024-01-01T00:00:00Z,USD,10",
    );
    let failed = failing_audits(&all_tables(
        &Tables::from([("orders".to_owned(), orders), ("customers".to_owned(), customers(&["a"]))]),
        2,
    ));
    assert_eq!(failed, ["order_facts_rates"]);
}

#[test]
fn a_customer_that_is_missing_from_customers_fails_the_balance() {
    let orders = records(
        RecordKind::Orders,
        "customer_key,source,order_id,ordered_at,currency,gross\nghost,shop,1,2024-01-01T00:00:00Z,EUR,10",
    );
    let failed = failing_audits(&all_tables(
        &Tables::from([("orders".to_owned(), orders), ("customers".to_owned(), customers(&["a"]))]),
        2,
    ));
    assert!(failed.contains(&"customer_orders_balance".to_owned()), "{failed:?}");
}

#[test]
fn no_orders_at_all_give_empty_rates_and_only_prospects() {
    let tables = all_tables(&Tables::from([("customers".to_owned(), customers(&["a", "b"]))]), 2);
    assert_eq!(rows(&tables["churn_rate_monthly"], &["month_end"]).len(), 0);
    assert_eq!(rows(&tables["cohort_retention"], &["cohort_month"]).len(), 0);
    assert_eq!(
        rows(&tables["segment_summary"], &["segment", "customers_count"]),
        [["prospects", "2"]]
    );
    assert_eq!(failing_audits(&tables), Vec::<String>::new());
}

/// Names of the audits that fail on these tables.
fn failing_audits(tables: &Tables) -> Vec<String> {
    let spec = standard_spec();
    let results = model::audit(&engine(), &spec, day("2024-12-31"), tables).expect("the audits run");
    assert_eq!(results.len(), spec.audits.len(), "audits were left out");
    results
        .into_iter()
        .filter(|result| result.rows > 0)
        .map(|result| result.audit)
        .collect()
}

/// The base tables and all shipped models over them, as of 2024-12-31.
fn all_tables(base: &Tables, threads: usize) -> Tables {
    tables_as_of("2024-12-31", base, threads)
}

fn tables_as_of(as_of: &str, base: &Tables, threads: usize) -> Tables {
    let (engine, spec) = (engine_with(threads), standard_spec());
    let models = model::order(&engine, &spec, &[], &[]).expect("the models have an order");
    let mut tables = model::build(&engine, &spec, &models, day(as_of), base).expect("the models build");
    tables.extend(base.clone());
    tables
}

/// Random orders of five customers over four years, in cents, some of them credit notes, refunded or cancelled.
fn random_orders() -> impl Strategy<Value = Vec<String>> {
    let order = (
        0..5_u8,
        0..1461_i64,
        -2_000..20_000_i64,
        prop::option::of(0..5_000_i64),
        prop::bool::weighted(0.1),
    );
    prop::collection::vec(order, 1..40).prop_map(|orders| {
        let line = |(index, (customer, age, cents, refunded, cancelled)): (usize, (u8, i64, i64, Option<i64>, bool))| {
            let ordered = day("2024-12-31") - chrono::Duration::days(age);
            let money = |cents: i64| format!("{}{}.{:02}", if cents < 0 { "-" } else { "" }, cents.abs() / 100, cents.abs() % 100);
            let refunded = refunded.map(money).unwrap_or_default();
            format!(
                "c{customer},shop,{index},{ordered}T12:00:00Z,{cancelled},EUR,{},{refunded}",
                money(cents)
            )
        };
        orders.into_iter().enumerate().map(line).collect()
    })
}

fn base_of(lines: &[String]) -> Tables {
    let header = "customer_key,source,order_id,ordered_at,is_cancelled,currency,gross,refunded".to_owned();
    let csv: Vec<String> = std::iter::once(header).chain(lines.iter().cloned()).collect();
    let orders = records(RecordKind::Orders, &csv.join("\n"));
    Tables::from([
        ("orders".to_owned(), orders),
        ("customers".to_owned(), customers(&["c0", "c1", "c2", "c3", "c4", "c5"])),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, max_shrink_iters: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn audits_hold_on_any_orders_and_threads_and_row_order_change_nothing(lines in random_orders()) {
        let reversed: Vec<String> = lines.iter().rev().cloned().collect();
        let (one, four) = (all_tables(&base_of(&lines), 1), all_tables(&base_of(&reversed), 4));
        for (name, table) in one.iter().filter(|(name, _)| *name != "orders") {
            let columns: Vec<&str> = table.schema.fields().iter().map(|field| field.name().as_str()).collect();
            prop_assert_eq!(rows(table, &columns), rows(&four[name], &columns), "{}", name);
        }
        prop_assert_eq!(failing_audits(&four), Vec::<String>::new());
    }

    #[test]
    fn what_happens_later_changes_nothing_as_of_an_earlier_day(lines in random_orders()) {
        let is_known = |line: &&String| line.split(',').nth(3).is_some_and(|ordered_at| ordered_at < "2023-07-01");
        let known: Vec<String> = lines.iter().filter(is_known).cloned().collect();
        let (now, later) = (tables_as_of("2023-06-30", &base_of(&known), 2), tables_as_of("2023-06-30", &base_of(&lines), 2));
        for (name, table) in now.iter().filter(|(name, _)| *name != "orders") {
            let columns: Vec<&str> = table.schema.fields().iter().map(|field| field.name().as_str()).collect();
            prop_assert_eq!(rows(table, &columns), rows(&later[name], &columns), "{}", name);
        }
    }
}

#[test]
fn the_retail_pipeline_loads_with_the_shipped_models_and_has_no_finding() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/online_retail");
    let environment = |name: &str| (name == "ONLINE_RETAIL_PARQUET").then(|| "online_retail.parquet".to_owned());
    let spec = stammkunde::config::load(&folder, &stammkunde::config::Overrides::default(), &environment).expect("the project loads");
    assert_eq!(spec.models, standard::models());
    assert_eq!(spec.audits, standard::audits());
    assert_eq!(model::check(&engine(), &spec), Vec::new());
}
