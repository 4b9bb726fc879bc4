//! Laws that hold for every history: ten runs of random merges, splits, arrivals and erasures.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use stammkunde::key::changes;
use stammkunde::table::CustomerKey;
use stammkunde::table::keys::{KeyEventKind, PreviousKeys};

use super::world::{Run, run};

const RECORDS: usize = 12;
const ROUNDS: usize = 10;

type Groups = Vec<Vec<(String, String)>>;

/// For each record of a fixed population its group in this run, or its absence.
fn round() -> impl Strategy<Value = Groups> {
    prop::collection::vec(prop::option::weighted(0.85, 0_usize..5), RECORDS).prop_map(|group_of| {
        let mut groups: BTreeMap<usize, Vec<(String, String)>> = BTreeMap::new();
        for (record, group) in group_of.into_iter().enumerate() {
            if let Some(group) = group {
                let source = ["crm", "shop", "web"][record % 3];
                groups.entry(group).or_default().push((source.to_owned(), format!("{record:02}")));
            }
        }
        groups.into_values().collect()
    })
}

fn histories() -> impl Strategy<Value = Vec<Groups>> {
    prop::collection::vec(round(), ROUNDS)
}

fn live(run: &Run) -> BTreeSet<CustomerKey> {
    run.keys.keys.iter().copied().collect()
}

/// What must be true of every run, given the run before.
pub fn check(now: &Run, before: &Run) {
    let (live_now, live_before) = (live(now), live(before));
    assert_eq!(live_now.len(), now.keys.keys.len(), "a key stands once");
    assert!(now.keys.keys.is_sorted());
    let redirected: BTreeMap<CustomerKey, CustomerKey> = now.redirects().into_iter().collect();
    assert_eq!(redirected.len(), now.keys.redirects.len(), "an old key has one redirect");
    assert!(
        redirected.values().all(|key| live_now.contains(key)),
        "a redirect leads to a live key in one hop"
    );
    assert!(redirected.keys().all(|key| !live_now.contains(key)), "a live key is not redirected");
    let retired: BTreeSet<CustomerKey> = now.keys.retired.iter().copied().collect();
    assert!(retired.is_disjoint(&live_now), "a retired key is never used again");
    assert!(
        retired.iter().all(|key| !redirected.contains_key(key)),
        "a key is retired or redirected"
    );
    assert!(
        before.keys.retired.iter().all(|key| retired.contains(key)),
        "retired keys are never forgotten"
    );
    for key in live_before.difference(&live_now) {
        assert!(
            redirected.contains_key(key) || retired.contains(key),
            "no key vanishes without a trace"
        );
    }
    for (record, origin) in &now.keys.origins {
        assert!(redirected.contains_key(origin), "an origin is a key that was merged away");
        assert_ne!(now.keys.keys[now.keys.of[record.index()] as usize], *origin);
    }
    check_events(now, before);
}

fn check_events(now: &Run, before: &Run) {
    assert!(now.keys.events.is_sorted());
    let counts = changes(&now.keys, before.keys.keys.len() as u64);
    assert_eq!(
        counts.customers_before + counts.created + counts.split + counts.resurrected,
        counts.customers_after + counts.merged + counts.retired,
        "customers balance: {counts:?}"
    );
    let of_kinds = |kinds: &[KeyEventKind]| -> BTreeSet<CustomerKey> {
        let events = now.keys.events.iter().filter(|event| kinds.contains(&event.kind));
        events.map(|event| event.key).collect()
    };
    let arrived: BTreeSet<_> = live(now).difference(&live(before)).copied().collect();
    let left: BTreeSet<_> = live(before).difference(&live(now)).copied().collect();
    assert_eq!(
        of_kinds(&[KeyEventKind::Created, KeyEventKind::Split, KeyEventKind::Resurrected]),
        arrived
    );
    assert_eq!(of_kinds(&[KeyEventKind::Merged, KeyEventKind::Retired]), left);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn every_history_keeps_the_laws(history in histories()) {
        let mut before = run(&[], &PreviousKeys::default());
        for groups in history {
            let now = run(&groups, &before.stored());
            check(&now, &before);
            before = now;
        }
    }

    #[test]
    fn a_repeated_run_changes_nothing(history in histories()) {
        let mut before = run(&[], &PreviousKeys::default());
        for groups in history {
            let now = run(&groups, &before.stored());
            let again = run(&groups, &now.stored());
            prop_assert_eq!(&again.keys.keys, &now.keys.keys);
            prop_assert_eq!(&again.keys.of, &now.keys.of);
            prop_assert_eq!(&again.keys.events, &vec![]);
            prop_assert_eq!(&again.keys.redirects, &now.keys.redirects);
            prop_assert_eq!(&again.keys.origins, &now.keys.origins);
            before = now;
        }
    }

    #[test]
    fn the_order_of_groups_and_records_does_not_matter(history in histories()) {
        let mut previous = PreviousKeys::default();
        for groups in history {
            let now = run(&groups, &previous);
            let mut shuffled: Groups = groups.into_iter().rev().collect();
            for group in &mut shuffled {
                group.reverse();
            }
            let other = run(&shuffled, &previous);
            prop_assert_eq!(&other.keys.keys, &now.keys.keys);
            prop_assert_eq!(&other.keys.of, &now.keys.of);
            prop_assert_eq!(&other.keys.events, &now.keys.events);
            previous = now.stored();
        }
    }

    #[test]
    fn untouched_customers_keep_their_keys(before in round(), after in round()) {
        let first = run(&before, &PreviousKeys::default());
        let kept: Vec<(String, String)> = vec![("crm".into(), "x1".into()), ("shop".into(), "x2".into())];
        let with_kept = |groups: &Groups| { let mut groups = groups.clone(); groups.push(kept.clone()); groups };
        let one = run(&with_kept(&before), &PreviousKeys::default());
        let two = run(&with_kept(&after), &one.stored());
        prop_assert_eq!(two.key("crm:x1"), one.key("crm:x1"));
        // Nor does one more customer rename any other.
        for record in &first.records {
            let record = format!("{}:{}", record.0, record.1);
            prop_assert_eq!(first.key(&record), one.key(&record));
        }
    }

    #[test]
    fn merging_everyone_and_going_back_restores_every_key(before in round()) {
        let one = run(&before, &PreviousKeys::default());
        let all: Groups = vec![before.concat()].into_iter().filter(|group| !group.is_empty()).collect();
        let merged = run(&all, &one.stored());
        let back = run(&before, &merged.stored());
        prop_assert_eq!(&back.keys.keys, &one.keys.keys);
        prop_assert_eq!(&back.keys.of, &one.keys.of);
        prop_assert!(back.keys.redirects.is_empty());
    }
}
