//! Exports become canonical records: every quirk that breaks loaders has its fixture here, made of bytes in the test itself.

use std::collections::BTreeMap;
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::util::display::array_value_to_string;
use stammkunde::config::Spec;
use stammkunde::config::gates::GatesSpec;
use stammkunde::config::pipeline::{Contract, Format, OnMissing, RaggedRows};
use stammkunde::config::spec::{
    ClusterSpec, CohesionSpec, CsvSpec, IdentitySpec, KeyLimits, MappingSpec, Secret, SourceSpec, SqlFile, TrainingSpec,
};
use stammkunde::engine::{Engine, EngineOptions};
use stammkunde::error::{Error, Result};
use stammkunde::source::{self, Ingested, InputObject, InputStatus, Ledger, NoPieces, SourceCounts};
use stammkunde::table::RecordKind;

mod canonical;
mod compression;
mod contract;
mod dialect;
mod hostile;
mod listing;
mod mapping;
mod properties;
mod typed;

/// A project folder with one source `crm` below `exports/`.
struct Project {
    folder: tempfile::TempDir,
    engine: Engine,
    spec: Spec,
}

/// Maps the columns `id` and `name` to contacts.
const ID_AND_NAME: &str = r#"SELECT "id" AS record_id, "name" AS full_name FROM raw"#;

impl Project {
    fn new(files: &str, format: Format) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let files = format!("{}/exports/{files}", folder.path().display());
        let spec = spec(folder.path(), vec![source_spec("crm", files, format)]);
        let engine = Engine::new(&EngineOptions {
            threads: Some(2),
            ..EngineOptions::default()
        })
        .expect("an engine");
        Self { folder, engine, spec }.mapping(RecordKind::Contacts, ID_AND_NAME)
    }

    /// A project of CSV files `exports/*.csv` that maps `id` and `name`.
    fn csv() -> Self {
        Self::new("*.csv", Format::Csv)
    }

    fn jsonl() -> Self {
        Self::new("*.jsonl", Format::Jsonl)
    }

    fn parquet() -> Self {
        Self::new("*.parquet", Format::Parquet)
    }

    fn file(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join("exports").join(name);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder can be made");
        std::fs::write(path, bytes).expect("a file can be written");
        self
    }

    fn source(&mut self) -> &mut SourceSpec {
        &mut self.spec.sources[0]
    }

    fn with(mut self, change: impl FnOnce(&mut SourceSpec)) -> Self {
        change(self.source());
        self
    }

    /// Replaces the mapping of that record, or adds it.
    fn mapping(mut self, record: RecordKind, sql: &str) -> Self {
        let source = self.source();
        source.mappings.retain(|mapping| mapping.record != record);
        source.mappings.push(mapping_spec(&source.name.clone(), record, sql));
        source.mappings.sort_by_key(|mapping| mapping.record);
        self
    }

    fn without_contacts(mut self) -> Self {
        self.source().mappings.retain(|mapping| mapping.record != RecordKind::Contacts);
        self
    }

    fn inputs(&self, ledger: &Ledger) -> Result<Vec<InputObject>> {
        let listed = source::list(&self.engine, &self.spec, ledger)?;
        Ok(listed
            .into_iter()
            .filter(|(_, status)| *status != InputStatus::Missing)
            .map(|(object, _)| object)
            .collect())
    }

    fn try_read(&self, ledger: &Ledger) -> Result<Ingested> {
        source::read(&self.engine, &self.spec, &self.inputs(ledger)?, ledger, &NoPieces)
    }

    fn read(&self) -> Ingested {
        self.try_read(&Ledger::default()).expect("the files can be read")
    }

    fn error(&self) -> Error {
        self.try_read(&Ledger::default()).expect_err("the files cannot be read")
    }

    fn check(&self) -> Vec<stammkunde::error::Diagnostic> {
        source::check(&self.engine, &self.spec)
    }
}

fn mapping_spec(source: &str, record: RecordKind, sql: &str) -> MappingSpec {
    let name = format!("{source}.{}", record.name());
    MappingSpec {
        record,
        sql: SqlFile {
            path: format!("sources/{name}.sql"),
            name,
            text: sql.to_owned(),
        },
    }
}

