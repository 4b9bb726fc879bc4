//! Customer lifetime value on a million customers, and every shipped model on a million customers with five million orders.
//!
//! `cargo bench --bench customer_value [-- --customers N --orders M --threads T --runs R --only value|models --peer PYTHON]`.
//!
//! `value`: a table of histories (x, t_x, T in days, mean spend) is in memory; measured is SQL from there: MBG/NBD and Gamma-Gamma are fitted,
//! and each customer gets P(alive), discounted purchases of 12 and 36 months and their value. Histories are drawn from a BG/NBD process
//! (r .25, alpha 4.4, a .8, b 2.5, T from 27 to 39 weeks, on whole days), spend from Gamma-Gamma (6.25, 3.74, 15.44). `--peer` names a Python
//! that has lifetimes 0.11.3; it then fits its BG/NBD to the same histories in turn (`benches/peers/lifetimes_value.py`).
//!
//! `models`: orders of three years, order lines and interactions are in memory; measured are all shipped models, then their audits.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::array::{TimestampMicrosecondArray, new_null_array};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use stammkunde::Spec;
use stammkunde::config::spec::SqlFile;
use stammkunde::config::{self, Overrides};
use stammkunde::engine::{Engine, EngineOptions};
use stammkunde::model::{self, Table, Tables};
use stammkunde::report;
use stammkunde::table::RecordKind;

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Days from 1970-01-01 to the as-of day, 2026-10-31.
const AS_OF: i32 = 20_757;
const BATCH_ROWS: usize = 65_536;

const FITS: &str = "-- name: bench_fits\n-- grain: one row per model\n-- description: fits\n\
    WITH histories AS (\
      SELECT repeat_purchases_count AS x, recency_days AS t, age_days AS age, count(*) AS n FROM purchase_histories GROUP BY 1, 2, 3\
    ), fits AS (\
      SELECT purchase_fit('mbg_nbd', x, t, age, n) AS fit FROM histories \
      UNION ALL \
      SELECT spend_fit(repeat_purchases_count, repeat_spend_mean) AS fit FROM purchase_histories WHERE repeat_spend_mean > 0\
    ) \
    SELECT fit['model_name'] AS model_name, fit['params'] AS params, fit['model_status'] AS model_status FROM fits";

const VALUES: &str = "-- name: bench_values\n-- grain: one row per customer\n-- description: values\n\
    WITH purchases AS (SELECT params FROM bench_fits WHERE model_name = 'mbg_nbd'), \
    spend AS (SELECT params FROM bench_fits WHERE model_name = 'gamma_gamma'), \
    histories AS (SELECT DISTINCT repeat_purchases_count AS x, recency_days AS t, age_days AS age FROM purchase_histories), \
    scored AS (\
      SELECT x, t, age, p_alive('mbg_nbd', params, x, t, age) AS p_alive, \
        discounted_purchases('mbg_nbd', params, x, t, age, 365.2425, 0.1) AS purchases_12m, \
        discounted_purchases('mbg_nbd', params, x, t, age, 1095.7275, 0.1) AS purchases_36m \
      FROM histories CROSS JOIN purchases\
    ), \
    spending AS (\
      SELECT customer_key, repeat_purchases_count AS x, recency_days AS t, age_days AS age, \
        expected_spend(params, repeat_purchases_count, coalesce(repeat_spend_mean, 0)) AS spend \
      FROM purchase_histories CROSS JOIN spend\
    ) \
    SELECT customer_key, p_alive, purchases_12m * spend AS residual_12m, purchases_36m * spend AS residual_36m \
    FROM spending INNER JOIN scored ON scored.x = spending.x AND scored.t = spending.t AND scored.age = spending.age";

struct Options {
    customers: usize,
    orders: usize,
    threads: usize,
    runs: usize,
    only: Option<String>,
    peer: Option<PathBuf>,
}

