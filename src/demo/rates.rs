//! Exchange rates as central banks publish them: one row a working day, one column a currency, in units of it for one euro.

use chrono::{Datelike, Weekday};

use super::csv::Rows;
use super::people::{FIRST_DAY, LAST_DAY, date};
use super::random::Random;

pub(super) const HEADER: [&str; 4] = ["Date", "USD", "GBP", "CHF"];

/// Where the currencies start.
const FIRST: [f64; 3] = [1.09, 0.86, 0.95];

/// Stream of the generator; groups and orders have others.
const STREAM: u64 = u64::MAX;

/// The rows, a week before the first order to the last day. Days without banks have none. The newest day stands first, as the file comes.
pub(super) fn write(seed: u64) -> String {
    let mut random = Random::new(seed, STREAM);
    let mut levels = FIRST;
    let mut lines = Vec::new();
    for day in FIRST_DAY - 7..=LAST_DAY {
        if matches!(date(day).weekday(), Weekday::Sat | Weekday::Sun) {
            continue;
        }
        for (level, first) in levels.iter_mut().zip(FIRST) {
            // Steps of half a percent at most, drawn back to the start.
            let step = (random.unit() - 0.5) * 0.01 + (first / *level - 1.0) * 0.01;
            *level *= 1.0 + step;
        }
        let rates = levels.map(|level| format!("{level:.4}"));
        lines.push([date(day).to_string(), rates[0].clone(), rates[1].clone(), rates[2].clone()]);
    }
    let mut rows = Rows::new(',', "\n");
    rows.row(&HEADER);
    for line in lines.iter().rev() {
        rows.row(line);
    }
    rows.text
}
