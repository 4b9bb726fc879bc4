//! Names, companies and their sound.

use stammkunde::text::{case, company, fold, name, phonetic, placeholder};

fn assert_each<T: PartialEq + std::fmt::Debug>(cases: &[(&str, T)], of: impl Fn(&str) -> T) {
    for (text, expected) in cases {
        assert_eq!(&of(text), expected, "{text:?}");
    }
}

#[test]
fn folding_spells_umlauts_out_and_drops_other_diacritics() {
    assert_each(
        &[
            ("Müller-Lüdenscheidt", "mueller luedenscheidt"),
            ("Mu\u{308}ller", "mueller"),
            ("Mueller", "mueller"),
            ("MÜLLER", "mueller"),
            ("O'Brien", "obrien"),
            ("O’Brien", "obrien"),
            ("Groß", "gross"),
            ("GROẞ", "gross"),
            ("Łukasz Żółć", "lukasz zolc"),
            ("Søren Ærø", "soren aero"),
            ("Đorđe", "dorde"),
            ("Işık Şahin", "isik sahin"),
            ("İbrahim", "ibrahim"),
            ("Ｍüller", "mueller"),
            ("François  d’Été", "francois dete"),
            ("a\u{200D}b\u{202E}c", "abc"),
            ("Иванов", "иванов"),
            ("김철수", "김철수"),
        ]
        .map(|(text, words)| (text, words.to_owned())),
        fold::words,
    );
}

#[test]
fn titles_and_salutations_are_no_part_of_a_name() {
    assert_each(
        &[
            ("Dr. Thomas", "Thomas"),
            ("Prof. Dr. med. Anna", "Anna"),
            ("Prof.Dr.Anna", "Anna"),
            ("Dr. rer. nat. Eva Maria", "Eva Maria"),
            ("Dipl.-Ing. Jörg", "Jörg"),
            ("Herr Müller", "Müller"),
            ("Herrn Dr. Müller", "Müller"),
            ("Frau von der Leyen", "von der Leyen"),
            ("Mr John", "John"),
            ("Mrs. Jones", "Jones"),
            ("Sir Elton", "Elton"),
            ("King Jr.", "King"),
            ("King, Jr.", "King"),
            ("Windsor III", "Windsor"),
            ("Smith MSc", "Smith"),
            ("Smith M.Sc.", "Smith"),
            ("Herr", "Herr"),
            ("Jack Ma", "Jack Ma"),
            ("St. John", "St. John"),
            ("Smith J.R.", "Smith J.R."),
            ("J.R.", "J.R."),
        ]
        .map(|(text, name)| (text, Some(name.to_owned()))),
        name::display,
    );
    assert_eq!(name::display("Dr."), None, "a title alone is no name");
    assert_eq!(name::display("Prof. Dr."), None);
}

#[test]
fn only_names_of_one_case_are_repaired() {
    assert_each(
        &[
            ("MÜLLER", "Müller"),
            ("MÜLLER-LÜDENSCHEIDT", "Müller-Lüdenscheidt"),
            ("JOHANN WOLFGANG VON GOETHE", "Johann Wolfgang von Goethe"),
            ("VON DER LEYEN", "von der Leyen"),
            ("van de velde", "van de Velde"),
            ("o'brien", "O'Brien"),
            ("MCDONALD", "McDonald"),
            ("mack", "Mack"),
            ("DE", "De"),
            ("LeBron", "LeBron"),
            ("ÖZGÜR", "Özgür"),
            ("j.r.", "J.R."),
            ("김", "김"),
            ("straße", "Straße"),
        ]
        .map(|(text, name)| (text, name.to_owned())),
        case::repair,
    );
}

#[test]
fn the_first_given_name_is_compared_and_a_hyphenated_one_is_whole() {
    assert_each(
        &[
            ("Hans-Peter", "hanspeter"),
            ("Hanspeter", "hanspeter"),
            ("Anna Maria", "anna"),
            ("Thomas (Tom)", "thomas"),
            ("Jürgen", "juergen"),
            ("(Tom)", "tom"),
        ]
        .map(|(text, name)| (text, Some(name.to_owned()))),
        name::given_matching,
    );
}

