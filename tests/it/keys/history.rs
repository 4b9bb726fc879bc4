//! Single stories: a merge, a split, an un-merge, an erasure.

use stammkunde::key::{self, Changed, KeyChanges, KeyInput, Trust, changes};
use stammkunde::table::keys::KeyEventKind::{Created, Merged, RecordsMoved, Resurrected, Retired, Split};
use stammkunde::table::keys::PreviousKeys;
use stammkunde::table::{Clusters, Decisions};

use super::world::{Step, WEIGHTS, first, parse, run_with};

#[test]
fn every_key_of_the_first_run_is_created() {
    let run = first("crm:1 shop:1 | crm:2");
    assert_eq!(run.kinds(), [Created, Created]);
    assert_ne!(run.key("crm:1"), run.key("crm:2"));
    assert_eq!(run.key("crm:1"), run.key("shop:1"));
    assert!(run.keys.keys.is_sorted());
}

#[test]
fn the_same_records_again_change_nothing() {
    let run = first("crm:1 shop:1 | crm:2 | web:9");
    let again = run.then("crm:1 shop:1 | crm:2 | web:9");
    assert_eq!(again.keys.keys, run.keys.keys);
    assert_eq!(again.kinds(), []);
}

#[test]
fn a_key_does_not_follow_the_smallest_record() {
    let run = first("shop:5 web:1");
    let grown = run.then("crm:0 shop:5 web:1");
    assert_eq!(grown.key("crm:0"), run.key("shop:5"));
    assert_eq!(grown.kinds(), []);
}

#[test]
fn keys_survive_a_merge() {
    let run = first("crm:1 shop:1 | crm:2");
    let merged = run.then("crm:1 shop:1 crm:2");
    assert_eq!(merged.key("crm:2"), run.key("crm:1"), "the key with more records lives on");
    assert_eq!(merged.only(Merged), (run.key("crm:2"), Some(run.key("crm:1")), 1));
    assert_eq!(merged.redirects(), [(run.key("crm:2"), run.key("crm:1"))]);
}

#[test]
fn a_merge_of_equals_keeps_the_key_of_the_more_trusted_source() {
    let run = first("crm:9 | shop:1");
    let merged = run.then("crm:9 shop:1");
    assert_eq!(merged.key("shop:1"), run.key("crm:9"));
}

#[test]
fn a_merge_of_equals_of_one_source_keeps_the_smaller_key() {
    let run = first("crm:1 | crm:2");
    let merged = run.then("crm:1 crm:2");
    assert_eq!(merged.key("crm:1"), run.key("crm:1").min(run.key("crm:2")));
}

#[test]
fn the_larger_part_of_a_split_keeps_the_key() {
    let run = first("crm:1 shop:1 shop:2");
    let split = run.then("crm:1 | shop:1 shop:2");
    assert_eq!(split.key("shop:1"), run.key("crm:1"));
    assert_ne!(split.key("crm:1"), run.key("crm:1"), "the key was in use, so the nonce counts on");
    assert_eq!(split.only(Split), (split.key("crm:1"), Some(run.key("crm:1")), 1));
    assert_eq!(split.kinds(), [Split]);
}

#[test]
fn records_that_change_sides_are_reported() {
    let run = first("crm:1 shop:1 shop:2 | crm:2 shop:3");
    let moved = run.then("crm:1 shop:1 | crm:2 shop:3 shop:2");
    assert_eq!(moved.only(RecordsMoved), (run.key("crm:2"), Some(run.key("crm:1")), 1));
    assert_eq!(moved.kinds(), [RecordsMoved]);
}

#[test]
fn an_unmerge_restores_both_keys() {
    let run = first("crm:1 shop:1 | crm:2 shop:2 shop:3");
    let merged = run.then("crm:1 shop:1 crm:2 shop:2 shop:3");
    let apart = merged.then("crm:1 shop:1 | crm:2 shop:2 shop:3");
    assert_eq!(apart.key("crm:1"), run.key("crm:1"));
    assert_eq!(apart.key("crm:2"), run.key("crm:2"));
    assert_eq!(apart.only(Resurrected), (run.key("crm:1"), Some(run.key("crm:2")), 2));
    assert_eq!(apart.kinds(), [Resurrected]);
    assert_eq!(apart.redirects(), []);
    assert!(apart.keys.origins.is_empty());
}

