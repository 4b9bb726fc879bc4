//! Published and independently computed values of the customer models, reproduced from raw transaction logs through the SQL models of
//! `pipelines/transactions`. The logs and the values lie beside the project; where they are absent the tests say so.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use stammkunde::Spec;
use stammkunde::config::pipeline::Setting;
use stammkunde::config::spec::SqlFile;
use stammkunde::engine::Engine;
use stammkunde::model::{self, Table, Tables};
use stammkunde::table::RecordKind;

use super::reference::{keyed, mapped, online_retail, parquet, shared};
use super::support::{day, engine, rows, standard_spec};

const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines/transactions");

/// The log as `raw`, every column text.
fn raw(text: &str) -> RecordBatch {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let mut columns: Vec<Vec<&str>> = vec![Vec::new(); names.len()];
    for line in lines {
        for (column, value) in columns.iter_mut().zip(line.split(',')) {
            column.push(value);
        }
    }
    let fields: Vec<Field> = names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
    let arrays: Vec<ArrayRef> = columns
        .into_iter()
        .map(|column| Arc::new(StringArray::from(column)) as ArrayRef)
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("columns of one length")
}

/// What a run of `pipelines/transactions` would hand to the models, with the customer number as key.
fn log(engine: &Engine, name: &str) -> Option<Tables> {
    let text = std::fs::read_to_string(shared(name)?).expect("the log is readable");
    let raw = [raw(&text)];
    let contacts = mapped(engine, &raw, "transactions", RecordKind::Contacts);
    let orders = mapped(engine, &raw, "transactions", RecordKind::Orders);
    let customers = keyed(&contacts, RecordKind::Contacts, "record_id");
    let mut identities = Vec::new();
    for batch in &customers.batches {
        let column = |name: &str| Arc::clone(batch.column_by_name(name).expect("a column of contacts"));
        let columns = [
            ("customer_key", column("customer_key")),
            ("source", column("source")),
            ("record_id", column("record_id")),
        ];
        identities.push(RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).expect("three columns"));
    }
    Some(Tables::from([
        (
            "identities".to_owned(),
            Table {
                schema: identities[0].schema(),
                batches: identities,
            },
        ),
        ("orders".to_owned(), keyed(&orders, RecordKind::Orders, "contact_record_id")),
        ("customers".to_owned(), customers),
    ]))
}

fn project(settings: &[(&str, f64)]) -> Spec {
    let mut spec = standard_spec();
    let path = "models/customer_forecasts.sql";
    let text = std::fs::read_to_string(Path::new(PROJECT).join(path)).expect("the model is part of the project");
    spec.models.push(SqlFile {
        name: "customer_forecasts".to_owned(),
        path: path.to_owned(),
        text,
    });
    spec.settings = BTreeMap::from([("count_free_orders".to_owned(), Setting::Boolean(true))]);
    for (name, value) in settings {
        spec.settings.insert((*name).to_owned(), Setting::Number(*value));
    }
    spec
}

/// Builds these models and what they read, and asks the audits.
fn build(engine: &Engine, spec: &Spec, select: &[&str], as_of: &str, base: &Tables) -> Tables {
    let select: Vec<String> = select.iter().map(|name| format!("+{name}")).collect();
    let models = model::order(engine, spec, &select, &[]).expect("the models have an order");
    let mut tables = model::build(engine, spec, &models, day(as_of), base).expect("the models build");
    tables.extend(base.clone());
    let audits = model::audit(engine, spec, day(as_of), &tables).expect("the audits run");
    assert_eq!(audits.into_iter().filter(|result| result.rows > 0).collect::<Vec<_>>(), Vec::new());
    tables
}

fn golden(name: &str) -> Option<serde_json::Value> {
    let text = std::fs::read_to_string(shared(&format!("golden/{name}"))?).expect("the values are readable");
    // Python writes what is no number as NaN, which is no JSON.
    Some(serde_json::from_str(&text.replace(": NaN", ": null")).expect("JSON"))
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is no number"))
}

#[track_caller]
fn near(what: &str, actual: f64, expected: f64, tolerance: f64) {
    assert!((actual - expected).abs() <= tolerance, "{what}: {actual} instead of {expected}");
}

#[track_caller]
fn near_relative(what: &str, actual: f64, expected: f64, tolerance: f64) {
    near(what, actual, expected, tolerance * expected.abs());
}

const MODELS: [(&str, &str); 4] = [
    ("bg_nbd", "BG/NBD"),
    ("mbg_nbd", "MBG/NBD"),
    ("pareto_nbd", "Pareto/NBD"),
    ("gamma_gamma", "Gamma-Gamma"),
];

