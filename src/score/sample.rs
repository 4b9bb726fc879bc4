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

/// Keeps about `wanted` of `total` things by their hash.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    seed: u64,
    /// Hashes up to here are kept; `None` keeps all.
    limit: Option<u64>,
}

impl Share {
    pub(super) fn new(seed: u64, wanted: u64, total: u64) -> Self {
        let limit = (total > wanted).then(|| {
            let limit = u128::from(wanted) * (1_u128 << 64) / u128::from(total);
            u64::try_from(limit).expect("fewer are wanted than there are")
        });
        Self { seed, limit }
    }

    pub(super) fn keeps_all(self) -> bool {
        self.limit.is_none()
    }

    /// Whether the pair is in the sample.
    pub(super) fn keeps(self, left: u32, right: u32) -> bool {
        let pair = (u64::from(left) << 32) | u64::from(right);
        self.limit.is_none_or(|limit| hash(self.seed, pair) < limit)
    }
}
