//! `privacy export`: everything that the newest version holds about one person, as one document and as CSV tables.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use arrow::util::display::array_value_to_string;
use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::erase::nobody;
use super::person::{People, Source, text};
use super::request::Request;
use super::rows::{Finder, in_order, without_others};
use crate::config::Spec;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model;
use crate::publish::Warehouse;
use crate::source::Ledger;
use crate::suppress::Listed;
use crate::table::{VersionNumber, column};
use crate::text::spreadsheet;

/// State file of the objects that were read.
const LEDGER: &str = "ledger.json";

/// Everything held about one person. Personal data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersonExport {
    /// Version it was read from.
    pub version: VersionNumber,
    /// When that version was published, UTC.
    pub published_at: DateTime<Utc>,
    /// Day as of which metrics were computed.
    pub as_of: NaiveDate,
    /// Keys of the person; empty if only rows without a customer were found.
    pub customer_keys: Vec<String>,
    /// Keys that were merged into them.
    pub former_keys: Vec<String>,
    /// Where the person's data come from.
    pub sources: Vec<ExportedSource>,
    /// Tables with rows about the person.
    pub tables: Vec<ExportedTable>,
    /// Older versions that are still there and may hold the person.
    pub older_versions: Vec<VersionNumber>,
}

/// A source that knows the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExportedSource {
    /// Source.
    pub source: String,
    /// Files of it that were read for this version.
    pub files: Vec<ExportedFile>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExportedFile {
    /// Path, relative to the source.
    pub path: String,
    /// SHA-256 (hex) of its bytes.
    pub sha256: Option<String>,
}

/// Rows of one table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExportedTable {
    /// Table.
    pub name: String,
    /// What it is for, where the table is a model's.
    pub description: Option<String>,
    /// What one row is, where the table is a model's.
    pub grain: Option<String>,
    /// Columns, in order.
    pub columns: Vec<String>,
    /// Rows: value by column, without nulls. Numbers and truth values as such, everything else as text.
    pub rows: Vec<serde_json::Map<String, serde_json::Value>>,
}

/// Exports one person.
///
/// Pairs of records (`links`, `possible_links`, `decisions`) show the person's own side; the other side is null unless it is the person's too.
///
/// # Errors
/// `Input` if nothing is held about the person, a key is unknown, or an identifier is several customers'.
pub fn export(engine: &Engine, spec: &Spec, request: &Request) -> Result<PersonExport> {
    let warehouse = Warehouse::new(engine.location(&spec.warehouse, &spec.folder)?);
    let manifest = &warehouse.newest(engine)?;
    let source = Source {
        engine,
        spec,
        warehouse: &warehouse,
        manifest,
    };
    let people = People::find(&source, std::slice::from_ref(request))?;
    let models = model::order(engine, spec, &[], &[]).unwrap_or_default();
    let mut finder = Finder::new(&people, Listed::of(&people.identifiers, spec));
    let mut tables = Vec::new();
    let mut sources = BTreeSet::new();
    for name in in_order(manifest.tables.keys()) {
        let mut found = Vec::new();
        for batch in &source.table(name)? {
            let rows = finder.look(name, batch)?.rows;
            if rows.true_count() > 0 {
                let rows =
                    filter_record_batch(batch, &rows).map_err(|error| Error::internal("rows do not fit their table").because(error))?;
                found.push(without_others(&people, &rows)?);
            }
        }
        if found.is_empty() {
            continue;
        }
        let texts = found
            .iter()
            .filter_map(|batch| text(batch, column::SOURCE))
            .flat_map(|texts| texts.iter().flatten());
        sources.extend(texts.map(str::to_owned));
        let about = models.iter().find(|model| model.name == name);
        tables.push(ExportedTable {
            name: name.to_owned(),
            description: about.map(|model| model.description.clone()),
            grain: about.map(|model| model.grain.clone()),
            columns: found[0].schema_ref().fields().iter().map(|field| field.name().clone()).collect(),
            rows: found.iter().flat_map(rows_of).collect(),
        });
    }
    if tables.is_empty() {
        return Err(nobody(manifest.version));
    }
    let versions = warehouse.versions(engine)?;
    Ok(PersonExport {
        version: manifest.version,
        published_at: manifest.created_at,
        as_of: manifest.as_of,
        former_keys: people.keys.difference(&people.live).cloned().collect(),
        customer_keys: people.live.into_iter().collect(),
        sources: files(&warehouse, engine, &sources)?,
        tables,
        older_versions: versions
            .iter()
            .map(|older| older.version)
            .filter(|version| *version < manifest.version)
            .collect(),
    })
}

/// The files of these sources, as the ledger of the newest version has them.
fn files(warehouse: &Warehouse, engine: &Engine, sources: &BTreeSet<String>) -> Result<Vec<ExportedSource>> {
    let newest = warehouse.newest(engine)?;
    let ledger: Ledger = match warehouse.state(engine, &newest, LEDGER)? {
        Some(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
            Error::environment("a state file of the newest version cannot be read")
                .with("file", LEDGER)
                .because(error)
        })?,
        None => Ledger::default(),
    };
    let mut by_source: BTreeMap<&String, Vec<ExportedFile>> = sources.iter().map(|source| (source, Vec::new())).collect();
    for input in ledger.inputs {
        if let Some(files) = by_source.get_mut(&input.source) {
            files.push(ExportedFile {
                path: input.path,
                sha256: input.sha256,
            });
        }
    }
    let by_source = by_source.into_iter();
    Ok(by_source
        .map(|(source, files)| ExportedSource {
            source: source.clone(),
            files,
        })
        .collect())
}

fn rows_of(batch: &RecordBatch) -> Vec<serde_json::Map<String, serde_json::Value>> {
    let fields = batch.schema_ref().fields();
    let row = |row: usize| {
        let cells = fields.iter().zip(batch.columns());
        cells
            .filter(|(_, values)| values.is_valid(row))
            .map(|(field, values)| (field.name().clone(), json(values, row)))
            .collect()
    };
    (0..batch.num_rows()).map(row).collect()
}

fn json(values: &ArrayRef, row: usize) -> serde_json::Value {
    match values.data_type() {
        DataType::Boolean => values.as_boolean().value(row).into(),
        DataType::Int32 => values.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => values.as_primitive::<Int64Type>().value(row).into(),
        DataType::Float64 => values.as_primitive::<Float64Type>().value(row).into(),
        _ => array_value_to_string(values, row).unwrap_or_default().into(),
    }
}

/// A table as CSV (RFC 4180, CRLF). A text that a spreadsheet would take for a formula begins with an apostrophe.
#[must_use]
pub fn csv(table: &ExportedTable) -> String {
    let mut out = spreadsheet::row(table.columns.iter().map(String::as_str));
    for row in &table.rows {
        let cell = |name: &String| match row.get(name) {
            None => String::new(),
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let cells: Vec<String> = table.columns.iter().map(cell).collect();
        out += &spreadsheet::row(cells.iter().map(String::as_str));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_with_delimiters_are_quoted() {
        let table = ExportedTable {
            name: "t".to_owned(),
            description: None,
            grain: None,
            columns: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
            rows: vec![serde_json::from_str(r#"{"a": "x,\"y\"", "c": 1.5}"#).expect("an object")],
        };
        assert_eq!(csv(&table), "a,b,c\r\n\"x,\"\"y\"\"\",,1.5\r\n");
    }
}
