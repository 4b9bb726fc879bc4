//! The values of the records of a review, for a person to compare.

use arrow::array::RecordBatch;
use rustc_hash::{FxHashMap, FxHashSet};

use super::candidates::Candidate;
use crate::error::Result;
use crate::explain::{SHOWN, text_at};
use crate::table::column;
use crate::table::decisions::NamedRecord;
use crate::text::mask::mask;

/// Values by record and column.
pub(super) type Values = FxHashMap<NamedRecord, serde_json::Map<String, serde_json::Value>>;

/// Reads the values of the records of all candidates.
pub(super) fn read(
    candidates: &[Candidate],
    show_pii: bool,
    table: &dyn Fn(&str, &[&str]) -> Result<Vec<RecordBatch>>,
) -> Result<Values> {
    let wanted: FxHashSet<NamedRecord> = candidates
        .iter()
        .flat_map(|candidate| [candidate.left.clone(), candidate.right.clone()])
        .collect();
    let mut values = Values::default();
    if wanted.is_empty() {
        return Ok(values);
    }
    let columns = [&[column::SOURCE, column::RECORD_ID], &SHOWN[..]].concat();
    for batch in table("contacts", &columns)? {
        for row in 0..batch.num_rows() {
            let text = |name: &str| text_at(&batch, name, row);
            let record = NamedRecord {
                source: text(column::SOURCE).unwrap_or_default(),
                record_id: text(column::RECORD_ID).unwrap_or_default(),
            };
            if wanted.contains(&record) {
                let shown = |value: String| if show_pii { value } else { mask(&value) };
                let held = SHOWN.iter().filter_map(|name| Some(((*name).to_owned(), shown(text(name)?).into())));
                values.insert(record, held.collect());
            }
        }
    }
    Ok(values)
}
