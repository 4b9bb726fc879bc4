//! The tables that the stages make, as declared in `schemas/tables/*.json`: those that are no record of a source and no model.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{Field, Schema, SchemaRef};
use serde::Deserialize;

use crate::table::record::ColumnType;

/// What a table is for: the chapters of the dictionary, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Who the customers are.
    People,
    /// What the standard models compute.
    Metrics,
    /// What the project's own models compute.
    Own,
    /// What happened, with the key of its customer.
    Facts,
    /// Why records are together, and what happened to keys.
    Identity,
    /// How the job went.
    Operations,
}

impl Purpose {
    /// Every purpose, in the order of the dictionary.
    pub const ALL: [Self; 6] = [
        Self::People,
        Self::Metrics,
        Self::Own,
        Self::Facts,
        Self::Identity,
        Self::Operations,
    ];

    /// As a heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::People => "Customers",
            Self::Metrics => "Metrics",
            Self::Own => "Models of this project",
            Self::Facts => "Facts",
            Self::Identity => "Identity",
            Self::Operations => "Operations",
        }
    }
}

/// A table of `schemas/tables`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Declared {
    pub(super) table: String,
    pub(super) purpose: Purpose,
    pub(super) grain: String,
    pub(super) description: String,
    pub(super) columns: Vec<DeclaredColumn>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeclaredColumn {
    pub(super) name: String,
    #[serde(rename = "type")]
    column_type: ColumnType,
    #[serde(default)]
    pub(super) unit: Option<String>,
    pub(super) description: String,
}

/// Name of the table whose columns are those of contacts and some more.
const CUSTOMERS: &str = "customers";

static TABLES: LazyLock<BTreeMap<String, Declared>> = LazyLock::new(|| {
    let texts = [
        include_str!("../../schemas/tables/columns.json"),
        include_str!("../../schemas/tables/consents.json"),
        include_str!("../../schemas/tables/customers.json"),
        include_str!("../../schemas/tables/decisions.json"),
        include_str!("../../schemas/tables/generic_values.json"),
        include_str!("../../schemas/tables/identities.json"),
        include_str!("../../schemas/tables/key_events.json"),
        include_str!("../../schemas/tables/key_redirects.json"),
        include_str!("../../schemas/tables/links.json"),
        include_str!("../../schemas/tables/possible_links.json"),
        include_str!("../../schemas/tables/rejects.json"),
        include_str!("../../schemas/tables/runs.json"),
    ];
    let parsed = texts.map(|text| {
        let table: Declared = serde_json::from_str(text).expect("the declared tables are part of this program and tested");
        (table.table.clone(), table)
    });
    parsed.into()
});

/// Names of the declared tables, sorted.
#[must_use]
pub fn names() -> Vec<&'static str> {
    TABLES.keys().map(String::as_str).collect()
}

/// The table of that name.
pub(super) fn of(name: &str) -> Option<&'static Declared> {
    TABLES.get(name)
}

/// Schemas of the declared tables, but for `customers`, whose columns depend on the project.
pub(super) fn schemas() -> BTreeMap<String, SchemaRef> {
    let declared = TABLES.values().filter(|table| table.table != CUSTOMERS);
    declared
        .map(|table| {
            let fields: Vec<Field> = table
                .columns
                .iter()
                .map(|column| Field::new(&column.name, column.column_type.arrow(), true))
                .collect();
            (table.table.clone(), Arc::new(Schema::new(fields)))
        })
        .collect()
}
