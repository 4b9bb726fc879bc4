//! Brings the result of a mapping into the shape of its record, and takes out the rows and values that do not belong there.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray, new_null_array};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use rayon::prelude::*;

use super::{raw, types};
use crate::error::{Error, Result};
use crate::table::record::ColumnType;
use crate::table::{RecordKind, Reject, RejectLevel, Rejects, column};

/// The shape of the records of one mapping.
pub(super) struct Shape<'a> {
    /// Source.
    pub source: &'a str,
    /// Record.
    pub record: RecordKind,
    /// Schema: `source`, the declared columns, then those that only this mapping gives, by name.
    pub schema: SchemaRef,
    types: Vec<ColumnType>,
}

impl<'a> Shape<'a> {
    /// The shape of a mapping that gives `outputs`.
    pub fn new(source: &'a str, record: RecordKind, outputs: &[(String, ColumnType)]) -> Self {
        let declared = record.schema();
        let mut extra: Vec<(String, ColumnType)> = outputs
            .iter()
            .filter(|(name, _)| declared.column(name).is_none())
            .cloned()
            .collect();
        extra.sort_by(|left, right| left.0.cmp(&right.0));
        let types = declared
            .columns
            .iter()
            .map(|column| column.column_type)
            .chain(extra.iter().map(|(_, column_type)| *column_type));
        Self {
            source,
            record,
            types: types.collect(),
            schema: declared.arrow(&extra),
        }
    }

    /// A reject of this mapping whose file is not known.
    pub fn reject(&self, level: RejectLevel, reason: &str, field: Option<&str>, content: Option<String>) -> Reject {
        Reject {
            source: self.source.to_owned(),
            record: Some(self.record.name().to_owned()),
            file: None,
            line: None,
            level,
            reason: reason.to_owned(),
            field: field.map(str::to_owned),
            content,
        }
    }

    /// Text columns in which a number that a spreadsheet rewrote is worse than none: ids, phone, postcode.
    fn is_code(&self, name: &str) -> bool {
        let declared = self.record.schema();
        declared.key.iter().any(|key| key == name)
            || declared.column(name).is_none()
            || [
                column::CONTACT_RECORD_ID,
                column::PHONE,
                column::POSTCODE,
                column::CUSTOMER_NO,
                column::USER_ID,
                column::DEVICE_ID,
                column::LOYALTY_NO,
            ]
            .contains(&name)
    }
}

/// Conforms every batch, in parallel. Rows without a required value and deleted rows go to the rejects.
pub(super) fn conform(shape: &Shape<'_>, batches: &[RecordBatch]) -> Result<(Vec<RecordBatch>, Rejects)> {
    let rows_max = batches.iter().map(RecordBatch::num_rows).max().unwrap_or(0);
    let filled = Filled {
        source: raw::constant(shape.source, rows_max),
        nulls: shape
            .schema
            .fields()
            .iter()
            .map(|field| new_null_array(field.data_type(), rows_max))
            .collect(),
    };
    let conform = |batch| conform_batch(shape, &filled, batch);
    let conformed: Vec<(RecordBatch, Rejects)> = batches.par_iter().map(conform).collect::<Result<_>>()?;
    let mut rejects = Rejects::default();
    let mut kept = Vec::with_capacity(conformed.len());
    for (batch, batch_rejects) in conformed {
        rejects.append(batch_rejects);
        if batch.num_rows() > 0 {
            kept.push(batch);
        }
    }
    Ok((kept, rejects))
}

/// Columns with one value, as long as the longest batch: every batch takes a slice of them.
struct Filled {
    source: ArrayRef,
    nulls: Vec<ArrayRef>,
}

fn conform_batch(shape: &Shape<'_>, filled: &Filled, batch: &RecordBatch) -> Result<(RecordBatch, Rejects)> {
    let mut rejects = Rejects::default();
    let mut columns: Vec<ArrayRef> = vec![filled.source.slice(0, batch.num_rows())];
    for ((field, nulls), column_type) in shape.schema.fields().iter().zip(&filled.nulls).skip(1).zip(&shape.types) {
        columns.push(match batch.column_by_name(field.name()) {
            None => nulls.slice(0, batch.num_rows()),
            Some(given) => {
                let cast = types::cast(given, *column_type)?;
                report_lost(shape, field.name(), given, &cast, &mut rejects);
                if *column_type == ColumnType::Text && shape.is_code(field.name()) {
                    without_damaged(shape, field.name(), &cast, &mut rejects)
                } else {
                    cast
                }
            }
        });
    }
    let keep = rows_to_keep(shape, &columns, &mut rejects);
    let mask = BooleanArray::from(keep);
    if mask.true_count() < mask.len() {
        let loose = arrow::datatypes::Schema::new(
            shape
                .schema
                .fields()
                .iter()
                .map(|field| field.as_ref().clone().with_nullable(true))
                .collect::<Vec<_>>(),
        );
        let all = RecordBatch::try_new(Arc::new(loose), columns).map_err(internal)?;
        columns = filter_record_batch(&all, &mask).map_err(internal)?.columns().to_vec();
    }
    Ok((RecordBatch::try_new(shape.schema.clone(), columns).map_err(internal)?, rejects))
}

