//! What people know to be true: records with their person, or pairs with a verdict, from CSV or Parquet.

use std::path::{Path, PathBuf};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::{cast, concat};
use arrow::datatypes::DataType;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::error::{Error, Result};
use crate::model::csv;
use crate::table::column;

/// Default name of the column that says which records are one person.
pub const CLUSTER: &str = "cluster";
/// Default name of the column that says whether a pair is one person.
pub const IS_MATCH: &str = "is_match";

/// A file of labels, and how its columns are called.
///
/// A file with the columns `left_record_id` and `right_record_id` holds pairs (and the verdict in
/// [`LabelFile::is_match`]); any other holds one record a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelFile {
    /// CSV (UTF-8, commas, a header row) or Parquet.
    pub path: PathBuf,
    /// Column of the record id.
    pub id: String,
    /// Column of the source. `None`: the column `source`, if the file has one and it names only sources of the project; else record ids have
    /// to be unique over all sources. Pairs have `left_source` and `right_source`, by the same rule.
    pub source: Option<String>,
    /// Column of the person; an empty value = not labeled.
    pub cluster: String,
    /// Column of the verdict on a pair: `1` or `0`, `true` or `false`; empty = not labeled.
    pub is_match: String,
}

/// A record as a label names it: source, if given, and record id.
pub(super) type Name = (Option<String>, String);

/// The labels of a file, in its order.
#[derive(Debug)]
pub(super) enum Labels {
    /// A record and its person.
    Clusters(Vec<(Name, String)>),
    /// Two records, and whether they are one person.
    Pairs(Vec<(Name, Name, bool)>),
}

/// Reads a file of labels; `known` are the sources of the project. Rows without a truth are left out; so are rows of clusters without a record id.
///
/// # Errors
/// `Input` if the file cannot be read, a column is missing, a pair lacks a record, or a verdict is neither yes nor no.
pub(super) fn read(file: &LabelFile, known: &[&str]) -> Result<Labels> {
    let table = Table::open(&file.path)?;
    if table.has(column::LEFT_RECORD_ID) && table.has(column::RIGHT_RECORD_ID) {
        return pairs(file, &table, known);
    }
    let wanted = table.required(&[&file.id, &file.cluster])?;
    let sources = match &file.source {
        Some(name) => table.required(&[name])?.pop(),
        None => table.texts(column::SOURCE)?.filter(|sources| names_only(sources, known)),
    };
    let rows = (0..table.rows).filter_map(|row| {
        let (id, cluster) = (at(&wanted[0], row)?, at(&wanted[1], row)?);
        let source = sources.as_ref().and_then(|sources| at(sources, row));
        Some(((source, id), cluster))
    });
    Ok(Labels::Clusters(rows.collect()))
}

fn pairs(file: &LabelFile, table: &Table<'_>, known: &[&str]) -> Result<Labels> {
    let wanted = table.required(&[column::LEFT_RECORD_ID, column::RIGHT_RECORD_ID, &file.is_match])?;
    let source = |name: &str| Ok::<_, Error>(table.texts(name)?.filter(|sources| names_only(sources, known)));
    let sources = [source(column::LEFT_SOURCE)?, source(column::RIGHT_SOURCE)?];
    let mut labeled = Vec::with_capacity(table.rows);
    for row in 0..table.rows {
        let Some(verdict) = at(&wanted[2], row) else { continue };
        let is_match = match verdict.trim().to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" => true,
            "0" | "false" | "no" => false,
            _ => {
                return Err(table
                    .error(format!("the verdict of row {} is neither yes nor no", row + 1))
                    .with("column", &file.is_match)
                    .hint("write 1 or 0; leave it empty where it is not known"));
            }
        };
        let name = |side: usize| {
            let source = sources[side].as_ref().and_then(|sources| at(sources, row));
            at(&wanted[side], row).map(|id| (source, id))
        };
        let (Some(left), Some(right)) = (name(0), name(1)) else {
            return Err(table.error(format!("row {} lacks a record id", row + 1)));
        };
        labeled.push((left, right, is_match));
    }
    Ok(Labels::Pairs(labeled))
}

