//! The same input gives the same tables: again, on another day, shuffled, renamed, split, on any number of threads.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::support::{AS_OF, Project};

/// Tables that name files, lines or runs.
const OF_THE_RUN: [&str; 3] = ["rejects", "runs", "key_events"];

fn data(mut hashes: BTreeMap<String, String>) -> BTreeMap<String, String> {
    hashes.retain(|name, _| !OF_THE_RUN.contains(&name.as_str()));
    hashes
}

/// Hashes of the files of the model that the newest version was made with.
fn model(project: &Project) -> BTreeMap<String, String> {
    let newest = project.manifests().pop().expect("a version");
    let hash = |name: &str| newest["state"][name]["sha256"].as_str().expect("a hash").to_owned();
    ["model.json", "term_frequencies.json"]
        .map(|name| (name.to_owned(), hash(name)))
        .into()
}

#[track_caller]
fn assert_same(left: &BTreeMap<String, String>, right: &BTreeMap<String, String>) {
    let differ: Vec<&String> = left
        .keys()
        .chain(right.keys())
        .filter(|name| left.get(*name) != right.get(*name))
        .collect();
    assert!(differ.is_empty(), "tables differ: {differ:?}");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn the_same_input_publishes_nothing_the_second_time() {
    let project = Project::small();
    assert_eq!(project.run(&[])["outcome"], "published");
    let second = project.run(&[]);
    assert_eq!((&second["outcome"], &second["version"]), (&"unchanged".into(), &1.into()));
    let text = project.call("run", &["--as-of", AS_OF]).ends_with(0).stdout;
    assert!(text.contains("nothing changed"), "{text}");
    for path in files(&project.file("exports")) {
        let bytes = std::fs::read(&path).expect("a file");
        std::fs::remove_file(&path).expect("a file to remove");
        std::fs::write(&path, bytes).expect("a file");
    }
    assert_eq!(project.run(&[])["outcome"], "unchanged", "only inodes and times changed");
    assert_eq!(project.manifests().len(), 1);
}

#[test]
fn unchanged_inputs_are_not_even_read_again() {
    let project = Project::small();
    project.run(&[]);
    let stages = |report: &serde_json::Value| -> Vec<String> {
        let stages = report["stages"].as_array().expect("stages").iter();
        stages.map(|stage| stage["stage"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(stages(&project.run(&[])), ["plan"]);
}

#[test]
fn another_day_keeps_every_key_and_adds_no_event() {
    let project = Project::small();
    project.run(&[]);
    let (before, events) = (project.hashes(), project.table("key_events"));
    let report = project.run(&["--as-of", "2026-11-30"]);
    assert_eq!(report["outcome"], "published");
    assert_eq!(project.hashes()["identities"], before["identities"]);
    assert_eq!(project.hashes()["customers"], before["customers"]);
    assert_eq!(project.table("key_events"), events);
    assert_eq!(report["keys"]["created"], 0);
}

#[test]
fn a_changed_model_is_a_change() {
    let project = Project::small();
    project.run(&[]);
    project.edit("models/regulars.sql", ">= 2", ">= 3");
    assert_eq!(project.run(&[])["version"], 2);
}

#[test]
fn threads_do_not_show_in_the_bytes() {
    let one = Project::demo();
    std::fs::remove_dir_all(one.file("warehouse")).expect("a warehouse to remove");
    let run = |threads: &str| {
        one.run(&[
            "--threads",
            threads,
            "--run-id",
            "r",
            "--warehouse",
            one.file(threads).to_str().expect("UTF-8"),
        ]);
        let warehouse = one.file("warehouse");
        let _ = std::fs::remove_dir_all(&warehouse);
        std::fs::rename(one.file(threads), &warehouse).expect("a warehouse");
        let mut hashes = one.hashes();
        // It holds the time.
        hashes.remove("runs");
        hashes.extend(model(&one));
        hashes
    };
    let first = run("1");
    for threads in ["2", "4"] {
        assert_same(&first, &run(threads));
    }
}

/// Splits a text into header lines, rows and footer lines; rows are whole even where a quoted field holds line breaks.
fn rows(text: &str, header: usize, footer: usize) -> (Vec<String>, Vec<String>, Vec<String>) {
    let (mut rows, mut row, mut quotes) = (Vec::new(), String::new(), 0);
    for line in text.split_inclusive('\n') {
        row += line;
        quotes += line.matches('"').count();
        if quotes % 2 == 0 {
            rows.push(std::mem::take(&mut row));
            quotes = 0;
        }
    }
    assert!(row.is_empty(), "the text ends inside a row");
    let footer = rows.split_off(rows.len() - footer);
    let body = rows.split_off(header);
    (rows, body, footer)
}

/// An order that is neither the old one nor its reverse.
fn shuffle<T>(items: &mut [T]) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for end in (1..items.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        items.swap(end, usize::try_from(state >> 33).expect("31 bits") % (end + 1));
    }
}

/// Shuffles the rows of a file of the demo and spreads them over two files with other names.
fn shuffle_file(path: &Path) {
    let name = path.file_name().expect("a file").to_string_lossy().into_owned();
    let bytes = std::fs::read(path).expect("a file");
    std::fs::remove_file(path).expect("a file to remove");
    let is_packed = name.ends_with(".gz");
    let text = if is_packed {
        let mut text = String::new();
        flate2::read::MultiGzDecoder::new(bytes.as_slice())
            .read_to_string(&mut text)
            .expect("gzip");
        text.into_bytes()
    } else {
        bytes
    };
    // Latin-1 there and back keeps every byte.
    let text: String = text.iter().map(|&byte| char::from(byte)).collect();
    let (header, footer) = match name.as_str() {
        name if name.starts_with("kontakte") => (2, 1),
        "nps.csv" => (2, 0),
        name if name.contains(".jsonl") => (0, 0),
        _ => (1, 0),
    };
    let (header, mut body, footer) = rows(&text, header, footer);
    shuffle(&mut body);
    let (left, right) = body.split_at(body.len() / 3);
    // Sources whose pattern names one file keep one.
    let is_alone = [
        "subscribers.csv",
        "nps.csv",
        "tickets.jsonl",
        "events.jsonl.gz",
        "contracts.csv",
        "rates.csv",
    ]
    .contains(&name.as_str());
    let parts: Vec<(String, Vec<String>)> = if is_alone {
        vec![(name.clone(), body)]
    } else {
        let stem = name.split_once('_').expect("a numbered file").0;
        vec![
            (format!("{stem}_z{name}"), left.to_vec()),
            (format!("{stem}_a{name}"), right.to_vec()),
        ]
    };
    for (name, rows) in parts {
        let text = [header.concat(), rows.concat(), footer.concat()].concat();
        let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).expect("a byte")).collect();
        let file = std::fs::File::create(path.with_file_name(name)).expect("a file");
        if is_packed {
            let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
            packed.write_all(&bytes).expect("gzip");
            packed.finish().expect("gzip");
        } else {
            (&file).write_all(&bytes).expect("a file");
        }
    }
}

#[test]
fn shuffled_rows_in_renamed_and_split_files_give_the_same_bytes() {
    let project = Project::demo();
    let before = (data(project.hashes()), model(&project));
    for path in files(&project.file("exports")) {
        shuffle_file(&path);
    }
    std::fs::remove_dir_all(project.file("warehouse")).expect("a warehouse to remove");
    project.run(&[]);
    assert_same(&before.0, &data(project.hashes()));
    assert_same(&before.1, &model(&project));
}

#[test]
fn a_small_memory_limit_works_or_ends_cleanly_with_4_and_a_hint() {
    let project = Project::demo();
    let done = project.call("run", &["--as-of", "2026-11-01", "--memory-limit", "64MiB"]);
    match done.code {
        Some(0) => assert_eq!(project.manifests().len(), 2),
        Some(4) => assert!(done.stderr.contains("hint:"), "{}", done.stderr),
        _ => panic!("{done:?}"),
    }
}
