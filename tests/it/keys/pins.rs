//! Keys that people pin: imported ones, keys that were merged away or retired, keys of other customers, and pins that meet.

use stammkunde::key::changes;
use stammkunde::table::CustomerKey;
use stammkunde::table::keys::KeyEventKind::{Created, Merged, RecordsMoved, Resurrected, Split};
use stammkunde::table::keys::PreviousKeys;

use super::world::{Run, Step, WEIGHTS, first, parse, run_with};

fn imported(number: u128) -> CustomerKey {
    CustomerKey::from_bits(number)
}

fn step<'a>(pins: &'a [(&'a str, CustomerKey)]) -> Step<'a> {
    Step {
        pins,
        version: 2,
        weights: &WEIGHTS,
        ..Step::default()
    }
}

/// Customers balance, and the same again changes nothing.
#[track_caller]
fn settled(now: &Run, before: &Run, text: &str, step: &Step<'_>) {
    let counts = changes(&now.keys, before.keys.keys.len() as u64);
    assert_eq!(counts.customers_before, counts.kept + counts.merged + counts.retired, "{counts:?}");
    let again = now.then_with(text, step);
    assert_eq!(again.kinds(), [], "the same input again");
    assert_eq!(again.keys.keys, now.keys.keys);
    assert_eq!(again.redirects(), now.redirects());
    assert_eq!(again.keys.created, now.keys.created);
}

#[test]
fn an_imported_key_is_the_key_of_a_first_run() {
    let pins = [("shop:1", imported(7))];
    let run = run_with(&parse("crm:1 shop:1 | crm:2"), &PreviousKeys::default(), &step(&pins));
    assert_eq!(run.key("crm:1"), imported(7));
    assert_ne!(run.key("crm:2"), imported(7));
    assert_eq!(run.kinds(), [Created, Created]);
}

#[test]
fn an_imported_key_takes_the_place_of_a_minted_one_which_redirects_to_it() {
    let run = first("crm:1 shop:1 | crm:2");
    let pins = [("shop:1", imported(7))];
    let text = "crm:1 shop:1 | crm:2";
    let pinned = run.then_with(text, &step(&pins));
    assert_eq!(pinned.key("crm:1"), imported(7));
    assert_eq!(pinned.only(Created), (imported(7), None, 2));
    assert_eq!(pinned.only(Merged), (run.key("crm:1"), Some(imported(7)), 2));
    assert_eq!(pinned.redirects(), [(run.key("crm:1"), imported(7))]);
    settled(&pinned, &run, text, &step(&pins));
    // Without the pin the key stays: it is the customer's by now.
    assert_eq!(pinned.then(text).kinds(), []);
}

#[test]
fn a_key_that_was_merged_away_comes_back_where_it_is_pinned() {
    let run = first("crm:1 shop:1 | crm:2");
    let merged = run.then("crm:1 shop:1 crm:2");
    let pins = [("shop:1", run.key("crm:2"))];
    let text = "crm:1 shop:1 crm:2";
    let pinned = merged.then_with(text, &step(&pins));
    assert_eq!(pinned.key("crm:1"), run.key("crm:2"));
    assert_eq!(pinned.only(Resurrected).0, run.key("crm:2"));
    assert_eq!(pinned.only(Merged), (run.key("crm:1"), Some(run.key("crm:2")), 3));
    assert_eq!(pinned.redirects(), [(run.key("crm:1"), run.key("crm:2"))]);
    settled(&pinned, &merged, text, &step(&pins));
}

#[test]
fn a_retired_key_lives_again_only_if_it_is_pinned() {
    let run = first("crm:1 | crm:2");
    let erased = run.then("crm:2");
    let pins = [("crm:1", run.key("crm:1"))];
    let text = "crm:1 | crm:2";
    let back = erased.then_with(text, &step(&pins));
    assert_eq!(back.key("crm:1"), run.key("crm:1"));
    assert_eq!(back.kinds(), [Resurrected]);
    assert!(back.keys.retired.is_empty());
    settled(&back, &erased, text, &step(&pins));
}

#[test]
fn a_living_key_goes_where_it_is_pinned_and_leaves_its_records() {
    let run = first("crm:1 shop:1 shop:2 | crm:2");
    let pins = [("crm:2", run.key("crm:1"))];
    let text = "crm:1 shop:1 shop:2 | crm:2";
    let pinned = run.then_with(text, &step(&pins));
    assert_eq!(pinned.key("crm:2"), run.key("crm:1"));
    assert!(
        ![run.key("crm:1"), run.key("crm:2")].contains(&pinned.key("crm:1")),
        "a new key for who lost it"
    );
    assert_eq!(pinned.only(Split), (pinned.key("crm:1"), Some(run.key("crm:1")), 3));
    assert_eq!(pinned.only(Merged), (run.key("crm:2"), Some(run.key("crm:1")), 1));
    settled(&pinned, &run, text, &step(&pins));
    // One record of the customer is enough to hold its key against a larger part.
    let pins = [("shop:1", run.key("crm:1"))];
    let text = "crm:1 shop:2 | shop:1 | crm:2";
    let pinned = run.then_with(text, &step(&pins));
    assert_eq!(pinned.key("shop:1"), run.key("crm:1"));
    assert_eq!(pinned.kinds(), [Split]);
    settled(&pinned, &run, text, &step(&pins));
}

#[test]
fn of_two_pins_in_one_customer_the_more_trusted_record_counts_and_the_other_key_redirects() {
    let pins = [("crm:1", imported(9)), ("shop:1", imported(7))];
    let text = "crm:1 shop:1 | crm:2";
    let run = run_with(&parse(text), &PreviousKeys::default(), &step(&pins));
    assert_eq!(run.key("shop:1"), imported(9));
    assert_eq!(run.redirects(), [(imported(7), imported(9))]);
    assert_eq!(run.then_with(text, &step(&pins)).kinds(), []);
    // Apart, each has its own.
    let apart = run.then_with("crm:1 | shop:1 | crm:2", &step(&pins));
    assert_eq!((apart.key("crm:1"), apart.key("shop:1")), (imported(9), imported(7)));
    assert_eq!(apart.kinds(), [Resurrected]);
    assert_eq!(apart.redirects(), []);
    // The redirect follows the pinned record, not the customer it was with.
    let moved = run.then_with("crm:1 | crm:2 shop:1", &step(&[pins[0], pins[1], ("crm:2", imported(11))]));
    assert_eq!(
        moved.redirects().iter().find(|redirect| redirect.0 == imported(7)),
        Some(&(imported(7), imported(11)))
    );
}

#[test]
fn a_key_that_is_pinned_in_two_customers_goes_to_the_stronger_one() {
    let pins = [("shop:1", imported(7)), ("shop:2", imported(7)), ("crm:3", imported(7))];
    let text = "shop:1 shop:2 | crm:3";
    let run = run_with(&parse(text), &PreviousKeys::default(), &step(&pins));
    // Two records of the shop weigh 4, one of the CRM 3.
    assert_eq!(run.key("shop:1"), imported(7));
    assert_ne!(run.key("crm:3"), imported(7));
    assert_eq!(run.redirects(), []);
    assert_eq!(run.then_with(text, &step(&pins)).kinds(), []);
}

#[test]
fn a_pin_holds_in_an_unmerge_and_records_that_others_brought_keep_their_own_key() {
    let run = first("crm:1 shop:1 | crm:2 shop:2 shop:3");
    let merged = run.then("crm:1 shop:1 crm:2 shop:2 shop:3");
    let winner = merged.key("crm:1");
    assert_eq!(winner, run.key("crm:2"));
    // The winner's key is pinned to the other part.
    let pins = [("shop:1", winner)];
    let apart = merged.then_with("crm:1 shop:1 | crm:2 shop:2 shop:3", &step(&pins));
    assert_eq!(apart.key("crm:1"), winner);
    assert_ne!(apart.key("crm:2"), winner);
    assert!(!apart.kinds().contains(&RecordsMoved));
}

#[test]
fn a_key_that_waits_for_its_record_is_never_minted() {
    let minted = first("crm:1").key("crm:1");
    // `nowhere:1` is not among the records.
    let pins = [("nowhere:1", minted)];
    let run = run_with(&parse("crm:1"), &PreviousKeys::default(), &step(&pins));
    assert_ne!(run.key("crm:1"), minted);
}
