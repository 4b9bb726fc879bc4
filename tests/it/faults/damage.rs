//! State and version files that a disk spoiled, lost, or a newer program wrote: an error that says what to do, never a panic or a guess.

use std::sync::Arc;

use object_store::memory::InMemory;
use stammkunde::ErrorKind;
use stammkunde::publish::Manifest;

use super::job::{Content, Job, fill, overnight, whole_versions};

const MANIFEST: &str = "warehouse/versions/00000000000000000001.json";

fn with(job: &Job, content: &Content) {
    let store = Arc::new(InMemory::new());
    fill(&job.engine, &*store, content);
    job.serve(store);
}

#[test]
fn a_flipped_bit_in_a_version_is_an_error_or_changes_nothing() {
    let (job, mut content) = (Job::new(), overnight());
    let whole = content[MANIFEST].to_vec();
    let manifest: Manifest = serde_json::from_slice(&whole).expect("a manifest");
    let mut refused = 0;
    for place in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[place] ^= 1 << (place % 7);
        content.insert(MANIFEST.to_owned(), bytes.into());
        let store = Arc::new(InMemory::new());
        fill(
            &job.engine,
            &*store,
            &Content::from([(MANIFEST.to_owned(), content[MANIFEST].clone())]),
        );
        job.serve(store);
        match job.warehouse().latest(&job.engine) {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Environment, "byte {place}: {error}");
                assert!(error.hint_text().is_some(), "byte {place}: {error}");
                refused += 1;
            }
            // The name of the checksum itself was hit: then it is a version without one.
            Ok(read) => {
                let mut expected = manifest.clone();
                expected.checksum = None;
                assert_eq!(read, Some(expected), "byte {place}");
            }
        }
    }
    assert!(refused >= whole.len() - 10, "{refused} of {}", whole.len());
}

#[test]
fn a_damaged_or_missing_file_that_a_run_goes_on_from_ends_it_with_an_instruction() {
    let (job, content) = (Job::new(), overnight());
    let manifest = whole_versions(&content).remove(0);
    let tables = ["identities", "key_redirects", "key_events", "runs"].map(|name| manifest.tables[name].files[0].path.clone());
    let state = manifest.state.values().map(|file| file.path.clone());
    let mut checked = 0;
    for file in state.chain(tables) {
        let path = format!("warehouse/{file}");
        let mut flipped = content.clone();
        let mut bytes = content[&path].to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0b100;
        flipped.insert(path.clone(), bytes.into());
        let mut missing = content.clone();
        missing.remove(&path);
        let mut cut = content.clone();
        cut.insert(path.clone(), content[&path].slice(..middle));
        for damaged in [flipped, missing, cut] {
            with(&job, &damaged);
            let error = job.run("today").expect_err(&path);
            assert_eq!(error.kind(), ErrorKind::Environment, "{path}: {error}");
            assert!(error.to_string().contains(&file), "{path}: {error}");
            assert!(error.hint_text().is_some_and(|hint| hint.contains("backup")), "{path}: {error}");
            checked += 1;
        }
    }
    assert!(checked >= 24, "{checked} files were spoiled");
}

#[test]
fn a_version_of_a_newer_program_stops_every_command_that_would_write() {
    let (job, mut content) = (Job::new(), overnight());
    let text = String::from_utf8(content[MANIFEST].to_vec()).expect("JSON");
    content.insert(MANIFEST.to_owned(), text.replace("\"format\": 1", "\"format\": 2").into());
    with(&job, &content);
    let run_id = stammkunde::table::RunId::from_scheduler("later").expect("a run id");
    let options = stammkunde::publish::CleanupOptions {
        keep: 1,
        older_than_days: None,
        dry_run: false,
    };
    let errors = [
        job.run("today").expect_err("a newer version"),
        job.warehouse()
            .cleanup(&job.engine, &run_id, &options)
            .expect_err("a newer version"),
        job.warehouse()
            .rollback(&job.engine, &run_id, stammkunde::table::VersionNumber(1), false)
            .expect_err("a newer version"),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Environment, "{error}");
        assert!(error.hint_text().is_some_and(|hint| hint.contains("upgrade")), "{error}");
    }
}
