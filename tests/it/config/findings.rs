//! What is wrong with a `pipeline.yaml`, all at once: line, column, what, and what to do.

use stammkunde::config::{self, Overrides};
use stammkunde::error::ErrorKind;

use super::{PERSON_SQL, findings, folder, load_all, minimal, project, shown};

/// Checks the findings of the smallest project with more lines, which start at line 5.
fn check(more: &str, expected: &[&str]) {
    assert_eq!(findings(&minimal(more)), expected, "{more}");
}

#[test]
fn broken_yaml_points_at_the_place() {
    let found = findings("warehouse: out\nsources: [crm\n");
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("3:1: not valid YAML: "), "{found:?}");
}

#[test]
fn a_key_twice_is_an_error() {
    let found = findings("warehouse: out\nsources: {}\nwarehouse: other\n");
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("3:1: not valid YAML: ") && found[0].contains("duplicate"),
        "{found:?}"
    );
    assert!(found[0].contains("a key stands once in a mapping"), "{found:?}");
}

#[test]
fn an_empty_file_and_a_list_are_not_a_pipeline() {
    assert_eq!(findings(""), ["1:1: the file is empty"]);
    assert_eq!(
        findings("- a\n"),
        ["1:1: the file must hold a mapping with `warehouse` and `sources`, not a list"]
    );
    assert_eq!(findings("a: 1\n---\nb: 2\n"), ["1:1: the file holds more than one YAML document"]);
}

#[test]
fn what_is_required_is_named() {
    assert_eq!(
        findings("country: DE\n"),
        [
            "1:1: `sources` is missing | The exports, by name. Names are `[a-z][a-z0-9_]*`.",
            "1:1: `warehouse` is missing | Where versions are published: a folder (relative to this file) or a URL `s3://`, `gs://`, `az://`, \
             `file://`.",
            "1:1: the secret that mints customer keys is missing | write `keys: secret: ${STAMMKUNDE_KEY_SECRET}` and set that variable once, \
             e.g. to the output of `openssl rand -hex 32`",
            "sources/crm.contacts.sql:0:0: there is no source `crm` in pipeline.yaml | known: none",
        ]
    );
}

#[test]
fn unknown_keys_have_a_suggestion() {
    check("contry: DE\n", &["5:1: unknown key `contry` | did you mean `country`?"]);
    check(
        "identity:\n  trainig: {}\n",
        &["6:3: unknown key `trainig` | did you mean `training`?"],
    );
    check(
        "gates:\n  rows_drop_mx: 1\n",
        &["6:3: unknown key `rows_drop_mx` | did you mean `rows_drop_max`?"],
    );
    check(
        "profile:\n  zzz: 1\n",
        &["6:3: unknown key `zzz` | known: `survivorship`, `consent`"],
    );
}

#[test]
fn wrong_types_say_what_is_wanted() {
    check(
        "currency: 1\n",
        &["5:11: `currency` must be a text, not a number | put it in quotes"],
    );
    check("trust: crm\n", &["5:8: `trust` must be a list, not a text | write `[a, b]`"]);
    check(
        "trust: [1]\n",
        &["5:9: an entry of `trust` must be a text, not a number | put it in quotes"],
    );
    check(
        "standard_models: yes\n",
        &["5:18: `standard_models` must be true or false, not a text"],
    );
    check(
        "identity: {size_max: 1.5}\n",
        &["5:22: `size_max` must be a whole number, not a number"],
    );
    check("identity: {size_max: -1}\n", &["5:22: `size_max` must be 0 or more"]);
    check(
        "identity: {size_max: 4294967296}\n",
        &["5:22: `size_max` must be 4294967295 or less"],
    );
    check("identity: 1\n", &["5:11: `identity` must be a mapping, not a number"]);
    check(
        "settings: {a: [1]}\n",
        &["5:15: `a` must be true or false or a number or a text, not a list"],
    );
}

#[test]
fn a_section_without_content_counts_as_absent() {
    check("identity:\n  # nothing yet\ngates:\nsettings:\ntrust:\n", &[]);
}

