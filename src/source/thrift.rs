//! Looks over the Thrift structures of a Parquet file before its reader does: a list of truth values takes no byte of a hostile file, and
//! the reader goes through as many of them as the file claims, for hours. Linear in the bytes that are there.

/// Structures within structures; real ones have five.
const DEPTH_MAX: u32 = 32;
/// Field of a page header that holds the compressed size of its page.
const COMPRESSED_PAGE_SIZE: i64 = 3;
/// Fields of a page header, and in them those that hold the encoding of a page: of the first version and of the second.
const ENCODING: [(i64, i64); 2] = [(5, 2), (8, 4)];
/// Encodings that say themselves how many values they hold.
const DELTA: std::ops::RangeInclusive<i64> = 5..=7;

/// Why a structure was not walked to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// It ends in the middle, or its reader will refuse it.
    Malformed,
    /// It claims more than it holds.
    Hostile,
}

/// A structure that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Walked {
    /// Bytes of it.
    pub length: usize,
    /// Its field 3 as a number: of a page header, how long the page is.
    pub page_bytes: Option<usize>,
    /// Of a page header: whether the page is delta-coded.
    pub is_delta: bool,
}

/// Walks the structure that the bytes start with.
pub(super) fn walk(bytes: &[u8]) -> Result<Walked, Stop> {
    let mut walker = Walker {
        bytes,
        at: 0,
        is_delta: false,
    };
    let page_bytes = walker.structure(0, 0)?;
    Ok(Walked {
        length: walker.at,
        page_bytes,
        is_delta: walker.is_delta,
    })
}

/// Walks the headers of the pages that follow each other in a column chunk, and says whether one is delta-coded. What is malformed is left
/// to the reader, which refuses it.
pub(super) fn walk_pages(mut chunk: &[u8]) -> Result<bool, Stop> {
    let mut is_delta = false;
    while !chunk.is_empty() {
        let page = match walk(chunk) {
            Err(Stop::Malformed) => return Ok(is_delta),
            walked => walked?,
        };
        is_delta |= page.is_delta;
        let next = page.page_bytes.and_then(|bytes| page.length.checked_add(bytes));
        chunk = next.and_then(|next| chunk.get(next..)).unwrap_or_default();
    }
    Ok(is_delta)
}

struct Walker<'a> {
    bytes: &'a [u8],
    at: usize,
    is_delta: bool,
}

