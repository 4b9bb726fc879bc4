//! The models, audits and test cases that ship with the program: every pipeline has them unless it says `standard_models: false`.

use include_dir::{Dir, include_dir};

use super::spec::SqlFile;

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/pipelines/standard");

/// Folder under which paths of shipped files stand, so that a message tells them from files of the project.
pub const FOLDER: &str = "standard";

/// A file of a shipped test case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFile {
    /// Name of the case: `tests/<case>/`.
    pub case: String,
    /// Path inside the case, e.g. `given/orders.csv`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// Shipped models, by name. Paths are `standard/models/<name>.sql`.
#[must_use]
pub fn models() -> Vec<SqlFile> {
    sql_files("models")
}

/// Shipped audits, by name. Paths are `standard/audits/<name>.sql`.
#[must_use]
pub fn audits() -> Vec<SqlFile> {
    sql_files("audits")
}

/// Files of the shipped test cases, by case and path.
#[must_use]
pub fn cases() -> Vec<CaseFile> {
    let mut files = Vec::new();
    for case in FILES.get_dir("tests").into_iter().flat_map(Dir::dirs) {
        let name = file_name(case.path());
        for side in case.dirs() {
            for file in side.files() {
                files.push(CaseFile {
                    case: name.clone(),
                    path: format!("{}/{}", file_name(side.path()), file_name(file.path())),
                    text: text_of(file),
                });
            }
        }
    }
    files.sort_by(|left, right| (&left.case, &left.path).cmp(&(&right.case, &right.path)));
    files
}

fn sql_files(folder: &str) -> Vec<SqlFile> {
    let mut files: Vec<SqlFile> = FILES
        .get_dir(folder)
        .into_iter()
        .flat_map(Dir::files)
        .filter(|file| file.path().extension().is_some_and(|extension| extension == "sql"))
        .map(|file| {
            let name = file_name(file.path());
            SqlFile {
                name: name.trim_end_matches(".sql").to_owned(),
                path: format!("{FOLDER}/{folder}/{name}"),
                text: text_of(file),
            }
        })
        .collect();
    files.sort_by(|left, right| left.name.cmp(&right.name));
    files
}

fn file_name(path: &std::path::Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn text_of(file: &include_dir::File<'static>) -> String {
    file.contents_utf8()
        .expect("shipped files are UTF-8, which a test reads")
        .to_owned()
}
