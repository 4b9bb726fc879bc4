//! The files of a project around `pipeline.yaml`, and what a spec holds beside identity.

use stammkunde::config::gates::GatesSpec;
use stammkunde::config::pipeline::{OnMissing, RaggedRows, Setting, Survivorship};
use stammkunde::config::{self, Overrides};
use stammkunde::error::ErrorKind;
use stammkunde::table::RecordKind;

use super::{PERSON_SQL, folder, good, load_all, minimal, project, shown};

#[test]
fn every_default_is_filled_in() {
    let spec = good(&minimal(""));
    assert_eq!(spec.time_zone, chrono_tz::UTC);
    assert_eq!((spec.currency.as_str(), spec.country.as_str()), ("EUR", "DE"));
    assert_eq!(spec.gates, GatesSpec::default());
    let source = &spec.sources[0];
    assert_eq!(source.decompressed_bytes_max, 17_179_869_184);
    assert_eq!(source.field_bytes_max, 1_048_576);
    assert_eq!(source.on_missing, OnMissing::Error);
    assert_eq!((source.csv.delimiter, source.csv.quote, source.csv.header_rows), (None, b'"', 1));
    assert_eq!(source.csv.encoding.name(), "UTF-8");
    assert_eq!(source.csv.ragged_rows, RaggedRows::Reject);
}

#[test]
fn trust_that_is_written_gives_records_weight_and_key_limits_are_shares() {
    let yaml = |trust: &str, keys: &str| {
        format!("warehouse: out\nsources:\n  crm: {{files: crm.csv, format: csv}}\nkeys: {{secret: 0123456789abcdef{keys}}}\n{trust}")
    };
    assert_eq!(good(&yaml("", "")).weights, [1]);
    assert_eq!(good(&yaml("trust: [crm]\n", "")).weights, [1], "one source is as good as another");
    let limits = good(&yaml("", "")).key_limits;
    assert_eq!(
        (limits.created, limits.merged, limits.moved, limits.customers_min),
        (None, Some(0.05), Some(0.05), 20)
    );
    let written = ", changed_customers_min: 3, changed_share_max: {created: 2, split: 0}";
    let limits = good(&yaml("", written)).key_limits;
    assert_eq!(
        (limits.created, limits.split, limits.merged, limits.customers_min),
        (Some(2.0), Some(0.0), Some(0.05), 3)
    );
    let folder = project(&yaml("", ", changed_share_max: {retired: -0.1}"));
    let (_, findings) = load_all(&folder);
    assert_eq!(
        shown(&findings),
        ["pipeline.yaml:4:63: `retired` must be 0 or more | 0.05 is a twentieth"]
    );
}

#[test]
fn what_is_written_is_taken() {
    let yaml = "warehouse: s3://bucket/out\ntime_zone: Europe/Berlin\ncurrency: CHF\ncountry: ch\n\
        sources:\n  crm:\n    files: gs://exports/*.csv\n    format: csv\n    on_missing: skip\n    csv:\n      delimiter: '\\t'\n      quote: \"'\"\n      \
        encoding: latin1\n      skip_lines: 2\n      null_values: ['-']\nkeys:\n  secret: 0123456789abcdef\n\
        profile: {survivorship: {email: most_trusted, consent_sms: any_true}}\nsettings: {rate: 0.1, count: 3, on: true, name: x}\n";
    let spec = good(yaml);
    assert_eq!(spec.warehouse, "s3://bucket/out");
    assert_eq!(spec.time_zone, chrono_tz::Europe::Berlin);
    assert_eq!((spec.currency.as_str(), spec.country.as_str()), ("CHF", "CH"));
    let source = &spec.sources[0];
    assert_eq!(source.files, "gs://exports/*.csv");
    assert_eq!(source.on_missing, OnMissing::Skip);
    assert_eq!(
        (source.csv.delimiter, source.csv.quote, source.csv.skip_lines),
        (Some(b'\t'), b'\'', 2)
    );
    assert_eq!(source.csv.encoding.name(), "windows-1252");
    assert_eq!(source.csv.null_values, ["-"]);
    assert_eq!(spec.key_secret.expose(), b"0123456789abcdef");
    assert_eq!(spec.survivorship["consent_sms"], Survivorship::AnyTrue);
    assert_eq!(spec.settings["rate"], Setting::Number(0.1));
    assert_eq!(spec.settings["on"], Setting::Boolean(true));
    assert_eq!(spec.settings["name"], Setting::Text("x".to_owned()));
}

