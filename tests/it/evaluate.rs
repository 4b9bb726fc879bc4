//! Metrics at every threshold against a reference that looks at every pair, and what two models differ in.

mod models;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use stammkunde::evaluate::{Edge, Measured, Quality, Truth, evaluate, sweep, whole_clusters};

const UNLABELED: u32 = u32::MAX;

/// Components of the edges at or above a threshold, by spreading names until nothing changes.
fn components(records: usize, edges: &[Edge], threshold: f64) -> Vec<usize> {
    let mut of: Vec<usize> = (0..records).collect();
    loop {
        let before = of.clone();
        for edge in edges.iter().filter(|edge| edge.weight >= threshold) {
            let (left, right) = (edge.left as usize, edge.right as usize);
            let smaller = of[left].min(of[right]);
            (of[left], of[right]) = (smaller, smaller);
        }
        if of == before {
            return of;
        }
    }
}

fn quality(both: usize, said: usize, actual: usize) -> [f64; 3] {
    let share = |whole: usize| if whole == 0 { 0.0 } else { both as f64 / whole as f64 };
    harmonic(share(said), share(actual))
}

fn harmonic(precision: f64, recall: f64) -> [f64; 3] {
    let sum = precision + recall;
    [precision, recall, if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 }]
}

fn numbers(quality: &Quality) -> [f64; 3] {
    [quality.precision, quality.recall, quality.f1]
}

#[track_caller]
fn assert_near(found: &Quality, expected: [f64; 3], what: &str) {
    for (found, expected) in numbers(found).into_iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12, "{what}: {found}, not {expected}");
    }
}

/// Every pair of labeled records.
fn labeled_pairs(person: &[u32]) -> Vec<(usize, usize)> {
    let labeled: Vec<usize> = (0..person.len()).filter(|&record| person[record] != UNLABELED).collect();
    let mut pairs = Vec::new();
    for (position, &left) in labeled.iter().enumerate() {
        pairs.extend(labeled[position + 1..].iter().map(|&right| (left, right)));
    }
    pairs
}

fn assert_clusters(person: &[u32], edges: &[Edge], measured: &Measured) {
    let of = components(person.len(), edges, measured.threshold);
    let pairs = labeled_pairs(person);
    let actual = pairs.iter().filter(|(left, right)| person[*left] == person[*right]).count();
    let said = pairs.iter().filter(|(left, right)| of[*left] == of[*right]).count();
    let both = pairs
        .iter()
        .filter(|(left, right)| of[*left] == of[*right] && person[*left] == person[*right])
        .count();
    assert_near(&measured.pairs, quality(both, said, actual), "pairs");
    let linked: Vec<(usize, usize)> = edges
        .iter()
        .filter(|edge| edge.weight >= measured.threshold)
        .map(|edge| (edge.left as usize, edge.right as usize))
        .filter(|&(left, right)| person[left] != UNLABELED && person[right] != UNLABELED)
        .collect();
    let right = linked.iter().filter(|(left, right)| person[*left] == person[*right]).count();
    assert_near(&measured.links, quality(right, linked.len(), actual), "links");
    let distinct: BTreeSet<usize> = of.iter().copied().collect();
    assert_eq!(measured.clusters, distinct.len() as u64);
    let labeled: Vec<usize> = (0..person.len()).filter(|&record| person[record] != UNLABELED).collect();
    let mean = |own: &dyn Fn(usize, usize) -> bool| {
        let of_record = |record: usize| {
            let all = labeled.iter().filter(|&&other| own(record, other)).count();
            let same = labeled
                .iter()
                .filter(|&&other| of[record] == of[other] && person[record] == person[other])
                .count();
            same as f64 / all as f64
        };
        let sum: f64 = labeled.iter().map(|&record| of_record(record)).sum();
        if labeled.is_empty() { 0.0 } else { sum / labeled.len() as f64 }
    };
    let expected = harmonic(
        mean(&|record, other| of[record] == of[other]),
        mean(&|record, other| person[record] == person[other]),
    );
    assert_near(&measured.b_cubed.expect("clusters have B-cubed"), expected, "B-cubed");
    let records: Vec<(u32, usize)> = labeled.iter().map(|&record| (person[record], of[record])).collect();
    let evaluation = evaluate(&records);
    assert_near(&evaluation.pairs, numbers(&measured.pairs), "the published customers");
    assert_near(&evaluation.b_cubed, expected, "B-cubed of the published customers");
    assert_near(&whole_clusters(&records), whole(&records), "whole clusters");
}

