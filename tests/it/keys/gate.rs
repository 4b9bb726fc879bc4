//! The gate on keys: fires beyond its share and not below its number, names keys, and never stops a first run.

use stammkunde::ErrorKind;
use stammkunde::config::spec::KeyLimits;
use stammkunde::key::{changes, refusals, refused};

use super::world::{Run, first};

const LIMITS: KeyLimits = KeyLimits {
    created: None,
    merged: Some(0.1),
    split: Some(0.1),
    retired: Some(0.1),
    resurrected: Some(0.1),
    moved: Some(0.1),
    customers_min: 2,
};

/// `count` customers of two records each.
fn customers(range: std::ops::Range<usize>) -> String {
    range.map(|at| format!("crm:{at:03} shop:{at:03} | ")).collect()
}

fn refused_kinds(run: &Run, before: u64, limits: &KeyLimits) -> Vec<String> {
    let found = refusals(&run.keys, &changes(&run.keys, before), limits);
    found.into_iter().map(|refusal| refusal.kind).collect()
}

#[test]
fn one_more_than_the_share_stops_a_run() {
    let run = first(&customers(0..20));
    let at_limit = run.then(&customers(2..20));
    assert_eq!(refused_kinds(&at_limit, 20, &LIMITS), [""; 0], "2 of 20 are a tenth");
    let beyond = run.then(&customers(3..20));
    assert_eq!(refused_kinds(&beyond, 20, &LIMITS), ["retired"]);
    let accepts = |customers_min| {
        LIMITS.customers_min < customers_min && refused_kinds(&beyond, 20, &KeyLimits { customers_min, ..LIMITS }).is_empty()
    };
    assert!(!accepts(3), "three are not fewer than three");
    assert!(accepts(4));
    let unlimited = KeyLimits { retired: None, ..LIMITS };
    assert_eq!(refused_kinds(&beyond, 20, &unlimited), [""; 0]);
    let none = KeyLimits {
        retired: Some(0.0),
        customers_min: 0,
        ..LIMITS
    };
    assert_eq!(refused_kinds(&run.then(&customers(1..20)), 20, &none), ["retired"]);
    assert_eq!(refused_kinds(&run.then(&customers(0..20)), 20, &none), [""; 0], "nothing changed");
}

#[test]
fn every_kind_has_its_limit() {
    let run = first(&(customers(0..10) + "crm:a shop:a web:a"));
    let limits = KeyLimits {
        created: Some(0.05),
        merged: Some(0.05),
        split: Some(0.05),
        retired: Some(0.05),
        resurrected: Some(0.05),
        moved: Some(0.05),
        customers_min: 1,
    };
    let kinds = |text: &str| refused_kinds(&run.then(text), 11, &limits);
    assert_eq!(kinds(&(customers(0..11) + "| crm:a shop:a web:a")), ["created"]);
    assert_eq!(kinds(&(customers(0..9) + "crm:009 shop:009 crm:a shop:a web:a")), ["merged"]);
    assert_eq!(kinds(&(customers(0..10) + "crm:a shop:a | web:a")), ["split"]);
    assert_eq!(kinds(&(customers(0..9) + "crm:009 shop:009 web:a | crm:a shop:a")), ["moved"]);
    let merged = run.then(&(customers(0..9) + "crm:009 shop:009 crm:a shop:a web:a"));
    let apart = merged.then(&(customers(0..10) + "crm:a shop:a web:a"));
    assert_eq!(refused_kinds(&apart, 10, &limits), ["resurrected"]);
}

#[test]
fn a_first_run_is_never_stopped() {
    let run = first(&customers(0..20));
    let limits = KeyLimits {
        created: Some(0.0),
        customers_min: 0,
        ..LIMITS
    };
    assert_eq!(refused_kinds(&run, 0, &limits), [""; 0]);
}

#[test]
fn the_error_names_counts_and_at_most_ten_keys() {
    let run = first(&customers(0..30));
    let next = run.then(&customers(12..30));
    let counts = changes(&next.keys, 30);
    let found = refusals(&next.keys, &counts, &LIMITS);
    assert_eq!((found[0].customers, found[0].keys.len()), (12, 10));
    let mut expected: Vec<String> = (0..12).map(|at| run.key(&format!("crm:{at:03}")).to_string()).collect();
    expected.sort();
    assert_eq!(found[0].keys, expected[..10]);
    let error = refused(&found, 30).expect_err("a gate");
    assert_eq!(error.kind(), ErrorKind::Gate);
    let text = error.to_string();
    assert!(text.contains("12 retired of 30 customers (40.0 %, at most 10.0 %)"), "{text}");
    assert!(text.contains(&expected[0]) && !text.contains(&expected[10]), "{text}");
    assert!(error.hint_text().is_some_and(|hint| hint.contains("--accept-key-changes")));
    assert!(refused(&[], 30).is_ok());
}
