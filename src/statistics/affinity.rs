//! Which items go together: counts of pairs, and the next item for a set of items.
//!
//! Items are numbers from 1, so that counts lie in one triangle of integers: sums do not depend on any order, and partial counts merge.

use std::collections::BTreeMap;

/// Largest item number; the triangle of counts has half its square of 4 bytes each (50 MB).
pub const ITEMS_MAX: u32 = 5_000;

/// How many sets hold an item, and each two items. Empty to begin with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PairCounts {
    /// Row after row of the triangle below and including the diagonal.
    triangle: Vec<u32>,
}

impl PairCounts {
    /// From the triangle that [`PairCounts::triangle`] gave.
    #[must_use]
    pub fn from_triangle(triangle: Vec<u32>) -> Self {
        Self { triangle }
    }

    /// The counts: (1,1), (2,1), (2,2), (3,1), …
    #[must_use]
    pub fn triangle(&self) -> &[u32] {
        &self.triangle
    }

    /// Adds a set; numbers outside 1 to [`ITEMS_MAX`] are left out, repeated ones count once.
    pub fn add(&mut self, items: &[i64]) {
        let is_item = |item: &u32| (1..=ITEMS_MAX).contains(item);
        let mut items: Vec<u32> = items.iter().filter_map(|item| u32::try_from(*item).ok()).filter(is_item).collect();
        items.sort_unstable();
        items.dedup();
        let Some(last) = items.last() else { return };
        let needed = place(*last, *last) + 1;
        if self.triangle.len() < needed {
            self.triangle.resize(needed, 0);
        }
        for (position, high) in items.iter().enumerate() {
            for low in &items[..=position] {
                let count = &mut self.triangle[place(*high, *low)];
                *count = count.saturating_add(1);
            }
        }
    }

    /// Adds the counts of other sets.
    pub fn merge(&mut self, other: &Self) {
        if self.triangle.len() < other.triangle.len() {
            self.triangle.resize(other.triangle.len(), 0);
        }
        for (count, more) in self.triangle.iter_mut().zip(&other.triangle) {
            *count = count.saturating_add(*more);
        }
    }

    /// (higher item, lower item, sets with both), items with themselves included, where there are at least `count_min` and one.
    pub fn counts(&self, count_min: u32) -> impl Iterator<Item = (u32, u32, u32)> + '_ {
        let items = (1..).take_while(|&high| place(high, 1) < self.triangle.len());
        let pairs = items.flat_map(|high| (1..=high).map(move |low| (high, low)));
        let counted = pairs.zip(&self.triangle).map(|((high, low), &count)| (high, low, count));
        counted.filter(move |(_, _, count)| *count >= count_min.max(1))
    }
}

fn place(high: u32, low: u32) -> usize {
    let high = high as usize;
    high * (high - 1) / 2 + low as usize - 1
}

/// For each item the items that go with it, each with a score.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Neighbors {
    of: BTreeMap<u32, Vec<(u32, f64)>>,
}

/// The next item for a set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Next {
    /// The item.
    pub item: u32,
    /// The item of the set that speaks most for it.
    pub because_of: u32,
    /// Sum of the scores that items of the set give it.
    pub score: f64,
}

