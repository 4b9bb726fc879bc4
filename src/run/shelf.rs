//! Where finished tables go: those that SQL will read stay in memory, all others are written at once and let go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use crate::error::{Error, Result};
use crate::model::{Table, Tables};
use crate::publish::Draft;

/// The tables of a version while it is made.
pub struct Shelf<'a> {
    draft: Draft<'a>,
    read_by_sql: BTreeSet<String>,
    kept: Tables,
    lent: Tables,
    schemas: BTreeMap<String, SchemaRef>,
}

impl<'a> Shelf<'a> {
    /// `read_by_sql` names the tables that models and audits read.
    #[must_use]
    pub fn new(draft: Draft<'a>, read_by_sql: BTreeSet<String>) -> Self {
        Self {
            draft,
            read_by_sql,
            kept: Tables::new(),
            lent: Tables::new(),
            schemas: BTreeMap::new(),
        }
    }

    /// Takes a table.
    ///
    /// # Errors
    /// Of [`Draft::add`].
    pub fn put(&mut self, name: &str, table: Table) -> Result<()> {
        self.schemas.insert(name.to_owned(), Arc::clone(&table.schema));
        if self.read_by_sql.contains(name) {
            self.kept.insert(name.to_owned(), table);
            return Ok(());
        }
        self.draft.add(name, &table.schema, &table.batches)
    }

    /// Takes tables of the last version that SQL may read and this run does not write.
    pub fn lend(&mut self, tables: Tables) {
        self.lent.extend(tables);
    }

    /// What SQL may read: everything in memory. Cheap: rows are shared.
    #[must_use]
    pub fn readable(&self) -> Tables {
        let mut all = self.lent.clone();
        all.extend(self.kept.clone());
        all
    }

    /// Tables in memory that this run writes.
    #[must_use]
    pub fn kept(&self) -> &Tables {
        &self.kept
    }

    /// Takes tables that SQL made, and keeps them for audits.
    pub fn keep(&mut self, tables: Tables) {
        for (name, table) in &tables {
            self.schemas.insert(name.clone(), Arc::clone(&table.schema));
        }
        self.kept.extend(tables);
    }

    /// Schemas of the tables that this run writes, so far.
    #[must_use]
    pub fn schemas(&self) -> &BTreeMap<String, SchemaRef> {
        &self.schemas
    }

    /// Rows of the tables that this run writes, so far.
    #[must_use]
    pub fn rows(&self) -> BTreeMap<String, u64> {
        let mut rows = self.draft.rows();
        for (name, table) in &self.kept {
            rows.insert(name.clone(), table.batches.iter().map(|batch| batch.num_rows() as u64).sum());
        }
        rows
    }

    /// Columns of a table that this run writes, from memory or from its file; `head`: at most that many rows, the first. `None` if there is
    /// no such table.
    ///
    /// # Errors
    /// Of [`Draft::read`].
    pub fn read(&self, name: &str, columns: &[&str], head: Option<usize>) -> Result<Option<Vec<RecordBatch>>> {
        let Some(table) = self.kept.get(name) else {
            return self.draft.read(name, columns, head);
        };
        let failed = |error| {
            Error::internal("a table lacks a column of its schema")
                .with("table", name)
                .because(error)
        };
        let order: Vec<usize> = columns
            .iter()
            .map(|column| table.schema.index_of(column))
            .collect::<Result<_, _>>()
            .map_err(failed)?;
        let mut left = head.unwrap_or(usize::MAX);
        let mut batches = Vec::new();
        for batch in &table.batches {
            let rows = batch.num_rows().min(left);
            left -= rows;
            batches.push(batch.slice(0, rows).project(&order).map_err(failed)?);
        }
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(Arc::new(table.schema.project(&order).map_err(failed)?)));
        }
        Ok(Some(batches))
    }

    /// Writes a page for people.
    ///
    /// # Errors
    /// Of [`Draft::add_page`].
    pub fn add_page(&mut self, name: &str, page: String) -> Result<()> {
        self.draft.add_page(name, page.into())
    }

    /// Writes what is left, and gives the draft to commit.
    ///
    /// # Errors
    /// Of [`Draft::add`].
    pub fn into_draft(mut self) -> Result<Draft<'a>> {
        for (name, table) in std::mem::take(&mut self.kept) {
            self.draft.add(&name, &table.schema, &table.batches)?;
        }
        Ok(self.draft)
    }
}
