//! Orders in the layout of Shopify's order export: one row a line item, what concerns the whole order only on its first row.

use std::ops::Range;

use chrono::{DateTime, Utc};
use chrono_tz::Europe::Berlin;

use super::csv::Rows;
use super::group::{Accounts, Context};
use super::noise::{Written, write as write_person};
use super::people::{FIRST_DAY, LAST_DAY, Person};
use super::random::Random;
use super::shop::street_line;

pub(super) const HEADER: [&str; 79] = [
    "Name",
    "Email",
    "Financial Status",
    "Paid at",
    "Fulfillment Status",
    "Fulfilled at",
    "Accepts Marketing",
    "Currency",
    "Subtotal",
    "Shipping",
    "Taxes",
    "Total",
    "Discount Code",
    "Discount Amount",
    "Shipping Method",
    "Created at",
    "Lineitem quantity",
    "Lineitem name",
    "Lineitem price",
    "Lineitem compare at price",
    "Lineitem sku",
    "Lineitem requires shipping",
    "Lineitem taxable",
    "Lineitem fulfillment status",
    "Billing Name",
    "Billing Street",
    "Billing Address1",
    "Billing Address2",
    "Billing Company",
    "Billing City",
    "Billing Zip",
    "Billing Province",
    "Billing Country",
    "Billing Phone",
    "Shipping Name",
    "Shipping Street",
    "Shipping Address1",
    "Shipping Address2",
    "Shipping Company",
    "Shipping City",
    "Shipping Zip",
    "Shipping Province",
    "Shipping Country",
    "Shipping Phone",
    "Notes",
    "Note Attributes",
    "Cancelled at",
    "Payment Method",
    "Payment Reference",
    "Refunded Amount",
    "Vendor",
    "Outstanding Balance",
    "Employee",
    "Location",
    "Device ID",
    "Id",
    "Tags",
    "Risk Level",
    "Source",
    "Lineitem discount",
    "Tax 1 Name",
    "Tax 1 Value",
    "Tax 2 Name",
    "Tax 2 Value",
    "Tax 3 Name",
    "Tax 3 Value",
    "Tax 4 Name",
    "Tax 4 Value",
    "Tax 5 Name",
    "Tax 5 Value",
    "Phone",
    "Receipt Number",
    "Duties",
    "Billing Province Name",
    "Shipping Province Name",
    "Payment ID",
    "Payment Terms Name",
    "Next Payment Due At",
    "Payment References",
];

/// Article number, name and price in cents.
const PRODUCTS: [(&str, &str, i64); 24] = [
    ("KAF-1001", "Hausröstung 500 g", 1290),
    ("KAF-1002", "Espresso Nero 1 kg", 2490),
    ("KAF-1003", "Entkoffeiniert 250 g", 790),
    ("KAF-1004", "Äthiopien Sidamo 250 g", 1150),
    ("KAF-1005", "Probierpaket, 4 Sorten", 1990),
    ("TEE-2001", "Ostfriesen-Mischung 250 g", 890),
    ("TEE-2002", "Sencha Bio 100 g", 1190),
    ("TEE-2003", "Kräutertee \"Gute Nacht\"", 590),
    ("TEE-2004", "Earl Grey 125 g", 990),
    ("MUE-3001", "Handmühle Keramik", 5990),
    ("MUE-3002", "Elektrische Mühle", 14900),
    ("MUE-3003", "Ersatzmahlwerk", 2450),
    ("MAS-4001", "Siebträger Uno", 39900),
    ("MAS-4002", "Filtermaschine", 8990),
    ("MAS-4003", "French Press 1 l", 2990),
    ("MAS-4004", "Espressokocher 6 Tassen", 3490),
    ("ZUB-5001", "Filterpapier 100 Stück", 390),
    ("ZUB-5002", "Milchkännchen", 1490),
    ("ZUB-5003", "Entkalker", 690),
    ("ZUB-5004", "Tassen, 2er-Set", 1890),
    ("ZUB-5005", "Waage mit Timer", 4490),
    ("GES-6001", "Geschenkkorb klein", 2990),
    ("GES-6002", "Geschenkkorb groß", 5990),
    ("GES-6003", "Gutschein 25 €", 2500),
];

