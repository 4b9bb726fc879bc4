//! A specification with nothing but models, and tables written as CSV text.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use arrow::util::display::array_value_to_string;
use chrono::NaiveDate;
use stammkunde::Spec;
use stammkunde::config::gates::GatesSpec;
use stammkunde::config::spec::{ClusterSpec, CohesionSpec, IdentitySpec, KeyLimits, Secret, SqlFile, TrainingSpec};
use stammkunde::config::standard;
use stammkunde::engine::{Engine, EngineOptions};
use stammkunde::model::{Table, Tables};
use stammkunde::table::RecordKind;

pub fn engine() -> Engine {
    engine_with(2)
}

pub fn engine_with(threads: usize) -> Engine {
    Engine::new(&EngineOptions {
        threads: Some(threads),
        ..EngineOptions::default()
    })
    .expect("an engine starts")
}

/// A project with these models and audits, UTC and EUR.
pub fn spec(models: Vec<SqlFile>, audits: Vec<SqlFile>) -> Spec {
    Spec {
        folder: PathBuf::from("no-such-folder"),
        warehouse: String::new(),
        time_zone: chrono_tz::Tz::UTC,
        currency: "EUR".to_owned(),
        country: "DE".to_owned(),
        sources: Vec::new(),
        trust: Vec::new(),
        identity: IdentitySpec {
            identifiers: Vec::new(),
            generic_values: Default::default(),
            shared_by_records_max: 1,
            deterministic: Vec::new(),
            blocking: Vec::new(),
            block_pairs_max: 1,
            comparisons: Vec::new(),
            match_probability: 0.9,
            possible_probability: 0.5,
            training: TrainingSpec {
                deterministic: Vec::new(),
                recall: 0.7,
                sessions: Vec::new(),
                u_pairs_max: 1,
                session_pairs_max: 1,
                iterations_max: 1,
                convergence: 0.1,
                seed: 1,
                relations: true,
            },
            cluster: ClusterSpec {
                size_max: 1,
                one_per_customer: Vec::new(),
                exclusive: Vec::new(),
                cohesion: CohesionSpec::default(),
            },
        },
        decisions: None,
        key_secret: Secret::new("a secret of a test".to_owned()),
        survivorship: BTreeMap::new(),
        weights: Vec::new(),
        key_limits: KeyLimits::default(),
        gates: GatesSpec::default(),
        consent: stammkunde::config::pipeline::ConsentRule::default(),
        retention: stammkunde::config::spec::RetentionSpec::default(),
        purge_after_days: 30,
        settings: BTreeMap::new(),
        models,
        audits,
        fingerprint: String::new(),
    }
}

/// The shipped models and audits.
pub fn standard_spec() -> Spec {
    spec(standard::models(), standard::audits())
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day of a test")
}

/// A model of a project, with a header.
pub fn model(name: &str, sql: &str) -> SqlFile {
    SqlFile {
        name: name.to_owned(),
        path: format!("models/{name}.sql"),
        text: format!("-- name: {name}\n-- grain: one row\n-- description: a test\n{sql}"),
    }
}

/// An audit of a project.
pub fn audit(name: &str, sql: &str) -> SqlFile {
    SqlFile {
        name: name.to_owned(),
        path: format!("audits/{name}.sql"),
        text: sql.to_owned(),
    }
}

/// A record table with `customer_key` first, typed as published: the first line names the columns, the others hold values, all
/// separated by commas; empty is null, columns that are not named are null.
pub fn records(kind: RecordKind, csv: &str) -> Table {
    let declared = kind.schema().arrow(&[]);
    let mut fields = vec![arrow::datatypes::Field::new("customer_key", DataType::Utf8, true)];
    fields.extend(declared.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)));
    table(&Schema::new(fields), csv)
}

/// `customers` with keys, and no address.
pub fn customers(keys: &[&str]) -> Table {
    let text = |name: &str, nullable| arrow::datatypes::Field::new(name, DataType::Utf8, nullable);
    let schema = Schema::new(vec![text("customer_key", false), text("email", true)]);
    table(&schema, &format!("customer_key\n{}", keys.join("\n")))
}

pub fn table(schema: &Schema, csv: &str) -> Table {
    let mut lines = csv.trim().lines().map(|line| line.trim().split(',').collect::<Vec<_>>());
    let header = lines.next().expect("a header");
    let rows: Vec<Vec<&str>> = lines.collect();
    let columns: Vec<ArrayRef> = schema
        .fields()
        .iter()
        .map(|field| {
            let position = header.iter().position(|name| name == field.name());
            let texts: StringArray = rows
                .iter()
                .map(|row| position.map(|at| row[at]).filter(|text| !text.is_empty()))
                .collect();
            cast(&texts, field.data_type()).expect("a value of the column's type")
        })
        .collect();
    let schema = Arc::new(schema.clone());
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns).expect("columns of one length");
    Table {
        schema,
        batches: vec![batch],
    }
}

/// Rows of some columns as text; null is empty.
pub fn rows(table: &Table, columns: &[&str]) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for batch in &table.batches {
        for row in 0..batch.num_rows() {
            let cell = |name: &&str| {
                let column = batch.column_by_name(name).unwrap_or_else(|| panic!("no column {name}"));
                if column.is_null(row) {
                    String::new()
                } else {
                    array_value_to_string(column, row).expect("a printable type")
                }
            };
            rows.push(columns.iter().map(cell).collect());
        }
    }
    rows
}

/// Orders and customers of two people.
pub fn small_base() -> Tables {
    let orders = records(
        RecordKind::Orders,
        "customer_key,source,order_id,ordered_at,currency,gross\n\
         b,shop,1,2024-01-01T00:00:00Z,EUR,10\n\
         a,shop,2,2024-02-01T00:00:00Z,EUR,20.5\n\
         a,shop,3,2024-03-01T00:00:00Z,EUR,30",
    );
    Tables::from([("orders".to_owned(), orders), ("customers".to_owned(), customers(&["a", "b"]))])
}
