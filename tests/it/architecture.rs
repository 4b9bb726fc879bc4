//! The rules of ARCHITECTURE.md that a compiler does not check, checked on the source text.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

/// Stages: no stage imports another.
const STAGES: [&str; 10] = [
    "source",
    "standardize",
    "block",
    "compare",
    "score",
    "cluster",
    "key",
    "profile",
    "model",
    "publish",
];
/// The only modules that name the SQL engine, object stores or the async runtime.
const ASYNC_MODULES: [&str; 4] = ["engine", "source", "model", "publish"];
const LINES_MAX: usize = 600;

/// A source file: its path from the root of the repository, its top-level module, its text, and its code without comments and texts.
struct SourceFile {
    path: String,
    module: String,
    text: String,
    code: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
    {
        if entry.is_dir() {
            // What a build of the fuzz targets leaves is nobody's source.
            if !entry.ends_with("target") {
                rust_files(&entry, files);
            }
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            files.push(entry);
        }
    }
}

fn read(folder: &'static str) -> Vec<SourceFile> {
    let mut paths = Vec::new();
    if root().join(folder).is_dir() {
        rust_files(&root().join(folder), &mut paths);
    }
    paths.sort();
    paths.into_iter().map(|path| read_file(folder, &path)).collect()
}

fn read_file(folder: &str, path: &Path) -> SourceFile {
    let text = std::fs::read_to_string(path).expect("UTF-8");
    let path = path
        .strip_prefix(root())
        .expect("below the root")
        .to_string_lossy()
        .replace('\\', "/");
    let inside = path.strip_prefix(&format!("{folder}/")).expect("below the folder");
    let module = inside.split(['/', '.']).next().expect("a name").to_owned();
    let code = code_of(&text);
    SourceFile { path, module, text, code }
}

static SOURCES: LazyLock<Vec<SourceFile>> = LazyLock::new(|| read("src"));
/// The program, its tests and its benchmarks.
static ALL: LazyLock<Vec<SourceFile>> = LazyLock::new(|| ["src", "tests", "benches"].into_iter().flat_map(read).collect());

/// The code without comments and the contents of texts, so that a word in a sentence is not taken for a name.
fn code_of(text: &str) -> String {
    static PARTS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r##"(?s)//[^\n]*|/\*.*?\*/|r#"(?:.*?)"#|r"[^"]*"|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])'"##).expect("a pattern")
    });
    PARTS
        .replace_all(text, |found: &regex::Captures<'_>| {
            // Line numbers stay as they are.
            format!(" {}", "\n".repeat(found[0].matches('\n').count()))
        })
        .into_owned()
}

/// The code before the first test module: tests inside a file may do what the program may not.
fn without_tests(code: &str) -> &str {
    code.find("#[cfg(test)]").map_or(code, |start| &code[..start])
}

fn line_of(text: &str, position: usize) -> usize {
    text[..position].matches('\n').count() + 1
}

/// Modules of `lib.rs` in their order.
fn modules() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs");
    let declared = Regex::new(r"(?m)^(?:pub )?mod (\w+);").expect("a pattern");
    declared.captures_iter(&text).map(|found| found[1].to_owned()).collect()
}

/// The module behind each name that `lib.rs` exports again, e.g. `Result` → `error`.
fn exported() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs");
    let export = Regex::new(r"(?m)^pub use (\w+)::\{?([^;}]+)").expect("a pattern");
    let names = |found: &regex::Captures<'_>| -> Vec<(String, String)> {
        found[2]
            .split(',')
            .map(|name| (name.trim().to_owned(), found[1].to_owned()))
            .collect()
    };
    export.captures_iter(&text).flat_map(|found| names(&found)).collect()
}

/// Top-level modules that the code imports by `crate::x`, also in `use crate::{x, y::z}`, with the line.
fn imports(code: &str) -> Vec<(String, usize)> {
    let single = Regex::new(r"\bcrate::(\w+)").expect("a pattern");
    let grouped = Regex::new(r"\bcrate::\{").expect("a pattern");
    let mut imports: Vec<(String, usize)> = single
        .captures_iter(code)
        .map(|found| (found[1].to_owned(), line_of(code, found.get(0).expect("the match").start())))
        .collect();
    for group in grouped.find_iter(code) {
        let names = group_heads(&code[group.end()..]);
        imports.extend(names.into_iter().map(|name| (name, line_of(code, group.start()))));
    }
    imports
}

