//! The warehouse as a store of small operations on relative paths, with fsync where there is a local disk behind it.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::path::Path as StorePath;
use object_store::{ObjectMeta, ObjectStoreExt, PutMode, PutOptions};

use crate::engine::{Engine, Location, NotFound, store_error};
use crate::error::{Error, Result};

/// A warehouse and the engine to reach it.
pub(super) struct Bucket<'a> {
    pub(super) engine: &'a Engine,
    pub(super) root: &'a Location,
}

/// What became of a create-if-absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Created {
    /// It is ours.
    Yes,
    /// There was one already.
    Exists,
}

impl<'a> Bucket<'a> {
    pub(super) fn new(engine: &'a Engine, root: &'a Location) -> Self {
        Self { engine, root }
    }

    /// Where a file of the warehouse is in the store.
    pub(super) fn path(&self, relative: &str) -> Result<StorePath> {
        let root = self.root.path.as_ref();
        let full = if root.is_empty() {
            relative.to_owned()
        } else {
            format!("{root}/{relative}")
        };
        StorePath::parse(full).map_err(|error| {
            Error::environment("a path in the warehouse is not usable")
                .with("path", self.shown(relative))
                .because(error)
        })
    }

    /// A path for messages.
    pub(super) fn shown(&self, relative: &str) -> String {
        format!("{}/{relative}", self.root.display.trim_end_matches('/'))
    }

    /// The file on a local disk, if the warehouse is on one.
    pub(super) fn local(&self, relative: &str) -> Option<PathBuf> {
        self.root.local.as_ref().map(|root| root.join(relative))
    }

    pub(super) fn failed(&self, error: object_store::Error, action: &str, relative: &str) -> Error {
        store_error(error, action, &self.shown(relative), NotFound::IsEnvironment)
    }

