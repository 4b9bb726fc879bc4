//! What every published table and column means: descriptions of the tables that the stages make, of the records that sources map to, and
//! of models by their headers, in one form for the table `columns` and for `stammkunde docs`.

use std::collections::BTreeMap;

use arrow::datatypes::{DataType, SchemaRef};

use crate::config::Spec;
use crate::config::standard;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{self, ModelSpec};
use crate::table::{RecordKind, column};

mod declared;
mod page;
mod published;

pub use declared::{Purpose, names};
pub use page::html;
pub use published::{COLUMNS, columns_table};

use declared::Declared;

/// A table, described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDoc {
    /// Name.
    pub name: String,
    /// What group of tables it belongs to.
    pub purpose: Purpose,
    /// What one row is.
    pub grain: String,
    /// Unit of the measures, if all have one.
    pub unit: Option<String>,
    /// What it is for.
    pub description: String,
    /// Its columns, in order.
    pub columns: Vec<ColumnDoc>,
    /// Tables that it is computed from; empty for what no model makes.
    pub reads: Vec<String>,
    /// Path and text of the query, for a model.
    pub sql: Option<(String, String)>,
    /// Name, path and text of the audits that read it.
    pub audits: Vec<(String, String)>,
}

/// A column, described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDoc {
    /// Name.
    pub name: String,
    /// Type in plain words: `text`, `boolean`, `integer`, `number`, `decimal(18,4)`, `date`, `timestamp`.
    pub data_type: String,
    /// Unit, if it has one.
    pub unit: Option<String>,
    /// What it holds; `None` if nobody says.
    pub description: Option<String>,
}

/// The type of a published column in plain words.
#[must_use]
pub fn plain_type(data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => "boolean".to_owned(),
        DataType::Date32 | DataType::Date64 => "date".to_owned(),
        DataType::Timestamp(..) => "timestamp".to_owned(),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => "number".to_owned(),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => format!("decimal({precision},{scale})"),
        integer if integer.is_integer() => "integer".to_owned(),
        DataType::Dictionary(_, values) => plain_type(values),
        _ => "text".to_owned(),
    }
}

/// Describes every table that a run of the project publishes, by name.
///
/// # Errors
/// `Config` with the findings of models that cannot be planned.
pub fn tables(engine: &Engine, spec: &Spec) -> Result<Vec<TableDoc>> {
    let planned = model::plan(engine, spec);
    if !planned.findings.is_empty() {
        return Err(Error::diagnostics(planned.findings));
    }
    let mut schemas = planned.schemas;
    for (name, schema) in declared::schemas() {
        schemas.entry(name).or_insert(schema);
    }
    Ok(describe(spec, &planned.models, &schemas))
}

/// Describes tables by their schemas. A table that nobody knows has columns without a description.
#[must_use]
pub fn describe(spec: &Spec, models: &[ModelSpec], schemas: &BTreeMap<String, SchemaRef>) -> Vec<TableDoc> {
    schemas
        .iter()
        .map(|(name, schema)| match models.iter().find(|model| model.name == *name) {
            Some(model) => of_model(spec, model, schema),
            None => of_stage(spec, name, schema),
        })
        .collect()
}

fn of_model(spec: &Spec, model: &ModelSpec, schema: &SchemaRef) -> TableDoc {
    let described = |name: &str| model.columns.iter().find(|column| column.name == name);
    let columns = schema.fields().iter().map(|field| {
        let said = described(field.name());
        ColumnDoc {
            name: field.name().clone(),
            data_type: plain_type(field.data_type()),
            unit: said.and_then(|column| column.unit.clone()),
            description: said.map(|column| column.description.clone()).filter(|text| !text.is_empty()),
        }
    });
    let is_shipped = model.sql.path.starts_with(&format!("{}/", standard::FOLDER));
    TableDoc {
        name: model.name.clone(),
        purpose: if is_shipped { Purpose::Metrics } else { Purpose::Own },
        grain: model.grain.clone(),
        unit: model.unit.clone(),
        description: model.description.clone(),
        columns: columns.collect(),
        reads: model.depends.clone(),
        sql: Some((model.sql.path.clone(), model.sql.text.clone())),
        audits: audits_of(spec, &model.name),
    }
}

/// A table that a stage makes: declared in `schemas/tables`, a record of `schemas/records`, or both.
fn of_stage(spec: &Spec, name: &str, schema: &SchemaRef) -> TableDoc {
    let declared = declared::of(name);
    let kind = RecordKind::from_name(name);
    let columns = schema.fields().iter().map(|field| {
        let said = declared.and_then(|table| said_of(&table.columns, field.name()));
        let (unit, description) = said.or_else(|| of_record(kind, name, field.name())).unzip();
        ColumnDoc {
            name: field.name().clone(),
            data_type: plain_type(field.data_type()),
            unit: unit.flatten(),
            description,
        }
    });
    let columns = columns.collect();
    let record = kind.map(RecordKind::schema);
    let text =
        |of_table: fn(&Declared) -> &str, of_record: Option<&str>| declared.map(of_table).or(of_record).unwrap_or_default().to_owned();
    TableDoc {
        name: name.to_owned(),
        purpose: declared.map_or(if name == "contacts" { Purpose::People } else { Purpose::Facts }, |table| {
            table.purpose
        }),
        grain: text(|table| &table.grain, record.map(|record| record.grain.as_str())),
        unit: None,
        description: text(|table| &table.description, record.map(|record| record.description.as_str())),
        columns,
        reads: Vec::new(),
        sql: None,
        audits: audits_of(spec, name),
    }
}

/// Unit and description.
type Said = (Option<String>, String);

fn said_of(columns: &[declared::DeclaredColumn], name: &str) -> Option<Said> {
    let column = columns.iter().find(|column| column.name == name)?;
    Some((column.unit.clone(), column.description.clone()))
}

/// What the schema of the record says; `customers` has the columns of contacts.
fn of_record(kind: Option<RecordKind>, table: &str, name: &str) -> Option<Said> {
    let kind = kind.or_else(|| (table == "customers").then_some(RecordKind::Contacts))?;
    let said = |text: &str| Some((None, text.to_owned()));
    match name {
        column::CUSTOMER_KEY if table == "contacts" => return said("The customer."),
        column::CUSTOMER_KEY => return said("The customer; null if the row belongs to nobody known."),
        column::SOURCE => return said("Source of the row."),
        _ => {}
    }
    let schema = kind.schema();
    if let Some(column) = schema.column(name) {
        return Some((column.unit.clone(), column.description.clone()));
    }
    if table == "customers" && name.starts_with(column::CONSENT_PREFIX) && name.ends_with(column::SOURCE_SUFFIX) {
        return said("Source of the record that says so.");
    }
    match schema.open.iter().find(|open| open.has(name)) {
        Some(open) => said(&open.description),
        None => said("Further identifier of the project: equal values are one person."),
    }
}

fn audits_of(spec: &Spec, table: &str) -> Vec<(String, String)> {
    let reading = spec.audits.iter().filter(|audit| model::tables_of(audit).contains(table));
    reading.map(|audit| (audit.name.clone(), audit.text.clone())).collect()
}
