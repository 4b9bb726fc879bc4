//! The CRM export: German Excel habits, placeholders, a shared mailbox, and a few rows that somebody edited by hand.

use chrono::Datelike;

use super::csv::Rows;
use super::group::{Accounts, Context};
use super::noise::{Written, write as write_person};
use super::people::{FIRST_DAY, LAST_DAY, Person, date};
use super::random::Random;

/// The header. `Bemerkung` stands twice, once with a space behind it.
pub(super) const HEADER: [&str; 21] = [
    "KundenNr",
    "Anrede",
    "Titel",
    "Vorname",
    "Nachname",
    "Firma",
    "Strasse",
    "Hausnummer",
    "PLZ",
    "Ort",
    "Land",
    "Telefon",
    "E-Mail",
    "Geburtsdatum",
    "Umsatz",
    "Werbung erlaubt",
    "Bemerkung",
    "Kategorie ",
    "Bemerkung",
    "Angelegt am",
    "Geändert am",
];

/// The mailbox of a purchasing department that 0.8 % of the people, at most 400, gave as theirs.
const ROLE_ACCOUNT: &str = "einkauf@grosskunde.example";

/// The CRM rows of a group.
pub(super) fn write(context: &mut Context<'_>, accounts: &[Accounts], random: &mut Random) -> Rows {
    let mut rows = Rows::new(';', "\r\n");
    for (position, person) in context.people.iter().enumerate() {
        let Some(customer_no) = accounts[position].customer_no else {
            continue;
        };
        let copies = if random.chance(0.08) { 2 } else { 1 };
        for copy in 0..copies {
            let number = (customer_no + copy).to_string();
            let stranger = &context.people[(position + 7) % context.people.len()];
            let fields = row(person, &number, stranger, random);
            rows.row(&fields);
            // The very first row of all but tiny demos is followed by a damaged one, so that there is something to reject.
            let is_first = rows.count == 1 && person.index < 25 && context.cut.people >= 100;
            if is_first || random.chance(0.003) {
                damaged(&mut rows, &fields, random);
            }
            context.record("crm", &number, &person.index.to_string());
        }
    }
    rows
}

/// A row with too many or too few fields; its number is of nobody.
fn damaged(rows: &mut Rows, fields: &[String], random: &mut Random) {
    let mut fields = fields.to_vec();
    fields[0].insert_str(0, "9900");
    if random.chance(0.5) {
        fields.truncate(9);
    } else {
        fields.insert(7, "Hinterhaus".to_owned());
    }
    rows.row(&fields);
}

fn row(person: &Person, number: &str, stranger: &Person, random: &mut Random) -> Vec<String> {
    let created = random.between(FIRST_DAY - 1500, LAST_DAY - 1);
    let updated = random.between(created.max(FIRST_DAY), LAST_DAY);
    let mut written = write_person(person, updated, 1.0, random);
    let company = if random.chance(0.06) {
        format!("{} GmbH & Co. KG", written.family)
    } else {
        String::new()
    };
    let birth = birth(&written, random);
    let email = email(person, stranger, random);
    leave_out(&mut written, random);
    let salutation = if random.chance(0.05) {
        ""
    } else if person.female {
        "Frau"
    } else {
        "Herr"
    };
    let title = if random.chance(0.02) { "Dr." } else { "" };
    let land = random.pick::<&str>(if written.country == "DE" {
        &["DE", "Deutschland", "D", ""]
    } else {
        &["GB", "Großbritannien", "UK", "GB"]
    });
    let note = match random.below(50) {
        0 => "Ruft gern nach 18 Uhr an.\nBitte \"Herrn Doktor\" sagen; legt Wert darauf",
        1 => "Lieferung an Nachbarn\r\n(2. OG links)",
        2 => "Beschwerde 03/2025 – erledigt",
        _ => "",
    };
    let german = |day| date(day).format("%d.%m.%Y").to_string();
    vec![
        number.to_owned(),
        salutation.to_owned(),
        title.to_owned(),
        written.given,
        written.family,
        company,
        written.street,
        written.number,
        written.postcode,
        written.city,
        (*land).to_owned(),
        written.phone,
        email,
        birth,
        money(random.between(0, 900_000)),
        (*random.pick(&["ja", "ja", "nein", "ja", ""])).to_owned(),
        note.to_owned(),
        (*random.pick(&["A", "B", "C", ""])).to_owned(),
        String::new(),
        german(created),
        german(updated),
    ]
}

fn birth(written: &Written, random: &mut Random) -> String {
    let text = written
        .birth
        .map(|birth| format!("{:02}.{:02}.{}", birth.day(), birth.month(), birth.year()))
        .unwrap_or_default();
    match random.below(1000) {
        0..=349 => String::new(),
        350..=364 => "01.01.1900".to_owned(),
        365..=368 => "31.02.1975".to_owned(),
        369..=371 => "00.00.0000".to_owned(),
        _ => text,
    }
}

fn email(person: &Person, stranger: &Person, random: &mut Random) -> String {
    let own = &person.emails[0];
    if person.index % 125 == 7 && person.index / 125 < 400 {
        return ROLE_ACCOUNT.to_owned();
    }
    match random.below(1000) {
        0..=219 => String::new(),
        220..=229 => (*random.pick(&["test@test.de", "k.A.", "keine@angabe.de"])).to_owned(),
        // An address that was given up, and that somebody else has by now.
        230..=233 => stranger.emails[0].clone(),
        234..=400 => person.emails.last().unwrap_or(own).clone(),
        401..=440 => person.family_email.as_ref().unwrap_or(own).to_uppercase(),
        441..=650 => person.family_email.as_ref().unwrap_or(own).clone(),
        _ => own.clone(),
    }
}

fn leave_out(written: &mut Written, random: &mut Random) {
    if random.chance(0.02) {
        written.given = (*random.pick(&["k.A.", "", "-", "unbekannt"])).to_owned();
    }
    if random.chance(0.2) {
        written.phone = (*random.pick(&["", "", "0000", "k.A."])).to_owned();
    }
    if random.chance(0.1) {
        for field in [&mut written.street, &mut written.number, &mut written.postcode, &mut written.city] {
            field.clear();
        }
    }
}

/// Cents as `1.234,56`.
fn money(cents: i64) -> String {
    let (euros, rest) = (cents / 100, cents % 100);
    if euros >= 1000 {
        format!("{}.{:03},{rest:02}", euros / 1000, euros % 1000)
    } else {
        format!("{euros},{rest:02}")
    }
}

/// The text in Windows-1252. Letters that it lacks lose their accents or become `?`, as the CRM would store them.
pub(super) fn encode(text: &str) -> Vec<u8> {
    let plain = |letter: char| match letter {
        'ć' => 'c',
        'Ć' => 'C',
        'ı' => 'i',
        'İ' => 'I',
        letter if encoding_rs::WINDOWS_1252.encode(letter.encode_utf8(&mut [0; 4])).2 => '?',
        letter => letter,
    };
    let text: String = text.chars().map(plain).collect();
    encoding_rs::WINDOWS_1252.encode(&text).0.into_owned()
}
