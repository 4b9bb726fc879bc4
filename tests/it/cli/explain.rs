//! `explain`: a record, a pair together, a pair apart, and what it must not show.

use serde_json::Value;

use super::support::{CRM_HEADER, Project, Row, breaches, mail, schema};

fn explain(project: &Project, subject: &[&str]) -> Value {
    let explained = project
        .call("explain", &[subject, &["--format", "json"]].concat())
        .ends_with(0)
        .json();
    assert_eq!(breaches(&schema("explain"), &explained), Vec::<String>::new());
    explained
}

fn record(row: &Row, side: &str) -> String {
    format!("{}:{}", row[&format!("{side}_source")], row[&format!("{side}_record_id")])
}

/// The sum of its parts is the match weight.
#[track_caller]
fn assert_adds_up(pair: &Value) {
    let number = |value: &Value| value.as_f64().expect("a number");
    let parts = pair["comparisons"].as_array().expect("comparisons").iter();
    let sum: f64 = parts
        .map(|part| number(&part["weight"]) + number(&part["term_frequency_adjustment"]))
        .sum();
    let total = number(&pair["prior_weight"]) + sum;
    assert!(
        (total - number(&pair["match_weight"])).abs() < 1e-9,
        "{total} is not the weight of {pair:#}"
    );
}

#[test]
fn a_record_is_explained_with_its_customer_links_and_history() {
    let project = Project::small();
    project.run(&["--run-id", "first"]);
    let explained = explain(&project, &["crm:C-002"]);
    assert_eq!(explained["about"], "customer");
    assert_eq!(explained["customer_key"], *project.key_of("crm", "C-002"));
    assert_eq!(explained["records"].as_array().map(Vec::len), Some(2), "{explained:#}");
    assert_eq!(explained["links"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&explained["events"][0]["event"], &explained["events"][0]["run_id"]),
        (&"created".into(), &"first".into())
    );
    let text = project.call("explain", &["crm:C-002"]).ends_with(0).stdout;
    assert!(text.contains("2 records") && text.contains("crm:C-002"), "{text}");
}

#[test]
fn an_explanation_masks_values_of_people_unless_asked() {
    let project = Project::small();
    project.run(&[]);
    let shop = format!("shop:{}", mail(2));
    for arguments in [vec!["crm:C-002"], vec!["crm:C-002", &shop], vec!["crm:C-002", "--format", "json"]] {
        let masked = project.call("explain", &arguments).ends_with(0).stdout.to_lowercase();
        for value in ["cornelia", "cordesius", "+49305550102", "lindenweg"] {
            assert!(!masked.contains(value), "{value} in {masked}");
            let shown = project
                .call("explain", &[&arguments[..], &["--show-pii"]].concat())
                .ends_with(0)
                .stdout
                .to_lowercase();
            assert!(shown.contains(value), "{value} is not in {shown}");
        }
    }
}

#[test]
fn the_weights_of_a_pair_add_up_to_what_was_published() {
    let project = Project::demo();
    let links = project.table("links");
    let scored: Vec<&Row> = links.iter().step_by(links.len() / 3).collect();
    for link in scored {
        let pair = explain(&project, &[&record(link, "left"), &record(link, "right")]);
        assert_eq!(pair["about"], "pair");
        assert_eq!(pair["left_customer_key"], pair["right_customer_key"]);
        assert!(
            ["matched", "deterministic", "indirect"].contains(&pair["verdict"].as_str().expect("a verdict")),
            "{pair:#}"
        );
        assert_adds_up(&pair);
        let published: f64 = link["match_weight"].parse().expect("a number");
        let computed = pair["match_weight"].as_f64().expect("a number");
        // A deterministic rule lifts a link to the threshold.
        let threshold = pair["threshold_weight"].as_f64().expect("a number");
        let expected = if pair["verdict"] == "deterministic" {
            computed.max(threshold)
        } else {
            computed
        };
        assert!(
            (published - expected).abs() < 1e-9,
            "{published} was published, {expected} is explained: {pair:#}"
        );
    }
}

