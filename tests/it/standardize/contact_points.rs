//! E-mail addresses, phone numbers, identifiers, gender.

use stammkunde::text::email::{self, Mailbox};
use stammkunde::text::{gender, identifier, phone, placeholder};

#[test]
fn one_mailbox_has_one_spelling() {
    for (text, expected) in [
        (" Anna@Example.ORG ", "anna@example.org"),
        ("mailto:anna@x.de", "anna@x.de"),
        ("MAILTO:anna@x.de?subject=hi", "anna@x.de"),
        ("Anna Müller <Anna.Mueller@x.de>", "anna.mueller@x.de"),
        ("<anna@x.de>", "anna@x.de"),
        ("anna@x.de.", "anna@x.de"),
        ("anna@x.de;", "anna@x.de"),
        ("anna@BÜCHER.de", "anna@bücher.de"),
        ("anna\u{200B}@x.de", "anna@x.de"),
        ("ａnna＠x.de", "anna@x.de"),
        ("a+b@x.co.uk", "a+b@x.co.uk"),
    ] {
        assert_eq!(email::normalize(text).as_deref(), Some(expected), "{text:?}");
    }
}

#[test]
fn what_is_no_address_is_none() {
    for text in [
        "",
        "anna",
        "@x.de",
        "anna@",
        "anna@x",
        "a b@x.de",
        "a@b@c.de",
        "anna@x..de",
        "anna@-x.de",
        "anna@x.1",
        ".@x.de",
        "a..b@x.de",
        "anna@x.d",
    ] {
        assert_eq!(email::normalize(text), None, "{text:?}");
    }
    let local = "a".repeat(65);
    assert_eq!(email::normalize(&format!("{local}@x.de")), None);
    assert!(email::normalize(&format!("{}@x.de", &local[1..])).is_some());
}

#[test]
fn suffixes_and_googles_dots_do_not_make_another_mailbox() {
    for (address, expected) in [
        ("anna.mueller@gmail.com", "annamueller@gmail.com"),
        ("anna.mueller+shop@googlemail.com", "annamueller@gmail.com"),
        ("anna.mueller+shop@web.de", "anna.mueller@web.de"),
        ("+49171@web.de", "+49171@web.de"),
        ("anna.+shop@gmail.com", "anna@gmail.com"),
        ("anna.+shop@web.de", "anna.+shop@web.de"),
    ] {
        assert_eq!(email::mailbox(address), expected);
    }
}

#[test]
fn addresses_that_say_nothing_about_a_person_are_told_apart() {
    for (address, expected) in [
        ("anna@web.de", Mailbox::Person),
        ("info@firma.de", Mailbox::RoleAccount),
        ("noreply@firma.de", Mailbox::RoleAccount),
        ("sales+eu@firma.de", Mailbox::RoleAccount),
        ("test@test.de", Mailbox::Placeholder),
        ("a@a.de", Mailbox::Placeholder),
        ("none@none.com", Mailbox::Placeholder),
        ("anna@example.com", Mailbox::Placeholder),
        ("anna@shop.example.org", Mailbox::Placeholder),
        ("max.mustermann@web.de", Mailbox::Placeholder),
        ("x1y2@marketplace.amazon.de", Mailbox::Relay),
        ("x1y2@members.ebay.com", Mailbox::Relay),
        ("amazon@amazon-fan.de", Mailbox::Person),
        ("huber@huber.de", Mailbox::Person),
    ] {
        assert_eq!(email::classify(address), expected, "{address}");
    }
}