/// Whether every value is one of these sources.
fn names_only(sources: &StringArray, known: &[&str]) -> bool {
    sources.iter().flatten().all(|source| known.contains(&source))
}

/// A value that is there and not empty.
fn at(values: &StringArray, row: usize) -> Option<String> {
    (values.is_valid(row) && !values.value(row).is_empty()).then(|| values.value(row).to_owned())
}

/// An opened file, whose columns are read when asked for.
struct Table<'a> {
    path: &'a Path,
    names: Vec<String>,
    rows: usize,
    content: Content,
}

enum Content {
    Csv(csv::Rows),
    Parquet(Bytes),
}

impl<'a> Table<'a> {
    fn open(path: &'a Path) -> Result<Self> {
        let failed = |message: &str| Error::input(message.to_owned()).with("file", path.display().to_string());
        let bytes = std::fs::read(path).map_err(|error| failed("the labels cannot be read").because(error))?;
        if !bytes.starts_with(b"PAR1") {
            let text = String::from_utf8(bytes)
                .map_err(|_| failed("the labels are neither Parquet nor UTF-8 text").hint("save them as CSV in UTF-8, or as Parquet"))?;
            let rows = csv::read(text.trim_start_matches('\u{feff}')).map_err(|why| failed("the labels are malformed").with("why", why))?;
            return Ok(Self {
                path,
                names: rows.header.clone(),
                rows: rows.rows.len(),
                content: Content::Csv(rows),
            });
        }
        let bytes = Bytes::from(bytes);
        let reader =
            ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).map_err(|error| failed("the labels are malformed").because(error))?;
        let rows = reader.metadata().file_metadata().num_rows();
        Ok(Self {
            path,
            names: reader.schema().fields().iter().map(|field| field.name().clone()).collect(),
            rows: usize::try_from(rows).map_err(|error| failed("the labels are malformed").because(error))?,
            content: Content::Parquet(bytes),
        })
    }

    fn error(&self, message: String) -> Error {
        Error::input(message).with("file", self.path.display().to_string())
    }

    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    fn required(&self, names: &[&str]) -> Result<Vec<StringArray>> {
        let column = |name: &&str| {
            self.texts(name)?.ok_or_else(|| {
                self.error(format!("the labels have no column `{name}`"))
                    .with("columns", self.names.join(", "))
                    .hint("name the columns: --id and --cluster for records, left_record_id, right_record_id and --is-match for pairs")
            })
        };
        names.iter().map(column).collect()
    }

    /// A column as text; `None` if the file lacks it.
    fn texts(&self, name: &str) -> Result<Option<StringArray>> {
        let Some(position) = self.names.iter().position(|known| known == name) else {
            return Ok(None);
        };
        match &self.content {
            Content::Csv(rows) => Ok(Some(rows.rows.iter().map(|row| row[position].as_deref()).collect())),
            Content::Parquet(bytes) => {
                let malformed = || self.error("a column of the labels cannot be read".to_owned()).with("column", name);
                parquet_texts(bytes, position).map(Some).map_err(|error| malformed().because(error))
            }
        }
    }
}

fn parquet_texts(bytes: &Bytes, position: usize) -> Result<StringArray, Box<dyn std::error::Error + Send + Sync>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes.clone())?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), [position]);
    let batches: Vec<RecordBatch> = builder.with_projection(mask).build()?.collect::<Result<_, _>>()?;
    let columns: Vec<ArrayRef> = batches
        .iter()
        .map(|batch| cast(batch.column(0), &DataType::Utf8))
        .collect::<Result<_, _>>()?;
    let parts: Vec<&dyn Array> = columns.iter().map(AsRef::as_ref).collect();
    if parts.is_empty() {
        return Ok(StringArray::from(Vec::<&str>::new()));
    }
    Ok(concat(&parts)?.as_string::<i32>().clone())
}
