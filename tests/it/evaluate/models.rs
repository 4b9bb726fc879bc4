//! Model files and their differences: what fits, what does not, and what is told.

use std::collections::BTreeMap;

use proptest::prelude::*;
use stammkunde::config::spec::{ComparisonSpec, LevelSpec, Test};
use stammkunde::score::{
    ColumnFrequencies, ComparisonModel, LevelModel, Model, ModelFile, Origin, RelationComparison, RelationModel, SessionReport,
    TermFrequencies, TrainingReport, difference, summary,
};

fn level(label: &str, m: f64, u: f64) -> LevelModel {
    LevelModel {
        label: label.to_owned(),
        m,
        u,
        m_origin: Origin::Trained,
        u_origin: Origin::Trained,
    }
}

fn model() -> Model {
    let comparison = |name: &str| ComparisonModel {
        name: name.to_owned(),
        levels: vec![level("exact", 0.8, 0.01), level("else", 0.2, 0.99)],
    };
    Model {
        format: 1,
        probability_two_random_records_match: 1e-4,
        comparisons: vec![comparison("given_name"), comparison("birth_date")],
        relations: vec![RelationModel {
            name: "household".to_owned(),
            probability_two_random_records: 1e-5,
            comparisons: vec![
                RelationComparison {
                    levels: vec![0.01, 0.99],
                    adjusted: false,
                };
                2
            ],
        }],
        training: TrainingReport::default(),
    }
}

fn specs() -> Vec<ComparisonSpec> {
    let spec = |name: &str| ComparisonSpec {
        name: name.to_owned(),
        not_null: vec![name.to_owned()],
        unless: Vec::new(),
        levels: vec![LevelSpec {
            label: "exact".to_owned(),
            test: Test::Exact(vec![name.to_owned()]),
            term_frequency: None,
            m: None,
            u: None,
        }],
    };
    vec![spec("given_name"), spec("birth_date")]
}

fn column(values: impl IntoIterator<Item = (String, f64)>) -> ColumnFrequencies {
    ColumnFrequencies {
        records: 100.0,
        share: 0.5,
        unseen: 0.25,
        values: values.into_iter().collect(),
    }
}

fn frequencies(values: &[(&str, f64)]) -> TermFrequencies {
    let values = values.iter().map(|(value, frequency)| ((*value).to_owned(), *frequency));
    TermFrequencies {
        columns: BTreeMap::from([("given_name".to_owned(), column(values))]),
    }
}

#[test]
fn a_model_file_reads_back_as_it_was_written() {
    let file = ModelFile::new(model(), frequencies(&[("anna", 0.25), ("xaver", 0.0625)]));
    let bytes = serde_json::to_vec(&file).expect("JSON");
    assert_eq!(ModelFile::parse(&bytes).expect("a model file"), file);
    file.check(&specs()).expect("it fits");
}

#[test]
fn the_file_of_a_state_holds_its_digits_unchanged() {
    let state = stammkunde::score::state::write(&model(), &frequencies(&[("anna", 0.1), ("bert", 1.0 / 3.0)])).expect("a state");
    let get = |name: &str| Ok(state.iter().find(|(known, _)| known == name).map(|(_, bytes)| bytes.clone()));
    let text = ModelFile::of_state(get).expect("text").expect("a model");
    for (_, bytes) in &state {
        assert!(text.contains(std::str::from_utf8(bytes).expect("UTF-8")));
    }
    let (ours, theirs) = (
        ModelFile::parse(text.as_bytes()).expect("a model file").into_parts(),
        stammkunde::score::state::read(get).expect("a state").expect("a model"),
    );
    assert_eq!(ours, theirs);
    assert!(ModelFile::of_state(|_| Ok(None)).expect("nothing").is_none());
}

#[test]
fn every_difference_to_the_project_is_told_at_once() {
    let file = ModelFile::new(model(), TermFrequencies::default());
    let mut other = specs();
    other[0].name = "family_name".to_owned();
    other[1].levels[0].label = "same year".to_owned();
    let error = file.check(&other).expect_err("it does not fit").to_string();
    for part in [
        "no comparison `family_name`",
        "`birth_date` has the levels [same year, else] in the project and [exact, else] in the model",
        "the project has no comparison `given_name`",
    ] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
    let mut reversed = specs();
    reversed.reverse();
    assert!(
        file.check(&reversed)
            .expect_err("another order")
            .to_string()
            .contains("another order")
    );
}

