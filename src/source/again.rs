//! Reads a source a second time when a file of it changed under the first: an upload that was still going on, a nightly file replaced.

use std::collections::BTreeMap;

use super::{InputObject, list};
use crate::config::spec::{SourceSpec, Spec};
use crate::engine::Engine;
use crate::error::{ErrorKind, Result};

/// Reads the listed objects of a source. If that fails and one of them has another size or entity tag by now, the source is listed anew and
/// read once more; what is given then names the objects that were read.
///
/// A file that is gone is not replaced by nothing: the first error stands.
///
/// # Errors
/// Of the first reading, or of the second.
pub(super) fn twice<T>(
    engine: &Engine,
    spec: &Spec,
    source: &SourceSpec,
    inputs: &[InputObject],
    read: impl Fn(&[InputObject]) -> Result<T>,
) -> Result<T> {
    let error = match read(inputs) {
        // A connection that broke and could not be taken up again, because the object is another now, is the store's error.
        Err(error) if matches!(error.kind(), ErrorKind::Input | ErrorKind::Environment) => error,
        result => return result,
    };
    match list::list_source(engine, source, &spec.folder) {
        Ok(fresh) if have_changed(source, inputs, &fresh) => {
            tracing::warn!(source = %source.name, "a file changed while it was read; the source is read again");
            read(&fresh)
        }
        _ => Err(error),
    }
}

/// Whether every object of the source is still there, and one of them is another.
fn have_changed(source: &SourceSpec, inputs: &[InputObject], fresh: &[InputObject]) -> bool {
    let now: BTreeMap<&str, (u64, &Option<String>)> = fresh
        .iter()
        .map(|object| (object.path.as_str(), (object.size, &object.etag)))
        .collect();
    let mut changed = false;
    for object in inputs.iter().filter(|object| object.source == source.name) {
        match now.get(object.path.as_str()) {
            None => return false,
            Some(&now) => changed |= now != (object.size, &object.etag),
        }
    }
    changed
}
