//! Values that too many different people share to mean one person: a shop's own phone number, `info@`, a kiosk's device.
//!
//! How many people share a value is counted without the value: among the records that hold it and have a name, two are one person if
//! * a chain of links joins them that reach the threshold without what the value's own column says, or of values of other identifiers that
//!   few enough records share to be above suspicion, or
//! * they have the same given and family name.
//!
//! Records without a name are nobody in particular and count for nothing: a device seen a hundred times without a name stays an identifier.
//! The count is one of connected components, so it depends neither on the order of rows nor on which value is looked at first: no value
//! that is itself suspicious speaks for another.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::sets::Sets;
use crate::config::spec::BlockingRule;
use crate::table::{Coded, CodedRecords, GenericValue, Link, NULL_CODE, RecordIx, column};

/// The values of the columns of `limits` that more than so many people share, sorted by (column, code). Only columns that a deterministic
/// rule reads whole are looked at. `holds_without` says whether a link reaches the threshold without what a column says.
///
/// O(c (n + l)) for c columns with a value that more records than its limit hold; nothing where there is none.
#[must_use]
pub fn generic(
    limits: &BTreeMap<String, u32>,
    rules: &[BlockingRule],
    records: &CodedRecords,
    links: &[Link],
    holds_without: &dyn Fn(&Link, &str) -> bool,
) -> Vec<GenericValue> {
    let reads = |rule: &BlockingRule, name: &str| rule.keys.iter().any(|key| key.prefix.is_none() && key.column == name);
    let limited: Vec<(&Coded, u32)> = limits
        .iter()
        .filter(|(name, _)| rules.iter().any(|rule| reads(rule, name)))
        .filter_map(|(name, &limit)| Some((records.column(name)?, limit)))
        .collect();
    let alone = |name: &str| rules.iter().any(|rule| rule.keys.len() == 1 && reads(rule, name));
    let mut found = Vec::new();
    for &(coded, limit) in limited
        .iter()
        .filter(|(coded, limit)| coded.counts().iter().any(|count| count > limit))
    {
        let mut people = Sets::new(records.len());
        for link in links.iter().filter(|link| holds_without(link, coded.name())) {
            people.unite(link.left.0, link.right.0);
        }
        for &(other, limit) in limited
            .iter()
            .filter(|(other, _)| other.name() != coded.name() && alone(other.name()))
        {
            unite_small(other, limit, &mut people);
        }
        found.extend(shared(coded, limit, records, &mut people));
    }
    found
}

/// Unites records that share a value of a column, where no more than `limit` do.
fn unite_small(coded: &Coded, limit: u32, people: &mut Sets) {
    let mut first_of = vec![NULL_CODE; coded.counts().len()];
    for (record, &code) in (0_u32..).zip(coded.codes()) {
        if code == NULL_CODE || coded.counts()[code as usize] > limit {
            continue;
        }
        let first = &mut first_of[code as usize];
        if *first == NULL_CODE {
            *first = record;
        } else {
            people.unite(*first, record);
        }
    }
}

/// Values of one column that more than `limit` people share.
fn shared(coded: &Coded, limit: u32, records: &CodedRecords, people: &mut Sets) -> Vec<GenericValue> {
    let mut holders: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (record, &code) in (0_u32..).zip(coded.codes()) {
        if code != NULL_CODE && coded.counts()[code as usize] > limit {
            holders.entry(code).or_default().push(record);
        }
    }
    let names = [column::GIVEN_NAME, column::FAMILY_NAME].map(|name| records.column(name));
    let name_of = |record: u32| names.map(|name| name.map_or(NULL_CODE, |name| name.codes()[record as usize]));
    let mut found = Vec::new();
    for (code, holders) in holders {
        let entities = entities(&holders, name_of, people);
        if entities > limit {
            found.push(GenericValue {
                column: coded.name().to_owned(),
                code,
                record: RecordIx(holders[0]),
                records: u32::try_from(holders.len()).expect("records are numbered by u32"),
                entities,
                entities_max: limit,
            });
        }
    }
    found
}

/// People among these records: components of the sets that their named records are in, joined by equal names.
fn entities(holders: &[u32], name_of: impl Fn(u32) -> [u32; 2], people: &mut Sets) -> u32 {
    let mut nodes: FxHashMap<(bool, [u32; 2]), u32> = FxHashMap::default();
    let mut edges = Vec::new();
    for &record in holders {
        let name = name_of(record);
        if name == [NULL_CODE; 2] {
            continue;
        }
        let [person, name] = [(true, [people.root(record), 0]), (false, name)].map(|node| {
            let next = u32::try_from(nodes.len()).expect("fewer nodes than twice the records of a value");
            *nodes.entry(node).or_insert(next)
        });
        edges.push((person, name));
    }
    let mut together = Sets::new(u32::try_from(nodes.len()).expect("fewer nodes than twice the records of a value"));
    for (person, name) in edges {
        together.unite(person, name);
    }
    let count = together.len();
    let roots = (0..count).filter(|&node| together.root(node) == node).count();
    u32::try_from(roots).expect("no more than nodes")
}

/// The columns that these rules read, without the generic values.
#[must_use]
pub fn without(values: &[GenericValue], rules: &[BlockingRule], records: &CodedRecords) -> CodedRecords {
    let is_read = |coded: &&Coded| rules.iter().any(|rule| rule.keys.iter().any(|key| key.column == coded.name()));
    let columns = records.columns().iter().filter(is_read).map(|coded| {
        let mut is_dropped = vec![false; coded.counts().len()];
        for value in values.iter().filter(|value| value.column == coded.name()) {
            is_dropped[value.code as usize] = true;
        }
        coded.without(&is_dropped)
    });
    records.with_columns(columns.collect())
}
