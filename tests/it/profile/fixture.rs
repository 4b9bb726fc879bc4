//! Tables written as text: the first line names the columns, `|` separates, an empty cell is null.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use stammkunde::config::pipeline::{ConsentRule, Survivorship};
use stammkunde::profile::ProfileSpec;
use stammkunde::table::keys::Keys;
use stammkunde::table::{CleanContacts, CustomerKey};

/// A table from text. Days since 1970 stand for timestamps, whole numbers for decimals.
pub fn table(text: &str) -> RecordBatch {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let names: Vec<&str> = lines.next().unwrap().split('|').map(str::trim).collect();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split('|').map(str::trim).collect()).collect();
    assert!(rows.iter().all(|row| row.len() == names.len()), "every row has every column");
    let columns: Vec<ArrayRef> = names
        .iter()
        .enumerate()
        .map(|(at, name)| column(name, rows.iter().map(|row| Some(row[at]).filter(|cell| !cell.is_empty()))))
        .collect();
    let fields: Vec<Field> = names
        .iter()
        .zip(&columns)
        .map(|(name, values)| Field::new(*name, values.data_type().clone(), !["source", "record_id"].contains(name)))
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

fn column<'a>(name: &str, cells: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    if name.ends_with("_at") {
        let micros = cells.map(|cell| cell.map(|day| day.parse::<i64>().unwrap() * 86_400_000_000));
        Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
    } else if name.starts_with("consent_") {
        Arc::new(cells.map(|cell| cell.map(|yes| yes == "yes")).collect::<BooleanArray>())
    } else if name == "line_no" {
        Arc::new(
            cells
                .map(|cell| cell.map(|no| no.parse::<i64>().unwrap()))
                .collect::<arrow::array::Int64Array>(),
        )
    } else if name == "gross" {
        let amounts = cells.map(|cell| cell.map(|amount| amount.parse::<i128>().unwrap() * 10_000));
        Arc::new(amounts.collect::<Decimal128Array>().with_precision_and_scale(18, 4).unwrap())
    } else {
        Arc::new(cells.collect::<StringArray>())
    }
}

/// Contacts whose column `who` names the customer (a, b, c, …), and the keys: `a` has the smallest.
pub fn contacts(text: &str) -> (CleanContacts, Keys) {
    let all = table(text);
    let who: Vec<u32> = texts(&all, "who")
        .into_iter()
        .map(|who| u32::from(who.unwrap().as_bytes()[0] - b'a'))
        .collect();
    let at = all.schema().index_of("who").unwrap();
    let kept: Vec<usize> = (0..all.num_columns()).filter(|&column| column != at).collect();
    let display = all.project(&kept).unwrap();
    let count = who.iter().max().map_or(0, |&last| last + 1);
    let keys = Keys {
        keys: (0..count)
            .map(|customer| CustomerKey::from_bits(u128::from(customer + 1)))
            .collect(),
        of: who,
        ..Keys::default()
    };
    let contacts = CleanContacts {
        matching: display.clone(),
        display,
    };
    (contacts, keys)
}

/// The key of a customer named by a letter, as text.
pub fn key(who: char) -> String {
    CustomerKey::from_bits(u128::from(u32::from(who) - u32::from('a') + 1)).to_string()
}

/// A text column.
pub fn texts(batch: &RecordBatch, name: &str) -> Vec<Option<String>> {
    let values = batch.column_by_name(name).unwrap_or_else(|| panic!("column {name}"));
    values.as_string::<i32>().iter().map(|value| value.map(str::to_owned)).collect()
}

/// A row as text: the named columns, separated by a space, `-` for null. Customer keys become letters.
pub fn show(batch: &RecordBatch, names: &[&str]) -> Vec<String> {
    let options = FormatOptions::default().with_null("-").with_timestamp_tz_format(Some("%j"));
    (0..batch.num_rows())
        .map(|row| {
            let cells = names.iter().map(|name| {
                let values = batch.column_by_name(name).unwrap_or_else(|| panic!("column {name}"));
                let text = ArrayFormatter::try_new(values, &options).unwrap().value(row).to_string();
                if name.ends_with("customer_key") && values.is_valid(row) {
                    let bits = ('a'..='z').find(|&who| key(who) == text);
                    return bits.expect("a key of the fixture").to_string();
                }
                text
            });
            cells.collect::<Vec<_>>().join(" ")
        })
        .collect()
}

/// Rows of several batches, as [`show`].
pub fn show_all(batches: &[RecordBatch], names: &[&str]) -> Vec<String> {
    batches.iter().flat_map(|batch| show(batch, names)).collect()
}

/// Owns what a [`ProfileSpec`] borrows. Trust: crm, shop, web.
pub struct Rules {
    trust: Vec<String>,
    survivorship: BTreeMap<String, Survivorship>,
    identifiers: Vec<String>,
    shared_by_records_max: u32,
    pub consent: ConsentRule,
}

impl Rules {
    pub fn new(rules: &[(&str, Survivorship)]) -> Self {
        Self {
            trust: ["crm", "shop", "web"].map(str::to_owned).to_vec(),
            survivorship: rules.iter().map(|&(name, rule)| (name.to_owned(), rule)).collect(),
            identifiers: ["customer_no", "user_id"].map(str::to_owned).to_vec(),
            shared_by_records_max: 3,
            consent: ConsentRule::Latest,
        }
    }

    pub fn spec(&self) -> ProfileSpec<'_> {
        ProfileSpec {
            trust: &self.trust,
            survivorship: &self.survivorship,
            consent: self.consent,
            identifiers: &self.identifiers,
            shared_by_records_max: self.shared_by_records_max,
        }
    }
}

/// Whether a type is one that every BI tool reads.
pub fn is_plain(data_type: &DataType) -> bool {
    use arrow::datatypes::TimeUnit::Microsecond;
    match data_type {
        DataType::Timestamp(Microsecond, Some(zone)) => zone.as_ref() == "UTC",
        DataType::Utf8 | DataType::Int64 | DataType::Float64 | DataType::Boolean | DataType::Date32 | DataType::Decimal128(18, 4) => true,
        _ => false,
    }
}