fn main() {
    let text = |name: &str| std::env::args().skip_while(|argument| argument != name).nth(1);
    let value = |name: &str, default: usize| text(name).map_or(default, |text| text.parse().expect("sizes are whole numbers"));
    let options = Options {
        customers: value("--customers", 1_000_000),
        orders: value("--orders", 5_000_000),
        threads: value("--threads", 2),
        runs: value("--runs", 3),
        only: text("--only"),
        peer: text("--peer").map(PathBuf::from),
    };
    let engine = Engine::new(&EngineOptions {
        threads: Some(options.threads),
        ..EngineOptions::default()
    });
    let engine = engine.expect("an engine starts");
    if options.only.as_deref() != Some("models") {
        measure_value(&engine, &options);
    }
    if options.only.as_deref() != Some("value") {
        measure_models(&engine, &options);
    }
}

fn spec() -> Spec {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join("transactions");
    let environment = |name: &str| (name == "TRANSACTIONS_CSV").then(|| "none.csv".to_owned());
    let mut spec = config::load(&folder, &Overrides::default(), &environment).expect("the project's own pipeline is valid");
    // Of this pipeline only what ships with the program is wanted.
    spec.models.retain(|file| file.path.starts_with(config::standard::FOLDER));
    spec
}

fn measure_value(engine: &Engine, options: &Options) {
    let mut spec = spec();
    for (name, sql) in [("bench_fits", FITS), ("bench_values", VALUES)] {
        spec.models.push(SqlFile {
            name: name.to_owned(),
            path: format!("{name}.sql"),
            text: sql.to_owned(),
        });
    }
    let select = ["bench_fits".to_owned(), "bench_values".to_owned()];
    let models = model::order(engine, &spec, &select, &[]).expect("two models");
    let histories = histories(options.customers);
    let file = std::env::temp_dir().join(format!("stammkunde-histories-{}.parquet", options.customers));
    if options.peer.is_some() {
        write(&file, &histories);
    }
    let base = Tables::from([("purchase_histories".to_owned(), histories)]);
    println!("value: {} customers, {} threads", options.customers, options.threads);
    for _ in 0..options.runs {
        let (cpu, start) = (report::process_cpu_ms(), Instant::now());
        let (built, times) = model::build_timed(engine, &spec, &models, as_of(), &base).expect("the models build");
        let elapsed = start.elapsed().as_secs_f64();
        let cpu = (report::process_cpu_ms() - cpu) as f64 / 1000.0;
        let rows: usize = built["bench_values"].batches.iter().map(RecordBatch::num_rows).sum();
        assert_eq!(rows, options.customers, "every customer has a value");
        let parts: Vec<String> = times.iter().map(|time| format!("{} {} ms", time.model, time.elapsed_ms)).collect();
        println!(
            "  stammkunde: fit MBG/NBD and Gamma-Gamma, score: {elapsed:.2} s, {cpu:.2} CPU s ({})",
            parts.join(", ")
        );
        if let Some(python) = &options.peer {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/lifetimes_value.py");
            let status = Command::new(python)
                .arg(script)
                .arg(&file)
                .status()
                .expect("the peer's Python starts");
            assert!(status.success(), "the peer failed");
        }
    }
}

fn measure_models(engine: &Engine, options: &Options) {
    let spec = spec();
    let models = model::order(engine, &spec, &[], &[]).expect("the shipped models have an order");
    let base = shop(options.customers, options.orders);
    let rows = |name: &str| base[name].batches.iter().map(RecordBatch::num_rows).sum::<usize>();
    println!(
        "models: {} customers, {} orders, {} order lines, {} interactions, {} threads, {:.2} GiB before",
        rows("customers"),
        rows("orders"),
        rows("order_lines"),
        rows("interactions"),
        options.threads,
        gib(report::process_memory_bytes_max())
    );
    for _ in 0..options.runs {
        let (cpu, start) = (report::process_cpu_ms(), Instant::now());
        let (mut tables, times) = model::build_timed(engine, &spec, &models, as_of(), &base).expect("the models build");
        let elapsed = start.elapsed().as_secs_f64();
        let cpu = (report::process_cpu_ms() - cpu) as f64 / 1000.0;
        for time in &times {
            println!("    {:<28} {:>9} rows {:>7} ms", time.model, time.rows, time.elapsed_ms);
        }
        println!("  all {} models: {elapsed:.1} s, {cpu:.1} CPU s", times.len());
        tables.extend(base.clone());
        let start = Instant::now();
        let audits = model::audit(engine, &spec, as_of(), &tables).expect("the audits run");
        let failed: Vec<_> = audits.iter().filter(|audit| audit.rows > 0).collect();
        assert!(failed.is_empty(), "{failed:?}");
        let memory = gib(report::process_memory_bytes_max());
        println!(
            "  {} audits: {:.1} s; peak {memory:.2} GiB, base tables included",
            audits.len(),
            start.elapsed().as_secs_f64()
        );
        let mut slowest: Vec<_> = audits.iter().map(|audit| (audit.elapsed_ms, audit.audit.as_str())).collect();
        slowest.sort_unstable_by(|left, right| right.cmp(left));
        println!("    slowest audits: {:?}", &slowest[..slowest.len().min(5)]);
    }
}

