//! Questions to tables beside the models: one query over a few columns, for a report. Nothing of it is published as a table.

use chrono::NaiveDate;
use datafusion::prelude::SessionContext;

use super::query::Query;
use super::session::{self, Context};
use super::{Table, Tables, failure, plain};
use crate::config::Spec;
use crate::config::spec::SqlFile;
use crate::engine::{Engine, Thrift};
use crate::error::{Error, Result};

/// A session to ask in, with the functions and settings of models.
pub struct Asker<'a> {
    engine: &'a Engine,
    session: SessionContext,
}

impl<'a> Asker<'a> {
    /// Opens a session without tables.
    #[must_use]
    pub fn new(engine: &'a Engine, spec: &Spec, as_of: NaiveDate) -> Self {
        Self {
            engine,
            session: session::open(engine, &Context::new(spec, as_of), Thrift::Fast),
        }
    }

    /// Runs a query over these tables alone; rows are in the order of its ORDER BY, ties by all columns. `None`: the tables have another
    /// form than the query expects.
    ///
    /// # Errors
    /// `Environment` if memory does not suffice, `Input` if a value cannot be computed, `Internal` if the query is wrong in itself.
    pub fn ask(&self, file: &SqlFile, tables: &Tables) -> Result<Option<Table>> {
        let query = Query::parse(file).map_err(|finding| Error::internal("a question does not parse").with("finding", finding.to_string()))?;
        for (name, table) in tables {
            session::register(&self.session, self.engine.threads(), name, table).map_err(|error| {
                Error::internal("a table's batches differ from its schema")
                    .with("table", name)
                    .because(error)
            })?;
        }
        let answer = self.answer(file, &query);
        for name in tables.keys() {
            // Only to free memory: the next question brings its own tables.
            let _ = self.session.deregister_table(datafusion::common::TableReference::bare(name.as_str()));
        }
        answer
    }

    fn answer(&self, file: &SqlFile, query: &Query) -> Result<Option<Table>> {
        let Ok(planned) = self.engine.wait(session::plan(&self.session, query.statement())) else {
            return Ok(None);
        };
        let Ok(schema) = plain::schema_of(planned.schema().as_arrow()) else {
            return Ok(None);
        };
        let failed = |error| self.engine.placed(failure::run("question", file, &error));
        let ordered = query.ordered(schema.fields().len(), None);
        let rows = self
            .engine
            .wait(async { session::plan(&self.session, ordered).await?.collect().await })
            .map_err(failed)?;
        let batches: Result<Vec<_>, _> = rows.iter().map(|batch| plain::batch(batch, &schema)).collect();
        let batches = batches.map_err(|error| failed(error.into()))?;
        Ok(Some(Table { schema, batches }))
    }
}
