//! A store that fails at the n-th operation, before or after it took effect, and what publishing makes of it.

use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use bytes::Bytes;
use chrono::TimeDelta;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, Result,
};
use stammkunde::ErrorKind;

use super::support::{assert_whole, bytes_of, engine, listing, on_store, publish, release, run};

/// What happens at the chosen operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails without effect.
    Fails,
    /// It takes effect and its reply gets lost.
    LosesReply,
    /// It fails, and so does everything after it: the process was killed, the network is gone.
    Dies,
    /// One byte of what is written is another.
    Corrupts,
    /// The disk is full.
    DiskFull,
}

/// A store with one fault, a count of operations, and a clock of its own.
#[derive(Debug)]
pub struct FaultStore {
    inner: Arc<dyn ObjectStore>,
    operations: AtomicU64,
    fault: Mutex<Option<(u64, Fault)>>,
    shift_minutes: AtomicI64,
    shifted_file: Mutex<(String, i64)>,
}

type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

impl FaultStore {
    pub fn new(inner: Arc<dyn ObjectStore>) -> Self {
        Self {
            inner,
            operations: AtomicU64::new(0),
            fault: Mutex::new(None),
            shift_minutes: AtomicI64::new(0),
            shifted_file: Mutex::new((String::new(), 0)),
        }
    }

    /// All times are `all` minutes off, those of files ending in `file` by `more` besides.
    pub fn shift_times(&self, all: i64, file: &str, more: i64) {
        self.shift_minutes.store(all, Ordering::SeqCst);
        *self.shifted_file.lock().expect("no panic") = (file.to_owned(), more);
    }

    /// Restarts the count, with a fault at operation `at` (from 0) or none.
    fn arm(&self, fault: Option<(u64, Fault)>) {
        self.operations.store(0, Ordering::SeqCst);
        *self.fault.lock().expect("no panic") = fault;
    }

    fn next(&self) -> Option<Fault> {
        let operation = self.operations.fetch_add(1, Ordering::SeqCst);
        let fault = *self.fault.lock().expect("no panic");
        let (at, fault) = fault?;
        (operation == at || fault == Fault::Dies && operation > at).then_some(fault)
    }

    async fn with_fault<T>(&self, operation: impl Future<Output = Result<T>>) -> Result<T> {
        match self.next() {
            None => operation.await,
            Some(Fault::Fails | Fault::Dies) => Err(broken()),
            Some(Fault::Corrupts) => operation.await,
            Some(Fault::DiskFull) => Err(full()),
            Some(Fault::LosesReply) => {
                operation.await?;
                Err(broken())
            }
        }
    }

    fn shift(&self, mut meta: ObjectMeta) -> ObjectMeta {
        let (file, more) = self.shifted_file.lock().expect("no panic").clone();
        let more = if !file.is_empty() && meta.location.as_ref().ends_with(&file) {
            more
        } else {
            0
        };
        meta.last_modified += TimeDelta::minutes(self.shift_minutes.load(Ordering::SeqCst) + more);
        meta
    }
}

fn broken() -> Error {
    Error::Generic {
        store: "FaultStore",
        source: "the connection broke".into(),
    }
}

fn full() -> Error {
    Error::Generic {
        store: "FaultStore",
        source: Box::new(std::io::Error::from(std::io::ErrorKind::StorageFull)),
    }
}

fn corrupted(payload: PutPayload) -> PutPayload {
    let mut bytes: Vec<u8> = Bytes::from(payload).to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    bytes.into()
}

impl fmt::Display for FaultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultStore({})", self.inner)
    }
}

