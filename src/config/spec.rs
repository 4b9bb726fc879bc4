//! What will be done: every default filled in, every name checked. Stages take parts of this and nothing else.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::gates::GatesSpec;
use super::pipeline::{ConsentRule, Contract, Format, OnMissing, RaggedRows, Setting, Survivorship};
use crate::table::RecordKind;

/// The resolved project.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Folder of the project.
    pub folder: PathBuf,
    /// Where versions are published: URL or absolute path.
    pub warehouse: String,
    /// Time zone in which a day is cut.
    pub time_zone: chrono_tz::Tz,
    /// Reporting currency, ISO 4217.
    pub currency: String,
    /// Default country, ISO 3166 alpha-2, upper case.
    pub country: String,
    /// Sources in byte order of their names.
    pub sources: Vec<SourceSpec>,
    /// Files of decisions, as a source without mappings; `None` if the project has none.
    pub decisions: Option<SourceSpec>,
    /// Source names from most to least trusted; every source once.
    pub trust: Vec<String>,
    /// What a record of each source of `trust` counts when a key follows its records.
    pub weights: Vec<u32>,
    /// Identity resolution.
    pub identity: IdentitySpec,
    /// Secret that mints keys.
    pub key_secret: Secret,
    /// How many customers may change their key in one run.
    pub key_limits: KeyLimits,
    /// Survivorship rule a column, for columns that differ from the default.
    pub survivorship: BTreeMap<String, Survivorship>,
    /// Limits that stop a run before it publishes.
    pub gates: GatesSpec,
    /// Which of several statements about consent counts.
    pub consent: ConsentRule,
    /// How long rows and versions are kept.
    pub retention: RetentionSpec,
    /// Days after an erasure from which versions that hold the person are deleted.
    pub purge_after_days: u32,
    /// Values for SQL models.
    pub settings: BTreeMap<String, Setting>,
    /// SQL models, unordered.
    pub models: Vec<SqlFile>,
    /// Audits of models: queries that must return no rows.
    pub audits: Vec<SqlFile>,
    /// SHA-256 (hex) over the resolved config and every SQL file: changes when the result could.
    pub fingerprint: String,
}

/// For each kind of change of keys the largest share of the last version's customers that it may concern; `None`: any number.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct KeyLimits {
    /// New customers.
    pub created: Option<f64>,
    /// Customers that become part of another.
    pub merged: Option<f64>,
    /// Customers split off another.
    pub split: Option<f64>,
    /// Customers without a record left.
    pub retired: Option<f64>,
    /// Customers that live again.
    pub resurrected: Option<f64>,
    /// Customers to which records move.
    pub moved: Option<f64>,
    /// Fewer customers than this are always allowed.
    pub customers_min: u64,
}

/// A text that is never printed.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret's bytes, for the one place that needs them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// A SQL file of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlFile {
    /// File name without `.sql`.
    pub name: String,
    /// Path relative to the project folder.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// One export and how its rows become canonical records.
#[derive(Debug, Clone)]
pub struct SourceSpec {
    /// Name.
    pub name: String,
    /// URL or absolute path, with globs.
    pub files: String,
    /// Format.
    pub format: Format,
    /// CSV dialect.
    pub csv: CsvSpec,
    /// Drift contract.
    pub contract: Contract,
    /// What to do when no file matches.
    pub on_missing: OnMissing,
    /// Most bytes of one file after decompression.
    pub decompressed_bytes_max: u64,
    /// Most bytes out of one compressed byte, once 16 MiB came out of a file.
    pub decompressed_ratio_max: u64,
    /// Most bytes of one field.
    pub field_bytes_max: usize,
    /// `sources/<name>.<record>.sql`, in the order of [`RecordKind::ALL`]; at least one.
    pub mappings: Vec<MappingSpec>,
}