/// Somebody who orders under one address.
struct Buyer<'a> {
    person: &'a Person,
    email: &'a str,
    billing: Written,
    /// First and last second of the time in which they are a customer.
    active: (i64, i64),
}

/// First stream of the generator for what orders have beside their contents: what is drawn there leaves everything else as it is.
const STREAM: u64 = 1 << 40;

/// Why an order is none of a customer's, in a thousand orders: the tag and the first number that is too many.
const TAGS: [(&str, u64); 3] = [("test", 3), ("mitarbeiter", 11), ("b2b", 23)];

/// An order before it is written.
struct Planned {
    at: i64,
    buyer: usize,
}

/// The order rows of a group: exactly one order for each number in `numbers`.
pub(super) fn write(context: &mut Context<'_>, accounts: &[Accounts], numbers: Range<u64>, random: &mut Random) -> Rows {
    let (buyers, weights) = buyers(context, accounts, random);
    let mut rows = Rows::new(',', "\n");
    let mut planned: Vec<Planned> = numbers
        .clone()
        .map(|_| {
            let point = random.unit() * weights.last().copied().unwrap_or(0.0);
            let buyer = weights.partition_point(|&upper| upper <= point).min(buyers.len() - 1);
            let (first, last) = buyers[buyer].active;
            Planned {
                at: random.between(first, last),
                buyer,
            }
        })
        .collect();
    planned.sort_by_key(|order| (order.at, order.buyer));
    let mut seen = vec![false; buyers.len()];
    for (number, order) in numbers.zip(planned) {
        let buyer = &buyers[order.buyer];
        let in_store = random.chance(0.01);
        if !in_store {
            seen[order.buyer] = true;
        }
        let mut own = Random::new(context.cut.seed, STREAM + number);
        write_order(&mut rows, (number, order.at), buyer, in_store, (random, &mut own));
    }
    for (buyer, _) in buyers.iter().zip(seen).filter(|(_, seen)| *seen) {
        context.record("shop_orders", buyer.email, &buyer.person.index.to_string());
    }
    rows
}

/// Buyers and their cumulative weights. Most order rarely, a few often; one in twelve accounts has a second address that orders as a guest.
fn buyers<'a>(context: &Context<'a>, accounts: &[Accounts], random: &mut Random) -> (Vec<Buyer<'a>>, Vec<f64>) {
    let people = context.people;
    let (mut buyers, mut weights, mut sum) = (Vec::new(), Vec::new(), 0.0);
    for (position, person) in people.iter().enumerate() {
        let account = &accounts[position];
        if account.shop_id.is_none() && !account.guest && position > 0 {
            continue;
        }
        let start = random.between(FIRST_DAY, LAST_DAY - 1);
        #[expect(clippy::cast_possible_truncation, reason = "days fit")]
        let end = (start + 1 + random.exponential(420.0) as i64).min(LAST_DAY);
        let second = person.emails.get(1).filter(|_| random.chance(0.3));
        let weight = random.exponential(1.0).powi(2) + 0.05;
        for (email, share) in [(Some(&person.emails[0]), 1.0), (second, 0.25)] {
            let Some(email) = email else { continue };
            sum += weight * share;
            weights.push(sum);
            let mut billing = write_person(person, end, 0.7, random);
            if random.chance(0.5) {
                billing.phone.clear();
            }
            buyers.push(Buyer {
                person,
                email,
                billing,
                active: (start * 86_400 + 25_200, end * 86_400 + 72_000),
            });
        }
    }
    (buyers, weights)
}

