//! Newtypes for every id, so that a record index can never be taken for a customer or a version.

use std::fmt;

use crate::error::{Error, Result};

/// Position of a contact record in canonical order: sorted by (source, record id), from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordIx(pub u32);

impl RecordIx {
    /// As an index into a column.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The stable public key of a customer: 128 bits, written as 26 characters of lower-case Crockford base 32.
///
/// The order of keys is the byte order of their text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerKey(u128);

/// Characters of a customer key.
pub const CUSTOMER_KEY_LENGTH: usize = 26;

/// Crockford's alphabet in lower case (<https://www.crockford.com/base32.html>): no i, l, o, u. Ascending in ASCII, so texts sort as numbers.
const CROCKFORD: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// For each byte its digit, or 255.
const DIGIT_OF: [u8; 256] = {
    let mut digits = [u8::MAX; 256];
    let mut digit: u8 = 0;
    while digit < 32 {
        digits[CROCKFORD[digit as usize] as usize] = digit;
        digit += 1;
    }
    digits
};

impl CustomerKey {
    /// The key of these 128 bits.
    #[must_use]
    pub fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// The key as ASCII, without an allocation.
    #[must_use]
    pub fn to_ascii(self) -> [u8; CUSTOMER_KEY_LENGTH] {
        // 130 bits in 26 digits of 5: two of the upper 10, twelve of each 60 below. Shifts of one word are cheap, those of two are not.
        let mut ascii = [0; CUSTOMER_KEY_LENGTH];
        let word = |shift: u32| u64::try_from((self.0 >> shift) & ((1 << 60) - 1)).expect("60 bits fit");
        for (digits, bits) in [(0..2, word(120)), (2..14, word(60)), (14..26, word(0))] {
            let last = digits.end - 1;
            for position in digits {
                let digit = (bits >> (5 * (last - position))) & 31;
                ascii[position] = CROCKFORD[usize::try_from(digit).expect("five bits fit")];
            }
        }
        ascii
    }
}

impl fmt::Display for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.to_ascii()).expect("the alphabet is ASCII"))
    }
}

impl std::str::FromStr for CustomerKey {
    type Err = Error;

    /// Reads the text form.
    ///
    /// # Errors
    /// `Input` if the text is not 26 characters of the alphabet, or more than 128 bits.
    fn from_str(text: &str) -> Result<Self> {
        let ascii: [u8; CUSTOMER_KEY_LENGTH] = text.as_bytes().try_into().map_err(|_| not_a_key())?;
        // As in `to_ascii`: two digits of the upper 10 bits, twelve of each 60 below.
        let (mut words, mut seen) = ([0_u64; 3], 0);
        for (word, digits) in words.iter_mut().zip([0..2, 2..14, 14..26]) {
            for &byte in &ascii[digits] {
                let digit = DIGIT_OF[usize::from(byte)];
                seen |= digit;
                *word = (*word << 5) | u64::from(digit);
            }
        }
        if seen >= 32 || words[0] >= 1 << 8 {
            return Err(not_a_key());
        }
        Ok(Self(
            (u128::from(words[0]) << 120) | (u128::from(words[1]) << 60) | u128::from(words[2]),
        ))
    }
}

fn not_a_key() -> Error {
    Error::input("the text is not a customer key").hint("a customer key has 26 characters of 0-9 a-z without i, l, o and u")
}

/// Number of a published version, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct VersionNumber(pub u64);

impl fmt::Display for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Name of one run, safe as a folder name. A scheduler's own id (Airflow's holds `:` and `+`) is made safe by [`RunId::from_scheduler`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct RunId(String);

/// Longest run id in characters.
pub const RUN_ID_LENGTH_MAX: usize = 128;

impl RunId {
    /// Takes a scheduler's id: every character outside `[A-Za-z0-9_.-]` becomes `-`, leading dots are dropped.
    ///
    /// # Errors
    /// `Config` if nothing usable is left or the id is longer than [`RUN_ID_LENGTH_MAX`].
    pub fn from_scheduler(text: &str) -> Result<Self> {
        let safe: String = text
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-') {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        let safe = safe.trim_start_matches('.').to_owned();
        if safe.is_empty() || safe.len() > RUN_ID_LENGTH_MAX {
            return Err(Error::config("the run id is not usable")
                .with("run id", text)
                .hint(format!("give 1 to {RUN_ID_LENGTH_MAX} characters of A-Z a-z 0-9 _ . -")));
        }
        Ok(Self(safe))
    }

    /// The id as a folder name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
