//! `Config` to `Spec`: fills in every default and checks every name and number. The only validation, and it reports all findings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path as FilePath;

use super::Config;
use super::files::{ProjectFiles, is_name, source_places};
use super::findings::{Findings, Path, suggest};
use super::pipeline::{Contract, CsvConfig, Format, OnMissing, RaggedRows, SourceConfig};
use super::spec::{CsvSpec, MappingSpec, Secret, SourceSpec, Spec, SqlFile};
use super::yaml::Node;
use super::{fingerprint, gates, keys, retention, rules, standard};
use crate::table::RecordKind;
use crate::table::decisions::DECISIONS;

/// Shortest key secret, in characters.
const SECRET_CHARACTERS_MIN: usize = 16;
const DECOMPRESSED_BYTES_MAX: u64 = 16 << 30;
const DECOMPRESSED_RATIO_MAX: u64 = 1000;
const FIELD_BYTES_MAX: u64 = 1 << 20;

/// Resolves the config. What is wrong is a finding, and the spec has the default in its place.
pub fn resolve(folder: &FilePath, config: &Config, tree: &Node, files: ProjectFiles, findings: &mut Findings) -> Spec {
    let names: BTreeSet<String> = source_places(tree).into_keys().collect();
    let mut report = Report { tree, findings };
    let sources = sources(folder, config, files.mappings, &mut report);
    let models = with_standard(config, standard::models, files.models);
    let audits = with_standard(config, standard::audits, files.audits);
    Spec {
        folder: folder.to_path_buf(),
        warehouse: warehouse(folder, config, &mut report),
        time_zone: time_zone(config, &mut report),
        currency: currency(config, &mut report),
        country: country(config, &mut report),
        weights: keys::weights(config.trust.len(), config.sources.len()),
        trust: trust(config, &names, &mut report),
        identity: rules::resolve(&config.identity, &sources, &names, &mut report),
        key_secret: secret(config, &mut report),
        key_limits: keys::limits(config, &mut report),
        survivorship: survivorship(config, &mut report),
        gates: gates::resolve(&config.gates, &names, &mut report),
        consent: config.profile.consent.unwrap_or_default(),
        retention: retention::resolve(&config.retention, &mut report),
        purge_after_days: retention::purge_after_days(&config.privacy, &mut report),
        settings: settings(config, &mut report),
        decisions: decisions(folder, config, &mut report),
        fingerprint: fingerprint::fingerprint(config, &sources, &models, &audits),
        sources,
        models,
        audits,
    }
}

/// Reports findings at the YAML node of a path, unless the node is known to be wrong already.
pub struct Report<'a> {
    tree: &'a Node,
    findings: &'a mut Findings,
}

impl Report<'_> {
    /// A finding at the value of `path`.
    pub fn at(&mut self, path: &Path, message: impl Into<String>, hint: impl Into<Option<String>>) {
        if !self.findings.is_broken(path) {
            self.findings.at(self.tree.locate(path), message, hint);
        }
    }

    /// A finding at the key of `path`.
    pub fn at_key(&mut self, path: &Path, message: impl Into<String>, hint: impl Into<Option<String>>) {
        if !self.findings.is_broken(path) {
            self.findings.at(self.tree.locate_key(path), message, hint);
        }
    }
}

fn sources(
    folder: &FilePath,
    config: &Config,
    mut mappings: BTreeMap<String, Vec<MappingSpec>>,
    report: &mut Report<'_>,
) -> Vec<SourceSpec> {
    if config.sources.is_empty() {
        report.at_key(
            &Path::of(&["sources"]),
            "there is no source",
            Some("name at least one export".to_owned()),
        );
    }
    let sources: Vec<SourceSpec> = config
        .sources
        .iter()
        .map(|(name, source)| source_spec(folder, name, source, mappings.remove(name).unwrap_or_default(), report))
        .collect();
    let maps_contacts = |source: &SourceSpec| source.mappings.iter().any(|mapping| mapping.record == RecordKind::Contacts);
    // A source without any mapping has a finding of its own.
    if !sources.is_empty() && sources.iter().all(|source| !source.mappings.is_empty()) && !sources.iter().any(maps_contacts) {
        let hint = "write `sources/<name>.contacts.sql` for at least one source".to_owned();
        report.at_key(
            &Path::of(&["sources"]),
            "no source maps contacts, so there is nobody to identify",
            Some(hint),
        );
    }
    sources
}