#[test]
fn parameters_that_no_training_gives_are_refused() {
    let refused = |change: &dyn Fn(&mut ModelFile)| {
        let mut file = ModelFile::new(model(), frequencies(&[("anna", 0.5)]));
        change(&mut file);
        file.check(&specs()).expect_err("an impossible parameter").to_string()
    };
    assert!(refused(&|file| file.model.comparisons[1].levels[0].u = 0.0).contains("birth_date: exact"));
    assert!(refused(&|file| file.model.probability_two_random_records_match = 1.0).contains("probability_two_random"));
    assert!(refused(&|file| drop(file.model.relations[0].comparisons.pop())).contains("household"));
    let error = refused(&|file| file.term_frequencies = frequencies(&[("anna", -1.0)]));
    assert!(error.contains("given_name") && !error.contains("anna"), "{error}");
}

#[test]
fn what_is_no_model_file_is_named_and_not_quoted() {
    let parse = |text: &str| ModelFile::parse(text.as_bytes()).expect_err("no model file");
    assert!(parse("{").to_string().contains("malformed"));
    assert!(parse("{\"version\": 1}").to_string().contains("no model file"));
    let newer = "{\"kind\": \"stammkunde_model\", \"format\": 2, \"model\": {\"format\": 1}}";
    assert!(parse(newer).to_string().contains("format, found: 2, known: 1"), "{}", parse(newer));
    let inner = "{\"kind\": \"stammkunde_model\", \"format\": 1, \"model\": {\"format\": 9}}";
    assert!(parse(inner).to_string().contains("model.format, found: 9"));
    let mut file = serde_json::to_value(ModelFile::new(model(), frequencies(&[("anna", 0.5)]))).expect("JSON");
    file["term_frequencies"]["given_name"]["values"]["anna"] = "canary".into();
    let error = parse(&file.to_string());
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
}

#[test]
fn differences_are_in_bits_and_the_largest_comes_first() {
    let (left, mut right) = (model(), model());
    right.comparisons[0].levels[0].u = 0.04;
    right.comparisons[1].levels[1].m = 0.1;
    right.comparisons[1].levels[0].m = 0.801;
    let (ours, theirs) = (
        frequencies(&[("anna", 0.5), ("bert", 0.1)]),
        frequencies(&[("anna", 0.125), ("cara", 0.1)]),
    );
    let told = difference((&left, &ours), (&right, &theirs), 0.01);
    let bits: Vec<(String, String, f64)> = told
        .parameters
        .iter()
        .map(|parameter| (parameter.of.clone(), parameter.parameter.clone(), parameter.bits.round()))
        .collect();
    assert_eq!(
        bits,
        [
            ("given_name".to_owned(), "u".to_owned(), 2.0),
            ("birth_date".to_owned(), "m".to_owned(), -1.0)
        ]
    );
    // λ, m and u of four levels, the class and its four levels.
    assert_eq!(told.parameters_compared, 14);
    let column = &told.term_frequencies[0];
    assert_eq!(
        (
            column.values_left,
            column.values_right,
            column.values_common,
            column.values_different
        ),
        (2, 2, 1, 1)
    );
    assert_eq!((column.bits_mean, column.bits_max), (2.0, 2.0));
    assert!(!told.is_empty() && difference((&left, &ours), (&left, &ours), 0.0).is_empty());
    let mut rarer = ours.clone();
    rarer.columns.get_mut("given_name").expect("the column").unseen = 0.0625;
    let told = difference((&left, &ours), (&left, &rarer), 0.01);
    assert!((told.term_frequencies[0].bits_unlisted + 2.0).abs() < 1e-12 && !told.is_empty());
}

#[test]
fn what_only_one_model_has_is_named() {
    let (left, mut right) = (model(), model());
    right.comparisons[0].levels[0].label = "equal".to_owned();
    right.comparisons[1].name = "email".to_owned();
    right.relations.clear();
    let none = TermFrequencies::default();
    let told = difference((&left, &none), (&right, &none), 0.0);
    assert_eq!(
        told.only_left,
        [
            "birth_date",
            "class household",
            "class household/birth_date",
            "class household/given_name",
            "given_name: exact"
        ]
    );
    assert_eq!(told.only_right, ["email", "given_name: equal"]);
    assert!(!told.is_empty());
}

