//! People who agree for a reason: households and namesakes are told from one person, without labels.

use stammkunde::block::block;
use stammkunde::compare::Comparer;
use stammkunde::config::spec::{ComparisonSpec, IdentitySpec, Test};
use stammkunde::score::{JOINT_SESSION, Model, RELATIONS_PART, TermFrequencies, Weights, fit, likely, strangers, train, upper_weights};
use stammkunde::table::{Blocks, CodedRecords, PairPatterns, RecordIx};

use super::{Random, comparison, exact, owned, rule, spec};

const COLUMNS: [&str; 4] = ["given_name", "family_name", "birth_date", "street"];

/// A synthetic town: 300 people known twice, and 300 couples at one address with one family name.
///
/// Records 2n and 2n + 1 are one person for n below 300, and one couple above. Some birth dates are missing.
fn town() -> (IdentitySpec, CodedRecords) {
    let mut random = Random(7);
    let mut columns: [Vec<Option<String>>; 4] = Default::default();
    for home in 0..600 {
        let (family, street) = (format!("f{home}"), format!("s{home}"));
        let mut person = (random.below(40), random.below(9000));
        for _ in 0..2 {
            let born = (random.below(3) > 0).then(|| format!("d{}", person.1));
            let values = [Some(format!("g{}", person.0)), Some(family.clone()), born, Some(street.clone())];
            for (column, value) in columns.iter_mut().zip(values) {
                column.push(value);
            }
            if home >= 300 {
                person = ((person.0 + 1 + random.below(38)) % 40, random.below(9000));
            }
        }
    }
    let comparisons: Vec<ComparisonSpec> = COLUMNS.map(|column| comparison(column, vec![exact(column)])).into();
    let mut spec = spec(comparisons);
    spec.blocking = vec![rule(&["family_name"]), rule(&["given_name", "birth_date"])];
    spec.training.sessions = vec![rule(&["given_name", "birth_date"]), rule(&["street"])];
    spec.training.deterministic = vec![rule(&["given_name", "family_name"])];
    let named: Vec<(&str, &[Option<String>])> = COLUMNS.into_iter().zip(columns.iter().map(Vec::as_slice)).collect();
    let records = owned(&named);
    (spec, records)
}

fn trained<P: PairPatterns>(spec: &IdentitySpec, records: &CodedRecords, patterns: &P) -> (Model, Blocks) {
    let (sessions, _) = block(&spec.training.sessions, u64::MAX, records);
    let (_, certain) = block(&spec.training.deterministic, u64::MAX, records);
    let (blocks, _) = block(&spec.blocking, u64::MAX, records);
    let model = train(spec, records, &sessions, certain[0].pairs, patterns);
    (fit(spec, records, &blocks, patterns, model), blocks)
}

#[test]
fn a_couple_at_one_address_is_not_one_person() {
    let (spec, records) = town();
    let comparer = Comparer::new(&spec.comparisons, &records);
    let (model, _) = trained(&spec, &records, &comparer);
    let weights = Weights::new(&spec.comparisons, &model, &TermFrequencies::default(), &records).unwrap();
    let weight = |first: u32| {
        let (left, right) = (RecordIx(first), RecordIx(first + 1));
        weights.weight(comparer.pattern(left, right), left, right)
    };
    let persons = (0..300).filter(|home| weight(2 * home) > 0.0).count();
    let couples = (300..600).filter(|home| weight(2 * home) > 0.0).count();
    assert!(persons > 290, "{persons} of 300 people were found");
    assert!(couples < 10, "{couples} of 300 couples were taken for one person");
}

#[test]
fn the_share_of_matches_is_learned_and_reported() {
    let (spec, records) = town();
    let comparer = Comparer::new(&spec.comparisons, &records);
    let (model, _) = trained(&spec, &records, &comparer);
    let expected = 300.0 / (1200.0 * 1199.0 / 2.0);
    let lambda = model.probability_two_random_records_match;
    assert!((lambda / expected - 1.0).abs() < 0.1, "{lambda} for {expected}");
    let household = model.relations.iter().find(|relation| relation.name == "household").unwrap();
    let share = household.probability_two_random_records;
    assert!((share / expected - 1.0).abs() < 0.1, "{share} for {expected}");
    assert_eq!(model.training.sessions.last().unwrap().rule, JOINT_SESSION);
}

