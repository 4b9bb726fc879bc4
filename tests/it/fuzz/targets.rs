//! The bodies of the fuzz targets: each takes any bytes and asserts what must hold for them. `tests/fuzz` runs them under libFuzzer, and
//! the module above replays the kept corpora.

use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use stammkunde::config::pipeline::{Contract, Format, OnMissing, RaggedRows};
use stammkunde::config::spec::{CsvSpec, SourceSpec};
use stammkunde::config::{self, Overrides, Spec};
use stammkunde::engine::{Engine, EngineOptions};
use stammkunde::error::{Diagnostic, Error, ErrorKind};
use stammkunde::key::state::StoredKeys;
use stammkunde::publish::Warehouse;
use stammkunde::source::{self, Ledger};
use stammkunde::text::number::Locale;
use stammkunde::text::{address, case, company, country, date, email, fold, gender, identifier, mask, name, nickname, number};
use stammkunde::text::{phone, phonetic, place, placeholder};
use stammkunde::{key, run, score};

/// Bytes that a file of a target may hold once it is decompressed.
const FILE_BYTES_MAX: u64 = 8 << 20;
/// Texts of more bytes say nothing new and slow the search down.
const TEXT_BYTES_MAX: usize = 4096;

fn source(format: Format) -> SourceSpec {
    SourceSpec {
        name: "crm".to_owned(),
        files: String::new(),
        format,
        csv: CsvSpec {
            delimiter: None,
            quote: b'"',
            encoding: encoding_rs::UTF_8,
            skip_lines: 0,
            header_rows: 1,
            skip_footer: 0,
            ragged_rows: RaggedRows::Reject,
            null_values: vec!["n/a".to_owned()],
        },
        contract: Contract::Evolve,
        on_missing: OnMissing::Error,
        decompressed_bytes_max: FILE_BYTES_MAX,
        decompressed_ratio_max: 1000,
        field_bytes_max: 64 << 10,
        mappings: Vec::new(),
    }
}

/// Decodes a file: rows balance, lines ascend, and a file that is refused is an error of the input.
fn decode(source: &SourceSpec, stored: &[u8]) {
    let decoded = match source::decode(source, &stored.to_vec().into()) {
        Ok(decoded) => decoded,
        Err(error) => return assert_eq!(error.kind(), ErrorKind::Input, "{error}"),
    };
    let kept: u64 = decoded.batches.iter().map(|batch| batch.num_rows() as u64).sum();
    assert_eq!(decoded.rows_read, kept + decoded.rejects.rows_count());
    for batch in &decoded.batches {
        assert_eq!(batch.num_columns(), decoded.columns.len() + 1);
    }
    for reject in &decoded.rejects.rows {
        assert!(reject.line.is_some_and(|line| line > 0), "{}", reject.reason);
        assert!(reject.content.as_ref().is_none_or(|content| content.len() <= 4096));
    }
}

/// CSV in any dialect: the first byte chooses it, the rest is the file, compressed or not.
pub fn csv(data: &[u8]) {
    let Some((&dialect, stored)) = data.split_first() else { return };
    let mut source = source(Format::Csv);
    source.csv.ragged_rows = if dialect & 1 == 0 { RaggedRows::Reject } else { RaggedRows::Pad };
    source.csv.delimiter = [None, Some(b';'), Some(b'\t'), Some(b'|')][usize::from(dialect >> 1 & 3)];
    source.csv.encoding = [
        encoding_rs::UTF_8,
        encoding_rs::WINDOWS_1252,
        encoding_rs::UTF_16LE,
        encoding_rs::SHIFT_JIS,
    ][usize::from(dialect >> 3 & 3)];
    source.csv.header_rows = u32::from(dialect >> 5 & 1);
    source.csv.skip_lines = u32::from(dialect >> 6 & 1);
    source.csv.skip_footer = u32::from(dialect >> 7);
    decode(&source, stored);
}

/// JSON lines, compressed or not.
pub fn jsonl(data: &[u8]) {
    decode(&source(Format::Jsonl), data);
}

/// A Parquet file.
pub fn parquet(data: &[u8]) {
    decode(&source(Format::Parquet), data);
}

/// A project in a temporary folder, with `pipeline.yaml` to come.
struct Scene {
    folder: tempfile::TempDir,
    engine: Engine,
    spec: Mutex<Option<Spec>>,
}

impl Scene {
    fn write(&self, path: impl AsRef<Path>, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
        std::fs::write(&path, bytes).expect("a file");
        path
    }
}

const PIPELINE: &str = "warehouse: w\nstandard_models: false\nsources:\n  crm:\n    files: exports/*.csv\n    format: csv\nkeys:\n  secret: a secret for tests alone\n";

