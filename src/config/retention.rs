//! How long rows and versions are kept: from what was written to numbers of days.

use super::findings::{Path, suggest};
use super::pipeline::{PrivacyConfig, RetentionConfig};
use super::resolve::Report;
use super::spec::RetentionSpec;

/// Days for which the content of rejects is published.
const REJECTS_DAYS: u32 = 30;
const PURGE_AFTER_DAYS: u32 = 30;
/// Most days: a hundred years.
const DAYS_MAX: u32 = 36_500;
/// Tables whose rows have an age.
const TABLES: [&str; 4] = ["orders", "events", "interactions", "rejects"];

/// Fills in defaults and reports what is no time or no table.
pub fn resolve(config: &RetentionConfig, report: &mut Report<'_>) -> RetentionSpec {
    let mut spec = RetentionSpec {
        rejects_days: Some(REJECTS_DAYS),
        ..RetentionSpec::default()
    };
    for (table, text) in &config.tables {
        let path = Path::of(&["retention", "tables", table]);
        let days = match parse(text) {
            Ok(days) => days,
            Err(message) => {
                report.at(&path, message, Some("write a number of days, e.g. `400d`, or `forever`".to_owned()));
                continue;
            }
        };
        match table.as_str() {
            "orders" => spec.orders_days = days,
            "events" => spec.events_days = days,
            "interactions" => spec.interactions_days = days,
            "rejects" => spec.rejects_days = days,
            "order_lines" => report.at_key(&path, "order lines go with their order", Some("limit `orders`".to_owned())),
            "contacts" | "customers" => {
                let hint = "people leave with the exports, or by `stammkunde privacy erase`".to_owned();
                report.at_key(&path, format!("`{table}` have no retention"), Some(hint));
            }
            "exchange_rates" => report.at_key(&path, "exchange rates have no retention", Some("they are about nobody".to_owned())),
            _ => report.at_key(&path, format!("`{table}` is no table with an age"), Some(suggest(table, TABLES))),
        }
    }
    let versions = &config.versions;
    let path = Path::of(&["retention", "versions"]);
    if versions.keep == Some(0) {
        report.at(
            &path.then("keep"),
            "`keep` must be 1 or more",
            Some("the newest version is always kept".to_owned()),
        );
    }
    let days = versions.days.map(|days| at_most(days, &path.then("days"), report));
    if versions.keep.is_some() || days.is_some() {
        spec.versions = Some((versions.keep.unwrap_or(1).max(1), days.unwrap_or(0)));
    }
    spec
}

/// Days until versions that hold an erased person are deleted.
pub fn purge_after_days(config: &PrivacyConfig, report: &mut Report<'_>) -> u32 {
    let path = Path::of(&["privacy", "purge_after_days"]);
    at_most(config.purge_after_days.unwrap_or(PURGE_AFTER_DAYS), &path, report)
}

fn at_most(days: u32, path: &Path, report: &mut Report<'_>) -> u32 {
    if days > DAYS_MAX {
        let key = path.steps().last().map_or("", String::as_str);
        report.at(path, format!("`{key}` must be {DAYS_MAX} or less"), None);
    }
    days.min(DAYS_MAX)
}

/// `400d`; `forever` is `None`.
fn parse(text: &str) -> Result<Option<u32>, String> {
    if text == "forever" {
        return Ok(None);
    }
    let number = text
        .strip_suffix('d')
        .filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
    let Some(number) = number else {
        return Err(format!("`{text}` is no time"));
    };
    match number.parse() {
        Ok(days) if days <= DAYS_MAX => Ok(Some(days)),
        _ => Err(format!("`{text}` is more than {DAYS_MAX} days")),
    }
}
