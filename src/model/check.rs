//! Finds mistakes without data: plans every model, in order, against empty tables, then every audit against the models.

use std::collections::{BTreeMap, BTreeSet};

use arrow::datatypes::SchemaRef;
use chrono::NaiveDate;
use datafusion::common::DataFusionError;
use datafusion::prelude::SessionContext;

use super::query::Query;
use super::{ModelSpec, base, failure, header, order, plain, session, suggest};
use crate::config::Spec;
use crate::config::spec::SqlFile;
use crate::engine::{Engine, Thrift};
use crate::error::Diagnostic;

/// What planning found, and the schemas of all tables, base tables included, that could be planned.
pub struct Checked {
    /// Models in order.
    pub models: Vec<ModelSpec>,
    /// Schemas by table.
    pub schemas: BTreeMap<String, SchemaRef>,
    /// Findings.
    pub findings: Vec<Diagnostic>,
}

/// Plans everything.
#[must_use]
pub fn check(engine: &Engine, spec: &Spec) -> Checked {
    let (models, mut findings) = order::all(spec);
    let mut schemas = base::schemas(spec);
    let session = session::open(engine, &session::Context::new(spec, NaiveDate::default()), Thrift::Fast);
    for (name, schema) in &schemas {
        session::register_empty(&session, name, schema).expect("an empty table has no batch that could differ");
    }
    let made: BTreeSet<String> = spec.models.iter().map(|file| file.name.clone()).collect();
    for model in &models {
        // A table that did not plan has its own finding; what reads it would only repeat it.
        if model.depends.iter().any(|table| !schemas.contains_key(table)) {
            continue;
        }
        match engine.wait(output(&session, &model.sql)) {
            Ok(schema) => match plain::schema_of(&schema) {
                Ok(schema) => {
                    findings.extend(undescribed(model, &schema));
                    session::register_empty(&session, &model.name, &schema).expect("an empty table has no batch that could differ");
                    schemas.insert(model.name.clone(), schema);
                }
                Err(problems) => findings.extend(problems.into_iter().map(|message| whole(&model.sql, message))),
            },
            Err(error) => findings.extend(failure::diagnostics(&model.sql, &error)),
        }
    }
    let names: BTreeSet<String> = schemas.keys().cloned().chain(made).collect();
    for audit in &spec.audits {
        match Query::parse(audit) {
            Err(finding) => findings.push(finding),
            Ok(query) if query.tables.iter().all(|table| schemas.contains_key(table)) => match engine.wait(output(&session, audit)) {
                Err(error) => findings.extend(failure::diagnostics(audit, &error)),
                Ok(schema) => findings.extend(unknown_shown(audit, &schema)),
            },
            Ok(_) => findings.extend(order::unknown_tables(audit, &names)),
        }
    }
    findings.sort();
    findings.dedup();
    Checked { models, schemas, findings }
}

/// Descriptions of columns that the query does not give, or that stand there twice.
fn undescribed(model: &ModelSpec, schema: &SchemaRef) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (position, described) in model.columns.iter().enumerate() {
        let name = described.name.as_str();
        let given = schema.fields().iter().map(|field| field.name().as_str());
        let (message, hint) = if schema.index_of(name).is_err() {
            let nearest = suggest::nearest(name, given);
            (format!("the header describes `{name}`, which the query does not give"), nearest)
        } else if model.columns[..position].iter().any(|known| known.name == name) {
            (format!("the header describes `{name}` twice"), None)
        } else {
            continue;
        };
        findings.push(Diagnostic {
            file: model.sql.path.clone(),
            line: described.line,
            column: 1,
            message,
            hint,
        });
    }
    findings
}

async fn output(session: &SessionContext, file: &SqlFile) -> Result<arrow::datatypes::Schema, DataFusionError> {
    let query = Query::parse(file).map_err(|finding| DataFusionError::Plan(finding.message))?;
    let planned = session::plan(session, query.statement()).await?;
    Ok(planned.schema().as_arrow().clone())
}

/// Columns that the header of an audit shows and its query does not give.
fn unknown_shown(audit: &SqlFile, schema: &arrow::datatypes::Schema) -> Vec<Diagnostic> {
    let shown = header::read(&audit.text).show.into_iter();
    let unknown = shown.filter(|name| schema.column_with_name(name).is_none());
    unknown
        .map(|name| whole(audit, format!("`-- show:` names `{name}`, which the audit does not give")))
        .collect()
}

fn whole(file: &SqlFile, message: String) -> Diagnostic {
    Diagnostic {
        file: file.path.clone(),
        line: 0,
        column: 0,
        message,
        hint: None,
    }
}
