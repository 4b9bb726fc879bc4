//! A tiny company: records in groups, run after run, with the state stored and read back as a version would.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use stammkunde::key::state::StoredKeys;
use stammkunde::key::{self, Changed, KeyInput, Trust};
use stammkunde::profile;
use stammkunde::table::decisions::NamedRecord;
use stammkunde::table::keys::{KeyCause, KeyEventKind, Keys, PreviousKeys};
use stammkunde::table::{CleanContacts, Clusters, CustomerKey, Decided, Decisions, Pin, RecordIx};

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

/// What happens beside the records.
#[derive(Clone, Default)]
pub struct Step<'a> {
    /// Values of records written `source:id`, where they differ from their name.
    pub values: &'a [(&'a str, &'a str)],
    /// Pins: record written `source:id`, key.
    pub pins: &'a [(&'a str, CustomerKey)],
    /// Records about which a decision changed.
    pub decided: &'a [&'a str],
    /// Whether rules and model differ.
    pub rules: bool,
    pub model: bool,
    /// Number of the version.
    pub version: u32,
    /// What records of crm, shop and web count; all 1 if empty.
    pub weights: &'a [u32],
}

/// What records of crm, shop and web count by default.
pub const WEIGHTS: [u32; 3] = [3, 2, 1];

/// Runs the key stage over groups of records. Trust: crm, shop, web.
pub fn run(groups: &[Vec<(String, String)>], previous: &PreviousKeys) -> Run {
    let step = Step {
        version: 1,
        weights: &WEIGHTS,
        ..Step::default()
    };
    run_with(groups, previous, &step)
}

/// As [`run`], with more going on.
pub fn run_with(groups: &[Vec<(String, String)>], previous: &PreviousKeys, step: &Step<'_>) -> Run {
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
    let contacts = contacts(&records, step.values);
    let pins = step.pins.iter().map(|&(record, key)| Pin {
        record: named(record),
        key,
        decided_by: None,
        decided_at: None,
        reason: None,
        file: "pins.csv".to_owned(),
        line: 2,
    });
    let decided = Decided {
        pins: pins.collect(),
        ..Decided::default()
    };
    let find = |record: &&str| {
        contacts
            .find(&named(record).source, &named(record).record_id)
            .expect("a record that is there")
    };
    let decided_records: Vec<RecordIx> = step.decided.iter().map(find).collect();
    let keys = key::assign(&KeyInput {
        contacts: &contacts,
        clusters: &Clusters { of },
        columns: &["email".to_owned()],
        previous,
        trust: Trust {
            sources: &["crm", "shop", "web"].map(str::to_owned),
            weights: step.weights,
        },
        decisions: &Decisions::locate(decided, &contacts),
        changed: Changed {
            rules: step.rules,
            model: step.model,
            decided: &decided_records,
        },
        version: step.version,
        secret: SECRET,
    });
    Run { contacts, records, keys }
}

fn named(record: &str) -> NamedRecord {
    let (source, id) = record.split_once(':').expect("records are written source:id");
    NamedRecord {
        source: source.to_owned(),
        record_id: id.to_owned(),
    }
}

fn contacts(records: &[(String, String)], values: &[(&str, &str)]) -> CleanContacts {
    let value = |(source, id): &(String, String)| {
        let name = format!("{source}:{id}");
        let written = values.iter().find(|(record, _)| *record == name);
        written.map_or(name.clone(), |(_, value)| (*value).to_owned())
    };
    let text = |values: Vec<String>| Arc::new(StringArray::from(values)) as ArrayRef;
    let source = text(records.iter().map(|record| record.0.clone()).collect());
    let record_id = text(records.iter().map(|record| record.1.clone()).collect());
    let email = text(records.iter().map(value).collect());
    let batch = RecordBatch::try_from_iter([("source", source), ("record_id", record_id), ("email", email)]).unwrap();
    CleanContacts {
        display: batch.project(&[0, 1]).unwrap(),
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
        key::state::previous(StoredKeys {
            identities: vec![identities],
            redirects: vec![state.redirects],
            retired: vec![state.retired],
            origins: vec![state.origins],
            merges: vec![state.merges],
            created: vec![state.created],
            contents: vec![state.contents],
        })
        .unwrap()
    }

    /// The run after this one, with more going on.
    pub fn then_with(&self, text: &str, step: &Step<'_>) -> Self {
        run_with(&parse(text), &self.stored(), step)
    }

    /// (event, cause) of every event.
    pub fn causes(&self) -> Vec<(KeyEventKind, KeyCause)> {
        self.keys.events.iter().map(|event| (event.kind, event.cause)).collect()
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