#[test]
fn whole_names_are_split_in_either_order() {
    assert_each(
        &[
            ("Müller, Thomas", ("Thomas", "Müller")),
            ("Thomas Müller", ("Thomas", "Müller")),
            ("Müller Thomas", ("Thomas", "Müller")),
            ("MÜLLER THOMAS", ("Thomas", "Müller")),
            ("Johann Wolfgang von Goethe", ("Johann Wolfgang", "von Goethe")),
            ("von Goethe, Johann", ("Johann", "von Goethe")),
            ("Ursula von der Leyen", ("Ursula", "von der Leyen")),
            ("Herr Dr. Hans-Peter Schmidt", ("Hans-Peter", "Schmidt")),
            ("Schmidt, Dr. Petra", ("Petra", "Schmidt")),
            ("John Smith Jr.", ("John", "Smith")),
            ("Xyloph Unbekannter", ("Xyloph", "Unbekannter")),
            ("Schmidt Anna Maria", ("Anna Maria", "Schmidt")),
            ("Thomas und Petra Müller", ("Thomas und Petra", "Müller")),
            ("AL GORE", ("Al", "Gore")),
            ("von Goethe Johann", ("Johann", "von Goethe")),
        ]
        .map(|(text, (given, family))| (text, (Some(given.to_owned()), Some(family.to_owned())))),
        |text| {
            let split = name::split_full(text);
            (split.given, split.family)
        },
    );
    assert_eq!(name::split_full("Thomas").given.as_deref(), Some("Thomas"));
    assert_eq!(name::split_full("Müller").family.as_deref(), Some("Müller"));
    assert_eq!(name::split_full(" , "), name::Split::default());
}

#[test]
fn spellings_of_one_sound_share_a_code() {
    for other in ["Mueller", "Muller", "MÜLLER", "Mu\u{308}ller"] {
        assert_eq!(phonetic::cologne(other), phonetic::cologne("Müller"), "{other}");
    }
    assert_eq!(phonetic::cologne("Müller"), "657");
    assert_eq!(phonetic::cologne("Wikipedia"), "3412");
    assert_ne!(phonetic::cologne("Meier"), phonetic::cologne("Schmidt"));
    assert_eq!(phonetic::soundex("Robert"), "R163");
    assert_eq!(phonetic::double_metaphone("Smith"), "SM0");
    assert_eq!(phonetic::cologne("김"), "");
}

#[test]
fn companies_are_compared_without_their_legal_form() {
    assert_each(
        &[
            ("Müller & Söhne GmbH & Co. KG", "mueller und soehne"),
            ("Müller und Söhne", "mueller und soehne"),
            ("Muster AG", "muster"),
            ("Kreativ UG (haftungsbeschränkt)", "kreativ"),
            ("Bäckerei Huber e.K.", "baeckerei huber"),
            ("Bäckerei Huber e. K.", "baeckerei huber"),
            ("Acme Ltd.", "acme"),
            ("Acme, Inc.", "acme"),
            ("Smith and Sons PLC", "smith und sons"),
            ("Danone S.A.", "danone"),
            ("Philips B.V.", "philips"),
            ("AG", "ag"),
            ("Levi's LLC", "levis"),
        ]
        .map(|(text, name)| (text, Some(name.to_owned()))),
        company::matching,
    );
}

#[test]
fn words_that_say_nothing_are_placeholders() {
    for text in [
        "n/a",
        "N/A",
        "na",
        "none",
        "NULL",
        "unknown",
        "Unbekannt",
        "k.A.",
        "k. A.",
        "keine Angabe",
        "-",
        "--",
        ".",
        "xxx",
        "XX",
        "test",
        "tbd",
        "?",
        "…",
        "\u{200B}",
    ] {
        assert!(placeholder::is_placeholder(text), "{text:?}");
    }
    for text in ["Nana", "Testa", "Anna", "5", "X.", "Noner"] {
        assert!(!placeholder::is_placeholder(text), "{text:?}");
    }
}
