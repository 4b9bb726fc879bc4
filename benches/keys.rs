//! The `key` stage on ten million records with yesterday's keys: wall time and peak memory.
//!
//! `cargo bench --bench keys [-- --records N --threads T --runs R]`. Three sources, seven customers for ten records, one customer in a hundred
//! changed: merged with another, parted, new, gone, or with a record that came or went. Yesterday's version is made and
//! written to Arrow files by one process; another one reads it as a run does, first yesterday's keys, then the records, so that
//! its peak memory is that of the stage and of what it needs: the ids of the records, four columns as matching reads them, the clusters and
//! yesterday's keys.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, AsArray, DictionaryArray, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::UInt32Type;
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::FileWriter;
use stammkunde::key::state::{self, StoredKeys};
use stammkunde::key::{self, Changed, KeyInput, Trust, changes};
use stammkunde::profile;
use stammkunde::table::keys::{Keys, PreviousKeys};
use stammkunde::table::{CleanContacts, Clusters, Decisions};

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SECRET: &[u8] = b"a secret for benches only";
const COLUMNS: [&str; 4] = ["email", "family_name", "postcode", "birth_date"];
/// Different values of each of [`COLUMNS`].
const VALUES: u32 = 200_000;
/// Rows of a batch of a published file that is read.
const BATCH_ROWS: usize = 64 * 1024;

/// What happens to how many of a thousand customers.
const MERGED: u64 = 3;
const PARTED: u64 = 3;
const ADDED_OR_GONE: u64 = 4;

struct Options {
    records: u32,
    threads: usize,
    runs: usize,
    /// Folder of yesterday's version: set for the process that measures.
    measure: Option<PathBuf>,
}

fn main() {
    let options = options();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build();
    let pool = pool.expect("threads can be started");
    if let Some(folder) = &options.measure {
        pool.install(|| measure(folder));
        return;
    }
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    println!("{} records, {} threads", options.records, options.threads);
    let make = |program: &Path| {
        let mut command = Command::new(program);
        command
            .arg("--threads")
            .arg(options.threads.to_string())
            .arg("--measure")
            .arg(folder.path());
        command
    };
    pool.install(|| prepare(options.records, folder.path()));
    let program = std::env::current_exe().expect("this program has a path");
    for _ in 0..options.runs {
        let status = make(&program).status().expect("this program can be started again");
        assert!(status.success(), "the measurement failed");
    }
}

fn options() -> Options {
    let mut options = Options {
        records: 10_000_000,
        threads: 2,
        runs: 3,
        measure: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_else(|| panic!("{name} needs a value"));
        match name.as_str() {
            "--records" => options.records = value().parse().expect("a number of records"),
            "--threads" => options.threads = value().parse().expect("a number of threads"),
            "--runs" => options.runs = value().parse().expect("a number of runs"),
            "--measure" => options.measure = Some(value().into()),
            // What `cargo bench` adds.
            "--bench" => {}
            other => panic!("unknown option {other}"),
        }
    }
    options
}

