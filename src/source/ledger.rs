//! What a run remembers of its inputs: objects, their columns, and the columns of each source.

use arrow::datatypes::DataType;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::raw::Header;
use super::{InputObject, SourceMeasure, header};
use crate::config::spec::SourceSpec;

/// What the last version knew of the inputs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// Objects read.
    pub inputs: Vec<InputObject>,
    /// Columns of each source.
    pub columns: Vec<(String, Vec<String>)>,
    /// Columns of each object.
    #[serde(default)]
    pub headers: Vec<ObjectHeader>,
    /// What each source gave; empty in the ledger of an older build.
    #[serde(default)]
    pub measures: Vec<SourceMeasure>,
}

/// The columns of one object, without those of its folders.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectHeader {
    /// Source.
    pub source: String,
    /// Path, as [`InputObject::path`].
    pub path: String,
    /// SHA-256 (hex) of the object.
    pub sha256: String,
    /// Names the settings by which it was read.
    pub settings: String,
    /// Names and types, in order; `None` if the object holds nothing, not even a header.
    pub fields: Option<Vec<(String, String)>>,
}

impl ObjectHeader {
    pub(super) fn new(source: &SourceSpec, object: &InputObject, header: &Header, sha256: &str) -> Self {
        let fields = header.fields.iter().map(|(name, data_type)| (name.clone(), data_type.to_string()));
        Self {
            source: object.source.clone(),
            path: object.path.clone(),
            sha256: sha256.to_owned(),
            settings: settings(source),
            fields: (!header.is_empty).then(|| fields.collect()),
        }
    }
}

impl Ledger {
    /// The columns of an object that is as it was, those of its folders included.
    pub(super) fn header(&self, source: &SourceSpec, object: &InputObject) -> Option<Header> {
        let sha256 = object.sha256.as_deref()?;
        let key = (object.source.as_str(), object.path.as_str());
        let at = self
            .headers
            .binary_search_by(|known| (known.source.as_str(), known.path.as_str()).cmp(&key))
            .ok()?;
        let known = &self.headers[at];
        if known.sha256 != sha256 || known.settings != settings(source) {
            return None;
        }
        let Some(fields) = &known.fields else {
            return Some(Header {
                is_empty: true,
                ..Header::default()
            });
        };
        let typed = |(name, data_type): &(String, String)| Some((name.clone(), data_type.parse::<DataType>().ok()?));
        let fields: Vec<(String, DataType)> = fields.iter().map(typed).collect::<Option<_>>()?;
        Some(header::with_folders(
            Header {
                fields,
                ..Header::default()
            },
            &object.path,
        ))
    }
}

/// What decides the columns of a file beside its content.
fn settings(source: &SourceSpec) -> String {
    let SourceSpec {
        format,
        csv,
        decompressed_bytes_max,
        field_bytes_max,
        ..
    } = source;
    let text = format!(
        "{} {format:?} {csv:?} {decompressed_bytes_max} {field_bytes_max}",
        env!("CARGO_PKG_VERSION")
    );
    Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
