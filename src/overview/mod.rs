//! The report of a version: what came in, who was found, what happened to keys, and what the models say, as one HTML file for people.
//!
//! It is made from the published tables alone, so it can be made again later, and gives the same bytes then. What a project leaves out, or
//! gives another form, is named where it would stand. Of people it shows some masked examples and counts.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chrono::NaiveDate;

use crate::config::Spec;
use crate::engine::Engine;
use crate::error::Result;
use crate::page::{self, Html};
use crate::publish::{Draft, Manifest, Warehouse};
use crate::table::VersionNumber;

mod answers;
mod customers;
mod examples;
mod figure;
mod metrics;
mod models;
mod records;

use answers::Answers;

/// Name of the file, in the folder of a run and in `latest/`.
pub const FILE: &str = "report.html";

/// Columns of a table that is there; the last argument: only the first rows, at most so many.
type ReadRows<'a> = dyn Fn(&str, &[&str], Option<usize>) -> Result<Vec<RecordBatch>> + 'a;

/// Where the tables of a version come from.
pub struct Tables<'a> {
    /// The schema of a table; `None` if there is no such table.
    pub schema: &'a dyn Fn(&str) -> Result<Option<SchemaRef>>,
    /// Columns of a table that is there; the last argument: only the first rows, at most so many.
    pub rows: &'a ReadRows<'a>,
}

/// What a report is about, beside the tables.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The version.
    pub version: VersionNumber,
    /// Day as of which metrics were computed.
    pub as_of: NaiveDate,
    /// Rows by table.
    pub rows: BTreeMap<String, u64>,
}

/// Makes the report of a published version.
///
/// # Errors
/// `Environment` for the store, a damaged file, or memory.
pub fn of_version(engine: &Engine, spec: &Spec, warehouse: &Warehouse, manifest: &Manifest) -> Result<String> {
    let tables = Tables {
        schema: &|name| warehouse.schema(engine, manifest, name),
        rows: &|name, columns, head| {
            let rows = match head {
                Some(rows) => warehouse.head(engine, manifest, name, columns, rows)?,
                None => warehouse.read(engine, manifest, name, Some(columns))?,
            };
            Ok(rows.unwrap_or_default())
        },
    };
    let subject = Subject {
        version: manifest.version,
        as_of: manifest.as_of,
        rows: manifest.tables.iter().map(|(name, entry)| (name.clone(), entry.rows)).collect(),
    };
    report(engine, spec, &subject, &tables)
}

/// Makes the report of a version that is `manifest` but for the tables in `draft`, and adds it there.
///
/// # Errors
/// As [`of_version`].
pub fn add_to_draft(engine: &Engine, spec: &Spec, warehouse: &Warehouse, manifest: &Manifest, draft: &mut Draft<'_>) -> Result<()> {
    let mut rows: BTreeMap<String, u64> = manifest.tables.iter().map(|(name, entry)| (name.clone(), entry.rows)).collect();
    rows.extend(draft.rows());
    let subject = Subject {
        version: VersionNumber(manifest.version.0 + 1),
        as_of: manifest.as_of,
        rows,
    };
    let page = {
        let tables = Tables {
            schema: &|name| warehouse.schema(engine, manifest, name),
            rows: &|name, columns, head| match (draft.read(name, columns, head)?, head) {
                (Some(rows), _) => Ok(rows),
                (None, Some(head)) => Ok(warehouse.head(engine, manifest, name, columns, head)?.unwrap_or_default()),
                (None, None) => Ok(warehouse.read(engine, manifest, name, Some(columns))?.unwrap_or_default()),
            },
        };
        report(engine, spec, &subject, &tables)?
    };
    draft.add_page(FILE, page.into())
}

/// Makes the report. Equal tables give equal bytes.
///
/// # Errors
/// As [`of_version`].
pub fn report(engine: &Engine, spec: &Spec, subject: &Subject, tables: &Tables<'_>) -> Result<String> {
    let answers = answers::ask(engine, spec, subject.as_of, tables)?;
    let examples = examples::find(tables)?;
    Ok(render(spec, subject, &answers, &examples))
}

/// The chapters: id, title, and what writes it.
type Chapter<'a> = (&'static str, &'static str, Html);

fn render(spec: &Spec, subject: &Subject, answers: &Answers, examples: &[examples::Example]) -> String {
    let currency = spec.currency.as_str();
    let chapters: Vec<Chapter<'_>> = vec![
        ("intake", "What came in", records::intake(answers)),
        ("matches", "Matches", records::matches(answers, examples)),
        ("keys", "Keys", records::keys(answers)),
        ("churn", "Churn", metrics::churn(answers)),
        ("value", "Customer value", customers::value(answers, currency)),
        ("segments", "Segments", customers::segments(answers, currency)),
        ("cohorts", "Cohorts", metrics::cohorts(answers)),
        ("models", "Are the forecasts right?", models::models(answers)),
    ];
    let mut body = Html::default();
    body.raw("<header><p class=\"eyebrow\">Version ")
        .text(&subject.version.to_string())
        .raw("</p><h1>")
        .text(&format!("Customers as of {}", subject.as_of.format("%-d %B %Y")))
        .raw("</h1>");
    records::summary(&mut body, subject, answers);
    body.raw("</header>\n<nav aria-label=\"Chapters\"><div>");
    for (id, title, _) in &chapters {
        body.raw("<a").value("href", &format!("#{id}")).raw(">").text(title).raw("</a>");
    }
    body.raw("</div></nav>\n<main>\n");
    for (id, title, html) in &chapters {
        body.raw("<section><h2")
            .value("id", id)
            .raw(">")
            .text(title)
            .raw("</h2>\n")
            .html(html)
            .raw("</section>\n");
    }
    body.raw("</main>\n");
    footer(&mut body);
    let title = format!("Customers as of {}, version {}", subject.as_of, subject.version);
    page::page(&title, &body, &page::CHARTS)
}

fn footer(body: &mut Html) {
    body.raw("<footer><p>Every number is computed from the published tables of this version; <code>stammkunde report</code> makes this page again, ")
        .raw("and <code>stammkunde docs</code> tells what each column means. Values of people are masked. Charts are drawn by Vega-Lite.</p>");
    for (name, license) in page::CHARTS_LICENSES {
        body.raw("<details><summary>License of ")
            .text(name)
            .raw("</summary><pre>")
            .text(license.trim_end())
            .raw("</pre></details>");
    }
    body.raw("</footer>");
}
