//! Twenty runs of random news: records are added, change, go, come back, and customers merge and part. What must hold holds in every run.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use stammkunde::key::changes;
use stammkunde::table::CustomerKey;
use stammkunde::table::keys::{KeyCause, KeyEventKind, PreviousKeys};

use super::laws::check;
use super::world::{Run, Step, WEIGHTS, run_with};

const RUNS: usize = 20;
const SOURCES: [&str; 3] = ["crm", "shop", "web"];

/// What happens between two runs. Numbers choose a record or a customer, modulo how many there are.
#[derive(Debug, Clone)]
enum News {
    Add(usize),
    AddAlone,
    Change(usize),
    Move(usize, usize),
    Delete(usize),
    Redeliver(usize),
    Split(usize, u32),
    Merge(usize, usize),
}

fn news() -> impl Strategy<Value = News> {
    let any = || 0_usize..64;
    prop_oneof![
        2 => any().prop_map(News::Add),
        2 => Just(News::AddAlone),
        2 => any().prop_map(News::Change),
        1 => (any(), any()).prop_map(|(record, customer)| News::Move(record, customer)),
        2 => any().prop_map(News::Delete),
        2 => any().prop_map(News::Redeliver),
        2 => (any(), proptest::arbitrary::any::<u32>()).prop_map(|(customer, parts)| News::Split(customer, parts)),
        2 => (any(), any()).prop_map(|(one, other)| News::Merge(one, other)),
    ]
}

fn histories() -> impl Strategy<Value = Vec<Vec<News>>> {
    prop::collection::vec(prop::collection::vec(news(), 0..4), RUNS)
}

type Record = (String, String);

/// The company as it is: which record is whose, and what each holds.
#[derive(Debug, Clone, Default)]
struct Company {
    customer_of: BTreeMap<Record, usize>,
    gone: BTreeMap<Record, usize>,
    values: BTreeMap<Record, usize>,
    records: usize,
    customers: usize,
}

impl Company {
    /// Six customers to begin with.
    fn new() -> Self {
        let mut company = Self::default();
        for at in 0..6 {
            company.hear(&News::AddAlone);
            company.hear(&News::Add(at));
        }
        company
    }

    fn record(&self, choice: usize) -> Option<Record> {
        let count = self.customer_of.len();
        (count > 0).then(|| self.customer_of.keys().nth(choice % count).expect("within the count").clone())
    }

    fn customer(&self, choice: usize) -> Option<usize> {
        let customers: BTreeSet<usize> = self.customer_of.values().copied().collect();
        (!customers.is_empty()).then(|| *customers.iter().nth(choice % customers.len()).expect("within the count"))
    }

    fn add(&mut self, customer: usize) -> Record {
        let record = (SOURCES[self.records * 7 % 3].to_owned(), format!("{:03}", self.records * 37 % 1000));
        self.records += 1;
        self.customer_of.insert(record.clone(), customer);
        record
    }

    fn new_customer(&mut self) -> usize {
        self.customers += 1;
        self.customers
    }

    fn hear(&mut self, news: &News) {
        match *news {
            News::Add(choice) => {
                if let Some(customer) = self.customer(choice) {
                    self.add(customer);
                }
            }
            News::AddAlone => {
                let customer = self.new_customer();
                self.add(customer);
            }
            News::Change(choice) => {
                if let Some(record) = self.record(choice) {
                    *self.values.entry(record).or_default() += 1;
                }
            }
            News::Move(choice, customer) => {
                if let (Some(record), Some(customer)) = (self.record(choice), self.customer(customer)) {
                    *self.values.entry(record.clone()).or_default() += 1;
                    self.customer_of.insert(record, customer);
                }
            }
            News::Delete(choice) => {
                if let Some(record) = self.record(choice) {
                    let customer = self.customer_of.remove(&record).expect("a record that is there");
                    self.gone.insert(record, customer);
                }
            }
            News::Redeliver(choice) => {
                let count = self.gone.len().max(1);
                if let Some((record, customer)) = self.gone.clone().into_iter().nth(choice % count) {
                    self.gone.remove(&record);
                    self.customer_of.insert(record, customer);
                }
            }
            News::Split(choice, parts) => self.split(choice, parts),
            News::Merge(one, other) => {
                if let (Some(one), Some(other)) = (self.customer(one), self.customer(other)) {
                    self.customer_of
                        .values_mut()
                        .filter(|customer| **customer == other)
                        .for_each(|customer| *customer = one);
                }
            }
        }
    }

    fn split(&mut self, choice: usize, parts: u32) {
        let Some(old) = self.customer(choice) else { return };
        let new = self.new_customer();
        let of_old = self.customer_of.values_mut().filter(|customer| **customer == old);
        for (position, customer) in of_old.enumerate() {
            if parts >> (position % 32) & 1 == 1 {
                *customer = new;
            }
        }
    }

    fn run(&self, previous: &PreviousKeys, version: u32) -> Run {
        let mut groups: BTreeMap<usize, Vec<Record>> = BTreeMap::new();
        for (record, &customer) in &self.customer_of {
            groups.entry(customer).or_default().push(record.clone());
        }
        let values: Vec<(String, String)> = self
            .values
            .iter()
            .map(|((source, id), value)| (format!("{source}:{id}"), format!("{source}:{id} {value}")))
            .collect();
        let values: Vec<(&str, &str)> = values.iter().map(|(record, value)| (record.as_str(), value.as_str())).collect();
        let step = Step {
            values: &values,
            version,
            weights: &WEIGHTS,
            ..Step::default()
        };
        run_with(&groups.into_values().collect::<Vec<_>>(), previous, &step)
    }
}

