//! Stage `key`: a stable key for every cluster, carried over from the last version by the records they share.

use crate::table::keys::{Keys, PreviousKeys};
use crate::table::{CleanContacts, Clusters};

/// Gives every cluster a key. `trust` ranks the sources, most trusted first; `secret` mints.
#[must_use]
pub fn assign(_contacts: &CleanContacts, _clusters: &Clusters, _previous: &PreviousKeys, _trust: &[String], _secret: &[u8]) -> Keys {
    todo!()
}
