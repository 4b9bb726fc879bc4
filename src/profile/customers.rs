//! `customers`: the golden record. Columns that mean something only together are chosen together: an address of two records is wrong.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt32Array, new_null_array};
use arrow::compute::take;
use rayon::prelude::*;

use super::members::Members;
use super::survive::{Group, NOBODY, Ranks, times, winners};
use super::{ProfileSpec, consent};
use crate::config::pipeline::Survivorship;
use crate::table::build::{batch, key_column};
use crate::table::keys::Keys;
use crate::table::{CleanContacts, column};

/// Columns of contacts that say something about the record, not about the person. `full_name` is in the names.
const NOT_OF_A_CUSTOMER: [&str; 6] = [
    column::SOURCE,
    column::RECORD_ID,
    column::FULL_NAME,
    column::CREATED_AT,
    column::UPDATED_AT,
    column::DELETED,
];
/// Chosen together where a record has both.
const NAME: [&str; 2] = [column::GIVEN_NAME, column::FAMILY_NAME];
/// Chosen together.
const ADDRESS: [&str; 6] = [
    column::STREET,
    column::HOUSE_NUMBER,
    column::POSTCODE,
    column::CITY,
    column::REGION,
    column::COUNTRY,
];
/// A record with one of these has an address; a record with a country alone has none.
const ADDRESS_CORE: [&str; 2] = [column::POSTCODE, column::STREET];
/// Columns whose source is published; of several, the first that has a value.
const PROVENANCE: [(&str, &[&str]); 4] = [
    (column::NAME_SOURCE, &[column::FAMILY_NAME, column::GIVEN_NAME]),
    (column::EMAIL_SOURCE, &[column::EMAIL]),
    (column::PHONE_SOURCE, &[column::PHONE]),
    (
        column::ADDRESS_SOURCE,
        &[column::POSTCODE, column::STREET, column::CITY, column::REGION, column::COUNTRY],
    ),
];

/// `customers`: `customer_key`, every contact column by survivorship (consent with `consent_<channel>_source` and `consent_<channel>_at`),
/// `name_source`, `email_source`, `phone_source`, `address_source` (which
/// record's source won), `records_count`, `sources_count`, `first_seen_at` (earliest `created_at`), `last_seen_at` (latest `updated_at`). Sorted by key.
///
/// Columns of a name, and columns of an address, that follow the same rule are chosen from one record.
#[must_use]
pub fn customers(spec: &ProfileSpec<'_>, contacts: &CleanContacts, keys: &Keys) -> RecordBatch {
    let members = Members::new(keys);
    let ranks = Ranks::new(contacts, spec.trust);
    let chosen = Chosen::new(spec, contacts, &members, &ranks);
    let consents: Vec<[(String, ArrayRef); 2]> = chosen
        .columns
        .iter()
        .filter(|(name, _)| column::is_consent(name))
        .map(|(name, rows)| consent::provenance(contacts, &ranks, name, rows))
        .collect();
    let mut columns: Vec<(&str, bool, ArrayRef)> = vec![(column::CUSTOMER_KEY, false, key_column(keys.keys.iter().map(|&key| Some(key))))];
    let mut provenance = consents.iter();
    for (name, rows) in &chosen.columns {
        columns.push((name, true, values(contacts, name, rows)));
        if column::is_consent(name) {
            let of_consent = provenance.next().into_iter().flatten();
            columns.extend(of_consent.map(|(name, values)| (name.as_str(), true, ArrayRef::clone(values))));
        }
    }
    for (name, of) in PROVENANCE {
        columns.push((name, true, chosen.provenance(contacts, &members, of)));
    }
    columns.extend(counts(contacts, &members));
    columns.push((
        column::FIRST_SEEN_AT,
        true,
        extreme(contacts, &members, column::CREATED_AT, i64::min),
    ));
    columns.push((
        column::LAST_SEEN_AT,
        true,
        extreme(contacts, &members, column::UPDATED_AT, i64::max),
    ));
    batch(columns)
}

/// The record that gives a column, for each customer.
type Choice = Arc<UInt32Array>;

fn values(contacts: &CleanContacts, name: &str, rows: &Choice) -> ArrayRef {
    let values = contacts
        .display
        .column_by_name(name)
        .expect("choices are of columns of the contacts");
    if rows.null_count() == rows.len() {
        return new_null_array(values.data_type(), rows.len());
    }
    take(values, rows.as_ref(), None).expect("winners are records of these contacts")
}

/// The choice for every column, in the order of the contacts' columns.
struct Chosen<'a> {
    columns: Vec<(&'a str, Choice)>,
}

