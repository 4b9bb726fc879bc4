//! Laws that hold for any text: standardizing twice changes nothing, nothing panics, long fields stay cheap, threads and row order do not matter.

use std::time::{Duration, Instant};

use arrow::array::StringArray;
use proptest::prelude::*;
use stammkunde::standardize::{Purpose, standardize, standardize_for};
use stammkunde::table::{Coded, RecordIx};
use stammkunde::text::{address, company, country, email, fold, gender, identifier, name, phone, phonetic, place, placeholder};

use super::batch::{contacts, one};

type Normalizer = (&'static str, fn(&str) -> Option<String>);

const NORMALIZERS: [Normalizer; 19] = [
    ("clean", |text| Some(fold::clean(text))),
    ("fold", |text| Some(fold::fold(text))),
    ("words", |text| Some(fold::words(text))),
    ("name", name::display),
    ("given", name::given_matching),
    ("family", name::family_matching),
    ("email", email::normalize),
    ("mailbox", |text| email::normalize(text).map(|address| email::mailbox(&address))),
    ("phone", |text| phone::normalize(text, "DE")),
    ("phone in US", |text| phone::normalize(text, "US")),
    ("street", address::street_matching),
    ("house number", address::house_number),
    ("postcode", |text| place::postcode_display(text, "DE")),
    ("postcode in GB", |text| place::postcode_display(text, "GB")),
    ("city", place::city_display),
    ("city to compare", place::city_matching),
    ("country", country::normalize),
    ("company", company::matching),
    ("identifier", identifier::normalize),
];

fn assert_idempotent(text: &str) {
    for (label, normalize) in NORMALIZERS {
        if let Some(once) = normalize(text) {
            assert_eq!(normalize(&once), Some(once.clone()), "{label} of {text:?} gave {once:?}");
        }
    }
}

/// Text as exports hold it: words, titles, particles, punctuation, digits and invisible characters, in any order.
fn realistic() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        prop::sample::select(vec![
            "Müller",
            "Thomas",
            "von",
            "der",
            "Dr.",
            "Prof.",
            "med.",
            "Dipl.-Ing.",
            "Herr",
            "Jr.",
            "O'Brien",
            "MCDONALD",
            "HANS-PETER",
            "Straße",
            "Str.",
            "straße",
            "Platz",
            "Street",
            "12",
            "5a",
            "5 - 7",
            "0171",
            "1234567",
            "+49",
            "(0)",
            "0049",
            "GmbH",
            "& Co. KG",
            "e.K.",
            "S.A.",
            "am Main",
            "Frankfurt",
            "(Oder)",
            "D-",
            "01067",
            "1067",
            "@",
            "gmail.com",
            "anna",
            "+shop",
            "x.de",
            "mailto:",
            "<",
            ">",
            "Nr.",
            "Flat 2,",
            "c/o",
            "ß",
            "İ",
            "ǆ",
            "ﬁ",
            "U.S.A.",
            "NRW",
            "und",
            "St.",
        ])
        .prop_map(str::to_owned),
        "[A-Za-zäöüÄÖÜßłøçéİıŞ]{1,8}",
        "[0-9]{1,6}",
        "[ \t\u{a0}\u{200b}\u{202e}.,;:/'’\\-–()\"&+#\u{308}]{1,2}",
    ];
    let glue = prop::sample::select(vec!["", " ", "-", ".", ", "]);
    prop::collection::vec((part, glue), 0..7).prop_map(|parts| parts.into_iter().map(|(part, glue)| part + glue).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn normalizers_are_idempotent_on_realistic_text(text in realistic()) {
        assert_idempotent(&text);
    }

    #[test]
    fn normalizers_are_idempotent_on_any_text(text in "\\PC{0,12}|.{0,12}|[\u{300}-\u{330}A-Za-zĀ-ſ]{0,12}") {
        assert_idempotent(&text);
    }

    #[test]
    fn sounds_and_classes_are_total(text in ".{0,16}") {
        for code in [phonetic::cologne(&text), phonetic::soundex(&text), phonetic::double_metaphone(&text)] {
            prop_assert!(code.is_ascii());
        }
        let _ = (gender::normalize(&text), email::classify(&text), name::split_full(&text), address::street(&text));
        let _ = (placeholder::is_placeholder(&text), phone::is_placeholder(&text), placeholder::is_excel_damaged(&text));
    }

    #[test]
    fn folded_words_have_no_upper_case_and_no_outer_space(text in ".{0,16}") {
        let words = fold::words(&text);
        prop_assert!(!words.chars().any(|c| c.is_ascii_uppercase() || c == '\''));
        prop_assert_eq!(words.trim(), words.as_str());
        prop_assert!(!words.contains("  "));
    }
}

