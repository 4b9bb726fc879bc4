//! The people behind the exports: households that share names, addresses, landlines and mailboxes, and who move, marry and change numbers.

use chrono::NaiveDate;

use super::names::{Country, lists};
use super::noise::fold;
use super::random::Random;

/// First day of the history, in days since 1970: 2023-11-01.
pub(super) const FIRST_DAY: i64 = 19_662;
/// Last day of the history: 2026-10-31.
pub(super) const LAST_DAY: i64 = 20_757;

/// The calendar day of a number of days since 1970.
pub(super) fn date(day: i64) -> NaiveDate {
    NaiveDate::from_epoch_days(i32::try_from(day).expect("days of the demo lie within a century of 1970"))
        .expect("days of the demo are calendar days")
}

/// Where somebody lives.
#[derive(Debug, Clone)]
pub(super) struct Address {
    pub(super) street: String,
    pub(super) number: String,
    pub(super) postcode: String,
    pub(super) city: &'static str,
    pub(super) country: Country,
}

impl Address {
    fn draw(country: Country, random: &mut Random) -> Self {
        let lists = lists(country);
        let city = lists.cities.draw(random);
        let offset = random.below(city.count);
        let postcode = match country {
            Country::Germany => format!(
                "{:05}",
                city.postcode.parse::<u64>().expect("German postcodes in the list are numbers") + offset
            ),
            Country::Britain => {
                let letter = |random: &mut Random| char::from(*random.pick(b"ABDEFGHJLNPQRSTUWXYZ"));
                format!("{} {}{}{}", city.postcode, random.between(1, 9), letter(random), letter(random))
            }
        };
        #[expect(clippy::cast_possible_truncation, reason = "house numbers are small")]
        let mut number = (random.exponential(35.0) as i64 + 1).to_string();
        if random.chance(0.06) {
            number.push(*random.pick(&['a', 'b', 'c']));
        }
        let street = lists.streets.draw(random).clone();
        Self {
            street,
            number,
            postcode,
            city: city.name,
            country,
        }
    }
}

/// A person with everything that changed within the history.
#[derive(Debug, Clone)]
pub(super) struct Person {
    /// The label in `truth.csv`, unique in the whole demo.
    pub(super) index: u64,
    pub(super) female: bool,
    pub(super) given: String,
    pub(super) short: Option<&'static str>,
    pub(super) birth: NaiveDate,
    family: String,
    family_since: Option<(i64, String)>,
    address: Address,
    address_since: Option<(i64, Address)>,
    mobile: String,
    mobile_since: Option<(i64, String)>,
    pub(super) landline: Option<String>,
    /// Own mailboxes, the most used first; no two people own the same one.
    pub(super) emails: Vec<String>,
    /// A mailbox that the household shares.
    pub(super) family_email: Option<String>,
    /// Position in its group of somebody who uses the same computer.
    pub(super) housemate: Option<usize>,
}

impl Person {
    /// Family name on a day.
    pub(super) fn family(&self, day: i64) -> &str {
        since::<String>(&self.family, self.family_since.as_ref(), day)
    }

    /// Address on a day.
    pub(super) fn address(&self, day: i64) -> &Address {
        since(&self.address, self.address_since.as_ref(), day)
    }

    /// Mobile number on a day, E.164.
    pub(super) fn mobile(&self, day: i64) -> &str {
        since::<String>(&self.mobile, self.mobile_since.as_ref(), day)
    }
}

fn since<'a, T>(before: &'a T, after: Option<&'a (i64, T)>, day: i64) -> &'a T {
    match after {
        Some((from, value)) if day >= *from => value,
        _ => before,
    }
}

/// What a household has in common.
struct Home {
    country: Country,
    family: String,
    address: Address,
    landline: Option<String>,
    email: Option<String>,
}

/// The people `first .. first + count`, household by household.
pub(super) fn group(first: u64, count: usize, random: &mut Random) -> Vec<Person> {
    let mut people: Vec<Person> = Vec::with_capacity(count + 8);
    while people.len() < count {
        let country = if random.chance(0.85) { Country::Germany } else { Country::Britain };
        let home = Home {
            country,
            family: lists(country).family.draw(random).clone(),
            address: Address::draw(country, random),
            landline: random.chance(0.6).then(|| landline(country, random)),
            email: None,
        };
        if random.chance(0.86) {
            let birth = birthday(1940, 2006, random);
            let female = random.chance(0.5);
            let alone = Home {
                landline: home.landline.filter(|_| random.chance(0.4)),
                ..home
            };
            let index = first + people.len() as u64;
            people.push(person(index, female, birth, &alone, random));
        } else {
            household(first, home, &mut people, random);
        }
    }
    people.truncate(count);
    for person in &mut people {
        person.housemate = person.housemate.filter(|&mate| mate < count);
    }
    people
}

