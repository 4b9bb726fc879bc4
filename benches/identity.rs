//! The hot stages of identity resolution: kernels against `strsim`, and blocks, training and scoring in pairs a second.
//!
//! `cargo bench --bench identity`. The people are made up from a fixed seed: names by a power law, every fifth record a copy with errors.

use arrow::array::StringArray;
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use stammkunde::block::{block, count_new};
use stammkunde::compare::{Comparer, kernel::Values};
use stammkunde::config::spec::{
    BlockingRule, ClusterSpec, CohesionSpec, ComparisonSpec, IdentitySpec, KeyPart, LevelSpec, Test, TrainingSpec,
};
use stammkunde::score::{TermFrequencies, Weights, score, train};
use stammkunde::table::{Blocks, Coded, CodedRecords};

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

const COLUMNS: [&str; 6] = ["given_name", "family_name", "birth_date", "street", "postcode", "email"];

fn person(random: &mut Random) -> [String; 6] {
    let (given, family) = (word(random.rank(6_000), 2), word(random.rank(60_000), 2));
    let email = format!("{given}.{family}{}@example.com", random.below(100));
    let date = format!(
        "{}-{:02}-{:02}",
        1940 + random.below(66),
        1 + random.below(12),
        1 + random.below(28)
    );
    let street = format!("{}strasse {}", word(random.rank(8_000), 3), 1 + random.below(120));
    [given, family, date, street, format!("{:05}", 1067 + random.rank(9_000) * 11), email]
}

fn people(count: usize) -> CodedRecords {
    let mut random = Random(42);
    let mut rows: Vec<[String; 6]> = Vec::with_capacity(count);
    for at in 0..count {
        let row = if at % 5 == 4 {
            let mut copy = rows[random.below(at as u64) as usize].clone();
            let column = random.below(6) as usize;
            copy[column] = typo(&copy[column], &mut random);
            copy
        } else {
            person(&mut random)
        };
        rows.push(row);
    }
    let column = |at: usize| rows.iter().map(|row| Some(row[at].as_str())).collect::<StringArray>();
    let columns = COLUMNS
        .iter()
        .enumerate()
        .map(|(at, name)| Coded::encode(name, &column(at)))
        .collect();
    CodedRecords::new(vec!["crm".to_owned()], vec![0; count], columns)
}

fn rule(columns: &[(&str, Option<u32>)]) -> BlockingRule {
    let keys = columns.iter().map(|&(column, prefix)| KeyPart {
        column: column.to_owned(),
        prefix,
    });
    BlockingRule {
        name: columns.iter().map(|(column, _)| *column).collect::<Vec<_>>().join(" + "),
        keys: keys.collect(),
        coarse: false,
    }
}

fn comparison(column: &str, tests: Vec<Test>) -> ComparisonSpec {
    let levels = tests.into_iter().map(|test| LevelSpec {
        label: format!("{test:?}"),
        test,
        term_frequency: None,
        m: None,
        u: None,
    });
    ComparisonSpec {
        name: column.to_owned(),
        not_null: vec![column.to_owned()],
        unless: Vec::new(),
        levels: levels.collect(),
    }
}

fn spec() -> IdentitySpec {
    let exact = |column: &str| Test::Exact(vec![column.to_owned()]);
    let similar = |column: &str| {
        let tests = [0.92, 0.88, 0.7].map(|at_least| Test::JaroWinkler(column.to_owned(), at_least));
        comparison(column, std::iter::once(exact(column)).chain(tests).collect())
    };
    let edits = |column: &str, at_most| Test::DamerauLevenshtein(column.to_owned(), at_most);
    let mut comparisons = vec![
        similar("given_name"),
        similar("family_name"),
        comparison(
            "birth_date",
            vec![exact("birth_date"), edits("birth_date", 1), edits("birth_date", 2)],
        ),
        similar("street"),
        comparison("postcode", vec![exact("postcode")]),
        similar("email"),
    ];
    for name in [0, 1] {
        comparisons[name].levels[0].term_frequency = Some(COLUMNS[name].to_owned());
    }
    IdentitySpec {
        identifiers: Vec::new(),
        generic_values: Default::default(),
        shared_by_records_max: 50,
        deterministic: Vec::new(),
        blocking: vec![
            rule(&[("email", None)]),
            rule(&[("family_name", None), ("birth_date", Some(4))]),
            rule(&[("given_name", None), ("birth_date", Some(7))]),
            rule(&[("postcode", None), ("birth_date", Some(4))]),
        ],
        block_pairs_max: 20_000_000,
        comparisons,
        match_probability: 0.95,
        possible_probability: 0.5,
        training: TrainingSpec {
            deterministic: vec![rule(&[("email", None)])],
            recall: 0.7,
            sessions: vec![
                rule(&[("family_name", None), ("birth_date", Some(4))]),
                rule(&[("postcode", None), ("birth_date", Some(4))]),
            ],
            u_pairs_max: 2_000_000,
            session_pairs_max: 2_000_000,
            iterations_max: 25,
            convergence: 1e-4,
            seed: 1,
            relations: true,
        },
        cluster: ClusterSpec {
            size_max: 200,
            one_per_customer: Vec::new(),
            exclusive: Vec::new(),
            cohesion: CohesionSpec::default(),
        },
    }
}

