//! Drives the binary as users and schedulers do: arguments, environment, exit codes, stdout, stderr and what stands in the warehouse.

mod audience;
mod canary;
mod churn;
mod codes;
pub mod crash;
mod decisions;
mod dry_run;
mod evaluate;
mod explain;
mod gates;
mod incremental;
mod keys;
mod limits;
mod model;
mod plan;
mod privacy;
mod project;
pub mod remote;
mod repeat;
mod report;
mod resolve;
mod review;
mod select;
mod skew;
pub mod support;
mod surface;
mod versions;
