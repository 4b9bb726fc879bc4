//! The fingerprint of a project: equal fingerprints and equal inputs give equal results.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::Config;
use super::gates::GatesConfig;
use super::spec::{SourceSpec, SqlFile};

/// SHA-256 (hex) over the config as canonical JSON, every SQL text, and the version of this program, whose defaults fill in the rest.
///
/// Left out are the key secret, so that a fingerprint tells nothing about it, and warehouse and gates, which do not change the result.
#[must_use]
pub fn fingerprint(config: &Config, sources: &[SourceSpec], models: &[SqlFile], audits: &[SqlFile]) -> String {
    let mut config = config.clone();
    config.keys.secret = None;
    config.warehouse = String::new();
    config.gates = GatesConfig::default();
    let json = serde_json::to_string(&config).expect("a config is JSON: fields in fixed order, maps sorted");
    let mut hash = Sha256::new();
    let mut add = |part: &str| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    };
    add(env!("CARGO_PKG_VERSION"));
    add(&json);
    let mappings = sources.iter().flat_map(|source| source.mappings.iter().map(|mapping| &mapping.sql));
    for file in mappings.chain(models).chain(audits) {
        add(&file.path);
        add(&file.text);
    }
    let mut hex = String::with_capacity(64);
    for byte in hash.finalize() {
        write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
    }
    hex
}
