//! Jaro-Winkler similarity, bit-parallel: one machine word holds all positions of the left value.
//!
//! Winkler (1990), with a prefix weight of 0.1 for up to 4 characters, applied above a Jaro similarity of 0.7. The order of the floating-point
//! operations is that of `strsim`, and the results are equal to the last bit: thresholds such as 0.92 are hit exactly by short names.

/// Jaro similarity above which a common prefix counts.
const BOOST_ABOVE: f64 = 0.7;
/// Weight of one character of the common prefix.
const PREFIX_WEIGHT: f64 = 0.1;
/// Longest common prefix that counts.
pub(super) const PREFIX_MAX: usize = 4;

/// Positions of each character in a value of at most 64 characters; index = character.
pub(super) type Masks = [u64; 256];

/// Matching characters and transpositions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Agreement {
    pub(super) matches: u32,
    pub(super) transpositions: u32,
}

/// Finds the characters of `right` that match one of the left value within the window, greedily from the left.
///
/// The greedy choice is the same from both sides (a window of equal reach on both makes the earliest partner the best one), so the result
/// is symmetric. `left_length` and `right.len()` are 1 to 64.
pub(super) fn agreement(masks: &Masks, left_length: usize, right: &[u8], matches_min: u32) -> Option<Agreement> {
    let reach = (left_length.max(right.len()) / 2).saturating_sub(1);
    let mut window: u64 = (1_u64 << (reach + 1)) - 1;
    let (mut used, mut matched) = (0_u64, 0_u64);
    for (position, &character) in right.iter().enumerate() {
        let candidates = masks[usize::from(character)] & window & !used;
        used |= candidates & candidates.wrapping_neg();
        matched |= u64::from(candidates != 0) << position;
        window = if position < reach { (window << 1) | 1 } else { window << 1 };
    }
    let matches = used.count_ones();
    if matches < matches_min {
        return None;
    }
    let mut out_of_place = 0;
    while matched != 0 {
        let character = right[matched.trailing_zeros() as usize];
        let partner = used & used.wrapping_neg();
        out_of_place += u32::from(masks[usize::from(character)] & partner == 0);
        used ^= partner;
        matched &= matched - 1;
    }
    Some(Agreement {
        matches,
        transpositions: out_of_place / 2,
    })
}

/// The similarity from what agrees. Lengths in characters, at least 1, of any values.
pub(super) fn similarity(agreement: Agreement, left_length: usize, right_length: usize, prefix: usize) -> f64 {
    if agreement.matches == 0 {
        return 0.0;
    }
    let matches = f64::from(agreement.matches);
    let in_place = f64::from(agreement.matches - agreement.transpositions);
    let jaro = ((matches / length(left_length)) + (matches / length(right_length)) + (in_place / matches)) / 3.0;
    if jaro > BOOST_ABOVE {
        jaro + PREFIX_WEIGHT * length(prefix) * (1.0 - jaro)
    } else {
        jaro
    }
}

fn length(length: usize) -> f64 {
    f64::from(u32::try_from(length).expect("a value is shorter than 4 GiB"))
}

/// For every pair of lengths and prefix the fewest matching characters with which a threshold can be reached.
#[derive(Debug)]
pub(super) struct MatchesMin(Vec<u8>);

/// Guards the bound against the last bit of the formula, which is monotonous only in exact arithmetic.
const SLACK: f64 = 1e-9;
const SIDE: usize = super::text::LENGTH_MAX + 1;

impl MatchesMin {
    /// The bounds for one threshold.
    pub(super) fn new(threshold: f64) -> Self {
        let mut fewest = vec![0; (PREFIX_MAX + 1) * SIDE * SIDE];
        for prefix in 0..=PREFIX_MAX {
            for left in 1..SIDE {
                for right in 1..SIDE {
                    fewest[index(prefix, left, right)] = fewest_matches(threshold, prefix, left, right);
                }
            }
        }
        Self(fewest)
    }

    /// Fewest matching characters; `u8::MAX` if no number suffices, and for lengths that are too large.
    pub(super) fn get(&self, prefix: usize, left: usize, right: usize) -> u32 {
        u32::from(self.0.get(index(prefix, left, right)).copied().unwrap_or(u8::MAX))
    }
}

fn index(prefix: usize, left: usize, right: usize) -> usize {
    (prefix * SIDE + left) * SIDE + right
}

fn fewest_matches(threshold: f64, prefix: usize, left: usize, right: usize) -> u8 {
    let best = |matches: u8| {
        let agreement = Agreement {
            matches: u32::from(matches),
            transpositions: 0,
        };
        similarity(agreement, left, right, prefix)
    };
    let most = u8::try_from(left.min(right)).expect("lengths are at most 64");
    (0..=most).find(|&matches| best(matches) + SLACK >= threshold).unwrap_or(u8::MAX)
}
