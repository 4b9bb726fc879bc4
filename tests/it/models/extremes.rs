//! Functions over customer models at the ends of what numbers can be: nothing is NaN, infinite or outside its range.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch};
use arrow::datatypes::Float64Type;
use proptest::prelude::*;
use stammkunde::clv::PurchaseModel;

use super::functions::run;
use super::support::engine_with;

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
    #![proptest_config(ProptestConfig::with_cases(24))]

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
    fn no_fit_is_nan_or_infinite(
        rows in prop::collection::vec((0..3_u32, any::<u32>(), any::<u32>(), any::<u32>(), extreme(), any::<bool>()), 0..40),
        weight in prop_oneof![Just(1_i64), Just(1000), Just(i64::from(u32::MAX)), Just(i64::MAX)],
    ) {
        let engine = engine_with(1);
        let session = engine.session();
        let number = |scale: u32, value: u32| i64::from(value >> [0, 20, 26][scale as usize]);
        let columns: [(&str, ArrayRef); 5] = [
            ("x", Arc::new(rows.iter().map(|row| Some(number(row.0, row.1))).collect::<Int64Array>())),
            ("t", Arc::new(rows.iter().map(|row| Some(number(row.0, row.2.min(row.3)))).collect::<Int64Array>())),
            ("age", Arc::new(rows.iter().map(|row| Some(number(row.0, row.3))).collect::<Int64Array>())),
            ("m", Arc::new(rows.iter().map(|row| Some(row.4)).collect::<Float64Array>())),
            ("e", Arc::new(rows.iter().map(|row| Some(row.5)).collect::<BooleanArray>())),
        ];
        session.register_batch("rows", RecordBatch::try_from_iter(columns).expect("one length")).expect("a fresh session");
        let mut calls: Vec<String> = PurchaseModel::ALL.map(|model| format!("purchase_fit('{}', x, t, age, {weight})", model.name())).into();
        calls.extend([format!("spend_fit(x, m, {weight})"), format!("subscription_fit(x, e, {weight})")]);
        let fits: Vec<String> = calls.iter().map(|call| format!("SELECT {call} AS f FROM rows")).collect();
        let sql = format!(
            "WITH m AS ({}) SELECT f['log_likelihood'] AS l, f['gradient_max'] AS g, f['params'] AS p, f['covariance'] AS c, f['model_status'] AS s FROM m",
            fits.join(" UNION ALL ")
        );
        let found = run(&engine, &session, &sql);
        prop_assert_eq!(found.num_rows(), calls.len());
        for column in [0, 1] {
            let values = found.column(column).as_primitive::<Float64Type>();
            prop_assert!(values.iter().flatten().all(f64::is_finite), "{:?}", values);
        }
        for column in [2, 3] {
            let texts = found.column(column).as_string::<i32>();
            prop_assert!(texts.iter().flatten().all(|text| serde_json::from_str::<serde_json::Value>(text).is_ok()), "{:?}", texts);
        }
        prop_assert_eq!(found.column(4).null_count(), 0, "every fit says what it is worth");
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
