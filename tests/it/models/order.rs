//! Order, selectors and what `order` refuses.

use stammkunde::error::ErrorKind;
use stammkunde::model;

use super::support::{engine, model as file, spec};

fn names(select: &[&str], exclude: &[&str]) -> Result<Vec<String>, stammkunde::Error> {
    let models = vec![
        file("a_last", "SELECT n FROM z_first CROSS JOIN middle"),
        file("middle", "WITH orders_seen AS (SELECT n FROM z_first) SELECT n FROM orders_seen"),
        file("other", "SELECT customer_key FROM customers"),
        file("z_first", "SELECT count(*) AS n FROM orders"),
    ];
    let owned = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let ordered = model::order(&engine(), &spec(models, Vec::new()), &owned(select), &owned(exclude))?;
    Ok(ordered.into_iter().map(|model| model.name).collect())
}

#[test]
fn a_model_comes_after_what_it_reads_and_else_by_name() {
    assert_eq!(names(&[], &[]).expect("an order"), ["other", "z_first", "middle", "a_last"]);
}

#[test]
fn common_table_expressions_are_no_dependencies() {
    let models = vec![file("m", "WITH orders AS (SELECT 1 AS n) SELECT n FROM orders")];
    let ordered = model::order(&engine(), &spec(models, Vec::new()), &[], &[]).expect("an order");
    assert_eq!(ordered[0].depends, Vec::<String>::new());
}

#[test]
fn selectors_reach_up_and_down() {
    assert_eq!(names(&["middle"], &[]).expect("an order"), ["middle"]);
    assert_eq!(names(&["+middle"], &[]).expect("an order"), ["z_first", "middle"]);
    assert_eq!(names(&["middle+"], &[]).expect("an order"), ["middle", "a_last"]);
    assert_eq!(
        names(&["+middle+,other"], &[]).expect("an order"),
        ["other", "z_first", "middle", "a_last"]
    );
    assert_eq!(names(&[], &["middle+"]).expect("an order"), ["other", "z_first"]);
}

#[test]
fn an_unknown_selector_is_refused_with_the_nearest_name() {
    let error = names(&["midle"], &[]).expect_err("no such model");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert_eq!(error.hint_text(), Some("did you mean `middle`?"));
}

#[test]
fn a_cycle_is_named_once_a_model() {
    let models = vec![
        file("a", "SELECT 1 AS n FROM b"),
        file("b", "SELECT 1 AS n FROM a"),
        file("behind", "SELECT n FROM a"),
    ];
    let error = model::order(&engine(), &spec(models, Vec::new()), &[], &[]).expect_err("a cycle");
    let messages: Vec<&str> = error.findings().iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "models read each other in a circle: a -> b -> a",
            "models read each other in a circle: b -> a -> b"
        ]
    );
}

#[test]
fn a_file_without_a_header_is_refused() {
    let mut bare = file("bare", "SELECT 1 AS n");
    bare.text = "SELECT 1 AS n".to_owned();
    let error = model::order(&engine(), &spec(vec![bare], Vec::new()), &[], &[]).expect_err("no header");
    assert_eq!(error.findings().len(), 3);
    assert!(
        error
            .findings()
            .iter()
            .any(|finding| finding.message == "the header has no `grain`")
    );
}