#[test]
fn a_pair_apart_says_whether_it_was_ever_compared() {
    let project = Project::small();
    project.append("exports/crm.csv", "C-600;K600;;Xaver;Achterberg;;;;;10115;Berlin;01.01.2026");
    project.run(&[]);
    let strangers = explain(&project, &["crm:C-001", "crm:C-002"]);
    assert_eq!(strangers["verdict"], "not_blocked", "{strangers:#}");
    assert_adds_up(&strangers);
    // Person 0 is an Achterberg in 10115 too, with another given name.
    let namesakes = explain(&project, &["crm:C-000", "crm:C-600"]);
    assert_eq!(namesakes["verdict"], "below_threshold", "{namesakes:#}");
    assert!(namesakes["match_weight"].as_f64() < namesakes["threshold_weight"].as_f64());
    assert_adds_up(&namesakes);
    let text = project.call("explain", &["crm:C-001", "crm:C-002"]).ends_with(0).stdout;
    assert!(text.contains("no blocking rule pairs them"), "{text}");
}

#[test]
fn what_is_not_there_ends_with_3_and_a_hint() {
    let project = Project::small();
    project
        .call("explain", &["crm:C-001"])
        .ends_with(3)
        .says("nothing is published yet")
        .says("hint:");
    project.run(&[]);
    project.call("explain", &["crm:nobody"]).ends_with(3).says("identities.parquet");
    project.call("explain", &["cmr:C-001"]).ends_with(3).says("sources crm, shop");
    project
        .call("explain", &["crm:C-001", "crm:C-001"])
        .ends_with(2)
        .says("same record");
    let typed = project.call("explain", &["shop:somebody.else@post.example"]).ends_with(3);
    assert!(
        !typed.stderr.contains("somebody.else"),
        "an address reached the log: {}",
        typed.stderr
    );
}

#[test]
fn without_relations_a_weight_is_made_of_comparisons_alone() {
    let parts_of = |config: Option<&str>| -> Vec<String> {
        let project = Project::small();
        if let Some(line) = config {
            project.edit("pipeline.yaml", "identity:\n", &format!("identity:\n  {line}\n"));
        }
        project.append("exports/crm.csv", "C-600;K600;;Xaver;Achterberg;;;;;10115;Berlin;01.01.2026");
        project.run(&[]);
        let pair = explain(&project, &["crm:C-000", "crm:C-600"]);
        assert_adds_up(&pair);
        let parts = pair["comparisons"].as_array().expect("comparisons").iter();
        parts.map(|part| part["comparison"].as_str().expect("a name").to_owned()).collect()
    };
    let other_people = "other people".to_owned();
    assert!(parts_of(None).contains(&other_people));
    assert!(!parts_of(Some("training: {relations: false}")).contains(&other_people));
}

/// A row of the CRM with a number and a card.
fn crm(id: &str, no: &str, given: &str, family: &str, street: &str) -> String {
    format!("{id};{no};;{given};{family};;;07.08.1966;{street};10115;Berlin;01.02.2026")
}

#[test]
fn a_customer_is_explained_with_its_weakest_bridge_and_the_fields_in_conflict() {
    let project = Project::small();
    // Two records by one number, and a third by a decision: without it the customer falls into two and one.
    project.write_csv(
        "exports/crm_more.csv",
        CRM_HEADER,
        &[
            crm("B-1", "Z-9", "Waldemar", "Quitzow", "Uferweg 1"),
            crm("B-2", "Z-9", "Waldemar", "Quitzow", "Uferweg 1"),
            "B-3;;;Ottokar;Quitzow;;;11.12.1944;Bergweg 9;80331;München;01.02.2026".to_owned(),
        ],
    );
    project.write(
        "decisions/a.csv",
        "decision,left_source,left_record_id,right_source,right_record_id\nmust_link,crm,B-2,crm,B-3\n",
    );
    project.run(&[]);
    let explained = explain(&project, &["crm:B-1"]);
    assert_eq!(explained["records"].as_array().map(Vec::len), Some(3), "{explained:#}");
    let bridge = &explained["weakest_bridge"];
    assert_eq!(
        (&bridge["link"]["left"], &bridge["link"]["right"]),
        (&"crm:B-2".into(), &"crm:B-3".into()),
        "{bridge:#}"
    );
    assert_eq!((&bridge["left_records"], &bridge["right_records"]), (&2.into(), &1.into()));
    assert_eq!(bridge["link"]["rule"], "must_link");
    let conflicts = explained["conflicts"].as_array().expect("conflicts");
    let given = conflicts
        .iter()
        .find(|conflict| conflict["field"] == "given_name")
        .expect("given names");
    assert_eq!(
        given["values"],
        serde_json::json!([{"value": "W***r", "records": 2}, {"value": "O***r", "records": 1}])
    );
    assert!(
        conflicts.iter().all(|conflict| conflict["field"] != "family_name"),
        "{conflicts:#?}"
    );
    let text = project.call("explain", &["crm:B-1"]).ends_with(0).stdout;
    assert!(
        text.contains("2 and 1 records") && text.contains("fields with several values"),
        "{text}"
    );
    assert!(!text.contains("Ottokar"), "{text}");
    let linked = explain(&project, &["crm:B-1", "crm:B-2"]);
    assert_eq!(linked["verdict"], "deterministic");
    let indirect = explain(&project, &["crm:B-1", "crm:B-3"]);
    assert_eq!(indirect["verdict"], "indirect", "{indirect:#}");
}

