//! A run reads and compares only what changed, and publishes what reading and comparing everything would.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::support::{AS_OF, CRM_HEADER, Project, SHOP_HEADER, call, crm_row, mail, stammkunde};

/// Files of the exports of a project, which a history changes.
struct History {
    project: Project,
    random: u64,
    files: BTreeMap<String, Vec<String>>,
    next_person: usize,
}

impl History {
    /// Three files of the CRM, two of the shop.
    fn new(seed: u64) -> Self {
        let project = Project::small();
        project.edit("pipeline.yaml", "keys:\n", "keys:\n  changed_customers_min: 100000\n");
        project.append(
            "pipeline.yaml",
            "gates:\n  rejected_share_max: 1.0\n  rows_drop_max: off\n  null_share_rise_max: off",
        );
        fs::remove_file(project.file("exports/crm.csv")).expect("the file of the project");
        fs::remove_file(project.file("exports/shop.csv")).expect("the file of the project");
        let mut files = BTreeMap::new();
        for part in 0..3 {
            let rows = (0..24).filter(|person| person % 3 == part).map(crm_row).collect();
            files.insert(format!("crm-{part}.csv"), rows);
        }
        for part in 0..2 {
            let rows = (0..24).filter(|person| person % 4 == part).map(shop_row).collect();
            files.insert(format!("shop-{part}.csv"), rows);
        }
        let history = Self {
            project,
            random: seed,
            files,
            next_person: 24,
        };
        history.files.keys().for_each(|name| history.write(name));
        history
    }

    fn write(&self, name: &str) {
        let header = if name.starts_with("crm") { CRM_HEADER } else { SHOP_HEADER };
        self.project.write_csv(&format!("exports/{name}"), header, &self.files[name]);
    }

    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.random >> 33).expect("31 bits") % end
    }

    /// One of the files whose name starts so, and one of its rows.
    fn row(&mut self, start: &str) -> (String, usize) {
        let names: Vec<String> = self.files.keys().filter(|name| name.starts_with(start)).cloned().collect();
        let name = names[self.below(names.len())].clone();
        let row = self.below(self.files[&name].len());
        (name, row)
    }

    /// Adds, changes, removes, delivers again, merges or splits one record.
    fn change(&mut self) {
        let (name, row) = self.row("crm");
        let rows = self.files.get_mut(&name).expect("a file of the history");
        match self.random >> 20 & 7 {
            0 => {
                rows.push(crm_row(self.next_person));
                self.next_person += 1;
            }
            1 if rows.len() > 2 => drop(rows.remove(row)),
            2 => rows[row] = rows[row].replace("Lindenweg", "Lindenallee"),
            // Another's e-mail address and card: two become one. Without them they part again.
            3 => rows[row] = rows[row].replacen(";;", ";L-1;", 1),
            4 => rows[row] = rows[row].replace(";L-1;", ";;"),
            5 => {
                let again = rows[row].replace("01.02.2026", "02.02.2026").replace("030 555", "040 555");
                let (other, _) = self.row("crm");
                self.files.get_mut(&other).expect("a file of the history").push(again);
                self.write(&other);
            }
            6 => {
                let (shop, _) = self.row("shop");
                let order = shop_row(row);
                self.files
                    .get_mut(&shop)
                    .expect("a file of the history")
                    .push(order.replace("S-", "T-"));
                self.write(&shop);
            }
            _ => {
                let new = format!("crm-{}.csv", self.files.len());
                self.files.insert(new.clone(), vec![crm_row(self.next_person)]);
                self.next_person += 1;
                self.write(&new);
            }
        }
        self.write(&name);
    }
}

fn shop_row(person: usize) -> String {
    format!("S-{person:03},{},Kunde {person},10115,2026-03-11,{}.50", mail(person), 10 + person)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("a file can be copied");
        }
    }
}

/// The files of the newest version that a way of reading must not change.
fn published(folder: &Path) -> BTreeMap<String, Value> {
    let versions = fs::read_dir(folder.join("warehouse/versions")).expect("versions");
    let newest = versions.map(|entry| entry.expect("an entry").path()).max().expect("a version");
    let manifest: Value = serde_json::from_slice(&fs::read(newest).expect("a manifest")).expect("JSON");
    let tables = manifest["tables"].as_object().expect("tables");
    let hash = |table: &Value| {
        table["files"]
            .as_array()
            .expect("files")
            .iter()
            .map(|file| file["sha256"].clone())
            .collect()
    };
    let state = manifest["state"].as_object().expect("state");
    let of_tables = tables
        .iter()
        .filter(|(name, _)| *name != "runs")
        .map(|(name, table)| (name.clone(), hash(table)));
    let of_state = state.iter().filter(|(name, _)| *name != "ledger.json");
    of_tables
        .chain(of_state.map(|(name, file)| (name.clone(), file["sha256"].clone())))
        .collect()
}

