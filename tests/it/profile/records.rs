//! Tables of single records: identities, contacts, links.

use stammkunde::profile::{contacts as contacts_table, identities, links, possible_links};
use stammkunde::table::identity::LinkOrigin;
use stammkunde::table::{Link, Pattern, PossibleLink, RecordIx, RefusalReason, RuleIx};

use super::fixture::{contacts, is_plain, show};

const RECORDS: &str = "
    source | record_id | who | email
    crm    | 1         | b   | x@y.z
    crm    | 2         | a   |
    shop   | 1         | a   | q@y.z
    shop   | 2         | b   |
";

fn link(left: u32, right: u32, weight: f64, origin: LinkOrigin) -> Link {
    Link {
        left: RecordIx(left),
        right: RecordIx(right),
        weight,
        origin,
        pattern: Pattern::default(),
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn identities_hold_every_record_once_sorted_by_key() {
    let (contacts, keys) = contacts(RECORDS);
    let batch = identities(&contacts, &keys);
    assert_eq!(
        show(&batch, &["customer_key", "source", "record_id"]),
        ["a crm 2", "a shop 1", "b crm 1", "b shop 2"]
    );
    assert_eq!(batch.num_columns(), 3);
    assert!(
        batch
            .schema()
            .fields()
            .iter()
            .all(|field| !field.is_nullable() && is_plain(field.data_type()))
    );
}

#[test]
fn contacts_keep_all_columns_behind_their_key() {
    let (contacts, keys) = contacts(RECORDS);
    let batch = contacts_table(&contacts, &keys);
    assert_eq!(
        show(&batch, &["customer_key", "source", "record_id", "email"]),
        ["a crm 2 -", "a shop 1 q@y.z", "b crm 1 x@y.z", "b shop 2 -"]
    );
    assert_eq!(batch.schema().field(0).name(), "customer_key");
}

#[test]
fn links_are_sorted_named_and_inside_one_customer() {
    let (contacts, keys) = contacts(RECORDS);
    let all = [
        link(0, 3, 10.0, LinkOrigin::Blocking(RuleIx(1))),
        link(1, 2, 0.0, LinkOrigin::Deterministic(RuleIx(0))),
        link(0, 1, 9.0, LinkOrigin::Blocking(RuleIx(0))),
    ];
    let (blocking, deterministic) = (names(&["email", "phone"]), names(&["customer_no"]));
    let batch = links(&contacts, &keys, &all, (&blocking, &deterministic));
    let columns = [
        "customer_key",
        "left_source",
        "left_record_id",
        "right_source",
        "right_record_id",
        "match_weight",
        "match_probability",
        "rule",
    ];
    assert_eq!(
        show(&batch, &columns),
        ["a crm 2 shop 1 0.0 0.5 customer_no", "b crm 1 shop 2 10.0 0.9990243902439024 phone"]
    );
    assert!(batch.schema().fields().iter().all(|field| is_plain(field.data_type())));
}

#[test]
fn possible_links_name_both_customers_and_the_reason() {
    let (contacts, keys) = contacts(RECORDS);
    let refused = [
        PossibleLink {
            link: link(2, 3, -2000.0, LinkOrigin::Blocking(RuleIx(0))),
            reason: RefusalReason::BelowThreshold,
        },
        PossibleLink {
            link: link(0, 1, 2000.0, LinkOrigin::Blocking(RuleIx(0))),
            reason: RefusalReason::OnePerCustomer,
        },
    ];
    let blocking = names(&["email"]);
    let batch = possible_links(&contacts, &keys, &refused, (&blocking, &[]));
    let columns = [
        "left_customer_key",
        "right_customer_key",
        "left_record_id",
        "right_record_id",
        "match_probability",
        "reason",
    ];
    assert_eq!(
        show(&batch, &columns),
        ["a b 1 2 0.0 below_threshold", "b a 1 2 1.0 one_per_customer"]
    );
}
