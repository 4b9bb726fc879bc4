//! Union-find whose trees know what their records rule out, so that a union is refused in constant time.

use crate::config::spec::ClusterSpec;
use crate::table::{Clusters, CodedRecords, NULL_CODE, RefusalReason};

/// Disjoint sets of records, each with its size, the duplicate-free sources it holds and its value of every exclusive identifier.
pub(super) struct Forest {
    parent: Vec<u32>,
    size: Vec<u32>,
    size_max: u32,
    /// `words` bit words a record: one bit a source that holds each person once.
    sources: Vec<u64>,
    words: usize,
    /// `identifiers` codes a record: the one value its cluster has, or null.
    exclusive: Vec<u32>,
    identifiers: usize,
}

impl Forest {
    /// Every record for itself.
    pub(super) fn new(spec: &ClusterSpec, records: &CodedRecords) -> Self {
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
            parent: (0..records.len()).collect(),
            size: vec![1; count],
            size_max: spec.size_max,
            sources,
            words,
            exclusive,
            identifiers: columns.len(),
        }
    }

    /// The tree of a record, with path halving.
    pub(super) fn root(&mut self, record: u32) -> u32 {
        let mut node = record;
        while self.parent[node as usize] != node {
            let grandparent = self.parent[self.parent[node as usize] as usize];
            self.parent[node as usize] = grandparent;
            node = grandparent;
        }
        node
    }

    /// Joins the trees of two records, the smaller under the larger; nothing happens if they are one already.
    pub(super) fn join(&mut self, left: u32, right: u32) -> Result<(), RefusalReason> {
        let (left, right) = (self.root(left), self.root(right));
        if left == right {
            return Ok(());
        }
        self.check(left as usize, right as usize)?;
        let (large, small) = if self.size[left as usize] >= self.size[right as usize] {
            (left, right)
        } else {
            (right, left)
        };
        self.parent[small as usize] = large;
        self.absorb(large as usize, small as usize);
        Ok(())
    }

    /// Whether two trees may become one. A refusal is final: trees only grow, and what they hold stays.
    fn check(&self, left: usize, right: usize) -> Result<(), RefusalReason> {
        if self.size[left].saturating_add(self.size[right]) > self.size_max {
            return Err(RefusalReason::SizeMax);
        }
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

    fn absorb(&mut self, large: usize, small: usize) {
        self.size[large] += self.size[small];
        for word in 0..self.words {
            self.sources[large * self.words + word] |= self.sources[small * self.words + word];
        }
        for identifier in 0..self.identifiers {
            let value = self.exclusive[small * self.identifiers + identifier];
            if value != NULL_CODE {
                self.exclusive[large * self.identifiers + identifier] = value;
            }
        }
    }

    /// Names every cluster by its smallest record.
    pub(super) fn clusters(&mut self) -> Clusters {
        let count = u32::try_from(self.parent.len()).expect("records are numbered by u32");
        let mut smallest = vec![NULL_CODE; self.parent.len()];
        let mut of = Vec::with_capacity(self.parent.len());
        for record in 0..count {
            let root = self.root(record) as usize;
            if smallest[root] == NULL_CODE {
                smallest[root] = record;
            }
            of.push(smallest[root]);
        }
        Clusters { of }
    }
}