#[test]
fn names_of_a_list_are_checked() {
    let yaml = minimal("").replace("format: csv", "format: cvs");
    assert_eq!(
        findings(&yaml),
        ["3:33: `format` must be one of `csv`, `jsonl`, `parquet`, not `cvs` | did you mean `csv`?"]
    );
    check(
        "profile: {survivorship: {email: newest}}\n",
        &[
            "5:33: `email` must be one of `most_recent`, `most_trusted`, `most_complete`, `most_frequent`, `any_true`, `all_true`, not `newest`",
        ],
    );
}

#[test]
fn a_source_without_files_does_not_hide_the_rest() {
    let found = findings("warehouse: out\nsources:\n  crm: {format: csv}\ncurrency: euro\nkeys: {secret: 0123456789abcdef}\n");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("3:8: `files` is missing"), "{found:?}");
    assert!(found[1].starts_with("4:11: `euro` is not a currency code"), "{found:?}");
}

#[test]
fn places_and_currencies_are_checked() {
    check(
        "time_zone: Europe/Berlni\n",
        &["5:12: unknown time zone `Europe/Berlni` | did you mean `Europe/Berlin`?"],
    );
    check(
        "time_zone: Mars\n",
        &["5:12: unknown time zone `Mars` | use an IANA name, e.g. `Europe/Berlin`"],
    );
    check(
        "currency: euro\n",
        &["5:11: `euro` is not a currency code | write an ISO 4217 code, e.g. `EUR`"],
    );
    check("country: UK\n", &["5:10: `UK` is not a country code | did you mean `GB`?"]);
    check(
        "country: Germany\n",
        &["5:10: `Germany` is not a country code | write an ISO 3166 alpha-2 code, e.g. `DE`"],
    );
}

#[test]
fn csv_dialects_are_checked() {
    let yaml = "warehouse: out\nsources:\n  crm:\n    files: x.csv\n    format: csv\n    csv:\n      delimiter: ';;'\n      quote: '§'\n      \
        encoding: windows-12522\nkeys: {secret: 0123456789abcdef}\n";
    assert_eq!(
        findings(yaml),
        [
            "7:18: `delimiter` must be one ASCII character other than a line end | for a tab write \"\\t\"",
            "8:14: `quote` must be one ASCII character other than a line end | for a tab write \"\\t\"",
            "9:17: unknown encoding `windows-12522` | did you mean `windows-1252`?",
        ]
    );
    let same = "warehouse: out\nsources:\n  crm: {files: x, format: csv, csv: {quote: ','}}\nkeys: {secret: 0123456789abcdef}\n";
    assert_eq!(findings(same), ["3:45: `quote` and `delimiter` are the same character"]);
}

#[test]
fn names_of_sources_and_settings_are_checked() {
    let yaml = "warehouse: out\nsources:\n  Shop-1: {files: x, format: csv}\n  crm: {files: y, format: csv}\nkeys: {secret: 0123456789abcdef}\n\
        settings: {Größe: 1}\n";
    let found = findings(yaml);
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(
        found[0],
        "3:3: `Shop-1` is not a name | names are `[a-z][a-z0-9_]*`, at most 63 characters"
    );
    assert!(found[1].starts_with("3:3: the source `Shop-1` has no mapping"));
    assert_eq!(
        found[2],
        "6:12: `Größe` is not a name | names are `[a-z][a-z0-9_]*`, at most 63 characters"
    );
}

#[test]
fn a_source_name_has_at_most_63_characters() {
    for (length, count) in [(62, 0), (63, 0), (64, 1)] {
        let name = "a".repeat(length);
        let yaml = minimal("").replace("crm:", &format!("{name}:"));
        let project = super::folder(&[
            ("pipeline.yaml", &yaml),
            (&format!("sources/{name}.contacts.sql"), super::PERSON_SQL),
        ]);
        assert_eq!(load_all(&project).1.len(), count, "{length}");
    }
}

