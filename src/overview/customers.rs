//! Chapters on customers: what they are worth, and in which segments they are.

use serde_json::{Value, json};

use super::answers::Answers;
use super::figure::{Figure, absent, figure, or_absent};
use super::records::{number, row, sum, text};
use crate::page::Html;
use crate::page::table::{Format, Row, table, written};

/// Value: distributions, Lorenz curve, tiers.
pub fn value(answers: &Answers, currency: &str) -> Html {
    let mut html = Html::default();
    html.raw("<p>Amounts in ")
        .text(currency)
        .raw(", contribution after the costs that are known.</p>\n<div class=\"grid\">");
    html.html(&or_absent("Expected value", answers.rows("clv_values").map(expected)));
    html.html(&or_absent("Value so far", answers.rows("clv_history").map(so_far)));
    html.raw("</div><div class=\"block\">");
    html.html(&or_absent("Concentration", answers.rows("lorenz").map(lorenz)));
    html.raw("</div><div class=\"block\"><h3>Tiers</h3>");
    match answers.rows("clv_tiers") {
        Ok(rows) => html.html(&table(&TIERS, rows)),
        Err(why) => html.html(&absent(&why)),
    };
    html.raw("</div>");
    html
}

/// Classes with their limits in words.
fn classes(rows: &[Row]) -> Vec<Row> {
    let class = |class: &Row| {
        let (from, to) = (number(class, "value_from"), number(class, "value_to"));
        let is_negative = class.get("is_negative").is_some_and(|is| *is == Value::Bool(true));
        let name = if to > 0.0 {
            short(from)
        } else if is_negative {
            "below 0".to_owned()
        } else {
            "0".to_owned()
        };
        row([
            ("class", json!(name)),
            ("value_from", json!(from)),
            ("value_to", json!(to)),
            ("customers_count", class["customers_count"].clone()),
        ])
    };
    let mut classes: Vec<Row> = rows.iter().map(class).collect();
    classes.sort_by_key(|class| text(class, "class") != "below 0");
    classes
}

/// Two significant digits, `k` and `M` for thousands and millions.
fn short(value: f64) -> String {
    let (value, unit) = match value {
        value if value >= 1e6 => (value / 1e6, "M"),
        value if value >= 1e3 => (value / 1e3, "k"),
        value => (value, ""),
    };
    let digits = if value >= 10.0 {
        0
    } else if value >= 1.0 {
        1
    } else {
        2
    };
    let text = format!("{value:.digits$}");
    let text = if digits > 0 {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text.as_str()
    };
    format!("{text}{unit}")
}

const CLASSES: [crate::page::table::Column; 3] = [
    ("class", "Class", Format::Text),
    ("value_to", "up to", Format::Money),
    ("customers_count", "Customers", Format::Count),
];

fn expected(rows: &[Row]) -> Html {
    let aid = format!(
        "How many of {} customers are expected to bring how much in the next twelve months; each class is 1.8 times the one before and is named by its lower end.",
        written(&json!(sum(rows, "customers_count")), Format::Count)
    );
    figure(&Figure {
        chart: "clv",
        title: "Expected value of the next twelve months",
        aid: &aid,
        rows: &classes(rows),
        columns: &CLASSES,
    })
}

fn so_far(rows: &[Row]) -> Html {
    let aid = format!(
        "What {} customers with an order have brought up to the as-of day, in the same classes; 0 collects those who brought nothing or less.",
        written(&json!(sum(rows, "customers_count")), Format::Count)
    );
    figure(&Figure {
        chart: "clv_history",
        title: "Value so far",
        aid: &aid,
        rows: &classes(rows),
        columns: &CLASSES,
    })
}

fn lorenz(rows: &[Row]) -> Html {
    let gini = rows.iter().find_map(|row| row["gini"].as_f64());
    let half = rows.iter().find(|row| number(row, "percentile") >= 80.0);
    let mut aid = "The further the curve sags below the diagonal, the fewer customers hold the value.".to_owned();
    if let Some(half) = half {
        aid += &format!(
            " The best fifth holds {}.",
            written(&json!(1.0 - number(half, "value_share")), Format::Share)
        );
    }
    if let Some(gini) = gini {
        aid += &format!(" Gini coefficient {gini:.2}.");
    }
    let rows: Vec<Row> = rows
        .iter()
        .map(|point| {
            row([
                ("customers_share", json!(number(point, "percentile") / 100.0)),
                ("value_share", point["value_share"].clone()),
            ])
        })
        .collect();
    figure(&Figure {
        chart: "lorenz",
        title: "Concentration of value (Lorenz curve)",
        aid: &aid,
        rows: &rows,
        columns: &[
            ("customers_share", "Customers up to", Format::Share),
            ("value_share", "Their share of value", Format::Share),
        ],
    })
}

const TIERS: [crate::page::table::Column; 7] = [
    ("clv_tier", "Tier", Format::Words),
    ("customers_count", "Customers", Format::Count),
    ("customers_share", "of all", Format::Share),
    ("clv_historical_net", "So far", Format::Money),
    ("clv_residual_12m", "Next 12 months", Format::Money),
    ("value", "Value", Format::Money),
    ("value_share", "of all", Format::Share),
];