fn source_spec(folder: &FilePath, name: &str, source: &SourceConfig, mappings: Vec<MappingSpec>, report: &mut Report<'_>) -> SourceSpec {
    let path = Path::of(&["sources", name]);
    if !is_name(name) {
        let hint = "names are `[a-z][a-z0-9_]*`, at most 63 characters".to_owned();
        report.at_key(&path, format!("`{name}` is not a name"), Some(hint));
    }
    if source.files.trim().is_empty() {
        report.at(
            &path.then("files"),
            "`files` is empty",
            Some("name the files of the export, e.g. `exports/*.csv`".to_owned()),
        );
    }
    for (key, limit) in [
        ("decompressed_bytes_max", source.decompressed_bytes_max),
        ("decompressed_ratio_max", source.decompressed_ratio_max),
        ("field_bytes_max", source.field_bytes_max),
    ] {
        if limit == Some(0) {
            report.at(&path.then(key), format!("`{key}` must be 1 or more"), None);
        }
    }
    SourceSpec {
        name: name.to_owned(),
        files: located(folder, &source.files),
        format: source.format,
        csv: csv(&source.csv, &path.then("csv"), report),
        contract: source.contract,
        on_missing: source.on_missing,
        decompressed_bytes_max: source.decompressed_bytes_max.unwrap_or(DECOMPRESSED_BYTES_MAX),
        decompressed_ratio_max: source.decompressed_ratio_max.unwrap_or(DECOMPRESSED_RATIO_MAX),
        field_bytes_max: usize::try_from(source.field_bytes_max.unwrap_or(FIELD_BYTES_MAX)).unwrap_or(usize::MAX),
        mappings,
    }
}

/// Where decisions lie if the project does not say.
const DECISIONS_FILES: &str = "decisions/*.csv";

/// The files of decisions as a source: what the project names must be there, the folder of the default need not.
fn decisions(folder: &FilePath, config: &Config, report: &mut Report<'_>) -> Option<SourceSpec> {
    let path = Path::of(&["identity", "decisions"]);
    let files = config.identity.decisions.as_deref();
    if files.is_some_and(|files| files.trim().is_empty()) {
        report.at(&path, "`decisions` is empty", Some(format!("leave it out for `{DECISIONS_FILES}`")));
    }
    Some(SourceSpec {
        name: DECISIONS.to_owned(),
        files: located(folder, files.unwrap_or(DECISIONS_FILES)),
        format: Format::Csv,
        csv: csv(&CsvConfig::default(), &path, report),
        contract: Contract::Evolve,
        on_missing: if files.is_some() { OnMissing::Error } else { OnMissing::Skip },
        decompressed_bytes_max: DECOMPRESSED_BYTES_MAX,
        decompressed_ratio_max: DECOMPRESSED_RATIO_MAX,
        field_bytes_max: usize::try_from(FIELD_BYTES_MAX).unwrap_or(usize::MAX),
        mappings: Vec::new(),
    })
}