static SCENE: LazyLock<Scene> = LazyLock::new(|| {
    let options = EngineOptions {
        threads: Some(1),
        memory_limit_bytes: Some(4 << 30),
        ..EngineOptions::default()
    };
    let scene = Scene {
        folder: tempfile::tempdir().expect("a temporary folder"),
        engine: Engine::new(&options).expect("an engine"),
        spec: Mutex::new(None),
    };
    let mapping = "SELECT \"Id\" AS record_id, \"Name\" AS full_name, \"Mail\" AS email FROM raw";
    scene.write("sources/crm.contacts.sql", mapping.as_bytes());
    scene.write("exports/crm.csv", b"Id,Name,Mail,Born\n1,Al,al@example.org,1.1.1970\n");
    scene.write("pipeline.yaml", PIPELINE.as_bytes());
    let (spec, findings) = config::load_all(scene.folder.path(), &Overrides::default(), &|_| None);
    assert!(findings.is_empty(), "{findings:?}");
    *scene.spec.lock().unwrap_or_else(PoisonError::into_inner) = spec;
    scene
});

/// Findings have a place in the text that they are about.
fn placed(findings: &[Diagnostic], text: &str) {
    let lines = text.split(['\n', '\r']).count();
    for finding in findings {
        assert!(!finding.message.is_empty());
        assert!(finding.line <= lines + 1, "line {} of {lines}: {}", finding.line, finding.message);
    }
}

/// `pipeline.yaml`: gives a project or findings with a place, and the same for the same text.
pub fn config(data: &[u8]) {
    let folder = SCENE.folder.path().join("config");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("pipeline.yaml"), data).expect("a file");
    let environment = |name: &str| (name == "SET").then(|| "value: [1]".to_owned());
    let (spec, findings) = config::load_all(&folder, &Overrides::default(), &environment);
    placed(&findings, &String::from_utf8_lossy(data));
    assert!(spec.is_some() || !findings.is_empty());
    let (again, findings_again) = config::load_all(&folder, &Overrides::default(), &environment);
    assert_eq!(findings, findings_again);
    assert_eq!(spec.map(|spec| spec.fingerprint), again.map(|spec| spec.fingerprint));
}

/// The SQL of a mapping: planned or refused with a place. Nothing is run, and nothing but one query over `raw` is taken.
pub fn mapping_sql(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Constants are computed while a query is planned; who writes SQL that makes gigabytes of them is its owner, and is stopped by the memory limit.
    let grows = ["repeat", "pad", "series", "range", "concat", "replace", "translate", "array"];
    if text.len() > TEXT_BYTES_MAX || grows.iter().any(|name| text.to_lowercase().contains(name)) {
        return;
    }
    let mut spec = SCENE.spec.lock().unwrap_or_else(PoisonError::into_inner);
    let spec = spec.as_mut().expect("the scene has a project");
    text.clone_into(&mut spec.sources[0].mappings[0].sql.text);
    let findings = source::check(&SCENE.engine, spec);
    placed(&findings, text);
    if findings.is_empty() {
        let lower = text.to_lowercase();
        assert!(["select", "table", "from"].iter().any(|word| lower.contains(word)), "{text}");
    }
}

/// State files: the first byte chooses which. Read, or refused as damaged.
pub fn state(data: &[u8]) {
    let Some((&kind, bytes)) = data.split_first() else { return };
    let is_refusal = |error: &Error| matches!(error.kind(), ErrorKind::Environment | ErrorKind::Config | ErrorKind::Input);
    let check = |error: Error| assert!(is_refusal(&error), "{error}");
    match kind % 6 {
        0 => {
            SCENE.write("w/versions/00000000000000000001.json", bytes);
            let place = SCENE.engine.location("w", SCENE.folder.path()).expect("a folder");
            match Warehouse::new(place).latest(&SCENE.engine) {
                Ok(manifest) => assert_eq!(manifest.map(|manifest| manifest.version.0), Some(1)),
                Err(error) => check(error),
            }
        }
        1 => {
            if let Ok(ledger) = serde_json::from_slice::<Ledger>(bytes) {
                let again = serde_json::to_vec(&ledger).expect("a ledger is JSON");
                assert_eq!(serde_json::from_slice::<Ledger>(&again).expect("a ledger").inputs, ledger.inputs);
            }
        }
        2 | 3 => {
            let (model, frequencies) = halves(bytes);
            let get = |name: &str| Ok(Some(if name == score::state::MODEL { model } else { frequencies }.to_vec().into()));
            match score::state::read(get) {
                Ok(Some((mut model, mut frequencies))) => {
                    model.settle();
                    frequencies.settle();
                    score::state::write(&model, &frequencies).expect("what was read can be written");
                }
                Ok(None) => panic!("both files are there"),
                Err(error) => check(error),
            }
        }
        4 => {
            if let Err(error) = score::ModelFile::parse(bytes) {
                check(error);
            }
        }
        _ => arrow_state(bytes, check),
    }
}

