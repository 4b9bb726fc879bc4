//! Finds the objects of each source: a literal prefix is listed, the rest of the pattern is matched, half-written files are left alone.

use std::collections::BTreeMap;
use std::path::Path;

use futures::TryStreamExt;
use object_store::ObjectMeta;

use super::{InputObject, InputStatus, Ledger};
use crate::config::Spec;
use crate::config::pipeline::OnMissing;
use crate::config::spec::SourceSpec;
use crate::engine::{Engine, Location, told};
use crate::error::{Error, Result};

/// Where the objects of one source are: the folder before the first glob character, and the pattern below it.
pub(super) struct Place {
    /// The folder.
    pub location: Location,
    pattern: glob::Pattern,
    is_literal: bool,
}

impl Place {
    /// Splits `files` of a source; `None` if it is a local folder that does not exist.
    pub fn of(engine: &Engine, source: &SourceSpec, folder: &Path) -> Result<Option<Self>> {
        let (prefix, pattern) = split(&source.files);
        let is_literal = !pattern.contains(['*', '?', '[']);
        let compiled = if is_literal {
            glob::Pattern::new(&glob::Pattern::escape(pattern))
        } else {
            glob::Pattern::new(pattern)
        };
        let pattern = compiled.map_err(|error| {
            Error::config(format!("`files` of source `{}` is not a pattern", source.name))
                .with("files", &*source.files)
                .hint("`*`, `?`, `[..]` match inside a folder name; `**` must stand alone between two slashes")
                .because(error)
        })?;
        let local = prefix.strip_prefix("file://").unwrap_or(prefix);
        if !local.contains("://") && !folder.join(local).is_dir() {
            return Ok(None);
        }
        let location = engine
            .location(prefix, folder)
            .map_err(|error| error.with("source", &*source.name))?;
        Ok(Some(Self {
            location,
            pattern,
            is_literal,
        }))
    }

    /// Whether all objects stand directly in the folder: then nothing below it needs to be listed.
    fn is_flat(&self) -> bool {
        let pattern = self.pattern.as_str();
        !pattern.contains('/') && !pattern.contains("**")
    }

    /// Path in the store of an object that [`list_source`] gave.
    pub fn object_path(&self, relative: &str) -> Result<object_store::path::Path> {
        let prefix = self.location.path.as_ref();
        let full = if prefix.is_empty() {
            relative.to_owned()
        } else {
            format!("{prefix}/{relative}")
        };
        object_store::path::Path::parse(full).map_err(|error| Error::input("the path of an object is not valid").because(error))
    }

    fn relative(&self, meta: &ObjectMeta) -> Option<String> {
        let parts: Vec<String> = meta
            .location
            .prefix_match(&self.location.path)?
            .map(|part| part.as_ref().to_owned())
            .collect();
        let options = glob::MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: false,
        };
        let relative = parts.join("/");
        let ignored = !self.is_literal && parts.iter().any(|part| is_ignored(part));
        (!ignored && self.pattern.matches_with(&relative, options)).then_some(relative)
    }
}

/// Splits a pattern at the last slash before its first glob character. A pattern without one splits before the file's name.
fn split(files: &str) -> (&str, &str) {
    let first_glob = files.find(['*', '?', '[']).unwrap_or(files.len());
    match files[..first_glob].rfind('/') {
        Some(0) => ("/", &files[1..]),
        Some(slash) => (&files[..slash], &files[slash + 1..]),
        None => (".", files),
    }
}

/// Names that tools use for what is not (yet) data: `_SUCCESS`, `.DS_Store`, `x.csv.part`.
fn is_ignored(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let is_partition = name.contains('=');
    (name.starts_with(['_', '.']) && !is_partition) || [".part", ".tmp", ".crc"].iter().any(|ending| lower.ends_with(ending))
}

/// Objects of one source, sorted by path.
pub(super) fn list_source(engine: &Engine, source: &SourceSpec, folder: &Path) -> Result<Vec<InputObject>> {
    let matching = matching(engine, source, folder)?;
    let object = |(path, meta): (String, ObjectMeta)| InputObject {
        source: source.name.clone(),
        path,
        size: meta.size,
        etag: meta.e_tag,
        sha256: None,
    };
    let mut objects: Vec<InputObject> = matching.into_iter().map(object).collect();
    objects.sort();
    if let Some(place) = Place::of(engine, source, folder)? {
        objects.iter().try_for_each(|object| stays_inside(&place, object))?;
    }
    Ok(objects)
}

