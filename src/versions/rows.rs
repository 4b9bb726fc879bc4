//! Which rows of a table differ: by the table's key where its rows have one, else by whole rows. Rows are compared by 128-bit hashes.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hasher};

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, SortField};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::publish::{Manifest, TableEntry, Warehouse};
use crate::table::RecordKind;
use crate::table::column::{
    COLUMN, CUSTOMER_KEY, LEFT_RECORD_ID, LEFT_SOURCE, OLD_KEY, RECORD_ID, RIGHT_RECORD_ID, RIGHT_SOURCE, SOURCE, VALUE, VERSION,
};

/// How a table stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TableChange {
    /// Both versions have the same bytes, or the same rows in the same columns.
    Same,
    /// Rows or columns differ.
    Changed,
    /// Only the right version has it.
    Added,
    /// Only the left version has it.
    Removed,
}

/// One table in both versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TableDifference {
    /// Name.
    pub table: String,
    /// How it stands.
    pub change: TableChange,
    /// Columns by which a row of one version is found in the other; empty where whole rows are compared, none of which can have changed then.
    pub key: Vec<String>,
    /// Rows of the left version.
    pub rows_left: u64,
    /// Rows of the right version.
    pub rows_right: u64,
    /// Rows that only the right version has.
    pub rows_added: u64,
    /// Rows that only the left version has.
    pub rows_removed: u64,
    /// Rows of both with another value in a column that both have.
    pub rows_changed: u64,
    /// Columns that only the right version has.
    pub columns_added: Vec<String>,
    /// Columns that only the left version has.
    pub columns_removed: Vec<String>,
    /// Columns whose type changed; their values are not compared.
    pub columns_retyped: Vec<String>,
}

/// Columns that name a row of a published table. What is not listed is tried by customer, then by its first column.
fn key_of(table: &str, schema: &SchemaRef) -> Vec<String> {
    let names: Vec<&str> = match table {
        "identities" => vec![SOURCE, RECORD_ID],
        "key_redirects" => vec![OLD_KEY],
        "links" | "possible_links" => vec![LEFT_SOURCE, LEFT_RECORD_ID, RIGHT_SOURCE, RIGHT_RECORD_ID],
        "generic_values" => vec![COLUMN, VALUE],
        "runs" => vec![VERSION],
        "key_events" | "rejects" | "decisions" => Vec::new(),
        _ => match RecordKind::from_name(table) {
            Some(kind) => std::iter::once(SOURCE)
                .chain(kind.schema().key.iter().map(String::as_str))
                .collect(),
            None if schema.index_of(CUSTOMER_KEY).is_ok() => vec![CUSTOMER_KEY],
            None => schema.fields().first().map(|field| field.name().as_str()).into_iter().collect(),
        },
    };
    names.into_iter().map(str::to_owned).collect()
}

/// Compares one table of two versions.
pub(super) fn difference(engine: &Engine, warehouse: &Warehouse, versions: (&Manifest, &Manifest), table: &str) -> Result<TableDifference> {
    let (left, right) = (versions.0.tables.get(table), versions.1.tables.get(table));
    let rows = |entry: Option<&TableEntry>| entry.map_or(0, |entry| entry.rows);
    let mut found = TableDifference {
        table: table.to_owned(),
        change: TableChange::Same,
        key: Vec::new(),
        rows_left: rows(left),
        rows_right: rows(right),
        rows_added: 0,
        rows_removed: 0,
        rows_changed: 0,
        columns_added: Vec::new(),
        columns_removed: Vec::new(),
        columns_retyped: Vec::new(),
    };
    match (left, right) {
        (Some(left), Some(right)) if hashes(left) == hashes(right) => return Ok(found),
        (Some(_), Some(_)) => {}
        (Some(_), None) => {
            found.change = TableChange::Removed;
            found.rows_removed = found.rows_left;
            return Ok(found);
        }
        _ => {
            found.change = TableChange::Added;
            found.rows_added = found.rows_right;
            return Ok(found);
        }
    }
    let (left_schema, right_schema) = (
        schema(engine, warehouse, versions.0, table)?,
        schema(engine, warehouse, versions.1, table)?,
    );
    let columns = common(&left_schema, &right_schema, &mut found);
    let mut key = key_of(table, &left_schema);
    if !key.iter().all(|name| columns.contains(name)) {
        key.clear();
    }
    let read = |manifest| hashed(engine, warehouse, manifest, table, (&key, &columns));
    let (mut left, mut right) = (read(versions.0)?, read(versions.1)?);
    if key.is_empty() || !engine.compute(|| is_unique(&left) && is_unique(&right)) {
        key.clear();
        engine.compute(|| {
            by_whole_rows(&mut left);
            by_whole_rows(&mut right);
        });
    }
    (found.rows_added, found.rows_removed, found.rows_changed) = count(&left, &right);
    found.key = key;
    let columns_differ = [&found.columns_added, &found.columns_removed, &found.columns_retyped]
        .iter()
        .any(|columns| !columns.is_empty());
    if columns_differ || found.rows_added + found.rows_removed + found.rows_changed > 0 {
        found.change = TableChange::Changed;
    }
    Ok(found)
}

