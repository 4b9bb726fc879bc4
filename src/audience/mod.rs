//! Audiences for ad platforms: customers of some segments who agreed to it, as files of hashes in the form that each platform matches by.
//!
//! Who belongs to a segment comes from the version that is asked for; who may be told, and by what, always from the newest one: a consent that
//! was withdrawn since, and a person who was erased or put on the suppression list, count at once.

mod allowed;
mod condition;
pub mod google;
pub mod meta;
pub mod normalize;
mod person;

use std::collections::BTreeSet;

use arrow::array::{AsArray, RecordBatch};
use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::Spec;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::publish::{Manifest, Warehouse};
use crate::suppress::{Listed, SUPPRESSIONS, Suppressions};
use crate::table::{VersionNumber, column};
use allowed::{Consent, Withheld, consents, suppressed};

pub use condition::{Condition, Operator};
pub use person::Person;

/// Where an audience goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// Customer Match of Google Ads.
    Google,
    /// Custom Audiences of Meta.
    Meta,
}

impl Platform {
    /// Name of its file.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Google => "google_customer_match.csv",
            Self::Meta => "meta_custom_audience.csv",
        }
    }

    fn header(self) -> &'static [&'static str] {
        match self {
            Self::Google => &google::HEADER,
            Self::Meta => &meta::HEADER,
        }
    }

    fn row(self, person: &Person) -> Option<Vec<String>> {
        match self {
            Self::Google => google::row(person),
            Self::Meta => meta::row(person),
        }
    }
}

/// What an audience is made of.
#[derive(Debug, Clone)]
pub struct AudienceOptions {
    /// Version whose segments count; default: the newest.
    pub version: Option<VersionNumber>,
    /// Platforms, each once.
    pub platforms: Vec<Platform>,
    /// Who belongs to it; at least one.
    pub conditions: Vec<Condition>,
    /// Consent columns of `customers`, all of which must say yes; at least one.
    pub consent: Vec<String>,
}

/// What an audience came to. Counts and conditions as they were given, no value of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AudienceReport {
    /// Version whose segments count.
    pub version: VersionNumber,
    /// Day as of which they were computed.
    pub as_of: NaiveDate,
    /// Newest version: whose consents, contact points and suppression list count.
    pub newest_version: VersionNumber,
    /// Who belongs to it.
    pub conditions: Vec<String>,
    /// Conditions that no customer meets.
    pub unmet: Vec<String>,
    /// Consent columns, all of which must say yes.
    pub consent: Vec<String>,
    /// Customers who meet the conditions.
    pub customers_selected: u64,
    /// Customers of these who may be told.
    pub customers: u64,
    /// Why the others may not.
    pub left_out: LeftOut,
    /// E-mail addresses and phone numbers that are not told because somebody who refused, or is on the suppression list, has them too.
    pub identifiers_withheld: u64,
    /// By platform.
    pub platforms: Vec<PlatformReport>,
}

/// Customers who were selected and are not told, by the first reason that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    /// In no newer version any more: merged into another, gone from the exports, or erased.
    pub gone: u64,
    /// On the suppression list.
    pub suppressed: u64,
    /// Said no.
    pub refused: u64,
    /// Said nothing.
    pub unknown: u64,
}

/// The file of one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlatformReport {
    /// Platform.
    pub platform: Platform,
    /// File, if one was written.
    pub file: Option<String>,
    /// Rows; equal ones are one.
    pub rows: u64,
    /// Rows with an e-mail address.
    pub with_email: u64,
    /// Rows with a phone number.
    pub with_phone: u64,
    /// Rows with given and family name.
    pub with_name: u64,
    /// Customers who may be told and have nothing to be matched by.
    pub nothing_to_match: u64,
}

/// An audience: the report, and the text of each file, in the order of its platforms.
#[derive(Debug)]
pub struct Audience {
    /// Counts.
    pub report: AudienceReport,
    /// CSV (comma, LF, no cell needs quotes), rows in the order of their hashes: the order tells nothing.
    pub files: Vec<String>,
}

/// Makes an audience; nothing is written.
///
/// # Errors
/// `Config` without a condition; `Input` if nothing is published yet, or customers lack the consent, or a table or column of a condition is
/// missing; `Environment` for the store.
pub fn audience(engine: &Engine, spec: &Spec, options: &AudienceOptions) -> Result<Audience> {
    if options.conditions.is_empty() {
        return Err(Error::config("nobody is chosen").hint("name segments with --segment, or customers with --where table.column=value"));
    }
    let warehouse = Warehouse::new(engine.location(&spec.warehouse, &spec.folder)?);
    let newest = warehouse.newest(engine)?;
    let chosen = match options.version {
        Some(number) if number != newest.version => warehouse.version(engine, number)?,
        _ => newest.clone(),
    };
    let people = People::read(engine, spec, &warehouse, &newest, &options.consent)?;
    let (selected, unmet) = condition::select(engine, &warehouse, &chosen, &options.conditions)?;
    let told = people.told(spec, &selected);
    let (platforms, files) = options
        .platforms
        .iter()
        .map(|platform| engine.compute(|| file(*platform, &told.persons)))
        .unzip();
    Ok(Audience {
        report: AudienceReport {
            version: chosen.version,
            as_of: chosen.as_of,
            newest_version: newest.version,
            conditions: options.conditions.iter().map(Condition::shown).collect(),
            unmet,
            consent: options.consent.clone(),
            customers_selected: selected.len() as u64,
            customers: told.persons.len() as u64,
            left_out: told.left_out,
            identifiers_withheld: told.withheld,
            platforms,
        },
        files,
    })
}

