//! Distinct values as short byte strings over the column's own alphabet, so that one byte is one character whatever the script.

use arrow::array::{Array, StringArray};
use rustc_hash::FxHashMap;

/// Longest value in characters that the bit-parallel kernels take.
pub(super) const LENGTH_MAX: usize = 64;

/// Prepared values that stay in the second cache level.
const CACHED_MAX: usize = 1 << 15;

/// One distinct value, prepared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    /// Bag of characters: bit `b` = at least one, bit `32 + b` = at least two characters of class `b`.
    pub(super) bag: u64,
    start: u32,
    /// Length in characters; [`Text::SLOW`] if the value does not fit the kernels.
    length: u8,
    /// The first characters; 0 where there is none. As many as fit 16 bytes with the rest, so that no value lies across two cache lines.
    head: [u8; HEAD],
}

/// Characters of [`Text::head`].
const HEAD: usize = 3;

impl Text {
    const SLOW: u8 = u8::MAX;

    /// Whether the kernels take this value.
    pub(super) fn is_fast(self) -> bool {
        self.length != Self::SLOW
    }

    /// The longest that the common prefix of two values can be, up to `most`, which is above [`HEAD`]. Of fast values.
    #[inline]
    pub(super) fn common_prefix_max(self, other: Self, most: usize) -> usize {
        let same = self.head.iter().zip(&other.head).take_while(|(a, b)| a == b).count();
        let same = if same == HEAD { most } else { same };
        same.min(self.length()).min(other.length())
    }

    /// Length in characters, of a fast value.
    pub(super) fn length(self) -> usize {
        usize::from(self.length)
    }
}

/// All distinct values of a column. Letters are numbered from 1 by how often they occur, so that the 32 commonest have a bag class each.
#[derive(Debug)]
pub(super) struct Texts {
    texts: Vec<Text>,
    bytes: Vec<u8>,
    values: StringArray,
}

impl Texts {
    /// Prepares the values of a column; position = code. O(bytes).
    pub(super) fn new(values: &StringArray) -> Self {
        let alphabet = Alphabet::of(values);
        let mut bytes = Vec::with_capacity(values.value_data().len());
        let mut texts = Vec::with_capacity(values.len());
        for value in values.iter().flatten() {
            let start = bytes.len();
            let fits = u32::try_from(start).is_ok() && alphabet.append(value, &mut bytes);
            if !fits {
                bytes.truncate(start);
            }
            texts.push(prepare(&bytes[start..], u32::try_from(start).unwrap_or(0), fits));
        }
        Self {
            texts,
            bytes,
            values: values.clone(),
        }
    }

    /// The prepared value of a code.
    pub(super) fn text(&self, code: u32) -> Text {
        self.texts[code as usize]
    }

    /// Whether they are more than a cache holds.
    pub(super) fn are_many(&self) -> bool {
        self.texts.len() > CACHED_MAX
    }

    /// Loads the prepared values of codes, one after the other without waiting.
    pub(super) fn fetch(&self, codes: impl Iterator<Item = u32>) {
        let length = |code: u32| self.texts.get(code as usize).map_or(0, |text| text.length);
        std::hint::black_box(codes.map(length).fold(0, u8::wrapping_add));
    }

    /// The characters of a fast value.
    pub(super) fn bytes(&self, text: Text) -> &[u8] {
        &self.bytes[text.start as usize..text.start as usize + text.length()]
    }

    /// The value as it is.
    pub(super) fn value(&self, code: u32) -> &str {
        self.values.value(code as usize)
    }
}

fn prepare(bytes: &[u8], start: u32, fits: bool) -> Text {
    let mut bag = 0_u64;
    for &byte in bytes {
        let once = 1_u64 << (byte % 32);
        bag |= if bag & once == 0 { once } else { once << 32 };
    }
    let mut head = [0; HEAD];
    for (to, &from) in head.iter_mut().zip(bytes) {
        *to = from;
    }
    Text {
        bag,
        head,
        start,
        length: if fits {
            u8::try_from(bytes.len()).expect("a fast value has at most 64 characters")
        } else {
            Text::SLOW
        },
    }
}

/// At most 255 characters as bytes from 1.
struct Alphabet {
    ascii: [u8; 128],
    others: FxHashMap<char, u8>,
}

impl Alphabet {
    /// The commonest characters of all values; ties by code point.
    fn of(values: &StringArray) -> Self {
        let mut ascii_counts = [0_u64; 128];
        let mut counts: FxHashMap<char, u64> = FxHashMap::default();
        for value in values.iter().flatten() {
            for character in value.chars() {
                match ascii_counts.get_mut(character as usize) {
                    Some(count) => *count += 1,
                    None => *counts.entry(character).or_default() += 1,
                }
            }
        }
        let ascii_counts = (0_u8..128).map(char::from).zip(ascii_counts).filter(|&(_, count)| count > 0);
        let mut ranked: Vec<(char, u64)> = ascii_counts.chain(counts).collect();
        ranked.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        let mut alphabet = Self {
            ascii: [0; 128],
            others: FxHashMap::default(),
        };
        for (byte, (character, _)) in (1..=u8::MAX).zip(ranked) {
            match alphabet.ascii.get_mut(character as usize) {
                Some(code) => *code = byte,
                None => {
                    alphabet.others.insert(character, byte);
                }
            }
        }
        alphabet
    }

    /// Appends the value's characters; false if it is too long or holds a character outside the alphabet.
    fn append(&self, value: &str, bytes: &mut Vec<u8>) -> bool {
        for (position, character) in value.chars().enumerate() {
            let byte = match self.ascii.get(character as usize) {
                Some(&byte) => byte,
                None => self.others.get(&character).copied().unwrap_or(0),
            };
            if byte == 0 || position == LENGTH_MAX {
                return false;
            }
            bytes.push(byte);
        }
        true
    }
}
