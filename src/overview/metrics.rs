//! Chapters on time: churn with its bridge, cohorts, and how long customers stay away.

use serde_json::json;

use super::answers::Answers;
use super::figure::{Figure, absent, figure, or_absent};
use super::records::{number, row, text};
use crate::page::Html;
use crate::page::table::{Column, Format, Row, table};

/// The rate, the bridge, and the active customers.
pub fn churn(answers: &Answers) -> Html {
    let mut html = Html::default();
    html.raw(
        "<p>A customer is active for a year after an order. Who was active and is no more is lost; who comes back later is reactivated. ",
    )
    .raw("The bridge of each month: closing = opening − lost + new + reactivated.</p>\n<div class=\"grid\">");
    let churn = answers.rows("churn");
    html.html(&or_absent("Churn rate", churn.clone().map(rate)));
    html.html(&or_absent("Active customers", churn.clone().map(closing)));
    html.raw("</div><div class=\"block\">");
    html.html(&or_absent("Bridge", churn.map(bridge)));
    html.raw("</div><div class=\"block\"><h3>By group</h3><p class=\"aid\">The newest month, by segment, channel and year of the first order. Segments are those of the as-of day, ")
        .raw("so who was lost stands in the segments of those who stay away.</p>");
    match answers.rows("groups") {
        Ok(rows) => {
            let columns: [Column; 6] = [
                ("dimension", "Dimension", Format::Words),
                ("value", "Group", Format::Words),
                ("customers_opening", "Opening", Format::Count),
                ("customers_lost", "Lost", Format::Count),
                ("customers_closing", "Closing", Format::Count),
                ("churn_rate", "Churn rate", Format::Share),
            ];
            html.raw("<details open><summary>Groups</summary>")
                .html(&table(&columns, rows))
                .raw("</details>")
        }
        Err(why) => html.html(&absent(&why)),
    };
    html.raw("</div>");
    // Most companies have no subscriptions: nothing to say is said by nothing.
    if let Ok(rows) = answers.rows("subscriptions") {
        html.raw("<div class=\"block\"><h3>Subscriptions</h3><p class=\"aid\">Monthly recurring revenue: closing = opening + new + reactivated + expanded − contracted − churned.</p>")
            .html(&table(&SUBSCRIPTIONS, rows))
            .raw("</div>");
    }
    html
}

const SUBSCRIPTIONS: [Column; 10] = [
    ("month_end", "Month end", Format::Text),
    ("revenue_opening", "Opening", Format::Money),
    ("revenue_new", "+ new", Format::Money),
    ("revenue_reactivation", "+ reactivated", Format::Money),
    ("revenue_expansion", "+ expanded", Format::Money),
    ("revenue_contraction", "− contracted", Format::Money),
    ("revenue_churn", "− churned", Format::Money),
    ("revenue_closing", "= closing", Format::Money),
    ("logo_churn_rate", "Customers churned", Format::Share),
    ("net_revenue_retention", "Net retention", Format::Share),
];

/// Months that can be observed: the first year of the data has no rate and no bridge.
fn observed(rows: &[Row], column: &str) -> Vec<Row> {
    rows.iter().filter(|month| !month[column].is_null()).cloned().collect()
}

fn rate(rows: &[Row]) -> Html {
    let rows = &observed(rows, "churn_rate");
    figure(&Figure {
        chart: "churn_rate",
        title: "Churn rate of twelve months",
        aid: "Customers lost in the twelve months before, divided by the mean of the thirteen month ends; on a young and growing base it can exceed 100 %.",
        rows,
        columns: &[
            ("month_end", "Month end", Format::Text),
            ("churn_rate", "Churn rate", Format::Share),
        ],
    })
}

fn closing(rows: &[Row]) -> Html {
    let rows = &observed(rows, "customers_closing");
    figure(&Figure {
        chart: "customers_closing",
        title: "Active customers",
        aid: "Customers with an order in the year before each month end.",
        rows,
        columns: &[
            ("month_end", "Month end", Format::Text),
            ("customers_closing", "Active customers", Format::Count),
        ],
    })
}

