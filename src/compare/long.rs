//! Jaro-Winkler similarity of values that the bit-parallel kernels do not take: longer than 64 characters, or of more characters than a
//! column's alphabet has. Linear in their lengths, so that hostile texts cost microseconds a pair.

use rustc_hash::FxHashMap;

use super::jaro_winkler::{Agreement, PREFIX_MAX, similarity};

/// The last left value, which a row of pairs shares, and buffers.
#[derive(Debug, Default)]
pub(super) struct Long {
    /// Code of the left value.
    owner: Option<u32>,
    left: Vec<char>,
    right: Vec<char>,
    /// Characters of the left value, numbered in the order of their first positions.
    numbers: FxHashMap<char, u32>,
    /// Positions in the left value by character, ascending, and where those of each character start; one more entry than characters.
    positions: Vec<u32>,
    starts: Vec<u32>,
    /// By character: the first of its positions that a later character of the right value may still match.
    next: Vec<u32>,
    is_matched: Vec<bool>,
    matched: Vec<char>,
}

impl Long {
    /// The similarity of two values that are not empty; `left` comes with its code.
    pub(super) fn jaro_winkler(&mut self, (code, left): (u32, &str), right: &str) -> f64 {
        if self.owner != Some(code) {
            self.own(left);
            self.owner = Some(code);
        }
        self.right.clear();
        self.right.extend(right.chars());
        let agreement = self.agreement();
        let same = self.left.iter().zip(&self.right).take(PREFIX_MAX).take_while(|(a, b)| a == b);
        similarity(agreement, self.left.len(), self.right.len(), same.count())
    }

    fn own(&mut self, left: &str) {
        self.left.clear();
        self.left.extend(left.chars());
        self.numbers.clear();
        let mut counts = Vec::new();
        for &character in &self.left {
            let number = *self.numbers.entry(character).or_insert(index(counts.len()));
            if number as usize == counts.len() {
                counts.push(0);
            }
            counts[number as usize] += 1;
        }
        self.starts.clear();
        self.starts.push(0);
        for count in counts {
            self.starts.push(self.starts.last().expect("it holds a 0 from the start") + count);
        }
        self.next.clone_from(&self.starts);
        self.positions.clear();
        self.positions.resize(self.left.len(), 0);
        for (position, character) in (0..).zip(&self.left) {
            let next = &mut self.next[self.numbers[character] as usize];
            self.positions[*next as usize] = position;
            *next += 1;
        }
    }

    /// Matches each character of the right value with the first equal one in the window that is still free, as the kernels do. The window only
    /// moves to the right and equal characters are taken in order, so what is passed over once never comes back.
    fn agreement(&mut self) -> Agreement {
        let reach = (self.left.len().max(self.right.len()) / 2).saturating_sub(1);
        self.next.clone_from(&self.starts);
        self.is_matched.clear();
        self.is_matched.resize(self.left.len(), false);
        self.matched.clear();
        for (position, &character) in self.right.iter().enumerate() {
            let Some(&number) = self.numbers.get(&character) else { continue };
            let (next, end) = (&mut self.next[number as usize], self.starts[number as usize + 1]);
            while *next < end && (self.positions[*next as usize] as usize) + reach < position {
                *next += 1;
            }
            if *next < end && self.positions[*next as usize] as usize <= position + reach {
                self.is_matched[self.positions[*next as usize] as usize] = true;
                self.matched.push(character);
                *next += 1;
            }
        }
        let partners = self.left.iter().zip(&self.is_matched).filter(|(_, matched)| **matched);
        let out_of_place = partners.zip(&self.matched).filter(|((left, _), right)| left != right).count();
        Agreement {
            matches: index(self.matched.len()),
            transpositions: index(out_of_place) / 2,
        }
    }
}

fn index(number: usize) -> u32 {
    u32::try_from(number).expect("a value is shorter than 4 GiB")
}
