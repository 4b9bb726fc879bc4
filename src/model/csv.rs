//! The CSV files of test cases: comma, double quotes, a header row; an empty field is null.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::SchemaRef;

use super::{Table, suggest};

/// A file's header and rows; every row has as many fields as the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// Names of the columns.
    pub header: Vec<String>,
    /// Fields; null where empty.
    pub rows: Vec<Vec<Option<String>>>,
}

/// Reads a text.
///
/// # Errors
/// In words: no header, or a row with another number of fields.
pub fn read(text: &str) -> Result<Rows, String> {
    let mut lines = records(text).into_iter();
    let header = lines.next().ok_or("the file is empty; its first row names the columns")?;
    let mut rows = Vec::new();
    for (index, line) in lines.enumerate() {
        if line.len() != header.len() {
            return Err(format!("row {} has {} fields, the header {}", index + 1, line.len(), header.len()));
        }
        rows.push(line.into_iter().map(|field| (!field.is_empty()).then_some(field)).collect());
    }
    Ok(Rows { header, rows })
}

fn records(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv_core::Reader::new();
    let mut input = text.as_bytes();
    // A record is never longer than the text it stands in, and has fewer fields than that has bytes.
    let (mut output, mut ends) = (vec![0; text.len() + 1], vec![0; text.len() + 1]);
    let mut records = Vec::new();
    let (mut written, mut fields) = (0, 0);
    loop {
        let (result, read, wrote, ended) = reader.read_record(input, &mut output[written..], &mut ends[fields..]);
        input = &input[read..];
        written += wrote;
        fields += ended;
        match result {
            csv_core::ReadRecordResult::Record => {
                let mut start = 0;
                let record = ends[..fields].iter().map(|&end| {
                    let field = String::from_utf8_lossy(&output[start..end]).into_owned();
                    start = end;
                    field
                });
                records.push(record.collect());
                (written, fields) = (0, 0);
            }
            csv_core::ReadRecordResult::End => return records,
            _ => {}
        }
    }
}

/// Gives the rows the types of `schema`; columns the file lacks are null.
///
/// # Errors
/// In words: a column the table has not, or a value that is not of the column's type.
pub fn table(rows: &Rows, schema: &SchemaRef) -> Result<Table, String> {
    for name in &rows.header {
        if schema.field_with_name(name).is_err() {
            let hint = suggest::nearest(name, schema.fields().iter().map(|field| field.name().as_str()));
            return Err(format!(
                "unknown column `{name}`{}",
                hint.map(|hint| format!("; {hint}")).unwrap_or_default()
            ));
        }
    }
    let strict = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let mut columns: Vec<ArrayRef> = Vec::new();
    for field in schema.fields() {
        let Some(position) = rows.header.iter().position(|name| name == field.name()) else {
            columns.push(new_null_array(field.data_type(), rows.rows.len()));
            continue;
        };
        let texts: StringArray = rows.rows.iter().map(|row| row[position].as_deref()).collect();
        let texts: ArrayRef = Arc::new(texts);
        let values = cast_with_options(&texts, field.data_type(), &strict);
        columns.push(values.map_err(|error| format!("column `{}`: {error}", field.name()))?);
    }
    let batch = RecordBatch::try_new(Arc::clone(schema), columns).map_err(|error| error.to_string())?;
    Ok(Table {
        schema: Arc::clone(schema),
        batches: vec![batch],
    })
}
