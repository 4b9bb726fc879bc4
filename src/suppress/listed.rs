//! The list made ready for looking up: is this address, number or record on it?

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use rustc_hash::FxHashSet;
use sha2::Sha256;

use super::Suppressions;
use super::identifier::{Identifier, IdentifierKind};
use crate::config::Spec;
use crate::error::Result;
use crate::table::column;
use crate::text::{country, fold};

/// Separates these hashes from any other use of the secret.
const DOMAIN: &str = "stammkunde/suppress/v1";

/// A hash.
type Hash = [u8; 32];

/// Identifiers by their keyed hash, and how values of a project become identifiers. Cheap to ask: a kind that is not listed is never hashed.
pub struct Listed {
    mac: Hmac<Sha256>,
    hashes: FxHashSet<Hash>,
    has: [bool; IdentifierKind::ALL.len()],
    /// Identifier columns of the project.
    columns: Vec<String>,
    /// Country of phone numbers without one.
    country: String,
}

impl Listed {
    /// The list of a warehouse.
    ///
    /// # Errors
    /// `Config` if it was made with another secret.
    pub fn new(list: &Suppressions, spec: &Spec) -> Result<Self> {
        list.check(spec.key_secret.expose())?;
        let mut listed = Self::empty(spec);
        for (text, entry) in &list.entries {
            listed.has[entry.kind as usize] = true;
            listed.hashes.extend(unhex(text));
        }
        Ok(listed)
    }

    /// A list of these identifiers.
    #[must_use]
    pub fn of<'a>(identifiers: impl IntoIterator<Item = &'a Identifier>, spec: &Spec) -> Self {
        let mut listed = Self::empty(spec);
        for identifier in identifiers {
            listed.has[identifier.kind() as usize] = true;
            let hash = digest(&listed.mac, identifier.kind(), identifier.parts());
            listed.hashes.insert(hash);
        }
        listed
    }

    fn empty(spec: &Spec) -> Self {
        Self {
            mac: mac(spec.key_secret.expose()),
            hashes: FxHashSet::default(),
            has: [false; IdentifierKind::ALL.len()],
            columns: identifier_columns(spec),
            country: spec.country.clone(),
        }
    }

    /// Whether nobody is on it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Identifier columns of the project.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Whether this identifier is on it.
    #[must_use]
    pub fn holds(&self, identifier: &Identifier) -> bool {
        self.has[identifier.kind() as usize] && self.hashes.contains(&digest(&self.mac, identifier.kind(), identifier.parts()))
    }

    /// Whether a record is on it.
    #[must_use]
    pub fn record(&self, source: &str, record_id: &str) -> bool {
        let kind = IdentifierKind::Record;
        self.has[kind as usize] && self.hashes.contains(&digest(&self.mac, kind, (source, record_id)))
    }

    /// Whether the address in a text is on it.
    #[must_use]
    pub fn email(&self, text: &str) -> bool {
        self.has[IdentifierKind::Email as usize] && Identifier::email(text).is_some_and(|email| self.holds(&email))
    }

    /// Whether the phone number in a text is on it. `row_country` is the country of its row, as written.
    #[must_use]
    pub fn phone(&self, text: &str, row_country: Option<&str>) -> bool {
        if !self.has[IdentifierKind::Phone as usize] {
            return false;
        }
        let own = row_country.and_then(|text| country::normalize(&fold::clean(text)));
        Identifier::phone(text, own.as_deref().unwrap_or(&self.country)).is_some_and(|phone| self.holds(&phone))
    }

    /// Whether a value of an identifier column is on it.
    #[must_use]
    pub fn number(&self, column: &str, text: &str) -> bool {
        self.has[IdentifierKind::Number as usize] && Identifier::number(column, text).is_some_and(|number| self.holds(&number))
    }
}

/// Columns of which equal values mean one person: the project's, and all that are always read as such.
fn identifier_columns(spec: &Spec) -> Vec<String> {
    let contact_points = [column::EMAIL, column::PHONE];
    let own = spec
        .identity
        .identifiers
        .iter()
        .filter(|name| !contact_points.contains(&name.as_str()));
    let mut columns: Vec<String> = own.cloned().chain(column::IDENTIFIERS.map(str::to_owned)).collect();
    columns.sort();
    columns.dedup();
    columns
}

fn mac(secret: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(secret).expect("HMAC takes a key of any length (RFC 2104, section 2)")
}

/// HMAC-SHA-256 over domain, kind, place and value, each after its length, so that no two identifiers give one message.
fn digest(mac: &Hmac<Sha256>, kind: IdentifierKind, (place, value): (&str, &str)) -> Hash {
    let mut mac = mac.clone();
    for part in [DOMAIN, kind.name(), place, value] {
        mac.update(&(part.len() as u64).to_le_bytes());
        mac.update(part.as_bytes());
    }
    mac.finalize().into_bytes().into()
}

/// The hash of an identifier (hex), as it stands in the list.
#[must_use]
pub fn keyed(secret: &[u8], identifier: &Identifier) -> String {
    hex(&digest(&mac(secret), identifier.kind(), identifier.parts()))
}

/// What tells one secret from another and nothing else.
pub(super) fn seal(secret: &[u8]) -> String {
    let mut mac = mac(secret);
    mac.update(DOMAIN.as_bytes());
    mac.update(b"/secret");
    hex(&mac.finalize().into_bytes())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string can be written to");
        text
    })
}

fn unhex(text: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, at) in hash.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(hash)
}
