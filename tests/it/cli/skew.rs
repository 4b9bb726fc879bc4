//! Skewed and hostile data: bounded pairs and memory, the skew told, and every other customer as it was.
//!
//! Each test publishes a small project, adds rows that hold the skew, and runs again with the model of the first version.

use std::collections::BTreeMap;

use serde_json::Value;

use super::support::{AS_OF, Project};

/// Most pairs of a block: so few that the skew of a test shows what a hundred times more records do with the default.
const BLOCK_PAIRS_MAX: u64 = 20_000;
/// How much memory the skew may take beside that of the clean run.
const MEMORY_BYTES_MORE_MAX: u64 = 192 << 20;

struct Skewed {
    plan: Value,
    report: Value,
    project: Project,
}

impl Skewed {
    /// Runs without and with `rows` in the CRM; checks that customers without them stay and that memory does.
    #[track_caller]
    fn run(rows: &[String]) -> Self {
        let project = Project::small();
        let limit = format!("identity:\n  block_pairs_max: {BLOCK_PAIRS_MAX}\n");
        project.edit("pipeline.yaml", "identity:\n", &limit);
        let clean = project.run(&[]);
        let before = customers(&project);
        project.write_csv("exports/crm_more.csv", super::support::CRM_HEADER, rows);
        let plan = project.call("plan", &["--as-of", AS_OF, "--format", "json"]).ends_with(0).json();
        // A plan counts all pairs, so this run compares them all.
        let report = project.run(&["--full-refresh"]);
        let mut after = customers(&project);
        after.retain(|record, _| before.contains_key(record));
        assert_eq!(after, before, "customers without the skew changed");
        let memory = |report: &Value| report["resources"]["memory_bytes_max"].as_u64().expect("bytes");
        assert!(
            memory(&report) < memory(&clean) + MEMORY_BYTES_MORE_MAX,
            "{} after {}",
            memory(&report),
            memory(&clean)
        );
        assert_eq!(report["identity"]["pairs"]["pairs"], plan["pairs"]);
        Self { plan, report, project }
    }

    fn rule(&self, name: &str) -> &Value {
        let rules = self.report["identity"]["blocking"].as_array().expect("rules");
        rules
            .iter()
            .find(|rule| rule["rule"] == name)
            .unwrap_or_else(|| panic!("no rule {name}"))
    }

    /// Records of the largest block of a rule, as the plan tells it.
    fn largest(&self, rule: &str) -> &Value {
        let blocks = self.plan["largest_blocks"].as_array().expect("blocks");
        &blocks
            .iter()
            .find(|block| block["rule"] == rule)
            .unwrap_or_else(|| panic!("no block of {rule}"))["records"]
    }

    fn pairs(&self) -> u64 {
        self.report["identity"]["pairs"]["pairs"].as_u64().expect("a count")
    }
}

fn customers(project: &Project) -> BTreeMap<(String, String), String> {
    let rows = project.table("identities").into_iter();
    rows.map(|row| ((row["source"].clone(), row["record_id"].clone()), row["customer_key"].clone()))
        .collect()
}

/// A row of the CRM: number, given name, family name, mail, day of birth, postcode, city.
fn row(at: usize, [given, family, mail, born, zip, city]: [&str; 6]) -> String {
    format!("X-{at:05};;;{given};{family};{mail};;{born};;{zip};{city};01.02.2026")
}

/// Letters that differ from number to number, so that no two names are alike.
fn word(at: usize) -> String {
    let letters = b"bcdfghklmnprstvw";
    let mut word: String = [at / 256 % 16, at / 16 % 16, at % 16]
        .iter()
        .map(|&at| format!("{}a{}", char::from(letters[at]), char::from(letters[(at * 7 + 3) % 16])))
        .collect();
    word.make_ascii_lowercase();
    word
}