/// First names of the entries of a `{a, b::{c, d}, e}` that starts after its brace.
fn group_heads(text: &str) -> Vec<String> {
    let (mut depth, mut entry, mut entries) = (1, String::new(), Vec::new());
    for character in text.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => entries.push(std::mem::take(&mut entry)),
            _ if depth == 1 => entry.push(character),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    entries.push(entry);
    entries
        .iter()
        .filter_map(|entry| entry.trim().split("::").next())
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Every place in `src` outside tests where the pattern stands, as `path:line`, in modules that `allowed` does not name.
fn places(pattern: &str, allowed: &[&str]) -> Vec<String> {
    let pattern = Regex::new(pattern).expect("a pattern");
    let mut places = Vec::new();
    for file in SOURCES.iter().filter(|file| !allowed.contains(&file.module.as_str())) {
        let code = without_tests(&file.code);
        places.extend(
            pattern
                .find_iter(code)
                .map(|found| format!("{}:{}: {}", file.path, line_of(code, found.start()), found.as_str())),
        );
    }
    places
}

fn assert_none(what: &str, places: &[String]) {
    assert!(places.is_empty(), "{what}:\n  {}", places.join("\n  "));
}

#[test]
fn a_module_imports_only_modules_above_it() {
    let (order, exported) = (modules(), exported());
    assert!(order.len() > 10, "lib.rs declares its modules one a line");
    let position = |name: &str| {
        let home = exported.get(name).map_or(name, String::as_str);
        order.iter().position(|module| module == home)
    };
    let mut wrong = Vec::new();
    for file in SOURCES.iter() {
        let Some(own) = position(&file.module) else { continue };
        for (name, line) in imports(&file.code) {
            match position(&name) {
                Some(other) if other <= own => {}
                Some(_) => wrong.push(format!(
                    "{}:{line}: `{}` imports `{name}`, which stands below it",
                    file.path, file.module
                )),
                None => wrong.push(format!("{}:{line}: `crate::{name}` is not a module of lib.rs", file.path)),
            }
        }
    }
    assert_none("modules stand in dependency order", &wrong);
}

#[test]
fn no_stage_imports_a_stage() {
    let mut wrong = Vec::new();
    for file in SOURCES.iter().filter(|file| STAGES.contains(&file.module.as_str())) {
        for (name, line) in imports(&file.code) {
            if name != file.module && STAGES.contains(&name.as_str()) {
                wrong.push(format!("{}:{line}: `{}` imports `{name}`", file.path, file.module));
            }
        }
    }
    assert_none("stages are called by `run`, never by each other", &wrong);
}

#[test]
fn every_stage_is_a_module() {
    let modules: BTreeSet<String> = modules().into_iter().collect();
    assert!(STAGES.iter().chain(&ASYNC_MODULES).all(|name| modules.contains(*name)));
}

#[test]
fn only_four_modules_name_the_sql_engine_the_stores_or_the_runtime() {
    assert_none(
        "only engine, source, model and publish name datafusion, object_store or tokio",
        &places(
            r"\b(datafusion|object_store|tokio)::|\buse (datafusion|object_store|tokio)\b",
            &ASYNC_MODULES,
        ),
    );
}

#[test]
fn only_the_binary_prints_or_names_clap() {
    assert_none(
        "only src/main.rs and src/cli print",
        &places(r"\be?print(ln)?!|\bdbg!", &["main", "cli"]),
    );
    assert_none(
        "only src/main.rs and src/cli name clap",
        &places(r"\bclap(_complete)?\b", &["main", "cli"]),
    );
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<String> = ALL
        .iter()
        .filter(|file| {
            let first = file.text.lines().next().unwrap_or_default();
            !first.starts_with("//! ") || first.len() < 10
        })
        .map(|file| file.path.clone())
        .collect();
    assert_none("the first line of a file is `//! what and why`", &silent);
}

#[test]
fn no_file_is_longer_than_600_lines() {
    let long: Vec<String> = ALL
        .iter()
        .filter(|file| file.text.lines().count() > LINES_MAX)
        .map(|file| format!("{}: {} lines", file.path, file.text.lines().count()))
        .collect();
    assert_none("past 600 lines a file is two ideas", &long);
}

#[test]
fn nothing_is_left_unfinished_or_unproven() {
    assert_none("no stub", &places(r"\b(todo|unimplemented)!", &[]));
    assert_none(
        "`expect` with a proof, or an error, instead of `unwrap`",
        &places(r"\.unwrap\(\)", &[]),
    );
    assert_none("`#[expect(lint, reason)]` instead of `#[allow]`", &places(r"#!?\[allow\(", &[]));
    assert_none("`unsafe` is forbidden", &places(r"\bunsafe\b", &[]));
}

#[test]
fn no_test_is_ignored_or_sleeps() {
    let pattern = Regex::new(r"#\[ignore|\bthread::sleep\(|\btime::sleep\(").expect("a pattern");
    let wrong: Vec<String> = ALL
        .iter()
        .flat_map(|file| {
            let found: Vec<String> = pattern
                .find_iter(&file.code)
                .map(|found| format!("{}:{}", file.path, line_of(&file.code, found.start())))
                .collect();
            found
        })
        .collect();
    assert_none("tests neither sleep nor are ignored", &wrong);
}

#[test]
fn there_is_one_version_of_each_data_library() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock");
    let package = Regex::new(r#"(?m)^name = "([^"]+)"\r?\nversion = "([^"]+)""#).expect("a pattern");
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for found in package.captures_iter(&lock) {
        versions.entry(found[1].to_owned()).or_default().push(found[2].to_owned());
    }
    for name in ["arrow", "parquet", "datafusion", "object_store"] {
        let found = versions.get(name).map(Vec::as_slice).unwrap_or_default();
        assert_eq!(found.len(), 1, "{name} {found:?}");
    }
}

#[test]
fn the_checks_see_what_they_look_for() {
    let code = code_of("use crate::{a, b::{c, d},\n e};\n// crate::f\nlet x = \"crate::g\"; crate::h::i();");
    let names: BTreeSet<String> = imports(&code).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a", "b", "e", "h"].map(str::to_owned).into());
    assert_eq!(code_of("a // x\nb"), "a  \nb");
    assert_eq!(without_tests("x #[cfg(test)] y"), "x ");
}
