//! Weights against numbers worked out by hand from the formulas.

use stammkunde::config::spec::{ComparisonSpec, LevelSpec, Test};
use stammkunde::error::ErrorKind;
use stammkunde::score::{
    ColumnFrequencies, ComparisonModel, LevelModel, Model, Origin, TermFrequencies, TrainingReport, Weights, probability, weight_of,
};
use stammkunde::table::{Pattern, RecordIx};

use super::{comparison, exact, records};

fn trained(comparisons: &[ComparisonSpec], parameters: &[&[(f64, f64)]]) -> Model {
    let comparisons = comparisons
        .iter()
        .zip(parameters)
        .map(|(spec, parameters)| ComparisonModel {
            name: spec.name.clone(),
            levels: (0..)
                .zip(*parameters)
                .map(|(at, &(m, u)): (usize, _)| LevelModel {
                    label: spec.levels.get(at).map_or("else".to_owned(), |level| level.label.clone()),
                    m,
                    u,
                    m_origin: Origin::Trained,
                    u_origin: Origin::Trained,
                })
                .collect(),
        })
        .collect();
    Model {
        format: 1,
        probability_two_random_records_match: 1.0 / 1025.0,
        comparisons,
        relations: Vec::new(),
        training: TrainingReport::default(),
    }
}

fn with_term_frequency(column: &str) -> ComparisonSpec {
    let mut spec = comparison(column, vec![exact(column), Test::JaroWinkler(column.to_owned(), 0.8)]);
    for level in &mut spec.levels {
        level.term_frequency = Some(column.to_owned());
    }
    spec
}

#[test]
fn a_weight_is_the_prior_plus_log2_of_m_over_u_of_every_level() {
    let records = records(&[("a", vec![Some("x"), Some("y")]), ("b", vec![Some("x"), Some("y")])]);
    let comparisons = [comparison("a", vec![exact("a")]), comparison("b", vec![exact("b")])];
    let model = trained(&comparisons, &[&[(0.5, 0.0625), (0.5, 1.0)], &[(0.8, 0.1), (0.25, 0.5)]]);
    let weights = Weights::new(&comparisons, &model, &TermFrequencies::default(), &records).unwrap();
    let weight = |a, b| weights.weight(Pattern::default().with(0, a).with(1, b), RecordIx(0), RecordIx(1));
    assert!((weights.prior() + 10.0).abs() < 1e-12, "odds of 1 to 1024 are −10 bits");
    assert!((weight(2, 2) - (-10.0 + 3.0 + 3.0)).abs() < 1e-12);
    assert!((weight(1, 1) - (-10.0 - 1.0 - 1.0)).abs() < 1e-12);
    assert!((weight(0, 0) + 10.0).abs() < 1e-12, "a missing value says nothing");
    let parts = weights.parts(Pattern::default().with(0, 2), RecordIx(0), RecordIx(1));
    assert_eq!(parts[0].level, comparisons[0].levels[0].label);
    assert_eq!((parts[1].level.as_str(), parts[1].weight), ("null", 0.0));
}

#[test]
fn term_frequency_adjusts_by_the_commoner_value_against_u_of_equality() {
    let names = vec![Some("anna"), Some("anna"), Some("anna"), Some("anne"), None];
    let records = records(&[("a", names)]);
    let comparisons = [with_term_frequency("a")];
    let model = trained(&comparisons, &[&[(0.5, 0.125), (0.5, 0.25), (0.1, 0.8)]]);
    let frequencies = TermFrequencies::count(&comparisons, &records);
    assert_eq!(frequencies.columns["a"].values["anna"], 0.75);
    let weights = Weights::new(&comparisons, &model, &frequencies, &records).unwrap();
    let adjustment =
        |level, left, right| weights.parts(Pattern::default().with(0, level), RecordIx(left), RecordIx(right))[0].term_frequency_adjustment;
    let common = 0.125_f64.log2() - 0.75_f64.log2();
    assert!((adjustment(3, 0, 1) - common).abs() < 1e-12);
    assert!(
        (adjustment(2, 0, 3) - common).abs() < 1e-12,
        "the commoner of the two values counts, and u of equality"
    );
    assert!((adjustment(3, 3, 3) - (0.125_f64.log2() - 0.25_f64.log2())).abs() < 1e-12);
    assert_eq!(adjustment(1, 0, 3), 0.0, "the else level is not adjusted");
    assert_eq!(adjustment(0, 0, 4), 0.0);
    let whole = weights.weight(Pattern::default().with(0, 3), RecordIx(0), RecordIx(1));
    assert!((whole - (-10.0 + 2.0 + common)).abs() < 1e-12);
}

