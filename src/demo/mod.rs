//! The generator behind `stammkunde demo`: seeded exports as companies really write them, and the truth beside them.

use std::path::Path;

use crate::error::Result;

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

/// Writes `exports/` and `truth.csv` (source, record_id, person) into `folder`.
///
/// # Errors
/// `Environment` if the disk cannot be written.
pub fn generate(_options: &DemoOptions, _folder: &Path) -> Result<()> {
    todo!()
}
