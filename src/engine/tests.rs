//! The engine as stages use it: sessions that hold nothing but queries, functions over columns and constants, errors with a place.

use std::collections::BTreeMap;
use std::path::Path;

use arrow::array::{ArrayRef, DictionaryArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Int32Type};
use arrow::util::display::array_value_to_string;
use chrono::NaiveDate;
use datafusion::prelude::SessionContext;
use std::sync::Arc;

use super::functions::as_of::AsOf;
use super::functions::setting::SettingFn;
use super::*;
use crate::ErrorKind;
use crate::config::pipeline::Setting;

fn engine() -> Engine {
    Engine::new(&EngineOptions {
        threads: Some(2),
        memory_limit_bytes: Some(64 << 20),
        ..EngineOptions::default()
    })
    .expect("an engine starts")
}

/// The first value of a query as text; `NULL` for null.
fn value(engine: &Engine, session: &SessionContext, sql: &str) -> String {
    let batches = engine.collect(engine.plan(session, sql).expect(sql)).expect(sql);
    let column = batches[0].column(0);
    if column.is_null(0) {
        "NULL".to_owned()
    } else {
        array_value_to_string(column, 0).expect("a value can be shown")
    }
}

fn finding(engine: &Engine, session: &SessionContext, sql: &str) -> crate::error::Diagnostic {
    let error = engine.plan_file(session, "models/a.sql", sql).expect_err(sql);
    assert_eq!(error.kind(), ErrorKind::Config, "{sql}");
    error.findings()[0].clone()
}

fn people(session: &SessionContext) {
    let names: ArrayRef = Arc::new(StringArray::from(vec![Some("1,5"), None, Some(" "), Some("quatsch")]));
    let coded: DictionaryArray<Int32Type> = vec![Some("ja"), Some("nein"), None, Some("vielleicht")].into_iter().collect();
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("amount", names, true),
        ("flag", Arc::new(coded) as ArrayRef, true),
        ("number", Arc::new(Int64Array::from(vec![20_240_229, 1, 2, 3])) as ArrayRef, true),
    ])
    .expect("columns of one length");
    session.register_batch("people", batch).expect("a table");
}

#[test]
fn functions_read_constants_columns_dictionaries_and_numbers() {
    let engine = engine();
    let (session, unparsed) = engine.session_collecting();
    people(&session);
    let sql = "SELECT parse_decimal(amount, 'de') AS a, parse_boolean(flag) AS f, parse_date(number, 'yyyymmdd') AS d FROM people";
    let batches = engine.collect(engine.plan(&session, sql).expect(sql)).expect(sql);
    let cells: Vec<Vec<String>> = (0..4)
        .map(|row| {
            (0..3)
                .map(|column| array_value_to_string(batches[0].column(column), row).expect("shown"))
                .collect()
        })
        .collect();
    assert_eq!(
        cells,
        [["1.5000", "true", "2024-02-29"], ["", "false", ""], ["", "", ""], ["", "", ""]].map(|row| row.map(str::to_owned).to_vec())
    );
    let noted: Vec<(String, String)> = unparsed.take().into_iter().collect();
    let expected = [
        ("parse_boolean", "vielleicht"),
        ("parse_date", "1"),
        ("parse_date", "2"),
        ("parse_date", "3"),
        ("parse_decimal", "quatsch"),
    ];
    assert_eq!(noted, expected.map(|(function, text)| (function.to_owned(), text.to_owned())));
    assert!(unparsed.take().is_empty(), "take drains");
}

#[test]
fn functions_give_what_their_examples_say() {
    let engine = engine();
    let session = engine.session();
    for (sql, expected) in [
        ("parse_decimal('1.234,56 €', 'de')", "1234.5600"),
        ("parse_date('31.12.2025', 'dd.mm.yyyy')", "2025-12-31"),
        (
            "parse_timestamp('31.12.2025 23:30', 'dd.mm.yyyy hh:mi', 'Europe/Berlin')",
            "2025-12-31T22:30:00Z",
        ),
        ("parse_timestamp('31.12.2025 23:30', 'dd.mm.yyyy hh:mi')", "2025-12-31T23:30:00Z"),
        ("parse_date('0000-00-00', 'yyyy-mm-dd')", "NULL"),
        ("parse_boolean('Ja')", "true"),
        ("strip_apostrophe('''01067')", "01067"),
        ("json_get('{\"customer\":{\"ids\":[\"a\",\"b\"]}}', 'customer.ids[1]')", "b"),
        ("json_get('{\"a\":{\"b\":[1,true]}}', 'a')", "{\"b\":[1,true]}"),
        ("json_get('{\"a\":null}', 'a')", "NULL"),
        (
            "ga4_param('[{\"key\":\"page\",\"value\":{\"string_value\":\"/a\"}}]', 'page')",
            "/a",
        ),
        (
            "ga4_param('[{\"key\":\"n\",\"value\":{\"string_value\":null,\"int_value\":\"7\"}}]', 'n')",
            "7",
        ),
        ("ga4_param('[{\"key\":\"n\",\"value\":{\"double_value\":1.5}}]', 'n')", "1.5"),
        ("ga4_param('[]', 'n')", "NULL"),
        ("parse_decimal(NULL, 'de')", "NULL"),
    ] {
        assert_eq!(value(&engine, &session, &format!("SELECT {sql}")), expected, "{sql}");
    }
}

