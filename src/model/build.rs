//! Runs models and audits.

use std::collections::BTreeMap;
use std::time::Instant;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::util::display::array_value_to_string;
use datafusion::common::DataFusionError;
use datafusion::prelude::SessionContext;
use rayon::prelude::*;

use super::query::Query;
use super::session::Context;
use super::{AuditResult, ModelSpec, ModelTime, Table, Tables, base, consents, failure, header, plain, session, ties};
use crate::config::Spec;
use crate::config::spec::SqlFile;
use crate::engine::{Engine, Thrift, is_exhausted};
use crate::error::{Diagnostic, Error, Result};
use crate::table::column;

/// Rows of a failed audit that are told.
const EXAMPLES_MAX: usize = 5;

/// Builds `models` in the order given, and says of each how long it took. Base tables that are not there are empty.
///
/// # Errors
/// See [`super::build`].
pub fn build(engine: &Engine, spec: &Spec, models: &[ModelSpec], context: &Context, base: &Tables) -> Result<(Tables, Vec<ModelTime>)> {
    let mut session = session_over(engine, spec, context, base, Thrift::Fast)?;
    let mut built: Tables = BTreeMap::new();
    let mut times = Vec::new();
    for model in models {
        let start = Instant::now();
        let failed = |error: Failure| error.told("model", &model.sql, engine);
        let answer = match engine.wait(run(&session, model)) {
            Err(Failure::Query(error)) if is_exhausted(&error) => {
                // Once more with less: joins that can spill, on one thread. The tables made so far are given back to it.
                session = session_over(engine, spec, context, base, Thrift::Frugal)?;
                for (name, table) in &built {
                    session::register(&session, 1, name, table).map_err(|error| registering(name, error))?;
                }
                engine.wait(run(&session, model))
            }
            first => first,
        };
        let answer = answer.map_err(failed)?;
        let table = engine
            .compute(|| published(answer))
            .map_err(|error| failed(Failure::Query(error.into())))?;
        session::register(&session, engine.threads(), &model.name, &table).map_err(|error| registering(&model.name, error))?;
        times.push(ModelTime {
            model: model.name.clone(),
            rows: table.batches.iter().map(|batch| batch.num_rows() as u64).sum(),
            elapsed_ms: milliseconds(start),
        });
        built.insert(model.name.clone(), table);
    }
    Ok((built, times))
}