/// The customers of the newest version, what they said, and who must not be told.
struct People {
    customers: Vec<RecordBatch>,
    consents: Vec<Vec<Consent>>,
    suppressed: BTreeSet<String>,
    withheld: Withheld,
}

/// Those who may be told.
struct Told {
    persons: Vec<Person>,
    left_out: LeftOut,
    withheld: u64,
}

impl People {
    fn read(engine: &Engine, spec: &Spec, warehouse: &Warehouse, newest: &Manifest, consent: &[String]) -> Result<Self> {
        if consent.is_empty() {
            return Err(Error::config("no consent is named").hint("name the consent to being told to ad platforms with --consent"));
        }
        let table = |name: &str| Ok::<_, Error>(warehouse.read(engine, newest, name, None)?.unwrap_or_default());
        let customers = table("customers")?;
        let consents: Vec<Vec<Consent>> = customers.iter().map(|batch| consents(batch, consent)).collect::<Result<_>>()?;
        let list = Suppressions::read(warehouse.state(engine, newest, SUPPRESSIONS)?.as_ref())?;
        let listed = Listed::new(&list, spec)?;
        let contacts = table("contacts")?;
        let suppressed = engine.compute(|| suppressed(&listed, &contacts));
        let mut silent = suppressed.clone();
        for (batch, consents) in customers.iter().zip(&consents) {
            let refused = keys(batch).zip(consents).filter(|(_, consent)| **consent == Consent::Refused);
            silent.extend(refused.map(|(key, _)| key.to_owned()));
        }
        let withheld = engine.compute(|| Withheld::of(&silent, &contacts, spec));
        Ok(Self {
            customers,
            consents,
            suppressed,
            withheld,
        })
    }

    fn told(&self, spec: &Spec, selected: &BTreeSet<String>) -> Told {
        let mut told = Told {
            persons: Vec::new(),
            left_out: LeftOut::default(),
            withheld: 0,
        };
        let mut found = 0;
        for (batch, consents) in self.customers.iter().zip(&self.consents) {
            let rows = person::Rows::new(batch, &spec.country);
            for (row, (key, consent)) in keys(batch).zip(consents).enumerate() {
                if !selected.contains(key) {
                    continue;
                }
                found += 1;
                match consent {
                    _ if self.suppressed.contains(key) => told.left_out.suppressed += 1,
                    Consent::Refused => told.left_out.refused += 1,
                    Consent::Unknown => told.left_out.unknown += 1,
                    Consent::Given => {
                        let mut person = rows.person(row);
                        told.withheld += self.withheld.take(&mut person);
                        told.persons.push(person);
                    }
                }
            }
        }
        told.left_out.gone = selected.len() as u64 - found;
        told
    }
}

/// Keys of a batch of customers; every customer has one.
fn keys(batch: &RecordBatch) -> impl Iterator<Item = &str> {
    let keys = batch
        .column_by_name(column::CUSTOMER_KEY)
        .and_then(|keys| keys.as_string_opt::<i32>());
    keys.into_iter().flat_map(|keys| keys.iter().map(|key| key.unwrap_or_default()))
}

/// The file of a platform. Its rows are sorted, so that their order leads back to nobody.
fn file(platform: Platform, persons: &[Person]) -> (PlatformReport, String) {
    let rows: Vec<Vec<String>> = persons.iter().filter_map(|person| platform.row(person)).collect();
    let nothing_to_match = (persons.len() - rows.len()) as u64;
    let rows: BTreeSet<Vec<String>> = rows.into_iter().collect();
    let with = |cells: &[usize]| rows.iter().filter(|row| cells.iter().all(|cell| !row[*cell].is_empty())).count() as u64;
    let report = PlatformReport {
        platform,
        file: None,
        rows: rows.len() as u64,
        with_email: with(&[0]),
        with_phone: with(&[1]),
        with_name: with(&[2, 3]),
        nothing_to_match,
    };
    let mut text = platform.header().join(",") + "\n";
    for row in &rows {
        text += &row.join(",");
        text.push('\n');
    }
    (report, text)
}
