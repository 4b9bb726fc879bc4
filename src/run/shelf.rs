//! Where finished tables go: those that SQL will read stay in memory, all others are written at once and let go.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::model::{Table, Tables};
use crate::publish::Draft;

/// The tables of a version while it is made.
pub struct Shelf<'a> {
    draft: Draft<'a>,
    read_by_sql: BTreeSet<String>,
    kept: Tables,
    lent: Tables,
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
        }
    }

    /// Takes a table.
    ///
    /// # Errors
    /// Of [`Draft::add`].
    pub fn put(&mut self, name: &str, table: Table) -> Result<()> {
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
        self.kept.extend(tables);
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
