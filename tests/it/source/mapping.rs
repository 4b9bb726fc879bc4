//! What a mapping may be, and where its mistakes are shown.

use super::*;

/// Findings of `check` as `line:column message / hint`.
fn findings(record: RecordKind, sql: &str, file: Option<&str>) -> Vec<String> {
    let mut project = Project::csv().without_contacts().mapping(record, sql);
    if let Some(text) = file {
        project = project.file("a.csv", text);
    }
    let text = |finding: stammkunde::error::Diagnostic| {
        format!(
            "{}:{} {} / {}",
            finding.line,
            finding.column,
            finding.message,
            finding.hint.unwrap_or_default()
        )
    };
    project.check().into_iter().map(text).collect()
}

const FILE: Option<&str> = Some("id,Full Name,total\n1,Al,2\n");

#[test]
fn a_right_mapping_has_no_findings_with_or_without_files() {
    let sql = "-- contacts of the CRM\nWITH clean AS (SELECT \"id\", trim(\"Full Name\") AS n FROM raw)\nSELECT \"id\" AS record_id, n AS full_name FROM clean;";
    assert_eq!(findings(RecordKind::Contacts, sql, FILE), Vec::<String>::new());
    assert_eq!(findings(RecordKind::Contacts, sql, None), Vec::<String>::new());
}

#[test]
fn syntax_errors_show_their_place() {
    for file in [FILE, None] {
        let found = findings(RecordKind::Contacts, "SELECT \"id\" AS record_id\nFRM raw", file);
        assert!(found.len() == 1 && found[0].starts_with("2:"), "{found:?}");
    }
}

#[test]
fn anything_but_one_select_is_refused() {
    for sql in [
        "DROP TABLE raw",
        "CREATE TABLE x AS SELECT 1",
        "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'",
        "COPY raw TO '/tmp/x.csv'",
        "SET datafusion.execution.batch_size = 1",
        "INSERT INTO raw SELECT * FROM raw",
        "DELETE FROM raw",
        "EXPLAIN SELECT * FROM raw",
        "VALUES ('1')",
        "SELECT \"id\" AS record_id FROM raw; SELECT 1",
        "SELECT \"id\" AS record_id INTO x FROM raw",
        "",
    ] {
        let found = findings(RecordKind::Contacts, sql, FILE);
        assert_eq!(found.len(), 1, "{sql}: {found:?}");
    }
}

#[test]
fn other_tables_and_files_are_out_of_reach() {
    for sql in [
        "SELECT record_id FROM other",
        "SELECT column_1 AS record_id FROM '/etc/passwd'",
        "SELECT table_name AS record_id FROM information_schema.tables",
    ] {
        assert_eq!(findings(RecordKind::Contacts, sql, FILE).len(), 1, "{sql}");
        assert_eq!(findings(RecordKind::Contacts, sql, None).len(), 1, "{sql}");
    }
}

#[test]
fn a_wrong_raw_column_is_shown_with_the_right_one() {
    let found = findings(
        RecordKind::Contacts,
        "SELECT \"id\" AS record_id,\n       \"full name\" AS full_name FROM raw",
        FILE,
    );
    assert_eq!(
        found,
        ["2:8 no file of the source has the column `full name` / did you mean `\"Full Name\"`?"]
    );
}

#[test]
fn a_wrong_canonical_column_is_shown_with_the_right_one() {
    for file in [FILE, None] {
        let found = findings(
            RecordKind::Contacts,
            "SELECT \"id\" AS record_id,\n  \"Full Name\" AS fullname FROM raw",
            file,
        );
        assert_eq!(found, ["2:18 `fullname` is no column of `contacts` / did you mean `full_name`?"]);
    }
}

#[test]
fn the_source_is_not_a_matter_of_the_mapping() {
    let found = findings(RecordKind::Contacts, "SELECT \"id\" AS record_id, 'crm' AS source FROM raw", FILE);
    assert_eq!(
        found,
        ["1:36 a mapping does not give `source` / leave it out; the name of the source is added"]
    );
}

#[test]
fn all_wrong_columns_are_shown_at_once() {
    for file in [FILE, None] {
        let found = findings(
            RecordKind::Orders,
            "SELECT \"id\" AS order_id, \"total\" AS gross, \"total\" AS nope FROM raw",
            file,
        );
        let needed: Vec<&String> = found.iter().filter(|finding| finding.contains("needs")).collect();
        assert_eq!(needed.len(), 2, "ordered_at and currency: {found:?}");
        assert!(
            found.contains(&"1:37 column `gross` is text, not a decimal / use `parse_decimal`".to_owned()),
            "{found:?}"
        );
        assert!(found.iter().any(|finding| finding.contains("`nope`")));
    }
}