/// Segments: sizes, the map, and who moved.
pub fn segments(answers: &Answers, currency: &str) -> Html {
    let mut html = Html::default();
    html.raw(
        "<p>Segments follow from how recently and how often somebody bought. Prospects have not bought yet.</p>\n<div class=\"grid\">",
    );
    html.html(&or_absent("Segments", answers.rows("segments").map(|rows| sizes(rows, currency))));
    html.html(&or_absent("Segment map", answers.rows("segment_map").map(map)));
    html.raw("</div><div class=\"block\">");
    html.html(&or_absent("Who moved", answers.rows("transitions").map(transitions)));
    html.raw("</div><div class=\"block\"><h3>Personas</h3><p class=\"aid\">Groups of customers who behave alike, found by k-means, named by what stands out.</p>");
    match answers.rows("personas") {
        Ok(rows) => html.html(&table(&PERSONAS, rows)),
        Err(why) => html.html(&absent(&why)),
    };
    html.raw("</div><div class=\"block\">");
    html.html(&or_absent("What customers say", answers.rows("feedback").map(feedback)));
    html.raw("</div>");
    html
}

const PERSONAS: [crate::page::table::Column; 7] = [
    ("persona_id", "No.", Format::Count),
    ("persona_label", "Stands out by", Format::Words),
    ("customers_count", "Customers", Format::Count),
    ("customers_share", "of all", Format::Share),
    ("avg_days_since_last_order", "Days since last order", Format::Number(0)),
    ("avg_orders_count", "Orders", Format::Number(1)),
    ("avg_order_value", "Order value", Format::Money),
];

fn feedback(rows: &[Row]) -> Html {
    figure(&Figure {
        chart: "feedback",
        title: "Net promoter score by month",
        aid: "Promoters less detractors among the answers of a month; where the bands of two standard errors overlap, a difference says nothing.",
        rows,
        columns: &[
            ("month", "Month", Format::Text),
            ("nps_answers_count", "Answers", Format::Count),
            ("nps", "NPS", Format::Number(0)),
            ("csat_answers_count", "Answers on satisfaction", Format::Count),
            ("csat_share", "Satisfied", Format::Share),
        ],
    })
}

fn sizes(rows: &[Row], currency: &str) -> Html {
    let rows: Vec<Row> = rows
        .iter()
        .map(|segment| {
            row([
                ("segment", json!(text(segment, "segment").replace('_', " "))),
                ("customers", segment["customers_share"].clone()),
                ("net revenue", segment["net_revenue_share"].clone()),
                ("customers_count", segment["customers_count"].clone()),
                ("amount", segment["net_revenue"].clone()),
            ])
        })
        .collect();
    let aid = format!("Where the bar of net revenue is longer than that of customers, few people carry much of it. Revenue in {currency}.");
    figure(&Figure {
        chart: "segments",
        title: "Customers and revenue by segment",
        aid: &aid,
        rows: &rows,
        columns: &[
            ("segment", "Segment", Format::Text),
            ("customers_count", "Customers", Format::Count),
            ("customers", "of all", Format::Share),
            ("amount", "Net revenue", Format::Money),
            ("net revenue", "of all", Format::Share),
        ],
    })
}

fn map(rows: &[Row]) -> Html {
    let largest = rows.iter().map(|cell| number(cell, "customers_count")).fold(0.0, f64::max);
    let rows: Vec<Row> = rows
        .iter()
        .map(|cell| {
            let mut own = cell.clone();
            own.insert("segment".to_owned(), json!(text(cell, "segment").replace('_', " ")));
            // White letters on the dark half of a square-root scale.
            own.insert("is_strong".to_owned(), json!(number(cell, "customers_count") > 0.3 * largest));
            own
        })
        .collect();
    figure(&Figure {
        chart: "segment_map",
        title: "Segment map",
        aid: "Each cell is a pair of scores, named by its segment; the right column bought last, the top row buys most often.",
        rows: &rows,
        columns: &[
            ("rfm_recency", "Recency", Format::Count),
            ("rfm_frequency", "Frequency", Format::Count),
            ("segment", "Segment", Format::Text),
            ("customers_count", "Customers", Format::Count),
        ],
    })
}

fn transitions(rows: &[Row]) -> Html {
    let whole = |from: &str| {
        let own = rows.iter().filter(|row| text(row, "from_segment") == from);
        own.map(|row| number(row, "customers_count")).sum::<f64>()
    };
    let cells: Vec<Row> = rows
        .iter()
        .map(|step| {
            let from = text(step, "from_segment");
            row([
                ("from_segment", json!(from.replace('_', " "))),
                ("to_segment", json!(text(step, "to_segment").replace('_', " "))),
                ("customers_count", step["customers_count"].clone()),
                ("share", json!(number(step, "customers_count") / whole(from).max(1.0))),
            ])
        })
        .collect();
    let day = rows.first().map(|row| text(row, "month_end")).unwrap_or_default();
    let aid = format!("Each row is a segment a month before {day}, each cell where its customers are now; the diagonal stayed.");
    figure(&Figure {
        chart: "transitions",
        title: "Who moved",
        aid: &aid,
        rows: &cells,
        columns: &[
            ("from_segment", "Before", Format::Text),
            ("to_segment", "Now", Format::Text),
            ("customers_count", "Customers", Format::Count),
            ("share", "of the segment", Format::Share),
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn limits_of_classes_are_short() {
        let written: Vec<String> = [0.0178, 0.56, 1.78, 10.0, 177.83, 1778.28, 1_000_000.0].map(short).into();
        assert_eq!(written, ["0.02", "0.56", "1.8", "10", "178", "1.8k", "1M"]);
    }
}
