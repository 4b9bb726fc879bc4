//! JSON lines and Parquet.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Array, DictionaryArray, Int64Array, LargeStringArray, StringArray, StringViewArray, TimestampNanosecondArray,
    UInt32Array,
};
use arrow::datatypes::Int8Type;
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;
use stammkunde::ErrorKind;

use super::*;

#[test]
fn top_level_keys_are_columns_and_keep_their_text() {
    let lines = concat!(
        "{\"id\": 9007199254740993, \"name\": \"Zo\\u00eb\", \"v\": {\"a\" : [1, 2.50, \"x y\"] }}\n",
        "\n",
        " {\"v\": true, \"id\":\"a\\\"b\", \"late\": 1e400, \"name\": null} \r\n",
        "{\"id\":\"3\",\"v\":-1.10}\n",
    );
    let sql = r#"SELECT "id" AS record_id, "name" AS full_name, "v" AS company, "late" AS city FROM raw"#;
    let read = Project::jsonl().file("a.jsonl", lines).mapping(RecordKind::Contacts, sql).read();
    let columns = ["record_id", "full_name", "company", "city"];
    let expected = [
        r"3|-|-1.10|-",
        r#"9007199254740993|Zoë|{"a":[1,2.50,"x y"]}|-"#,
        r#"a"b|-|true|1e400"#,
    ];
    assert_eq!(rows(read.contacts.batch(), &columns), expected);
    assert!(read.rejects.rows.is_empty());
}

#[test]
fn lines_that_are_no_object_are_rejected() {
    let lines = "{\"id\":\"1\",\"name\":\"Al\"}\n{\"id\":\"2\",\n[1]\n\"x\"\n{\"id\":\"3\"} x\n{\"id\":\"4\",\"name\":\"B\\u0000\"}\n{}\n";
    let read = Project::jsonl().file("a.jsonl", lines).read();
    assert_eq!(names(&read), ["1|Al"]);
    let reasons: Vec<(Option<u64>, &str)> = read
        .rejects
        .rows
        .iter()
        .map(|reject| (reject.line, reject.reason.as_str()))
        .collect();
    let bad = |line| (Some(line), "invalid_json");
    assert_eq!(
        reasons,
        [bad(2), bad(3), bad(4), bad(5), (Some(6), "nul_byte"), (None, "missing_required")]
    );
    let raw = counts(&read, "raw");
    assert_eq!((raw.rows_read, raw.rows_kept, raw.rows_rejected), (7, 2, 5));
}

#[test]
fn bytes_that_are_no_text_become_null_in_json_too() {
    let read = Project::jsonl()
        .file(
            "a.jsonl",
            b"{\"id\":\"1\",\"name\":\"M\xfcller\"}\n{\"id\":\"2\",\"name\":\"\\ud800\"}\n",
        )
        .read();
    assert_eq!(names(&read), ["1|-", "2|-"]);
    assert_eq!(
        read.rejects
            .rows
            .iter()
            .filter(|reject| reject.reason == "invalid_encoding")
            .count(),
        2
    );
}

#[test]
fn one_array_is_named_as_one() {
    let error = Project::jsonl().file("a.jsonl", "[{\"id\":1},\n{\"id\":2}]\n").error();
    assert!(error.message().contains("array") && error.kind() == ErrorKind::Input, "{error}");
}

#[test]
fn deep_nesting_and_a_long_text_do_no_harm() {
    let deep = format!("{{\"id\":\"1\",\"name\":{}{}}}\n", "[".repeat(50_000), "]".repeat(50_000));
    let long = format!(
        "{{\"id\":\"2\",\"name\":\"{}\"}}\n{{\"id\":\"3\",\"name\":\"Cy\"}}\n",
        "x".repeat(200_001)
    );
    let read = Project::jsonl()
        .file("a.jsonl", deep + &long)
        .with(|source| source.field_bytes_max = 200_000)
        .read();
    assert_eq!(
        text_column(read.contacts.batch(), "record_id"),
        [Some("1".to_owned()), Some("3".to_owned())]
    );
    assert_eq!(read.rejects.rows[0].reason, "field_too_large");
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("writing to memory");
    writer.close().expect("writing to memory");
    bytes
}

fn people() -> Vec<u8> {
    parquet(vec![
        ("id", Arc::new(UInt32Array::from(vec![7, 8]))),
        ("name", Arc::new(StringViewArray::from(vec!["Al", "Bo"]))),
        ("city", Arc::new(LargeStringArray::from(vec![Some("Ulm"), None]))),
        ("tier", Arc::new(["a", "b"].into_iter().collect::<DictionaryArray<Int8Type>>())),
        ("at", Arc::new(TimestampNanosecondArray::from(vec![1_700_000_000_000_000_001, 0]))),
    ])
}