/// CSV dialect with every default filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct CsvSpec {
    /// Delimiter; `None`: take it from a `sep=` line, else a comma.
    pub delimiter: Option<u8>,
    /// Quote.
    pub quote: u8,
    /// Encoding; a byte order mark wins.
    pub encoding: &'static encoding_rs::Encoding,
    /// Lines before the header.
    pub skip_lines: u32,
    /// Header rows.
    pub header_rows: u32,
    /// Rows at the end that are not data.
    pub skip_footer: u32,
    /// Rows with a wrong number of fields.
    pub ragged_rows: RaggedRows,
    /// Texts that mean null.
    pub null_values: Vec<String>,
}

/// One mapping query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingSpec {
    /// The canonical record it gives.
    pub record: RecordKind,
    /// The query.
    pub sql: SqlFile,
}

/// Identity resolution, resolved.
#[derive(Debug, Clone)]
pub struct IdentitySpec {
    /// Identifier columns, mapped by at least one source.
    pub identifiers: Vec<String>,
    /// Records that may share an identifier value, e-mail or phone before it says nothing.
    pub shared_by_records_max: u32,
    /// People that may share a value of a column before deterministic rules ignore it.
    pub generic_values: BTreeMap<String, u32>,
    /// Rules whose agreement links whatever the weight; identifiers are among them, one rule each, first.
    pub deterministic: Vec<BlockingRule>,
    /// Rules that give the pairs to compare.
    pub blocking: Vec<BlockingRule>,
    /// Most pairs of one block.
    pub block_pairs_max: u64,
    /// Comparisons, in model order; at most [`crate::table::Pattern::COMPARISONS_MAX`].
    pub comparisons: Vec<ComparisonSpec>,
    /// Links at or above are taken.
    pub match_probability: f64,
    /// Links at or above are published as possible.
    pub possible_probability: f64,
    /// Training.
    pub training: TrainingSpec,
    /// Clustering.
    pub cluster: ClusterSpec,
}

impl IdentitySpec {
    /// Every column of `CleanContacts::matching` that blocking, comparisons or clustering read, sorted, each once.
    #[must_use]
    pub fn columns(&self) -> Vec<String> {
        let rules = self
            .deterministic
            .iter()
            .chain(&self.blocking)
            .chain(&self.training.deterministic)
            .chain(&self.training.sessions);
        let mut columns: Vec<String> = rules.flat_map(|rule| rule.keys.iter().map(|key| key.column.clone())).collect();
        for comparison in &self.comparisons {
            columns.extend(comparison.columns());
        }
        columns.extend(self.cluster.exclusive.iter().cloned());
        columns.sort();
        columns.dedup();
        columns
    }
}

/// Records that agree on all keys are a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockingRule {
    /// Name in reports: the keys joined by ` + `.
    pub name: String,
    /// Key parts; a record without one of them is in no block.
    pub keys: Vec<KeyPart>,
    /// Whether the key is so common that only its small blocks are taken, as many as a number of pairs that grows with the records allows.
    pub coarse: bool,
}

/// One part of a blocking key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyPart {
    /// Column of `CleanContacts::matching`.
    pub column: String,
    /// Only the first so many characters, if given.
    pub prefix: Option<u32>,
}

/// One comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonSpec {
    /// Name.
    pub name: String,
    /// Columns that must all have a value on both sides, else the level is null.
    pub not_null: Vec<String>,
    /// Columns that, where all have a value on both sides, make the level null: another comparison already says more. Empty: none.
    pub unless: Vec<String>,
    /// Levels from most to least specific, without the else level: level `i` has pattern value `levels.len() + 1 - i`.
    pub levels: Vec<LevelSpec>,
}

impl ComparisonSpec {
    /// Every column it reads, sorted, each once.
    #[must_use]
    pub fn columns(&self) -> Vec<String> {
        let mut columns = self.not_null.clone();
        columns.extend(self.unless.clone());
        for level in &self.levels {
            columns.extend(level.test.columns());
            columns.extend(level.term_frequency.clone());
        }
        columns.sort();
        columns.dedup();
        columns
    }
}

