//! Warehouses on a disk, in memory and on a store with faults, and small releases.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use chrono::NaiveDate;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::prefix::PrefixStore;
use stammkunde::Result;
use stammkunde::engine::{Engine, EngineOptions, Location};
use stammkunde::publish::{Closing, Draft, Manifest, Warehouse};
use stammkunde::table::{RunId, VersionNumber};
use tempfile::TempDir;

pub fn engine() -> Engine {
    engine_with(2)
}

pub fn engine_with(threads: usize) -> Engine {
    Engine::new(&EngineOptions {
        threads: Some(threads),
        memory_limit_bytes: Some(256 << 20),
        ..EngineOptions::default()
    })
    .expect("an engine starts")
}

pub fn run(name: &str) -> RunId {
    RunId::from_scheduler(name).expect("a usable run id")
}

pub fn on_store(store: Arc<dyn ObjectStore>) -> Warehouse {
    Warehouse::new(Location {
        store,
        path: "base/warehouse".into(),
        display: "memory://base/warehouse".to_owned(),
        local: None,
    })
}

/// A store of the test's own: in memory, or below `STAMMKUNDE_TEST_WAREHOUSE`.
pub fn store() -> Arc<dyn ObjectStore> {
    let Some(url) = crate::cli::remote::fresh_url() else {
        return Arc::new(InMemory::new());
    };
    let location = engine().location(&url, std::path::Path::new("/")).expect("a URL");
    Arc::new(PrefixStore::new(location.store, location.path))
}

/// A warehouse on a [`store`].
pub fn in_memory() -> Warehouse {
    on_store(store())
}

pub fn on_disk(engine: &Engine) -> (TempDir, Warehouse) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = engine.location("ware house", folder.path()).expect("a local location");
    (folder, Warehouse::new(root))
}

/// `customers` with one row for each of `keys`.
pub fn customers(keys: &[&str]) -> RecordBatch {
    let numbers: Vec<i64> = (0..).take(keys.len()).collect();
    RecordBatch::try_from_iter([
        ("customer_key", Arc::new(StringArray::from(keys.to_vec())) as ArrayRef),
        ("orders", Arc::new(Int64Array::from(numbers)) as ArrayRef),
    ])
    .expect("columns of one length")
}

/// Everything that one test run publishes.
pub struct Release {
    pub run_id: RunId,
    pub parent: Option<VersionNumber>,
    pub tables: Vec<(String, SchemaRef, Vec<RecordBatch>)>,
    pub closing: Closing,
}

/// Publishes it all at once, as a run does step by step.
pub fn publish(engine: &Engine, warehouse: &Warehouse, release: Release) -> Result<Manifest> {
    let mut draft = Draft::begin(engine, warehouse, &release.run_id, release.parent)?;
    for (name, schema, batches) in &release.tables {
        draft.add(name, schema, batches)?;
    }
    draft.commit(release.closing)
}

pub fn release_of(name: &str, parent: Option<u64>, tables: Vec<(&str, RecordBatch)>) -> Release {
    Release {
        run_id: run(name),
        parent: parent.map(VersionNumber),
        tables: tables
            .into_iter()
            .map(|(table, batch)| (table.to_owned(), batch.schema(), vec![batch]))
            .collect(),
        closing: Closing {
            as_of: NaiveDate::from_ymd_opt(2025, 7, 1).expect("a day"),
            fingerprint: format!("fingerprint of {name}"),
            carried: std::collections::BTreeMap::new(),
            state: vec![("model.json".to_owned(), Bytes::from(format!("{{\"by\":\"{name}\"}}")))],
        },
    }
}

/// Two tables and a state file that tell by whom they are.
pub fn release(name: &str, parent: Option<u64>) -> Release {
    release_of(
        name,
        parent,
        vec![("customers", customers(&["a", name])), ("links", customers(&[name]))],
    )
}

/// That a version reads in full, and that all of it is of one run.
pub fn assert_whole(engine: &Engine, warehouse: &Warehouse, manifest: &Manifest) {
    let name = manifest.run_id.as_str();
    let customers_read = warehouse
        .read(engine, manifest, "customers", None)
        .expect("it reads")
        .expect("it is there");
    assert_eq!(customers_read, [customers(&["a", name])]);
    let links = warehouse
        .read(engine, manifest, "links", None)
        .expect("it reads")
        .expect("it is there");
    assert_eq!(links, [customers(&[name])]);
    let state = warehouse
        .state(engine, manifest, "model.json")
        .expect("it reads")
        .expect("it is there");
    assert_eq!(state, format!("{{\"by\":\"{name}\"}}"));
}

/// The bytes of a file of the warehouse.
pub fn bytes_of(engine: &Engine, warehouse: &Warehouse, relative: &str) -> Option<Bytes> {
    use object_store::ObjectStoreExt;
    let path = object_store::path::Path::parse(format!("{}/{relative}", warehouse.root.path)).expect("a path");
    engine.wait(async { warehouse.root.store.get(&path).await.ok()?.bytes().await.ok() })
}

/// Writes a file of the warehouse behind its back.
pub fn put(engine: &Engine, warehouse: &Warehouse, relative: &str, bytes: &[u8]) {
    use object_store::ObjectStoreExt;
    let path = object_store::path::Path::parse(format!("{}/{relative}", warehouse.root.path)).expect("a path");
    engine
        .wait(warehouse.root.store.put(&path, Bytes::copy_from_slice(bytes).into()))
        .expect("it can be written");
}

/// All files of the warehouse, sorted, relative to it.
pub fn listing(engine: &Engine, warehouse: &Warehouse) -> Vec<String> {
    use futures::TryStreamExt;
    let root = &warehouse.root;
    let found: Vec<_> = engine
        .wait(
            root.store
                .list(Some(&root.path))
                .map_ok(|meta| meta.location.to_string())
                .try_collect(),
        )
        .expect("it lists");
    let prefix = format!("{}/", root.path);
    let mut names: Vec<String> = found
        .into_iter()
        .map(|name: String| name.trim_start_matches(&prefix).to_owned())
        .collect();
    names.sort();
    names
}
