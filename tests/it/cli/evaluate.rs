//! `evaluate`: labels of records and of pairs, none at all, and labels that cannot be used.

use serde_json::Value;

use super::support::{Done, Project, breaches, mail, schema};

fn evaluate(project: &Project, arguments: &[&str]) -> Value {
    let report = project
        .call("evaluate", &[arguments, &["--format", "json"]].concat())
        .ends_with(0)
        .json();
    assert_eq!(breaches(&schema("evaluate"), &report), Vec::<String>::new());
    report
}

fn path(project: &Project, name: &str) -> String {
    project.file(name).to_str().expect("UTF-8").to_owned()
}

/// The small project, published, with labels of its people.
fn labeled() -> Project {
    let project = Project::small();
    // Persons 1 and 3 moved and married: nothing is left that links their records. Person 5 uses the card of person 3.
    for (id, card, name) in [("C-501", "", "Wolfram;Ypsilanti"), ("C-503", "L1", "Zacharias;Unbekanntermann")] {
        project.append("exports/crm.csv", &format!("{id};N{id};{card};{name};;;;;;;01.01.2026"));
    }
    project.append(
        "exports/crm.csv",
        "C-505;NC-505;L1;Isolde;Vonundzuberg;isolde@post.example;;;;;;01.01.2026",
    );
    project.run(&[]);
    let mut rows: Vec<String> = (0..24).map(|person| format!("crm,C-{person:03},p{person}")).collect();
    rows.extend((0..24).step_by(2).map(|person| format!("shop,{},p{person}", mail(person))));
    rows.extend(["crm,C-501,p1", "crm,C-503,p3", "crm,C-505,p5", "crm,C-999,p999"].map(str::to_owned));
    project.write_csv("truth.csv", "source,record_id,cluster", &rows);
    project
}

