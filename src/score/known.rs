//! What the last version knew of pairs: the next run compares only pairs with a record that changed, and pairs that blocking did not give
//! before.
//!
//! A pair of records that are both as they were, and that a rule paired then, has the outcome that it had: a link, which is taken over, or
//! none. Whether a rule paired them then is known from one bit a record and rule: both stood in a block of the rule, and records with equal
//! keys stand in the same block.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array, UInt64Array};
use arrow::datatypes::{UInt32Type, UInt64Type};
use rayon::prelude::*;

use super::TermFrequencies;
use crate::config::spec::ComparisonSpec;
use crate::table::build::batch;
use crate::table::shared::{Earlier, SharedBlocks};
use crate::table::{Blocks, CodedRecords, NULL_CODE, Pair, Pattern, RecordIx, RuleIx};

/// Name of the metadata that says by which rules pairs were scored.
const BASIS: &str = "basis";

/// What scoring leaves to the next run, by the positions of records in its own version.
#[derive(Debug, Clone, Default)]
pub struct ScoredPairs {
    /// Names the rules and the program that scored: only by the same ones is an outcome the same.
    pub basis: String,
    /// [`fingerprints`] of the records.
    pub fingerprints: Vec<u64>,
    /// For each record one bit a blocking rule: whether it stood in one of its blocks. 0 for a rule that split blocks.
    pub members: Vec<u64>,
    /// Scored links: their records and levels.
    pub links: Vec<(Pair, Pattern)>,
}

/// One number a record for everything that scoring reads of it: its values, and how frequent they are. Equal numbers mean equal records
/// but for one case in 2^64.
#[must_use]
pub fn fingerprints(comparisons: &[ComparisonSpec], frequencies: &TermFrequencies, records: &CodedRecords) -> Vec<u64> {
    let levels = || comparisons.iter().flat_map(|comparison| &comparison.levels);
    let of_column = |(position, column): (usize, &crate::table::Coded)| -> Vec<u64> {
        let is_weighed = levels().any(|level| level.term_frequency.as_deref() == Some(column.name()));
        let frequencies = if is_weighed { frequencies.of_codes(column) } else { Vec::new() };
        let hash = |code: usize| {
            let mut hasher = DefaultHasher::new();
            (position, column.values().value(code)).hash(&mut hasher);
            frequencies.get(code).map(|frequency| frequency.to_bits()).hash(&mut hasher);
            hasher.finish()
        };
        (0..column.values().len()).into_par_iter().map(hash).collect()
    };
    let hashes: Vec<Vec<u64>> = records.columns().iter().enumerate().map(of_column).collect();
    let of_record = |record: u32| {
        let codes = records.row(RecordIx(record)).iter().zip(&hashes);
        codes
            .filter(|&(&code, _)| code != NULL_CODE)
            .fold(0_u64, |sum, (&code, hashes)| sum.wrapping_add(hashes[code as usize]))
    };
    (0..records.len()).into_par_iter().map(of_record).collect()
}

impl ScoredPairs {
    /// What this run leaves.
    #[must_use]
    pub fn new(basis: String, fingerprints: Vec<u64>, blocks: &Blocks, links: Vec<(Pair, Pattern)>) -> Self {
        Self {
            basis,
            fingerprints,
            members: blocks.shared.members_by_key(),
            links,
        }
    }

    /// As two tables: `fingerprint`, `members` of each record; `left`, `right`, `pattern` of each link.
    #[must_use]
    pub fn to_batches(&self) -> (RecordBatch, RecordBatch) {
        let numbers = |values: &[u64]| Arc::new(UInt64Array::from(values.to_vec())) as ArrayRef;
        let side = |of: fn(&Pair) -> RecordIx| {
            let positions = self.links.iter().map(|(pair, _)| of(pair).0);
            Arc::new(UInt32Array::from_iter_values(positions)) as ArrayRef
        };
        let patterns = UInt64Array::from_iter_values(self.links.iter().map(|(_, pattern)| pattern.0));
        let records = batch(vec![
            ("fingerprint", false, numbers(&self.fingerprints)),
            ("members", false, numbers(&self.members)),
        ]);
        let links = batch(vec![
            ("left", false, side(|pair| pair.left)),
            ("right", false, side(|pair| pair.right)),
            ("pattern", false, Arc::new(patterns)),
        ]);
        let metadata = [(BASIS.to_owned(), self.basis.clone())].into();
        let schema = records.schema().as_ref().clone().with_metadata(metadata);
        let records = records.with_schema(schema.into()).expect("only metadata was added");
        (records, links)
    }

