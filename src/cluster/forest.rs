//! Union-find whose trees know what their records rule out, so that a union is refused in constant time.

use rustc_hash::{FxHashMap, FxHashSet};

use super::cohesion::Cohesion;
use super::sets::Sets;
use crate::config::spec::ClusterSpec;
use crate::table::{Clusters, CodedRecords, Link, NULL_CODE, RecordIx, RefusalReason};

/// Disjoint sets of records, each with its size, the duplicate-free sources it holds, its value of every exclusive identifier, and the
/// trees that it must stay apart from.
pub(super) struct Forest {
    trees: Sets,
    size_max: u32,
    /// `words` bit words a record: one bit a source that holds each person once.
    sources: Vec<u64>,
    words: usize,
    /// `identifiers` codes a record: the one value its cluster has, or null.
    exclusive: Vec<u32>,
    identifiers: usize,
    /// For each root that has any: the roots that people keep it apart from. Symmetric.
    apart: FxHashMap<u32, FxHashSet<u32>>,
    cohesion: Cohesion,
}

impl Forest {
    /// Every record for itself. `links` are those that will be taken, in any order.
    pub(super) fn new(spec: &ClusterSpec, records: &CodedRecords, links: &[Link]) -> Self {
        let count = records.len() as usize;
        let bit_of: Vec<Option<usize>> = records
            .sources()
            .iter()
            .map(|source| spec.one_per_customer.iter().position(|once| once == source))
            .collect();
        let words = spec.one_per_customer.len().div_ceil(64);
        let mut sources = vec![0; count * words];
        for (record, &source) in records.source_of().iter().enumerate() {
            if let Some(bit) = bit_of[usize::from(source)] {
                sources[record * words + bit / 64] |= 1 << (bit % 64);
            }
        }
        let columns: Vec<&[u32]> = spec
            .exclusive
            .iter()
            .filter_map(|name| records.column(name))
            .map(crate::table::Coded::codes)
            .collect();
        let exclusive = (0..count)
            .flat_map(|record| columns.iter().map(move |codes| codes[record]))
            .collect();
        Self {
            trees: Sets::new(records.len()),
            size_max: spec.size_max,
            sources,
            words,
            exclusive,
            identifiers: columns.len(),
            apart: FxHashMap::default(),
            cohesion: Cohesion::new(spec.cohesion, records.len(), links),
        }
    }

    /// The tree of a record.
    pub(super) fn root(&mut self, record: RecordIx) -> u32 {
        self.trees.root(record.0)
    }

    /// Keeps the trees of two records apart from now on. They must be two.
    pub(super) fn keep_apart(&mut self, left: RecordIx, right: RecordIx) {
        let (left, right) = (self.root(left), self.root(right));
        assert_ne!(left, right, "contradicting decisions are refused when they are read");
        self.apart.entry(left).or_default().insert(right);
        self.apart.entry(right).or_default().insert(left);
    }

    /// Joins the trees of two records, whatever they hold.
    pub(super) fn force(&mut self, left: RecordIx, right: RecordIx) {
        let (left, right) = (self.root(left), self.root(right));
        if left != right {
            self.unite(left, right);
        }
    }

    /// Joins the trees of two records; nothing happens if they are one already. `is_scored` says that the link rests on its weight alone.
    pub(super) fn join(&mut self, left: RecordIx, right: RecordIx, is_scored: bool) -> Result<(), RefusalReason> {
        let (left, right) = (self.root(left), self.root(right));
        if left == right {
            return Ok(());
        }
        self.check(left, right)?;
        let sized = |root| (root, self.trees.size(root));
        if is_scored && !self.cohesion.allows(sized(left), sized(right)) {
            return Err(RefusalReason::Cohesion);
        }
        self.unite(left, right);
        Ok(())
    }

    /// Whether two trees may become one. A refusal is final: trees only grow, and what they hold stays.
    fn check(&self, left: u32, right: u32) -> Result<(), RefusalReason> {
        if self.apart.get(&left).is_some_and(|others| others.contains(&right)) {
            return Err(RefusalReason::CannotLink);
        }
        if self.trees.size(left).saturating_add(self.trees.size(right)) > self.size_max {
            return Err(RefusalReason::SizeMax);
        }
        let (left, right) = (left as usize, right as usize);
        let words = |root: usize| &self.sources[root * self.words..(root + 1) * self.words];
        if words(left).iter().zip(words(right)).any(|(a, b)| a & b != 0) {
            return Err(RefusalReason::OnePerCustomer);
        }
        let values = |root: usize| &self.exclusive[root * self.identifiers..(root + 1) * self.identifiers];
        let conflict = |(&a, &b): (&u32, &u32)| a != NULL_CODE && b != NULL_CODE && a != b;
        if values(left).iter().zip(values(right)).any(conflict) {
            return Err(RefusalReason::ExclusiveIdentifier);
        }
        Ok(())
    }

    /// Unites two roots. The one that knows more others stays, so that each entry moves O(log n) times.
    fn unite(&mut self, left: u32, right: u32) {
        let load = |root: u32| self.apart.get(&root).map_or(0, FxHashSet::len) + self.cohesion.neighbors(root);
        let weight = |root: u32| (load(root), self.trees.size(root));
        let (large, small) = if weight(left) >= weight(right) {
            (left, right)
        } else {
            (right, left)
        };
        self.trees.hang(small, large);
        self.cohesion.absorb(large, small);
        for other in self.apart.remove(&small).into_iter().flatten() {
            let of_other = self.apart.get_mut(&other).expect("staying apart is symmetric");
            of_other.remove(&small);
            of_other.insert(large);
            self.apart.entry(large).or_default().insert(other);
        }
        let (large, small) = (large as usize, small as usize);
        for word in 0..self.words {
            self.sources[large * self.words + word] |= self.sources[small * self.words + word];
        }
        for identifier in 0..self.identifiers {
            // Two values only where people decided so. The smaller code stays (a missing one is the largest), whatever came first.
            let value = self.exclusive[small * self.identifiers + identifier];
            let held = &mut self.exclusive[large * self.identifiers + identifier];
            *held = value.min(*held);
        }
    }

    /// Names every cluster by its smallest record.
    pub(super) fn clusters(&mut self) -> Clusters {
        let count = self.trees.len();
        let mut smallest = vec![NULL_CODE; count as usize];
        let mut of = Vec::with_capacity(count as usize);
        for record in 0..count {
            let root = self.trees.root(record) as usize;
            if smallest[root] == NULL_CODE {
                smallest[root] = record;
            }
            of.push(smallest[root]);
        }
        Clusters { of }
    }
}