fn milliseconds(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// A session that knows every base table, empty or not.
fn session_over(engine: &Engine, spec: &Spec, context: &Context, base: &Tables, thrift: Thrift) -> Result<SessionContext> {
    let session = session_with(engine, context, base, thrift)?;
    for (name, schema) in base::schemas(spec) {
        if !session.table_exist(name.as_str()).unwrap_or(false) {
            session::register_empty(&session, &name, &schema).map_err(|error| registering(&name, error))?;
        }
    }
    Ok(session)
}

/// Why a model has no table: its query failed, or it is wrong in itself.
enum Failure {
    Query(DataFusionError),
    Model(Error),
}

impl Failure {
    fn told(self, what: &'static str, file: &SqlFile, engine: &Engine) -> Error {
        match self {
            Self::Query(error) => engine.placed(failure::run(what, file, &error)),
            Self::Model(error) => error,
        }
    }
}

/// Runs the audits whose tables are all there.
///
/// # Errors
/// See [`super::audit`].
pub fn audit(engine: &Engine, audits: &[SqlFile], context: &Context, tables: &Tables) -> Result<Vec<AuditResult>> {
    let session = session_with(engine, context, tables, Thrift::Fast)?;
    let mut results = Vec::new();
    for file in audits {
        let query = Query::parse(file).map_err(|finding| Error::diagnostics(vec![finding]))?;
        if !query.tables.iter().all(|table| tables.contains_key(table)) {
            continue;
        }
        let start = Instant::now();
        let count = async |session: &SessionContext| session::plan(session, query.statement()).await?.count().await;
        let counted = match engine.wait(count(&session)) {
            Err(error) if is_exhausted(&error) => engine.wait(count(&session_with(engine, context, tables, Thrift::Frugal)?)),
            first => first,
        };
        let told = |error| Failure::Query(error).told("audit", file, engine);
        let rows = counted.map_err(told)?;
        let header = header::read(&file.text);
        let examples = if rows > 0 && !header.show.is_empty() {
            engine.wait(examples(&session, &query, &header.show)).map_err(told)?
        } else {
            Vec::new()
        };
        results.push(AuditResult {
            audit: file.name.clone(),
            rows: rows as u64,
            elapsed_ms: milliseconds(start),
            hint: header.hint,
            examples,
        });
    }
    Ok(results)
}

/// The first rows of a failed audit in words: the columns that may be told, null left out.
async fn examples(session: &SessionContext, query: &Query, show: &[String]) -> Result<Vec<String>, DataFusionError> {
    let planned = session::plan(session, query.statement()).await?;
    let ordered = query.ordered(planned.schema().fields().len(), None);
    let names: Vec<&str> = show.iter().map(String::as_str).collect();
    let first = session::plan(session, ordered).await?.limit(0, Some(EXAMPLES_MAX))?;
    let mut told = Vec::new();
    for batch in first.select_columns(&names)?.collect().await? {
        for row in 0..batch.num_rows() {
            let mut words = Vec::new();
            for (name, values) in names.iter().zip(batch.columns()).filter(|(_, values)| values.is_valid(row)) {
                words.push(format!("{name} = {}", array_value_to_string(values, row)?));
            }
            told.push(words.join(", "));
        }
    }
    Ok(told)
}

fn session_with(engine: &Engine, context: &Context, tables: &Tables, thrift: Thrift) -> Result<SessionContext> {
    let session = session::open(engine, context, thrift);
    let partitions = if thrift == Thrift::Fast { engine.threads() } else { 1 };
    for (name, table) in tables {
        session::register(&session, partitions, name, table).map_err(|error| registering(name, error))?;
    }
    if let Some(customers) = tables.get(consents::OF).filter(|_| !tables.contains_key(consents::NAME)) {
        consents::register(engine, &session, &customers.schema).map_err(|error| registering(consents::NAME, error))?;
    }
    Ok(session)
}

/// What a query gave: its rows are in their order, or sorted by one column alone.
struct Answer {
    schema: SchemaRef,
    rows: Vec<RecordBatch>,
    settle_by: Option<usize>,
}

async fn run(session: &SessionContext, model: &ModelSpec) -> Result<Answer, Failure> {
    let file = &model.sql;
    let query = Query::parse(file).map_err(|finding| Failure::Model(Error::diagnostics(vec![finding])))?;
    for table in &query.tables {
        if !session.table_exist(table.as_str()).unwrap_or(false) {
            return Err(Failure::Model(
                Error::config(format!("model `{}` reads `{table}`, which is not built in this run", model.name))
                    .with("file", file.path.clone())
                    .hint(format!("select `+{}` to build what it reads", model.name)),
            ));
        }
    }
    let failed = Failure::Query;
    let planned = session::plan(session, query.statement()).await.map_err(failed)?;
    let output = planned.schema().as_arrow();
    let schema = plain::schema_of(output).map_err(|problems| Failure::Model(unpublishable(file, problems)))?;
    let key = output.fields().iter().position(|field| field.name() == column::CUSTOMER_KEY);
    let by_key = key.and_then(|position| Some((position, query.sorted_by(position + 1)?)));
    let (settle_by, ordered) = match by_key {
        Some((position, statement)) => (Some(position), statement),
        None => (None, query.ordered(output.fields().len(), key.map(|position| position + 1))),
    };
    let rows = session::plan(session, ordered)
        .await
        .map_err(failed)?
        .collect()
        .await
        .map_err(failed)?;
    Ok(Answer { schema, rows, settle_by })
}

/// The rows in their published types and their one order.
fn published(answer: Answer) -> Result<Table, ArrowError> {
    let Answer { schema, rows, settle_by } = answer;
    let filled = rows.into_par_iter().filter(|batch| batch.num_rows() > 0);
    let mut batches: Vec<RecordBatch> = filled.map(|batch| plain::batch(&batch, &schema)).collect::<Result<_, _>>()?;
    if let Some(key) = settle_by {
        batches = ties::settled(batches, key)?;
    }
    Ok(Table { schema, batches })
}

fn unpublishable(file: &SqlFile, problems: Vec<String>) -> Error {
    let finding = |message| Diagnostic {
        file: file.path.clone(),
        line: 0,
        column: 0,
        message,
        hint: None,
    };
    Error::diagnostics(problems.into_iter().map(finding).collect())
}

fn registering(table: &str, error: DataFusionError) -> Error {
    Error::internal("a table's batches differ from its schema")
        .with("table", table)
        .because(error)
}