impl ObjectStore for FaultStore {
    fn put_opts<'a, 'b, 'c>(&'a self, location: &'b Path, payload: PutPayload, opts: PutOptions) -> Reply<'c, PutResult>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        let at = self.operations.load(Ordering::SeqCst);
        let is_corrupt = *self.fault.lock().expect("no panic") == Some((at, Fault::Corrupts));
        let payload = if is_corrupt { corrupted(payload) } else { payload };
        Box::pin(self.with_fault(self.inner.put_opts(location, payload, opts)))
    }

    fn put_multipart_opts<'a, 'b, 'c>(&'a self, location: &'b Path, opts: PutMultipartOptions) -> Reply<'c, Box<dyn MultipartUpload>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(self.with_fault(self.inner.put_multipart_opts(location, opts)))
    }

    fn get_opts<'a, 'b, 'c>(&'a self, location: &'b Path, options: GetOptions) -> Reply<'c, GetResult>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(self.with_fault(async move {
            let mut result = self.inner.get_opts(location, options).await?;
            result.meta = self.shift(result.meta);
            Ok(result)
        }))
    }

    fn get_ranges<'a, 'b, 'd, 'c>(&'a self, location: &'b Path, ranges: &'d [Range<u64>]) -> Reply<'c, Vec<Bytes>>
    where
        'a: 'c,
        'b: 'c,
        'd: 'c,
        Self: 'c,
    {
        Box::pin(self.with_fault(self.inner.get_ranges(location, ranges)))
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        match self.next() {
            None | Some(Fault::Corrupts | Fault::DiskFull) => self.inner.delete_stream(locations),
            Some(Fault::Fails | Fault::Dies) => futures::stream::once(async { Err(broken()) }).boxed(),
            Some(Fault::LosesReply) => {
                let deleted = self.inner.delete_stream(locations);
                futures::stream::once(async move {
                    deleted.collect::<Vec<_>>().await;
                    Err(broken())
                })
                .boxed()
            }
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.next() {
            None => self.inner.list(prefix),
            Some(_) => futures::stream::once(async { Err(broken()) }).boxed(),
        }
    }

    fn list_with_delimiter<'a, 'b, 'c>(&'a self, prefix: Option<&'b Path>) -> Reply<'c, ListResult>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(self.with_fault(self.inner.list_with_delimiter(prefix)))
    }

    fn copy_opts<'a, 'b, 'd, 'c>(&'a self, from: &'b Path, to: &'d Path, options: CopyOptions) -> Reply<'c, ()>
    where
        'a: 'c,
        'b: 'c,
        'd: 'c,
        Self: 'c,
    {
        Box::pin(self.with_fault(self.inner.copy_opts(from, to, options)))
    }
}

#[test]
fn a_fault_at_any_operation_leaves_a_whole_version_and_a_retry_publishes() {
    let engine = engine();
    for fault in [Fault::Fails, Fault::LosesReply] {
        let (mut failed, mut published, mut at) = (0, 0, 0);
        loop {
            let store = Arc::new(FaultStore::new(Arc::new(InMemory::new())));
            let warehouse = on_store(Arc::clone(&store) as Arc<dyn ObjectStore>);
            let first = publish(&engine, &warehouse, release("one", None)).expect("no fault yet");
            store.arm(Some((at, fault)));
            let result = publish(&engine, &warehouse, release("two", Some(1)));
            let is_past_the_end = store.operations.load(Ordering::SeqCst) <= at;
            store.arm(None);
            let newest = warehouse.latest(&engine).expect("it reads").expect("a version");
            assert_whole(&engine, &warehouse, &first);
            assert_whole(&engine, &warehouse, &newest);
            match result {
                Ok(manifest) => {
                    published += 1;
                    assert_eq!(newest, manifest, "what was promised is there, {fault:?} at {at}");
                }
                Err(error) => {
                    failed += 1;
                    assert_eq!(error.kind(), ErrorKind::Environment, "{error}");
                    assert_eq!(newest, first, "an error published nothing, {fault:?} at {at}");
                    let again = publish(&engine, &warehouse, release("two", Some(1))).expect("a retry publishes");
                    assert_whole(&engine, &warehouse, &again);
                }
            }
            warehouse.repair(&engine).expect("latest/ can be repaired");
            let newest = warehouse.latest(&engine).expect("it reads").expect("a version");
            for table in ["customers", "links"] {
                let file = &newest.tables[table].files[0].path;
                let copy = format!("latest/{table}.parquet");
                assert_eq!(
                    bytes_of(&engine, &warehouse, &copy),
                    bytes_of(&engine, &warehouse, file),
                    "{fault:?} at {at}"
                );
            }
            if is_past_the_end {
                break;
            }
            at += 1;
        }
        assert!(
            failed >= 8 && published >= 4,
            "faults before and after the commit were met: {failed} {published}"
        );
    }
}

#[test]
fn a_run_that_dies_at_any_operation_leaves_whole_versions_and_is_cleaned_up() {
    let engine = engine();
    let mut at = 0;
    loop {
        let store = Arc::new(FaultStore::new(Arc::new(InMemory::new())));
        let warehouse = on_store(Arc::clone(&store) as Arc<dyn ObjectStore>);
        publish(&engine, &warehouse, release("one", None)).expect("no fault yet");
        store.arm(Some((at, Fault::Dies)));
        let _ = publish(&engine, &warehouse, release("two", Some(1)));
        let is_past_the_end = store.operations.load(Ordering::SeqCst) <= at;
        store.arm(None);
        for version in warehouse.versions(&engine).expect("it reads") {
            assert_whole(&engine, &warehouse, &version);
        }
        warehouse.sweep(&engine, &run("three")).expect("it sweeps");
        warehouse.repair(&engine).expect("it repairs");
        let newest = warehouse.latest(&engine).expect("it reads").expect("a version");
        let next = publish(&engine, &warehouse, release("three", Some(newest.version.0))).expect("the next run publishes");
        assert_whole(&engine, &warehouse, &next);
        let is_listed = |file: &String| file.starts_with("runs/two/") == (newest.version.0 == 2);
        let of_two: Vec<String> = listing(&engine, &warehouse)
            .into_iter()
            .filter(|file| file.starts_with("runs/two"))
            .collect();
        assert!(of_two.iter().all(is_listed), "killed at {at}: {of_two:?}");
        if is_past_the_end {
            assert_eq!(newest.version.0, 2);
            break;
        }
        at += 1;
    }
    assert!(at >= 12, "every operation up to the commit and beyond was interrupted: {at}");
}

#[test]
fn a_lost_reply_of_the_commit_is_a_success() {
    let engine = engine();
    let store = Arc::new(FaultStore::new(Arc::new(InMemory::new())));
    let warehouse = on_store(Arc::clone(&store) as Arc<dyn ObjectStore>);
    let commit = "versions/00000000000000000001.json";
    // Finds the commit: the first operation after which the version is there although its reply got lost.
    let found = (0..200).find(|&at| {
        let store = Arc::new(FaultStore::new(Arc::new(InMemory::new())));
        let warehouse = on_store(Arc::clone(&store) as Arc<dyn ObjectStore>);
        store.arm(Some((at, Fault::Fails)));
        let failed = publish(&engine, &warehouse, release("one", None)).is_err();
        !failed && bytes_of(&engine, &warehouse, commit).is_some()
    });
    // The first operation whose failure does not stop the run comes after the commit and the reading that follows a lost reply.
    let after = found.expect("publishing has an end");
    store.arm(Some((after - 1, Fault::LosesReply)));
    let manifest = publish(&engine, &warehouse, release("one", None)).expect("the file holds our bytes");
    assert_eq!(warehouse.versions(&engine).expect("it reads"), [manifest]);
}

#[test]
fn a_failed_run_gives_its_space_back() {
    let engine = engine();
    let store = Arc::new(FaultStore::new(Arc::new(InMemory::new())));
    let warehouse = on_store(Arc::clone(&store) as Arc<dyn ObjectStore>);
    // Operations: list versions, claim the folder, then the first table's upload.
    store.arm(Some((3, Fault::Fails)));
    publish(&engine, &warehouse, release("one", None)).expect_err("a fault");
    store.arm(None);
    assert_eq!(listing(&engine, &warehouse), [""; 0]);
}

#[test]
fn what_a_store_or_a_disk_spoils_is_never_committed() {
    let engine = engine();
    /// List, claim, three operations a table, two for the state, list, and then the commit.
    const COMMIT: u64 = 11;
    let (mut spoiled, mut filled) = (0, 0);
    for at in 0..=COMMIT {
        for fault in [Fault::Corrupts, Fault::DiskFull] {
            let store = Arc::new(FaultStore::new(Arc::new(InMemory::new())));
            let warehouse = on_store(Arc::clone(&store) as Arc<dyn ObjectStore>);
            let first = publish(&engine, &warehouse, release("one", None)).expect("no fault yet");
            store.arm(Some((at, fault)));
            let result = publish(&engine, &warehouse, release("two", Some(1)));
            store.arm(None);
            let Err(error) = result else { continue };
            assert_eq!(error.kind(), ErrorKind::Environment, "{error}");
            match fault {
                Fault::Corrupts => {
                    assert!(error.hint_text().is_some(), "{error}");
                    spoiled += 1;
                }
                _ => {
                    assert!(error.message().contains("disk is full"), "{error}");
                    filled += 1;
                }
            }
            assert_eq!(warehouse.latest(&engine).expect("it reads"), Some(first), "{fault:?} at {at}");
            let left = listing(&engine, &warehouse)
                .into_iter()
                .filter(|file| file.starts_with("runs/two/"))
                .count();
            assert!(
                left == 0 || at >= COMMIT - 1,
                "a failed run gives its space back: {fault:?} at {at}"
            );
        }
    }
    assert_eq!(spoiled, 4, "two tables, a state file and the commit are verified");
    assert_eq!(filled, COMMIT + 1, "every operation up to the commit can meet a full disk");
}