#[test]
fn every_function_is_documented_and_registered() {
    let session = engine().session();
    for doc in functions::all() {
        assert!(
            doc.signature.starts_with(doc.name) && !doc.description.is_empty() && doc.example.contains(doc.name),
            "{doc:?}"
        );
        let of_a_run = ["as_of", "setting"].contains(&doc.name);
        let state = session.state();
        let is_known = state.scalar_functions().contains_key(doc.name) || state.aggregate_functions().contains_key(doc.name);
        assert_eq!(is_known, !of_a_run, "{}", doc.name);
    }
}

#[test]
fn nothing_but_one_query_is_planned() {
    let engine = engine();
    let session = engine.session();
    let before = session
        .catalog("datafusion")
        .and_then(|c| c.schema("public"))
        .map(|s| s.table_names());
    for sql in [
        "",
        "SELECT 1; SELECT 2",
        "CREATE TABLE t AS SELECT 1",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "COPY (SELECT 1) TO '/tmp/x.csv'",
        "INSERT INTO t VALUES (1)",
        "SET datafusion.execution.batch_size = 1",
        "EXPLAIN SELECT 1",
        "DROP TABLE t",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM information_schema.tables",
        "PREPARE p AS SELECT 1",
    ] {
        assert_eq!(engine.plan(&session, sql).expect_err(sql).kind(), ErrorKind::Config, "{sql}");
    }
    assert_eq!(
        before,
        session
            .catalog("datafusion")
            .and_then(|c| c.schema("public"))
            .map(|s| s.table_names())
    );
    for sql in [
        "SELECT 1;",
        "WITH a AS (SELECT 1 AS x) SELECT x FROM a",
        "VALUES (1)",
        "(SELECT 1) UNION ALL SELECT 2",
    ] {
        assert!(engine.plan(&session, sql).is_ok(), "{sql}");
    }
}

#[test]
fn errors_name_line_column_and_what_was_meant() {
    let engine = engine();
    let session = engine.session();
    people(&session);
    session.register_udf(SettingFn::new(BTreeMap::from([("churn_days".to_owned(), Setting::Number(90.0))])).into());
    let found = finding(&engine, &session, "SELECT flag,\n  amuont\nFROM people");
    assert_eq!((found.file.as_str(), found.line, found.column), ("models/a.sql", 2, 3), "{found}");
    assert!(found.hint.as_deref().is_some_and(|hint| hint.contains("amount")), "{found}");
    let found = finding(&engine, &session, "SELECT flag\nFROM poeple");
    assert_eq!((found.line, found.column), (2, 6), "{found}");
    assert!(found.hint.as_deref().is_some_and(|hint| hint.contains("people")), "{found}");
    let found = finding(&engine, &session, "SELECT flag\nFROM people WHERE )");
    assert_eq!((found.line, found.column), (2, 19), "{found}");
    let found = finding(&engine, &session, "SELECT parse_decimel(amount, 'de') FROM people");
    assert!(found.hint.as_deref().is_some_and(|hint| hint.contains("parse_decimal")), "{found}");
    let found = finding(&engine, &session, "SELECT setting('churn_day')");
    assert!(found.hint.as_deref().is_some_and(|hint| hint.contains("churn_days")), "{found}");
    let found = finding(&engine, &session, "SELECT flag,\n  parse_decimal(amount) FROM people");
    assert_eq!((found.line, found.column), (2, 3), "{found}");
    assert!(found.message.ends_with("parse_decimal(text, locale) → decimal(18,4)"), "{found}");
    let found = finding(&engine, &session, "SELECT flag\nFROM people WHERE\n");
    assert_eq!((found.line, found.column), (2, 18), "{found}");
    for wrong in [
        "parse_date(amount, 'quatsch')",
        "parse_decimal(amount, 'xx')",
        "parse_timestamp(amount, 'dd.mm.yyyy', 'Mars')",
        "json_get(amount, 'a..b')",
    ] {
        let found = finding(&engine, &session, &format!("SELECT {wrong} FROM people"));
        assert_eq!((found.line, found.column), (1, 8), "{found}");
    }
    for volatile in ["now()", "random()", "uuid()", "current_date", "current_timestamp"] {
        let found = finding(&engine, &session, &format!("SELECT {volatile}"));
        assert!(found.hint.as_deref().is_some_and(|hint| hint.contains("as_of()")), "{found}");
    }
}