#[test]
fn labels_give_metrics_reasons_and_waterfalls() {
    let project = labeled();
    let report = evaluate(&project, &["--labels", &path(&project, "truth.csv")]);
    let quality = &report["labeled"]["quality"];
    let labels = &quality["labels"];
    assert_eq!(
        (
            &labels["labels"],
            &labels["labels_used"],
            &labels["records_lacking"],
            &labels["records_unlabeled"]
        ),
        (&40.into(), &39.into(), &1.into(), &0.into())
    );
    // Of 15 true pairs 12 are found; C-503 and C-505 share a card, which makes one wrong pair.
    let is_near = |found: &Value, expected: f64| found.as_f64().is_some_and(|found| (found - expected).abs() < 1e-12);
    assert!(is_near(&quality["pairs"]["precision"], 12.0 / 13.0), "{quality:#}");
    assert!(is_near(&quality["pairs"]["recall"], 12.0 / 15.0), "{quality:#}");
    assert_eq!((&quality["people"], &quality["customers"]), (&24.into(), &26.into()));
    let missed: u64 = quality["misses"]
        .as_array()
        .expect("misses")
        .iter()
        .map(|miss| miss["pairs"].as_u64().expect("a count"))
        .sum();
    assert_eq!((missed, &quality["misses_looked_at"]), (3, &3.into()));
    let wrong = &report["labeled"]["false_positives"];
    assert_eq!(wrong.as_array().map(Vec::len), Some(1), "{wrong:#}");
    assert_eq!(
        (
            &wrong[0]["explanation"]["left"],
            &wrong[0]["explanation"]["right"],
            &wrong[0]["explanation"]["verdict"]
        ),
        (&"crm:C-503".into(), &"crm:C-505".into(), &"deterministic".into())
    );
    assert!(wrong[0]["why_not"].is_null());
    let missed = report["labeled"]["false_negatives"].as_array().expect("a list");
    assert_eq!((missed.len(), &report["labeled"]["customer_pairs_missed"]), (3, &3.into()));
    for pair in missed {
        assert_eq!(pair["why_not"], "not_compared", "{pair:#}");
        assert_eq!(pair["explanation"]["verdict"], "not_blocked", "{pair:#}");
    }
    let rules = quality["rules"].as_array().expect("rules");
    assert_eq!((&rules[0]["rule"], &rules[0]["wrong"]), (&"loyalty_no".into(), &1.into()));
    let text = project
        .call("evaluate", &["--labels", &path(&project, "truth.csv"), "--examples", "1"])
        .ends_with(0)
        .stdout;
    for part in [
        "B-cubed",
        "the version lacks 1 labeled records",
        "why not: not compared",
        "1 customers hold several people",
        "prior",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn the_current_threshold_gives_the_published_customers() {
    let project = Project::demo();
    let truth = path(&project, "truth.csv");
    let report = evaluate(&project, &["--labels", &truth, "--cluster", "person", "--examples", "0"]);
    let quality = &report["labeled"]["quality"];
    let thresholds = quality["thresholds"].as_array().expect("thresholds");
    let current: Vec<&Value> = thresholds.iter().filter(|row| row["is_current"] == true).collect();
    assert_eq!(current.len(), 1);
    let near = |left: &Value, right: &Value| (left.as_f64().expect("a number") - right.as_f64().expect("a number")).abs() < 1e-12;
    for measure in ["links", "pairs", "b_cubed"] {
        for number in ["precision", "recall", "f1"] {
            assert!(
                near(&current[0][measure][number], &quality[measure][number]),
                "{measure} {number}: {quality:#}"
            );
        }
    }
    assert_eq!(current[0]["customers"], report["customers"]);
    let recalls: Vec<f64> = thresholds
        .iter()
        .map(|row| row["pairs"]["recall"].as_f64().expect("a number"))
        .collect();
    assert!(
        recalls.len() > 5 && recalls.windows(2).all(|pair| pair[0] >= pair[1]),
        "{recalls:?}"
    );
    assert!(quality["pairs"]["f1"].as_f64() > Some(0.5));
}

#[test]
fn published_identities_agree_with_themselves() {
    let project = Project::demo();
    let identities = path(&project, "warehouse/latest/identities.parquet");
    let report = evaluate(&project, &["--labels", &identities, "--cluster", "customer_key"]);
    let quality = &report["labeled"]["quality"];
    for measure in ["pairs", "b_cubed", "clusters"] {
        assert_eq!(
            (&quality[measure]["precision"], &quality[measure]["recall"]),
            (&1.0.into(), &1.0.into()),
            "{measure}"
        );
    }
    assert_eq!(
        (&quality["misses"], &report["labeled"]["false_positives"]),
        (&Value::Array(vec![]), &Value::Array(vec![]))
    );
}

#[test]
fn pairs_with_verdicts_are_labels_too() {
    let project = labeled();
    let shop = mail(2);
    project.write_csv(
        "pairs.csv",
        "left_record_id,right_record_id,same",
        &[
            format!("C-002,{shop},1"),
            "C-501,C-001,true".to_owned(),
            "C-505,C-503,0".to_owned(),
            "C-000,C-002,no".to_owned(),
            "C-000,C-004,".to_owned(),
            "C-000,C-998,1".to_owned(),
        ],
    );
    let report = evaluate(&project, &["--labels", &path(&project, "pairs.csv"), "--is-match", "same"]);
    let quality = &report["labeled"]["quality"];
    assert_eq!(
        (
            &quality["labels"]["kind"],
            &quality["labels"]["labels"],
            &quality["labels"]["labels_used"],
            &quality["labels"]["records_lacking"]
        ),
        (&"pairs".into(), &5.into(), &4.into(), &1.into())
    );
    assert_eq!(
        (&quality["pairs"]["precision"], &quality["pairs"]["recall"]),
        (&0.5.into(), &0.5.into())
    );
    assert!(quality["b_cubed"].is_null() && quality["clusters"].is_null());
    assert_eq!(report["labeled"]["false_positives"][0]["explanation"]["right"], "crm:C-505");
    assert_eq!(report["labeled"]["false_negatives"][0]["explanation"]["left"], "crm:C-001");
}

#[test]
fn without_labels_quality_is_estimated_and_signs_are_counted() {
    let project = labeled();
    let report = evaluate(&project, &["--records-max", "1"]);
    assert!(report["labeled"].is_null());
    let unlabeled = &report["unlabeled"];
    let estimate = &unlabeled["estimate"];
    for share in [
        &estimate["links_precision"],
        &estimate["quality"]["precision"],
        &estimate["quality"]["recall"],
    ] {
        assert!((0.5..=1.0).contains(&share.as_f64().expect("a number")), "{estimate:#}");
    }
    assert_eq!((&estimate["links"], &estimate["pairs"]), (&13.into(), &13.into()));
    let sizes = unlabeled["sizes"].as_array().expect("sizes");
    let sum = |of: &dyn Fn(u64, u64) -> u64| -> u64 {
        sizes
            .iter()
            .map(|size| {
                of(
                    size["records"].as_u64().expect("a count"),
                    size["customers"].as_u64().expect("a count"),
                )
            })
            .sum()
    };
    assert_eq!(report["customers"], sum(&|_, customers| customers));
    assert_eq!(report["records"], sum(&|records, customers| records * customers));
    let conflict = |name: &str| {
        unlabeled["conflicts"]
            .as_array()
            .expect("signs")
            .iter()
            .find(|conflict| conflict["of"] == name)
            .cloned()
    };
    assert_eq!(conflict("records").expect("a sign")["customers"], 13);
    assert_eq!(conflict("birth_date").expect("a sign")["customers"], 0);
    // Two records of a name alone, at an address that nobody else has.
    assert!(unlabeled["unlinkable"]["share"].as_f64() < Some(0.5));
    let text = project.call("evaluate", &[]).ends_with(0).stdout;
    for part in [
        "estimated from the model",
        "expected true pairs",
        "signs of over-merging",
        "customers by number of records",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn a_record_that_says_nothing_is_unlinkable() {
    let project = Project::small();
    project.append("exports/crm.csv", "C-700;;;Anneliese;;;;;;;;01.01.2026");
    project.run(&[]);
    let with_one = evaluate(&project, &[])["unlabeled"]["unlinkable"].clone();
    assert_eq!(with_one["records"], 1, "{with_one:#}");
    let shares = with_one["by_weight"].as_array().expect("a list");
    assert_eq!(
        (&shares[0][1], &shares[shares.len() - 1][1]),
        (&0.0.into(), &1.0.into()),
        "{with_one:#}"
    );
}

#[test]
fn two_birthdays_are_a_sign_of_two_people() {
    let project = Project::small();
    project.append("exports/crm.csv", "C-800;K002;;Fremdling;Anderswer;;;01.02.1999;;;;01.01.2026");
    project.run(&[]);
    let report = evaluate(&project, &["--examples", "5"]);
    let conflicts = report["unlabeled"]["conflicts"].as_array().expect("signs");
    let birthdays = conflicts.iter().find(|conflict| conflict["of"] == "birth_date").expect("a sign");
    assert_eq!((&birthdays["customers"], &birthdays["more_than"]), (&1.into(), &1.into()));
    assert_eq!(report["unlabeled"]["suspects"][0]["customer_key"], *project.key_of("crm", "C-800"));
    assert_eq!(
        report["unlabeled"]["suspects"][0]["values"][0],
        serde_json::json!(["birth_date", 2])
    );
}

fn assert_masked(done: &Done, shown: &Done) {
    for value in ["zacharias", "unbekanntermann", "vonundzuberg", "isolde"] {
        for text in [&done.stdout, &done.stderr] {
            assert!(!text.to_lowercase().contains(value), "{value} is in {text}");
        }
    }
    assert!(shown.stdout.to_lowercase().contains("unbekanntermann"), "{}", shown.stdout);
}

#[test]
fn examples_mask_values_of_people_unless_asked() {
    let project = labeled();
    let truth = path(&project, "truth.csv");
    for format in ["text", "json"] {
        let arguments = ["--labels", &truth, "--format", format, "--examples", "10"];
        let shown = project.call("evaluate", &[&arguments[..], &["--show-pii"]].concat()).ends_with(0);
        assert_masked(&project.call("evaluate", &arguments).ends_with(0), &shown);
    }
}

#[test]
fn labels_that_cannot_be_used_end_with_3_and_a_hint() {
    let project = Project::small();
    let labels = |text: &str| -> Done {
        project.write("labels.csv", text);
        project.call("evaluate", &["--labels", &path(&project, "labels.csv")])
    };
    labels("record_id,cluster\nC-001,1\n").ends_with(3).says("nothing is published yet");
    project.run(&[]);
    labels("id,person\nC-001,1\n")
        .ends_with(3)
        .says("no column `record_id`")
        .says("--id");
    labels("record_id,cluster\nC-001,1\nC-001,2\n").ends_with(3).says("labeled twice");
    labels("record_id,cluster\nnobody@post.example,1\n")
        .ends_with(3)
        .says("no label is about a record")
        .says("hint:");
    let bad = labels("left_record_id,right_record_id,is_match\nC-001,C-002,perhaps\n")
        .ends_with(3)
        .says("row 1");
    assert!(!bad.stderr.contains("perhaps"), "{}", bad.stderr);
    labels("left_record_id,right_record_id,is_match\nC-001,C-001,1\n")
        .ends_with(3)
        .says("one record twice");
    project
        .call("evaluate", &["--labels", "nowhere.csv"])
        .ends_with(3)
        .says("cannot be read");
    project.write("labels.csv", "PAR1 and no more");
    project
        .call("evaluate", &["--labels", &path(&project, "labels.csv")])
        .ends_with(3)
        .says("malformed");
}