/// One level.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelSpec {
    /// Label in reports, e.g. `exact`, `jaro_winkler >= 0.92`.
    pub label: String,
    /// When it holds.
    pub test: Test,
    /// Column whose term frequencies adjust the weight.
    pub term_frequency: Option<String>,
    /// Fixed m.
    pub m: Option<f64>,
    /// Fixed u.
    pub u: Option<f64>,
}

/// The condition of a level, on the two values of a column. A test on a missing value does not hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// All columns equal.
    Exact(Vec<String>),
    /// Jaro-Winkler similarity at least (prefix weight 0.1, up to 4 characters, boosted above 0.7).
    JaroWinkler(String, f64),
    /// Levenshtein distance at most.
    Levenshtein(String, u32),
    /// Damerau-Levenshtein distance (unrestricted) at most.
    DamerauLevenshtein(String, u32),
    /// ISO date equal with day and month swapped on one side.
    DayMonthSwapped(String),
    /// ISO date of the same year.
    SameYear(String),
    /// First column equal to the other side's second, and the other way round.
    Swapped(String, String),
    /// First column equal to the other side's second, or the other way round: one name stands in the wrong field.
    Crossed(String, String),
    /// Given names that are forms of one name, such as `Liz` and `Elizabeth`.
    Nickname(String),
    /// All of these.
    All(Vec<Test>),
}

impl Test {
    /// Columns it reads.
    #[must_use]
    pub fn columns(&self) -> Vec<String> {
        match self {
            Self::Exact(columns) => columns.clone(),
            Self::JaroWinkler(column, _)
            | Self::Levenshtein(column, _)
            | Self::DamerauLevenshtein(column, _)
            | Self::DayMonthSwapped(column)
            | Self::SameYear(column)
            | Self::Nickname(column) => vec![column.clone()],
            Self::Swapped(first, second) | Self::Crossed(first, second) => vec![first.clone(), second.clone()],
            Self::All(tests) => tests.iter().flat_map(Self::columns).collect(),
        }
    }
}

/// Training, resolved.
#[derive(Debug, Clone)]
pub struct TrainingSpec {
    /// Rules that are nearly always right.
    pub deterministic: Vec<BlockingRule>,
    /// Share of all matches they find.
    pub recall: f64,
    /// Blocking rule of each EM session.
    pub sessions: Vec<BlockingRule>,
    /// Random pairs for `u`.
    pub u_pairs_max: u64,
    /// Most pairs of a session.
    pub session_pairs_max: u64,
    /// Most iterations.
    pub iterations_max: u32,
    /// Largest change of a parameter at which training stops.
    pub convergence: f64,
    /// Seed of every sample.
    pub seed: u64,
    /// Whether relations between people are classes of their own.
    pub relations: bool,
}

/// Clustering, resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterSpec {
    /// Most records of a cluster.
    pub size_max: u32,
    /// Sources of which a cluster has at most one record.
    pub one_per_customer: Vec<String>,
    /// Identifiers of which a cluster has at most one value.
    pub exclusive: Vec<String>,
    /// How well two groups must hang together to become one.
    pub cohesion: CohesionSpec,
}

/// Two groups of several records that together are more than `records_max` become one only if at least `share_min` of the pairs between
/// them are links. 0 = one link is enough.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CohesionSpec {
    /// Most records that need no more than a link.
    pub records_max: u32,
    /// Least share of links among the pairs between two groups.
    pub share_min: f64,
}

/// How long rows and versions are kept, in days; `None` = for ever.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RetentionSpec {
    /// Orders, by `ordered_at`; lines go with their order.
    pub orders_days: Option<u32>,
    /// Events, by `occurred_at`.
    pub events_days: Option<u32>,
    /// Interactions, by `occurred_at`.
    pub interactions_days: Option<u32>,
    /// Contents of rejects, by the day on which their file was first read.
    pub rejects_days: Option<u32>,
    /// Versions: the newest so many, and all that are younger than so many days; `None`: all.
    pub versions: Option<(u32, u32)>,
}
