//! Records as lines of codes: what pairs are compared by stands together, so that a record costs one access to memory, and all columns of a
//! pair are compared in a few instructions.

use rayon::prelude::*;

use super::coded::{Coded, NULL_CODE};

/// Codes in a line: 64 bytes, one cache line.
const LANES: usize = 16;
/// Most columns that the bits of a mask can name.
pub const COLUMNS_MAX: usize = 64;
/// Records that one piece of work puts together.
const RECORDS_A_PIECE: usize = 1 << 13;

type Line = [u32; LANES];

/// The codes of all columns, record by record, filled up with [`NULL_CODE`].
#[derive(Debug, Clone)]
pub(super) struct Lines {
    lines: Vec<Line>,
    a_record: usize,
}

impl Lines {
    /// At most [`COLUMNS_MAX`] columns of equal length.
    pub(super) fn new(columns: &[Coded], records: u32) -> Self {
        assert!(columns.len() <= COLUMNS_MAX, "the configuration allows at most 64 columns");
        let a_record = columns.len().div_ceil(LANES).max(1);
        let mut lines = vec![[NULL_CODE; LANES]; a_record * records as usize];
        lines
            .par_chunks_mut(a_record * RECORDS_A_PIECE)
            .enumerate()
            .for_each(|(piece, lines)| {
                for (lane, column) in columns.iter().enumerate() {
                    let codes = &column.codes()[piece * RECORDS_A_PIECE..];
                    for (lines, &code) in lines.chunks_exact_mut(a_record).zip(codes) {
                        lines[lane / LANES][lane % LANES] = code;
                    }
                }
            });
        Self { lines, a_record }
    }

    /// The codes of a record, column by column.
    #[inline]
    pub(super) fn row(&self, record: u32) -> &[u32] {
        self.lines[record as usize * self.a_record..][..self.a_record].as_flattened()
    }

    /// Brings the codes of records near the processor: loads that do not wait for each other, before work that would wait for each.
    pub(super) fn fetch(&self, records: impl Iterator<Item = u32>) {
        let first = |record: u32| self.lines[record as usize * self.a_record][0];
        std::hint::black_box(records.map(first).fold(0, u32::wrapping_add));
    }

    /// One bit a column: where both records hold the same value, and where one of them holds none.
    #[inline]
    pub(super) fn masks(&self, left: u32, right: u32) -> (u64, u64) {
        if self.a_record == 1 {
            return masks_of(&self.lines[left as usize], &self.lines[right as usize]);
        }
        let lines = |record: u32| &self.lines[record as usize * self.a_record..][..self.a_record];
        let (mut equal, mut missing) = (0, 0);
        for (at, (left, right)) in lines(left).iter().zip(lines(right)).enumerate() {
            let (more_equal, more_missing) = masks_of(left, right);
            equal |= more_equal << (LANES * at);
            missing |= more_missing << (LANES * at);
        }
        (equal, missing)
    }
}

/// Written as a sum over lanes of one size, which compilers turn into a few vector instructions: a pair must be cheap enough for the processor to
/// fetch the lines of several ahead.
#[inline]
fn masks_of(left: &Line, right: &Line) -> (u64, u64) {
    let (mut equal, mut missing) = (0_u32, 0_u32);
    for (lane, (a, b)) in left.iter().zip(right).enumerate() {
        equal |= if a == b { 1 << lane } else { 0 };
    }
    for (lane, &a) in left.iter().enumerate() {
        missing |= if a == NULL_CODE { 1 << lane } else { 0 };
    }
    for (lane, &b) in right.iter().enumerate() {
        missing |= if b == NULL_CODE { 1 << lane } else { 0 };
    }
    (u64::from(equal & !missing), u64::from(missing))
}
