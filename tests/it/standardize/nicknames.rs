//! Forms of one given name, and titles that stand in the place of a name.

use std::collections::BTreeSet;

use stammkunde::text::{fold, name, nickname};

#[test]
fn forms_of_one_name_share_a_group() {
    for (one, other) in [
        ("liz", "elizabeth"),
        ("elisabeth", "betty"),
        ("uschi", "ursula"),
        ("bill", "william"),
        ("peggy", "margaret"),
        ("sepp", "joseph"),
        ("heinz", "heinrich"),
        ("steffi", "stephanie"),
    ] {
        let group = nickname::group(one);
        assert!(group.is_some(), "{one}");
        assert_eq!(group, nickname::group(other), "{one} and {other}");
    }
}

#[test]
fn different_names_and_unknown_ones_share_none() {
    for (one, other) in [
        ("john", "mary"),
        ("hans", "heinz"),
        ("anna", "hannah"),
        ("ulf", "ulrich"),
        ("harold", "harry"),
    ] {
        assert!(
            nickname::group(one).is_none() || nickname::group(one) != nickname::group(other),
            "{one} and {other}"
        );
    }
    assert_eq!(nickname::group("xaverl"), None);
    assert_eq!(nickname::group(""), None);
}

#[test]
fn listed_names_are_in_matching_form_and_stand_in_one_group() {
    let source = include_str!("../../../src/text/nickname.rs");
    let list = source
        .split("GROUPS: &str = \"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("the list");
    let names: Vec<&str> = list.split_whitespace().collect();
    assert!(names.len() > 1000);
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "a name stands twice");
    for listed in names {
        assert_eq!(fold::words(listed), listed);
    }
}

#[test]
fn a_title_is_no_given_name_and_a_rank_no_family_name() {
    for title in ["Sir", "Dr.", "Lady", "Prof. Dr.", "1st", "Frau"] {
        assert!(name::is_bare_title(title), "{title}");
    }
    for given in ["Earl", "Prince", "Rex", "Dr. Anna", "", "Dorothy"] {
        assert!(!name::is_bare_title(given), "{given}");
    }
    for rank in ["Baronet", "2nd Baronet", "Bt.", "Jr.", "VC"] {
        assert!(name::is_bare_suffix(rank), "{rank}");
    }
    for family in ["Herr", "Lord", "Miss", "Baronet Smith", ""] {
        assert!(!name::is_bare_suffix(family), "{family}");
    }
}

#[test]
fn a_rank_behind_a_comma_is_not_the_given_name() {
    let split = name::split_full("Sir Edmund Loder, 2nd Baronet");
    assert_eq!((split.given.as_deref(), split.family.as_deref()), (Some("Edmund"), Some("Loder")));
}
