//! Links between clusters while they grow: what tells a bridge between two dense groups from a group that belongs together.

use rustc_hash::FxHashMap;

use super::sets::Sets;
use crate::config::spec::CohesionSpec;
use crate::table::Link;

/// How many links stand between two trees. Only links of components that can grow too large are held.
pub(super) struct Cohesion {
    records_max: u64,
    share_min: f64,
    between: FxHashMap<u32, FxHashMap<u32, u32>>,
}

impl Cohesion {
    /// Counts the links of every component of more than `records_max` records. O(l).
    pub(super) fn new(spec: CohesionSpec, records: u32, links: &[Link]) -> Self {
        let mut cohesion = Self {
            records_max: u64::from(spec.records_max),
            share_min: spec.share_min,
            between: FxHashMap::default(),
        };
        if spec.share_min <= 0.0 {
            return cohesion;
        }
        let mut components = Sets::new(records);
        for link in links {
            components.unite(link.left.0, link.right.0);
        }
        for link in links {
            let root = components.root(link.left.0);
            if u64::from(components.size(root)) > cohesion.records_max {
                for (from, to) in [(link.left.0, link.right.0), (link.right.0, link.left.0)] {
                    *cohesion.between.entry(from).or_default().entry(to).or_default() += 1;
                }
            }
        }
        cohesion
    }

    /// Whether two trees of these sizes hang together well enough to be one. A single record is no group: it may always join.
    pub(super) fn allows(&self, (left, left_size): (u32, u32), (right, right_size): (u32, u32)) -> bool {
        let (left_size, right_size) = (u64::from(left_size), u64::from(right_size));
        if self.share_min <= 0.0 || left_size.min(right_size) < 2 || left_size + right_size <= self.records_max {
            return true;
        }
        let links = self.between.get(&left).and_then(|others| others.get(&right)).copied().unwrap_or(0);
        f64::from(links) >= self.share_min * (left_size * right_size) as f64
    }

    /// How many trees this one has links to.
    pub(super) fn neighbors(&self, root: u32) -> usize {
        self.between.get(&root).map_or(0, FxHashMap::len)
    }

    /// The links of `small` are those of `large` from now on.
    pub(super) fn absorb(&mut self, large: u32, small: u32) {
        let Some(moved) = self.between.remove(&small) else { return };
        for (other, links) in moved {
            if other == large {
                continue;
            }
            if let Some(of_other) = self.between.get_mut(&other) {
                of_other.remove(&small);
                *of_other.entry(large).or_default() += links;
            }
            *self.between.entry(large).or_default().entry(other).or_default() += links;
        }
        if let Some(of_large) = self.between.get_mut(&large) {
            of_large.remove(&small);
        }
    }
}
