//! Finds the people that requests name: their keys, records, and the identifiers that nobody else has.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, RecordBatch, StringArray};

use super::request::Request;
use crate::config::Spec;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::publish::{Manifest, Warehouse};
use crate::suppress::{Identifier, Listed};
use crate::table::{RecordKind, column};
use crate::text::{country, fold};

/// Facts: records that hold identifiers and are no contacts.
const FACTS: [RecordKind; 4] = [
    RecordKind::Orders,
    RecordKind::Events,
    RecordKind::Interactions,
    RecordKind::Subscriptions,
];

/// A version to read.
pub(super) struct Source<'a> {
    pub engine: &'a Engine,
    pub spec: &'a Spec,
    pub warehouse: &'a Warehouse,
    pub manifest: &'a Manifest,
}

impl Source<'_> {
    /// Rows of a table; none if the version lacks it.
    pub fn table(&self, name: &str) -> Result<Vec<RecordBatch>> {
        Ok(self.warehouse.read(self.engine, self.manifest, name, None)?.unwrap_or_default())
    }
}

/// Everybody that the requests of one call name.
#[derive(Debug, Default)]
pub(super) struct People {
    /// Live keys.
    pub live: BTreeSet<String>,
    /// Live keys, and those that were merged into them.
    pub keys: BTreeSet<String>,
    /// Records: source → record ids.
    pub records: BTreeMap<String, BTreeSet<String>>,
    /// What they alone are known by, records included.
    pub identifiers: BTreeSet<Identifier>,
    /// Identifiers that other customers hold too.
    pub shared: u64,
    /// Requested identifiers that no contact has.
    pub unknown: BTreeSet<Identifier>,
    /// Keys that were merged away and asked for.
    pub redirected: BTreeSet<String>,
}

impl People {
    /// Finds them. Identifiers that no contact has are people too, known by nothing else.
    ///
    /// # Errors
    /// `Input` for a key that nobody has, or an identifier that several customers share.
    pub fn find(source: &Source<'_>, requests: &[Request]) -> Result<Self> {
        let mut people = Self::default();
        let redirects = redirects(source)?;
        let contacts = source.table(RecordKind::Contacts.name())?;
        people.name(source, requests, &redirects, &contacts)?;
        people.keys.extend(people.live.iter().cloned());
        people.keys.extend(
            redirects
                .iter()
                .filter(|(_, live)| people.live.contains(*live))
                .map(|(old, _)| old.clone()),
        );
        people.collect(source, &contacts)?;
        Ok(people)
    }

    /// Whether a key is one of theirs.
    pub fn has(&self, key: Option<&str>) -> bool {
        key.is_some_and(|key| self.keys.contains(key))
    }

    /// Whether a record is one of theirs.
    pub fn has_record(&self, source: &str, record_id: &str) -> bool {
        self.records.get(source).is_some_and(|ids| ids.contains(record_id))
    }

    /// How many records they have.
    pub fn records_count(&self) -> u64 {
        self.records.values().map(|ids| ids.len() as u64).sum()
    }

    /// The live keys that the requests mean.
    fn name(
        &mut self,
        source: &Source<'_>,
        requests: &[Request],
        redirects: &BTreeMap<String, String>,
        contacts: &[RecordBatch],
    ) -> Result<()> {
        let mut wanted_keys = BTreeSet::new();
        let mut holders: BTreeMap<&Identifier, BTreeSet<String>> = BTreeMap::new();
        for request in requests {
            match request {
                Request::Key(key) => {
                    let live = redirects.get(key);
                    if live.is_some() {
                        self.redirected.insert(key.clone());
                    }
                    wanted_keys.insert(live.unwrap_or(key).clone());
                }
                Request::Identifier(identifier) => {
                    holders.entry(identifier).or_default();
                }
            }
        }
        let listed = Listed::of(holders.keys().copied(), source.spec);
        let mut seen = BTreeSet::new();
        for batch in contacts {
            let rows = Held::new(source.spec, batch);
            for row in 0..batch.num_rows() {
                let key = rows.key(row).unwrap_or_default();
                if wanted_keys.contains(key) {
                    seen.insert(key.to_owned());
                }
                for identifier in rows.identifiers(row).filter(|identifier| listed.holds(identifier)) {
                    if let Some(keys) = holders.get_mut(&identifier) {
                        keys.insert(key.to_owned());
                    }
                }
            }
        }
        if wanted_keys.difference(&seen).next().is_some() {
            return Err(Error::input("no customer has this key, and no key was merged from it")
                .with("version", source.manifest.version.to_string())
                .hint("a person who is not in the newest version can be named by an identifier"));
        }
        self.live.extend(seen);
        for (identifier, keys) in holders {
            match keys.len() {
                0 => drop(self.unknown.insert(identifier.clone())),
                1 => self.live.extend(keys),
                _ => return Err(ambiguous(identifier, &keys)),
            }
        }
        Ok(())
    }

