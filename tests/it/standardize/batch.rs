//! Whole batches: rows, columns, counts and rejects.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Date32Array, DictionaryArray, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array};
use arrow::datatypes::UInt32Type;
use stammkunde::standardize::{Standardized, standardize};
use stammkunde::table::record::ColumnType;
use stammkunde::table::{Contacts, RecordKind};

/// Contacts of source `crm` with the given text columns; every other column is null. Unknown names are added as text.
pub fn contacts(columns: &[(&str, &[Option<&str>])]) -> Contacts {
    let rows = columns.first().map_or(0, |(_, values)| values.len());
    let extra: Vec<(String, ColumnType)> = columns
        .iter()
        .filter(|(name, _)| RecordKind::Contacts.schema().type_of(name).is_none())
        .map(|(name, _)| ((*name).to_owned(), ColumnType::Text))
        .collect();
    let schema = RecordKind::Contacts.schema().arrow(&extra);
    let arrays = schema.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "source" => Arc::new(StringArray::from(vec!["crm"; rows])),
            "record_id" => Arc::new((0..rows).map(|row| Some(format!("{row:06}"))).collect::<StringArray>()),
            name => match columns.iter().find(|(given, _)| *given == name) {
                Some((_, values)) => Arc::new(StringArray::from(values.to_vec())),
                None => new_null_array(field.data_type(), rows),
            },
        }
    });
    let arrays = arrays.collect();
    Contacts::new(RecordBatch::try_new(schema, arrays).expect("a batch of the test"))
}

fn replace(contacts: &Contacts, name: &str, column: ArrayRef) -> Contacts {
    let batch = contacts.batch();
    let mut columns = batch.columns().to_vec();
    columns[batch.schema().index_of(name).expect("a canonical column")] = column;
    Contacts::new(RecordBatch::try_new(batch.schema(), columns).expect("a batch of the test"))
}

pub fn one(columns: &[(&str, &str)]) -> Standardized {
    let values: Vec<(&str, [Option<&str>; 1])> = columns.iter().map(|(name, value)| (*name, [Some(*value)])).collect();
    let slices: Vec<(&str, &[Option<&str>])> = values.iter().map(|(name, value)| (*name, value.as_slice())).collect();
    standardize(&contacts(&slices), "DE")
}

fn text<'a>(batch: &'a RecordBatch, name: &str, row: usize) -> Option<&'a str> {
    let column = batch.column_by_name(name).unwrap_or_else(|| panic!("column {name}"));
    let (values, at) = match column.as_any().downcast_ref::<DictionaryArray<UInt32Type>>() {
        Some(dictionary) => (dictionary.values(), dictionary.keys().value(row) as usize),
        None => (column, row),
    };
    let values = values.as_any().downcast_ref::<StringArray>().expect("a text column");
    column.is_valid(row).then(|| values.value(at))
}

fn shown<'a>(result: &'a Standardized, name: &str) -> Option<&'a str> {
    text(&result.contacts.display, name, 0)
}

fn matched<'a>(result: &'a Standardized, name: &str) -> Option<&'a str> {
    text(&result.contacts.matching, name, 0)
}

#[test]
fn a_contact_has_one_form_for_people_and_one_for_matching() {
    let result = one(&[
        ("given_name", " Dr. HANS-PETER "),
        ("family_name", "müller-lüdenscheidt"),
        ("email", "Hans.P+shop@GoogleMail.com"),
        ("phone", "0171/1234567"),
        ("gender", "Herr"),
        ("company", "Müller GmbH & Co. KG"),
        ("street", "Hauptstraße 5 a"),
        ("postcode", "1067"),
        ("city", "FRANKFURT AM MAIN"),
        ("country", "Deutschland"),
        ("customer_no", " 007 "),
        ("club_card", "A-1"),
    ]);
    for (name, display, matching) in [
        ("given_name", "Hans-Peter", "hanspeter"),
        ("family_name", "Müller-Lüdenscheidt", "mueller luedenscheidt"),
        ("email", "hans.p+shop@googlemail.com", "hansp@gmail.com"),
        ("phone", "+491711234567", "+491711234567"),
        ("gender", "m", "m"),
        ("company", "Müller GmbH & Co. KG", "mueller"),
        ("street", "Hauptstraße", "hauptstr"),
        ("house_number", "5 a", "5a"),
        ("postcode", "01067", "01067"),
        ("country", "DE", "DE"),
        ("customer_no", "007", "007"),
        ("club_card", "A-1", "A-1"),
    ] {
        assert_eq!(shown(&result, name), Some(display), "{name} for people");
        assert_eq!(matched(&result, name), Some(matching), "{name} for matching");
    }
    assert_eq!(matched(&result, "city"), Some("frankfurt"));
    assert_eq!(matched(&result, "email_local"), Some("hansp"));
    assert_eq!(matched(&result, "family_name_phonetic"), Some("65752682"));
    assert!(result.placeholders.is_empty() && result.rejects.rows.is_empty());
}