impl Neighbors {
    /// Reads `item:neighbor:score` parts that blanks separate; `None` if a part reads otherwise or a score is not finite.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut of: BTreeMap<u32, Vec<(u32, f64)>> = BTreeMap::new();
        for part in text.split_ascii_whitespace() {
            let mut fields = part.split(':');
            let (item, neighbor, score) = (fields.next()?, fields.next()?, fields.next()?);
            let score: f64 = score.parse().ok().filter(|score: &f64| score.is_finite())?;
            of.entry(item.parse().ok()?).or_default().push((neighbor.parse().ok()?, score));
        }
        Some(Self { of })
    }

    /// The item outside the set with the highest sum of scores over the items of the set (item-to-item filtering: Sarwar et al. 2001,
    /// Linden et al. 2003); of equal ones the lowest number. `None` if nothing goes with any of them.
    #[must_use]
    pub fn next(&self, items: &[i64]) -> Option<Next> {
        let mut candidates: Vec<(u32, u32, f64)> = Vec::new();
        for item in items.iter().filter_map(|item| u32::try_from(*item).ok()) {
            let neighbors = self.of.get(&item).map(Vec::as_slice).unwrap_or_default();
            let new = neighbors.iter().filter(|(neighbor, _)| !items.contains(&i64::from(*neighbor)));
            candidates.extend(new.map(|&(neighbor, score)| (neighbor, item, score)));
        }
        candidates.sort_unstable_by(|left, right| (left.0, left.1).cmp(&(right.0, right.1)));
        let mut best: Option<Next> = None;
        for group in candidates.chunk_by(|left, right| left.0 == right.0) {
            let score = group.iter().map(|(_, _, score)| score).sum();
            if best.is_none_or(|best| score > best.score) {
                let mut strongest = group[0];
                for other in group {
                    if other.2 > strongest.2 {
                        strongest = *other;
                    }
                }
                best = Some(Next {
                    item: strongest.0,
                    because_of: strongest.1,
                    score,
                });
            }
        }
        best
    }
}

/// The items of a list of `day * 2^32 + item`, the newest first, each once, at most `count_max`.
#[must_use]
pub fn newest(dated: &[i64], count_max: usize) -> Vec<i64> {
    let mut dated = dated.to_vec();
    // The newest day first; items of one day by number.
    dated.sort_unstable_by_key(|packed| (std::cmp::Reverse(packed >> 32), packed & 0xffff_ffff));
    let mut items: Vec<i64> = Vec::new();
    for packed in dated {
        let item = packed & 0xffff_ffff;
        if items.len() == count_max {
            break;
        }
        if !items.contains(&item) {
            items.push(item);
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_and_items_are_counted_once_a_set() {
        let mut counts = PairCounts::default();
        counts.add(&[2, 1, 1]);
        counts.add(&[3, 2, 0, -4, 9_999_999]);
        let all: Vec<_> = counts.counts(0).collect();
        assert_eq!(all, [(1, 1, 1), (2, 1, 1), (2, 2, 2), (3, 2, 1), (3, 3, 1)]);
        assert_eq!(counts.counts(2).collect::<Vec<_>>(), [(2, 2, 2)]);
    }

    #[test]
    fn merged_counts_are_those_of_all_sets() {
        let sets = [vec![1, 5], vec![2, 3, 5], vec![1, 2], vec![4]];
        let (mut all, mut left, mut right) = (PairCounts::default(), PairCounts::default(), PairCounts::default());
        for (position, set) in sets.iter().enumerate() {
            all.add(set);
            if position < 2 { left.add(set) } else { right.add(set) }
        }
        right.merge(&PairCounts::from_triangle(left.triangle().to_vec()));
        assert_eq!(right, all);
    }

    #[test]
    fn the_next_item_has_the_highest_sum_and_names_its_strongest_reason() {
        let neighbors = Neighbors::parse("1:7:0.5 2:7:0.25 2:8:0.7 1:2:0.9").expect("neighbors");
        let next = neighbors.next(&[1, 2]).expect("an item");
        assert_eq!((next.item, next.because_of), (7, 1));
        assert!((next.score - 0.75).abs() < 1e-12);
        assert_eq!(neighbors.next(&[2, 7]).map(|next| next.item), Some(8));
        assert_eq!(neighbors.next(&[3]), None);
        assert_eq!(Neighbors::parse("1:2"), None);
        assert_eq!(Neighbors::parse("1:2:NaN"), None);
    }

    #[test]
    fn the_newest_items_come_first_and_once() {
        let at = |day: i64, item: i64| (day << 32) + item;
        assert_eq!(newest(&[at(1, 5), at(3, 5), at(2, 9), at(3, 1)], 3), [1, 5, 9]);
        assert_eq!(newest(&[at(1, 5), at(3, 5), at(2, 9), at(3, 1)], 2), [1, 5]);
    }
}