/// `SplitMix64`: a good number for each number.
fn hash(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Which day's records and customers.
#[derive(Clone, Copy, PartialEq)]
enum Day {
    Yesterday,
    Today,
}

/// Person of a record: seven of ten records are somebody's first, the others belong to one of these.
fn person(record: u32, records: u32, day: Day) -> u32 {
    let first = |record: u32| u64::from(record) % 10 < 7;
    let mut person = if first(record) {
        record
    } else {
        let other = u32::try_from(hash(u64::from(record)) % u64::from(records)).expect("below the number of records");
        other - other % 10 + other % 7
    };
    let news = hash(u64::from(person) ^ 0x5eed) % 1000;
    if day == Day::Today && news < MERGED && person >= 10 {
        // Merged with a neighbor.
        person = person - person % 10 - 10 + person % 7;
    } else if day == Day::Today && (MERGED..MERGED + PARTED).contains(&news) && !first(record) {
        // Parted: the later record is alone.
        person = record;
    }
    person
}

/// Whether a record is there: one of some persons comes, of others goes.
fn is_there(record: u32, records: u32, day: Day) -> bool {
    let person = person(record, records, Day::Yesterday);
    let news = hash(u64::from(person) ^ 0x5eed) % 1000;
    match news.checked_sub(MERGED + PARTED).filter(|&news| news < ADDED_OR_GONE) {
        None => true,
        Some(0) => day == Day::Today,
        Some(1) => day == Day::Yesterday,
        Some(_) => person == record || hash(u64::from(record)).is_multiple_of(2) == (day == Day::Today),
    }
}

/// Records of a day with their clusters, sorted by (source, record id).
fn company(records: u32, day: Day) -> (CleanContacts, Clusters) {
    let name = |record: u32| match hash(u64::from(record) ^ 1) % 10 {
        0..4 => ("crm", format!("C-{record:08}")),
        4..8 => (
            "shop",
            format!(
                "{}@example.org",
                hash(u64::from(record)) % 10_000_000_000 * 100 + u64::from(record) % 100
            ),
        ),
        _ => ("web", format!("{:016x}", hash(u64::from(record)))),
    };
    let mut all: Vec<(&str, String, u32)> = Vec::with_capacity(records as usize);
    for record in (0..records).filter(|&record| is_there(record, records, day)) {
        let (source, id) = name(record);
        all.push((source, id, record));
    }
    all.sort_unstable();
    all.dedup_by(|left, right| (left.0, &left.1) == (right.0, &right.1));
    let mut first_of = vec![u32::MAX; records as usize];
    let mut of = Vec::with_capacity(all.len());
    for (at, &(_, _, record)) in (0_u32..).zip(&all) {
        let first = &mut first_of[person(record, records, day) as usize];
        *first = (*first).min(at);
        of.push(*first);
    }
    let source = Arc::new(StringArray::from_iter_values(all.iter().map(|row| row.0)));
    let record_id = Arc::new(StringArray::from_iter_values(all.iter().map(|row| &row.1)));
    let display = RecordBatch::try_from_iter([("source", source as ArrayRef), ("record_id", record_id)]);
    let values = StringArray::from_iter_values((0..VALUES).map(|value| format!("value {value} of a column")));
    let values: ArrayRef = Arc::new(values);
    let matching = COLUMNS.iter().zip(2_u64..).map(|(&name, salt)| {
        let value = |record: u32| u32::try_from(hash(u64::from(record) ^ (salt << 32)) % u64::from(VALUES)).expect("below the bound");
        let keys = UInt32Array::from_iter_values(all.iter().map(|row| value(row.2)));
        let column = DictionaryArray::<UInt32Type>::try_new(keys, Arc::clone(&values)).expect("keys are below the number of values");
        (name, Arc::new(column) as ArrayRef)
    });
    let contacts = CleanContacts {
        matching: RecordBatch::try_from_iter(matching).expect("columns of one length"),
        display: display.expect("columns of one length"),
    };
    (contacts, Clusters { of })
}

fn assign(contacts: &CleanContacts, clusters: &Clusters, previous: &PreviousKeys, version: u32) -> Keys {
    key::assign(&KeyInput {
        contacts,
        clusters,
        columns: &COLUMNS.map(str::to_owned),
        previous,
        trust: Trust {
            sources: &["crm", "shop", "web"].map(str::to_owned),
            weights: &[3, 2, 1],
        },
        decisions: &Decisions::default(),
        changed: Changed::default(),
        version,
        secret: SECRET,
    })
}

/// Writes yesterday's version and today's records.
fn prepare(records: u32, folder: &Path) {
    let (contacts, clusters) = company(records, Day::Yesterday);
    let keys = assign(&contacts, &clusters, &PreviousKeys::default(), 1);
    let batches = state::to_batches(&contacts, &keys);
    write(folder, "identities", &profile::identities(&contacts, &keys));
    for (name, batch) in [
        ("redirects", &batches.redirects),
        ("retired", &batches.retired),
        ("origins", &batches.origins),
        ("merges", &batches.merges),
        ("created", &batches.created),
        ("contents", &batches.contents),
    ] {
        write(folder, name, batch);
    }
    let (contacts, clusters) = company(records, Day::Today);
    write(folder, "display", &contacts.display);
    write(folder, "matching", &contacts.matching);
    let of: ArrayRef = Arc::new(UInt32Array::from(clusters.of));
    write(folder, "clusters", &RecordBatch::try_from_iter([("of", of)]).expect("one column"));
}

fn write(folder: &Path, name: &str, batch: &RecordBatch) {
    let file = File::create(folder.join(name)).expect("the temporary folder can be written");
    let mut writer = FileWriter::try_new(file, &batch.schema()).expect("the temporary folder can be written");
    // As a published file is read: in batches.
    let rows = if name == "identities" {
        BATCH_ROWS
    } else {
        batch.num_rows().max(1)
    };
    for start in (0..batch.num_rows()).step_by(rows) {
        let slice = batch.slice(start, rows.min(batch.num_rows() - start));
        writer.write(&slice).expect("the temporary folder can be written");
    }
    writer.finish().expect("the temporary folder can be written");
}

fn read(folder: &Path, name: &str) -> Vec<RecordBatch> {
    let file = File::open(folder.join(name)).expect("the file was written");
    let reader = FileReader::try_new(file, None).expect("the file was written");
    reader.map(|batch| batch.expect("the file was written")).collect()
}

fn one(folder: &Path, name: &str) -> RecordBatch {
    read(folder, name).pop().expect("one batch was written")
}

fn measure(folder: &Path) {
    let stored = StoredKeys {
        identities: read(folder, "identities"),
        redirects: read(folder, "redirects"),
        retired: read(folder, "retired"),
        origins: read(folder, "origins"),
        merges: read(folder, "merges"),
        created: read(folder, "created"),
        contents: read(folder, "contents"),
    };
    let started = Instant::now();
    let previous = state::previous(stored).expect("the state was written");
    let read_ms = started.elapsed().as_millis();
    let read_peak = peak_mib();
    let contacts = CleanContacts {
        display: one(folder, "display"),
        matching: one(folder, "matching"),
    };
    let clusters = Clusters {
        of: one(folder, "clusters").column(0).as_primitive::<UInt32Type>().values().to_vec(),
    };
    reset_peak();
    let before = resident_mib();
    let started = Instant::now();
    let keys = assign(&contacts, &clusters, &previous, 2);
    let assign_ms = started.elapsed().as_millis();
    let peak = peak_mib();
    println!("{:?}", changes(&keys, previous.identities.keys().len() as u64));
    println!(
        "read yesterday's keys: {read_ms} ms, peak {read_peak} MiB; key: {assign_ms} ms, {before} MiB before, peak {peak} MiB; {} events",
        keys.events.len()
    );
}

/// Resident memory of this process in MiB, now or at most; 0 where `/proc` does not tell.
fn status_mib(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok())
        .unwrap_or(0)
        / 1024
}

fn resident_mib() -> u64 {
    status_mib("VmRSS:")
}

fn peak_mib() -> u64 {
    status_mib("VmHWM:")
}

/// Lets the peak begin anew (proc(5), `clear_refs`), where the system allows it.
fn reset_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}
