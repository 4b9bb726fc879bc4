//! Files that mean harm, or look as if they did: bounded memory, one reason, and nothing beside the damage lost.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Float64Array, Int64Array, StringArray};
use arrow::datatypes::Int32Type;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use stammkunde::ErrorKind;

use super::*;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

fn bzip2(text: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(text).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

fn xz(text: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 0);
    encoder.write_all(text).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

/// With a checksum, as the command-line tool writes it.
fn zstd(text: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("an encoder");
    encoder.include_checksum(true).expect("a checksum");
    encoder.write_all(text).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

type Compress = fn(&[u8]) -> Vec<u8>;
const ALL: [(&str, Compress); 4] = [("gzip", gzip), ("zstd", zstd), ("bzip2", bzip2), ("xz", xz)];

/// Whatever differs between platforms and times of a test is out of this generator: the same numbers on every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).expect("below a usize")
    }
}

#[test]
fn a_flipped_bit_in_a_compressed_file_gives_no_row() {
    let mut text = b"id,name\n".to_vec();
    for id in 0..300_u64 {
        writeln!(text, "{id},name {:x}", id.wrapping_mul(0x9e37_79b9_7f4a_7c15)).expect("writing to memory");
    }
    let mut numbers = Numbers(7);
    for (name, compress) in ALL {
        let whole = compress(&text);
        for _ in 0..8 {
            let mut bytes = whole.clone();
            // Behind the magic number, and before the footer, parts of which nobody reads.
            let position = 16 + numbers.below(bytes.len() - 60);
            bytes[position] ^= 1 << numbers.below(8);
            let error = Project::csv().file("a.csv", &bytes).error();
            assert_eq!(error.kind(), ErrorKind::Input, "{name} at {position}: {error}");
            assert!(error.context().contains(&("file", "a.csv".to_owned())), "{name}: {error}");
        }
    }
}

#[test]
fn a_file_may_grow_so_many_times_and_no_more() {
    let rows = |count: usize| [b"id,name\n1,Al\n".to_vec(), vec![b'\n'; count]].concat();
    for (name, compress) in ALL {
        // Members of one megabyte of nothing, more of them than the bytes that are free of the ratio.
        let bomb = [compress(&rows(0)), compress(&vec![b'\n'; 1 << 20]).repeat(18)].concat();
        let read = |ratio_max: u64| {
            let project = Project::csv().file("a.csv", &bomb);
            project
                .with(|source| source.decompressed_ratio_max = ratio_max)
                .try_read(&Ledger::default())
        };
        let error = read(20).expect_err("more than twenty times");
        assert!(error.message().contains("20 times its size"), "{name}: {error}");
        assert_eq!(error.kind(), ErrorKind::Input);
        assert!(error.hint_text().is_some_and(|hint| hint.contains("decompressed_ratio_max")));
    }
    // What is small may be as empty as it likes.
    let read = Project::csv()
        .file("a.csv", gzip(&rows(1 << 20)))
        .with(|source| source.decompressed_ratio_max = 1)
        .read();
    assert_eq!(names(&read), ["1|Al"]);
}

#[test]
fn more_keys_than_a_file_may_use_is_an_error() {
    let keys: Vec<String> = (0..10_001).map(|key| format!("\"k{key}\":1")).collect();
    let error = Project::jsonl().file("a.jsonl", format!("{{{}}}\n", keys.join(","))).error();
    assert!(error.message().contains("more than 10000 keys"), "{error}");
    // One a line is the same danger, more slowly.
    let lines: String = (0..10_001).map(|key| format!("{{\"k{key}\":1}}\n")).collect();
    assert_eq!(Project::jsonl().file("a.jsonl", lines).error().kind(), ErrorKind::Input);
}

#[test]
fn nesting_of_any_depth_is_text_or_costs_one_line() {
    let deep = 100_000;
    let text = [
        "{\"id\":1,\"name\":{\"b\":\"Al\"}}\n".to_owned(),
        format!("{{\"id\":2,\"name\":{}\n", "[".repeat(deep)),
        format!("{{\"id\":3,\"name\":{}{}}}\n", "[".repeat(deep), "]".repeat(deep)),
        format!("{{\"id\":4,\"name\":{}1{}}}\n", "{\"a\":".repeat(deep), "}".repeat(deep)),
        "{\"id\":5,\"name\":{\"a\":\"Bo\"}}\n".to_owned(),
    ]
    .concat();
    // A mapping that looks inside finds nothing in what is too deep.
    let sql = r#"SELECT "id" AS record_id, coalesce(json_get("name", 'a'), 'none') AS full_name FROM raw"#;
    let project = Project::jsonl().file("a.jsonl", text);
    let read = project.mapping(RecordKind::Contacts, sql).read();
    assert_eq!(names(&read), ["1|none", "3|none", "4|none", "5|Bo"]);
    let reasons: Vec<(Option<u64>, &str)> = read
        .rejects
        .rows
        .iter()
        .map(|reject| (reject.line, reject.reason.as_str()))
        .collect();
    assert_eq!(
        reasons,
        [(Some(2), "invalid_json"), (Some(3), "unparsed_value"), (Some(4), "unparsed_value")]
    );
}

