//! From a raw log to the published parameters in one query, where the data is at hand (`STAMMKUNDE_SHARED`, or `../shared`).

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{Float64Type, Int64Type};
use datafusion::prelude::SessionContext;
use stammkunde::engine::Engine;

use super::reference::shared;
use super::support::engine;

/// A comma-separated file as a table of texts.
fn register(session: &SessionContext, name: &str, text: &str) {
    let mut lines = text.trim().lines().map(|line| line.trim().split(',').collect::<Vec<_>>());
    let header = lines.next().expect("a header");
    let rows: Vec<Vec<&str>> = lines.collect();
    let columns = header.iter().enumerate().map(|(position, column)| {
        let cells: StringArray = rows.iter().map(|row| row.get(position).copied()).collect();
        (*column, Arc::new(cells) as ArrayRef)
    });
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    session.register_batch(name, batch).expect("a fresh session");
}

fn run(engine: &Engine, session: &SessionContext, sql: &str) -> RecordBatch {
    let batches = engine.collect(engine.plan(session, sql).expect(sql)).expect(sql);
    arrow::compute::concat_batches(&batches[0].schema(), &batches).expect("one schema")
}

/// One customer a row, from the purchases of the first 39 weeks; the first purchase is no part of the spend.
const CDNOW: &str = "WITH days AS (
    SELECT cust, CAST(\"date\" AS DATE) AS day, sum(CAST(sales AS DECIMAL(18, 4))) AS spend
    FROM log WHERE CAST(\"date\" AS DATE) <= DATE '1997-09-30' GROUP BY 1, 2
), totals AS (
    SELECT cust, count(*) - 1 AS x, min(day) AS first_day, max(day) AS last_day, sum(spend) AS spend,
        first_value(spend ORDER BY day) AS first_spend
    FROM days GROUP BY cust
), customers AS (
    SELECT cust, x, CAST(last_day - first_day AS BIGINT) AS recency_days, CAST(DATE '1997-09-30' - first_day AS BIGINT) AS age_days,
        (spend - first_spend) / nullif(x, 0) AS mean_spend
    FROM totals
), models AS (
    SELECT purchase_fit('nbd', x, recency_days, age_days) AS f FROM customers
    UNION ALL SELECT purchase_fit('bg_nbd', x, recency_days, age_days) FROM customers
    UNION ALL SELECT purchase_fit('mbg_nbd', x, recency_days, age_days) FROM customers
    UNION ALL SELECT purchase_fit('pareto_nbd', x, recency_days, age_days) FROM customers
    UNION ALL SELECT spend_fit(x, mean_spend) FROM customers
), parameters AS (
    SELECT f['model_name'] AS model_name, f['params'] AS params, f['standard_errors'] AS standard_errors, f['covariance'] AS covariance,
        f['log_likelihood'] AS log_likelihood, f['n'] AS n, f['model_status'] AS model_status, f['converged'] AS converged
    FROM models
)";

/// Model, customers, log-likelihood, parameters and standard errors at the optimum (R, lifetimes and clvkit agree to the digits they give).
type Expected<'a> = (&'a str, i64, f64, &'a [f64], &'a [f64]);

const EXPECTED: [Expected; 5] = [
    (
        "bg_nbd",
        2357,
        -9_582.429_207,
        &[0.242_594_5, 4.413_602_0, 0.792_922_0, 2.425_906_8],
        &[0.012_56, 0.378_22, 0.185_73, 0.705_41],
    ),
    (
        "gamma_gamma",
        946,
        -4_055.917_695,
        &[6.249_572_3, 3.744_224_7, 15.443_521_0],
        &[1.190_09, 0.290_14, 4.159_56],
    ),
    (
        "mbg_nbd",
        2357,
        -9_582.135_716,
        &[0.524_843_2, 6.183_085_3, 0.891_359_4, 1.614_002_2],
        &[0.083_27, 0.695_62, 0.154_79, 0.537_49],
    ),
    ("nbd", 2357, -9_763.657_615, &[0.384_766_14, 12.072_022_84], &[0.020_98, 0.808_72]),
    (
        "pareto_nbd",
        2357,
        -9_594.976_179,
        &[0.553_277_0, 10.577_683_5, 0.606_240_0, 11.668_735_3],
        &[0.047_63, 0.842_72, 0.187_28, 6.211_19],
    ),
];

