//! `pipeline.yaml` as it is written. Every field states its unit and default; the JSON Schema that editors use comes from here.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::gates::GatesConfig;

/// A stammkunde project: where exports come from, who is one customer, and where the result goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where versions are published: a folder (relative to this file) or a URL `s3://`, `gs://`, `az://`, `file://`.
    pub warehouse: String,
    /// IANA name of the time zone in which a day is cut. Default: UTC.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Reporting currency, ISO 4217. Default: EUR.
    #[serde(default)]
    pub currency: Option<String>,
    /// Country of phone numbers and addresses without one, ISO 3166 alpha-2. Default: DE.
    #[serde(default)]
    pub country: Option<String>,
    /// The exports, by name. Names are `[a-z][a-z0-9_]*`.
    pub sources: BTreeMap<String, SourceConfig>,
    /// Sources from most to least trusted: decides ties in profiles, and what a record counts when a key follows most of its records: one more
    /// than the number of steps below its source, a step being each source listed after it and all unlisted ones together. Default: ties in
    /// order of names, and every record counts 1.
    #[serde(default)]
    pub trust: Vec<String>,
    /// Who is one customer. Default: rules chosen from the columns that the sources map.
    #[serde(default)]
    pub identity: IdentityConfig,
    /// How customer keys are made.
    #[serde(default)]
    pub keys: KeysConfig,
    /// Which value of several becomes the customer's.
    #[serde(default)]
    pub profile: ProfileConfig,
    /// Limits that stop a run before it publishes.
    #[serde(default)]
    pub gates: GatesConfig,
    /// How long rows and versions are kept.
    #[serde(default)]
    pub retention: RetentionConfig,
    /// Erasure of people.
    #[serde(default)]
    pub privacy: PrivacyConfig,
    /// Whether the models and audits that come with the program run too; a file of the project with the same name replaces one.
    /// Default: true.
    #[serde(default)]
    pub standard_models: Option<bool>,
    /// Values that SQL models read by `setting('name')`: text, number or boolean.
    #[serde(default)]
    pub settings: BTreeMap<String, Setting>,
}

/// A value for SQL models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Setting {
    /// true or false.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}

/// One export.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// Path or URL of the files, relative to this file; `*`, `?`, `**` and `[..]` match. `key=value` folders become columns.
    pub files: String,
    /// What the files hold. Compression is found by content, not by name.
    pub format: Format,
    /// How CSV files are written.
    #[serde(default)]
    pub csv: CsvConfig,
    /// Column that must be there; `freeze` and `discard` compare against the columns that the mapping reads. Default: `evolve`.
    #[serde(default)]
    pub contract: Contract,
    /// What to do when no file matches. Default: `error`.
    #[serde(default)]
    pub on_missing: OnMissing,
    /// Most bytes of one file after decompression. Default: 17179869184 (16 GiB).
    #[serde(default)]
    pub decompressed_bytes_max: Option<u64>,
    /// Most bytes that come out of one compressed byte, once 16 MiB came out of a file. Default: 1000, which no export reaches.
    #[serde(default)]
    pub decompressed_ratio_max: Option<u64>,
    /// Most bytes of one field. Default: 1048576 (1 MiB).
    #[serde(default)]
    pub field_bytes_max: Option<u64>,
}

/// File format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Delimited text.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// Apache Parquet.
    Parquet,
}

/// How a CSV file is written.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CsvConfig {
    /// One character, or `\t`. Default: `,`; a `sep=` line in the file wins.
    pub delimiter: Option<String>,
    /// One character. Default: `"`.
    pub quote: Option<String>,
    /// Encoding label (WHATWG), e.g. `utf-8`, `windows-1252`, `utf-16le`. Default: `utf-8`; a byte order mark in the file wins.
    pub encoding: Option<String>,
    /// Lines before the header, not counting a `sep=` line. Default: 0.
    pub skip_lines: Option<u32>,
    /// Header rows; the first names the columns, the others are skipped. 0: no header, columns are `column_1`, `column_2`, … Default: 1.
    pub header_rows: Option<u32>,
    /// Rows at the end that are not data. Default: 0.
    pub skip_footer: Option<u32>,
    /// Rows with too few or too many fields. Default: `reject`.
    pub ragged_rows: Option<RaggedRows>,
    /// Texts that mean null, beside the empty field. Default: none.
    pub null_values: Vec<String>,
}

/// What happens to a row with a wrong number of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RaggedRows {
    /// The row goes to `rejects`.
    Reject,
    /// Missing fields are null; a row with too many goes to `rejects`.
    Pad,
}

/// What happens when the columns of a file change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Contract {
    /// New columns are reported; a column that the mapping reads and the file lacks is read as null and reported.
    #[default]
    Evolve,
    /// Any new or missing column against the last version stops the run.
    Freeze,
    /// A file with other columns than in the last version is left out and reported.
    Discard,
}

