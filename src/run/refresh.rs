//! `--full-refresh`: checks that taking over what the last version knew gives what reading and comparing everything again gives.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;

use super::identity::{self, Before, Resolved};
use super::pieces::Pieces;
use super::withhold::Withheld;
use super::{Job, RunOptions, Silent, Stages};
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::source::{self, Ingested};
use crate::table::{CleanContacts, Decisions};

impl Job<'_> {
    /// What would differ if the objects that are as they were had not been read again: names of records, `rejects`.
    pub(super) fn compare_inputs(&self, plan: &Plan, read: &Ingested) -> Result<Vec<String>> {
        let incremental = RunOptions {
            full_refresh: false,
            ..self.options.clone()
        };
        let pieces = Pieces::new(self.engine, self.warehouse, self.previous, &incremental);
        let mut known = source::read(self.engine, self.spec, &plan.objects(), &self.previous.ledger, &pieces)?;
        Withheld::of(self.engine, self.spec, self.previous, plan, &mut known)?;
        let mut differing = Vec::new();
        let mut tell = |name: &str, is_same: bool| {
            if !is_same {
                differing.push(name.to_owned());
            }
        };
        tell("contacts", known.contacts.batch() == read.contacts.batch());
        for ((kind, known), (_, read)) in known.facts.iter().zip(&read.facts) {
            tell(kind.name(), is_same(known, read)?);
        }
        tell("rejects", known.rejects == read.rejects);
        Ok(differing)
    }

    /// What would differ if pairs of records that are as they were had not been compared again.
    pub(super) fn compare_links(&self, contacts: &CleanContacts, decisions: &Decisions, resolved: &Resolved) -> Result<Vec<String>> {
        let incremental = RunOptions {
            full_refresh: false,
            ..self.options.clone()
        };
        let before: Before<'_> = self.previous.before(self.spec, &incremental, contacts);
        if before.scored.is_none() {
            return Ok(Vec::new());
        }
        let mut untold = Stages::new(&Silent);
        let (_, known) = identity::resolve(self.engine, self.spec, contacts, decisions, before, &mut untold)?;
        let mut differing = Vec::new();
        if known.links != resolved.links {
            differing.push("links".to_owned());
        }
        if known.possible != resolved.possible {
            differing.push("possible_links".to_owned());
        }
        if known.clusters != resolved.clusters {
            differing.push("identities".to_owned());
        }
        Ok(differing)
    }
}

/// Whether two lists of batches hold the same rows in the same order, however they are cut.
fn is_same(left: &[RecordBatch], right: &[RecordBatch]) -> Result<bool> {
    let joined = |batches: &[RecordBatch]| {
        let schema = batches.first().map(RecordBatch::schema);
        let joined = schema.map(|schema| concat_batches(&schema, batches)).transpose();
        joined.map_err(|error| Error::internal("batches of one table do not fit together").because(error))
    };
    Ok(joined(left)? == joined(right)?)
}
