//! The worst nights: stores that fail at every operation, signals, rivals, full disks, damaged files. `tests/faults.md` is the table.

mod damage;
mod job;
mod matrix;
mod nth;
mod retries;
mod s3;
mod signals;
pub mod store;
mod together;