const fn column(name: &str) -> usize {
    let mut position = 0;
    while position < HEADER.len() {
        let (left, right) = (HEADER[position].as_bytes(), name.as_bytes());
        let mut matching = if left.len() == right.len() { 0 } else { usize::MAX };
        while matching < left.len() && left[matching] == right[matching] {
            matching += 1;
        }
        if matching == left.len() {
            return position;
        }
        position += 1;
    }
    panic!("no such column in the header of the order export")
}

type Fields = [String; HEADER.len()];

/// `own` is the order's own generator.
fn write_order(rows: &mut Rows, (number, at): (u64, i64), buyer: &Buyer<'_>, in_store: bool, (random, own): (&mut Random, &mut Random)) {
    let name = format!("#{}", number + 1001);
    let email = match (in_store, random.below(20)) {
        (true, _) => String::new(),
        (false, 0) => buyer.email.to_uppercase(),
        (false, _) => buyer.email.to_owned(),
    };
    let created = local(at);
    let count = *random.pick(&[1, 1, 1, 2, 2, 3]);
    let mut lines: Vec<(Fields, i64)> = (0..count).map(|_| line(&name, &email, &created, random)).collect();
    let goods = lines.iter().map(|(_, cents)| cents).sum();
    let first = &mut lines[0].0;
    head(first, number, goods, &created, random);
    if in_store {
        "pos".clone_into(&mut first[const { column("Source") }]);
    } else {
        billing(first, &buyer.billing);
    }
    state(first, at, goods, random);
    extras(first, in_store, own);
    for (fields, _) in &lines {
        rows.row(fields);
    }
}

fn line(name: &str, email: &str, created: &str, random: &mut Random) -> (Fields, i64) {
    let product = if random.chance(0.7) {
        random.index(9)
    } else {
        random.index(PRODUCTS.len())
    };
    let (sku, title, price) = PRODUCTS[product];
    let quantity = *random.pick(&[1, 1, 1, 1, 2, 2, 3]);
    let mut fields: Fields = std::array::from_fn(|_| String::new());
    name.clone_into(&mut fields[const { column("Name") }]);
    email.clone_into(&mut fields[const { column("Email") }]);
    created.clone_into(&mut fields[const { column("Created at") }]);
    fields[const { column("Lineitem quantity") }] = quantity.to_string();
    title.clone_into(&mut fields[const { column("Lineitem name") }]);
    fields[const { column("Lineitem price") }] = money(price);
    sku.clone_into(&mut fields[const { column("Lineitem sku") }]);
    "true".clone_into(&mut fields[const { column("Lineitem requires shipping") }]);
    "true".clone_into(&mut fields[const { column("Lineitem taxable") }]);
    "fulfilled".clone_into(&mut fields[const { column("Lineitem fulfillment status") }]);
    "Rösterei am Hof".clone_into(&mut fields[const { column("Vendor") }]);
    "0.00".clone_into(&mut fields[const { column("Lineitem discount") }]);
    (fields, price * quantity)
}

