//! Identity defaults are chosen from the columns that the contacts mappings give.

use stammkunde::config::Spec;
use stammkunde::config::spec::{BlockingRule, Test};

use super::{folder, good, load_all, minimal, shown};

fn names(rules: &[BlockingRule]) -> Vec<&str> {
    rules.iter().map(|rule| rule.name.as_str()).collect()
}

/// The spec of a project whose one mapping gives these columns.
fn mapped(columns: &str) -> Spec {
    let sql = format!("SELECT id AS record_id, {columns} FROM raw");
    let folder = folder(&[("pipeline.yaml", &minimal("")), ("sources/crm.contacts.sql", &sql)]);
    let (spec, findings) = load_all(&folder);
    assert_eq!(shown(&findings), Vec::<String>::new());
    spec.expect("spec")
}

/// Every comparison as `name(not null): level; level`.
fn comparisons(spec: &Spec) -> Vec<String> {
    spec.identity
        .comparisons
        .iter()
        .map(|comparison| {
            let levels: Vec<String> = comparison
                .levels
                .iter()
                .map(|level| format!("{}{}", level.label, if level.term_frequency.is_some() { " tf" } else { "" }))
                .collect();
            let unless = if comparison.unless.is_empty() { "" } else { " unless " };
            let columns = format!("{}{unless}{}", comparison.not_null.join(", "), comparison.unless.join(", "));
            format!("{}({columns}): {}", comparison.name, levels.join("; "))
        })
        .collect()
}

#[test]
fn a_person_with_every_column_gets_every_rule() {
    let spec = good(&minimal(""));
    assert_eq!(
        names(&spec.identity.blocking),
        [
            "email",
            "phone",
            "family_name + birth_date",
            "given_name + birth_date",
            "postcode + family_name",
            "email_local",
            "postcode + given_name",
            "family_name_phonetic + given_name:1 + postcode:3",
            "given_name + family_name",
            "family_name_phonetic + given_name_phonetic",
            "family_name_phonetic + birth_date:4",
            "given_name_phonetic + birth_date:7",
            "city + given_name",
            "family_name",
            "birth_date",
            "postcode",
            "street + house_number",
        ]
    );
    assert_eq!(
        comparisons(&spec),
        [
            "given_name(given_name): given_name exact tf; given_name + family_name swapped; given_name nickname; \
             given_name jaro_winkler >= 0.92; given_name jaro_winkler >= 0.88; given_name + family_name crossed; \
             given_name jaro_winkler >= 0.7",
            "family_name(family_name): exact tf; jaro_winkler >= 0.92; jaro_winkler >= 0.88; jaro_winkler >= 0.7",
            "birth_date(birth_date): exact; day_month_swapped; damerau_levenshtein <= 1; same_year",
            "email(email): email exact tf; email_local exact tf; email jaro_winkler >= 0.88",
            "phone(phone): exact tf; levenshtein <= 1",
            "address(postcode): postcode + street + house_number exact; postcode + street exact; \
             street jaro_winkler >= 0.9 and postcode exact; street + house_number exact; \
             street jaro_winkler >= 0.9 and city jaro_winkler >= 0.88; postcode exact tf; \
             postcode damerau_levenshtein <= 1 and city jaro_winkler >= 0.88; postcode damerau_levenshtein <= 1; city exact tf",
            "city(city unless postcode): exact tf; jaro_winkler >= 0.88",
        ]
    );
    assert_eq!(
        names(&spec.identity.training.deterministic),
        ["email + family_name", "given_name + family_name + birth_date", "phone + given_name"]
    );
    assert_eq!(
        names(&spec.identity.training.sessions),
        ["email", "given_name + family_name + birth_date"]
    );
    assert!(spec.identity.identifiers.is_empty() && spec.identity.deterministic.is_empty());
}

#[test]
fn the_numbers_have_their_documented_defaults() {
    let identity = good(&minimal("")).identity;
    assert_eq!((identity.match_probability, identity.possible_probability), (0.95, 0.5));
    assert_eq!((identity.shared_by_records_max, identity.block_pairs_max), (50, 20_000_000));
    assert_eq!(identity.cluster.size_max, 200);
    let training = identity.training;
    assert_eq!((training.recall, training.convergence), (0.7, 0.0001));
    assert_eq!((training.u_pairs_max, training.session_pairs_max), (500_000, 500_000));
    assert_eq!((training.iterations_max, training.seed), (25, 1));
}

#[test]
fn mapped_identifiers_are_used_and_link_first() {
    let spec = mapped("kd_nr AS customer_no, device AS device_id, email");
    assert_eq!(spec.identity.identifiers, ["customer_no", "device_id"]);
    assert_eq!(names(&spec.identity.deterministic), ["customer_no", "device_id"]);
}

#[test]
fn a_full_name_stands_for_given_and_family_name() {
    let spec = mapped("name AS full_name, city");
    let blocking = names(&spec.identity.blocking);
    assert!(blocking.contains(&"given_name + family_name") && blocking.contains(&"city + given_name"));
    assert_eq!(spec.identity.comparisons.len(), 3);
}