#[test]
fn a_summary_warns_of_what_training_could_not_find_out() {
    let mut model = model();
    let session = |rule: &str, pairs: u64, converged: bool| SessionReport {
        rule: rule.to_owned(),
        pairs,
        iterations: 25,
        converged,
        last_change: 0.003,
        ..SessionReport::default()
    };
    model.training.sessions = vec![session("email", 10, true)];
    assert_eq!(summary(&model, &TermFrequencies::default()).warnings, Vec::<String>::new());
    model.training.sessions.push(session("birth_date", 10, false));
    model.training.sessions.push(session("phone", 0, false));
    model.training.untrained = vec!["birth_date".to_owned()];
    model.comparisons[0].levels[0].m_origin = Origin::Default;
    model.comparisons[0].levels[0].m = 1e-6;
    model.comparisons[1].levels[0].u = 1e-9;
    model.comparisons[1].levels[1].u_origin = Origin::Default;
    let warnings = summary(&model, &TermFrequencies::default()).warnings;
    for part in [
        "EM did not converge on `birth_date`: after 25 iterations a parameter still moved by 3.00e-3",
        "sessions without a pair: phone",
        "no session trained `birth_date`",
        "`given_name`: no match showed [exact]",
        "less than no agreement at all",
        "not an estimate: birth_date: exact",
        "u is a guess: birth_date: else",
    ] {
        assert!(
            warnings.iter().any(|warning| warning.contains(part)),
            "{part} is not in {warnings:#?}"
        );
    }
    model.training.sessions.clear();
    assert!(summary(&model, &TermFrequencies::default()).warnings[0].contains("no training session had a pair"));
}

fn read_back(model: &Model, frequencies: &TermFrequencies) -> (Model, TermFrequencies) {
    let state = stammkunde::score::state::write(model, frequencies).expect("a state");
    let get = |name: &str| Ok(state.iter().find(|(known, _)| known == name).map(|(_, bytes)| bytes.clone()));
    stammkunde::score::state::read(get).expect("a state").expect("a model")
}

proptest! {
    #[test]
    fn settled_numbers_read_back_to_the_last_bit(values in prop::collection::vec((1_u64 << 52..1 << 53, -50_i32..0), 1..50)) {
        // Any digits, between 1e-15 and 1.
        let numbers: Vec<f64> = values.iter().map(|&(digits, exponent)| digits as f64 / (1_u64 << 53) as f64 * 2_f64.powi(exponent + 1).min(1.0)).collect();
        let mut model = model();
        model.comparisons[0].levels[0].m = numbers[0];
        model.relations[0].probability_two_random_records = numbers[numbers.len() - 1];
        let mut frequencies = TermFrequencies {
            columns: BTreeMap::from([("a".to_owned(), column(numbers.iter().enumerate().map(|(at, &number)| (at.to_string(), number))))]),
        };
        model.settle();
        frequencies.settle();
        for (at, number) in numbers.iter().enumerate() {
            let settled = frequencies.columns["a"].values[&at.to_string()];
            prop_assert!((settled / number - 1.0).abs() < 1e-6 && settled > 0.0, "{number} became {settled}");
        }
        prop_assert_eq!(&read_back(&model, &frequencies), &(model.clone(), frequencies.clone()));
        let settled = (model.clone(), frequencies.clone());
        model.settle();
        frequencies.settle();
        prop_assert_eq!(settled, (model, frequencies));
    }

    #[test]
    fn a_difference_read_the_other_way_round_has_the_other_sign(m in 0.001_f64..1.0, u in 0.001_f64..1.0, lambda in 1e-6_f64..0.5) {
        let (left, mut right) = (model(), model());
        right.comparisons[0].levels[0].m = m;
        right.comparisons[1].levels[1].u = u;
        right.probability_two_random_records_match = lambda;
        let none = TermFrequencies::default();
        let (there, back) = (difference((&left, &none), (&right, &none), 0.0), difference((&right, &none), (&left, &none), 0.0));
        prop_assert_eq!(there.parameters.len(), back.parameters.len());
        for parameter in &there.parameters {
            let other = back.parameters.iter().find(|other| (&other.of, &other.level, &other.parameter) == (&parameter.of, &parameter.level, &parameter.parameter));
            prop_assert!((other.expect("the same parameter").bits + parameter.bits).abs() < 1e-9);
        }
    }
}
