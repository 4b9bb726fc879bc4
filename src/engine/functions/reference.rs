//! The reference of functions, made from what the functions say of themselves: `schemas/functions.md`.

use std::fmt::Write;

use super::{FunctionDoc, groups};

/// Markdown: an index, then a section a purpose with every function.
#[must_use]
pub fn reference() -> String {
    let mut text = "# SQL functions\n\n\
        What stammkunde adds to the SQL of [DataFusion](https://datafusion.apache.org/user-guide/sql/). Printed by `stammkunde schema functions`.\n\n"
        .to_owned();
    let groups = groups();
    for group in &groups {
        let names: Vec<String> = group.functions.iter().map(|doc| format!("[`{0}`](#{0})", doc.name)).collect();
        writeln!(text, "* {}: {}", group.title, names.join(", ")).expect("a String takes any text");
    }
    for group in &groups {
        write!(text, "\n## {}\n\n{}\n", group.title, group.purpose).expect("a String takes any text");
        for doc in &group.functions {
            text.push_str(&section(doc));
        }
    }
    text
}

fn section(doc: &FunctionDoc) -> String {
    let FunctionDoc {
        name,
        signature,
        description,
        example,
    } = doc;
    format!("\n### {name}\n\n    {signature}\n\n{description}\n\n    {example}\n")
}