fn near(found: f64, expected: f64, relative: f64) -> bool {
    (found - expected).abs() <= relative * expected.abs()
}

/// The numbers of a JSON object in its order.
fn numbers(text: &str) -> Vec<f64> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).expect("a JSON object");
    object.values().map(|value| value.as_f64().expect("a number")).collect()
}

fn assert_fits(found: &RecordBatch, expected: &[Expected]) {
    assert_eq!(found.num_rows(), expected.len());
    let text = |column: usize, row: usize| found.column(column).as_string::<i32>().value(row);
    for (row, (name, customers, log_likelihood, params, errors)) in expected.iter().enumerate() {
        assert_eq!(text(0, row), *name);
        assert_eq!(found.column(5).as_primitive::<Int64Type>().value(row), *customers, "{name}");
        assert_eq!(text(6, row), "ok", "{name}");
        assert!(found.column(7).as_boolean().value(row), "{name} has converged");
        let likelihood = found.column(4).as_primitive::<Float64Type>().value(row);
        assert!((likelihood - log_likelihood).abs() < 1e-4, "{name}: {likelihood}");
        for (what, column, expected, relative) in [("params", 1, params, 1e-3), ("standard errors", 2, errors, 1e-2)] {
            let given = numbers(text(column, row));
            let agree = given.len() == expected.len()
                && given
                    .iter()
                    .zip(*expected)
                    .all(|(&given, &expected)| near(given, expected, relative));
            assert!(agree, "{name}: {what} are {given:?}");
        }
    }
}

#[test]
fn one_query_goes_from_the_cdnow_log_to_the_published_parameters() {
    let Some(path) = shared("cdnow_sample.csv") else { return };
    let (engine, text) = (engine(), std::fs::read_to_string(path).expect("the file is readable"));
    let session = engine.session();
    register(&session, "log", &text);
    let found = run(
        &engine,
        &session,
        &format!(
            "{CDNOW} SELECT model_name, params, standard_errors, covariance, log_likelihood, n, model_status, converged FROM parameters ORDER BY 1"
        ),
    );
    assert_fits(&found, &EXPECTED);
}

#[test]
fn predictions_from_the_cdnow_log_are_the_published_ones() {
    let Some(path) = shared("cdnow_sample.csv") else { return };
    let (engine, text) = (engine(), std::fs::read_to_string(path).expect("the file is readable"));
    let session = engine.session();
    register(&session, "log", &text);
    let sql = format!(
        "{CDNOW}, scored AS (
            SELECT p.model_name, c.cust,
                p_alive(p.model_name, p.params, x, recency_days, age_days) AS alive,
                p_no_purchase(p.model_name, p.params, x, recency_days, age_days, 273) AS silent,
                expected_purchases(p.model_name, p.params, x, recency_days, age_days, 273) AS expected,
                discounted_purchases(p.model_name, p.params, x, recency_days, age_days, 364, 0.1) AS discounted
            FROM customers AS c CROSS JOIN parameters AS p WHERE p.model_name IN ('bg_nbd', 'mbg_nbd', 'pareto_nbd')
        )
        SELECT model_name, max(alive) FILTER (WHERE cust = '1') AS alive_1, max(expected) FILTER (WHERE cust = '1') AS expected_1,
            max(silent) FILTER (WHERE cust = '1') AS silent_1, max(expected) FILTER (WHERE cust = '157') AS expected_157,
            sum(expected) AS expected_sum, sum(discounted) AS discounted_sum
        FROM scored GROUP BY model_name ORDER BY model_name"
    );
    let found = run(&engine, &session, &sql);
    let expected = [
        [0.726_620_31, 1.225_994_46, 0.445_372, 20.055_249_27, 1_653.408_7, 2_000.672_48],
        [0.706_138_48, 1.262_758_85, 0.440_060, 18.951_872_07, 1_576.728, 1_896.866_50],
        [0.869_134_26, 1.455_201_70, 0.408_074, 19.595_849_25, 1_665.513, 2_019.994_58],
    ];
    for (row, expected) in expected.iter().enumerate() {
        for (column, expected) in expected.iter().enumerate() {
            let found = found.column(column + 1).as_primitive::<Float64Type>().value(row);
            // Years have 365.2425 days here and 52 weeks there: 1e-4 in the discounted sum.
            let relative = if column == 5 { 1e-3 } else { 1e-5 };
            assert!(
                near(found, *expected, relative),
                "row {row}, column {column}: {found} instead of {expected}"
            );
        }
    }
    let sql = format!(
        "{CDNOW} SELECT sum(discounted_purchases_residual(p.params, x, recency_days, age_days, exp(0.0027 * 365.2425 / 7) - 1)) AS dert,
            sum(CASE WHEN cust = '1' THEN expected_spend(g.params, x, mean_spend) END) AS spend_1,
            sum(CASE WHEN cust = '3' THEN expected_spend(g.params, x, mean_spend) END) AS spend_3
        FROM customers CROSS JOIN (SELECT params FROM parameters WHERE model_name = 'pareto_nbd') AS p
        CROSS JOIN (SELECT params FROM parameters WHERE model_name = 'gamma_gamma') AS g"
    );
    let found = run(&engine, &session, &sql);
    for (column, expected) in [7_185.972_2, 24.653_918_7, 35.170_371_3].iter().enumerate() {
        let found = found.column(column).as_primitive::<Float64Type>().value(0);
        assert!(near(found, *expected, 1e-5), "column {column}: {found} instead of {expected}");
    }
}

