//! A store with one fault at the n-th operation: before or after it took effect, once or from then on.

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
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, Result,
};

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
    /// It takes longer than the client waits, and had no effect.
    TimesOut,
    /// Half of what is written arrives, and then it fails.
    Tears,
    /// It and all that come after it let everybody else go first.
    Slow,
}

/// A store with one fault, a count of operations, and a clock of its own.
#[derive(Debug)]
pub struct FaultStore {
    inner: Arc<dyn ObjectStore>,
    operations: AtomicU64,
    puts: Mutex<Vec<u64>>,
    fault: Mutex<Option<(u64, Fault)>>,
    shift_minutes: AtomicI64,
    shifted_file: Mutex<(String, i64)>,
    listed_minutes: AtomicI64,
    hidden: Mutex<Option<String>>,
    between: Mutex<Option<Interlude>>,
}

/// What somebody else does at the chosen operation, before it takes place.
struct Interlude {
    at: u64,
    act: Box<dyn FnOnce() + Send>,
}

impl fmt::Debug for Interlude {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Interlude({})", self.at)
    }
}

type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

impl FaultStore {
    pub fn new(inner: Arc<dyn ObjectStore>) -> Self {
        Self {
            inner,
            operations: AtomicU64::new(0),
            puts: Mutex::default(),
            fault: Mutex::new(None),
            shift_minutes: AtomicI64::new(0),
            shifted_file: Mutex::new((String::new(), 0)),
            listed_minutes: AtomicI64::new(0),
            hidden: Mutex::new(None),
            between: Mutex::new(None),
        }
    }

    /// What is listed is so many minutes older than what is asked for by name.
    pub fn shift_listed(&self, minutes: i64) {
        self.listed_minutes.store(minutes, Ordering::SeqCst);
    }

    /// Files ending in `file` are never there, whoever creates them.
    pub fn hide(&self, file: &str) {
        *self.hidden.lock().expect("no panic") = Some(file.to_owned());
    }

    fn is_hidden(&self, path: &Path) -> bool {
        let hidden = self.hidden.lock().expect("no panic");
        hidden.as_ref().is_some_and(|file| path.as_ref().ends_with(file))
    }

    /// Restarts the count; right before operation `at` (from 0), `act` takes place in a thread of its own.
    pub fn between(&self, at: u64, act: impl FnOnce() + Send + 'static) {
        self.operations.store(0, Ordering::SeqCst);
        *self.between.lock().expect("no panic") = Some(Interlude { at, act: Box::new(act) });
    }

    /// All times are `all` minutes off, those of files ending in `file` by `more` besides.
    pub fn shift_times(&self, all: i64, file: &str, more: i64) {
        self.shift_minutes.store(all, Ordering::SeqCst);
        *self.shifted_file.lock().expect("no panic") = (file.to_owned(), more);
    }

    /// Restarts the count, with a fault at operation `at` (from 0) or none.
    pub fn arm(&self, fault: Option<(u64, Fault)>) {
        self.operations.store(0, Ordering::SeqCst);
        self.puts.lock().expect("no panic").clear();
        *self.fault.lock().expect("no panic") = fault;
    }

    /// Operations since the count was restarted.
    pub fn operations(&self) -> u64 {
        self.operations.load(Ordering::SeqCst)
    }

    /// Those of them that wrote a file.
    pub fn puts(&self) -> Vec<u64> {
        self.puts.lock().expect("no panic").clone()
    }

    fn next(&self) -> Option<Fault> {
        let operation = self.operations.fetch_add(1, Ordering::SeqCst);
        let interlude = self
            .between
            .lock()
            .expect("no panic")
            .take_if(|interlude| interlude.at == operation);
        if let Some(interlude) = interlude {
            std::thread::spawn(interlude.act).join().expect("the other one does not panic");
        }
        let fault = *self.fault.lock().expect("no panic");
        let (at, fault) = fault?;
        let lasts = matches!(fault, Fault::Dies | Fault::Slow);
        (operation == at || lasts && operation > at).then_some(fault)
    }

    async fn with_fault<T>(&self, operation: impl Future<Output = Result<T>>) -> Result<T> {
        match self.next() {
            None => operation.await,
            Some(Fault::Fails | Fault::Dies) => Err(broken()),
            Some(Fault::TimesOut) => Err(timed_out()),
            Some(Fault::Corrupts) => operation.await,
            Some(Fault::Slow) => {
                for _ in 0..YIELDS {
                    tokio::task::yield_now().await;
                }
                operation.await
            }
            // Half of a put was made of its payload; anything else has no halves.
            Some(Fault::Tears) => {
                operation.await?;
                Err(broken())
            }
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

/// How often a slow operation steps back.
const YIELDS: u32 = 50;

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

fn timed_out() -> Error {
    Error::Generic {
        store: "FaultStore",
        source: Box::new(std::io::Error::from(std::io::ErrorKind::TimedOut)),
    }
}

fn half(payload: PutPayload) -> PutPayload {
    let bytes = Bytes::from(payload);
    bytes.slice(..bytes.len() / 2).into()
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
        if self.is_hidden(location) {
            return Box::pin(async {
                Ok(PutResult {
                    e_tag: None,
                    version: None,
                })
            });
        }
        let at = self.operations.load(Ordering::SeqCst);
        self.puts.lock().expect("no panic").push(at);
        let payload = match *self.fault.lock().expect("no panic") {
            Some((then, Fault::Corrupts)) if then == at => corrupted(payload),
            Some((then, Fault::Tears)) if then == at => half(payload),
            _ => payload,
        };
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
        if self.is_hidden(location) {
            let path = location.to_string();
            return Box::pin(async move {
                let source = "it is hidden".into();
                Err(Error::NotFound { path, source })
            });
        }
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
            None | Some(Fault::Corrupts | Fault::DiskFull | Fault::Slow) => self.inner.delete_stream(locations),
            Some(Fault::Fails | Fault::Dies | Fault::TimesOut) => futures::stream::once(async { Err(broken()) }).boxed(),
            Some(Fault::LosesReply | Fault::Tears) => {
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
            None | Some(Fault::Slow | Fault::Corrupts) => self.inner.list(prefix),
            Some(_) => futures::stream::once(async { Err(broken()) }).boxed(),
        }
    }

    fn list_with_delimiter<'a, 'b, 'c>(&'a self, prefix: Option<&'b Path>) -> Reply<'c, ListResult>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(self.with_fault(async move {
            let mut listed = self.inner.list_with_delimiter(prefix).await?;
            let more = TimeDelta::minutes(self.listed_minutes.load(Ordering::SeqCst));
            for meta in &mut listed.objects {
                *meta = self.shift(meta.clone());
                meta.last_modified += more;
            }
            Ok(listed)
        }))
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