/// Money of the whole order. Prices contain the tax; shipping is free from 50 euros on.
fn head(fields: &mut Fields, number: u64, goods: i64, created: &str, random: &mut Random) {
    let discount = if random.chance(0.12) { goods / 10 } else { 0 };
    let subtotal = goods - discount;
    let shipping = if subtotal >= 5000 { 0 } else { 490 };
    let total = subtotal + shipping;
    let tax = (total * 19 + 59) / 119;
    created.clone_into(&mut fields[const { column("Paid at") }]);
    "fulfilled".clone_into(&mut fields[const { column("Fulfillment Status") }]);
    (if random.chance(0.4) { "yes" } else { "no" }).clone_into(&mut fields[const { column("Accepts Marketing") }]);
    "EUR".clone_into(&mut fields[const { column("Currency") }]);
    fields[const { column("Subtotal") }] = money(subtotal);
    fields[const { column("Shipping") }] = money(shipping);
    fields[const { column("Taxes") }] = money(tax);
    fields[const { column("Total") }] = money(total);
    (if discount > 0 { "DANKE10" } else { "" }).clone_into(&mut fields[const { column("Discount Code") }]);
    fields[const { column("Discount Amount") }] = money(discount);
    "Standard".clone_into(&mut fields[const { column("Shipping Method") }]);
    fields[const { column("Payment Method") }] = (*random.pick(&["PayPal", "Klarna", "Kreditkarte", "Vorkasse"])).to_owned();
    "0.00".clone_into(&mut fields[const { column("Outstanding Balance") }]);
    fields[const { column("Id") }] = (5_000_000_000_000 + number).to_string();
    "Low".clone_into(&mut fields[const { column("Risk Level") }]);
    "web".clone_into(&mut fields[const { column("Source") }]);
    "MwSt. 19%".clone_into(&mut fields[const { column("Tax 1 Name") }]);
    fields[const { column("Tax 1 Value") }] = money(tax);
    if random.chance(0.02) {
        "geschenk: ja\nkarte: \"Alles Gute!\"".clone_into(&mut fields[const { column("Note Attributes") }]);
    }
}

fn billing(fields: &mut Fields, billing: &Written) {
    let street = street_line(&billing.street, &billing.number, billing.country);
    fields[const { column("Billing Name") }] = format!("{} {}", billing.given, billing.family);
    fields[const { column("Billing Street") }].clone_from(&street);
    fields[const { column("Billing Address1") }] = street;
    fields[const { column("Billing City") }].clone_from(&billing.city);
    fields[const { column("Billing Zip") }] = format!("'{}", billing.postcode);
    billing.country.clone_into(&mut fields[const { column("Billing Country") }]);
    if !billing.phone.is_empty() {
        fields[const { column("Billing Phone") }] = format!("'{}", billing.phone);
    }
}

/// Paid, refunded in full or in part, or cancelled.
fn state(fields: &mut Fields, at: i64, goods: i64, random: &mut Random) {
    let total = fields[const { column("Total") }].clone();
    let (status, refunded) = match random.below(1000) {
        0..=29 => ("refunded", total),
        30..=54 => ("partially_refunded", money(goods / 4)),
        55..=69 => ("voided", "0.00".to_owned()),
        70..=79 => ("pending", "0.00".to_owned()),
        _ => ("paid", "0.00".to_owned()),
    };
    if status == "voided" {
        let end = (LAST_DAY + 1) * 86_400 - 7_200;
        fields[const { column("Cancelled at") }] = local((at + random.between(600, 90_000)).min(end));
    }
    if matches!(status, "voided" | "pending") {
        fields[const { column("Paid at") }].clear();
    }
    status.clone_into(&mut fields[const { column("Financial Status") }]);
    fields[const { column("Refunded Amount") }] = refunded;
}

/// Buyers in Britain pay in pounds, at the same figures; the shop's staff, wholesale and tries of its checkout are tagged.
fn extras(fields: &mut Fields, in_store: bool, random: &mut Random) {
    if fields[const { column("Billing Country") }] == "GB" {
        "GBP".clone_into(&mut fields[const { column("Currency") }]);
    }
    let drawn = random.below(1000);
    if let Some((tag, _)) = TAGS.iter().find(|(_, end)| drawn < *end)
        && !in_store
    {
        (*tag).clone_into(&mut fields[const { column("Tags") }]);
        if *tag == "test" {
            "(for testing) Bogus Gateway".clone_into(&mut fields[const { column("Payment Method") }]);
        }
    }
}

/// Cents as `1234.56`.
fn money(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// An instant as the shop's clock shows it: `2026-02-20 10:00:00 +0100`, summer time included.
fn local(seconds: i64) -> String {
    let instant: DateTime<Utc> = DateTime::from_timestamp(seconds, 0).expect("seconds of the demo lie within a century of 1970");
    instant.with_timezone(&Berlin).format("%Y-%m-%d %H:%M:%S %z").to_string()
}
