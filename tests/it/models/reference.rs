//! Numbers of public data sets that others have computed, where the data is at hand: `STAMMKUNDE_SHARED`, or `../shared`, holds `data/clv`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::MemTable;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use stammkunde::engine::Engine;
use stammkunde::model;
use stammkunde::model::{Table, Tables};
use stammkunde::table::RecordKind;

use super::support::{customers, day, engine, records, rows, standard_spec};

/// A file of the shared data; says so and gives `None` where it is absent.
pub fn shared(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let path = std::env::var_os("STAMMKUNDE_SHARED")
        .map_or_else(beside, PathBuf::from)
        .join("data/clv")
        .join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not here", path.display());
    None
}

/// The named models and what they read.
fn build(engine: &Engine, select: &str, currency: &str, as_of: &str, base: &Tables) -> Tables {
    let mut spec = standard_spec();
    spec.currency = currency.to_owned();
    let models = model::order(engine, &spec, &[select.to_owned()], &[]).expect("the models have an order");
    let mut tables = model::build(engine, &spec, &models, day(as_of), base).expect("the models build");
    tables.extend(base.clone());
    let failed: Vec<_> = model::audit(engine, &spec, day(as_of), &tables).expect("the audits run");
    let failed: Vec<_> = failed.into_iter().filter(|result| result.rows > 0).collect();
    assert_eq!(failed, Vec::new());
    tables
}

fn apparel() -> Option<Tables> {
    let text = std::fs::read_to_string(shared("apparel_trans.csv")?).expect("the file is readable");
    let mut keys: Vec<&str> = Vec::new();
    let mut csv = "customer_key,source,order_id,ordered_at,currency,gross\n".to_owned();
    for (number, line) in text.lines().skip(1).enumerate() {
        let fields: Vec<&str> = line.split(',').collect();
        keys.push(fields[0]);
        // The reference counts four transactions of value 0 as purchases; here an order without a value does not count, so they get a cent.
        let sales = if fields[2] == "0.0" { "0.01" } else { fields[2] };
        csv.push_str(&format!("{},csv,{number},{}T12:00:00Z,EUR,{sales}\n", fields[0], fields[1]));
    }
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 600);
    let orders = records(RecordKind::Orders, &csv);
    Some(Tables::from([
        ("orders".to_owned(), orders),
        ("customers".to_owned(), customers(&keys)),
    ]))
}

/// Opening, lost, new + reactivated, closing, lapses, and the four rates to four places, of the last row.
fn last_year(tables: &Tables) -> ([i64; 5], [String; 4]) {
    let columns = [
        "customers_opening",
        "customers_lost",
        "customers_new",
        "customers_reactivated",
        "customers_closing",
        "churn_rate_opening",
        "churn_rate_open_close",
        "churn_rate",
        "churn_rate_month_ends",
        "customers_lapsed",
    ];
    let table = rows(&tables["churn_rate_monthly"], &columns);
    let last = table.last().expect("a month");
    let count = |position: usize| last[position].parse::<i64>().expect("a count");
    let rate = |position: usize| format!("{:.4}", last[position].parse::<f64>().expect("a rate"));
    let counts = [count(0), count(1), count(2) + count(3), count(4), count(9)];
    (counts, [rate(5), rate(6), rate(7), rate(8)])
}

#[test]
fn churn_rates_of_the_apparel_data_are_reproduced() {
    let Some(base) = apparel() else { return };
    let engine = engine();
    let expected = [
        ("2006-12-31", [600, 375, 0, 225, 451], ["0.6250", "0.9091", "1.2940", "1.3678"]),
        ("2008-12-31", [184, 60, 36, 160, 90], ["0.3261", "0.3488", "0.3582", "0.3604"]),
        ("2009-12-31", [160, 59, 32, 133, 74], ["0.3688", "0.4027", "0.3972", "0.4002"]),
    ];
    for (as_of, counts, rates) in expected {
        let tables = build(&engine, "+churn_rate_monthly", "EUR", as_of, &base);
        assert_eq!(last_year(&tables), (counts, rates.map(str::to_owned)), "{as_of}");
    }
}