fn gib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 30)
}

fn as_of() -> chrono::NaiveDate {
    chrono::NaiveDate::from_ymd_opt(2026, 10, 31).expect("a day of the calendar")
}

fn key(number: usize) -> String {
    format!("customer{number:018}")
}

/// Purchase days of one customer, counted from the first.
fn purchases(chance: &mut Chance, shapes: [f64; 4], age_days: i32) -> Vec<i32> {
    let [r, alpha, a, b] = shapes;
    let rate = chance.gamma(r) / alpha / 7.0;
    let (left, right) = (chance.gamma(a), chance.gamma(b));
    let dropout = left / (left + right);
    let (mut time, mut days) = (0.0, Vec::new());
    loop {
        time += chance.exponential() / rate.max(1e-12);
        if time > f64::from(age_days) {
            return days;
        }
        let day = time.ceil() as i32;
        if days.last() != Some(&day) {
            days.push(day);
        }
        if chance.uniform() < dropout {
            return days;
        }
    }
}

fn histories(customers: usize) -> Table {
    let mut chance = Chance(42);
    let (mut x, mut recency, mut age, mut spend) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..customers {
        let age_days = 27 * 7 + (chance.uniform() * 85.0) as i32;
        let days = purchases(&mut chance, [0.25, 4.4, 0.8, 2.5], age_days);
        let count = days.len() as f64;
        x.push(days.len() as i64);
        recency.push(i64::from(days.last().copied().unwrap_or(0)));
        age.push(i64::from(age_days));
        let scale = chance.gamma(3.74) / 15.44;
        let mean = chance.gamma(6.25 * count.max(1.0)) / (scale * count.max(1.0));
        spend.push((count > 0.0).then_some(mean));
    }
    let keys: StringArray = (0..customers).map(|number| Some(key(number))).collect();
    table(vec![
        ("customer_key", Arc::new(keys)),
        ("repeat_purchases_count", Arc::new(Int64Array::from(x))),
        ("recency_days", Arc::new(Int64Array::from(recency))),
        ("age_days", Arc::new(Int64Array::from(age))),
        ("repeat_spend_mean", Arc::new(Float64Array::from(spend))),
    ])
}