#[test]
fn the_secret_needs_16_characters() {
    for (length, count) in [(15, 1), (16, 0), (17, 0)] {
        let yaml = minimal("").replace("0123456789abcdef", &"s".repeat(length));
        let found = findings(&yaml);
        assert_eq!(found.len(), count, "{length}");
        assert!(
            found
                .iter()
                .all(|text| text.starts_with("4:16: the secret") && !text.contains("sss")),
            "{found:?}"
        );
    }
}

#[test]
fn probabilities_are_checked() {
    check(
        "identity: {match_probability: 1}\n",
        &["5:31: `match_probability` must be between 0 and 1, both excluded"],
    );
    check(
        "identity: {match_probability: 0.8, possible_probability: 0.9}\n",
        &["5:58: `possible_probability` must not be above `match_probability` (0.8)"],
    );
    check("identity: {match_probability: 0.8, possible_probability: 0.8}\n", &[]);
    check(
        "gates: {rejected_share_max: 1.1}\n",
        &["5:29: `rejected_share_max` must be between 0 and 1 | write `off` to switch the gate off"],
    );
    check("identity: {size_max: 0}\n", &["5:22: `size_max` must be 1 or more"]);
    check(
        "identity: {training: {recall: 0}}\n",
        &["5:31: `recall` must be between 0 and 1, both excluded"],
    );
}

#[test]
fn columns_of_rules_are_checked() {
    check(
        "identity:\n  blocking: [[emial], ['postcode:x'], ['postcode:0'], [], [city], [city]]\n",
        &[
            "6:15: matching has no column `emial` | did you mean `email`?",
            "6:24: `postcode:x` is not a column and a number of characters | write e.g. `postcode:4` for its first 4 characters",
            "6:40: `postcode:0` is not a column and a number of characters | write e.g. `postcode:4` for its first 4 characters",
            "6:55: a rule needs at least one column",
            "6:67: the rule `city` is listed twice",
        ],
    );
}

