//! Web events in the layout of GA4's BigQuery export as JSON lines: nested parameters, 64-bit numbers as text, one gzip member a group.

use std::io::Write as _;

use chrono::{DateTime, Datelike};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::group::{Accounts, Context};
use super::people::{LAST_DAY, date};
use super::random::Random;

/// Months with events, oldest first; the last one ends the history.
pub(super) const MONTHS: [&str; 12] = [
    "2025-11", "2025-12", "2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06", "2026-07", "2026-08", "2026-09", "2026-10",
];

/// First day of the first month: 2025-11-01.
const FIRST_DAY: i64 = 20_393;

/// People with events in a large demo: more would only be more of the same.
const PEOPLE_MAX: f64 = 100_000.0;

/// A browser.
struct Device {
    id: String,
    users: Vec<String>,
}

/// Events of a group, one gzip member a month; empty where there is none.
pub(super) fn write(context: &mut Context<'_>, accounts: &[Accounts], random: &mut Random) -> Vec<Vec<u8>> {
    #[expect(clippy::cast_precision_loss, reason = "people are counted in 32 bits")]
    let share = 0.4 * (PEOPLE_MAX / context.cut.people as f64).min(1.0);
    let mut months = vec![Vec::new(); MONTHS.len()];
    for (position, person) in context.people.iter().enumerate() {
        let account = |position: usize| accounts[position].shop_id.map(|id| id.to_string());
        if let Some(user) = account(position)
            && random.chance(share * 1.2)
        {
            for nth in 0..*random.pick(&[1, 1, 2]) {
                let mut users = vec![user.clone()];
                if nth == 0 && random.chance(0.25) {
                    users.extend(person.housemate.and_then(account));
                }
                let device = Device {
                    id: device_id(person.index * 4 + nth, random),
                    users,
                };
                context.record("web", &device.id, &person.index.to_string());
                visits(&device, &mut months, random);
            }
        }
        if random.chance(share / 4.0) {
            // Somebody who never logs in, and of whom no export knows more: a person of their own.
            let device = Device {
                id: device_id(person.index * 4 + 3, random),
                users: Vec::new(),
            };
            context.record("web", &device.id, &format!("visitor-{}", person.index));
            visits(&device, &mut months, random);
        }
    }
    months
        .iter()
        .map(|lines| if lines.is_empty() { Vec::new() } else { gzip(lines) })
        .collect()
}

/// A client id as the tag writes it; the first half is different for each `unique` below 2^32.
fn device_id(unique: u64, random: &mut Random) -> String {
    let mixed = unique.wrapping_mul(2_654_435_761) & 0xFFFF_FFFF;
    format!("{mixed}.{}", random.between(1_700_000_000, 1_760_000_000))
}

/// A few sessions; each user of the device logs in in one of them at least.
fn visits(device: &Device, months: &mut [Vec<u8>], random: &mut Random) {
    let sessions = device.users.len().max(1) + random.index(3);
    for session in 0..sessions {
        let day = random.between(FIRST_DAY, LAST_DAY);
        let start = day * 86_400 + random.between(21_600, 72_000);
        let month = date(day);
        let slot = usize::try_from((month.year() - 2025) * 12 + i32::try_from(month.month0()).expect("months are 0 to 11") - 10)
            .expect("events begin in the first of the months");
        let user = device
            .users
            .get(session % device.users.len().max(1))
            .filter(|_| session < device.users.len() || random.chance(0.5));
        visit(device, user, start, &mut months[slot], random);
    }
}

fn visit(device: &Device, user: Option<&String>, start: i64, lines: &mut Vec<u8>, random: &mut Random) {
    let (source, medium, campaign) = *random.pick(&[
        ("(direct)", "(none)", "(direct)"),
        ("google", "organic", "(organic)"),
        ("google", "cpc", "kaffee-marke"),
        ("newsletter", "email", "herbst-2026"),
        ("instagram", "social", "barista"),
    ]);
    let pages = ["/", "/kaffee", "/tee", "/muehlen", "/warenkorb", "/konto"];
    let count = random.between(2, 5);
    for step in 0..count {
        let at = start + step * random.between(5, 90) + step;
        let name = match (step, user) {
            (0, _) => "session_start",
            (1, Some(_)) => "login",
            (3, _) => "add_to_cart",
            _ => "page_view",
        };
        let event = json!({
            "event_date": DateTime::from_timestamp(at, 0).expect("seconds of the demo lie within a century of 1970").format("%Y%m%d").to_string(),
            "event_timestamp": (at * 1_000_000 + random.between(0, 999_999)).to_string(),
            "event_name": name,
            "event_params": [
                {"key": "ga_session_id", "value": {"int_value": start.to_string()}},
                {"key": "page_location", "value": {"string_value": format!("https://shop.example{}", random.pick(&pages))}},
                {"key": "engagement_time_msec", "value": {"int_value": random.between(0, 60_000).to_string()}},
            ],
            "event_bundle_sequence_id": step.to_string(),
            "user_id": user.filter(|_| step > 0),
            "user_pseudo_id": device.id,
            "device": {"category": random.pick(&["mobile", "desktop"]), "language": "de-de"},
            "geo": {"country": "Germany"},
            "traffic_source": {"name": campaign, "medium": medium, "source": source},
            "platform": "WEB",
        });
        lines.extend_from_slice(event.to_string().as_bytes());
        lines.push(b'\n');
    }
}

fn gzip(lines: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(lines.len() / 8), Compression::fast());
    encoder.write_all(lines).expect("writing to memory does not fail");
    encoder.finish().expect("writing to memory does not fail")
}