fn source_spec(name: &str, files: String, format: Format) -> SourceSpec {
    SourceSpec {
        name: name.to_owned(),
        files,
        format,
        csv: CsvSpec {
            delimiter: None,
            quote: b'"',
            encoding: encoding_rs::UTF_8,
            skip_lines: 0,
            header_rows: 1,
            skip_footer: 0,
            ragged_rows: RaggedRows::Reject,
            null_values: Vec::new(),
        },
        contract: Contract::Evolve,
        on_missing: OnMissing::Error,
        decompressed_bytes_max: 1 << 30,
        decompressed_ratio_max: 1000,
        field_bytes_max: 1 << 20,
        mappings: Vec::new(),
    }
}

fn spec(folder: &Path, sources: Vec<SourceSpec>) -> Spec {
    Spec {
        folder: folder.to_path_buf(),
        warehouse: folder.join("warehouse").display().to_string(),
        time_zone: chrono_tz::UTC,
        currency: "EUR".to_owned(),
        country: "DE".to_owned(),
        trust: sources.iter().map(|source| source.name.clone()).collect(),
        sources,
        identity: IdentitySpec {
            identifiers: vec!["customer_no".to_owned(), "member_no".to_owned()],
            generic_values: Default::default(),
            shared_by_records_max: 50,
            deterministic: Vec::new(),
            blocking: Vec::new(),
            block_pairs_max: 1,
            comparisons: Vec::new(),
            match_probability: 0.95,
            possible_probability: 0.5,
            training: TrainingSpec {
                deterministic: Vec::new(),
                recall: 0.7,
                sessions: Vec::new(),
                u_pairs_max: 1,
                session_pairs_max: 1,
                iterations_max: 1,
                convergence: 0.1,
                seed: 1,
                relations: true,
            },
            cluster: ClusterSpec {
                size_max: 200,
                one_per_customer: Vec::new(),
                exclusive: Vec::new(),
                cohesion: CohesionSpec::default(),
            },
        },
        decisions: None,
        key_secret: Secret::new("0123456789abcdef".to_owned()),
        survivorship: BTreeMap::new(),
        weights: Vec::new(),
        key_limits: KeyLimits::default(),
        gates: GatesSpec::default(),
        consent: stammkunde::config::pipeline::ConsentRule::default(),
        retention: stammkunde::config::spec::RetentionSpec::default(),
        purge_after_days: 30,
        settings: BTreeMap::new(),
        models: Vec::new(),
        audits: Vec::new(),
        fingerprint: String::new(),
    }
}

/// A row as text: the named columns, `-` for null.
fn rows(batch: &RecordBatch, columns: &[&str]) -> Vec<String> {
    let cell = |name: &str, row: usize| {
        let values = batch.column_by_name(name).unwrap_or_else(|| panic!("there is a column `{name}`"));
        if values.is_null(row) {
            "-".to_owned()
        } else {
            array_value_to_string(values, row).expect("a value can be written")
        }
    };
    (0..batch.num_rows())
        .map(|row| columns.iter().map(|name| cell(name, row)).collect::<Vec<_>>().join("|"))
        .collect()
}

/// `record_id|full_name` of all contacts.
fn names(ingested: &Ingested) -> Vec<String> {
    rows(ingested.contacts.batch(), &["record_id", "full_name"])
}

/// Rows of a fact table as text.
fn facts(ingested: &Ingested, kind: RecordKind, columns: &[&str]) -> Vec<String> {
    let (_, batches) = ingested
        .facts
        .iter()
        .find(|(found, _)| *found == kind)
        .expect("all four kinds are there");
    batches.iter().flat_map(|batch| rows(batch, columns)).collect()
}

/// `line reason field content` of all rejects.
fn rejects(ingested: &Ingested) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let line = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |line| line.to_string());
    ingested
        .rejects
        .rows
        .iter()
        .map(|reject| {
            format!(
                "{} {} {} {}",
                line(reject.line),
                reject.reason,
                text(&reject.field),
                text(&reject.content)
            )
        })
        .collect()
}

fn counts<'a>(ingested: &'a Ingested, record: &str) -> &'a SourceCounts {
    ingested
        .counts
        .iter()
        .find(|counts| counts.record == record)
        .expect("there are counts of the record")
}

/// `(column, values)` of a text column, to compare whole columns.
fn text_column(batch: &RecordBatch, name: &str) -> Vec<Option<String>> {
    let column = batch.column_by_name(name).expect("the column is there");
    column.as_string::<i32>().iter().map(|value| value.map(str::to_owned)).collect()
}