#[test]
fn a_block_of_equal_mails_is_split_and_told() {
    let rows: Vec<String> = (0..2000)
        .map(|at| {
            let zip = format!("{:05}", 30_000 + at);
            row(at, [&word(at), &word(4095 - at), "alle@skewed.example", "", &zip, ""])
        })
        .collect();
    let skewed = Skewed::run(&rows);
    let rule = skewed.rule("email");
    assert_eq!(skewed.largest("email"), 2000);
    assert_eq!(rule["blocks_refined"], 1, "{rule:#}");
    assert!(rule["pairs_left_out"].as_u64() > Some(1_900_000), "{rule:#}");
    assert!(skewed.pairs() < 400_000, "{} pairs", skewed.pairs());
    let text = skewed.project.call("plan", &["--as-of", AS_OF]).ends_with(0).stdout;
    assert!(text.contains("2,000") && !text.contains("alle@"), "{text}");
    let run = skewed.project.call("run", &["--as-of", "2026-11-01"]).ends_with(0).stdout;
    assert!(run.contains("1 blocks of the rule email were too large"), "{run}");
}

#[test]
fn records_without_a_name_are_customers_of_their_own_and_cost_no_pair() {
    let before = Skewed::run(&[row(0, ["", "", "", "", "", ""])]).pairs();
    let rows: Vec<String> = (0..4000).map(|at| row(at, ["", "", "", "", "", ""])).collect();
    let skewed = Skewed::run(&rows);
    assert_eq!(skewed.pairs(), before);
    assert_eq!(skewed.report["identity"]["customers"], 24 + 4000);
}

#[test]
fn a_column_of_one_value_is_left_out_and_told() {
    let rows: Vec<String> = (0..1500)
        .map(|at| {
            let mail = format!("{}@skewed.example", word(at));
            row(at, [&word(at), &word(4095 - at), &mail, "01.02.1970", "30159", "Hannover"])
        })
        .collect();
    let skewed = Skewed::run(&rows);
    for name in ["birth_date", "postcode"] {
        assert_eq!(skewed.largest(name), 1500, "{name}");
    }
    for name in ["birth_date", "postcode"] {
        let coarse = skewed.rule(name);
        assert!(coarse["blocks_left_out"].as_u64() >= Some(1), "{coarse:#}");
        assert!(coarse["pairs"].as_u64() <= Some(BLOCK_PAIRS_MAX), "{coarse:#}");
    }
    assert!(skewed.report["identity"]["largest_customer"].as_u64() < Some(20));
}

#[test]
fn texts_of_ten_kilobytes_are_compared_in_bounded_time() {
    let rows: Vec<String> = (0..40)
        .map(|at| {
            let long = word(at).repeat(10_000 / 6);
            let mail = format!("{}@skewed.example", &long[..60]);
            row(at, [&long, &word(4095 - at), &mail, "03.04.1971", "31134", &long])
        })
        .collect();
    let skewed = Skewed::run(&rows);
    assert!(skewed.rule("postcode")["pairs"].as_u64() >= Some(40 * 39 / 2));
    assert_eq!(skewed.report["identity"]["records"], 36 + 40);
}

#[test]
fn hostile_unicode_is_text_like_any_other() {
    let zalgo = format!("a{}", "\u{0301}\u{0345}\u{20dd}".repeat(1500));
    let hostile = [
        zalgo.as_str(),
        "\u{202e}dlanoR\u{202c}",
        "\u{feff}\u{200b}\u{200d}\u{2060}",
        "İIıi\u{0307}ß\u{fb03}ẞ",
        "👩\u{200d}👩\u{200d}👧\u{200d}👦👩🏽\u{200d}🚀",
        "\u{fdfa}\u{fdfa}\u{fdfa}",
        "\u{1d400}\u{1d401}\u{10ffff}\u{fffd}",
        "ﾊﾝｶｸ ｶﾅ 한글 ᄀ\u{1161}\u{11a8}",
        "\u{0085}\u{2028}\u{2029}\u{00a0}",
    ];
    let rows: Vec<String> = hostile
        .iter()
        .flat_map(|given| hostile.iter().map(move |family| (given, family)))
        .enumerate()
        .map(|(at, (given, family))| row(at, [given, family, &format!("{given}@{family}"), "05.06.1972", "32105", family]))
        .collect();
    let skewed = Skewed::run(&rows);
    let records = skewed.report["identity"]["records"].as_u64().expect("a count");
    assert_eq!(records, 36 + 81, "every row is a record");
    // The same again gives the same.
    let first = skewed.project.hashes();
    skewed.project.run(&["--as-of", "2026-11-01"]);
    let second = skewed.project.hashes();
    assert_eq!(first["links"], second["links"]);
    assert_eq!(first["contacts"], second["contacts"]);
}