#[test]
fn poisoned_rows_are_listed_with_their_line_and_all_others_stay() {
    let huge = "x".repeat(10 << 20);
    let mut text = b"id,name,born,amount\n".to_vec();
    for row in [
        &b"1,Al,1970-01-01,1.5"[..],
        b"2,B\xffo,1970-01-01,1",
        b"3,C\0y,1970-01-01,1",
        format!("4,{huge},1970-01-01,1").as_bytes(),
        b"5,Dee,9999-12-31,1e400",
        b"6,Eve,0001-01-01,NaN",
        b"7,Fay,99999-01-01,inf",
        b"8,Gus,1970-01-01,-0",
    ] {
        text.extend(row);
        text.push(b'\n');
    }
    let contacts = r#"SELECT "id" AS record_id, "name" AS full_name, parse_date("born", 'yyyy-mm-dd') AS birth_date FROM raw"#;
    let orders = r#"SELECT "id" AS order_id, "id" AS contact_record_id, parse_decimal("amount", 'en') AS gross, 'EUR' AS currency,
                    CAST('2024-01-01T00:00:00Z' AS TIMESTAMP) AS ordered_at FROM raw"#;
    let read = Project::csv()
        .file("a.csv", text)
        .mapping(RecordKind::Contacts, contacts)
        .mapping(RecordKind::Orders, orders)
        .read();
    assert_eq!(names(&read), ["1|Al", "2|-", "5|Dee", "6|Eve", "7|Fay", "8|Gus"]);
    let listed: Vec<String> = read
        .rejects
        .rows
        .iter()
        .map(|reject| {
            let line = reject.line.map_or("-".to_owned(), |line| line.to_string());
            format!("{line} {} {}", reject.reason, reject.field.clone().unwrap_or_default())
        })
        .collect();
    for expected in [
        "3 invalid_encoding name",
        "4 nul_byte ",
        "5 field_too_large ",
        "6 unparsed_value amount",
        "7 unparsed_value amount",
        "8 unparsed_value amount",
        "8 unparsed_value born",
    ] {
        assert!(listed.iter().any(|line| line == expected), "{expected} is not in {listed:#?}");
    }
    for counts in &read.counts {
        assert_eq!(counts.rows_read, counts.rows_kept + counts.rows_rejected, "{counts:?}");
    }
    assert!(
        read.rejects
            .rows
            .iter()
            .all(|reject| reject.file.is_some() || reject.line.is_none())
    );
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let mut bytes = Vec::new();
    let properties = WriterProperties::builder().set_dictionary_page_size_limit(1 << 30).build();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).expect("a writer");
    writer.write(&batch).expect("writing to memory");
    writer.close().expect("writing to memory");
    bytes
}

#[test]
fn poisoned_rows_of_typed_files_are_listed_too() {
    let huge = "x".repeat(30);
    let file = parquet(vec![
        ("id", Arc::new(Int64Array::from(vec![1, 2, 3, 4])) as ArrayRef),
        (
            "name",
            Arc::new(StringArray::from(vec![Some("Al"), Some("B\0o"), Some(huge.as_str()), None])),
        ),
        ("amount", Arc::new(Float64Array::from(vec![f64::NAN, f64::INFINITY, 1.0, -0.0]))),
    ]);
    let read = Project::parquet()
        .file("a.parquet", file)
        .with(|source| source.field_bytes_max = 29)
        .read();
    assert_eq!(names(&read), ["1|Al", "4|-"]);
    assert_eq!(
        rejects(&read),
        ["2 nul_byte name B\0o".to_owned(), format!("3 field_too_large name {huge}")]
    );
    assert_eq!((counts(&read, "raw").rows_read, counts(&read, "raw").rows_kept), (4, 2));
}

#[test]
fn a_text_named_a_million_times_by_a_small_file_stops_at_the_limit() {
    let rows = 200_000;
    let keys = arrow::array::Int32Array::from(vec![0; rows]);
    let values = Arc::new(StringArray::from(vec!["x".repeat(600)]));
    let names = DictionaryArray::<Int32Type>::try_new(keys, values).expect("a dictionary");
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..i64::try_from(rows).expect("a number")));
    let file = parquet(vec![("id", ids), ("name", Arc::new(names))]);
    assert!(file.len() < 2 << 20, "{} bytes", file.len());
    let error = Project::parquet()
        .file("a.parquet", file)
        .with(|source| source.decompressed_bytes_max = 16 << 20)
        .error();
    assert!(error.message().contains("16777216 bytes after decompression"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Input);
}

