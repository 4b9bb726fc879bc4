//! How people and clerks write what they know: nicknames, typos, umlauts spelled out, phone numbers in every form, fields left empty.

use chrono::{Datelike, NaiveDate};

use super::names::Country;
use super::people::Person;
use super::random::Random;

/// A person as one record holds them. Empty text: the field was left empty.
#[derive(Debug, Clone, Default)]
pub(super) struct Written {
    pub(super) given: String,
    pub(super) family: String,
    pub(super) birth: Option<NaiveDate>,
    pub(super) phone: String,
    pub(super) street: String,
    pub(super) number: String,
    pub(super) postcode: String,
    pub(super) city: String,
    pub(super) country: &'static str,
}

/// A person as written on a day. `care` is 0 for a tidy record and 1 for a sloppy one.
pub(super) fn write(person: &Person, day: i64, care: f64, random: &mut Random) -> Written {
    let mut given = person.given.clone();
    let mut family = person.family(day).to_owned();
    if random.chance(0.14 * care) {
        if let Some(short) = person.short {
            short.clone_into(&mut given);
        }
    } else if random.chance(0.03 * care) {
        given = given.chars().take(1).collect::<String>() + random.pick::<&str>(&["", "."]);
    }
    if random.chance(0.06 * care) {
        given = typo(&given, random);
    }
    if random.chance(0.08 * care) {
        family = typo(&family, random);
    }
    let address = person.address(day);
    let (mut street, mut city) = (address.street.clone(), address.city.to_owned());
    if random.chance(0.45) {
        street = street_form(&street, random);
    }
    if random.chance(0.06 * care) {
        street = typo(&street, random);
    }
    if random.chance(0.04 * care) {
        city = typo(&city, random);
    }
    let postcode = if random.chance(0.03 * care) {
        digits_swapped(&address.postcode, random)
    } else {
        address.postcode.clone()
    };
    if random.chance(0.12) {
        (given, family, street, city) = (fold(&given), fold(&family), fold(&street), fold(&city));
    }
    if random.chance(0.015 * care) {
        std::mem::swap(&mut given, &mut family);
    }
    if random.chance(0.05 * care) {
        (given, family) = (given.to_uppercase(), family.to_uppercase());
    } else if random.chance(0.04 * care) {
        (given, family) = (given.to_lowercase(), family.to_lowercase());
    }
    let number = match &person.landline {
        Some(landline) if random.chance(0.35) => landline.as_str(),
        _ => person.mobile(day),
    };
    Written {
        given,
        family,
        birth: Some(birth(person.birth, care, random)),
        phone: phone_form(number, random),
        street,
        number: address.number.clone(),
        postcode,
        city,
        country: if address.country == Country::Germany { "DE" } else { "GB" },
    }
}

fn birth(birth: NaiveDate, care: f64, random: &mut Random) -> NaiveDate {
    let swapped = NaiveDate::from_ymd_opt(birth.year(), birth.day(), birth.month());
    let other_month = birth.with_month(u32::try_from(random.between(1, 12)).expect("months are 1 to 12"));
    let other_year = birth.with_year(birth.year() + random.pick(&[-1, 1, -10, 10]));
    let draw = random.unit() / care.max(1e-9);
    let wrong = match draw {
        draw if draw < 0.03 => swapped,
        draw if draw < 0.045 => other_month,
        draw if draw < 0.06 => other_year,
        _ => None,
    };
    wrong.unwrap_or(birth)
}

/// One slip of the finger or the ear; digits stay, and so does the first letter.
pub(super) fn typo(text: &str, random: &mut Random) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let places: Vec<usize> = (1..letters.len()).filter(|&place| letters[place].is_alphabetic()).collect();
    if places.len() < 2 {
        return text.to_owned();
    }
    let place = *random.pick(&places);
    match random.below(5) {
        0 => {
            letters.remove(place);
        }
        1 => letters.insert(place, letters[place]),
        2 if place + 1 < letters.len() && letters[place + 1].is_alphabetic() => letters.swap(place, place + 1),
        3 => letters[place] = neighbor(letters[place]),
        _ => {
            let heard = [
                ("ie", "i"),
                ("ei", "ai"),
                ("ck", "k"),
                ("tz", "z"),
                ("ph", "f"),
                ("th", "t"),
                ("mm", "m"),
                ("nn", "n"),
                ("ss", "s"),
                ("y", "i"),
            ];
            let (from, to) = *random.pick(&heard);
            if text.contains(from) {
                return text.replacen(from, to, 1);
            }
            letters[place] = neighbor(letters[place]);
        }
    }
    letters.into_iter().collect()
}

/// The key beside it on a German keyboard.
fn neighbor(letter: char) -> char {
    let (from, to) = ("abcdefghijklmnopqrstuvwxyz", "svxfrghjuklknmpowtazibeyxt");
    from.chars()
        .zip(to.chars())
        .find_map(|(key, beside)| (key == letter).then_some(beside))
        .unwrap_or('e')
}

/// Umlauts and accents spelled out: `Müller` becomes `Mueller`.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len() + 4);
    for letter in text.chars() {
        match letter {
            'ä' => folded.push_str("ae"),
            'ö' => folded.push_str("oe"),
            'ü' => folded.push_str("ue"),
            'ß' => folded.push_str("ss"),
            'Ä' => folded.push_str("Ae"),
            'Ö' => folded.push_str("Oe"),
            'Ü' => folded.push_str("Ue"),
            'ć' => folded.push('c'),
            'ı' => folded.push('i'),
            'é' => folded.push('e'),
            other => folded.push(other),
        }
    }
    folded
}

fn digits_swapped(text: &str, random: &mut Random) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    if letters.len() > 2 {
        let place = 1 + random.index(letters.len() - 2);
        letters.swap(place, place + 1);
    }
    letters.into_iter().collect()
}

/// A number in E.164 as somebody would type it.
fn phone_form(number: &str, random: &mut Random) -> String {
    let (country, national) = number.split_at(3);
    let (area, rest) = national.split_at(3);
    if country != "+49" {
        return match random.below(3) {
            0 => number.to_owned(),
            1 => format!("00{}{national}", &country[1..]),
            _ => format!("{country} {area} {rest}"),
        };
    }
    match random.below(20) {
        0..=6 => number.to_owned(),
        7..=10 => format!("0{area} {rest}"),
        11..=13 => format!("0{area}/{rest}"),
        14..=15 => format!("0049{national}"),
        16..=17 => format!("{country} (0){area} {rest}"),
        _ => format!("0{national}"),
    }
}

fn street_form(street: &str, random: &mut Random) -> String {
    let forms: [(&str, [&str; 3]); 5] = [
        ("straße", ["str.", "strasse", "str"]),
        ("Straße", ["Str.", "Strasse", "Str"]),
        (" Road", [" Rd", " Rd.", " Rd"]),
        (" Street", [" St", " St.", " St"]),
        (" Avenue", [" Ave", " Ave.", " Av"]),
    ];
    forms.iter().find(|(long, _)| street.ends_with(long)).map_or_else(
        || street.to_owned(),
        |(long, short)| street.replace(long, random.pick::<&str>(short)),
    )
}
