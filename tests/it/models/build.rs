//! Building: order of rows, types, settings, audits, test cases of a project, and errors.

use std::fs;

use arrow::datatypes::{DataType, TimeUnit};
use stammkunde::config::pipeline::Setting;
use stammkunde::engine::{Engine, EngineOptions};
use stammkunde::error::ErrorKind;
use stammkunde::model;
use stammkunde::model::{Table, Tables};

use super::support::{audit, day, engine, engine_with, model as file, rows, small_base, spec};

fn build_one(sql: &str) -> Result<Table, stammkunde::Error> {
    let (engine, spec) = (engine(), spec(vec![file("m", sql)], Vec::new()));
    let models = model::order(&engine, &spec, &[], &[])?;
    let mut tables = model::build(&engine, &spec, &models, day("2024-12-31"), &small_base())?;
    Ok(tables.remove("m").expect("the model was built"))
}

#[test]
fn rows_come_by_customer_key_and_then_by_every_column() {
    let table = build_one("SELECT gross, customer_key FROM orders").expect("it builds");
    assert_eq!(
        rows(&table, &["customer_key", "gross"]),
        [["a", "20.5000"], ["a", "30.0000"], ["b", "10.0000"]]
    );
}

#[test]
fn a_query_keeps_its_own_order_and_ties_go_by_every_column() {
    let table = build_one("SELECT order_id, customer_key FROM orders ORDER BY customer_key DESC").expect("it builds");
    assert_eq!(rows(&table, &["order_id"]), [["1"], ["2"], ["3"]]);
}

#[test]
fn a_limit_takes_the_same_rows_on_any_number_of_threads() {
    let sql = "SELECT value AS n FROM (SELECT unnest(generate_series(1, 50000)) AS value) AS series LIMIT 3";
    let spec = spec(vec![file("m", sql)], Vec::new());
    for threads in [1, 4] {
        let engine = engine_with(threads);
        let models = model::order(&engine, &spec, &[], &[]).expect("an order");
        let tables = model::build(&engine, &spec, &models, day("2024-12-31"), &Tables::new()).expect("it builds");
        assert_eq!(rows(&tables["m"], &["n"]), [["1"], ["2"], ["3"]]);
    }
}

#[test]
fn columns_have_the_types_that_bi_tools_read() {
    let sql = "SELECT row_number() OVER (ORDER BY order_id) AS n, CAST(1.5 AS REAL) AS share, ordered_at AS placed_at, \
               sum(gross) OVER () AS total, CAST(ordered_at AS DATE) AS placed_date FROM orders";
    let table = build_one(sql).expect("it builds");
    let types: Vec<&DataType> = table.schema.fields().iter().map(|field| field.data_type()).collect();
    let timestamp = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    assert_eq!(
        types,
        [
            &DataType::Int64,
            &DataType::Float64,
            &timestamp,
            &DataType::Decimal128(28, 4),
            &DataType::Date32
        ]
    );
    assert!(table.batches.iter().all(|batch| batch.schema() == table.schema));
}

#[test]
fn the_day_the_zone_and_settings_reach_sql() {
    let sql = "SELECT as_of() AS today, setting('currency') AS currency, setting('time_zone') AS zone, setting('limit') AS most, \
               local_date(TIMESTAMP '2024-06-30T22:00:00Z') AS local_day";
    let engine = engine();
    let mut spec = spec(vec![file("m", sql)], Vec::new());
    spec.time_zone = chrono_tz::Tz::Europe__Berlin;
    spec.settings.insert("limit".to_owned(), Setting::Number(2.5));
    let models = model::order(&engine, &spec, &[], &[]).expect("an order");
    let tables = model::build(&engine, &spec, &models, day("2024-12-31"), &Tables::new()).expect("it builds");
    assert_eq!(
        rows(&tables["m"], &["today", "currency", "zone", "most", "local_day"]),
        [["2024-12-31", "EUR", "Europe/Berlin", "2.5", "2024-07-01"]]
    );
}

#[test]
fn a_base_table_without_data_counts_as_empty() {
    let table = build_one("SELECT count(*) AS n FROM events").expect("it builds");
    assert_eq!(rows(&table, &["n"]), [["0"]]);
}

#[test]
fn a_model_that_is_not_selected_cannot_be_read() {
    let models = vec![file("first", "SELECT 1 AS n"), file("second", "SELECT n FROM first")];
    let (engine, spec) = (engine(), spec(models, Vec::new()));
    let selected = model::order(&engine, &spec, &["second".to_owned()], &[]).expect("an order");
    let error = model::build(&engine, &spec, &selected, day("2024-12-31"), &Tables::new()).expect_err("first is missing");
    assert_eq!(
        (error.kind(), error.hint_text()),
        (ErrorKind::Config, Some("select `+second` to build what it reads"))
    );
}

