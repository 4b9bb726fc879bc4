//! What guards a customer against too many records: decisions of people, cohesion, constraints, against a naive reference.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::StringArray;
use proptest::prelude::*;
use stammkunde::cluster::cluster;
use stammkunde::config::spec::{ClusterSpec, CohesionSpec};
use stammkunde::table::identity::LinkOrigin;
use stammkunde::table::{Coded, CodedRecords, Link, Pattern, RecordIx, RefusalReason, RuleIx};

const RECORDS: u32 = 24;

fn link(left: u32, right: u32, weight: f64, origin: LinkOrigin) -> Link {
    Link {
        left: RecordIx(left),
        right: RecordIx(right),
        weight,
        origin,
        pattern: Pattern(0),
    }
}

fn scored(left: u32, right: u32, weight: f64) -> Link {
    link(left, right, weight, LinkOrigin::Blocking(RuleIx(0)))
}

fn people(sources: &[u16], customer_no: &[Option<&str>]) -> CodedRecords {
    let column = Coded::encode("customer_no", &customer_no.iter().copied().collect::<StringArray>());
    CodedRecords::new(vec!["crm".to_owned(), "shop".to_owned()], sources.to_vec(), vec![column])
}

fn plain(count: u32) -> CodedRecords {
    people(&vec![0; count as usize], &vec![None; count as usize])
}

fn spec(cohesion: CohesionSpec) -> ClusterSpec {
    ClusterSpec {
        size_max: u32::MAX,
        one_per_customer: Vec::new(),
        exclusive: Vec::new(),
        cohesion,
    }
}

/// What a cluster may not be, checked by looking at all its records, and which links are taken, one after the other.
struct Reference<'a> {
    spec: &'a ClusterSpec,
    sources: &'a [u16],
    numbers: &'a [Option<&'a str>],
    apart: &'a [(u32, u32)],
    of: Vec<u32>,
}

impl Reference<'_> {
    fn members(&self, record: u32) -> Vec<u32> {
        (0..RECORDS)
            .filter(|&at| self.of[at as usize] == self.of[record as usize])
            .collect()
    }

    fn join(&mut self, left: u32, right: u32) {
        let union: Vec<u32> = [self.members(left), self.members(right)].concat();
        let smallest = *union.iter().min().unwrap();
        for record in union {
            self.of[record as usize] = smallest;
        }
    }

    /// `values` of the union; what people joined may hold several, and then stands for its smallest.
    fn allows(&self, link: &Link, taken: &[Link], values: impl Fn(&[u32]) -> Option<String>) -> bool {
        let (left, right) = (self.members(link.left.0), self.members(link.right.0));
        let is_between = |a: u32, b: u32| left.contains(&a) && right.contains(&b) || left.contains(&b) && right.contains(&a);
        let shop = |side: &[u32]| side.iter().any(|&at| self.sources[at as usize] == 1);
        let links = taken.iter().filter(|link| is_between(link.left.0, link.right.0)).count();
        let CohesionSpec { records_max, share_min } = self.spec.cohesion;
        let is_loose = left.len().min(right.len()) > 1
            && left.len() + right.len() > records_max as usize
            && (links as f64) < share_min * (left.len() * right.len()) as f64;
        let conflict = match (values(&left), values(&right)) {
            (Some(a), Some(b)) => a != b,
            _ => false,
        };
        !(self.apart.iter().any(|&(a, b)| is_between(a, b))
            || left.len() + right.len() > self.spec.size_max as usize
            || (shop(&left) && shop(&right))
            || conflict
            || (matches!(link.origin, LinkOrigin::Blocking(_)) && is_loose))
    }

    fn run(mut self, must: &[(u32, u32)], taken: &[Link]) -> Vec<u32> {
        for &(left, right) in must {
            self.join(left, right);
        }
        let mut sorted: Vec<&Link> = taken.iter().filter(|link| link.origin != LinkOrigin::Decision).collect();
        sorted.sort_by(|a, b| {
            b.weight
                .total_cmp(&a.weight)
                .then((a.left, a.right, a.origin).cmp(&(b.left, b.right, b.origin)))
        });
        let numbers = self.numbers;
        let smallest = |side: &[u32]| side.iter().filter_map(|&at| numbers[at as usize]).min().map(str::to_owned);
        for link in sorted {
            let is_one = self.of[link.left.index()] == self.of[link.right.index()];
            if !is_one && self.allows(link, taken, smallest) {
                self.join(link.left.0, link.right.0);
            }
        }
        self.of
    }
}

