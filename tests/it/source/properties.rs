//! Laws that hold for any file: nothing is lost without a trace, and where a row stands does not matter.

use proptest::prelude::*;

use super::*;

fn balanced(read: &Ingested) -> bool {
    read.counts
        .iter()
        .all(|counts| counts.rows_read == counts.rows_kept + counts.rows_rejected)
}

/// Pieces of which bad CSV is made.
fn bad_csv() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        &b"1"[..],
        b"2",
        b"Al",
        b",",
        b",",
        b"\n",
        b"\n",
        b"\r\n",
        b"\"",
        b"\"\"",
        b"\0",
        b"\xff",
        b"\xc3\xa4",
        b" ",
        b"'1",
        b"a,b\n",
        b"3,\"x\ny\"\n",
        b"xxxxxxxxxxxxxxxxxxxxx",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn every_row_read_is_kept_or_rejected(body in bad_csv(), pad in any::<bool>(), footer in 0_u32..3) {
        let project = Project::csv().file("a.csv", [b"id,name\n".as_slice(), &body].concat()).with(|source| {
            source.csv.ragged_rows = if pad { RaggedRows::Pad } else { RaggedRows::Reject };
            source.csv.skip_footer = footer;
            source.field_bytes_max = 20;
        });
        let read = project.read();
        prop_assert!(balanced(&read), "{:?}", read.counts);
        let rows_rejected: u64 = read.counts.iter().map(|counts| counts.rows_rejected).sum();
        let values_rejected: u64 = read.counts.iter().map(|counts| counts.values_rejected).sum();
        prop_assert_eq!(rows_rejected, read.rejects.rows_count());
        prop_assert_eq!(values_rejected, read.rejects.values_count());
        prop_assert_eq!(read.counts[0].rows_kept, read.counts[1].rows_read);
    }

    #[test]
    fn well_formed_rows_survive_whatever_is_in_their_fields(fields in prop::collection::vec("[a-zäö ,;\"\r\n]{0,12}", 1..20)) {
        let mut text = "id,name\n".to_owned();
        for (id, field) in fields.iter().enumerate() {
            text += &format!("{id:03},\"{}\"\n", field.replace('"', "\"\""));
        }
        let read = Project::csv().file("a.csv", text).read();
        let expected: Vec<Option<String>> = fields.iter().map(|field| (!field.is_empty()).then(|| field.clone())).collect();
        prop_assert_eq!(text_column(read.contacts.batch(), "full_name"), expected);
    }

    #[test]
    fn an_unbalanced_quote_never_hides_the_rows_after_it(at in 0_usize..30) {
        let mut text = "id,name\n".to_owned();
        for id in 0..30 {
            text += &if id == at { format!("{id:02},\"open\n") } else { format!("{id:02},name\n") };
        }
        prop_assert_eq!(Project::csv().file("a.csv", text).read().contacts.len(), 29);
    }
}