#[test]
fn text_is_not_silently_taken_for_dates_and_numbers() {
    let sql = |column: &str| format!("SELECT \"id\" AS record_id, \"total\" AS {column} FROM raw");
    let hint = |column: &str| findings(RecordKind::Contacts, &sql(column), FILE).concat();
    assert!(hint("birth_date").ends_with("use `parse_date`"));
    assert!(hint("updated_at").ends_with("use `parse_timestamp`"));
    assert!(hint("deleted").contains("not a boolean"));
    assert!(hint("consent_email").contains("not a boolean"));
    assert_eq!(hint("phone"), "");
    assert_eq!(hint("member_no"), "", "an identifier of the project is a column too");
}

#[test]
fn an_unknown_function_is_a_finding() {
    let found = findings(RecordKind::Contacts, "SELECT parse_nothing(\"id\") AS record_id FROM raw", FILE);
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("parse_nothing"), "{found:?}");
}

#[test]
fn a_column_that_only_an_unused_branch_reads_does_no_harm() {
    let sql =
        r#"WITH all_rows AS (SELECT "id", "Full Name", "total" FROM raw) SELECT "id" AS record_id FROM all_rows WHERE "Full Name" <> 'x'"#;
    let read = Project::csv()
        .file("a.csv", "id,Full Name,total\n1,Al,2\n2,x,3\n")
        .mapping(RecordKind::Contacts, sql)
        .read();
    assert_eq!(rows(read.contacts.batch(), &["record_id"]), ["1"]);
}

#[test]
fn a_mapping_may_read_everything_or_nothing() {
    let sql = "SELECT record_id, full_name FROM (SELECT *, \"id\" AS record_id, \"name\" AS full_name FROM raw)";
    assert_eq!(
        names(
            &Project::csv()
                .file("a.csv", "id,name\n1,Al\n")
                .mapping(RecordKind::Contacts, sql)
                .read()
        ),
        ["1|Al"]
    );
    let sql = "SELECT CAST(count(*) AS VARCHAR) AS record_id FROM raw";
    let read = Project::csv()
        .file("a.csv", "id,name\n1,Al\n2,Bo\n")
        .mapping(RecordKind::Contacts, sql)
        .read();
    assert_eq!(rows(read.contacts.batch(), &["record_id"]), ["2"]);
}

#[test]
fn texts_that_no_function_understands_are_listed_with_their_cell() {
    let sql = r#"SELECT "id" AS record_id, "name" AS full_name, parse_date("born", 'dd.mm.yyyy') AS birth_date FROM raw"#;
    let text = "id,name,born\n1,soon,01.02.2000\n2,Bo,soon\n3,Cy,\n4,Dee,soon\n";
    let read = Project::csv().file("a.csv", text).mapping(RecordKind::Contacts, sql).read();
    assert_eq!(rejects(&read), ["3 unparsed_value born soon", "5 unparsed_value born soon"]);
    assert_eq!(counts(&read, "contacts").values_rejected, 2);
    assert_eq!(
        rows(read.contacts.batch(), &["record_id", "birth_date"]),
        ["1|2000-02-01", "2|-", "3|-", "4|-"]
    );
}

#[test]
fn texts_put_together_in_sql_are_listed_without_a_cell() {
    let sql = r#"SELECT "id" AS record_id, parse_date("d" || '.' || "m", 'dd.mm.yyyy') AS birth_date FROM raw"#;
    let read = Project::csv()
        .file("a.csv", "id,d,m\n1,4,5\n")
        .mapping(RecordKind::Contacts, sql)
        .read();
    assert_eq!(rejects(&read), ["- unparsed_value - 4.5"]);
}

#[test]
fn a_query_that_fails_on_a_value_does_not_show_it() {
    let sql = r#"SELECT CAST(CAST("name" AS BIGINT) AS VARCHAR) AS record_id FROM raw"#;
    let error = Project::csv()
        .file("a.csv", "id,name\n1,Erika Mustermann\n")
        .mapping(RecordKind::Contacts, sql)
        .error();
    assert!(!format!("{error}").contains("Mustermann"), "{error}");
    assert!(format!("{error}").contains("sources/crm.contacts.sql"), "{error}");
}
