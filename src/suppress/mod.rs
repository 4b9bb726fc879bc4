//! People who must not be here: a list of keyed hashes that tells nothing about them, and the filter that knows them again in every export.
//!
//! The list is state of the warehouse. An entry is HMAC-SHA-256 of one identifier in the form that matching uses, under the secret that
//! mints keys and a domain of its own: without the secret nobody can tell from the list who is on it, not even by trying all addresses.

mod filter;
mod identifier;
mod list;
mod listed;
mod mention;

pub use filter::{Belongs, Counts, OrderIds, Screened, decisions, rejects, screen, suppress};
pub use identifier::{Identifier, IdentifierKind};
pub use list::{Cause, Entry, FORMAT, NewEntries, Purge, SUPPRESSIONS, Suppressions};
pub use listed::{Listed, keyed};
pub use mention::mentions;
