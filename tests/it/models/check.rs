//! What `check` finds without data, and where.

use stammkunde::model;

use super::support::{audit, engine, model as file, spec};

fn finding_of(sql: &str) -> (usize, usize, String, Option<String>) {
    let findings = model::check(&engine(), &spec(vec![file("m", sql)], Vec::new()));
    assert_eq!(findings.len(), 1, "{findings:?}");
    let finding = findings.into_iter().next().expect("one finding");
    assert_eq!(finding.file, "models/m.sql");
    (finding.line, finding.column, finding.message, finding.hint)
}

#[test]
fn an_unknown_column_is_found_with_its_place_and_the_nearest_name() {
    let (line, column, message, hint) = finding_of("SELECT\n  order_idd AS n\nFROM orders");
    assert_eq!((line, column), (5, 3));
    assert!(message.contains("order_idd"), "{message}");
    assert_eq!(hint.as_deref(), Some("did you mean `order_id`?"));
}

#[test]
fn an_unknown_table_is_found_with_its_place_and_the_nearest_name() {
    let (line, column, message, hint) = finding_of("SELECT 1 AS n\nFROM custmers");
    assert_eq!((line, column), (5, 6));
    assert_eq!(message, "unknown table `custmers`");
    assert_eq!(hint.as_deref(), Some("did you mean `customers`?"));
}

#[test]
fn a_syntax_error_is_found_with_its_place() {
    let (line, _, message, _) = finding_of("SELECT 1 AS n\nFORM orders GROUP");
    assert_eq!(line, 5);
    assert!(message.contains("Expected"), "{message}");
}

#[test]
fn a_statement_that_changes_something_is_refused() {
    assert_eq!(finding_of("CREATE TABLE t AS SELECT 1 AS n").2, "not a SELECT");
    assert_eq!(finding_of("SELECT 1 AS n; SELECT 2 AS n").2, "more than one statement");
}

#[test]
fn a_type_mistake_is_found() {
    let (_, _, message, _) = finding_of("SELECT sum(order_id) AS n FROM orders");
    assert!(message.contains("sum"), "{message}");
}

#[test]
fn a_column_without_a_publishable_name_or_type_is_refused() {
    assert!(finding_of("SELECT count(*) FROM orders").2.contains("snake_case"));
    assert!(
        finding_of("SELECT array_agg(order_id) AS ids FROM orders")
            .2
            .contains("cannot be published")
    );
}

#[test]
fn a_model_reads_the_columns_of_the_model_before() {
    let models = vec![
        file("first", "SELECT count(*) AS orders_count FROM orders"),
        file("second", "SELECT order_count FROM first"),
    ];
    let findings = model::check(&engine(), &spec(models, Vec::new()));
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].hint.as_deref(), Some("did you mean `orders_count`?"));
}

#[test]
fn a_broken_model_is_reported_once_and_not_by_those_that_read_it() {
    let models = vec![
        file("first", "SELECT nothing AS n FROM orders"),
        file("second", "SELECT n FROM first"),
    ];
    let audits = vec![audit("none", "SELECT n FROM second WHERE n < 0")];
    let findings = model::check(&engine(), &spec(models, audits));
    assert_eq!(findings.len(), 1, "{findings:?}");
}

#[test]
fn an_audit_is_checked_like_a_model() {
    let findings = model::check(&engine(), &spec(Vec::new(), vec![audit("bad", "SELECT 1 AS n FROM odrers")]));
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!((findings[0].file.as_str(), findings[0].line), ("audits/bad.sql", 1));
}

#[test]
fn a_model_may_not_take_the_name_of_a_base_table() {
    let findings = model::check(&engine(), &spec(vec![file("orders", "SELECT 1 AS n")], Vec::new()));
    assert!(
        findings
            .iter()
            .any(|finding| finding.message == "`orders` is the name of a base table"),
        "{findings:?}"
    );
}

#[test]
fn the_name_of_a_purchase_model_is_checked_without_data() {
    let fit = |name: &str| format!("SELECT\n  purchase_fit({name}, amount, amount, amount)['params'] AS params FROM payments");
    let finding = |name: &str| {
        let base = file("payments", "SELECT 1 AS amount");
        let findings = model::check(&engine(), &spec(vec![base, file("m", &fit(name))], Vec::new()));
        findings.into_iter().next()
    };
    for name in ["'mbgnbd'", "setting('clv_model', 'mbgnbd')"] {
        let found = finding(name).expect("no model has that name");
        assert_eq!((found.line, found.column), (5, 3), "{found}");
        assert_eq!(found.hint.as_deref(), Some("did you mean 'mbg_nbd'?"), "{found}");
    }
    assert_eq!(finding("setting('clv_model', 'mbg_nbd')"), None);
    let several = "-- purchase_fit('bgnbd', ...)\nSELECT purchase_fit('nbd', amount, amount, amount)['n'] AS one,\n  \
        purchase_fit('bgnbd', amount, amount, amount)['n'] AS two FROM (VALUES (1)) AS t(amount)";
    assert_eq!(finding_of(several).0, 6, "of several calls the one with the wrong name is meant");
}
