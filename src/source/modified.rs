//! When the newest object of a source was written: all that is known of how old a source is whose data hold no time.

use chrono::{DateTime, Utc};

use super::list;
use crate::config::spec::SourceSpec;
use crate::engine::Engine;
use crate::error::Result;

/// The time at which the newest object that the source matches was written, as its store tells; `None` if there is no object.
///
/// # Errors
/// `Environment` if the store cannot be listed.
pub fn newest_object(engine: &Engine, source: &SourceSpec, folder: &std::path::Path) -> Result<Option<DateTime<Utc>>> {
    let objects = list::matching(engine, source, folder)?;
    Ok(objects.iter().map(|(_, meta)| meta.last_modified).max())
}