#[test]
fn a_value_without_a_stored_frequency_has_that_of_the_current_records() {
    let records = records(&[("a", vec![Some("anna"), Some("anna"), Some("bert"), Some("carl")])]);
    let comparisons = [with_term_frequency("a")];
    let model = trained(&comparisons, &[&[(0.5, 0.5), (0.5, 0.25), (0.1, 0.8)]]);
    let mut stored = TermFrequencies::default();
    let known = [("aaron", 0.3), ("bert", 0.125), ("zoe", 0.1)].map(|(value, frequency)| (value.to_owned(), frequency));
    let known = ColumnFrequencies {
        records: 4.0,
        share: 1.0,
        unseen: 1.0,
        values: known.into(),
    };
    stored.columns.insert("a".to_owned(), known);
    let weights = Weights::new(&comparisons, &model, &stored, &records).unwrap();
    let adjustment = |record| weights.parts(Pattern::default().with(0, 2), RecordIx(record), RecordIx(record))[0].term_frequency_adjustment;
    assert!((adjustment(0) - 0.0).abs() < 1e-12, "0.5 of the current records");
    assert!((adjustment(2) - 2.0).abs() < 1e-12, "0.125 as stored");
    assert!((adjustment(3) - 1.0).abs() < 1e-12, "0.25 of the current records");
}

#[test]
fn a_model_of_other_comparisons_is_refused() {
    let records = records(&[("a", vec![Some("x")])]);
    let comparisons = [comparison("a", vec![exact("a")])];
    let mut model = trained(&comparisons, &[&[(0.5, 0.5), (0.5, 0.5)]]);
    assert!(Weights::new(&comparisons, &model, &TermFrequencies::default(), &records).is_ok());
    model.comparisons[0].levels[0].label = "another".to_owned();
    let error = Weights::new(&comparisons, &model, &TermFrequencies::default(), &records).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.hint_text().unwrap().contains("--retrain"));
    assert!(Weights::new(&[], &model, &TermFrequencies::default(), &records).is_err());
}

#[test]
fn probability_and_weight_are_inverse_and_finite() {
    for p in [1e-12, 0.001, 0.5, 0.95, 0.999_999] {
        assert!((probability(weight_of(p)) - p).abs() < 1e-12);
    }
    assert_eq!(probability(2000.0), 1.0);
    assert_eq!(probability(-2000.0), 0.0);
    assert!(weight_of(1.0).is_finite());
    assert_eq!(weight_of(0.5), 0.0);
}

#[test]
fn a_level_without_an_exact_level_beside_it_adjusts_by_its_own_u() {
    let records = records(&[("a", vec![Some("anna"), Some("anne")])]);
    let mut spec = comparison("a", Vec::new());
    spec.levels.push(LevelSpec {
        label: "similar".to_owned(),
        test: Test::JaroWinkler("a".to_owned(), 0.8),
        term_frequency: Some("a".to_owned()),
        m: None,
        u: None,
    });
    let model = trained(std::slice::from_ref(&spec), &[&[(0.5, 0.25), (0.1, 0.8)]]);
    let weights = Weights::new(&[spec], &model, &TermFrequencies::default(), &records).unwrap();
    let part = &weights.parts(Pattern::default().with(0, 2), RecordIx(0), RecordIx(1))[0];
    assert!((part.term_frequency_adjustment - (0.25_f64.log2() - 0.5_f64.log2())).abs() < 1e-12);
}