fn csv(csv: &CsvConfig, path: &Path, report: &mut Report<'_>) -> CsvSpec {
    let delimiter = csv
        .delimiter
        .as_deref()
        .and_then(|text| single_byte(text, &path.then("delimiter"), report));
    let quote = csv.quote.as_deref().and_then(|text| single_byte(text, &path.then("quote"), report));
    if quote.is_some() && quote == Some(delimiter.unwrap_or(b',')) {
        report.at(&path.then("quote"), "`quote` and `delimiter` are the same character", None);
    }
    let label = csv.encoding.as_deref().unwrap_or("utf-8");
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes());
    if encoding.is_none() {
        let known = [
            "utf-8",
            "windows-1252",
            "iso-8859-15",
            "utf-16le",
            "utf-16be",
            "windows-1250",
            "macintosh",
            "shift_jis",
            "gbk",
        ];
        report.at(
            &path.then("encoding"),
            format!("unknown encoding `{label}`"),
            Some(suggest(label, known)),
        );
    }
    CsvSpec {
        delimiter,
        quote: quote.unwrap_or(b'"'),
        encoding: encoding.unwrap_or(encoding_rs::UTF_8),
        skip_lines: csv.skip_lines.unwrap_or(0),
        header_rows: csv.header_rows.unwrap_or(1),
        skip_footer: csv.skip_footer.unwrap_or(0),
        ragged_rows: csv.ragged_rows.unwrap_or(RaggedRows::Reject),
        null_values: csv.null_values.clone(),
    }
}

fn single_byte(text: &str, path: &Path, report: &mut Report<'_>) -> Option<u8> {
    let key = path.steps().last().map_or("", String::as_str);
    let text = if text == "\\t" { "\t" } else { text };
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\r' | b'\n' | 0) => Some(*byte),
        _ => {
            let message = format!("`{key}` must be one ASCII character other than a line end");
            report.at(path, message, Some("for a tab write \"\\t\"".to_owned()));
            None
        }
    }
}

/// A URL as it is; a path relative to the project folder.
fn located(folder: &FilePath, path: &str) -> String {
    if path.contains("://") {
        path.to_owned()
    } else {
        folder.join(path).display().to_string()
    }
}

fn warehouse(folder: &FilePath, config: &Config, report: &mut Report<'_>) -> String {
    let path = Path::of(&["warehouse"]);
    if config.warehouse.trim().is_empty() {
        report.at(
            &path,
            "`warehouse` is empty",
            Some("name a folder or a URL, e.g. `warehouse`".to_owned()),
        );
    }
    if let Some((scheme, _)) = config.warehouse.split_once("://") {
        let known = ["s3", "gs", "az", "file"];
        let others = ["s3a", "abfs", "abfss", "azure", "adl", "https"];
        if !known.contains(&scheme) && !others.contains(&scheme) {
            report.at(&path, format!("unknown kind of URL `{scheme}://`"), Some(suggest(scheme, known)));
        }
    }
    located(folder, &config.warehouse)
}

fn time_zone(config: &Config, report: &mut Report<'_>) -> chrono_tz::Tz {
    let Some(name) = &config.time_zone else { return chrono_tz::UTC };
    name.parse().unwrap_or_else(|_| {
        let names = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
        let hint = super::findings::closest(name, names).map_or_else(
            || "use an IANA name, e.g. `Europe/Berlin`".to_owned(),
            |name| format!("did you mean `{name}`?"),
        );
        report.at(&Path::of(&["time_zone"]), format!("unknown time zone `{name}`"), Some(hint));
        chrono_tz::UTC
    })
}

fn currency(config: &Config, report: &mut Report<'_>) -> String {
    let currency = config.currency.as_deref().unwrap_or("EUR");
    if currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return currency.to_owned();
    }
    let hint = "write an ISO 4217 code, e.g. `EUR`".to_owned();
    report.at(&Path::of(&["currency"]), format!("`{currency}` is not a currency code"), Some(hint));
    "EUR".to_owned()
}

fn country(config: &Config, report: &mut Report<'_>) -> String {
    let country = config.country.as_deref().unwrap_or("DE").to_ascii_uppercase();
    if country.len() == 2 && country.parse::<phonenumber::country::Id>().is_ok() {
        return country;
    }
    let hint = if country == "UK" {
        "did you mean `GB`?"
    } else {
        "write an ISO 3166 alpha-2 code, e.g. `DE`"
    };
    let written = config.country.as_deref().unwrap_or_default();
    report.at(
        &Path::of(&["country"]),
        format!("`{written}` is not a country code"),
        Some(hint.to_owned()),
    );
    "DE".to_owned()
}

