//! The list itself: hashes that stay what they are, secrets that are told apart, texts that name somebody.

use stammkunde::ErrorKind;
use stammkunde::suppress::{Cause, Identifier, Listed, NewEntries, Suppressions, keyed, mentions};
use stammkunde::table::RunId;

use super::filter::SPEC;

const SECRET: &[u8] = b"a secret for tests alone";

/// A list is worth nothing once its hashes are made in another way: these were computed apart, with Python's `hmac`.
#[test]
fn hashes_never_change() {
    let record = Identifier::record("crm", "C-1");
    let number = Identifier::number("customer_no", "'K-1 ").expect("a number");
    let email = Identifier::email("Anna.Muster+shop@POST.example").expect("an address");
    let phone = Identifier::phone("030 1234567", "DE").expect("a number");
    for (identifier, hash) in [
        (email, "9035ebb5ae0c90fd63ddbd72865f7fb9992f19b988a9ecf70d30501efe1ff7e5"),
        (number, "cf1c12d9dc104d12ce8d859bb617d51e2f37b1b7a7baffb444b891fcd871ec5a"),
        (record, "26203c1595befc797b5644981a5527ffb64f03588cdba0aa0061f9f381bf043e"),
        (phone, "b726012595bc2f6320df0c76a17f660c557f1dd7a78645535794dc66fed740db"),
    ] {
        assert_eq!(keyed(SECRET, &identifier), hash, "{identifier:?}");
        assert_ne!(keyed(b"another secret for tests", &identifier), hash, "the secret counts");
    }
}

#[test]
fn what_says_nothing_about_one_person_is_no_identifier() {
    for text in ["info@post.example", "test@test.de", "no address", ""] {
        assert!(Identifier::email(text).is_none(), "{text}");
    }
    for text in ["000000", "12", "4,91711E+11"] {
        assert!(Identifier::phone(text, "DE").is_none(), "{text}");
    }
    assert!(Identifier::number("customer_no", " ").is_none());
    assert_eq!(
        format!("{:?}", Identifier::email("anna@post.example")),
        "Some(email)",
        "no value in a debug text"
    );
}

#[test]
fn a_list_is_read_as_it_was_written_and_with_its_secret_alone() {
    let run_id = RunId::from_scheduler("erase").expect("a run id");
    let mut list = Suppressions::default();
    assert_eq!((list.digest(), list.check(SECRET).is_ok()), (None, true));
    let entries = NewEntries {
        secret: SECRET,
        now: chrono::DateTime::UNIX_EPOCH,
        cause: Cause::Erased,
        run_id: &run_id,
    };
    let one = Identifier::record("crm", "C-1");
    assert_eq!(list.add(&[one.clone(), one.clone()], &entries).len(), 1);
    assert!(list.add(std::slice::from_ref(&one), &entries).is_empty(), "it is there");
    let (_, bytes) = list.write().expect("it writes");
    assert_eq!(Suppressions::read(Some(&bytes)).expect("it reads"), list);
    assert!(list.check(SECRET).is_ok());
    assert_eq!(
        list.check(b"another secret for tests").expect_err("another").kind(),
        ErrorKind::Config
    );
    let digest = list.digest();
    list.add(&[Identifier::record("crm", "C-2")], &entries);
    assert_ne!(list.digest(), digest);
    assert_eq!(list.remove(&[one], SECRET, true), 2, "what came together goes together");

    for text in ["{\"format\": 2}", "{", "[]"] {
        let bytes = bytes::Bytes::from(text.as_bytes().to_vec());
        let error = Suppressions::read(Some(&bytes)).expect_err(text);
        assert_eq!(error.kind(), ErrorKind::Environment, "{text}");
    }
}

#[test]
fn rejected_texts_are_searched_for_everything_on_the_list() {
    let identifiers = [
        Identifier::email("anna@post.example"),
        Identifier::phone("030 1234567", "DE"),
        Identifier::number("customer_no", "K-17"),
        Some(Identifier::record("crm", "C-1")),
    ];
    let listed = Listed::of(identifiers.iter().flatten(), &SPEC);
    for (record, text) in [
        (None, "x;ANNA@post.example;y"),
        (None, "\"Muster, Anna\" <anna@post.example>"),
        (None, "Anna;0049 30 123 45 67;Berlin"),
        (None, "17|K-17|x"),
        (None, "C-1;Anna"),
        (None, "must_link crm:C-1 crm:C-2"),
        (None, r#"{"user": {"mail": "anna@post.example"}}"#),
        (Some("contacts"), r#"{"record_id": "C-1", "given_name": "A"}"#),
        (Some("contacts"), r#"{"record_id": "C-9", "phone": "030/1234567"}"#),
        (Some("orders"), r#"{"order_id": "1", "contact_record_id": "C-1"}"#),
        (
            Some("orders"),
            r#"{"order_id": "1", "contact_source": "crm", "customer_no": " K-17"}"#,
        ),
    ] {
        assert!(mentions(&listed, "crm", record, text), "{record:?} {text}");
    }
    for (record, text) in [
        (None, "x;berta@post.example;030 7654321;K-18;C-11"),
        (None, ""),
        (Some("contacts"), r#"{"record_id": "C-11", "given_name": "Anna"}"#),
        (Some("orders"), r#"{"order_id": "1", "contact_record_id": "C-11"}"#),
    ] {
        assert!(!mentions(&listed, "crm", record, text), "{record:?} {text}");
    }
    assert!(!mentions(&listed, "shop", None, "C-1;Anna"), "a record of another source");
}
