//! Warehouses of test projects on an S3 server: `STAMMKUNDE_TEST_WAREHOUSE=s3://bucket/prefix` (with `AWS_*`) puts them there, each below a
//! folder of its own. What a test looks at is mirrored into the project's folder first, and what it writes goes to the server.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use stammkunde::engine::{Engine, EngineOptions, Location};

/// Where warehouses of tests are, if not on the disk.
pub fn url() -> Option<String> {
    std::env::var("STAMMKUNDE_TEST_WAREHOUSE").ok().filter(|url| !url.is_empty())
}

/// A place below the URL that no other test has.
pub fn fresh_url() -> Option<String> {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    url().map(|url| format!("{}/{}-{count}", url.trim_end_matches('/'), std::process::id()))
}

/// Gives a command what it needs to find the server.
pub fn pass_on(command: &mut Command) {
    if url().is_some() {
        command.envs(std::env::vars().filter(|(name, _)| name.starts_with("AWS_")));
    }
}

/// The warehouse of one project.
pub struct Remote {
    pub url: String,
    engine: Engine,
    location: Location,
    seen: Mutex<BTreeMap<String, Option<String>>>,
}

impl Remote {
    pub fn fresh() -> Option<Self> {
        let url = fresh_url()?;
        let engine = Engine::new(&EngineOptions {
            threads: Some(1),
            ..EngineOptions::default()
        })
        .expect("an engine starts");
        let location = engine.location(&url, Path::new("/")).expect("a URL");
        Some(Self {
            url,
            engine,
            location,
            seen: Mutex::default(),
        })
    }

    /// Makes a folder hold what the server holds; files that did not change are left alone.
    pub fn mirror(&self, folder: &Path) {
        let mut seen = self.seen.lock().expect("no panic");
        let store = &self.location.store;
        let prefix = format!("{}/", self.location.path);
        let found: BTreeMap<String, Option<String>> = self
            .engine
            .wait(
                store
                    .list(Some(&self.location.path))
                    .map_ok(|meta| (meta.location.to_string(), meta.e_tag))
                    .try_collect(),
            )
            .expect("it lists");
        for gone in seen.keys().filter(|path| !found.contains_key(*path)) {
            let path = folder.join(gone.trim_start_matches(&prefix));
            let _ = std::fs::remove_file(&path);
            for above in path.ancestors().skip(1).take_while(|above| above.starts_with(folder)) {
                if std::fs::remove_dir(above).is_err() {
                    break;
                }
            }
        }
        seen.retain(|path, _| found.contains_key(path));
        for (path, etag) in found {
            let target = folder.join(path.trim_start_matches(&prefix));
            if seen.get(&path) == Some(&etag) && target.exists() {
                continue;
            }
            let key = object_store::path::Path::parse(&path).expect("a path");
            let read = self.engine.wait(async { store.get(&key).await?.bytes().await });
            // A file that was deleted meanwhile is seen so by the next look.
            let Ok(bytes) = read else { continue };
            std::fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
            std::fs::write(&target, bytes).expect("a file");
            seen.insert(path, etag);
        }
    }

    fn key(&self, relative: &str) -> object_store::path::Path {
        object_store::path::Path::parse(format!("{}/{relative}", self.location.path)).expect("a path")
    }

    pub fn put(&self, relative: &str, bytes: Bytes) {
        let key = self.key(relative);
        let put = self.location.store.put(&key, bytes.into());
        self.engine.wait(put).expect("it can be written");
    }

    pub fn delete(&self, relative: &str) {
        let key = self.key(relative);
        let delete = self.location.store.delete(&key);
        self.engine.wait(delete).expect("it can be deleted");
    }
}
