//! What ad platforms are told of a customer: each spelling and hash as the platforms' own documents give it, or as computed apart from this program.

use chrono::NaiveDate;
use proptest::prelude::*;
use stammkunde::audience::normalize::hashed;
use stammkunde::audience::{Condition, Operator, Person, google, meta};

fn person() -> Person {
    Person {
        email: "User.Name+NYC@Example.com ".to_owned(),
        phone: "+18005550100".to_owned(),
        given_name: " Anna  Maria ".to_owned(),
        family_name: "Müller-Lüdenscheidt".to_owned(),
        city: "New York".to_owned(),
        region: "New York".to_owned(),
        postcode: "94035-1234".to_owned(),
        country: "US".to_owned(),
        birth_date: NaiveDate::from_ymd_opt(1997, 2, 16),
        gender: "f".to_owned(),
    }
}

/// Meta's own examples ("Customer Information Parameters"): the value, as it is spelled, and its SHA-256.
#[test]
fn metas_examples_give_metas_hashes() {
    let name = |text: &str| stammkunde::audience::normalize::letters_alone(text);
    let examples = [
        (
            meta::email("John_Smith@gmail.com"),
            "john_smith@gmail.com",
            "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f",
        ),
        (
            meta::phone("+16505551212"),
            "16505551212",
            "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176",
        ),
        (
            name("Mary"),
            "mary",
            "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec",
        ),
        (name("정"), "정", "8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14"),
        (
            name("Valéry"),
            "valéry",
            "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c",
        ),
        (
            "US".to_lowercase(),
            "us",
            "79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621",
        ),
    ];
    for (spelled, expected, hash) in examples {
        assert_eq!(spelled, expected);
        assert_eq!(hashed(&spelled), hash, "{expected}");
    }
    // Examples without a hash.
    assert_eq!([name("Paris"), name("London"), name("New York")], ["paris", "london", "newyork"]);
    assert_eq!(
        [
            meta::state("Arizona", "US"),
            meta::state("CA", "US"),
            meta::state("Baden-Württemberg", "DE")
        ],
        ["az", "ca", "badenwürttemberg"]
    );
    assert_eq!(
        [meta::zip("94035-1234", "US"), meta::zip("75018", "FR"), meta::zip("M1 1AE", "GB")],
        ["94035", "75018", "m11ae"]
    );
}

/// Google's examples ("Format user data"); hashes by Python's hashlib.
#[test]
fn googles_examples_are_spelled_as_google_spells_them() {
    let examples = [
        (
            "cloudy.sanfrancisco+shopping@gmail.com",
            "cloudysanfrancisco@gmail.com",
            "223ebda6f6889b1494551ba902d9d381daf2f642bae055888e96343d53e9f9c4",
        ),
        (
            "user.name+NYC@Example.com",
            "user.name+nyc@example.com",
            "f109a2a632fbcea5fc82049f50beed3d8621bf9034399f437fb622222acccdac",
        ),
        (
            " Jane.Doe@GoogleMail.com",
            "janedoe@googlemail.com",
            "338abf9ef1c8793cadc7bcf51ed595338eb727ed9e06ce3d91d566d60b975937",
        ),
    ];
    for (value, spelled, hash) in examples {
        assert_eq!(google::email(value), spelled);
        assert_eq!(hashed(&google::email(value)), hash, "{spelled}");
    }
    assert_eq!(
        hashed("+18005550100"),
        "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30"
    );
    for none in ["", "nobody", "@gmail.com", "+tag@gmail.com", "...@gmail.com", "a@"] {
        assert_eq!(google::email(none), "", "{none}");
    }
    assert_eq!(
        [
            google::zip("94035-1234", "US"),
            google::zip("940351234", "US"),
            google::zip(" wc2h 8lg", "GB")
        ],
        ["94035-1234", "94035-1234", "WC2H 8LG"]
    );
    assert_eq!(google::zip("=1+1", "DE"), "11", "no formula and no quotes");
}

