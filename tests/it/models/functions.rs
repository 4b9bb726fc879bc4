//! Functions over customer models as SQL sees them: any order, any partitions, weights, groups, nulls, extremes, mistakes.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::Float64Type;
use arrow::util::display::array_value_to_string;
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use proptest::prelude::*;
use stammkunde::ErrorKind;
use stammkunde::clv::{self, Histories, History, Predictor, PurchaseModel};
use stammkunde::engine::{Engine, functions};

use super::support::{engine, engine_with};

/// Parameters of the CDNOW sample, as Fader and Hardie and the golden files have them.
const PARAMS: [(&str, &str); 4] = [
    ("nbd", r#"{"r":0.38476614,"alpha":12.07202284}"#),
    ("bg_nbd", r#"{"r":0.2425945,"alpha":4.413602,"a":0.792922,"b":2.4259068}"#),
    ("mbg_nbd", r#"{"r":0.5248432,"alpha":6.1830853,"a":0.8913594,"b":1.6140022}"#),
    ("pareto_nbd", r#"{"r":0.553277,"alpha":10.5776835,"s":0.60624,"beta":11.6687353}"#),
];

/// A customer of a made-up shop: repeat purchases, recency and age in days, mean spend, whether a subscription ended.
type Row = (Option<i64>, Option<i64>, Option<i64>, Option<f64>, Option<bool>);

/// Customers with few distinct histories, so that some are equal.
fn customers() -> Vec<Row> {
    let mut state = 7_u64;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % below) as i64
    };
    (0..240)
        .map(|_| {
            let age = 190 + 7 * next(6);
            let x = if next(2) == 0 { 0 } else { 1 + next(6) };
            let recency = if x == 0 { 0 } else { 7 * (x + next(20)) };
            let spend = 5.0 + next(8) as f64 * 2.5;
            (
                Some(x),
                Some(recency.min(age)),
                Some(age),
                (x > 0).then_some(spend),
                Some(next(3) > 0),
            )
        })
        .collect()
}

fn batch(rows: &[Row]) -> RecordBatch {
    let columns: [(&str, ArrayRef); 5] = [
        ("x", Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>())),
        ("recency_days", Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>())),
        ("age_days", Arc::new(rows.iter().map(|row| row.2).collect::<Int64Array>())),
        ("mean_spend", Arc::new(rows.iter().map(|row| row.3).collect::<Float64Array>())),
        ("is_ended", Arc::new(rows.iter().map(|row| row.4).collect::<BooleanArray>())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).expect("columns of one length")
}

/// A session with the table `customers`, in batches of so many rows dealt to so many partitions.
fn session(engine: &Engine, table: &RecordBatch, partitions: usize, batch_rows: usize) -> SessionContext {
    let mut parts: Vec<Vec<RecordBatch>> = vec![Vec::new(); partitions];
    for (number, start) in (0..table.num_rows()).step_by(batch_rows).enumerate() {
        parts[number % partitions].push(table.slice(start, batch_rows.min(table.num_rows() - start)));
    }
    let session = engine.session();
    let provider = MemTable::try_new(table.schema(), parts).expect("batches of one schema");
    session.register_table("customers", Arc::new(provider)).expect("a fresh session");
    session
}

fn run(engine: &Engine, session: &SessionContext, sql: &str) -> RecordBatch {
    let batches = engine.collect(engine.plan(session, sql).expect(sql)).expect(sql);
    concat_batches(&batches[0].schema(), &batches).expect("one schema")
}

/// All cells of a result as text.
fn cells(engine: &Engine, session: &SessionContext, sql: &str) -> Vec<Vec<String>> {
    let result = run(engine, session, sql);
    let cell = |row: usize, column: &ArrayRef| match column.is_null(row) {
        true => "NULL".to_owned(),
        false => array_value_to_string(column, row).expect("a printable type"),
    };
    (0..result.num_rows())
        .map(|row| result.columns().iter().map(|column| cell(row, column)).collect())
        .collect()
}

/// One value of a query as text.
fn value(engine: &Engine, session: &SessionContext, sql: &str) -> String {
    cells(engine, session, sql)[0][0].clone()
}

/// Every aggregate at once.
const AGGREGATES: &str = "SELECT purchase_fit('mbg_nbd', x, recency_days, age_days) AS mbg, \
    purchase_fit('nbd', x, recency_days, age_days) AS nbd, spend_fit(x, mean_spend) AS spend, subscription_fit(x, is_ended) AS renewals, \
    quantiles(mean_spend, [0.2, 0.4, 0.6, 0.8]) AS cuts, auc(recency_days, is_ended) AS auc, gini(mean_spend) AS gini FROM customers";

#[test]
fn aggregates_do_not_depend_on_order_or_partitions() {
    let rows = customers();
    let table = batch(&rows);
    let backwards: Int64Array = (0..table.num_rows() as i64).rev().collect();
    let reversed = take_record_batch(&table, &backwards).expect("rows of the table");
    let expected = cells(&engine(), &session(&engine(), &table, 1, 1000), AGGREGATES);
    assert!(expected[0][0].contains("mbg_nbd"), "{expected:?}");
    for (table, threads, partitions, batch_rows) in [(&reversed, 1, 1, 1000), (&table, 2, 2, 17), (&reversed, 7, 7, 1), (&table, 2, 3, 1)] {
        let engine = engine_with(threads);
        let found = cells(&engine, &session(&engine, table, partitions, batch_rows), AGGREGATES);
        assert_eq!(
            found, expected,
            "{threads} threads, {partitions} partitions, batches of {batch_rows}"
        );
    }
}

#[test]
fn a_weight_is_as_many_equal_rows() {
    let engine = engine();
    let session = session(&engine, &batch(&customers()), 2, 50);
    let counted = "WITH g AS (SELECT x, recency_days, age_days, mean_spend, is_ended, count(*) AS n FROM customers GROUP BY ALL) \
        SELECT purchase_fit('mbg_nbd', x, recency_days, age_days, n) AS mbg, purchase_fit('nbd', x, recency_days, age_days, n) AS nbd, \
        spend_fit(x, mean_spend, n) AS spend, subscription_fit(x, is_ended, n) AS renewals, \
        quantiles(mean_spend, [0.2, 0.4, 0.6, 0.8], n) AS cuts, auc(recency_days, is_ended, n) AS auc, gini(mean_spend, n) AS gini FROM g";
    // GROUP BY ALL is not in every dialect: the columns are named.
    let counted = counted.replace("GROUP BY ALL", "GROUP BY x, recency_days, age_days, mean_spend, is_ended");
    assert_eq!(cells(&engine, &session, &counted), cells(&engine, &session, AGGREGATES));
    let nobody = "SELECT purchase_fit('nbd', x, recency_days, age_days, 0)['n'] AS zero, purchase_fit('nbd', x, recency_days, age_days, -1)['n'] AS below, \
        gini(mean_spend, NULL) AS unknown FROM customers";
    assert_eq!(cells(&engine, &session, nobody), [["0", "0", "NULL"]]);
}

#[test]
fn a_fit_in_sql_is_the_fit_of_the_library() {
    let (engine, rows) = (engine(), customers());
    let session = session(&engine, &batch(&rows), 2, 50);
    let mut histories = Histories::default();
    for row in &rows {
        let number = |value: Option<i64>| u32::try_from(value.expect("no nulls")).expect("small");
        histories.add(
            History {
                x: number(row.0),
                recency: number(row.1),
                age: number(row.2),
            },
            1,
        );
    }
    for model in PurchaseModel::ALL {
        let fit = clv::fit(model, &histories);
        let sql = format!(
            "WITH m AS (SELECT purchase_fit('{}', x, recency_days, age_days) AS f FROM customers) SELECT f['model_name'], f['params'], \
             f['standard_errors'], f['covariance'], f['log_likelihood'], f['n'], f['iterations'], f['converged'], f['model_status'] FROM m",
            model.name()
        );
        let found = cells(&engine, &session, &sql).remove(0);
        let numbers = |text: &str| -> Vec<f64> {
            match serde_json::from_str(text) {
                Ok(serde_json::Value::Object(object)) => object.values().filter_map(serde_json::Value::as_f64).collect(),
                Ok(serde_json::Value::Array(rows)) => rows
                    .iter()
                    .flat_map(|row| row.as_array().expect("a row"))
                    .filter_map(serde_json::Value::as_f64)
                    .collect(),
                _ => Vec::new(),
            }
        };
        assert_eq!(found[0], model.name());
        assert_eq!(numbers(&found[1]), fit.params, "{model:?}: {found:?}");
        assert_eq!(numbers(&found[2]), fit.standard_errors, "{model:?}");
        assert_eq!(numbers(&found[3]), fit.covariance, "{model:?}");
        assert_eq!(
            found[4].parse().ok(),
            (!fit.params.is_empty()).then_some(fit.log_likelihood),
            "{model:?}"
        );
        assert_eq!(
            found[5..],
            [
                fit.n.to_string(),
                fit.iterations.to_string(),
                fit.converged.to_string(),
                fit.status.as_str().to_owned()
            ]
        );
    }
}

#[test]
fn predictions_in_sql_are_those_of_the_library() {
    let (engine, rows) = (engine(), customers());
    let session = session(&engine, &batch(&rows[..60]), 2, 7);
    for (name, params) in PARAMS {
        let model = PurchaseModel::from_name(name).expect("a model");
        let values: serde_json::Map<String, serde_json::Value> = serde_json::from_str(params).expect("JSON");
        let values: Vec<f64> = values.values().filter_map(serde_json::Value::as_f64).collect();
        let mut predictor = Predictor::new(model, &values).expect("parameters above 0");
        let history = "x, recency_days, age_days";
        let sql = format!(
            "SELECT x, recency_days, age_days, p_alive('{name}', p, {history}) AS alive, p_no_purchase('{name}', p, {history}, 90) AS silent, \
             expected_purchases('{name}', p, {history}, 273) AS expected, discounted_purchases('{name}', p, {history}, 365.0, 0.1) AS discounted, \
             purchase_log_likelihood('{name}', p, {history}) AS ll, expected_purchases_new('{name}', p, 364) AS new \
             FROM customers CROSS JOIN (VALUES ('{params}')) AS m(p)"
        );
        let found = run(&engine, &session, &sql);
        assert_eq!(found.num_rows(), 60);
        for row in 0..60 {
            let number = |column: usize| match found.column(column).as_primitive_opt::<Float64Type>() {
                Some(values) => values.value(row),
                None => found.column(column).as_primitive::<arrow::datatypes::Int64Type>().value(row) as f64,
            };
            let history = History {
                x: number(0) as u32,
                recency: number(1) as u32,
                age: number(2) as u32,
            };
            let expected = [
                predictor.p_alive(history),
                predictor.p_no_purchase(history, 90.0),
                predictor.expected_purchases(history, 273.0),
                predictor.discounted_purchases(history, 365.0, 0.1),
                predictor.log_likelihood(history),
                predictor.expected_purchases_new(364.0),
            ];
            let given: Vec<f64> = (3..9).map(number).collect();
            assert_eq!(given, expected, "{name} {history:?}");
        }
    }
}

#[test]
fn groups_are_fitted_apart() {
    let engine = engine_with(3);
    let session = session(&engine, &batch(&customers()), 3, 11);
    let grouped = "SELECT is_ended, purchase_fit('nbd', x, recency_days, age_days) AS f, gini(mean_spend) AS g FROM customers GROUP BY is_ended ORDER BY 1";
    let alone = |flag: bool| {
        let sql = format!(
            "SELECT {flag} AS is_ended, purchase_fit('nbd', x, recency_days, age_days) AS f, gini(mean_spend) AS g FROM customers WHERE is_ended = {flag}"
        );
        cells(&engine, &session, &sql).remove(0)
    };
    assert_eq!(cells(&engine, &session, grouped), [alone(false), alone(true)]);
    let filtered = "SELECT true AS is_ended, purchase_fit('nbd', x, recency_days, age_days) FILTER (WHERE is_ended) AS f, \
        gini(mean_spend) FILTER (WHERE is_ended) AS g FROM customers";
    assert_eq!(cells(&engine, &session, filtered), [alone(true)]);
}

#[test]
fn the_name_of_the_model_may_be_a_column() {
    let engine = engine_with(2);
    let session = session(&engine, &batch(&customers()), 2, 11);
    let grouped = "SELECT m.name, purchase_fit(m.name, x, recency_days, age_days) AS f FROM customers \
        CROSS JOIN (VALUES ('nbd'), ('mbg_nbd')) AS m(name) GROUP BY m.name ORDER BY 1 DESC";
    let alone = |name: &str| {
        let sql = format!("SELECT '{name}' AS name, purchase_fit('{name}', x, recency_days, age_days) AS f FROM customers");
        cells(&engine, &session, &sql).remove(0)
    };
    assert_eq!(cells(&engine, &session, grouped), [alone("nbd"), alone("mbg_nbd")]);
    let mixed =
        "SELECT purchase_fit(m.name, x, recency_days, age_days) AS f FROM customers CROSS JOIN (VALUES ('nbd'), ('mbg_nbd')) AS m(name)";
    let error = engine
        .collect(engine.plan(&session, mixed).expect("it plans"))
        .expect_err("two models");
    assert!(error.to_string().contains("one model a group"), "{error}");
}

#[test]
fn rows_that_are_no_customer_are_not_counted() {
    let engine = engine();
    let good = (Some(1), Some(7), Some(70), Some(10.0), Some(true));
    let bad = [
        (None, Some(7), Some(70), Some(10.0), Some(true)),
        (Some(1), None, Some(70), Some(10.0), Some(true)),
        (Some(1), Some(7), None, None, None),
        (Some(1), Some(71), Some(70), Some(-1.0), Some(true)),
        (Some(-1), Some(7), Some(70), Some(10.0), Some(true)),
        (Some(1), Some(-7), Some(70), Some(0.0), Some(true)),
        (Some(1), Some(7), Some(-70), Some(f64::NAN), None),
        (Some(1 << 40), Some(7), Some(70), Some(10.0), Some(true)),
        (Some(1), Some(7), Some(i64::MAX), Some(f64::INFINITY), None),
    ];
    let rows: Vec<Row> = [good, good].into_iter().chain(bad).collect();
    let session = session(&engine, &batch(&rows), 2, 3);
    let sql = "SELECT purchase_fit('mbg_nbd', x, recency_days, age_days)['n'] AS p, spend_fit(x, mean_spend)['n'] AS s, \
        subscription_fit(x, is_ended)['n'] AS r FROM customers";
    // Spend: the two good ones, and the row without a recency.
    assert_eq!(cells(&engine, &session, sql), [["2", "3", "5"]]);
    let sql = "SELECT count(*) FROM customers WHERE p_alive('nbd', '{\"r\":1,\"alpha\":1}', x, recency_days, age_days) IS NOT NULL";
    assert_eq!(value(&engine, &session, sql), "2");
}

#[test]
fn an_empty_table_gives_a_status_instead_of_an_error() {
    let engine = engine();
    let session = session(&engine, &batch(&[]), 1, 1);
    let fields = "f['model_name'], f['params'], f['standard_errors'], f['covariance'], f['log_likelihood'], f['n'], f['gradient_max'], f['converged'], f['model_status']";
    for (call, name) in [
        ("purchase_fit('bg_nbd', x, recency_days, age_days)", "bg_nbd"),
        ("spend_fit(x, mean_spend)", "gamma_gamma"),
        ("subscription_fit(x, is_ended)", "sbg"),
        ("purchase_fit(CAST(mean_spend AS VARCHAR), x, recency_days, age_days)", "NULL"),
    ] {
        let sql = format!("WITH m AS (SELECT {call} AS f FROM customers) SELECT {fields} FROM m");
        let expected = [name, "NULL", "NULL", "NULL", "NULL", "0", "NULL", "false", "too_few_customers"];
        assert_eq!(cells(&engine, &session, &sql), [expected], "{call}");
    }
    let sql = "SELECT quantiles(mean_spend, [0.5]) AS q, auc(x, is_ended) AS a, gini(x) AS g FROM customers";
    assert_eq!(cells(&engine, &session, sql), [["NULL", "NULL", "NULL"]]);
    let grouped = "SELECT x, purchase_fit('nbd', x, recency_days, age_days) FROM customers GROUP BY x";
    assert_eq!(
        engine
            .collect(engine.plan(&session, grouped).expect("it plans"))
            .expect("it runs")
            .len(),
        0
    );
}

#[test]
fn a_null_argument_gives_null() {
    let engine = engine();
    let session = engine.session();
    let params = "'{\"r\":1,\"alpha\":1}'";
    for call in [
        format!("p_alive(NULL, {params}, 1, 7, 70)"),
        "p_alive('nbd', NULL, 1, 7, 70)".to_owned(),
        format!("p_alive('nbd', {params}, NULL, 7, 70)"),
        format!("p_alive('nbd', {params}, 1, 71, 70)"),
        format!("p_alive('nbd', {params}, 1.5, 7, 70)"),
        format!("p_no_purchase('nbd', {params}, 1, 7, 70, NULL)"),
        format!("p_no_purchase('nbd', {params}, 1, 7, 70, -1)"),
        format!("discounted_purchases('nbd', {params}, 1, 7, 70, 365, -1)"),
        format!("discounted_purchases('nbd', {params}, 1, 7, 70, 365, NULL)"),
        format!("discounted_purchases_se('nbd', {params}, NULL, 1, 7, 70, 365, 0.1)"),
        "expected_spend(NULL, 1, 10)".to_owned(),
        "expected_spend('{\"p\":6,\"q\":4,\"v\":15}', 1, NULL)".to_owned(),
        "expected_spend('{\"p\":6,\"q\":0.5,\"v\":15}', 0, 10)".to_owned(),
        "subscription_survival('{\"alpha\":1,\"beta\":1}', -1)".to_owned(),
        "subscription_retention('{\"alpha\":1,\"beta\":1}', 0)".to_owned(),
    ] {
        assert_eq!(value(&engine, &session, &format!("SELECT {call}")), "NULL", "{call}");
    }
    // Without a repeat purchase there is no mean spend to know.
    let sql = "SELECT expected_spend('{\"p\":6,\"q\":4,\"v\":15}', 0, NULL) = 30.0";
    assert_eq!(value(&engine, &session, sql), "true");
}

#[test]
fn mistakes_are_told_where_they_are_made() {
    let engine = engine();
    let session = session(&engine, &batch(&customers()), 1, 100);
    let error_of = |sql: &str| {
        let frame = match engine.plan(&session, sql) {
            Ok(frame) => frame,
            Err(error) => return error,
        };
        engine.collect(frame).expect_err(sql)
    };
    let sql = "SELECT\n  p_alive('mbgnbd', '{}', x, recency_days, age_days) FROM customers";
    let error = engine.plan_file(&session, "models/a.sql", sql).expect_err("no such model");
    let finding = &error.findings()[0];
    assert_eq!((finding.line, finding.column), (2, 3), "{finding}");
    assert!(finding.hint.as_deref().is_some_and(|hint| hint.contains("mbg_nbd")), "{finding}");
    for (sql, said) in [
        ("SELECT purchase_fit('bgnbd', x, recency_days, age_days) FROM customers", "bg_nbd"),
        (
            "SELECT purchase_fit('weibull', x, recency_days, age_days) FROM customers",
            "pareto_nbd",
        ),
        (
            "SELECT purchase_fit(x, recency_days, age_days) FROM customers",
            "takes other arguments",
        ),
        (
            "SELECT purchase_fit('nbd', x, recency_days, is_ended) FROM customers",
            "argument 4 is a whole number",
        ),
        (
            "SELECT purchase_fit(DISTINCT 'nbd', x, recency_days, age_days) FROM customers",
            "DISTINCT",
        ),
        ("SELECT quantiles(mean_spend, [0.5, 1.5]) FROM customers", "from 0 to 1"),
        ("SELECT quantiles(mean_spend, [mean_spend]) FROM customers", "constant"),
        ("SELECT quantiles(mean_spend, 0.5) FROM customers", "a list of numbers"),
        ("SELECT auc(x, x) FROM customers", "true or false"),
        (
            "SELECT subscription_survival('{\"alpha\":1,\"beta\":1}', is_ended) FROM customers",
            "a whole number",
        ),
        (
            "SELECT purchase_fitt('nbd', x, recency_days, age_days) FROM customers",
            "purchase_fit",
        ),
    ] {
        let error = error_of(sql);
        assert_eq!(error.kind(), ErrorKind::Config, "{sql}: {error}");
        let finding = &error.findings()[0];
        assert!(finding.to_string().contains(said), "{sql}: {finding}");
    }
    for (sql, said) in [
        (
            "SELECT p_alive('nbd', '{\"r\":1}', x, recency_days, age_days) FROM customers",
            "purchase_fit",
        ),
        (
            "SELECT p_alive('bg_nbd', '{\"r\":1,\"alpha\":1}', x, recency_days, age_days) FROM customers",
            "r, alpha, a, b",
        ),
        ("SELECT expected_spend('quatsch', x, mean_spend) FROM customers", "spend_fit"),
        (
            "SELECT expected_spend_se('{\"p\":6,\"q\":4,\"v\":15}', '[[1]]', x, mean_spend) FROM customers",
            "3 lists of 3 numbers",
        ),
    ] {
        let error = error_of(sql);
        assert_eq!(error.kind(), ErrorKind::Input, "{sql}: {error}");
        assert!(error.to_string().contains(said), "{sql}: {error}");
    }
}

#[test]
fn parameters_of_many_models_can_stand_in_one_column() {
    let engine = engine();
    let session = engine.session();
    let names: StringArray = (0..200).map(|row| Some(PARAMS[row % 4].0)).collect();
    let params: StringArray = (0..200).map(|row| Some(PARAMS[row % 4].1)).collect();
    let table = RecordBatch::try_from_iter([("name", Arc::new(names) as ArrayRef), ("params", Arc::new(params))]).expect("two columns");
    session.register_batch("models", table).expect("a fresh session");
    let sql = "SELECT name, min(e) = max(e) AS same, count(*) AS rows FROM \
        (SELECT name, expected_purchases(name, params, 2, 213, 272, 273) AS e FROM models) GROUP BY name ORDER BY name";
    let expected = ["bg_nbd", "mbg_nbd", "nbd", "pareto_nbd"].map(|name| vec![name.to_owned(), "true".to_owned(), "50".to_owned()]);
    assert_eq!(cells(&engine, &session, sql), expected);
}

#[test]
fn quantiles_auc_and_gini_are_exact() {
    let engine = engine();
    let session = engine.session();
    for (sql, expected) in [
        (
            "SELECT quantiles(v, [0.25, 0.5]) FROM (VALUES (1), (2), (3), (4), (5)) AS t(v)",
            "[2.0, 3.0]",
        ),
        (
            "SELECT quantiles(v, [0, 0.1, 1]) FROM (VALUES (10), (20)) AS t(v)",
            "[10.0, 11.0, 20.0]",
        ),
        (
            "SELECT quantiles(CAST(v AS DECIMAL(18,4)), [0.5])[1] FROM (VALUES ('1.05'), ('2.15')) AS t(v)",
            "1.6",
        ),
        ("SELECT quantiles(v, [0.5], n) FROM (VALUES (1, 99), (7, 1)) AS t(v, n)", "[1.0]"),
        (
            "SELECT quantiles(v, [0.5]) FROM (VALUES (1.0), (NULL), (CAST('NaN' AS DOUBLE)), (3.0)) AS t(v)",
            "[2.0]",
        ),
        ("SELECT quantiles(v, [0.5]) FROM (VALUES (-1.7e308), (1.7e308)) AS t(v)", "[0.0]"),
        (
            "SELECT auc(s, p) FROM (VALUES (0.9, true), (0.5, true), (0.5, false)) AS t(s, p)",
            "0.75",
        ),
        ("SELECT auc(s, p) FROM (VALUES (1, false), (2, true)) AS t(s, p)", "1.0"),
        ("SELECT auc(s, p) FROM (VALUES (1, true), (2, false)) AS t(s, p)", "0.0"),
        ("SELECT auc(s, p) FROM (VALUES (0.0, true), (-0.0, false)) AS t(s, p)", "0.5"),
        ("SELECT auc(s, p) FROM (VALUES (1, true), (2, true)) AS t(s, p)", "NULL"),
        ("SELECT gini(v) FROM (VALUES (0), (0), (0), (1)) AS t(v)", "0.75"),
        ("SELECT gini(v) FROM (VALUES (5), (5)) AS t(v)", "0.0"),
        ("SELECT gini(v) FROM (VALUES (-10), (0), (0), (1)) AS t(v)", "0.75"),
        ("SELECT gini(v) FROM (VALUES (1.7e308), (1.7e308), (0.0), (0.0)) AS t(v)", "0.5"),
        ("SELECT gini(v) FROM (VALUES (0), (-1)) AS t(v)", "NULL"),
    ] {
        assert_eq!(value(&engine, &session, sql), expected, "{sql}");
    }
    // (11 - 1) · 0.7 is not 7 in floating point, the cut is row 7 all the same.
    let sql = "SELECT quantiles(v, [0.1, 0.3, 0.6, 0.7, 0.9]) FROM generate_series(0, 10) AS t(v)";
    assert_eq!(value(&engine, &session, sql), "[1.0, 3.0, 6.0, 7.0, 9.0]");
}

#[test]
fn the_reference_in_the_repository_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/functions.md");
    let committed = std::fs::read_to_string(path).expect("the reference is part of the project");
    assert!(
        committed == functions::reference(),
        "schemas/functions.md is stale: run `stammkunde schema functions > schemas/functions.md`"
    );
    for doc in functions::all() {
        assert!(committed.contains(doc.signature), "{} is missing", doc.name);
    }
}