#[test]
fn there_are_at_most_64_rules_of_a_kind() {
    let list = |count: usize| {
        (1..=count)
            .map(|length| format!("['email:{length}']"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let hint = "drop rules whose pairs others give too: `stammkunde plan` shows what each adds";
    for kind in ["blocking", "deterministic"] {
        for count in [63, 64] {
            check(&format!("identity: {{{kind}: [{}]}}\n", list(count)), &[]);
        }
        let most = format!("5:12: at most 64 rules are possible, not 65 | {hint}");
        check(&format!("identity: {{{kind}: [{}]}}\n", list(65)), &[&most]);
    }
    // Rules for the prior and sessions are sorted into blocks together.
    let training = |count: usize| {
        format!(
            "identity: {{training: {{deterministic: [{}], sessions: [{}]}}}}\n",
            list(5),
            list(count)
        )
    };
    for count in [58, 59] {
        check(&training(count), &[]);
    }
    let found = findings(&minimal(&training(60)));
    assert_eq!(found.len(), 1, "{found:?}");
    let most = format!("at most 64 rules are possible together with `deterministic` beside them, not 65 | {hint}");
    assert!(found[0].ends_with(&most), "{found:?}");
    // Every identifier is a deterministic rule too.
    let yaml = minimal(&format!("identity: {{deterministic: [{}]}}\n", list(64)));
    let with_number = PERSON_SQL.replace("given_name", "customer_no, given_name");
    let folder = folder(&[("pipeline.yaml", &yaml), ("sources/crm.contacts.sql", &with_number)]);
    let found = shown(&load_all(&folder).1);
    let most = format!("pipeline.yaml:5:12: at most 64 rules are possible together with the identifiers, not 65 | {hint}");
    assert_eq!(found, [most]);
}

#[test]
fn identifiers_are_checked() {
    check(
        "identity:\n  identifiers: [email, customer_nr, loyalty_no]\n  exclusive: [phone]\n",
        &[
            "6:17: `email` is not an identifier | equal values of several columns: `deterministic: [[email, family_name]]`",
            "6:24: unknown identifier `customer_nr` | did you mean `customer_no`?",
            "6:37: no source maps the identifier `loyalty_no` | map it in a `sources/*.contacts.sql`, or drop it here",
            "7:15: unknown identifier `phone` | known: `customer_no`, `user_id`, `loyalty_no`, `device_id`",
        ],
    );
}

#[test]
fn sources_in_lists_must_exist() {
    check(
        "trust: [crm, cmr, crm]\nidentity: {one_per_customer: [shop]}\n",
        &[
            "5:14: there is no source `cmr` | did you mean `crm`?",
            "5:19: `crm` is listed twice",
            "6:31: there is no source `shop` | known: `crm`",
        ],
    );
}

#[test]
fn a_level_has_one_test_with_its_parameter() {
    let levels = [
        "{term_frequency: email}",
        "{exact: [email], levenshtein: email, at_most: 1}",
        "{jaro_winkler: email}",
        "{levenshtein: email, at_least: 0.9}",
        "{jaro_winkler: emial, at_least: 1.5}",
        "{exact: [email, fone], and_exact: [stret], m: 1}",
        "{swapped: [given_name]}",
        "{exat: [email]}",
    ];
    let levels: String = levels.iter().map(|level| format!("        - {level}\n")).collect();
    let found = findings(&minimal(&format!(
        "identity:\n  comparisons:\n    - name: email\n      levels:\n{levels}"
    )));
    let tests = "tests: `exact`, `jaro_winkler`, `levenshtein`, `damerau_levenshtein`, `day_month_swapped`, `same_year`, `swapped`, `crossed`, `nickname`";
    assert_eq!(
        found,
        [
            format!("9:11: a level needs a test | {tests}"),
            format!("10:11: a level has one test, not `exact`, `levenshtein` | {tests}"),
            "11:26: `jaro_winkler` needs `at_least` | e.g. `at_least: 0.92`".to_owned(),
            "12:25: `levenshtein` needs `at_most` | e.g. `at_most: 1`".to_owned(),
            "12:32: `levenshtein` takes no `at_least`".to_owned(),
            "13:43: `at_least` must be above 0 and at most 1".to_owned(),
            "14:27: matching has no column `fone` | known: `given_name`, `family_name`, `email`, `email_local`, `phone`, `birth_date`, \
             `gender`, `company`, `street`, `house_number`, `postcode`, `city`, `region`, `country`, `given_name_phonetic`, \
             `family_name_phonetic`, `customer_no`, `user_id`, `loyalty_no`, `device_id`"
                .to_owned(),
            "14:46: matching has no column `stret` | did you mean `street`?".to_owned(),
            "14:57: `m` must be between 0 and 1, both excluded".to_owned(),
            "15:21: `swapped` must have 2 entries, not 1".to_owned(),
            "16:12: unknown key `exat` | did you mean `exact`?".to_owned(),
        ]
    );
}

#[test]
fn there_are_at_most_16_comparisons_of_13_levels() {
    let comparisons = |count: usize, levels: usize| {
        let levels = "{exact: [email]}, ".repeat(levels);
        let list: Vec<String> = (0..count).map(|i| format!("{{name: c{i}, levels: [{levels}]}}")).collect();
        findings(&minimal(&format!("identity: {{comparisons: [{}]}}\n", list.join(", ")))).len()
    };
    assert_eq!([comparisons(15, 1), comparisons(16, 1), comparisons(17, 1)], [0, 0, 1]);
    assert_eq!(
        [comparisons(1, 0), comparisons(1, 12), comparisons(1, 13), comparisons(1, 14)],
        [1, 0, 0, 1]
    );
}

#[test]
fn comparison_names_are_unique() {
    check(
        "identity:\n  comparisons:\n    - {name: a, levels: [{exact: [email]}]}\n    - {name: a, levels: [{exact: [phone]}]}\n",
        &["8:14: the comparison `a` is listed twice"],
    );
}

#[test]
fn survivorship_fits_its_column() {
    check(
        "profile: {survivorship: {e_mail: most_recent, email: any_true, consent_email: any_true, record_id: most_recent}}\n",
        &[
            "5:26: contacts have no column `e_mail` | did you mean `email`?",
            "5:54: `email` is not true or false | use `most_recent` or `most_trusted`",
            "5:89: contacts have no column `record_id` | known: `given_name`, `family_name`, `full_name`, `email`, `phone`, `birth_date`, \
             `gender`, `company`, `street`, `house_number`, `postcode`, `city`, `region`, `country`, `customer_no`, `user_id`, `device_id`, \
             `loyalty_no`, `created_at`, `updated_at`",
        ],
    );
}

#[test]
fn structure_values_and_variables_are_reported_together() {
    let yaml = "warehouse: ${OUT}\nsources:\n  crm: {files: crm.csv, format: csv, colour: red}\ncurrency: euro\nidentity:\n  size_max: many\n\
        keys: {secret: short}\n";
    let found = findings(yaml);
    let places: Vec<&str> = found.iter().map(|text| &text[..text.find(": ").expect("place")]).collect();
    assert_eq!(places, ["1:12", "3:38", "4:11", "6:13", "7:16"]);
}

#[test]
fn what_follows_from_a_finding_is_not_reported_again() {
    let found = findings(&minimal("").replace("secret: 0123456789abcdef", "secrte: 0123456789abcdef"));
    assert_eq!(found.len(), 1, "{found:?}");
    let found = findings("warehose: out\nsources: {crm: {files: x, formt: csv}}\nkeys: {secret: 0123456789abcdef}\n");
    assert_eq!(
        found,
        [
            "1:1: unknown key `warehose` | did you mean `warehouse`?",
            "2:27: unknown key `formt` | did you mean `format`?"
        ]
    );
    let found = findings(&minimal("").replace("secret: 0123456789abcdef", "secret: 1234"));
    assert_eq!(found, ["4:16: `secret` must be a text, not a number | put it in quotes"]);
}

#[test]
fn a_project_with_findings_still_gives_what_could_be_resolved() {
    let (spec, findings) = load_all(&project(&minimal("currency: euro\n")));
    assert_eq!(findings.len(), 1);
    assert_eq!(spec.expect("the rest is good").currency, "EUR");
}

#[test]
fn loading_fails_with_all_findings_and_exit_code_2() {
    let folder = project(&minimal("currency: euro\ncountry: XX\n"));
    let error = config::load(folder.path(), &Overrides::default(), &|_| None).expect_err("two findings");
    assert_eq!((error.kind(), error.kind().exit_code()), (ErrorKind::Config, 2));
    assert_eq!(error.findings().len(), 2);
    assert_eq!(error.message(), "2 errors in the project");
}

#[test]
fn limits_against_merging_too_much_are_checked() {
    check(
        "identity:\n  decisions: ' '\n  generic_values: {emal: 3, phone: 0}\n  cohesion: {records_max: 0, share_min: 1.5}\n",
        &[
            "6:14: `decisions` is empty | leave it out for `decisions/*.csv`",
            "7:20: `emal` is no identifier, e-mail or phone | did you mean `email`?",
            "7:36: `phone` must be 1 or more",
            "8:27: `records_max` must be 1 or more",
            "8:41: `share_min` must be between 0 and 1",
        ],
    );
}

#[test]
fn times_of_retention_are_checked() {
    check(
        "retention: {tables: {orders: 2y, event: 3d, contacts: 3d, order_lines: 1d, rejects: forever, events: 36501d}}\n",
        &[
            "5:30: `2y` is no time | write a number of days, e.g. `400d`, or `forever`",
            "5:34: `event` is no table with an age | did you mean `events`?",
            "5:45: `contacts` have no retention | people leave with the exports, or by `stammkunde privacy erase`",
            "5:59: order lines go with their order | limit `orders`",
            "5:102: `36501d` is more than 36500 days | write a number of days, e.g. `400d`, or `forever`",
        ],
    );
    check(
        "retention: {versions: {keep: 0, days: 99999}}\n",
        &[
            "5:30: `keep` must be 1 or more | the newest version is always kept",
            "5:39: `days` must be 36500 or less",
        ],
    );
    check(
        "privacy: {purge_after_days: 40000}\n",
        &["5:29: `purge_after_days` must be 36500 or less"],
    );
    check("profile: {consent: latest}\nretention: {versions: {keep: 3}}\n", &[]);
}