#[test]
fn relative_paths_start_at_the_project_folder() {
    let folder = project(&minimal(""));
    let (spec, _) = load_all(&folder);
    let spec = spec.expect("spec");
    assert_eq!(spec.warehouse, folder.path().join("out").display().to_string());
    assert_eq!(spec.sources[0].files, folder.path().join("crm.csv").display().to_string());
    assert_eq!(spec.folder, folder.path());
}

#[test]
fn the_command_line_overrides_the_warehouse() {
    let folder = project(&minimal(""));
    let overrides = Overrides {
        warehouse: Some("s3://other/place".to_owned()),
    };
    let spec = config::load(folder.path(), &overrides, &|_| None).expect("spec");
    assert_eq!(spec.warehouse, "s3://other/place");
}

#[test]
fn a_secret_is_never_printed() {
    let spec = good(&minimal(""));
    assert!(!format!("{spec:?}").contains("0123456789abcdef"));
}

#[test]
fn mappings_come_in_the_order_of_the_records() {
    let folder = folder(&[
        ("pipeline.yaml", &minimal("")),
        ("sources/crm.orders.sql", "SELECT 1"),
        ("sources/crm.contacts.sql", PERSON_SQL),
        ("sources/crm.events.sql", "SELECT 2"),
        ("sources/notes.txt", "not SQL"),
    ]);
    let (spec, findings) = load_all(&folder);
    assert!(findings.is_empty(), "{findings:?}");
    let records: Vec<RecordKind> = spec.expect("spec").sources[0]
        .mappings
        .iter()
        .map(|mapping| mapping.record)
        .collect();
    assert_eq!(records, [RecordKind::Contacts, RecordKind::Orders, RecordKind::Events]);
}

#[test]
fn files_with_wrong_names_are_findings() {
    let folder = folder(&[
        ("pipeline.yaml", &minimal("")),
        ("sources/crm.contacts.sql", PERSON_SQL),
        ("sources/crm.contact.sql", PERSON_SQL),
        ("sources/crn.orders.sql", "SELECT 1"),
        ("sources/crm.sql", "SELECT 1"),
        ("models/Big.sql", "SELECT 1"),
        ("models/customers.sql", "SELECT 1"),
        ("audits/no-dash.sql", "SELECT 1"),
    ]);
    assert_eq!(
        shown(&load_all(&folder).1),
        [
            "audits/no-dash.sql:0:0: `no-dash` is not a name | names are `[a-z][a-z0-9_]*`, because they become tables",
            "models/Big.sql:0:0: `Big` is not a name | names are `[a-z][a-z0-9_]*`, because they become tables",
            "models/customers.sql:0:0: `customers` is a table that every run publishes | give the model another name",
            "sources/crm.contact.sql:0:0: there is no record `contact` | did you mean `contacts`?",
            "sources/crm.sql:0:0: the name does not say which record the mapping gives | name it `<source>.<record>.sql`; \
             records: `contacts`, `orders`, `order_lines`, `events`, `interactions`, `exchange_rates`",
            "sources/crn.orders.sql:0:0: there is no source `crn` in pipeline.yaml | did you mean `crm`?",
        ]
    );
}

#[test]
fn a_source_without_a_mapping_is_a_finding_at_its_name() {
    let folder = folder(&[("pipeline.yaml", &minimal(""))]);
    assert_eq!(
        shown(&load_all(&folder).1),
        [
            "pipeline.yaml:3:3: the source `crm` has no mapping | write `sources/crm.contacts.sql`, a SELECT from `raw` that gives canonical columns"
        ]
    );
}