#[test]
fn phone_numbers_become_e164() {
    for (text, country, expected) in [
        ("0171/1234567", "DE", "+491711234567"),
        ("0171 1234567", "DE", "+491711234567"),
        ("+49 (0)171 1234567", "DE", "+491711234567"),
        ("0049 (0) 171 1234567", "DE", "+491711234567"),
        ("0049 171 1234567", "AT", "+491711234567"),
        ("'+491711234567", "DE", "+491711234567"),
        ("tel:+49-171-1234567", "DE", "+491711234567"),
        ("Tel.: 030 / 90 18 20", "DE", "+4930901820"),
        ("491711234567", "DE", "+491711234567"),
        ("1711234567", "DE", "+491711234567"),
        ("+4901711234567", "DE", "+491711234567"),
        ("030 901820 ext. 12", "DE", "+4930901820"),
        ("0664 1234567", "AT", "+436641234567"),
        ("079 123 45 67", "CH", "+41791234567"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("(212) 555-2368", "US", "+12125552368"),
        ("1-212-555-2368", "US", "+12125552368"),
        ("011 49 171 1234567", "US", "+491711234567"),
        ("06 12345678", "NL", "+31612345678"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("612 345 678", "ES", "+34612345678"),
        ("+81 3-1234-5678", "DE", "+81312345678"),
        ("+358 40 1234567", "DE", "+358401234567"),
        ("０１７１１２３４５６７", "DE", "+491711234567"),
        ("0171 1234567 oder 0172 7654321", "DE", "+491711234567"),
    ] {
        assert_eq!(phone::normalize(text, country).as_deref(), Some(expected), "{text:?} in {country}");
    }
}

#[test]
fn what_cannot_be_dialed_is_none() {
    for text in ["", "anna", "12", "+", "+49", "+999 1234567", "0", "123456789012345678901234567890"] {
        assert_eq!(phone::normalize(text, "DE"), None, "{text:?}");
    }
}

#[test]
fn the_short_plans_agree_with_the_complete_ones() {
    for (text, country) in [
        ("0171 1234567", "DE"),
        ("089 12345678", "DE"),
        ("0664 1234567", "AT"),
        ("01 5132765", "AT"),
        ("044 668 18 00", "CH"),
        ("020 7946 0958", "GB"),
        ("(650) 253-0000", "US"),
        ("01 42 68 53 00", "FR"),
        ("020 794 7000", "NL"),
        ("06 698 12345", "IT"),
        ("912 345 678", "ES"),
        ("22 123 45 67", "PL"),
        ("02 555 12 12", "BE"),
        ("32 12 34 56", "DK"),
        ("08 508 290 00", "SE"),
    ] {
        let known = phonenumber::parse(Some(country.parse().expect("a country of the test")), text).expect("a number of the test");
        let e164 = known.format().mode(phonenumber::Mode::E164).to_string();
        assert_eq!(phone::normalize(text, country), Some(e164), "{text} in {country}");
    }
}

#[test]
fn filler_numbers_are_placeholders() {
    for text in [
        "0000000",
        "123456789",
        "0123456789",
        "1111111",
        "+49 0000000",
        "987654321",
        "0171 0000000",
        "+49 171 1111111",
    ] {
        assert!(phone::is_placeholder(text), "{text}");
    }
    for text in ["0171 1234567", "030 901820", "+491711234567", "0800 3301000"] {
        assert!(!phone::is_placeholder(text), "{text}");
    }
}

#[test]
fn spreadsheet_damage_is_seen() {
    for text in ["4,91711E+11", "4.91711E+11", "1E+05", "'4,9e+10", "-1,5E+7"] {
        assert!(placeholder::is_excel_damaged(text), "{text}");
    }
    for text in ["4E11", "1E-5", "E+5", "12,5E+5", "4,9E+", "49171", "a1E+5"] {
        assert!(!placeholder::is_excel_damaged(text), "{text}");
    }
}

#[test]
fn identifiers_keep_zeros_and_case_and_lose_fillers() {
    assert_eq!(identifier::normalize("  00123 ").as_deref(), Some("00123"));
    assert_eq!(identifier::normalize("'00123").as_deref(), Some("00123"));
    assert_eq!(identifier::normalize("aB-9").as_deref(), Some("aB-9"));
    assert_eq!(identifier::normalize(" "), None);
    for text in ["0", "0000", "-", "0-0", "-1", "null", "Anonymous", "undefined", "none", "(not set)"] {
        assert!(placeholder::is_blocked_identifier(text), "{text}");
    }
    for text in ["00123", "1", "a0", "nonee"] {
        assert!(!placeholder::is_blocked_identifier(text), "{text}");
    }
}

#[test]
fn gender_is_one_letter() {
    for (text, expected) in [
        ("Frau", Some("f")),
        ("W", Some("f")),
        ("männlich", Some("m")),
        ("MALE", Some("m")),
        ("Divers", Some("d")),
        ("x", Some("d")),
        ("Hund", None),
    ] {
        assert_eq!(gender::normalize(text), expected, "{text}");
    }
}