/// Three years of a shop: customers, orders, order lines, interactions.
fn shop(customers: usize, orders: usize) -> Tables {
    let mut chance = Chance(7);
    let (mut owners, mut days) = (Vec::with_capacity(orders), Vec::with_capacity(orders));
    for customer in 0..customers {
        let age_days = 1 + (chance.uniform() * 1095.0) as i32;
        let first = AS_OF - age_days;
        owners.push(customer);
        days.push(first);
        for day in purchases(&mut chance, [1.2, 9.0, 0.6, 2.6], age_days) {
            owners.push(customer);
            days.push(first + day);
        }
        // As many as were asked for: what is missing goes to the last customers in even shares, what is too much is cut.
        if owners.len() >= orders {
            break;
        }
    }
    let keys: Vec<String> = (0..customers).map(key).collect();
    let count = owners.len();
    let amounts: Vec<i128> = (0..count).map(|_| 50_000 + (chance.gamma(2.0) * 200_000.0) as i128).collect();
    let instant = |day: i32| i64::from(day) * 86_400_000_000 + 43_200_000_000;
    let of = |position: &usize| keys[*position].as_str();
    let order_ids: Vec<String> = (0..count).map(|number| format!("o{number:08}")).collect();
    let orders = filled(
        RecordKind::Orders,
        count,
        vec![
            (
                "customer_key",
                Arc::new(owners.iter().map(of).map(Some).collect::<StringArray>()) as ArrayRef,
            ),
            ("source", constant("shop", count)),
            ("order_id", Arc::new(StringArray::from_iter_values(&order_ids))),
            ("ordered_at", times(days.iter().map(|day| instant(*day)))),
            (
                "channel",
                Arc::new(
                    (0..count)
                        .map(|row| Some(["web", "store", "phone"][owners[row] % 3]))
                        .collect::<StringArray>(),
                ),
            ),
            ("currency", constant("EUR", count)),
            ("gross", money(amounts.iter().copied())),
            ("tax", money(amounts.iter().map(|amount| amount * 19 / 119))),
            ("cost", money(amounts.iter().map(|amount| amount * 45 / 100))),
            (
                "refunded",
                money(
                    amounts
                        .iter()
                        .enumerate()
                        .map(|(row, amount)| if row % 20 == 0 { *amount / 2 } else { 0 }),
                ),
            ),
        ],
    );
    let lines: Vec<(usize, i64)> = (0..count)
        .flat_map(|order| (0..1 + (order % 5) as i64 / 2).map(move |line| (order, line + 1)))
        .collect();
    let sku = |&(order, line): &(usize, i64)| Some(format!("sku{:04}", (owners[order] % 37 * 13 + order % 11 * line as usize) % 500));
    let order_lines = filled(
        RecordKind::OrderLines,
        lines.len(),
        vec![
            (
                "customer_key",
                Arc::new(lines.iter().map(|line| Some(of(&owners[line.0]))).collect::<StringArray>()) as ArrayRef,
            ),
            ("source", constant("shop", lines.len())),
            (
                "order_id",
                Arc::new(StringArray::from_iter_values(lines.iter().map(|line| &order_ids[line.0]))),
            ),
            ("line_no", Arc::new(Int64Array::from_iter_values(lines.iter().map(|line| line.1)))),
            ("sku", Arc::new(lines.iter().map(sku).collect::<StringArray>())),
            ("name", Arc::new(lines.iter().map(sku).collect::<StringArray>())),
            ("quantity", money(lines.iter().map(|_| 10_000))),
            ("unit_price", money(lines.iter().map(|line| amounts[line.0] / 2))),
        ],
    );
    let contacts = customers / 2;
    let interactions = filled(
        RecordKind::Interactions,
        contacts,
        vec![
            (
                "customer_key",
                Arc::new((0..contacts).map(|row| Some(keys[row * 2].as_str())).collect::<StringArray>()) as ArrayRef,
            ),
            ("source", constant("desk", contacts)),
            (
                "interaction_id",
                Arc::new(StringArray::from_iter_values((0..contacts).map(|row| format!("i{row}")))),
            ),
            ("occurred_at", times((0..contacts).map(|row| instant(AS_OF - (row % 900) as i32)))),
            (
                "kind",
                Arc::new(
                    (0..contacts)
                        .map(|row| Some(if row % 4 == 0 { "survey" } else { "ticket" }))
                        .collect::<StringArray>(),
                ),
            ),
            (
                "score",
                Arc::new(
                    Decimal128Array::from_iter((0..contacts).map(|row| (row % 4 == 0).then_some((row % 44 / 4) as i128 * 10_000)))
                        .with_precision_and_scale(18, 4)
                        .expect("money"),
                ),
            ),
            (
                "scale",
                Arc::new((0..contacts).map(|row| (row % 4 == 0).then_some("nps")).collect::<StringArray>()),
            ),
            ("cost", money((0..contacts).map(|_| 40_000))),
        ],
    );
    let customers = table(vec![
        ("customer_key", Arc::new(StringArray::from_iter_values(&keys))),
        (
            "email",
            Arc::new(StringArray::from_iter_values(keys.iter().map(|key| format!("{key}@example.org")))),
        ),
        (
            "birth_date",
            Arc::new(Date32Array::from_iter_values(
                (0..customers).map(|row| (row % 20_000) as i32 - 6_000),
            )),
        ),
        (
            "consent_email",
            Arc::new((0..customers).map(|row| Some(row % 3 != 0)).collect::<BooleanArray>()),
        ),
    ]);
    Tables::from([
        ("customers".to_owned(), with_contact_columns(customers)),
        ("orders".to_owned(), orders),
        ("order_lines".to_owned(), order_lines),
        ("interactions".to_owned(), interactions),
    ])
}

