//! The files: types that every reader knows, the same bytes for any number of threads, and damage that is noticed.

use std::fs;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date64Array, Decimal128Array, DictionaryArray, Float32Array, Int64Array, LargeStringArray, ListArray,
    RecordBatch, StringArray, StringViewArray, TimestampNanosecondArray, UInt32Array, UInt64Array,
};
use arrow::datatypes::{DataType, Int32Type, Schema, TimeUnit, UInt8Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::reader::{FileReader, SerializedFileReader};
use stammkunde::ErrorKind;

use super::support::{bytes_of, customers, engine, engine_with, in_memory, on_disk, publish, put, release, release_of};

const CUSTOMERS: &str = "runs/one/customers/part-00000.parquet";

#[test]
fn types_are_those_that_every_reader_knows() {
    let (engine, warehouse) = (engine(), in_memory());
    let coded: DictionaryArray<UInt8Type> = vec![Some("x"), None].into_iter().collect();
    let decimal = Decimal128Array::from(vec![15_000, -1])
        .with_precision_and_scale(18, 4)
        .expect("in range");
    let berlin = TimestampNanosecondArray::from(vec![1_000_000_001, 0]).with_timezone("Europe/Berlin");
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("text", Arc::new(StringViewArray::from(vec!["a", "b"])), false),
        ("large", Arc::new(LargeStringArray::from(vec![Some("a"), None])), true),
        ("coded", Arc::new(coded), true),
        ("count", Arc::new(UInt64Array::from(vec![1, 2])), false),
        ("small", Arc::new(UInt32Array::from(vec![u32::MAX, 0])), false),
        ("share", Arc::new(Float32Array::from(vec![0.5, 1.0])), false),
        ("flag", Arc::new(BooleanArray::from(vec![true, false])), false),
        ("amount", Arc::new(decimal), false),
        ("at", Arc::new(berlin), false),
        ("naive", Arc::new(TimestampNanosecondArray::from(vec![0, 1])), false),
        ("day", Arc::new(Date64Array::from(vec![86_400_000, 0])), false),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length");
    let manifest = publish(&engine, &warehouse, release_of("one", None, vec![("customers", batch)])).expect("it publishes");
    let read = warehouse
        .read(&engine, &manifest, "customers", None)
        .expect("it reads")
        .expect("it is there");
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let expected = [
        ("text", DataType::Utf8, false),
        ("large", DataType::Utf8, true),
        ("coded", DataType::Utf8, true),
        ("count", DataType::Int64, false),
        ("small", DataType::Int64, false),
        ("share", DataType::Float64, false),
        ("flag", DataType::Boolean, false),
        ("amount", DataType::Decimal128(18, 4), false),
        ("at", instant.clone(), false),
        ("naive", instant, false),
        ("day", DataType::Date32, false),
    ];
    let found: Vec<_> = read[0]
        .schema()
        .fields()
        .iter()
        .map(|field| (field.name().clone(), field.data_type().clone(), field.is_nullable()))
        .collect();
    assert_eq!(
        found,
        expected.map(|(name, data_type, nullable)| (name.to_owned(), data_type, nullable))
    );
    let large = read[0].column(4).as_any().downcast_ref::<Int64Array>().expect("signed");
    assert_eq!(large.value(0), i64::from(u32::MAX));
}

#[test]
fn what_no_table_can_hold_is_refused() {
    let (engine, warehouse) = (engine(), in_memory());
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)])]);
    let nested = RecordBatch::try_from_iter([("list", Arc::new(list) as ArrayRef)]).expect("a batch");
    let error = publish(&engine, &warehouse, release_of("one", None, vec![("customers", nested)])).expect_err("it is nested");
    assert_eq!(error.kind(), ErrorKind::Config);
    let huge = RecordBatch::try_from_iter([("count", Arc::new(UInt64Array::from(vec![u64::MAX])) as ArrayRef)]).expect("a batch");
    let error = publish(&engine, &warehouse, release_of("one", None, vec![("customers", huge)])).expect_err("it does not fit");
    assert_eq!(error.kind(), ErrorKind::Input);
    assert_eq!(warehouse.latest(&engine).expect("it reads"), None);
}

#[test]
fn a_table_without_rows_keeps_its_schema() {
    let (engine, warehouse) = (engine(), in_memory());
    let mut release = release("one", None);
    release.tables[0].2.clear();
    let manifest = publish(&engine, &warehouse, release).expect("it publishes");
    let read = warehouse
        .read(&engine, &manifest, "customers", Some(&["orders"]))
        .expect("it reads")
        .expect("it is there");
    assert_eq!((read[0].num_rows(), read[0].schema().field(0).name().as_str()), (0, "orders"));
    assert_eq!(manifest.tables["customers"].rows, 0);
}

