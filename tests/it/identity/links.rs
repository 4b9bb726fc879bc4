//! Links: what streaming keeps, what deterministic rules add, and that neither threads nor rows change a bit.

use std::collections::BTreeMap;

use stammkunde::block::{block, count_new};
use stammkunde::cluster::cluster;
use stammkunde::compare::Comparer;
use stammkunde::config::spec::{IdentitySpec, Test};
use stammkunde::score::{DETERMINISTIC_PAIRS_RECORDS_MAX, ScoreCounts, TermFrequencies, Weights, probability, score, train, weight_of};
use stammkunde::table::identity::LinkOrigin;
use stammkunde::table::{Candidate, CodedRecords, Link, PairPatterns, Pattern, RecordIx, RuleIx};

use super::{Random, comparison, exact, on_threads, owned, rule, spec};

/// Columns of a small town: 300 people, each with one to three records that hold typing errors and gaps.
pub fn town(seed: u64) -> Vec<(&'static str, Vec<Option<String>>)> {
    let mut random = Random(seed);
    let mut columns: Vec<(&str, Vec<Option<String>>)> = ["given_name", "family_name", "birth_date", "email"]
        .map(|name| (name, Vec::new()))
        .into();
    for person in 0..300 {
        let given = format!("given{}", random.below(40));
        let family = format!("family{}", random.below(60));
        let date = format!(
            "19{:02}-{:02}-{:02}",
            40 + random.below(50),
            1 + random.below(12),
            1 + random.below(28)
        );
        for _ in 0..=random.below(3) {
            let typo = |text: &str, random: &mut Random| {
                if random.is(0.1) {
                    text.replacen('i', "e", 1)
                } else {
                    text.to_owned()
                }
            };
            let values = [
                typo(&given, &mut random),
                typo(&family, &mut random),
                date.clone(),
                format!("{person}@example.com"),
            ];
            for ((_, column), value) in columns.iter_mut().zip(values) {
                column.push((!random.is(0.1)).then_some(value));
            }
        }
    }
    columns
}

