//! Newsletter, survey and support: little more than an e-mail address each, and that one is sometimes old, shared or misspelled.

use chrono::{DateTime, SecondsFormat};
use serde_json::json;

use super::csv::Rows;
use super::group::Context;
use super::noise::{typo, write as write_person};
use super::people::{FIRST_DAY, LAST_DAY};
use super::random::Random;

pub(super) const NEWSLETTER_HEADER: [&str; 4] = ["E-Mail-Adresse", "Name", "Opt-in", "Angemeldet am"];

/// The survey tool writes two header rows: questions, and kinds of answer.
pub(super) const SURVEY_HEADERS: [[&str; 5]; 2] = [
    [
        "Respondent ID",
        "End Date",
        "Email Address",
        "Wie wahrscheinlich ist es, dass Sie uns weiterempfehlen?",
        "Was ist der Grund?",
    ],
    ["", "", "", "Response", "Open-Ended Response"],
];

fn instant(day: i64, random: &mut Random) -> DateTime<chrono::Utc> {
    DateTime::from_timestamp(day * 86_400 + random.between(18_000, 75_000), 0).expect("days of the demo lie within a century of 1970")
}

/// Subscribers: 35 % of the people, some with a second address.
pub(super) fn newsletter(context: &mut Context<'_>, random: &mut Random) -> Rows {
    let mut rows = Rows::new(',', "\n");
    for person in context.people {
        if !random.chance(0.35) {
            continue;
        }
        let addresses = if random.chance(0.1) { 2 } else { 1 };
        for (position, email) in person.emails.iter().take(addresses).enumerate() {
            let (local, domain) = email.split_once('@').expect("every address of the demo has an @");
            let email = if position == 0 && random.chance(0.03) {
                format!("{}@{domain}", typo(local, random))
            } else {
                email.clone()
            };
            let day = random.between(FIRST_DAY, LAST_DAY);
            let written = write_person(person, day, 0.8, random);
            let name = match random.below(10) {
                0..=2 => String::new(),
                3 => written.given,
                4..=5 => format!("{}, {}", written.family, written.given),
                _ => format!("{} {}", written.given, written.family),
            };
            let shown = if random.chance(0.06) { email.to_uppercase() } else { email.clone() };
            let status = *random.pick(&["confirmed", "confirmed", "confirmed", "pending", "unsubscribed"]);
            rows.row(&[
                shown,
                name,
                status.to_owned(),
                instant(day, random).format("%Y-%m-%d %H:%M:%S").to_string(),
            ]);
            context.record("newsletter", &email, &person.index.to_string());
        }
    }
    rows
}

/// Answers to "would you recommend us"; the survey makes no contacts.
pub(super) fn survey(context: &Context<'_>, random: &mut Random) -> Rows {
    let mut rows = Rows::new(',', "\r\n");
    for person in context.people {
        if !random.chance(0.1) {
            continue;
        }
        let score = *random.pick(&[10, 10, 9, 9, 9, 8, 8, 8, 7, 7, 6, 5, 3, 0]);
        let words = match score {
            9..=10 => " – sehr wahrscheinlich",
            7..=8 => " – eher wahrscheinlich",
            0 => " – überhaupt nicht wahrscheinlich",
            _ => "",
        };
        let day = random.between(FIRST_DAY, LAST_DAY);
        rows.row(&[
            (11_800_000_000 + person.index).to_string(),
            instant(day, random).format("%m/%d/%Y %H:%M:%S").to_string(),
            person.emails[0].clone(),
            format!("{score}{words}"),
            (*random.pick(&["", "", "Guter Kaffee, schnelle Lieferung", "Paket kam \"offen\" an"])).to_owned(),
        ]);
    }
    rows
}

/// Tickets as JSON lines, some of them twice: the tool's time-based export repeats what changed while it ran.
pub(super) fn support(context: &mut Context<'_>, random: &mut Random) -> String {
    let mut lines = String::new();
    for person in context.people {
        if !random.chance(0.15) {
            continue;
        }
        let requesters = if random.chance(0.08) { 2 } else { 1 };
        for requester in 0..requesters {
            let id = 9_000_000 + person.index * 2 + requester;
            let shared = person.family_email.as_ref().filter(|_| random.chance(0.3));
            let email = if random.chance(0.15) {
                None
            } else {
                shared.or(if requester == 0 {
                    person.emails.first()
                } else {
                    person.emails.last()
                })
            };
            context.record("support", &id.to_string(), &person.index.to_string());
            for nth in 0..*random.pick(&[1, 1, 2, 3]) {
                let day = random.between(FIRST_DAY, LAST_DAY - 8);
                let written = write_person(person, day, 0.9, random);
                let created = instant(day, random);
                let updated = instant(day + random.between(1, 7), random);
                let phone = if email.is_none() || random.chance(0.3) {
                    Some(written.phone)
                } else {
                    None
                };
                let mut ticket = json!({
                    "id": id * 4 + nth,
                    "created_at": created.to_rfc3339_opts(SecondsFormat::Secs, true),
                    "updated_at": updated.to_rfc3339_opts(SecondsFormat::Secs, true),
                    "subject": random.pick(&["Wo ist mein Paket?", "Rückgabe", "Rechnung fehlt", "Mühle klemmt", "Newsletter abbestellen"]),
                    "status": random.pick(&["solved", "closed", "open"]),
                    "requester": {"id": id, "name": format!("{} {}", written.given, written.family), "email": email, "phone": phone},
                    "via": {"channel": random.pick(&["email", "web", "voice", "chat"])},
                    "tags": [random.pick(&["lieferung", "retoure", "rechnung", "technik"])],
                    "metrics": {"handling_cost": format!("{}.{:02}", random.between(1, 24), random.between(0, 99))},
                });
                // The chat tool keeps no time sheet: what a chat costs is known on average only.
                if ticket["via"]["channel"] == "chat" {
                    ticket["metrics"] = json!({});
                }
                let ticket = ticket.to_string();
                for _ in 0..if random.chance(0.1) { 2 } else { 1 } {
                    lines.push_str(&ticket);
                    lines.push('\n');
                }
            }
        }
    }
    lines
}
