//! Clusters against a naive reference, and what constraints refuse.

use arrow::array::StringArray;
use proptest::prelude::*;
use stammkunde::cluster::cluster;
use stammkunde::config::spec::{ClusterSpec, CohesionSpec};
use stammkunde::table::identity::LinkOrigin;
use stammkunde::table::{Coded, CodedRecords, Link, Pattern, RecordIx, RefusalReason, RuleIx};

fn link(left: u32, right: u32, weight: f64) -> Link {
    Link {
        left: RecordIx(left),
        right: RecordIx(right),
        weight,
        origin: LinkOrigin::Blocking(RuleIx(0)),
        pattern: Pattern(0),
    }
}

fn free() -> ClusterSpec {
    ClusterSpec {
        size_max: u32::MAX,
        one_per_customer: Vec::new(),
        exclusive: Vec::new(),
        cohesion: CohesionSpec::default(),
    }
}

fn people(sources: &[u16], customer_no: &[Option<&str>]) -> CodedRecords {
    let column = Coded::encode("customer_no", &customer_no.iter().copied().collect::<StringArray>());
    CodedRecords::new(vec!["crm".to_owned(), "shop".to_owned()], sources.to_vec(), vec![column])
}

fn plain(count: usize) -> CodedRecords {
    people(&vec![0; count], &vec![None; count])
}

fn reasons(refused: &[stammkunde::table::PossibleLink]) -> Vec<(u32, u32, RefusalReason)> {
    refused
        .iter()
        .map(|possible| (possible.link.left.0, possible.link.right.0, possible.reason))
        .collect()
}

proptest! {
    #[test]
    fn without_constraints_clusters_are_the_connected_components(
        edges in prop::collection::vec((0_u32..40, 0_u32..40, 0.0..10.0_f64), 0..60),
        seed in 1_u64..1000,
    ) {
        let mut links: Vec<Link> = edges.iter().filter(|e| e.0 < e.1).map(|&(left, right, weight)| link(left, right, weight)).collect();
        let threshold = 4.0;
        let mut of: Vec<u32> = (0..40).collect();
        for _ in 0..40 {
            for link in links.iter().filter(|link| link.weight >= threshold) {
                let smallest = of[link.left.index()].min(of[link.right.index()]);
                of[link.left.index()] = smallest;
                of[link.right.index()] = smallest;
            }
        }
        let (clusters, refused) = cluster(&free(), &plain(40), &links, &[], threshold);
        prop_assert_eq!(&clusters.of, &of);
        for possible in &refused {
            prop_assert_eq!(possible.reason, RefusalReason::BelowThreshold);
            prop_assert_ne!(of[possible.link.left.index()], of[possible.link.right.index()]);
        }
        let apart = links.iter().filter(|l| l.weight < threshold && of[l.left.index()] != of[l.right.index()]).count();
        prop_assert_eq!(refused.len(), apart);
        let mut random = super::Random(seed);
        for at in (1..links.len()).rev() {
            links.swap(at, usize::try_from(random.below(at as u64 + 1)).unwrap());
        }
        prop_assert_eq!(cluster(&free(), &plain(40), &links, &[], threshold).0, clusters);
    }

    #[test]
    fn no_cluster_ever_breaks_a_constraint(
        edges in prop::collection::vec((0_u32..30, 0_u32..30, 0_u32..5), 0..80),
        sources in prop::collection::vec(0_u16..2, 30),
        numbers in prop::collection::vec(prop::option::weighted(0.3, 0_usize..3), 30),
        size_max in 1_u32..6,
    ) {
        let names = ["k1", "k2", "k3"];
        let numbers: Vec<Option<&str>> = numbers.into_iter().map(|number| number.map(|at| names[at])).collect();
        let records = people(&sources, &numbers);
        let spec = ClusterSpec { size_max, one_per_customer: vec!["shop".to_owned()], exclusive: vec!["customer_no".to_owned()], ..free() };
        let links: Vec<Link> = edges.iter().filter(|e| e.0 < e.1).map(|&(l, r, w)| link(l, r, f64::from(w))).collect();
        let (clusters, refused) = cluster(&spec, &records, &links, &[], 0.0);
        for root in 0..30_u32 {
            let members: Vec<usize> = (0..30).filter(|&at| clusters.of[at] == root).collect();
            prop_assert!(members.len() <= size_max as usize);
            prop_assert!(members.iter().filter(|&&at| sources[at] == 1).count() <= 1);
            let mut values: Vec<&str> = members.iter().filter_map(|&at| numbers[at]).collect();
            values.sort_unstable();
            values.dedup();
            prop_assert!(values.len() <= 1);
            prop_assert!(members.first().is_none_or(|&first| first == root as usize), "a cluster is named by its smallest record");
        }
        for possible in &refused {
            prop_assert_ne!(clusters.of[possible.link.left.index()], clusters.of[possible.link.right.index()]);
        }
    }
}

#[test]
fn the_heavier_link_wins_where_a_constraint_leaves_room_for_one() {
    let records = people(&[0, 0, 0], &[Some("k1"), None, Some("k2")]);
    let spec = ClusterSpec {
        exclusive: vec!["customer_no".to_owned()],
        ..free()
    };
    let (clusters, refused) = cluster(&spec, &records, &[link(0, 1, 5.0), link(1, 2, 9.0)], &[], 0.0);
    assert_eq!(clusters.of, [0, 1, 1]);
    assert_eq!(reasons(&refused), [(0, 1, RefusalReason::ExclusiveIdentifier)]);
}

#[test]
fn a_union_of_the_largest_size_is_taken_and_one_more_is_refused() {
    let links = [link(0, 1, 9.0), link(1, 2, 8.0), link(2, 3, 7.0)];
    let spec = ClusterSpec { size_max: 3, ..free() };
    let (clusters, refused) = cluster(&spec, &plain(4), &links, &[], 0.0);
    assert_eq!(clusters.of, [0, 0, 0, 3]);
    assert_eq!(reasons(&refused), [(2, 3, RefusalReason::SizeMax)]);
}

#[test]
fn a_source_without_duplicates_gives_one_record_a_customer() {
    let records = people(&[1, 0, 1], &[None; 3]);
    let spec = ClusterSpec {
        one_per_customer: vec!["shop".to_owned()],
        ..free()
    };
    let (clusters, refused) = cluster(&spec, &records, &[link(0, 1, 9.0), link(1, 2, 8.0)], &[], 0.0);
    assert_eq!(clusters.of, [0, 0, 2]);
    assert_eq!(clusters.count(), 2);
    assert_eq!(reasons(&refused), [(1, 2, RefusalReason::OnePerCustomer)]);
}

#[test]
fn a_link_of_exactly_the_match_weight_is_taken() {
    let links = [link(0, 1, 4.0), link(2, 3, 4.0_f64.next_down())];
    let (clusters, refused) = cluster(&free(), &plain(4), &links, &[], 4.0);
    assert_eq!(clusters.of, [0, 0, 2, 3]);
    assert_eq!(reasons(&refused), [(2, 3, RefusalReason::BelowThreshold)]);
}