fn hashes(entry: &TableEntry) -> Vec<&str> {
    entry.files.iter().map(|file| file.sha256.as_str()).collect()
}

fn schema(engine: &Engine, warehouse: &Warehouse, manifest: &Manifest, table: &str) -> Result<SchemaRef> {
    let batches = warehouse.read(engine, manifest, table, None)?.unwrap_or_default();
    Ok(batches.first().expect("a table that is read gives a batch").schema())
}

/// Columns of one name and type; notes the others.
fn common(left: &SchemaRef, right: &SchemaRef, found: &mut TableDifference) -> Vec<String> {
    let names = |schema: &SchemaRef| -> BTreeSet<String> { schema.fields().iter().map(|field| field.name().clone()).collect() };
    let (of_left, of_right) = (names(left), names(right));
    found.columns_added = of_right.difference(&of_left).cloned().collect();
    found.columns_removed = of_left.difference(&of_right).cloned().collect();
    let type_in = |schema: &SchemaRef, name: &str| schema.field_with_name(name).map(|field| field.data_type().clone()).ok();
    let (same, retyped) = of_left
        .intersection(&of_right)
        .cloned()
        .partition(|name| type_in(left, name) == type_in(right, name));
    found.columns_retyped = retyped;
    same
}

/// Hash of the key of a row, and of its other columns (those that are asked for).
pub(super) type HashedRow = (u128, u128);

/// Every row as its two hashes, sorted.
pub(super) fn hashed(
    engine: &Engine,
    warehouse: &Warehouse,
    manifest: &Manifest,
    table: &str,
    (key, columns): (&[String], &[String]),
) -> Result<Vec<HashedRow>> {
    let names: BTreeSet<&str> = key.iter().chain(columns).map(String::as_str).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let batches = warehouse.read(engine, manifest, table, Some(&names))?.unwrap_or_default();
    let unusable = |error: arrow::error::ArrowError| {
        Error::environment("the rows of a table cannot be compared")
            .with("table", table)
            .hint("upgrade stammkunde if a newer program wrote it")
            .because(error)
    };
    engine.compute(|| {
        let of_batch = |batch: &RecordBatch| -> Result<Vec<HashedRow>, arrow::error::ArrowError> {
            let of_key = hashes_of(batch, key)?;
            Ok(of_key.into_iter().zip(hashes_of(batch, columns)?).collect())
        };
        let hashed: Vec<Vec<HashedRow>> = batches.par_iter().map(of_batch).collect::<Result<_, _>>().map_err(unusable)?;
        let mut rows = hashed.concat();
        rows.par_sort_unstable();
        Ok(rows)
    })
}

fn hashes_of(batch: &RecordBatch, columns: &[String]) -> Result<Vec<u128>, arrow::error::ArrowError> {
    let arrays: Vec<ArrayRef> = columns.iter().filter_map(|name| batch.column_by_name(name).cloned()).collect();
    if arrays.is_empty() {
        return Ok(vec![0; batch.num_rows()]);
    }
    let fields = arrays.iter().map(|array| SortField::new(array.data_type().clone())).collect();
    let rows = RowConverter::new(fields)?.convert_columns(&arrays)?;
    let hash = |bytes: &[u8], salt: u8| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(salt);
        hasher.write(bytes);
        u128::from(hasher.finish())
    };
    Ok(rows.iter().map(|row| hash(row.as_ref(), 0) << 64 | hash(row.as_ref(), 1)).collect())
}

fn is_unique(rows: &[HashedRow]) -> bool {
    rows.windows(2).all(|pair| pair[0].0 != pair[1].0)
}

fn by_whole_rows(rows: &mut [HashedRow]) {
    rows.iter_mut().for_each(|row| row.0 = row.1);
    rows.par_sort_unstable();
}

/// Rows added, removed and changed; both sides sorted. Equal rows that stand there several times are counted as often as one side has more.
fn count(left: &[HashedRow], right: &[HashedRow]) -> (u64, u64, u64) {
    let (mut added, mut removed, mut changed) = (0, 0, 0);
    let (mut l, mut r) = (0, 0);
    while l < left.len() || r < right.len() {
        match (left.get(l), right.get(r)) {
            (Some(one), Some(other)) if one.0 == other.0 => {
                changed += u64::from(one.1 != other.1);
                (l, r) = (l + 1, r + 1);
            }
            (Some(one), Some(other)) if one.0 < other.0 => {
                removed += 1;
                l += 1;
            }
            (Some(_), None) => {
                removed += 1;
                l += 1;
            }
            _ => {
                added += 1;
                r += 1;
            }
        }
    }
    (added, removed, changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_by_key_and_repeated_rows_as_often_as_they_stand_there() {
        assert_eq!(count(&[(1, 1), (2, 2), (3, 3)], &[(2, 2), (3, 4), (5, 5)]), (1, 1, 1));
        assert_eq!(count(&[(1, 1), (1, 1)], &[(1, 1), (1, 1), (1, 1)]), (1, 0, 0));
        assert_eq!(count(&[], &[(1, 1)]), (1, 0, 0));
        assert_eq!(count(&[(1, 1)], &[]), (0, 1, 0));
        assert!(is_unique(&[(1, 1), (2, 1)]) && !is_unique(&[(1, 1), (1, 2)]));
    }
}