/// An error of Arrow that only a bug of ours can cause.
pub(super) fn internal(error: arrow::error::ArrowError) -> Error {
    Error::internal("columns of a record do not fit together").because(error)
}

/// Values that the cast could not hold: decimals of more than 14 digits before the point, integers beyond 64 bits.
fn report_lost(shape: &Shape<'_>, name: &str, given: &ArrayRef, cast: &ArrayRef, rejects: &mut Rejects) {
    if cast.null_count() == given.logical_null_count() {
        return;
    }
    let formatter = formatter(given);
    for row in 0..given.len() {
        if cast.is_null(row) && !given.is_null(row) {
            rejects.push(shape.reject(RejectLevel::Value, "out_of_range", Some(name), Some(text_at(&formatter, row))));
        }
    }
}

/// Numbers that a spreadsheet rewrote (`4,91711E+11`) are no ids any more.
fn without_damaged(shape: &Shape<'_>, name: &str, values: &ArrayRef, rejects: &mut Rejects) -> ArrayRef {
    let text = values.as_string::<i32>();
    if !text.iter().flatten().any(is_excel_damaged) {
        return values.clone();
    }
    let cleaned: StringArray = text.iter().map(|value| value.filter(|value| !is_excel_damaged(value))).collect();
    for value in text.iter().flatten().filter(|value| is_excel_damaged(value)) {
        rejects.push(shape.reject(RejectLevel::Value, "excel_damaged", Some(name), Some(value.to_owned())));
    }
    Arc::new(cleaned)
}

fn is_excel_damaged(value: &str) -> bool {
    let bytes = value.as_bytes();
    if bytes.len() < 5 || bytes.len() > 24 || !bytes[0].is_ascii_digit() || !bytes.contains(&b'+') {
        return false;
    }
    let Some((mantissa, exponent)) = value.split_once("E+").or_else(|| value.split_once("e+")) else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(exponent) && mantissa.split(['.', ',']).all(digits) && mantissa.split(['.', ',']).count() <= 2
}

fn rows_to_keep(shape: &Shape<'_>, columns: &[ArrayRef], rejects: &mut Rejects) -> Vec<bool> {
    let rows = columns[0].len();
    let mut keep = vec![true; rows];
    let mut leave_out = |row: usize, reason: &str, field: &str| {
        if std::mem::replace(&mut keep[row], false) {
            let content = row_as_json(shape, columns, row);
            rejects.push(shape.reject(RejectLevel::Row, reason, Some(field), Some(content)));
        }
    };
    for (field, values) in shape.schema.fields().iter().zip(columns) {
        if field.name() == column::DELETED && shape.record == RecordKind::Contacts {
            for (row, _) in values.as_boolean().iter().enumerate().filter(|(_, deleted)| *deleted == Some(true)) {
                leave_out(row, "deleted", column::DELETED);
            }
        }
    }
    for (field, values) in shape.schema.fields().iter().zip(columns).filter(|(field, _)| !field.is_nullable()) {
        let text = (*field.data_type() == DataType::Utf8).then(|| values.as_string::<i32>());
        for row in 0..rows {
            if values.is_null(row) || text.is_some_and(|text| text.value(row).is_empty()) {
                leave_out(row, "missing_required", field.name());
            }
        }
    }
    keep
}

/// The values of a row that are not null, as a JSON object of texts.
fn row_as_json(shape: &Shape<'_>, columns: &[ArrayRef], row: usize) -> String {
    let mut object = serde_json::Map::new();
    for (field, values) in shape.schema.fields().iter().zip(columns).skip(1) {
        if !values.is_null(row) {
            object.insert(field.name().clone(), text_at(&formatter(values), row).into());
        }
    }
    serde_json::Value::Object(object).to_string()
}

/// The values of a row of a conformed batch, for a reject.
pub(super) fn content(shape: &Shape<'_>, batch: &RecordBatch, row: usize) -> String {
    row_as_json(shape, batch.columns(), row)
}

fn formatter(values: &ArrayRef) -> ArrayFormatter<'_> {
    const OPTIONS: FormatOptions<'static> = FormatOptions::new();
    ArrayFormatter::try_new(values.as_ref(), &OPTIONS).expect("every type that a mapping may give can be written")
}

fn text_at(formatter: &ArrayFormatter<'_>, row: usize) -> String {
    formatter.value(row).try_to_string().unwrap_or_default()
}
