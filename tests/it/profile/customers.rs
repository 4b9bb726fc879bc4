//! The golden record: each survivorship rule, groups of columns, provenance.

use stammkunde::config::pipeline::{ConsentRule, Survivorship};
use stammkunde::profile::customers;

use super::fixture::{Rules, contacts, is_plain, show};

fn profiles(rules: &[(&str, Survivorship)], text: &str, columns: &[&str]) -> Vec<String> {
    let (contacts, keys) = contacts(text);
    show(&customers(&Rules::new(rules).spec(), &contacts, &keys), columns)
}

const PHONES: &str = "
    source | record_id | who | phone     | updated_at
    crm    | 1         | a   | +4930111  | 10
    shop   | 1         | a   | +49302222 | 30
    shop   | 2         | a   |           | 40
    web    | 1         | a   | +4930111  |
    web    | 2         | b   |           | 10
";

#[test]
fn the_most_recent_value_survives_by_default() {
    assert_eq!(
        profiles(&[], PHONES, &["customer_key", "phone", "phone_source"]),
        ["a +49302222 shop", "b - -"]
    );
}

#[test]
fn the_most_trusted_source_survives() {
    let rule = [("phone", Survivorship::MostTrusted)];
    assert_eq!(profiles(&rule, PHONES, &["phone", "phone_source"])[0], "+4930111 crm");
}

#[test]
fn the_longest_value_survives_as_most_complete() {
    let rule = [("phone", Survivorship::MostComplete)];
    assert_eq!(profiles(&rule, PHONES, &["phone", "phone_source"])[0], "+49302222 shop");
}

#[test]
fn the_most_frequent_value_survives_with_its_most_trusted_source() {
    let rule = [("phone", Survivorship::MostFrequent)];
    assert_eq!(profiles(&rule, PHONES, &["phone", "phone_source"])[0], "+4930111 crm");
}

#[test]
fn ties_go_to_trust_then_to_the_smaller_record() {
    let text = "
        source | record_id | who | phone | email | updated_at
        crm    | 1         | a   |       | one   | 5
        crm    | 2         | a   |       | two   | 5
        shop   | 1         | a   | +1    | six   | 5
        web    | 1         | a   | +2    |       | 5
    ";
    assert_eq!(profiles(&[], text, &["phone", "email"]), ["+1 one"]);
}

#[test]
fn a_record_without_a_time_is_the_oldest() {
    let text = "
        source | record_id | who | phone | updated_at
        crm    | 1         | a   | +1    |
        web    | 1         | a   | +2    | 1
    ";
    assert_eq!(profiles(&[], text, &["phone"]), ["+2"]);
}

const CONSENTS: &str = "
    source | record_id | who | consent_email | updated_at
    crm    | 1         | a   | no            | 1
    shop   | 1         | a   | yes           | 9
    shop   | 2         | a   |               | 10
    web    | 1         | b   |               | 1
    web    | 2         | c   | yes           | 1
    web    | 3         | c   |               | 2
";

#[test]
fn the_most_restrictive_consent_wins() {
    assert_eq!(
        profiles(&[], CONSENTS, &["customer_key", "consent_email"]),
        ["a false", "b -", "c true"]
    );
}

#[test]
fn consent_may_follow_another_rule() {
    let any = [("consent_email", Survivorship::AnyTrue)];
    assert_eq!(profiles(&any, CONSENTS, &["consent_email"]), ["true", "-", "true"]);
    let recent = [("consent_email", Survivorship::MostRecent)];
    assert_eq!(profiles(&recent, CONSENTS, &["consent_email"]), ["true", "-", "true"]);
}

#[test]
fn consent_names_its_source_and_when_the_record_that_decided_was_changed() {
    let columns = ["consent_email", "consent_email_source", "consent_email_at"];
    assert_eq!(profiles(&[], CONSENTS, &columns), ["false crm 002", "- - -", "true web 002"]);
    let any = [("consent_email", Survivorship::AnyTrue)];
    assert_eq!(profiles(&any, CONSENTS, &columns)[0], "true shop 010");
}

/// One customer a letter; days stand for times.
const DATED: &str = "
    source | record_id | who | consent_email | consent_email_at | updated_at
    crm    | 01        | a   | yes           | 1                | 90
    shop   | 01        | a   | no            | 5                | 6
    crm    | 02        | b   | no            | 1                | 2
    shop   | 02        | b   | yes           | 5                | 6
    crm    | 03        | c   | yes           | 5                | 6
    shop   | 03        | c   | no            | 5                | 6
    crm    | 04        | d   | yes           | 9                | 9
    shop   | 04        | d   | no            |                  | 2
    crm    | 05        | e   | yes           |                  | 90
    shop   | 05        | e   | no            | 5                | 6
    crm    | 06        | f   | yes           |                  |
    shop   | 06        | f   | yes           |                  | 3
    crm    | 07        | g   |               | 9                | 9
";

