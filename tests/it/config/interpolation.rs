//! `${VAR}` is replaced inside single texts, after parsing.

use stammkunde::config::pipeline::Setting;

use super::{good_with, load_with, minimal, project, shown};

fn setting(text: &str, variables: &[(&str, &str)]) -> Setting {
    good_with(&minimal(&format!("settings:\n  x: {text}\n")), variables).settings["x"].clone()
}

fn text(value: &str) -> Setting {
    Setting::Text(value.to_owned())
}

#[test]
fn a_variable_is_replaced_inside_a_text() {
    assert_eq!(setting("a-${X}-${Y}", &[("X", "1"), ("Y", "2")]), text("a-1-2"));
}

#[test]
fn a_value_never_becomes_yaml() {
    assert_eq!(setting("${X}", &[("X", "a: b\n- c # d")]), text("a: b\n- c # d"));
}

#[test]
fn a_replaced_text_is_not_looked_at_again() {
    assert_eq!(setting("${X}", &[("X", "${Y}"), ("Y", "no")]), text("${Y}"));
}

#[test]
fn two_dollars_escape() {
    assert_eq!(setting("$${X} and $5", &[("X", "1")]), text("${X} and $5"));
}

#[test]
fn a_default_stands_in_for_unset_and_empty() {
    assert_eq!(setting("${X:-a b}", &[]), text("a b"));
    assert_eq!(setting("${X:-a b}", &[("X", "")]), text("a b"));
    assert_eq!(setting("${X:-a b}", &[("X", "c")]), text("c"));
    assert_eq!(setting("${X:-}", &[]), text(""));
}

#[test]
fn a_number_through_a_variable_is_a_number_where_one_is_wanted() {
    let yaml = minimal("identity: {match_probability: \"${P}\", size_max: \"${S}\"}\nstandard_models: ${M}\n");
    let spec = good_with(&yaml, &[("P", "0.9"), ("S", "7"), ("M", "false")]);
    assert_eq!(spec.identity.match_probability, 0.9);
    assert_eq!(spec.identity.cluster.size_max, 7);
}

#[test]
fn a_text_through_a_variable_is_not_a_number() {
    let project = project(&minimal("identity: {size_max: \"${S}\"}\n"));
    let (_, findings) = load_with(&project, &[("S", "many")]);
    assert_eq!(
        shown(&findings),
        ["pipeline.yaml:5:22: `size_max` must be a whole number, not a text"]
    );
}

#[test]
fn a_number_through_a_variable_stays_a_text_where_one_is_wanted() {
    let yaml = minimal("").replace("0123456789abcdef", "\"${S}\"");
    let spec = good_with(&yaml, &[("S", "12345678901234567890")]);
    assert_eq!(spec.key_secret.expose(), b"12345678901234567890");
}

#[test]
fn every_unset_variable_is_reported_at_once_with_its_place() {
    let yaml = "warehouse: ${A}\nsources:\n  crm: {files: \"${B}/${C}\", format: csv}\nkeys:\n  secret: ${D:?ask the platform team}\n";
    let (_, findings) = load_with(&project(yaml), &[]);
    assert_eq!(
        shown(&findings),
        [
            "pipeline.yaml:1:12: the environment variable `A` is not set | set it, or give a default: `${A:-default}`",
            "pipeline.yaml:3:16: the environment variable `B` is not set | set it, or give a default: `${B:-default}`",
            "pipeline.yaml:3:16: the environment variable `C` is not set | set it, or give a default: `${C:-default}`",
            "pipeline.yaml:5:11: the environment variable `D` is not set: ask the platform team",
        ]
    );
}

#[test]
fn what_is_not_a_variable_is_a_finding() {
    let (_, findings) = load_with(&project(&minimal("settings:\n  a: ${X\n  b: ${X+y}\n  c: ${1}\n")), &[("X", "1")]);
    let hint = "write `${NAME}`, `${NAME:-default}` or `${NAME:?message}`; `$${` for a literal `${`";
    assert_eq!(
        shown(&findings),
        [
            "pipeline.yaml:6:6: `${` without `}` | write `$${` for a literal `${`".to_owned(),
            format!("pipeline.yaml:7:6: `${{X+y}}` is not understood | {hint}"),
            format!("pipeline.yaml:8:6: `${{1}}` is not understood | {hint}"),
        ]
    );
}

#[test]
fn a_variable_in_a_key_is_a_finding() {
    let (_, findings) = load_with(&project(&minimal("settings:\n  ${X}: 1\n")), &[("X", "name")]);
    assert_eq!(
        shown(&findings),
        ["pipeline.yaml:6:3: a variable cannot stand in the key `${X}` | variables are replaced in values only"]
    );
}
