//! Looks over a stream of Arrow messages before it is read: the reader believes what a damaged message says of its length, and makes room for it.

use arrow::ipc::root_as_message;

/// Marks a message; older writers left it out.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Whether every message and its body lie within the bytes. O(messages).
pub(super) fn is_whole(mut rest: &[u8]) -> bool {
    loop {
        let marked = rest.strip_prefix(&CONTINUATION).unwrap_or(rest);
        let Some((length, after)) = marked.split_first_chunk::<4>() else {
            // A stream may end without its mark.
            return rest.is_empty();
        };
        let Ok(length) = usize::try_from(i32::from_le_bytes(*length)) else {
            return false;
        };
        if length == 0 {
            return true;
        }
        let Some((message, after)) = after.split_at_checked(length) else {
            return false;
        };
        let body = root_as_message(message)
            .ok()
            .and_then(|message| usize::try_from(message.bodyLength()).ok());
        let Some((_, after)) = body.and_then(|body| after.split_at_checked(body)) else {
            return false;
        };
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, RecordBatch};
    use arrow::ipc::writer::StreamWriter;

    use super::*;

    fn stream() -> Vec<u8> {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        let batch = RecordBatch::try_from_iter([("n", numbers)]).expect("one column");
        let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).expect("a writer");
        writer.write(&batch).expect("writing to memory");
        writer.into_inner().expect("writing to memory")
    }

    #[test]
    fn a_stream_is_whole_and_a_cut_one_is_not() {
        let whole = stream();
        assert!(is_whole(&whole) && is_whole(&[]));
        // Without the mark of its end it is whole, too; any shorter it is not.
        assert!(is_whole(&whole[..whole.len() - 8]));
        for length in 9..whole.len() - 8 {
            let cut = &whole[..length];
            assert!(!is_whole(cut) || whole[length..].starts_with(&CONTINUATION), "{length}");
        }
    }

    #[test]
    fn a_length_beyond_the_bytes_is_seen() {
        let mut bytes = stream();
        bytes[4..8].copy_from_slice(&i32::MAX.to_le_bytes());
        assert!(!is_whole(&bytes));
        bytes[4..8].copy_from_slice(&(-8_i32).to_le_bytes());
        assert!(!is_whole(&bytes));
    }
}
