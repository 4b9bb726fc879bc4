//! The canonical records a source maps to, as declared in `schemas/records/*.json`.

use std::sync::LazyLock;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde::Deserialize;

/// The kinds of canonical record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// One row per person as a source knows it.
    Contacts,
    /// One row per order.
    Orders,
    /// One row per line of an order.
    OrderLines,
    /// One row per web event.
    Events,
    /// One row per contact with the company.
    Interactions,
    /// One row per stretch of a subscription at one price.
    Subscriptions,
    /// One row per currency and day; the only record about nobody.
    ExchangeRates,
}

impl RecordKind {
    /// All kinds, in the order in which they are read.
    pub const ALL: [Self; 7] = [
        Self::Contacts,
        Self::Orders,
        Self::OrderLines,
        Self::Events,
        Self::Interactions,
        Self::Subscriptions,
        Self::ExchangeRates,
    ];

    /// Name of the record and of the published table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Orders => "orders",
            Self::OrderLines => "order_lines",
            Self::Events => "events",
            Self::Interactions => "interactions",
            Self::Subscriptions => "subscriptions",
            Self::ExchangeRates => "exchange_rates",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether rows are about people: they then get a `customer_key`, may hold identifiers, and go with an erasure.
    #[must_use]
    pub fn is_about_people(self) -> bool {
        self != Self::ExchangeRates
    }

    /// Declared columns.
    #[must_use]
    pub fn schema(self) -> &'static RecordSchema {
        &SCHEMAS[self as usize]
    }
}

/// Type of a canonical column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// UTF-8 text.
    Text,
    /// True or false.
    Boolean,
    /// 64-bit signed integer.
    Integer,
    /// Decimal with 18 digits, 4 after the point.
    Decimal,
    /// 64-bit float, finite.
    Double,
    /// Calendar day.
    Date,
    /// UTC instant, microseconds.
    Timestamp,
}

impl ColumnType {
    /// The Arrow type that carries it everywhere, published tables included.
    #[must_use]
    pub fn arrow(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Decimal => DataType::Decimal128(18, 4),
            Self::Double => DataType::Float64,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }
}

/// A declared column.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnSchema {
    /// Name, snake case.
    pub name: String,
    /// Type.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// Whether a row without it goes to `rejects` with `missing_required`.
    #[serde(default)]
    pub required: bool,
    /// Unit of what it measures, if it measures.
    #[serde(default)]
    pub unit: Option<String>,
    /// What it holds.
    pub description: String,
}

/// Columns that a user may add: every name with this prefix, and this suffix if one is given.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenColumns {
    /// Prefix of the names, e.g. `consent_`.
    pub prefix: String,
    /// Suffix of the names, e.g. `_at`. Families with one stand before those without.
    #[serde(default)]
    pub suffix: String,
    /// Suffixes that a name must not have, because the job makes such columns itself.
    #[serde(default)]
    pub reserved: Vec<String>,
    /// Their type.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// What they hold.
    pub description: String,
}

/// One canonical record: `source` is added by the job and is not listed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordSchema {
    /// Name of the record.
    pub record: String,
    /// What one row is.
    pub grain: String,
    /// What it is for.
    pub description: String,
    /// Columns that together name a row inside a source.
    pub key: Vec<String>,
    /// Declared columns, in published order.
    pub columns: Vec<ColumnSchema>,
    /// Families of columns that a user may add.
    #[serde(default)]
    pub open: Vec<OpenColumns>,
}

impl OpenColumns {
    /// Whether a name is one of the family.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let rest = name.strip_prefix(&self.prefix).and_then(|rest| rest.strip_suffix(&self.suffix));
        rest.is_some_and(|rest| !rest.is_empty()) && !self.reserved.iter().any(|suffix| name.ends_with(suffix))
    }
}

impl RecordSchema {
    /// The declared column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&ColumnSchema> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Type of a column, declared or of an open family.
    #[must_use]
    pub fn type_of(&self, name: &str) -> Option<ColumnType> {
        self.column(name)
            .map(|column| column.column_type)
            .or_else(|| self.open.iter().find(|open| open.has(name)).map(|open| open.column_type))
    }

    /// Arrow schema: `source`, the declared columns, then `extra` columns (sorted by name by the caller).
    #[must_use]
    pub fn arrow(&self, extra: &[(String, ColumnType)]) -> SchemaRef {
        let mut fields = vec![Field::new(super::column::SOURCE, DataType::Utf8, false)];
        fields.extend(
            self.columns
                .iter()
                .map(|column| Field::new(&column.name, column.column_type.arrow(), !column.required)),
        );
        fields.extend(extra.iter().map(|(name, column_type)| Field::new(name, column_type.arrow(), true)));
        Schema::new(fields).into()
    }
}

static SCHEMAS: LazyLock<[RecordSchema; 7]> = LazyLock::new(|| {
    [
        include_str!("../../schemas/records/contacts.json"),
        include_str!("../../schemas/records/orders.json"),
        include_str!("../../schemas/records/order_lines.json"),
        include_str!("../../schemas/records/events.json"),
        include_str!("../../schemas/records/interactions.json"),
        include_str!("../../schemas/records/subscriptions.json"),
        include_str!("../../schemas/records/exchange_rates.json"),
    ]
    .map(|text| serde_json::from_str(text).expect("the record schemas are part of this program and tested"))
});
