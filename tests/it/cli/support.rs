//! Projects to run, the binary to run them with, and readers of what it leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::SystemTime;

use arrow::util::display::array_value_to_string;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use super::remote::{self, Remote};

/// What a call left.
#[derive(Debug)]
pub struct Done {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    /// Checks the exit code.
    #[track_caller]
    pub fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// stdout as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in:\n{}\nstderr:\n{}", self.stdout, self.stderr))
    }

    /// Checks that stderr holds a text.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "`{text}` is not in:\n{}", self.stderr);
        self
    }
}

/// The binary in an environment of its own.
pub fn stammkunde() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stammkunde"));
    command.env_clear();
    for name in ["PATH", "HOME", "TMPDIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("STAMMKUNDE_THREADS", "2");
    remote::pass_on(&mut command);
    command
}

/// Runs to the end.
pub fn call(command: &mut Command) -> Done {
    let output = command.stdin(Stdio::null()).output().expect("the binary starts");
    Done {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
    }
}

/// A run that is under way; killed with the test that forgets it.
pub struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStderr>>,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.expect("the binary starts");
        let stderr = child.stderr.take().expect("stderr is a pipe");
        Self {
            child,
            lines: BufReader::new(stderr).lines(),
        }
    }

    /// Waits until stderr says that a stage ended.
    #[track_caller]
    pub fn after_stage(&mut self, stage: &str) {
        let mut seen = String::new();
        for line in self.lines.by_ref() {
            let line = line.expect("stderr is UTF-8");
            if line.starts_with(stage) {
                return;
            }
            seen += &line;
            seen.push('\n');
        }
        panic!("the run ended before the stage `{stage}` did:\n{seen}");
    }

    pub fn send(&self, signal: &str) {
        let sent = Command::new("kill")
            .arg(format!("-{signal}"))
            .arg(self.child.id().to_string())
            .status();
        assert!(sent.expect("kill is there").success(), "the run was gone before the signal came");
    }

    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().expect("our own child").is_some()
    }

    /// Reads stderr to its end and waits.
    pub fn end(&mut self) -> (ExitStatus, String) {
        let rest: Vec<String> = self.lines.by_ref().map_while(Result::ok).collect();
        (self.child.wait().expect("our own child"), rest.join("\n"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A project in a temporary folder.
pub struct Project {
    folder: tempfile::TempDir,
    /// Where the warehouse is, if not in the folder.
    remote: Option<Remote>,
}

/// Where the warehouse is, or is mirrored to.
const WAREHOUSE: &str = "warehouse";

/// The day as of which tests run.
pub const AS_OF: &str = "2026-10-31";

const PIPELINE: &str = r#"warehouse: warehouse
time_zone: Europe/Berlin
standard_models: false
sources:
  crm:
    files: exports/crm*.csv
    format: csv
    csv:
      delimiter: ";"
  shop:
    files: exports/shop*.csv
    format: csv
trust: [crm, shop]
identity:
  identifiers: [customer_no, loyalty_no]
keys:
  secret: "${STAMMKUNDE_KEY_SECRET:-a secret for tests alone}"
"#;

const CRM: &str = r#"-- name: crm.contacts
-- grain: one row per contact
-- description: Contacts.
SELECT "Id" AS record_id, "No" AS customer_no, "Card" AS loyalty_no, "Given" AS given_name, "Family" AS family_name,
  "Mail" AS email, "Phone" AS phone, parse_date("Born", 'dd.mm.yyyy') AS birth_date, "Street" AS street, "Zip" AS postcode,
  "City" AS city, parse_timestamp("Changed", 'dd.mm.yyyy', 'Europe/Berlin') AS updated_at
FROM raw
"#;

const SHOP_CONTACTS: &str = r#"-- name: shop.contacts
-- grain: one row per address that ordered
-- description: Buyers.
SELECT normalize_email("Email") AS record_id, normalize_email("Email") AS email, max("Name") AS full_name, max("Zip") AS postcode
FROM raw
WHERE normalize_email("Email") IS NOT NULL
GROUP BY normalize_email("Email")
"#;

const SHOP_ORDERS: &str = r#"-- name: shop.orders
-- grain: one row per order
-- description: Orders.
SELECT "Order" AS order_id, normalize_email("Email") AS contact_record_id, parse_timestamp("At", 'yyyy-mm-dd', 'Europe/Berlin') AS ordered_at,
  'EUR' AS currency, parse_decimal("Total", 'en') AS gross
FROM raw
"#;

const COUNTS: &str = "-- name: order_counts
-- grain: one row per customer with an order
-- description: Orders by customer.
SELECT customer_key, count(*) AS orders_count, sum(gross) AS gross_sum FROM orders WHERE customer_key IS NOT NULL GROUP BY customer_key
";

const REGULARS: &str = "-- name: regulars
-- grain: one row per customer with two orders
-- description: Customers that came back.
SELECT customer_key, orders_count FROM order_counts WHERE orders_count >= 2
";

const AUDIT: &str = "-- name: order_counts_positive
-- description: Nobody is counted without an order.
SELECT customer_key FROM order_counts WHERE orders_count < 1
";

pub const CRM_HEADER: &str = "Id;No;Card;Given;Family;Mail;Phone;Born;Street;Zip;City;Changed";
pub const SHOP_HEADER: &str = "Order,Email,Name,Zip,At,Total";

const GIVEN: [&str; 8] = [
    "Anneliese",
    "Burkhard",
    "Cornelia",
    "Dietmar",
    "Elfriede",
    "Friedhelm",
    "Gudrun",
    "Hartmut",
];
const FAMILY: [&str; 7] = [
    "Achterberg",
    "Brinkmeyer",
    "Cordesius",
    "Dornbusch",
    "Eickelkamp",
    "Fahrenholz",
    "Grabowski",
];
const CITIES: [(&str, &str); 5] = [
    ("10115", "Berlin"),
    ("20095", "Hamburg"),
    ("50667", "Köln"),
    ("80331", "München"),
    ("04109", "Leipzig"),
];

/// Row of the CRM for the person of that number.
pub fn crm_row(person: usize) -> String {
    let (given, family) = (GIVEN[person % 8], FAMILY[person % 7]);
    let (zip, city) = CITIES[person % 5];
    format!(
        "C-{person:03};K{person:03};;{given};{family};{mail};030 55501{person:02};{day:02}.{month:02}.{year};Lindenweg {person};{zip};{city};01.02.2026",
        mail = mail(person),
        day = person % 28 + 1,
        month = person % 12 + 1,
        year = 1950 + person,
    )
}

pub fn mail(person: usize) -> String {
    format!("{}.{}{person}@post.example", GIVEN[person % 8], FAMILY[person % 7]).to_lowercase()
}

fn shop_rows(person: usize) -> Vec<String> {
    let (given, family) = (GIVEN[person % 8], FAMILY[person % 7]);
    let zip = CITIES[person % 5].0;
    (0..=person % 3)
        .map(|order| {
            format!(
                "S-{person:03}-{order},{},{given} {family},{zip},2026-0{}-1{order},{}.50",
                mail(person),
                order + 1,
                10 + person
            )
        })
        .collect()
}

impl Project {
    /// People of a CRM, some of whom order in a shop; without standard models, so that a run is short.
    pub fn small() -> Self {
        let project = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            remote: Remote::fresh(),
        };
        for (path, text) in [
            ("pipeline.yaml", PIPELINE),
            ("sources/crm.contacts.sql", CRM),
            ("sources/shop.contacts.sql", SHOP_CONTACTS),
            ("sources/shop.orders.sql", SHOP_ORDERS),
            ("models/order_counts.sql", COUNTS),
            ("models/regulars.sql", REGULARS),
            ("audits/order_counts_positive.sql", AUDIT),
        ] {
            project.write(path, text);
        }
        if let Some(remote) = &project.remote {
            project.edit("pipeline.yaml", "warehouse: warehouse", &format!("warehouse: {}", remote.url));
        }
        let crm: Vec<String> = (0..24).map(crm_row).collect();
        project.write_csv("exports/crm.csv", CRM_HEADER, &crm);
        let shop: Vec<String> = (0..24).filter(|person| person % 2 == 0).flat_map(shop_rows).collect();
        project.write_csv("exports/shop.csv", SHOP_HEADER, &shop);
        project
    }

    /// A copy of the demo of 150 people with its first version published.
    pub fn demo() -> Self {
        Self::copy_of(demo())
    }

    /// A copy of a project.
    pub fn copy_of(path: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        copy(path, folder.path());
        Self { folder, remote: None }
    }

    /// A copy of this project as it is now.
    pub fn copied(&self) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        copy(self.path(), folder.path());
        Self { folder, remote: None }
    }

    /// An empty folder.
    pub fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            remote: None,
        }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self, path: &str) -> PathBuf {
        if let Some(remote) = self.remote.as_ref().filter(|_| path.starts_with(WAREHOUSE)) {
            remote.mirror(&self.folder.path().join(WAREHOUSE));
        }
        self.folder.path().join(path)
    }

    /// Path below the warehouse of a file there, if the warehouse is on a server.
    fn on_server<'a>(&self, path: &'a str) -> Option<(&Remote, &'a str)> {
        let below = path.strip_prefix(WAREHOUSE)?.strip_prefix('/')?;
        Some((self.remote.as_ref()?, below))
    }

    pub fn remove(&self, path: &str) {
        match self.on_server(path) {
            Some((remote, below)) => remote.delete(below),
            None => std::fs::remove_file(self.file(path)).expect("a file to remove"),
        }
    }

    pub fn write(&self, path: &str, text: &str) {
        if let Some((remote, below)) = self.on_server(path) {
            remote.put(below, text.to_owned().into());
            return;
        }
        let path = self.file(path);
        std::fs::create_dir_all(path.parent().expect("below the project")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    pub fn write_csv(&self, path: &str, header: &str, rows: &[String]) {
        self.write(path, &format!("{header}\n{}\n", rows.join("\n")));
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.file(path)).expect("a file")
    }

    /// Replaces a text that must be there.
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "`{from}` is not in {path}");
        self.write(path, &text.replace(from, to));
    }

    pub fn append(&self, path: &str, line: &str) {
        self.write(path, &format!("{}{line}\n", self.read(path)));
    }

    /// The binary with a command for this project.
    pub fn command(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = stammkunde();
        command.arg(name).arg(self.path()).args(arguments);
        command
    }

    /// Calls a command for this project.
    pub fn call(&self, name: &str, arguments: &[&str]) -> Done {
        call(&mut self.command(name, arguments))
    }

    /// Runs as of [`AS_OF`] and gives the report.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Value {
        let day: &[&str] = if arguments.contains(&"--as-of") { &[] } else { &["--as-of", AS_OF] };
        let arguments = [day, &["--format", "json"], arguments].concat();
        self.call("run", &arguments).ends_with(0).json()
    }

    /// A run that has begun.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::start(&mut self.command("run", &[&["--as-of", AS_OF], arguments].concat()))
    }

    /// Manifests, oldest first.
    pub fn manifests(&self) -> Vec<Value> {
        let Ok(entries) = std::fs::read_dir(self.file("warehouse/versions")) else {
            return Vec::new();
        };
        let paths: BTreeSet<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        paths
            .iter()
            .map(|path| serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON"))
            .collect()
    }

    /// Hashes of the files of every table of the newest version.
    #[track_caller]
    pub fn hashes(&self) -> BTreeMap<String, String> {
        let newest = self.manifests().pop().expect("a version");
        let tables = newest["tables"].as_object().expect("tables");
        let hash = |table: &Value| {
            table["files"]
                .as_array()
                .expect("files")
                .iter()
                .map(|file| file["sha256"].to_string())
                .collect()
        };
        tables.iter().map(|(name, table)| (name.clone(), hash(table))).collect()
    }

    /// Rows of a table in `latest/`, as texts; nulls are left out.
    #[track_caller]
    pub fn table(&self, name: &str) -> Vec<Row> {
        rows(&self.file(&format!("warehouse/latest/{name}.parquet")))
    }

    /// Customer key of a record.
    #[track_caller]
    pub fn key_of(&self, source: &str, record_id: &str) -> String {
        let rows = self.table("identities");
        let found = rows.iter().find(|row| row["source"] == source && row["record_id"] == record_id);
        found.unwrap_or_else(|| panic!("{source}:{record_id} has no key"))["customer_key"].clone()
    }
}

