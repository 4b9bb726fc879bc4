//! Exports in, one stable customer key out, metrics on top: the library under the `stammkunde` binary.
//!
//! Modules stand in dependency order: each imports only modules above it, and no stage imports another stage
//! (`tests/it/architecture.rs` checks both). [`run`] is the spine that calls the stages from top to bottom.

pub mod error;
pub mod page;
pub mod table;
pub mod text;

pub mod config;

pub mod clv;
pub mod statistics;

pub mod engine;

pub mod suppress;

pub mod retention;

pub mod source;
pub mod standardize;

pub mod block;
pub mod cluster;
pub mod compare;
pub mod score;

pub mod key;
pub mod profile;

pub mod gate;

pub mod model;
pub mod publish;

pub mod report;

pub mod dictionary;

pub mod plan;

pub mod explain;

pub mod overview;

pub mod privacy;

pub mod evaluate;

pub mod review;

pub mod run;

pub mod versions;

pub mod audience;

pub mod demo;

pub use config::Spec;
pub use error::{Error, ErrorKind, Result};
