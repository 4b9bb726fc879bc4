//! The report and the data dictionary: published with every version, made again with the same bytes, and silent about people.

use std::collections::BTreeMap;

use serde_json::Value;

use super::support::{Project, rows};

fn page(project: &Project, out: &str, arguments: &[&str]) -> String {
    let path = project.path().join(out).to_string_lossy().into_owned();
    let command = if out.starts_with("docs") { "docs" } else { "report" };
    project.call(command, &[&["--out", &path], arguments].concat()).ends_with(0);
    project.read(out)
}

/// What the page says instead of charts and tables.
fn absent(page: &str) -> Vec<String> {
    let part = |after: &str| {
        after
            .split("</p>")
            .next()
            .unwrap_or_default()
            .replace("<h3>", "")
            .replace("</h3><p>", ": ")
    };
    page.split(" class=\"absent\">").skip(1).map(part).collect()
}

/// Tables that the report charts, in their smallest form: name, and the rows as SQL.
const CHARTED: [(&str, &str); 13] = [
    (
        "customer_clv",
        "SELECT customer_key, CAST(12.5 AS DECIMAL(18, 4)) AS clv_residual_12m, CAST(250 AS DECIMAL(18, 4)) AS clv_historical_net, 3 AS orders_count, \
         'gold' AS clv_tier FROM customers",
    ),
    (
        "clv_tiers",
        "SELECT 'gold' AS clv_tier, 24 AS customers_count, 1.0 AS customers_share, 6000 AS clv_historical_net, 300 AS clv_residual_12m, 6900 AS value, \
         1.0 AS value_share, 287.5 AS avg_value",
    ),
    (
        "personas",
        "SELECT 1 AS persona_id, 'frequent' AS persona_label, 24 AS customers_count, 1.0 AS customers_share, 30.0 AS avg_days_since_last_order, \
         3.0 AS avg_orders_count, 25.0 AS avg_order_value",
    ),
    (
        "feedback_monthly",
        "SELECT make_date(2026, CAST(n AS INT), 1) AS month, 20 AS nps_answers_count, 30.0 + n AS nps, 6.0 AS nps_standard_error, \
         10 AS csat_answers_count, 0.8 AS csat_share FROM (SELECT unnest(generate_series(1, 10)) AS n) AS numbers",
    ),
    (
        "churn_rate_by_group",
        "SELECT DATE '2026-10-31' AS month_end, 'segment' AS dimension, 'at_risk' AS value, 10 AS customers_opening, 4 AS customers_lost, \
         6 AS customers_closing, 0.5 AS churn_rate",
    ),
    (
        "clv_distribution",
        "SELECT n AS percentile, power(n / 100.0, 3) AS value_share, 0.5 AS gini FROM (SELECT unnest(generate_series(0, 100)) AS n) AS numbers",
    ),
    (
        "customer_segments",
        "SELECT customer_key, 5 AS rfm_recency, 4 AS rfm_frequency, 'champions' AS segment FROM customers",
    ),
    (
        "segment_transitions",
        "SELECT DATE '2026-10-31' AS month_end, 'champions' AS from_segment, 'at_risk' AS to_segment, count(*) AS customers_count FROM customers",
    ),
    (
        "purchase_survival",
        "SELECT 'next_order' AS curve, n * 7 AS days_since, exp(-n / 50.0) AS survival, exp(-n / 45.0) AS survival_lower, exp(-n / 55.0) AS survival_upper \
         FROM (SELECT unnest(generate_series(0, 100)) AS n) AS numbers",
    ),
    (
        "model_scorecard",
        "SELECT 'mbg_nbd' AS model_name, true AS is_chosen, 'ok' AS model_status, 24 AS n, -123.5 AS log_likelihood, 255.0 AS aic, true AS converged, \
         -0.05 AS holdout_bias, 0.4 AS holdout_mae, 0.6 AS holdout_correlation, 0.8 AS holdout_auc, 0.15 AS holdout_brier, \
         0.02 AS holdout_calibration_error, '{\"r\":0.5}' AS params, '{\"r\":0.1}' AS standard_errors",
    ),
    (
        "model_calibration",
        "SELECT 'mbg_nbd' AS model_name, n AS bin, 10 AS customers_count, n / 10.0 AS predicted_share, n / 11.0 AS observed_share \
         FROM (SELECT unnest(generate_series(1, 10)) AS n) AS numbers",
    ),
    (
        "churn_rate_monthly",
        "SELECT make_date(2026, CAST(n AS INT), 1) AS month_end, 10 AS customers_opening, 1 AS customers_lost, 3 AS customers_new, \
         1 AS customers_reactivated, 13 AS customers_closing, 0.1 AS churn_rate FROM (SELECT unnest(generate_series(1, 10)) AS n) AS numbers",
    ),
    (
        "cohort_retention",
        "SELECT DATE '2026-05-01' AS cohort_month, n AS month_number, 12 AS cohort_size, 1.0 / (1 + n) AS retention_rate \
         FROM (SELECT unnest(generate_series(0, 5)) AS n) AS numbers",
    ),
];