#[test]
fn the_last_thirteen_month_ends_of_the_apparel_data_are_reproduced() {
    let Some(base) = apparel() else { return };
    let tables = build(&engine(), "+churn_rate_monthly", "EUR", "2009-01-15", &base);
    let closing = rows(&tables["churn_rate_monthly"], &["month_end", "customers_closing"]);
    let last: Vec<&str> = closing[closing.len() - 13..].iter().map(|row| row[1].as_str()).collect();
    assert_eq!(closing[closing.len() - 1][0], "2008-12-31", "an incomplete month has no row");
    assert_eq!(
        last,
        [
            "184", "182", "181", "178", "172", "167", "163", "160", "159", "157", "157", "162", "160"
        ]
    );
}

#[test]
fn flags_of_customers_agree_with_the_apparel_rates() {
    let Some(base) = apparel() else { return };
    let tables = build(&engine(), "+customer_churn", "EUR", "2008-12-31", &base);
    let flags = rows(&tables["customer_churn"], &["is_active_12m", "is_lost_12m"]);
    let count = |position: usize| flags.iter().filter(|row| row[position] == "true").count();
    assert_eq!((count(0), count(1)), (160, 60));
}

/// A Parquet file of the shared data.
pub fn parquet(name: &str) -> Option<Table> {
    let file = File::open(shared(name)?).expect("the file is readable");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .expect("a Parquet file")
        .build()
        .expect("a reader");
    let batches: Vec<RecordBatch> = reader.map(|batch| batch.expect("a batch")).collect();
    let schema = batches.first().expect("a file with rows").schema();
    Some(Table { schema, batches })
}

/// The lines of the retail file, mapped by the queries of `pipelines/online_retail`, keyed by the customer number.
pub fn online_retail(engine: &Engine) -> Option<Tables> {
    let batches = parquet("uci_online_retail.parquet")?.batches;
    let contacts = mapped(engine, &batches, "online_retail", RecordKind::Contacts);
    let orders = mapped(engine, &batches, "online_retail", RecordKind::Orders);
    Some(Tables::from([
        ("customers".to_owned(), keyed(&contacts, RecordKind::Contacts, "record_id")),
        ("orders".to_owned(), keyed(&orders, RecordKind::Orders, "contact_record_id")),
    ]))
}

/// What the mapping of a shipped pipeline, whose source is named after it, makes of raw rows.
pub fn mapped(engine: &Engine, raw: &[RecordBatch], pipeline: &str, kind: RecordKind) -> Vec<RecordBatch> {
    let path = format!(
        "{}/pipelines/{pipeline}/sources/{pipeline}.{}.sql",
        env!("CARGO_MANIFEST_DIR"),
        kind.name()
    );
    let sql = std::fs::read_to_string(path).expect("the mapping is part of the project");
    let session = engine.session();
    let table = MemTable::try_new(raw[0].schema(), vec![raw.to_vec()]).expect("batches of one schema");
    session
        .register_table("raw", Arc::new(table))
        .expect("a fresh session has no table `raw`");
    let frame = engine.plan(&session, &sql).expect("the mapping plans");
    engine.collect(frame).expect("the mapping runs")
}

/// Brings mapped rows into the record's schema, with the named column as `customer_key`.
pub fn keyed(batches: &[RecordBatch], kind: RecordKind, key: &str) -> Table {
    let declared = kind.schema().arrow(&[]);
    let mut fields = vec![Field::new("customer_key", DataType::Utf8, true)];
    fields.extend(declared.fields().iter().map(|field| field.as_ref().clone().with_nullable(true)));
    let schema = Arc::new(Schema::new(fields));
    let convert = |batch: &RecordBatch| {
        for column in batch.schema().fields() {
            assert!(
                kind.schema().column(column.name()).is_some(),
                "the record has no column {}",
                column.name()
            );
        }
        let column = |field: &Arc<Field>| -> ArrayRef {
            let name = if field.name() == "customer_key" { key } else { field.name() };
            match batch.column_by_name(name) {
                Some(values) => cast(values, field.data_type()).expect("a value of the column's type"),
                None if name == "source" => Arc::new(StringArray::from(vec!["log"; batch.num_rows()])),
                None => new_null_array(field.data_type(), batch.num_rows()),
            }
        };
        RecordBatch::try_new(Arc::clone(&schema), schema.fields().iter().map(column).collect()).expect("columns of one length")
    };
    Table {
        schema: Arc::clone(&schema),
        batches: batches.iter().map(convert).collect(),
    }
}