/// What happens when no file matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnMissing {
    /// The run stops with exit code 3.
    #[default]
    Error,
    /// The source counts as empty.
    Skip,
}

/// Who is one customer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IdentityConfig {
    /// Columns whose equal values mean one person. Default: `customer_no`, `user_id`, `loyalty_no`, `device_id`, where mapped.
    pub identifiers: Option<Vec<String>>,
    /// An identifier value, e-mail or phone that more records than this share says nothing about a person. Default: 50.
    pub shared_by_records_max: Option<u32>,
    /// Combinations of columns whose equal values mean one person, whatever the weight. Default: none beside the identifiers.
    pub deterministic: Vec<Vec<String>>,
    /// Blocking rules: only records that agree on all columns of a rule are compared. `column:4` takes the first 4 characters. Default: by columns.
    pub blocking: Option<Vec<Vec<String>>>,
    /// A block with more pairs than this is refined or left out, and reported. Default: 20000000.
    pub block_pairs_max: Option<u64>,
    /// Comparisons. Default: by columns.
    pub comparisons: Option<Vec<ComparisonConfig>>,
    /// Links at or above this probability are taken. Default: 0.95.
    pub match_probability: Option<f64>,
    /// Links at or above this probability and below `match_probability` are published in `possible_links`. Default: 0.5.
    pub possible_probability: Option<f64>,
    /// How the model is trained.
    pub training: TrainingConfig,
    /// Most records of one customer; a link that would pass it is refused. Default: 200.
    pub size_max: Option<u32>,
    /// Sources that hold each person once: two of their records are never one customer. Default: none.
    pub one_per_customer: Vec<String>,
    /// Identifiers of which a customer has at most one value. Default: none.
    pub exclusive: Vec<String>,
    /// Files in which people decided about pairs of records: path or URL as in `sources`, CSV with the columns `decision` (`must_link` or
    /// `cannot_link`), `left_source`, `left_record_id`, `right_source`, `right_record_id`, and maybe `decided_by`, `decided_at`, `reason`. A
    /// decision `pin` gives the customer of the left record the key in the column `customer_key`.
    /// Default: `decisions/*.csv`, if there is one; a path that is given must match a file.
    pub decisions: Option<String>,
    /// Different people that may share an identifier value, e-mail or phone; deterministic rules ignore what more share. By column.
    /// Default: device_id 10, phone 8, others 5.
    pub generic_values: BTreeMap<String, u32>,
    /// How well two groups of records must hang together to become one customer.
    pub cohesion: CohesionConfig,
}

/// When a link between two groups of records is not enough: no single weak link joins two large groups.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CohesionConfig {
    /// Most records of two groups together for which one link is enough. Default: 10.
    pub records_max: Option<u32>,
    /// Least share of the pairs between two larger groups of two or more records each that must be links, 0 to 1. 0: one link is always
    /// enough. Links of identifiers, deterministic rules and decisions are always enough. Default: 0.1.
    pub share_min: Option<f64>,
}

/// Evidence from one or more columns: the first level that holds counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComparisonConfig {
    /// Name in reports and models.
    pub name: String,
    /// Columns that must all have a value on both sides; else the comparison says nothing (weight 0). Default: the columns of the first level.
    #[serde(default)]
    pub not_null: Vec<String>,
    /// Columns that, where all have a value on both sides, silence the comparison: another one already says more. Default: none.
    #[serde(default)]
    pub unless: Vec<String>,
    /// Levels from most to least specific; "everything else" is added.
    pub levels: Vec<LevelConfig>,
}

/// One comparison level: exactly one test.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LevelConfig {
    /// Columns that are all equal.
    pub exact: Option<Vec<String>>,
    /// Column whose Jaro-Winkler similarity is at least `at_least` (0 to 1).
    pub jaro_winkler: Option<String>,
    /// Column whose Levenshtein distance is at most `at_most` edits.
    pub levenshtein: Option<String>,
    /// Column whose Damerau-Levenshtein distance is at most `at_most` edits.
    pub damerau_levenshtein: Option<String>,
    /// Date column that is equal once day and month are swapped on one side.
    pub day_month_swapped: Option<String>,
    /// Date column of the same year.
    pub same_year: Option<String>,
    /// Two columns, each equal to the other on the other side.
    pub swapped: Option<[String; 2]>,
    /// Two columns of which one is equal to the other on the other side: one name stands in the wrong field.
    pub crossed: Option<[String; 2]>,
    /// Column of given names that are forms of one name (`Liz`, `Elizabeth`), by the list that ships with the program.
    pub nickname: Option<String>,
    /// Smallest similarity of `jaro_winkler`.
    pub at_least: Option<f64>,
    /// Largest distance of `levenshtein` and `damerau_levenshtein`.
    pub at_most: Option<u32>,
    /// Columns that must be equal besides.
    pub and_exact: Vec<String>,
    /// Column whose rare values weigh more when they agree.
    pub term_frequency: Option<String>,
    /// Fixed probability of this level among matches; trained if absent.
    pub m: Option<f64>,
    /// Fixed probability of this level among non-matches; estimated if absent.
    pub u: Option<f64>,
}

