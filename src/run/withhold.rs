//! What goes no further than the sources: people on the suppression list, and rows that are older than the project keeps them.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::Previous;
use crate::config::Spec;
use crate::engine::Engine;
use crate::error::Result;
use crate::plan::Plan;
use crate::retention::{self, FirstRead};
use crate::source::Ingested;
use crate::suppress::{self, Listed, Suppressions};
use crate::table::Rejects;

/// What was left out, and the state that the next run needs to do so again.
#[derive(Debug, Clone, Default)]
pub struct Withheld {
    /// Rows of suppressed people by record, contents of rejects, and decisions.
    pub suppressed: BTreeMap<String, u64>,
    /// Rows past their retention by record.
    pub expired: BTreeMap<String, u64>,
    list: Suppressions,
    first_read: FirstRead,
}

/// Leaves out what must not be published or kept. The one place through which all records go, whether read now or cached.
pub fn withhold(engine: &Engine, spec: &Spec, previous: &Previous, ingested: &mut Ingested) -> Result<BTreeMap<String, u64>> {
    let listed = Listed::new(&previous.suppressions, spec)?;
    engine.compute(|| {
        let mut suppressed = suppress::suppress(&listed, &mut ingested.contacts, &mut ingested.facts)?;
        let rejects = suppress::rejects(&listed, &mut ingested.rejects);
        let decisions = suppress::decisions(&listed, &mut ingested.decisions);
        for (name, count) in [("rejects", rejects), ("decisions", decisions)] {
            if count > 0 {
                suppressed.insert(name.to_owned(), count);
            }
        }
        Ok(suppressed)
    })
}

impl Withheld {
    /// Leaves out listed people and expired rows.
    ///
    /// # Errors
    /// `Config` if the list was made with another secret.
    pub fn of(engine: &Engine, spec: &Spec, previous: &Previous, plan: &Plan, ingested: &mut Ingested) -> Result<Self> {
        let suppressed = withhold(engine, spec, previous, ingested)?;
        let inputs = ingested.inputs.iter();
        let read = inputs.filter_map(|input| Some((input.source.as_str(), input.path.as_str(), input.sha256.as_deref()?)));
        let first_read = previous.first_read.after(read, plan.as_of);
        let expired = engine.compute(|| retention::expire(&spec.retention, spec.time_zone, plan.as_of, &mut ingested.facts));
        let mut list = previous.suppressions.clone();
        // What is due was deleted when the run began.
        list.purges.retain(|purge| purge.due > engine.now());
        Ok(Self {
            suppressed,
            expired,
            list,
            first_read,
        })
    }

    /// Blanks contents of rejects past their retention. Gives the rows that expired, with these.
    pub fn expire_rejects(&self, spec: &Spec, plan: &Plan, rejects: &mut Rejects) -> BTreeMap<String, u64> {
        let mut expired = self.expired.clone();
        let blanked = self.first_read.expire(&spec.retention, plan.as_of, rejects);
        if blanked > 0 {
            expired.insert("rejects".to_owned(), blanked);
        }
        expired
    }

    /// Adds the state files to those of a version.
    ///
    /// # Errors
    /// `Internal` if one does not fit JSON.
    pub fn add_state(&self, mut state: Vec<(String, Bytes)>) -> Result<Vec<(String, Bytes)>> {
        if !self.list.is_empty() {
            state.push(self.list.write()?);
        }
        state.push(self.first_read.write()?);
        Ok(state)
    }
}
