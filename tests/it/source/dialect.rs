//! CSV as it is written in the field.

use super::*;

#[test]
fn rows_are_sorted_and_know_their_source() {
    let read = Project::csv().file("a.csv", "id,name\n2,Bo\n10,Al\n1,Cy\n").read();
    assert_eq!(
        rows(read.contacts.batch(), &["source", "record_id", "full_name"]),
        ["crm|1|Cy", "crm|10|Al", "crm|2|Bo"]
    );
    assert!(read.rejects.rows.is_empty());
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_column() {
    let read = Project::csv().file("a.csv", "\u{feff}id,name\n1,Jörg\n").read();
    assert_eq!(names(&read), ["1|Jörg"]);
}

#[test]
fn a_byte_order_mark_wins_over_the_configured_encoding() {
    let text = "id,name\r\n1,Zoë\r\n2,Łukasz\r\n";
    let bytes: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let read = Project::csv()
        .file("a.csv", bytes)
        .with(|source| source.csv.encoding = encoding_rs::WINDOWS_1252)
        .read();
    assert_eq!(names(&read), ["1|Zoë", "2|Łukasz"]);
}

#[test]
fn utf_16_without_a_mark_is_read_as_configured() {
    let bytes: Vec<u8> = "id,name\n1,Zoë\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let read = Project::csv()
        .file("a.csv", bytes)
        .with(|source| source.csv.encoding = encoding_rs::UTF_16LE)
        .read();
    assert_eq!(names(&read), ["1|Zoë"]);
}

#[test]
fn windows_1252_is_read_as_configured() {
    let read = Project::csv()
        .file("a.csv", b"id,name\n1,M\xfcller \x80\n")
        .with(|source| source.csv.encoding = encoding_rs::WINDOWS_1252)
        .read();
    assert_eq!(names(&read), ["1|Müller €"]);
}

#[test]
fn bytes_that_are_no_text_become_null_and_are_listed() {
    let read = Project::csv().file("a.csv", b"id,name\n1,M\xfcller\n2,Bo\n").read();
    assert_eq!(names(&read), ["1|-", "2|Bo"]);
    assert_eq!(rejects(&read), ["2 invalid_encoding name M\u{fffd}ller"]);
    assert_eq!(counts(&read, "raw").values_rejected, 1);
}

#[test]
fn a_broken_surrogate_in_utf_16_becomes_null_and_is_listed() {
    let mut units: Vec<u16> = "id,name\n1,".encode_utf16().collect();
    units.extend([0xd800, 0x0a]);
    let bytes: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(units.into_iter().flat_map(u16::to_le_bytes))
        .collect();
    let read = Project::csv().file("a.csv", bytes).read();
    assert_eq!(names(&read), ["1|-"]);
    assert_eq!(read.rejects.rows[0].reason, "invalid_encoding");
}

#[test]
fn a_separator_line_wins() {
    let read = Project::csv().file("a.csv", "sep=;\r\nid;name\r\n1;Bo, Jr.\r\n").read();
    assert_eq!(names(&read), ["1|Bo, Jr."]);
    let read = Project::csv()
        .file("a.csv", "sep=;\nid;name\n1;Bo\n")
        .with(|source| source.csv.delimiter = Some(b'|'))
        .read();
    assert_eq!(names(&read), ["1|Bo"]);
}

#[test]
fn preamble_second_header_and_total_row_are_not_data() {
    let text = "Report of \"today\nexported, by, Al\nid,name\nRecord,Full name\n{\"x\":1},{\"y\":2}\n1,Bo\n2,Cy\nTotal,2\n\"Copyright\"\n";
    let project = Project::csv().file("a.csv", text).with(|source| {
        source.csv.skip_lines = 2;
        source.csv.header_rows = 3;
        source.csv.skip_footer = 2;
    });
    let read = project.read();
    assert_eq!(names(&read), ["1|Bo", "2|Cy"]);
    assert!(read.rejects.rows.is_empty(), "a footer is no reject: {:?}", rejects(&read));
    assert_eq!(counts(&read, "raw").rows_read, 2);
}

#[test]
fn a_footer_longer_than_the_file_leaves_nothing() {
    for rows in 0..3 {
        let text = format!("id,name\n{}", "1,Bo\n".repeat(rows));
        let read = Project::csv().file("a.csv", text).with(|source| source.csv.skip_footer = 2).read();
        assert_eq!((counts(&read, "raw").rows_read, read.contacts.len()), (0, 0), "{rows} rows");
    }
}

#[test]
fn columns_without_a_header_are_numbered() {
    let project = Project::csv()
        .file("a.csv", "1,Bo\n2,Cy\n")
        .with(|source| source.csv.header_rows = 0);
    let read = project
        .mapping(RecordKind::Contacts, "SELECT column_1 AS record_id, column_2 AS full_name FROM raw")
        .read();
    assert_eq!(names(&read), ["1|Bo", "2|Cy"]);
}

#[test]
fn headers_are_trimmed_and_told_apart() {
    let sql = r#"SELECT "Id" AS record_id, "Email" || ' ' || "Email_2" || ' ' || "column_4" || ' ' || "email" AS full_name FROM raw"#;
    let read = Project::csv()
        .file("a.csv", " Id,Email ,Email,,email\n1,a,b,c,d\n")
        .mapping(RecordKind::Contacts, sql)
        .read();
    assert_eq!(names(&read), ["1|a b c d"]);
    assert_eq!(
        read.columns,
        [(
            "crm".to_owned(),
            ["Email", "Email_2", "Id", "column_4", "email"].map(str::to_owned).to_vec()
        )]
    );
}

#[test]
fn a_protecting_apostrophe_is_taken_off_numbers_only() {
    let sql = r#"SELECT "id" AS record_id, "phone" AS phone, "name" AS full_name FROM raw"#;
    let read = Project::csv()
        .file("a.csv", "id,phone,name\n'007,'+49301234567,'t Hooft\n")
        .mapping(RecordKind::Contacts, sql)
        .read();
    assert_eq!(
        rows(read.contacts.batch(), &["record_id", "phone", "full_name"]),
        ["007|+49301234567|'t Hooft"]
    );
}

#[test]
fn numbers_that_a_spreadsheet_rewrote_are_no_ids() {
    let sql = r#"SELECT "id" AS record_id, "phone" AS phone, "zip" AS postcode, "name" AS full_name FROM raw"#;
    let text = "id;phone;zip;name\n1;4,91711E+11;01067;1E+05\n2;0301234567;1.0E+05;Bo\n4,2E+10;1;2;Cy\n";
    let read = Project::csv()
        .file("a.csv", text)
        .with(|source| source.csv.delimiter = Some(b';'))
        .mapping(RecordKind::Contacts, sql)
        .read();
    let columns = ["record_id", "phone", "postcode", "full_name"];
    assert_eq!(rows(read.contacts.batch(), &columns), ["1|-|01067|1E+05", "2|0301234567|-|Bo"]);
    let reasons: Vec<&str> = read.rejects.rows.iter().map(|reject| reject.reason.as_str()).collect();
    assert_eq!(reasons.iter().filter(|reason| **reason == "excel_damaged").count(), 3);
    assert_eq!(reasons.iter().filter(|reason| **reason == "missing_required").count(), 1);
}

#[test]
fn quoted_fields_hold_line_ends_and_quotes() {
    let text = "id,name\r\n1,\"Bo\r\nvan \"\"der\"\" Berg\"\r\n\r\n2,Cy\r\n3,5\" pipe\r\n";
    let read = Project::csv()
        .file("a.csv", text)
        .mapping(
            RecordKind::Contacts,
            r#"SELECT "id" || ':' || _line AS record_id, "name" AS full_name FROM raw"#,
        )
        .read();
    assert_eq!(names(&read), ["1:2|Bo\r\nvan \"der\" Berg", "2:5|Cy", "3:6|5\" pipe"]);
    assert!(read.rejects.rows.is_empty(), "{:?}", rejects(&read));
}

#[test]
fn one_open_quote_costs_one_row() {
    let text = "id,name\n1,Al\n2,\"Bo\n3,Cy\n4,\"Dee\"\n5,Ed\n";
    let read = Project::csv().file("a.csv", text).read();
    assert_eq!(names(&read), ["1|Al", "3|Cy", "4|Dee", "5|Ed"]);
    assert_eq!(rejects(&read), ["3 unbalanced_quote - 2,\"Bo"]);
}

#[test]
fn an_open_quote_without_another_costs_one_row() {
    let read = Project::csv().file("a.csv", "id,name\n1,\"Al\n2,Bo\n3,Cy").read();
    assert_eq!(names(&read), ["2|Bo", "3|Cy"]);
    assert_eq!(rejects(&read), ["2 unbalanced_quote - 1,\"Al"]);
}

#[test]
fn an_open_quote_in_a_large_file_costs_one_row() {
    let mut text = "id,name\n0,\"open\n".to_owned();
    for id in 1..30_000 {
        text += &format!("{id},name of {id}\n");
    }
    let read = Project::csv()
        .file("a.csv", &text)
        .with(|source| source.field_bytes_max = 100_000)
        .read();
    assert_eq!(read.contacts.len(), 29_999);
    assert_eq!(rejects(&read), ["2 field_too_large - 0,\"open"]);
}

#[test]
fn a_field_may_be_as_long_as_its_limit_and_no_longer() {
    for (length, kept) in [(9, true), (10, true), (11, false)] {
        for quote in ["", "\""] {
            let text = format!("id,name\n1,{quote}{}{quote}\n2,Bo\n", "x".repeat(length));
            let read = Project::csv().file("a.csv", text).with(|source| source.field_bytes_max = 10).read();
            assert_eq!(read.contacts.len(), 1 + usize::from(kept), "{length} bytes");
            assert_eq!(read.rejects.rows.iter().any(|reject| reject.reason == "field_too_large"), !kept);
        }
    }
}

#[test]
fn a_huge_field_costs_one_row_and_little_memory() {
    let mut text = b"id,name\n1,".to_vec();
    text.extend(std::iter::repeat_n(b'x', 3 << 20));
    text.extend(b"\n2,Bo\n");
    let read = Project::csv().file("a.csv", text).read();
    assert_eq!(names(&read), ["2|Bo"]);
    assert_eq!(
        (read.rejects.rows[0].line, read.rejects.rows[0].reason.as_str()),
        (Some(2), "field_too_large")
    );
    assert_eq!(read.rejects.rows[0].content.as_ref().map(String::len), Some(4096));
}

#[test]
fn ragged_rows_are_rejected_or_padded() {
    let text = "id,name\n1,Al\n2\n3,Cy,extra\n4,Dee\n";
    let read = Project::csv().file("a.csv", text).read();
    assert_eq!(names(&read), ["1|Al", "4|Dee"]);
    assert_eq!(rejects(&read), ["3 ragged_row - 2", "4 ragged_row - 3,Cy,extra"]);
    let read = Project::csv()
        .file("a.csv", text)
        .with(|source| source.csv.ragged_rows = RaggedRows::Pad)
        .read();
    assert_eq!(names(&read), ["1|Al", "2|-", "4|Dee"]);
}

#[test]
fn a_row_with_a_nul_byte_is_rejected() {
    let read = Project::csv().file("a.csv", "id,name\n1,A\0l\n2,Bo\n").read();
    assert_eq!(names(&read), ["2|Bo"]);
    assert_eq!(read.rejects.rows[0].reason, "nul_byte");
}

#[test]
fn configured_texts_and_empty_fields_are_null() {
    let project = Project::csv().file("a.csv", "id,name\n1,n/a\n2,\n3,\"\"\n4,N/A\n");
    let read = project.with(|source| source.csv.null_values = vec!["n/a".to_owned()]).read();
    assert_eq!(names(&read), ["1|-", "2|-", "3|-", "4|N/A"]);
}

#[test]
fn old_line_ends_and_a_missing_last_one_are_understood() {
    for text in ["id,name\r1,Al\r2,Bo", "id,name\r\n1,Al\r\n2,Bo", "id,name\n1,Al\n2,Bo"] {
        let sql = r#"SELECT "id" || ':' || _line AS record_id, "name" AS full_name FROM raw"#;
        assert_eq!(
            names(&Project::csv().file("a.csv", text).mapping(RecordKind::Contacts, sql).read()),
            ["1:2|Al", "2:3|Bo"],
            "{text:?}"
        );
    }
}

#[test]
fn rows_across_the_edges_of_read_buffers_are_whole() {
    let mut text = "id,name\n".to_owned();
    for id in 0..9_000 {
        text += &format!("{id:05},\"{}\nö {id}\"\n", "x".repeat(id % 97));
    }
    let read = Project::csv().file("a.csv", &text).read();
    assert_eq!(read.contacts.len(), 9_000);
    assert!(read.rejects.rows.is_empty());
    let all = text_column(read.contacts.batch(), "full_name");
    assert!(
        all.iter()
            .enumerate()
            .all(|(id, name)| name.as_deref() == Some(&format!("{}\nö {id}", "x".repeat(id % 97))))
    );
}

#[test]
fn order_values_on_the_first_of_several_rows_are_counted_once() {
    let text = "Name,Email,Created at,Currency,Total,Lineitem quantity,Lineitem name,Lineitem price\n\
                #1001,a@example.com,2026-02-20 10:00:00 -0500,EUR,30.00,1,Cup,10.00\n\
                #1001,a@example.com,,,,2,Plate,10.00\n\
                #1002,b@example.com,2026-02-21 10:00:00 -0500,EUR,5.00,1,Spoon,5.00\n";
    let orders = r#"SELECT "Name" AS order_id, max("Email") AS email, max("Currency") AS currency,
                    parse_decimal(max("Total"), 'en') AS gross,
                    parse_timestamp(substr(max("Created at"), 1, 19), 'yyyy-mm-dd hh:mi:ss', 'America/New_York') AS ordered_at
                    FROM raw GROUP BY "Name""#;
    let lines = r#"SELECT "Name" AS order_id, row_number() OVER (PARTITION BY "Name" ORDER BY _line) AS line_no, "Lineitem name" AS name,
                   parse_decimal("Lineitem quantity", 'en') AS quantity, parse_decimal("Lineitem price", 'en') AS unit_price FROM raw"#;
    let project = Project::csv().file("orders.csv", text).without_contacts();
    let read = project
        .mapping(RecordKind::Orders, orders)
        .mapping(RecordKind::OrderLines, lines)
        .read();
    let columns = ["order_id", "gross", "ordered_at"];
    let expected = ["#1001|30.0000|2026-02-20T15:00:00Z", "#1002|5.0000|2026-02-21T15:00:00Z"];
    assert_eq!(facts(&read, RecordKind::Orders, &columns), expected);
    let expected = ["#1001|1|Cup|1.0000", "#1001|2|Plate|2.0000", "#1002|1|Spoon|1.0000"];
    assert_eq!(
        facts(&read, RecordKind::OrderLines, &["order_id", "line_no", "name", "quantity"]),
        expected
    );
}

#[test]
fn a_decimal_comma_is_read_by_the_locale_that_the_mapping_names() {
    let sql = r#"SELECT "id" AS order_id, parse_decimal("total", 'de') AS gross, 'EUR' AS currency,
                 parse_timestamp("on", 'dd.mm.yyyy hh:mi', 'Europe/Berlin') AS ordered_at FROM raw"#;
    let text = "id;total;on\n1;1.234,56;31.12.2025 23:30\n2;n/a;01.01.2026 00:00\n3;5,00;30.02.2026 00:00\n";
    let project = Project::csv()
        .file("a.csv", text)
        .without_contacts()
        .with(|source| source.csv.delimiter = Some(b';'));
    let read = project.mapping(RecordKind::Orders, sql).read();
    assert_eq!(
        facts(&read, RecordKind::Orders, &["order_id", "gross", "ordered_at"]),
        ["1|1234.5600|2025-12-31T22:30:00Z"]
    );
    let values: Vec<String> = rejects(&read)
        .into_iter()
        .filter(|reject| reject.contains("unparsed_value"))
        .collect();
    assert_eq!(values, ["3 unparsed_value total n/a", "4 unparsed_value on 30.02.2026 00:00"]);
    assert_eq!(counts(&read, "orders").rows_rejected, 2);
}

#[test]
fn more_columns_than_a_file_may_have_is_an_error() {
    let header: Vec<String> = (0..10_001).map(|column| format!("c{column}")).collect();
    let error = Project::csv().file("a.csv", header.join(",") + "\n").error();
    assert!(error.message().contains("10001 columns"), "{error}");
}