/// Sets of records that are one cluster on both sides.
fn whole(records: &[(u32, usize)]) -> [f64; 3] {
    let (mut people, mut clusters) = (BTreeMap::<u32, BTreeSet<usize>>::new(), BTreeMap::<usize, BTreeSet<usize>>::new());
    for (record, &(person, cluster)) in records.iter().enumerate() {
        people.entry(person).or_default().insert(record);
        clusters.entry(cluster).or_default().insert(record);
    }
    let clusters: BTreeSet<BTreeSet<usize>> = clusters.into_values().collect();
    let both = people.values().filter(|records| clusters.contains(*records)).count();
    quality(both, clusters.len(), people.len())
}

/// People from 0 without gaps, as labels are numbered.
fn without_gaps(people: &[Option<u32>]) -> Vec<u32> {
    let mut numbers: BTreeMap<u32, u32> = BTreeMap::new();
    let mut number = |person: u32| {
        let next = numbers.len() as u32;
        *numbers.entry(person).or_insert(next)
    };
    people.iter().map(|person| person.map_or(UNLABELED, &mut number)).collect()
}

fn edges(records: usize) -> impl Strategy<Value = Vec<Edge>> {
    // Few distinct weights, so that ties and thresholds that hit a weight are common.
    let edge = (0..records, 0..records, -4_i8..9).prop_filter("two records", |(left, right, _)| left != right);
    let edge = edge.prop_map(|(left, right, weight)| Edge {
        left: left.min(right) as u32,
        right: left.max(right) as u32,
        weight: if weight == 8 { f64::INFINITY } else { f64::from(weight) / 2.0 },
    });
    let once = |edges: Vec<Edge>| {
        let mut seen = BTreeSet::new();
        edges.into_iter().filter(|edge| seen.insert((edge.left, edge.right))).collect()
    };
    prop::collection::vec(edge, 0..40).prop_map(once)
}

const THRESHOLDS: [f64; 6] = [4.0, 2.5, 1.0, 0.0, -1.25, -3.0];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_threshold_is_measured_as_if_it_were_the_only_one(
        people in prop::collection::vec(prop::option::weighted(0.8, 0_u32..6), 12..24),
        edges in edges(12),
    ) {
        let person = without_gaps(&people);
        let measured = sweep(person.len(), Truth::Clusters(&person), &edges, &THRESHOLDS);
        prop_assert_eq!(measured.len(), THRESHOLDS.len());
        for measured in &measured {
            assert_clusters(&person, &edges, measured);
        }
        let mut reversed = edges.clone();
        reversed.reverse();
        prop_assert_eq!(sweep(person.len(), Truth::Clusters(&person), &reversed, &THRESHOLDS), measured);
    }

    #[test]
    fn labeled_pairs_are_measured_one_by_one(
        labels in prop::collection::btree_map((0_u32..12, 0_u32..12).prop_filter("ordered", |(left, right)| left < right), any::<bool>(), 0..20),
        edges in edges(12),
    ) {
        let pairs: Vec<(u32, u32, bool)> = labels.iter().map(|(&(left, right), &is_match)| (left, right, is_match)).collect();
        for measured in sweep(12, Truth::Pairs(&pairs), &edges, &THRESHOLDS) {
            let of = components(12, &edges, measured.threshold);
            let linked: BTreeSet<(u32, u32)> =
                edges.iter().filter(|edge| edge.weight >= measured.threshold).map(|edge| (edge.left, edge.right)).collect();
            let actual = pairs.iter().filter(|pair| pair.2).count();
            for (said, found, what) in [
                (&(|left: u32, right: u32| of[left as usize] == of[right as usize]) as &dyn Fn(u32, u32) -> bool, &measured.pairs, "pairs"),
                (&|left: u32, right: u32| linked.contains(&(left, right)), &measured.links, "links"),
            ] {
                let all = pairs.iter().filter(|pair| said(pair.0, pair.1)).count();
                let both = pairs.iter().filter(|pair| said(pair.0, pair.1) && pair.2).count();
                assert_near(found, quality(both, all, actual), what);
            }
            prop_assert!(measured.b_cubed.is_none());
        }
    }
}

#[test]
fn a_link_that_always_holds_joins_at_the_highest_threshold() {
    let certain = Edge {
        left: 0,
        right: 1,
        weight: f64::INFINITY,
    };
    let measured = sweep(3, Truth::Clusters(&[0, 0, 1]), &[certain], &[100.0, 0.0]);
    assert_eq!((measured[0].clusters, measured[0].pairs.recall), (2, 1.0));
}
