//! Customer models through SQL on a million customers: fit MBG/NBD and Gamma-Gamma, predict 12 and 36 months for everybody.
//!
//! `cargo bench --bench functions [-- --customers N --threads T --runs R]`. Customers buy and stop as the BG/NBD with the parameters of the
//! CDNOW sample has it, for 27 to 39 weeks, on whole days; spend is Gamma-Gamma. The table is in memory: repeat purchases, recency and age
//! in days, mean spend. `predict rows` predicts for every customer instead of every distinct history.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use datafusion::datasource::MemTable;
use stammkunde::engine::{Engine, EngineOptions};

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One scored row a customer; equal histories are predicted once.
const SQL: &str = "WITH histories AS (
    SELECT x, recency_days, age_days, count(*) AS customers FROM customers GROUP BY x, recency_days, age_days
), model AS (
    SELECT f['model_name'] AS model_name, f['params'] AS params, f['model_status'] AS model_status
    FROM (SELECT purchase_fit('mbg_nbd', x, recency_days, age_days, customers) AS f FROM histories)
), spend AS (
    SELECT f['params'] AS params FROM (SELECT spend_fit(x, mean_spend) AS f FROM customers)
), predicted AS (
    SELECT x, recency_days, age_days,
        p_no_purchase(model_name, params, x, recency_days, age_days, 365) AS p_lost,
        discounted_purchases(model_name, params, x, recency_days, age_days, 365, 0.1) AS purchases_12m,
        discounted_purchases(model_name, params, x, recency_days, age_days, 1095, 0.1) AS purchases_36m
    FROM histories CROSS JOIN model
), scored AS (
    SELECT c.customer, p.p_lost, p.purchases_12m, p.purchases_36m, expected_spend(s.params, c.x, c.mean_spend) AS spend
    FROM customers AS c
    JOIN predicted AS p ON c.x = p.x AND c.recency_days = p.recency_days AND c.age_days = p.age_days
    CROSS JOIN spend AS s
)";

struct Options {
    customers: usize,
    threads: usize,
    runs: usize,
}

fn main() {
    let options = options();
    let engine = Engine::new(&EngineOptions {
        threads: Some(options.threads),
        ..EngineOptions::default()
    })
    .expect("an engine starts");
    let table = customers(options.customers);
    let steps = [
        ("group", "SELECT count(*) FROM histories"),
        ("fit purchases", "SELECT params, model_status FROM model"),
        ("fit spend", "SELECT params FROM spend"),
        (
            "predict histories",
            "SELECT sum(purchases_12m), sum(purchases_36m), sum(p_lost) FROM predicted",
        ),
        (
            "predict rows",
            "SELECT sum(discounted_purchases(model_name, params, x, recency_days, age_days, 365, 0.1)) FROM customers CROSS JOIN model",
        ),
        (
            "everything",
            "SELECT customer, p_lost, spend * purchases_12m AS clv_12m, spend * purchases_36m AS clv_36m FROM scored",
        ),
    ];
    println!("{} customers, {} threads", options.customers, options.threads);
    for (name, select) in steps {
        let mut seconds: Vec<f64> = (0..options.runs).map(|_| run(&engine, &table, select)).collect();
        seconds.sort_by(f64::total_cmp);
        println!(
            "{name:20} {:.3} s (best of {}), worst {:.3} s",
            seconds[0],
            options.runs,
            seconds[seconds.len() - 1]
        );
    }
}

/// Seconds of one query in a session of its own.
fn run(engine: &Engine, table: &RecordBatch, select: &str) -> f64 {
    let session = engine.session();
    let slice = |part: usize| {
        let rows = table.num_rows().div_ceil(engine.threads());
        let start = (part * rows).min(table.num_rows());
        table.slice(start, rows.min(table.num_rows() - start))
    };
    let parts = (0..engine.threads()).map(|part| vec![slice(part)]).collect();
    let provider = MemTable::try_new(table.schema(), parts).expect("batches of one schema");
    session.register_table("customers", Arc::new(provider)).expect("a fresh session");
    let start = Instant::now();
    let frame = engine.plan(&session, &format!("{SQL} {select}")).expect("the query plans");
    let batches = engine.collect(frame).expect("the query runs");
    let seconds = start.elapsed().as_secs_f64();
    assert!(batches.iter().any(|batch| batch.num_rows() > 0), "a query gives rows");
    seconds
}

fn options() -> Options {
    let mut options = Options {
        customers: 1_000_000,
        threads: 2,
        runs: 3,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let field = match name.as_str() {
            "--customers" => &mut options.customers,
            "--threads" => &mut options.threads,
            "--runs" => &mut options.runs,
            _ => continue,
        };
        *field = arguments.next().and_then(|value| value.parse().ok()).expect("a number");
    }
    options
}

/// A generator of random numbers, the same everywhere (SplitMix64).
struct Random(u64);

impl Random {
    /// Above 0 and below 1.
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64 + 1e-17
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Gamma with this shape and scale 1 (Marsaglia and Tsang 2000).
    fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            return self.gamma(shape + 1.0) * self.uniform().powf(1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        loop {
            let z = self.normal();
            let v = (1.0 + z / (9.0 * d).sqrt()).powi(3);
            if v > 0.0 && self.uniform().ln() < 0.5 * z * z + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }
}

fn customers(count: usize) -> RecordBatch {
    let mut random = Random(7);
    let (mut x, mut recency, mut age, mut spend) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..count {
        let rate = random.gamma(0.25) / 4.4 / 7.0;
        let (one, other) = (random.gamma(0.8), random.gamma(2.5));
        let (stops, days) = (one / (one + other), (189.0 + 85.0 * random.uniform()).floor());
        let (mut purchases, mut last, mut time) = (0_i64, 0_i64, 0.0);
        loop {
            time += -random.uniform().ln() / rate;
            if time >= days {
                break;
            }
            // Purchases of one day are one.
            if time as i64 > last {
                last = time as i64;
                purchases += 1;
            }
            if random.uniform() < stops {
                break;
            }
        }
        x.push(purchases);
        recency.push(last);
        age.push(days as i64);
        let scale = random.gamma(3.74) / 15.44;
        spend.push((purchases > 0).then(|| (random.gamma(6.25 * purchases as f64) / scale / purchases as f64 * 100.0).round() / 100.0));
    }
    let columns: [(&str, ArrayRef); 5] = [
        ("customer", Arc::new((0..count as i64).collect::<Int64Array>())),
        ("x", Arc::new(Int64Array::from(x))),
        ("recency_days", Arc::new(Int64Array::from(recency))),
        ("age_days", Arc::new(Int64Array::from(age))),
        ("mean_spend", Arc::new(Float64Array::from(spend))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).expect("columns of one length")
}
