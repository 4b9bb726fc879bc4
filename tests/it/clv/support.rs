//! What the tests of lifetime models share: reference data, repeatable chance, and comparing numbers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde_json::Value;
use stammkunde::clv::gamma_gamma::Spends;
use stammkunde::clv::{DAYS_PER_WEEK, DAYS_PER_YEAR, Histories, History};

/// A file of the shared data; says so and gives `None` where it is absent.
pub fn shared(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let path = std::env::var_os("STAMMKUNDE_SHARED")
        .map_or_else(beside, PathBuf::from)
        .join("data/clv")
        .join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not here", path.display());
    None
}

/// A JSON file of the shared data, written by Python: what is not a number becomes null.
pub fn golden(name: &str) -> Option<Value> {
    let text = std::fs::read_to_string(shared(name)?).expect("the file is readable");
    Some(serde_json::from_str(&text.replace(": NaN", ": null")).expect("JSON"))
}

/// A number in JSON by its path.
pub fn number(value: &Value, path: &[&str]) -> f64 {
    let found = path.iter().try_fold(value, |value, name| value.get(*name));
    found.and_then(Value::as_f64).unwrap_or_else(|| panic!("{path:?} is a number"))
}

/// One customer of a log of purchases: what was known at the end of the calibration, and what came after.
pub struct Customer {
    pub history: History,
    /// Mean total of repeat purchase days, 0 without.
    pub mean_spend: f64,
    pub later: u32,
}

/// Customers of a log of purchases with a calibration period, as they are counted everywhere: purchases of a day are one.
pub struct Log {
    pub customers: BTreeMap<u32, Customer>,
}

impl Log {
    /// Columns are positions in the line: customer, date, amount.
    fn read(text: &str, columns: [usize; 3], end: &str) -> Self {
        let end = day(end);
        let mut totals: BTreeMap<u32, BTreeMap<i64, f64>> = BTreeMap::new();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let amount: f64 = fields[columns[2]].parse().expect("an amount");
            let customer = totals.entry(fields[columns[0]].parse().expect("a number")).or_default();
            *customer.entry(day(fields[columns[1]])).or_default() += amount;
        }
        let customer = |days: &BTreeMap<i64, f64>| {
            let first = *days.keys().next().expect("a day");
            let repeats: Vec<(i64, f64)> = days.range(first + 1..=end).map(|(&day, &total)| (day, total)).collect();
            let x = u32::try_from(repeats.len()).expect("few days");
            let sum: f64 = repeats.iter().map(|repeat| repeat.1).sum();
            Customer {
                history: History {
                    x,
                    recency: u32::try_from(repeats.last().map_or(0, |last| last.0 - first)).expect("days"),
                    age: u32::try_from(end - first).expect("first purchases are in the calibration"),
                },
                mean_spend: if x == 0 { 0.0 } else { sum / f64::from(x) },
                later: u32::try_from(days.range(end + 1..).count()).expect("few days"),
            }
        };
        Self {
            customers: totals.iter().map(|(&id, days)| (id, customer(days))).collect(),
        }
    }

    /// The CDNOW sample, first 39 weeks of 1997.
    pub fn cdnow() -> Option<Self> {
        let text = std::fs::read_to_string(shared("cdnow_sample.csv")?).expect("the file is readable");
        Some(Self::read(&text, [1, 2, 4], "1997-09-30"))
    }

    /// The apparel data, first 104 weeks.
    pub fn apparel() -> Option<Self> {
        let text = std::fs::read_to_string(shared("apparel_trans.csv")?).expect("the file is readable");
        Some(Self::read(&text, [0, 1, 2], "2006-12-31"))
    }

    pub fn histories(&self) -> Histories {
        histories(self.customers.values().map(|customer| customer.history))
    }

    pub fn spends(&self) -> Spends {
        let mut spends = Spends::default();
        for customer in self.customers.values() {
            spends.add(customer.history.x, customer.mean_spend, 1);
        }
        spends
    }
}

/// Histories, one customer each.
pub fn histories(all: impl IntoIterator<Item = History>) -> Histories {
    let mut histories = Histories::default();
    for history in all {
        histories.add(history, 1);
    }
    histories
}

/// A day as a number.
pub fn day(text: &str) -> i64 {
    let date = NaiveDate::parse_from_str(&text[..10], "%Y-%m-%d").expect("a date");
    date.signed_duration_since(NaiveDate::default()).num_days()
}

/// The annual rate of a continuous rate per week.
pub fn annual(weekly: f64) -> f64 {
    (weekly * DAYS_PER_YEAR / DAYS_PER_WEEK).exp() - 1.0
}

/// Fails unless the numbers agree to a relative tolerance.
#[track_caller]
pub fn assert_close(what: &str, found: f64, expected: f64, tolerance: f64) {
    let error = (found - expected).abs() / expected.abs().max(1e-12);
    assert!(error <= tolerance, "{what}: {found} instead of {expected}, off by {error:e}");
}

/// Fails unless all numbers agree to a relative tolerance.
#[track_caller]
pub fn assert_all_close(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_close(&format!("{what} [{index}]"), *found, *expected, tolerance);
    }
}

/// Chance that is the same on every run (SplitMix64, Steele and others 2014).
pub struct Chance(pub u64);

impl Chance {
    /// Between 0 and 1, both excluded.
    pub fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 12) as f64 / (1_u64 << 52) as f64 + 1e-17
    }

    pub fn exponential(&mut self) -> f64 {
        -self.uniform().ln()
    }

    fn normal(&mut self) -> f64 {
        (2.0 * self.exponential()).sqrt() * (2.0 * std::f64::consts::PI * self.uniform()).cos()
    }

    /// Gamma with scale 1 (Marsaglia and Tsang 2000).
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            return self.gamma(shape + 1.0) * self.uniform().powf(1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        loop {
            let normal = self.normal();
            let cube = (1.0 + normal / (9.0 * d).sqrt()).powi(3);
            if cube > 0.0 && self.uniform().ln() < 0.5 * normal * normal + d * (1.0 - cube + cube.ln()) {
                return d * cube;
            }
        }
    }

    pub fn beta(&mut self, a: f64, b: f64) -> f64 {
        let (one, other) = (self.gamma(a), self.gamma(b));
        one / (one + other)
    }
}