#[test]
fn a_pair_apart_names_the_constraint_that_refused_it() {
    let project = Project::small();
    project.edit("pipeline.yaml", "identity:\n", "identity:\n  exclusive: [customer_no]\n");
    let twin = |id: &str, no: &str| {
        format!("{id};{no};;Waldemar;Quitzow;w.quitzow@post.example;030 5559999;07.08.1966;Uferweg 1;10115;Berlin;01.02.2026")
    };
    project.write_csv("exports/crm_more.csv", CRM_HEADER, &[twin("B-1", "Z-1"), twin("B-2", "Z-2")]);
    let report = project.run(&[]);
    assert!(
        report["identity"]["refused_links"]["exclusive_identifier"].as_u64() >= Some(1),
        "{report:#}"
    );
    let pair = explain(&project, &["crm:B-1", "crm:B-2"]);
    assert_eq!(
        (&pair["verdict"], &pair["refused_because"]),
        (&"refused".into(), &"exclusive_identifier".into()),
        "{pair:#}"
    );
    assert!(
        pair["because"]
            .as_str()
            .is_some_and(|because| because.contains("identity.exclusive")),
        "{pair:#}"
    );
}

#[test]
fn an_identifier_of_too_many_people_links_nobody_and_is_told() {
    let project = Project::small();
    let names = ["Adalbert", "Brunhilde", "Chlodwig", "Dietlinde", "Ekkehard", "Friedrun"];
    let walk_in: Vec<String> = (0..6)
        .map(|at| {
            let (name, year) = (names[at], 1950 + 7 * at);
            format!(
                "W-{at};BAR-1;;{name};{}sen;;;0{}.03.{year};Allee {at};0{at}11{at};Ort{at};01.02.2026",
                names[5 - at],
                at + 1
            )
        })
        .collect();
    project.write_csv("exports/crm_more.csv", CRM_HEADER, &walk_in[..5]);
    let five = project.run(&[]);
    assert_eq!(five["identity"]["generic_values"], serde_json::json!([]));
    assert_eq!(five["identity"]["largest_customer"], 5, "five people may share a number");
    project.write_csv("exports/crm_more.csv", CRM_HEADER, &walk_in);
    let six = project.run(&[]);
    assert_eq!(
        six["identity"]["generic_values"],
        serde_json::json!([{"column": "customer_no", "values": 1, "records": 6}])
    );
    assert_eq!(six["identity"]["largest_customer"], 2);
    let generic = project.table("generic_values");
    assert_eq!(
        (&*generic[0]["value"], &*generic[0]["entities_count"], &*generic[0]["entities_max"]),
        ("BAR-1", "6", "5")
    );
    let pair = explain(&project, &["crm:W-0", "crm:W-1"]);
    assert_eq!(pair["generic_rules"], serde_json::json!(["customer_no"]), "{pair:#}");
    assert_eq!(pair["deterministic_rules"], serde_json::json!([]));
    assert!(
        pair["because"].as_str().is_some_and(|because| because.contains("too many people")),
        "{pair:#}"
    );
    let text = project.call("run", &["--as-of", "2026-11-02"]).ends_with(0);
    assert!(
        text.stdout.contains("1 values of customer_no in 6 records") && !text.stdout.contains("BAR-1"),
        "{}",
        text.stdout
    );
    // The project may allow more.
    project.edit("pipeline.yaml", "identity:\n", "identity:\n  generic_values: {customer_no: 6}\n");
    assert_eq!(project.run(&[])["identity"]["largest_customer"], 6);
}