#[test]
fn a_project_without_contacts_is_a_finding() {
    let folder = folder(&[("pipeline.yaml", &minimal("")), ("sources/crm.orders.sql", "SELECT 1")]);
    let findings = shown(&load_all(&folder).1);
    assert_eq!(
        findings,
        [
            "pipeline.yaml:2:1: no source maps contacts, so there is nobody to identify | write `sources/<name>.contacts.sql` for at least one source"
        ]
    );
}

#[test]
fn a_folder_without_a_pipeline_says_how_to_make_one() {
    let folder = folder(&[]);
    let error = config::load(folder.path(), &Overrides::default(), &|_| None).expect_err("no project");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(
        error.findings()[0]
            .hint
            .as_deref()
            .is_some_and(|hint| hint.contains("stammkunde init"))
    );
}

#[test]
fn standard_models_can_be_switched_off_and_replaced() {
    let with = folder(&[
        ("pipeline.yaml", &minimal("")),
        ("sources/crm.contacts.sql", PERSON_SQL),
        ("models/mine.sql", "SELECT 1"),
    ]);
    let spec = load_all(&with).0.expect("spec");
    let standard: Vec<String> = config::standard::models().into_iter().map(|model| model.name).collect();
    assert_eq!(spec.models.len(), standard.len() + 1);
    super::write(with.path(), "pipeline.yaml", &minimal("standard_models: false\n"));
    let spec = load_all(&with).0.expect("spec");
    let names: Vec<&str> = spec.models.iter().map(|model| model.name.as_str()).collect();
    assert_eq!(names, ["mine"]);
    if let Some(name) = standard.first() {
        super::write(with.path(), "pipeline.yaml", &minimal(""));
        super::write(with.path(), &format!("models/{name}.sql"), "SELECT 'own'");
        let spec = load_all(&with).0.expect("spec");
        let own: Vec<&str> = spec
            .models
            .iter()
            .filter(|model| model.name == *name)
            .map(|model| model.text.as_str())
            .collect();
        assert_eq!(own, ["SELECT 'own'"]);
    }
}

#[test]
fn the_fingerprint_changes_with_what_changes_the_result_and_with_nothing_else() {
    let base = good(&minimal("")).fingerprint;
    assert_eq!(base.len(), 64);
    assert_eq!(good(&format!("# a comment\n{}", minimal(""))).fingerprint, base, "comment");
    let other_place = minimal("").replace("warehouse: out", "warehouse: elsewhere");
    assert_eq!(good(&other_place).fingerprint, base, "warehouse");
    let other_secret = minimal("").replace("0123456789abcdef", "fedcba9876543210");
    assert_eq!(good(&other_secret).fingerprint, base, "secret");
    assert_ne!(
        good(&minimal("identity: {match_probability: 0.9}\n")).fingerprint,
        base,
        "threshold"
    );
    assert_ne!(good(&minimal("settings: {x: 1}\n")).fingerprint, base, "setting");
    let changed = folder(&[
        ("pipeline.yaml", &minimal("")),
        ("sources/crm.contacts.sql", &format!("{PERSON_SQL} -- changed")),
    ]);
    assert_ne!(load_all(&changed).0.expect("spec").fingerprint, base, "mapping");
}

#[test]
fn the_schema_in_the_repository_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/pipeline.schema.json");
    let committed: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).expect("schema")).expect("JSON");
    assert!(
        committed == config::json_schema(),
        "schemas/pipeline.schema.json is stale: run `stammkunde schema pipeline > schemas/pipeline.schema.json`"
    );
}

#[test]
fn the_schema_describes_every_property() {
    let schema = config::json_schema();
    let mut objects = vec![&schema];
    objects.extend(schema["$defs"].as_object().expect("definitions").values());
    for object in objects {
        for (name, property) in object["properties"].as_object().into_iter().flatten() {
            assert!(property["description"].is_string(), "`{name}` has no description");
        }
    }
}