pub fn coded(columns: &[(&'static str, Vec<Option<String>>)]) -> CodedRecords {
    let borrowed: Vec<(&str, &[Option<String>])> = columns.iter().map(|(name, values)| (*name, values.as_slice())).collect();
    owned(&borrowed)
}

pub fn town_spec() -> IdentitySpec {
    let name = |column: &str| {
        let mut spec = comparison(column, vec![exact(column), Test::JaroWinkler(column.to_owned(), 0.9)]);
        spec.levels[0].term_frequency = Some(column.to_owned());
        spec
    };
    let date = comparison(
        "birth_date",
        vec![exact("birth_date"), Test::DamerauLevenshtein("birth_date".to_owned(), 1)],
    );
    let mut spec = spec(vec![name("given_name"), name("family_name"), date]);
    spec.deterministic = vec![rule(&["email"])];
    spec.blocking = vec![
        rule(&["family_name"]),
        rule(&["birth_date"]),
        rule(&["given_name:4", "birth_date:4"]),
    ];
    spec.training.sessions = vec![rule(&["family_name"]), rule(&["birth_date"])];
    spec
}

fn resolve(spec: &IdentitySpec, records: &CodedRecords) -> (Vec<Link>, ScoreCounts, Vec<u32>) {
    let comparer = Comparer::new(&spec.comparisons, records);
    let (sessions, _) = block(&spec.training.sessions, u64::MAX, records);
    let (certain, counts) = block(&spec.deterministic, u64::MAX, records);
    let model = train(spec, records, &sessions, counts[0].pairs, &comparer);
    let frequencies = TermFrequencies::count(&spec.comparisons, records);
    let weights = Weights::new(&spec.comparisons, &model, &frequencies, records).expect("the model was trained for this");
    let (blocks, _) = block(&spec.blocking, spec.block_pairs_max, records);
    let (links, counts) = score(spec, records, &blocks, &certain, &weights, &comparer);
    let (clusters, _) = cluster(&spec.cluster, records, &links, &[], weight_of(spec.match_probability));
    (links, counts, clusters.of)
}

#[test]
fn links_are_exactly_the_candidate_pairs_above_the_lower_threshold() {
    let (mut spec, records) = (town_spec(), coded(&town(7)));
    spec.deterministic.clear();
    let comparer = Comparer::new(&spec.comparisons, &records);
    let (sessions, _) = block(&spec.training.sessions, u64::MAX, &records);
    let model = train(&spec, &records, &sessions, 300, &comparer);
    let weights = Weights::new(&spec.comparisons, &model, &TermFrequencies::default(), &records).unwrap();
    let (blocks, mut counts) = block(&spec.blocking, spec.block_pairs_max, &records);
    count_new(&blocks, &records, &mut counts);
    let (links, seen) = score(&spec, &records, &blocks, &block(&[], 1, &records).0, &weights, &comparer);
    assert_eq!(seen.pairs, counts.iter().map(|rule| rule.pairs_new).sum::<u64>());
    assert_eq!(seen.links, links.len() as u64);
    let mut expected = Vec::new();
    let mut histogram: BTreeMap<i32, u64> = (-40..=40).map(|bits| (bits, 0)).collect();
    for left in (0..records.len()).map(RecordIx) {
        for right in (left.0 + 1..records.len()).map(RecordIx) {
            let candidate = records.candidate(left, right);
            let rule = (0..3)
                .map(RuleIx)
                .find(|at| blocks.found_before(RuleIx(at.0 + 1), &candidate, &records));
            let Some(rule) = rule else { continue };
            let pattern = comparer.pattern(left, right);
            let weight = weights.weight(pattern, left, right);
            *histogram.get_mut(&(weight.floor().clamp(-40.0, 40.0) as i32)).unwrap() += 1;
            if probability(weight) >= spec.possible_probability {
                expected.push(Link {
                    left,
                    right,
                    weight,
                    origin: LinkOrigin::Blocking(rule),
                    pattern,
                });
            }
        }
    }
    assert!(expected.len() > 100, "the town holds duplicates");
    assert_eq!(links, expected);
    let finished: u64 = seen.weight_histogram.iter().map(|(_, pairs)| pairs).sum();
    assert_eq!(finished + seen.pairs_left_early, seen.pairs);
    let least = weight_of(spec.possible_probability);
    for (bits, pairs) in seen.weight_histogram {
        let all = histogram[&bits];
        assert!(
            if f64::from(bits) >= least { pairs == all } else { pairs <= all },
            "{bits} bits: {pairs} of {all}"
        );
    }
}

/// Compares every pair to the end.
pub struct Unhurried<'a>(pub &'a Comparer<'a>);

impl<'a> PairPatterns for Unhurried<'a> {
    type Scratch = <Comparer<'a> as PairPatterns>::Scratch;

    fn scratch(&self) -> Self::Scratch {
        self.0.scratch()
    }

    fn patterns(&self, scratch: &mut Self::Scratch, pairs: &[Candidate], patterns: &mut Vec<Pattern>) {
        self.0.patterns(scratch, pairs, patterns);
    }
}

#[test]
fn leaving_hopeless_pairs_early_changes_no_link() {
    let (spec, records) = (town_spec(), coded(&town(7)));
    let comparer = Comparer::new(&spec.comparisons, &records);
    let (sessions, _) = block(&spec.training.sessions, u64::MAX, &records);
    let model = train(&spec, &records, &sessions, 300, &comparer);
    let frequencies = TermFrequencies::count(&spec.comparisons, &records);
    let weights = Weights::new(&spec.comparisons, &model, &frequencies, &records).unwrap();
    let (blocks, _) = block(&spec.blocking, spec.block_pairs_max, &records);
    let (certain, _) = block(&[], 1, &records);
    for possible_probability in [0.001, 0.2, 0.5, 0.9, 0.999_999] {
        let spec = IdentitySpec {
            possible_probability,
            ..spec.clone()
        };
        let (links, seen) = score(&spec, &records, &blocks, &certain, &weights, &comparer);
        let (all_links, all_seen) = score(&spec, &records, &blocks, &certain, &weights, &Unhurried(&comparer));
        assert_eq!(links, all_links);
        assert!(links.iter().zip(&all_links).all(|(a, b)| a.weight.to_bits() == b.weight.to_bits()));
        assert_eq!((seen.pairs, seen.links), (all_seen.pairs, all_seen.links));
        assert_eq!(all_seen.pairs_left_early, 0);
        assert!(
            seen.pairs_left_early > seen.pairs / 4,
            "{} of {}",
            seen.pairs_left_early,
            seen.pairs
        );
    }
}

#[test]
fn a_pair_of_both_kinds_is_told_once_as_deterministic_with_at_least_the_match_weight() {
    let (spec, records) = (town_spec(), coded(&town(7)));
    let (links, _, clusters) = resolve(&spec, &records);
    assert!(
        links
            .windows(2)
            .all(|two| (two[0].left, two[0].right) < (two[1].left, two[1].right)),
        "sorted, each pair once"
    );
    let email = records.column("email").unwrap();
    let mut certain = 0;
    for link in &links {
        let same = email.value(link.left).is_some() && email.value(link.left) == email.value(link.right);
        assert_eq!(same, link.origin == LinkOrigin::Deterministic(RuleIx(0)));
        if same {
            certain += 1;
            assert!(link.weight >= weight_of(spec.match_probability));
            assert_eq!(clusters[link.left.index()], clusters[link.right.index()]);
        }
    }
    assert!(certain > 100);
}

#[test]
fn the_town_is_resolved_nearly_right() {
    let columns = town(7);
    let records = coded(&columns);
    let (_, _, clusters) = resolve(&town_spec(), &records);
    let email = &columns[3].1;
    let (mut together, mut apart) = (0, 0);
    for left in 0..clusters.len() {
        for right in left + 1..clusters.len() {
            if email[left].is_some() && email[right].is_some() && clusters[left] == clusters[right] {
                if email[left] == email[right] { together += 1 } else { apart += 1 }
            }
        }
    }
    assert!(apart * 50 < together, "{apart} of {together} pairs join two people");
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let (mut spec, records) = (town_spec(), coded(&town(7)));
    // One block of all records with a given name: more pairs than one piece of work takes.
    spec.blocking.push(rule(&["given_name:5"]));
    let run = |threads| on_threads(threads, || resolve(&spec, &records));
    let one = run(1);
    assert!(!one.0.is_empty());
    for threads in [2, 4] {
        let other = run(threads);
        assert_eq!(other.0, one.0);
        assert!(other.0.iter().zip(&one.0).all(|(a, b)| a.weight.to_bits() == b.weight.to_bits()));
        assert_eq!((other.1, other.2), (one.1.clone(), one.2.clone()));
    }
}

#[test]
fn a_large_shared_value_is_a_chain_up_to_the_limit_and_nothing_above() {
    for (size, expected) in [
        (
            DETERMINISTIC_PAIRS_RECORDS_MAX,
            DETERMINISTIC_PAIRS_RECORDS_MAX * (DETERMINISTIC_PAIRS_RECORDS_MAX - 1) / 2,
        ),
        (DETERMINISTIC_PAIRS_RECORDS_MAX + 1, DETERMINISTIC_PAIRS_RECORDS_MAX),
        (50, 49),
        (51, 0),
        (20_000, 0),
    ] {
        let mut spec = spec(vec![comparison("email", vec![exact("email")])]);
        spec.deterministic = vec![rule(&["email"])];
        spec.training.sessions = Vec::new();
        spec.training.u_pairs_max = 1000;
        let records = owned(&[("email", &vec![Some("office@example.com".to_owned()); size])]);
        let comparer = Comparer::new(&spec.comparisons, &records);
        let model = train(&spec, &records, &block(&[], 1, &records).0, 0, &comparer);
        let weights = Weights::new(&spec.comparisons, &model, &TermFrequencies::default(), &records).unwrap();
        let (certain, _) = block(&spec.deterministic, u64::MAX, &records);
        let (links, _) = score(&spec, &records, &block(&[], 1, &records).0, &certain, &weights, &comparer);
        assert_eq!(links.len(), expected, "{size} records");
        if expected > 0 {
            let (clusters, _) = cluster(&spec.cluster, &records, &links, &[], weight_of(spec.match_probability));
            assert!(clusters.of.iter().all(|&root| root == 0));
        }
    }
}