    /// Their records, and the identifiers that only they have: of their contacts, if no other customer's contact has it; of their orders,
    /// events and interactions, if nobody else's row has it either.
    fn collect(&mut self, source: &Source<'_>, contacts: &[RecordBatch]) -> Result<()> {
        let mut own = BTreeSet::new();
        each(source.spec, contacts, |key, identifier| {
            if self.has(key) {
                if let Identifier::Record { source, record_id } = &identifier {
                    self.records.entry(source.clone()).or_default().insert(record_id.clone());
                }
                own.insert(identifier);
            }
        });
        let mut of_facts = BTreeSet::new();
        for kind in FACTS {
            each(source.spec, &source.table(kind.name())?, |key, identifier| {
                if self.has(key) && !own.contains(&identifier) {
                    of_facts.insert(identifier);
                }
            });
        }
        own.extend(self.unknown.iter().cloned());
        let candidates = Listed::of(own.iter().chain(&of_facts), source.spec);
        let mut shared = BTreeSet::new();
        each(source.spec, contacts, |key, identifier| {
            if !self.has(key) && candidates.holds(&identifier) {
                shared.insert(identifier);
            }
        });
        if !of_facts.is_empty() {
            for kind in FACTS {
                each(source.spec, &source.table(kind.name())?, |key, identifier| {
                    if key.is_some() && !self.has(key) && of_facts.contains(&identifier) {
                        shared.insert(identifier);
                    }
                });
            }
        }
        self.shared = shared.len() as u64;
        self.identifiers = own
            .union(&of_facts)
            .filter(|identifier| !shared.contains(*identifier))
            .cloned()
            .collect();
        Ok(())
    }
}

fn ambiguous(identifier: &Identifier, keys: &BTreeSet<String>) -> Error {
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    Error::input("several customers have this identifier")
        .with("kind", identifier.kind().name())
        .with("customers", keys.join(", "))
        .hint("name the person by a customer key or a record")
}

/// Live keys by the keys that were merged into them.
fn redirects(source: &Source<'_>) -> Result<BTreeMap<String, String>> {
    let mut redirects = BTreeMap::new();
    for batch in source.table("key_redirects")? {
        if let (Some(old), Some(new)) = (text(&batch, column::OLD_KEY), text(&batch, column::NEW_KEY)) {
            let pairs = old.iter().flatten().zip(new.iter().flatten());
            redirects.extend(pairs.map(|(old, new)| (old.to_owned(), new.to_owned())));
        }
    }
    Ok(redirects)
}

/// Calls `visit` with the customer key and each identifier of every row.
fn each(spec: &Spec, batches: &[RecordBatch], mut visit: impl FnMut(Option<&str>, Identifier)) {
    for batch in batches {
        let held = Held::new(spec, batch);
        for row in 0..batch.num_rows() {
            held.identifiers(row).for_each(|identifier| visit(held.key(row), identifier));
        }
    }
}

/// What the rows of a published table are known by.
struct Held<'a> {
    spec: &'a Spec,
    key: Option<&'a StringArray>,
    email: Option<&'a StringArray>,
    phone: Option<&'a StringArray>,
    country: Option<&'a StringArray>,
    /// Source and record id of the contact itself, or of the one that the row names.
    record: [Option<&'a StringArray>; 3],
    numbers: Vec<(&'a str, &'a StringArray)>,
}

impl<'a> Held<'a> {
    fn new(spec: &'a Spec, batch: &'a RecordBatch) -> Self {
        let names = spec.identity.identifiers.iter().map(String::as_str).chain(column::IDENTIFIERS);
        let names: BTreeSet<&str> = names.filter(|name| ![column::EMAIL, column::PHONE].contains(name)).collect();
        let is_contacts = batch.schema_ref().index_of(column::RECORD_ID).is_ok();
        let id = if is_contacts {
            column::RECORD_ID
        } else {
            column::CONTACT_RECORD_ID
        };
        Self {
            spec,
            key: text(batch, column::CUSTOMER_KEY),
            email: text(batch, column::EMAIL),
            phone: text(batch, column::PHONE),
            country: text(batch, column::COUNTRY),
            record: [text(batch, column::CONTACT_SOURCE), text(batch, column::SOURCE), text(batch, id)],
            numbers: names.into_iter().filter_map(|name| Some((name, text(batch, name)?))).collect(),
        }
    }

    fn key(&self, row: usize) -> Option<&'a str> {
        at(self.key, row)
    }

    fn identifiers(&self, row: usize) -> impl Iterator<Item = Identifier> + '_ {
        let [contact_source, source, id] = self.record;
        let record = at(id, row).filter(|id| !id.is_empty()).and_then(|id| {
            let source = at(contact_source, row)
                .filter(|source| !source.is_empty())
                .or_else(|| at(source, row))?;
            Some(Identifier::record(source, id))
        });
        let own = at(self.country, row).and_then(|text| country::normalize(&fold::clean(text)));
        let phone = at(self.phone, row).and_then(|text| Identifier::phone(text, own.as_deref().unwrap_or(&self.spec.country)));
        let numbers = self
            .numbers
            .iter()
            .filter_map(move |(name, texts)| Identifier::number(name, at(Some(texts), row)?));
        let email = at(self.email, row).and_then(Identifier::email);
        record.into_iter().chain(email).chain(phone).chain(numbers)
    }
}

fn at(texts: Option<&StringArray>, row: usize) -> Option<&str> {
    texts.filter(|texts| texts.is_valid(row)).map(|texts| texts.value(row))
}

pub(super) fn text<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a StringArray> {
    batch.column_by_name(name).and_then(|values| values.as_string_opt::<i32>())
}