/// The columns of a record, null where none are given.
fn filled(kind: RecordKind, rows: usize, given: Vec<(&str, ArrayRef)>) -> Table {
    let mut fields = vec![Field::new("customer_key", DataType::Utf8, true)];
    fields.extend(
        kind.schema()
            .arrow(&[])
            .fields()
            .iter()
            .map(|field| field.as_ref().clone().with_nullable(true)),
    );
    let column = |field: &Field| {
        let found = given.iter().find(|(name, _)| name == field.name());
        let column = found.map_or_else(|| new_null_array(field.data_type(), rows), |(_, column)| Arc::clone(column));
        assert_eq!(column.data_type(), field.data_type(), "{}", field.name());
        column
    };
    let columns = fields.iter().map(column).collect();
    sliced(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("columns of one length"))
}

/// `customers` with every declared column of a contact, so that each model finds what it names.
fn with_contact_columns(customers: Table) -> Table {
    let whole = arrow::compute::concat_batches(&customers.schema, &customers.batches).expect("one schema");
    let mut columns: Vec<(Field, ArrayRef)> = Vec::new();
    for (field, column) in whole.schema().fields().iter().zip(whole.columns()) {
        columns.push((field.as_ref().clone(), Arc::clone(column)));
    }
    for field in RecordKind::Contacts.schema().arrow(&[]).fields() {
        if whole.column_by_name(field.name()).is_none() {
            let field = field.as_ref().clone().with_nullable(true);
            let column = new_null_array(field.data_type(), whole.num_rows());
            columns.push((field, column));
        }
    }
    let (fields, columns): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    sliced(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("columns of one length"))
}

fn table(columns: Vec<(&str, ArrayRef)>) -> Table {
    let columns = columns.into_iter().map(|(name, column)| (name, column, true));
    sliced(RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length"))
}

fn sliced(batch: RecordBatch) -> Table {
    let starts = (0..batch.num_rows()).step_by(BATCH_ROWS);
    let batches = starts
        .map(|start| batch.slice(start, BATCH_ROWS.min(batch.num_rows() - start)))
        .collect();
    Table {
        schema: batch.schema(),
        batches,
    }
}

fn constant(text: &str, rows: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, rows)))
}

fn money(values: impl Iterator<Item = i128>) -> ArrayRef {
    Arc::new(
        Decimal128Array::from_iter_values(values)
            .with_precision_and_scale(18, 4)
            .expect("a valid type"),
    )
}

fn times(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(values).with_timezone("UTC"))
}

fn write(path: &Path, table: &Table) {
    let file = File::create(path).expect("the temporary folder can be written");
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&table.schema), None).expect("a plain schema");
    for batch in &table.batches {
        writer.write(batch).expect("the temporary folder has room");
    }
    writer.close().expect("the temporary folder has room");
}

/// SplitMix64, and what can be drawn from it.
struct Chance(u64);

impl Chance {
    /// Above 0, at most 1.
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0 + f64::EPSILON / 2.0
    }

    fn exponential(&mut self) -> f64 {
        -self.uniform().ln()
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Scale 1; Marsaglia and Tsang (2000).
    fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            return self.gamma(shape + 1.0) * self.uniform().powf(1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let normal = self.normal();
            let v = (1.0 + c * normal).powi(3);
            if v > 0.0 && self.uniform().ln() < 0.5 * normal * normal + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }
}
