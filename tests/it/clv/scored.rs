//! Every customer of the reference tables, by the parameters of those tables.

use std::fs::File;

use arrow::array::{Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use stammkunde::clv::{History, Predictor, PurchaseModel, gamma_gamma};

use super::support::{annual, assert_close, golden, number, shared};

fn batches(name: &str) -> Option<Vec<RecordBatch>> {
    let file = File::open(shared(name)?).expect("the file opens");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .expect("Parquet")
        .build()
        .expect("a reader");
    Some(reader.map(|batch| batch.expect("a batch")).collect())
}

fn column(batches: &[RecordBatch], name: &str) -> Vec<f64> {
    let mut values = Vec::new();
    for batch in batches {
        let column = cast(batch.column_by_name(name).expect("the column"), &DataType::Float64).expect("numbers");
        let column = arrow::array::AsArray::as_primitive::<Float64Type>(&column).clone();
        assert_eq!(column.null_count(), 0, "{name}");
        values.extend(column.values());
    }
    values
}

#[test]
fn every_customer_of_the_reference_tables_is_scored_alike() {
    for (table, file, weekly) in [
        ("golden/cdnow_sample_scored.parquet", "golden/cdnow_sample.json", Some(0.0027)),
        ("golden/apparel_scored.parquet", "golden/apparel.json", None),
    ] {
        let (Some(batches), Some(golden)) = (batches(table), golden(file)) else {
            return;
        };
        let [x, last, age, mean] = ["x", "tx", "T", "m"].map(|name| column(&batches, name));
        let histories: Vec<History> = (0..x.len())
            .map(|index| History {
                x: x[index] as u32,
                recency: (last[index] * 7.0).round() as u32,
                age: (age[index] * 7.0).round() as u32,
            })
            .collect();
        assert!(histories.len() >= 600);
        let params = |model: &str, names: &[&str]| -> Vec<f64> {
            names
                .iter()
                .map(|name| number(&golden["models"][model], &["params", name]))
                .collect()
        };
        let days = number(&golden, &["holdout_len"]) * 7.0;
        for (model, name, short) in [
            (PurchaseModel::BgNbd, "BG/NBD", "bg"),
            (PurchaseModel::MbgNbd, "MBG/NBD", "mbg"),
            (PurchaseModel::ParetoNbd, "Pareto/NBD", "p"),
        ] {
            let mut predictor = Predictor::new(model, &params(name, model.param_names())).expect("parameters");
            let (alive, purchases) = (
                column(&batches, &format!("palive_{short}")),
                column(&batches, &format!("cet_{short}")),
            );
            for (index, &history) in histories.iter().enumerate() {
                assert_close(name, predictor.p_alive(history), alive[index], 1e-9);
                assert_close(name, predictor.expected_purchases(history, days), purchases[index], 1e-9);
            }
            if let (PurchaseModel::ParetoNbd, Some(weekly)) = (model, weekly) {
                let endless = column(&batches, "dert_p");
                for (index, &history) in histories.iter().enumerate() {
                    let found = predictor.discounted_purchases_endless(history, annual(weekly));
                    assert_close("dert", found.expect("Pareto/NBD"), endless[index], 1e-8);
                }
            }
        }
        let spend = params("Gamma-Gamma", &gamma_gamma::PARAM_NAMES);
        let expected = column(&batches, "egg");
        for (index, history) in histories.iter().enumerate() {
            let found = gamma_gamma::expected_spend(&spend, history.x, mean[index]).expect("q is above 1");
            assert_close("spend", found, expected[index], 1e-9);
        }
    }
}