#[test]
fn a_failed_computation_names_the_model_and_no_value() {
    let error = build_one("SELECT CAST(concat(customer_key, '-secret') AS INT) AS n FROM orders").expect_err("no number");
    assert_eq!(error.kind(), ErrorKind::Input);
    let text = error.to_string();
    assert!(text.contains("model: m") && !text.contains("secret"), "{text}");
}

#[test]
fn too_little_memory_is_the_environments_fault_and_names_the_model() {
    let sql = "SELECT value, count(*) AS n FROM (SELECT unnest(generate_series(1, 400000)) AS value) AS series GROUP BY value";
    let spec = spec(vec![file("greedy", sql)], Vec::new());
    let engine = Engine::new(&EngineOptions {
        threads: Some(2),
        memory_limit_bytes: Some(100_000),
    })
    .expect("an engine starts");
    let models = model::order(&engine, &spec, &[], &[]).expect("an order");
    let error = model::build(&engine, &spec, &models, day("2024-12-31"), &Tables::new()).expect_err("too little memory");
    assert_eq!(error.kind(), ErrorKind::Environment, "{error}");
    assert!(error.to_string().contains("greedy"), "{error}");
    assert!(error.hint_text().is_some_and(|hint| hint.contains("--memory-limit")));
}

#[test]
fn audits_run_where_their_tables_are_and_count_rows() {
    let audits = vec![
        audit("few", "SELECT order_id FROM orders WHERE gross > 15"),
        audit("none", "SELECT order_id FROM orders WHERE gross < 0"),
        audit("elsewhere", "SELECT 1 AS n FROM nowhere"),
    ];
    let results = model::audit(&engine(), &spec(Vec::new(), audits), day("2024-12-31"), &small_base()).expect("the audits run");
    let counts: Vec<(&str, u64)> = results.iter().map(|result| (result.audit.as_str(), result.rows)).collect();
    assert_eq!(counts, [("few", 2), ("none", 0)]);
}

/// A project folder with one case of the model `m`.
fn project_case(expected: &str) -> Result<Vec<model::CaseResult>, stammkunde::Error> {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &str| {
        let path = folder.path().join("tests/small").join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    write("given/_case.csv", "as_of,factor\n2024-12-31,2\n");
    write("given/orders.csv", "customer_key,gross\na,\"1.50\"\nb,2\n");
    write("expect/m.csv", expected);
    let mut spec = spec(
        vec![file(
            "m",
            "SELECT customer_key, gross, CAST(gross AS DOUBLE) * setting('factor', 1) AS scaled FROM orders",
        )],
        Vec::new(),
    );
    spec.folder = folder.path().to_owned();
    model::test(&engine(), &spec)
}

#[test]
fn a_case_passes_in_any_order_of_rows_and_with_fewer_columns() {
    let results = project_case("scaled,customer_key\n4,b\n3.0000000001,a\n").expect("it runs");
    assert_eq!(results.len(), 1);
    assert_eq!(results[0].differences, Vec::<String>::new());
    assert_eq!((results[0].case.as_str(), results[0].table.as_str()), ("small", "m"));
}

#[test]
fn a_case_says_what_differs() {
    let results = project_case("customer_key,gross,scaled\na,1.50,3\nb,2.01,4\n").expect("it runs");
    assert_eq!(results[0].differences, ["row customer_key = `b`: gross is `2`, expected `2.01`"]);
    let results = project_case("customer_key,gross,scaled\na,1.5,3\nb,2,4\nc,,\n").expect("it runs");
    assert_eq!(
        results[0].differences,
        ["missing row: customer_key = `c`, gross = null, scaled = null"]
    );
    let results = project_case("customer_key,gross,scaled\na,1.5,3\n").expect("it runs");
    assert_eq!(
        results[0].differences,
        ["unexpected row: customer_key = `b`, gross = `2`, scaled = 4"]
    );
}

#[test]
fn a_case_with_an_unknown_column_is_malformed() {
    let error = project_case("customer_keys\na\n").expect_err("no such column");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("did you mean `customer_key`?"), "{error}");
}

#[test]
fn a_case_may_give_the_table_of_a_model_instead_of_building_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let case = folder.path().join("tests/given_model");
    for (path, text) in [
        ("given/_case.csv", "as_of\n2024-12-31\n"),
        ("given/first.csv", "n\n7\n"),
        ("expect/second.csv", "doubled\n14\n"),
    ] {
        fs::create_dir_all(case.join(path).parent().expect("a parent")).expect("a folder");
        fs::write(case.join(path), text).expect("a file");
    }
    let models = vec![
        file("first", "SELECT count(*) AS n FROM orders"),
        file("second", "SELECT 2 * n AS doubled FROM first"),
    ];
    let mut spec = spec(models, Vec::new());
    spec.folder = folder.path().to_owned();
    let results = model::test(&engine(), &spec).expect("it runs");
    assert_eq!(results.len(), 1);
    assert_eq!(results[0].differences, Vec::<String>::new());
}
