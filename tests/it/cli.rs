//! Drives the binary as users and schedulers do: arguments, environment, exit codes, stdout, stderr and what stands in the warehouse.

mod codes;
mod crash;
mod decisions;
mod dry_run;
mod evaluate;
mod explain;
mod keys;
mod limits;
mod model;
mod plan;
mod privacy;
mod project;
mod repeat;
mod resolve;
mod select;
mod skew;
mod support;
mod surface;
