//! The hot stages of identity resolution: kernels against `strsim`, and the stages with the default config, in pairs and records a second.
//!
//! `cargo bench --bench identity`. Config and mapping are those of `pipelines/people`, read and standardized as a run does. The people are
//! those of the Parquet file that `STAMMKUNDE_PEOPLE` names (`benches/peers/people.py` makes one); without it they are made up from a fixed
//! seed: names by a power law, every fifth record a copy with an error. Stages run on all cores.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use parquet::arrow::ArrowWriter;
use stammkunde::block::{block, count_new};
use stammkunde::cluster::cluster;
use stammkunde::compare::{Comparer, kernel::Values};
use stammkunde::config::spec::IdentitySpec;
use stammkunde::config::{self, Overrides};
use stammkunde::engine::{Engine, EngineOptions};
use stammkunde::score::{self, Likely, Model, TermFrequencies, Weights};
use stammkunde::source::{self, Ledger, NoPieces};
use stammkunde::standardize::{self, Purpose};
use stammkunde::table::{Blocks, CleanContacts, CodedRecords, Contacts, Link};

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

/// xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16) % bound
    }

    /// A rank below `bound`; small ones are much more likely.
    fn rank(&mut self, bound: u64) -> u64 {
        let uniform = self.below(1 << 24) as f64 / (1_u64 << 24) as f64;
        (bound as f64 * uniform.powi(3)) as u64
    }
}

fn word(rank: u64, syllables_min: u64) -> String {
    const SYLLABLES: [&str; 24] = [
        "an", "ber", "ca", "da", "el", "fri", "ger", "ha", "in", "jo", "ka", "li", "mar", "na", "ol", "pe", "ra", "se", "ti", "ul", "vi",
        "wil", "xa", "zü",
    ];
    let mut text = String::new();
    let mut rest = rank.wrapping_mul(0x9E37_79B9) >> 3;
    for _ in 0..syllables_min + rank % 3 {
        text.push_str(SYLLABLES[(rest % 24) as usize]);
        rest /= 24;
    }
    text
}

fn typo(text: &str, random: &mut Random) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let at = random.below(letters.len() as u64 - 1) as usize;
    match random.below(3) {
        0 => letters.swap(at, at + 1),
        1 => drop(letters.remove(at)),
        _ => letters[at] = 'e',
    }
    letters.into_iter().collect()
}

/// Columns of a file of `pipelines/people`, without the number of the record.
const COLUMNS: [&str; 9] = [
    "given_name",
    "surname",
    "dob",
    "street",
    "postcode",
    "email",
    "phone",
    "city",
    "country",
];
const COUNTRY: usize = 8;

fn person(random: &mut Random) -> [String; 9] {
    let (given, family) = (word(random.rank(6_000), 2), word(random.rank(60_000), 2));
    let email = format!("{given}.{family}{}@example.com", random.below(100));
    let date = format!(
        "{}-{:02}-{:02}",
        1940 + random.below(66),
        1 + random.below(12),
        1 + random.below(28)
    );
    let street = format!("{}strasse {}", word(random.rank(8_000), 3), 1 + random.below(120));
    let place = random.rank(9_000);
    let (postcode, city) = (format!("{:05}", 1067 + place * 11), word(place / 8, 3));
    let phone = format!("+4917{:08}", random.below(100_000_000));
    [given, family, date, street, postcode, email, phone, city, "DE".to_owned()]
}

/// Writes made-up people as a file of `pipelines/people`.
fn make_up(count: usize, path: &Path) {
    let mut random = Random(42);
    let mut rows: Vec<[String; 9]> = Vec::with_capacity(count);
    for at in 0..count {
        let row = if at % 5 == 4 {
            let mut copy = rows[random.below(at as u64) as usize].clone();
            let column = random.below(COUNTRY as u64) as usize;
            copy[column] = typo(&copy[column], &mut random);
            copy
        } else {
            person(&mut random)
        };
        rows.push(row);
    }
    let text = |values: StringArray| Arc::new(values) as ArrayRef;
    let ids = text((0..count).map(|at| Some(at.to_string())).collect());
    let column = |at: usize| text(rows.iter().map(|row| Some(row[at].as_str())).collect());
    let columns = COLUMNS.iter().enumerate().map(|(at, &name)| (name, column(at)));
    let batch = RecordBatch::try_from_iter(std::iter::once(("rec_id", ids)).chain(columns)).expect("columns are of one length");
    let file = File::create(path).expect("the temporary folder can be written");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("text can be written as Parquet");
    writer.write(&batch).expect("the temporary folder can be written");
    writer.close().expect("the temporary folder can be written");
}