/// The row of each model by name.
fn by_model(table: &Table, columns: &[&str]) -> BTreeMap<String, Vec<String>> {
    let mut with_name = vec!["model_name"];
    with_name.extend(columns);
    let named = rows(table, &with_name).into_iter();
    named.map(|mut row| (row.remove(0), row)).collect()
}

#[track_caller]
fn same_fits(tables: &Tables, golden: &serde_json::Value) {
    let columns = [
        "log_likelihood",
        "params",
        "standard_errors",
        "gradient_max",
        "converged",
        "model_status",
        "aic",
    ];
    let found = by_model(&tables["model_scorecard"], &columns);
    for (name, title) in MODELS {
        let (row, expected) = (&found[name], &golden["models"][title]);
        let value = |field: &serde_json::Value| field.as_f64().expect("a number");
        near(name, number(&row[0]), value(&expected["loglik"]), 1e-4);
        for (column, field, tolerance) in [(1, "params", 1e-4), (2, "se", 2e-3)] {
            let actual: serde_json::Value = serde_json::from_str(&row[column]).expect("JSON");
            let wanted = expected[field].as_object().expect("an object");
            assert_eq!(actual.as_object().expect("an object").len(), wanted.len(), "{name} {field}");
            for (parameter, wanted) in wanted {
                near_relative(
                    &format!("{name} {field} {parameter}"),
                    value(&actual[parameter]),
                    value(wanted),
                    tolerance,
                );
            }
        }
        assert!(number(&row[3]) < 1e-7, "{name}: gradient {}", row[3]);
        assert_eq!((row[4].as_str(), row[5].as_str()), ("true", "ok"), "{name}");
        if let Some(aic) = expected["aic"].as_f64() {
            near(name, number(&row[6]), aic, 1e-3);
        }
    }
}

/// Compares forecasts of every customer with the golden table: probability of being alive and expected purchases by model, and spend.
#[track_caller]
fn same_forecasts(tables: &Tables, golden: &str) {
    let columns = [
        "cust",
        "model_name",
        "p_alive",
        "expected_purchases",
        "expected_spend",
        "repeat_purchases_count",
        "recency_weeks",
        "age_weeks",
    ];
    let mut found: BTreeMap<(i64, String), Vec<f64>> = BTreeMap::new();
    for row in rows(&tables["customer_forecasts"], &columns) {
        let values = row[2..].iter().map(|text| number(text)).collect();
        found.insert((row[0].parse().expect("a customer number"), row[1].clone()), values);
    }
    let expected = parquet(golden).expect("the log is there, so its values are");
    let columns = [
        "cust",
        "x",
        "tx",
        "T",
        "egg",
        "palive_bg",
        "cet_bg",
        "palive_mbg",
        "cet_mbg",
        "palive_p",
        "cet_p",
    ];
    let expected = rows(&expected, &columns);
    assert_eq!(found.len(), expected.len() * 4);
    for row in expected {
        let cust: i64 = row[0].parse().expect("a customer number");
        let wanted: Vec<f64> = row[1..].iter().map(|text| number(text)).collect();
        for (model, at) in [("bg_nbd", 4), ("mbg_nbd", 6), ("pareto_nbd", 8)] {
            let actual = &found[&(cust, model.to_owned())];
            near(&format!("x of {cust}"), actual[3], wanted[0], 0.0);
            near(&format!("t_x of {cust}"), actual[4], wanted[1], 1e-9);
            near(&format!("T of {cust}"), actual[5], wanted[2], 1e-9);
            near(&format!("{model} P(alive) of {cust}"), actual[0], wanted[at], 1e-5);
            near_relative(&format!("{model} purchases of {cust}"), actual[1], wanted[at + 1], 1e-5);
            near_relative(&format!("spend of {cust}"), actual[2], wanted[3], 1e-5);
        }
    }
}

