//! The bodies of the fuzz targets, taken from the test tree so that an ordinary test replays their corpora.

#[path = "../../it/fuzz/targets.rs"]
pub mod targets;
