//! The coffee club: contracts that renew every month or year, in the layout of a billing tool's export, one row for each price.

use chrono::Months;

use super::csv::Rows;
use super::group::{Accounts, Cut};
use super::people::{FIRST_DAY, LAST_DAY, date};
use super::random::Random;

pub(super) const HEADER: [&str; 8] = [
    "id",
    "Customer ID",
    "Plan",
    "Currency",
    "Interval",
    "Amount",
    "Start (UTC)",
    "Ended At (UTC)",
];

/// Plans: name, interval, months of it, price.
const PLANS: [(&str, &str, u32, &str); 3] = [
    ("Probierpaket", "month", 1, "14.90"),
    ("Hausmischung 1 kg", "month", 1, "24.90"),
    ("Jahresabo", "year", 12, "249.00"),
];

/// Streams of the generator: other than those of the groups, so that nothing else of the demo depends on the club.
const STREAM: u64 = 1 << 40;

/// Contracts of group number `number`: a third of the accounts of the shop. Each subscriber has a chance of their own to leave at a renewal.
pub(super) fn write(cut: Cut, number: u64, accounts: &[Accounts]) -> Rows {
    let mut random = Random::new(cut.seed, STREAM + number);
    let mut rows = Rows::new(',', "\n");
    for shop_id in accounts.iter().filter_map(|account| account.shop_id) {
        if !random.chance(0.33) {
            continue;
        }
        let mut start = random.between(FIRST_DAY, LAST_DAY - 20);
        for contract in 1..=2_u8 {
            let id = format!("sub_{shop_id}_{contract}");
            let Some(end) = one_contract(&id, shop_id, start, &mut rows, &mut random) else {
                break;
            };
            // One in five comes back.
            start = end + random.between(20, 200);
            if start > LAST_DAY - 20 || !random.chance(0.2) {
                break;
            }
        }
    }
    rows
}

/// Writes the stretches of one contract; gives the day it ended on, if it did.
fn one_contract(id: &str, shop_id: u64, start: i64, rows: &mut Rows, random: &mut Random) -> Option<i64> {
    let leaves = random.unit() * random.unit() * 0.6;
    let mut plan = random.index(PLANS.len());
    let mut from = start;
    loop {
        let (name, interval, months, price) = PLANS[plan];
        // Renewals at this price, until something changes or the history ends.
        let mut renewals = 0;
        let (end, next_plan) = loop {
            renewals += 1;
            let due = days_after(from, renewals * months);
            if due > LAST_DAY {
                break (None, None);
            }
            if random.chance(leaves) {
                break (Some(due), None);
            }
            if random.chance(0.04) {
                break (Some(due), Some((plan + 1 + random.index(2)) % PLANS.len()));
            }
        };
        rows.row(&[
            id.to_owned(),
            shop_id.to_string(),
            name.to_owned(),
            "eur".to_owned(),
            interval.to_owned(),
            price.to_owned(),
            format!("{} 08:00:00", date(from)),
            end.map(|end| format!("{} 08:00:00", date(end))).unwrap_or_default(),
        ]);
        match (end, next_plan) {
            (Some(end), Some(next)) => (from, plan) = (end, next),
            (end, _) => return end,
        }
    }
}

/// The day so many months after a day, the last of its month if that is shorter.
fn days_after(day: i64, months: u32) -> i64 {
    let later = date(day) + Months::new(months);
    i64::from(later.to_epoch_days())
}