const TEXT_COLUMNS: [&str; 12] = [
    "given_name",
    "family_name",
    "full_name",
    "email",
    "phone",
    "street",
    "house_number",
    "postcode",
    "city",
    "company",
    "country",
    "customer_no",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn standardizing_the_display_form_again_changes_nothing(rows in prop::collection::vec(prop::collection::vec(realistic(), TEXT_COLUMNS.len()), 1..6)) {
        let columns: Vec<Vec<Option<&str>>> = (0..TEXT_COLUMNS.len())
            .map(|column| rows.iter().map(|row| Some(row[column].as_str())).collect())
            .collect();
        let named: Vec<(&str, &[Option<&str>])> = TEXT_COLUMNS.into_iter().zip(columns.iter().map(Vec::as_slice)).collect();
        let once = standardize(&contacts(&named), "DE").contacts;
        let twice = standardize(&stammkunde::table::Contacts::new(once.display.clone()), "DE").contacts;
        for (first, second) in [(&once.display, &twice.display), (&once.matching, &twice.matching)] {
            for (field, (before, after)) in first.schema().fields().iter().zip(first.columns().iter().zip(second.columns())) {
                prop_assert_eq!(before, after, "{}", field.name());
            }
        }
    }

    #[test]
    fn forms_for_matching_alone_are_those_for_everything(rows in prop::collection::vec(prop::collection::vec(prop::option::of(realistic()), TEXT_COLUMNS.len()), 1..6)) {
        let columns: Vec<Vec<Option<&str>>> = (0..TEXT_COLUMNS.len())
            .map(|column| rows.iter().map(|row| row[column].as_deref()).collect())
            .collect();
        let named: Vec<(&str, &[Option<&str>])> = TEXT_COLUMNS.into_iter().zip(columns.iter().map(Vec::as_slice)).collect();
        let contacts = contacts(&named);
        let everything = standardize(&contacts, "DE").contacts;
        let wanted: Vec<String> = everything.matching.schema().fields().iter().step_by(2).map(|field| field.name().clone()).collect();
        let alone = standardize_for(&contacts, "DE", Purpose::Matching(&wanted)).contacts;
        prop_assert_eq!(alone.display.num_columns(), 2);
        prop_assert_eq!(alone.matching.num_columns(), wanted.len());
        for name in &wanted {
            prop_assert_eq!(alone.matching.column_by_name(name), everything.matching.column_by_name(name), "{}", name);
        }
        let (alone, everything) = (alone.code(&wanted), everything.code(&wanted));
        for (left, right) in alone.columns().iter().zip(everything.columns()) {
            prop_assert_eq!((left.codes(), left.values(), left.counts()), (right.codes(), right.values(), right.counts()));
            let texts: StringArray = (0..alone.len()).map(|row| left.value(RecordIx(row))).collect();
            let encoded = Coded::encode(left.name(), &texts);
            prop_assert_eq!((encoded.codes(), encoded.values(), encoded.counts()), (left.codes(), left.values(), left.counts()));
            prop_assert_eq!(encoded.non_null(), left.non_null());
        }
    }

    #[test]
    fn a_row_does_not_depend_on_the_other_rows(values in prop::collection::vec(realistic(), 2..8)) {
        let column: Vec<Option<&str>> = values.iter().map(|value| Some(value.as_str())).collect();
        let named: Vec<(&str, &[Option<&str>])> = TEXT_COLUMNS.into_iter().map(|name| (name, column.as_slice())).collect();
        let all = standardize(&contacts(&named), "DE").contacts;
        let last = values.len() - 1;
        let pairs: Vec<(&str, &str)> = TEXT_COLUMNS.into_iter().map(|name| (name, values[last].as_str())).collect();
        let alone = one(&pairs).contacts;
        prop_assert_eq!(all.matching.slice(last, 1), alone.matching);
    }
}

#[test]
fn any_number_of_threads_gives_the_same() {
    let values: Vec<String> = (0..600)
        .map(|row| format!("Herr Müller{} Thomas {}", row % 500, row % 13))
        .collect();
    let column: Vec<Option<&str>> = values.iter().map(|value| Some(value.as_str())).collect();
    let named: Vec<(&str, &[Option<&str>])> = TEXT_COLUMNS.into_iter().map(|name| (name, column.as_slice())).collect();
    let contacts = contacts(&named);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| standardize(&contacts, "DE"))
    };
    let (single, several) = (run(1), run(4));
    assert_eq!(single.contacts.display, several.contacts.display);
    assert_eq!(single.contacts.matching, several.contacts.matching);
    assert_eq!(single.rejects, several.rejects);
    assert_eq!(single.placeholders, several.placeholders);
}

#[test]
fn monstrous_fields_neither_panic_nor_stall() {
    let monsters = [
        "a".repeat(10_000),
        "é".repeat(10_000),
        format!("e{}", "\u{301}".repeat(10_000)),
        "\u{200D}".repeat(10_000),
        "Dr. ".repeat(2_500),
        "Dr.".repeat(3_300),
        "von ".repeat(2_500),
        "(".repeat(10_000),
        "((0)".repeat(2_500),
        "1 ".repeat(5_000),
        "1-".repeat(5_000),
        "@".repeat(10_000),
        "a@".repeat(5_000),
        "<>".repeat(5_000),
        "a.".repeat(5_000),
        "GmbH & Co. ".repeat(900),
        "u n d ".repeat(1_600),
        "\u{FDFA}".repeat(3_000),
        "한".repeat(3_000),
        "-".repeat(10_000),
        "ß".repeat(10_000),
        "0".repeat(10_000),
    ];
    for monster in &monsters {
        let started = Instant::now();
        let pairs: Vec<(&str, &str)> = TEXT_COLUMNS.into_iter().map(|name| (name, monster.as_str())).collect();
        let result = one(&pairs);
        assert_eq!(result.contacts.len(), 1);
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "{:?}… took {:?}",
            monster.chars().take(5).collect::<String>(),
            started.elapsed()
        );
    }
}

#[test]
fn invisible_characters_do_not_make_another_person() {
    for disguised in [
        "Mü\u{200D}ller",
        "\u{202E}Müller\u{202C}",
        "Mu\u{308}ller",
        "Ｍüller",
        "\u{FEFF}Müller\u{0}",
    ] {
        assert_eq!(name::display(disguised).as_deref(), Some("Müller"), "{disguised:?}");
        assert_eq!(name::family_matching(disguised).as_deref(), Some("mueller"), "{disguised:?}");
    }
}
