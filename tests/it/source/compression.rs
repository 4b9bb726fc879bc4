//! Compressed files: found by content, whole or not at all, and never larger than allowed.

use std::io::Write;

use stammkunde::ErrorKind;

use super::*;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

fn bzip2(text: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
    encoder.write_all(text).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

fn xz(text: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(text).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 1).expect("compressing memory")
}

/// Rows that do not compress to nothing, so that a file cut in half has lost rows.
fn text() -> Vec<u8> {
    let mut text = b"id,name\n".to_vec();
    for id in 0..500_u64 {
        writeln!(text, "{id},name {:x}", id.wrapping_mul(0x9e37_79b9_7f4a_7c15)).expect("writing to memory");
    }
    text
}

type Compress = fn(&[u8]) -> Vec<u8>;
const ALL: [(&str, Compress); 4] = [("gzip", gzip), ("zstd", zstd), ("bzip2", bzip2), ("xz", xz)];

#[test]
fn compression_is_found_by_content_and_not_by_name() {
    for (name, compress) in ALL {
        let read = Project::csv().file("a.csv", compress(&text())).read();
        assert_eq!(read.contacts.len(), 500, "{name}");
    }
    assert_eq!(
        Project::new("*", Format::Csv).file("plain.csv.gz", text()).read().contacts.len(),
        500
    );
}

#[test]
fn files_of_several_members_are_read_to_the_end() {
    for (name, compress) in ALL {
        let bytes = [compress(b"id,name\n1,Al\n"), compress(b"2,Bo\n")].concat();
        assert_eq!(names(&Project::csv().file("a.csv", bytes).read()), ["1|Al", "2|Bo"], "{name}");
    }
}

#[test]
fn a_file_that_is_cut_off_gives_no_row() {
    for (name, compress) in ALL {
        let whole = compress(&text());
        for length in [whole.len() / 2, whole.len() - 1] {
            let error = Project::csv().file("good.csv", text()).file("cut.csv", &whole[..length]).error();
            assert_eq!(error.kind(), ErrorKind::Input, "{name}: {error}");
            assert!(error.context().contains(&("file", "cut.csv".to_owned())), "{name}: {error}");
            assert!(error.hint_text().is_some());
        }
    }
}

#[test]
fn a_wrong_checksum_gives_no_row() {
    let mut bytes = gzip(&text());
    let crc = bytes.len() - 8;
    bytes[crc] ^= 1;
    assert!(Project::csv().file("a.csv", bytes).error().message().contains("damaged"));
}

#[test]
fn a_file_may_be_as_large_as_its_limit_and_no_larger() {
    let text = text();
    for (difference, fits) in [(1_i64, true), (0, true), (-1, false)] {
        for compress in [|text: &[u8]| text.to_vec(), gzip as Compress] {
            let limit = u64::try_from(i64::try_from(text.len()).unwrap() + difference).unwrap();
            let project = Project::csv()
                .file("a.csv", compress(&text))
                .with(|source| source.decompressed_bytes_max = limit);
            let result = project.try_read(&Ledger::default());
            assert_eq!(result.is_ok(), fits, "limit {limit} of {}", text.len());
            if let Err(error) = result {
                assert!(
                    error.message().contains("after decompression") && error.kind() == ErrorKind::Input,
                    "{error}"
                );
            }
        }
    }
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let bomb = gzip(&vec![b'x'; 20 << 20]);
    assert!(bomb.len() < 100_000);
    let error = Project::csv()
        .file("a.csv", bomb)
        .with(|source| source.decompressed_bytes_max = 1 << 20)
        .error();
    assert!(error.message().contains("1048576 bytes after decompression"), "{error}");
}

#[test]
fn an_archive_is_named_as_one() {
    let error = Project::csv().file("a.csv", b"PK\x03\x04rest of a zip").error();
    assert!(error.message().contains("zip"), "{error}");
}

#[test]
fn the_ledger_gets_the_hash_of_the_stored_bytes() {
    let bytes = gzip(&text());
    let read = Project::csv().file("a.csv", &bytes).read();
    let expected: String = <sha2::Sha256 as sha2::Digest>::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(read.inputs[0].sha256, Some(expected));
    assert_eq!(read.inputs[0].size, bytes.len() as u64);
}
