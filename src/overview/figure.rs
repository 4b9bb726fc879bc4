//! A chart with its title, a sentence on how to read it, and the numbers behind it as a table.

use include_dir::{Dir, include_dir};
use serde_json::{Value, json};

use crate::page::Html;
use crate::page::table::{Column, Row, table};

static SPECS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/src/overview/charts");

/// A chart.
pub struct Figure<'a> {
    /// Specification in `charts/`, without `.json`; also the id in the page.
    pub chart: &'static str,
    /// What it shows.
    pub title: &'a str,
    /// How to read it, one sentence.
    pub aid: &'a str,
    /// The data.
    pub rows: &'a [Row],
    /// Columns of the text alternative.
    pub columns: &'a [Column],
}

/// Writes a chart.
#[must_use]
pub fn figure(figure: &Figure<'_>) -> Html {
    let mut html = Html::default();
    let id = format!("chart-{}", figure.chart.replace('_', "-"));
    html.raw("<figure class=\"chart\"")
        .value("id", &id)
        .raw("><h3>")
        .text(figure.title)
        .raw("</h3><p class=\"aid\">")
        .text(figure.aid)
        .raw("</p>")
        .data(&specification(figure.chart, figure.rows))
        .raw("<div class=\"plot\" role=\"img\"")
        .value("aria-label", &format!("{}. {}", figure.title, figure.aid))
        .raw("></div><details><summary>The numbers</summary>")
        .html(&table(figure.columns, figure.rows))
        .raw("</details></figure>\n");
    html
}

/// The figure, or the sentence that says why it is not there.
#[must_use]
pub fn or_absent(title: &str, rows: Result<Html, String>) -> Html {
    rows.unwrap_or_else(|why| {
        let mut html = Html::default();
        html.raw("<div class=\"absent\"><h3>")
            .text(title)
            .raw("</h3><p>")
            .text(&why)
            .raw("</p></div>\n");
        html
    })
}

/// The sentence alone, below a title that stands there already.
#[must_use]
pub fn absent(why: &str) -> Html {
    let mut html = Html::default();
    html.raw("<p class=\"absent\">").text(why).raw("</p>\n");
    html
}

fn specification(chart: &str, rows: &[Row]) -> Value {
    let file = SPECS
        .get_file(format!("{chart}.json"))
        .expect("charts are named as their files, which a test draws");
    let text = file.contents_utf8().expect("shipped files are UTF-8, which a test reads");
    let mut spec: Value = serde_json::from_str(text).expect("shipped charts are JSON, which a test reads");
    spec["data"] = json!({ "values": rows });
    spec
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chart_is_a_specification_without_data_or_addresses() {
        assert!(SPECS.files().count() >= 15);
        for file in SPECS.files() {
            let text = file.contents_utf8().expect("UTF-8");
            let spec: Value = serde_json::from_str(text).expect("JSON");
            assert_eq!(spec["width"], "container", "{:?}", file.path());
            assert!(spec.get("data").is_none() && !text.contains("://"), "{:?}", file.path());
        }
    }

    #[test]
    fn what_is_absent_is_told_in_its_place() {
        let html = or_absent("Churn", Err("This version has no table <x>.".to_owned()));
        assert!(html.as_str().contains("<h3>Churn</h3>") && html.as_str().contains("no table &lt;x&gt;."));
    }
}