/// Tables of the state of keys, in Arrow's stream format.
fn arrow_state(bytes: &[u8], check: impl Fn(Error)) {
    let read = |bytes: &[u8]| match run::state_table("a table", bytes) {
        Ok(batches) => Some(batches),
        Err(error) => {
            check(error);
            None
        }
    };
    let (left, right) = halves(bytes);
    let (Some(left), Some(right)) = (read(left), read(right)) else {
        return;
    };
    let outside = StoredKeys {
        identities: left.clone(),
        redirects: right.clone(),
        ..StoredKeys::default()
    };
    let inside = StoredKeys {
        merges: left.clone(),
        created: left.clone(),
        contents: right.clone(),
        retired: left,
        origins: right,
        ..StoredKeys::default()
    };
    for stored in [outside, inside] {
        if let Err(error) = key::state::previous(stored) {
            check(error);
        }
    }
}

/// Two files in one input: the first four bytes are the length of the first.
fn halves(bytes: &[u8]) -> (&[u8], &[u8]) {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else {
        return (bytes, &[]);
    };
    rest.split_at((u32::from_le_bytes(*length) as usize).min(rest.len()))
}

/// A text of a bounded length, or none.
fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok().filter(|text| text.len() <= TEXT_BYTES_MAX)
}

/// A date or an instant: the first line is the format, the rest the text.
pub fn dates(data: &[u8]) {
    let Some((format, text)) = text(data).and_then(|text| text.split_once('\n')) else {
        return;
    };
    let _ = date::is_zero(text);
    let Some(known) = date::Format::parse(format) else {
        assert_eq!(date::parse_date(text, format), None);
        return;
    };
    let day = known.date(text);
    assert_eq!(day, date::parse_date(text, format));
    for zone in [
        chrono_tz::UTC,
        chrono_tz::Europe::Berlin,
        chrono_tz::America::St_Johns,
        chrono_tz::Pacific::Apia,
    ] {
        let instant = known.timestamp(text, zone);
        assert_eq!(instant, date::parse_timestamp(text, format, zone));
        // What the columns hold: microseconds.
        assert!(instant.is_none_or(|instant| instant.timestamp_micros() != i64::MAX));
    }
}

/// A phone number, dialed in several countries: E.164, and stays what it is.
pub fn phones(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let _ = phone::is_placeholder(text);
    for country in ["DE", "US", "GB", "AT", "ZZ", ""] {
        let Some(number) = phone::normalize(text, country) else { continue };
        let digits = number.strip_prefix('+').expect("E.164 starts with a plus");
        assert!(digits.len() <= 15 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{number}");
        assert_eq!(
            phone::normalize(&number, "DE").as_deref(),
            Some(number.as_str()),
            "{country} {text:?}"
        );
    }
}

/// An address of a mailbox: normalized once and for all.
pub fn emails(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Some(address) = email::normalize(text) else { return };
    assert_eq!(email::normalize(&address).as_deref(), Some(address.as_str()));
    assert!(address.len() <= 254 && address.matches('@').count() == 1, "{address}");
    let mailbox = email::mailbox(&address);
    assert_eq!(email::mailbox(&mailbox), mailbox, "{address}");
    let _ = email::classify(&address);
}

/// Names, addresses and whatever else is text: every function of `text`, and those that promise it give the same twice.
pub fn names(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let clean = fold::clean(text);
    assert_eq!(fold::clean(&clean), clean);
    let folded = fold::fold(text);
    assert_eq!(fold::fold(&folded), folded);
    let _ = (fold::words(text), fold::is_blank(text), mask::mask(text), case::repair(&clean));
    if let Some(display) = name::display(text) {
        assert_eq!(name::display(&display).as_deref(), Some(display.as_str()));
        let _ = (name::given_matching(&display), name::family_matching(&display));
    }
    let split = name::split_full(text);
    for part in [split.given, split.family].into_iter().flatten() {
        assert!(!part.is_empty());
        let _ = nickname::group(&part);
    }
    let _ = (phonetic::cologne(text), phonetic::double_metaphone(text), phonetic::soundex(text));
    let _ = (company::display(text), company::matching(text), company::is_private(text));
    let street = address::street(text);
    let _ = (address::street_matching(&street.display), address::house_number(text));
    for of in ["DE", "GB", "US", "ZZ"] {
        if let Some(postcode) = place::postcode_display(text, of) {
            let _ = (
                place::postcode_matching(&postcode, of),
                place::is_postcode_placeholder(&postcode, of),
            );
        }
    }
    if let Some(city) = place::city_display(text) {
        let _ = place::city_matching(&city);
    }
    let _ = (place::region_matching(text), country::normalize(text), gender::normalize(text));
    let _ = (
        placeholder::is_placeholder(text),
        placeholder::is_name_placeholder(text),
        placeholder::is_blocked_identifier(text),
    );
}

/// A number in every locale: within a decimal of 18 digits; identifiers stay what they are.
pub fn numbers(data: &[u8]) {
    let Some(text) = text(data) else { return };
    for locale in [Locale::De, Locale::En, Locale::Ch, Locale::Fr] {
        if let Some(value) = number::parse_decimal(text, locale) {
            assert!(value.abs() < 10_i128.pow(18), "{text:?} in {locale:?}");
        }
    }
    if let Some(known) = identifier::normalize(text) {
        assert_eq!(identifier::normalize(&known).as_deref(), Some(known.as_str()));
    }
    let _ = placeholder::is_excel_damaged(text);
}