#[test]
fn a_footer_that_promises_rows_without_end_is_refused() {
    // The file says 3 rows twice: in the footer, and in its only row group.
    let file = parquet(vec![("id", Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef)]);
    let rows_nobody_reads = "SELECT '1' AS record_id, 'Al' AS full_name FROM raw WHERE false";
    let footer = file.len() - 8 - u32::from_le_bytes(file[file.len() - 8..file.len() - 4].try_into().expect("four bytes")) as usize;
    // An i64 field of thrift's compact protocol that holds 3, one field after the last: type 6, then zigzag 6.
    let places: Vec<usize> = (footer..file.len() - 8)
        .filter(|&at| file[at] == 0x16 && file[at + 1] == 6)
        .collect();
    assert!(places.len() >= 2, "{places:?}");
    for mask in 1..1_u32 << places.len().min(4) {
        let mut bytes = file[..footer].to_vec();
        for (at, &byte) in file.iter().enumerate().take(file.len() - 8).skip(footer) {
            let is_count = places
                .iter()
                .take(4)
                .position(|&place| place + 1 == at)
                .is_some_and(|bit| mask >> bit & 1 == 1);
            if is_count {
                bytes.extend([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
            } else {
                bytes.push(byte);
            }
        }
        let length = u32::try_from(bytes.len() - footer).expect("a short footer");
        bytes.extend(length.to_le_bytes());
        bytes.extend(b"PAR1");
        let project = Project::parquet()
            .file("a.parquet", bytes)
            .mapping(RecordKind::Contacts, rows_nobody_reads);
        match project.try_read(&Ledger::default()) {
            Ok(read) => assert!(counts(&read, "raw").rows_read <= 3, "{mask:b}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Input, "{mask:b}: {error}"),
        }
    }
}

#[test]
fn mutations_of_every_kept_parquet_file_are_read_or_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/parquet");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let source = source_spec("crm", String::new(), Format::Parquet);
    let mut numbers = Numbers(11);
    let (mut read, mut refused) = (0, 0);
    for path in paths {
        let whole = std::fs::read(&path).expect("a file");
        for _ in 0..60 {
            let mut bytes = whole.clone();
            for _ in 0..=numbers.below(2) {
                let position = numbers.below(bytes.len());
                match numbers.below(4) {
                    0 => bytes[position] ^= 1 << numbers.below(8),
                    1 => bytes[position] = [0, 0x7f, 0x80, 0xff][numbers.below(4)],
                    2 => bytes.insert(position, 0xff),
                    _ => drop(bytes.remove(position)),
                }
            }
            match source::decode(&source, &bytes.into()) {
                Ok(_) => read += 1,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Input, "{}: {error}", path.display());
                    refused += 1;
                }
            }
        }
    }
    assert!(read > 20 && refused > 200, "{read} read, {refused} refused");
}

#[test]
fn a_link_out_of_the_folder_is_refused_and_one_inside_is_followed() {
    let project = Project::csv()
        .file("a.csv", "id,name\n1,Al\n")
        .file("archive/b.csv", "id,name\n2,Bo\n");
    let exports = project.folder.path().join("exports");
    let link = |target: &Path, name: &str| std::os::unix::fs::symlink(target, exports.join(name)).expect("a link");
    link(&exports.join("archive/b.csv"), "b.csv");
    assert_eq!(names(&project.read()), ["1|Al", "2|Bo"]);
    let secret = project.folder.path().join("secret.csv");
    std::fs::write(&secret, "id,name\n3,Cy\n").expect("a file");
    link(&secret, "c.csv");
    let error = project.inputs(&Ledger::default()).expect_err("it leads outside");
    assert_eq!(error.kind(), ErrorKind::Input);
    assert!(error.context().contains(&("file", "c.csv".to_owned())), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[test]
fn names_and_values_that_look_like_sql_are_data() {
    let nasty = "x'); DROP TABLE raw; --";
    let text = format!("id,\"na\"\"me; DROP TABLE raw\",\"${{SECRET}}\"\n1,\"{nasty}\",\"' OR 1=1 --\"\n");
    let sql = r#"SELECT "id" AS record_id, "na""me; DROP TABLE raw" AS full_name, "${SECRET}" AS company, "day" AS city, "_file" AS street FROM raw"#;
    let project = Project::new("**/*.csv", Format::Csv)
        .file("day=' OR ''='/o'; DROP TABLE raw; --.csv", text)
        .mapping(RecordKind::Contacts, sql);
    let read = project.read();
    assert_eq!(
        rows(read.contacts.batch(), &["full_name", "company", "city"]),
        [format!("{nasty}|' OR 1=1 --|' OR ''='")]
    );
    assert!(
        text_column(read.contacts.batch(), "street")[0]
            .as_ref()
            .is_some_and(|file| file.contains("DROP TABLE"))
    );
}

proptest::proptest! {
    #[test]
    fn a_run_id_never_leaves_its_folder(text in proptest::prelude::any::<String>()) {
        if let Ok(id) = stammkunde::table::RunId::from_scheduler(&text) {
            let id = id.as_str();
            proptest::prop_assert!(!id.starts_with('.') && !id.is_empty() && id.len() <= 255);
            proptest::prop_assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)));
        }
    }
}