/// Records and everything that the stages make of them, each the input of a bench.
struct Scene {
    spec: IdentitySpec,
    country: String,
    contacts: Contacts,
    clean: CleanContacts,
    records: &'static CodedRecords,
    blocks: Blocks,
    pairs: u64,
    comparer: Comparer<'static>,
    model: Model,
    likely: Likely,
    frequencies: TermFrequencies,
    links: Vec<Link>,
}

impl Scene {
    fn read(path: &Path) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/people");
        let environment = |name: &str| (name == "PEOPLE_PARQUET").then(|| path.display().to_string());
        let spec = config::load(&folder, &Overrides::default(), &environment).expect("the project's own pipeline is valid");
        let engine = Engine::new(&EngineOptions::default()).expect("threads can be started");
        let listed = source::list(&engine, &spec, &Ledger::default()).expect("the file of people is there");
        let objects: Vec<_> = listed.into_iter().map(|(object, _)| object).collect();
        let matching = spec.identity.columns();
        let is_wanted = |name: &str| standardize::is_read_for(&matching, name);
        let ingested =
            source::read_contacts(&engine, &spec, &objects, (&Ledger::default(), &NoPieces), &is_wanted).expect("the file holds people");
        let clean = standardize::standardize_for(&ingested.contacts, &spec.country, Purpose::Matching(&matching)).contacts;
        Self::resolve(spec.identity, spec.country, ingested.contacts, clean)
    }

    fn resolve(spec: IdentitySpec, country: String, contacts: Contacts, clean: CleanContacts) -> Self {
        // Benches borrow from it until the process ends.
        let records: &'static CodedRecords = Box::leak(Box::new(clean.code(&spec.columns())));
        let (blocks, mut counts) = block(&spec.blocking, spec.block_pairs_max, records);
        count_new(&blocks, records, &mut counts);
        let pairs = counts.iter().map(|rule| rule.pairs_new).sum();
        let comparer = Comparer::new(&spec.comparisons, records);
        let model = train(&spec, records, &blocks, &comparer);
        let likely = likely(&spec, records, &blocks, &model, &comparer);
        let frequencies = score::strangers(&spec, records, &likely.pairs, &model).expect("the model is of this spec");
        let links = links(&spec, records, &likely, &model, &frequencies, &comparer);
        Self {
            spec,
            country,
            contacts,
            clean,
            records,
            blocks,
            pairs,
            comparer,
            model,
            likely,
            frequencies,
            links,
        }
    }
}

fn train(spec: &IdentitySpec, records: &CodedRecords, blocks: &Blocks, comparer: &Comparer<'_>) -> Model {
    let (certain, mut counts) = block(&spec.training.deterministic, spec.block_pairs_max, records);
    count_new(&certain, records, &mut counts);
    let certain_pairs = counts.iter().map(|counts| counts.pairs_new).sum();
    let (sessions, _) = block(&spec.training.sessions, spec.block_pairs_max, records);
    let model = score::train(spec, records, &sessions, certain_pairs, comparer);
    score::fit(spec, records, blocks, comparer, model)
}

fn likely(spec: &IdentitySpec, records: &CodedRecords, blocks: &Blocks, model: &Model, comparer: &Comparer<'_>) -> Likely {
    let upper = score::upper_weights(spec, records, model).expect("the model is of this spec");
    score::likely(spec, records, blocks, &upper, comparer)
}

fn links(
    spec: &IdentitySpec,
    records: &CodedRecords,
    likely: &Likely,
    model: &Model,
    frequencies: &TermFrequencies,
    comparer: &Comparer<'_>,
) -> Vec<Link> {
    let weights = Weights::new(&spec.comparisons, model, frequencies, records).expect("the model is of this spec");
    let (certain, _) = block(&spec.deterministic, u64::MAX, records);
    score::links(spec, records, likely, &certain, &weights, comparer).0
}

