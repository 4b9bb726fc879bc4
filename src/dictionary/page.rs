//! The data dictionary as one HTML file: tables by purpose, their columns, what they are computed from, audits and SQL, and the SQL functions.

use super::{Purpose, TableDoc};
use crate::engine::functions::FunctionDoc;
use crate::page::{self, Html};

/// Writes the page. Equal arguments give equal bytes.
#[must_use]
pub fn html(project: &str, tables: &[TableDoc], functions: &[FunctionDoc]) -> String {
    let mut body = Html::default();
    head(&mut body, project, tables, functions);
    body.raw("<main>\n");
    for purpose in Purpose::ALL {
        chapter(&mut body, purpose, tables);
    }
    reference(&mut body, functions);
    body.raw("</main>\n<footer><p>Written by <code>stammkunde docs</code> from the headers of the models and the schemas of the records.</p></footer>");
    page::page(&format!("Data dictionary: {project}"), &body, &page::SEARCH)
}

fn head(body: &mut Html, project: &str, tables: &[TableDoc], functions: &[FunctionDoc]) {
    let columns: usize = tables.iter().map(|table| table.columns.len()).sum();
    body.raw("<header><p class=\"eyebrow\">Data dictionary</p><h1>")
        .text(project)
        .raw("</h1><p class=\"lead\">")
        .text(&format!(
            "{} tables with {columns} columns, {} SQL functions. Shares and rates are from 0 to 1, times are UTC, and null means that nothing is known or can be observed.",
            tables.len(),
            functions.len()
        ))
        .raw("</p><div class=\"search\"><label for=\"search\">Search</label><input id=\"search\" type=\"search\" autocomplete=\"off\">")
        .raw("<span id=\"found\" class=\"note\" role=\"status\"></span></div></header>\n<nav aria-label=\"Chapters\"><div>");
    for purpose in Purpose::ALL {
        if tables.iter().any(|table| table.purpose == purpose) {
            link(body, &format!("chapter-{}", page::anchor(purpose.title())), purpose.title());
        }
    }
    link(body, "functions", "SQL functions");
    body.raw("</div></nav>\n");
}

fn link(body: &mut Html, target: &str, text: &str) {
    body.raw("<a").value("href", &format!("#{target}")).raw(">").text(text).raw("</a>");
}

fn chapter(body: &mut Html, purpose: Purpose, tables: &[TableDoc]) {
    let own: Vec<&TableDoc> = tables.iter().filter(|table| table.purpose == purpose).collect();
    if own.is_empty() {
        return;
    }
    body.raw("<section data-chapter><h2")
        .value("id", &format!("chapter-{}", page::anchor(purpose.title())))
        .raw(">")
        .text(purpose.title())
        .raw("</h2>\n");
    for table in own {
        entry(body, table, tables);
    }
    body.raw("</section>\n");
}

fn entry(body: &mut Html, table: &TableDoc, tables: &[TableDoc]) {
    body.raw("<article class=\"entry\" data-entry")
        .value("id", &place_of(&table.name))
        .raw("><div data-about><h3><code>")
        .text(&table.name)
        .raw("</code></h3><p>");
    prose(body, &table.description);
    body.raw("</p></div><dl class=\"facts\">");
    fact(body, "Grain", &table.grain);
    fact(body, "Unit", table.unit.as_deref().unwrap_or_default());
    links(body, "Reads", &table.reads, tables);
    let readers: Vec<String> = tables
        .iter()
        .filter(|other| other.reads.contains(&table.name))
        .map(|other| other.name.clone())
        .collect();
    links(body, "Read by", &readers, tables);
    let audits: Vec<&str> = table.audits.iter().map(|(name, _)| name.as_str()).collect();
    fact(body, "Audits", &audits.join(", "));
    body.raw("</dl>\n");
    columns(body, table);
    sources(body, table);
    body.raw("</article>\n");
}

fn place_of(table: &str) -> String {
    format!("table-{}", page::anchor(table))
}

fn fact(body: &mut Html, name: &str, value: &str) {
    if !value.is_empty() {
        body.raw("<dt>").text(name).raw("</dt><dd>");
        prose(body, value);
        body.raw("</dd>");
    }
}

fn links(body: &mut Html, name: &str, names: &[String], tables: &[TableDoc]) {
    if names.is_empty() {
        return;
    }
    body.raw("<dt>").text(name).raw("</dt><dd>");
    for (position, name) in names.iter().enumerate() {
        if position > 0 {
            body.raw(", ");
        }
        if tables.iter().any(|table| table.name == *name) {
            link(body, &place_of(name), name);
        } else {
            body.text(name);
        }
    }
    body.raw("</dd>");
}

/// A text in which names stand in backticks.
fn prose(body: &mut Html, text: &str) {
    for (position, part) in text.split('`').enumerate() {
        if position % 2 == 1 {
            body.raw("<code>").text(part).raw("</code>");
        } else {
            body.text(part);
        }
    }
}

fn columns(body: &mut Html, table: &TableDoc) {
    body.raw("<table class=\"dictionary\"><thead><tr><th scope=\"col\">Column</th><th scope=\"col\">Type</th><th scope=\"col\">Unit</th>")
        .raw("<th scope=\"col\">Description</th></tr></thead><tbody>\n");
    for column in &table.columns {
        body.raw("<tr data-row><td><code>")
            .text(&column.name)
            .raw("</code></td><td class=\"meta\">")
            .text(&column.data_type)
            .raw("</td><td class=\"meta\">")
            .text(column.unit.as_deref().unwrap_or_default())
            .raw("</td><td>");
        prose(body, column.description.as_deref().unwrap_or("–"));
        body.raw("</td></tr>\n");
    }
    body.raw("</tbody></table>\n");
}

fn sources(body: &mut Html, table: &TableDoc) {
    if let Some((path, text)) = &table.sql {
        folded(body, path, text);
    }
    for (name, text) in &table.audits {
        folded(body, &format!("audit {name}"), text);
    }
}

fn folded(body: &mut Html, summary: &str, text: &str) {
    body.raw("<details><summary>")
        .text(summary)
        .raw("</summary><pre><code>")
        .text(text.trim_end())
        .raw("</code></pre></details>\n");
}

fn reference(body: &mut Html, functions: &[FunctionDoc]) {
    body.raw("<section data-chapter><h2 id=\"functions\">SQL functions</h2>\n<p>What mappings, models and audits may call beside the functions of ")
        .raw("DataFusion. Nothing is computed from null: a null argument gives null where the text does not say otherwise.</p>\n");
    for function in functions {
        body.raw("<article class=\"entry\" data-entry")
            .value("id", &format!("function-{}", page::anchor(function.name)))
            .raw("><div data-about><h3><code>")
            .text(function.signature)
            .raw("</code></h3><p>");
        prose(body, function.description);
        body.raw("</p></div><pre><code>")
            .text(function.example)
            .raw("</code></pre></article>\n");
    }
    body.raw("</section>\n");
}
