//! Keys as a run gives them: with what people pinned, against the last version, and with the reason for every change.

use std::collections::BTreeSet;

use arrow::array::{Array, AsArray, RecordBatch};

use super::identity::Resolved;
use super::{Previous, RunOptions};
use crate::config::Spec;
use crate::engine::Engine;
use crate::error::Result;
use crate::key::{self, Changed, KeyInput, Trust};
use crate::score::ModelSource;
use crate::table::decisions::{NamedRecord, PIN};
use crate::table::keys::Keys;
use crate::table::{CleanContacts, Decisions, RecordIx, column};

/// Gives every cluster its key.
pub fn assign(
    engine: &Engine,
    spec: &Spec,
    previous: &Previous,
    contacts: &CleanContacts,
    decisions: &Decisions,
    resolved: &Resolved,
) -> Keys {
    let columns = spec.identity.columns();
    let decided = decided(previous, contacts, decisions);
    let rules = spec.identity.fingerprint();
    let input = KeyInput {
        contacts,
        clusters: &resolved.clusters,
        columns: &columns,
        previous: &previous.keys,
        trust: Trust {
            sources: &spec.trust,
            weights: &spec.weights,
        },
        decisions,
        changed: Changed {
            rules: previous.rules.as_ref().is_some_and(|before| *before != rules),
            model: resolved.model_source != ModelSource::LastVersion && !previous.has_model(&resolved.model, &resolved.frequencies),
            decided: &decided,
        },
        version: previous
            .version()
            .map_or(1, |version| u32::try_from(version.0 + 1).unwrap_or(u32::MAX)),
        secret: spec.key_secret.expose(),
    };
    engine.compute(|| key::assign(&input))
}

/// Stops a run that changes the keys of too many customers, unless the caller accepts it.
///
/// # Errors
/// `Gate`.
pub fn gate(spec: &Spec, options: &RunOptions, previous: &Previous, keys: &Keys) -> Result<()> {
    let changes = key::changes(keys, previous.customers());
    let refusals = key::refusals(keys, &changes, &spec.key_limits);
    if options.accept_key_changes {
        return Ok(());
    }
    key::refused(&refusals, changes.customers_before)
}

/// One decision, whoever made it and wherever it stands: kind, left source and id, right source and id, key.
type Meaning = [String; 6];

/// The records about which a decision came, went or changed since the last version, sorted.
fn decided(previous: &Previous, contacts: &CleanContacts, decisions: &Decisions) -> Vec<RecordIx> {
    let before: BTreeSet<Meaning> = previous.decisions.iter().flat_map(published).collect();
    let pair = |record: &NamedRecord| [record.source.clone(), record.record_id.clone()];
    let pairs = decisions.rows.iter().map(|row| {
        let ([left_source, left], [right_source, right]) = (pair(&row.left), pair(&row.right));
        [row.kind.name().to_owned(), left_source, left, right_source, right, String::new()]
    });
    let pins = decisions.pins.iter().map(|pin| {
        let [source, id] = pair(&pin.record);
        [PIN.to_owned(), source, id, String::new(), String::new(), pin.key.to_string()]
    });
    let now: BTreeSet<Meaning> = pairs.chain(pins).collect();
    let changed = before.symmetric_difference(&now);
    let records = changed.flat_map(|[_, left_source, left, right_source, right, _]| [(left_source, left), (right_source, right)]);
    let mut records: Vec<RecordIx> = records.filter_map(|(source, id)| contacts.find(source, id)).collect();
    records.sort_unstable();
    records.dedup();
    records
}

/// The decisions in a batch of the published table.
fn published(batch: &RecordBatch) -> impl Iterator<Item = Meaning> {
    let columns = [
        column::DECISION,
        column::LEFT_SOURCE,
        column::LEFT_RECORD_ID,
        column::RIGHT_SOURCE,
        column::RIGHT_RECORD_ID,
        column::CUSTOMER_KEY,
    ];
    let columns = columns.map(|name| batch.column_by_name(name).and_then(|values| values.as_string_opt::<i32>()));
    (0..batch.num_rows()).map(move |row| {
        columns.map(|values| {
            let value = values.filter(|values| values.is_valid(row)).map(|values| values.value(row));
            value.unwrap_or_default().to_owned()
        })
    })
}