/// What the stages are benched on.
fn people() -> Vec<String> {
    match std::env::var("STAMMKUNDE_PEOPLE") {
        Ok(path) => vec![path],
        Err(_) => ["100000 made up", "400000 made up"].map(str::to_owned).into(),
    }
}

/// The scene of a name, made when it is first asked for.
fn scene(name: &str) -> &'static Scene {
    static SCENES: Mutex<BTreeMap<String, &'static Scene>> = Mutex::new(BTreeMap::new());
    let mut scenes = SCENES.lock().expect("a bench that fails ends the process");
    scenes.entry(name.to_owned()).or_insert_with(|| {
        let scene = match name.strip_suffix(" made up") {
            Some(count) => {
                let folder = tempfile::tempdir().expect("there is a temporary folder");
                let path = folder.path().join("people.parquet");
                make_up(count.parse().expect("the name starts with a number"), &path);
                Scene::read(&path)
            }
            None => Scene::read(&PathBuf::from(name)),
        };
        Box::leak(Box::new(scene))
    })
}

#[divan::bench(args = people(), sample_count = 3, sample_size = 1)]
fn stage_1_standardize(bencher: Bencher, name: &str) {
    let scene = scene(name);
    let matching = scene.spec.columns();
    bencher
        .counter(ItemsCount::new(scene.contacts.len()))
        .bench_local(|| standardize::standardize_for(&scene.contacts, &scene.country, Purpose::Matching(&matching)));
}

#[divan::bench(args = people(), sample_count = 3, sample_size = 1)]
fn stage_2_code_and_block(bencher: Bencher, name: &str) {
    let scene = scene(name);
    bencher.counter(ItemsCount::new(scene.contacts.len())).bench_local(|| {
        let records = scene.clean.code(&scene.spec.columns());
        block(&scene.spec.blocking, scene.spec.block_pairs_max, &records)
    });
}

#[divan::bench(args = people(), sample_count = 3, sample_size = 1)]
fn stage_3_prepare_comparisons(bencher: Bencher, name: &str) {
    let scene = scene(name);
    bencher
        .counter(ItemsCount::new(scene.contacts.len()))
        .bench_local(|| Comparer::new(&scene.spec.comparisons, scene.records));
}

#[divan::bench(args = people(), sample_count = 3, sample_size = 1)]
fn stage_4_train(bencher: Bencher, name: &str) {
    let scene = scene(name);
    bencher
        .counter(ItemsCount::new(scene.contacts.len()))
        .bench_local(|| train(&scene.spec, scene.records, &scene.blocks, &scene.comparer));
}

/// Candidate pairs a second: every pair is made, taken once, compared, and left as soon as it cannot become a link.
#[divan::bench(args = people(), sample_count = 5, sample_size = 1)]
fn stage_5_compare_pairs(bencher: Bencher, name: &str) {
    let scene = scene(name);
    bencher
        .counter(ItemsCount::new(scene.pairs))
        .bench_local(|| likely(&scene.spec, scene.records, &scene.blocks, &scene.model, &scene.comparer));
}

/// The same on one thread.
#[divan::bench(args = people(), sample_count = 5, sample_size = 1)]
fn stage_5_compare_pairs_one_thread(bencher: Bencher, name: &str) {
    let scene = scene(name);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .expect("a thread can be started");
    let compare = || likely(&scene.spec, scene.records, &scene.blocks, &scene.model, &scene.comparer);
    bencher.counter(ItemsCount::new(scene.pairs)).bench_local(|| pool.install(compare));
}

/// The same without leaving any pair early: every comparison of every pair.
#[divan::bench(args = people(), sample_count = 5, sample_size = 1)]
fn stage_5_compare_pairs_to_the_end(bencher: Bencher, name: &str) {
    let scene = scene(name);
    let mut spec = scene.spec.clone();
    spec.possible_probability = 0.0;
    bencher
        .counter(ItemsCount::new(scene.pairs))
        .bench_local(|| likely(&spec, scene.records, &scene.blocks, &scene.model, &scene.comparer));
}