const SIZES: [usize; 2] = [100_000, 400_000];

#[divan::bench(args = SIZES, sample_count = 3)]
fn blocks(bencher: Bencher, count: usize) {
    let (spec, records) = (spec(), people(count));
    let pairs: u64 = block(&spec.blocking, spec.block_pairs_max, &records)
        .1
        .iter()
        .map(|rule| rule.pairs)
        .sum();
    bencher
        .counter(ItemsCount::new(pairs))
        .bench_local(|| block(&spec.blocking, spec.block_pairs_max, &records));
}

#[divan::bench(args = SIZES, sample_count = 3)]
fn prepare_comparisons(bencher: Bencher, count: usize) {
    let (spec, records) = (spec(), people(count));
    bencher.bench_local(|| Comparer::new(&spec.comparisons, &records));
}

#[divan::bench(args = SIZES, sample_count = 3)]
fn training(bencher: Bencher, count: usize) {
    let (spec, records) = (spec(), people(count));
    let comparer = Comparer::new(&spec.comparisons, &records);
    let (sessions, _) = block(&spec.training.sessions, u64::MAX, &records);
    bencher.bench_local(|| train(&spec, &records, &sessions, 100_000, &comparer));
}

#[divan::bench(args = SIZES, sample_count = 3)]
fn scoring(bencher: Bencher, count: usize) {
    let (spec, records) = (spec(), people(count));
    let comparer = Comparer::new(&spec.comparisons, &records);
    let (sessions, _) = block(&spec.training.sessions, u64::MAX, &records);
    let model = train(&spec, &records, &sessions, 100_000, &comparer);
    let frequencies = TermFrequencies::count(&spec.comparisons, &records);
    let weights = Weights::new(&spec.comparisons, &model, &frequencies, &records).expect("the model was trained for these comparisons");
    let (blocks, mut counts) = block(&spec.blocking, spec.block_pairs_max, &records);
    count_new(&blocks, &records, &mut counts);
    bencher
        .counter(ItemsCount::new(counts.iter().map(|rule| rule.pairs_new).sum::<u64>()))
        .bench_local(|| score(&spec, &records, &blocks, &Blocks::default(), &weights, &comparer));
}

/// Values of one column, and the pairs that a kernel bench compares: each of the first 200 with all.
fn kernel_values(column: usize) -> (Vec<String>, u64) {
    let mut random = Random(7);
    let values: Vec<String> = (0..1000).map(|_| person(&mut random)[column].clone()).collect();
    (values, 200 * 1000)
}

fn bench_strsim(bencher: Bencher, column: usize, compare: impl Fn(&str, &str) -> bool) {
    let (values, pairs) = kernel_values(column);
    bencher.counter(ItemsCount::new(pairs)).bench_local(|| {
        let row = |left: &String| values.iter().filter(|right| compare(black_box(left), right)).count();
        values[..200].iter().map(row).sum::<usize>()
    });
}

fn bench_kernel(bencher: Bencher, column: usize, compare: impl Fn(&mut Values, u32, u32) -> bool) {
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

#[divan::bench(args = [0, 1, 3, 5])]
fn jaro_winkler_strsim(bencher: Bencher, column: usize) {
    bench_strsim(bencher, column, |a, b| strsim::jaro_winkler(a, b) >= 0.88);
}

#[divan::bench(args = [0, 1, 3, 5])]
fn jaro_winkler_kernel(bencher: Bencher, column: usize) {
    bench_kernel(bencher, column, |values, a, b| values.jaro_winkler(a, b) >= 0.88);
}

#[divan::bench(args = [2, 5])]
fn damerau_levenshtein_strsim(bencher: Bencher, column: usize) {
    bench_strsim(bencher, column, |a, b| strsim::damerau_levenshtein(a, b) <= 2);
}

#[divan::bench(args = [2, 5])]
fn damerau_levenshtein_kernel(bencher: Bencher, column: usize) {
    bench_kernel(bencher, column, |values, a, b| values.damerau_levenshtein(a, b, 2).is_some());
}

#[divan::bench(args = [1, 5])]
fn levenshtein_strsim(bencher: Bencher, column: usize) {
    bench_strsim(bencher, column, |a, b| strsim::levenshtein(a, b) <= 2);
}

#[divan::bench(args = [1, 5])]
fn levenshtein_kernel(bencher: Bencher, column: usize) {
    bench_kernel(bencher, column, |values, a, b| values.levenshtein(a, b, 2).is_some());
}
