//! Laws of match weights on random models, and of what is left out before the weights are known.

use stammkunde::block::block;
use stammkunde::compare::Comparer;
use stammkunde::config::spec::{ComparisonSpec, IdentitySpec, Test};
use stammkunde::score::{
    ComparisonModel, LevelModel, Model, Origin, RelationComparison, RelationModel, TermFrequencies, TrainingReport, Weights, fit, likely,
    links, strangers, train, upper_weights,
};
use stammkunde::table::{Blocks, CodedRecords, Pattern, RecordIx};

use super::links::{Unhurried, coded, town, town_spec};
use super::{Random, comparison, exact, owned};

const RECORDS: u64 = 60;
const COMPARISONS: usize = 5;
/// Null, else, and three levels above it.
const LEVELS: u64 = 5;

/// Five columns of names, some common, some rare, some missing.
fn people(random: &mut Random) -> CodedRecords {
    let names = ["a", "b", "c", "d", "e"];
    let columns: Vec<Vec<Option<String>>> = names
        .iter()
        .map(|_| {
            let value = |random: &mut Random| {
                let number = random.below(30);
                (number > 2).then(|| format!("name {}", number.min(20)))
            };
            (0..RECORDS).map(|_| value(random)).collect()
        })
        .collect();
    let named: Vec<(&str, &[Option<String>])> = names.into_iter().zip(columns.iter().map(Vec::as_slice)).collect();
    owned(&named)
}

/// Comparisons of three levels; the first three columns adjust by term frequency.
fn comparisons() -> Vec<ComparisonSpec> {
    let of = |(at, column): (usize, &str)| {
        let jaro_winkler = |least: f64| Test::JaroWinkler(column.to_owned(), least);
        let mut spec = comparison(column, vec![exact(column), jaro_winkler(0.9), jaro_winkler(0.7)]);
        for level in spec.levels.iter_mut().take(2).filter(|_| at < 3) {
            level.term_frequency = Some(column.to_owned());
        }
        spec
    };
    ["a", "b", "c", "d", "e"].into_iter().enumerate().map(of).collect()
}

/// A model of random parameters. A relation explains some comparisons as a match does, and no other.
fn model(specs: &[ComparisonSpec], relations: usize, random: &mut Random) -> Model {
    let mut share = || (1 + random.below(998)) as f64 / 1000.0;
    let level = |label: &str, (m, u): (f64, f64)| LevelModel {
        label: label.to_owned(),
        m,
        u,
        m_origin: Origin::Trained,
        u_origin: Origin::Trained,
    };
    let comparisons: Vec<ComparisonModel> = specs
        .iter()
        .map(|spec| ComparisonModel {
            name: spec.name.clone(),
            levels: spec
                .levels
                .iter()
                .map(|level| level.label.as_str())
                .chain(["else"])
                .map(|label| level(label, (share(), share())))
                .collect(),
        })
        .collect();
    let relations = (0..relations)
        .map(|number| RelationModel {
            name: format!("relation {number}"),
            probability_two_random_records: share() / 10.0,
            comparisons: comparisons
                .iter()
                .map(|comparison| {
                    let explained = share() < 0.5;
                    let of = |level: &LevelModel| if explained { level.m } else { level.u };
                    RelationComparison {
                        adjusted: explained,
                        levels: comparison.levels.iter().map(of).collect(),
                    }
                })
                .collect(),
        })
        .collect();
    Model {
        format: 1,
        probability_two_random_records_match: share() / 100.0,
        comparisons,
        relations,
        training: TrainingReport::default(),
    }
}

fn any_pair(random: &mut Random) -> (Pattern, RecordIx, RecordIx) {
    let mut below = |bound: u64| u32::try_from(random.below(bound)).unwrap();
    let pattern = (0..COMPARISONS).fold(Pattern::default(), |pattern, at| {
        pattern.with(at, u8::try_from(below(LEVELS)).unwrap())
    });
    (pattern, RecordIx(below(RECORDS)), RecordIx(below(RECORDS)))
}