#[test]
fn the_same_rows_give_the_same_bytes_on_any_threads_and_in_any_batches() {
    let rows = 600_000_u32;
    let keys: StringArray = (0..rows).map(|row| Some(format!("{row:08}"))).collect();
    let numbers: Int64Array = (0..rows).map(|row| (row % 7 > 0).then(|| i64::from(row) * 31 % 1009)).collect();
    let whole = RecordBatch::try_from_iter_with_nullable([
        ("customer_key", Arc::new(keys) as ArrayRef, false),
        ("orders", Arc::new(numbers) as ArrayRef, true),
    ])
    .expect("columns of one length");
    let mut seen = Vec::new();
    for (threads, cut) in [(1, 600_000), (2, 8_192), (5, 99_991)] {
        let (engine, warehouse) = (engine_with(threads), in_memory());
        let mut release = release_of("one", None, vec![("customers", whole.clone())]);
        let cut = cut as usize;
        release.tables[0].2 = (0..rows as usize)
            .step_by(cut)
            .map(|start| whole.slice(start, cut.min(rows as usize - start)))
            .collect();
        let manifest = publish(&engine, &warehouse, release).expect("it publishes");
        let read = warehouse
            .read(&engine, &manifest, "customers", None)
            .expect("it reads")
            .expect("it is there");
        let read = arrow::compute::concat_batches(&whole.schema(), &read).expect("one schema");
        assert_eq!(read, whole);
        seen.push(bytes_of(&engine, &warehouse, CUSTOMERS).expect("it is there"));
    }
    assert!(seen[0] == seen[1] && seen[1] == seen[2], "bytes differ");
    let file = SerializedFileReader::new(seen[0].clone()).expect("Parquet");
    let metadata = file.metadata();
    assert_eq!(metadata.num_row_groups(), 2);
    assert_eq!(metadata.row_group(0).num_rows(), 512 * 1024);
    assert!(matches!(metadata.row_group(0).column(0).compression(), Compression::ZSTD(_)));
    assert_eq!(metadata.row_group(0).sorting_columns().map(Vec::len), Some(1));
    assert!(
        metadata
            .file_metadata()
            .created_by()
            .is_some_and(|by| by.starts_with("stammkunde "))
    );
    assert!(metadata.column_index().is_some() || metadata.row_group(0).column(0).column_index_offset().is_some());
}

#[test]
fn a_file_does_not_claim_an_order_that_it_lacks() {
    let (engine, warehouse) = (engine(), in_memory());
    publish(
        &engine,
        &warehouse,
        release_of("one", None, vec![("customers", customers(&["b", "a"]))]),
    )
    .expect("it publishes");
    let file = SerializedFileReader::new(bytes_of(&engine, &warehouse, CUSTOMERS).expect("it is there")).expect("Parquet");
    assert_eq!(file.metadata().row_group(0).sorting_columns(), None);
}

#[test]
fn no_arrow_schema_is_hidden_in_a_file() {
    let engine = engine();
    let (_folder, warehouse) = on_disk(&engine);
    publish(&engine, &warehouse, release("one", None)).expect("it publishes");
    let path = warehouse.root.local.as_ref().expect("a disk").join(CUSTOMERS);
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).expect("a file")).expect("Parquet");
    assert!(reader.metadata().file_metadata().key_value_metadata().is_none_or(Vec::is_empty));
    let schema: &Schema = reader.schema();
    assert_eq!(schema.field(0).data_type(), &DataType::Utf8);
}

#[test]
fn damage_is_noticed_when_a_table_or_a_state_is_read() {
    let (engine, warehouse) = (engine(), in_memory());
    let manifest = publish(&engine, &warehouse, release("one", None)).expect("it publishes");
    let whole = bytes_of(&engine, &warehouse, CUSTOMERS).expect("it is there");
    let mut flipped = whole.to_vec();
    flipped[whole.len() / 2] ^= 1;
    for damage in [&flipped[..], &whole[..whole.len() - 1], b""] {
        put(&engine, &warehouse, CUSTOMERS, damage);
        let error = warehouse.read(&engine, &manifest, "customers", None).expect_err("it is damaged");
        assert_eq!(error.kind(), ErrorKind::Environment);
        assert!(error.to_string().contains(CUSTOMERS), "{error}");
    }
    put(&engine, &warehouse, "runs/one/state/model.json", b"{\"by\":\"eno\"}");
    assert_eq!(
        warehouse.state(&engine, &manifest, "model.json").expect_err("it is damaged").kind(),
        ErrorKind::Environment
    );
}

#[test]
fn a_file_of_many_parts_is_uploaded_whole() {
    let (engine, warehouse) = (engine(), in_memory());
    // Noise, so that compression leaves more than two parts of 8 MiB.
    let mut state = 1_u64;
    let numbers: Int64Array = (0..2_300_000)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            Some(state.cast_signed())
        })
        .collect();
    let batch = RecordBatch::try_from_iter([("number", Arc::new(numbers) as ArrayRef)]).expect("a batch");
    let manifest = publish(&engine, &warehouse, release_of("one", None, vec![("customers", batch.clone())])).expect("it publishes");
    assert!(manifest.tables["customers"].files[0].bytes > 2 * (8 << 20));
    let read = warehouse
        .read(&engine, &manifest, "customers", None)
        .expect("it reads")
        .expect("it is there");
    let schema = read[0].schema();
    assert_eq!(
        arrow::compute::concat_batches(&schema, &read).expect("one schema").column(0),
        batch.column(0)
    );
}
