//! The records of each customer: one counting sort, shared by every table of this stage.

use arrow::array::{ArrayRef, UInt32Array};

use crate::table::build::key_column;
use crate::table::keys::Keys;

/// Records sorted by (key, record): the records of key `k` are `order[starts[k]..starts[k + 1]]`.
pub(super) struct Members {
    /// Record positions.
    pub order: Vec<u32>,
    /// Start of each key's records, and their number at the end.
    pub starts: Vec<u32>,
}

impl Members {
    /// O(n).
    pub fn new(keys: &Keys) -> Self {
        let mut starts = vec![0_u32; keys.keys.len() + 1];
        for &key in &keys.of {
            starts[key as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut order = vec![0_u32; keys.of.len()];
        for (record, &key) in (0_u32..).zip(&keys.of) {
            let slot = &mut next[key as usize];
            order[*slot as usize] = record;
            *slot += 1;
        }
        Self { order, starts }
    }

    /// Number of customers.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Records of a customer, ascending.
    pub fn of(&self, customer: usize) -> &[u32] {
        &self.order[self.starts[customer] as usize..self.starts[customer + 1] as usize]
    }

    /// The records in order, to `take` columns with.
    pub fn rows(&self) -> UInt32Array {
        UInt32Array::from(self.order.clone())
    }

    /// The key of each record, in order.
    pub fn keys(&self, keys: &Keys) -> ArrayRef {
        key_column(self.order.iter().map(|&record| Some(keys.keys[keys.of[record as usize] as usize])))
    }
}
