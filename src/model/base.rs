//! The tables models may read before any model has run, with their columns: what the stages above publish.

use std::collections::{BTreeMap, BTreeSet};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::consents;
use crate::config::Spec;
use crate::table::record::ColumnType;
use crate::table::{RecordKind, column};

/// Columns of a contact that say something about the record, not about the customer.
const RECORD_ONLY: [&str; 5] = [
    column::RECORD_ID,
    column::FULL_NAME,
    column::CREATED_AT,
    column::UPDATED_AT,
    column::DELETED,
];

/// Schemas of the base tables by name: `customers`, `consents`, `identities`, `contacts`, `links`, `orders`, `order_lines`, `events`,
/// `interactions`, `subscriptions`, `exchange_rates`.
///
/// Open columns (consent, further identifiers) are those that the project's identity settings and mappings name. Every column is
/// nullable here, so that a table with fewer guarantees still plans.
#[must_use]
pub fn schemas(spec: &Spec) -> BTreeMap<String, SchemaRef> {
    let mut tables = BTreeMap::new();
    tables.insert("customers".to_owned(), customers(spec));
    tables.insert(
        "identities".to_owned(),
        texts(&[column::CUSTOMER_KEY, column::SOURCE, column::RECORD_ID]),
    );
    tables.insert("links".to_owned(), links());
    tables.insert(consents::NAME.to_owned(), consents::schema());
    for kind in RecordKind::ALL {
        let key = kind
            .is_about_people()
            .then(|| Field::new(column::CUSTOMER_KEY, DataType::Utf8, true));
        let mut fields: Vec<Field> = key.into_iter().collect();
        let declared = kind.schema().arrow(&open_columns(spec, kind));
        fields.extend(declared.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)));
        tables.insert(kind.name().to_owned(), Schema::new(fields).into());
    }
    tables
}

fn customers(spec: &Spec) -> SchemaRef {
    let contacts = RecordKind::Contacts.schema();
    let mut fields = vec![Field::new(column::CUSTOMER_KEY, DataType::Utf8, true)];
    for declared in contacts
        .columns
        .iter()
        .filter(|declared| !RECORD_ONLY.contains(&declared.name.as_str()))
    {
        fields.push(Field::new(&declared.name, declared.column_type.arrow(), true));
    }
    for (name, column_type) in open_columns(spec, RecordKind::Contacts) {
        if name.starts_with(column::CONSENT_PREFIX) && !column::is_consent(&name) {
            continue;
        }
        fields.push(Field::new(&name, column_type.arrow(), true));
        if column::is_consent(&name) {
            fields.push(Field::new(format!("{name}{}", column::SOURCE_SUFFIX), DataType::Utf8, true));
            fields.push(Field::new(
                format!("{name}{}", column::AT_SUFFIX),
                ColumnType::Timestamp.arrow(),
                true,
            ));
        }
    }
    for provenance in ["name_source", "email_source", "phone_source", "address_source"] {
        fields.push(Field::new(provenance, DataType::Utf8, true));
    }
    for count in [column::RECORDS_COUNT, "sources_count"] {
        fields.push(Field::new(count, DataType::Int64, true));
    }
    for time in ["first_seen_at", "last_seen_at"] {
        fields.push(Field::new(time, ColumnType::Timestamp.arrow(), true));
    }
    Schema::new(fields).into()
}

fn links() -> SchemaRef {
    let mut fields: Vec<Field> = Vec::new();
    for name in [
        column::CUSTOMER_KEY,
        column::LEFT_SOURCE,
        column::LEFT_RECORD_ID,
        column::RIGHT_SOURCE,
        column::RIGHT_RECORD_ID,
    ] {
        fields.push(Field::new(name, DataType::Utf8, true));
    }
    for name in [column::MATCH_WEIGHT, column::MATCH_PROBABILITY] {
        fields.push(Field::new(name, DataType::Float64, true));
    }
    fields.push(Field::new(column::RULE, DataType::Utf8, true));
    Schema::new(fields).into()
}

fn texts(names: &[&str]) -> SchemaRef {
    let fields: Vec<Field> = names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
    Schema::new(fields).into()
}

/// Columns beyond the declared ones, sorted by name: identifiers the project resolves by, and for contacts those of open families
/// (`consent_*`) that a contacts mapping names.
fn open_columns(spec: &Spec, kind: RecordKind) -> Vec<(String, ColumnType)> {
    let schema = kind.schema();
    let mut names: BTreeSet<String> = BTreeSet::new();
    if kind != RecordKind::OrderLines && kind.is_about_people() {
        names.extend(
            spec.identity
                .identifiers
                .iter()
                .filter(|name| schema.column(name).is_none())
                .cloned(),
        );
    }
    let mappings = spec
        .sources
        .iter()
        .flat_map(|source| &source.mappings)
        .filter(|mapping| mapping.record == kind);
    for mapping in mappings {
        for word in mapping
            .sql
            .text
            .split(|character: char| !character.is_ascii_alphanumeric() && character != '_')
        {
            let is_open = schema.open.iter().any(|open| open.has(word));
            if is_open {
                names.insert(word.to_owned());
            }
        }
    }
    names
        .into_iter()
        .map(|name| (name.clone(), schema.type_of(&name).unwrap_or(ColumnType::Text)))
        .collect()
}
