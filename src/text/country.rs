//! Countries as people write them, as ISO 3166 alpha-2.

use super::fold;

/// ISO 3166 alpha-2, upper case, of a code (alpha-2, alpha-3, license plate `D`) or a German, English or native name. Two letters that are no
/// known country are taken as a code. `None` for everything else. Idempotent.
#[must_use]
pub fn normalize(text: &str) -> Option<String> {
    let words = fold::words(text);
    let key = words.strip_prefix("the ").unwrap_or(&words);
    if let Some((code, _)) = COUNTRIES
        .iter()
        .find(|(code, names)| code.eq_ignore_ascii_case(key) || names.contains(&key))
    {
        return Some((*code).to_owned());
    }
    (key.len() == 2 && key.bytes().all(|b| b.is_ascii_lowercase())).then(|| key.to_ascii_uppercase())
}

const COUNTRIES: &[(&str, &[&str])] = &[
    (
        "DE",
        &[
            "d",
            "deu",
            "ger",
            "brd",
            "deutschland",
            "germany",
            "bundesrepublik deutschland",
            "federal republic of germany",
            "allemagne",
            "duitsland",
        ],
    ),
    ("AT", &["a", "aut", "oesterreich", "osterreich", "austria", "republik oesterreich"]),
    ("CH", &["che", "schweiz", "switzerland", "suisse", "svizzera", "swiss"]),
    ("LI", &["lie", "fl", "liechtenstein", "fuerstentum liechtenstein"]),
    (
        "GB",
        &[
            "gbr",
            "uk",
            "united kingdom",
            "great britain",
            "grossbritannien",
            "vereinigtes koenigreich",
            "england",
            "scotland",
            "schottland",
            "wales",
            "northern ireland",
            "u k",
        ],
    ),
    (
        "US",
        &[
            "usa",
            "us",
            "u s",
            "u s a",
            "united states",
            "united states of america",
            "vereinigte staaten",
            "vereinigte staaten von amerika",
            "amerika",
        ],
    ),
    ("FR", &["f", "fra", "frankreich", "france"]),
    ("NL", &["nld", "niederlande", "netherlands", "holland", "nederland"]),
    ("IT", &["i", "ita", "italien", "italy", "italia"]),
    ("ES", &["e", "esp", "spanien", "spain", "espana"]),
    ("PL", &["pol", "polen", "poland", "polska"]),
    ("BE", &["b", "bel", "belgien", "belgium", "belgique", "belgie"]),
    ("DK", &["dnk", "daenemark", "denmark", "danmark"]),
    ("SE", &["swe", "s", "schweden", "sweden", "sverige"]),
    ("NO", &["nor", "n", "norwegen", "norway", "norge"]),
    ("FI", &["fin", "finnland", "finland", "suomi"]),
    ("LU", &["lux", "l", "luxemburg", "luxembourg", "letzebuerg"]),
    ("IE", &["irl", "irland", "ireland", "republic of ireland", "eire"]),
    ("PT", &["prt", "p", "portugal"]),
    (
        "CZ",
        &["cze", "tschechien", "tschechische republik", "czech republic", "czechia", "cesko"],
    ),
    ("SK", &["svk", "slowakei", "slovakia", "slovensko"]),
    ("HU", &["hun", "ungarn", "hungary", "magyarorszag"]),
    ("SI", &["svn", "slowenien", "slovenia", "slovenija"]),
    ("HR", &["hrv", "kroatien", "croatia", "hrvatska"]),
    ("RO", &["rou", "rumaenien", "romania"]),
    ("BG", &["bgr", "bulgarien", "bulgaria"]),
    ("GR", &["grc", "griechenland", "greece", "hellas"]),
    ("EE", &["est", "estland", "estonia"]),
    ("LV", &["lva", "lettland", "latvia"]),
    ("LT", &["ltu", "litauen", "lithuania"]),
    ("MT", &["mlt", "malta"]),
    ("CY", &["cyp", "zypern", "cyprus"]),
    ("IS", &["isl", "island", "iceland"]),
    ("TR", &["tur", "tuerkei", "turkey", "turkiye", "tuerkiye"]),
    ("UA", &["ukr", "ukraine"]),
    ("RU", &["rus", "russland", "russia", "russian federation", "russische foederation"]),
    ("RS", &["srb", "serbien", "serbia"]),
    ("BA", &["bih", "bosnien", "bosnien und herzegowina", "bosnia and herzegovina"]),
    ("CA", &["can", "kanada", "canada"]),
    ("MX", &["mex", "mexiko", "mexico"]),
    ("BR", &["bra", "brasilien", "brazil", "brasil"]),
    ("AU", &["aus", "australien", "australia"]),
    ("NZ", &["nzl", "neuseeland", "new zealand"]),
    ("JP", &["jpn", "japan"]),
    ("CN", &["chn", "china", "volksrepublik china"]),
    ("IN", &["ind", "indien", "india"]),
    ("ZA", &["zaf", "suedafrika", "south africa"]),
    ("IL", &["isr", "israel"]),
    ("AE", &["are", "uae", "vereinigte arabische emirate", "united arab emirates"]),
];