#[test]
fn settings_have_the_type_they_are_written_in() {
    let engine = engine();
    let session = engine.session();
    let values = [
        ("rate", Setting::Number(0.1)),
        ("country", Setting::Text("DE".to_owned())),
        ("strict", Setting::Boolean(true)),
    ];
    session.register_udf(SettingFn::new(values.map(|(name, value)| (name.to_owned(), value)).into()).into());
    session.register_udf(AsOf::new(NaiveDate::from_ymd_opt(2025, 7, 1).expect("a day")).into());
    for (sql, data_type, expected) in [
        ("setting('rate')", DataType::Float64, "0.1"),
        ("setting('rate', 5)", DataType::Float64, "0.1"),
        ("setting('absent', 5)", DataType::Float64, "5.0"),
        ("setting('absent', 'x')", DataType::Utf8, "x"),
        ("setting('country')", DataType::Utf8, "DE"),
        ("setting('strict')", DataType::Boolean, "true"),
        ("as_of()", DataType::Date32, "2025-07-01"),
    ] {
        let sql = format!("SELECT {sql}");
        let frame = engine.plan(&session, &sql).expect(&sql);
        assert_eq!(frame.schema().field(0).data_type(), &data_type, "{sql}");
        assert_eq!(value(&engine, &session, &sql), expected, "{sql}");
    }
    for wrong in [
        "setting('absent')",
        "setting('rate', 'x')",
        "setting()",
        "setting(country, 1) FROM (VALUES ('a')) AS t(country)",
    ] {
        assert!(engine.plan(&session, &format!("SELECT {wrong}")).is_err(), "{wrong}");
    }
}

#[test]
fn a_value_in_a_failing_cast_stays_out_of_the_message() {
    let engine = engine();
    let session = engine.session();
    people(&session);
    let frame = engine
        .plan(&session, "SELECT CAST(amount AS BIGINT) FROM people")
        .expect("it plans");
    let error = engine.collect(frame).expect_err("it cannot be computed");
    assert_eq!(error.kind(), ErrorKind::Input);
    assert!(
        !error.to_string().contains("1,5") && !error.to_string().contains("quatsch"),
        "{error}"
    );
}

#[test]
fn a_query_that_needs_more_memory_than_allowed_says_so() {
    let engine = Engine::new(&EngineOptions {
        threads: Some(1),
        memory_limit_bytes: Some(1 << 16),
        ..EngineOptions::default()
    })
    .expect("an engine starts");
    let session = engine.session();
    let sql = "SELECT count(*) FROM generate_series(1, 100000) AS a(x) JOIN generate_series(1, 100000) AS b(y) ON a.x % 1000 = b.y";
    let error = engine
        .collect(engine.plan(&session, sql).expect(sql))
        .expect_err("64 KiB are not enough");
    assert_eq!(error.kind(), ErrorKind::Environment, "{error}");
    assert!(error.hint_text().is_some_and(|hint| hint.contains("--memory-limit")), "{error}");
}

#[test]
fn locations_of_one_bucket_share_a_client() {
    let engine = engine();
    let one = engine.location("a", Path::new("/tmp")).expect("a local path");
    let two = engine.location("file:///b", Path::new("/tmp")).expect("a local URL");
    assert!(Arc::ptr_eq(&one.store, &two.store));
    assert_eq!(one.local.as_deref(), Some(Path::new("/tmp/a")));
    assert_eq!(one.path.as_ref(), "tmp/a");
}

#[test]
fn kernels_run_on_as_many_threads_as_given() {
    assert_eq!(engine().compute(rayon::current_num_threads), 2);
    assert_eq!(engine().wait(async { 7 }), 7);
}
