//! Samples without a generator's state: a hash of the seed and of what is drawn, so that no order of threads or rows can change them.

/// 64 well mixed bits of a seed and a number: the finalizer of SplitMix64 (Steele, Lea and Flood, 2014), twice.
pub(super) fn hash(seed: u64, number: u64) -> u64 {
    mix(mix(seed.wrapping_add(0x9E37_79B9_7F4A_7C15)).wrapping_add(number.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
}

fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// A number below `bound`, from 64 hashed bits (Lemire's multiplication; the bias is below 2^-32).
pub(super) fn below(bits: u64, bound: u32) -> u32 {
    u32::try_from((u128::from(bits) * u128::from(bound)) >> 64).expect("the product of 64 and 32 bits has 96 bits")
}

/// Keeps about `wanted` of `total` pairs, row by row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    seed: u64,
    /// ln(1 − share); `None` keeps all.
    log_skipped: Option<f64>,
}

impl Share {
    pub(super) fn new(seed: u64, wanted: u64, total: u64) -> Self {
        let log_skipped = (total > wanted).then(|| (-(wanted as f64 / total as f64)).ln_1p());
        Self { seed, log_skipped }
    }

    /// The partners of `left` that are in the sample, in their order; `sampled` is a buffer. Jumps from one to the next by geometric gaps,
    /// so that a row costs as many steps as it gives partners: a session may draw from billions of pairs.
    pub(super) fn of_row<'a>(self, left: u32, rights: &'a [u32], sampled: &'a mut Vec<u32>) -> &'a [u32] {
        let Some(log_skipped) = self.log_skipped else {
            return rights;
        };
        sampled.clear();
        let row = hash(self.seed, u64::from(left));
        let mut at = 0_usize;
        for draw in 0.. {
            let uniform = ((hash(row, draw) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
            let gap = uniform.ln() / log_skipped;
            if gap >= (rights.len() - at) as f64 {
                break;
            }
            at += gap as usize;
            sampled.push(rights[at]);
            at += 1;
        }
        sampled
    }
}
