//! What the demo says of money: orders in pounds, rates to convert them by, and orders that are no sales.

use super::{Row, SMALL, demo, table};

#[test]
fn buyers_in_britain_pay_in_pounds_and_some_orders_are_no_sales() {
    let folder = demo(SMALL);
    let rows = table(folder.path(), "exports/shop/orders");
    let heads: Vec<&Row> = rows.iter().filter(|row| row.contains_key("Id")).collect();
    let pounds = heads.iter().filter(|row| row["Currency"] == "GBP").count();
    assert!((100..600).contains(&pounds), "{pounds}");
    for row in &heads {
        let is_british = row.get("Billing Country").is_some_and(|country| country == "GB");
        assert_eq!(row["Currency"] == "GBP", is_british);
        let is_test = row.get("Tags").is_some_and(|tags| tags == "test");
        assert_eq!(row["Payment Method"].contains("Bogus"), is_test);
    }
    for tag in ["test", "mitarbeiter", "b2b"] {
        let tagged = heads.iter().filter(|row| row.get("Tags").is_some_and(|tags| tags == tag)).count();
        assert!((1..60).contains(&tagged), "{tag}: {tagged}");
    }
}

#[test]
fn rates_cover_the_history_on_working_days() {
    use chrono::Datelike;
    let folder = demo(SMALL);
    let rows = table(folder.path(), "exports/bank/rates.csv");
    let days: Vec<chrono::NaiveDate> = rows.iter().map(|row| row["Date"].parse().expect("a day")).collect();
    assert!(days.is_sorted_by(|left, right| left > right), "the newest first");
    assert!(days.iter().all(|day| day.weekday().number_from_monday() <= 5));
    assert_eq!(days.first().map(ToString::to_string).as_deref(), Some("2026-10-30"));
    assert!(
        days.last()
            .is_some_and(|first| *first <= chrono::NaiveDate::from_ymd_opt(2023, 11, 1).expect("a day"))
    );
    for row in &rows {
        let pounds: f64 = row["GBP"].parse().expect("a rate");
        assert!((0.6..1.1).contains(&pounds), "{pounds}");
    }
}
