//! The base table `consents`: what `customers` says of each channel, one row a customer and channel.
//!
//! Which `consent_<channel>` columns there are depends on the project, and SQL cannot name a column that may be missing. Models of any
//! project can read this table instead. It is not published: `customers` is.

use std::fmt::Write;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::DataFusionError;
use datafusion::prelude::SessionContext;

use crate::engine::Engine;
use crate::table::column;
use crate::table::record::ColumnType;

/// Its name.
pub const NAME: &str = "consents";
/// The table it is a view of.
pub const OF: &str = "customers";

/// Its columns: `customer_key`, `channel` (the column's name after `consent_`), `is_granted`, `decided_at` (null where the source does
/// not tell), `source`.
#[must_use]
pub fn schema() -> SchemaRef {
    Schema::new(vec![
        Field::new(column::CUSTOMER_KEY, DataType::Utf8, true),
        Field::new("channel", DataType::Utf8, true),
        Field::new("is_granted", DataType::Boolean, true),
        Field::new("decided_at", ColumnType::Timestamp.arrow(), true),
        Field::new("source", DataType::Utf8, true),
    ])
    .into()
}

/// Makes it known as a view of the registered table `customers`.
///
/// # Errors
/// What planning says.
pub fn register(engine: &Engine, session: &SessionContext, customers: &Schema) -> Result<(), DataFusionError> {
    let query = query(customers);
    let view = engine.wait(session.sql(&query))?.into_view();
    session.register_table(NAME, view)?;
    Ok(())
}

fn query(customers: &Schema) -> String {
    let mut query = String::new();
    let consents = customers
        .fields()
        .iter()
        .filter(|field| column::is_consent(field.name()) && field.data_type() == &DataType::Boolean);
    for field in consents {
        let name = field.name();
        let or_null = |suffix: &str, sql_type: &str| {
            let name = format!("{name}{suffix}");
            if customers.column_with_name(&name).is_some() {
                format!("\"{name}\"")
            } else {
                format!("CAST(NULL AS {sql_type})")
            }
        };
        if !query.is_empty() {
            query.push_str(" UNION ALL ");
        }
        let (decided_at, source) = (or_null(column::AT_SUFFIX, "TIMESTAMP"), or_null(column::SOURCE_SUFFIX, "VARCHAR"));
        write!(
            query,
            "SELECT customer_key, '{channel}' AS channel, \"{name}\" AS is_granted, {decided_at} AS decided_at, {source} AS source \
             FROM customers WHERE \"{name}\" IS NOT NULL",
            channel = name.trim_start_matches(column::CONSENT_PREFIX).replace('\'', "''"),
        )
        .expect("a text takes any text");
    }
    if query.is_empty() {
        query.push_str(
            "SELECT customer_key, CAST(NULL AS VARCHAR) AS channel, CAST(NULL AS BOOLEAN) AS is_granted, \
             CAST(NULL AS TIMESTAMP) AS decided_at, CAST(NULL AS VARCHAR) AS source FROM customers WHERE false",
        );
    }
    query
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_boolean_consent_column_is_a_channel() {
        let boolean = |name: &str| Field::new(name, DataType::Boolean, true);
        let text = |name: &str| Field::new(name, DataType::Utf8, true);
        let columns = vec![
            text("customer_key"),
            boolean("consent_email"),
            text("consent_email_source"),
            boolean("is_member"),
            boolean("consent_sms"),
        ];
        let query = query(&Schema::new(columns));
        assert_eq!(query.matches("SELECT").count(), 2);
        assert!(
            query.contains("'email' AS channel") && query.contains("'sms' AS channel"),
            "{query}"
        );
        assert!(query.contains("\"consent_email_source\" AS source"), "{query}");
        assert!(!query.contains("consent_sms_at"), "{query}");
    }

    #[test]
    fn without_a_consent_column_it_has_no_row() {
        assert!(query(&Schema::empty()).contains("WHERE false"));
    }
}