/// Runs, and runs a copy of the project with `--full-refresh`: both publish the same bytes. Gives the report of the first.
#[track_caller]
fn assert_same_as_full(project: &Project, run_id: &str) -> Value {
    let full = tempfile::tempdir().expect("a temporary folder");
    copy(project.path(), full.path());
    let report = project.run(&["--run-id", run_id]);
    if report["outcome"] == "unchanged" {
        return report;
    }
    let mut again = stammkunde();
    let arguments = ["--as-of", AS_OF, "--format", "json", "--run-id", run_id, "--full-refresh"];
    again.arg("run").arg(full.path()).args(arguments);
    let refreshed = call(&mut again).ends_with(0).json();
    assert_eq!(refreshed["refresh_differences"], Value::Array(Vec::new()), "{run_id}");
    assert_eq!(refreshed["pieces"]["known"], 0);
    let (ours, theirs) = (published(project.path()), published(full.path()));
    let differing: Vec<&String> = ours.keys().filter(|name| ours.get(*name) != theirs.get(*name)).collect();
    assert!(differing.is_empty() && ours.len() == theirs.len(), "{run_id}: {differing:?}");
    report
}

#[test]
fn an_incremental_run_compares_only_pairs_of_records_that_changed() {
    let project = Project::demo();
    let first = project.run(&["--full-refresh"]);
    let path = "exports/shop/customers_1.csv";
    for step in 0..3 {
        let text = project.read(path);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.remove(10 + step);
        let (one, other) = (lines[20].clone(), &mut lines[30 + step]);
        *other = other.replace('a', "o");
        lines[40] = one.replace("00", "01");
        project.write(path, &format!("{}\n", lines.join("\n")));
        let report = assert_same_as_full(&project, &format!("step-{step}"));
        let pairs = &report["identity"]["pairs"];
        assert!(pairs["links_known"].as_u64() > Some(20), "{pairs}");
        assert!(
            pairs["pairs"].as_u64() < first["identity"]["pairs"]["pairs"].as_u64().map(|all| all / 3),
            "{pairs}"
        );
    }
}

#[test]
fn an_incremental_run_publishes_the_bytes_of_a_full_one() {
    let mut history = History::new(1);
    history.project.run(&["--run-id", "first"]);
    let mut known = 0;
    for step in 0..20 {
        for _ in 0..=history.below(3) {
            history.change();
        }
        let report = assert_same_as_full(&history.project, &format!("step-{step}"));
        known += report["pieces"]["known"].as_u64().unwrap_or(0);
    }
    assert!(known > 20, "the runs took nothing over");
}

/// Other bytes behind the same size and time: whoever opens the file sees them, whoever looks at its tag does not.
fn replace_behind_its_tag(path: &Path, from: &str, to: &str) {
    let time = fs::metadata(path).and_then(|meta| meta.modified()).expect("a time");
    let text = fs::read_to_string(path).expect("a file");
    assert!(text.contains(from) && from.len() == to.len());
    fs::write(path, text.replace(from, to)).expect("a file");
    let file = fs::File::options().write(true).open(path).expect("a file");
    file.set_modified(time).expect("a time can be set");
}