/// What the store tells of every object that a source matches, with its path below the source's folder; in no order.
pub(super) fn matching(engine: &Engine, source: &SourceSpec, folder: &Path) -> Result<Vec<(String, ObjectMeta)>> {
    let Some(place) = Place::of(engine, source, folder)? else {
        return Ok(Vec::new());
    };
    let (store, path) = (&place.location.store, &place.location.path);
    let listed = engine.wait(async {
        if place.is_flat() {
            Ok(store.list_with_delimiter(Some(path)).await?.objects)
        } else {
            store.list(Some(path)).try_collect::<Vec<_>>().await
        }
    });
    let metas = match listed {
        Ok(metas) => metas,
        Err(object_store::Error::NotFound { .. }) => Vec::new(),
        Err(error) => {
            return Err(Error::environment("the files of a source cannot be listed")
                .with("source", &*source.name)
                .with("place", &*place.location.display)
                .hint("check network, credentials and the permission to list")
                .because(told(&error)));
        }
    };
    Ok(metas.into_iter().filter_map(|meta| Some((place.relative(&meta)?, meta))).collect())
}

/// Refuses a symbolic link that leads out of the folder of its source: who may drop a file there could make the run read any other.
fn stays_inside(place: &Place, object: &InputObject) -> Result<()> {
    let Some(folder) = &place.location.local else { return Ok(()) };
    let path = folder.join(&object.path);
    let is_linked = |path: &Path| path.symlink_metadata().is_ok_and(|meta| meta.is_symlink());
    if !path.ancestors().take_while(|part| *part != folder).any(is_linked) {
        return Ok(());
    }
    // What cannot be resolved is gone or not to be entered: reading it says so.
    let (Ok(target), Ok(root)) = (path.canonicalize(), folder.canonicalize()) else {
        return Ok(());
    };
    if target.starts_with(root) {
        return Ok(());
    }
    Err(Error::input("a file is a link that leads out of its folder")
        .with("source", &*object.source)
        .with("file", &*object.path)
        .hint("copy the file there, or let `files` name the folder that the link leads to"))
}

/// Lists all sources and compares them with the ledger.
pub(super) fn list(engine: &Engine, spec: &Spec, ledger: &Ledger) -> Result<Vec<(InputObject, InputStatus)>> {
    let mut known: BTreeMap<(String, String), &InputObject> = ledger
        .inputs
        .iter()
        .map(|input| ((input.source.clone(), input.path.clone()), input))
        .collect();
    let mut all = Vec::new();
    for source in spec.sources.iter().chain(&spec.decisions) {
        let objects = list_source(engine, source, &spec.folder)?;
        if objects.is_empty() && source.on_missing == OnMissing::Error {
            return Err(Error::input(format!("no file of source `{}` is there", source.name))
                .with("files", &*source.files)
                .hint("check that the export has arrived and that `files` matches it; `on_missing: skip` lets a run go on without"));
        }
        for mut object in objects {
            let status = match known.remove(&(object.source.clone(), object.path.clone())) {
                None => InputStatus::New,
                Some(before) if before.size == object.size && before.etag == object.etag => {
                    // The store vouches for the content only if it gave a tag.
                    object.sha256 = before.sha256.clone().filter(|_| object.etag.is_some());
                    InputStatus::Unchanged
                }
                Some(_) => InputStatus::Changed,
            };
            all.push((object, status));
        }
    }
    all.extend(known.into_values().map(|gone| (gone.clone(), InputStatus::Missing)));
    all.sort();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_splits_before_its_first_glob() {
        assert_eq!(split("/data/crm/*.csv"), ("/data/crm", "*.csv"));
        assert_eq!(split("s3://bucket/a/dt=*/x?.gz"), ("s3://bucket/a", "dt=*/x?.gz"));
        assert_eq!(split("/data/crm/one.csv"), ("/data/crm", "one.csv"));
        assert_eq!(split("/*.csv"), ("/", "*.csv"));
    }
}