#[divan::bench(args = people(), sample_count = 3, sample_size = 1)]
fn stage_6_frequencies_among_strangers(bencher: Bencher, name: &str) {
    let scene = scene(name);
    bencher
        .counter(ItemsCount::new(scene.likely.pairs.len()))
        .bench_local(|| score::strangers(&scene.spec, scene.records, &scene.likely.pairs, &scene.model));
}

#[divan::bench(args = people(), sample_count = 3, sample_size = 1)]
fn stage_7_weigh_likely_pairs(bencher: Bencher, name: &str) {
    let scene = scene(name);
    let weigh = || {
        links(
            &scene.spec,
            scene.records,
            &scene.likely,
            &scene.model,
            &scene.frequencies,
            &scene.comparer,
        )
    };
    bencher.counter(ItemsCount::new(scene.likely.pairs.len())).bench_local(weigh);
}

#[divan::bench(args = people(), sample_count = 3, sample_size = 1)]
fn stage_8_cluster(bencher: Bencher, name: &str) {
    let scene = scene(name);
    let threshold = score::weight_of(scene.spec.match_probability);
    bencher
        .counter(ItemsCount::new(scene.links.len()))
        .bench_local(|| cluster(&scene.spec.cluster, scene.records, &scene.links, &[], threshold));
}

/// Values of one column, and the pairs that a kernel bench compares: each of the first 200 with all.
fn kernel_values(column: &str) -> (Vec<String>, u64) {
    let mut random = Random(7);
    let column = COLUMNS.iter().position(|&name| name == column).expect("it is one of the columns");
    let values: Vec<String> = (0..1000).map(|_| person(&mut random)[column].clone()).collect();
    (values, 200 * 1000)
}

fn bench_strsim(bencher: Bencher, column: &str, compare: impl Fn(&str, &str) -> bool) {
    let (values, pairs) = kernel_values(column);
    bencher.counter(ItemsCount::new(pairs)).bench_local(|| {
        let row = |left: &String| values.iter().filter(|right| compare(black_box(left), right)).count();
        values[..200].iter().map(row).sum::<usize>()
    });
}

fn bench_kernel(bencher: Bencher, column: &str, compare: impl Fn(&mut Values, u32, u32) -> bool) {
    let (values, pairs) = kernel_values(column);
    let texts: Vec<&str> = values.iter().map(String::as_str).collect();
    let mut kernels = Values::new(&texts);
    bencher.counter(ItemsCount::new(pairs)).bench_local(|| {
        let mut holds = 0;
        for left in 0..200 {
            for right in 0..1000 {
                holds += usize::from(compare(&mut kernels, black_box(left), right));
            }
        }
        holds
    });
}

#[divan::bench(sample_count = 20, args = ["given_name", "surname", "street", "email"])]
fn jaro_winkler_strsim(bencher: Bencher, column: &str) {
    bench_strsim(bencher, column, |a, b| strsim::jaro_winkler(a, b) >= 0.88);
}

#[divan::bench(sample_count = 20, args = ["given_name", "surname", "street", "email"])]
fn jaro_winkler_kernel(bencher: Bencher, column: &str) {
    bench_kernel(bencher, column, |values, a, b| values.jaro_winkler(a, b) >= 0.88);
}

#[divan::bench(sample_count = 20, args = ["dob", "email"])]
fn damerau_levenshtein_strsim(bencher: Bencher, column: &str) {
    bench_strsim(bencher, column, |a, b| strsim::damerau_levenshtein(a, b) <= 2);
}

#[divan::bench(sample_count = 20, args = ["dob", "email"])]
fn damerau_levenshtein_kernel(bencher: Bencher, column: &str) {
    bench_kernel(bencher, column, |values, a, b| values.damerau_levenshtein(a, b, 2).is_some());
}

#[divan::bench(sample_count = 20, args = ["surname", "email"])]
fn levenshtein_strsim(bencher: Bencher, column: &str) {
    bench_strsim(bencher, column, |a, b| strsim::levenshtein(a, b) <= 2);
}

#[divan::bench(sample_count = 20, args = ["surname", "email"])]
fn levenshtein_kernel(bencher: Bencher, column: &str) {
    bench_kernel(bencher, column, |values, a, b| values.levenshtein(a, b, 2).is_some());
}
