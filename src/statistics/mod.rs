//! Pure statistics for models: numbers in, numbers out, no tables and no engine.

pub mod affinity;
pub mod kmeans;
