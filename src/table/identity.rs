//! What identity resolution gives: links, refused links and clusters.

use super::ids::RecordIx;
use super::pairs::{Pattern, RuleIx};

/// Two records that belong together with this weight. `left < right`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// The smaller record.
    pub left: RecordIx,
    /// The larger record.
    pub right: RecordIx,
    /// Match weight in bits: log2 of the posterior odds. `f64::INFINITY` for a link of a deterministic rule alone is never used:
    /// a deterministic link carries the weight of its pair, raised to at least the threshold.
    pub weight: f64,
    /// How the pair came about.
    pub origin: LinkOrigin,
    /// Levels of all comparisons.
    pub pattern: Pattern,
}

/// Which rule paired two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkOrigin {
    /// Scored by the model; the first blocking rule that paired it.
    Blocking(RuleIx),
    /// A deterministic rule, by its position in the specification.
    Deterministic(RuleIx),
    /// People decided it.
    Decision,
}

/// Why two records that look alike are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalReason {
    /// Between `possible_probability` and `match_probability`.
    BelowThreshold,
    /// The union would hold more than `cluster.size_max` records.
    SizeMax,
    /// The union would hold two records of a source that is declared free of duplicates.
    OnePerCustomer,
    /// The union would hold two values of an identifier that is declared exclusive.
    ExclusiveIdentifier,
    /// The union would hold two records that people decided to keep apart.
    CannotLink,
    /// The union would join two groups between which too few pairs are links.
    Cohesion,
}

impl RefusalReason {
    /// Snake-case name, as published in `possible_links.reason`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BelowThreshold => "below_threshold",
            Self::SizeMax => "size_max",
            Self::OnePerCustomer => "one_per_customer",
            Self::ExclusiveIdentifier => "exclusive_identifier",
            Self::CannotLink => "cannot_link",
            Self::Cohesion => "cohesion",
        }
    }
}

/// A link that was not taken, with the reason.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PossibleLink {
    /// The pair with its weight.
    pub link: Link,
    /// Why it was not taken.
    pub reason: RefusalReason,
}

/// Which records are one customer: `of[record]` is the smallest record of its cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Clusters {
    /// For each record the smallest record of its cluster.
    pub of: Vec<u32>,
}

impl Clusters {
    /// Whether two records are one customer.
    #[must_use]
    pub fn together(&self, left: RecordIx, right: RecordIx) -> bool {
        self.of[left.index()] == self.of[right.index()]
    }

    /// Number of clusters.
    #[must_use]
    pub fn count(&self) -> usize {
        self.of
            .iter()
            .enumerate()
            .filter(|&(record, &root)| record == root as usize)
            .count()
    }
}

/// A value that too many different people share for it to mean one person. Deterministic rules ignore it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GenericValue {
    /// Column.
    pub column: String,
    /// Code of the value among the coded records.
    pub code: u32,
    /// The first record that holds it.
    pub record: RecordIx,
    /// Records that hold it.
    pub records: u32,
    /// Different people among them.
    pub entities: u32,
    /// The most people that may share a value of this column.
    pub entities_max: u32,
}
