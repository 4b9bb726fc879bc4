//! Lifetime models on a million made-up customers: wall time of each fit and of scoring everybody.
//!
//! `cargo bench --bench lifetime [-- --customers N --weeks LOW HIGH --threads T]`. Customers live by BG/NBD (r 0.25, alpha 4.4 weeks, a 0.8,
//! b 2.5) with first purchases spread evenly over LOW to HIGH weeks ago (27 to 39), purchases on whole days; spend by Gamma-Gamma (p 6.25,
//! q 3.74, v 15.44), in cents. Scoring asks for P(alive), silence for a year, and discounted purchases of 12 and 36 months with a
//! standard error, customer by customer, as a query would.

use std::time::Instant;

use rayon::prelude::*;
use stammkunde::clv::gamma_gamma::{self, Spends};
use stammkunde::clv::{Fit, Histories, History, Predictor, PurchaseModel, fit};

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MODELS: [PurchaseModel; 4] = [
    PurchaseModel::Nbd,
    PurchaseModel::BgNbd,
    PurchaseModel::MbgNbd,
    PurchaseModel::ParetoNbd,
];
const RATE: f64 = 0.1;
/// Customers that one predictor scores in a row, as a batch of a query does.
const BATCH: usize = 8_192;

struct Options {
    customers: usize,
    weeks: (f64, f64),
    threads: usize,
}

fn main() {
    let options = options();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build();
    pool.expect("threads can be started").install(|| run(&options));
}

fn options() -> Options {
    let mut options = Options {
        customers: 1_000_000,
        weeks: (27.0, 39.0),
        threads: 2,
    };
    let mut arguments = std::env::args().skip(1);
    let number = |argument: Option<String>| -> f64 { argument.and_then(|value| value.parse().ok()).expect("a number") };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--customers" => options.customers = number(arguments.next()) as usize,
            "--weeks" => options.weeks = (number(arguments.next()), number(arguments.next())),
            "--threads" => options.threads = number(arguments.next()) as usize,
            "--bench" => {}
            other => panic!("{other} is no option: --customers N --weeks LOW HIGH --threads T"),
        }
    }
    options
}

fn run(options: &Options) {
    let (customers, spends) = simulate(options);
    let mut histories = Histories::default();
    for &history in &customers {
        histories.add(history, 1);
    }
    let (count, distinct) = (customers.len(), histories.len());
    println!("{count} customers, {distinct} distinct histories, {} threads", options.threads);
    for model in MODELS {
        let (fitted, seconds) = timed(|| fit(model, &histories));
        tell(&fitted, seconds);
        let ((alive, worth), seconds) = timed(|| score(&customers, &fitted));
        println!("            scored in {seconds:.3} s: {alive:.0} alive, {worth:.0} discounted purchases in 36 months");
    }
    let (fitted, seconds) = timed(|| gamma_gamma::fit(&spends));
    tell(&fitted, seconds);
}

fn tell(fit: &Fit, seconds: f64) {
    let params: Vec<String> = fit.params.iter().map(|value| format!("{value:.4}")).collect();
    println!(
        "{:<11} fitted in {seconds:.3} s: {} after {} steps, {}",
        fit.model,
        params.join(" "),
        fit.iterations,
        fit.status.as_str()
    );
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let done = work();
    (done, start.elapsed().as_secs_f64())
}

/// Sums over all customers of P(alive) and of discounted purchases.
fn score(customers: &[History], fit: &Fit) -> (f64, f64) {
    let model = PurchaseModel::from_name(fit.model).expect("the model of a fit");
    let predictor = Predictor::new(model, &fit.params).expect("parameters of a fit");
    let pieces: Vec<(f64, f64)> = customers
        .par_chunks(customers.len().div_ceil(rayon::current_num_threads()).max(BATCH))
        .map(|piece| {
            let mut predictor = predictor.clone();
            piece.iter().fold((0.0, 0.0), |(alive, worth), &history| {
                let silent = predictor.p_no_purchase(history, 365.0);
                let year = predictor.discounted_purchases(history, 365.0, RATE);
                let error = predictor.discounted_purchases_se(history, 365.0, RATE, &fit.covariance);
                assert!(
                    silent.is_finite() && year.is_finite() && error.is_finite(),
                    "predictions are numbers"
                );
                (
                    alive + predictor.p_alive(history),
                    worth + predictor.discounted_purchases(history, 1_095.0, RATE),
                )
            })
        })
        .collect();
    pieces.iter().fold((0.0, 0.0), |sum, piece| (sum.0 + piece.0, sum.1 + piece.1))
}

fn simulate(options: &Options) -> (Vec<History>, Spends) {
    let (mut chance, mut spends) = (Chance(88_172_645), Spends::default());
    let customers = (0..options.customers).map(|_| {
        let age = (7.0 * (options.weeks.0 + (options.weeks.1 - options.weeks.0) * chance.uniform())).floor();
        let gap = 7.0 * 4.4 / chance.gamma(0.25);
        let (one, other) = (chance.gamma(0.8), chance.gamma(2.5));
        let (mut now, mut x, mut last) = (0.0, 0, 0);
        loop {
            now += gap * chance.exponential();
            if now > age {
                break;
            }
            let day = now.ceil() as u32;
            (x, last) = (x + u32::from(day > last), day);
            if chance.uniform() < one / (one + other) {
                break;
            }
        }
        if x > 0 {
            let scale = chance.gamma(3.74) / 15.44;
            let mean = chance.gamma(6.25 * f64::from(x)) / scale / f64::from(x);
            spends.add(x, (mean * 100.0).round() / 100.0, 1);
        }
        History {
            x,
            recency: last,
            age: age as u32,
        }
    });
    (customers.collect(), spends)
}

/// Chance that is the same on every run (SplitMix64, Steele and others 2014).
struct Chance(u64);

impl Chance {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 12) as f64 / (1_u64 << 52) as f64 + 1e-17
    }

    fn exponential(&mut self) -> f64 {
        -self.uniform().ln()
    }

    /// Gamma with scale 1 (Marsaglia and Tsang 2000).
    fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            return self.gamma(shape + 1.0) * self.uniform().powf(1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        loop {
            let normal = (2.0 * self.exponential()).sqrt() * (2.0 * std::f64::consts::PI * self.uniform()).cos();
            let cube = (1.0 + normal / (9.0 * d).sqrt()).powi(3);
            if cube > 0.0 && self.uniform().ln() < 0.5 * normal * normal + d * (1.0 - cube + cube.ln()) {
                return d * cube;
            }
        }
    }
}
