//! The values of the records of a review, for a person to compare.

use arrow::array::RecordBatch;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Read;
use super::candidates::Candidate;
use crate::error::Result;
use crate::explain::{SHOWN, text_at};
use crate::table::column;
use crate::table::decisions::NamedRecord;
use crate::text::mask::mask;

/// Values by record and column.
pub(super) type Values = FxHashMap<NamedRecord, serde_json::Map<String, serde_json::Value>>;

/// Names and birth date: what tells two people with one identifier apart.
const TELLING: [&str; 3] = [column::GIVEN_NAME, column::FAMILY_NAME, column::BIRTH_DATE];

/// The candidates whose two records both have a given name, a family name or a birth date, and not the same; capitals do not matter.
pub(super) fn differing<'a>(
    candidates: impl Iterator<Item = &'a Candidate>,
    table: &Read<'_>,
) -> Result<FxHashSet<(NamedRecord, NamedRecord)>> {
    let pairs: Vec<(NamedRecord, NamedRecord)> = candidates.map(Candidate::names).collect();
    let mut held: FxHashMap<NamedRecord, [Option<String>; 3]> = FxHashMap::default();
    held.extend(
        pairs
            .iter()
            .flat_map(|(left, right)| [(left.clone(), Default::default()), (right.clone(), Default::default())]),
    );
    if held.is_empty() {
        return Ok(FxHashSet::default());
    }
    each(&TELLING, table, &mut |record, batch, row| {
        if let Some(own) = held.get_mut(&record) {
            *own = TELLING.map(|name| text_at(batch, name, row).map(|value| value.to_lowercase()));
        }
    })?;
    let differ = |(left, right): &(NamedRecord, NamedRecord)| {
        let values = held[left].iter().zip(&held[right]);
        values
            .filter_map(|(left, right)| Some((left.as_ref()?, right.as_ref()?)))
            .any(|(left, right)| left != right)
    };
    Ok(pairs.into_iter().filter(differ).collect())
}

/// Reads the values of the records of all candidates.
pub(super) fn read(candidates: &[Candidate], show_pii: bool, table: &Read<'_>) -> Result<Values> {
    let wanted: FxHashSet<NamedRecord> = candidates
        .iter()
        .flat_map(|candidate| [candidate.left.clone(), candidate.right.clone()])
        .collect();
    let mut values = Values::default();
    if wanted.is_empty() {
        return Ok(values);
    }
    each(&SHOWN, table, &mut |record, batch, row| {
        if wanted.contains(&record) {
            let shown = |value: String| if show_pii { value } else { mask(&value) };
            let held = SHOWN
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), shown(text_at(batch, name, row)?).into())));
            values.insert(record, held.collect());
        }
    })?;
    Ok(values)
}

/// Calls `see` with every contact: its name, and the row where the columns of it stand.
fn each(columns: &[&str], table: &Read<'_>, see: &mut dyn FnMut(NamedRecord, &RecordBatch, usize)) -> Result<()> {
    for batch in table("contacts", &[&[column::SOURCE, column::RECORD_ID], columns].concat())? {
        for row in 0..batch.num_rows() {
            let text = |name: &str| text_at(&batch, name, row).unwrap_or_default();
            let record = NamedRecord {
                source: text(column::SOURCE),
                record_id: text(column::RECORD_ID),
            };
            see(record, &batch, row);
        }
    }
    Ok(())
}
