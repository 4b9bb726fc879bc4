//! Tests of identity resolution: blocks, comparison levels, training, weights, links and clusters.

mod blocks;
mod clusters;
mod compare;
mod generic;
mod guard;
mod known;
mod laws;
mod links;
mod relations;
mod training;
mod weights;

use arrow::array::StringArray;
use stammkunde::config::spec::{
    BlockingRule, ClusterSpec, CohesionSpec, ComparisonSpec, IdentitySpec, KeyPart, LevelSpec, Test, TrainingSpec,
};
use stammkunde::table::{Candidate, Coded, CodedRecords, PairPatterns, Pattern};

/// Coded records of one source, from columns of optional values.
fn records(columns: &[(&str, Vec<Option<&str>>)]) -> CodedRecords {
    let rows = columns[0].1.len();
    let coded = columns
        .iter()
        .map(|(name, values)| Coded::encode(name, &values.iter().copied().collect::<StringArray>()))
        .collect();
    CodedRecords::new(vec!["crm".to_owned()], vec![0; rows], coded)
}

fn owned(columns: &[(&str, &[Option<String>])]) -> CodedRecords {
    let borrowed: Vec<(&str, Vec<Option<&str>>)> = columns
        .iter()
        .map(|(name, values)| (*name, values.iter().map(Option::as_deref).collect()))
        .collect();
    records(&borrowed)
}

fn rule(columns: &[&str]) -> BlockingRule {
    let keys = columns
        .iter()
        .map(|text| match text.split_once(':') {
            Some((column, length)) => KeyPart {
                column: column.to_owned(),
                prefix: Some(length.parse().expect("a number stands after the colon")),
            },
            None => KeyPart {
                column: (*text).to_owned(),
                prefix: None,
            },
        })
        .collect();
    BlockingRule {
        name: columns.join(" + "),
        keys,
        coarse: false,
    }
}

fn level(test: Test) -> LevelSpec {
    LevelSpec {
        label: format!("{test:?}"),
        test,
        term_frequency: None,
        m: None,
        u: None,
    }
}

fn exact(column: &str) -> Test {
    Test::Exact(vec![column.to_owned()])
}

fn comparison(column: &str, tests: Vec<Test>) -> ComparisonSpec {
    ComparisonSpec {
        name: column.to_owned(),
        not_null: vec![column.to_owned()],
        unless: Vec::new(),
        levels: tests.into_iter().map(level).collect(),
    }
}

fn spec(comparisons: Vec<ComparisonSpec>) -> IdentitySpec {
    IdentitySpec {
        identifiers: Vec::new(),
        generic_values: Default::default(),
        shared_by_records_max: 50,
        deterministic: Vec::new(),
        blocking: Vec::new(),
        block_pairs_max: 20_000_000,
        comparisons,
        match_probability: 0.95,
        possible_probability: 0.5,
        training: TrainingSpec {
            deterministic: Vec::new(),
            recall: 0.7,
            sessions: Vec::new(),
            u_pairs_max: 100_000,
            session_pairs_max: 100_000,
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

/// Patterns that a test makes up.
struct Given<F>(F);

impl<F: Fn(u32, u32) -> Pattern + Sync> PairPatterns for Given<F> {
    type Scratch = ();

    fn scratch(&self) {}

    fn patterns(&self, (): &mut (), pairs: &[Candidate], patterns: &mut Vec<Pattern>) {
        patterns.clear();
        patterns.extend(pairs.iter().map(|pair| (self.0)(pair.pair.left.0, pair.pair.right.0)));
    }
}

/// Runs on a pool of so many threads.
fn on_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("a pool of a few threads can be built")
        .install(run)
}

/// A small generator for tests that need many values: xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn is(&mut self, probability: f64) -> bool {
        (self.below(1 << 32) as f64) < probability * (1_u64 << 32) as f64
    }
}