#[test]
fn donations_give_the_published_parameters_of_bg_bb() {
    let Some(path) = shared("donations_bgbb.csv") else { return };
    let (engine, text) = (engine(), std::fs::read_to_string(path).expect("the file is readable"));
    let session = engine.session();
    register(&session, "donors", &text);
    let sql = "WITH m AS (SELECT purchase_fit('bg_bb', CAST(frequency AS BIGINT), CAST(recency AS BIGINT), CAST(periods AS BIGINT), \
        CAST(weights AS BIGINT)) AS f FROM donors) SELECT f['params'] AS p, f['log_likelihood'] AS l, f['n'] AS n, \
        expected_purchases('bg_bb', f['params'], 4, 5, 6, 10) AS next, expected_purchases_new('bg_bb', f['params'], 10) AS first FROM m";
    let found = run(&engine, &session, sql);
    let given = numbers(found.column(0).as_string::<i32>().value(0));
    let expected = [1.203_522_4, 0.749_716_4, 0.656_718_2, 2.783_442_2];
    assert!(
        given.iter().zip(expected).all(|(&given, expected)| near(given, expected, 1e-3)),
        "{given:?}"
    );
    let number = |column: usize| found.column(column).as_primitive::<Float64Type>().value(0);
    assert!((number(1) + 33_225.581_274).abs() < 1e-4, "{}", number(1));
    assert_eq!(found.column(2).as_primitive::<Int64Type>().value(0), 11_104);
    assert!(near(number(3), 3.627_968, 1e-5) && near(number(4), 3.179_829, 1e-5), "{found:?}");
}

#[test]
fn renewals_give_the_published_parameters_of_sbg() {
    // Fader and Hardie (2007): of 1,000 customers so many are left after each of seven renewals.
    let (engine, left) = (engine(), [1000, 631, 468, 382, 326, 289, 262, 241]);
    let ended: Vec<String> = (1..8)
        .map(|period| format!("({period}, true, {})", left[period - 1] - left[period]))
        .collect();
    let sql = format!(
        "WITH m AS (SELECT subscription_fit(periods, is_ended, customers) AS f FROM (VALUES {}, (7, false, 241)) AS t(periods, is_ended, customers)) \
         SELECT f['params'] AS p, f['log_likelihood'] AS l, f['n'] AS n, subscription_survival(f['params'], 12) AS s, \
         subscription_retention(f['params'], 1) AS r FROM m",
        ended.join(", ")
    );
    let found = run(&engine, &engine.session(), &sql);
    let given = numbers(found.column(0).as_string::<i32>().value(0));
    assert!(near(given[0], 0.704_08, 1e-3) && near(given[1], 1.182_04, 1e-3), "{given:?}");
    let number = |column: usize| found.column(column).as_primitive::<Float64Type>().value(0);
    assert!((number(1) + 1_680.265_2).abs() < 1e-4, "{}", number(1));
    assert_eq!(found.column(2).as_primitive::<Int64Type>().value(0), 1000);
    assert!(near(number(3), 0.170_037, 1e-4) && near(number(4), 0.6267, 1e-3), "{found:?}");
}