#[test]
fn the_columns_are_exactly_those_promised() {
    let contacts = contacts(&[("club_card", &[Some("1"), None]), ("email", &[None, None])]);
    let result = standardize(&contacts, "DE");
    assert_eq!(result.contacts.display.schema(), contacts.batch().schema());
    let schema = result.contacts.matching.schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(
        names,
        [
            "given_name",
            "family_name",
            "email",
            "email_local",
            "phone",
            "birth_date",
            "gender",
            "company",
            "street",
            "house_number",
            "postcode",
            "city",
            "region",
            "country",
            "given_name_phonetic",
            "family_name_phonetic",
            "customer_no",
            "user_id",
            "device_id",
            "loyalty_no",
            "club_card",
        ]
    );
    assert_eq!(result.contacts.matching.num_rows(), 2);
    assert_eq!(result.contacts.display.num_rows(), 2);
}

#[test]
fn no_contacts_give_no_contacts() {
    let result = standardize(&contacts(&[("email", &[])]), "DE");
    assert!(result.contacts.is_empty());
}

#[test]
fn whole_names_fill_missing_parts_only() {
    let both = one(&[("full_name", "Müller, Thomas")]);
    assert_eq!(
        (shown(&both, "given_name"), shown(&both, "family_name")),
        (Some("Thomas"), Some("Müller"))
    );
    assert_eq!(matched(&both, "family_name_phonetic"), Some("657"));
    let agreeing = one(&[("full_name", "Thomas Müller"), ("family_name", "MUELLER")]);
    assert_eq!(
        (shown(&agreeing, "given_name"), shown(&agreeing, "family_name")),
        (Some("Thomas"), Some("Mueller"))
    );
    let disagreeing = one(&[("full_name", "Thomas Müller"), ("family_name", "Schmidt")]);
    assert_eq!(
        (shown(&disagreeing, "given_name"), shown(&disagreeing, "family_name")),
        (None, Some("Schmidt"))
    );
    let own = one(&[("full_name", "Thomas Müller"), ("given_name", "Müller"), ("family_name", "Thomas")]);
    assert_eq!(
        (shown(&own, "given_name"), shown(&own, "family_name")),
        (Some("Müller"), Some("Thomas"))
    );
}

#[test]
fn placeholders_are_counted_by_column_and_kind() {
    let result = standardize(
        &contacts(&[
            ("given_name", &[Some("Max"), Some("n/a"), Some("Anna"), Some("Gast")]),
            ("family_name", &[Some("Mustermann"), Some("unbekannt"), Some("Beck"), Some("Kunde")]),
            (
                "email",
                &[Some("test@test.de"), Some("info@firma.de"), Some("anna@web.de"), Some("-")],
            ),
            ("phone", &[Some("0000000"), Some("123456789"), Some("0171 7654321"), None]),
            ("customer_no", &[Some("0000"), Some("null"), Some("-1"), Some("0012")]),
        ]),
        "DE",
    );
    let counts: Vec<(&str, u64)> = result.placeholders.iter().map(|(key, count)| (key.as_str(), *count)).collect();
    assert_eq!(
        counts,
        [
            ("customer_no/placeholder", 3),
            ("email/placeholder", 2),
            ("email/role_account", 1),
            ("family_name/placeholder", 3),
            ("given_name/placeholder", 3),
            ("phone/placeholder", 2),
        ]
    );
    assert!(result.rejects.rows.is_empty());
    assert_eq!(
        text(&result.contacts.display, "email", 1),
        Some("info@firma.de"),
        "a role account stays for people"
    );
    assert_eq!(text(&result.contacts.matching, "email", 1), None);
    assert_eq!(text(&result.contacts.display, "given_name", 0), None);
    assert_eq!(text(&result.contacts.display, "given_name", 2), Some("Anna"));
}

#[test]
fn damaged_values_are_rejected_with_their_raw_text() {
    let result = one(&[
        ("email", "anna at web"),
        ("phone", "4,91711E+11"),
        ("postcode", "1,0E+4"),
        ("customer_no", "1,23457E+12"),
        ("gender", "Hund"),
    ]);
    let found: Vec<(&str, &str, &str)> = result
        .rejects
        .rows
        .iter()
        .map(|reject| {
            (
                reject.field.as_deref().expect("a field"),
                reject.reason.as_str(),
                reject.content.as_deref().expect("a content"),
            )
        })
        .collect();
    let mut expected = [
        ("customer_no", "excel_damaged", "1,23457E+12"),
        ("email", "invalid_email", "anna at web"),
        ("gender", "invalid_gender", "Hund"),
        ("phone", "excel_damaged", "4,91711E+11"),
        ("postcode", "excel_damaged", "1,0E+4"),
    ];
    expected.sort_by_key(|(field, reason, _)| (*reason, *field));
    assert_eq!(found, expected);
    for name in ["email", "phone", "postcode", "customer_no", "gender"] {
        assert_eq!((shown(&result, name), matched(&result, name)), (None, None), "{name}");
    }
}

