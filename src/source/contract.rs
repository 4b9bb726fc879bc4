//! What happens when the columns of a file are not those of the last version: report, stop, or leave the file out.

use std::collections::BTreeSet;

use super::raw::Header;
use super::{Drift, InputObject};
use crate::config::pipeline::Contract;
use crate::config::spec::SourceSpec;
use crate::error::{Error, Result};
use crate::table::{Reject, RejectLevel};

/// Columns of each file against the last version.
pub(super) struct Compared {
    /// Differences, one entry a file that has any.
    pub drift: Vec<Drift>,
    /// By position: whether the file is read.
    pub is_read: Vec<bool>,
    /// One reject a file that is left out.
    pub rejects: Vec<Reject>,
}

/// Compares headers with the columns of the last version (`None`: the source is new, and nothing can differ).
///
/// # Errors
/// `Input` under `freeze` if anything differs.
pub(super) fn compare(source: &SourceSpec, objects: &[&InputObject], headers: &[Header], before: Option<&[String]>) -> Result<Compared> {
    let mut compared = Compared {
        drift: Vec::new(),
        is_read: vec![true; objects.len()],
        rejects: Vec::new(),
    };
    let Some(before) = before else {
        return Ok(compared);
    };
    for (position, (object, header)) in objects.iter().zip(headers).enumerate() {
        if header.is_empty {
            continue;
        }
        let drift = difference(object, header, before);
        if drift.added.is_empty() && drift.missing.is_empty() {
            continue;
        }
        if source.contract == Contract::Discard {
            compared.is_read[position] = false;
            compared.rejects.push(discarded(&drift));
        }
        compared.drift.push(drift);
    }
    if source.contract == Contract::Freeze && !compared.drift.is_empty() {
        return Err(frozen(source, &compared.drift));
    }
    Ok(compared)
}

fn difference(object: &InputObject, header: &Header, before: &[String]) -> Drift {
    let now: BTreeSet<&str> = header.names().collect();
    let then: BTreeSet<&str> = before.iter().map(String::as_str).collect();
    let owned = |names: BTreeSet<&str>| names.into_iter().map(str::to_owned).collect();
    Drift {
        source: object.source.clone(),
        path: object.path.clone(),
        added: owned(&now - &then),
        missing: owned(&then - &now),
    }
}

/// Adds to `drift` the columns that a mapping reads and a file lacks.
pub(super) fn add_unmet(drift: &mut Vec<Drift>, objects: &[&InputObject], headers: &[Header], needed: &BTreeSet<String>) {
    for (object, header) in objects.iter().zip(headers) {
        let has: BTreeSet<&str> = header.names().collect();
        let unmet: Vec<&String> = needed.iter().filter(|name| !has.contains(name.as_str())).collect();
        if header.is_empty || unmet.is_empty() {
            continue;
        }
        let position = drift.iter().position(|entry| entry.path == object.path).unwrap_or_else(|| {
            drift.push(Drift {
                source: object.source.clone(),
                path: object.path.clone(),
                added: Vec::new(),
                missing: Vec::new(),
            });
            drift.len() - 1
        });
        let missing = &mut drift[position].missing;
        missing.extend(unmet.into_iter().cloned());
        missing.sort();
        missing.dedup();
    }
    drift.sort();
}

fn discarded(drift: &Drift) -> Reject {
    Reject {
        source: drift.source.clone(),
        record: None,
        file: Some(drift.path.clone()),
        line: None,
        level: RejectLevel::Row,
        reason: "discarded_file".to_owned(),
        field: None,
        content: Some(words(drift)),
    }
}

fn words(drift: &Drift) -> String {
    let list = |label: &str, names: &[String]| (!names.is_empty()).then(|| format!("{label} `{}`", names.join("`, `")));
    let parts: Vec<String> = [list("new", &drift.added), list("missing", &drift.missing)]
        .into_iter()
        .flatten()
        .collect();
    parts.join("; ")
}

fn frozen(source: &SourceSpec, drift: &[Drift]) -> Error {
    let first = &drift[0];
    let others = drift.len() - 1;
    let more = if others == 0 {
        String::new()
    } else {
        format!(", and {others} more")
    };
    Error::input("the columns of a source changed, and its contract is `freeze`")
        .with("source", &*source.name)
        .with("file", format!("{}{more}", first.path))
        .with("columns", words(first))
        .hint("have the export put back, or set `contract: evolve` for one run to accept the new columns")
}