#[test]
fn a_row_of_google_has_hashes_but_for_country_and_postal_code() {
    let row = google::row(&person()).expect("there is much to match");
    assert_eq!(google::HEADER, ["Email", "Phone", "First Name", "Last Name", "Country", "Zip"]);
    assert_eq!(
        row,
        [
            "f109a2a632fbcea5fc82049f50beed3d8621bf9034399f437fb622222acccdac",
            "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30",
            // anna maria, müller-lüdenscheidt
            "dfa29cee752c3d2bb1a935e9ea1a3d474b5634a9086fd5cc66be4178dffa865f",
            "172b16f0eef5e91e526c105ff4b06843eac26a30e1a93522bf8943e6c400f1dc",
            "US",
            "94035-1234",
        ]
    );
    // An address that is not whole cannot match, so nothing of it is told.
    let partly = Person {
        family_name: String::new(),
        ..person()
    };
    assert_eq!(google::row(&partly).expect("an e-mail address")[2..], ["", "", "", ""]);
    let nothing = Person {
        email: String::new(),
        phone: String::new(),
        ..partly
    };
    assert_eq!(google::row(&nothing), None);
}

#[test]
fn a_row_of_meta_has_nothing_but_hashes() {
    let row = meta::row(&person()).expect("there is much to match");
    let spelled = [
        "user.name+nyc@example.com",
        "18005550100",
        "annamaria",
        "müllerlüdenscheidt",
        "newyork",
        "ny",
        "94035",
        "us",
        "1997",
        "02",
        "16",
        "f",
    ];
    assert_eq!(meta::HEADER.len(), spelled.len());
    assert_eq!(row, spelled.map(hashed));
    assert_eq!(row[2], "fec6939d9150326486c4f459b966d7a4effccb4e125ead017da8ecde375379f0");
    assert_eq!(row[5], "1b06e2003f8420d6fa42badd8f77ec0f706b976b7a48b13c567dc5a559681683");
    let little = Person {
        email: "a@b.example".to_owned(),
        gender: "d".to_owned(),
        ..Person::default()
    };
    let row = meta::row(&little).expect("an e-mail address");
    assert!(row[1..].iter().all(String::is_empty), "what is not known has no hash: {row:?}");
    assert_eq!(meta::row(&Person::default()), None);
}

#[test]
fn conditions_are_read_as_written() {
    let read = |text: &str| {
        let condition = Condition::parse(text).expect("a condition");
        (condition.table, condition.column, condition.operator, condition.value)
    };
    let expected = |column: &str, operator, value: &str| ("customer_clv".to_owned(), column.to_owned(), operator, value.to_owned());
    assert_eq!(
        read("customer_clv.clv_tier=platinum"),
        expected("clv_tier", Operator::Equal, "platinum")
    );
    assert_eq!(read("customer_clv.clv_decile >= 9"), expected("clv_decile", Operator::AtLeast, "9"));
    assert_eq!(read("customer_clv.clv_decile<=2"), expected("clv_decile", Operator::AtMost, "2"));
    assert_eq!(
        Condition::segment("champions"),
        Condition::parse("customer_segments.segment=champions").expect("the same")
    );
    for text in [
        "",
        "clv_tier",
        "clv_tier=platinum",
        "customer_clv.=x",
        "customer_clv.clv_tier=",
        ".x=1",
    ] {
        Condition::parse(text).expect_err(text);
    }
}

fn any_person() -> impl Strategy<Value = Person> {
    let text = || "\\PC{0,12}";
    (
        text(),
        text(),
        text(),
        text(),
        text(),
        text(),
        prop::sample::select(vec!["US", "DE", "GB"]),
    )
        .prop_map(|(email, given_name, family_name, city, region, postcode, country)| Person {
            email: format!("{email}@example.com"),
            phone: "+4915112345678".to_owned(),
            given_name,
            family_name,
            city,
            region,
            postcode,
            country: country.to_owned(),
            birth_date: None,
            gender: String::new(),
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cells_are_hashes_or_empty_and_need_no_quotes(person in any_person()) {
        let is_hash = |cell: &String| cell.is_empty() || (cell.len() == 64 && cell.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
        let row = meta::row(&person).expect("it has an address");
        prop_assert!(row.iter().all(is_hash));
        let row = google::row(&person).expect("it has an address");
        prop_assert!(row[..4].iter().all(is_hash));
        for cell in &row {
            prop_assert!(!cell.contains([',', '"', '\n', '\r']) && !cell.starts_with(['=', '+', '-', '@']), "{cell}");
        }
    }

    #[test]
    fn case_and_blanks_around_change_no_hash(person in any_person()) {
        let louder = Person {
            email: format!("  {} ", person.email),
            given_name: format!(" {}\t", person.given_name),
            family_name: format!("\u{a0}{} ", person.family_name),
            city: format!(" {}", person.city),
            ..person.clone()
        };
        prop_assert_eq!(google::row(&person), google::row(&louder));
        prop_assert_eq!(meta::row(&person), meta::row(&louder));
    }
}
