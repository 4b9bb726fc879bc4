//! What `stammkunde init` writes: a small project that runs as it is, kept in `pipelines/scaffold`.

use std::path::Path;

use include_dir::{Dir, include_dir};

use crate::error::{Error, Result};

static SCAFFOLD: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/pipelines/scaffold");

/// Files that cannot stand under their own name in this program's repository: (there, in a project).
const RENAMED: [(&str, &str); 1] = [("gitignore", ".gitignore")];

/// Every file: path relative to the project folder with `/`, and content. Sorted by path.
#[must_use]
pub fn files() -> Vec<(String, &'static [u8])> {
    let mut files = Vec::new();
    collect(&SCAFFOLD, &mut files);
    files.sort();
    files
}

fn collect(folder: &'static Dir<'static>, files: &mut Vec<(String, &'static [u8])>) {
    for file in folder.files() {
        let path = file.path().to_string_lossy().replace('\\', "/");
        let renamed = RENAMED.iter().find(|(stored, _)| *stored == path);
        files.push((renamed.map_or(path, |(_, written)| (*written).to_owned()), file.contents()));
    }
    for folder in folder.dirs() {
        collect(folder, files);
    }
}

/// Writes the project into `folder`, which is made if it is missing, and gives the paths written. Never overwrites: all files are
/// checked before the first is written.
///
/// # Errors
/// `Config` if a file exists, `Environment` if the disk cannot be written.
pub fn write(folder: &Path) -> Result<Vec<String>> {
    let files = files();
    if let Some((path, _)) = files.iter().find(|(path, _)| folder.join(path).symlink_metadata().is_ok()) {
        return Err(Error::config(format!("`{path}` exists already; nothing was written"))
            .with("folder", folder.display().to_string())
            .hint("give an empty or a new folder"));
    }
    for (path, content) in &files {
        write_file(&folder.join(path), content)?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

fn write_file(path: &Path, content: &[u8]) -> Result<()> {
    use std::io::Write;
    let failed = |error: std::io::Error| {
        Error::environment("the project cannot be written")
            .with("file", path.display().to_string())
            .because(error)
    };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(failed)?;
    file.write_all(content).map_err(failed)
}