#[test]
fn each_chapter_is_drawn_where_its_tables_have_the_columns_that_it_reads() {
    let project = Project::small();
    for (name, rows) in CHARTED {
        let header = format!("-- name: {name}\n-- grain: one row\n-- description: Rows for the report.\n");
        project.write(&format!("models/{name}.sql"), &format!("{header}{rows}\n"));
    }
    project.run(&[]);
    let page = page(&project, "report.html", &[]);
    let charts = [
        "clv",
        "lorenz",
        "segment-map",
        "transitions",
        "survival",
        "calibration",
        "churn-rate",
        "churn-bridge",
        "cohorts",
        "feedback",
    ];
    for chart in charts {
        assert!(page.contains(&format!("id=\"chart-{chart}\"")), "{chart}");
    }
    assert_eq!(absent(&page), ["Segments: This version has no table segment_summary."]);
    for told in [
        "The best fifth holds 48.8 %. Gini coefficient 0.50.",
        "<td>mbg nbd</td><td>yes</td>",
        "{&quot;r&quot;:0.5}",
        "<td>gold</td>",
        "<td>frequent</td>",
    ] {
        assert!(page.contains(told), "{told}");
    }
}

#[test]
fn each_version_has_a_report_that_can_be_made_again() {
    let project = Project::demo();
    let newest = project.manifests().pop().expect("a version");
    let listed = newest["pages"]["report.html"]["path"]
        .as_str()
        .expect("the report is in the manifest");
    let published = project.read(&format!("warehouse/{listed}"));
    assert!(project.read("warehouse/latest/report.html") == published, "the copy differs");
    assert!(page(&project, "report.html", &[]) == published, "made again, the report differs");
    assert!(
        page(&project, "again.html", &["--version", "1", "--threads", "1"]) == published,
        "with one thread, the report differs"
    );
    assert!(published.len() < 1_500_000, "{} bytes", published.len());
    for chart in [
        "weights",
        "sizes",
        "overlap",
        "events",
        "churn-rate",
        "churn-bridge",
        "segments",
        "segment-map",
        "cohorts",
        "clv-history",
    ] {
        assert!(published.contains(&format!("id=\"chart-{chart}\"")), "{chart}");
    }
    let absent = absent(&published);
    // The demo of the tests is small: there may be no model, but there is every table with every column.
    assert!(
        absent.iter().all(|why| why.ends_with("There is nothing to show yet.")),
        "{absent:?}"
    );
}

#[test]
fn a_project_without_standard_models_is_told_what_its_report_lacks() {
    let project = Project::small();
    project.run(&[]);
    let page = page(&project, "report.html", &[]);
    let absent = absent(&page);
    assert!(
        absent.contains(&"Churn rate: This version has no table churn_rate_monthly.".to_owned()),
        "{absent:?}"
    );
    for chart in ["weights", "sizes", "overlap", "events"] {
        assert!(page.contains(&format!("id=\"chart-{chart}\"")), "{chart}");
    }
    assert!(page.contains("Held by the strongest evidence"));
    let missing = project.call("report", &["--version", "7"]).ends_with(3);
    assert!(missing.stderr.contains("there is no such version"));
}

#[test]
fn names_that_hold_markup_are_text_in_the_report() {
    let project = Project::small();
    project.write(
        "models/segment_summary.sql",
        "-- name: segment_summary\n-- grain: one row per segment\n-- description: Segments.\nSELECT '</script><img src=x onerror=alert(1)>' AS segment, \
         count(*) AS customers_count, 1.0 AS customers_share, 2.0 AS net_revenue, 1.0 AS net_revenue_share FROM customers\n",
    );
    project.write(
        "models/churn_rate_monthly.sql",
        "-- name: churn_rate_monthly\n-- grain: one row\n-- description: Another form of a table that the report reads.\nSELECT 'x' AS month_end, \
         1 AS customers_opening, 1 AS customers_lost, 1 AS customers_new, 1 AS customers_reactivated, 'a' AS customers_closing, '<u>' AS churn_rate\n",
    );
    project.run(&[]);
    let page = page(&project, "report.html", &[]);
    // Behind that stand the libraries.
    let page = page.split("\n<script>").next().expect("a page");
    assert!(!page.contains("<img") && !page.contains("<u>"));
    assert!(page.contains("&lt;img src=x") && page.contains("\\u003c/script\\u003e"));
}

