//! What models say of their columns, what is declared of the other tables, and the page that tells it.

use stammkunde::dictionary::{self, Purpose};
use stammkunde::engine::functions;
use stammkunde::model;

use super::support::{audit, engine, model as file, spec, standard_spec};

#[test]
fn a_shipped_model_describes_every_column_once_and_in_order() {
    let planned = model::plan(&engine(), &standard_spec());
    assert!(planned.findings.is_empty(), "{:?}", planned.findings);
    for model in &planned.models {
        let given: Vec<&String> = planned.schemas[&model.name].fields().iter().map(|field| field.name()).collect();
        let described: Vec<&String> = model.columns.iter().map(|column| &column.name).collect();
        assert_eq!(described, given, "columns of {}", model.name);
        for column in &model.columns {
            assert!(!column.description.is_empty(), "{}.{}", model.name, column.name);
        }
    }
}

#[test]
fn every_column_that_no_model_makes_is_described() {
    let (engine, spec) = (engine(), standard_spec());
    let tables = dictionary::tables(&engine, &spec).expect("the models plan");
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    for name in dictionary::names() {
        assert!(names.contains(&name), "{name}");
    }
    for table in &tables {
        assert!(!table.grain.is_empty() && !table.description.is_empty(), "{}", table.name);
        if matches!(table.purpose, Purpose::Metrics | Purpose::Own) {
            continue;
        }
        for column in &table.columns {
            assert!(column.description.is_some(), "{}.{}", table.name, column.name);
        }
    }
}

#[test]
fn a_description_of_a_column_that_is_not_there_is_a_finding_and_a_missing_one_is_none() {
    let sql = "-- name: m\n-- grain: one row\n-- description: M.\n-- columns:\n--   order_id: The order.\n--   ordr_at: When.\n\
               SELECT order_id, ordered_at, gross FROM orders\n";
    let findings = model::check(&engine(), &spec(vec![written(sql)], Vec::new()));
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!((findings[0].line, findings[0].column), (6, 1));
    assert_eq!(findings[0].message, "the header describes `ordr_at`, which the query does not give");
    assert!(
        findings[0].hint.as_deref().is_some_and(|hint| hint.starts_with("did you mean")),
        "{findings:?}"
    );
    let twice = sql.replace("ordr_at", "order_id");
    let findings = model::check(&engine(), &spec(vec![written(&twice)], Vec::new()));
    assert_eq!(findings[0].message, "the header describes `order_id` twice");
    let sound = sql.replace("--   ordr_at: When.\n", "");
    let spec = spec(vec![written(&sound)], Vec::new());
    assert_eq!(model::check(&engine(), &spec), Vec::new());
    let tables = dictionary::tables(&engine(), &spec).expect("the model plans");
    let own = tables.iter().find(|table| table.name == "m").expect("the model is a table");
    let said: Vec<Option<&str>> = own.columns.iter().map(|column| column.description.as_deref()).collect();
    assert_eq!(said, [Some("The order."), None, None]);
    assert_eq!(own.columns[2].data_type, "decimal(18,4)");
    assert_eq!((own.purpose, &*own.reads), (Purpose::Own, &["orders".to_owned()][..]));
}

/// A model with a header of its own.
fn written(sql: &str) -> stammkunde::config::spec::SqlFile {
    let mut own = file("m", "SELECT 1 AS n");
    own.text = sql.to_owned();
    own
}

#[test]
fn the_page_escapes_what_models_say_and_holds_every_table_and_function() {
    let sql = "-- name: m\n-- grain: one row per </script><script>alert(1)</script>\n-- description: `a<b` & \"c\".\n-- columns:\n\
               --   order_id [<i>]: <img src=x onerror=alert(1)>.\nSELECT order_id FROM orders\n";
    let hostile = audit("safe", "SELECT order_id FROM m WHERE order_id = '<svg onload=alert(1)>'");
    let spec = spec(vec![written(sql)], vec![hostile]);
    let tables = dictionary::tables(&engine(), &spec).expect("the model plans");
    let page = dictionary::html("<demo>", &tables, &functions::all());
    for raw in ["<img", "<svg", "<i>", "<demo>", "alert(1)</script>", "a<b"] {
        assert!(!page.contains(raw), "{raw} is not escaped");
    }
    assert!(page.contains("<code>a&lt;b</code> &amp; &quot;c&quot;."));
    for table in &tables {
        assert!(
            page.contains(&format!("id=\"table-{}\"", table.name.replace('_', "-"))),
            "{}",
            table.name
        );
    }
    for function in functions::all() {
        assert!(
            page.contains(&format!("id=\"function-{}\"", function.name.replace('_', "-"))),
            "{}",
            function.name
        );
    }
    assert_eq!(page, dictionary::html("<demo>", &tables, &functions::all()));
}
