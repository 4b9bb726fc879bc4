//! A project with one person to look for, somebody in the same household, and everything that can hold traces of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value;

use crate::cli::support::{Project, rows};

pub const MAIL: &str = "zebedee.q@kanarie.example";

/// Texts that only the person has, in lower case: names, addresses, numbers, records.
pub const TRACES: [&str; 11] = [
    "zebedee",
    "kanarie.example",
    "5559911",
    "1961-08-07",
    "07.08.1961",
    "kx900",
    "lx900",
    "c-900",
    "c-901",
    "s-900",
    "e-900",
];

const WEB_EVENTS: &str = r#"-- name: web.events
-- grain: one row per event
-- description: Events.
SELECT "Event" AS event_id, parse_timestamp("At", 'yyyy-mm-dd', 'Europe/Berlin') AS occurred_at, "Name" AS name, "Contact" AS contact_record_id,
  CASE WHEN "Contact" IS NOT NULL THEN 'crm' END AS contact_source, "Mail" AS email, "Card" AS loyalty_no, "Page" AS page
FROM raw
"#;

pub const WEB_HEADER: &str = "Event,At,Name,Contact,Mail,Card,Page";

const DECISIONS: &str = "decision,left_source,left_record_id,right_source,right_record_id,decided_by,decided_at,reason
cannot_link,crm,C-900,crm,C-902,,,a couple
cannot_link,crm,C-901,crm,C-902,,,a couple
";

/// The project, not yet run. Zebedee has two CRM records, a shop record (his address), orders and events; Wilma shares his phone and family
/// name, and one of her events holds his address.
pub fn project() -> Project {
    let project = Project::small();
    project.edit(
        "pipeline.yaml",
        "trust:",
        "  web:\n    files: exports/web*.csv\n    format: csv\ntrust:",
    );
    project.edit(
        "pipeline.yaml",
        "trust: [crm, shop]",
        "trust: [crm, shop, web]\ngates:\n  rejected_share_max: 0.2",
    );
    project.write("sources/web.events.sql", WEB_EVENTS);
    project.write("decisions/couples.csv", DECISIONS);
    for row in [
        "C-900;KX900;LX900;Zebedee;Quastenflosser;Zebedee.Q@kanarie.example;030 5559900;07.08.1961;Kanarienweg 7;10115;Berlin;01.02.2026",
        "C-901;KX900;;Zebedee;Quastenflosser;zebedee.q@kanarie.example;030 5559911;07.08.1961;Kanarienweg 7;10115;Berlin;01.03.2026",
        "C-902;KX902;;Wilma;Quastenflosser;wilma@post.example;030 5559900;11.12.1963;Kanarienweg 7;10115;Berlin;01.02.2026",
        // A ragged row.
        "C-903;zebedee.q@kanarie.example",
    ] {
        project.append("exports/crm.csv", row);
    }
    for row in [
        "S-900-1,ZEBEDEE.Q@kanarie.example,Zebedee Quastenflosser,10115,2026-05-01,10.00",
        "S-900-2,zebedee.q@kanarie.example,Zebedee Quastenflosser,10115,2026-06-01,20.00",
    ] {
        project.append("exports/shop.csv", row);
    }
    let events = [
        "E-900-1,2026-05-02,page_view,C-900,,,/account",
        "E-900-2,2026-05-03,page_view,,zebedee.q@kanarie.example,,/cart",
        "E-900-3,2026-05-04,page_view,,,LX900,/card",
        "E-902-1,2026-05-05,gift,C-902,zebedee.q@kanarie.example,,/gift",
        "E-001-1,2026-05-06,page_view,C-001,,,/home",
        "E-000-1,2026-05-07,page_view,,,,/home",
    ];
    project.write_csv("exports/web.csv", WEB_HEADER, &events.map(str::to_owned));
    project
}

/// A copy of the project with its first version published.
pub fn published() -> Project {
    static FIRST: LazyLock<Project> = LazyLock::new(|| {
        let project = project();
        project.run(&[]);
        project
    });
    FIRST.copied()
}

/// Every file below a folder that holds one of the texts, in its bytes or in a value of a Parquet table.
pub fn traces(folder: &Path, texts: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in files(folder) {
        let bytes = std::fs::read(&file).expect("a file");
        let mut text = String::from_utf8_lossy(&bytes).to_lowercase();
        if file.extension().is_some_and(|extension| extension == "parquet") {
            let values: Vec<String> = rows(&file).into_iter().flat_map(std::collections::BTreeMap::into_values).collect();
            text += &values.join("\n").to_lowercase();
        }
        for trace in texts.iter().filter(|trace| text.contains(**trace)) {
            let name = file.strip_prefix(folder).expect("below the folder").display();
            found.insert(format!("{trace} in {name}"));
        }
    }
    found
}

/// The files of the newest version, and the copies in `latest/`, that hold one of the texts.
pub fn traces_of_newest(project: &Project, texts: &[&str]) -> BTreeSet<String> {
    let newest = project.manifests().pop().expect("a version");
    let listed = listed_files(&newest);
    let all = traces(&project.file("warehouse"), texts);
    let is_newest = |found: &String| {
        let (_, name) = found.split_once(" in ").expect("a text in a file");
        name.starts_with("latest/") || listed.contains(name)
    };
    all.into_iter().filter(is_newest).collect()
}

/// Paths of the files that a manifest lists.
pub fn listed_files(manifest: &Value) -> BTreeSet<String> {
    let tables = manifest["tables"].as_object().expect("tables").values();
    let tables = tables.flat_map(|table| table["files"].as_array().expect("files"));
    let state = manifest["state"].as_object().expect("state").values();
    let pages = manifest["pages"].as_object().expect("pages").values();
    tables
        .chain(state)
        .chain(pages)
        .map(|file| file["path"].as_str().expect("a path").to_owned())
        .collect()
}

pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

/// Key of every record but the person's.
pub fn keys_of_others(project: &Project) -> Vec<(String, String, String)> {
    let mut keys: Vec<_> = project
        .table("identities")
        .into_iter()
        .map(|row| (row["source"].clone(), row["record_id"].clone(), row["customer_key"].clone()))
        .filter(|(_, record_id, _)| !TRACES.iter().any(|trace| record_id.to_lowercase().contains(trace)))
        .collect();
    keys.sort();
    keys
}