#[test]
fn the_parts_of_a_weight_name_the_relation_and_sum_to_it() {
    let (spec, records) = town();
    let comparer = Comparer::new(&spec.comparisons, &records);
    let (model, _) = trained(&spec, &records, &comparer);
    let weights = Weights::new(&spec.comparisons, &model, &TermFrequencies::default(), &records).unwrap();
    let (left, right) = (RecordIx(700), RecordIx(701));
    let pattern = comparer.pattern(left, right);
    let parts = weights.parts(pattern, left, right);
    let last = parts.last().unwrap();
    assert_eq!((last.comparison.as_str(), last.level.as_str()), (RELATIONS_PART, "household"));
    assert!(last.weight < -1.0, "a couple is explained by its household: {}", last.weight);
    let sum: f64 = parts.iter().map(|part| part.weight + part.term_frequency_adjustment).sum();
    assert!((weights.prior() + sum - weights.weight(pattern, left, right)).abs() < 1e-9);
}

#[test]
fn records_of_one_person_do_not_make_a_name_common() {
    let (mut spec, records) = town();
    for level in &mut spec.comparisons[1].levels {
        level.term_frequency = Some("family_name".to_owned());
    }
    let comparer = Comparer::new(&spec.comparisons, &records);
    let (model, blocks) = trained(&spec, &records, &comparer);
    let upper = upper_weights(&spec, &records, &model).unwrap();
    let likely = likely(&spec, &records, &blocks, &upper, &comparer);
    let frequencies = strangers(&spec, &records, &likely.pairs, &model).unwrap();
    let counted = TermFrequencies::count(&spec.comparisons, &records);
    let of = |frequencies: &TermFrequencies, value: &str| frequencies.columns["family_name"].values[value];
    assert!((of(&counted, "f10") - 2.0 / 1200.0).abs() < 1e-12);
    assert!(
        of(&frequencies, "f10") <= 1.0 / 1200.0 + 1e-12,
        "two records of one person are one holder at most"
    );
    assert!(of(&frequencies, "f10") > 0.0);
}

#[test]
fn without_a_contrast_there_is_no_relation() {
    let (mut spec, records) = town();
    spec.comparisons.truncate(2);
    spec.comparisons.remove(0);
    let comparer = Comparer::new(&spec.comparisons, &records);
    let (model, _) = trained(&spec, &records, &comparer);
    assert!(model.relations.is_empty());
}

/// The town with some names in the wrong fields: those of every tenth person's second record, and of one spouse in every tenth couple.
fn town_with_swapped_names() -> (IdentitySpec, CodedRecords) {
    let (mut spec, records) = town();
    let mut columns: Vec<Vec<Option<String>>> = COLUMNS
        .iter()
        .map(|name| {
            let column = records.column(name).expect("the town has this column");
            (0..records.len())
                .map(|record| column.value(RecordIx(record)).map(str::to_owned))
                .collect()
        })
        .collect();
    for home in (0..600).step_by(10) {
        let (given, family) = columns.split_at_mut(1);
        std::mem::swap(&mut given[0][2 * home + 1], &mut family[0][2 * home + 1]);
    }
    let (given, family) = ("given_name".to_owned(), "family_name".to_owned());
    spec.comparisons[0] = comparison(
        "given_name",
        vec![
            exact("given_name"),
            Test::Swapped(given.clone(), family.clone()),
            Test::Crossed(given, family),
        ],
    );
    spec.blocking.push(rule(&["street"]));
    let named: Vec<(&str, &[Option<String>])> = COLUMNS.into_iter().zip(columns.iter().map(Vec::as_slice)).collect();
    (spec, owned(&named))
}

#[test]
fn a_spouse_with_swapped_names_is_still_another_person() {
    let (spec, records) = town_with_swapped_names();
    let comparer = Comparer::new(&spec.comparisons, &records);
    let (model, _) = trained(&spec, &records, &comparer);
    let weights = Weights::new(&spec.comparisons, &model, &TermFrequencies::default(), &records).unwrap();
    let heavy = |homes: std::ops::Range<u32>| {
        let pairs = homes.step_by(10).map(|home| (RecordIx(2 * home), RecordIx(2 * home + 1)));
        pairs
            .filter(|&(left, right)| weights.weight(comparer.pattern(left, right), left, right) > 0.0)
            .count()
    };
    assert_eq!(heavy(0..300), 30, "people with swapped names in one record");
    assert_eq!(heavy(300..600), 0, "couples of whom one has swapped names");
    let household = model.relations.iter().find(|relation| relation.name == "household").unwrap();
    assert!(
        household.comparisons[0].levels[2] >= model.comparisons[0].levels[1].m,
        "crossed names of relatives"
    );
}