#[test]
fn weights_are_symmetric_and_weighing_many_pairs_gives_them_to_the_last_bit() {
    for seed in 1..=6 {
        let random = &mut Random(seed * 77);
        let (specs, records) = (comparisons(), people(random));
        let model = model(&specs, usize::try_from(seed % 3).unwrap(), random);
        let weights = Weights::new(&specs, &model, &TermFrequencies::count(&specs, &records), &records).unwrap();
        let mut weighing = weights.weighing();
        // 3,125 patterns share 1,024 places of memory.
        for _ in 0..10_000 {
            let (pattern, left, right) = any_pair(random);
            let weight = weights.weight(pattern, left, right);
            assert!(weight.is_finite());
            assert_eq!(weights.weight(pattern, right, left).to_bits(), weight.to_bits());
            assert_eq!(weighing.weight(pattern, left, right).to_bits(), weight.to_bits());
        }
    }
}

#[test]
fn a_level_that_says_more_never_lowers_the_weight() {
    let close = 1e-9;
    for seed in 1..=9 {
        let random = &mut Random(seed * 131);
        let (specs, records) = (comparisons(), people(random));
        let model = model(&specs, usize::try_from(seed % 3).unwrap(), random);
        let frequencies = TermFrequencies::count(&specs, &records);
        let weights = Weights::new(&specs, &model, &frequencies, &records).unwrap();
        let alone = Model {
            relations: Vec::new(),
            ..model.clone()
        };
        let without_relations = Weights::new(&specs, &alone, &frequencies, &records).unwrap();
        let mut raised_pairs = 0;
        for _ in 0..5000 {
            let (pattern, left, right) = any_pair(random);
            let at = usize::try_from(random.below(COMPARISONS as u64)).unwrap();
            let raised = pattern.raised(at, u8::try_from(random.below(LEVELS)).unwrap());
            let says = |pattern| {
                let part = &weights.parts(pattern, left, right)[at];
                part.weight + part.term_frequency_adjustment
            };
            let more = says(raised) - says(pattern);
            if more < 0.0 {
                continue;
            }
            raised_pairs += 1;
            let rise = |weights: &Weights<'_>| weights.weight(raised, left, right) - weights.weight(pattern, left, right);
            assert!((rise(&without_relations) - more).abs() < close, "exactly what the level says");
            let rise = rise(&weights);
            assert!(rise > -close && rise < more + close, "{rise} of {more}");
            assert!(weights.weight(pattern, left, right) <= without_relations.weight(pattern, left, right));
            let unexplained = model.relations.iter().all(|relation| !relation.comparisons[at].adjusted);
            assert!(
                !unexplained || (rise - more).abs() < close,
                "relations leave alone what they do not explain"
            );
        }
        assert!(raised_pairs > 2000, "{raised_pairs}");
    }
}

#[test]
fn pairs_that_are_left_before_term_frequencies_are_known_would_be_no_links() {
    for (seed, possible_probability) in [(7, 0.5), (8, 0.001), (9, 0.2), (10, 0.9), (11, 0.5)] {
        let mut spec = IdentitySpec {
            possible_probability,
            ..town_spec()
        };
        for comparison in &mut spec.comparisons {
            let column = comparison.name.clone();
            comparison
                .levels
                .iter_mut()
                .for_each(|level| level.term_frequency = Some(column.clone()));
        }
        let records = coded(&town(seed));
        let comparer = Comparer::new(&spec.comparisons, &records);
        let (sessions, _) = block(&spec.training.sessions, u64::MAX, &records);
        let (blocks, _) = block(&spec.blocking, spec.block_pairs_max, &records);
        let model = train(&spec, &records, &sessions, 300, &comparer);
        let mut model = fit(&spec, &records, &blocks, &comparer, model);
        model.settle();
        let upper = upper_weights(&spec, &records, &model).unwrap();
        let hurried = likely(&spec, &records, &blocks, &upper, &comparer);
        let all = likely(&spec, &records, &blocks, &upper, &Unhurried(&comparer));
        assert!(hurried.pairs.len() < all.pairs.len(), "pairs are left");
        let mut frequencies = strangers(&spec, &records, &hurried.pairs, &model).unwrap();
        frequencies.settle();
        let weights = Weights::new(&spec.comparisons, &model, &frequencies, &records).unwrap();
        let of = |likely| links(&spec, &records, likely, &Blocks::default(), &weights, &comparer).0;
        let expected = of(&all);
        assert!(expected.len() > 100, "{} links", expected.len());
        assert_eq!(of(&hurried), expected);
    }
}