#[test]
fn columns_in_comments_and_literals_do_not_count() {
    let spec = mapped("email, -- phone\n 'postcode' AS region /* birth_date */");
    assert_eq!(names(&spec.identity.blocking), ["email", "email_local"]);
}

#[test]
fn common_keys_are_coarse_rules() {
    let spec = mapped("given_name, family_name");
    let coarse: Vec<bool> = spec.identity.blocking.iter().map(|rule| rule.coarse).collect();
    assert_eq!(
        names(&spec.identity.blocking),
        [
            "given_name + family_name",
            "family_name_phonetic + given_name_phonetic",
            "family_name"
        ]
    );
    assert_eq!(coarse, [true, true, true]);
    assert_eq!(names(&spec.identity.training.deterministic), ["given_name + family_name"]);
}

#[test]
fn every_comparison_is_trained_by_a_session_where_the_columns_allow_it() {
    let people = "given_name, family_name, birth_date, postcode, city";
    for columns in [
        people,
        &format!("{people}, email"),
        &format!("{people}, phone"),
        &format!("{people}, company, street"),
    ] {
        let identity = mapped(columns).identity;
        assert!(identity.training.sessions.len() >= 2, "{columns}");
        for comparison in &identity.comparisons {
            let read = comparison.columns();
            let trained = identity
                .training
                .sessions
                .iter()
                .any(|session| session.keys.iter().all(|key| !read.contains(&key.column)));
            assert!(trained, "{} of {columns}", comparison.name);
        }
    }
}

#[test]
fn email_alone_makes_a_project() {
    let identity = mapped("email").identity;
    assert_eq!(names(&identity.training.deterministic), ["email"]);
    assert_eq!(identity.comparisons.len(), 1);
    assert!(
        identity.training.sessions.is_empty(),
        "nothing is left to train once the e-mail agrees"
    );
}

#[test]
fn written_rules_and_comparisons_replace_the_defaults() {
    let yaml = minimal(
        "identity:\n  identifiers: []\n  blocking: [[email], ['family_name:4', postcode]]\n  deterministic: [[email, family_name]]\n  \
         comparisons:\n    - name: street\n      levels:\n        - {exact: [street, postcode], term_frequency: street, m: 0.8, u: 0.01}\n        \
         - {jaro_winkler: street, at_least: 0.9, and_exact: [city]}\n        - {swapped: [given_name, family_name]}\n        \
         - {crossed: [given_name, family_name]}\n        - {nickname: given_name}\n      unless: [email, phone]\n  \
         training: {sessions: [[email]], deterministic: [[phone]], recall: 0.8}\n  one_per_customer: [crm]\n  exclusive: [customer_no]\n",
    );
    let identity = good(&yaml).identity;
    assert_eq!(names(&identity.blocking), ["email", "family_name:4 + postcode"]);
    assert_eq!(identity.blocking[1].keys[0].prefix, Some(4));
    assert_eq!(names(&identity.deterministic), ["email + family_name"]);
    assert_eq!(names(&identity.training.sessions), ["email"]);
    assert_eq!(names(&identity.training.deterministic), ["phone"]);
    assert_eq!(identity.training.recall, 0.8);
    assert_eq!(identity.cluster.one_per_customer, ["crm"]);
    assert_eq!(identity.cluster.exclusive, ["customer_no"]);
    let [street] = identity.comparisons.as_slice() else {
        panic!("one comparison")
    };
    assert_eq!(street.not_null, ["postcode", "street"]);
    assert_eq!(street.unless, ["email", "phone"]);
    assert_eq!(street.levels[3].label, "given_name + family_name crossed");
    assert_eq!(street.levels[4].test, Test::Nickname("given_name".to_owned()));
    assert_eq!((street.levels[0].m, street.levels[0].u), (Some(0.8), Some(0.01)));
    let expected = Test::All(vec![
        Test::JaroWinkler("street".to_owned(), 0.9),
        Test::Exact(vec!["city".to_owned()]),
    ]);
    assert_eq!(street.levels[1].test, expected);
    assert_eq!(street.levels[1].label, "street jaro_winkler >= 0.9 and city exact");
}

#[test]
fn a_low_threshold_takes_the_possible_one_with_it() {
    let identity = good(&minimal("identity: {match_probability: 0.3}\n")).identity;
    assert_eq!((identity.match_probability, identity.possible_probability), (0.3, 0.3));
}

#[test]
fn sources_missing_in_trust_follow_by_name() {
    let yaml = "warehouse: out\ntrust: [c]\nsources:\n  a: {files: a, format: csv}\n  b: {files: b, format: csv}\n  c: {files: c, format: csv}\n\
        keys: {secret: 0123456789abcdef}\n";
    let sql = "SELECT id AS record_id, email FROM x";
    let folder = folder(&[
        ("pipeline.yaml", yaml),
        ("sources/a.contacts.sql", sql),
        ("sources/b.contacts.sql", sql),
        ("sources/c.contacts.sql", sql),
    ]);
    assert_eq!(load_all(&folder).0.expect("spec").trust, ["c", "a", "b"]);
}
