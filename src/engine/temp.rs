//! The folder of temporary files of one process: gone when the process ends well or badly, and swept by the next one after a kill.
//!
//! A folder `stammkunde-<pid>-<random>` holds a file `lock` that its process has locked. The system gives the lock back however the process
//! ends, so a folder whose lock can be taken is an orphan, and any number of runs may share one place.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};

const PREFIX: &str = "stammkunde-";
/// Prefix of a folder that is not locked yet.
const UNFINISHED: &str = ".stammkunde-";
const LOCK: &str = "lock";
/// Age at which an unfinished folder is an orphan.
const UNFINISHED_AGE_MAX: Duration = Duration::from_secs(3600);

/// The folder; removed when dropped.
#[derive(Debug)]
pub(super) struct TempFolder {
    path: PathBuf,
    /// Held as long as the folder is in use.
    _lock: File,
}

impl TempFolder {
    /// Sweeps orphans below `root`, and makes a folder there.
    ///
    /// # Errors
    /// `Environment` if it cannot be made.
    pub fn new(root: &Path) -> Result<Self> {
        sweep(root);
        let failed = |error: std::io::Error| {
            Error::environment("the folder for temporary files cannot be used")
                .with("folder", root.display().to_string())
                .hint("make it writable, or name another one with --temp-dir")
                .because(error)
        };
        let unfinished = tempfile::Builder::new()
            .prefix(&format!("{UNFINISHED}{}-", std::process::id()))
            .tempdir_in(root)
            .map_err(failed)?;
        let lock = File::create(unfinished.path().join(LOCK)).map_err(failed)?;
        // Some network file systems know no locks: then no other process can take this one either, and the folder outlives a kill.
        let _ = lock.lock();
        let name = unfinished
            .path()
            .file_name()
            .expect("a folder that was made has a name")
            .to_string_lossy();
        let path = root.join(name.trim_start_matches('.'));
        fs::rename(unfinished.path(), &path).map_err(failed)?;
        // It has another name now: there is nothing to remove under the old one.
        let _ = unfinished.keep();
        Ok(Self { path, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it at once, for a process that is about to exit.
    pub fn remove(&self) {
        remove(&self.path);
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Removes a folder, its lock last: whenever the process ends, what is left can be told for an orphan. What cannot be removed is left.
fn remove(folder: &Path) {
    for entry in fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name() != LOCK)
    {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let _ = if is_folder {
            fs::remove_dir_all(entry.path())
        } else {
            fs::remove_file(entry.path())
        };
    }
    let _ = fs::remove_file(folder.join(LOCK));
    let _ = fs::remove_dir(folder);
}

/// Removes folders whose process is gone. What cannot be looked at is left alone.
fn sweep(root: &Path) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let Some(name) = name.to_str().filter(|_| is_folder) else {
            continue;
        };
        if is_ours(name, PREFIX) {
            if is_unlocked(&entry.path().join(LOCK)) {
                remove(&entry.path());
            }
            // Its process ended between its lock and itself: only an empty folder can be removed this way.
            let _ = fs::remove_dir(entry.path());
        } else if is_ours(name, UNFINISHED) && is_old(&entry) {
            remove(&entry.path());
        }
    }
}

/// Whether a name is the prefix, the number of a process, and more.
fn is_ours(name: &str, prefix: &str) -> bool {
    let pid = name.strip_prefix(prefix).and_then(|rest| rest.split_once('-'));
    pid.is_some_and(|(pid, rest)| !pid.is_empty() && !rest.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether nobody holds the lock. Someone else's folder of a similar name has none, and is not ours to remove.
fn is_unlocked(lock: &Path) -> bool {
    let Ok(file) = File::open(lock) else { return false };
    match file.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
    }
}

fn is_old(entry: &fs::DirEntry) -> bool {
    let modified = entry.metadata().and_then(|meta| meta.modified());
    modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > UNFINISHED_AGE_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(root: &Path) -> Vec<String> {
        let entries = fs::read_dir(root).expect("a folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_goes_with_its_owner_and_others_stay() {
        let root = tempfile::tempdir().expect("a folder");
        let one = TempFolder::new(root.path()).expect("a folder");
        fs::write(one.path().join("spill"), "x").expect("a file");
        let two = TempFolder::new(root.path()).expect("a folder");
        assert_eq!(names(root.path()).len(), 2, "the second does not sweep the first");
        drop(one);
        assert_eq!(names(root.path()), [two.path().file_name().expect("a name").to_string_lossy()]);
    }

    #[test]
    fn what_a_dead_process_left_is_swept_and_nothing_else() {
        let root = tempfile::tempdir().expect("a folder");
        for orphan in ["stammkunde-1-a", "stammkunde-1-b/datafusion-x", "stammkunde-1-empty"] {
            fs::create_dir_all(root.path().join(orphan)).expect("a folder");
        }
        fs::write(root.path().join("stammkunde-1-a/lock"), "").expect("a file");
        fs::write(root.path().join("stammkunde-1-b/lock"), "").expect("a file");
        fs::write(root.path().join("stammkunde-1-b/datafusion-x/spill"), "x").expect("a file");
        for other in ["stammkunde-notes", "stammkunde-2026-10/reports", "data", ".stammkunde-9-new"] {
            fs::create_dir_all(root.path().join(other)).expect("a folder");
        }
        fs::write(root.path().join("stammkunde-1.txt"), "").expect("a file");
        drop(TempFolder::new(root.path()).expect("a folder"));
        assert_eq!(
            names(root.path()),
            [
                ".stammkunde-9-new",
                "data",
                "stammkunde-1.txt",
                "stammkunde-2026-10",
                "stammkunde-notes"
            ]
        );
    }

    #[test]
    fn a_place_that_is_not_there_is_named_with_the_option() {
        let root = tempfile::tempdir().expect("a folder");
        let error = TempFolder::new(&root.path().join("missing")).expect_err("no such folder");
        assert!(error.to_string().contains("missing") && error.hint_text().is_some_and(|hint| hint.contains("--temp-dir")));
    }
}