impl<'a> Chosen<'a> {
    fn new(spec: &ProfileSpec<'_>, contacts: &'a CleanContacts, members: &Members, ranks: &Ranks) -> Self {
        let names: Vec<&'a str> = contacts
            .display
            .schema_ref()
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .filter(|name| !NOT_OF_A_CUSTOMER.contains(name))
            .filter(|name| !name.starts_with(column::CONSENT_PREFIX) || column::is_consent(name))
            .collect();
        let mut columns: Vec<(&'a str, Choice)> = Vec::with_capacity(names.len());
        for together in partition(spec, &names) {
            if column::is_consent(together[0])
                && let Some(rows) = consent::deciding(spec, contacts, members, ranks, together[0])
            {
                columns.push((together[0], nullable(&rows)));
                continue;
            }
            let rule = spec.rule(together[0]);
            for (name, choice) in choose(contacts, members, ranks, &together, rule) {
                columns.push((name, choice));
            }
        }
        columns.sort_by_key(|&(name, _)| names.iter().position(|&other| other == name));
        Self { columns }
    }

    fn provenance(&self, contacts: &CleanContacts, members: &Members, of: &[&str]) -> ArrayRef {
        let source = contacts.text(column::SOURCE).expect("contacts have a source");
        let chosen: Vec<(&Arc<UInt32Array>, &ArrayRef)> = of
            .iter()
            .filter_map(|name| {
                let (_, rows) = self.columns.iter().find(|(other, _)| other == name)?;
                Some((rows, contacts.display.column_by_name(name)?))
            })
            .collect();
        let sources: StringArray = (0..members.len())
            .map(|customer| {
                let mut records = chosen
                    .iter()
                    .filter(|(rows, _)| rows.is_valid(customer))
                    .map(|(rows, values)| (rows.value(customer) as usize, values));
                let (record, _) = records.find(|(record, values)| values.is_valid(*record))?;
                Some(source.value(record))
            })
            .collect();
        Arc::new(sources)
    }
}

/// Columns that are chosen together: those of a name, and those of an address, that follow the same rule; every other column alone.
fn partition<'a>(spec: &ProfileSpec<'_>, names: &[&'a str]) -> Vec<Vec<&'a str>> {
    let family = |name: &str| {
        if NAME.contains(&name) {
            Some(0)
        } else {
            ADDRESS.contains(&name).then_some(1)
        }
    };
    let mut parts: Vec<Vec<&'a str>> = Vec::new();
    for &name in names {
        let fits =
            |part: &&mut Vec<&'a str>| family(name).is_some() && family(part[0]) == family(name) && spec.rule(part[0]) == spec.rule(name);
        match parts.iter_mut().find(fits) {
            Some(part) => part.push(name),
            None => parts.push(vec![name]),
        }
    }
    parts
}

fn choose<'a>(
    contacts: &CleanContacts,
    members: &Members,
    ranks: &Ranks,
    together: &[&'a str],
    rule: Survivorship,
) -> Vec<(&'a str, Choice)> {
    let values = |name: &str| contacts.display.column_by_name(name).expect("names are those of the contacts");
    let is_name = together.len() == NAME.len() && NAME.contains(&together[0]);
    let columns: Vec<&ArrayRef> = together.iter().map(|name| values(name)).collect();
    let group = Group {
        needs_all: if is_name { columns.clone() } else { Vec::new() },
        needs_any: together
            .iter()
            .filter(|name| ADDRESS_CORE.contains(name))
            .map(|name| values(name))
            .collect(),
        columns,
    };
    let rows = winners(members, ranks, &group, rule);
    if is_name {
        return names_where_parted(members, ranks, &group, rule, &rows)
            .into_iter()
            .zip(together)
            .map(|(rows, &name)| (name, nullable(&rows)))
            .collect();
    }
    let rows = nullable(&rows);
    together.iter().map(|&name| (name, Arc::clone(&rows))).collect()
}

/// Where no record has both names, each name comes from its own best record.
fn names_where_parted(members: &Members, ranks: &Ranks, group: &Group<'_>, rule: Survivorship, rows: &[u32]) -> Vec<Vec<u32>> {
    let whole = |record: u32| record != NOBODY && group.columns.iter().all(|values| values.is_valid(record as usize));
    group
        .columns
        .iter()
        .map(|values| {
            let alone = Group {
                columns: vec![values],
                needs_all: Vec::new(),
                needs_any: Vec::new(),
            };
            let single = winners(members, ranks, &alone, rule);
            rows.iter()
                .zip(single)
                .map(|(&row, single)| if whole(row) { row } else { single })
                .collect()
        })
        .collect()
}

fn nullable(rows: &[u32]) -> Arc<UInt32Array> {
    Arc::new(rows.iter().map(|&row| (row != NOBODY).then_some(row)).collect())
}

/// `records_count` and `sources_count`.
fn counts(contacts: &CleanContacts, members: &Members) -> [(&'static str, bool, ArrayRef); 2] {
    let source = contacts.text(column::SOURCE).expect("contacts have a source");
    let per_customer: Vec<(i64, i64)> = (0..members.len())
        .into_par_iter()
        .map(|customer| {
            let records = members.of(customer);
            // Records are sorted by source, so equal sources stand together.
            let sources = records
                .chunk_by(|&left, &right| source.value(left as usize) == source.value(right as usize))
                .count();
            let integer = |count: usize| i64::try_from(count).expect("counts of records fit");
            (integer(records.len()), integer(sources))
        })
        .collect();
    let records = Int64Array::from_iter_values(per_customer.iter().map(|count| count.0));
    let sources = Int64Array::from_iter_values(per_customer.iter().map(|count| count.1));
    [
        (column::RECORDS_COUNT, false, Arc::new(records)),
        (column::SOURCES_COUNT, false, Arc::new(sources)),
    ]
}

/// The earliest or latest time of a customer's records; null if none has one.
fn extreme(contacts: &CleanContacts, members: &Members, name: &str, pick: fn(i64, i64) -> i64) -> ArrayRef {
    let times = times(contacts, name);
    let picked: Vec<Option<i64>> = (0..members.len())
        .into_par_iter()
        .map(|customer| {
            let times = times.as_ref()?;
            let records = members.of(customer).iter().map(|&record| record as usize);
            records
                .filter(|&record| times.is_valid(record))
                .map(|record| times.value(record))
                .reduce(pick)
        })
        .collect();
    let picked = TimestampMicrosecondArray::from(picked).with_timezone("UTC");
    Arc::new(picked)
}