#[test]
fn an_unmerge_restores_both_keys_when_the_merged_away_part_has_grown() {
    let run = first("crm:1 shop:1 shop:2 | crm:2 shop:3");
    let merged = run.then("crm:1 shop:1 shop:2 crm:2 shop:3");
    assert_eq!(merged.key("crm:2"), run.key("crm:1"));
    let grown = merged.then("crm:1 shop:1 shop:2 crm:2 shop:3 web:1");
    let apart = grown.then("crm:1 shop:1 | crm:2 shop:3 web:1");
    assert_eq!(apart.key("crm:1"), run.key("crm:1"), "the key goes back to most of its own records");
    assert_eq!(apart.key("crm:2"), run.key("crm:2"));
    // All but one record of the surviving customer are erased: its part is the smaller one, and still its own.
    let apart = grown.then("crm:1 | crm:2 shop:3");
    assert_eq!(apart.key("crm:1"), run.key("crm:1"));
    assert_eq!(apart.key("crm:2"), run.key("crm:2"));
}

#[test]
fn a_key_stays_with_the_records_it_took_over_when_its_own_are_gone() {
    let run = first("crm:1 shop:1 | crm:2");
    let merged = run.then("crm:1 shop:1 crm:2");
    let rest = merged.then("crm:2");
    assert_eq!(rest.key("crm:2"), run.key("crm:1"), "nobody is renamed by an erasure");
    assert_eq!(rest.kinds(), []);
}

#[test]
fn an_unmerge_of_three_restores_three_keys() {
    let run = first("crm:1 shop:1 | crm:2 | crm:3 shop:3 web:3");
    let merged = run.then("crm:1 shop:1 crm:2 crm:3 shop:3 web:3");
    assert_eq!(merged.kinds(), [Merged, Merged]);
    let apart = merged.then("crm:1 shop:1 | crm:2 | crm:3 shop:3 web:3");
    for record in ["crm:1", "crm:2", "crm:3"] {
        assert_eq!(apart.key(record), run.key(record));
    }
    assert_eq!(apart.kinds(), [Resurrected, Resurrected]);
}

#[test]
fn a_redirect_follows_its_target_in_one_hop() {
    let run = first("crm:1 | crm:2 shop:2 | crm:3 shop:3 web:3");
    let once = run.then("crm:1 crm:2 shop:2 | crm:3 shop:3 web:3");
    let twice = once.then("crm:1 crm:2 shop:2 crm:3 shop:3 web:3");
    let live = twice.key("crm:1");
    assert_eq!(twice.redirects().len(), 2);
    assert!(twice.redirects().iter().all(|redirect| redirect.1 == live));
}

#[test]
fn a_redirect_goes_back_to_the_customer_that_lives_again() {
    let run = first("crm:1 shop:1 | crm:2 | crm:3 shop:3 shop:4 web:3 web:4");
    let once = run.then("crm:1 shop:1 crm:2 | crm:3 shop:3 shop:4 web:3 web:4");
    assert_eq!(once.redirects(), [(run.key("crm:2"), run.key("crm:1"))]);
    let twice = once.then("crm:1 shop:1 crm:2 crm:3 shop:3 shop:4 web:3 web:4");
    let mut expected = ["crm:1", "crm:2"].map(|record| (run.key(record), run.key("crm:3")));
    expected.sort();
    assert_eq!(twice.redirects(), expected);
    let apart = twice.then("crm:1 shop:1 crm:2 | crm:3 shop:3 shop:4 web:3 web:4");
    assert_eq!(apart.redirects(), once.redirects(), "the second key leads to the first again");
}

#[test]
fn a_retired_key_is_never_used_again() {
    let run = first("crm:1 | crm:2");
    let erased = run.then("crm:2");
    assert_eq!(erased.only(Retired), (run.key("crm:1"), None, 0));
    assert_eq!(erased.keys.retired, [run.key("crm:1")]);
    let back = erased.then("crm:1 | crm:2");
    assert_ne!(back.key("crm:1"), run.key("crm:1"));
    assert_eq!(back.kinds(), [Created]);
}

#[test]
fn a_key_redirected_to_an_erased_customer_is_retired() {
    let run = first("crm:1 shop:1 | crm:2 | crm:3");
    let merged = run.then("crm:1 shop:1 crm:2 | crm:3");
    let erased = merged.then("crm:3");
    assert_eq!(erased.redirects(), []);
    let mut gone = vec![run.key("crm:1"), run.key("crm:2")];
    gone.sort();
    assert_eq!(erased.keys.retired, gone);
}