    /// A file's bytes; `None` if it is not there.
    pub(super) fn get(&self, relative: &str) -> Result<Option<Bytes>> {
        let path = self.path(relative)?;
        let read = async { self.root.store.get(&path).await?.bytes().await };
        match self.engine.wait(read) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed(error, "read a file of the warehouse", relative)),
        }
    }

    /// Size and time of a file; `None` if it is not there.
    pub(super) fn head(&self, relative: &str) -> Result<Option<ObjectMeta>> {
        let path = self.path(relative)?;
        match self.engine.wait(self.root.store.head(&path)) {
            Ok(meta) => Ok(Some(meta)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed(error, "look at a file of the warehouse", relative)),
        }
    }

    /// Writes a small file, replacing what was there, and makes it durable.
    pub(super) fn put(&self, relative: &str, bytes: Bytes) -> Result<()> {
        let path = self.path(relative)?;
        self.engine
            .wait(self.root.store.put(&path, bytes.into()))
            .map_err(|error| self.failed(error, "write a file of the warehouse", relative))?;
        self.sync(relative)
    }

    /// Creates a small file if there is none, atomically; durable when it returns.
    pub(super) fn create(&self, relative: &str, bytes: &Bytes) -> Result<Created> {
        if let Some(local) = self.local(relative) {
            return self.create_local(&local, relative, bytes);
        }
        let path = self.path(relative)?;
        let options = PutOptions::from(PutMode::Create);
        match self.engine.wait(self.root.store.put_opts(&path, bytes.clone().into(), options)) {
            Ok(_) => Ok(Created::Yes),
            Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => Ok(Created::Exists),
            Err(error) => Err(self.failed(error, "create a file of the warehouse", relative)),
        }
    }

    /// `object_store` links a file that was never synced: after a power cut it could be there and empty. So: write, sync, link, sync.
    fn create_local(&self, local: &Path, relative: &str, bytes: &Bytes) -> Result<Created> {
        let attempt = || -> std::io::Result<Created> {
            fs::create_dir_all(local.parent().expect("a file of the warehouse has a folder"))?;
            let temporary = temporary(local);
            write_synced(&temporary, bytes)?;
            let linked = fs::hard_link(&temporary, local);
            fs::remove_file(&temporary)?;
            match linked {
                Ok(()) => Ok(Created::Yes),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Created::Exists),
                Err(error) => Err(error),
            }
        };
        let created = attempt().map_err(|error| self.disk_failed(error, "create a file of the warehouse", relative))?;
        self.sync(relative)?;
        Ok(created)
    }

    /// Copies a file inside the warehouse, replacing the target at once. On a disk it is a copy of the bytes, never a link: whoever edits
    /// it must not change a version.
    pub(super) fn copy(&self, from: &str, to: &str, size: u64) -> Result<()> {
        /// Largest object that S3 copies in one request.
        const COPY_BYTES_MAX: u64 = 5 << 30;
        if let (Some(source), Some(target)) = (self.local(from), self.local(to)) {
            let attempt = || -> std::io::Result<()> {
                fs::create_dir_all(target.parent().expect("a file of the warehouse has a folder"))?;
                let temporary = temporary(&target);
                fs::copy(&source, &temporary)
                    .and_then(|_| File::open(&temporary)?.sync_all())
                    .and_then(|()| fs::rename(&temporary, &target))
                    .inspect_err(|_| drop(fs::remove_file(&temporary)))
            };
            attempt().map_err(|error| self.disk_failed(error, "copy a file of the warehouse", to))?;
            return self.sync(to);
        }
        let (source, target) = (self.path(from)?, self.path(to)?);
        let copied = async {
            if size < COPY_BYTES_MAX {
                return self.root.store.copy(&source, &target).await;
            }
            let mut upload = object_store::WriteMultipart::new(self.root.store.put_multipart(&target).await?);
            let mut stream = self.root.store.get(&source).await?.into_stream();
            while let Some(bytes) = stream.try_next().await? {
                upload.wait_for_capacity(4).await?;
                upload.put(bytes);
            }
            upload.finish().await.map(drop)
        };
        self.engine
            .wait(copied)
            .map_err(|error| self.failed(error, "copy a file of the warehouse", to))
    }

    /// Deletes a file; one that is not there is as good as deleted.
    pub(super) fn delete(&self, relative: &str) -> Result<()> {
        let path = self.path(relative)?;
        match self.engine.wait(self.root.store.delete(&path)) {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed(error, "delete a file of the warehouse", relative)),
        }
    }

    /// A word that no other attempt has, on whatever machine.
    pub(super) fn attempt(&self) -> String {
        use std::sync::atomic::{AtomicU64, Ordering};
        static ATTEMPTS: AtomicU64 = AtomicU64::new(0);
        let host = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let (pid, count) = (std::process::id(), ATTEMPTS.fetch_add(1, Ordering::Relaxed));
        format!("{}-{pid}-{count}-{}", host.trim(), self.engine.now().timestamp_micros())
    }

    /// Deletes everything below a folder.
    pub(super) fn delete_folder(&self, relative: &str) -> Result<()> {
        let path = self.path(relative)?;
        let store = &self.root.store;
        let deleted = async {
            let found = store.list(Some(&path)).map_ok(|meta| meta.location).boxed();
            store.delete_stream(found).try_collect::<Vec<_>>().await
        };
        self.engine
            .wait(deleted)
            .map_err(|error| self.failed(error, "delete a folder of the warehouse", relative))?;
        match self.local(relative).map(fs::remove_dir_all) {
            Some(Err(error)) if error.kind() != ErrorKind::NotFound => {
                Err(self.disk_failed(error, "delete a folder of the warehouse", relative))
            }
            _ => Ok(()),
        }
    }

    /// As [`Bucket::delete_folder`], to be done later, as well as it goes.
    pub(super) fn deleting(&self, relative: &str) -> Result<BoxFuture<'static, ()>> {
        let (path, local, store) = (self.path(relative)?, self.local(relative), Arc::clone(&self.root.store));
        let delete = async move {
            let found = store.list(Some(&path)).map_ok(|meta| meta.location).boxed();
            let _ = store.delete_stream(found).try_collect::<Vec<_>>().await;
            if let Some(folder) = local {
                let _ = fs::remove_dir_all(folder);
            }
        };
        Ok(delete.boxed())
    }

    /// Files directly in a folder, by name.
    pub(super) fn files(&self, folder: &str) -> Result<Vec<(String, ObjectMeta)>> {
        Ok(self
            .list(folder)?
            .objects
            .into_iter()
            .filter_map(|meta| Some((meta.location.filename()?.to_owned(), meta)))
            .collect())
    }

    /// Folders directly in a folder.
    pub(super) fn folders(&self, folder: &str) -> Result<Vec<String>> {
        Ok(self
            .list(folder)?
            .common_prefixes
            .iter()
            .filter_map(|path| path.filename().map(str::to_owned))
            .collect())
    }

    /// All files below a folder, with their bytes: paths below the warehouse, sorted.
    pub(super) fn below(&self, folder: &str) -> Result<Vec<(String, u64)>> {
        let (path, root) = (self.path(folder)?, self.root.path.as_ref());
        let found = self
            .engine
            .wait(self.root.store.list(Some(&path)).try_collect::<Vec<ObjectMeta>>())
            .map_err(|error| self.failed(error, "list a folder of the warehouse", folder))?;
        let relative = |meta: &ObjectMeta| {
            let path = meta.location.as_ref().strip_prefix(root)?;
            Some((path.trim_start_matches('/').to_owned(), meta.size))
        };
        let mut files: Vec<(String, u64)> = found.iter().filter_map(relative).collect();
        files.sort();
        Ok(files)
    }

    /// The time now, by the store's clock: that of an object just written. This machine's may be wrong.
    pub(super) fn now(&self) -> Result<DateTime<Utc>> {
        let probe = format!("_clock-{}.json", std::process::id());
        self.put(&probe, Bytes::from_static(b"{}"))?;
        let now = self.head(&probe)?.map(|probe| probe.last_modified);
        self.delete(&probe)?;
        Ok(now.unwrap_or_else(|| self.engine.now()))
    }

    fn list(&self, folder: &str) -> Result<object_store::ListResult> {
        let path = self.path(folder)?;
        self.engine
            .wait(self.root.store.list_with_delimiter(Some(&path)))
            .map_err(|error| self.failed(error, "list a folder of the warehouse", folder))
    }

    /// Makes a file and the way to it durable, on a local disk; stores in the network are durable when they answer.
    pub(super) fn sync(&self, relative: &str) -> Result<()> {
        let (Some(file), Some(root)) = (self.local(relative), &self.root.local) else {
            return Ok(());
        };
        let attempt = || -> std::io::Result<()> {
            match File::open(&file) {
                Ok(file) => file.sync_all()?,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            for folder in file.ancestors().skip(1).take_while(|folder| folder.starts_with(root)) {
                File::open(folder)?.sync_all()?;
            }
            Ok(())
        };
        attempt().map_err(|error| self.disk_failed(error, "make a file of the warehouse durable", relative))?;
        // The folder above the warehouse holds its name, but may not be ours to open.
        if let Some(Ok(above)) = root.parent().map(File::open) {
            let _ = above.sync_all();
        }
        Ok(())
    }

    fn disk_failed(&self, error: std::io::Error, action: &str, relative: &str) -> Error {
        let error = object_store::Error::Generic {
            store: "LocalFileSystem",
            source: Box::new(error),
        };
        self.failed(error, action, relative)
    }

    /// Removes the folders above a file that is gone, as far as they are empty, on a local disk.
    pub(super) fn remove_empty_folders(&self, relative: &str) {
        let (Some(file), Some(root)) = (self.local(relative), &self.root.local) else {
            return;
        };
        let above = file.ancestors().skip(1).take_while(|folder| *folder != root.as_path());
        for folder in above {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }

    /// Removes temporary files that a crash left in a folder on a local disk. Young ones may be another run's, who is about to link them.
    pub(super) fn remove_temporary(&self, folder: &str) {
        let entries = self.local(folder).and_then(|folder| fs::read_dir(folder).ok());
        for entry in entries.into_iter().flatten().flatten() {
            let written = entry.metadata().and_then(|meta| meta.modified());
            let is_old = written.is_ok_and(|written| written.elapsed().is_ok_and(|age| age > TEMPORARY_AGE_MAX));
            if is_old && is_temporary(&entry.file_name().to_string_lossy()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// From this age on, a temporary file is nobody's.
const TEMPORARY_AGE_MAX: Duration = Duration::from_secs(15 * 60);

/// A name beside `target` that listings of a local store leave out (`#` and digits), unique to this process and call.
fn temporary(target: &Path) -> PathBuf {
    use std::sync::atomic::{AtomicU64, Ordering};
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let mut name = target.as_os_str().to_owned();
    name.push(format!("#{}{call:06}", std::process::id()));
    name.into()
}

fn is_temporary(name: &str) -> bool {
    name.rsplit_once('#')
        .is_some_and(|(_, digits)| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().inspect_err(|_| drop(fs::remove_file(path)))
}
