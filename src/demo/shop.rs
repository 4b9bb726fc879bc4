//! The shop's customers, in the layout of Shopify's customer export: a byte order mark, apostrophes that protect numbers from Excel, yes and no.

use super::csv::Rows;
use super::group::{Accounts, Context};
use super::noise::write as write_person;
use super::people::{FIRST_DAY, LAST_DAY};
use super::random::Random;

pub(super) const HEADER: [&str; 20] = [
    "Customer ID",
    "First Name",
    "Last Name",
    "Email",
    "Accepts Email Marketing",
    "Default Address Company",
    "Default Address Address1",
    "Default Address Address2",
    "Default Address City",
    "Default Address Province Code",
    "Default Address Country Code",
    "Default Address Zip",
    "Default Address Phone",
    "Phone",
    "Accepts SMS Marketing",
    "Total Spent",
    "Total Orders",
    "Note",
    "Tax Exempt",
    "Tags",
];

/// The customer rows of a group.
pub(super) fn write(context: &mut Context<'_>, accounts: &[Accounts], random: &mut Random) -> Rows {
    let mut rows = Rows::new(',', "\n");
    for (position, person) in context.people.iter().enumerate() {
        let Some(shop_id) = accounts[position].shop_id else { continue };
        let id = shop_id.to_string();
        let mut written = write_person(person, random.between(FIRST_DAY, LAST_DAY), 0.6, random);
        if random.chance(0.1) {
            (written.street, written.number, written.postcode, written.city) = Default::default();
        }
        let protect = |text: &str| if text.is_empty() { String::new() } else { format!("'{text}") };
        let phone = if random.chance(0.4) {
            String::new()
        } else {
            protect(&written.phone)
        };
        let mut tags = if random.chance(0.2) {
            "newsletter".to_owned()
        } else {
            String::new()
        };
        if let Some(number) = accounts[position].customer_no
            && random.chance(0.15)
        {
            tags = if tags.is_empty() {
                format!("kdnr:{number}")
            } else {
                format!("{tags}, kdnr:{number}, vip")
            };
        }
        let yes_no = |random: &mut Random, share: f64| (if random.chance(share) { "yes" } else { "no" }).to_owned();
        rows.row(&[
            format!("'{id}"),
            written.given.clone(),
            written.family.clone(),
            person.emails[0].clone(),
            yes_no(random, 0.5),
            String::new(),
            street_line(&written.street, &written.number, written.country),
            String::new(),
            written.city.clone(),
            String::new(),
            written.country.to_owned(),
            protect(&written.postcode),
            phone.clone(),
            phone,
            yes_no(random, 0.1),
            "0.00".to_owned(),
            "0".to_owned(),
            String::new(),
            "no".to_owned(),
            tags,
        ]);
        context.record("shop_customers", &id, &person.index.to_string());
    }
    rows
}

/// Street and number in the order of the country.
pub(super) fn street_line(street: &str, number: &str, country: &str) -> String {
    match (street.is_empty(), country) {
        (true, _) => String::new(),
        (false, "GB") => format!("{number} {street}"),
        (false, _) => format!("{street} {number}"),
    }
}