#[test]
fn orders_values_and_segments_of_the_retail_data_are_reproduced() {
    let engine = engine();
    let Some(base) = online_retail(&engine) else { return };
    let tables = build(&engine, "+segment_summary", "GBP", "2011-12-10", &base);

    let bought = rows(&tables["customer_orders"], &["orders_count", "gross", "net_revenue"]);
    let cents = |position: usize| -> i128 {
        bought
            .iter()
            .map(|row| row[position].replace('.', "").parse::<i128>().expect("4 decimals"))
            .sum()
    };
    let orders: Vec<u64> = bought.iter().map(|row| row[0].parse().expect("a count")).collect();
    assert_eq!(orders.iter().filter(|&&count| count > 0).count(), 4_338);
    assert_eq!(orders.iter().sum::<u64>(), 18_532);
    // 8,911,407.904 and 8,300,065.814: the file has prices of a tenth of a penny.
    assert_eq!((cents(1), cents(2)), (89_114_079_040, 83_000_658_140));
    // The reference says 43: two of its customers are below zero by 5e-14, a float's rounding of a net of exactly 0.
    assert_eq!(bought.iter().filter(|row| row[2].starts_with('-')).count(), 41);

    let segments = rows(&tables["segment_summary"], &["segment", "customers_count"]);
    let segments: Vec<(&str, &str)> = segments.iter().map(|row| (row[0].as_str(), row[1].as_str())).collect();
    let expected = [
        ("about_to_sleep", "478"),
        ("at_risk", "357"),
        ("cannot_lose_them", "35"),
        ("champions", "604"),
        ("hibernating", "716"),
        ("lost", "619"),
        ("loyal_customers", "688"),
        ("need_attention", "121"),
        ("new_customers", "67"),
        ("potential_loyalists", "484"),
        ("promising", "169"),
        // 34 customers of whom the file holds nothing but cancellations.
        ("prospects", "34"),
    ];
    assert_eq!(segments, expected);

    let cuts = rows(
        &tables["segment_cuts"],
        &[
            "is_as_of",
            "recency_cut_1",
            "recency_cut_2",
            "recency_cut_3",
            "recency_cut_4",
            "frequency_cut_1",
            "frequency_cut_2",
            "frequency_cut_3",
            "frequency_cut_4",
        ],
    );
    let now: Vec<String> = cuts[cuts.len() - 1][1..]
        .iter()
        .map(|cut| format!("{:.1}", cut.parse::<f64>().expect("a number")))
        .collect();
    assert_eq!(now, ["13.8", "33.0", "72.0", "180.0", "1.0", "2.0", "3.0", "6.0"]);

    let shares = rows(&tables["segment_summary"], &["segment", "gross_share"]);
    let champions = shares.iter().find(|row| row[0] == "champions").expect("champions");
    assert_eq!(format!("{:.3}", champions[1].parse::<f64>().expect("a share")), "0.483");
}

/// On these customers k-means on unscaled features puts 99.1 % into one cluster.
#[test]
fn personas_of_the_retail_data_are_several_groups_of_size() {
    let engine = engine();
    let Some(base) = online_retail(&engine) else { return };
    let tables = build(&engine, "+personas", "GBP", "2011-12-10", &base);
    let personas = rows(&tables["personas"], &["customers_share", "customers_count", "persona_label"]);
    let shares: Vec<f64> = personas.iter().map(|row| row[0].parse().expect("a share")).collect();
    assert!(shares.len() >= 3, "{personas:?}");
    assert!(shares.iter().all(|share| *share < 0.6), "{personas:?}");
    assert!(shares.iter().filter(|share| **share > 0.05).count() >= 3, "{personas:?}");
    let customers: u64 = personas.iter().map(|row| row[1].parse::<u64>().expect("a count")).sum();
    assert_eq!(customers, 4_338);
}
