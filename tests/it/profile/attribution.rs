//! Whose an order, an event or an interaction is.

use arrow::array::RecordBatch;
use proptest::prelude::*;
use stammkunde::profile::attribute;
use stammkunde::table::RecordKind;

use super::fixture::{Rules, contacts, is_plain, show_all, table};

const CONTACTS: &str = "
    source | record_id | who | email     | customer_no | user_id
    crm    | 1         | a   | a@x.de    | 17          |
    crm    | 2         | b   | info@x.de | 18          |
    crm    | 3         | c   | info@x.de | 19          |
    shop   | 1         | b   | b@x.de    |             | u1
    shop   | 2         | c   | c@x.de    |             | u2
";

fn attributed(kind: RecordKind, batches: &[RecordBatch], orders: &[RecordBatch]) -> Vec<RecordBatch> {
    let (contacts, keys) = contacts(CONTACTS);
    attribute(&Rules::new(&[]).spec(), &contacts, &keys, kind, batches, orders)
}

fn orders(text: &str) -> Vec<RecordBatch> {
    attributed(RecordKind::Orders, &[table(text)], &[])
}

#[test]
fn the_record_id_decides_before_anything_else() {
    let result = orders(
        "
        source | order_id | contact_record_id | contact_source | customer_no | email  | ordered_at
        shop   | 1        | 1                 |                | 17          | a@x.de | 1
        shop   | 2        | 1                 | crm            | 18          | c@x.de | 1
        ",
    );
    assert_eq!(show_all(&result, &["customer_key", "order_id"]), ["a 2", "b 1"]);
}

#[test]
fn an_unknown_record_id_falls_back_to_identifiers_in_their_order_then_to_email() {
    let result = orders(
        "
        source | order_id | contact_record_id | user_id | customer_no | email    | ordered_at
        shop   | 1        | 99                | u2      | 17          | b@x.de   | 1
        shop   | 2        |                   | u2      | 404         | b@x.de   | 2
        shop   | 3        |                   |         |             | B@X.DE   | 3
        shop   | 4        |                   |         | 404         |          | 4
        shop   | 5        |                   |         |             |          | 5
        ",
    );
    assert_eq!(
        show_all(&result, &["customer_key", "order_id"]),
        ["a 1", "b 3", "c 2", "- 4", "- 5"]
    );
}

#[test]
fn an_email_of_two_customers_finds_nobody() {
    let result = orders(
        "
        source | order_id | email     | ordered_at
        shop   | 1        | info@x.de | 1
        shop   | 2        | a@x.de    | 1
        ",
    );
    assert_eq!(show_all(&result, &["customer_key", "order_id"]), ["a 2", "- 1"]);
}

#[test]
fn a_value_that_too_many_records_share_finds_nobody() {
    let crowd = |records: usize| {
        let rows: String = (0..records).map(|record| format!("crm | {record} | a | all@x.de\n")).collect();
        let (contacts, keys) = contacts(&format!("source | record_id | who | email\n{rows}"));
        let order = table("source | order_id | email | ordered_at\n shop | 1 | all@x.de | 1");
        let result = attribute(&Rules::new(&[]).spec(), &contacts, &keys, RecordKind::Orders, &[order], &[]);
        show_all(&result, &["customer_key"])
    };
    assert_eq!(crowd(2), ["a"]);
    assert_eq!(crowd(3), ["a"], "the limit of the fixture is 3");
    assert_eq!(crowd(4), ["-"]);
}

#[test]
fn rows_are_sorted_by_key_time_and_then_as_they_came() {
    let first = table(
        "
        source | event_id | customer_no | occurred_at
        app    | 1        | 18          | 5
        app    | 2        |             | 1
        app    | 3        | 17          | 9
        ",
    );
    let second = table(
        "
        source | event_id | customer_no | occurred_at
        web    | 1        | 17          | 9
        web    | 2        | 18          | 4
        ",
    );
    let result = attributed(RecordKind::Events, &[first, second], &[]);
    assert_eq!(
        show_all(&result, &["customer_key", "source", "event_id"]),
        ["a app 3", "a web 1", "b web 2", "b app 1", "- app 2"]
    );
}

#[test]
fn lines_follow_their_orders() {
    let keyed = orders(
        "
        source | order_id | customer_no | ordered_at
        shop   | 1        | 18          | 1
        shop   | 2        | 17          | 1
        till   | 1        |             | 1
        ",
    );
    let lines = table(
        "
        source | order_id | line_no
        shop   | 1        | 1
        shop   | 1        | 2
        shop   | 2        | 1
        shop   | 9        | 1
        till   | 1        | 1
        ",
    );
    let result = attributed(RecordKind::OrderLines, &[lines], &keyed);
    assert_eq!(
        show_all(&result, &["customer_key", "source", "order_id", "line_no"]),
        ["a shop 2 1", "b shop 1 1", "b shop 1 2", "- shop 9 1", "- till 1 1"]
    );
}

#[test]
fn the_key_is_the_first_column_and_may_be_null() {
    let result = orders("source | order_id | email | gross | ordered_at\n shop | 1 | a@x.de | 12 | 1");
    let schema = result[0].schema();
    assert_eq!(schema.field(0).name(), "customer_key");
    assert!(schema.field(0).is_nullable());
    assert_eq!(schema.fields().len(), 6);
    assert!(schema.fields().iter().all(|field| is_plain(field.data_type())));
}

#[test]
fn no_row_gives_an_empty_batch_of_the_keyed_schema() {
    let result = orders("source | order_id | email | ordered_at");
    assert_eq!((result.len(), result[0].num_rows(), result[0].num_columns()), (1, 0, 5));
    assert!(attributed(RecordKind::Orders, &[], &[]).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn nothing_is_lost_and_cuts_do_not_matter(
        rows in prop::collection::vec((0_u32..6, 0_u32..4, 0_i64..5), 0..40),
        cut in 0_usize..40,
    ) {
        let text: String = rows
            .iter()
            .enumerate()
            .map(|(order, (number, user, day))| format!("shop | {order:03} | {} | u{user} | {day}\n", number + 15))
            .collect();
        let whole = table(&format!("source | order_id | customer_no | user_id | ordered_at\n{text}"));
        let cut = cut.min(whole.num_rows());
        let parts = [whole.slice(0, cut), whole.slice(cut, whole.num_rows() - cut)];
        let columns = ["customer_key", "source", "order_id", "customer_no", "user_id"];
        let at_once = show_all(&attributed(RecordKind::Orders, &[whole], &[]), &columns);
        let in_parts = show_all(&attributed(RecordKind::Orders, &parts, &[]), &columns);
        prop_assert_eq!(&at_once, &in_parts);
        prop_assert_eq!(at_once.len(), rows.len());
    }
}
