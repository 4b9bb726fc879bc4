//! Streets, postcodes, cities, countries.

use stammkunde::text::{address, country, place};

#[test]
fn house_numbers_leave_the_street_line() {
    for (line, street, number) in [
        ("Hauptstr. 5a", "hauptstr", Some("5a")),
        ("Hauptstrasse 5 a", "hauptstr", Some("5a")),
        ("Haupt-Straße 5A", "hauptstr", Some("5a")),
        ("HAUPTSTRASSE 5A", "hauptstr", Some("5a")),
        ("Bahnhofstr.12", "bahnhofstr", Some("12")),
        ("Straße des 17. Juni 135", "str des 17 juni", Some("135")),
        ("Karl-Marx-Str. 5-7", "karl marxstr", Some("5-7")),
        ("Karl Marx Straße 5 - 7", "karl marxstr", Some("5-7")),
        ("Mariahilfer Str. 10/2/12", "mariahilferstr", Some("10/2/12")),
        ("Am Markt 3", "am markt", Some("3")),
        ("Marktplatz 1", "marktpl", Some("1")),
        ("Hauptstr., Nr. 5", "hauptstr", Some("5")),
        ("Q 7, 24", "q 7 24", None),
        ("12 High St", "high st", Some("12")),
        ("12 High Street", "high st", Some("12")),
        ("221B Baker Street", "baker st", Some("221b")),
        ("Flat 2, 10 Downing Street", "downing st", Some("10")),
        ("350 5th Avenue", "5th ave", Some("350")),
        ("c/o Huber, Lange Str. 4", "langestr", Some("4")),
        ("Hauptstraße", "hauptstr", None),
        ("5", "5", None),
    ] {
        let read = address::street(line);
        assert_eq!(
            (read.matching.as_deref(), read.matching_number.as_deref()),
            (Some(street), number),
            "{line:?}"
        );
    }
}

#[test]
fn a_blank_before_the_last_dot_makes_no_number_of_zeros() {
    let read = address::street("GmbH0\u{a0}.");
    assert_eq!((read.display.as_str(), read.display_number), ("GmbH0 .", None));
    assert_eq!(address::street("Lange Str. 4 .").matching_number.as_deref(), Some("4"));
}

#[test]
fn a_flat_stays_in_the_line_for_people() {
    let read = address::street("Flat 2, 10 Downing Street");
    assert_eq!((read.display.as_str(), read.display_number), ("Flat 2, 10 Downing Street", None));
    let read = address::street("Hauptstr. 5 a");
    assert_eq!((read.display.as_str(), read.display_number.as_deref()), ("Hauptstr.", Some("5 a")));
}

#[test]
fn house_numbers_have_one_form() {
    for (text, expected) in [("5 A", "5a"), ("Nr. 5", "5"), ("5 - 7", "5-7"), ("10/2", "10/2"), ("12a-", "12a")] {
        assert_eq!(address::house_number(text).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn postcodes_regain_zeros_and_lose_spaces() {
    for (text, country, display, matching) in [
        ("1067", "DE", "01067", "01067"),
        ("01067", "DE", "01067", "01067"),
        ("1067.0", "DE", "01067", "01067"),
        ("D-10115", "DE", "10115", "10115"),
        ("'01067", "DE", "01067", "01067"),
        ("1010", "AT", "1010", "1010"),
        ("A-1010", "AT", "1010", "1010"),
        ("sw1a1aa", "GB", "SW1A 1AA", "SW1A1AA"),
        ("SW1A 1AA", "GB", "SW1A 1AA", "SW1A1AA"),
        ("1012 ab", "NL", "1012 AB", "1012AB"),
        ("2139", "US", "02139", "02139"),
        ("02139-4307", "US", "02139-4307", "02139"),
    ] {
        let shown = place::postcode_display(text, country).expect("a postcode of the test");
        assert_eq!(shown, display, "{text} in {country}");
        assert_eq!(
            place::postcode_matching(&shown, country).as_deref(),
            Some(matching),
            "{text} in {country}"
        );
    }
}

#[test]
fn cities_are_compared_without_what_tells_namesakes_apart() {
    for (text, expected) in [
        ("Frankfurt am Main", "frankfurt"),
        ("Frankfurt a. M.", "frankfurt"),
        ("Frankfurt a.M.", "frankfurt"),
        ("Frankfurt/Main", "frankfurt"),
        ("Halle (Saale)", "halle"),
        ("Mülheim an der Ruhr", "muelheim"),
        ("Freiburg i. Br.", "freiburg"),
        ("Baden-Baden", "baden baden"),
        ("München", "muenchen"),
        ("Munich", "muenchen"),
        ("St. Ingbert", "st ingbert"),
        ("Sankt Ingbert", "st ingbert"),
        ("D-10115 Berlin", "berlin"),
        ("Am Ende", "am ende"),
        ("Stratford-upon-Avon", "stratford upon avon"),
    ] {
        assert_eq!(place::city_matching(text).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn countries_are_iso_codes() {
    for (text, expected) in [
        ("Deutschland", Some("DE")),
        ("germany", Some("DE")),
        ("D", Some("DE")),
        ("DEU", Some("DE")),
        ("de", Some("DE")),
        ("Österreich", Some("AT")),
        ("Schweiz", Some("CH")),
        ("UK", Some("GB")),
        ("U.S.A.", Some("US")),
        ("The Netherlands", Some("NL")),
        ("España", Some("ES")),
        ("JP", Some("JP")),
        ("Atlantis", None),
    ] {
        assert_eq!(country::normalize(text).as_deref(), expected, "{text}");
    }
}

#[test]
fn states_are_known_by_code_and_by_english_name() {
    assert_eq!(place::region_matching("NRW"), place::region_matching("Nordrhein-Westfalen"));
    assert_eq!(place::region_matching("Bavaria"), place::region_matching("Bayern"));
}