#[test]
fn parquet_keeps_its_types() {
    let sql = r#"SELECT "id" AS record_id, "name" AS full_name, "city" AS city, "tier" AS company, "at" AS updated_at, "_line" > 1 AS deleted FROM raw"#;
    let read = Project::parquet()
        .file("a.parquet", people())
        .mapping(RecordKind::Contacts, sql)
        .read();
    let columns = ["record_id", "full_name", "city", "company", "updated_at"];
    assert_eq!(rows(read.contacts.batch(), &columns), ["7|Al|Ulm|a|2023-11-14T22:13:20Z"]);
    assert_eq!(read.rejects.rows[0].reason, "deleted");
}

#[test]
fn parquet_files_whose_types_differ_are_read_together() {
    let ints = parquet(vec![
        ("id", Arc::new(Int64Array::from(vec![1])) as ArrayRef),
        ("name", Arc::new(StringArray::from(vec!["Al"]))),
    ]);
    let texts = parquet(vec![
        ("id", Arc::new(StringArray::from(vec!["x2"])) as ArrayRef),
        ("name", Arc::new(StringArray::from(vec!["Bo"]))),
    ]);
    let read = Project::parquet()
        .file("a.parquet", ints)
        .file("b.parquet", texts)
        .file("c.parquet", "")
        .read();
    assert_eq!(names(&read), ["1|Al", "x2|Bo"]);
}

#[test]
fn decimals_and_integers_fit_and_floats_do_not() {
    let sql = |gross: &str| {
        format!(
            r#"SELECT "id" AS order_id, {gross} AS gross, 'EUR' AS currency, CAST('2024-01-01T00:00:00Z' AS TIMESTAMP) AS ordered_at FROM raw"#
        )
    };
    let price = Decimal128Array::from(vec![1_999])
        .with_precision_and_scale(7, 2)
        .expect("a decimal");
    let file = parquet(vec![
        ("id", Arc::new(Int64Array::from(vec![1])) as ArrayRef),
        ("price", Arc::new(price)),
    ]);
    let project = |gross: &str| {
        Project::parquet()
            .without_contacts()
            .file("a.parquet", &file)
            .mapping(RecordKind::Orders, &sql(gross))
    };
    assert_eq!(facts(&project("\"price\"").read(), RecordKind::Orders, &["gross"]), ["19.9900"]);
    assert_eq!(
        facts(&project("\"price\" * \"price\"").read(), RecordKind::Orders, &["gross"]),
        ["399.6001"]
    );
    assert_eq!(facts(&project("\"id\"").read(), RecordKind::Orders, &["gross"]), ["1.0000"]);
    let found = project("CAST(\"price\" AS DOUBLE)").check();
    assert!(found[0].message.contains("floating-point") && found[0].hint.as_deref().is_some_and(|hint| hint.contains("DECIMAL")));
}

#[test]
fn a_malformed_parquet_file_is_an_error_that_names_it() {
    let whole = people();
    let mut huge_footer = whole.clone();
    let length = huge_footer.len() - 8;
    huge_footer[length..length + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let files: [&[u8]; 6] = [
        b"PAR1",
        b"not parquet at all",
        &whole[..whole.len() - 1],
        &whole[..whole.len() / 2],
        &huge_footer,
        b"PAR1\0\0\0\0PAR1",
    ];
    for bytes in files {
        let error = Project::parquet().file("a.parquet", bytes).error();
        assert_eq!(error.kind(), ErrorKind::Input, "{error}");
        assert!(error.context().contains(&("file", "a.parquet".to_owned())), "{error}");
    }
}

#[test]
fn a_parquet_file_larger_than_allowed_is_an_error() {
    let error = Project::parquet()
        .file("a.parquet", people())
        .with(|source| source.decompressed_bytes_max = 10)
        .error();
    assert!(error.message().contains("10 bytes"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_flipped_byte_in_a_parquet_file_never_takes_the_run_down(position in 0_usize..4_000, value in any::<u8>()) {
        let mut bytes = people();
        let position = position % bytes.len();
        bytes[position] = value;
        if let Err(error) = Project::parquet().file("a.parquet", bytes).try_read(&Ledger::default()) {
            prop_assert_ne!(error.kind(), ErrorKind::Internal);
        }
    }
}
