//! What came out of a demo: the published identities against the truth, and the first rows of the metrics.

use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::util::display::array_value_to_string;
use rustc_hash::FxHashMap;

use crate::config::Spec;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::evaluate::{Evaluation, evaluate};
use crate::publish::Warehouse;
use crate::table::column;

/// A metric table as text: its name, then the header and rows.
pub type Lines = (String, Vec<Vec<String>>);

/// Columns of `segment_summary` and `churn_rate_monthly` that the demo shows.
const SEGMENT_COLUMNS: [&str; 5] = ["segment", "customers_count", "orders_count", "net_revenue", "net_revenue_share"];
const CHURN_COLUMNS: [&str; 7] = [
    "month_end",
    "customers_opening",
    "customers_lost",
    "customers_new",
    "customers_reactivated",
    "customers_closing",
    "churn_rate",
];
/// Months of churn shown.
const MONTHS_SHOWN: usize = 6;

/// Compares the newest version's identities with `truth.csv` in the folder. Every record of the truth must be in the version.
///
/// # Errors
/// `Environment` if the truth cannot be read, `Gate` if a record of the truth has no customer.
pub fn against_truth(engine: &Engine, spec: &Spec, folder: &Path) -> Result<Evaluation> {
    let path = folder.join("truth.csv");
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Error::environment("the truth cannot be read")
            .with("path", path.display().to_string())
            .hint("generate the demo anew")
            .because(error)
    })?;
    let identities = read(engine, spec, "identities")?;
    let mut keys: FxHashMap<(&str, &str), &str> = FxHashMap::default();
    for batch in &identities {
        let texts = |name: &str| batch.column_by_name(name).expect("identities have this column").as_string::<i32>();
        let (sources, records, customers) = (texts(column::SOURCE), texts(column::RECORD_ID), texts(column::CUSTOMER_KEY));
        keys.extend((0..batch.num_rows()).map(|row| ((sources.value(row), records.value(row)), customers.value(row))));
    }
    let mut pairs = Vec::with_capacity(keys.len());
    let mut missing = 0_u64;
    for line in text.lines().skip(1) {
        // No field of the truth is quoted: ids and addresses hold no comma.
        let (record, person) = line.rsplit_once(',').unwrap_or((line, ""));
        let record = record.split_once(',').unwrap_or((record, ""));
        match keys.get(&record) {
            Some(key) => pairs.push((person, *key)),
            None => missing += 1,
        }
    }
    if missing > 0 {
        return Err(Error::gate("records of the truth are missing in the published identities")
            .with("missing", missing.to_string())
            .hint("look for them in latest/rejects.parquet"));
    }
    Ok(evaluate(&pairs))
}

/// Segments, and churn of the last months.
///
/// # Errors
/// `Environment` if a table cannot be read.
pub fn headline(engine: &Engine, spec: &Spec) -> Result<Vec<Lines>> {
    let segments = lines("segment_summary", &SEGMENT_COLUMNS, &read(engine, spec, "segment_summary")?);
    let mut churn = lines("churn_rate_monthly", &CHURN_COLUMNS, &read(engine, spec, "churn_rate_monthly")?);
    let surplus = churn.1.len().saturating_sub(MONTHS_SHOWN + 1);
    churn.1.drain(1..=surplus);
    Ok(vec![segments, churn])
}

fn read(engine: &Engine, spec: &Spec, table: &str) -> Result<Vec<RecordBatch>> {
    let warehouse = Warehouse::new(engine.location(&spec.warehouse, &spec.folder)?);
    let newest = warehouse
        .latest(engine)?
        .ok_or_else(|| Error::internal("a run that succeeded has published"))?;
    Ok(warehouse.read(engine, &newest, table, None)?.unwrap_or_default())
}

fn lines(name: &str, columns: &[&str], batches: &[RecordBatch]) -> Lines {
    let mut lines = vec![columns.iter().map(|column| (*column).to_owned()).collect::<Vec<String>>()];
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cell = |name: &&str| {
                batch
                    .column_by_name(name)
                    .map_or_else(String::new, |values| cell(values.as_ref(), row))
            };
            lines.push(columns.iter().map(cell).collect());
        }
    }
    (name.to_owned(), lines)
}

/// A value for a terminal: fractions with 4 digits, amounts with 2, null as `-`.
fn cell(values: &dyn Array, row: usize) -> String {
    if values.is_null(row) {
        return "-".to_owned();
    }
    if let Some(numbers) = values.as_primitive_opt::<arrow::datatypes::Float64Type>() {
        return format!("{:.4}", numbers.value(row));
    }
    let text = array_value_to_string(values, row).unwrap_or_default();
    match text.split_once('.') {
        Some((whole, fraction)) if fraction.len() == 4 && fraction.ends_with("00") => format!("{whole}.{}", &fraction[..2]),
        _ => text,
    }
}