#[test]
fn the_latest_word_counts_and_a_withdrawal_never_yields_to_an_older_consent() {
    assert_eq!(
        profiles(
            &[],
            DATED,
            &["customer_key", "consent_email", "consent_email_source", "consent_email_at"]
        ),
        [
            "a false shop 006", // The older consent stands in a record that was changed since.
            "b true shop 006",
            "c false shop 006",
            "d false shop 003", // Nobody knows when it was withdrawn.
            "e false shop 006", // Nobody knows when it was given.
            "f true shop 004",
            "g - - -",
        ]
    );
}

#[test]
fn the_most_restrictive_word_counts_where_the_project_says_so() {
    let (contacts, keys) = contacts(DATED);
    let mut rules = Rules::new(&[]);
    rules.consent = ConsentRule::MostRestrictive;
    let values = show(&customers(&rules.spec(), &contacts, &keys), &["consent_email", "consent_email_at"]);
    assert_eq!(
        values,
        ["false 006", "false 002", "false 006", "false 003", "false 006", "true 004", "- -"]
    );
}

const ADDRESSES: &str = "
    source | record_id | who | street  | house_number | postcode | city   | country | updated_at
    crm    | 1         | a   | Am Markt| 1            | 10115    | Berlin | DE      | 10
    shop   | 1         | a   | Ring    |              | 80331    |        |         | 20
    web    | 1         | a   |         |              |          | Wien   | AT      | 30
    web    | 2         | b   |         |              |          | Bern   | CH      | 30
";

#[test]
fn an_address_is_never_mixed_from_two_records() {
    let columns = ["street", "house_number", "postcode", "city", "country", "address_source"];
    assert_eq!(
        profiles(&[], ADDRESSES, &columns),
        ["Ring - 80331 - - shop", "- - - Bern CH web"],
        "the most recent record with a postcode or a street; a city alone where there is none"
    );
}

#[test]
fn address_columns_with_the_same_rule_stay_together() {
    let trusted = Survivorship::MostTrusted;
    let rules = ["street", "house_number", "postcode", "city", "region", "country"].map(|name| (name, trusted));
    let columns = ["street", "house_number", "postcode", "city", "country", "address_source"];
    assert_eq!(profiles(&rules, ADDRESSES, &columns)[0], "Am Markt 1 10115 Berlin DE crm");
}

#[test]
fn an_address_column_with_its_own_rule_is_chosen_alone() {
    let rules = [("country", Survivorship::MostRecent), ("city", Survivorship::MostTrusted)];
    assert_eq!(profiles(&rules, ADDRESSES, &["street", "postcode", "city"])[0], "Ring 80331 Berlin");
}

#[test]
fn names_are_chosen_together_where_a_record_has_both() {
    let text = "
        source | record_id | who | given_name | family_name | updated_at
        crm    | 1         | a   | Anna       | Muster      | 1
        web    | 1         | a   |            | Beispiel    | 9
        shop   | 1         | b   | Bo         |             | 1
        web    | 2         | b   |            | Berg        | 2
        web    | 3         | c   | Cy         |             | 2
        web    | 4         | d   |            |             | 2
    ";
    assert_eq!(
        profiles(&[], text, &["given_name", "family_name", "name_source"]),
        ["Anna Muster crm", "Bo Berg web", "Cy - web", "- - -"]
    );
}

#[test]
fn records_sources_and_times_are_counted() {
    let text = "
        source | record_id | who | created_at | updated_at
        crm    | 1         | a   | 7          | 10
        crm    | 2         | b   |            |
        shop   | 1         | a   | 3          | 9
        shop   | 2         | a   |            |
    ";
    assert_eq!(
        profiles(
            &[],
            text,
            &["customer_key", "records_count", "sources_count", "first_seen_at", "last_seen_at"]
        ),
        ["a 3 2 004 011", "b 1 1 - -"]
    );
}

#[test]
fn the_columns_are_plain_and_say_nothing_about_single_records() {
    let text = "
        source | record_id | who | full_name | given_name | email | customer_no | consent_email | created_at | updated_at | deleted
        crm    | 1         | a   | A B       | A          | a@b.c | 17          | yes           | 1          | 2          |
    ";
    let (contacts, keys) = contacts(text);
    let batch = customers(&Rules::new(&[]).spec(), &contacts, &keys);
    let schema = batch.schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let expected = [
        "customer_key",
        "given_name",
        "email",
        "customer_no",
        "consent_email",
        "consent_email_source",
        "consent_email_at",
        "name_source",
        "email_source",
        "phone_source",
        "address_source",
        "records_count",
        "sources_count",
        "first_seen_at",
        "last_seen_at",
    ];
    assert_eq!(names, expected);
    assert!(schema.fields().iter().all(|field| is_plain(field.data_type())));
    assert!(!schema.field(0).is_nullable());
}

#[test]
fn no_contact_gives_an_empty_table_of_the_same_schema() {
    let (contacts, keys) = contacts("source | record_id | who | phone | updated_at");
    let batch = customers(&Rules::new(&[]).spec(), &contacts, &keys);
    assert_eq!(batch.num_rows(), 0);
    assert_eq!(
        batch.column_by_name("phone").map(|values| values.data_type().clone()),
        Some(arrow::datatypes::DataType::Utf8)
    );
}
