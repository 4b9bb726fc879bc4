//! Each record once, in an order that does not depend on files, and everything left out is listed.

use super::*;

const WITH_TIME: &str = r#"SELECT "id" AS record_id, "name" AS full_name, parse_timestamp("at", 'yyyy-mm-dd', 'UTC') AS updated_at,
                           "gone" = 'yes' AS deleted FROM raw"#;

#[test]
fn the_latest_row_of_a_key_stays() {
    let text = "id,name,at,gone\n1,old,2024-01-01,\n1,new,2024-03-01,\n1,zz no date,,\n1,mid,2024-02-01,\n2,Bo,,\n";
    let read = Project::csv().file("a.csv", text).mapping(RecordKind::Contacts, WITH_TIME).read();
    assert_eq!(names(&read), ["1|new", "2|Bo"]);
    assert_eq!(read.rejects.rows.iter().filter(|reject| reject.reason == "superseded").count(), 3);
    assert!(
        read.rejects.rows[0]
            .content
            .as_deref()
            .is_some_and(|content| content.contains(r#""record_id":"1""#))
    );
    let counts = counts(&read, "contacts");
    assert_eq!((counts.rows_read, counts.rows_kept, counts.rows_rejected), (5, 2, 3));
}

#[test]
fn a_file_delivered_twice_changes_nothing_but_the_rejects() {
    let text = "id,name\n1,Al\n2,Bo\n";
    let read = Project::csv().file("a.csv", text).file("a (1).csv", text).read();
    assert_eq!(names(&read), ["1|Al", "2|Bo"]);
    assert_eq!(
        read.rejects.rows.iter().map(|reject| reject.reason.as_str()).collect::<Vec<_>>(),
        ["duplicate", "duplicate"]
    );
}

#[test]
fn deleted_rows_and_rows_without_an_id_are_listed() {
    let text = "id,name,at,gone\n1,Al,,yes\n,Bo,,no\n3,Cy,,no\n";
    let read = Project::csv().file("a.csv", text).mapping(RecordKind::Contacts, WITH_TIME).read();
    assert_eq!(names(&read), ["3|Cy"]);
    let expected = [
        r#"- deleted deleted {"record_id":"1","full_name":"Al","deleted":"true"}"#,
        r#"- missing_required record_id {"full_name":"Bo","deleted":"false"}"#,
    ];
    assert_eq!(rejects(&read), expected);
}

#[test]
fn the_result_does_not_depend_on_the_order_of_files_or_rows() {
    let lines: Vec<String> = (0..200).map(|id| format!("{},name {}\n", id % 150, id * 7 % 13)).collect();
    let one = Project::csv().file("a.csv", format!("id,name\n{}", lines.concat())).read();
    let reversed: Vec<String> = lines.iter().rev().cloned().collect();
    let two = Project::csv()
        .file("z.csv", format!("id,name\n{}", reversed[..77].concat()))
        .file("b.csv", format!("id,name\n{}", reversed[77..].concat()))
        .read();
    assert_eq!(one.contacts.batch(), two.contacts.batch());
    assert_eq!(rejects(&one), rejects(&two));
}

#[test]
fn sources_share_a_record_and_keep_their_own_columns() {
    let mut project = Project::csv()
        .file("a.csv", "id,name\n1,Al\n")
        .file("shop/b.csv", "id,ok\n1,yes\n0,no\n");
    let files = format!("{}/exports/shop/*.csv", project.folder.path().display());
    let mut shop = source_spec("shop", files, Format::Csv);
    let sql = r#"SELECT "id" AS record_id, "id" AS member_no, "ok" = 'yes' AS consent_email FROM raw"#;
    shop.mappings.push(mapping_spec("shop", RecordKind::Contacts, sql));
    project.spec.sources.push(shop);
    let read = project.read();
    let columns = ["source", "record_id", "full_name", "consent_email", "member_no"];
    assert_eq!(
        rows(read.contacts.batch(), &columns),
        ["crm|1|Al|-|-", "shop|0|-|false|0", "shop|1|-|true|1"]
    );
}

#[test]
fn columns_that_only_an_empty_source_gives_are_still_there() {
    let sql = r#"SELECT "id" AS record_id, "ok" = 'yes' AS consent_sms FROM raw"#;
    let read = Project::csv().file("a.csv", "id,ok\n").mapping(RecordKind::Contacts, sql).read();
    assert!(read.contacts.batch().column_by_name("consent_sms").is_some());
}

#[test]
fn lines_are_sorted_by_number_and_not_by_text() {
    let sql = r#"SELECT "id" AS order_id, TRY_CAST("no" AS BIGINT) AS line_no, 1 AS quantity, 2 AS unit_price FROM raw"#;
    let text = "id,no\nA,10\nA,9\nB,1\nA,x\n";
    let read = Project::csv()
        .file("a.csv", text)
        .without_contacts()
        .mapping(RecordKind::OrderLines, sql)
        .read();
    assert_eq!(
        facts(&read, RecordKind::OrderLines, &["order_id", "line_no", "unit_price"]),
        ["A|9|2.0000", "A|10|2.0000", "B|1|2.0000"]
    );
    assert_eq!(counts(&read, "order_lines").rows_rejected, 1);
}

#[test]
fn a_subscription_has_a_row_for_every_start() {
    let sql = r#"SELECT "id" AS subscription_id, parse_timestamp("at", 'yyyy-mm-dd', 'UTC') AS started_at, "amount" AS amount, 'month' AS period,
                 'EUR' AS currency FROM raw"#;
    let text = "id,at,amount\nS1,2024-03-01,12\nS1,2023-12-01,10\nS2,2024-01-01,5\nS1,2024-03-01,12\n";
    let read = Project::csv()
        .file("a.csv", text)
        .without_contacts()
        .mapping(RecordKind::Subscriptions, sql)
        .read();
    assert_eq!(
        facts(&read, RecordKind::Subscriptions, &["subscription_id", "started_at", "amount"]),
        [
            "S1|2023-12-01T00:00:00Z|10.0000",
            "S1|2024-03-01T00:00:00Z|12.0000",
            "S2|2024-01-01T00:00:00Z|5.0000"
        ]
    );
    assert_eq!(counts(&read, "subscriptions").rows_rejected, 1, "one start twice");
}

#[test]
fn keys_of_any_length_sort_by_their_bytes() {
    let ids = [
        "order-1",
        "order-10",
        "order-1\u{e4}",
        "order-",
        "order-123456789012",
        "order-123456789011",
        "order-12345678",
    ];
    let text = format!("id,name\n{}", ids.map(|id| format!("{id},x\n")).concat());
    let read = Project::csv().file("a.csv", text).read();
    let mut expected = ids.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!(
        text_column(read.contacts.batch(), "record_id")
            .into_iter()
            .flatten()
            .collect::<Vec<_>>(),
        expected
    );
}

#[test]
fn values_beyond_the_range_of_their_column_are_listed() {
    let sql = r#"SELECT "id" AS order_id, TRY_CAST("total" AS DECIMAL(38, 2)) AS gross, 'EUR' AS currency,
                 CAST('2024-01-01T00:00:00Z' AS TIMESTAMP) AS ordered_at FROM raw"#;
    let text = "id,total\n1,99999999999999.99\n2,100000000000000.00\n";
    let read = Project::csv()
        .file("a.csv", text)
        .without_contacts()
        .mapping(RecordKind::Orders, sql)
        .read();
    assert_eq!(facts(&read, RecordKind::Orders, &["order_id", "gross"]), ["1|99999999999999.9900"]);
    assert_eq!(
        read.rejects.rows.iter().map(|reject| reject.reason.as_str()).collect::<Vec<_>>(),
        ["missing_required", "out_of_range"]
    );
}
