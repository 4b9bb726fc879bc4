//! What `init` writes is a project that loads, and it never overwrites.

use std::collections::BTreeSet;

use stammkunde::config::{self, Overrides, scaffold};
use stammkunde::error::ErrorKind;
use stammkunde::table::RecordKind;
use tempfile::TempDir;

#[test]
fn the_scaffold_loads_without_a_finding_and_without_an_environment() {
    let folder = TempDir::new().expect("folder");
    scaffold::write(folder.path()).expect("written");
    let spec = config::load(folder.path(), &Overrides::default(), &|_| None).expect("no finding");
    let mappings: Vec<(&str, RecordKind)> = spec
        .sources
        .iter()
        .flat_map(|source| source.mappings.iter().map(|mapping| (source.name.as_str(), mapping.record)))
        .collect();
    assert_eq!(
        mappings,
        [
            ("crm", RecordKind::Contacts),
            ("shop", RecordKind::Contacts),
            ("shop", RecordKind::Orders),
            ("shop", RecordKind::OrderLines)
        ]
    );
    assert!(spec.models.iter().any(|model| model.name == "order_counts"));
    assert!(spec.audits.iter().any(|audit| audit.name == "order_counts_are_positive"));
    assert_eq!(spec.identity.identifiers, ["customer_no"]);
}

#[test]
fn the_scaffold_has_an_export_for_every_source() {
    let folder = TempDir::new().expect("folder");
    scaffold::write(folder.path()).expect("written");
    let spec = config::load(folder.path(), &Overrides::default(), &|_| None).expect("no finding");
    for source in &spec.sources {
        let count = glob::glob(&source.files).expect("a pattern").count();
        assert_eq!(count, 1, "{}", source.name);
    }
}

#[test]
fn writing_gives_the_paths_and_renames_gitignore() {
    let folder = TempDir::new().expect("folder");
    let written: BTreeSet<String> = scaffold::write(folder.path()).expect("written").into_iter().collect();
    assert!(written.contains(".gitignore") && written.contains("airflow/dag.py") && !written.contains("gitignore"));
    for path in &written {
        assert!(folder.path().join(path).is_file(), "{path}");
    }
}

#[test]
fn an_existing_file_stops_it_before_anything_is_written() {
    let folder = TempDir::new().expect("folder");
    super::write(folder.path(), "sources/shop.orders.sql", "mine");
    let error = scaffold::write(folder.path()).expect_err("it would overwrite");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.message().contains("sources/shop.orders.sql"), "{error}");
    assert!(!folder.path().join("pipeline.yaml").exists());
    let kept = std::fs::read_to_string(folder.path().join("sources/shop.orders.sql")).expect("still there");
    assert_eq!(kept, "mine");
}

#[test]
fn it_can_stand_beside_files_of_other_names() {
    let folder = TempDir::new().expect("folder");
    super::write(folder.path(), "LICENSE", "mine");
    scaffold::write(folder.path()).expect("nothing is overwritten");
}

#[test]
fn the_pipelines_of_the_repository_load_without_a_finding() {
    let variables = |name: &str| name.ends_with("_PARQUET").then(|| "/data/file.parquet".to_owned());
    for name in ["people", "historical"] {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join(name);
        let spec = config::load(&folder, &Overrides::default(), &variables).expect(name);
        assert!(spec.models.is_empty(), "{name} has no models");
        assert!(spec.identity.training.sessions.len() >= 2, "{name} trains in two sessions");
    }
}