/// Key of each record.
fn key_of(run: &Run) -> BTreeMap<Record, CustomerKey> {
    run.records
        .iter()
        .zip(&run.keys.of)
        .map(|(record, &key)| (record.clone(), run.keys.keys[key as usize]))
        .collect()
}

/// Records of each key.
fn records_of(run: &Run) -> BTreeMap<CustomerKey, BTreeSet<Record>> {
    let mut records: BTreeMap<CustomerKey, BTreeSet<Record>> = BTreeMap::new();
    for (record, key) in key_of(run) {
        records.entry(key).or_default().insert(record);
    }
    records
}

/// A key that was there before has a record of the people it had, or comes back to a record that came from it.
fn no_key_moves_to_other_people(now: &Run, before: &Run) {
    let (had, has) = (records_of(before), records_of(now));
    let origins: BTreeSet<(Record, CustomerKey)> = before
        .keys
        .origins
        .iter()
        .map(|&(record, key)| (before.records[record.index()].clone(), key))
        .collect();
    for (key, records) in &has {
        let is_new = now
            .keys
            .events
            .iter()
            .any(|event| event.key == *key && matches!(event.kind, KeyEventKind::Created | KeyEventKind::Split));
        match had.get(key) {
            Some(before) => assert!(!records.is_disjoint(before), "{key} has other people"),
            None => assert!(
                is_new || records.iter().any(|record| origins.contains(&(record.clone(), *key))),
                "{key} came back to people it never had"
            ),
        }
    }
    // Who has exactly the records of before has the key of before.
    for (key, records) in &had {
        if let Some((now, _)) = has.iter().find(|(_, others)| *others == records) {
            assert_eq!(now, key, "nothing happened to these records");
        }
    }
}

/// Events concern only customers whose records changed, and no cause is told that is not there.
fn events_are_about_what_changed(now: &Run, before: &Run) {
    let (had, has) = (records_of(before), records_of(now));
    for event in &now.keys.events {
        assert_ne!(had.get(&event.key), has.get(&event.key), "{event:?}");
        assert!(
            !matches!(
                event.cause,
                KeyCause::Decision | KeyCause::NewRule | KeyCause::NewModel | KeyCause::Unknown
            ),
            "{event:?}"
        );
    }
    let gone: Vec<&Record> = before.records.iter().filter(|record| !now.records.contains(record)).collect();
    let came: Vec<&Record> = now.records.iter().filter(|record| !before.records.contains(record)).collect();
    let is_told = |cause| now.keys.events.iter().any(|event| event.cause == cause);
    assert!(!is_told(KeyCause::RemovedRecords) || !gone.is_empty());
    assert!(!is_told(KeyCause::NewRecords) || !came.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn twenty_runs_of_news_keep_every_law(history in histories()) {
        let mut company = Company::new();
        let mut before = company.run(&PreviousKeys::default(), 1);
        let mut ever_retired: BTreeSet<CustomerKey> = BTreeSet::new();
        for (version, news) in (2..).zip(&history) {
            news.iter().for_each(|news| company.hear(news));
            let now = company.run(&before.stored(), version);
            check(&now, &before);
            no_key_moves_to_other_people(&now, &before);
            events_are_about_what_changed(&now, &before);
            ever_retired.extend(&now.keys.retired);
            prop_assert!(now.keys.keys.iter().all(|key| !ever_retired.contains(key)), "a retired key is used again");
            prop_assert!(now.keys.created.iter().all(|&created| created <= version));
            let again = company.run(&now.stored(), version + 1);
            prop_assert_eq!(&again.keys.events, &vec![], "the same input again");
            prop_assert_eq!(&again.keys.keys, &now.keys.keys);
            prop_assert_eq!(&again.keys.created, &now.keys.created);
            prop_assert_eq!(again.redirects(), now.redirects());
            before = now;
        }
    }

    #[test]
    fn a_merge_that_is_undone_restores_both_keys_after_any_history(history in histories(), one in 0_usize..64, other in 0_usize..64) {
        let mut company = Company::new();
        let mut before = company.run(&PreviousKeys::default(), 1);
        for (version, news) in (2..).zip(&history) {
            news.iter().for_each(|news| company.hear(news));
            before = company.run(&before.stored(), version);
        }
        let mut merged = company.clone();
        merged.hear(&News::Merge(one, other));
        let together = merged.run(&before.stored(), 30);
        let apart = company.run(&together.stored(), 31);
        prop_assert_eq!(&apart.keys.keys, &before.keys.keys);
        prop_assert_eq!(&apart.keys.of, &before.keys.of);
        prop_assert_eq!(apart.redirects(), before.redirects());
        prop_assert_eq!(&apart.keys.created, &before.keys.created);
    }

    #[test]
    fn one_more_record_changes_only_the_customer_it_touches(history in histories(), choice in 0_usize..64, alone: bool) {
        let mut company = Company::new();
        let mut before = company.run(&PreviousKeys::default(), 1);
        for (version, news) in (2..).zip(&history) {
            news.iter().for_each(|news| company.hear(news));
            before = company.run(&before.stored(), version);
        }
        let had = key_of(&before);
        let customer = company.customer(choice).filter(|_| !alone).unwrap_or_else(|| company.new_customer());
        let added = company.add(customer);
        let now = company.run(&before.stored(), 30);
        let has = key_of(&now);
        prop_assert!(had.iter().all(|(record, key)| has[record] == *key), "a key changed");
        let is_new = !had.values().any(|key| *key == has[&added]);
        let kinds = now.kinds();
        prop_assert_eq!(kinds.len(), usize::from(is_new), "{:?}", kinds);
        prop_assert_eq!(changes(&now.keys, before.keys.keys.len() as u64).created, u64::from(is_new));
    }
}