#[test]
fn an_object_that_is_as_it_was_is_not_read_again() {
    let history = History::new(1);
    // A column of its own, which no other order has.
    history.project.edit(
        "sources/shop.orders.sql",
        "'EUR' AS currency",
        "'EUR' AS currency, NULL AS loyalty_no",
    );
    history.project.run(&[]);
    replace_behind_its_tag(&history.project.file("exports/crm-1.csv"), "Lindenweg", "Lindenhof");
    history.project.append("exports/crm-0.csv", &crm_row(40));
    let report = history.project.run(&[]);
    assert_eq!(
        (&report["pieces"]["read"], &report["pieces"]["known"]),
        (&1.into(), &3.into()),
        "{}",
        report["pieces"]
    );
    let streets = |project: &Project| {
        project
            .table("contacts")
            .iter()
            .filter(|row| row.get("street").is_some_and(|street| street.contains("Lindenhof")))
            .count()
    };
    assert_eq!(streets(&history.project), 0);
    let report = history.project.run(&["--full-refresh"]);
    assert!(streets(&history.project) > 0, "a full refresh reads every object");
    assert_eq!(
        report["refresh_differences"][0], "contacts",
        "and tells that it found other content"
    );
    // The same of a source whose orders have a column of their own.
    replace_behind_its_tag(&history.project.file("exports/shop-0.csv"), "S-", "Z-");
    let report = history.project.run(&["--full-refresh", "--accept-key-changes"]);
    assert_eq!(report["refresh_differences"], serde_json::json!(["orders"]));
    let text = history
        .project
        .call("run", &["--as-of", AS_OF, "--full-refresh"])
        .ends_with(0)
        .stdout;
    assert!(text.contains("would have given the same"), "{text}");
    history.project.append("exports/crm-0.csv", &crm_row(41));
    let text = history.project.call("run", &["--as-of", AS_OF]).ends_with(0).stdout;
    assert!(
        text.contains("taken over from the last version: 3 of 4 parts of the sources"),
        "{text}"
    );
}

#[test]
fn a_changed_mapping_or_dialect_reads_its_source_again_and_no_other() {
    let history = History::new(1);
    let project = &history.project;
    project.run(&[]);
    project.edit("sources/shop.orders.sql", "'EUR'", "'CHF'");
    let report = project.run(&[]);
    assert_eq!(
        (&report["pieces"]["read"], &report["pieces"]["known"]),
        (&1.into(), &3.into()),
        "the shop is one piece: it groups rows"
    );
    project.edit("pipeline.yaml", "delimiter: \";\"", "delimiter: \",\"");
    let report = project.run(&[]);
    assert_eq!(
        (&report["pieces"]["read"], &report["pieces"]["known"]),
        (&3.into(), &1.into()),
        "another dialect, other columns"
    );
}

#[test]
fn no_mapping_can_depend_on_time_or_chance() {
    let project = Project::small();
    for function in ["now()", "current_date", "random()", "uuid()"] {
        project.edit(
            "sources/crm.contacts.sql",
            "\"City\" AS city",
            &format!("CAST({function} AS VARCHAR) AS city"),
        );
        project
            .call("run", &["--as-of", AS_OF])
            .ends_with(2)
            .says("sources/crm.contacts.sql");
        project.edit(
            "sources/crm.contacts.sql",
            &format!("CAST({function} AS VARCHAR) AS city"),
            "\"City\" AS city",
        );
    }
}

#[test]
fn an_object_whose_piece_is_damaged_is_read_again() {
    let history = History::new(1);
    let project = &history.project;
    project.run(&[]);
    let newest = project.manifests().pop().expect("a version");
    let staged = newest["staged"].as_object().expect("pieces");
    assert_eq!(staged.len(), 4);
    for file in staged.values() {
        fs::write(project.file("warehouse").join(file["path"].as_str().expect("a path")), "x").expect("a file");
    }
    project.append("exports/crm-0.csv", &crm_row(40));
    let report = project.run(&[]);
    assert_eq!((&report["pieces"]["read"], &report["pieces"]["known"]), (&4.into(), &0.into()));
}

#[test]
fn pieces_outlive_the_version_that_read_them() {
    let mut history = History::new(1);
    history.project.run(&["--run-id", "first"]);
    for run_id in ["second", "third"] {
        let name = "crm-0.csv".to_owned();
        history
            .files
            .get_mut(&name)
            .expect("a file of the history")
            .push(crm_row(history.next_person));
        history.next_person += 1;
        history.write(&name);
        history.project.run(&["--run-id", run_id]);
    }
    let mut cleanup = stammkunde();
    call(cleanup.args(["versions", "cleanup", "--keep", "1"]).arg(history.project.path())).ends_with(0);
    assert_eq!(history.project.manifests().len(), 1);
    let newest = history.project.manifests().pop().expect("a version");
    let staged = newest["staged"].as_object().expect("pieces");
    let of_first = staged
        .values()
        .filter(|file| file["path"].as_str().is_some_and(|path| path.starts_with("runs/first/")));
    assert_eq!((staged.len(), of_first.count()), (4, 3));
    history.project.append("exports/crm-1.csv", &crm_row(90));
    let report = history.project.run(&[]);
    assert_eq!((&report["pieces"]["read"], &report["pieces"]["known"]), (&1.into(), &3.into()));
}
