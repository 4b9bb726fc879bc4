//! Bridges of a graph: links whose removal parts what they hold together.

/// A bridge, by the position of its edge, with the number of nodes on the side of each of its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bridge {
    /// Position of the edge.
    pub(crate) edge: usize,
    /// Nodes on the side of each of its ends.
    pub(crate) sides: [usize; 2],
}

/// Every bridge of a graph of so many nodes, by the position of its edge. Two edges between the same nodes are no bridge. O(nodes + edges),
/// without recursion (Tarjan 1974: an edge to a child is a bridge if nothing below it reaches above it).
pub(crate) fn bridges(nodes: usize, edges: &[(usize, usize)]) -> Vec<Bridge> {
    let mut around = vec![Vec::new(); nodes];
    for (edge, &(a, b)) in edges.iter().enumerate() {
        around[a].push((edge, b));
        around[b].push((edge, a));
    }
    let mut walk = Walk {
        edges,
        around,
        found_at: vec![0; nodes],
        lowest: vec![0; nodes],
        below: vec![1; nodes],
        next: 0,
    };
    let mut found = Vec::new();
    for start in 0..nodes {
        if walk.found_at[start] == 0 {
            walk.component(start, &mut found);
        }
    }
    found.sort_unstable_by_key(|bridge| bridge.edge);
    found
}

/// A depth-first walk. Times count from 1; 0 = not found yet.
struct Walk<'a> {
    edges: &'a [(usize, usize)],
    around: Vec<Vec<(usize, usize)>>,
    found_at: Vec<usize>,
    lowest: Vec<usize>,
    /// Nodes of the subtree, itself included.
    below: Vec<usize>,
    next: usize,
}

impl Walk<'_> {
    fn component(&mut self, start: usize, found: &mut Vec<Bridge>) {
        let first = found.len();
        // (node, edge to its parent, position among its neighbors)
        let mut path = vec![(start, usize::MAX, 0)];
        let mut children = Vec::new();
        self.enter(start);
        while let Some(top) = path.last_mut() {
            let (node, by, at) = *top;
            top.2 += 1;
            if let Some(&(edge, other)) = self.around[node].get(at) {
                if edge == by {
                } else if self.found_at[other] == 0 {
                    self.enter(other);
                    path.push((other, edge, 0));
                } else {
                    self.lowest[node] = self.lowest[node].min(self.found_at[other]);
                }
                continue;
            }
            path.pop();
            if let Some(&(parent, ..)) = path.last() {
                self.lowest[parent] = self.lowest[parent].min(self.lowest[node]);
                self.below[parent] += self.below[node];
                if self.lowest[node] > self.found_at[parent] {
                    children.push((by, node));
                }
            }
        }
        let all = self.below[start];
        found.extend(children.into_iter().map(|(edge, child)| {
            let below = self.below[child];
            let sides = if self.edges[edge].0 == child {
                [below, all - below]
            } else {
                [all - below, below]
            };
            Bridge { edge, sides }
        }));
        debug_assert!(found[first..].iter().all(|bridge| bridge.sides.iter().sum::<usize>() == all));
    }

    fn enter(&mut self, node: usize) {
        self.next += 1;
        self.found_at[node] = self.next;
        self.lowest[node] = self.next;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Nodes that can be reached from `start` without one edge.
    fn reached(nodes: usize, edges: &[(usize, usize)], without: usize, start: usize) -> Vec<bool> {
        let mut is_reached = vec![false; nodes];
        is_reached[start] = true;
        for _ in 0..nodes {
            for (_, &(a, b)) in edges.iter().enumerate().filter(|(edge, _)| *edge != without) {
                if is_reached[a] || is_reached[b] {
                    (is_reached[a], is_reached[b]) = (true, true);
                }
            }
        }
        is_reached
    }

    proptest! {
        #[test]
        fn bridges_are_the_edges_without_which_their_ends_are_apart(edges in prop::collection::vec((0_usize..12, 0_usize..12), 0..20)) {
            let edges: Vec<(usize, usize)> = edges.into_iter().filter(|(a, b)| a != b).collect();
            let mut expected = Vec::new();
            for (edge, &(a, b)) in edges.iter().enumerate() {
                let from_a = reached(12, &edges, edge, a);
                if !from_a[b] {
                    let count = |reached: Vec<bool>| reached.into_iter().filter(|reached| *reached).count();
                    expected.push(Bridge { edge, sides: [count(from_a), count(reached(12, &edges, edge, b))] });
                }
            }
            prop_assert_eq!(bridges(12, &edges), expected);
        }
    }

    #[test]
    fn a_long_chain_needs_no_deep_stack() {
        let edges: Vec<(usize, usize)> = (0..200_000).map(|node| (node, node + 1)).collect();
        let found = bridges(200_001, &edges);
        assert_eq!((found.len(), found[0].sides), (200_000, [1, 200_000]));
    }
}
