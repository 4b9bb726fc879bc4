//! Which objects a source has, and how they stand against the last version.

use stammkunde::ErrorKind;

use super::*;

fn paths(project: &Project) -> Vec<String> {
    project
        .inputs(&Ledger::default())
        .expect("the folder can be listed")
        .into_iter()
        .map(|object| object.path)
        .collect()
}

#[test]
fn half_written_and_hidden_files_are_left_alone() {
    let mut project = Project::new("*", Format::Csv);
    for name in [
        "a.csv",
        "_SUCCESS",
        ".DS_Store",
        "b.csv.part",
        "c.csv.TMP",
        "d.csv.crc",
        "_temporary/x.csv",
        "e.csv",
    ] {
        project = project.file(name, "id,name\n1,Al\n");
    }
    assert_eq!(paths(&project), ["a.csv", "e.csv"]);
}

#[test]
fn globs_match_within_and_across_folders() {
    let project = |files: &str| {
        Project::new(files, Format::Csv)
            .file("a1.csv", "")
            .file("a12.csv", "")
            .file("x/a1.csv", "")
            .file("x/y/a1.csv", "")
    };
    assert_eq!(paths(&project("a?.csv")), ["a1.csv"]);
    assert_eq!(paths(&project("a*.csv")), ["a1.csv", "a12.csv"]);
    assert_eq!(paths(&project("**/a1.csv")), ["a1.csv", "x/a1.csv", "x/y/a1.csv"]);
    assert_eq!(paths(&project("[xz]/*.csv")), ["x/a1.csv"]);
    assert_eq!(paths(&project("x/*.csv")), ["a1.csv"]);
    assert_eq!(paths(&project("a12.csv")), ["a12.csv"]);
}

#[test]
fn objects_are_new_changed_unchanged_or_missing() {
    let project = Project::csv()
        .file("a.csv", "id,name\n")
        .file("b.csv", "id,name\n")
        .file("c.csv", "id,name\n");
    let ledger = Ledger {
        inputs: project.inputs(&Ledger::default()).expect("listed"),
        ..Ledger::default()
    };
    std::fs::remove_file(project.folder.path().join("exports/b.csv")).expect("a file can be removed");
    let project = project.file("c.csv", "id,name\n1,Al\n").file("d.csv", "id,name\n");
    let listed = source::list(&project.engine, &project.spec, &ledger).expect("listed");
    let statuses: Vec<(&str, InputStatus)> = listed.iter().map(|(object, status)| (object.path.as_str(), *status)).collect();
    let expected = [
        ("a.csv", InputStatus::Unchanged),
        ("b.csv", InputStatus::Missing),
        ("c.csv", InputStatus::Changed),
        ("d.csv", InputStatus::New),
    ];
    assert_eq!(statuses, expected);
}

#[test]
fn a_source_without_files_is_an_error_or_empty() {
    let error = source::list(&Project::csv().engine, &Project::csv().spec, &Ledger::default()).expect_err("nothing is there");
    assert_eq!(error.kind(), ErrorKind::Input);
    let read = Project::csv().with(|source| source.on_missing = OnMissing::Skip).read();
    let kinds = stammkunde::table::RecordKind::ALL.len() - 1;
    assert_eq!((read.contacts.len(), read.facts.len(), read.inputs.len()), (0, kinds, 0));
}

#[test]
fn empty_and_header_only_files_have_no_rows() {
    let read = Project::csv()
        .file("a.csv", "")
        .file("b.csv", "id,name\n")
        .file("c.csv", "\u{feff}")
        .file("d.csv", "id,name\n1,Al\n")
        .read();
    assert_eq!(names(&read), ["1|Al"]);
    assert_eq!(read.inputs.len(), 4);
    let read = Project::csv().file("a.csv", "").read();
    assert_eq!((read.contacts.len(), counts(&read, "raw").rows_read), (0, 0));
}

#[test]
fn partition_folders_are_columns() {
    let sql = r#"SELECT "id" AS record_id, coalesce(shop, 'none') || ' ' || dt AS full_name FROM raw"#;
    let project = Project::new("**/*.csv", Format::Csv)
        .file("dt=2024-01-31/shop=M%C3%BCnchen/a.csv", "id\n1\n")
        .file("dt=2024-02-01/shop=__HIVE_DEFAULT_PARTITION__/a.csv", "id\n2\n");
    assert_eq!(
        names(&project.mapping(RecordKind::Contacts, sql).read()),
        ["1|München 2024-01-31", "2|none 2024-02-01"]
    );
}

#[test]
fn every_row_knows_its_file_and_line() {
    let sql = r#"SELECT "id" AS record_id, _file || ':' || _line AS full_name FROM raw"#;
    let project = Project::csv()
        .file("a.csv", "id\n1\n\n2\n")
        .file("b.csv", "id\n3\n")
        .mapping(RecordKind::Contacts, sql);
    assert_eq!(names(&project.read()), ["1|a.csv:2", "2|a.csv:4", "3|b.csv:2"]);
}

#[test]
fn a_file_that_changed_after_listing_is_read_again_and_one_that_vanished_is_an_error() {
    let project = Project::csv().file("a.csv", "id,name\n1,Al\n").file("b.csv", "id,name\n7,Gus\n");
    let inputs = project.inputs(&Ledger::default()).expect("listed");
    let project = project.file("a.csv", "id,name\n1,Al\n2,Bo\n");
    let read = source::read(&project.engine, &project.spec, &inputs, &Ledger::default(), &NoPieces).expect("it is read once more");
    assert_eq!(names(&read), ["1|Al", "2|Bo", "7|Gus"]);
    let now = project.inputs(&Ledger::default()).expect("listed");
    let tags = |inputs: &[InputObject]| inputs.iter().map(|input| (input.size, input.etag.clone())).collect::<Vec<_>>();
    assert_eq!(tags(&read.inputs), tags(&now), "the ledger holds the tags of what was read");
    assert!(read.inputs.iter().all(|input| input.sha256.is_some()));
    std::fs::remove_file(project.folder.path().join("exports/a.csv")).expect("a file can be removed");
    let error = source::read(&project.engine, &project.spec, &inputs, &Ledger::default(), &NoPieces).expect_err("no file");
    assert!(error.message().contains("gone") && error.kind() == ErrorKind::Input, "{error}");
}