/// Compares the holdout of the scorecard with golden figures of totals, errors, correlation and of churn.
#[track_caller]
fn same_holdout(tables: &Tables, golden: &serde_json::Value, churn: &serde_json::Value) {
    let columns = [
        "holdout_actual",
        "holdout_predicted",
        "holdout_mae",
        "holdout_rmse",
        "holdout_correlation",
        "holdout_auc",
        "holdout_brier",
        "holdout_calibration_error",
        "holdout_bias",
    ];
    let found = by_model(&tables["model_scorecard"], &columns);
    for (name, title) in &MODELS[..3] {
        let actual: Vec<f64> = found[*name].iter().map(|text| number(text)).collect();
        let (holdout, churn) = (&golden["models"][title]["holdout"], &churn[title]);
        let fields = ["actual_total", "pred_total", "mae", "rmse", "pearson"].map(|field| &holdout[field]);
        let fields = fields.into_iter().chain(["auc", "brier", "ece10"].map(|field| &churn[field]));
        for ((actual, expected), column) in actual.iter().zip(fields).zip(columns) {
            near_relative(&format!("{name} {column}"), *actual, expected.as_f64().expect("a number"), 1e-5);
        }
        near(name, actual[8], holdout["total_err_pct"].as_f64().expect("a number") / 100.0, 1e-6);
    }
    let rate: Vec<f64> = found["rate_rule"][..5].iter().map(|text| number(text)).collect();
    let fields = ["actual_total", "pred_total", "mae", "rmse", "pearson"];
    for (actual, field) in rate.iter().zip(fields) {
        near_relative(field, *actual, golden["baseline_rate"][field].as_f64().expect("a number"), 1e-6);
    }
}

#[test]
fn fits_and_forecasts_of_cdnow_are_those_of_the_literature() {
    let engine = engine();
    let Some(base) = log(&engine, "cdnow_sample.csv") else { return };
    let golden = golden("cdnow_sample.json").expect("the log is there, so its values are");
    let spec = project(&[("horizon_days", 273.0)]);
    let tables = build(&engine, &spec, &["customer_forecasts"], "1997-09-30", &base);
    same_fits(&tables, &golden);
    same_forecasts(&tables, "golden/cdnow_sample_scored.parquet");

    let chosen = rows(&tables["model_scorecard"], &["model_name", "is_chosen"]);
    let chosen: Vec<&str> = chosen.iter().filter(|row| row[1] == "true").map(|row| row[0].as_str()).collect();
    assert_eq!(chosen, ["gamma_gamma", "mbg_nbd"]);

    let nbd = &by_model(&tables["model_scorecard"], &["params", "log_likelihood", "standard_errors"])["nbd"];
    let params: serde_json::Value = serde_json::from_str(&nbd[0]).expect("JSON");
    let errors: serde_json::Value = serde_json::from_str(&nbd[2]).expect("JSON");
    near_relative("r", params["r"].as_f64().expect("a number"), 0.384_766_14, 1e-5);
    near_relative("alpha", params["alpha"].as_f64().expect("a number"), 12.072_022_84, 1e-5);
    near_relative("se of r", errors["r"].as_f64().expect("a number"), 0.020_98, 1e-3);
    near_relative("se of alpha", errors["alpha"].as_f64().expect("a number"), 0.808_72, 1e-3);
    near("nbd", number(&nbd[1]), -9_763.657_615, 1e-4);
}

#[test]
fn probabilities_and_discounted_purchases_of_cdnow_are_reproduced() {
    let engine = engine();
    let Some(base) = log(&engine, "cdnow_sample.csv") else { return };
    // The reference discounts by ln(1.1) / 52 a week; here a year has 365.2425 days.
    let rate = 1.1_f64.powf(365.2425 / 7.0 / 52.0) - 1.0;
    let spec = project(&[("horizon_days", 273.0), ("discount_rate_annual", rate)]);
    let tables = build(&engine, &spec, &["customer_forecasts"], "1997-09-30", &base);
    let columns = [
        "cust",
        "model_name",
        "p_no_purchase",
        "discounted_purchases_52w",
        "discounted_purchases_156w",
    ];
    let mut found = BTreeMap::new();
    let mut sums: BTreeMap<String, [f64; 2]> = BTreeMap::new();
    for row in rows(&tables["customer_forecasts"], &columns) {
        let values: Vec<f64> = row[2..].iter().map(|text| number(text)).collect();
        let sum = sums.entry(row[1].clone()).or_default();
        sum[0] += values[1];
        sum[1] += values[2];
        found.insert((row[0].clone(), row[1].clone()), values);
    }
    let expected = [
        ("1", [0.445_372, 0.440_060, 0.408_074]),
        ("2", [0.883_194, 0.895_090, 0.913_355]),
        ("3", [0.855_665, 0.891_197, 0.930_728]),
        ("6", [0.364_280, 0.383_020, 0.311_304]),
        ("157", [0.030_779, 0.034_062, 0.023_420]),
        ("1516", [0.031_146, 0.034_515, 0.023_863]),
    ];
    for (cust, wanted) in expected {
        for (model, wanted) in ["bg_nbd", "mbg_nbd", "pareto_nbd"].into_iter().zip(wanted) {
            let actual = found[&(cust.to_owned(), model.to_owned())][0];
            near(&format!("{model} {cust}"), actual, wanted, 1e-6);
        }
    }
    let golden = golden("cdnow_sample_det.json").expect("the log is there, so its values are");
    for (model, title) in &MODELS[..3] {
        for (position, horizon) in ["52wk", "156wk"].into_iter().enumerate() {
            let expected = &golden[format!("{title} h={horizon} d=10%/yr")];
            let sum = expected["sum_det"].as_f64().expect("a number");
            near_relative(&format!("{model} {horizon}"), sums[*model][position], sum, 1e-5);
        }
    }
}