/// Gains above the line, losses below it.
fn bridge(rows: &[Row]) -> Html {
    let rows = &observed(rows, "customers_opening");
    let mut parts = Vec::new();
    for month in rows {
        for (change, column, sign) in [
            ("new", "customers_new", 1.0),
            ("reactivated", "customers_reactivated", 1.0),
            ("lost", "customers_lost", -1.0),
        ] {
            parts.push(row([
                ("month_end", month["month_end"].clone()),
                ("change", json!(change)),
                ("customers", json!(sign * number(month, column))),
            ]));
        }
    }
    let chart = figure(&Figure {
        chart: "churn_bridge",
        title: "Gained and lost, twelve months to each month end",
        aid: "Above the line who came or came back, below it who was lost; the base grows where more stands above than below.",
        rows: &parts,
        columns: &[
            ("month_end", "Month end", Format::Text),
            ("change", "Change", Format::Text),
            ("customers", "Customers", Format::Count),
        ],
    });
    let mut html = chart;
    html.raw("<details><summary>The bridge</summary>")
        .html(&table(
            &[
                ("month_end", "Month end", Format::Text),
                ("customers_opening", "Opening", Format::Count),
                ("customers_lost", "− lost", Format::Count),
                ("customers_new", "+ new", Format::Count),
                ("customers_reactivated", "+ reactivated", Format::Count),
                ("customers_closing", "= closing", Format::Count),
            ],
            rows,
        ))
        .raw("</details>");
    html
}

/// The heat map of retention, and survival.
pub fn cohorts(answers: &Answers) -> Html {
    let mut html = Html::default();
    html.raw("<p>Customers by the month of their first order. What is not over by the as-of day is left empty: it is not zero, it is not known.</p>\n<div class=\"block\">");
    html.html(&or_absent("Retention by cohort", answers.rows("cohorts").map(retention)));
    html.raw("</div><div class=\"block\">");
    html.html(&or_absent("How long until the next order", answers.rows("survival").map(survival)));
    html.raw("</div>");
    html
}

/// Month 0 is left out: everybody bought then, by definition, and its color would hide the rest.
fn retention(rows: &[Row]) -> Html {
    let rows: Vec<Row> = rows
        .iter()
        .filter(|cell| number(cell, "month_number") > 0.0)
        .map(|cell| {
            let month = text(cell, "cohort_month");
            row([
                ("cohort", json!(month.get(..7).unwrap_or(month))),
                ("month_number", cell["month_number"].clone()),
                ("cohort_size", cell["cohort_size"].clone()),
                ("retention_rate", cell["retention_rate"].clone()),
            ])
        })
        .collect();
    figure(&Figure {
        chart: "cohorts",
        title: "Retention by cohort",
        aid: "Each row is a month of first orders, each cell the share of it that bought in that later month; read along a row to see a cohort age.",
        rows: &rows,
        columns: &[
            ("cohort", "First order in", Format::Text),
            ("month_number", "Month", Format::Count),
            ("cohort_size", "Customers", Format::Count),
            ("retention_rate", "Bought", Format::Share),
        ],
    })
}

fn survival(rows: &[Row]) -> Html {
    let rows: Vec<Row> = rows
        .iter()
        .map(|point| {
            let mut point = point.clone();
            let name = match text(&point, "curve") {
                "second_order" => "after the first order".to_owned(),
                "next_order" => "after any order".to_owned(),
                other => other.replace('_', " "),
            };
            point.insert("curve".to_owned(), json!(name));
            point
        })
        .collect();
    figure(&Figure {
        chart: "survival",
        title: "How long until the next order",
        aid: "Share of customers who have not ordered again after so many days (Kaplan-Meier), with 95 % limits; where a curve goes flat, hardly anybody comes back.",
        rows: &rows,
        columns: &[
            ("curve", "Curve", Format::Text),
            ("days_since", "Days", Format::Count),
            ("survival", "Not yet", Format::Share),
            ("survival_lower", "Lower limit", Format::Share),
            ("survival_upper", "Upper limit", Format::Share),
        ],
    })
}