fn trust(config: &Config, names: &BTreeSet<String>, report: &mut Report<'_>) -> Vec<String> {
    let mut trust = known_sources(&config.trust, &Path::of(&["trust"]), names, report);
    for name in config.sources.keys() {
        if !trust.contains(name) {
            trust.push(name.clone());
        }
    }
    trust
}

/// The listed sources that exist, each once; the others are findings.
pub fn known_sources(list: &[String], path: &Path, names: &BTreeSet<String>, report: &mut Report<'_>) -> Vec<String> {
    let mut known: Vec<String> = Vec::with_capacity(list.len());
    for (position, name) in list.iter().enumerate() {
        let path = path.then(position);
        if !names.contains(name) {
            report.at(
                &path,
                format!("there is no source `{name}`"),
                Some(suggest(name, names.iter().map(String::as_str))),
            );
        } else if known.contains(name) {
            report.at(&path, format!("`{name}` is listed twice"), None);
        } else {
            known.push(name.clone());
        }
    }
    known
}

fn secret(config: &Config, report: &mut Report<'_>) -> Secret {
    let path = Path::of(&["keys", "secret"]);
    let secret = config.keys.secret.clone().unwrap_or_default();
    let hint = "write `keys: secret: ${STAMMKUNDE_KEY_SECRET}` and set that variable once, e.g. to the output of `openssl rand -hex 32`";
    if config.keys.secret.is_none() {
        report.at_key(&path, "the secret that mints customer keys is missing", Some(hint.to_owned()));
    } else if secret.chars().count() < SECRET_CHARACTERS_MIN {
        let message = format!("the secret that mints customer keys must have {SECRET_CHARACTERS_MIN} characters or more");
        report.at(&path, message, Some(hint.to_owned()));
    }
    Secret::new(secret)
}

fn survivorship(config: &Config, report: &mut Report<'_>) -> BTreeMap<String, super::pipeline::Survivorship> {
    use super::pipeline::Survivorship;
    let schema = RecordKind::Contacts.schema();
    let columns = || {
        schema
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .filter(|name| *name != "record_id" && *name != "deleted")
    };
    let mut rules = BTreeMap::new();
    for (column, rule) in &config.profile.survivorship {
        let path = Path::of(&["profile", "survivorship", column]);
        let open = schema.column(column).is_none() && crate::table::column::is_consent(column) && schema.type_of(column).is_some();
        if !open && !columns().any(|name| name == column) {
            report.at_key(
                &path,
                format!("contacts have no column `{column}`"),
                Some(suggest(column, columns().collect::<Vec<_>>())),
            );
            continue;
        }
        let boolean = schema.type_of(column) == Some(crate::table::record::ColumnType::Boolean);
        if matches!(rule, Survivorship::AnyTrue | Survivorship::AllTrue) && !boolean {
            report.at(
                &path,
                format!("`{column}` is not true or false"),
                Some("use `most_recent` or `most_trusted`".to_owned()),
            );
            continue;
        }
        rules.insert(column.clone(), *rule);
    }
    rules
}

fn settings(config: &Config, report: &mut Report<'_>) -> BTreeMap<String, super::pipeline::Setting> {
    for name in config.settings.keys().filter(|name| !is_name(name)) {
        let hint = "names are `[a-z][a-z0-9_]*`, at most 63 characters".to_owned();
        report.at_key(&Path::of(&["settings", name]), format!("`{name}` is not a name"), Some(hint));
    }
    config.settings.clone()
}

/// The standard files, unless switched off, and the project's, which replace a standard one of the same name.
fn with_standard(config: &Config, standard: fn() -> Vec<SqlFile>, project: Vec<SqlFile>) -> Vec<SqlFile> {
    let standard = if config.standard_models.unwrap_or(true) {
        standard()
    } else {
        Vec::new()
    };
    let mut files: Vec<SqlFile> = standard
        .into_iter()
        .filter(|file| !project.iter().any(|own| own.name == file.name))
        .collect();
    files.extend(project);
    files.sort_by(|left, right| left.name.cmp(&right.name));
    files
}
