//! Every threshold at once: one union-find over the links in descending weight, measured where it passes a threshold.

use rustc_hash::FxHashMap;

use super::metrics::Quality;
use crate::table::NULL_CODE;

/// A link between two records.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edge {
    /// One record.
    pub left: u32,
    /// The other record.
    pub right: u32,
    /// Match weight in bits; infinite for a link that holds at every threshold.
    pub weight: f64,
}

/// What is known to be true.
#[derive(Debug, Clone, Copy)]
pub enum Truth<'a> {
    /// For each record the number of its person, from 0 without gaps; [`NULL_CODE`] = not labeled.
    Clusters(&'a [u32]),
    /// Pairs of records, and whether they are one person.
    Pairs(&'a [(u32, u32, bool)]),
}

/// Quality of the clusters at one threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The threshold in bits.
    pub threshold: f64,
    /// Clusters of all records, labeled or not.
    pub clusters: u64,
    /// Links at or above the threshold between labeled records, against all true pairs.
    pub links: Quality,
    /// Pairs of labeled records in one cluster, against all true pairs.
    pub pairs: Quality,
    /// B-cubed over labeled records; of clusters only.
    pub b_cubed: Option<Quality>,
}

/// Measures the connected components of the edges at or above each threshold. `thresholds` must descend.
///
/// A record moves to another component at most log2(records) times, so all thresholds together cost O(n log n + e log e + thresholds × n).
/// Counts are whole numbers; nothing depends on the order of `edges`.
#[must_use]
pub fn sweep(records: usize, truth: Truth<'_>, edges: &[Edge], thresholds: &[f64]) -> Vec<Measured> {
    let mut edges = edges.to_vec();
    edges.sort_unstable_by(|a, b| {
        b.weight
            .total_cmp(&a.weight)
            .then_with(|| (a.left, a.right).cmp(&(b.left, b.right)))
    });
    let mut components = Components::new(records, truth);
    let mut links = Links::new(truth);
    let mut next = 0;
    thresholds
        .iter()
        .map(|&threshold| {
            while let Some(edge) = edges.get(next).filter(|edge| edge.weight >= threshold) {
                links.add(*edge);
                components.join(edge.left, edge.right);
                next += 1;
            }
            let (pairs, b_cubed) = match truth {
                Truth::Clusters(_) => (components.pairs(), Some(components.b_cubed())),
                Truth::Pairs(pairs) => (components.of_labeled(pairs), None),
            };
            Measured {
                threshold,
                clusters: components.count,
                links: Quality::of_counts(links.both.into(), links.said.into(), links.actual),
                pairs,
                b_cubed,
            }
        })
        .collect()
}

/// Links so far: how many are between labeled records, and how many of those are right.
struct Links<'a> {
    truth: Truth<'a>,
    labeled: FxHashMap<(u32, u32), bool>,
    said: u64,
    both: u64,
    actual: u128,
}

impl<'a> Links<'a> {
    fn new(truth: Truth<'a>) -> Self {
        let labeled: FxHashMap<(u32, u32), bool> = match truth {
            Truth::Clusters(_) => FxHashMap::default(),
            Truth::Pairs(pairs) => pairs
                .iter()
                .map(|&(left, right, is_match)| ((left.min(right), left.max(right)), is_match))
                .collect(),
        };
        let actual = match truth {
            Truth::Clusters(of) => sizes(of).iter().map(|&size| pairs_of(size)).sum(),
            Truth::Pairs(pairs) => pairs.iter().filter(|(_, _, is_match)| *is_match).count() as u128,
        };
        Self {
            truth,
            labeled,
            said: 0,
            both: 0,
            actual,
        }
    }

    fn add(&mut self, edge: Edge) {
        let is_match = match self.truth {
            Truth::Clusters(of) => {
                let (left, right) = (of[edge.left as usize], of[edge.right as usize]);
                (left != NULL_CODE && right != NULL_CODE).then_some(left == right)
            }
            Truth::Pairs(_) => self.labeled.get(&(edge.left.min(edge.right), edge.left.max(edge.right))).copied(),
        };
        self.said += u64::from(is_match.is_some());
        self.both += u64::from(is_match == Some(true));
    }
}

/// Components that know how their labeled records divide into people.
struct Components<'a> {
    /// Component of each record: the smaller one is renamed when two join.
    of: Vec<u32>,
    /// Records of each component, as a list through `next`.
    first: Vec<u32>,
    last: Vec<u32>,
    next: Vec<u32>,
    size: Vec<u32>,
    count: u64,
    /// Person of each record; empty if pairs are labeled.
    person: &'a [u32],
    /// Labeled records of a component that are one person.
    cells: FxHashMap<(u32, u32), u64>,
    /// Labeled records of each component.
    labeled: Vec<u64>,
    /// Σ cell² of each component and of each person.
    squares: Vec<u64>,
    squares_of_person: Vec<u64>,
    persons: Vec<u64>,
    /// Pairs in one component, and those of them that are one person.
    pairs_said: u128,
    pairs_both: u128,
}

