//! The generator behind `stammkunde demo`: seeded exports as companies really write them, and the truth beside them.

mod crm;
mod csv;
mod files;
mod group;
mod messages;
mod names;
mod noise;
mod orders;
mod outcome;
mod people;
mod random;
mod rates;
mod shop;
mod web;

use std::path::Path;

use include_dir::{Dir, include_dir};
use rayon::prelude::*;

use crate::error::{Error, Result};

pub use crate::evaluate::{Evaluation, Quality, evaluate};
pub use outcome::{against_truth, headline};

/// What to generate.
#[derive(Debug, Clone, Copy)]
pub struct DemoOptions {
    /// People.
    pub people: u32,
    /// Seed: equal seeds give equal bytes.
    pub seed: u64,
    /// Orders; default: 5 a person.
    pub orders: Option<u64>,
}

/// Last day of the history; a demo runs as of it.
pub const AS_OF: chrono::NaiveDate = chrono::NaiveDate::from_ymd_opt(2026, 10, 31).expect("a day of the calendar");

/// Groups in memory at once: enough for every core, small enough for a laptop.
const GROUPS_AT_ONCE: u64 = 32;

static PROJECT: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/pipelines/demo");

/// Writes `exports/` and `truth.csv` (source, `record_id`, person) into `folder`. The history ends on 2026-10-31 and is three years long.
/// `truth.csv` has one row for each contact that the mappings of the demo project give; a person in it is a number, or `visitor-<number>`
/// for a browser that no other export knows.
///
/// # Errors
/// `Config` without people, `Environment` if the disk cannot be written.
pub fn generate(options: &DemoOptions, folder: &Path) -> Result<()> {
    if options.people == 0 {
        return Err(Error::config("a demo needs at least one person").hint("give `--people 1000`"));
    }
    let cut = group::Cut::new(options);
    let mut files = files::Files::create(folder, cut.groups(), cut.orders, options.seed)?;
    let mut first = 0;
    while first < cut.groups() {
        let end = (first + GROUPS_AT_ONCE).min(cut.groups());
        let groups: Vec<group::Group> = (first..end).into_par_iter().map(|number| group::make(cut, number)).collect();
        for (number, group) in (first..end).zip(&groups) {
            files.append(number, group)?;
        }
        first = end;
    }
    files.finish()
}

/// Writes the demo project (`pipeline.yaml`, `sources/*.sql`) into `folder`, beside the exports it reads.
///
/// # Errors
/// `Environment` if the disk cannot be written.
pub fn write_project(folder: &Path) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::environment("the demo project cannot be written")
            .with("folder", folder.display().to_string())
            .because(error)
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    PROJECT.extract(folder).map_err(failed)
}
