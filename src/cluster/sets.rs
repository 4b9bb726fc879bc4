//! Disjoint sets of records: union-find with path halving.

/// Sets of the numbers from 0, each with its size.
pub(super) struct Sets {
    parent: Vec<u32>,
    size: Vec<u32>,
}

impl Sets {
    /// Every number for itself.
    pub(super) fn new(count: u32) -> Self {
        Self {
            parent: (0..count).collect(),
            size: vec![1; count as usize],
        }
    }

    /// How many numbers there are.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.parent.len()).expect("records are numbered by u32")
    }

    /// What stands for the set of a number.
    pub(super) fn root(&mut self, number: u32) -> u32 {
        let mut node = number;
        while self.parent[node as usize] != node {
            let grandparent = self.parent[self.parent[node as usize] as usize];
            self.parent[node as usize] = grandparent;
            node = grandparent;
        }
        node
    }

    /// Size of the set of a root.
    pub(super) fn size(&self, root: u32) -> u32 {
        self.size[root as usize]
    }

    /// Hangs one root under another.
    pub(super) fn hang(&mut self, small: u32, large: u32) {
        self.parent[small as usize] = large;
        self.size[large as usize] += self.size[small as usize];
    }

    /// Unites the sets of two numbers, the smaller under the larger.
    pub(super) fn unite(&mut self, left: u32, right: u32) {
        let (left, right) = (self.root(left), self.root(right));
        if left == right {
        } else if self.size(left) >= self.size(right) {
            self.hang(right, left);
        } else {
            self.hang(left, right);
        }
    }
}