/// Values by column.
pub type Row = BTreeMap<String, String>;

pub fn rows(path: &Path) -> Vec<Row> {
    let file = std::fs::File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .expect("Parquet")
        .build()
        .expect("Parquet");
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.expect("a batch");
        for row in 0..batch.num_rows() {
            let fields = batch.schema();
            let cells = fields
                .fields()
                .iter()
                .zip(batch.columns())
                .filter(|(_, values)| !values.is_null(row));
            rows.push(
                cells
                    .map(|(field, values)| (field.name().clone(), array_value_to_string(values, row).expect("a value")))
                    .collect(),
            );
        }
    }
    rows
}

/// Every file and folder below a folder, with its size and time.
pub fn listing(folder: &Path) -> BTreeMap<PathBuf, (u64, SystemTime)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let meta = std::fs::metadata(&next).expect("a folder");
        found.insert(next.clone(), (0, meta.modified().expect("a time")));
        for entry in std::fs::read_dir(&next).expect("a folder") {
            let entry = entry.expect("an entry");
            let meta = entry.metadata().expect("metadata");
            if meta.is_dir() {
                folders.push(entry.path());
            } else {
                found.insert(entry.path(), (meta.len(), meta.modified().expect("a time")));
            }
        }
    }
    found
}

fn demo() -> &'static Path {
    static DEMO: OnceLock<PathBuf> = OnceLock::new();
    DEMO.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli-demo");
        let _ = std::fs::remove_dir_all(&folder);
        let mut command = stammkunde();
        command.arg("demo").arg(&folder).args(["--people", "150", "--orders", "300"]);
        call(&mut command).ends_with(0);
        folder
    })
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// What a value breaks of a JSON Schema as schemars writes it: types, required and unknown-free properties, references, alternatives.
pub fn breaches(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(schema, schema, value, "$", &mut found);
    found
}

