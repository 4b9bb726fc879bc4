//! The SQL session models run in: our functions, the run's day and settings, and the tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use chrono::NaiveDate;
use chrono_tz::Tz;
use datafusion::common::DataFusionError;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::MemTable;
use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement;

use super::Table;
use super::local_date::LocalDate;
use crate::config::Spec;
use crate::config::pipeline::Setting;
use crate::engine::functions::as_of::AsOf;
use crate::engine::functions::setting::SettingFn;
use crate::engine::{Engine, Thrift};

/// What a run says to SQL.
#[derive(Debug, Clone)]
pub struct Context {
    /// `as_of()`.
    pub as_of: NaiveDate,
    /// Zone of `local_date(timestamp)`.
    pub time_zone: Tz,
    /// `setting('name')`.
    pub settings: BTreeMap<String, Setting>,
}

impl Context {
    /// The project's settings, with its time zone and currency as settings `time_zone` and `currency`.
    #[must_use]
    pub fn new(spec: &Spec, as_of: NaiveDate) -> Self {
        let mut settings = spec.settings.clone();
        settings.insert("time_zone".to_owned(), Setting::Text(spec.time_zone.name().to_owned()));
        settings.insert("currency".to_owned(), Setting::Text(spec.currency.clone()));
        Self {
            as_of,
            time_zone: spec.time_zone,
            settings,
        }
    }
}

/// A session without tables.
#[must_use]
pub fn open(engine: &Engine, context: &Context, thrift: Thrift) -> SessionContext {
    let session = engine.session_spending(thrift);
    session.register_udf(ScalarUDF::new_from_impl(AsOf::new(context.as_of)));
    session.register_udf(ScalarUDF::new_from_impl(SettingFn::new(context.settings.clone())));
    session.register_udf(ScalarUDF::new_from_impl(LocalDate::new(context.time_zone)));
    session
}

/// Makes a table known; its batches are spread over as many partitions as there are threads.
///
/// # Errors
/// A batch that has not the table's schema.
pub fn register(session: &SessionContext, threads: usize, name: &str, table: &Table) -> Result<(), DataFusionError> {
    const ROWS_PER_SLICE: usize = 65_536;
    let mut partitions: Vec<Vec<RecordBatch>> = vec![Vec::new(); threads.max(1)];
    let mut next = 0;
    for batch in &table.batches {
        let mut offset = 0;
        while offset < batch.num_rows() {
            let length = ROWS_PER_SLICE.min(batch.num_rows() - offset);
            partitions[next].push(batch.slice(offset, length));
            next = (next + 1) % partitions.len();
            offset += length;
        }
    }
    let provider = MemTable::try_new(Arc::clone(&table.schema), partitions)?;
    session.register_table(datafusion::common::TableReference::bare(name), Arc::new(provider))?;
    Ok(())
}

/// Makes an empty table known.
///
/// # Errors
/// None in practice.
pub fn register_empty(session: &SessionContext, name: &str, schema: &SchemaRef) -> Result<(), DataFusionError> {
    let table = Table {
        schema: Arc::clone(schema),
        batches: Vec::new(),
    };
    register(session, 1, name, &table)
}

/// Plans a statement and checks its types; runs nothing.
///
/// # Errors
/// What planning says.
pub async fn plan(session: &SessionContext, statement: Statement) -> Result<DataFrame, DataFusionError> {
    let state = session.state();
    let plan = state.statement_to_plan(statement).await?;
    state.optimize(&plan)?;
    session.execute_logical_plan(plan).await
}
