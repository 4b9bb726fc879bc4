//! A real shop whose log starts in the middle of its life: nobody seems to stop, and no model may claim to know who has.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Float64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use stammkunde::clv::{FitStatus, Histories, History, Predictor, PurchaseModel, fit};

use super::support::{assert_close, day, histories, shared};

/// Histories of customers until the end of August 2011: sales with a quantity and a price above 0.
fn retail() -> Option<Histories> {
    let file = File::open(shared("uci_online_retail.parquet")?).expect("the file opens");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .expect("Parquet")
        .build()
        .expect("a reader");
    let end = i32::try_from(day("2011-08-31")).expect("a day");
    let mut days: BTreeMap<u64, BTreeSet<i32>> = BTreeMap::new();
    for batch in reader {
        let batch = batch.expect("a batch");
        let column = |name: &str, kind: &DataType| cast(batch.column_by_name(name).expect("the column"), kind).expect("a cast");
        let customers = column("CustomerID", &DataType::Float64);
        let [quantities, prices] = ["Quantity", "UnitPrice"].map(|name| column(name, &DataType::Float64));
        let dates = column("InvoiceDate", &DataType::Date32);
        let (customers, dates) = (customers.as_primitive::<Float64Type>(), dates.as_primitive::<Date32Type>());
        let (quantities, prices) = (quantities.as_primitive::<Float64Type>(), prices.as_primitive::<Float64Type>());
        for row in 0..batch.num_rows() {
            let counts = customers.is_valid(row) && quantities.value(row) > 0.0 && prices.value(row) > 0.0;
            if counts && dates.value(row) <= end {
                days.entry(customers.value(row) as u64).or_default().insert(dates.value(row));
            }
        }
    }
    let history = |days: &BTreeSet<i32>| {
        let (first, last) = (days.first().expect("a day"), days.last().expect("a day"));
        History {
            x: u32::try_from(days.len() - 1).expect("few days"),
            recency: last.abs_diff(*first),
            age: end.abs_diff(*first),
        }
    };
    Some(histories(days.values().map(history)))
}

#[test]
fn a_log_that_starts_in_the_middle_identifies_no_dropout() {
    let Some(histories) = retail() else { return };
    assert_eq!(histories.customers(), 3_317);
    let nbd = fit(PurchaseModel::Nbd, &histories);
    assert_eq!(nbd.status, FitStatus::Ok);
    for model in [PurchaseModel::BgNbd, PurchaseModel::MbgNbd, PurchaseModel::ParetoNbd] {
        let fit = fit(model, &histories);
        assert_eq!(fit.status, FitStatus::NoDropoutIdentified, "{fit:?}");
        assert!(fit.params.iter().all(|value| value.is_finite() && *value > 0.0), "{fit:?}");
        assert!(fit.standard_errors.is_empty() && fit.covariance.is_empty(), "{fit:?}");
        assert_close(fit.model, fit.log_likelihood, nbd.log_likelihood, 1e-8);
        // What is predicted with them is what the model without dropout predicts.
        let (mut one, mut other) = (
            Predictor::new(model, &fit.params).expect("parameters"),
            Predictor::new(PurchaseModel::Nbd, &nbd.params).expect("parameters"),
        );
        let history = History {
            x: 3,
            recency: 40,
            age: 200,
        };
        let found = one.discounted_purchases(history, 365.0, 0.1);
        assert_close(fit.model, found, other.discounted_purchases(history, 365.0, 0.1), 1e-3);
    }
}