fn walk(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("no {reference}"));
        return walk(root, target, value, at, found);
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(choices) = schema[key].as_array() {
            let fits = |choice: &Value| {
                let mut own = Vec::new();
                walk(root, choice, value, at, &mut own);
                own.is_empty()
            };
            if !choices.iter().any(fits) {
                found.push(format!("{at}: fits no choice"));
            }
        }
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let is = |name: &&str| match *name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("type {other}"),
    };
    if !types.is_empty() && !types.iter().any(is) {
        found.push(format!("{at}: is no {types:?}"));
    }
    if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
        found.push(format!("{at}: is none of the values"));
    }
    if schema.get("const").is_some_and(|constant| constant != value) {
        found.push(format!("{at}: is another constant"));
    }
    if let Some(object) = value.as_object() {
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !object.contains_key(name) {
                found.push(format!("{at}: lacks {name}"));
            }
        }
        for (name, inner) in object {
            let own = &schema["properties"][name];
            if own.is_null() {
                let rest = &schema["additionalProperties"];
                if rest.is_object() {
                    walk(root, rest, inner, &format!("{at}.{name}"), found);
                }
            } else {
                walk(root, own, inner, &format!("{at}.{name}"), found);
            }
        }
    }
    for (position, inner) in value.as_array().into_iter().flatten().enumerate() {
        walk(root, &schema["items"], inner, &format!("{at}[{position}]"), found);
    }
}

/// A schema as the binary prints it.
pub fn schema(name: &str) -> Value {
    call(stammkunde().args(["schema", name])).ends_with(0).json()
}