#[test]
fn the_table_of_columns_has_every_column_of_every_published_table() {
    let project = Project::demo();
    let newest = project.manifests().pop().expect("a version");
    let mut listed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let columns = project.table("columns");
    for row in &columns {
        let own = listed.entry(row["table_name"].clone()).or_default();
        own.push(row["column_name"].clone());
        assert_eq!(row["position"], own.len().to_string(), "{row:?}");
    }
    let tables: Vec<&String> = newest["tables"].as_object().expect("tables").keys().collect();
    assert_eq!(listed.keys().collect::<Vec<_>>(), tables);
    for (table, columns) in &listed {
        assert_eq!(*columns, schema_of(&project, table), "{table}");
    }
    let of = |table: &str, column: &str| {
        let found = columns
            .iter()
            .find(|row| row["table_name"] == table && row["column_name"] == column);
        found.unwrap_or_else(|| panic!("{table}.{column}")).clone()
    };
    assert_eq!(of("links", "match_weight")["unit"], "bits");
    assert_eq!(of("orders", "gross")["data_type"], "decimal(18,4)");
    assert_eq!(
        of("customers", "consent_email_source")["description"],
        "Source of the record that says so."
    );
    assert_eq!(of("columns", "position")["data_type"], "integer");
    let undescribed: Vec<String> = columns
        .iter()
        .filter(|row| !row.contains_key("description"))
        .map(|row| row["table_name"].clone())
        .collect();
    for table in ["customers", "contacts", "orders", "links", "runs", "columns", "rejects"] {
        assert!(!undescribed.contains(&table.to_owned()), "{table}");
    }
}

fn schema_of(project: &Project, table: &str) -> Vec<String> {
    let file = std::fs::File::open(project.file(&format!("warehouse/latest/{table}.parquet"))).expect("a file");
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet");
    reader.schema().fields().iter().map(|field| field.name().clone()).collect()
}

#[test]
fn tables_that_are_left_out_stay_in_the_report_and_among_the_columns() {
    let project = Project::demo();
    project.run(&["--exclude", "segment_summary", "--as-of", "2026-11-02"]);
    assert_eq!(project.manifests().len(), 2);
    assert!(project.table("columns").iter().any(|row| row["table_name"] == "segment_summary"));
    let published = project.read("warehouse/latest/report.html");
    assert!(published.contains("id=\"chart-segments\"") && published.contains("as of 2 November 2026"));
    assert!(page(&project, "report.html", &[]) == published, "made again, the report differs");
}

#[test]
fn an_erased_person_is_in_no_report_of_the_version() {
    let project = Project::small();
    project.run(&[]);
    let shown = example_of(&project.read("warehouse/latest/report.html"));
    let folder = project.path().to_string_lossy().into_owned();
    let mut command = super::support::stammkunde();
    command.args(["privacy", "erase", &folder, &shown, "--yes"]);
    super::support::call(&mut command).ends_with(0);
    let after = project.read("warehouse/latest/report.html");
    assert!(!after.contains(&shown), "{shown} is still an example");
    assert!(after.contains("Version 2"));
    assert!(page(&project, "report.html", &[]) == after, "made again, the report differs");
}

/// The key of the first example.
fn example_of(page: &str) -> String {
    let after = page.split("Customer <code>").nth(1).expect("an example");
    after.split("</code>").next().expect("a key").to_owned()
}

#[test]
fn the_dictionary_needs_no_version() {
    let project = Project::small();
    let docs = page(&project, "docs.html", &[]);
    for table in ["customers", "order_counts", "columns", "key_events"] {
        assert!(docs.contains(&format!("id=\"table-{}\"", table.replace('_', "-"))), "{table}");
    }
    assert!(docs.contains("audit order_counts_positive") && docs.contains("id=\"function-parse-decimal\""));
    assert!(!project.path().join("warehouse").exists());
}

#[test]
fn an_old_version_loses_its_report_with_its_files() {
    let project = Project::small();
    project.run(&[]);
    project.run(&["--as-of", "2026-11-01"]);
    let first = project.manifests()[0]["pages"]["report.html"]["path"]
        .as_str()
        .expect("a page")
        .to_owned();
    assert!(project.file(&format!("warehouse/{first}")).exists());
    let folder = project.path().to_string_lossy().into_owned();
    let mut command = super::support::stammkunde();
    command.args(["versions", "cleanup", &folder, "--keep", "1"]);
    let done = super::support::call(&mut command);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(!project.file(&format!("warehouse/{first}")).exists());
    let report: Value = project.manifests().pop().expect("a version");
    assert!(
        report["pages"]["report.html"]["bytes"]
            .as_u64()
            .is_some_and(|bytes| bytes > 500_000)
    );
    assert!(rows(&project.file("warehouse/latest/runs.parquet")).len() == 2);
}
