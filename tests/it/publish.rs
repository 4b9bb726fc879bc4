//! Publishing: a version is there in full or not at all, whatever fails and whoever else publishes.

mod faults;
mod files;
mod lease;
mod protocol;
pub mod support;
