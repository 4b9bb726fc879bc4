//! Training: λ, u, EM sessions, and what becomes of data that says too little.

use stammkunde::block::block;
use stammkunde::compare::Comparer;
use stammkunde::config::spec::{ComparisonSpec, IdentitySpec, Test};
use stammkunde::score::{Model, Origin, TermFrequencies, Weights, train};
use stammkunde::table::{CodedRecords, Pattern, RecordIx};

use super::{Given, Random, comparison, exact, on_threads, owned, records, rule, spec};

/// Two comparisons with a level between equality and else.
fn two_comparisons() -> Vec<ComparisonSpec> {
    ["a", "b", "c"]
        .map(|column| comparison(column, vec![exact(column), Test::JaroWinkler(column.to_owned(), 0.8)]))
        .into()
}

const M: [f64; 3] = [0.05, 0.15, 0.8];
const U: [f64; 3] = [0.9, 0.09, 0.01];
const MATCH_SHARE: f64 = 0.3;

/// Records in blocks of 20, whose values are unknown: the patterns are made up.
fn simulated() -> (IdentitySpec, CodedRecords) {
    let count = 4000;
    let keys: Vec<Option<String>> = (0..count).map(|at| Some(format!("{}", at / 20))).collect();
    let missing = vec![None; count];
    let mut spec = spec(two_comparisons());
    spec.training.sessions = vec![rule(&["k"])];
    (spec, owned(&[("k", &keys), ("a", &missing), ("b", &missing), ("c", &missing)]))
}

