//! The fingerprint of a project: equal fingerprints and equal inputs give equal results.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::Config;
use super::gates::GatesConfig;
use super::spec::{IdentitySpec, SourceSpec, SqlFile};

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
    hex(hash)
}

impl IdentitySpec {
    /// SHA-256 (hex) over the rules that decide who is one customer, and the version of this program: where two versions differ in it, a key may
    /// have changed because of a rule. How a model is trained is not a rule: the model tells for itself.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(env!("CARGO_PKG_VERSION"));
        let rules = (
            &self.identifiers,
            self.shared_by_records_max,
            &self.generic_values,
            &self.deterministic,
        );
        hash.update(format!("{rules:?}"));
        let pairs = (
            &self.blocking,
            self.block_pairs_max,
            &self.comparisons,
            self.match_probability,
            &self.cluster,
        );
        hash.update(format!("{pairs:?}"));
        hex(hash)
    }
}

fn hex(hash: Sha256) -> String {
    let mut hex = String::with_capacity(64);
    for byte in hash.finalize() {
        write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
    }
    hex
}