#[test]
fn phones_and_postcodes_are_read_as_of_the_rows_country() {
    let result = standardize(
        &contacts(&[
            ("phone", &[Some("0664 1234567"), Some("0664 1234567"), Some("0664 1234567")]),
            ("postcode", &[Some("1010"), Some("1010"), Some("1010")]),
            ("country", &[Some("Österreich"), None, Some("Atlantis")]),
        ]),
        "DE",
    );
    let column = |name: &str| -> Vec<Option<&str>> { (0..3).map(|row| text(&result.contacts.matching, name, row)).collect() };
    assert_eq!(
        column("phone"),
        [Some("+436641234567"), Some("+496641234567"), Some("+496641234567")]
    );
    assert_eq!(column("postcode"), [Some("1010"), Some("01010"), Some("01010")]);
    assert_eq!(column("country"), [Some("AT"), None, None]);
    assert_eq!(text(&result.contacts.display, "country", 2), Some("Atlantis"));
}

#[test]
fn the_house_number_of_its_own_column_wins() {
    let same = one(&[("street", "Hauptstr. 5a"), ("house_number", "5 A")]);
    assert_eq!(
        (shown(&same, "street"), shown(&same, "house_number")),
        (Some("Hauptstr."), Some("5 A"))
    );
    let other = one(&[("street", "Straße 12"), ("house_number", "7")]);
    assert_eq!(
        (matched(&other, "street"), matched(&other, "house_number")),
        (Some("str 12"), Some("7"))
    );
}

fn days(year: i32, month: u32, day: u32) -> i32 {
    let date = chrono::NaiveDate::from_ymd_opt(year, month, day).expect("a day of the test");
    i32::try_from(date.signed_duration_since(chrono::NaiveDate::default()).num_days()).expect("a day near 1970")
}

#[test]
fn birth_dates_are_judged_by_when_the_source_knew_the_person() {
    let rows = [
        (days(1980, 2, 29), Some(2024), Some("1980-02-29")),
        (days(1970, 1, 1), Some(2024), None),
        (days(1900, 1, 1), None, None),
        (days(2025, 1, 1), Some(2024), None),
        (days(2025, 1, 1), None, Some("2025-01-01")),
        (days(1903, 5, 5), Some(2024), None),
        (days(1904, 5, 5), Some(2024), Some("1904-05-05")),
        (days(1879, 5, 5), None, None),
        (i32::MAX, None, None),
    ];
    let empty: Vec<Option<&str>> = vec![None; rows.len()];
    let base = contacts(&[("email", &empty)]);
    let births = Date32Array::from(rows.iter().map(|row| row.0).collect::<Vec<_>>());
    let updated: TimestampMicrosecondArray = rows
        .iter()
        .map(|row| row.1.map(|year| i64::from(days(year, 6, 1)) * 86_400_000_000))
        .collect();
    let base = replace(&base, "birth_date", Arc::new(births));
    let base = replace(&base, "updated_at", Arc::new(updated.with_timezone("UTC")));
    let result = standardize(&base, "DE");
    for (row, (_, _, expected)) in rows.iter().enumerate() {
        assert_eq!(text(&result.contacts.matching, "birth_date", row), *expected, "row {row}");
        let display = result.contacts.display.column_by_name("birth_date").expect("canonical");
        assert_eq!(display.is_valid(row), expected.is_some(), "row {row}");
    }
    assert_eq!(result.placeholders["birth_date/placeholder"], 2);
    assert_eq!(result.rejects.values_count(), 4);
    assert!(result.rejects.rows.iter().all(|reject| reject.reason == "invalid_birth_date"));
}

#[test]
fn matching_sees_the_first_256_characters_of_a_text_and_all_of_an_identifier() {
    let (name, id) = ("ä".repeat(10_000), "x".repeat(10_000));
    let result = one(&[("family_name", &name), ("user_id", &id)]);
    assert_eq!(matched(&result, "family_name").map(|text| text.chars().count()), Some(256));
    assert_eq!(shown(&result, "family_name").map(|text| text.chars().count()), Some(10_000));
    assert_eq!(matched(&result, "user_id").map(str::len), Some(10_000));
    let at_most = one(&[("family_name", "ä".repeat(256).as_str())]);
    assert_eq!(matched(&at_most, "family_name").map(|text| text.chars().count()), Some(256));
}
