//! What happens when columns come and go.

use stammkunde::ErrorKind;
use stammkunde::source::Drift;

use super::*;

fn ledger(columns: &[&str]) -> Ledger {
    Ledger {
        inputs: Vec::new(),
        columns: vec![("crm".to_owned(), columns.iter().map(|name| (*name).to_owned()).collect())],
        ..Ledger::default()
    }
}

fn drift(added: &[&str], missing: &[&str]) -> Drift {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Drift {
        source: "crm".to_owned(),
        path: "a.csv".to_owned(),
        added: owned(added),
        missing: owned(missing),
    }
}

#[test]
fn evolve_takes_new_columns_and_reports_them() {
    let read = Project::csv()
        .file("a.csv", "id,name,vip\n1,Al,x\n")
        .try_read(&ledger(&["id", "name"]))
        .expect("evolve goes on");
    assert_eq!(names(&read), ["1|Al"]);
    assert_eq!(read.drift, [drift(&["vip"], &[])]);
    assert_eq!(read.columns[0].1, ["id", "name", "vip"]);
}

#[test]
fn evolve_reads_a_column_that_went_away_as_null_and_keeps_it_in_mind() {
    let project = Project::csv().file("a.csv", "id\n1\n");
    let read = project.try_read(&ledger(&["id", "name", "other"])).expect("evolve goes on");
    assert_eq!(names(&read), ["1|-"]);
    assert_eq!(read.drift, [drift(&[], &["name", "other"])]);
    assert_eq!(read.columns[0].1, ["id", "name"]);
    let again = Ledger {
        inputs: Vec::new(),
        columns: read.columns,
        ..Ledger::default()
    };
    assert_eq!(names(&project.try_read(&again).expect("and on the next run")), ["1|-"]);
}

#[test]
fn a_column_that_never_was_is_an_error_of_the_mapping() {
    let error = Project::csv().file("a.csv", "id,Name\n1,Al\n").error();
    assert_eq!(error.kind(), ErrorKind::Config);
    let finding = &error.findings()[0];
    assert_eq!(
        (finding.file.as_str(), finding.line, finding.column),
        ("sources/crm.contacts.sql", 1, 27)
    );
    assert_eq!(finding.hint.as_deref(), Some("did you mean `\"Name\"`?"));
}

#[test]
fn a_column_that_one_of_several_files_lacks_is_null_there_and_reported() {
    let read = Project::csv().file("a.csv", "id\n1\n").file("b.csv", "id,name\n2,Bo\n").read();
    assert_eq!(names(&read), ["1|-", "2|Bo"]);
    assert_eq!(read.drift, [drift(&[], &["name"])]);
}

#[test]
fn freeze_stops_and_says_what_changed() {
    let project = Project::csv()
        .file("a.csv", "id,name,vip\n1,Al,x\n")
        .with(|source| source.contract = Contract::Freeze);
    let error = project
        .try_read(&ledger(&["id", "name", "phone"]))
        .expect_err("a frozen source changed");
    assert_eq!(error.kind(), ErrorKind::Input);
    assert!(
        error.context().contains(&("columns", "new `vip`; missing `phone`".to_owned())),
        "{error}"
    );
    assert!(
        project.try_read(&ledger(&["vip", "name", "id"])).is_ok(),
        "the order of columns is no change"
    );
    assert!(
        project.try_read(&Ledger::default()).is_ok(),
        "the first run has nothing to compare with"
    );
}

#[test]
fn discard_leaves_the_changed_file_out() {
    let project = Project::csv()
        .file("a.csv", "id,name,vip\n1,Al,x\n")
        .file("b.csv", "id,name\n2,Bo\n")
        .with(|source| source.contract = Contract::Discard);
    let read = project.try_read(&ledger(&["id", "name"])).expect("the other file is read");
    assert_eq!(names(&read), ["2|Bo"]);
    assert_eq!(read.drift, [drift(&["vip"], &[])]);
    assert_eq!(rejects(&read), ["- discarded_file - new `vip`"]);
    assert_eq!(read.columns[0].1, ["id", "name"]);
    let raw = counts(&read, "raw");
    assert_eq!((raw.rows_read, raw.rows_kept, raw.rows_rejected), (2, 1, 1));
}