#[test]
fn the_holdout_of_cdnow_comes_out_as_in_the_literature() {
    let engine = engine();
    let Some(base) = log(&engine, "cdnow_sample.csv") else { return };
    let (figures, churn) = (golden("cdnow_sample.json"), golden("cdnow_sample_churn.json"));
    let (figures, churn) = (figures.expect("values"), churn.expect("values"));
    // By default the holdout is half of the log: 39 of 78 weeks.
    let tables = build(&engine, &project(&[]), &["model_scorecard"], "1998-06-30", &base);
    same_holdout(&tables, &figures, &churn);
    let columns = [
        "holdout_days",
        "calibration_date",
        "holdout_revenue_actual",
        "holdout_revenue_predicted",
        "holdout_auc",
    ];
    let found = by_model(&tables["model_scorecard"], &columns);
    let bg = &found["bg_nbd"];
    assert_eq!(
        (bg[0].as_str(), bg[1].as_str(), bg[2].as_str()),
        ("273", "1997-09-30", "70976.3900")
    );
    let value = &figures["holdout_value_bg_gg"];
    near_relative("revenue", number(&bg[3]), value["pred"].as_f64().expect("a number"), 1e-5);
    // Plain recency ranks as well as any model: models are for calibrated numbers and money.
    near("recency", number(&found["recency_rule"][4]), 0.771, 1e-3);
}

#[test]
fn fits_forecasts_and_the_holdout_of_apparel_are_reproduced() {
    let engine = engine();
    let Some(base) = log(&engine, "apparel_trans.csv") else { return };
    let (figures, churn) = (golden("apparel.json"), golden("apparel_churn.json"));
    let (figures, churn) = (figures.expect("values"), churn.expect("values"));
    let tables = build(
        &engine,
        &project(&[("horizon_days", 1450.0)]),
        &["customer_forecasts"],
        "2006-12-31",
        &base,
    );
    same_fits(&tables, &figures);
    same_forecasts(&tables, "golden/apparel_scored.parquet");
    let tables = build(
        &engine,
        &project(&[("holdout_days", 1450.0)]),
        &["model_scorecard"],
        "2010-12-20",
        &base,
    );
    same_holdout(&tables, &figures, &churn);
}

#[test]
fn a_shop_whose_orders_do_not_show_who_leaves_gets_no_probability_of_being_alive() {
    let engine = engine();
    let Some(base) = online_retail(&engine) else { return };
    let mut spec = standard_spec();
    spec.currency = "GBP".to_owned();
    let tables = build(&engine, &spec, &["customer_churn", "customer_clv"], "2011-08-31", &base);
    let found = by_model(&tables["model_scorecard"], &["model_status", "is_chosen", "note"]);
    for model in ["bg_nbd", "mbg_nbd", "pareto_nbd"] {
        assert_eq!(found[model][..2], ["no_dropout_identified", "false"], "{model}");
    }
    assert_eq!(
        found["nbd"],
        ["ok", "true", "log_may_start_late"],
        "the file begins with customers who were there before"
    );
    let churn = rows(
        &tables["customer_churn"],
        &["orders_count", "p_alive", "p_no_purchase_12m", "model_name", "model_status"],
    );
    let buyers: Vec<_> = churn.iter().filter(|row| row[0] != "0").collect();
    assert_eq!(buyers.len(), 3_317);
    for row in buyers {
        assert_eq!(
            (row[1].as_str(), row[3].as_str(), row[4].as_str()),
            ("", "nbd", "no_dropout_identified")
        );
        assert!((0.0..1.0).contains(&number(&row[2])), "{row:?}");
    }
    let values = rows(
        &tables["customer_clv"],
        &["orders_count", "horizon_days", "clv_residual_36m", "purchase_model"],
    );
    for row in values.iter().filter(|row| row[0] != "0") {
        assert_eq!((row[1].as_str(), row[3].as_str()), ("1096", "nbd"), "a finite horizon only");
        assert!(number(&row[2]) >= 0.0, "{row:?}");
    }
}