    /// Reads both tables back; `None` if they are not what [`ScoredPairs::to_batches`] gives.
    #[must_use]
    pub fn from_batches(records: &[RecordBatch], links: &[RecordBatch]) -> Option<Self> {
        let mut read = Self::default();
        for batch in records {
            read.basis.clone_from(batch.schema_ref().metadata().get(BASIS)?);
            let numbers = |name: &str| Some(batch.column_by_name(name)?.as_primitive_opt::<UInt64Type>()?.values());
            read.fingerprints.extend_from_slice(numbers("fingerprint")?);
            read.members.extend_from_slice(numbers("members")?);
        }
        let count = u32::try_from(read.members.len()).ok()?;
        for batch in links {
            let side = |name: &str| Some(batch.column_by_name(name)?.as_primitive_opt::<UInt32Type>()?.values());
            let patterns = batch.column_by_name("pattern")?.as_primitive_opt::<UInt64Type>()?.values();
            for ((&left, &right), &pattern) in side("left")?.iter().zip(side("right")?).zip(patterns) {
                if left >= count || right >= count {
                    return None;
                }
                let (left, right) = (RecordIx(left), RecordIx(right));
                read.links.push((Pair { left, right }, Pattern(pattern)));
            }
        }
        Some(read)
    }
}

/// What is known of pairs of today's records.
#[derive(Debug)]
pub struct KnownPairs {
    /// For each record the rules in whose blocks it stood, if it is as it was; else 0.
    members: Arc<Vec<u64>>,
    /// Links between records that are as they were.
    links: Vec<(Pair, Pattern)>,
}

impl KnownPairs {
    /// Brings what the last version knew to today's records. `then_of`: position of each record then, or [`NULL_CODE`].
    #[must_use]
    pub fn locate(scored: &ScoredPairs, then_of: &[u32], fingerprints: &[u64]) -> Self {
        let mut now_of = vec![NULL_CODE; scored.members.len()];
        let mut members = vec![0; then_of.len()];
        for (now, (&then, fingerprint)) in (0_u32..).zip(then_of.iter().zip(fingerprints)) {
            if then != NULL_CODE && scored.fingerprints[then as usize] == *fingerprint {
                now_of[then as usize] = now;
                members[now as usize] = scored.members[then as usize];
            }
        }
        let now = |then: RecordIx| now_of[then.index()];
        let links = scored
            .links
            .iter()
            .map(|&(pair, pattern)| (now(pair.left), now(pair.right), pattern))
            .filter(|&(left, right, _)| left != NULL_CODE && right != NULL_CODE)
            .map(|(left, right, pattern)| {
                let (left, right) = (RecordIx(left), RecordIx(right));
                (Pair { left, right }, pattern)
            })
            .collect();
        Self {
            members: Arc::new(members),
            links,
        }
    }

    /// Whether every pair of this record in a block of the rule must be looked at.
    #[inline]
    pub(super) fn is_fresh(&self, record: u32, rule: RuleIx) -> bool {
        self.members[record as usize] >> rule.0 & 1 == 0
    }

    /// Today's keys with the blocks of then: decides whether a rule paired two records then.
    pub(super) fn blocks_then(&self, blocks: &Blocks) -> SharedBlocks {
        blocks.shared.with_members(Arc::clone(&self.members))
    }

    /// Links that stay: a rule paired them then, and one pairs them today. With the first of today's.
    pub(super) fn links_today(&self, blocks: &Blocks, then: &SharedBlocks, records: &CodedRecords) -> Vec<(Pair, RuleIx, Pattern)> {
        self.links
            .par_chunks(4096)
            .flat_map_iter(|links| {
                let (mut paired_then, mut paired) = (Earlier::all(then), Earlier::all(&blocks.shared));
                links.iter().filter_map(move |&(pair, pattern)| {
                    let candidate = records.candidate(pair.left, pair.right);
                    let rule = paired
                        .first(&candidate, records)
                        .filter(|_| paired_then.pairs(&candidate, records))?;
                    Some((pair, rule, pattern))
                })
            })
            .collect()
    }
}
