//! Edit distances on prepared values: Levenshtein bit-parallel, Damerau-Levenshtein bounded.

use super::jaro_winkler::Masks;
use super::text::LENGTH_MAX;

/// Levenshtein distance. Myers (1999) in the form of Hyyrö (2003): one step a character of `right`. Lengths 1 to 64.
pub(super) fn levenshtein(masks: &Masks, left_length: usize, right: &[u8]) -> u32 {
    let last = 1_u64 << (left_length - 1);
    let (mut up, mut down) = (u64::MAX, 0_u64);
    let mut distance = u32::try_from(left_length).expect("lengths are at most 64");
    for &character in right {
        let equal = masks[usize::from(character)];
        let diagonal = (((equal & up).wrapping_add(up)) ^ up) | equal | down;
        let rises = down | !(diagonal | up);
        let falls = diagonal & up;
        distance += u32::from(rises & last != 0);
        distance -= u32::from(falls & last != 0);
        let rises = (rises << 1) | 1;
        let falls = falls << 1;
        up = falls | !(diagonal | rises);
        down = rises & diagonal;
    }
    distance
}

/// Levenshtein distance if it is at most 1: what is left between the common prefix and suffix is at most one character on either side.
pub(super) fn levenshtein_within_one<T: PartialEq>(left: &[T], right: &[T]) -> Option<u32> {
    let (left, right) = strip(left, right);
    match left.len().max(right.len()) {
        0 => Some(0),
        1 => Some(1),
        _ => None,
    }
}

/// Damerau-Levenshtein distance if it is at most 1, as [`levenshtein_within_one`].
pub(super) fn damerau_within_one<T: PartialEq>(left: &[T], right: &[T]) -> Option<u32> {
    let (left, right) = strip(left, right);
    match left.len().max(right.len()) {
        0 => Some(0),
        1 => Some(1),
        _ => is_swap(left, right).then_some(1),
    }
}

const SIDE: usize = LENGTH_MAX + 2;

/// Buffers of one thread.
#[derive(Debug)]
pub(super) struct DamerauScratch {
    rows: Box<[[u16; SIDE]; SIDE]>,
    last_row: Box<[u8; 256]>,
}

impl Default for DamerauScratch {
    fn default() -> Self {
        Self {
            rows: Box::new([[0; SIDE]; SIDE]),
            last_row: Box::new([0; 256]),
        }
    }
}

/// Unrestricted Damerau-Levenshtein distance (Lowrance and Wagner, 1975) of what is left between the common prefix and suffix, if it is at
/// most `bound`. Values of at most 64 characters.
pub(super) fn damerau_levenshtein(scratch: &mut DamerauScratch, left: &[u8], right: &[u8], bound: u32) -> Option<u32> {
    let (left, right) = strip(left, right);
    let longest = u32::try_from(left.len().max(right.len())).expect("lengths are at most 64");
    let distance = if left.is_empty() || right.is_empty() {
        longest
    } else if longest == 1 || is_swap(left, right) {
        1
    } else if bound < 2 {
        return None;
    } else {
        lowrance_wagner(scratch, left, right)
    };
    (distance <= bound).then_some(distance)
}

/// Whether two values are two characters in the other order.
fn is_swap<T: PartialEq>(left: &[T], right: &[T]) -> bool {
    left.len() == 2 && right.len() == 2 && left[0] == right[1] && left[1] == right[0]
}

/// Cuts the common prefix and suffix: a shortest way of editing never touches them.
fn strip<'a, T: PartialEq>(mut left: &'a [T], mut right: &'a [T]) -> (&'a [T], &'a [T]) {
    let prefix = left.iter().zip(right).take_while(|(a, b)| a == b).count();
    (left, right) = (&left[prefix..], &right[prefix..]);
    let suffix = left.iter().rev().zip(right.iter().rev()).take_while(|(a, b)| a == b).count();
    (&left[..left.len() - suffix], &right[..right.len() - suffix])
}

fn lowrance_wagner(scratch: &mut DamerauScratch, left: &[u8], right: &[u8]) -> u32 {
    let rows = &mut *scratch.rows;
    let far = small(left.len() + right.len());
    rows[0][0] = far;
    for i in 0..=left.len() {
        rows[i + 1][0] = far;
        rows[i + 1][1] = small(i);
    }
    for j in 0..=right.len() {
        rows[0][j + 1] = far;
        rows[1][j + 1] = small(j);
    }
    for (i, &a) in left.iter().enumerate() {
        let mut last_match = 0;
        for (j, &b) in right.iter().enumerate() {
            let row = usize::from(scratch.last_row[usize::from(b)]);
            let transposed = rows[row][last_match] + small(i - row) + 1 + small(j - last_match);
            let substituted = rows[i + 1][j + 1] + u16::from(a != b);
            if a == b {
                last_match = j + 1;
            }
            let edited = rows[i + 1][j + 2].min(rows[i + 2][j + 1]) + 1;
            rows[i + 2][j + 2] = substituted.min(edited).min(transposed);
        }
        scratch.last_row[usize::from(a)] = u8::try_from(i + 1).expect("lengths are at most 64");
    }
    for &a in left {
        scratch.last_row[usize::from(a)] = 0;
    }
    u32::from(rows[left.len() + 1][right.len() + 1])
}

fn small(number: usize) -> u16 {
    u16::try_from(number).expect("two values of 64 characters are at most 128 edits apart")
}
