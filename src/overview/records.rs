//! Chapters on records: what came in, which records are one customer, and what happened to keys.

use serde_json::{Value, json};

use super::Subject;
use super::answers::Answers;
use super::examples::Example;
use super::figure::{Figure, absent, figure, or_absent};
use crate::page::Html;
use crate::page::table::{Format, Row, table, written};

/// A number of a row; 0 for null.
pub fn number(row: &Row, key: &str) -> f64 {
    row.get(key).and_then(Value::as_f64).unwrap_or(0.0)
}

/// A text of a row.
pub fn text<'a>(row: &'a Row, key: &str) -> &'a str {
    row.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The sum of a column.
pub fn sum(rows: &[Row], key: &str) -> f64 {
    rows.iter().map(|row| number(row, key)).sum()
}

/// Builds a row.
pub fn row<const N: usize>(values: [(&str, Value); N]) -> Row {
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The numbers at the top.
pub fn summary(body: &mut Html, subject: &Subject, answers: &Answers) {
    let rows_of = |table: &str| subject.rows.get(table).map(|rows| json!(rows));
    let latest = answers.rows("churn").ok().and_then(<[Row]>::last);
    let figures = [
        ("Contact records", rows_of("contacts"), Format::Count),
        ("Customers", rows_of("customers"), Format::Count),
        ("Orders", rows_of("orders"), Format::Count),
        ("Rows and values rejected", rows_of("rejects"), Format::Count),
        (
            "Active customers",
            latest.map(|row| row["customers_closing"].clone()),
            Format::Count,
        ),
        ("Churn in twelve months", latest.map(|row| row["churn_rate"].clone()), Format::Share),
    ];
    body.raw("<dl class=\"figures\">");
    for (name, value, format) in figures {
        if let Some(value) = value {
            body.raw("<div><dt>")
                .text(name)
                .raw("</dt><dd>")
                .text(&written(&value, format))
                .raw("</dd></div>");
        }
    }
    body.raw("</dl>");
}

/// Rows kept by source, and what was not taken.
pub fn intake(answers: &Answers) -> Html {
    let mut html = Html::default();
    html.raw("<p>Rows kept of each source, and what was left out with its reason. A reject at level value means that one value became null; the row stayed.</p>\n<div class=\"grid\"><div><h3>Rows kept</h3>");
    match answers.rows("records") {
        Ok(rows) => html.html(&table(
            &[
                ("source", "Source", Format::Text),
                ("record", "Record", Format::Words),
                ("rows_count", "Rows", Format::Count),
            ],
            rows,
        )),
        Err(why) => html.html(&absent(&why)),
    };
    html.raw("</div><div><h3>Rejected</h3>");
    match answers.rows("rejects") {
        Ok(rows) => html.html(&table(
            &[
                ("source", "Source", Format::Text),
                ("level", "Level", Format::Text),
                ("reason", "Reason", Format::Words),
                ("field", "Column", Format::Text),
                ("rows_count", "Rows", Format::Count),
            ],
            rows,
        )),
        Err(_) => html.raw("<p>Nothing was rejected.</p>"),
    };
    html.raw("</div></div>\n");
    html
}

/// Weights, sizes, overlap, rules and examples.
pub fn matches(answers: &Answers, examples: &[Example]) -> Html {
    let mut html = Html::default();
    html.raw("<p>Two records are linked when the evidence for one person, in bits, reaches the threshold or a rule of the project says so. Linked records are one customer.</p>\n<div class=\"grid\">");
    html.html(&or_absent("Match weights", answers.rows("weights").map(weights)));
    html.html(&or_absent("Records of a customer", answers.rows("sizes").map(sizes)));
    html.raw("</div><div class=\"block\">");
    html.html(&or_absent(
        "Which sources know the same customers",
        answers.rows("overlap").map(overlap),
    ));
    html.raw("</div><div class=\"grid\"><div><h3>Links by rule</h3>");
    match answers.rows("rules") {
        Ok(rows) => html.html(&table(
            &[("rule", "Rule", Format::Text), ("pairs_count", "Pairs", Format::Count)],
            rows,
        )),
        Err(why) => html.html(&absent(&why)),
    };
    html.raw("</div><div><h3>Looked at and not linked</h3>");
    match answers.rows("refusals") {
        Ok(rows) => html.html(&table(
            &[("reason", "Reason", Format::Words), ("pairs_count", "Pairs", Format::Count)],
            rows,
        )),
        Err(_) => html.raw("<p>No pair was refused.</p>"),
    };
    html.raw("</div></div>");
    if !examples.is_empty() {
        html.raw("<div class=\"block\"><h3>Examples</h3><p class=\"aid\">Values are masked: the first and the last character stay.</p>");
        for example in examples {
            show(&mut html, example);
        }
        html.raw("</div>");
    }
    html
}

fn weights(rows: &[Row]) -> Html {
    let ended = |row: &Row| {
        let mut row = row.clone();
        row.insert("weight_to".to_owned(), json!(number(&row, "weight") + 1.0));
        row
    };
    let rows: Vec<Row> = rows.iter().map(ended).collect();
    figure(&Figure {
        chart: "weights",
        title: "Match weights",
        aid: "Two humps with a valley between them tell people apart well; pairs in the valley are those to review. The ends collect what lies beyond.",
        rows: &rows,
        columns: &[
            ("weight", "Bits from", Format::Number(0)),
            ("outcome", "Outcome", Format::Text),
            ("pairs_count", "Pairs", Format::Count),
        ],
    })
}

fn sizes(rows: &[Row]) -> Html {
    let largest = rows.iter().map(|row| number(row, "records_max")).fold(0.0, f64::max);
    let aid = format!(
        "Most customers have few records; a long tail to the right is a sign of joining too much. The largest has {}.",
        written(&json!(largest), Format::Count)
    );
    figure(&Figure {
        chart: "sizes",
        title: "Records of a customer",
        aid: &aid,
        rows,
        columns: &[
            ("records", "Records", Format::Count),
            ("customers_count", "Customers", Format::Count),
        ],
    })
}

fn overlap(rows: &[Row]) -> Html {
    figure(&Figure {
        chart: "overlap",
        title: "Which sources know the same customers",
        aid: "Each bar is one exact set of sources: customers that those know and no other. The twenty most frequent sets.",
        rows,
        columns: &[
            ("known_to", "Known to", Format::Text),
            ("customers_count", "Customers", Format::Count),
        ],
    })
}

fn show(html: &mut Html, example: &Example) {
    html.raw("<div class=\"example\"><h3>")
        .text(example.title)
        .raw("</h3><p class=\"aid\">Customer <code>")
        .text(&example.customer_key)
        .raw("</code></p><div class=\"scroll\"><table><thead><tr><th scope=\"col\">Record</th><th scope=\"col\">Masked values</th></tr></thead><tbody>");
    for (name, values) in &example.records {
        html.raw("<tr><td><code>").text(name).raw("</code></td><td>");
        let values: Vec<String> = values
            .iter()
            .map(|(column, value)| format!("{} {value}", column.replace('_', " ")))
            .collect();
        html.text(&values.join(" · ")).raw("</td></tr>");
    }
    html.raw("</tbody></table></div>");
    let links: Vec<Row> = example
        .links
        .iter()
        .map(|(left, right, weight, rule)| {
            row([
                ("left", json!(left)),
                ("right", json!(right)),
                ("weight", json!(weight)),
                ("rule", json!(rule)),
            ])
        })
        .collect();
    html.html(&table(
        &[
            ("left", "Linked", Format::Text),
            ("right", "with", Format::Text),
            ("weight", "Bits", Format::Number(1)),
            ("rule", "by", Format::Text),
        ],
        &links,
    ))
    .raw("</div>\n");
}

/// What happened to keys, and the versions.
pub fn keys(answers: &Answers) -> Html {
    let mut html = Html::default();
    html.raw("<p>A customer keeps its key from version to version. What changed a key is told here by event and cause.</p>\n<div class=\"grid\">");
    html.html(&or_absent(
        "What happened to keys",
        answers.rows("events").map(|rows| {
            figure(&Figure {
                chart: "events",
                title: "What happened to keys",
                aid: "Many created keys in the first version are what one expects; later, merged and split keys should be few.",
                rows,
                columns: &[
                    ("version", "Version", Format::Count),
                    ("event", "Event", Format::Words),
                    ("cause", "Cause", Format::Words),
                    ("keys_count", "Keys", Format::Count),
                ],
            })
        }),
    ));
    html.raw("<div><h3>Versions</h3>");
    match answers.rows("runs") {
        Ok(rows) => html.html(&table(
            &[
                ("version", "Version", Format::Count),
                ("as_of", "As of", Format::Text),
                ("records_count", "Records", Format::Count),
                ("customers_count", "Customers", Format::Count),
                ("links_count", "Links", Format::Count),
            ],
            rows,
        )),
        Err(why) => html.html(&absent(&why)),
    };
    html.raw("</div></div>\n");
    html
}
