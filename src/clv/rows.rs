//! Histories laid out for summing a likelihood: distinct counts and distinct times once, so that logarithms are taken per count and per
//! day instead of per row, and rows that are added up in fixed pieces, the same for any number of threads.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::optimize::Evaluation;
use super::{DAYS_PER_WEEK, History};

/// Rows that one thread adds up by itself. Part of the result: other pieces round otherwise.
const PIECE: usize = 1024;
/// Above this many distinct histories a fit starts on cells.
pub(super) const CELLS_FROM: usize = 16_384;
/// Cells are this share of the longest age wide: some thousand of them.
const CELL_WIDTH: f64 = 0.04;
/// Counts up to this one have cells of their own, above it one per tenth of their logarithm.
const COUNT_EXACT: u32 = 24;

/// Customers with one history.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Position in [`Rows::counts`].
    pub count: u32,
    /// Positions in [`Rows::times`].
    pub recency: u32,
    pub age: u32,
    /// Customers.
    pub weight: f64,
}

/// Distinct histories in order.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    /// Repeat purchases, ascending.
    pub counts: Vec<f64>,
    /// Times in weeks.
    pub times: Vec<f64>,
    pub rows: Vec<Row>,
    /// All customers by repeat purchases, ascending; what depends on those alone is summed over these.
    pub totals: Vec<(f64, f64)>,
    pub customers: f64,
}

impl Rows {
    /// From groups that are sorted by repeat purchases.
    pub fn new(groups: &[(History, u64)]) -> Self {
        let totals = totals(groups);
        let counts: Vec<f64> = totals.iter().map(|&(count, _)| count).collect();
        let (days, position) = distinct_days(groups);
        let mut count = 0;
        let rows = groups.iter().map(|&(history, weight)| {
            while counts[count as usize] < f64::from(history.x) {
                count += 1;
            }
            Row {
                count,
                recency: position[history.recency as usize],
                age: position[history.age as usize],
                weight: weight as f64,
            }
        });
        Self {
            rows: rows.collect(),
            times: days.iter().map(|&day| f64::from(day) / DAYS_PER_WEEK).collect(),
            customers: totals.iter().map(|&(_, weight)| weight).sum(),
            counts,
            totals,
        }
    }

    /// The same customers in at most some thousand cells of neighboring histories, each at its mean. Parameters found on these are
    /// within a percent, from where the full data need few steps.
    pub fn cells(groups: &[(History, u64)]) -> Self {
        let longest = groups.iter().map(|(history, _)| history.age).max().unwrap_or(0);
        let width = ((f64::from(longest) * CELL_WIDTH) as u32).max(2);
        // Customers, and sums of repeat purchases, recency and age; added up in the order of the groups.
        let mut sums: FxHashMap<(u32, u32, u32), [f64; 4]> = FxHashMap::default();
        for &(history, weight) in groups {
            let cell = (cell_of_count(history.x), history.recency / width, history.age / width);
            let weight = weight as f64;
            let sum = sums.entry(cell).or_default();
            sum[0] += weight;
            sum[1] += weight * f64::from(history.x);
            sum[2] += weight * f64::from(history.recency);
            sum[3] += weight * f64::from(history.age);
        }
        let mut cells: Vec<_> = sums.into_iter().collect();
        cells.sort_unstable_by_key(|&(cell, _)| cell);
        let (mut rows, mut counts, mut times) = (Vec::new(), Vec::new(), Vec::new());
        for (_, [weight, count, recency, age]) in cells {
            rows.push(Row {
                count: counts.len() as u32,
                recency: times.len() as u32,
                age: times.len() as u32 + 1,
                weight,
            });
            counts.push(count / weight);
            times.push(recency / weight / DAYS_PER_WEEK);
            times.push(age / weight / DAYS_PER_WEEK);
        }
        let totals = totals(groups);
        let customers = totals.iter().map(|&(_, weight)| weight).sum();
        Self {
            counts,
            times,
            rows,
            totals,
            customers,
        }
    }

    /// Adds up what `each` adds for a row, in pieces of fixed length that any number of threads may take.
    pub fn sum<const N: usize>(&self, each: impl Fn(&Row, &mut Evaluation<N>) + Sync) -> Evaluation<N> {
        let piece = |rows: &[Row]| {
            let mut sum = Evaluation::ZERO;
            for row in rows {
                each(row, &mut sum);
            }
            sum
        };
        let pieces: Vec<Evaluation<N>> = if self.rows.len() <= 2 * PIECE {
            self.rows.chunks(PIECE).map(piece).collect()
        } else {
            self.rows.par_chunks(PIECE).map(piece).collect()
        };
        pairwise(&pieces)
    }

    /// Mean age in weeks.
    pub fn age_mean(&self) -> f64 {
        self.rows.iter().map(|row| self.times[row.age as usize] * row.weight).sum::<f64>() / self.customers.max(1.0)
    }

    /// Repeat purchases of all customers.
    pub fn purchases(&self) -> f64 {
        self.totals.iter().map(|&(count, weight)| count * weight).sum()
    }
}

/// Days that occur, ascending, and the position of each in that list.
fn distinct_days(groups: &[(History, u64)]) -> (Vec<u32>, Vec<u32>) {
    let longest = groups.iter().map(|(history, _)| history.age).max().unwrap_or(0);
    let mut position = vec![u32::MAX; longest as usize + 1];
    for (history, _) in groups {
        position[history.recency as usize] = 0;
        position[history.age as usize] = 0;
    }
    let mut days = Vec::new();
    for (day, position) in (0..=longest).zip(&mut position) {
        if *position == 0 {
            *position = days.len() as u32;
            days.push(day);
        }
    }
    (days, position)
}

fn totals(groups: &[(History, u64)]) -> Vec<(f64, f64)> {
    groups
        .chunk_by(|one, other| one.0.x == other.0.x)
        .map(|group| (f64::from(group[0].0.x), group.iter().map(|&(_, weight)| weight as f64).sum()))
        .collect()
}

fn cell_of_count(count: u32) -> u32 {
    if count <= COUNT_EXACT {
        count
    } else {
        COUNT_EXACT + (10.0 * (f64::from(count) / f64::from(COUNT_EXACT)).ln()) as u32 + 1
    }
}

/// The sum of the pieces by halves: rounding grows with the logarithm of their number.
fn pairwise<const N: usize>(pieces: &[Evaluation<N>]) -> Evaluation<N> {
    match pieces {
        [] => Evaluation::ZERO,
        [one] => *one,
        _ => {
            let (left, right) = pieces.split_at(pieces.len() / 2);
            let mut sum = pairwise(left);
            sum.add(&pairwise(right));
            sum
        }
    }
}