/// Links without repeated pairs: as scoring gives them.
fn links(edges: &[(u32, u32, u32, bool)], must: &[(u32, u32)]) -> Vec<Link> {
    let mut by_pair: BTreeMap<(u32, u32), Link> = BTreeMap::new();
    for &(a, b, weight, is_deterministic) in edges.iter().filter(|edge| edge.0 != edge.1) {
        let origin = if is_deterministic {
            LinkOrigin::Deterministic(RuleIx(0))
        } else {
            LinkOrigin::Blocking(RuleIx(0))
        };
        let (left, right) = (a.min(b), a.max(b));
        by_pair.insert((left, right), link(left, right, f64::from(weight), origin));
    }
    for &(left, right) in must {
        by_pair.insert((left, right), link(left, right, 1.0, LinkOrigin::Decision));
    }
    by_pair.into_values().collect()
}

/// Pairs in order, each once.
fn pairs(list: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let sorted = list.iter().filter(|pair| pair.0 != pair.1).map(|&(a, b)| (a.min(b), a.max(b)));
    sorted.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Without the pairs that a chain of `must` joins: a run never sees those.
fn without_contradictions(apart: Vec<(u32, u32)>, must: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut of: Vec<u32> = (0..RECORDS).collect();
    for _ in 0..RECORDS {
        for &(a, b) in must {
            let smallest = of[a as usize].min(of[b as usize]);
            (of[a as usize], of[b as usize]) = (smallest, smallest);
        }
    }
    apart.into_iter().filter(|&(a, b)| of[a as usize] != of[b as usize]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn clusters_are_those_of_a_reference_that_looks_at_every_record(
        edges in prop::collection::vec((0..RECORDS, 0..RECORDS, 0_u32..6, prop::bool::weighted(0.1)), 0..70),
        must in prop::collection::vec((0..RECORDS, 0..RECORDS), 0..4),
        apart in prop::collection::vec((0..RECORDS, 0..RECORDS), 0..6),
        sources in prop::collection::vec(prop::bool::weighted(0.1).prop_map(u16::from), RECORDS as usize),
        numbers in prop::collection::vec(prop::option::weighted(0.15, 0_usize..2), RECORDS as usize),
        (size_max, records_max, share) in (3_u32..30, 2_u32..8, 0_u32..6),
        seed in 1_u64..1000,
    ) {
        let numbers: Vec<Option<&str>> = numbers.into_iter().map(|number| number.map(|at| ["k1", "k2"][at])).collect();
        let must = pairs(&must);
        let apart = without_contradictions(pairs(&apart), &must);
        let cohesion = CohesionSpec { records_max, share_min: f64::from(share) / 10.0 };
        let spec = ClusterSpec {
            size_max,
            one_per_customer: vec!["shop".to_owned()],
            exclusive: vec!["customer_no".to_owned()],
            cohesion,
        };
        let mut all = links(&edges, &must);
        let taken: Vec<Link> = all.iter().copied().filter(|link| link.weight >= 1.0).collect();
        let reference = Reference { spec: &spec, sources: &sources, numbers: &numbers, apart: &apart, of: (0..RECORDS).collect() };
        let expected = reference.run(&must, &taken);
        let records = people(&sources, &numbers);
        let mut bound: Vec<(RecordIx, RecordIx)> = apart.iter().map(|&(a, b)| (RecordIx(a), RecordIx(b))).collect();
        let (clusters, refused) = cluster(&spec, &records, &all, &bound, 1.0);
        prop_assert_eq!(&clusters.of, &expected);
        for &(a, b) in &must {
            prop_assert_eq!(clusters.of[a as usize], clusters.of[b as usize]);
        }
        for &(a, b) in &apart {
            prop_assert_ne!(clusters.of[a as usize], clusters.of[b as usize]);
        }
        let told: BTreeSet<(RecordIx, RecordIx)> = refused.iter().map(|possible| (possible.link.left, possible.link.right)).collect();
        let parted: BTreeSet<(RecordIx, RecordIx)> =
            all.iter().filter(|link| !clusters.together(link.left, link.right)).map(|link| (link.left, link.right)).collect();
        prop_assert_eq!(told, parted, "every link between two clusters is told, with a reason");
        let mut random = super::Random(seed);
        let mut swap = |count: usize| usize::try_from(random.below(count as u64 + 1)).unwrap();
        for at in (1..all.len()).rev() {
            all.swap(at, swap(at));
        }
        for at in (1..bound.len()).rev() {
            bound.swap(at, swap(at));
        }
        prop_assert_eq!(cluster(&spec, &records, &all, &bound, 1.0), (clusters, refused));
    }
}

/// Two groups of so many records, each record linked to every other of its group.
fn two_groups(size: u32) -> Vec<Link> {
    let mut links = Vec::new();
    for group in [0, size] {
        for left in group..group + size {
            links.extend((left + 1..group + size).map(|right| scored(left, right, 20.0)));
        }
    }
    links
}

#[test]
fn one_weak_link_does_not_join_two_dense_groups() {
    let cohesion = CohesionSpec {
        records_max: 10,
        share_min: 0.1,
    };
    let mut links = two_groups(6);
    links.push(scored(5, 6, 9.0));
    let (clusters, refused) = cluster(&spec(cohesion), &plain(12), &links, &[], 1.0);
    assert_eq!((clusters.count(), refused.len()), (2, 1));
    assert_eq!(refused[0].reason, RefusalReason::Cohesion);
    // With 36 pairs between them, four links are a tenth; three are not.
    let mut more = [links.clone(), vec![scored(4, 7, 8.0), scored(3, 8, 7.0)]].concat();
    assert_eq!(cluster(&spec(cohesion), &plain(12), &more, &[], 1.0).0.count(), 2);
    more.push(scored(2, 9, 6.0));
    let (clusters, refused) = cluster(&spec(cohesion), &plain(12), &more, &[], 1.0);
    assert_eq!((clusters.count(), refused.len()), (1, 0));
    // A share of 0 asks for nothing.
    let off = CohesionSpec {
        share_min: 0.0,
        ..cohesion
    };
    assert_eq!(cluster(&spec(off), &plain(12), &links, &[], 1.0).0.count(), 1);
}

#[test]
fn small_groups_single_records_and_certain_links_join_by_one_link() {
    let cohesion = CohesionSpec {
        records_max: 10,
        share_min: 0.5,
    };
    let joined = |size: u32, records: u32, bridge: Link| {
        let links = [two_groups(size), vec![bridge]].concat();
        cluster(&spec(cohesion), &plain(records), &links, &[], 1.0).0.count()
    };
    assert_eq!(joined(5, 10, scored(4, 5, 9.0)), 1, "10 records are few enough");
    assert_eq!(joined(6, 12, scored(5, 6, 9.0)), 2, "12 are not");
    assert_eq!(joined(6, 12, link(5, 6, 9.0, LinkOrigin::Deterministic(RuleIx(0)))), 1);
    assert_eq!(joined(6, 12, link(5, 6, 9.0, LinkOrigin::Decision)), 1);
    assert_eq!(
        joined(6, 13, scored(5, 12, 9.0)),
        2,
        "the thirteenth record joined one of the groups"
    );
}

#[test]
fn what_people_keep_apart_stays_apart_through_other_records() {
    // 0 and 1 must be one; 0 and 2 must not. So 1 and 2 must not either, nor 3, which joined 2 before.
    let links = [
        link(0, 1, 1.0, LinkOrigin::Decision),
        scored(2, 3, 30.0),
        scored(1, 3, 20.0),
        scored(1, 2, 10.0),
    ];
    let apart = [(RecordIx(0), RecordIx(2))];
    let (clusters, refused) = cluster(&spec(CohesionSpec::default()), &plain(4), &links, &apart, 1.0);
    assert_eq!(clusters.of, [0, 0, 2, 2]);
    let reasons: Vec<RefusalReason> = refused.iter().map(|possible| possible.reason).collect();
    assert_eq!(reasons, [RefusalReason::CannotLink; 2]);
}

#[test]
fn what_people_join_is_joined_against_every_constraint() {
    let records = people(&[1, 1, 0], &[Some("k1"), Some("k2"), Some("k2")]);
    let spec = ClusterSpec {
        size_max: 1,
        one_per_customer: vec!["shop".to_owned()],
        exclusive: vec!["customer_no".to_owned()],
        cohesion: CohesionSpec::default(),
    };
    let links = [link(0, 1, -5.0, LinkOrigin::Decision), scored(1, 2, 9.0)];
    let (clusters, refused) = cluster(&spec, &records, &links, &[], 1.0);
    assert_eq!(clusters.of, [0, 0, 2]);
    assert_eq!(refused[0].reason, RefusalReason::SizeMax);
}

#[test]
fn a_star_of_decisions_is_kept_apart_in_little_time() {
    // One record apart from 50,000 others that are joined one by one: each union moves the smaller list.
    let count = 50_001;
    let links: Vec<Link> = (1..count - 1).map(|left| scored(left, left + 1, 9.0)).collect();
    let apart: Vec<(RecordIx, RecordIx)> = (1..count).map(|other| (RecordIx(0), RecordIx(other))).collect();
    let (clusters, refused) = cluster(&spec(CohesionSpec::default()), &plain(count), &links, &apart, 1.0);
    assert_eq!((clusters.count(), refused.len()), (2, 0));
}