/// How the model is trained.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingConfig {
    /// Rules that are nearly always right; with `recall` they give the share of matches among all pairs. Default: by columns.
    pub deterministic: Option<Vec<Vec<String>>>,
    /// Share of all matches that those rules find, 0 to 1. Default: 0.7.
    pub recall: Option<f64>,
    /// Blocking rule of each training session. Default: by columns.
    pub sessions: Option<Vec<Vec<String>>>,
    /// Random pairs from which `u` is estimated where it is not exact. Default: 500000.
    pub u_pairs_max: Option<u64>,
    /// Most pairs of one session. Default: 500000.
    pub session_pairs_max: Option<u64>,
    /// Most iterations. Default: 25.
    pub iterations_max: Option<u32>,
    /// Stops when no parameter moves more than this. Default: 0.0001.
    pub convergence: Option<f64>,
    /// Seed of every sample. Default: 1.
    pub seed: Option<u64>,
    /// Whether households and namesakes are classes of pairs of their own beside matches and strangers, fitted over the pairs of all blocking
    /// rules. false: two classes, weights and term frequencies exactly as Splink has them. Default: true.
    pub relations: Option<bool>,
}

/// How customer keys are made.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeysConfig {
    /// Secret of the HMAC that mints keys and hashes the suppression list, from the environment: `${STAMMKUNDE_KEY_SECRET}`. At least 16 characters. Never change it.
    pub secret: Option<String>,
    /// How many customers may change their key in one run. Beyond, the run stops with exit code 1 unless `--accept-key-changes` is given.
    pub changed_share_max: KeySharesConfig,
    /// A change of fewer customers than this never stops a run, whatever their share. Default: 20.
    pub changed_customers_min: Option<u64>,
}

/// For each kind of change the largest number of customers concerned, as a share of the customers of the last version: 0.05 is a
/// twentieth.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeySharesConfig {
    /// New customers, which may be more than there were. Default: no limit.
    pub created: Option<f64>,
    /// Customers that become part of another. Default: 0.05.
    pub merged: Option<f64>,
    /// Customers split off another. Default: 0.05.
    pub split: Option<f64>,
    /// Customers without a record left. Default: 0.05.
    pub retired: Option<f64>,
    /// Customers whose key had been out of use and that live again. Default: 0.05.
    pub resurrected: Option<f64>,
    /// Customers to which records of another one move that lives on. Default: 0.05.
    pub moved: Option<f64>,
}

/// Which value of several becomes the customer's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProfileConfig {
    /// Rule a column. Default: `most_recent`, and what `consent` says for consent.
    pub survivorship: BTreeMap<String, Survivorship>,
    /// Which of several statements about consent counts. Default: `latest`.
    pub consent: Option<ConsentRule>,
}

/// Which of several statements about consent counts, for each channel. What nobody said is null, never true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentRule {
    /// The latest by its own time, `consent_<channel>_at`; of two at one time the withdrawal. A statement without a time of its own may be
    /// older or newer than any other: a withdrawal then beats every consent, and a consent yields to every withdrawal.
    #[default]
    Latest,
    /// A withdrawal beats every consent, whenever it was made.
    MostRestrictive,
}

/// How one value is chosen from the records of a customer. Ties: trust, then the smallest record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Survivorship {
    /// Value of the record with the latest `updated_at`.
    MostRecent,
    /// Value of the most trusted source; of several of its records, the most recent.
    MostTrusted,
    /// Longest value.
    MostComplete,
    /// Value that most records hold.
    MostFrequent,
    /// True if any record says so.
    AnyTrue,
    /// True only if every record that says anything says so: the most restrictive wins.
    AllTrue,
}

/// How long rows and versions are kept. A time is a number of days as `400d`, or `forever`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// How old a row may be on the as-of day, by its time: `orders` (`ordered_at`; lines go with their order), `events` and `interactions`
    /// (`occurred_at`). Older rows are not published, and no model reads them. `rejects`: how long the content of a rejected row or value is
    /// published, from the as-of day on which its file was first read; place and reason stay. Default: `forever`; `rejects`: `30d`.
    pub tables: BTreeMap<String, String>,
    /// Which old versions a run deletes. Default: none.
    pub versions: VersionsRetention,
}

/// Versions that are kept: the newest `keep`, and all that are younger than `days`. With neither, every version is kept.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct VersionsRetention {
    /// Newest versions that are always kept, 1 or more. Default: 1, if `days` is given.
    pub keep: Option<u32>,
    /// Days for which a version is kept from its commit on. Default: 0, if `keep` is given.
    pub days: Option<u32>,
}

/// Erasure of people.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PrivacyConfig {
    /// Days after `privacy erase` from which any run deletes the versions that still hold the person. 0: the next run. Default: 30.
    pub purge_after_days: Option<u32>,
}
