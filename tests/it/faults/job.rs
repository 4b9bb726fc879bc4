//! A whole job that is small enough to be run hundreds of times: exports and warehouse in one store of the test's choice.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex};

use bytes::Bytes;
use chrono::NaiveDate;
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use sha2::{Digest, Sha256};
use stammkunde::config::{self, Overrides};
use stammkunde::engine::{Engine, EngineOptions};
use stammkunde::gate::Accepted;
use stammkunde::plan::Selection;
use stammkunde::publish::{Manifest, Warehouse};
use stammkunde::report::RunReport;
use stammkunde::run::{self, RunOptions, Silent};
use stammkunde::table::RunId;
use stammkunde::{Result, Spec};

const PIPELINE: &str = r#"warehouse: s3://test/warehouse
time_zone: Europe/Berlin
standard_models: false
sources:
  crm:
    files: s3://test/exports/crm*.csv
    format: csv
identity:
  identifiers: [customer_no]
keys:
  secret: a secret for tests alone
"#;

const CRM: &str = r#"-- name: crm.contacts
-- grain: one row per contact
-- description: Contacts.
SELECT "Id" AS record_id, "No" AS customer_no, "Name" AS full_name, "Mail" AS email FROM raw
"#;

pub const HEADER: &str = "Id,No,Name,Mail\n";
pub const YESTERDAY: &str = "1,k1,Anneliese Achterberg,a@post.example\n2,k2,Burkhard Brinkmeyer,b@post.example\n3,k1,A. Achterberg,\n";
/// One record more, and a customer number that joins two customers.
pub const TODAY: &str = "1,k1,Anneliese Achterberg,a@post.example\n2,k1,Burkhard Brinkmeyer,b@post.example\n3,k1,A. Achterberg,\n4,k4,Cornelia Cordesius,c@post.example\n";

/// A job, and the machine it runs on.
pub struct Job {
    pub engine: Engine,
    pub spec: Spec,
    _folder: tempfile::TempDir,
}

impl Job {
    pub fn new() -> Self {
        Self::on(engine())
    }

    pub fn on(engine: Engine) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // Without SQL models: they are planned for long and written like every other table.
        for (path, text) in [("pipeline.yaml", PIPELINE), ("sources/crm.contacts.sql", CRM)] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        let spec = config::load(folder.path(), &Overrides::default(), &|_| None).expect("the project is sound");
        Self {
            engine,
            spec,
            _folder: folder,
        }
    }

    /// From now on the bucket `test` is this store.
    pub fn serve(&self, store: Arc<dyn ObjectStore>) {
        self.engine.serve("s3://test", store).expect("a URL");
    }

    pub fn run(&self, run_id: &str) -> Result<RunReport> {
        self.run_as_of(run_id, NaiveDate::from_ymd_opt(2026, 10, 31).expect("a day"))
    }

    pub fn run_as_of(&self, run_id: &str, day: NaiveDate) -> Result<RunReport> {
        let options = RunOptions {
            run_id: RunId::from_scheduler(run_id).expect("a run id"),
            as_of: Some(day),
            retrain: false,
            full_refresh: false,
            model: None,
            selection: Selection::default(),
            accept_key_changes: false,
            accepted_gates: Accepted::default(),
        };
        run::run(&self.engine, &self.spec, &options, &Silent)
    }

    pub fn warehouse(&self) -> Warehouse {
        Warehouse::new(self.engine.location(&self.spec.warehouse, &self.spec.folder).expect("a location"))
    }
}

pub fn engine() -> Engine {
    Engine::new(&EngineOptions {
        threads: Some(1),
        ..EngineOptions::default()
    })
    .expect("an engine starts")
}

/// What stands in a store: path, content.
pub type Content = BTreeMap<String, Bytes>;

pub fn content(engine: &Engine, store: &dyn ObjectStore) -> Content {
    engine.wait(async {
        let found: Vec<Path> = store.list(None).map_ok(|meta| meta.location).try_collect().await.expect("it lists");
        let mut content = Content::new();
        for path in found {
            let bytes = store.get(&path).await.expect("it is there").bytes().await.expect("it reads");
            content.insert(path.to_string(), bytes);
        }
        content
    })
}

pub fn fill(engine: &Engine, store: &dyn ObjectStore, content: &Content) {
    engine.wait(async {
        for (path, bytes) in content {
            let path = Path::parse(path).expect("a path");
            store.put(&path, bytes.clone().into()).await.expect("it can be written");
        }
    });
}

pub fn put(engine: &Engine, store: &dyn ObjectStore, path: &str, bytes: impl Into<Bytes>) {
    fill(engine, store, &Content::from([(path.to_owned(), bytes.into())]));
}

/// A store with yesterday's version, and today's export waiting.
pub fn overnight() -> Content {
    let job = Job::new();
    let store = Arc::new(InMemory::new());
    put(&job.engine, &*store, "exports/crm.csv", format!("{HEADER}{YESTERDAY}"));
    job.serve(Arc::clone(&store) as _);
    job.run("yesterday").expect("it publishes");
    put(&job.engine, &*store, "exports/crm.csv", format!("{HEADER}{TODAY}"));
    content(&job.engine, &*store)
}

/// SHA-256; content that was seen before is not hashed again, which takes its time without optimization.
fn hash_of(bytes: &Bytes) -> String {
    static KNOWN: LazyLock<Mutex<HashMap<Bytes, String>>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().expect("no panic");
    let hash = || Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    known.entry(bytes.clone()).or_insert_with(hash).clone()
}

/// Versions in a store, each with all its files as they were listed.
#[track_caller]
pub fn whole_versions(content: &Content) -> Vec<Manifest> {
    let manifests = content.iter().filter(|(path, _)| path.starts_with("warehouse/versions/"));
    let manifests = manifests.map(|(path, bytes)| {
        let manifest: Manifest = serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("{path}: {error}"));
        for file in manifest.files() {
            let bytes = content.get(&format!("warehouse/{}", file.path));
            let bytes = bytes.unwrap_or_else(|| panic!("version {} lacks {}", manifest.version, file.path));
            assert_eq!(hash_of(bytes), file.sha256, "{} of version {}", file.path, manifest.version);
        }
        manifest
    });
    manifests.collect()
}

/// Hashes of everything of a version that does not tell when and as what it was made.
pub fn hashes(manifest: &Manifest) -> BTreeMap<String, String> {
    let tables = manifest
        .tables
        .iter()
        .map(|(name, table)| (name.clone(), table.files.iter().map(|file| file.sha256.clone()).collect::<String>()));
    let state = manifest.state.iter().map(|(name, file)| (name.clone(), file.sha256.clone()));
    // The one holds times, the other entity tags of a store.
    tables
        .chain(state)
        .filter(|(name, _)| !["runs", "ledger.json"].contains(&name.as_str()))
        .collect()
}

/// Makes the holder of a lock a process that is gone.
pub fn bury(engine: &Engine, store: &dyn ObjectStore) {
    let lock = content(engine, store).remove("warehouse/_lock.json");
    let Some(mut lock) = lock.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok()) else {
        return;
    };
    lock["pid"] = 4_194_305.into();
    put(engine, store, "warehouse/_lock.json", lock.to_string());
}
