//! Replays the kept corpora of the fuzz targets, so that what a fuzzer once found stays found without a fuzzer.

use std::path::{Path, PathBuf};

mod targets;

/// Bytes of a kept file, and files of a target: a corpus is a memory, not a data set.
const FILE_BYTES_MAX: u64 = 4096;
const FILES_MAX: usize = 60;

fn corpus(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

/// Runs a target on each file of its corpus, and says which one fails.
fn replay(target: &str, body: fn(&[u8])) {
    let files = corpus(target);
    assert!(!files.is_empty() && files.len() <= FILES_MAX, "{target} has {} files", files.len());
    for file in files {
        let bytes = std::fs::read(&file).expect("a file");
        assert!(bytes.len() as u64 <= FILE_BYTES_MAX, "{} is too large", file.display());
        let outcome = std::panic::catch_unwind(|| body(&bytes));
        assert!(outcome.is_ok(), "{} fails", file.display());
    }
}

macro_rules! replays {
    ($($test:ident: $target:ident,)*) => {
        $(#[test]
        fn $test() {
            replay(stringify!($target), targets::$target);
        })*

        #[test]
        fn every_fuzz_target_is_declared_and_replayed() {
            let manifest = include_str!("../fuzz/Cargo.toml");
            let declared: Vec<&str> = manifest
                .lines()
                .filter_map(|line| line.strip_prefix("path = \"targets/")?.strip_suffix(".rs\""))
                .collect();
            assert_eq!(declared, [$(stringify!($target)),*]);
        }
    };
}

replays! {
    csv_files_of_the_corpus_do_no_harm: csv,
    json_lines_of_the_corpus_do_no_harm: jsonl,
    parquet_files_of_the_corpus_do_no_harm: parquet,
    configs_of_the_corpus_do_no_harm: config,
    mappings_of_the_corpus_do_no_harm: mapping_sql,
    state_files_of_the_corpus_do_no_harm: state,
    dates_of_the_corpus_do_no_harm: dates,
    phone_numbers_of_the_corpus_do_no_harm: phones,
    mail_addresses_of_the_corpus_do_no_harm: emails,
    names_of_the_corpus_do_no_harm: names,
    numbers_of_the_corpus_do_no_harm: numbers,
}
