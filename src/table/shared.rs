//! Whether rules pair two records, decided on their codes: so that a pair which two rules give is looked at once, and no pair is stored for it.

use std::sync::Arc;

use super::coded::{CodedRecords, NULL_CODE};
use super::ids::RecordIx;
use super::pairs::{Candidate, Pair, RuleBlocks, RuleIx};

/// Most blocking rules: one bit a rule says whether a record stands in one of its blocks.
pub const RULES_MAX: usize = 64;

/// The codes of the prefixes of a column's values: equal numbers mean equal prefixes. Position = code of the value.
#[derive(Debug, Clone)]
pub struct Prefixes {
    /// Position of the column in a row.
    pub column: usize,
    /// Prefix of each value.
    pub of_value: Vec<u32>,
}

/// The key of a rule, in terms of codes.
#[derive(Debug, Clone, Default)]
pub struct SharedKey {
    /// Columns whose values must be equal, one bit each.
    pub whole: u64,
    /// Prefixes that must be equal, by position among all prefixes.
    pub prefixes: Vec<usize>,
    /// Key of each record where blocks were split by further columns; [`NULL_CODE`] = none.
    pub key_of: Option<Vec<u32>>,
}

/// The keys of all rules, and which records stand in their blocks.
#[derive(Debug, Clone, Default)]
pub struct SharedBlocks {
    keys: Vec<SharedKey>,
    prefixes: Arc<Vec<Prefixes>>,
    /// By record: one bit a rule.
    members: Arc<Vec<u64>>,
}

impl SharedBlocks {
    /// At most [`RULES_MAX`] rules, one entry of `keys` and `blocks` each.
    #[must_use]
    pub fn new(keys: Vec<SharedKey>, prefixes: Vec<Prefixes>, blocks: &[RuleBlocks], records: u32) -> Self {
        assert!(keys.len() <= RULES_MAX, "the configuration allows at most 64 rules");
        let mut members = vec![0_u64; records as usize];
        for (rule, blocks) in blocks.iter().enumerate() {
            for &record in &blocks.order {
                members[record as usize] |= 1 << rule;
            }
        }
        Self {
            keys,
            prefixes: Arc::new(prefixes),
            members: Arc::new(members),
        }
    }

    /// For each record one bit a rule: whether it stands in one of its blocks, where equal keys alone decide that two records share a block.
    /// 0 for rules that split blocks by further columns.
    #[must_use]
    pub fn members_by_key(&self) -> Vec<u64> {
        let splits = |key: &SharedKey| key.key_of.is_some();
        let whole = self.keys.iter().enumerate().filter(|(_, key)| !splits(key));
        let mask = whole.fold(0_u64, |mask, (rule, _)| mask | 1 << rule);
        self.members.iter().map(|members| members & mask).collect()
    }

    /// The same keys over other blocks, of which no rule split any.
    #[must_use]
    pub fn with_members(&self, members: Arc<Vec<u64>>) -> Self {
        let without_split = |key: &SharedKey| SharedKey {
            key_of: None,
            ..key.clone()
        };
        Self {
            keys: self.keys.iter().map(without_split).collect(),
            prefixes: Arc::clone(&self.prefixes),
            members,
        }
    }

    /// How many rules pair the records.
    #[must_use]
    pub fn count(&self, candidate: &Candidate, records: &CodedRecords) -> usize {
        let whole = |key: &SharedKey| candidate.equal & key.whole == key.whole;
        (0..self.keys.len())
            .filter(|&rule| whole(&self.keys[rule]) && self.pairs(rule, candidate, records))
            .count()
    }

    /// The rules whose whole columns these are equal in, one bit each.
    fn agreeing(&self, equal: u64) -> u64 {
        let rules = self.keys.iter().enumerate();
        rules
            .filter(|(_, key)| equal & key.whole == key.whole)
            .fold(0, |agreeing, (rule, _)| agreeing | 1 << rule)
    }

    /// Whether a rule pairs records that agree on its whole columns.
    #[inline]
    fn pairs(&self, rule: usize, candidate: &Candidate, records: &CodedRecords) -> bool {
        let Pair { left, right } = candidate.pair;
        let key = &self.keys[rule];
        if let Some(key_of) = &key.key_of {
            let (a, b) = (key_of[left.index()], key_of[right.index()]);
            return a == b && a != NULL_CODE;
        }
        let same_prefix = |&at: &usize| {
            let Prefixes { column, of_value } = &self.prefixes[at];
            let bit = 1 << column;
            let code = |record| of_value[records.row(record)[*column] as usize];
            candidate.equal & bit != 0 || (candidate.missing & bit == 0 && code(left) == code(right))
        };
        (self.members[left.index()] & self.members[right.index()]) >> rule & 1 == 1 && key.prefixes.iter().all(same_prefix)
    }
}

/// Whether rules before one pair two records. Remembers what columns that are equal mean, since many pairs agree on the same.
#[derive(Debug)]
pub struct Earlier<'a> {
    shared: &'a SharedBlocks,
    rules: u64,
    /// Equal columns, and the rules that agree on them.
    known: Vec<(u64, u64)>,
}

/// Entries, so that they stay in the first cache level.
const KNOWN_BITS: u32 = 9;

impl<'a> Earlier<'a> {
    /// The rules before `rule`.
    #[must_use]
    pub fn new(shared: &'a SharedBlocks, rule: RuleIx) -> Self {
        Self::of(shared, (1 << rule.0) - 1)
    }

    /// All rules.
    #[must_use]
    pub fn all(shared: &'a SharedBlocks) -> Self {
        Self::of(shared, u64::MAX)
    }

    fn of(shared: &'a SharedBlocks, rules: u64) -> Self {
        Self {
            shared,
            rules,
            known: vec![(0, shared.agreeing(0)); 1 << KNOWN_BITS],
        }
    }

    /// Brings what is known of records near the processor, for [`Earlier::pairs`] to find it there.
    pub(super) fn fetch(&self, records: impl Iterator<Item = RecordIx>) {
        if self.rules != 0 {
            let members = |record: RecordIx| self.shared.members[record.index()];
            std::hint::black_box(records.map(members).fold(0, u64::wrapping_add));
        }
    }

    /// Whether one of them pairs the records.
    #[inline]
    pub fn pairs(&mut self, candidate: &Candidate, records: &CodedRecords) -> bool {
        self.first(candidate, records).is_some()
    }

    /// The first of them that pairs the records.
    #[inline]
    pub fn first(&mut self, candidate: &Candidate, records: &CodedRecords) -> Option<RuleIx> {
        let hash = candidate.equal.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - KNOWN_BITS);
        let known = &mut self.known[usize::try_from(hash).expect("nine bits")];
        if known.0 != candidate.equal {
            *known = (candidate.equal, self.shared.agreeing(candidate.equal));
        }
        let mut agreeing = known.1 & self.rules;
        while agreeing != 0 {
            let rule = agreeing.trailing_zeros();
            if self.shared.pairs(rule as usize, candidate, records) {
                return Some(RuleIx(u16::try_from(rule).expect("there are at most 64 rules")));
            }
            agreeing &= agreeing - 1;
        }
        None
    }
}
