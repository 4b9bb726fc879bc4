//! A tiny company: records in groups, run after run, with the state stored and read back as a version would.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use stammkunde::key;
use stammkunde::profile;
use stammkunde::table::keys::{KeyEventKind, Keys, PreviousKeys};
use stammkunde::table::{CleanContacts, Clusters, CustomerKey};

pub const SECRET: &[u8] = b"a secret for tests only";

/// One run's result, with its records.
pub struct Run {
    pub contacts: CleanContacts,
    pub records: Vec<(String, String)>,
    pub keys: Keys,
}

/// Records of one run: `crm:1 shop:7 | web:3` has two customers.
pub fn parse(text: &str) -> Vec<Vec<(String, String)>> {
    text.split('|')
        .map(|group| {
            group
                .split_whitespace()
                .map(|record| {
                    let (source, id) = record.split_once(':').expect("records are written source:id");
                    (source.to_owned(), id.to_owned())
                })
                .collect()
        })
        .filter(|group: &Vec<_>| !group.is_empty())
        .collect()
}

/// Runs the key stage over groups of records. Trust: crm, shop, web.
pub fn run(groups: &[Vec<(String, String)>], previous: &PreviousKeys) -> Run {
    let mut group_of: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (group, records) in groups.iter().enumerate() {
        for record in records {
            assert!(group_of.insert(record.clone(), group).is_none(), "a record is in one group");
        }
    }
    let mut root_of: BTreeMap<usize, u32> = BTreeMap::new();
    let of = (0_u32..)
        .zip(group_of.values())
        .map(|(record, &group)| *root_of.entry(group).or_insert(record))
        .collect();
    let records: Vec<(String, String)> = group_of.into_keys().collect();
    let contacts = contacts(&records);
    let trust = ["crm", "shop", "web"].map(str::to_owned);
    let keys = key::assign(&contacts, &Clusters { of }, previous, &trust, SECRET);
    Run { contacts, records, keys }
}

fn contacts(records: &[(String, String)]) -> CleanContacts {
    let source: ArrayRef = Arc::new(StringArray::from_iter_values(records.iter().map(|record| &record.0)));
    let record_id: ArrayRef = Arc::new(StringArray::from_iter_values(records.iter().map(|record| &record.1)));
    let batch = RecordBatch::try_from_iter([("source", source), ("record_id", record_id)]).unwrap();
    CleanContacts {
        display: batch.clone(),
        matching: batch,
    }
}

impl Run {
    /// The key of a record written `source:id`.
    pub fn key(&self, record: &str) -> CustomerKey {
        let (source, id) = record.split_once(':').unwrap();
        let at = self.records.iter().position(|record| record.0 == source && record.1 == id).unwrap();
        self.keys.keys[self.keys.of[at] as usize]
    }

    /// What the next run reads: identities and state, through Arrow.
    pub fn stored(&self) -> PreviousKeys {
        let identities = profile::identities(&self.contacts, &self.keys);
        let state = key::state::to_batches(&self.contacts, &self.keys);
        key::state::previous(&[identities], &[state.redirects], &[state.retired], &[state.origins]).unwrap()
    }

    /// The run after this one.
    pub fn then(&self, text: &str) -> Self {
        run(&parse(text), &self.stored())
    }

    /// Kinds of the events, in order.
    pub fn kinds(&self) -> Vec<KeyEventKind> {
        self.keys.events.iter().map(|event| event.kind).collect()
    }

    /// (key, other, records) of the only event of a kind.
    pub fn only(&self, kind: KeyEventKind) -> (CustomerKey, Option<CustomerKey>, u32) {
        let events: Vec<_> = self.keys.events.iter().filter(|event| event.kind == kind).collect();
        assert_eq!(events.len(), 1, "one event of this kind in {:?}", self.keys.events);
        (events[0].key, events[0].other, events[0].records_count)
    }

    /// (old, live) of every redirect.
    pub fn redirects(&self) -> Vec<(CustomerKey, CustomerKey)> {
        self.keys.redirects.iter().map(|redirect| (redirect.old, redirect.live)).collect()
    }
}

/// The first run over records written as text.
pub fn first(text: &str) -> Run {
    run(&parse(text), &PreviousKeys::default())
}