#[test]
fn changes_balance() {
    let run = first("crm:1 shop:1 | crm:2 | crm:3 | crm:4 shop:4 web:4");
    let next = run.then("crm:1 shop:1 crm:2 | crm:4 shop:4 | web:4 | crm:5");
    let counts = changes(&next.keys, run.keys.keys.len() as u64);
    let expected = KeyChanges {
        customers_before: 4,
        customers_after: 4,
        kept: 2,
        created: 1,
        merged: 1,
        split: 1,
        retired: 1,
        records_moved: 0,
        customers_moved: 0,
        resurrected: 0,
    };
    assert_eq!(counts, expected);
}

#[test]
fn another_secret_mints_other_keys() {
    let ours = first("crm:1");
    let theirs = key::assign(&KeyInput {
        contacts: &ours.contacts,
        clusters: &Clusters { of: vec![0] },
        columns: &[],
        previous: &PreviousKeys::default(),
        trust: Trust {
            sources: &[],
            weights: &[],
        },
        decisions: &Decisions::default(),
        changed: Changed::default(),
        version: 1,
        secret: b"another secret of tests",
    });
    assert_ne!(theirs.keys, ours.keys.keys);
}

#[test]
fn a_record_of_a_trusted_source_outweighs_others() {
    let run = first("crm:1 shop:1 | shop:2 web:2 | crm:3 web:3 web:4 web:5");
    // 3 against 2, and 3 against 3 records of the web.
    let split = run.then("crm:1 | shop:1 | shop:2 | web:2 | crm:3 | web:3 web:4 web:5");
    for record in ["crm:1", "shop:2", "crm:3"] {
        assert_eq!(split.key(record), run.key(record), "{record}");
    }
    let split = run.then_with(
        "crm:1 shop:1 | shop:2 web:2 | crm:3 | web:3 web:4 web:5",
        &Step {
            version: 2,
            ..Step::default()
        },
    );
    assert_eq!(split.key("web:3"), run.key("crm:3"), "without weights every record counts 1");
}

#[test]
fn an_unmerge_of_equals_restores_both_keys_though_neither_part_is_the_keys_own() {
    let step = |version| Step {
        version,
        weights: &WEIGHTS,
        ..Step::default()
    };
    // What founded the older customer is gone, and what is left of it came by a merge.
    let run = run_with(&parse("crm:1 shop:1 shop:2 | crm:5"), &PreviousKeys::default(), &step(1));
    let adopted = run.then_with("crm:1 shop:1 shop:2 crm:5 | crm:3", &step(2));
    let before = adopted.then_with("crm:5 | crm:3", &step(3));
    assert_eq!(before.key("crm:5"), run.key("crm:1"));
    let merged = before.then_with("crm:5 crm:3", &step(4));
    assert_eq!(merged.key("crm:3"), before.key("crm:5"), "the older key");
    let apart = merged.then_with("crm:5 | crm:3", &step(5));
    assert_eq!(
        ["crm:5", "crm:3"].map(|record| apart.key(record)),
        ["crm:5", "crm:3"].map(|record| before.key(record))
    );
    assert_eq!(apart.redirects(), before.redirects());
}

#[test]
fn of_equals_the_oldest_key_lives_on() {
    let mut run = first("crm:1 | crm:2");
    let [first_key, second_key] = ["crm:1", "crm:2"].map(|record| run.key(record));
    // The larger of both keys is made the older one: its customer is there before the other.
    let older = if first_key < second_key { "crm:2" } else { "crm:1" };
    let younger = if older == "crm:1" { "crm:2" } else { "crm:1" };
    let step = |version| Step {
        version,
        weights: &WEIGHTS,
        ..Step::default()
    };
    run = run_with(&parse(older), &PreviousKeys::default(), &step(1));
    run = run.then_with(&format!("{older} | {younger}"), &step(2));
    let mut created = [(run.key(older), 1), (run.key(younger), 2)];
    created.sort_unstable();
    assert_eq!(run.keys.created, created.iter().map(|&(_, version)| version).collect::<Vec<_>>());
    let merged = run.then_with("crm:1 crm:2", &step(3));
    assert_eq!(merged.key("crm:1"), run.key(older), "the older key, though it is the larger one");
    assert_eq!((&*merged.keys.created, merged.keys.redirects[0].created), (&[1][..], 2));
    // The age comes back with the key.
    let apart = merged.then_with("crm:1 | crm:2", &step(4));
    assert_eq!(apart.keys.created, run.keys.created);
    assert_eq!(apart.key(younger), run.key(younger));
}