/// A pattern drawn from m for 30 % of the pairs inside a block, from u for all others.
fn draw(left: u32, right: u32) -> Pattern {
    let mut random = Random((u64::from(left) << 32 | u64::from(right)).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    for _ in 0..8 {
        random.next();
    }
    let parameters = if left / 20 == right / 20 && random.is(MATCH_SHARE) { M } else { U };
    (0..3).fold(Pattern::default(), |pattern, comparison| {
        let level = if random.is(parameters[2]) {
            3
        } else if random.is(parameters[1] / (1.0 - parameters[2])) {
            2
        } else {
            1
        };
        pattern.with(comparison, level)
    })
}

#[test]
fn em_recovers_the_parameters_that_patterns_were_drawn_from() {
    let (spec, records) = simulated();
    let (blocks, _) = block(&spec.training.sessions, u64::MAX, &records);
    let model = train(&spec, &records, &blocks, 5600, &Given(draw));
    for comparison in &model.comparisons {
        for (level, (m, u)) in comparison.levels.iter().rev().zip(M.iter().zip(U)) {
            assert!((level.m - m).abs() < 0.02, "{}: m {} for {m}", comparison.name, level.m);
            assert!((level.u - u).abs() < 0.02, "{}: u {} for {u}", comparison.name, level.u);
            assert_eq!((level.m_origin, level.u_origin), (Origin::Trained, Origin::Trained));
        }
    }
    let session = &model.training.sessions[0];
    assert!(session.converged && session.iterations > 1 && session.last_change < 1e-4);
    assert_eq!(session.pairs, 38_000);
    assert!((session.match_share - MATCH_SHARE).abs() < 0.02, "{}", session.match_share);
    assert!(model.training.untrained.is_empty());
}

#[test]
fn a_session_that_ends_at_the_last_iteration_says_that_it_did_not_converge() {
    let (mut spec, records) = simulated();
    spec.training.iterations_max = 2;
    let (blocks, _) = block(&spec.training.sessions, u64::MAX, &records);
    let session = train(&spec, &records, &blocks, 5600, &Given(draw)).training.sessions.remove(0);
    assert_eq!(session.iterations, 2);
    assert!(!session.converged);
    assert!(session.last_change >= 1e-4);
}

#[test]
fn a_capped_session_uses_about_as_many_pairs_as_allowed_and_finds_nearly_the_same() {
    let (mut spec, records) = simulated();
    spec.training.session_pairs_max = 10_000;
    let (blocks, _) = block(&spec.training.sessions, u64::MAX, &records);
    let model = train(&spec, &records, &blocks, 5600, &Given(draw));
    let pairs = model.training.sessions[0].pairs;
    assert!((9_500..10_500).contains(&pairs), "{pairs}");
    assert!((model.comparisons[0].levels[0].m - 0.8).abs() < 0.04);
}

#[test]
fn lambda_is_the_pairs_found_over_recall_over_all_pairs() {
    let (spec, records) = simulated();
    let (blocks, _) = block(&spec.training.sessions, u64::MAX, &records);
    let model = train(&spec, &records, &blocks, 5600, &Given(draw));
    assert!((model.probability_two_random_records_match - 8000.0 / (4000.0 * 3999.0 / 2.0)).abs() < 1e-15);
}

#[test]
fn u_of_equality_is_exact_and_nulls_do_not_count() {
    let values = vec![Some("anna"), Some("anna"), Some("anna"), Some("bert"), Some("carl"), None, None];
    let records = records(&[("a", values)]);
    let spec = spec(vec![comparison("a", vec![exact("a")])]);
    let comparer = Comparer::new(&spec.comparisons, &records);
    let model = train(&spec, &records, &block(&[], 1, &records).0, 0, &comparer);
    let levels = &model.comparisons[0].levels;
    assert!(
        (levels[0].u - 3.0 / 10.0).abs() < 1e-12,
        "3 of the 10 pairs of records with a value agree"
    );
    assert!((levels[1].u - 7.0 / 10.0).abs() < 1e-12);
    assert_eq!(model.training.u_pairs, 21);
    assert_eq!(model.training.untrained, ["a"]);
    assert_eq!(model.probability_two_random_records_match, 1e-4, "no deterministic pair was found");
}

#[test]
fn fixed_parameters_stay() {
    let (mut spec, records) = simulated();
    spec.comparisons[0].levels[0].m = Some(0.6);
    spec.comparisons[0].levels[0].u = Some(0.001);
    let (blocks, _) = block(&spec.training.sessions, u64::MAX, &records);
    let level = train(&spec, &records, &blocks, 5600, &Given(draw)).comparisons[0].levels[0].clone();
    assert_eq!(
        (level.m, level.u, level.m_origin, level.u_origin),
        (0.6, 0.001, Origin::Fixed, Origin::Fixed)
    );
}

#[test]
fn a_comparison_of_a_blocked_column_or_its_derived_column_takes_no_part() {
    let (mut spec, records) = simulated();
    spec.training.sessions = vec![rule(&["a"])];
    let blocks = block(&[rule(&["k"])], u64::MAX, &records).0;
    let model = train(&spec, &records, &blocks, 5600, &Given(draw));
    assert_eq!(model.training.untrained, ["a"]);
    assert_eq!(model.comparisons[0].levels[0].m, 0.95, "the default by position");
    for (name, blocked) in [("family_name", "family_name_phonetic"), ("email", "email_local")] {
        spec.comparisons[1] = comparison(name, vec![exact(name)]);
        spec.training.sessions = vec![rule(&[blocked])];
        let model = train(&spec, &records, &blocks, 5600, &Given(|_, _| Pattern(0x111)));
        assert!(model.training.untrained.contains(&name.to_owned()), "{name}");
        assert!(!model.training.untrained.contains(&"c".to_owned()));
    }
}

#[test]
fn a_level_that_is_never_seen_keeps_the_default_by_position() {
    let (spec, records) = simulated();
    let (blocks, _) = block(&spec.training.sessions, u64::MAX, &records);
    let never_middle = |left, right| {
        let pattern: Pattern = draw(left, right);
        (0..3).fold(Pattern::default(), |to, at| {
            to.with(at, if pattern.level(at) == 2 { 1 } else { pattern.level(at) })
        })
    };
    let model = train(&spec, &records, &blocks, 5600, &Given(never_middle));
    let levels = &model.comparisons[0].levels;
    assert_eq!((levels[1].m_origin, levels[1].u_origin), (Origin::Default, Origin::Default));
    assert!((levels[1].m - 0.025).abs() < 1e-12);
    assert!(
        (levels[1].u - 0.025 / 8.0).abs() < 1e-12,
        "3 bits for the level below the top of three"
    );
    assert_eq!(levels[0].m_origin, Origin::Trained);
}

fn assert_sane(model: &Model) {
    let lambda = model.probability_two_random_records_match;
    assert!(lambda > 0.0 && lambda < 1.0, "λ {lambda}");
    for level in model.comparisons.iter().flat_map(|comparison| &comparison.levels) {
        assert!(level.m > 0.0 && level.m <= 1.0, "m {}", level.m);
        assert!(level.u > 0.0 && level.u <= 1.0, "u {}", level.u);
    }
}

#[test]
fn tiny_and_empty_inputs_give_a_sane_model() {
    for values in [
        vec![],
        vec![Some("x")],
        vec![Some("x"), Some("x")],
        vec![None, None, None],
        vec![Some("x"); 30],
    ] {
        let records = records(&[("a", values)]);
        let mut spec = spec(vec![comparison("a", vec![exact("a")]), comparison("a", vec![])]);
        spec.training.sessions = vec![rule(&["a"]), rule(&["a:1"])];
        let (blocks, counts) = block(&spec.training.sessions, u64::MAX, &records);
        let comparer = Comparer::new(&spec.comparisons, &records);
        let model = train(&spec, &records, &blocks, counts[0].pairs, &comparer);
        assert_sane(&model);
        let frequencies = TermFrequencies::count(&spec.comparisons, &records);
        let weights = Weights::new(&spec.comparisons, &model, &frequencies, &records).unwrap();
        assert!(weights.weight(Pattern(0), RecordIx(0), RecordIx(0)).is_finite());
    }
}

#[test]
fn a_model_is_the_same_on_any_number_of_threads_and_another_with_another_seed() {
    let (mut spec, records) = simulated();
    spec.training.session_pairs_max = 20_000;
    let (blocks, _) = block(&spec.training.sessions, u64::MAX, &records);
    let run = |threads, spec: &IdentitySpec| on_threads(threads, || train(spec, &records, &blocks, 5600, &Given(draw)));
    let model = run(1, &spec);
    assert_eq!(run(2, &spec), model);
    assert_eq!(run(4, &spec), model);
    spec.training.seed = 2;
    let other = run(1, &spec);
    assert_ne!(other.comparisons, model.comparisons);
}