impl Walker<'_> {
    fn byte(&mut self) -> Result<u8, Stop> {
        let byte = *self.bytes.get(self.at).ok_or(Stop::Malformed)?;
        self.at += 1;
        Ok(byte)
    }

    fn skip(&mut self, count: u64) -> Result<(), Stop> {
        let left = (self.bytes.len() - self.at) as u64;
        if count > left {
            return Err(Stop::Malformed);
        }
        self.at += usize::try_from(count).expect("not more than is left");
        Ok(())
    }

    fn varint(&mut self) -> Result<u64, Stop> {
        let (mut value, mut shift) = (0_u64, 0);
        loop {
            let byte = self.byte()?;
            if shift < u64::BITS {
                value |= u64::from(byte & 0x7f) << shift;
            }
            if byte & 0x80 == 0 {
                return Ok(value);
            }
            shift += 7;
        }
    }

    fn number(&mut self) -> Result<i64, Stop> {
        let value = self.varint()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// Fields up to the stop; gives the number in field 3.
    fn structure(&mut self, depth: u32, within: i64) -> Result<Option<usize>, Stop> {
        if depth > DEPTH_MAX {
            return Err(Stop::Hostile);
        }
        let (mut id, mut third) = (0_i64, None);
        loop {
            let header = self.byte()?;
            if header == 0 {
                return Ok(third);
            }
            id = match header >> 4 {
                0 => self.number()?,
                delta => id.wrapping_add(i64::from(delta)),
            };
            match header & 0x0f {
                1 | 2 => {}
                5 if depth == 1 && ENCODING.contains(&(within, id)) => self.is_delta |= DELTA.contains(&self.number()?),
                12 => drop(self.structure(depth + 1, id)?),
                5 if id == COMPRESSED_PAGE_SIZE => third = usize::try_from(self.number()?).ok(),
                kind => self.value(kind, depth)?,
            }
        }
    }

    fn value(&mut self, kind: u8, depth: u32) -> Result<(), Stop> {
        match kind {
            3 => self.skip(1),
            4..=6 => self.varint().map(drop),
            7 => self.skip(8),
            8 => {
                let length = self.varint()?;
                self.skip(length)
            }
            9 | 10 => self.list(depth + 1),
            12 => self.structure(depth + 1, 0).map(drop),
            13 => self.skip(16),
            // No structure of Parquet has a map, and one of truth values would take no byte either.
            11 if self.varint()? > 0 => Err(Stop::Hostile),
            11 => Ok(()),
            _ => Err(Stop::Malformed),
        }
    }

    fn list(&mut self, depth: u32) -> Result<(), Stop> {
        if depth > DEPTH_MAX {
            return Err(Stop::Hostile);
        }
        let header = self.byte()?;
        let count = match header >> 4 {
            15 => self.varint()?,
            count => u64::from(count),
        };
        // Every element takes a byte at least, but for truth values, of which no list stands where this looks.
        let is_empty_kind = matches!(header & 0x0f, 1 | 2);
        if count > (self.bytes.len() - self.at) as u64 || (is_empty_kind && count > 0) {
            return Err(Stop::Hostile);
        }
        for _ in 0..count {
            self.value(header & 0x0f, depth)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_header_gives_its_length_and_that_of_its_page() {
        // Fields 1 to 3: i32 0, i32 48, i32 46; field 5: a structure of one i32.
        let header = [0x15, 0x00, 0x15, 0x60, 0x15, 0x5c, 0x2c, 0x15, 0x06, 0x00, 0x00, 0xff];
        let walked = Walked {
            length: 11,
            page_bytes: Some(46),
            is_delta: false,
        };
        assert_eq!(walk(&header), Ok(walked));
        assert_eq!(walk(&header[..10]), Err(Stop::Malformed));
    }

    #[test]
    fn lists_that_claim_more_than_is_there_are_hostile() {
        // Field 1: a list of 2^28 - 1 truth values, numbers, structures.
        for element in [0xf1, 0xf2, 0xf5, 0xfc] {
            assert_eq!(
                walk(&[0x19, element, 0xff, 0xff, 0xff, 0x7f, 0x00, 0x00]),
                Err(Stop::Hostile),
                "{element:x}"
            );
        }
        assert_eq!(walk(&[0x19, 0x11, 0x00]), Err(Stop::Hostile), "one truth value");
        assert_eq!(walk(&[0x1b, 0xff, 0xff, 0x7f, 0x11, 0x00]), Err(Stop::Hostile), "a map");
        assert_eq!(walk(&[0x1b, 0x00, 0x00]).map(|walked| walked.length), Ok(3), "an empty map");
        assert_eq!(
            walk(&[0x19, 0x25, 0x02, 0x04, 0x00]).map(|walked| walked.length),
            Ok(5),
            "two numbers"
        );
    }

    #[test]
    fn structures_without_end_are_hostile() {
        assert_eq!(walk(&[0x1c; 1000]), Err(Stop::Hostile));
        assert_eq!(walk(&[0x19; 1000]), Err(Stop::Hostile));
    }

    #[test]
    fn pages_are_walked_one_after_the_other_and_damage_is_left_to_the_reader() {
        let page = [0x15, 0x00, 0x15, 0x04, 0x15, 0x04, 0x00, 0xaa, 0xbb];
        assert_eq!(walk_pages(&page.repeat(3)), Ok(false));
        assert_eq!(
            walk_pages(&[page.repeat(2), vec![0x19, 0xf1, 0xff, 0x7f, 0, 0]].concat()),
            Err(Stop::Hostile)
        );
        assert_eq!(walk_pages(&[page.repeat(2), vec![0x18, 0xff]].concat()), Ok(false));
        assert_eq!(walk_pages(&[]), Ok(false));
        // Field 5, and in it field 2: encoding 7.
        let delta = [0x15, 0x00, 0x15, 0x02, 0x15, 0x02, 0x2c, 0x15, 0x02, 0x15, 0x0e, 0x00, 0x00, 0xaa];
        assert_eq!(walk_pages(&[page.to_vec(), delta.to_vec()].concat()), Ok(true));
    }
}
