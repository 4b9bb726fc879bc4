//! Looks over the delta-coded pages of a Parquet file: they say how many values they hold, and their reader makes room for that many first.

use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};
use parquet::errors::Result;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::serialized_reader::SerializedPageReader;

/// Whether a delta-coded page of the chunk claims more values than its header does. Decompresses every page once more.
///
/// # Errors
/// Of the page reader.
pub(super) fn claims_more(bytes: &Bytes, chunk: &ColumnChunkMetaData, rows: usize) -> Result<bool> {
    let mut pages = SerializedPageReader::new(Arc::new(bytes.clone()), chunk, rows, None)?;
    let levels = [chunk.column_descr().max_rep_level(), chunk.column_descr().max_def_level()];
    while let Some(page) = pages.get_next_page()? {
        let (data, count, encoding) = match page {
            Page::DictionaryPage { .. } => continue,
            Page::DataPage {
                buf, num_values, encoding, ..
            } => (behind_levels(&buf, levels), num_values, encoding),
            Page::DataPageV2 {
                buf,
                num_values,
                encoding,
                def_levels_byte_len,
                rep_levels_byte_len,
                ..
            } => {
                let start = (def_levels_byte_len as usize).saturating_add(rep_levels_byte_len as usize);
                (buf.get(start..).map(<[u8]>::to_vec), num_values, encoding)
            }
        };
        let Some(data) = data else { continue };
        if exceeds(&data, u64::from(count), encoding) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The values of a page of the first version: behind its levels, each with its length in front.
fn behind_levels(page: &[u8], levels: [i16; 2]) -> Option<Vec<u8>> {
    let mut rest = page;
    for _ in levels.iter().filter(|&&level| level > 0) {
        let (length, after) = rest.split_first_chunk::<4>()?;
        rest = after.get(u32::from_le_bytes(*length) as usize..)?;
    }
    Some(rest.to_vec())
}

fn exceeds(data: &[u8], count: u64, encoding: Encoding) -> bool {
    let Some((claimed, end)) = numbers(data, count) else {
        return matches!(encoding, Encoding::DELTA_BYTE_ARRAY | Encoding::DELTA_LENGTH_BYTE_ARRAY) && claim(data) > Some(count);
    };
    match encoding {
        Encoding::DELTA_BYTE_ARRAY => claimed > count || data.get(end..).and_then(claim) > Some(count),
        Encoding::DELTA_LENGTH_BYTE_ARRAY => claimed > count,
        _ => false,
    }
}

/// How many numbers the delta-coded bytes claim to hold.
fn claim(data: &[u8]) -> Option<u64> {
    let mut at = 0;
    varint(data, &mut at)?;
    varint(data, &mut at)?;
    varint(data, &mut at)
}

/// The claim, and where the numbers end: as the reader finds it, with trailing miniblocks left out. `None` if they do not end within the data.
fn numbers(data: &[u8], count: u64) -> Option<(u64, usize)> {
    let mut at = 0;
    let block = varint(data, &mut at)?;
    let miniblocks = varint(data, &mut at)?;
    let claimed = varint(data, &mut at)?;
    varint(data, &mut at)?;
    if claimed > count {
        return Some((claimed, at));
    }
    let in_miniblock = block.checked_div(miniblocks).filter(|&values| values > 0)?;
    let miniblocks = usize::try_from(miniblocks).ok()?;
    let mut left = claimed.saturating_sub(1);
    while left > 0 {
        varint(data, &mut at)?;
        let widths = data.get(at..at.checked_add(miniblocks)?)?;
        at += miniblocks;
        for &width in widths {
            if left == 0 {
                break;
            }
            left = left.saturating_sub(in_miniblock);
            at = at.checked_add(usize::try_from(u64::from(width).checked_mul(in_miniblock)? / 8).ok()?)?;
        }
    }
    Some((claimed, at))
}

fn varint(data: &[u8], at: &mut usize) -> Option<u64> {
    let (mut value, mut shift) = (0_u64, 0);
    loop {
        let byte = *data.get(*at)?;
        *at += 1;
        if shift < u64::BITS {
            value |= u64::from(byte & 0x7f) << shift;
        }
        if byte & 0x80 == 0 {
            return Some(value);
        }
        shift += 7;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks of 128 in 4 miniblocks, 3 numbers, the first 0; one block of width 2, 1 byte for each 4 of 32 numbers.
    const THREE: [u8; 17] = [0x80, 1, 4, 3, 0, 0, 2, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7];

    #[test]
    fn numbers_end_behind_the_miniblocks_that_hold_some() {
        let whole = [&THREE[..], &[8]].concat();
        assert_eq!(numbers(&whole, 3), Some((3, 18)));
        assert_eq!(numbers(&[0x80, 1, 4, 1, 0], 3), Some((1, 5)), "one number needs no block");
        assert_eq!(numbers(&[0x80, 1, 0, 2, 0], 3), None, "no miniblock");
    }

    #[test]
    fn a_page_that_claims_more_than_its_header_is_seen_in_both_its_parts() {
        let good = [&THREE[..], &[8], &THREE[..], &[8]].concat();
        for encoding in [Encoding::DELTA_BYTE_ARRAY, Encoding::DELTA_LENGTH_BYTE_ARRAY] {
            assert!(!exceeds(&good, 3, encoding));
            assert!(exceeds(&good, 2, encoding));
        }
        let mut bad = good.clone();
        bad[21] = 4;
        assert!(exceeds(&bad, 3, Encoding::DELTA_BYTE_ARRAY));
        assert!(!exceeds(&bad, 3, Encoding::PLAIN));
    }
}