const END: u32 = u32::MAX;

impl<'a> Components<'a> {
    fn new(records: usize, truth: Truth<'a>) -> Self {
        let count = u32::try_from(records).expect("a table has fewer than 2^32 records");
        let person = match truth {
            Truth::Clusters(of) => of,
            Truth::Pairs(_) => &[],
        };
        let labeled: Vec<u64> = (0..records)
            .map(|record| u64::from(person.get(record).is_some_and(|&person| person != NULL_CODE)))
            .collect();
        let persons = sizes(person);
        Self {
            of: (0..count).collect(),
            first: (0..count).collect(),
            last: (0..count).collect(),
            next: vec![END; records],
            size: vec![1; records],
            count: u64::from(count),
            person,
            cells: (0..count)
                .zip(person)
                .filter(|(_, person)| **person != NULL_CODE)
                .map(|(record, &person)| ((record, person), 1))
                .collect(),
            squares: labeled.clone(),
            labeled,
            squares_of_person: persons.clone(),
            persons,
            pairs_said: 0,
            pairs_both: 0,
        }
    }

    fn join(&mut self, left: u32, right: u32) {
        let (left, right) = (self.of[left as usize], self.of[right as usize]);
        if left == right {
            return;
        }
        let (large, small) = if self.size[left as usize] >= self.size[right as usize] {
            (left, right)
        } else {
            (right, left)
        };
        self.pairs_said += u128::from(self.labeled[large as usize]) * u128::from(self.labeled[small as usize]);
        let mut record = self.first[small as usize];
        while record != END {
            self.of[record as usize] = large;
            if let Some(&person) = self.person.get(record as usize).filter(|person| **person != NULL_CODE) {
                self.move_label(person, small, large);
            }
            record = self.next[record as usize];
        }
        self.next[self.last[large as usize] as usize] = self.first[small as usize];
        self.last[large as usize] = self.last[small as usize];
        self.size[large as usize] += self.size[small as usize];
        self.count -= 1;
    }

    /// One labeled record leaves a component for another. (n ± 1)² = n² ± 2n + 1, for the sums of squares.
    fn move_label(&mut self, person: u32, from: u32, to: u32) {
        let cell = self.cells.get_mut(&(from, person)).expect("the record was counted where it is");
        *cell -= 1;
        let left = *cell;
        if left == 0 {
            self.cells.remove(&(from, person));
        }
        let cell = self.cells.entry((to, person)).or_default();
        let met = *cell;
        *cell += 1;
        self.pairs_both = self.pairs_both + u128::from(met) - u128::from(left);
        self.squares[from as usize] -= 2 * left + 1;
        self.squares[to as usize] += 2 * met + 1;
        let of_person = &mut self.squares_of_person[person as usize];
        *of_person = *of_person + 2 * met - 2 * left;
        self.labeled[from as usize] -= 1;
        self.labeled[to as usize] += 1;
    }

    fn pairs(&self) -> Quality {
        let actual = self.persons.iter().map(|&size| pairs_of(size)).sum();
        Quality::of_counts(self.pairs_both, self.pairs_said, actual)
    }

    /// Mean over records of the share of their component, and of their person, that is both.
    fn b_cubed(&self) -> Quality {
        let mean = |squares: &[u64], sizes: &[u64]| {
            let shares = squares.iter().zip(sizes).filter(|(_, size)| **size > 0);
            let sum: f64 = shares.map(|(&squares, &size)| squares as f64 / size as f64).sum();
            let records: u64 = sizes.iter().sum();
            if records == 0 { 0.0 } else { sum / records as f64 }
        };
        Quality::new(mean(&self.squares, &self.labeled), mean(&self.squares_of_person, &self.persons))
    }

    fn of_labeled(&self, pairs: &[(u32, u32, bool)]) -> Quality {
        of_pairs(pairs, |left, right| self.of[left as usize] == self.of[right as usize])
    }
}

/// Quality of a decision on labeled pairs.
pub(super) fn of_pairs(pairs: &[(u32, u32, bool)], together: impl Fn(u32, u32) -> bool) -> Quality {
    let (mut both, mut said, mut actual) = (0, 0, 0);
    for &(left, right, is_match) in pairs {
        let together = together(left, right);
        both += u128::from(together && is_match);
        said += u128::from(together);
        actual += u128::from(is_match);
    }
    Quality::of_counts(both, said, actual)
}

/// Records of each number.
fn sizes(of: &[u32]) -> Vec<u64> {
    let mut sizes = Vec::new();
    for &number in of.iter().filter(|number| **number != NULL_CODE) {
        let at = number as usize;
        if sizes.len() <= at {
            sizes.resize(at + 1, 0);
        }
        sizes[at] += 1;
    }
    sizes
}

/// n(n − 1)/2.
pub(super) fn pairs_of(size: u64) -> u128 {
    u128::from(size) * u128::from(size.saturating_sub(1)) / 2
}
