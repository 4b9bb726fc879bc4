//! Questions to tables beside the models: one query over a few columns, for a report. Nothing of it is published as a table.

use chrono::NaiveDate;
use datafusion::common::{DataFusionError, TableReference};
use datafusion::prelude::SessionContext;

use super::query::Query;
use super::session::{self, Context};
use super::{Table, Tables, failure, plain};
use crate::config::Spec;
use crate::config::spec::SqlFile;
use crate::engine::{Engine, Thrift, is_exhausted};
use crate::error::{Error, Result};

/// Asks, with the functions and settings of models.
pub struct Asker<'a> {
    engine: &'a Engine,
    context: Context,
    session: SessionContext,
}

impl<'a> Asker<'a> {
    /// Opens a session without tables.
    #[must_use]
    pub fn new(engine: &'a Engine, spec: &Spec, as_of: NaiveDate) -> Self {
        let context = Context::new(spec, as_of);
        Self {
            engine,
            session: session::open(engine, &context, Thrift::Fast),
            context,
        }
    }

    /// Runs a query over these tables alone; rows are in the order of its ORDER BY, ties by all columns. `None`: the tables have another
    /// form than the query expects.
    ///
    /// # Errors
    /// `Environment` if memory does not suffice, `Input` if a value cannot be computed, `Internal` if the query is wrong in itself.
    pub fn ask(&self, file: &SqlFile, tables: &Tables) -> Result<Option<Table>> {
        let query =
            Query::parse(file).map_err(|finding| Error::internal("a question does not parse").with("finding", finding.to_string()))?;
        let answer = match self.answer(&self.session, self.engine.threads(), &query, tables) {
            Err(error) if is_exhausted(&error) => {
                let frugal = session::open(self.engine, &self.context, Thrift::Frugal);
                self.answer(&frugal, 1, &query, tables)
            }
            first => first,
        };
        for name in tables.keys() {
            // Only to free memory: the next question brings its own tables.
            let _ = self.session.deregister_table(TableReference::bare(name.as_str()));
        }
        answer.map_err(|error| self.engine.placed(failure::run("question", file, &error)))
    }

    fn answer(
        &self,
        session: &SessionContext,
        partitions: usize,
        query: &Query,
        tables: &Tables,
    ) -> Result<Option<Table>, DataFusionError> {
        for (name, table) in tables {
            session::register(session, partitions, name, table)?;
        }
        let Ok(planned) = self.engine.wait(session::plan(session, query.statement())) else {
            return Ok(None);
        };
        let Ok(schema) = plain::schema_of(planned.schema().as_arrow()) else {
            return Ok(None);
        };
        let ordered = query.ordered(schema.fields().len(), None);
        let rows = self.engine.wait(async { session::plan(session, ordered).await?.collect().await })?;
        let batches = rows.iter().map(|batch| plain::batch(batch, &schema)).collect::<Result<_, _>>()?;
        Ok(Some(Table { schema, batches }))
    }
}