/// A number that goes wrong easily.
fn extreme() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(0.0),
        Just(1.0),
        Just(5e-324),
        Just(1e-12),
        Just(1e12),
        Just(1.7e308),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(-1.0),
        (-400.0..400.0_f64).prop_map(|power| 2_f64.powf(power)),
        -10.0..1e4_f64,
    ]
}

fn parameter() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(5e-324),
        Just(1.0),
        Just(1.7e308),
        (-60.0..60.0_f64).prop_map(f64::exp),
        1e-3..20.0_f64
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn no_prediction_is_nan_or_infinite(
        params in prop::array::uniform4(parameter()),
        covariance in prop::array::uniform16(extreme().prop_filter("JSON has no other", |value| value.is_finite())),
        rows in prop::collection::vec((0..3_u32, any::<u32>(), any::<u32>(), any::<u32>(), extreme(), extreme()), 1..12),
    ) {
        let engine = engine_with(1);
        let session = engine.session();
        // Small counts as well as those that fill 32 bits.
        let number = |scale: u32, value: u32| i64::from(value >> [0, 16, 24][scale as usize]);
        let history: Vec<(i64, i64, i64)> = rows
            .iter()
            .map(|row| {
                let age = number(row.0, row.3);
                (number(row.0, row.1), number(row.0, row.2).min(age), age)
            })
            .collect();
        let columns: [(&str, ArrayRef); 5] = [
            ("x", Arc::new(history.iter().map(|row| Some(row.0)).collect::<Int64Array>())),
            ("t", Arc::new(history.iter().map(|row| Some(row.1)).collect::<Int64Array>())),
            ("age", Arc::new(history.iter().map(|row| Some(row.2)).collect::<Int64Array>())),
            ("d", Arc::new(rows.iter().map(|row| Some(row.4)).collect::<Float64Array>())),
            ("e", Arc::new(rows.iter().map(|row| Some(row.5)).collect::<Float64Array>())),
        ];
        session.register_batch("rows", RecordBatch::try_from_iter(columns).expect("one length")).expect("a fresh session");
        let text = |names: &[&str]| {
            let parts: Vec<String> = names.iter().zip(params).map(|(name, value)| format!("\"{name}\":{value:e}")).collect();
            format!("'{{{}}}'", parts.join(","))
        };
        let matrix = |side: usize| {
            let row = |row: usize| format!("[{}]", (0..side).map(|column| format!("{:e}", covariance[(row * side + column) % 16])).collect::<Vec<_>>().join(","));
            format!("'[{}]'", (0..side).map(row).collect::<Vec<_>>().join(","))
        };
        let mut calls = Vec::new();
        for model in PurchaseModel::ALL {
            let (name, p, c) = (model.name(), text(model.param_names()), matrix(model.param_names().len()));
            calls.extend([
                format!("p_alive('{name}', {p}, x, t, age)"),
                format!("p_no_purchase('{name}', {p}, x, t, age, d)"),
                format!("expected_purchases('{name}', {p}, x, t, age, d)"),
                format!("expected_purchases_new('{name}', {p}, d)"),
                format!("discounted_purchases('{name}', {p}, x, t, age, d, e)"),
                format!("discounted_purchases_se('{name}', {p}, {c}, x, t, age, d, e)"),
                format!("purchase_log_likelihood('{name}', {p}, x, t, age)"),
            ]);
        }
        calls.push(format!("discounted_purchases_residual({}, x, t, age, e)", text(PurchaseModel::ParetoNbd.param_names())));
        calls.push(format!("expected_spend({}, x, e)", text(&["p", "q", "v"])));
        calls.push(format!("expected_spend_se({}, {}, x, e)", text(&["p", "q", "v"]), matrix(3)));
        calls.push(format!("subscription_survival({}, x)", text(&["alpha", "beta"])));
        calls.push(format!("subscription_retention({}, x)", text(&["alpha", "beta"])));
        let columns: Vec<String> = calls.iter().enumerate().map(|(number, call)| format!("{call} AS c{number}")).collect();
        let found = run(&engine, &session, &format!("SELECT {} FROM rows", columns.join(", ")));
        for (call, column) in calls.iter().zip(found.columns()) {
            for value in column.as_primitive::<Float64Type>().iter().flatten() {
                prop_assert!(value.is_finite(), "{call}: {value}");
                let is_share = call.starts_with("p_") || call.starts_with("subscription_");
                prop_assert!(!is_share || (0.0..=1.0).contains(&value), "{call}: {value}");
            }
        }
    }

    #[test]
    fn quantiles_auc_and_gini_stay_in_their_ranges(values in prop::collection::vec((extreme(), any::<bool>(), 0..4_i64), 1..30)) {
        let engine = engine_with(1);
        let session = engine.session();
        let columns: [(&str, ArrayRef); 3] = [
            ("v", Arc::new(values.iter().map(|row| Some(row.0)).collect::<Float64Array>())),
            ("p", Arc::new(values.iter().map(|row| Some(row.1)).collect::<BooleanArray>())),
            ("n", Arc::new(values.iter().map(|row| Some(row.2)).collect::<Int64Array>())),
        ];
        session.register_batch("rows", RecordBatch::try_from_iter(columns).expect("one length")).expect("a fresh session");
        let found = run(&engine, &session, "SELECT auc(v, p, n) AS a, gini(v, n) AS g, quantiles(v, [0, 0.25, 0.5, 1], n) AS q FROM rows");
        for share in [0, 1].map(|column| found.column(column).as_primitive::<Float64Type>()) {
            prop_assert!(share.iter().flatten().all(|share| (0.0..=1.0).contains(&share)), "{share:?}");
        }
        let cuts = found.column(2).as_list::<i32>();
        if cuts.is_valid(0) {
            let cuts = cuts.value(0);
            let cuts = cuts.as_primitive::<Float64Type>().values();
            prop_assert!(cuts.is_sorted() && cuts.iter().all(|cut| cut.is_finite()), "{cuts:?}");
        }
    }
}