fn household(first: u64, mut home: Home, people: &mut Vec<Person>, random: &mut Random) {
    let start = people.len();
    let year = random.between(1945, 1985);
    if random.chance(0.15) {
        home.email = Some(format!(
            "familie.{}{}@{}",
            mailbox_part(&home.family),
            first + start as u64,
            random.pick(&DOMAINS)
        ));
    }
    let mut next = |female: bool, birth: NaiveDate, home: &Home, random: &mut Random| {
        let index = first + people.len() as u64;
        people.push(person(index, female, birth, home, random));
    };
    next(false, birthday(year, year, random), &home, random);
    let partner = Home {
        family: if random.chance(0.8) {
            home.family.clone()
        } else {
            lists(home.country).family.draw(random).clone()
        },
        address: home.address.clone(),
        landline: home.landline.clone(),
        email: home.email.clone(),
        country: home.country,
    };
    next(true, birthday(year - 3, year + 5, random), &partner, random);
    let mut last: Option<NaiveDate> = None;
    for _ in 0..*random.pick(&[0, 0, 1, 1, 2, 3]) {
        let drawn = birthday((year + 22).min(2007), (year + 34).min(2008), random);
        let birth = last.filter(|_| random.chance(0.1)).unwrap_or(drawn);
        let female = random.chance(0.5);
        next(female, birth, &home, random);
        last = Some(birth);
    }
    let (given, short) = (people[start].given.clone(), people[start].short);
    for child in people.iter_mut().skip(start + 2) {
        if !child.female && random.chance(0.06) {
            child.given.clone_from(&given);
            child.short = short;
        }
    }
    for (position, person) in people.iter_mut().enumerate().skip(start) {
        person.housemate = Some(if position == start { start + 1 } else { start });
    }
}

fn person(index: u64, female: bool, birth: NaiveDate, home: &Home, random: &mut Random) -> Person {
    let lists = lists(home.country);
    let names = if female { &lists.women } else { &lists.men };
    let drawn = names.draw(random);
    let mut given = drawn.name.to_owned();
    let mut short = if drawn.short.is_empty() {
        None
    } else {
        Some(*random.pick(&drawn.short))
    };
    if random.chance(0.04) {
        let second = names.draw(random).name;
        if second != drawn.name {
            short = Some(drawn.name);
            given = format!("{}{}{second}", drawn.name, if random.chance(0.6) { "-" } else { " " });
        }
    }
    let changed = |random: &mut Random| random.between(FIRST_DAY, LAST_DAY);
    let family_since = random.chance(if female { 0.08 } else { 0.01 }).then(|| {
        let partner = lists.family.draw(random).clone();
        let name = if random.chance(0.25) {
            format!("{}-{partner}", home.family)
        } else {
            partner
        };
        (changed(random), name)
    });
    let mobile_number = mobile(home.country, random);
    let emails = (0..*random.pick(&[1, 1, 2, 2, 3]))
        .map(|nth| email(index * 4 + nth, &given, &home.family, random))
        .collect();
    Person {
        index,
        female,
        short,
        birth,
        family: home.family.clone(),
        family_since,
        address: home.address.clone(),
        address_since: random.chance(0.2).then(|| (changed(random), Address::draw(home.country, random))),
        mobile: mobile_number,
        mobile_since: random.chance(0.15).then(|| (changed(random), mobile(home.country, random))),
        landline: home.landline.clone(),
        emails,
        family_email: home.email.clone().filter(|_| random.chance(0.6)),
        housemate: None,
        given,
    }
}

fn birthday(from_year: i64, to_year: i64, random: &mut Random) -> NaiveDate {
    date((from_year - 1970) * 365 + (from_year - 1969).div_euclid(4) + random.between(0, (to_year - from_year) * 365 + 364))
}

/// Mail providers; `.example` is reserved (RFC 2606), so no address of the demo can belong to anybody.
const DOMAINS: [&str; 10] = [
    "postfach.example",
    "postfach.example",
    "postfach.example",
    "briefkasten.example",
    "briefkasten.example",
    "mail.example",
    "mail.example",
    "netzpost.example",
    "web.example",
    "schnellmail.example",
];

/// A mailbox that nobody else has: it ends in the number `unique`.
fn email(unique: u64, given: &str, family: &str, random: &mut Random) -> String {
    let (given, family) = (mailbox_part(given), mailbox_part(family));
    let initial = given.get(..1).unwrap_or("x");
    let words = [
        "sonne", "stern", "fuchs", "wolf", "katze", "rose", "mond", "tiger", "regen", "feuer", "engel", "honig",
    ];
    let local = match random.below(20) {
        0..=6 => format!("{given}.{family}"),
        7..=8 => format!("{initial}.{family}"),
        9..=10 => format!("{given}{family}"),
        11..=12 => format!("{family}.{given}"),
        13..=14 => format!("{given}_{family}"),
        15..=16 => given,
        _ => format!("{}{}", random.pick(&words), random.pick(&words)),
    };
    format!("{local}{unique}@{}", random.pick(&DOMAINS))
}

fn mailbox_part(name: &str) -> String {
    fold(name).to_lowercase().chars().filter(char::is_ascii_alphabetic).collect()
}

fn mobile(country: Country, random: &mut Random) -> String {
    match country {
        Country::Germany => {
            let network = random.pick(&["151", "152", "157", "160", "170", "171", "172", "173", "175", "176", "177", "179"]);
            let digits = if network.starts_with("15") { 8 } else { 7 };
            format!("+49{network}{:0digits$}", random.below(10_u64.pow(if digits == 8 { 8 } else { 7 })))
        }
        Country::Britain => format!("+447{}{:08}", random.pick(&["4", "5", "7", "8", "9"]), random.below(100_000_000)),
    }
}

fn landline(country: Country, random: &mut Random) -> String {
    match country {
        Country::Germany => {
            let area = random.pick(&[
                "30", "40", "89", "221", "69", "711", "211", "341", "231", "201", "421", "351", "511", "911",
            ]);
            format!("+49{area}{}", random.between(200_000, 9_899_999))
        }
        Country::Britain => format!(
            "+44{}{}",
            random.pick(&["121", "113", "141", "114", "161", "131", "151"]),
            random.between(2_000_000, 8_999_999)
        ),
    }
}
